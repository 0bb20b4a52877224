/* What opens locked PEM files, against published values. */
#include "crypto/pbkdf.h"

#include <string.h>

#include "crypto/cbc.h"
#include "tests/unit/unit.h"

/* RFC 6070 (but for its 16 million rounds), RFC 7914 section 11; for SHA-384 and SHA-512, which no
 * RFC has, values that OpenSSL computed. */
static const struct {
    enum hash_id id;
    struct bytes passphrase, salt;
    uint32_t iterations;
    const char *key_hex;
} vectors[] = {
    {HASH_SHA1, BYTES_LIT("password"), BYTES_LIT("salt"), 1,
        "0c60c80f961f0e71f3a9b524af6012062fe037a6"},
    {HASH_SHA1, BYTES_LIT("password"), BYTES_LIT("salt"), 2,
        "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957"},
    {HASH_SHA1, BYTES_LIT("password"), BYTES_LIT("salt"), 4096,
        "4b007901b765489abead49d926f721d065a429c1"},
    {HASH_SHA1, BYTES_LIT("passwordPASSWORDpassword"),
        BYTES_LIT("saltSALTsaltSALTsaltSALTsaltSALTsalt"), 4096,
        "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038"},
    {HASH_SHA1, BYTES_LIT("pass\0word"), BYTES_LIT("sa\0lt"), 4096,
        "56fa6aa75548099dcc37d7f03425e0c3"},
    {HASH_SHA256, BYTES_LIT("passwd"), BYTES_LIT("salt"), 1,
        "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
        "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783"},
    {HASH_SHA256, BYTES_LIT("Password"), BYTES_LIT("NaCl"), 80000,
        "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"
        "a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d"},
    {HASH_SHA384, BYTES_LIT("passwd"), BYTES_LIT("salt"), 3,
        "5329c1b022a728be4534cd3cfd55bc3877f3ec1dedb0ca643e65dd641e107e99"
        "6fc728646002d0ba"},
    {HASH_SHA512, BYTES_LIT("passwd"), BYTES_LIT("salt"), 3,
        "2ad6a1074a28addf332db771afaa5928b0bebc600f287167c366a1d730f8835f"
        "94e70d2d478279cdc0dae70e154cc5fb0442760e84694adb85f6aa1db4e7807c"
        "1686b79e5ff860059abe3ca7bfde057bfed883537f964a806b4d2fc9f8773908"
        "2f247df9"},
};

static void pbkdf2_gives_the_published_keys(void)
{
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        uint8_t want[128], key[128];
        size_t n = unit_hex(vectors[i].key_hex, want, sizeof want);
        memset(key, 0xa5, sizeof key);
        pbkdf2(
            vectors[i].id, vectors[i].passphrase, vectors[i].salt, vectors[i].iterations, key, n);
        CU_ASSERT_EQUAL(memcmp(key, want, n), 0);
        CU_ASSERT_EQUAL(key[n], 0xa5); /* not a byte more */
    }
}

/* As `openssl enc -aes-256-cbc -md md5 -P` prints it. Every length is a prefix of the longest. */
static void the_old_way_gives_openssl_s_keys(void)
{
    static const uint8_t salt[PBKDF_MD5_SALT_BYTES] = {1, 2, 3, 4, 5, 6, 7, 8};
    uint8_t want[32], key[33];
    unit_hex("bcf8d941d9291141709c9d56360eb7148e3960ab3dc44d832c4028568545c91d", want, 32);
    for (size_t n = 0; n <= 32; n++) {
        memset(key, 0xa5, sizeof key);
        pbkdf_md5(BYTES_LIT("correct horse"), salt, key, n);
        CU_ASSERT_TRUE(memcmp(key, want, n) == 0 && key[n] == 0xa5);
    }
}

/* NIST SP 800-38A section F.2 for AES; SP 800-67 appendix B.1 for triple DES, a block at a time,
 * as its example has no chaining. */
static const struct {
    const char *name, *key, *iv, *cipher, *plain;
} blocks[] = {
    {"aes128-cbc", "2b7e151628aed2a6abf7158809cf4f3c", "000102030405060708090a0b0c0d0e0f",
        "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
        "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7",
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
        "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"},
    {"aes192-cbc", "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
        "000102030405060708090a0b0c0d0e0f",
        "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a"
        "571b242012fb7ae07fa9baac3df102e008b0e27988598881d920a9e64f5615cd",
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
        "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"},
    {"aes256-cbc", "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
        "000102030405060708090a0b0c0d0e0f",
        "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d"
        "39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b",
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
        "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"},
    {"3des-cbc", "0123456789abcdef23456789abcdef01456789abcdef0123", "0000000000000000",
        "a826fd8ce53b855f", "5468652071756663"},
    {"3des-cbc", "0123456789abcdef23456789abcdef01456789abcdef0123", "0000000000000000",
        "cce21c8112256fe6", "6b2062726f776e20"},
    {"3des-cbc", "0123456789abcdef23456789abcdef01456789abcdef0123", "a826fd8ce53b855f",
        "68d5c05dd9b6b900", "ce4985ac8f4ee82f"}, /* "fox jump", exclusive or with the IV */
};

static void cbc_gives_the_published_plain_text(void)
{
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        uint8_t key[CBC_KEY_MAX], iv[CBC_BLOCK_MAX], text[64], want[64];
        const struct cbc_cipher *c = cbc_find_ssh(bytes_of(blocks[i].name));
        CU_ASSERT_PTR_NOT_NULL_FATAL(c);
        CU_ASSERT_EQUAL_FATAL(unit_hex(blocks[i].key, key, sizeof key), c->key_bytes);
        CU_ASSERT_EQUAL_FATAL(unit_hex(blocks[i].iv, iv, sizeof iv), c->block_bytes);
        size_t n = unit_hex(blocks[i].cipher, text, sizeof text);
        CU_ASSERT_EQUAL(unit_hex(blocks[i].plain, want, sizeof want), n);
        cbc_decrypt(c, key, iv, text, n);
        CU_ASSERT_EQUAL(memcmp(text, want, n), 0);
    }
}

static void a_cipher_is_found_under_each_of_its_names(void)
{
    const struct cbc_cipher *c = cbc_find_ssh(BYTES_LIT("aes192-cbc"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_PTR_EQUAL(cbc_find_pem(BYTES_LIT("AES-192-CBC")), c);
    CU_ASSERT_PTR_EQUAL(cbc_find_oid(BYTES_LIT("\x60\x86\x48\x01\x65\x03\x04\x01\x16")), c);
    CU_ASSERT_PTR_NULL(cbc_find_ssh(BYTES_LIT("AES-192-CBC")));
    CU_ASSERT_PTR_NULL(cbc_find_pem(BYTES_LIT("aes192-cbc")));
    CU_ASSERT_PTR_NULL(cbc_find_oid(BYTES_LIT("\x60\x86\x48\x01\x65\x03\x04\x01")));
}

static const struct unit_test tests[] = {
    UNIT(pbkdf2_gives_the_published_keys),
    UNIT(the_old_way_gives_openssl_s_keys),
    UNIT(cbc_gives_the_published_plain_text),
    UNIT(a_cipher_is_found_under_each_of_its_names),
};

UNIT_MAIN("pbkdf", tests)
