/* curve25519-sha256: RFC 8731, RFC 7748. Shares are 32 bytes; K is the X25519 result, read
 * big-endian, as an mpint (RFC 8731 section 3.1). */
#include <sodium.h>
#include <string.h>

#include "crypto/ct.h"
#include "crypto/kex_methods.h"

enum { BYTES = crypto_scalarmult_curve25519_BYTES };

/* libsodium refuses points of small order and an all-zero result, the latter in constant time; that
 * it did, the peer may know. */
static enum err agree(
    const uint8_t scalar[BYTES], struct bytes point, uint8_t *secret, size_t *secret_n)
{
    uint8_t k[BYTES];
    *secret_n = 0;
    if (point.n != BYTES)
        return ERR_KEX;
    int bad = crypto_scalarmult_curve25519(k, scalar, point.p);
    ct_public(&bad, sizeof bad);
    if (bad != 0)
        return ERR_KEX;
    *secret_n = kex_secret_mpint((struct bytes){k, sizeof k}, secret);
    secure_wipe(k, sizeof k);
    return ERR_OK;
}

static enum err make_pair(struct rng *rng, uint8_t scalar[BYTES], uint8_t *share, size_t *share_n)
{
    *share_n = 0;
    rng_bytes(rng, scalar, BYTES);
    if (crypto_scalarmult_curve25519_base(share, scalar) != 0)
        return ERR_INTERNAL;
    *share_n = BYTES;
    return ERR_OK;
}

enum err kex_x25519_start(struct rng *rng, uint8_t *state, uint8_t *share, size_t *share_n)
{
    return make_pair(rng, state, share, share_n);
}

enum err kex_x25519_reply(struct rng *rng, struct bytes client_share, uint8_t *share,
    size_t *share_n, uint8_t *secret, size_t *secret_n)
{
    uint8_t scalar[BYTES];
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
