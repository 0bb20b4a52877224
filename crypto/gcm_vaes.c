/* AES-GCM for processors with VAES and VPCLMULQDQ, which work on 2 or 4 blocks an instruction.
 *
 * Why there is AES of our own: primitives come from libraries here, and this file is the measured
 * exception. No library that we use has this path, and it is the largest single gain there is for
 * bulk data. Seconds per GB for packets of 32 KiB, and nanoseconds for one of 48 bytes, to seal /
 * to open, on one core of an "Intel Xeon Processor" (family 6, model 167, with AVX-512 and AMX),
 * gcc 12, the best of 200 runs:
 *
 *                        aes128-gcm                 aes256-gcm
 *     BearSSL, AES-NI    0.219 / 0.235   131 / 157  0.276 / 0.277   134 / 160
 *     256 bits           0.082 / 0.081    38 /  59  0.093 / 0.091    42 /  61
 *     512 bits           0.057 / 0.059    37 /  62  0.067 / 0.070    42 /  70
 *
 * The wider form keeps its lead where packets alternate with system calls and copies.
 *
 * One pass: CTR and GHASH keep different units of the processor busy, so gcm_vaes_wide.h runs them
 * side by side over groups of 8 vectors, 16 or 32 blocks. Opening hashes a group as it decrypts it;
 * sealing hashes the group before the one it encrypts.
 *
 * Aggregation: a group c1..ck folds into GHASH's accumulator y with the stored powers of H,
 *     y' = (y ^ c1) H^k ^ c2 H^(k-1) ^ ... ^ ck H,
 * products that do not wait for one another, summed as they are, 255 bits long: one reduction a
 * group. The end of a message (less than a group, then the block of lengths) is one more sum.
 *
 * Bits: GCM's first bit is the coefficient of x^0, so a block whose bytes are reversed is an
 * integer with x^0 in bit 127. A carry-less product of two of them has its x^0 in bit 254, where
 * bit 255 is wanted; keeping H^i / x for each power puts that right for nothing. Bits 0 to 127 of
 * the product are then the terms from x^128 on. x^128 = x^7 + x^2 + x + 1, so 64 bits at a time
 * fold upwards: once moved by 128 bits (the 1), once multiplied by POLY and moved by 64 (the rest).
 *
 * Time depends on the lengths of key, data and associated data alone: AES instructions instead of
 * tables (the key schedule's too), carry-less multiplication, addresses and branches from public
 * lengths. Valgrind, which could show it, does not know these instructions and hides them from
 * CPUID, so there BearSSL runs; what stands here is straight-line code for a reader to check. */
#include "crypto/gcm.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>
#include <string.h>

#include "crypto/ct.h"

#define ISA_256 "aes,pclmul,ssse3,avx2,vaes,vpclmulqdq"
#define ISA_512 ISA_256 ",avx512f,avx512bw,avx512vl,avx512dq"

#define TARGET_256 __attribute__((target(ISA_256)))
#define TARGET_512 __attribute__((target(ISA_512)))

#define POLY 0xc200000000000000u /* x + x^2 + x^7: bits 63, 62, 57 */

enum {
    MAX_ROUNDS = 14,
    N_POWERS = 33, /* the 32 blocks of the widest group, and one more for the lengths */
    N_PAD = 2,     /* a vector loaded from H^2 on runs over the end */
};

/* Bytes, not vectors, since struct gcm is not aligned for those. */
struct vaes_state {
    uint8_t round_key[MAX_ROUNDS + 1][16];
    uint8_t power[N_POWERS + N_PAD][16]; /* H^33 / x down to H / x, then zeros */
    size_t rounds;
};
_Static_assert(sizeof(struct vaes_state) <= GCM_STATE_BYTES, "backend state fits");

/* ---- one block ----------------------------------------------------------------------------- */

#define BLOCK static inline __attribute__((always_inline, target(ISA_256)))

BLOCK __m128i load_block(const void *p)
{
    return _mm_loadu_si128(p);
}

BLOCK void store_block(void *p, __m128i v)
{
    _mm_storeu_si128(p, v);
}

