/* Arithmetic and sampling of ML-KEM's polynomials: FIPS 203 sections 4.2.2 and 4.3. */
#include "crypto/mlkem_poly.h"
#include "crypto/ct.h"
#include "crypto/sha3.h"

enum { Q = MLKEM_Q };

/* A constant factor w with floor(w * 2^16 / Q): with it x * w is reduced by two multiplications of
 * 32 bits (Shoup's method). */
struct factor {
    uint16_t w, scaled;
};
#define Z(w)                                                                                       \
    {                                                                                              \
        w, ((uint32_t)(w) << 16) / Q                                                               \
    }

/* 17^BitRev7(i): appendix A. */
static const struct factor zetas[128] = {Z(1), Z(1729), Z(2580), Z(3289), Z(2642), Z(630), Z(1897),
    Z(848), Z(1062), Z(1919), Z(193), Z(797), Z(2786), Z(3260), Z(569), Z(1746), Z(296), Z(2447),
    Z(1339), Z(1476), Z(3046), Z(56), Z(2240), Z(1333), Z(1426), Z(2094), Z(535), Z(2882), Z(2393),
    Z(2879), Z(1974), Z(821), Z(289), Z(331), Z(3253), Z(1756), Z(1197), Z(2304), Z(2277), Z(2055),
    Z(650), Z(1977), Z(2513), Z(632), Z(2865), Z(33), Z(1320), Z(1915), Z(2319), Z(1435), Z(807),
    Z(452), Z(1438), Z(2868), Z(1534), Z(2402), Z(2647), Z(2617), Z(1481), Z(648), Z(2474), Z(3110),
    Z(1227), Z(910), Z(17), Z(2761), Z(583), Z(2649), Z(1637), Z(723), Z(2288), Z(1100), Z(1409),
    Z(2662), Z(3281), Z(233), Z(756), Z(2156), Z(3015), Z(3050), Z(1703), Z(1651), Z(2789), Z(1789),
    Z(1847), Z(952), Z(1461), Z(2687), Z(939), Z(2308), Z(2437), Z(2388), Z(733), Z(2337), Z(268),
    Z(641), Z(1584), Z(2298), Z(2037), Z(3220), Z(375), Z(2549), Z(2090), Z(1645), Z(1063), Z(319),
    Z(2773), Z(757), Z(2099), Z(561), Z(2466), Z(2594), Z(2804), Z(1092), Z(403), Z(1026), Z(1143),
    Z(2150), Z(2775), Z(886), Z(1722), Z(1212), Z(1874), Z(1029), Z(2110), Z(2935), Z(885),
    Z(2154)};
static const struct factor one_over_128 = Z(3303);

/* x * w modulo Q for any x below 2^16; the result is below 2 * Q. */
static uint32_t times(uint32_t x, struct factor f)
{
    return x * f.w - (x * f.scaled >> 16) * Q;
}

static uint32_t reduce(uint32_t x)
{
    return x - mlkem_divide(x) * Q;
}

void poly_add(struct poly *f, const struct poly *g)
{
    for (size_t i = 0; i < MLKEM_N; i++)
        f->c[i] = (uint16_t)mlkem_subtract_once((uint32_t)f->c[i] + g->c[i], Q);
}

void poly_subtract(struct poly *f, const struct poly *g)
{
    for (size_t i = 0; i < MLKEM_N; i++)
        f->c[i] = (uint16_t)mlkem_subtract_once((uint32_t)f->c[i] + Q - g->c[i], Q);
}

/* Each of seven layers adds less than 2 * Q, so reducing waits for the end: 15 * Q < 2^16. */
void poly_ntt(struct poly *f)
{
    const struct factor *zeta = zetas + 1;
    for (size_t half = MLKEM_N / 2; half >= 2; half /= 2)
        for (size_t start = 0; start < MLKEM_N; start += 2 * half, zeta++)
            for (size_t i = start; i < start + half; i++) {
                uint32_t t = times(f->c[i + half], *zeta);
                f->c[i + half] = (uint16_t)(f->c[i] + 2 * Q - t);
                f->c[i] = (uint16_t)(f->c[i] + t);
            }
    for (size_t i = 0; i < MLKEM_N; i++)
        f->c[i] = (uint16_t)reduce(f->c[i]);
}

