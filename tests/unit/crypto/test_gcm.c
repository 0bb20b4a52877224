/* AES-GCM and AES-CTR against published values, for every backend this processor can run. */
#include "crypto/gcm.h"

#include <string.h>
#include <sys/mman.h>

#include "crypto/aes_ctr.h"
#include "tests/unit/unit.h"

static const struct {
    const char *key, *iv, *aad, *plain, *cipher, *tag;
} cases[] = {
    /* McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 1, 2, 4, 14, 16 */
    {"00000000000000000000000000000000", "000000000000000000000000", "", "", "",
        "58e2fccefa7e3061367f1d57a4e7455a"},
    {"00000000000000000000000000000000", "000000000000000000000000", "",
        "00000000000000000000000000000000", "0388dace60b6a392f328c2b971b2fe78",
        "ab6e47d42cec13bdf53a67b21257bddf"},
    {"feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
        "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
        "5bc94fbc3221a5db94fae95ae7121a47"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
        "", "00000000000000000000000000000000", "cea7403d4d606b6e074ec5d3baf39d18",
        "d0d1c8a799996bf0265b98b5d48ab919"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
        "76fc6ece0f4e1768cddf8853bb2d551b"},
};
enum { N_CASES = sizeof cases / sizeof cases[0] };

static void run_case(const struct gcm_backend *backend, size_t i)
{
    uint8_t key[32], iv[12], aad[64], plain[64], data[64], cipher[64], tag[16], made[16];
    size_t key_n = unit_hex(cases[i].key, key, sizeof key);
    size_t n = unit_hex(cases[i].plain, plain, sizeof plain);
    struct bytes a = {aad, unit_hex(cases[i].aad, aad, sizeof aad)};
    unit_hex(cases[i].iv, iv, sizeof iv);
    unit_hex(cases[i].cipher, cipher, sizeof cipher);
    unit_hex(cases[i].tag, tag, sizeof tag);

    struct gcm g;
    gcm_init_with(&g, backend, key, key_n);
    memcpy(data, plain, sizeof data);
    gcm_seal(&g, iv, a, data, n, made);
    CU_ASSERT_EQUAL(memcmp(data, cipher, n), 0);
    CU_ASSERT_EQUAL(memcmp(made, tag, sizeof tag), 0);
    CU_ASSERT_TRUE(gcm_open(&g, iv, a, data, n, tag));
    CU_ASSERT_EQUAL(memcmp(data, plain, n), 0);
    memcpy(data, cipher, n);
    made[15] ^= 1;
    CU_ASSERT_FALSE(gcm_open(&g, iv, a, data, n, made));
    for (size_t j = 0; j < n; j++)
        CU_ASSERT_EQUAL(data[j], 0); /* no unvouched plaintext */
}

static void every_backend_gives_the_published_values(void)
{
    const struct gcm_backend *b;
    for (size_t i = 0; (b = gcm_backend_at(i)) != NULL; i++)
        for (size_t j = 0; j < N_CASES && b->is_supported(); j++)
            run_case(b, j);
}

static void the_last_backend_runs_everywhere(void)
{
    size_t n = 0;
    while (gcm_backend_at(n) != NULL)
        n++;
    CU_ASSERT_TRUE(n > 0 && gcm_backend_at(n - 1)->is_supported());
}

enum { LARGE = 256 * 1024, PAGE = 65536 }; /* PAGE: a multiple of any system's */

/* Numbers that look random, the same in every run. */
static uint32_t next_number(void)
{
    static uint32_t x = 2463534242u;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return x;
}

static void fill(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(next_number() >> 11);
}

/* One key on every backend that this processor runs; the last, plainest one judges the others. */
static struct gcm all[8];
static size_t n_all;

static void set_up(const uint8_t *key, size_t key_n)
{
    const struct gcm_backend *b;
    n_all = 0;
    for (size_t i = 0; (b = gcm_backend_at(i)) != NULL; i++)
        if (b->is_supported())
            gcm_init_with(&all[n_all++], b, key, key_n);
}

