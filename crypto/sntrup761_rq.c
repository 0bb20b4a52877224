/* R/q: multiplication by a small polynomial, and the reciprocal. */
#include <string.h>

#include "crypto/ct.h"
#include "crypto/sntrup761_parts.h"

enum {
    P = SNTRUP_P,
    Q = SNTRUP_Q,
    ROOM = SNTRUP_ROOM,
    TERMS = SNTRUP_TERMS,
    BLOCKS = (P + TERMS - 1) / TERMS,
    LEAD = 16,         /* zeros before and after what rq_add reads: it looks back 12 places */
    REACH = ROOM + 16, /* and a block of terms has results this far */
    STEPS = 2 * P - 1,
    ONE_THIRD = -1530,
};

/* ---- multiplication, the long way: 13 of b's coefficients a pass */

/* x^p = x + 1, so what stands at p + k counts at k and at k + 1. */
static void fold(const int16_t *product, struct sntrup_rq *out)
{
    out->c[0] = sntrup_freeze((int16_t)(product[0] + product[P]));
    for (size_t i = 1; i < P; i++)
        out->c[i] = sntrup_freeze((int16_t)(product[i] + product[i + P] + product[i + P - 1]));
    memset(out->c + P, 0, sizeof out->c - P * sizeof out->c[0]);
}

void sntrup_rq_multiply(const struct sntrup_loops *loops, const struct sntrup_rq *a,
    const struct sntrup_small *b, struct sntrup_rq *out)
{
    struct {
        int16_t a[LEAD + ROOM + LEAD];
        int16_t b[BLOCKS * TERMS];
        int16_t product[(BLOCKS - 1) * TERMS + REACH];
    } w;
    memset(&w, 0, sizeof w);
    memcpy(w.a + LEAD, a->c, sizeof a->c);
    for (size_t i = 0; i < P; i++)
        w.b[i] = b->c[i];
    for (size_t i = 0; i < BLOCKS * TERMS; i += TERMS)
        loops->rq_add(w.product + i, w.a + LEAD, w.b + i, REACH);
    fold(w.product, out);
    secure_wipe(&w, sizeof w);
}

/* ---- the reciprocal: Bernstein and Yang, "Fast constant-time gcd computation and modular
 * inversion" (2019), whose divsteps take the same time whatever the polynomials.
 *
 * f and g are the modulus and the polynomial with their coefficients reversed. A step adds
 * multiples of the two, so that the constant term vanishes, and divides by x: the new g. The new f
 * is the old, or the old g where that has the lower degree (delta > 0 tells) and a constant term. v
 * and r go along, so that f = v a and g = r a for the reversed a, times a power of x, modulo the
 * reversed modulus: after 2p - 1 steps f is a constant and v / f the reciprocal, reversed. Rows (f,
 * v) and (g, r) may be scaled at will; Montgomery's factors, signs and f's constants stay in.
 *
 * To divide g by x is to move its start up by a place; to multiply v by x, to move it down. Of f
 * and g only as many places matter as steps remain, of v and r only as many as have been taken. */

static size_t whole_vectors(size_t n)
{
    return n > ROOM ? ROOM : (n + 15) / 16 * 16;
}

/* x mod q for |x| < 2^23. */
static int16_t freeze_product(int32_t x)
{
    int64_t one_over_q = ((int64_t)1 << 44) / Q;
    int32_t quotient = (int32_t)((x * one_over_q + ((int64_t)1 << 43)) >> 44);
    return (int16_t)(x - quotient * Q);
}

/* x^(q - 2). The exponent is no secret. */
static int16_t scalar_reciprocal(int16_t x)
{
    int16_t y = 1;
    for (int bit = 12; bit >= 0; bit--) {
        y = freeze_product((int32_t)y * y);
        if ((Q - 2) >> bit & 1)
            y = freeze_product((int32_t)y * x);
    }
    return y;
}

/* -1 where this step swaps, that is where delta > 0 and g's constant term is not 0. */
static int32_t next_delta(int32_t *delta, int16_t g0)
{
    uint32_t positive = (0 - (uint32_t)*delta) >> 31, nonzero = (0 - (uint32_t)(uint16_t)g0) >> 31;
    int32_t swap = -(int32_t)(positive & nonzero);
    *delta = (*delta ^ (swap & (*delta ^ -*delta))) + 1;
    return swap;
}

void sntrup_rq_reciprocal_of_3(
    const struct sntrup_loops *loops, const struct sntrup_small *a, struct sntrup_rq *out)
{
    struct {
        int16_t f[ROOM], r[ROOM], g[ROOM + STEPS], v[ROOM + STEPS];
    } w;
    memset(&w, 0, sizeof w);
    int16_t *g = w.g, *v = w.v + STEPS;
    int32_t delta = 1;
    w.f[0] = 1; /* 1 - x^(p-1) - x^p: x^p - x - 1 reversed */
    w.f[P - 1] = w.f[P] = -1;
    for (size_t i = 0; i < P; i++)
        g[i] = a->c[P - 1 - i];
    w.r[0] = ONE_THIRD;

    for (size_t step = 0; step < STEPS; step++) {
        int16_t f0 = sntrup_freeze(w.f[0]), g0 = sntrup_freeze(g[0]);
        int16_t swap = (int16_t)next_delta(&delta, g0);
        v--;
        loops->rq_step(w.f, g, whole_vectors(STEPS - step), f0, g0, swap);
        loops->rq_step(v, w.r, whole_vectors(step + 1), f0, g0, swap);
        g++;
    }

    int16_t scale = scalar_reciprocal(sntrup_freeze(w.f[0]));
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < P; i++)
        out->c[i] = freeze_product((int32_t)scale * sntrup_freeze(v[P - 1 - i]));
    secure_wipe(&w, sizeof w);
}

/* ---- coefficients one by one */

/* -1, 0 or 1, for |x| <= q/2: 10923 is 2^15 / 3 rounded. */
static int16_t mod_3(int16_t x)
{
    return (int16_t)(x - 3 * ((x * 10923 + (1 << 14)) >> 15));
}

void sntrup_rq_round(struct sntrup_rq *a)
{
    for (size_t i = 0; i < ROOM; i++)
        a->c[i] = (int16_t)(a->c[i] - mod_3(a->c[i]));
}

void sntrup_rq_triple_mod_3(const struct sntrup_rq *a, struct sntrup_small *out)
{
    for (size_t i = 0; i < ROOM; i++)
        out->c[i] = (int8_t)mod_3(sntrup_freeze((int16_t)(3 * a->c[i])));
}
