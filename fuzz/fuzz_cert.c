/* An input is a certificate. What parses has a key that would parse by itself, an authority that is
 * no certificate, and lists that can be walked to their end; no part can be cut off. What is good
 * is so for no second outside its time. */
#include <string.h>

#include "crypto/cert.h"
#include "fuzz/fuzz.h"

static void walk(const struct cert *c)
{
    struct bytes list = c->principals, name, data;
    size_t n = 0;
    while (cert_next_principal(&list, &name))
        fuzz_require(++n <= CERT_PRINCIPALS_MAX && cert_has_principal(c, name));
    fuzz_require(list.n == 0);
    list = c->critical;
    while (cert_next_option(&list, &name, &data))
        fuzz_require(name.n > 0);
    fuzz_require(list.n == 0);
    list = c->extensions;
    while (cert_next_option(&list, &name, &data))
        fuzz_require(name.n > 0);
    fuzz_require(list.n == 0);
}

static void parsed(struct bytes blob, const struct cert *c)
{
    static uint8_t plain[KEY_BLOB_MAX];
    const char *type;
    char why[CERT_WHY_MAX], text[CERT_VALIDITY_MAX], of_cert[KEY_FINGERPRINT_MAX],
        of_plain[KEY_FINGERPRINT_MAX];
    struct cert again;
    fuzz_require(key_check(blob, &type) == ERR_OK);
    fuzz_require(strcmp(key_plain_type(type), c->key_type) == 0);
    size_t n = cert_plain_key(c, plain, sizeof plain);
    fuzz_require(n > 0 && key_check((struct bytes){plain, n}, &type) == ERR_OK);
    fuzz_require(strcmp(type, c->key_type) == 0);
    key_fingerprint_sha256(blob, of_cert);
    key_fingerprint_sha256((struct bytes){plain, n}, of_plain);
    fuzz_require(strcmp(of_cert, of_plain) == 0);
    fuzz_require(key_check(c->ca, NULL) == ERR_OK && !cert_is(c->ca));
    fuzz_require(c->signed_part.p == blob.p && c->signed_part.n < blob.n);
    fuzz_require(cert_parse((struct bytes){blob.p, blob.n - 1}, &again) != ERR_OK);
    cert_validity_text(c, text);
    walk(c);

    struct cert_rules rules = {.kind = c->kind, .now_s = c->valid_after, .any_principal = true};
    if (cert_check(c, &rules, why) == ERR_OK) {
        fuzz_require(why[0] == '\0' && c->critical.n == 0 && c->principals.n > 0);
        rules.now_s = c->valid_before;
        fuzz_require(cert_check(c, &rules, why) != ERR_OK && why[0] != '\0');
    } else {
        fuzz_require(why[0] != '\0');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct bytes blob = {data, n};
    struct cert c;
    fuzz_require(crypto_init());
    if (cert_parse(blob, &c) == ERR_OK)
        parsed(blob, &c);
    else
        fuzz_require(c.key_type == NULL && c.ca.n == 0 && (!cert_is(blob) || key_bits(blob) == 0));
    return 0;
}
