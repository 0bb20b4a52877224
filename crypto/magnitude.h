/* Whole numbers as big-endian bytes without leading zeros, as wire_mpint() gives them: what RSA and
 * finite-field Diffie-Hellman share. Internal to crypto/. */
#ifndef CRYPTO_MAGNITUDE_H
#define CRYPTO_MAGNITUDE_H

#include "proto/wire.h"

enum { MAGNITUDE_POWER_MAX = 512 }; /* bytes of a modulus and of an exponent: 4096 bits */

/* These three are for public values only. */
unsigned magnitude_bits(struct bytes m);
bool magnitude_is_odd(struct bytes m);
bool magnitude_is_below(struct bytes a, struct bytes b);

/* x = x^e mod n in place, x being n.n bytes. False, and x worth nothing, when n is even or too long
 * or x is not below it. Constant time in x and e: only their lengths and n show. */
bool magnitude_power(uint8_t *x, struct bytes e, struct bytes n)
    __attribute__((warn_unused_result));

#endif
