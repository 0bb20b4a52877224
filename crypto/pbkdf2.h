/* PBKDF2 with HMAC: RFC 8018 section 5.2. Internal to crypto/ and its tests. */
#ifndef CRYPTO_PBKDF2_H
#define CRYPTO_PBKDF2_H

#include "crypto/hash.h"

/* out: n bytes. iterations is at least 1; each costs about a microsecond for every block of the
 * hash. The time depends on the lengths and on iterations only. */
void pbkdf2(enum hash_id id, struct bytes passphrase, struct bytes salt, uint32_t iterations,
    uint8_t *out, size_t n);

#endif
