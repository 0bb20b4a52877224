/* Project Wycheproof's files, whole: every case of every file runs through our functions, wrapped
 * in SSH's encodings where ours take those. The files stand beside the project (../shared/vectors,
 * or where ADIT_VECTORS says); without them the test says so and passes.
 *
 * What "invalid" must do here: be refused. What "acceptable" may do: either. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/gcm.h"
#include "crypto/hash.h"
#include "crypto/kex.h"
#include "crypto/key.h"
#include "crypto/mlkem768.h"
#include "tests/unit/crypto/json.h"
#include "tests/unit/unit.h"

enum { ROOM = 70000 };
static uint8_t key[ROOM], iv[ROOM], aad[ROOM], msg[ROOM], ct[ROOM], tag[ROOM], out[ROOM];

/* Runs one case; tells whether our code took it. *skip when the case is of a form that SSH does not
 * have. */
typedef bool run_fn(const char *group, const char *test, bool *skip);

static const char *folder(void)
{
    const char *f = getenv("ADIT_VECTORS");
    return f != NULL ? f : "../shared/vectors";
}

static void judge(const char *file, const char *test, bool taken)
{
    const char *result = json_get(test, "result");
    bool ok = json_is(result, "acceptable") || taken == json_is(result, "valid");
    if (!ok)
        printf("    %s: case %ld: %s\n", file, strtol(json_get(test, "tcId"), NULL, 10),
            taken ? "taken" : "refused");
    CU_ASSERT_TRUE(ok);
}

static void run_file(const char *file, run_fn *run)
{
    char *text = json_load(folder(), file);
    if (text == NULL) {
        printf("       %s: skipped, no such file in %s\n", file, folder());
        return;
    }
    unsigned n_run = 0, n_skipped = 0;
    const char *groups = json_get(json_space(text), "testGroups");
    for (const char *g = json_first(groups); g != NULL; g = json_next(g))
        for (const char *t = json_first(json_get(g, "tests")); t != NULL; t = json_next(t)) {
            bool skip = false;
            bool taken = run(g, t, &skip);
            if (!skip)
                judge(file, t, taken);
            n_skipped += skip;
            n_run += !skip;
        }
    printf("       %s: %u cases run, %u of other forms\n", file, n_run, n_skipped);
    CU_ASSERT_TRUE(n_run > 0);
    free(text);
}

/* ---- symmetric ----------------------------------------------------------------------------- */

/* Seals and opens with every backend. Other IV sizes and 192-bit keys do not exist in SSH's GCM. */
static bool gcm_case(const char *group, const char *test, bool *skip)
{
    (void)group;
    size_t key_n = json_hex(json_get(test, "key"), key, ROOM);
    size_t iv_n = json_hex(json_get(test, "iv"), iv, ROOM);
    struct bytes a = {aad, json_hex(json_get(test, "aad"), aad, ROOM)};
    size_t n = json_hex(json_get(test, "msg"), msg, ROOM);
    json_hex(json_get(test, "ct"), ct, ROOM);
    size_t tag_n = json_hex(json_get(test, "tag"), tag, ROOM);
    *skip = iv_n != GCM_IV_BYTES || tag_n != GCM_TAG_BYTES || key_n == 24;
    bool taken = true;
    const struct gcm_backend *b;
    for (size_t i = 0; !*skip && (b = gcm_backend_at(i)) != NULL; i++) {
        if (!b->is_supported())
            continue;
        struct gcm g;
        uint8_t made[16];
        gcm_init_with(&g, b, key, key_n);
        memcpy(out, msg, n);
        gcm_seal(&g, iv, a, out, n, made);
        bool same = memcmp(out, ct, n) == 0 && memcmp(made, tag, 16) == 0;
        memcpy(out, ct, n);
        bool opened = gcm_open(&g, iv, a, out, n, tag) && memcmp(out, msg, n) == 0;
        taken = taken && same && opened;
        CU_ASSERT_EQUAL(same, opened);
    }
    return taken;
}

