/* UMAC, RFC 4418. A tag's 4 bytes are made in three layers, by keys of their own:
 *
 *   NH      1024 bytes to 8: sums of products of message and key words, modulo 2^64
 *   POLY    those of all chunks to 8: a polynomial modulo 2^64 - 59. Left out for a single chunk
 *   inner   the 16 bytes of that to 4: an inner product modulo 2^36 - 5
 *
 * and hidden by AES of the nonce. No branch and no address depends on key or message. */
#include "crypto/umac.h"

#include <string.h>

#include "crypto/ct.h"

/* What AES in counter mode is asked for, RFC 4418 section 3.2.1. */
enum { KDF_PAD, KDF_NH, KDF_POLY, KDF_INNER, KDF_LAST };

enum {
    POLY_BYTES = 24, /* of which 8 are used: the others are for messages over UMAC_MAX_BYTES */
    INNER_BYTES = 64,
    LAST_BYTES = 4,
};

#define PRIME_OFFSET 59 /* 2^64 less this is a prime */
#define POLY_MASK    UINT64_C(0x01ffffff01ffffff)
#define INNER_BITS   36
#define INNER_MASK   ((UINT64_C(1) << INNER_BITS) - 1)
#define INNER_OFFSET 5 /* 2^36 less this is a prime */

static uint64_t load_be64(const uint8_t *p)
{
    return (uint64_t)load_be32(p) << 32 | load_be32(p + 4);
}

static uint32_t load_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* ---- keys ------------------------------------------------------------------------------------ */

/* x modulo 2^36 - 5: folded twice it is below 2^36 + 10, and once less than twice the prime. */
static uint64_t inner_reduce(uint64_t x)
{
    x = (x & INNER_MASK) + (x >> INNER_BITS) * INNER_OFFSET;
    x = (x & INNER_MASK) + (x >> INNER_BITS) * INNER_OFFSET;
    uint64_t over = x + INNER_OFFSET; /* reaches 2^36 where x reaches the prime */
    uint64_t is_over = 0 - (over >> INNER_BITS);
    return (x & ~is_over) | (over & INNER_MASK & is_over);
}

/* The keystream behind the counter that starts at (what, 1). */
static void kdf(const uint8_t *key, unsigned what, uint8_t *out, size_t n)
{
    struct aes_ctr aes;
    uint8_t counter[16] = {[7] = (uint8_t)what, [15] = 1};
    aes_ctr_init(&aes, key, UMAC_KEY_BYTES, counter);
    memset(out, 0, n);
    aes_ctr_run(&aes, out, n);
    secure_wipe(&aes, sizeof aes);
}

void umac_init(struct umac *u, size_t tag_bytes, const uint8_t *key)
{
    uint8_t room[UMAC_NH_WORDS * 4];
    const uint8_t no_nonce[16] = {0};
    size_t runs = tag_bytes / 4;
    u->tag_bytes = tag_bytes;
    kdf(key, KDF_NH, room, (UMAC_CHUNK_BYTES / 4 + 4 * (runs - 1)) * 4);
    for (size_t i = 0; i < UMAC_CHUNK_BYTES / 4 + 4 * (runs - 1); i++)
        u->nh[i] = load_be32(room + 4 * i);
    kdf(key, KDF_POLY, room, runs * POLY_BYTES);
    for (size_t i = 0; i < runs; i++)
        u->poly[i] = load_be64(room + i * POLY_BYTES) & POLY_MASK;
    kdf(key, KDF_INNER, room, runs * INNER_BYTES);
    for (size_t i = 0; i < runs * 8; i++)
        u->inner[i / 8][i % 8] = inner_reduce(load_be64(room + 8 * i));
    kdf(key, KDF_LAST, room, runs * LAST_BYTES);
    for (size_t i = 0; i < runs; i++)
        u->last[i] = load_be32(room + i * LAST_BYTES);
    kdf(key, KDF_PAD, room, UMAC_KEY_BYTES);
    aes_ctr_init(&u->pad, room, UMAC_KEY_BYTES, no_nonce);
    secure_wipe(room, sizeof room);
}

/* ---- the layers ------------------------------------------------------------------------------ */

/* Section 5.2.2, of n bytes, a multiple of 32. */
static uint64_t nh(const uint32_t *key, const uint8_t *p, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n / 4; i += 8)
        for (size_t j = i; j < i + 4; j++)
            sum += (uint64_t)(uint32_t)(load_le32(p + 4 * j) + key[j]) *
                   (uint32_t)(load_le32(p + 4 * j + 16) + key[j + 4]);
    return sum;
}

