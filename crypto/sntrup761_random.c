/* Random small and short polynomials for sntrup761. */
#include <string.h>

#include "crypto/ct.h"
#include "crypto/sntrup761_parts.h"

enum { P = SNTRUP_P };

/* The specification's 32-bit numbers, little-endian; all in one call. */
static void draw(struct rng *rng, uint32_t a[P])
{
    uint8_t bytes[4 * P];
    rng_bytes(rng, bytes, sizeof bytes);
    for (size_t i = 0; i < P; i++) {
        const uint8_t *p = bytes + 4 * i;
        a[i] = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    }
    secure_wipe(bytes, sizeof bytes);
}

void sntrup_random_small(struct rng *rng, struct sntrup_small *out)
{
    uint32_t a[P];
    draw(rng, a);
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < P; i++)
        out->c[i] = (int8_t)((int32_t)((a[i] & 0x3fffffff) * 3 >> 30) - 1);
    secure_wipe(a, sizeof a);
}

/* Swaps where the first is the larger. */
static void exchange(uint32_t *a, uint32_t *b)
{
    uint32_t x = *a, y = *b;
    uint32_t larger = 0 - (uint32_t)(((uint64_t)y - x) >> 63), swap = larger & (x ^ y);
    *a = x ^ swap;
    *b = y ^ swap;
}

/* Batcher's merge exchange (Knuth, volume 3, section 5.2.2, algorithm M): a sorting network, so
 * what is compared with what depends on n alone. A pass exchanges the numbers i and i + d of each
 * run of p numbers, the runs 2p apart and from r on. */
void sntrup_sort(uint32_t *a, size_t n)
{
    size_t top = 1;
    while (2 * top < n)
        top *= 2;
    for (size_t p = top; p > 0; p /= 2) {
        for (size_t q = top, r = 0, d = p;; d = q - p, q /= 2, r = p) {
            for (size_t run = r; run + d < n; run += 2 * p)
                for (size_t i = run; i < run + p && i + d < n; i++)
                    exchange(&a[i], &a[i + d]);
            if (q == p)
                break;
        }
    }
}

/* The lowest two bits of w numbers say 1 or -1, those of the others 0 (each plus 1); sorting by the
 * bits above deals them out. */
void sntrup_random_short(struct rng *rng, struct sntrup_small *out)
{
    uint32_t a[P];
    draw(rng, a);
    for (size_t i = 0; i < P; i++)
        a[i] = i < SNTRUP_W ? a[i] & ~1u : (a[i] & ~3u) | 1;
    sntrup_sort(a, P);
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < P; i++)
        out->c[i] = (int8_t)((int32_t)(a[i] & 3) - 1);
    secure_wipe(a, sizeof a);
}