static void aes_gcm(void)
{
    run_file("aes_gcm_test.json", gcm_case);
}

/* SSH's ChaCha20-Poly1305 is put together in another way than RFC 8439's; what they share are the
 * two functions. So RFC 8439's is built here from the very calls that cipher_chapoly.c makes: the
 * 64-bit nonce is the last 8 bytes of the 96-bit one, whose first 4 are the block counter's upper
 * half. */
static bool chapoly_case(const char *group, const char *test, bool *skip)
{
    (void)group;
    size_t key_n = json_hex(json_get(test, "key"), key, ROOM);
    size_t iv_n = json_hex(json_get(test, "iv"), iv, ROOM);
    size_t aad_n = json_hex(json_get(test, "aad"), aad, ROOM);
    size_t n = json_hex(json_get(test, "msg"), msg, ROOM);
    json_hex(json_get(test, "ct"), ct, ROOM);
    size_t tag_n = json_hex(json_get(test, "tag"), tag, ROOM);
    *skip = key_n != 32 || iv_n != 12 || tag_n != 16;
    if (*skip)
        return false;
    uint64_t high = 0;
    for (size_t i = 4; i-- > 0;)
        high = high << 8 | iv[i];
    high <<= 32;
    uint8_t poly_key[32] = {0}, made[16], lengths[16] = {0};
    crypto_stream_chacha20_xor_ic(poly_key, poly_key, 32, iv + 4, high, key);
    crypto_stream_chacha20_xor_ic(out, msg, n, iv + 4, high + 1, key);
    static const uint8_t zeros[16];
    crypto_onetimeauth_poly1305_state poly;
    crypto_onetimeauth_poly1305_init(&poly, poly_key);
    crypto_onetimeauth_poly1305_update(&poly, aad, aad_n);
    crypto_onetimeauth_poly1305_update(&poly, zeros, (16 - aad_n % 16) % 16);
    crypto_onetimeauth_poly1305_update(&poly, ct, n);
    crypto_onetimeauth_poly1305_update(&poly, zeros, (16 - n % 16) % 16);
    for (size_t i = 0; i < 8; i++) {
        lengths[i] = (uint8_t)((uint64_t)aad_n >> 8 * i);
        lengths[8 + i] = (uint8_t)((uint64_t)n >> 8 * i);
    }
    crypto_onetimeauth_poly1305_update(&poly, lengths, 16);
    crypto_onetimeauth_poly1305_final(&poly, made);
    return memcmp(out, ct, n) == 0 && memcmp(made, tag, 16) == 0;
}

static void chacha20_and_poly1305(void)
{
    run_file("chacha20_poly1305_test.json", chapoly_case);
}

static bool hmac_case(enum hash_id id, const char *test)
{
    struct bytes k = {key, json_hex(json_get(test, "key"), key, ROOM)};
    struct bytes m = {msg, json_hex(json_get(test, "msg"), msg, ROOM)};
    size_t tag_n = json_hex(json_get(test, "tag"), tag, ROOM); /* may be truncated */
    hmac_once(id, k, m, out);
    return tag_n <= hash_bytes(id) && memcmp(out, tag, tag_n) == 0;
}
static bool hmac_sha256_case(const char *group, const char *test, bool *skip)
{
    (void)group;
    (void)skip;
    return hmac_case(HASH_SHA256, test);
}
static bool hmac_sha512_case(const char *group, const char *test, bool *skip)
{
    (void)group;
    (void)skip;
    return hmac_case(HASH_SHA512, test);
}

static void hmac(void)
{
    run_file("hmac_sha256_test.json", hmac_sha256_case);
    run_file("hmac_sha512_test.json", hmac_sha512_case);
}

/* ---- key agreement ------------------------------------------------------------------------- */

/* Hands out the case's private key as the random bytes. */
static size_t private_n;
static void scripted(struct rng *r, uint8_t *p, size_t n)
{
    (void)r;
    memset(p, 0, n);
    memcpy(p + n - private_n, key, private_n);
}