/* k y + m modulo the prime, but not always below it: k is below 2^57. */
static uint64_t poly_step(uint64_t k, uint64_t y, uint64_t m)
{
    unsigned __int128 x = (unsigned __int128)k * y + m;
    x = (unsigned __int128)(uint64_t)(x >> 64) * PRIME_OFFSET + (uint64_t)x;
    return (uint64_t)x + (uint64_t)(x >> 64) * PRIME_OFFSET;
}

/* Section 5.3.2: words near 2^64 are put in by two steps, so that none is the same modulo the prime
 * as another. */
static uint64_t poly_add(uint64_t k, uint64_t y, uint64_t m)
{
    uint64_t marked =
        poly_step(k, poly_step(k, y, 0 - (uint64_t)PRIME_OFFSET - 1), m - PRIME_OFFSET);
    uint64_t plain = poly_step(k, y, m);
    uint64_t is_large = 0 - ((uint64_t)((uint32_t)(m >> 32) + UINT64_C(1)) >> 32);
    return (marked & is_large) | (plain & ~is_large);
}

static uint64_t poly_end(uint64_t y)
{
    uint64_t over = y + PRIME_OFFSET; /* wraps where y reaches the prime */
    uint64_t is_over = 0 - (uint64_t)(((unsigned __int128)y + PRIME_OFFSET) >> 64);
    return (y & ~is_over) | (over & is_over);
}

/* Section 5.4; the upper 8 of the 16 bytes are always zero, and so are their products. */
static uint32_t inner_product(const uint64_t factors[8], uint64_t y)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < 4; i++)
        sum += factors[4 + i] * (y >> (48 - 16 * i) & 0xffff);
    return (uint32_t)inner_reduce(sum);
}

/* The last chunk counts as if zeros filled it to 32 bytes, but by its own length. */
static uint64_t last_chunk(const uint32_t *key, const uint8_t *p, size_t n)
{
    uint8_t rest[32] = {0};
    size_t whole = n - n % 32;
    uint64_t sum = nh(key, p, whole) + (uint64_t)n * 8;
    if (n == whole && n > 0)
        return sum;
    if (n > whole)
        memcpy(rest, p + whole, n - whole);
    sum += nh(key + whole / 4, rest, sizeof rest);
    secure_wipe(rest, sizeof rest);
    return sum;
}

static uint32_t run(const struct umac *u, size_t i, struct bytes m)
{
    const uint32_t *key = u->nh + 4 * i;
    bool is_single = m.n <= UMAC_CHUNK_BYTES;
    uint64_t y = 1;
    while (m.n > UMAC_CHUNK_BYTES) {
        uint64_t sum = nh(key, m.p, UMAC_CHUNK_BYTES) + UMAC_CHUNK_BYTES * 8;
        y = poly_add(u->poly[i], y, sum);
        m.p += UMAC_CHUNK_BYTES;
        m.n -= UMAC_CHUNK_BYTES;
    }
    uint64_t last = last_chunk(key, m.p, m.n);
    y = is_single ? last : poly_end(poly_add(u->poly[i], y, last));
    return inner_product(u->inner[i], y) ^ u->last[i];
}

/* Section 3.3: of one encrypted block two tags of 8 bytes are hidden, by the nonce's last bit. */
static void nonce_pad(struct umac *u, const uint8_t nonce[UMAC_NONCE_BYTES], uint8_t *out)
{
    static const uint8_t zeros[16];
    uint8_t block[16];
    bool is_half = u->tag_bytes < sizeof block;
    uint8_t half = is_half ? nonce[UMAC_NONCE_BYTES - 1] & 1 : 0;
    memset(u->pad.counter, 0, sizeof u->pad.counter);
    memcpy(u->pad.counter, nonce, UMAC_NONCE_BYTES);
    u->pad.counter[UMAC_NONCE_BYTES - 1] ^= half;
    aes_ctr_peek(&u->pad, zeros, block);
    memcpy(out, block + half * u->tag_bytes, u->tag_bytes);
    secure_wipe(block, sizeof block);
}

void umac_tag(
    struct umac *u, const uint8_t nonce[UMAC_NONCE_BYTES], struct bytes message, uint8_t *out)
{
    nonce_pad(u, nonce, out);
    for (size_t i = 0; i < u->tag_bytes / 4; i++)
        store_be32(out + 4 * i, load_be32(out + 4 * i) ^ run(u, i, message));
}
