/* UMAC: RFC 4418's own values (but that for 2^25 bytes, which its errata correct, and which is
 * longer than any packet), the same for tags of 16 bytes, and every length against a slow reading
 * of the RFC. */
#include "crypto/umac.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static const uint8_t key[] = "abcdefghijklmnop", nonce[] = "bcdefghi";

static const struct sample {
    const char *word;
    size_t times;
    const char *tag_64, *tag_128;
} samples[] = {
    {"a", 0, "6e155fad26900be1", "32fedb100c79ad58f07ff7643cc60465"},
    {"a", 3, "44b5cb542f220104", "185e4fe905cba7bd85e4c2dc3d117d8d"},
    {"a", 1 << 10, "26bf2f5d60118bd9", "7a54abe04af82d60fb298c3cbd195bcb"},
    {"a", 1 << 15, "27f8ef643b0d118d", "7b136bd911e4b734286ef2be501f2c3c"},
    {"a", 1 << 20, "a4477e87e9f55853", "f8acfa3ac31cfeea047f7b115b03bef5"},
    {"abc", 1, "d4d7b9f6bd4fbfcf", "883c3d4b97a61976ffcf232308cba5a5"},
    {"abc", 500, "d4cf26ddefd5c01a", "8824a260c53c66a36c9260a62cb83aa1"},
};

static void tag_is(size_t tag_bytes, struct bytes message, const char *hex)
{
    uint8_t tag[UMAC_MAX_TAG_BYTES], wanted[UMAC_MAX_TAG_BYTES];
    struct umac u;
    CU_ASSERT_EQUAL(unit_hex(hex, wanted, sizeof wanted), tag_bytes);
    umac_init(&u, tag_bytes, key);
    umac_tag(&u, nonce, message, tag);
    CU_ASSERT_EQUAL(memcmp(tag, wanted, tag_bytes), 0);
}

static void the_published_values_are_found(void)
{
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        size_t word = strlen(samples[i].word), n = word * samples[i].times;
        uint8_t *message = malloc(n + 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(message);
        for (size_t k = 0; k < n; k++)
            message[k] = (uint8_t)samples[i].word[k % word];
        tag_is(8, (struct bytes){message, n}, samples[i].tag_64);
        tag_is(16, (struct bytes){message, n}, samples[i].tag_128);
        free(message);
    }
}

/* ---- the RFC, read word by word with modulo and branches ---------------------------------------
 */

#define P64 (0 - (unsigned __int128)59 + ((unsigned __int128)1 << 64))

static uint64_t slow_word(const struct umac *u, size_t run, const uint8_t *m, size_t n)
{
    uint8_t chunk[UMAC_CHUNK_BYTES] = {0};
    uint64_t sum = (uint64_t)n * 8;
    memcpy(chunk, m, n);
    size_t padded = n == 0 ? 32 : (n + 31) / 32 * 32;
    uint32_t w[UMAC_CHUNK_BYTES / 4];
    for (size_t i = 0; i < padded / 4; i++)
        w[i] = (uint32_t)chunk[4 * i] + ((uint32_t)chunk[4 * i + 1] << 8) +
               ((uint32_t)chunk[4 * i + 2] << 16) + ((uint32_t)chunk[4 * i + 3] << 24) +
               u->nh[4 * run + i];
    for (size_t i = 0; i < padded / 4; i += 8)
        for (size_t j = 0; j < 4; j++)
            sum += (uint64_t)w[i + j] * w[i + j + 4];
    return sum;
}

static uint64_t slow_poly(uint64_t k, uint64_t y, uint64_t m)
{
    unsigned __int128 x = y;
    if (m >= UINT64_C(0xffffffff00000000)) {
        x = ((unsigned __int128)k * (uint64_t)x + (P64 - 1)) % P64;
        m -= 59;
    }
    return (uint64_t)(((unsigned __int128)k * (uint64_t)x + m) % P64);
}

