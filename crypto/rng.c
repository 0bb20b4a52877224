#include "crypto/rng.h"

#include <sodium.h>

#include "proto/wire.h"

bool crypto_init(void)
{
    return sodium_init() >= 0; /* 1: somebody did it before us, which is as good */
}

static void system_fill(struct rng *r, uint8_t *out, size_t n)
{
    (void)r;
    randombytes_buf(out, n);
}

struct rng rng_system(void)
{
    return (struct rng){.fill = system_fill};
}

/* ChaCha20 under the seed, a nonce a call: the same calls in the same order give the same bytes. */
static void fixed_fill(struct rng *r, uint8_t *out, size_t n)
{
    uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
    store_be32(nonce, (uint32_t)(r->counter >> 32));
    store_be32(nonce + 4, (uint32_t)r->counter);
    r->counter++;
    crypto_stream_chacha20(out, n, nonce, r->seed);
}

struct rng rng_fixed(uint64_t seed)
{
    struct rng r = {.fill = fixed_fill};
    store_be32(r.seed, (uint32_t)(seed >> 32));
    store_be32(r.seed + 4, (uint32_t)seed);
    return r;
}
