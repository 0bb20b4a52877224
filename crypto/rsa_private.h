/* RSA's private operation from the numbers an OpenSSH key file has. Internal to crypto/. */
#ifndef CRYPTO_RSA_PRIVATE_H
#define CRYPTO_RSA_PRIVATE_H

#include "proto/wire.h"

struct rsa_private {
    struct bytes d, iqmp, p, q; /* magnitudes; iqmp is 1/q mod p */
};

/* Are the numbers of sizes that can belong to a modulus of n_bits? */
bool rsa_private_is_plausible(const struct rsa_private *k, unsigned n_bits);
/* x = x^d mod pq in place, x being (n_bits + 7) / 8 bytes; false when the library refuses. Constant
 * time. The numbers are not checked against each other, so verify what comes out. */
bool rsa_private_power(const struct rsa_private *k, unsigned n_bits, uint8_t *x)
    __attribute__((warn_unused_result));

#endif
