/* Streamlined NTRU Prime 761, a key encapsulation that no known quantum algorithm breaks: NTRU
 * Prime's submission to NIST, round 3 (2020), and draft-josefsson-ntruprime-streamlined.
 *
 * Time and addresses depend on nothing secret. Any bytes of the right length are a public key or a
 * ciphertext; a ciphertext that encapsulation could not have made gives a shared secret that
 * nobody else can know ("implicit rejection"), so no call here fails. */
#ifndef CRYPTO_SNTRUP761_H
#define CRYPTO_SNTRUP761_H

#include <stdint.h>

#include "crypto/rng.h"

enum {
    SNTRUP761_PUBLIC_BYTES = 1158,
    SNTRUP761_SECRET_BYTES = 1763,
    SNTRUP761_CIPHERTEXT_BYTES = 1039,
    SNTRUP761_SHARED_BYTES = 32,
};

void sntrup761_keypair(struct rng *rng, uint8_t public_key[SNTRUP761_PUBLIC_BYTES],
    uint8_t secret_key[SNTRUP761_SECRET_BYTES]);
/* Makes a shared secret, and the ciphertext that tells it to the owner of the public key. */
void sntrup761_encapsulate(struct rng *rng, const uint8_t public_key[SNTRUP761_PUBLIC_BYTES],
    uint8_t ciphertext[SNTRUP761_CIPHERTEXT_BYTES], uint8_t shared[SNTRUP761_SHARED_BYTES]);
void sntrup761_decapsulate(const uint8_t secret_key[SNTRUP761_SECRET_BYTES],
    const uint8_t ciphertext[SNTRUP761_CIPHERTEXT_BYTES], uint8_t shared[SNTRUP761_SHARED_BYTES]);

#endif
