/* curve25519-sha256: RFC 8731, RFC 7748. Shares are 32 bytes; K is the X25519 result, read
 * big-endian, as an mpint (RFC 8731 section 3.1). */
#include "crypto/ct.h"
#include "crypto/kex_methods.h"
#include "crypto/x25519.h"

static enum err agree(const uint8_t *scalar, struct bytes point, uint8_t *secret, size_t *secret_n)
{
    uint8_t k[X25519_BYTES];
    *secret_n = 0;
    enum err e = point.n == sizeof k ? x25519_agree(scalar, point.p, k) : ERR_KEX;
    if (e == ERR_OK)
        *secret_n = kex_secret_mpint((struct bytes){k, sizeof k}, secret);
    secure_wipe(k, sizeof k);
    return e;
}

static enum err make_pair(struct rng *rng, uint8_t *scalar, uint8_t *share, size_t *share_n)
{
    enum err e = x25519_pair(rng, scalar, share);
    *share_n = e == ERR_OK ? X25519_BYTES : 0;
    return e;
}

enum err kex_x25519_start(struct rng *rng, uint8_t *state, uint8_t *share, size_t *share_n)
{
    return make_pair(rng, state, share, share_n);
}

enum err kex_x25519_reply(struct rng *rng, struct bytes client_share, uint8_t *share,
    size_t *share_n, uint8_t *secret, size_t *secret_n)
{
    uint8_t scalar[X25519_BYTES];
    *secret_n = 0;
    enum err e = make_pair(rng, scalar, share, share_n);
    if (e == ERR_OK)
        e = agree(scalar, client_share, secret, secret_n);
    secure_wipe(scalar, sizeof scalar);
    return e;
}

enum err kex_x25519_finish(
    const uint8_t *state, struct bytes server_share, uint8_t *secret, size_t *secret_n)
{
    return agree(state, server_share, secret, secret_n);
}