static void slow_tag(struct umac *u, const uint8_t *m, size_t n, uint8_t *out)
{
    uint8_t hidden[UMAC_MAX_TAG_BYTES], zeros[16] = {0};
    uint8_t half = u->tag_bytes == 8 ? nonce[7] & 1 : 0;
    memset(u->pad.counter, 0, 16);
    memcpy(u->pad.counter, nonce, 8);
    u->pad.counter[7] ^= half;
    aes_ctr_peek(&u->pad, zeros, hidden);
    for (size_t run = 0; run < u->tag_bytes / 4; run++) {
        uint64_t y = 1, sum = 0;
        size_t at = 0;
        do {
            size_t part = n - at < UMAC_CHUNK_BYTES ? n - at : UMAC_CHUNK_BYTES;
            uint64_t word = slow_word(u, run, m + at, part);
            y = n <= UMAC_CHUNK_BYTES ? word : slow_poly(u->poly[run], y, word);
            at += part;
        } while (at < n);
        for (size_t i = 0; i < 4; i++)
            sum += u->inner[run][4 + i] * (y >> (48 - 16 * i) & 0xffff);
        uint32_t hash = (uint32_t)(sum % ((UINT64_C(1) << 36) - 5)) ^ u->last[run];
        store_be32(out + 4 * run, hash ^ load_be32(hidden + half * 8 + 4 * run));
    }
}

static void every_length_gives_what_the_rfc_says(void)
{
    static uint8_t message[5000];
    uint8_t tag[UMAC_MAX_TAG_BYTES], wanted[UMAC_MAX_TAG_BYTES];
    struct umac u;
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)(i * i >> 3 ^ i);
    for (size_t tag_bytes = 8; tag_bytes <= 16; tag_bytes += 8) {
        umac_init(&u, tag_bytes, key);
        for (size_t n = 0; n <= sizeof message; n += n < 1100 ? 1 : 37) {
            umac_tag(&u, nonce, (struct bytes){message, n}, tag);
            slow_tag(&u, message, n, wanted);
            CU_ASSERT_EQUAL(memcmp(tag, wanted, tag_bytes), 0);
        }
    }
}

/* By messages no such word is to be had: the keys are chosen so that NH gives it. */
static void words_near_the_end_of_their_range_are_told_from_small_ones(void)
{
    static const uint64_t words[] = {0, 1, 58, 59, 60, UINT64_C(0xfffffffeffffffff),
        UINT64_C(0xffffffff00000000), UINT64_C(0xffffffffffffffc4), UINT64_C(0xffffffffffffffc5),
        UINT64_MAX};
    static const uint8_t zeros[UMAC_CHUNK_BYTES + 32];
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        uint8_t tag[UMAC_MAX_TAG_BYTES], wanted[UMAC_MAX_TAG_BYTES];
        struct umac u;
        umac_init(&u, 16, key);
        memset(u.nh, 0, sizeof u.nh);
        u.nh[4] = 1; /* run 0: 1 * a + 1 * b and the length, 8192 bits, are the word */
        uint64_t wanted_sum = words[i] - UMAC_CHUNK_BYTES * 8;
        u.nh[0] = (uint32_t)wanted_sum;
        u.nh[12] = UINT32_MAX, u.nh[8] = (uint32_t)(wanted_sum >> 32);
        u.nh[20] = 1, u.nh[16] = u.nh[8]; /* h * (2^32 - 1) + h is h * 2^32 */
        umac_tag(&u, nonce, (struct bytes){zeros, sizeof zeros}, tag);
        slow_tag(&u, zeros, sizeof zeros, wanted);
        CU_ASSERT_EQUAL(slow_word(&u, 0, zeros, UMAC_CHUNK_BYTES), words[i]);
        CU_ASSERT_EQUAL(memcmp(tag, wanted, 16), 0);
    }
}

/* Two tags of 8 bytes share a block: neighbours must not come out alike. */
static void every_nonce_hides_by_bytes_of_its_own(void)
{
    uint8_t tags[4][UMAC_MAX_TAG_BYTES], n[UMAC_NONCE_BYTES] = {0};
    for (size_t tag_bytes = 8; tag_bytes <= 16; tag_bytes += 8) {
        struct umac u;
        umac_init(&u, tag_bytes, key);
        for (uint8_t i = 0; i < 4; i++) {
            n[7] = i;
            umac_tag(&u, n, BYTES_LIT("the same"), tags[i]);
            for (uint8_t k = 0; k < i; k++)
                CU_ASSERT_NOT_EQUAL(memcmp(tags[i], tags[k], tag_bytes), 0);
        }
    }
}

static const struct unit_test tests[] = {
    UNIT(the_published_values_are_found),
    UNIT(every_length_gives_what_the_rfc_says),
    UNIT(words_near_the_end_of_their_range_are_told_from_small_ones),
    UNIT(every_nonce_hides_by_bytes_of_its_own),
};
UNIT_MAIN("umac", tests)