static void set_up_any(size_t key_n)
{
    uint8_t key[32];
    fill(key, sizeof key);
    set_up(key, key_n);
}

/* Seals n bytes of plain with the last backend, and demands that all others make the same in place
 * at p, and open it again there with the same tag. */
static void compare_at(uint8_t *p, const uint8_t j0[16], struct bytes aad, size_t n)
{
    static uint8_t plain[LARGE], cipher[LARGE];
    uint8_t want[16], tag[16];
    const struct gcm *judge = &all[n_all - 1];
    fill(plain, n);
    memcpy(cipher, plain, n);
    judge->backend->seal(&judge->state, j0, aad, cipher, n, want);
    for (struct gcm *g = all; g < judge; g++) {
        memcpy(p, plain, n);
        g->backend->seal(&g->state, j0, aad, p, n, tag);
        bool sealed = memcmp(p, cipher, n) == 0 && memcmp(tag, want, 16) == 0;
        memcpy(p, cipher, n);
        g->backend->open(&g->state, j0, aad, p, n, tag);
        bool opened = memcmp(p, plain, n) == 0 && memcmp(tag, want, 16) == 0;
        if (!sealed || !opened)
            printf("    %s: %zu bytes, %zu of AAD: %s differs\n", g->backend->name, n, aad.n,
                sealed ? "open" : "seal");
        CU_ASSERT_TRUE(sealed && opened);
    }
}

static void compare(const uint8_t j0[16], size_t aad_n, size_t n)
{
    static uint8_t room[LARGE];
    uint8_t aad[256];
    fill(aad, aad_n);
    compare_at(room, j0, (struct bytes){aad, aad_n}, n);
}

static void compare_any(size_t aad_n, size_t n)
{
    uint8_t j0[16];
    fill(j0, sizeof j0);
    compare(j0, aad_n, n);
}

static void all_backends_agree_at_every_length(void)
{
    const struct gcm_backend *b;
    for (size_t i = 0; (b = gcm_backend_at(i)) != NULL; i++)
        if (!b->is_supported())
            printf("       %s: skipped, not for this processor\n", b->name);
    for (size_t key_n = 16; key_n <= 32; key_n += 16) {
        set_up_any(key_n);
        for (size_t n = 0; n <= 4096; n++)
            compare_any(4, n);
    }
}

static void all_backends_agree_on_large_messages(void)
{
    static const size_t large[] = {8191, 8192, 8193, 8208, 32768, 65537, LARGE - 1, LARGE};
    for (size_t key_n = 16; key_n <= 32; key_n += 16) {
        set_up_any(key_n);
        for (size_t i = 0; i < sizeof large / sizeof large[0]; i++)
            compare_any(4, large[i]);
        for (size_t i = 0; i < 24; i++)
            compare_any(4, next_number() % LARGE);
    }
}

static void all_backends_agree_on_every_length_of_associated_data(void)
{
    static const size_t lengths[] = {0, 1, 16, 48, 100, 256, 512, 1100};
    set_up_any(16);
    for (size_t aad_n = 0; aad_n <= 256; aad_n++)
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
            compare_any(aad_n, lengths[i]);
}

static void all_backends_agree_under_many_keys(void)
{
    for (size_t i = 0; i < 128; i++) {
        set_up_any(i % 2 == 0 ? 16 : 32);
        for (size_t n = 0; n <= 640; n += 16)
            compare_any(4, n);
    }
    uint8_t key[32];
    for (int byte = 0; byte <= 255; byte += 255) { /* no bit and every bit */
        memset(key, byte, sizeof key);
        set_up(key, 32);
        compare_any(4, 4000);
    }
}

/* Only the last 4 bytes count: after ..ffffffff comes ..00000000, and no carry goes further. */
static void the_counter_comes_round_without_a_carry(void)
{
    uint8_t j0[16];
    set_up_any(16);
    for (uint32_t before = 0; before <= 66; before++) {
        fill(j0, sizeof j0);
        j0[11] = 0xff;
        store_be32(j0 + 12, UINT32_MAX - before);
        for (size_t n = 0; n <= 1200; n += 80)
            compare(j0, 4, n);
    }
    static const uint32_t edges[] = {0x7ffffff9, 0xfe, 0xfffe, 0xfffffe};
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        store_be32(j0 + 12, edges[i]);
        compare(j0, 4, 1200);
    }
}

