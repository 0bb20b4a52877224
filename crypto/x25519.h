/* X25519, RFC 7748, for a key exchange: alone, or as the half of a hybrid. On top of libsodium. */
#ifndef CRYPTO_X25519_H
#define CRYPTO_X25519_H

#include <stdint.h>

#include "crypto/rng.h"
#include "proto/err.h"

enum { X25519_BYTES = 32 }; /* of a scalar, a point and a result */

/* A new scalar, which is secret, and the point that belongs to it. */
enum err x25519_pair(struct rng *rng, uint8_t scalar[X25519_BYTES], uint8_t point[X25519_BYTES]);

/* The result that both sides come to, secret. ERR_KEX for a point of small order and a result that
 * is all zero, which libsodium finds without a branch; that it did, the peer may know. */
enum err x25519_agree(const uint8_t scalar[X25519_BYTES], const uint8_t point[X25519_BYTES],
    uint8_t result[X25519_BYTES]);

#endif
