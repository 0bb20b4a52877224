/* ML-KEM's polynomials as bytes: FIPS 203 section 4.2.1. Coefficients of d bits lie one behind
 * another, least bit first; which bits go where depends on d alone. */
#include "crypto/mlkem_poly.h"

/* Moves values of d bits into bytes as they fill up. */
struct packer {
    uint8_t *out;
    uint32_t bits;
    unsigned n;
};

static inline void pack(struct packer *p, uint32_t value, unsigned d)
{
    p->bits |= value << p->n;
    for (p->n += d; p->n >= 8; p->n -= 8) {
        *p->out++ = (uint8_t)p->bits;
        p->bits >>= 8;
    }
}

struct unpacker {
    const uint8_t *in;
    uint32_t bits;
    unsigned n;
};

static inline uint32_t unpack(struct unpacker *u, unsigned d)
{
    for (; u->n < d; u->n += 8)
        u->bits |= (uint32_t)*u->in++ << u->n;
    uint32_t value = u->bits & ((1u << d) - 1);
    u->bits >>= d;
    u->n -= d;
    return value;
}

void poly_encode(const struct poly *f, uint8_t out[MLKEM_POLY_BYTES])
{
    struct packer p = {.out = out};
    for (size_t i = 0; i < MLKEM_N; i++)
        pack(&p, f->c[i], 12);
}

bool poly_decode(struct poly *f, const uint8_t in[MLKEM_POLY_BYTES])
{
    struct unpacker u = {.in = in};
    uint32_t too_large = 0;
    for (size_t i = 0; i < MLKEM_N; i++) {
        uint32_t value = unpack(&u, 12);
        too_large |= (MLKEM_Q - 1 - value) >> 31;
        f->c[i] = (uint16_t)mlkem_subtract_once(value, MLKEM_Q);
    }
    return too_large == 0;
}

/* round(x * 2^d / Q) modulo 2^d; Q is odd, so nothing lies half-way. */
void poly_compress(const struct poly *f, unsigned d, uint8_t *out)
{
    struct packer p = {.out = out};
    for (size_t i = 0; i < MLKEM_N; i++) {
        uint32_t rounded = mlkem_divide(((uint32_t)f->c[i] << d) + MLKEM_Q / 2);
        pack(&p, rounded & ((1u << d) - 1), d);
    }
}

/* round(y * Q / 2^d) */
void poly_decompress(struct poly *f, unsigned d, const uint8_t *in)
{
    struct unpacker u = {.in = in};
    for (size_t i = 0; i < MLKEM_N; i++)
        f->c[i] = (uint16_t)((2 * unpack(&u, d) * MLKEM_Q + (1u << d)) >> (d + 1));
}
