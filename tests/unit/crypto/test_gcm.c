/* AES-GCM and AES-CTR against published values, for every backend this processor can run. */
#include "crypto/gcm.h"

#include <string.h>

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

/* One message: every backend must make what the last, plainest one makes. */
static void compare(const struct gcm *g, const struct gcm *plain, size_t n, uint32_t seed)
{
    static uint8_t a[70000], b[70000];
    uint8_t iv[12] = {(uint8_t)seed, 9}, tag_a[16], tag_b[16];
    for (size_t i = 0; i < n; i++)
        a[i] = b[i] = (uint8_t)(i * 31 + seed + (i >> 8));
    gcm_seal(g, iv, (struct bytes){b, n < 4 ? n : 4}, a, n, tag_a);
    memcpy(iv, (uint8_t[12]){(uint8_t)seed, 9}, 12);
    uint8_t aad[4];
    memcpy(aad, b, sizeof aad);
    gcm_seal(plain, iv, (struct bytes){aad, n < 4 ? n : 4}, b, n, tag_b);
    CU_ASSERT_EQUAL(memcmp(a, b, n), 0);
    CU_ASSERT_EQUAL(memcmp(tag_a, tag_b, 16), 0);
    CU_ASSERT_TRUE(gcm_open(g, iv, (struct bytes){aad, n < 4 ? n : 4}, a, n, tag_b));
}

static void all_backends_agree_at_every_length(void)
{
    static const size_t large[] = {4095, 4096, 8191, 8192, 8193, 8208, 32768, 65537};
    const struct gcm_backend *b, *last = NULL;
    for (size_t i = 0; (b = gcm_backend_at(i)) != NULL; i++)
        last = b;
    uint8_t key[32];
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(i * 11);
    for (size_t i = 0; (b = gcm_backend_at(i)) != NULL; i++) {
        if (!b->is_supported())
            continue;
        for (size_t key_n = 16; key_n <= 32; key_n += 16) {
            struct gcm g, plain;
            gcm_init_with(&g, b, key, key_n);
            gcm_init_with(&plain, last, key, key_n);
            for (size_t n = 0; n <= 1100; n++)
                compare(&g, &plain, n, (uint32_t)n);
            for (size_t j = 0; j < sizeof large / sizeof large[0]; j++)
                compare(&g, &plain, large[j], (uint32_t)j);
        }
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
    UNIT(all_backends_agree_at_every_length),
    UNIT(ctr_gives_the_published_values),
    UNIT(the_ctr_counter_carries_through_all_its_bytes),
};
UNIT_MAIN("gcm", tests)
