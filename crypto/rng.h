/* The one source of randomness, handed to every engine, so that tests can replay a run exactly. */
#ifndef CRYPTO_RNG_H
#define CRYPTO_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rng {
    void (*fill)(struct rng *r, uint8_t *out, size_t n);
    uint8_t seed[32]; /* rng_fixed() only */
    uint64_t counter;
};

/* Initialises libsodium; false when the system has no randomness to give (then nothing may go on).
 * Call once at the start of main(). */
bool crypto_init(void) __attribute__((warn_unused_result));

/* The kernel's generator through libsodium. */
struct rng rng_system(void);
/* A deterministic stream from a seed, for tests and fuzzing only. */
struct rng rng_fixed(uint64_t seed);

static inline void rng_bytes(struct rng *r, uint8_t *out, size_t n)
{
    r->fill(r, out, n);
}

#endif
