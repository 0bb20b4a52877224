/* bcrypt_pbkdf, which turns the passphrase of an OpenSSH key file into a key: OpenBSD's
 * lib/libutil/bcrypt_pbkdf.c. Internal to crypto/. */
#ifndef CRYPTO_BCRYPT_PBKDF_H
#define CRYPTO_BCRYPT_PBKDF_H

#include "proto/wire.h"

/* out: n bytes, at most 1024. rounds is at least 1; each costs some 5 ms for every 32 bytes. */
void bcrypt_pbkdf(
    struct bytes passphrase, struct bytes salt, uint32_t rounds, uint8_t *out, size_t n);

#endif
