/* Private keys: files as ssh-keygen writes them, damage of every kind, signing, writing. */
#include "crypto/key.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/namelist.h"
#include "tests/unit/crypto/sample_keys.h"
#include "tests/unit/unit.h"

enum { MOST = 3 }; /* algorithms of a key */

static const struct sample {
    const char *file, *type, *public, *comment;
    const char *algorithms[MOST], *signatures[MOST];
} samples[] = {
    {sample_ed25519_file, "ssh-ed25519", sample_ed25519_public, "throw-away ed25519 256",
        {"ssh-ed25519", NULL}, {sample_ed25519_signature, NULL}},
    {sample_p256_file, "ecdsa-sha2-nistp256", sample_p256_public, "throw-away ecdsa 256",
        {"ecdsa-sha2-nistp256", NULL}, {sample_p256_signature, NULL}},
    {sample_p384_file, "ecdsa-sha2-nistp384", sample_p384_public, "throw-away ecdsa 384",
        {"ecdsa-sha2-nistp384", NULL}, {sample_p384_signature, NULL}},
    {sample_p521_file, "ecdsa-sha2-nistp521", sample_p521_public, "throw-away ecdsa 521",
        {"ecdsa-sha2-nistp521", NULL}, {sample_p521_signature, NULL}},
    {sample_rsa_file, "ssh-rsa", sample_rsa_public, "throw-away rsa 2048",
        {"rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"},
        {sample_rsa_signature_512, sample_rsa_signature_256, sample_rsa_signature_sha1}},
};
enum { N_SAMPLES = sizeof samples / sizeof samples[0] };

static const struct bytes no_passphrase = {NULL, 0};

