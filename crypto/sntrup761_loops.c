/* The three inner loops of sntrup761, where its time goes: each written once, for the compiler to
 * vectorise, and compiled twice. The inner loops of 16 coefficients or 4 words are there so that
 * gcc does so at -O2 already: their counts are constants that whole vectors divide.
 *
 * Products mod q are Montgomery's: for m = a b / q mod 2^16, a b - m q is a multiple of 2^16, and
 * the high halves of the two products differ by just the quotient, (a b - m q) / 2^16. */
#include <stddef.h>

#include "crypto/sntrup761_parts.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

enum {
    INVERSE_OF_Q = 15631, /* times q is 1 mod 2^16 */
    LANES = 16,
    WORD_LANES = 4,
};

/* Conversions to int16_t take the low half, as gcc and clang define them. */
ALWAYS_INLINE int16_t low(int16_t a, int16_t b)
{
    return (int16_t)((int32_t)a * b);
}

ALWAYS_INLINE int16_t high(int16_t a, int16_t b)
{
    return (int16_t)(((int32_t)a * b) >> 16);
}

/* 29235 is 2^27 / q rounded; the quotient is right, and so the result at most q/2, for each x. */
ALWAYS_INLINE int16_t freeze(int16_t x)
{
    int16_t quotient = (int16_t)(high(x, 29235) + 1024);
    quotient = (int16_t)(quotient >> 11);
    return (int16_t)(x - low(quotient, SNTRUP_Q));
}

int16_t sntrup_freeze(int16_t x)
{
    return freeze(x);
}

ALWAYS_INLINE void rq_step(
    int16_t *restrict a, int16_t *restrict b, size_t n, int16_t sa, int16_t sb, int16_t swap)
{
    int16_t sa_over_q = low(sa, INVERSE_OF_Q), sb_over_q = low(sb, INVERSE_OF_Q);
    for (size_t i = 0; i < n; i += LANES) {
        for (size_t lane = 0; lane < LANES; lane++) {
            int16_t x = a[i + lane], y = b[i + lane];
            int16_t m = low(y, sa_over_q), k = low(x, sb_over_q);
            a[i + lane] = (int16_t)(x ^ (swap & (x ^ y)));
            b[i + lane] =
                (int16_t)(high(y, sa) - high(m, SNTRUP_Q) - high(x, sb) + high(k, SNTRUP_Q));
        }
    }
}

/* A sum of 13 + 1 values of at most q/2 fits an int16_t, one of 15 would not. */
ALWAYS_INLINE void rq_add(
    int16_t *restrict sum, const int16_t *restrict a, const int16_t *restrict s, size_t n)
{
    int16_t s0 = s[0], s1 = s[1], s2 = s[2], s3 = s[3], s4 = s[4], s5 = s[5], s6 = s[6], s7 = s[7],
            s8 = s[8], s9 = s[9], s10 = s[10], s11 = s[11], s12 = s[12];
    for (size_t i = 0; i < n; i += LANES) {
        for (size_t lane = 0; lane < LANES; lane++) {
            const int16_t *p = a + i + lane;
            int16_t t =
                (int16_t)(sum[i + lane] + low(s0, p[0]) + low(s1, p[-1]) + low(s2, p[-2]) +
                          low(s3, p[-3]) + low(s4, p[-4]) + low(s5, p[-5]) + low(s6, p[-6]) +
                          low(s7, p[-7]) + low(s8, p[-8]) + low(s9, p[-9]) + low(s10, p[-10]) +
                          low(s11, p[-11]) + low(s12, p[-12]));
            sum[i + lane] = freeze(t);
        }
    }
}

/* y - t, with y and t as their bits (nonzero, negative), is 0 where both bits agree, and -1 for
 * 0 - 1, -1 - 0 and 1 - (-1): just where the conjunction below holds. */
ALWAYS_INLINE void r3_step(uint64_t *restrict a_nonzero, uint64_t *restrict a_negative,
    uint64_t *restrict b_nonzero, uint64_t *restrict b_negative, uint64_t s_nonzero,
    uint64_t s_negative, uint64_t swap)
{
    for (size_t i = 0; i < SNTRUP_WORDS; i += WORD_LANES) {
        for (size_t lane = 0; lane < WORD_LANES; lane++) {
            uint64_t x0 = a_nonzero[i + lane], x1 = a_negative[i + lane];
            uint64_t y0 = b_nonzero[i + lane], y1 = b_negative[i + lane];
            uint64_t t0 = x0 & s_nonzero, t1 = (x1 ^ s_negative) & t0; /* s a */
            uint64_t differ = y0 ^ t0;
            a_nonzero[i + lane] = x0 ^ (swap & (x0 ^ y0));
            a_negative[i + lane] = x1 ^ (swap & (x1 ^ y1));
            b_nonzero[i + lane] = differ | (y1 ^ t1);
            b_negative[i + lane] = (y1 ^ t0) & (differ ^ t1);
        }
    }
}

#define LOOPS(kind, target)                                                                        \
    target static void rq_step_##kind(                                                             \
        int16_t *restrict a, int16_t *restrict b, size_t n, int16_t sa, int16_t sb, int16_t swap)  \
    {                                                                                              \
        rq_step(a, b, n, sa, sb, swap);                                                            \
    }                                                                                              \
    target static void rq_add_##kind(                                                              \
        int16_t *restrict sum, const int16_t *restrict a, const int16_t *restrict s, size_t n)     \
    {                                                                                              \
        rq_add(sum, a, s, n);                                                                      \
    }                                                                                              \
    target static void r3_step_##kind(uint64_t *restrict a_nonzero, uint64_t *restrict a_negative, \
        uint64_t *restrict b_nonzero, uint64_t *restrict b_negative, uint64_t s_nonzero,           \
        uint64_t s_negative, uint64_t swap)                                                        \
    {                                                                                              \
        r3_step(a_nonzero, a_negative, b_nonzero, b_negative, s_nonzero, s_negative, swap);        \
    }                                                                                              \
    static const struct sntrup_loops loops_##kind = {                                              \
        #kind, is_supported_##kind, rq_step_##kind, rq_add_##kind, r3_step_##kind}

static bool is_supported_portable(void)
{
    return true;
}
LOOPS(portable, );

#if defined(__x86_64__)
static bool is_supported_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}
LOOPS(avx2, __attribute__((target("avx2"))));
#endif

static const struct sntrup_loops *const loops_table[] = {
#if defined(__x86_64__)
    &loops_avx2,
#endif
    &loops_portable,
};

const struct sntrup_loops *sntrup_loops_at(size_t i)
{
    return i < sizeof loops_table / sizeof loops_table[0] ? loops_table[i] : NULL;
}

const struct sntrup_loops *sntrup_loops_best(void)
{
    for (size_t i = 0; i < sizeof loops_table / sizeof loops_table[0]; i++)
        if (loops_table[i]->is_supported())
            return loops_table[i];
    return &loops_portable;
}
