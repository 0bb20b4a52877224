/* Public keys and signatures: published values, strictness, what is refused. */
#include "crypto/key.h"

#include <string.h>

#include "proto/namelist.h"
#include "tests/unit/crypto/sample_keys.h"
#include "tests/unit/unit.h"

static const struct sample {
    const char *type, *short_name, *public, *fingerprint, *algorithm, *signature;
    unsigned bits;
} samples[] = {
    {"ssh-ed25519", "ED25519", sample_ed25519_public, sample_ed25519_fingerprint, "ssh-ed25519",
        sample_ed25519_signature, 256},
    {"ecdsa-sha2-nistp256", "ECDSA", sample_p256_public, sample_p256_fingerprint,
        "ecdsa-sha2-nistp256", sample_p256_signature, 256},
    {"ecdsa-sha2-nistp384", "ECDSA", sample_p384_public, sample_p384_fingerprint,
        "ecdsa-sha2-nistp384", sample_p384_signature, 384},
    {"ecdsa-sha2-nistp521", "ECDSA", sample_p521_public, sample_p521_fingerprint,
        "ecdsa-sha2-nistp521", sample_p521_signature, 521},
    {"ssh-rsa", "RSA", sample_rsa_public, sample_rsa_fingerprint, "rsa-sha2-512",
        sample_rsa_signature_512, 2048},
    {"ssh-rsa", "RSA", sample_rsa_public, sample_rsa_fingerprint, "rsa-sha2-256",
        sample_rsa_signature_256, 2048},
};
enum { N_SAMPLES = sizeof samples / sizeof samples[0] };

static uint8_t blob_room[KEY_BLOB_MAX], signature_room[KEY_SIGNATURE_MAX];
static uint8_t room[2 * KEY_BLOB_MAX];

static struct bytes blob_of(const struct sample *s)
{
    size_t n;
    CU_ASSERT_EQUAL_FATAL(
        key_from_base64(bytes_of(s->type), bytes_of(s->public), blob_room, sizeof blob_room, &n),
        ERR_OK);
    return (struct bytes){blob_room, n};
}

static struct bytes signature_of(const struct sample *s)
{
    return (struct bytes){
        signature_room, unit_hex(s->signature, signature_room, sizeof signature_room)};
}

static enum err verify(const struct sample *s, struct bytes blob, struct bytes signature)
{
    return key_verify(blob, bytes_of(s->algorithm), signature, BYTES_LIT("sample"));
}

static void every_kind_of_key_is_known_by_its_blob(void)
{
    for (size_t i = 0; i < N_SAMPLES; i++) {
        const char *type = NULL;
        char fingerprint[KEY_FINGERPRINT_MAX];
        struct bytes blob = blob_of(&samples[i]);
        CU_ASSERT_EQUAL(key_check(blob, &type), ERR_OK);
        CU_ASSERT_STRING_EQUAL(type, samples[i].type);
        CU_ASSERT_EQUAL(key_check(blob, NULL), ERR_OK);
        CU_ASSERT_EQUAL(key_bits(blob), samples[i].bits);
        CU_ASSERT_STRING_EQUAL(key_short_name(blob), samples[i].short_name);
        key_fingerprint_sha256(blob, fingerprint);
        CU_ASSERT_STRING_EQUAL(fingerprint, samples[i].fingerprint);
        CU_ASSERT_STRING_EQUAL(
            key_type_of_algorithm(bytes_of(samples[i].algorithm)), samples[i].type);
        CU_ASSERT_TRUE(namelist_has_cstr(bytes_of(key_algorithm_names()), samples[i].algorithm));
    }
}

static void signatures_made_by_others_verify(void)
{
    for (size_t i = 0; i < N_SAMPLES; i++) {
        struct bytes blob = blob_of(&samples[i]), signature = signature_of(&samples[i]);
        CU_ASSERT_EQUAL(verify(&samples[i], blob, signature), ERR_OK);
        CU_ASSERT_EQUAL(
            key_verify(blob, bytes_of(samples[i].algorithm), signature, BYTES_LIT("Sample")),
            ERR_SIGNATURE);
    }
}