/* The case's private key against its public one; want is the shared value. */
static bool agree(const char *method, const char *test)
{
    static uint8_t state[KEX_STATE_MAX], share[KEX_SHARE_MAX], secret[KEX_SECRET_MAX];
    struct bytes public = {msg, json_hex(json_get(test, "public"), msg, ROOM)};
    struct bytes want = {ct, json_hex(json_get(test, "shared"), ct, ROOM)};
    const struct kex_method *m = kex_find(bytes_of(method));
    struct rng rng = {.fill = scripted};
    size_t share_n, n;
    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    if (m->start(&rng, state, share, &share_n) != ERR_OK ||
        m->finish(state, public, secret, &n) != ERR_OK)
        return false;
    struct wire_writer w = wire_writer(out, ROOM);
    wire_put_mpint(&w, want);
    CU_ASSERT_TRUE(w.len == n && memcmp(out, secret, n) == 0);
    return true;
}

static bool x25519_case(const char *group, const char *test, bool *skip)
{
    (void)group;
    (void)skip;
    private_n = json_hex(json_get(test, "private"), key, ROOM);
    return agree("curve25519-sha256", test);
}

/* Private keys stand there as positive two's complement numbers of any length. */
static bool ecdh(const char *method, size_t bytes, const char *test)
{
    private_n = json_hex(json_get(test, "private"), key, ROOM);
    while (private_n > bytes && key[0] == 0)
        memmove(key, key + 1, --private_n);
    return private_n <= bytes && agree(method, test);
}
static bool p256_case(const char *group, const char *test, bool *skip)
{
    (void)group;
    (void)skip;
    return ecdh("ecdh-sha2-nistp256", 32, test);
}
static bool p384_case(const char *group, const char *test, bool *skip)
{
    (void)group;
    (void)skip;
    return ecdh("ecdh-sha2-nistp384", 48, test);
}
static bool p521_case(const char *group, const char *test, bool *skip)
{
    (void)group;
    (void)skip;
    return ecdh("ecdh-sha2-nistp521", 66, test);
}

static void x25519(void)
{
    run_file("x25519_test.json", x25519_case);
}
static void ecdh_on_the_nist_curves(void)
{
    run_file("ecdh_secp256r1_ecpoint_test.json", p256_case);
    run_file("ecdh_secp384r1_ecpoint_test.json", p384_case);
    run_file("ecdh_secp521r1_ecpoint_test.json", p521_case);
}

/* The case's random bytes, and encapsulation key, ciphertext, secret as ours and as the file's. */
static uint8_t mlkem_random[ROOM];
static struct {
    uint8_t ek[MLKEM768_EK_BYTES], dk[MLKEM768_DK_BYTES], ct[MLKEM768_CT_BYTES];
    uint8_t secret[MLKEM768_SECRET_BYTES];
} made;

static void from_case(struct rng *r, uint8_t *p, size_t n)
{
    memcpy(p, mlkem_random + r->counter, n);
    r->counter += n;
}

static bool is_case_s(const char *test, const char *name, const uint8_t *p, size_t n)
{
    const char *value = json_get(test, name);
    return value == NULL || (json_hex(value, out, ROOM) == n && memcmp(out, p, n) == 0);
}

/* Keys exist only as made from seeds; their other lengths are not ours to refuse. */
static bool mlkem_keygen(const char *test, bool *skip)
{
    struct rng rng = {.fill = from_case};
    size_t n = json_hex(json_get(test, "seed"), mlkem_random, ROOM);
    *skip = n != 64;
    if (*skip)
        return false;
    mlkem768_keygen(&rng, made.ek, made.dk);
    return is_case_s(test, "ek", made.ek, sizeof made.ek) &&
           is_case_s(test, "dk", made.dk, sizeof made.dk);
}

