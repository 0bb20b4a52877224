/* Keccak-f[1600] and the sponge over it. Lane x + 5 * y of the state is a little-endian word. */
#include "crypto/sha3.h"

#include "crypto/ct.h"

static uint64_t rotate(uint64_t x, unsigned n)
{
    return x << n | x >> (-n & 63);
}

/* Row y of a round's outcome, from `from` and theta's d to `to`. Rho and pi bring the row's five
 * lanes from a diagonal of the state (l: which), each turned by an amount of its own (t); chi mixes
 * them. Written out, since compilers leave loops over such tables as they are. */
#define ROW(y, l0, t0, l1, t1, l2, t2, l3, t3, l4, t4)                                             \
    do {                                                                                           \
        uint64_t b0 = rotate(from[l0] ^ d[(l0) % 5], t0);                                          \
        uint64_t b1 = rotate(from[l1] ^ d[(l1) % 5], t1);                                          \
        uint64_t b2 = rotate(from[l2] ^ d[(l2) % 5], t2);                                          \
        uint64_t b3 = rotate(from[l3] ^ d[(l3) % 5], t3);                                          \
        uint64_t b4 = rotate(from[l4] ^ d[(l4) % 5], t4);                                          \
        to[5 * (y)] = b0 ^ (~b1 & b2);                                                             \
        to[5 * (y) + 1] = b1 ^ (~b2 & b3);                                                         \
        to[5 * (y) + 2] = b2 ^ (~b3 & b4);                                                         \
        to[5 * (y) + 3] = b3 ^ (~b4 & b0);                                                         \
        to[5 * (y) + 4] = b4 ^ (~b0 & b1);                                                         \
    } while (0)

static inline void keccak_round(uint64_t to[25], const uint64_t from[25], uint64_t constant)
{
    uint64_t c[5], d[5];
    for (size_t x = 0; x < 5; x++)
        c[x] = from[x] ^ from[x + 5] ^ from[x + 10] ^ from[x + 15] ^ from[x + 20];
    d[0] = c[4] ^ rotate(c[1], 1);
    d[1] = c[0] ^ rotate(c[2], 1);
    d[2] = c[1] ^ rotate(c[3], 1);
    d[3] = c[2] ^ rotate(c[4], 1);
    d[4] = c[3] ^ rotate(c[0], 1);
    ROW(0, 0, 0, 6, 44, 12, 43, 18, 21, 24, 14);
    ROW(1, 3, 28, 9, 20, 10, 3, 16, 45, 22, 61);
    ROW(2, 1, 1, 7, 6, 13, 25, 19, 8, 20, 18);
    ROW(3, 4, 27, 5, 36, 11, 10, 17, 15, 23, 56);
    ROW(4, 2, 62, 8, 55, 14, 39, 15, 41, 21, 2);
    to[0] ^= constant;
}

static void keccak(uint64_t a[25])
{
    static const uint64_t constants[24] = {0x0000000000000001, 0x0000000000008082,
        0x800000000000808a, 0x8000000080008000, 0x000000000000808b, 0x0000000080000001,
        0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088,
        0x0000000080008009, 0x000000008000000a, 0x000000008000808b, 0x800000000000008b,
        0x8000000000008089, 0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
        0x000000000000800a, 0x800000008000000a, 0x8000000080008081, 0x8000000000008080,
        0x0000000080000001, 0x8000000080008008};
    uint64_t b[25];
    for (size_t i = 0; i < 24; i += 2) {
        keccak_round(b, a, constants[i]);
        keccak_round(a, b, constants[i + 1]);
    }
    secure_wipe(b, sizeof b);
}

/* ---- the sponge, FIPS 202 sections 4 and 6 ------------------------------------------------- */

static const struct {
    size_t rate_bytes;
    uint8_t domain; /* the suffix, and the first bit of the padding */
} kinds[] = {
    [SHA3_256] = {136, 0x06},
    [SHA3_512] = {72, 0x06},
    [SHAKE128] = {SHAKE128_BLOCK_BYTES, 0x1f},
    [SHAKE256] = {136, 0x1f},
};

void sha3_init(struct sha3 *s, enum sha3_id id)
{
    *s = (struct sha3){.rate_bytes = kinds[id].rate_bytes, .domain = kinds[id].domain};
}

static void xor_byte(struct sha3 *s, size_t at, uint8_t b)
{
    s->lanes[at / 8] ^= (uint64_t)b << 8 * (at % 8);
}

static uint64_t load_le64(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

void sha3_absorb(struct sha3 *s, struct bytes b)
{
    while (b.n > 0) {
        size_t step = s->at % 8 == 0 && b.n >= 8 ? 8 : 1;
        if (step == 8)
            s->lanes[s->at / 8] ^= load_le64(b.p);
        else
            xor_byte(s, s->at, *b.p);
        s->at += step;
        b.p += step;
        b.n -= step;
        if (s->at == s->rate_bytes) {
            keccak(s->lanes);
            s->at = 0;
        }
    }
}

static void end_input(struct sha3 *s)
{
    xor_byte(s, s->at, s->domain);
    xor_byte(s, s->rate_bytes - 1, 0x80);
    keccak(s->lanes);
    s->at = 0;
    s->is_squeezing = true;
}

void sha3_squeeze(struct sha3 *s, uint8_t *out, size_t n)
{
    if (!s->is_squeezing)
        end_input(s);
    while (n > 0) {
        if (s->at == s->rate_bytes) {
            keccak(s->lanes);
            s->at = 0;
        }
        size_t step = s->at % 8 == 0 && n >= 8 ? 8 : 1;
        uint64_t lane = s->lanes[s->at / 8] >> 8 * (s->at % 8);
        for (size_t i = 0; i < step; i++)
            out[i] = (uint8_t)(lane >> 8 * i);
        s->at += step;
        out += step;
        n -= step;
    }
}

void sha3_once(enum sha3_id id, struct bytes b, uint8_t *out, size_t n)
{
    struct sha3 s;
    sha3_init(&s, id);
    sha3_absorb(&s, b);
    sha3_squeeze(&s, out, n);
    secure_wipe(&s, sizeof s);
}