static void every_flipped_bit_of_a_signature_is_refused(void)
{
    for (size_t i = 0; i < N_SAMPLES; i++) {
        struct bytes blob = blob_of(&samples[i]), signature = signature_of(&samples[i]);
        size_t step = i == 0 ? 1 : 19; /* big numbers are slow: a sample of the bits */
        for (size_t bit = 0; bit < signature.n * 8; bit += step) {
            signature_room[bit / 8] ^= (uint8_t)(1 << bit % 8);
            enum err e = verify(&samples[i], blob, signature);
            CU_ASSERT_TRUE(e == ERR_SIGNATURE || e == ERR_MALFORMED);
            signature_room[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

static void only_the_exact_length_of_blob_and_signature_parses(void)
{
    for (size_t i = 0; i < N_SAMPLES; i++) {
        struct bytes blob = blob_of(&samples[i]), signature = signature_of(&samples[i]);
        for (size_t n = 0; n < signature.n; n++)
            CU_ASSERT_EQUAL(
                verify(&samples[i], blob, (struct bytes){signature.p, n}), ERR_MALFORMED);
        signature_room[signature.n] = 0;
        CU_ASSERT_EQUAL(
            verify(&samples[i], blob, (struct bytes){signature.p, signature.n + 1}), ERR_MALFORMED);
        for (size_t n = 0; n < blob.n; n++)
            CU_ASSERT_EQUAL(key_check((struct bytes){blob.p, n}, NULL), ERR_MALFORMED);
        blob_room[blob.n] = 0;
        CU_ASSERT_EQUAL(key_check((struct bytes){blob.p, blob.n + 1}, NULL), ERR_MALFORMED);
        CU_ASSERT_EQUAL(key_bits((struct bytes){blob.p, blob.n + 1}), 0);
    }
}

/* rsa-sha2-256 is not rsa-sha2-512, an Ed25519 signature is not for an ECDSA key, and so on. */
static void the_inner_name_and_the_key_must_fit_the_algorithm(void)
{
    for (size_t i = 0; i < N_SAMPLES; i++)
        for (size_t j = 0; j < N_SAMPLES; j++) {
            struct bytes blob = blob_of(&samples[i]), signature = signature_of(&samples[j]);
            bool same_key = strcmp(samples[i].public, samples[j].public) == 0;
            CU_ASSERT_EQUAL(verify(&samples[i], blob, signature), i == j ? ERR_OK : ERR_SIGNATURE);
            CU_ASSERT_EQUAL(
                verify(&samples[j], blob, signature), same_key ? ERR_OK : ERR_SIGNATURE);
        }
    struct bytes blob = blob_of(&samples[4]), signature = signature_of(&samples[4]);
    static const char *const others[] = {"rsa-sha2-51", "rsa-sha2-512,rsa-sha2-256", ""};
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(
            key_verify(blob, bytes_of(others[i]), signature, BYTES_LIT("sample")), ERR_SIGNATURE);
        CU_ASSERT_PTR_NULL(key_type_of_algorithm(bytes_of(others[i])));
    }
}

/* RSA with SHA-1 is there, and only for who has it in a list of his own. */
static void rsa_with_sha_1_is_for_who_names_it(void)
{
    const struct sample s = {"ssh-rsa", "RSA", sample_rsa_public, sample_rsa_fingerprint, "ssh-rsa",
        sample_rsa_signature_sha1, 2048};
    struct bytes alg = bytes_of(s.algorithm), blob = blob_of(&s), signature = signature_of(&s);
    struct key_sk_facts facts;
    CU_ASSERT_EQUAL(verify(&s, blob, signature), ERR_SIGNATURE);
    CU_ASSERT_EQUAL(
        key_verify_facts(blob, alg, signature, BYTES_LIT("sample"), &facts), ERR_SIGNATURE);
    CU_ASSERT_EQUAL(key_verify_named(blob, alg, signature, BYTES_LIT("sample"), &facts), ERR_OK);
    CU_ASSERT_EQUAL(
        key_verify_named(blob, alg, signature, BYTES_LIT("Sample"), &facts), ERR_SIGNATURE);
    CU_ASSERT_EQUAL(
        key_verify_named(blob, BYTES_LIT("rsa-sha2-256"), signature, BYTES_LIT("sample"), &facts),
        ERR_SIGNATURE);
    signature = signature_of(&samples[5]);
    CU_ASSERT_EQUAL(
        key_verify_named(blob, alg, signature, BYTES_LIT("sample"), &facts), ERR_SIGNATURE);

    CU_ASSERT_FALSE(namelist_has(bytes_of(key_algorithm_names()), alg));
    CU_ASSERT_FALSE(namelist_has(bytes_of(key_signature_names()), alg));
    CU_ASSERT_TRUE(namelist_has(bytes_of(key_algorithm_all_names()), alg));
    CU_ASSERT_TRUE(namelist_has(bytes_of(key_signature_all_names()), alg));
    CU_ASSERT_TRUE(key_algorithm_is_by_name(alg));
    CU_ASSERT_TRUE(key_algorithm_is_by_name(BYTES_LIT("ssh-rsa-cert-v01@openssh.com")));
    CU_ASSERT_FALSE(key_algorithm_is_by_name(BYTES_LIT("rsa-sha2-512")));
    CU_ASSERT_STRING_EQUAL(key_type_of_algorithm(alg), "ssh-rsa");
    CU_ASSERT_TRUE(bytes_is(key_signature_name(alg), "ssh-rsa"));
    CU_ASSERT_TRUE(
        bytes_is(key_signature_name(BYTES_LIT("ssh-rsa-cert-v01@openssh.com")), "ssh-rsa"));
}

/* ---- hand-made blobs ----------------------------------------------------------------------- */

static struct bytes rsa_blob(struct bytes e, struct bytes n)
{
    struct wire_writer w = wire_writer(room, sizeof room);
    wire_put_cstring(&w, "ssh-rsa");
    wire_put_mpint(&w, e);
    wire_put_mpint(&w, n);
    return wire_written(&w);
}

static void rsa_numbers_have_bounds(void)
{
    static uint8_t n[KEY_RSA_MAX_BITS / 8 + 1];
    static const uint8_t three[] = {3}, one[] = {1}, even[] = {1, 0, 0}, f4[] = {1, 0, 1};
    struct bytes good_e = {f4, 3};
    memset(n, 0xff, sizeof n);
    struct bytes n2048 = {n, 256}, n4096 = {n, 512};
    CU_ASSERT_EQUAL(key_bits(rsa_blob(good_e, n2048)), 2048);
    CU_ASSERT_EQUAL(key_bits(rsa_blob(good_e, n4096)), 4096);
    CU_ASSERT_EQUAL(key_check(rsa_blob((struct bytes){three, 1}, n2048), NULL), ERR_OK);
    CU_ASSERT_EQUAL(key_check(rsa_blob((struct bytes){one, 1}, n2048), NULL), ERR_MALFORMED);
    CU_ASSERT_EQUAL(key_check(rsa_blob((struct bytes){NULL, 0}, n2048), NULL), ERR_MALFORMED);
    CU_ASSERT_EQUAL(key_check(rsa_blob((struct bytes){even, 3}, n2048), NULL), ERR_MALFORMED);
    CU_ASSERT_EQUAL(key_check(rsa_blob(n4096, n2048), NULL), ERR_MALFORMED); /* e > n */
    static const uint8_t long_e[9] = {1, 0, 0, 0, 0, 0, 0, 0, 1}; /* odd, but of 65 bits */
    CU_ASSERT_EQUAL(key_check(rsa_blob((struct bytes){long_e, 9}, n2048), NULL), ERR_MALFORMED);
    CU_ASSERT_EQUAL(key_check(rsa_blob((struct bytes){long_e + 1, 8}, n2048), NULL), ERR_MALFORMED);
    static const uint8_t e_64[8] = {0x80, 0, 0, 0, 0, 0, 0, 1};
    CU_ASSERT_EQUAL(key_check(rsa_blob((struct bytes){e_64, 8}, n2048), NULL), ERR_OK);
    CU_ASSERT_EQUAL(key_check(rsa_blob(good_e, (struct bytes){n, sizeof n}), NULL), ERR_MALFORMED);
    CU_ASSERT_EQUAL(key_check(rsa_blob(good_e, (struct bytes){n, 255}), NULL), ERR_MALFORMED);
    n[0] = 0x7f; /* 2047 bits */
    CU_ASSERT_EQUAL(key_check(rsa_blob(good_e, n2048), NULL), ERR_MALFORMED);
    n[0] = 0xff;
    n[255] = 0xfe;
    CU_ASSERT_EQUAL(key_check(rsa_blob(good_e, n2048), NULL), ERR_MALFORMED);
}

static void numbers_must_be_positive_and_minimal(void)
{
    struct bytes blob = blob_of(&samples[4]);
    struct wire_reader r = wire_reader(blob);
    (void)wire_string(&r);
    struct bytes e = wire_string(&r), n = wire_string(&r); /* with their leading zeros */
    struct wire_writer w = wire_writer(room, sizeof room);
    wire_put_cstring(&w, "ssh-rsa");
    wire_put_string(&w, e);
    wire_put_string(&w, (struct bytes){n.p + 1, n.n - 1}); /* now negative */
    CU_ASSERT_EQUAL(key_check(wire_written(&w), NULL), ERR_MALFORMED);
    w = wire_writer(room, sizeof room);
    wire_put_cstring(&w, "ssh-rsa");
    wire_put_string(&w, BYTES_LIT("\0\1\0\1")); /* one zero too many */
    wire_put_string(&w, n);
    CU_ASSERT_EQUAL(key_check(wire_written(&w), NULL), ERR_MALFORMED);
}

static struct bytes ecdsa_signature(struct bytes r, struct bytes s)
{
    struct wire_writer w = wire_writer(room, sizeof room);
    wire_put_cstring(&w, "ecdsa-sha2-nistp256");
    size_t inner = wire_open_string(&w);
    wire_put_mpint(&w, r);
    wire_put_mpint(&w, s);
    wire_close_string(&w, inner);
    return wire_written(&w);
}

/* RFC 6979 appendix A.2.5, "sample" with SHA-256. */
static void ecdsa_verifies_the_published_signature_and_bounds_r_and_s(void)
{
    uint8_t point[65] = {0x04}, r[32], s[32], order[32];
    unit_hex("60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
             "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299",
        point + 1, 64);
    unit_hex("EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716", r, 32);
    unit_hex("F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8", s, 32);
    unit_hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", order, 32);
    struct wire_writer w = wire_writer(blob_room, sizeof blob_room);
    wire_put_cstring(&w, "ecdsa-sha2-nistp256");
    wire_put_cstring(&w, "nistp256");
    wire_put_string(&w, (struct bytes){point, sizeof point});
    struct bytes blob = wire_written(&w), R = {r, 32}, S = {s, 32}, zero = {NULL, 0};
    const struct sample *p256 = &samples[1];
    CU_ASSERT_EQUAL(verify(p256, blob, ecdsa_signature(R, S)), ERR_OK);
    CU_ASSERT_EQUAL(verify(p256, blob, ecdsa_signature(zero, S)), ERR_SIGNATURE);
    CU_ASSERT_EQUAL(verify(p256, blob, ecdsa_signature(R, zero)), ERR_SIGNATURE);
    CU_ASSERT_EQUAL(verify(p256, blob, ecdsa_signature(zero, zero)), ERR_SIGNATURE);
    struct bytes n = {order, 32};
    CU_ASSERT_EQUAL(verify(p256, blob, ecdsa_signature(n, S)), ERR_SIGNATURE);
    CU_ASSERT_EQUAL(verify(p256, blob, ecdsa_signature(R, n)), ERR_SIGNATURE);
    CU_ASSERT_EQUAL(
        verify(p256, blob, ecdsa_signature((struct bytes){point, 65}, S)), ERR_SIGNATURE);
}

static void points_off_the_curve_and_other_curves_names_are_refused(void)
{
    for (size_t i = 1; i <= 3; i++) {
        struct bytes blob = blob_of(&samples[i]);
        for (size_t at = 4; at < blob.n; at++) {
            blob_room[at] ^= 1;
            CU_ASSERT_NOT_EQUAL(key_check(blob, NULL), ERR_OK);
            blob_room[at] ^= 1;
        }
        CU_ASSERT_EQUAL(key_check(blob, NULL), ERR_OK);
    }
}

/* RFC 8032 section 7.1, tests 1 and 2. */
static void ed25519_verifies_the_published_signatures_and_refuses_s_plus_l(void)
{
    static const struct {
        const char *point, *message, *signature, *s_plus_l;
    } cases[] = {
        {"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e"
            "39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
            "4c8c7872aa064e049dbb3013fbf29380d25bf5f0595bbe24655141438e7a101b"},
        {"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "r",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f"
            "3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
            "f52db7415978abc61b2c2eb6aeebfca0387b2eaeb4302aeeb00d291612bb0c10"},
    };
    for (size_t i = 0; i < 2; i++) {
        uint8_t point[32], raw[64];
        unit_hex(cases[i].point, point, sizeof point);
        unit_hex(cases[i].signature, raw, sizeof raw);
        struct wire_writer b = wire_writer(blob_room, sizeof blob_room);
        wire_put_cstring(&b, "ssh-ed25519");
        wire_put_string(&b, (struct bytes){point, sizeof point});
        struct wire_writer s = wire_writer(signature_room, sizeof signature_room);
        wire_put_cstring(&s, "ssh-ed25519");
        wire_put_string(&s, (struct bytes){raw, sizeof raw});
        struct bytes alg = BYTES_LIT("ssh-ed25519"), message = bytes_of(cases[i].message);
        CU_ASSERT_EQUAL(key_verify(wire_written(&b), alg, wire_written(&s), message), ERR_OK);
        uint8_t *scalar = signature_room + s.len - 32;
        unit_hex(cases[i].s_plus_l, scalar, 32);
        CU_ASSERT_EQUAL(
            key_verify(wire_written(&b), alg, wire_written(&s), message), ERR_SIGNATURE);
    }
}

static void unknown_types_and_oversized_blobs_are_named_as_such(void)
{
    static uint8_t big[KEY_BLOB_MAX + 1];
    struct bytes dss = BYTES_LIT("\0\0\0\7ssh-dss\0\0\0\0");
    CU_ASSERT_EQUAL(key_check(dss, NULL), ERR_UNSUPPORTED);
    CU_ASSERT_STRING_EQUAL(key_short_name(dss), "unknown");
    CU_ASSERT_STRING_EQUAL(key_short_name((struct bytes){NULL, 0}), "unknown");
    CU_ASSERT_EQUAL(key_check((struct bytes){big, sizeof big}, NULL), ERR_LIMIT);
    struct bytes blob = blob_of(&samples[0]);
    CU_ASSERT_EQUAL(key_verify(blob, BYTES_LIT("ssh-ed25519"),
                        (struct bytes){big, KEY_SIGNATURE_MAX + 1}, BYTES_LIT("")),
        ERR_LIMIT);
}

static void base64_lines_decode_or_are_refused(void)
{
    static const char *const bad[] = {"", "A", "AAAAC3NzaC1lZDI1NTE5", "AAAAC3Nz aC1lZDI1NTE5",
        "AAAAC3NzaC1lZDI1NTE5=", "AAAAB3NzaC1yc2E=", "????", "AAAAC3NzaC1lZDI1NTE5AA=="};
    struct bytes type = BYTES_LIT("ssh-ed25519");
    size_t n;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        enum err e = key_from_base64(type, bytes_of(bad[i]), blob_room, sizeof blob_room, &n);
        /* 2 and 7 are base64 of a blob that starts with the type: key_check() is for the rest. */
        CU_ASSERT_EQUAL(e, i == 2 || i == 7 ? ERR_OK : ERR_MALFORMED);
        CU_ASSERT_EQUAL(n > 0, e == ERR_OK);
    }
    struct bytes text = bytes_of(sample_ed25519_public);
    CU_ASSERT_EQUAL(key_from_base64(type, text, blob_room, 51, &n), ERR_OK);
    CU_ASSERT_EQUAL(n, 51);
    CU_ASSERT_EQUAL(key_from_base64(type, text, blob_room, 50, &n), ERR_MALFORMED);
    CU_ASSERT_EQUAL(key_from_base64(BYTES_LIT("ssh-rsa"), text, blob_room, 51, &n), ERR_MALFORMED);

    /* Digits are of ASCII. */
    char copy[sizeof sample_ed25519_public];
    memcpy(copy, sample_ed25519_public, sizeof copy);
    for (unsigned c = 1; c < 256; c++) {
        copy[40] = (char)c;
        bool digit = c < 128 && (c == '+' || c == '/' || (c >= '0' && c <= '9') ||
                                    (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'));
        CU_ASSERT_EQUAL(key_from_base64(type, bytes_of(copy), blob_room, 51, &n),
            digit ? ERR_OK : ERR_MALFORMED);
    }
}

/* RFC 8332 section 3: a verifier may take an RSA signature whose leading zeros were dropped. */
static void an_rsa_signature_longer_than_its_key_is_refused(void)
{
    struct bytes blob = blob_of(&samples[4]), signature = signature_of(&samples[4]);
    struct wire_reader r = wire_reader(signature);
    struct bytes name = wire_string(&r), raw = wire_string(&r);
    struct wire_writer w = wire_writer(room, sizeof room);
    wire_put_string(&w, name);
    size_t inner = wire_open_string(&w);
    wire_put_u8(&w, 0);
    wire_put_raw(&w, raw);
    wire_close_string(&w, inner);
    CU_ASSERT_EQUAL(verify(&samples[4], blob, wire_written(&w)), ERR_SIGNATURE);
    w = wire_writer(room, sizeof room);
    wire_put_string(&w, name);
    wire_put_string(&w, (struct bytes){NULL, 0});
    CU_ASSERT_EQUAL(verify(&samples[4], blob, wire_written(&w)), ERR_SIGNATURE);
}

static const struct unit_test tests[] = {
    UNIT(every_kind_of_key_is_known_by_its_blob),
    UNIT(signatures_made_by_others_verify),
    UNIT(every_flipped_bit_of_a_signature_is_refused),
    UNIT(only_the_exact_length_of_blob_and_signature_parses),
    UNIT(the_inner_name_and_the_key_must_fit_the_algorithm),
    UNIT(rsa_with_sha_1_is_for_who_names_it),
    UNIT(rsa_numbers_have_bounds),
    UNIT(numbers_must_be_positive_and_minimal),
    UNIT(ecdsa_verifies_the_published_signature_and_bounds_r_and_s),
    UNIT(points_off_the_curve_and_other_curves_names_are_refused),
    UNIT(ed25519_verifies_the_published_signatures_and_refuses_s_plus_l),
    UNIT(unknown_types_and_oversized_blobs_are_named_as_such),
    UNIT(base64_lines_decode_or_are_refused),
    UNIT(an_rsa_signature_longer_than_its_key_is_refused),
};

int main(void)
{
    return crypto_init() ? unit_main("key", tests, sizeof tests / sizeof tests[0]) : 2;
}
