/* ML-KEM-768, the key encapsulation of FIPS 203: whoever has the encapsulation key makes a secret
 * and a ciphertext of it, which only the holder of the decapsulation key opens.
 *
 * Time depends on lengths and on what is public, ek and ct. What is made on the way is wiped. */
#ifndef CRYPTO_MLKEM768_H
#define CRYPTO_MLKEM768_H

#include "crypto/rng.h"
#include "proto/err.h"
#include "proto/wire.h"

enum {
    MLKEM768_EK_BYTES = 1184,
    MLKEM768_DK_BYTES = 2400, /* holds ek as well */
    MLKEM768_CT_BYTES = 1088,
    MLKEM768_SECRET_BYTES = 32,
};

/* A pair of keys: ek may be shown, dk is secret. Takes d and z, 32 bytes each, from rng. */
void mlkem768_keygen(struct rng *rng, uint8_t ek[MLKEM768_EK_BYTES], uint8_t dk[MLKEM768_DK_BYTES]);
/* ERR_KEX, and nothing written, when ek is not of its one length or has a coefficient that is not
 * reduced (section 7.2). */
MUST_USE enum err mlkem768_encaps(struct rng *rng, struct bytes ek, uint8_t ct[MLKEM768_CT_BYTES],
    uint8_t secret[MLKEM768_SECRET_BYTES]);
/* A ciphertext that was not made for dk gives a secret that nobody else has, and no error: telling
 * would give dk away. ERR_KEX, and nothing written, when a length is wrong or dk is damaged
 * (section 7.3). */
MUST_USE enum err mlkem768_decaps(
    struct bytes dk, struct bytes ct, uint8_t secret[MLKEM768_SECRET_BYTES]);

#endif
