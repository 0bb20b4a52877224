/* Private keys in PEM, and locked ones of every kind: read, refused by name, damaged at every byte.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/key.h"
#include "tests/unit/crypto/sample_keys.h"
#include "tests/unit/crypto/sample_pem_keys.h"
#include "tests/unit/unit.h"

static const char passphrase[] = "correct horse";

/* Every file that is read; same is its key in OpenSSH's format, unlocked. */
static const struct sample {
    const char *file, *same;
    bool is_locked, has_tag;
} samples[] = {
    {sample_pkcs1_rsa, sample_rsa_file, false, false},
    {sample_pkcs8_rsa, sample_rsa_file, false, false},
    {sample_sec1_p256, sample_p256_file, false, false},
    {sample_pkcs8_p256, sample_p256_file, false, false},
    {sample_sec1_p384, sample_p384_file, false, false},
    {sample_pkcs8_p384, sample_p384_file, false, false},
    {sample_sec1_p521, sample_p521_file, false, false},
    {sample_pkcs8_p521, sample_p521_file, false, false},
    {sample_pkcs8_ed25519, sample_ed25519_file, false, false},
    {sample_sec1_compressed, sample_p256_file, false, false},
    {sample_sec1_no_public, sample_p256_file, false, false},
    {sample_pbes2_aes256_sha256, sample_ed25519_file, true, false},
    {sample_pbes2_aes192_sha384, sample_ed25519_file, true, false},
    {sample_pbes2_aes128_sha1, sample_ed25519_file, true, false},
    {sample_pbes2_aes256_sha512, sample_ed25519_file, true, false},
    {sample_pbes2_3des_sha1, sample_ed25519_file, true, false},
    {sample_dek_aes128, sample_p256_file, true, false},
    {sample_dek_aes192, sample_p256_file, true, false},
    {sample_dek_aes256, sample_p256_file, true, false},
    {sample_dek_des3, sample_p256_file, true, false},
    {sample_openssh_3des, sample_ed25519_file, true, false},
    {sample_openssh_aes128_ctr, sample_ed25519_file, true, false},
    {sample_openssh_aes192_cbc, sample_ed25519_file, true, false},
    {sample_openssh_aes128_gcm, sample_ed25519_file, true, true},
    {sample_openssh_aes256_gcm, sample_ed25519_file, true, true},
    {sample_openssh_chapoly, sample_ed25519_file, true, true},
};
enum { N_SAMPLES = sizeof samples / sizeof samples[0] };

static const struct bytes nothing = {NULL, 0};