/* A message at every distance from a 64-byte line; what lies before and behind it stays. */
static void messages_may_lie_at_any_address(void)
{
    static const size_t lengths[] = {1, 15, 16, 17, 31, 32, 48, 63, 64, 255, 256, 257, 512, 1100};
    static uint8_t room[64 + 1200 + 64];
    const uint8_t j0[16] = {0};
    for (size_t at = 0; at < 64; at++) {
        set_up_any(at % 2 == 0 ? 16 : 32);
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            memset(room, 0xa5, sizeof room);
            compare_at(room + at, j0, (struct bytes){room, at < 20 ? at : 20}, lengths[i]);
            size_t n_touched = 0;
            for (size_t j = 0; j < sizeof room; j++)
                n_touched += (j < at || j >= at + lengths[i]) && room[j] != 0xa5;
            CU_ASSERT_EQUAL(n_touched, 0);
        }
    }
}

/* Not one byte outside of the message is touched, not even read: forbidden pages stand on both
 * sides of it. */
static void nothing_outside_the_message_is_read(void)
{
    uint8_t *p = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_PTR_NOT_EQUAL_FATAL(p, MAP_FAILED);
    uint8_t *first = p + PAGE, *end = p + 2 * PAGE;
    CU_ASSERT_EQUAL_FATAL(mprotect(first, PAGE, PROT_READ | PROT_WRITE), 0);
    const uint8_t j0[16] = {1};
    set_up_any(16);
    for (size_t n = 0; n <= 1100; n++) {
        compare_at(first, j0, (struct bytes){first + 2000, 4}, n);
        compare_at(end - n, j0, (struct bytes){first, 4}, n);
        compare_at(first, j0, (struct bytes){end - n % 40, n % 40}, n);
    }
    munmap(p, 3 * PAGE);
}

/* struct gcm asks for no more than a pointer's alignment, and the heap gives it 8 or 16. */
static void the_object_may_lie_at_any_multiple_of_eight(void)
{
    static uint64_t room[8 + sizeof(struct gcm) / 8];
    const struct gcm_backend *b;
    for (size_t i = 0; (b = gcm_backend_at(i)) != NULL; i++)
        for (size_t at = 0; at < 8 && b->is_supported(); at++) {
            struct gcm *g = (struct gcm *)(void *)(room + at);
            uint8_t data[16] = {0}, tag[16], want[16];
            unit_hex(cases[1].tag, want, sizeof want);
            gcm_init_with(g, b, (const uint8_t[16]){0}, 16);
            gcm_seal(g, (const uint8_t[12]){0}, (struct bytes){0}, data, 16, tag);
            CU_ASSERT_EQUAL(memcmp(tag, want, 16), 0);
        }
}

/* One bit of ciphertext, associated data or tag, at every place. */
static void any_changed_bit_is_refused_and_leaves_zeros(void)
{
    enum { N = 1100 };
    uint8_t iv[12] = {3}, sealed[4 + N + 16], p[4 + N + 16], zeros[N] = {0};
    set_up_any(32);
    for (size_t i = 0; i < n_all; i++) {
        fill(sealed, sizeof sealed);
        gcm_seal(&all[i], iv, (struct bytes){sealed, 4}, sealed + 4, N, sealed + 4 + N);
        memcpy(p, sealed, sizeof p);
        CU_ASSERT_TRUE(gcm_open(&all[i], iv, (struct bytes){p, 4}, p + 4, N, p + 4 + N));
        for (size_t j = 0; j < sizeof p; j++) {
            memcpy(p, sealed, sizeof p);
            p[j] ^= (uint8_t)(1u << j % 8);
            CU_ASSERT_FALSE(gcm_open(&all[i], iv, (struct bytes){p, 4}, p + 4, N, p + 4 + N));
            CU_ASSERT_EQUAL(memcmp(p + 4, zeros, N), 0);
        }
    }
}