static bool mlkem_opens(struct bytes dk, const char *test)
{
    struct bytes c = {ct, json_hex(json_get(test, "c"), ct, ROOM)};
    return mlkem768_decaps(dk, c, made.secret) == ERR_OK &&
           is_case_s(test, "K", made.secret, sizeof made.secret);
}

static bool mlkem_keygen_case(const char *group, const char *test, bool *skip)
{
    (void)group;
    return mlkem_keygen(test, skip);
}
static bool mlkem_keygen_decaps_case(const char *group, const char *test, bool *skip)
{
    (void)group;
    return mlkem_keygen(test, skip) && mlkem_opens((struct bytes){made.dk, sizeof made.dk}, test);
}
static bool mlkem_decaps_case(const char *group, const char *test, bool *skip)
{
    (void)group;
    (void)skip;
    struct bytes dk = {key, json_hex(json_get(test, "dk"), key, ROOM)};
    return mlkem_opens(dk, test);
}
static bool mlkem_encaps_case(const char *group, const char *test, bool *skip)
{
    (void)group;
    (void)skip;
    struct rng rng = {.fill = from_case};
    struct bytes ek = {key, json_hex(json_get(test, "ek"), key, ROOM)};
    json_hex(json_get(test, "m"), mlkem_random, ROOM);
    return mlkem768_encaps(&rng, ek, made.ct, made.secret) == ERR_OK &&
           is_case_s(test, "c", made.ct, sizeof made.ct) &&
           is_case_s(test, "K", made.secret, sizeof made.secret);
}

static void mlkem768(void)
{
    run_file("mlkem_768_keygen_seed_test.json", mlkem_keygen_case);
    run_file("mlkem_768_test.json", mlkem_keygen_decaps_case);
    run_file("mlkem_768_encaps_test.json", mlkem_encaps_case);
    run_file("mlkem_768_semi_expanded_decaps_test.json", mlkem_decaps_case);
}

/* ---- signatures ---------------------------------------------------------------------------- */

static uint8_t blob_room[KEY_BLOB_MAX], signature_room[KEY_SIGNATURE_MAX + 64];

/* raw is the inner signature; data the case's message. */
static bool verifies(struct bytes blob, const char *alg, struct bytes raw, const char *test)
{
    struct bytes data = {msg, json_hex(json_get(test, "msg"), msg, ROOM)};
    struct wire_writer w = wire_writer(signature_room, sizeof signature_room);
    wire_put_cstring(&w, alg);
    wire_put_string(&w, raw);
    return !w.bad && key_verify(blob, bytes_of(alg), wire_written(&w), data) == ERR_OK;
}

static bool ed25519_case(const char *group, const char *test, bool *skip)
{
    (void)skip;
    struct wire_writer w = wire_writer(blob_room, sizeof blob_room);
    size_t n = json_hex(json_get(json_get(group, "publicKey"), "pk"), key, ROOM);
    wire_put_cstring(&w, "ssh-ed25519");
    wire_put_string(&w, (struct bytes){key, n});
    struct bytes raw = {ct, json_hex(json_get(test, "sig"), ct, ROOM)};
    return verifies(wire_written(&w), "ssh-ed25519", raw, test);
}

static void ed25519(void)
{
    run_file("ed25519_test.json", ed25519_case);
}

/* The numbers stand in the files as DER has them, some with a leading zero. */
static bool rsa_case(const char *alg, const char *group, const char *test)
{
    struct wire_writer w = wire_writer(blob_room, sizeof blob_room);
    const char *public = json_get(group, "publicKey");
    wire_put_cstring(&w, "ssh-rsa");
    size_t n = json_hex(json_get(public, "publicExponent"), key, ROOM);
    wire_put_mpint(&w, (struct bytes){key, n});
    n = json_hex(json_get(public, "modulus"), key, ROOM);
    wire_put_mpint(&w, (struct bytes){key, n});
    struct bytes raw = {ct, json_hex(json_get(test, "sig"), ct, ROOM)};
    return verifies(wire_written(&w), alg, raw, test);
}
static bool rsa_256_case(const char *group, const char *test, bool *skip)
{
    (void)skip;
    return rsa_case("rsa-sha2-256", group, test);
}
static bool rsa_512_case(const char *group, const char *test, bool *skip)
{
    (void)skip;
    return rsa_case("rsa-sha2-512", group, test);
}