static enum key_file_status parse(struct bytes file, struct bytes words, struct private_key **k)
{
    const char *why = NULL;
    enum key_file_status s = private_key_parse(file, words, k, &why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(why);
    CU_ASSERT_EQUAL(s == KEY_FILE_OK, *k != NULL);
    CU_ASSERT_EQUAL(s == KEY_FILE_OK, why[0] == '\0');
    return s;
}

static struct bytes words_for(const struct sample *s)
{
    return s->is_locked ? bytes_of(passphrase) : nothing;
}

/* What a key signs, its own public half verifies; or nothing comes out. */
static void check_signature(const struct private_key *k, bool must_sign)
{
    uint8_t out[KEY_SIGNATURE_MAX];
    size_t n;
    const char *names = private_key_algorithms(k);
    struct bytes alg = {(const uint8_t *)names, strcspn(names, ",")};
    enum err e = private_key_sign(k, alg, BYTES_LIT("sample"), out, &n);
    CU_ASSERT_TRUE(e == ERR_OK || !must_sign);
    if (e == ERR_OK)
        CU_ASSERT_EQUAL(
            key_verify(private_key_blob(k), alg, (struct bytes){out, n}, BYTES_LIT("sample")),
            ERR_OK);
}

static void every_format_gives_the_same_key(void)
{
    for (size_t i = 0; i < N_SAMPLES; i++) {
        struct private_key *k, *same;
        CU_ASSERT_EQUAL_FATAL(parse(bytes_of(samples[i].same), nothing, &same), KEY_FILE_OK);
        CU_ASSERT_EQUAL_FATAL(
            parse(bytes_of(samples[i].file), words_for(&samples[i]), &k), KEY_FILE_OK);
        CU_ASSERT_TRUE(bytes_equal(private_key_blob(k), private_key_blob(same)));
        check_signature(k, true);
        private_key_free(k);
        private_key_free(same);
    }
}

static void locked_files_open_with_their_passphrase_only(void)
{
    static const char *const wrong[] = {"Correct horse", "correct horse ", "c", "correct hors"};
    for (size_t i = 0; i < N_SAMPLES; i++) {
        struct bytes file = bytes_of(samples[i].file);
        struct private_key *k;
        if (!samples[i].is_locked)
            continue;
        CU_ASSERT_EQUAL(parse(file, nothing, &k), KEY_FILE_ENCRYPTED);
        for (size_t j = 0; j < sizeof wrong / sizeof wrong[0]; j++)
            CU_ASSERT_EQUAL(parse(file, bytes_of(wrong[j]), &k), KEY_FILE_WRONG_PASSPHRASE);
    }
}

/* Padding that fits by chance (once in 256 times) must not make a wrong passphrase a right one. */
static void no_wrong_passphrase_opens_a_file_without_a_tag(void)
{
    static const char *const files[] = {sample_dek_aes256, sample_pbes2_aes128_sha1};
    for (size_t i = 0; i < 2; i++)
        for (unsigned n = 0; n < 2000; n++) {
            char words[16];
            struct private_key *k;
            snprintf(words, sizeof words, "%u", n);
            CU_ASSERT_EQUAL(
                parse(bytes_of(files[i]), bytes_of(words), &k), KEY_FILE_WRONG_PASSPHRASE);
        }
}

static void what_is_not_read_is_named(void)
{
    static const struct {
        const char *file, *why;
    } refused[] = {
        {sample_refused_scrypt, "scrypt"},
        {sample_refused_camellia, "Camellia"},
        {sample_refused_aes_cfb, "another mode than CBC"},
        {sample_refused_sha224, "SHA-224"},
        {sample_refused_iterations, "more than 10000000 iterations"},
        {sample_refused_pkcs12, "PKCS #12"},
        {sample_refused_secp256k1, "curve that SSH does not use"},
        {sample_refused_explicit, "curve spelled out"},
        {sample_refused_rsa1024, "fewer than 2048 bits"},
        {sample_refused_ed448, "Ed448"},
        {sample_refused_x25519, "X25519"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct private_key *k;
        const char *why;
        CU_ASSERT_EQUAL(
            private_key_parse(bytes_of(refused[i].file), bytes_of(passphrase), &k, &why),
            KEY_FILE_UNSUPPORTED);
        CU_ASSERT_PTR_NULL(k);
        CU_ASSERT_PTR_NOT_NULL(strstr(why, refused[i].why));
    }
}

/* DER as hexadecimal digits, and a part of what is said about it. */
static void what_was_expected_is_named(void)
{
    static const struct {
        const char *label, *hex, *why;
    } files[] = {
        {"RSA PRIVATE KEY", "30", "an RSA key as a SEQUENCE"},
        {"RSA PRIVATE KEY", "3000", "the RSA key's version"},
        {"RSA PRIVATE KEY", "3003020101", "another version than 0"},
        {"RSA PRIVATE KEY", "3006 020100 020180", "RSA's modulus as a positive INTEGER"},
        {"RSA PRIVATE KEY", "3009 020100 020103 020100", "RSA's public exponent as a positive"},
        {"EC PRIVATE KEY", "3006 020100 040101", "version 1 of an EC key"},
        {"EC PRIVATE KEY", "3003 020101", "the EC key's secret number"},
        {"EC PRIVATE KEY", "3006 020101 040101", "the name of the EC key's curve"},
        {"EC PRIVATE KEY", "300a 020101 040101 a0020500", "the name of a curve"},
        {"EC PRIVATE KEY", "3012 020101 040100 a00a 06082a8648ce3d030107", "the curve's size"},
        {"PRIVATE KEY", "3003 020102", "version 0 or 1 of PKCS #8"},
        {"PRIVATE KEY", "3005 020100 3000", "the name of the key's algorithm"},
        {"PRIVATE KEY", "300a 020100 3005 06032b6570", "a key as an OCTET STRING"},
        {"PRIVATE KEY", "3010 020100 3005 06032b6570 0404 04020000", "an Ed25519 seed of 32 bytes"},
        {"PRIVATE KEY", "3012 020100 3007 06032b6570 0500 0404 04020000",
            "nothing more about the key's algorithm"},
        {"PRIVATE KEY", "3010 020100 3005 06032b6570 0404 04020000 00", "nothing behind the key"},
        {"ENCRYPTED PRIVATE KEY", "3000", "an algorithm as a SEQUENCE"},
        {"ENCRYPTED PRIVATE KEY", "300f 300b 06092a864886f70d01050d 0400", "PBES2's parameters"},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        uint8_t der[64];
        char text[512], b64[128];
        struct private_key *k;
        const char *why;
        size_t n = unit_hex(files[i].hex, der, sizeof der);
        sodium_bin2base64(b64, sizeof b64, der, n, sodium_base64_VARIANT_ORIGINAL);
        snprintf(text, sizeof text, "-----BEGIN %s-----\n%s\n-----END %s-----\n", files[i].label,
            b64, files[i].label);
        CU_ASSERT_NOT_EQUAL(private_key_parse(bytes_of(text), nothing, &k, &why), KEY_FILE_OK);
        CU_ASSERT_PTR_NOT_NULL(strstr(why, files[i].why));
    }
}

/* A modulus of 4104 bits, in clear text and among the numbers of a key. */
static void an_rsa_key_over_4096_bits_is_refused_by_its_size(void)
{
    uint8_t der[1024] = {0x30, 0x82, 0x02, 0x1d, 0x02, 0x01, 0x00, 0x02, 0x82, 0x02, 0x01};
    char text[2048], b64[1600];
    struct private_key *k;
    const char *why;
    size_t n = 11;
    memset(der + n, 0x7f, 513);
    for (n += 513; n < 4 + 0x21d; n += 3)
        memcpy(der + n, "\x02\x01\x03", 3);
    sodium_bin2base64(b64, sizeof b64, der, n, sodium_base64_VARIANT_ORIGINAL);
    snprintf(text, sizeof text,
        "-----BEGIN RSA PRIVATE KEY-----\n%s\n-----END RSA PRIVATE KEY-----\n", b64);
    CU_ASSERT_EQUAL(private_key_parse(bytes_of(text), nothing, &k, &why), KEY_FILE_UNSUPPORTED);
    CU_ASSERT_STRING_EQUAL(why, "RSA key of more than 4096 bits");
}

/* RFC 8410 section 10.3: without a public key, and with one and an attribute. */
static const char rfc8410_plain[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
    "-----END PRIVATE KEY-----\n";
static const char rfc8410_with_public[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
    "oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB\n"
    "Z9w7lshQhqowtrbLDFw4rXAxZuE=\n"
    "-----END PRIVATE KEY-----\n";

static void the_published_ed25519_keys_are_read(void)
{
    static const char *const files[] = {rfc8410_plain, rfc8410_with_public};
    uint8_t point[32];
    unit_hex("19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1", point, 32);
    for (size_t i = 0; i < 2; i++) {
        struct private_key *k;
        CU_ASSERT_EQUAL_FATAL(parse(bytes_of(files[i]), nothing, &k), KEY_FILE_OK);
        struct bytes blob = private_key_blob(k);
        CU_ASSERT_TRUE(blob.n == 51 && memcmp(blob.p + 19, point, 32) == 0);
        CU_ASSERT_STRING_EQUAL(private_key_comment(k), "");
        private_key_free(k);
    }
}

/* As `openssl ecparam -genkey` and `openssl pkcs12` write it. */
static void what_stands_in_front_of_a_key_is_passed_over(void)
{
    char text[1024];
    struct private_key *k;
    snprintf(text, sizeof text,
        "Bag Attributes\n    friendlyName: x\n-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
        "-----END EC PARAMETERS-----\r\n%s%s",
        sample_sec1_p256, sample_sec1_p384);
    CU_ASSERT_EQUAL_FATAL(parse(bytes_of(text), nothing, &k), KEY_FILE_OK);
    CU_ASSERT_EQUAL(key_bits(private_key_blob(k)), 256);
    private_key_free(k);
}

/* ---- damage in the text ---------------------------------------------------------------------- */

static void every_cut_file_is_refused(void)
{
    for (size_t i = 0; i < N_SAMPLES; i++) {
        size_t n = strlen(samples[i].file);
        for (size_t cut = 0; cut < n - 1; cut++) { /* the last byte is only a newline */
            char *copy = malloc(cut + 1);          /* the exact size, so that reading on is seen */
            CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
            memcpy(copy, samples[i].file, cut);
            struct private_key *k;
            struct bytes file = {(uint8_t *)copy, cut};
            CU_ASSERT_NOT_EQUAL(parse(file, words_for(&samples[i]), &k), KEY_FILE_OK);
            free(copy);
        }
    }
}

static void headers_must_be_whole(void)
{
    static const char *const headers[] = {
        "Proc-Type: 4,ENCRYPTED\n\n",
        "DEK-Info: AES-128-CBC,00000000000000000000000000000000\n\n",
        "Proc-Type: 4,MIC-ONLY\nDEK-Info: AES-128-CBC,00000000000000000000000000000000\n\n",
        "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC\n\n",
        "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0000000000000000000000000000000\n\n",
        "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0000000000000000000000000000000000\n\n",
        "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0000000000000000\n\n",
        "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,zz000000000000000000000000000000\n\n",
        "Proc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,00000000000000000000000000000000\n\n",
    };
    static const char good[] =
        "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00000000000000000000000000000000\n\n";
    static const char des[] = "Proc-Type: 4,ENCRYPTED\nDEK-Info: DES-CBC,0000000000000000\n\n";
    const char *body = strstr(sample_dek_aes128, "\n\n") + 2;
    char text[1024];
    struct private_key *k;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        snprintf(text, sizeof text, "-----BEGIN EC PRIVATE KEY-----\n%s%s", headers[i], body);
        CU_ASSERT_EQUAL(parse(bytes_of(text), bytes_of(passphrase), &k), KEY_FILE_BAD);
    }
    snprintf(text, sizeof text, "-----BEGIN EC PRIVATE KEY-----\n%s%s", good, body);
    CU_ASSERT_EQUAL(parse(bytes_of(text), nothing, &k), KEY_FILE_ENCRYPTED);
    CU_ASSERT_EQUAL(parse(bytes_of(text), bytes_of(passphrase), &k), KEY_FILE_WRONG_PASSPHRASE);
    snprintf(text, sizeof text, "-----BEGIN EC PRIVATE KEY-----\n%s%s", des, body);
    CU_ASSERT_EQUAL(parse(bytes_of(text), nothing, &k), KEY_FILE_UNSUPPORTED);
}

/* libsodium's decoder takes 0xcc for '/'; strrchr() finds one behind all headers. */
static void a_file_s_digits_are_of_ascii(void)
{
    size_t n_tried = 0;
    for (size_t i = 0; i < N_SAMPLES; i++) {
        static char text[4096];
        struct private_key *k;
        snprintf(text, sizeof text, "%s", samples[i].file);
        char *at = strrchr(text, '/');
        if (at == NULL || strchr(at, '-') == NULL)
            continue;
        *at = (char)0xcc;
        n_tried++;
        CU_ASSERT_EQUAL(parse(bytes_of(text), bytes_of(passphrase), &k), KEY_FILE_BAD);
    }
    CU_ASSERT_TRUE(n_tried > N_SAMPLES / 2);
}

/* ---- damage under the base64 ----------------------------------------------------------------- */

static uint8_t raw[4096]; /* a file as its base64 holds it */

struct wrapping {
    char head[160], tail[64]; /* what stands around the base64 */
};

static size_t unwrap(const char *text, struct wrapping *w)
{
    const char *from = strstr(text, "\n\n"), *to = strstr(text, "-----END");
    from = from != NULL ? from + 2 : strchr(text, '\n') + 1;
    size_t n;
    CU_ASSERT_EQUAL_FATAL(sodium_base642bin(raw, sizeof raw, from, (size_t)(to - from), "\n", &n,
                              NULL, sodium_base64_VARIANT_ORIGINAL),
        0);
    snprintf(w->head, sizeof w->head, "%.*s", (int)(from - text), text);
    snprintf(w->tail, sizeof w->tail, "\n%s", to);
    return n;
}

static enum key_file_status parse_raw(
    const struct wrapping *w, size_t n, struct bytes words, struct private_key **k)
{
    static char text[8192];
    size_t at = (size_t)snprintf(text, sizeof text, "%s", w->head);
    sodium_bin2base64(text + at, sizeof text - at, raw, n, sodium_base64_VARIANT_ORIGINAL);
    at += strlen(text + at);
    snprintf(text + at, sizeof text - at, "%s", w->tail);
    return parse(bytes_of(text), words, k);
}

static void every_cut_below_the_base64_is_refused(void)
{
    for (size_t i = 0; i < N_SAMPLES; i++) {
        struct wrapping w;
        size_t n = unwrap(samples[i].file, &w);
        struct private_key *k;
        for (size_t cut = 0; cut < n; cut++)
            CU_ASSERT_NOT_EQUAL(parse_raw(&w, cut, words_for(&samples[i]), &k), KEY_FILE_OK);
        raw[n] = 8; /* one byte too many */
        CU_ASSERT_NOT_EQUAL(parse_raw(&w, n + 1, words_for(&samples[i]), &k), KEY_FILE_OK);
    }
}

/* Where the count of bcrypt's rounds stands: behind the salt, and in front of the number of keys
 * (1) and a public blob of 51 bytes. Damage there costs time and nothing else. 0: no such count. */
static size_t rounds_at(size_t n)
{
    static const uint8_t behind[] = {0, 0, 0, 1, 0, 0, 0, 51};
    for (size_t at = 4; at + sizeof behind < n; at++)
        if (memcmp(raw + at, behind, sizeof behind) == 0)
            return at - 4;
    return 0;
}

/* A file without a tag may well be another good key when a byte of it has changed; what it then
 * signs must verify. With a tag, or with its public half inside, it is refused. */
static void flip(
    const struct sample *s, const struct wrapping *w, size_t n, size_t bit, bool is_to_sign)
{
    struct private_key *k;
    raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
    enum key_file_status status = parse_raw(w, n, words_for(s), &k);
    CU_ASSERT_TRUE(status != KEY_FILE_OK || !s->has_tag);
    if (k != NULL && is_to_sign)
        check_signature(k, false);
    private_key_free(k);
    raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
}

/* One bit of every byte; of OpenSSH's locked files, each of which costs a round of bcrypt, of every
 * seventh. */
static void a_flipped_bit_in_every_byte_has_a_clean_end(void)
{
    for (size_t i = 0; i < N_SAMPLES; i++) {
        struct wrapping w;
        size_t n = unwrap(samples[i].file, &w);
        size_t rounds = strstr(w.head, "OPENSSH") != NULL ? rounds_at(n) : 0;
        for (size_t at = rounds != 0 ? i % 7 : 0; at < n; at += rounds != 0 ? 7 : 1)
            if (rounds == 0 || at < rounds || at >= rounds + 4)
                flip(&samples[i], &w, n, at * 8 + (at + i) % 8, n < 150 || at % 16 == 5);
    }
}

/* The public point in these files is checked against the secret number, byte by byte. */
static void a_public_half_of_another_key_is_refused(void)
{
    static const struct {
        const char *file;
        size_t point; /* its bytes stand at the end */
    } files[] = {{rfc8410_with_public, 32}, {sample_sec1_p256, 65}, {sample_pkcs8_p384, 97},
        {sample_sec1_p521, 133}, {sample_sec1_compressed, 33}};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct wrapping w;
        size_t n = unwrap(files[i].file, &w);
        for (size_t at = n - files[i].point; at < n; at += 7) {
            struct private_key *k;
            raw[at] ^= 1;
            CU_ASSERT_EQUAL(parse_raw(&w, n, nothing, &k), KEY_FILE_BAD);
            raw[at] ^= 1;
        }
    }
}

/* A changed bit in the last block but one changes the same bit of the padding, and turns the seed's
 * second half into another that would do as well. */
static void padding_must_be_right_to_its_first_byte(void)
{
    struct wrapping w;
    size_t n = unwrap(sample_pbes2_aes256_sha256, &w);
    for (size_t at = n - 32; at < n - 16; at++) {
        struct private_key *k;
        raw[at] ^= 1;
        CU_ASSERT_EQUAL(parse_raw(&w, n, bytes_of(passphrase), &k), KEY_FILE_WRONG_PASSPHRASE);
        private_key_free(k);
        raw[at] ^= 1;
    }
}

static const struct unit_test tests[] = {
    UNIT(every_format_gives_the_same_key),
    UNIT(locked_files_open_with_their_passphrase_only),
    UNIT(no_wrong_passphrase_opens_a_file_without_a_tag),
    UNIT(what_is_not_read_is_named),
    UNIT(what_was_expected_is_named),
    UNIT(an_rsa_key_over_4096_bits_is_refused_by_its_size),
    UNIT(the_published_ed25519_keys_are_read),
    UNIT(what_stands_in_front_of_a_key_is_passed_over),
    UNIT(every_cut_file_is_refused),
    UNIT(headers_must_be_whole),
    UNIT(a_file_s_digits_are_of_ascii),
    UNIT(every_cut_below_the_base64_is_refused),
    UNIT(a_flipped_bit_in_every_byte_has_a_clean_end),
    UNIT(padding_must_be_right_to_its_first_byte),
    UNIT(a_public_half_of_another_key_is_refused),
};

int main(void)
{
    return crypto_init() ? unit_main("key_formats", tests, sizeof tests / sizeof tests[0]) : 2;
}
