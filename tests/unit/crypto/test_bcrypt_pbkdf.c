/* bcrypt_pbkdf against OpenBSD's regression vectors, and key files that were locked with it. */
#include "crypto/bcrypt_pbkdf.h"

#include <string.h>

#include "crypto/blowfish.h"
#include "crypto/key.h"
#include "crypto/key_decrypt.h"
#include "tests/unit/crypto/sample_keys.h"
#include "tests/unit/unit.h"

static const struct {
    const char *passphrase_hex, *salt_hex;
    uint32_t rounds;
    const char *key_hex;
} vectors[] = {
    {"70617373776f7264", "73616c74", 4,
        "5bbf0cc293587f1c3635555c27796598d47e579071bf427e9d8fbe842aba34d9"},
    {"70617373776f7264", "00", 4, "c12b566235eee04c212598970a579a67"},
    {"00", "73616c74", 4, "6051be18c2f4f82cbf0efee5471b4bb9"},
    {"70617373776f726400", "73616c7400", 4,
        "7410e44cf4fa07bfaac8a928b1727fac001375e7bf7384370f48efd121743050"},
    {"7061737300776f72", "7361006c", 4, "c2bffd9db38f6569efef4372f4de83c0"},
    {"7061737300776f7264", "7361006c74", 4, "4ba4ac3925c0e8d7f0cdb6bb1684a56f"},
    {"70617373776f7264", "73616c74", 8,
        "e1367ec5151a33faac4cc1c144cd23fa15d5548493ecc99b9b5d9c0d3b27bec7"
        "6227ea66088b849b20ab7aa478010246e74bba51723fefa9f9474d6508845e8d"},
    {"70617373776f7264", "73616c74", 42, "833cf0dcf56db65608e8f0dc0ce882bd"},
};

/* Schneier's vectors.txt; a key of 8 equal bytes repeated is 64 equal bytes. */
static void blowfish_gives_the_published_values(void)
{
    static const uint32_t cases[][4] = {
        {0x00, 0x00000000, 0x4ef99745, 0x6198dd78},
        {0xff, 0xffffffff, 0x51866fd5, 0xb85ecb8a},
    };
    for (size_t i = 0; i < 2; i++) {
        struct blowfish b = blowfish_pi;
        uint8_t key[BLOWFISH_KEY_BYTES];
        uint32_t block[2] = {cases[i][1], cases[i][1]};
        memset(key, (int)cases[i][0], sizeof key);
        blowfish_expand(&b, NULL, key);
        blowfish_encrypt(&b, block);
        CU_ASSERT_TRUE(block[0] == cases[i][2] && block[1] == cases[i][3]);
    }
}

static void it_gives_the_published_keys(void)
{
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        uint8_t passphrase[16], salt[16], want[64], key[64];
        struct bytes p = {passphrase, unit_hex(vectors[i].passphrase_hex, passphrase, 16)};
        struct bytes s = {salt, unit_hex(vectors[i].salt_hex, salt, 16)};
        size_t n = unit_hex(vectors[i].key_hex, want, sizeof want);
        bcrypt_pbkdf(p, s, vectors[i].rounds, key, n);
        CU_ASSERT_EQUAL(memcmp(key, want, n), 0);
    }
}

static void no_byte_is_written_behind_the_key(void)
{
    uint8_t room[80];
    for (size_t n = 1; n < 70; n += 3) {
        memset(room, 0xa5, sizeof room);
        bcrypt_pbkdf(BYTES_LIT("p"), BYTES_LIT("s"), 1, room, n);
        for (size_t i = n; i < sizeof room; i++)
            CU_ASSERT_EQUAL(room[i], 0xa5);
    }
}

/* Up to 32 bytes there is one block, so keys are prefixes; from 33 on bytes are dealt out. */
static void keys_of_several_blocks_are_interleaved(void)
{
    uint8_t a[32], b[48], c[33];
    struct bytes p = BYTES_LIT("password"), s = BYTES_LIT("salt");
    bcrypt_pbkdf(p, s, 1, a, sizeof a);
    bcrypt_pbkdf(p, s, 1, b, sizeof b);
    bcrypt_pbkdf(p, s, 1, c, sizeof c);
    for (size_t i = 0; i < 24; i++)
        CU_ASSERT_EQUAL(b[2 * i], a[i]);
    CU_ASSERT_EQUAL(memcmp(b, c, sizeof c), 0);
}

/* ---- key files ----------------------------------------------------------------------------- */

static const struct {
    const char *file, *public, *comment;
} locked[] = {
    {sample_locked_file, sample_locked_public, "locked"},
    {sample_locked_cbc_file, sample_locked_cbc_public, "locked the old way"},
};

static enum key_file_status parse(struct bytes file, const char *passphrase, struct private_key **k)
{
    const char *why;
    enum key_file_status s = private_key_parse(file, bytes_of(passphrase), k, &why);
    CU_ASSERT_EQUAL(s == KEY_FILE_OK, why[0] == '\0');
    CU_ASSERT_EQUAL(s == KEY_FILE_OK, *k != NULL);
    return s;
}

static void locked_files_open_with_their_passphrase_only(void)
{
    for (size_t i = 0; i < 2; i++) {
        struct private_key *k;
        uint8_t blob[64];
        size_t n;
        struct bytes file = bytes_of(locked[i].file);
        CU_ASSERT_EQUAL(parse(file, "", &k), KEY_FILE_ENCRYPTED);
        CU_ASSERT_EQUAL(parse(file, "Correct horse", &k), KEY_FILE_WRONG_PASSPHRASE);
        CU_ASSERT_EQUAL(parse(file, "correct horse ", &k), KEY_FILE_WRONG_PASSPHRASE);
        CU_ASSERT_EQUAL_FATAL(parse(file, "correct horse", &k), KEY_FILE_OK);
        CU_ASSERT_EQUAL(key_from_base64(BYTES_LIT("ssh-ed25519"), bytes_of(locked[i].public), blob,
                            sizeof blob, &n),
            ERR_OK);
        CU_ASSERT_TRUE(bytes_equal(private_key_blob(k), (struct bytes){blob, n}));
        CU_ASSERT_STRING_EQUAL(private_key_comment(k), locked[i].comment);
        private_key_free(k);
    }
}

