/* Signing, and the check of a private key that was read: Ed25519, ECDSA on each curve, RSA with
 * each hash. The private numbers are secret but for what their form tells: the length, with it the
 * first byte that is not zero, and that RSA's factors are odd. */
#include <string.h>

#include "crypto/private_key.h"
#include "tests/ct/mark.h"
#include "tests/unit/crypto/sample_keys.h"

static void mark_number(struct bytes number, bool is_odd)
{
    uint8_t *p = (uint8_t *)(uintptr_t)number.p;
    size_t n_shown = number.n > 0 && p[0] == 0 ? 2 : 1;
    uint8_t last_bits = 0xfe;
    ct_secret(p + n_shown, number.n - n_shown);
    if (is_odd)
        (void)VALGRIND_SET_VBITS(p + number.n - 1, &last_bits, 1);
}

/* What stands in fields: ed25519 point, seed and point; ecdsa curve, point, scalar; rsa n, e, d,
 * 1/q, p, q. */
static void mark_fields(const struct private_key *k)
{
    struct wire_reader r = wire_reader(k->fields);
    if (k->type == &key_type_ed25519) {
        (void)wire_string(&r);
        ct_secret((uint8_t *)(uintptr_t)wire_string(&r).p, 32);
        return;
    }
    (void)wire_string(&r);
    (void)wire_string(&r);
    for (int i = 0; r.left > 0; i++)
        mark_number(wire_string(&r), i >= 2);
}

static bool is_accepted(const struct private_key *k)
{
    struct wire_reader r = wire_reader(k->fields);
    return k->type->check_private(k->type, &r, k->blob);
}

/* k stays marked from one signature to the next. */
static bool signs(const struct private_key *k, const char *algorithm)
{
    static const struct bytes data = BYTES_LIT("what is signed is public");
    uint8_t signature[KEY_SIGNATURE_MAX];
    size_t n;
    return private_key_sign(k, bytes_of(algorithm), data, signature, &n) == ERR_OK &&
           key_verify(k->blob, bytes_of(algorithm), (struct bytes){signature, n}, data) == ERR_OK;
}

static int run(const char *file, const char *algorithm, const char *other)
{
    struct private_key *k;
    const char *why;
    if (private_key_parse(bytes_of(file), (struct bytes){NULL, 0}, &k, &why) != KEY_FILE_OK)
        return ct_report(why, false);
    mark_fields(k);
    bool ok = is_accepted(k) && signs(k, algorithm) && (other == NULL || signs(k, other));
    private_key_free(k);
    return ct_report(algorithm, ok);
}

static int run_new_key(void)
{
    struct private_key *k = private_key_generate(&ct_rng);
    bool ok = k != NULL && is_accepted(k) && signs(k, "ssh-ed25519");
    private_key_free(k);
    return ct_report("ssh-ed25519, made here", ok);
}

int main(void)
{
    ct_start("ct_sign");
    return run(sample_ed25519_file, "ssh-ed25519", NULL) | run_new_key() |
           run(sample_p256_file, "ecdsa-sha2-nistp256", NULL) |
           run(sample_p384_file, "ecdsa-sha2-nistp384", NULL) |
           run(sample_p521_file, "ecdsa-sha2-nistp521", NULL) |
           run(sample_rsa_file, "rsa-sha2-256", "rsa-sha2-512");
}
