/* An input is a public key blob, and also the base64 of one. What is accepted has a type, a size
 * and a name for people; no part of it can be cut off or added to. */
#include <string.h>

#include "crypto/key.h"
#include "fuzz/fuzz.h"

static void accepted(struct bytes blob, const char *type)
{
    struct wire_reader r = wire_reader(blob);
    fuzz_require(bytes_is(wire_string(&r), type));
    fuzz_require(blob.n <= KEY_BLOB_MAX);
    unsigned bits = key_bits(blob);
    fuzz_require(bits >= 256 && bits <= KEY_RSA_MAX_BITS);
    fuzz_require(strcmp(key_short_name(blob), "unknown") != 0);
    fuzz_require(key_check((struct bytes){blob.p, blob.n - 1}, NULL) != ERR_OK);

    char fingerprint[KEY_FINGERPRINT_MAX];
    key_fingerprint_sha256(blob, fingerprint);
    fuzz_require(strlen(fingerprint) == 7 + 43); /* "SHA256:", 32 bytes in base64 */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static uint8_t decoded[KEY_BLOB_MAX];
    struct bytes blob = {data, n};
    const char *type = "?";
    size_t decoded_n;
    fuzz_require(crypto_init());
    if (key_check(blob, &type) == ERR_OK)
        accepted(blob, type);
    else
        fuzz_require(type == NULL && key_bits(blob) == 0);
    if (key_from_base64(BYTES_LIT("ssh-ed25519"), blob, decoded, sizeof decoded, &decoded_n) ==
        ERR_OK)
        fuzz_require(decoded_n >= 15 && memcmp(decoded + 4, "ssh-ed25519", 11) == 0);
    return 0;
}
