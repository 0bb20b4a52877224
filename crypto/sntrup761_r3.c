/* R/3, 64 coefficients a word: multiplication and the reciprocal. */
#include <string.h>

#include "crypto/ct.h"
#include "crypto/sntrup761_parts.h"

enum {
    P = SNTRUP_P,
    WORDS = SNTRUP_WORDS,
    STEPS = 2 * P - 1,
};

/* Room for an element whose start moves by a word for each factor x. */
struct moving {
    uint64_t nonzero[WORDS + STEPS], negative[WORDS + STEPS];
};

/* All bits of a mask, from the lowest. */
static uint64_t spread(uint64_t bit)
{
    return 0 - (bit & 1);
}

/* Two's complement has the two bits: 1 is ...01, -1 is ...11. */
static void put(uint64_t *nonzero, uint64_t *negative, size_t i, int8_t c)
{
    uint64_t bits = (uint64_t)c;
    nonzero[i % WORDS] |= (bits & 1) << i / WORDS;
    negative[i % WORDS] |= (bits >> 1 & 1) << i / WORDS;
}

static int8_t get(const uint64_t *nonzero, const uint64_t *negative, size_t i)
{
    int low = (int)(nonzero[i % WORDS] >> i / WORDS & 1);
    int sign = (int)(negative[i % WORDS] >> i / WORDS & 1);
    return (int8_t)(low - 2 * sign);
}

/* ---- multiplication: Horner's rule over b, from its highest coefficient */

/* x times the element at the start, which moves down by a word. x^p = x + 1: what comes to lie at p
 * goes to the places 0, which the shift left empty, and 1. */
static void times_x(uint64_t *nonzero, uint64_t *negative)
{
    enum { AT = P % WORDS, BIT = P / WORDS };
    nonzero[0] = nonzero[WORDS] << 1;
    negative[0] = negative[WORDS] << 1;
    uint64_t t0 = nonzero[AT] >> BIT & 1, t1 = negative[AT] >> BIT & 1;
    nonzero[AT] ^= t0 << BIT;
    negative[AT] ^= t1 << BIT;
    nonzero[0] |= t0;
    negative[0] |= t1;
    /* Word 1 minus the coefficient's opposite, as in r3_step. */
    uint64_t y0 = nonzero[1], y1 = negative[1], opposite = t0 ^ t1, differ = y0 ^ t0;
    nonzero[1] = differ | (y1 ^ opposite);
    negative[1] = (y1 ^ t0) & (differ ^ opposite);
}

void sntrup_r3_multiply(const struct sntrup_loops *loops, const struct sntrup_small *a,
    const struct sntrup_small *b, struct sntrup_small *out)
{
    struct {
        struct sntrup_r3 a;
        struct moving sum;
    } w;
    memset(&w, 0, sizeof w);
    for (size_t i = 0; i < P; i++)
        put(w.a.nonzero, w.a.negative, i, a->c[i]);
    uint64_t *nonzero = w.sum.nonzero + P, *negative = w.sum.negative + P;
    for (size_t i = P; i-- > 0;) {
        times_x(--nonzero, --negative);
        uint64_t c = (uint64_t)b->c[i]; /* sum - (-c) a */
        loops->r3_step(w.a.nonzero, w.a.negative, nonzero, negative, spread(c),
            spread(c) & ~spread(c >> 1), 0);
    }
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < P; i++)
        out->c[i] = get(nonzero, negative, i);
    secure_wipe(&w, sizeof w);
}

/* ---- the reciprocal, by the divsteps that sntrup761_rq.c explains */

bool sntrup_r3_reciprocal(
    const struct sntrup_loops *loops, const struct sntrup_small *a, struct sntrup_small *out)
{
    struct {
        struct sntrup_r3 f, r;
        struct moving g, v;
    } w;
    memset(&w, 0, sizeof w);
    uint64_t *g0 = w.g.nonzero, *g1 = w.g.negative;
    uint64_t *v0 = w.v.nonzero + STEPS, *v1 = w.v.negative + STEPS;
    int64_t delta = 1;
    put(w.f.nonzero, w.f.negative, 0, 1);
    put(w.f.nonzero, w.f.negative, P - 1, -1);
    put(w.f.nonzero, w.f.negative, P, -1);
    for (size_t i = 0; i < P; i++)
        put(g0, g1, i, a->c[P - 1 - i]);
    put(w.r.nonzero, w.r.negative, 0, 1);

    for (size_t step = 0; step < STEPS; step++) {
        /* f's constant term is 1 or -1, so its product with g's is what to take f times. */
        uint64_t nonzero = spread(g0[0]), negative = spread(g1[0] ^ w.f.negative[0]);
        uint64_t swap = spread((uint64_t)-delta >> 63) & nonzero;
        delta = (delta ^ ((int64_t)swap & (delta ^ -delta))) + 1;
        v0--;
        v1--;
        v0[0] = v0[WORDS] << 1;
        v1[0] = v1[WORDS] << 1;
        loops->r3_step(w.f.nonzero, w.f.negative, g0, g1, nonzero, negative, swap);
        loops->r3_step(v0, v1, w.r.nonzero, w.r.negative, nonzero, negative, swap);
        g0[WORDS] = g0[0] >> 1;
        g1[WORDS] = g1[0] >> 1;
        g0++;
        g1++;
    }

    int8_t sign = get(w.f.nonzero, w.f.negative, 0);
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < P; i++)
        out->c[i] = (int8_t)(sign * get(v0, v1, P - 1 - i));
    secure_wipe(&w, sizeof w);
    return delta == 0;
}
