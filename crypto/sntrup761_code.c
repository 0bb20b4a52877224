/* sntrup761's encodings.
 *
 * Numbers r[i] below m[i] are packed by pairs: r[0] + r[1] m[0] is a number below m[0] m[1]. Of
 * each its low bytes are written out while the bound is 2^14 or more, and what remains is a list
 * half as long, packed the same way, until one number is left. All bounds of a list are the same,
 * except the last number's, which has two bounds' worth of history when the list was odd. */
#include <string.h>

#include "crypto/ct.h"
#include "crypto/sntrup761_parts.h"

enum {
    P = SNTRUP_P,
    HALF_Q = (SNTRUP_Q - 1) / 2,
    ROUNDED = (SNTRUP_Q + 2) / 3, /* how many multiples of 3 lie in -q/2 to q/2 */
    LIMIT = 1 << 14,
    LISTS = 10, /* of 761, 381, 191, 96, 48, 24, 12, 6, 3 and 2 numbers, before the last */
};

/* ---- bounds, which are no secret */

/* A list: how many numbers, the bound of all but the last, the last's. */
struct list {
    size_t n;
    uint32_t bound, last;
};

/* The bytes that are written of a number below bound, and what bound is left then. */
static size_t shorten(uint32_t *bound, uint32_t limit)
{
    size_t n = 0;
    for (; *bound >= limit; n++)
        *bound = (*bound + 255) >> 8;
    return n;
}

static uint32_t bound_of_pair(const struct list *l, size_t i)
{
    return i + 2 == l->n ? l->bound * l->last : l->bound * l->bound;
}

static struct list next_list(const struct list *l)
{
    struct list next = {(l->n + 1) / 2, l->bound * l->bound, l->last};
    (void)shorten(&next.bound, LIMIT);
    if (l->n % 2 == 0) {
        next.last = l->bound * l->last;
        (void)shorten(&next.last, LIMIT);
    }
    return next;
}

/* ---- packing */

/* r is overwritten. */
static void pack(uint16_t r[P], uint32_t bound, uint8_t *out)
{
    struct list l = {P, bound, bound};
    for (; l.n > 1; l = next_list(&l)) {
        for (size_t i = 0; i + 1 < l.n; i += 2) {
            uint32_t x = r[i] + r[i + 1] * l.bound, m = bound_of_pair(&l, i);
            for (size_t n = shorten(&m, LIMIT); n > 0; n--, x >>= 8)
                *out++ = (uint8_t)x;
            r[i / 2] = (uint16_t)x;
        }
        if (l.n % 2 == 1)
            r[l.n / 2] = r[l.n - 1];
    }
    uint32_t x = r[0];
    for (size_t n = shorten(&l.last, 2); n > 0; n--, x >>= 8)
        *out++ = (uint8_t)x;
}

/* Division of numbers below 2^29 by a bound below 2^14, as a multiplication: rounded up, the
 * reciprocal's error times the number stays below 1 / bound (Granlund and Montgomery, 1994). */
struct divisor {
    uint32_t bound;
    uint64_t reciprocal;
};

static struct divisor divisor(uint32_t bound)
{
    return (struct divisor){bound, ((uint64_t)1 << 43) / bound + 1};
}

static uint32_t divide(uint32_t x, const struct divisor *d, uint32_t *rest)
{
    uint32_t quotient = (uint32_t)(x * d->reciprocal >> 43);
    *rest = x - quotient * d->bound;
    return quotient;
}

/* The numbers of list l, from those of the next in r: in place, so from the last. in: the bytes
 * that were written for the pairs of l. */
