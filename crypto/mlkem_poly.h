/* Polynomials of ML-KEM (FIPS 203): 256 coefficients modulo 3329. Internal to crypto/.
 *
 * Between calls every coefficient is below MLKEM_Q. Unless said otherwise polynomials are secret:
 * no branch and no address depends on them, and nothing divides. */
#ifndef CRYPTO_MLKEM_POLY_H
#define CRYPTO_MLKEM_POLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MLKEM_N = 256,
    MLKEM_Q = 3329,
    MLKEM_POLY_BYTES = MLKEM_N * 12 / 8, /* a polynomial that is not compressed */
    MLKEM_SEED_BYTES = 32,
};

struct poly {
    uint16_t c[MLKEM_N];
};

/* Sums of up to three products, not reduced; begin with zeros. */
struct poly_sum {
    uint32_t c[MLKEM_N];
};

/* ---- arithmetic (mlkem_poly.c) */

void poly_add(struct poly *f, const struct poly *g);
void poly_subtract(struct poly *f, const struct poly *g);
/* Algorithms 9 and 10, in place. */
void poly_ntt(struct poly *f);
void poly_ntt_inverse(struct poly *f);
/* Adds the product of two transforms, algorithm 11. */
void poly_sum_product(struct poly_sum *sum, const struct poly *f, const struct poly *g);
void poly_from_sum(struct poly *f, const struct poly_sum *sum);

/* Algorithm 7: a uniform polynomial from a *public* seed; time depends on it. */
void poly_sample_uniform(
    struct poly *f, const uint8_t rho[MLKEM_SEED_BYTES], uint8_t column, uint8_t row);
/* Algorithm 8 with eta 2: a small polynomial, number n of those from a seed. */
void poly_sample_small(struct poly *f, const uint8_t seed[MLKEM_SEED_BYTES], uint8_t n);

/* ---- bytes (mlkem_code.c): algorithms 5 and 6 */

void poly_encode(const struct poly *f, uint8_t out[MLKEM_POLY_BYTES]);
/* False when a coefficient was MLKEM_Q or more; it is reduced. */
bool poly_decode(struct poly *f, const uint8_t in[MLKEM_POLY_BYTES]);
/* With coefficients rounded to d bits, 1 to 11 (section 4.2.1): 32 * d bytes. */
void poly_compress(const struct poly *f, unsigned d, uint8_t *out);
void poly_decompress(struct poly *f, unsigned d, const uint8_t *in);

/* ---- shared by the two */

/* floor(x / MLKEM_Q) for x below 2^28. A multiplication, since processors divide in a time that
 * depends on the numbers (kyberslash.cr.yp.to). 330282857 is 2^40 / MLKEM_Q rounded up, by less
 * than one; that much too large, it is exact up to 2^40 / 3177. */
static inline uint32_t mlkem_divide(uint32_t x)
{
    return (uint32_t)((uint64_t)x * 330282857 >> 40);
}

/* x mod m for x below 2 * m, m below 2^30. */
static inline uint32_t mlkem_subtract_once(uint32_t x, uint32_t m)
{
    uint32_t t = x - m;
    return t + (m & (0 - (t >> 31)));
}

#endif
