/* An input is a byte that picks a key and an algorithm, and a signature blob over "sample". Only
 * the one signature that the key made may verify; for ECDSA also the one with s negated, so there
 * only the shape is looked at. */
#include <sodium.h>
#include <string.h>

#include "crypto/key.h"
#include "fuzz/fuzz.h"
#include "tests/unit/crypto/sample_certs.h"
#include "tests/unit/crypto/sample_keys.h"

static const struct {
    const char *type, *public, *algorithm, *signature;
    bool is_unique;
} keys[] = {
    {"ssh-ed25519", sample_ed25519_public, "ssh-ed25519", sample_ed25519_signature, true},
    {"ecdsa-sha2-nistp256", sample_p256_public, "ecdsa-sha2-nistp256", sample_p256_signature,
        false},
    {"ssh-rsa", sample_rsa_public, "rsa-sha2-512", sample_rsa_signature_512, true},
    {"ssh-rsa", sample_rsa_public, "rsa-sha2-256", sample_rsa_signature_256, true},
    {"sk-ssh-ed25519@openssh.com", sample_sk_ed25519_public, "sk-ssh-ed25519@openssh.com",
        sample_sk_ed25519_signature, true},
};
enum { N_KEYS = sizeof keys / sizeof keys[0] };

static bool is_the_one(size_t i, struct bytes signature)
{
    uint8_t want[KEY_SIGNATURE_MAX];
    size_t n;
    sodium_hex2bin(want, sizeof want, keys[i].signature, strlen(keys[i].signature), NULL, &n, NULL);
    return bytes_equal(signature, (struct bytes){want, n});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t blob[KEY_BLOB_MAX];
    size_t blob_n;
    fuzz_require(crypto_init());
    if (n == 0)
        return 0;
    size_t i = data[0] % N_KEYS;
    struct bytes alg = bytes_of(keys[i].algorithm), signature = {data + 1, n - 1};
    fuzz_require(key_from_base64(bytes_of(keys[i].type), bytes_of(keys[i].public), blob,
                     sizeof blob, &blob_n) == ERR_OK);
    enum err e = key_verify((struct bytes){blob, blob_n}, alg, signature, BYTES_LIT("sample"));
    fuzz_require(e == ERR_OK || e == ERR_SIGNATURE || e == ERR_MALFORMED || e == ERR_LIMIT);
    if (e == ERR_OK && keys[i].is_unique)
        fuzz_require(is_the_one(i, signature));
    return 0;
}
