/* A passphrase to a key, as PEM files want it. Internal to crypto/ and its tests. */
#ifndef CRYPTO_PBKDF_H
#define CRYPTO_PBKDF_H

#include "crypto/hash.h"

/* PBKDF2 with HMAC: RFC 8018 section 5.2. out: n bytes. iterations is at least 1; each costs about
 * a microsecond for every block of the hash. The time depends on the lengths and on iterations
 * only. */
void pbkdf2(enum hash_id id, struct bytes passphrase, struct bytes salt, uint32_t iterations,
    uint8_t *out, size_t n);

enum { PBKDF_MD5_SALT_BYTES = 8 };

/* What OpenSSL did before: EVP_BytesToKey with MD5 and a count of 1. It makes guessing cheap; here
 * it only opens what was locked so long ago. */
void pbkdf_md5(
    struct bytes passphrase, const uint8_t salt[PBKDF_MD5_SALT_BYTES], uint8_t *out, size_t n);

#endif
