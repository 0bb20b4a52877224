#include "crypto/x25519.h"

#include <sodium.h>

#include "crypto/ct.h"

_Static_assert(X25519_BYTES == crypto_scalarmult_curve25519_BYTES &&
                   X25519_BYTES == crypto_scalarmult_curve25519_SCALARBYTES,
    "as libsodium has it");

enum err x25519_pair(struct rng *rng, uint8_t scalar[X25519_BYTES], uint8_t point[X25519_BYTES])
{
    rng_bytes(rng, scalar, X25519_BYTES);
    return crypto_scalarmult_curve25519_base(point, scalar) == 0 ? ERR_OK : ERR_INTERNAL;
}

enum err x25519_agree(const uint8_t scalar[X25519_BYTES], const uint8_t point[X25519_BYTES],
    uint8_t result[X25519_BYTES])
{
    int bad = crypto_scalarmult_curve25519(result, scalar, point);
    ct_public(&bad, sizeof bad);
    return bad == 0 ? ERR_OK : ERR_KEX;
}