static void unpack_list(const struct list *l, const uint8_t *in, uint16_t *r)
{
    struct divisor bound = divisor(l->bound), last = divisor(l->last);
    uint32_t m = bound_of_pair(l, 0), m_last = bound_of_pair(l, l->n - 2);
    size_t bytes = shorten(&m, LIMIT), bytes_last = shorten(&m_last, LIMIT);
    size_t pairs = l->n / 2;
    if (l->n % 2 == 1)
        r[l->n - 1] = r[l->n / 2];
    for (size_t i = pairs; i-- > 0;) {
        bool is_last = 2 * i + 2 == l->n;
        const uint8_t *p = in + i * bytes;
        uint32_t x = r[i], first, second;
        for (size_t n = is_last ? bytes_last : bytes; n-- > 0;)
            x = x << 8 | p[n];
        x = divide(x, &bound, &first);
        (void)divide(x, is_last ? &last : &bound, &second); /* too large where nobody packed it */
        r[2 * i] = (uint16_t)first;
        r[2 * i + 1] = (uint16_t)second;
    }
}

static void unpack(const uint8_t *in, uint32_t bound, uint16_t r[P])
{
    struct list lists[LISTS], l = {P, bound, bound};
    const uint8_t *bytes[LISTS];
    size_t depth = 0;
    for (; l.n > 1; l = next_list(&l)) {
        uint32_t m = bound_of_pair(&l, 0), m_last = bound_of_pair(&l, l.n - 2);
        lists[depth] = l;
        bytes[depth++] = in;
        in += (l.n - 1) / 2 * shorten(&m, LIMIT);
        in += l.n % 2 == 0 ? shorten(&m_last, LIMIT) : 0;
    }
    struct divisor last = divisor(l.last);
    uint32_t x = 0, rest;
    for (size_t n = shorten(&l.last, 2); n-- > 0;)
        x = x << 8 | in[n];
    (void)divide(x, &last, &rest);
    r[0] = (uint16_t)rest;
    while (depth-- > 0)
        unpack_list(&lists[depth], bytes[depth], r);
}

/* ---- what is packed */

void sntrup_rq_encode(const struct sntrup_rq *a, uint8_t out[SNTRUP_RQ_BYTES])
{
    uint16_t r[P];
    for (size_t i = 0; i < P; i++)
        r[i] = (uint16_t)(a->c[i] + HALF_Q);
    pack(r, SNTRUP_Q, out);
    secure_wipe(r, sizeof r);
}

void sntrup_rq_decode(const uint8_t in[SNTRUP_RQ_BYTES], struct sntrup_rq *out)
{
    uint16_t r[P];
    unpack(in, SNTRUP_Q, r);
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < P; i++)
        out->c[i] = (int16_t)(r[i] - HALF_Q);
}

/* 10923 is 2^15 / 3 rounded up: exact for the multiples of 3 there are. */
void sntrup_rounded_encode(const struct sntrup_rq *a, uint8_t out[SNTRUP_ROUNDED_BYTES])
{
    uint16_t r[P];
    for (size_t i = 0; i < P; i++)
        r[i] = (uint16_t)((a->c[i] + HALF_Q) * 10923 >> 15);
    pack(r, ROUNDED, out);
    secure_wipe(r, sizeof r);
}

void sntrup_rounded_decode(const uint8_t in[SNTRUP_ROUNDED_BYTES], struct sntrup_rq *out)
{
    uint16_t r[P];
    unpack(in, ROUNDED, r);
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < P; i++)
        out->c[i] = (int16_t)(3 * r[i] - HALF_Q);
}

/* Four coefficients a byte, each one more than it is; the last byte has but one. */
void sntrup_small_encode(const struct sntrup_small *a, uint8_t out[SNTRUP_SMALL_BYTES])
{
    memset(out, 0, SNTRUP_SMALL_BYTES);
    for (size_t i = 0; i < P; i++)
        out[i / 4] = (uint8_t)(out[i / 4] | (a->c[i] + 1) << i % 4 * 2);
}

void sntrup_small_decode(const uint8_t in[SNTRUP_SMALL_BYTES], struct sntrup_small *out)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < P; i++)
        out->c[i] = (int8_t)((in[i / 4] >> i % 4 * 2 & 3) - 1);
}