/* The middle of the file's encrypted part: the key, not the check words. */
static void damage_inside_a_locked_file_is_refused(void)
{
    char text[1024];
    struct private_key *k;
    size_t n = strlen(sample_locked_cbc_file);
    memcpy(text, sample_locked_cbc_file, n);
    char *at = strstr(text, "\n-----END") - 90;
    *at = *at == 'A' ? 'B' : 'A';
    CU_ASSERT_EQUAL(parse((struct bytes){(uint8_t *)text, n}, "correct horse", &k), KEY_FILE_BAD);
}

/* ---- settings ------------------------------------------------------------------------------ */

static void settings_with_tag(const char *cipher, const char *kdf, struct bytes options,
    size_t section_n, size_t tag_n, enum key_file_status want)
{
    uint8_t raw[64] = {0};
    struct key_job j = {.raw = raw, .n = sizeof raw, .passphrase = BYTES_LIT("x"), .why = ""};
    enum key_file_status got = key_decrypt(&j, bytes_of(cipher), bytes_of(kdf), options,
        (struct bytes){raw, section_n}, (struct bytes){raw + section_n, tag_n});
    CU_ASSERT_EQUAL(got, want);
    CU_ASSERT_EQUAL(got == KEY_FILE_OK, j.why[0] == '\0');
}

static void settings(const char *cipher, const char *kdf, struct bytes options, size_t section_n,
    enum key_file_status want)
{
    settings_with_tag(cipher, kdf, options, section_n, 0, want);
}

/* Every cipher that makes a tag needs its 16 bytes, and no other cipher has any. */
static void a_tag_stands_behind_the_section_where_one_belongs(void)
{
    struct bytes good = BYTES_LIT("\0\0\0\4salt\0\0\0\1");
    static const char *const names[] = {
        "aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com"};
    for (size_t i = 0; i < 3; i++) {
        settings_with_tag(names[i], "bcrypt", good, 48, 16, KEY_FILE_WRONG_PASSPHRASE);
        settings_with_tag(names[i], "bcrypt", good, 48, 15, KEY_FILE_BAD);
        settings_with_tag(names[i], "bcrypt", good, 40, 17, KEY_FILE_BAD);
        settings_with_tag(names[i], "bcrypt", good, 48, 0, KEY_FILE_BAD);
    }
    settings_with_tag("aes256-ctr", "bcrypt", good, 48, 16, KEY_FILE_BAD);
    settings_with_tag("aes256-cbc", "bcrypt", good, 48, 1, KEY_FILE_BAD);
}

static void bad_encryption_settings_are_refused(void)
{
    struct bytes good = BYTES_LIT("\0\0\0\4salt\0\0\0\1");
    static const char *const names[] = {
        "aes128-ctr", "aes192-ctr", "aes256-ctr", "aes128-cbc", "aes192-cbc", "aes256-cbc"};
    for (size_t i = 0; i < 6; i++)
        settings(names[i], "bcrypt", good, 48, KEY_FILE_OK);
    settings("3des-cbc", "bcrypt", good, 40, KEY_FILE_OK);
    settings("arcfour", "bcrypt", good, 48, KEY_FILE_UNSUPPORTED);
    settings("none", "bcrypt", good, 48, KEY_FILE_UNSUPPORTED);
    settings("aes256-ctr", "none", good, 48, KEY_FILE_UNSUPPORTED);
    settings("aes256-ctr", "bcrypt", good, 47, KEY_FILE_BAD);
    settings("aes256-ctr", "bcrypt", good, 0, KEY_FILE_BAD);
    for (size_t n = 0; n < good.n; n++)
        settings("aes256-ctr", "bcrypt", (struct bytes){good.p, n}, 48, KEY_FILE_BAD);
    settings("aes256-ctr", "bcrypt", BYTES_LIT("\0\0\0\0\0\0\0\1"), 48, KEY_FILE_BAD);
    settings("aes256-ctr", "bcrypt", BYTES_LIT("\0\0\0\1s\0\0\0\0"), 48, KEY_FILE_BAD);
    settings("aes256-ctr", "bcrypt", BYTES_LIT("\0\0\0\1s\0\0\x10\1"), 48,
        KEY_FILE_UNSUPPORTED); /* 4097 rounds */
    settings(
        "aes256-ctr", "bcrypt", BYTES_LIT("\0\0\0\1s\xff\xff\xff\xff"), 48, KEY_FILE_UNSUPPORTED);
}

static const struct unit_test tests[] = {
    UNIT(blowfish_gives_the_published_values),
    UNIT(it_gives_the_published_keys),
    UNIT(keys_of_several_blocks_are_interleaved),
    UNIT(no_byte_is_written_behind_the_key),
    UNIT(locked_files_open_with_their_passphrase_only),
    UNIT(damage_inside_a_locked_file_is_refused),
    UNIT(a_tag_stands_behind_the_section_where_one_belongs),
    UNIT(bad_encryption_settings_are_refused),
};

int main(void)
{
    return crypto_init() ? unit_main("bcrypt_pbkdf", tests, sizeof tests / sizeof tests[0]) : 2;
}
