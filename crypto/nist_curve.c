#include "crypto/nist_curve.h"

#include <string.h>

#include "crypto/ct.h"

const struct nist_curve nist_p256 = {
    "nistp256", BR_EC_secp256r1, 256, 32, HASH_SHA256, &br_sha256_vtable};
const struct nist_curve nist_p384 = {
    "nistp384", BR_EC_secp384r1, 384, 48, HASH_SHA384, &br_sha384_vtable};
const struct nist_curve nist_p521 = {
    "nistp521", BR_EC_secp521r1, 521, 66, HASH_SHA512, &br_sha512_vtable};

const br_ec_impl *nist_arithmetic(void)
{
    return br_ec_get_default();
}

/* BearSSL's mul() refuses points that are off the curve, so multiplying by 1 is the check; a
 * multiplier of one byte makes it cheap. All three curves have prime order: no subgroups. */
bool nist_point_is_good(const struct nist_curve *c, struct bytes point)
{
    static const uint8_t one[1] = {1};
    uint8_t copy[NIST_POINT_MAX];
    if (point.n != 1 + 2 * c->bytes || point.p[0] != 0x04)
        return false;
    memcpy(copy, point.p, point.n);
    return nist_arithmetic()->mul(copy, point.n, one, sizeof one, c->id) == 1 &&
           memcmp(copy, point.p, point.n) == 0;
}

bool nist_scalar_is_good(const struct nist_curve *c, const uint8_t *x)
{
    size_t order_n;
    const uint8_t *order = nist_arithmetic()->order(c->id, &order_n);
    unsigned borrow = 0; /* of x - order: set when x is the smaller */
    unsigned any = 0;    /* bits that are set somewhere in x */
    for (size_t i = c->bytes; i-- > 0;) {
        unsigned difference = (unsigned)x[i] - order[i] - borrow;
        borrow = difference >> 8 & 1;
        any |= x[i];
    }
    bool is_good = (borrow & (any + 0xff) >> 8) == 1;
    ct_public(&is_good, sizeof is_good); /* a key that is not is no secret of anybody's */
    return order_n == c->bytes && is_good;
}

bool nist_scalar_pad(const struct nist_curve *c, struct bytes m, uint8_t *out)
{
    if (m.n > c->bytes)
        return false;
    memset(out, 0, c->bytes - m.n);
    if (m.n > 0)
        memcpy(out + c->bytes - m.n, m.p, m.n);
    return true;
}

/* Draws until it fits, which for these orders is nearly always the first time. That a draw was
 * thrown away says nothing about the one kept. */
void nist_scalar_random(const struct nist_curve *c, struct rng *rng, uint8_t *out)
{
    do {
        rng_bytes(rng, out, c->bytes);
        out[0] &= (uint8_t)(0xff >> (c->bytes * 8 - c->bits));
    } while (!nist_scalar_is_good(c, out));
}

size_t nist_public(const struct nist_curve *c, const uint8_t *scalar, uint8_t *point)
{
    size_t n = nist_arithmetic()->mulgen(point, scalar, c->bytes, c->id);
    ct_public(point, n);
    return n;
}