static enum key_file_status parse(struct bytes file, struct private_key **k)
{
    const char *why = NULL;
    enum key_file_status s = private_key_parse(file, no_passphrase, k, &why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(why);
    CU_ASSERT_EQUAL(s == KEY_FILE_OK, *k != NULL);
    CU_ASSERT_TRUE(s == KEY_FILE_OK || why[0] != '\0');
    return s;
}

static struct private_key *parse_good(const char *text)
{
    struct private_key *k;
    CU_ASSERT_EQUAL_FATAL(parse(bytes_of(text), &k), KEY_FILE_OK);
    return k;
}

static void files_of_every_type_are_read(void)
{
    for (size_t i = 0; i < N_SAMPLES; i++) {
        struct private_key *k = parse_good(samples[i].file);
        uint8_t blob[KEY_BLOB_MAX];
        size_t n;
        CU_ASSERT_EQUAL_FATAL(key_from_base64(bytes_of(samples[i].type),
                                  bytes_of(samples[i].public), blob, sizeof blob, &n),
            ERR_OK);
        CU_ASSERT_TRUE(bytes_equal(private_key_blob(k), (struct bytes){blob, n}));
        CU_ASSERT_STRING_EQUAL(private_key_comment(k), samples[i].comment);
        CU_ASSERT_TRUE(
            namelist_has_cstr(bytes_of(private_key_algorithms(k)), samples[i].algorithms[0]));
        private_key_free(k);
    }
    private_key_free(NULL);
}

/* All of these signatures are deterministic, so ours must be the very same bytes. */
static void signatures_are_those_another_implementation_makes(void)
{
    for (size_t i = 0; i < N_SAMPLES; i++) {
        struct private_key *k = parse_good(samples[i].file);
        for (size_t j = 0; j < MOST && samples[i].algorithms[j] != NULL; j++) {
            struct key_sk_facts facts;
            uint8_t want[KEY_SIGNATURE_MAX], made[KEY_SIGNATURE_MAX];
            size_t want_n = unit_hex(samples[i].signatures[j], want, sizeof want), n;
            struct bytes alg = bytes_of(samples[i].algorithms[j]);
            CU_ASSERT_EQUAL(private_key_sign(k, alg, BYTES_LIT("sample"), made, &n), ERR_OK);
            CU_ASSERT_TRUE(n == want_n && memcmp(made, want, n) == 0);
            CU_ASSERT_EQUAL(key_verify_named(private_key_blob(k), alg, (struct bytes){made, n},
                                BYTES_LIT("sample"), &facts),
                ERR_OK);
        }
        private_key_free(k);
    }
}

static void a_key_signs_with_its_own_algorithms_only(void)
{
    static const char *const others[] = {
        "ssh-rsa-cert-v01@openssh.com", "ssh-dss", "", "rsa-sha2-1"};
    uint8_t out[KEY_SIGNATURE_MAX];
    for (size_t i = 0; i < N_SAMPLES; i++) {
        struct private_key *k = parse_good(samples[i].file);
        size_t n = 1;
        for (size_t j = 0; j < 4; j++)
            CU_ASSERT_EQUAL(
                private_key_sign(k, bytes_of(others[j]), no_passphrase, out, &n), ERR_UNSUPPORTED);
        const char *next = samples[(i + 1) % N_SAMPLES].algorithms[0];
        CU_ASSERT_EQUAL(
            private_key_sign(k, bytes_of(next), no_passphrase, out, &n), ERR_UNSUPPORTED);
        CU_ASSERT_EQUAL(n, 0);
        private_key_free(k);
    }
}

static void every_cut_file_is_refused(void)
{
    for (size_t i = 0; i < N_SAMPLES; i++) {
        size_t n = strlen(samples[i].file);
        for (size_t cut = 0; cut < n - 1; cut++) { /* the last byte is only a newline */
            char *copy = malloc(cut + 1);          /* the exact size, so that reading on is seen */
            CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
            memcpy(copy, samples[i].file, cut);
            struct private_key *k;
            CU_ASSERT_NOT_EQUAL(parse((struct bytes){(uint8_t *)copy, cut}, &k), KEY_FILE_OK);
            free(copy);
        }
    }
}

/* Text damage: a status is all that is asked for, and no signature from a key that is not whole. */
static void flip_text(const struct sample *s, size_t at, int mask)
{
    static uint8_t copy[8192];
    size_t n = strlen(s->file);
    memcpy(copy, s->file, n);
    copy[at] ^= (uint8_t)mask;
    struct private_key *k;
    if (parse((struct bytes){copy, n}, &k) != KEY_FILE_OK)
        return;
    uint8_t out[KEY_SIGNATURE_MAX];
    size_t out_n;
    struct bytes alg = bytes_of(s->algorithms[0]);
    if (private_key_sign(k, alg, BYTES_LIT("x"), out, &out_n) == ERR_OK)
        CU_ASSERT_EQUAL(
            key_verify(private_key_blob(k), alg, (struct bytes){out, out_n}, BYTES_LIT("x")),
            ERR_OK);
    private_key_free(k);
}

static void damaged_files_have_a_clean_end(void)
{
    for (size_t i = 0; i < N_SAMPLES; i++) {
        size_t n = strlen(samples[i].file);
        for (size_t at = 0; at<n; at += n> 1000 ? 5 : 1) {
            flip_text(&samples[i], at, 1);
            flip_text(&samples[i], at, 0x80);
        }
    }
}

/* ---- damage under the base64 --------------------------------------------------------------- */

static uint8_t raw[4096]; /* a file as its base64 holds it */

static size_t unwrap(const char *text)
{
    size_t n;
    const char *from = strchr(text, '\n') + 1, *to = strstr(text, "-----END");
    int e = sodium_base642bin(
        raw, sizeof raw, from, (size_t)(to - from), "\n", &n, NULL, sodium_base64_VARIANT_ORIGINAL);
    CU_ASSERT_EQUAL_FATAL(e, 0);
    return n;
}

static enum key_file_status parse_raw(size_t n, struct private_key **k)
{
    static char text[8192];
    size_t at = (size_t)snprintf(text, sizeof text, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    sodium_bin2base64(text + at, sizeof text - at, raw, n, sodium_base64_VARIANT_ORIGINAL);
    at = strlen(text);
    snprintf(text + at, sizeof text - at, "\n-----END OPENSSH PRIVATE KEY-----\n");
    return parse(bytes_of(text), k);
}

/* In an Ed25519 file every byte is checked against another one, save the comment's letters. */
static void every_flipped_bit_but_the_comment_s_is_refused(void)
{
    size_t n = unwrap(sample_ed25519_file);
    static const char comment[] = "throw-away ed25519 256";
    size_t comment_at = n - 7 - (sizeof comment - 1); /* 7 bytes of padding */
    CU_ASSERT_EQUAL_FATAL(memcmp(raw + comment_at, comment, sizeof comment - 1), 0);
    for (size_t bit = 0; bit < n * 8; bit++) {
        bool in_comment = bit / 8 >= comment_at && bit / 8 < n - 7;
        struct private_key *k;
        raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CU_ASSERT_EQUAL(parse_raw(n, &k) == KEY_FILE_OK, in_comment);
        private_key_free(k);
        raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void every_cut_below_the_base64_is_refused(void)
{
    for (size_t i = 0; i < N_SAMPLES; i++) {
        size_t n = unwrap(samples[i].file);
        struct private_key *k;
        for (size_t cut = 0; cut < n; cut++)
            CU_ASSERT_EQUAL(parse_raw(cut, &k), KEY_FILE_BAD);
        raw[n] = 8; /* one byte too many, outside of the private section */
        CU_ASSERT_EQUAL(parse_raw(n + 1, &k), KEY_FILE_BAD);
    }
}

/* RSA numbers that do not belong to n are noticed when they sign: nothing comes out. */
static void sign_with_damage(size_t at)
{
    size_t n = unwrap(sample_rsa_file);
    struct private_key *k;
    raw[at] ^= 0x10;
    CU_ASSERT_EQUAL_FATAL(parse_raw(n, &k), KEY_FILE_OK);
    uint8_t out[KEY_SIGNATURE_MAX], zeros[KEY_SIGNATURE_MAX] = {0};
    size_t out_n = 1;
    memset(out, 0, sizeof out);
    CU_ASSERT_EQUAL(
        private_key_sign(k, BYTES_LIT("rsa-sha2-512"), BYTES_LIT("x"), out, &out_n), ERR_INTERNAL);
    CU_ASSERT_EQUAL(out_n, 0);
    CU_ASSERT_EQUAL(memcmp(out, zeros, sizeof out), 0); /* wiped */
    private_key_free(k);
}

/* A bit flipped in the middle of d, iqmp, p and q in turn. */
static void a_faulty_rsa_signature_is_not_given_out(void)
{
    size_t n = unwrap(sample_rsa_file), e_at = 0;
    for (size_t i = 400; i + 7 < n && e_at == 0; i++) /* the second copy of e = 65537 */
        if (memcmp(raw + i, "\0\0\0\3\1\0\1", 7) == 0)
            e_at = i;
    CU_ASSERT_NOT_EQUAL_FATAL(e_at, 0);
    size_t at = e_at + 7;
    for (int number = 0; number < 4; number++) {
        size_t length = load_be32(raw + at);
        sign_with_damage(at + 4 + length / 2);
        (void)unwrap(sample_rsa_file);
        at += 4 + length;
    }
}

static void a_private_half_of_another_key_is_refused(void)
{
    struct rng rng = rng_fixed(1);
    struct private_key *a = private_key_generate(&rng), *k;
    char text[1024];
    CU_ASSERT_PTR_NOT_NULL_FATAL(a);
    size_t n = private_key_write(a, "c", text, sizeof text);
    CU_ASSERT_NOT_EQUAL_FATAL(n, 0);
    CU_ASSERT_EQUAL(parse((struct bytes){(uint8_t *)text, n}, &k), KEY_FILE_OK);
    private_key_free(k);
    /* Line 4 holds part of the seed: change it, and the public half no longer belongs to it. */
    char *line = text;
    for (int i = 0; i < 4; i++)
        line = strchr(line, '\n') + 1;
    line[20] = line[20] == 'A' ? 'B' : 'A';
    CU_ASSERT_EQUAL(parse((struct bytes){(uint8_t *)text, n}, &k), KEY_FILE_BAD);
    private_key_free(a);
}

static void other_formats_are_told_from_damage(void)
{
    static const struct {
        const char *text;
        enum key_file_status status;
        const char *why;
    } files[] = {
        {"-----BEGIN DSA PRIVATE KEY-----\nMIIE\n-----END DSA PRIVATE KEY-----\n",
            KEY_FILE_UNSUPPORTED, "DSA key"},
        {"-----BEGIN PRIVATE KEY-----\n", KEY_FILE_BAD, "cut short"},
        {"PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n", KEY_FILE_UNSUPPORTED,
            "puttygen FILE -O private-openssh"},
        {"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n", KEY_FILE_UNSUPPORTED, "puttygen FILE"},
        {"SSH PRIVATE KEY FILE FORMAT 1.1\n", KEY_FILE_UNSUPPORTED, "protocol 1"},
        {"0\x82\1\1", KEY_FILE_UNSUPPORTED, "openssl pkey -inform DER"},
        {"# mine\nssh-ed25519 AAAA someone@somewhere\n", KEY_FILE_BAD, "public key"},
        {"ecdsa-sha2-nistp256 AAAA", KEY_FILE_BAD, "public key"},
        {"-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n", KEY_FILE_BAD,
            "public key"},
        {"hello\nssh-keygen makes keys\n", KEY_FILE_BAD, "expected \"-----BEGIN OPENSSH"},
        {" -----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", KEY_FILE_BAD, "expected"},
        {"", KEY_FILE_BAD, "empty"},
        {"-----BEGIN OPENSSH PRIVATE KEY-----\n-----END OPENSSH PRIVATE KEY-----\n", KEY_FILE_BAD,
            "openssh-key-v1"},
        {"-----BEGIN OPENSSH PRIVATE KEY-----\n!!!!\n-----END OPENSSH PRIVATE KEY-----\n",
            KEY_FILE_BAD, "not base64"},
        {"-----BEGIN OPENSSH PRIVATE KEY-----\na: b\n\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
            KEY_FILE_BAD, "headers"},
    };
    struct private_key *k;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        const char *why;
        CU_ASSERT_EQUAL(parse(bytes_of(files[i].text), &k), files[i].status);
        (void)private_key_parse(bytes_of(files[i].text), no_passphrase, &k, &why);
        CU_ASSERT_PTR_NOT_NULL(strstr(why, files[i].why));
    }
}

static void a_file_over_1_mib_is_refused_unread(void)
{
    size_t n = 1024 * 1024 + 1;
    uint8_t *text = malloc(n);
    struct private_key *k;
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    memset(text, '\n', n);
    memcpy(text, sample_ed25519_file, strlen(sample_ed25519_file));
    CU_ASSERT_EQUAL(parse((struct bytes){text, n}, &k), KEY_FILE_BAD);
    CU_ASSERT_EQUAL(parse((struct bytes){text, n - 1}, &k), KEY_FILE_OK);
    private_key_free(k);
    free(text);
}

/* libsodium's decoder takes 0xcc for '/', and skips NUL where it skips white space. */
static void a_file_s_digits_are_of_ascii(void)
{
    static const struct {
        char was, is;
    } swaps[] = {{'/', (char)0xcc}, {'\n', '\0'}};
    for (size_t i = 0; i < N_SAMPLES; i++)
        for (size_t s = 0; s < 2; s++) {
            static char text[4096];
            struct private_key *k;
            snprintf(text, sizeof text, "%s", samples[i].file);
            size_t n = strlen(text);
            char *body = strchr(text, '\n') + 1; /* past the BEGIN line */
            char *at = strchr(body, swaps[s].was);
            if (at == NULL)
                continue;
            *at = swaps[s].is;
            CU_ASSERT_EQUAL(parse((struct bytes){(uint8_t *)text, n}, &k), KEY_FILE_BAD);
        }
}

static void carriage_returns_do_no_harm(void)
{
    char text[1024];
    size_t n = 0;
    for (const char *p = sample_ed25519_file; *p != '\0'; p++) {
        if (*p == '\n')
            text[n++] = '\r';
        text[n++] = *p;
    }
    struct private_key *k;
    CU_ASSERT_EQUAL(parse((struct bytes){(uint8_t *)text, n}, &k), KEY_FILE_OK);
    private_key_free(k);
}

static void what_is_written_is_read_again(void)
{
    for (size_t i = 0; i < N_SAMPLES; i++) {
        static char text[8192];
        struct private_key *a = parse_good(samples[i].file), *b;
        for (size_t c = 0; c <= 9; c++) { /* every length of padding */
            const char *comment = &"123456789"[9 - c];
            size_t n = private_key_write(a, comment, text, sizeof text);
            CU_ASSERT_EQUAL_FATAL(n, strlen(text));
            CU_ASSERT_EQUAL_FATAL(parse((struct bytes){(uint8_t *)text, n}, &b), KEY_FILE_OK);
            CU_ASSERT_STRING_EQUAL(private_key_comment(b), comment);
            CU_ASSERT_TRUE(bytes_equal(private_key_blob(a), private_key_blob(b)));
            private_key_free(b);
            CU_ASSERT_EQUAL(private_key_write(a, comment, text, n), 0); /* no room for the NUL */
            CU_ASSERT_EQUAL(private_key_write(a, comment, text, n + 1), n);
        }
        private_key_free(a);
    }
}

/* RFC 8032 section 7.1, test 1: the generator's seed is what the source of randomness gave. */
static void published_seed(struct rng *r, uint8_t *out, size_t n)
{
    (void)r;
    unit_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", out, n);
}

static void a_generated_key_signs_as_published(void)
{
    struct rng rng = {.fill = published_seed};
    struct private_key *k = private_key_generate(&rng);
    uint8_t out[KEY_SIGNATURE_MAX], want[64];
    size_t n;
    CU_ASSERT_PTR_NOT_NULL_FATAL(k);
    CU_ASSERT_STRING_EQUAL(private_key_comment(k), "");
    unit_hex("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
             "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        want, sizeof want);
    CU_ASSERT_EQUAL(private_key_sign(k, BYTES_LIT("ssh-ed25519"), no_passphrase, out, &n), ERR_OK);
    CU_ASSERT_TRUE(n == 4 + 11 + 4 + 64 && memcmp(out + n - 64, want, 64) == 0);
    private_key_free(k);
}

/* ---- the public part ------------------------------------------------------------------------- */

static bool tells(const char *file, const char *type, const char *public)
{
    uint8_t told[KEY_BLOB_MAX], blob[KEY_BLOB_MAX];
    size_t told_n, n;
    CU_ASSERT_EQUAL_FATAL(
        key_from_base64(bytes_of(type), bytes_of(public), blob, sizeof blob, &n), ERR_OK);
    CU_ASSERT_EQUAL(key_file_public(bytes_of(file), told, n - 1, &told_n), ERR_MALFORMED);
    CU_ASSERT_EQUAL(key_file_public(bytes_of(file), told, sizeof told, &told_n), ERR_OK);
    return bytes_equal((struct bytes){told, told_n}, (struct bytes){blob, n});
}

static void a_file_tells_its_public_key_also_when_it_is_locked(void)
{
    for (size_t i = 0; i < N_SAMPLES; i++)
        CU_ASSERT_TRUE(tells(samples[i].file, samples[i].type, samples[i].public));
    CU_ASSERT_TRUE(tells(sample_locked_file, "ssh-ed25519", sample_locked_public));
    CU_ASSERT_TRUE(tells(sample_locked_cbc_file, "ssh-ed25519", sample_locked_cbc_public));
}

static void a_damaged_file_tells_no_public_key(void)
{
    uint8_t told[KEY_BLOB_MAX];
    size_t n;
    size_t whole = strlen(sample_ed25519_file) - 1; /* without the last line end */
    for (size_t cut = 0; cut < whole; cut++)
        CU_ASSERT_NOT_EQUAL(
            key_file_public(
                (struct bytes){(const uint8_t *)sample_ed25519_file, cut}, told, sizeof told, &n),
            ERR_OK);
    CU_ASSERT_EQUAL(
        key_file_public(bytes_of("ssh-ed25519 AAAA"), told, sizeof told, &n), ERR_UNSUPPORTED);
    CU_ASSERT_EQUAL(key_file_public(bytes_of("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"
                                             "-----END OPENSSH PRIVATE KEY-----\n"),
                        told, sizeof told, &n),
        ERR_MALFORMED);
}

/* Type and private fields, as the file has them: an agent reads them so. */
static void a_key_is_written_for_an_agent(void)
{
    uint8_t room[256];
    struct private_key *k = parse_good(sample_ed25519_file);
    struct wire_writer w = wire_writer(room, sizeof room);
    private_key_put(k, &w);
    struct wire_reader r = wire_reader(wire_written(&w));
    CU_ASSERT_TRUE(bytes_is(wire_string(&r), "ssh-ed25519"));
    struct bytes point = wire_string(&r), secret = wire_string(&r);
    CU_ASSERT_TRUE(wire_done(&r) && point.n == 32 && secret.n == 64);
    CU_ASSERT_EQUAL(memcmp(secret.p + 32, point.p, 32), 0);
    private_key_free(k);
}

static const struct unit_test tests[] = {
    UNIT(files_of_every_type_are_read),
    UNIT(signatures_are_those_another_implementation_makes),
    UNIT(a_key_signs_with_its_own_algorithms_only),
    UNIT(every_cut_file_is_refused),
    UNIT(damaged_files_have_a_clean_end),
    UNIT(every_flipped_bit_but_the_comment_s_is_refused),
    UNIT(every_cut_below_the_base64_is_refused),
    UNIT(a_faulty_rsa_signature_is_not_given_out),
    UNIT(a_private_half_of_another_key_is_refused),
    UNIT(other_formats_are_told_from_damage),
    UNIT(a_file_over_1_mib_is_refused_unread),
    UNIT(a_file_s_digits_are_of_ascii),
    UNIT(carriage_returns_do_no_harm),
    UNIT(what_is_written_is_read_again),
    UNIT(a_generated_key_signs_as_published),
    UNIT(a_file_tells_its_public_key_also_when_it_is_locked),
    UNIT(a_damaged_file_tells_no_public_key),
    UNIT(a_key_is_written_for_an_agent),
};

int main(void)
{
    return crypto_init() ? unit_main("private_key", tests, sizeof tests / sizeof tests[0]) : 2;
}
