/* ecdh-sha2-nistp256, -384, -521: RFC 5656 section 4. Shares are uncompressed points; K is the
 * x coordinate of the product, as an mpint. */
#include <string.h>

#include "crypto/ct.h"
#include "crypto/kex_methods.h"
#include "crypto/nist_curve.h"

static enum err make_pair(
    const struct nist_curve *c, struct rng *rng, uint8_t *scalar, uint8_t *share, size_t *share_n)
{
    nist_scalar_random(c, rng, scalar);
    *share_n = nist_public(c, scalar, share);
    return *share_n == 1 + 2 * c->bytes ? ERR_OK : ERR_INTERNAL;
}

static bool has_the_shape(const struct nist_curve *c, struct bytes point)
{
    return point.n == 1 + 2 * c->bytes && point.p[0] == 0x04;
}

/* The order is prime and the scalar below it, so a point on the curve never gives infinity. */
static enum err agree(const struct nist_curve *c, const uint8_t *scalar, struct bytes point,
    uint8_t *secret, size_t *secret_n)
{
    uint8_t product[NIST_POINT_MAX];
    *secret_n = 0;
    if (!has_the_shape(c, point))
        return ERR_KEX;
    memcpy(product, point.p, point.n);
    bool ok = nist_arithmetic()->mul(product, point.n, scalar, c->bytes, c->id) == 1;
    ct_public(&ok, sizeof ok); /* false for a point off the curve, whatever the scalar */
    if (ok)
        *secret_n = kex_secret_mpint((struct bytes){product + 1, c->bytes}, secret);
    secure_wipe(product, sizeof product);
    return ok ? ERR_OK : ERR_KEX;
}

static enum err reply(const struct nist_curve *c, struct rng *rng, struct bytes client_share,
    uint8_t *share, size_t *share_n, uint8_t *secret, size_t *secret_n)
{
    uint8_t scalar[NIST_SCALAR_MAX];
    *secret_n = 0;
    *share_n = 0;
    if (!has_the_shape(c, client_share)) /* before the costly step of making a pair */
        return ERR_KEX;
    enum err e = make_pair(c, rng, scalar, share, share_n);
    if (e == ERR_OK)
        e = agree(c, scalar, client_share, secret, secret_n);
    secure_wipe(scalar, sizeof scalar);
    return e;
}

/* The table's functions carry no context, so each curve gets three of its own. */
#define CURVE(size)                                                                                \
    enum err kex_nistp##size##_start(                                                              \
        struct rng *rng, uint8_t *state, uint8_t *share, size_t *share_n)                          \
    {                                                                                              \
        return make_pair(&nist_p##size, rng, state, share, share_n);                               \
    }                                                                                              \
    enum err kex_nistp##size##_reply(struct rng *rng, struct bytes client_share, uint8_t *share,   \
        size_t *share_n, uint8_t *secret, size_t *secret_n)                                        \
    {                                                                                              \
        return reply(&nist_p##size, rng, client_share, share, share_n, secret, secret_n);          \
    }                                                                                              \
    enum err kex_nistp##size##_finish(                                                             \
        const uint8_t *state, struct bytes server_share, uint8_t *secret, size_t *secret_n)        \
    {                                                                                              \
        return agree(&nist_p##size, state, server_share, secret, secret_n);                        \
    }

CURVE(256)
CURVE(384)
CURVE(521)
