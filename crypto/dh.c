#include "crypto/dh.h"

#include <string.h>

#include "crypto/ct.h"
#include "crypto/kex_methods.h"
#include "crypto/magnitude.h"

enum { MAX_BYTES = DH_MAX_BITS / 8 };

unsigned dh_bits(const struct dh_group *d)
{
    return magnitude_bits(d->p);
}

/* Is x, of p.n bytes and below p, one of 0, 1 and p-1? These make a secret that anyone can guess
 * (RFC 4253 section 8, RFC 4419 section 5). p is odd, so p-1 is p without its last bit. Neither
 * branches nor stops early: x may be a shared secret. */
static bool is_weak(const uint8_t *x, struct bytes p)
{
    uint8_t high = 0, unlike = 0;
    size_t last = p.n - 1;
    for (size_t i = 0; i < last; i++) {
        high |= x[i];
        unlike |= x[i] ^ p.p[i];
    }
    high |= x[last] & 0xfe;
    unlike |= x[last] ^ p.p[last] ^ 1;
    return (high == 0) | (unlike == 0);
}

/* Writes m in as many bytes as p has, if it is in 2..p-2. */
static bool load(struct bytes m, struct bytes p, uint8_t *x)
{
    if (!magnitude_is_below(m, p))
        return false;
    memset(x, 0, p.n - m.n);
    if (m.n > 0)
        memcpy(x + p.n - m.n, m.p, m.n);
    return !is_weak(x, p);
}

const char *dh_group_flaw(const struct dh_group *d)
{
    uint8_t x[MAX_BYTES];
    if (dh_bits(d) < DH_MIN_BITS)
        return "its prime is shorter than 2048 bits";
    if (dh_bits(d) > DH_MAX_BITS)
        return "its prime is longer than 4096 bits";
    if (!magnitude_is_odd(d->p))
        return "its prime is even";
    return load(d->g, d->p, x) ? NULL : "its generator is not in 2..p-2";
}

/* base^exponent, which comes back in x; ERR_KEX when it is weak, as it can be in a bad group. */
static enum err power(
    const struct dh_group *d, struct bytes base, const uint8_t *exponent, uint8_t *x)
{
    if (!load(base, d->p, x))
        return ERR_KEX;
    if (!magnitude_power(x, (struct bytes){exponent, DH_EXPONENT_BYTES}, d->p))
        return ERR_INTERNAL;
    bool weak = is_weak(x, d->p);
    ct_public(&weak, sizeof weak); /* the exchange ends then, for all to see */
    return weak ? ERR_KEX : ERR_OK;
}

enum err dh_start(
    const struct dh_group *d, struct rng *rng, uint8_t *exponent, uint8_t *share, size_t *share_n)
{
    uint8_t x[MAX_BYTES], mpint[4 + 1 + MAX_BYTES];
    *share_n = 0;
    rng_bytes(rng, exponent, DH_EXPONENT_BYTES);
    enum err e = power(d, d->g, exponent, x);
    if (e != ERR_OK)
        return e;
    ct_public(x, d->p.n);
    struct wire_writer w = wire_writer(mpint, sizeof mpint);
    wire_put_mpint(&w, (struct bytes){x, d->p.n});
    *share_n = w.len - 4;
    memcpy(share, mpint + 4, *share_n);
    return ERR_OK;
}

enum err dh_finish(const struct dh_group *d, const uint8_t *exponent, struct bytes server_share,
    uint8_t *secret, size_t *secret_n)
{
    uint8_t x[MAX_BYTES];
    struct bytes base;
    *secret_n = 0;
    if (!mpint_magnitude(server_share, &base))
        return ERR_KEX;
    enum err e = power(d, base, exponent, x);
    if (e == ERR_OK)
        *secret_n = kex_secret_mpint((struct bytes){x, d->p.n}, secret);
    secure_wipe(x, sizeof x);
    return e;
}

enum err dh_reply(const struct dh_group *d, struct rng *rng, struct bytes client_share,
    uint8_t *share, size_t *share_n, uint8_t *secret, size_t *secret_n)
{
    uint8_t exponent[DH_EXPONENT_BYTES], x[MAX_BYTES];
    struct bytes base;
    *share_n = 0;
    *secret_n = 0;
    /* before the costly steps */
    if (!mpint_magnitude(client_share, &base) || !load(base, d->p, x))
        return ERR_KEX;
    enum err e = dh_start(d, rng, exponent, share, share_n);
    if (e == ERR_OK)
        e = dh_finish(d, exponent, client_share, secret, secret_n);
    secure_wipe(exponent, sizeof exponent);
    return e;
}
