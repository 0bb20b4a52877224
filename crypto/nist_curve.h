/* NIST P-256, P-384 and P-521 as SSH names them, over BearSSL's arithmetic. Internal to crypto/. */
#ifndef CRYPTO_NIST_CURVE_H
#define CRYPTO_NIST_CURVE_H

#include <bearssl.h>

#include "crypto/hash.h"
#include "crypto/rng.h"

enum {
    NIST_SCALAR_MAX = 66, /* P-521 */
    NIST_POINT_MAX = 1 + 2 * NIST_SCALAR_MAX,
};

struct nist_curve {
    const char *name; /* "nistp256": RFC 5656 section 10.1 */
    int id;           /* BearSSL's */
    unsigned bits;
    size_t bytes;      /* of a coordinate and of a scalar */
    enum hash_id hash; /* RFC 5656 section 6.2.1, for ECDSA and ECDH alike */
    const br_hash_class *br_hash;
};
extern const struct nist_curve nist_p256, nist_p384, nist_p521;

const br_ec_impl *nist_arithmetic(void);

/* Is it an uncompressed point on the curve, and not infinity? (A compressed one, which RFC 5656
 * section 3.1 makes optional, is refused; OpenSSH refuses it too.) */
bool nist_point_is_good(const struct nist_curve *c, struct bytes point);
/* Is 0 < x < order, x being c->bytes long? Constant time. */
bool nist_scalar_is_good(const struct nist_curve *c, const uint8_t *x);
/* Writes the magnitude m in c->bytes bytes, zeros in front; false when it is longer. */
bool nist_scalar_pad(const struct nist_curve *c, struct bytes m, uint8_t *out);
/* A uniform secret scalar. */
void nist_scalar_random(const struct nist_curve *c, struct rng *rng, uint8_t *out);
/* The public point of a good scalar; its length. */
size_t nist_public(const struct nist_curve *c, const uint8_t *scalar, uint8_t *point);

#endif