/* GHASH's blocks as integers: bit 127 is the coefficient of x^0. */
BLOCK __m128i byte_reverse(void)
{
    return _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

/* Between a counter block and one whose last 32 bits are an integer of this machine. */
BLOCK __m128i counter_order(void)
{
    return _mm_set_epi8(12, 13, 14, 15, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
}

BLOCK __m128i round_key(const struct vaes_state *s, size_t i)
{
    return load_block(s->round_key[i]);
}

BLOCK const uint8_t *power_of_h(const struct vaes_state *s, size_t exponent)
{
    return s->power[N_POWERS - exponent];
}

BLOCK __m128i encrypt_block(const struct vaes_state *s, __m128i b)
{
    b = _mm_xor_si128(b, round_key(s, 0));
    for (size_t i = 1; i < s->rounds; i++)
        b = _mm_aesenc_si128(b, round_key(s, i));
    return _mm_aesenclast_si128(b, round_key(s, s->rounds));
}

/* One product with its reduction: the head of the file has the why of each line. */
BLOCK __m128i multiply(__m128i a, __m128i b)
{
    const __m128i poly = _mm_set_epi64x(0, (int64_t)POLY);
    __m128i low = _mm_clmulepi64_si128(a, b, 0x00);
    __m128i high = _mm_clmulepi64_si128(a, b, 0x11);
    __m128i middle =
        _mm_xor_si128(_mm_clmulepi64_si128(a, b, 0x01), _mm_clmulepi64_si128(a, b, 0x10));
    middle = _mm_xor_si128(middle, _mm_clmulepi64_si128(low, poly, 0x00));
    middle = _mm_xor_si128(middle, _mm_shuffle_epi32(low, 0x4e));
    high = _mm_xor_si128(high, _mm_clmulepi64_si128(middle, poly, 0x00));
    return _mm_xor_si128(high, _mm_shuffle_epi32(middle, 0x4e));
}

BLOCK __m128i hash_aad(const struct vaes_state *s, struct bytes aad)
{
    __m128i y = _mm_setzero_si128();
    while (aad.n > 0) {
        uint8_t block[16] = {0};
        size_t n = aad.n < 16 ? aad.n : 16;
        memcpy(block, aad.p, n);
        y = _mm_xor_si128(y, _mm_shuffle_epi8(load_block(block), byte_reverse()));
        y = multiply(y, load_block(power_of_h(s, 1)));
        aad.p += n;
        aad.n -= n;
    }
    return y;
}

/* ---- key setup ----------------------------------------------------------------------------- */

/* FIPS 197 section 5.2: each word of a round key is the xor of all words before it in the round key
 * one (AES-128) or two (AES-256) back, and of the transformed last word, which stands in all of t.
 */
BLOCK __m128i next_key(__m128i k, __m128i t)
{
    k = _mm_xor_si128(k, _mm_slli_si128(k, 4));
    k = _mm_xor_si128(k, _mm_slli_si128(k, 8));
    return _mm_xor_si128(k, t);
}

/* SubWord and RotWord of the last word with a round constant, and SubWord alone. */
#define TURNED(k, rcon) _mm_shuffle_epi32(_mm_aeskeygenassist_si128(k, rcon), 0xff)
#define UNTURNED(k)     _mm_shuffle_epi32(_mm_aeskeygenassist_si128(k, 0), 0xaa)

#define NEXT_128(i, rcon)                                                                          \
    a = next_key(a, TURNED(a, rcon));                                                              \
    store_block(s->round_key[i], a);
#define NEXT_256(i, rcon)                                                                          \
    a = next_key(a, TURNED(b, rcon));                                                              \
    store_block(s->round_key[i], a);                                                               \
    b = next_key(b, UNTURNED(a));                                                                  \
    store_block(s->round_key[(i) + 1], b);

TARGET_256 static void expand_128(struct vaes_state *s, const uint8_t key[16])
{
    __m128i a = load_block(key);
    s->rounds = 10;
    store_block(s->round_key[0], a);
    NEXT_128(1, 0x01)
    NEXT_128(2, 0x02)
    NEXT_128(3, 0x04)
    NEXT_128(4, 0x08)
    NEXT_128(5, 0x10)
    NEXT_128(6, 0x20)
    NEXT_128(7, 0x40)
    NEXT_128(8, 0x80)
    NEXT_128(9, 0x1b)
    NEXT_128(10, 0x36)
}

TARGET_256 static void expand_256(struct vaes_state *s, const uint8_t key[32])
{
    __m128i a = load_block(key), b = load_block(key + 16);
    s->rounds = 14;
    store_block(s->round_key[0], a);
    store_block(s->round_key[1], b);
    NEXT_256(2, 0x01)
    NEXT_256(4, 0x02)
    NEXT_256(6, 0x04)
    NEXT_256(8, 0x08)
    NEXT_256(10, 0x10)
    NEXT_256(12, 0x20)
    a = next_key(a, TURNED(b, 0x40));
    store_block(s->round_key[14], a);
}

TARGET_256 static void vaes_init(void *state, const uint8_t *key, size_t key_n)
{
    struct vaes_state *s = state;
    if (key_n == 16)
        expand_128(s, key);
    else
        expand_256(s, key);
    /* H / x: a shift to the left; the x^0 that falls out comes back as 1/x = x^127 + x^6 + x + 1.
     */
    __m128i h = _mm_shuffle_epi8(encrypt_block(s, _mm_setzero_si128()), byte_reverse());
    __m128i carry = _mm_shuffle_epi32(_mm_srai_epi32(h, 31), 0xff);
    __m128i across = _mm_slli_si128(_mm_srli_epi64(h, 63), 8);
    h = _mm_or_si128(_mm_slli_epi64(h, 1), across);
    h = _mm_xor_si128(h, _mm_and_si128(carry, _mm_set_epi64x((int64_t)POLY, 1)));
    __m128i power = h;
    for (size_t i = 1; i <= N_POWERS; i++) {
        store_block(s->power[N_POWERS - i], power);
        power = multiply(power, h);
    }
    memset(s->power[N_POWERS], 0, sizeof s->power[0] * N_PAD);
}

/* ---- 256 bits ------------------------------------------------------------------------------ */

#define VEC     __m256i
#define LANES   2
#define WIDE    static inline __attribute__((always_inline, target(ISA_256)))
#define NAME(f) f##_256
#define PRODUCT product_256

#define load_256(p)        _mm256_loadu_si256((const void *)(p))
#define store_256(p, v)    _mm256_storeu_si256((void *)(p), v)
#define each_256           _mm256_broadcastsi128_si256
#define first_256          _mm256_zextsi128_si256
#define xor_256            _mm256_xor_si256
#define xor3_256(a, b, c)  _mm256_xor_si256(_mm256_xor_si256(a, b), c)
#define add32_256          _mm256_add_epi32
#define shuffle8_256       _mm256_shuffle_epi8
#define swap_256(v)        _mm256_shuffle_epi32(v, 0x4e)
#define aes_256            _mm256_aesenc_epi128
#define aes_last_256       _mm256_aesenclast_epi128
#define clmul_ll_256(a, b) _mm256_clmulepi64_epi128(a, b, 0x00)
#define clmul_lh_256(a, b) _mm256_clmulepi64_epi128(a, b, 0x10)
#define clmul_hl_256(a, b) _mm256_clmulepi64_epi128(a, b, 0x01)
#define clmul_hh_256(a, b) _mm256_clmulepi64_epi128(a, b, 0x11)

WIDE __m128i sum_256(VEC a)
{
    return _mm_xor_si128(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
}
WIDE VEC count_256(void)
{
    return _mm256_set_epi32(2, 0, 0, 0, 1, 0, 0, 0);
}
WIDE VEC cut_256(VEC a, size_t n)
{
    const VEC index = _mm256_set_epi8(31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17,
        16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    return _mm256_and_si256(a, _mm256_cmpgt_epi8(_mm256_set1_epi8((char)n), index));
}
WIDE VEC load_part_256(const uint8_t *p, size_t n)
{
    if (n == 16)
        return first_256(load_block(p));
    uint8_t room[32] = {0};
    memcpy(room, p, n);
    VEC v = load_256(room);
    secure_wipe(room, sizeof room);
    return v;
}
WIDE void store_part_256(uint8_t *p, VEC v, size_t n)
{
    if (n == 16) {
        store_block(p, _mm256_castsi256_si128(v));
        return;
    }
    uint8_t room[32];
    store_256(room, v);
    memcpy(p, room, n);
    secure_wipe(room, sizeof room);
}

#include "crypto/gcm_vaes_wide.h"

TARGET_256 static void seal_256(const void *state, const uint8_t j0[16], struct bytes aad,
    uint8_t *p, size_t n, uint8_t tag[GCM_TAG_BYTES])
{
    run_256(state, j0, aad, p, n, tag, true);
}
TARGET_256 static void open_256(const void *state, const uint8_t j0[16], struct bytes aad,
    uint8_t *p, size_t n, uint8_t tag[GCM_TAG_BYTES])
{
    run_256(state, j0, aad, p, n, tag, false);
}

#undef VEC
#undef LANES
#undef WIDE
#undef NAME
#undef PRODUCT

/* ---- 512 bits ------------------------------------------------------------------------------ */

#define VEC     __m512i
#define LANES   4
#define WIDE    static inline __attribute__((always_inline, target(ISA_512)))
#define NAME(f) f##_512
#define PRODUCT product_512

#define load_512(p)        _mm512_loadu_si512((const void *)(p))
#define store_512(p, v)    _mm512_storeu_si512((void *)(p), v)
#define each_512           _mm512_broadcast_i32x4
#define first_512          _mm512_zextsi128_si512
#define xor_512            _mm512_xor_si512
#define xor3_512(a, b, c)  _mm512_ternarylogic_epi64(a, b, c, 0x96)
#define add32_512          _mm512_add_epi32
#define shuffle8_512       _mm512_shuffle_epi8
#define swap_512(v)        _mm512_shuffle_epi32(v, _MM_PERM_BADC)
#define aes_512            _mm512_aesenc_epi128
#define aes_last_512       _mm512_aesenclast_epi128
#define clmul_ll_512(a, b) _mm512_clmulepi64_epi128(a, b, 0x00)
#define clmul_lh_512(a, b) _mm512_clmulepi64_epi128(a, b, 0x10)
#define clmul_hl_512(a, b) _mm512_clmulepi64_epi128(a, b, 0x01)
#define clmul_hh_512(a, b) _mm512_clmulepi64_epi128(a, b, 0x11)

WIDE __m128i sum_512(VEC a)
{
    return sum_256(_mm256_xor_si256(_mm512_castsi512_si256(a), _mm512_extracti64x4_epi64(a, 1)));
}
WIDE VEC count_512(void)
{
    return _mm512_set_epi32(4, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0);
}
WIDE VEC cut_512(VEC a, size_t n)
{
    return _mm512_maskz_mov_epi8(((__mmask64)1 << n) - 1, a);
}
WIDE VEC load_part_512(const uint8_t *p, size_t n)
{
    return _mm512_maskz_loadu_epi8(((__mmask64)1 << n) - 1, p);
}
WIDE void store_part_512(uint8_t *p, VEC v, size_t n)
{
    _mm512_mask_storeu_epi8(p, ((__mmask64)1 << n) - 1, v);
}

#include "crypto/gcm_vaes_wide.h"

TARGET_512 static void seal_512(const void *state, const uint8_t j0[16], struct bytes aad,
    uint8_t *p, size_t n, uint8_t tag[GCM_TAG_BYTES])
{
    run_512(state, j0, aad, p, n, tag, true);
}
TARGET_512 static void open_512(const void *state, const uint8_t j0[16], struct bytes aad,
    uint8_t *p, size_t n, uint8_t tag[GCM_TAG_BYTES])
{
    run_512(state, j0, aad, p, n, tag, false);
}

/* The builtin also asks XGETBV whether the system saves the wide registers. Not every compiler's
 * knows VAES, so that is looked up: function 7 exists wherever AVX2 does. */
static bool is_supported_256(void)
{
    unsigned eax, ebx, ecx = 0, edx;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("aes") &&
        __builtin_cpu_supports("pclmul"))
        __cpuid_count(7, 0, eax, ebx, ecx, edx);
    return (ecx & bit_VAES) != 0 && (ecx & bit_VPCLMULQDQ) != 0;
}
static bool is_supported_512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
           is_supported_256();
}

const struct gcm_backend gcm_vaes512 = {"vaes512", is_supported_512, vaes_init, seal_512, open_512};
const struct gcm_backend gcm_vaes256 = {"vaes256", is_supported_256, vaes_init, seal_256, open_256};

#else

static bool never(void)
{
    return false;
}

const struct gcm_backend gcm_vaes512 = {.name = "vaes512", .is_supported = never};
const struct gcm_backend gcm_vaes256 = {.name = "vaes256", .is_supported = never};

#endif