/* Sums would double with every layer; they are kept below 2 * Q, as products are anyway. */
void poly_ntt_inverse(struct poly *f)
{
    const struct factor *zeta = zetas + 127;
    for (size_t half = 2; half <= MLKEM_N / 2; half *= 2)
        for (size_t start = 0; start < MLKEM_N; start += 2 * half, zeta--)
            for (size_t i = start; i < start + half; i++) {
                uint32_t a = f->c[i], b = f->c[i + half];
                f->c[i] = (uint16_t)mlkem_subtract_once(a + b, 2 * Q);
                f->c[i + half] = (uint16_t)times(b + 2 * Q - a, *zeta);
            }
    for (size_t i = 0; i < MLKEM_N; i++)
        f->c[i] = (uint16_t)mlkem_subtract_once(times(f->c[i], one_over_128), Q);
}

/* Algorithm 12: pairs of coefficients are polynomials modulo X^2 - gamma, where gamma is one of the
 * last 64 zetas or its negative. A product adds less than 3 * Q^2: three stay below 2^28. */
void poly_sum_product(struct poly_sum *sum, const struct poly *f, const struct poly *g)
{
    for (size_t i = 0; i < MLKEM_N; i += 4) {
        const uint16_t *a = f->c + i, *b = g->c + i;
        struct factor gamma = zetas[64 + i / 4];
        uint32_t *s = sum->c + i;
        s[0] += (uint32_t)a[0] * b[0] + a[1] * times(b[1], gamma);
        s[1] += (uint32_t)a[0] * b[1] + (uint32_t)a[1] * b[0];
        s[2] += (uint32_t)a[2] * b[2] + a[3] * (2 * Q - times(b[3], gamma));
        s[3] += (uint32_t)a[2] * b[3] + (uint32_t)a[3] * b[2];
    }
}

void poly_from_sum(struct poly *f, const struct poly_sum *sum)
{
    for (size_t i = 0; i < MLKEM_N; i++)
        f->c[i] = (uint16_t)reduce(sum->c[i]);
}

/* ---- sampling ------------------------------------------------------------------------------ */

/* Three bytes are two candidates of 12 bits; those of Q and more are passed over. */
void poly_sample_uniform(
    struct poly *f, const uint8_t rho[MLKEM_SEED_BYTES], uint8_t column, uint8_t row)
{
    struct sha3 s;
    uint8_t place[2] = {column, row}, block[SHAKE128_BLOCK_BYTES];
    sha3_init(&s, SHAKE128);
    sha3_absorb(&s, (struct bytes){rho, MLKEM_SEED_BYTES});
    sha3_absorb(&s, (struct bytes){place, sizeof place});
    for (size_t n = 0; n < MLKEM_N;) {
        sha3_squeeze(&s, block, sizeof block);
        for (size_t i = 0; i < sizeof block; i += 3) {
            uint32_t three = block[i] | (uint32_t)block[i + 1] << 8 | (uint32_t)block[i + 2] << 16;
            uint32_t first = three & 0xfff, second = three >> 12;
            if (first < Q && n < MLKEM_N)
                f->c[n++] = (uint16_t)first;
            if (second < Q && n < MLKEM_N)
                f->c[n++] = (uint16_t)second;
        }
    }
}

/* A coefficient is the number of ones in two bits less that in the next two. */
void poly_sample_small(struct poly *f, const uint8_t seed[MLKEM_SEED_BYTES], uint8_t n)
{
    struct sha3 s;
    uint8_t bits[MLKEM_N / 2];
    sha3_init(&s, SHAKE256);
    sha3_absorb(&s, (struct bytes){seed, MLKEM_SEED_BYTES});
    sha3_absorb(&s, (struct bytes){&n, 1});
    sha3_squeeze(&s, bits, sizeof bits);
    for (size_t i = 0; i < MLKEM_N; i++) {
        uint32_t four = (uint32_t)bits[i / 2] >> 4 * (i % 2);
        uint32_t plus = (four & 1) + (four >> 1 & 1), minus = (four >> 2 & 1) + (four >> 3 & 1);
        f->c[i] = (uint16_t)mlkem_subtract_once(plus + Q - minus, Q);
    }
    secure_wipe(&s, sizeof s);
    secure_wipe(bits, sizeof bits);
}
