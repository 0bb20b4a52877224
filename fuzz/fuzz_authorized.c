#define _GNU_SOURCE /* memmem() */
/* An input is a byte that picks a key, a certificate or a security key, and the text of an
 * authorized_keys file, which is also read as a file of authorities. Nobody is let in whose key, or
 * whose authority's, does not stand in the text; and a plain key never by way of an authority. */
#include <string.h>

#include "cli/authorized.h"
#include "cli/cidr.h"
#include "cli/log.h"
#include "fuzz/fuzz.h"
#include "tests/unit/crypto/sample_certs.h"
#include "tests/unit/crypto/sample_keys.h"

static const struct {
    const char *type, *base64, *trusted;
    bool is_cert;
} keys[] = {
    {"ecdsa-sha2-nistp256", sample_p256_public, sample_p256_public, false},
    {"sk-ssh-ed25519@openssh.com", sample_sk_ed25519_public, sample_sk_ed25519_public, false},
    {"ssh-ed25519-cert-v01@openssh.com", sample_ed25519_cert, sample_rsa_public, true},
    {"sk-ssh-ed25519-cert-v01@openssh.com", sample_sk_ed25519_cert, sample_ed25519_public, true},
    {"ecdsa-sha2-nistp256-cert-v01@openssh.com", sample_p256_cert, sample_ed25519_public, true},
};
enum { N_KEYS = sizeof keys / sizeof keys[0], MIDDLE_OF_2026 = 1780000000 };

static void drop(void *user, const char *text, size_t n)
{
    (void)user;
    (void)text;
    fuzz_require(n > 0);
}

static bool stands_in(struct bytes text, const char *part)
{
    return text.n > 0 && memmem(text.p, text.n, part, strlen(part)) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t blob[KEY_BLOB_MAX];
    size_t blob_n, i;
    if (n == 0 || n > 1 << 17)
        return 0;
    fuzz_require(crypto_init());
    log_set_sink(drop, NULL);
    i = data[0] % N_KEYS;
    struct bytes text = {data + 1, n - 1};
    fuzz_require(key_from_base64(bytes_of(keys[i].type), bytes_of(keys[i].base64), blob,
                     sizeof blob, &blob_n) == ERR_OK);
    struct authorized_query q = {.key = {blob, blob_n},
        .user = BYTES_LIT("alice"),
        .address = "192.0.2.7",
        .now_s = MIDDLE_OF_2026};
    enum authorized asked = authorized_check_text(text, "keys", &q);
    enum authorized by_authority = authorized_check_authorities_text(text, "cas", &q);
    bool there = stands_in(text, keys[i].trusted);
    fuzz_require(there || (asked == AUTHORIZED_NO && by_authority == AUTHORIZED_NO));
    fuzz_require(keys[i].is_cert || by_authority == AUTHORIZED_NO);
    fuzz_require(i != 4 || (asked == AUTHORIZED_NO && by_authority == AUTHORIZED_NO)); /* a host */

    q.is_signed = true; /* by a security key that nobody touched, if it is one */
    q.facts = (struct key_sk_facts){.is_sk = i == 1 || i == 3};
    enum authorized later = authorized_check_text(text, "keys", &q);
    fuzz_require(later == AUTHORIZED_NO || asked == AUTHORIZED_YES);
    fuzz_require(later == AUTHORIZED_NO || !q.facts.is_sk || stands_in(text, "touch"));
    (void)cidr_list_match("192.0.2.7", text);
    (void)cidr_list_match("2001:db8::1", text);
    return 0;
}