static void the_first_backend_that_can_run_is_taken(void)
{
    struct gcm g;
    size_t i = 0;
    while (!gcm_backend_at(i)->is_supported())
        i++;
    for (size_t round = 0; round < 2; round++) { /* the choice is remembered */
        gcm_init(&g, (const uint8_t[16]){0}, 16);
        CU_ASSERT_PTR_EQUAL(g.backend, gcm_backend_at(i));
    }
}

/* NIST SP 800-38A, F.5.1, F.5.3, F.5.5. */
static void ctr_gives_the_published_values(void)
{
    static const char *const keys[] = {"2b7e151628aed2a6abf7158809cf4f3c",
        "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
        "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"};
    static const char *const ciphers[] = {
        "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
        "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee",
        "1abc932417521ca24f2b0459fe7e6e0b090339ec0aa6faefd5ccc2c6f4ce8e94"
        "1e36b26bd1ebc670d1bd1d665620abf74f78a7f6d29809585a97daec58c6b050",
        "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
        "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6"};
    uint8_t key[32], counter[16], plain[64], cipher[64], data[64], block[16];
    unit_hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", counter, sizeof counter);
    unit_hex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
             "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
        plain, sizeof plain);
    for (size_t i = 0; i < 3; i++) {
        struct aes_ctr a;
        size_t key_n = unit_hex(keys[i], key, sizeof key);
        unit_hex(ciphers[i], cipher, sizeof cipher);
        memcpy(data, plain, sizeof data);
        aes_ctr_init(&a, key, key_n, counter);
        aes_ctr_peek(&a, data, block);
        CU_ASSERT_EQUAL(memcmp(block, cipher, 16), 0);
        aes_ctr_run(&a, data, 16);
        aes_ctr_run(&a, data + 16, 48);
        CU_ASSERT_EQUAL(memcmp(data, cipher, sizeof data), 0);
    }
}

/* The counter is 128 bits wide: after ff..ff comes 00..00, and the carry passes bit 32. */
static void the_ctr_counter_carries_through_all_its_bytes(void)
{
    static const char *const edges[][2] = {
        {"ffffffffffffffffffffffffffffffff", "00000000000000000000000000000000"},
        {"000000000000000000000000ffffffff", "00000000000000000000000100000000"},
        {"00000000000000ffffffffffffffffff", "00000000000001000000000000000000"},
    };
    static const uint8_t key[16] = {7};
    for (size_t i = 0; i < 3; i++) {
        uint8_t before[16], after[16], run[64] = {0}, one[48] = {0};
        struct aes_ctr a, b;
        unit_hex(edges[i][0], before, 16);
        unit_hex(edges[i][1], after, 16);
        aes_ctr_init(&a, key, 16, before);
        aes_ctr_init(&b, key, 16, after);
        aes_ctr_run(&a, run, sizeof run);
        aes_ctr_run(&b, one, sizeof one);
        CU_ASSERT_EQUAL(memcmp(run + 16, one, sizeof one), 0);
        CU_ASSERT_EQUAL(memcmp(a.counter, b.counter, 16), 0);
    }
}

static const struct unit_test tests[] = {
    UNIT(every_backend_gives_the_published_values),
    UNIT(the_last_backend_runs_everywhere),
    UNIT(the_first_backend_that_can_run_is_taken),
    UNIT(all_backends_agree_at_every_length),
    UNIT(all_backends_agree_on_large_messages),
    UNIT(all_backends_agree_on_every_length_of_associated_data),
    UNIT(all_backends_agree_under_many_keys),
    UNIT(the_counter_comes_round_without_a_carry),
    UNIT(messages_may_lie_at_any_address),
    UNIT(nothing_outside_the_message_is_read),
    UNIT(the_object_may_lie_at_any_multiple_of_eight),
    UNIT(any_changed_bit_is_refused_and_leaves_zeros),
    UNIT(ctr_gives_the_published_values),
    UNIT(the_ctr_counter_carries_through_all_its_bytes),
};
UNIT_MAIN("gcm", tests)
