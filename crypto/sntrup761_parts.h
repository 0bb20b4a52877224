/* What sntrup761 is made of. Internal to crypto/ and its tests.
 *
 * Two rings: R/q, polynomials over the integers mod q, and R/3, both modulo x^p - x - 1. "Small"
 * polynomials have coefficients -1, 0, 1; "short" ones moreover exactly w that are not 0. Integers
 * mod q stand as -(q-1)/2 to (q-1)/2. */
#ifndef CRYPTO_SNTRUP761_PARTS_H
#define CRYPTO_SNTRUP761_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/rng.h"

enum {
    SNTRUP_P = 761,
    SNTRUP_Q = 4591,
    SNTRUP_W = 286,
    SNTRUP_ROOM = 768, /* p, rounded up to whole vectors */

    SNTRUP_RQ_BYTES = 1158,      /* encoded: any element of R/q, ... */
    SNTRUP_ROUNDED_BYTES = 1007, /* one whose coefficients are multiples of 3, ... */
    SNTRUP_SMALL_BYTES = 191,    /* and a small one */
};

/* Coefficients from p on are 0. */
struct sntrup_rq {
    int16_t c[SNTRUP_ROOM];
};
struct sntrup_small {
    int8_t c[SNTRUP_ROOM];
};

/* ---- the inner loops, compiled for each kind of processor (sntrup761_loops.c) */

enum { SNTRUP_TERMS = 13, SNTRUP_WORDS = SNTRUP_ROOM / 64 };

/* An element of R/3, a bit a coefficient: which are not 0, and which are -1. Coefficient i is bit
 * i / WORDS of word i % WORDS, so x times it is, but for one word, a move by a word. */
struct sntrup_r3 {
    uint64_t nonzero[SNTRUP_WORDS], negative[SNTRUP_WORDS];
};

/* All of them in constant time: scalars and masks are secret, lengths are not. */
struct sntrup_loops {
    const char *name;
    bool (*is_supported)(void);
    /* a, b = (swap ? b : a), (sa b - sb a) / 2^16 mod q, for n coefficients, a multiple of 16.
     * |sa|, |sb| <= q/2; the new |b| < 2^13 whatever a and b were. swap is 0 or -1. */
    void (*rq_step)(
        int16_t *restrict a, int16_t *restrict b, size_t n, int16_t sa, int16_t sb, int16_t swap);
    /* sum[i] += s[0] a[i] + s[1] a[i-1] + ... + s[TERMS-1] a[i-(TERMS-1)], reduced mod q, for n
     * coefficients, a multiple of 16. |a|, |sum| <= q/2, |s| <= 1. */
    void (*rq_add)(
        int16_t *restrict sum, const int16_t *restrict a, const int16_t *restrict s, size_t n);
    /* a, b = (swap ? b : a), b - s a over WORDS words of elements of R/3; s is -1, 0 or 1 and
     * stands in two masks of all bits. */
    void (*r3_step)(uint64_t *restrict a_nonzero, uint64_t *restrict a_negative,
        uint64_t *restrict b_nonzero, uint64_t *restrict b_negative, uint64_t s_nonzero,
        uint64_t s_negative, uint64_t swap);
};
/* Best first, NULL at the end; tests run each that is_supported(). The last always is. */
const struct sntrup_loops *sntrup_loops_at(size_t i);
/* The first that this processor runs. */
const struct sntrup_loops *sntrup_loops_best(void);

/* ---- R/q (sntrup761_rq.c) */

/* Any int16 to its representative mod q. */
int16_t sntrup_freeze(int16_t x);
/* out may be a. */
void sntrup_rq_multiply(const struct sntrup_loops *loops, const struct sntrup_rq *a,
    const struct sntrup_small *b, struct sntrup_rq *out);
/* 1 / (3 a): R/q is a field, so all but 0 have one. */
void sntrup_rq_reciprocal_of_3(
    const struct sntrup_loops *loops, const struct sntrup_small *a, struct sntrup_rq *out);
/* Every coefficient to the nearest multiple of 3. */
void sntrup_rq_round(struct sntrup_rq *a);
/* 3 a in R/q, its representatives taken mod 3. */
void sntrup_rq_triple_mod_3(const struct sntrup_rq *a, struct sntrup_small *out);

/* ---- R/3 (sntrup761_r3.c) */

void sntrup_r3_multiply(const struct sntrup_loops *loops, const struct sntrup_small *a,
    const struct sntrup_small *b, struct sntrup_small *out);
/* 1 / a; false when a has none. */
bool sntrup_r3_reciprocal(
    const struct sntrup_loops *loops, const struct sntrup_small *a, struct sntrup_small *out);

/* ---- bytes (sntrup761_code.c); decoding takes any bytes */

void sntrup_rq_encode(const struct sntrup_rq *a, uint8_t out[SNTRUP_RQ_BYTES]);
void sntrup_rq_decode(const uint8_t in[SNTRUP_RQ_BYTES], struct sntrup_rq *out);
void sntrup_rounded_encode(const struct sntrup_rq *a, uint8_t out[SNTRUP_ROUNDED_BYTES]);
void sntrup_rounded_decode(const uint8_t in[SNTRUP_ROUNDED_BYTES], struct sntrup_rq *out);
void sntrup_small_encode(const struct sntrup_small *a, uint8_t out[SNTRUP_SMALL_BYTES]);
void sntrup_small_decode(const uint8_t in[SNTRUP_SMALL_BYTES], struct sntrup_small *out);

/* ---- chance (sntrup761_random.c) */

void sntrup_random_small(struct rng *rng, struct sntrup_small *out);
void sntrup_random_short(struct rng *rng, struct sntrup_small *out);
void sntrup_sort(uint32_t *a, size_t n);

/* ---- the KEM, with loops of the caller's choice (sntrup761.c) */

void sntrup_keypair(
    const struct sntrup_loops *loops, struct rng *rng, uint8_t *public_key, uint8_t *secret_key);
void sntrup_encapsulate(const struct sntrup_loops *loops, struct rng *rng,
    const uint8_t *public_key, uint8_t *ciphertext, uint8_t *shared);
void sntrup_decapsulate(const struct sntrup_loops *loops, const uint8_t *secret_key,
    const uint8_t *ciphertext, uint8_t *shared);

#endif