static void rsa(void)
{
    run_file("rsa_signature_2048_sha256_test.json", rsa_256_case);
    run_file("rsa_signature_2048_sha512_test.json", rsa_512_case);
    run_file("rsa_signature_3072_sha512_test.json", rsa_512_case);
    run_file("rsa_signature_4096_sha512_test.json", rsa_512_case);
}

/* One DER element (X.690 sections 8.1 and 10.1), strictly: this tag, the shortest length. */
static bool der_take(struct wire_reader *r, uint8_t want, struct bytes *content)
{
    bool right = wire_u8(r) == want;
    size_t n = wire_u8(r);
    if (n >= 0x80) { /* signatures here need at most one length byte more */
        bool one = n == 0x81;
        n = wire_u8(r);
        right = right && one && n >= 0x80;
    }
    *content = wire_take(r, right ? n : 0);
    return right && !r->bad;
}

/* ECDSA-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER } as two mpints. A DER INTEGER's contents are
 * an mpint's, so a negative or padded number is passed on for the code under test to refuse. */
static struct bytes der_to_ssh(struct bytes der)
{
    struct wire_reader r = wire_reader(der), inner;
    struct bytes sequence, a, b;
    struct wire_writer w = wire_writer(tag, ROOM);
    if (!der_take(&r, 0x30, &sequence) || !wire_done(&r))
        return (struct bytes){NULL, 0};
    inner = wire_reader(sequence);
    if (!der_take(&inner, 0x02, &a) || !der_take(&inner, 0x02, &b) || !wire_done(&inner))
        return (struct bytes){NULL, 0};
    wire_put_string(&w, a);
    wire_put_string(&w, b);
    return wire_written(&w);
}

static bool ecdsa_case(const char *curve, const char *group, const char *test)
{
    char alg[64];
    snprintf(alg, sizeof alg, "ecdsa-sha2-%s", curve);
    struct wire_writer w = wire_writer(blob_room, sizeof blob_room);
    size_t n = json_hex(json_get(json_get(group, "publicKey"), "uncompressed"), key, ROOM);
    wire_put_cstring(&w, alg);
    wire_put_cstring(&w, curve);
    wire_put_string(&w, (struct bytes){key, n});
    struct bytes der = {ct, json_hex(json_get(test, "sig"), ct, ROOM)};
    struct bytes raw = der_to_ssh(der);
    return raw.n > 0 && verifies(wire_written(&w), alg, raw, test);
}
static bool ecdsa_p256_case(const char *group, const char *test, bool *skip)
{
    (void)skip;
    return ecdsa_case("nistp256", group, test);
}
static bool ecdsa_p384_case(const char *group, const char *test, bool *skip)
{
    (void)skip;
    return ecdsa_case("nistp384", group, test);
}
static bool ecdsa_p521_case(const char *group, const char *test, bool *skip)
{
    (void)skip;
    return ecdsa_case("nistp521", group, test);
}

static void ecdsa(void)
{
    run_file("ecdsa_secp256r1_sha256_test.json", ecdsa_p256_case);
    run_file("ecdsa_secp384r1_sha384_test.json", ecdsa_p384_case);
    run_file("ecdsa_secp521r1_sha512_test.json", ecdsa_p521_case);
}

static const struct unit_test tests[] = {UNIT(aes_gcm), UNIT(chacha20_and_poly1305), UNIT(hmac),
    UNIT(x25519), UNIT(ecdh_on_the_nist_curves), UNIT(mlkem768), UNIT(ed25519), UNIT(rsa),
    UNIT(ecdsa)};

int main(void)
{
    return crypto_init() ? unit_main("wycheproof", tests, sizeof tests / sizeof tests[0]) : 2;
}
