/* An input is a key revocation list, asked about a plain key and about a certificate. What a list
 * says of a plain key it says of a certificate of that key too, and whether it can be used does not
 * depend on what is asked. */
#include "fuzz/fuzz.h"
#include "proto/krl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const uint8_t sha1[KRL_SHA1_BYTES] = {1}, sha256[KRL_SHA256_BYTES] = {2};
    struct bytes file = {data, n};
    struct krl_question q = {.key = BYTES_LIT("key"), .sha1 = sha1, .sha256 = sha256};
    const char *why;
    enum krl_verdict plain = krl_check(file, &q, &why);
    fuzz_require((plain == KRL_UNUSABLE) == (why != NULL));
    fuzz_require(plain == KRL_UNUSABLE || krl_is_one(file));

    q.is_certificate = true;
    q.ca_key = BYTES_LIT("ca");
    q.serial = 3;
    q.key_id = BYTES_LIT("x");
    enum krl_verdict certificate = krl_check(file, &q, &why);
    fuzz_require((plain == KRL_UNUSABLE) == (certificate == KRL_UNUSABLE));
    fuzz_require(plain != KRL_REVOKED || certificate == KRL_REVOKED);
    return 0;
}
