/* ML-KEM-768: published values, implicit rejection, and everything that must be refused. */
#include "crypto/mlkem768.h"

#include <string.h>

#include "crypto/hash.h"
#include "crypto/mlkem_poly.h"
#include "crypto/sha3.h"
#include "tests/unit/crypto/mlkem_samples.h"
#include "tests/unit/unit.h"

static uint8_t ek[MLKEM768_EK_BYTES], dk[MLKEM768_DK_BYTES], ct[MLKEM768_CT_BYTES];
static const struct bytes ek_bytes = {ek, sizeof ek}, dk_bytes = {dk, sizeof dk},
                          ct_bytes = {ct, sizeof ct};
static uint8_t secret[MLKEM768_SECRET_BYTES], secret2[MLKEM768_SECRET_BYTES];

/* A source that hands out what it was told to. */
static uint8_t script[96];
static void scripted(struct rng *r, uint8_t *out, size_t n)
{
    CU_ASSERT_FATAL(n <= sizeof script - r->counter);
    memcpy(out, script + r->counter, n);
    r->counter += n;
}
static struct rng scripted_rng(const char *hex)
{
    unit_hex(hex, script, sizeof script);
    return (struct rng){.fill = scripted};
}

static bool is_hex(const uint8_t *got, size_t n, const char *hex)
{
    uint8_t want[64];
    return unit_hex(hex, want, sizeof want) == n && memcmp(got, want, n) == 0;
}
static bool has_sha256(struct bytes b, const char *hex)
{
    uint8_t digest[32];
    hash_once(HASH_SHA256, b, digest);
    return is_hex(digest, sizeof digest, hex);
}

static void make_keys(uint64_t seed)
{
    struct rng rng = rng_fixed(seed);
    mlkem768_keygen(&rng, ek, dk);
    CU_ASSERT_EQUAL_FATAL(mlkem768_encaps(&rng, ek_bytes, ct, secret), ERR_OK);
}

static void keys_and_secrets_are_the_published_ones(void)
{
    struct rng rng = scripted_rng(MLKEM_SAMPLE_SEED MLKEM_SAMPLE_M);
    mlkem768_keygen(&rng, ek, dk);
    CU_ASSERT_TRUE(has_sha256(ek_bytes, MLKEM_SAMPLE_EK_SHA256));
    CU_ASSERT_TRUE(has_sha256(dk_bytes, MLKEM_SAMPLE_DK_SHA256));
    CU_ASSERT_EQUAL_FATAL(mlkem768_encaps(&rng, ek_bytes, ct, secret), ERR_OK);
    CU_ASSERT_TRUE(has_sha256(ct_bytes, MLKEM_SAMPLE_CT_SHA256));
    CU_ASSERT_TRUE(is_hex(secret, sizeof secret, MLKEM_SAMPLE_SECRET));
    CU_ASSERT_EQUAL_FATAL(mlkem768_decaps(dk_bytes, ct_bytes, secret2), ERR_OK);
    CU_ASSERT_TRUE(is_hex(secret2, sizeof secret2, MLKEM_SAMPLE_SECRET));
}

static struct sha3 stream;
static void from_stream(struct rng *r, uint8_t *out, size_t n)
{
    (void)r;
    sha3_squeeze(&stream, out, n);
}

/* Go's test of crypto/mlkem (TestAccumulated), after C2SP/CCTV: everything random comes from one
 * SHAKE128, every result goes into another, ciphertexts of random bytes among them. */
static void a_hundred_rounds_add_up_to_the_published_hash(void)
{
    struct sha3 results;
    struct rng rng = {.fill = from_stream};
    uint8_t digest[32];
    sha3_init(&stream, SHAKE128);
    sha3_init(&results, SHAKE128);
    for (int i = 0; i < 100; i++) {
        mlkem768_keygen(&rng, ek, dk);
        sha3_absorb(&results, ek_bytes);
        CU_ASSERT_EQUAL_FATAL(mlkem768_encaps(&rng, ek_bytes, ct, secret), ERR_OK);
        sha3_absorb(&results, ct_bytes);
        sha3_absorb(&results, (struct bytes){secret, sizeof secret});
        CU_ASSERT_EQUAL_FATAL(mlkem768_decaps(dk_bytes, ct_bytes, secret2), ERR_OK);
        CU_ASSERT_EQUAL(memcmp(secret, secret2, sizeof secret), 0);
        rng_bytes(&rng, ct, sizeof ct);
        CU_ASSERT_EQUAL_FATAL(mlkem768_decaps(dk_bytes, ct_bytes, secret), ERR_OK);
        sha3_absorb(&results, (struct bytes){secret, sizeof secret});
    }
    sha3_squeeze(&results, digest, sizeof digest);
    CU_ASSERT_TRUE(is_hex(
        digest, sizeof digest, "1114b1b6699ed191734fa339376afa7e285c9e6acf6ff0177d346696ce564415"));
}

/* J(z || ct): FIPS 203 algorithm 18. */
static void a_changed_ciphertext_gives_another_secret_and_no_error(void)
{
    struct sha3 s;
    uint8_t want[MLKEM768_SECRET_BYTES];
    make_keys(1);
    for (size_t at = 0; at < sizeof ct; at += 17)
        for (int bit = 0; bit < 8; bit += 7) {
            ct[at] ^= (uint8_t)(1 << bit);
            CU_ASSERT_EQUAL_FATAL(mlkem768_decaps(dk_bytes, ct_bytes, secret2), ERR_OK);
            sha3_init(&s, SHAKE256);
            sha3_absorb(&s, (struct bytes){dk + sizeof dk - 32, 32});
            sha3_absorb(&s, ct_bytes);
            sha3_squeeze(&s, want, sizeof want);
            CU_ASSERT_EQUAL(memcmp(secret2, want, sizeof want), 0);
            CU_ASSERT_NOT_EQUAL(memcmp(secret2, secret, sizeof secret), 0);
            ct[at] ^= (uint8_t)(1 << bit);
        }
    CU_ASSERT_EQUAL(mlkem768_decaps(dk_bytes, ct_bytes, secret2), ERR_OK);
    CU_ASSERT_EQUAL(memcmp(secret2, secret, sizeof secret), 0);
}

static void encaps_refuses(struct bytes key)
{
    struct rng rng = rng_fixed(3);
    memset(secret, 0x55, sizeof secret);
    CU_ASSERT_EQUAL(mlkem768_encaps(&rng, key, ct, secret), ERR_KEX);
    for (size_t i = 0; i < sizeof secret; i++)
        CU_ASSERT_EQUAL(secret[i], 0x55);
}

static void set_coefficient(uint8_t *vector, size_t i, unsigned value)
{
    uint8_t *p = vector + i / 2 * 3;
    if (i % 2 == 0) {
        p[0] = (uint8_t)value;
        p[1] = (uint8_t)((p[1] & 0xf0) | value >> 8);
    } else {
        p[1] = (uint8_t)((p[1] & 0x0f) | (value & 0xf) << 4);
        p[2] = (uint8_t)(value >> 4);
    }
}

static void a_key_with_a_coefficient_over_the_modulus_is_refused(void)
{
    struct rng rng = rng_fixed(3);
    uint8_t good[MLKEM768_EK_BYTES];
    make_keys(2);
    memcpy(good, ek, sizeof ek);
    for (size_t i = 0; i < 768; i++) {
        set_coefficient(ek, i, 3329);
        encaps_refuses(ek_bytes);
        set_coefficient(ek, i, 4095);
        encaps_refuses(ek_bytes);
        set_coefficient(ek, i, 3328);
        CU_ASSERT_EQUAL(mlkem768_encaps(&rng, ek_bytes, ct, secret), ERR_OK);
        memcpy(ek, good, sizeof ek);
    }
}

static void decaps_refuses(struct bytes key, struct bytes ciphertext)
{
    memset(secret, 0x55, sizeof secret);
    CU_ASSERT_EQUAL(mlkem768_decaps(key, ciphertext, secret), ERR_KEX);
    for (size_t i = 0; i < sizeof secret; i++)
        CU_ASSERT_EQUAL(secret[i], 0x55);
}

static void other_lengths_are_refused(void)
{
    static uint8_t room[2 * MLKEM768_DK_BYTES];
    make_keys(4);
    for (size_t n = 0; n < sizeof room; n++) {
        memcpy(room, ek, sizeof ek);
        if (n != sizeof ek)
            encaps_refuses((struct bytes){room, n});
    }
    make_keys(4);
    for (size_t n = 0; n < sizeof room; n++) {
        memcpy(room, ct, sizeof ct);
        if (n != sizeof ct)
            decaps_refuses(dk_bytes, (struct bytes){room, n});
        memcpy(room, dk, sizeof dk);
        if (n != sizeof dk)
            decaps_refuses((struct bytes){room, n}, ct_bytes);
    }
}

/* Its copy of ek, and the hash of that: FIPS 203 section 7.3. What else it holds cannot be told. */
static void a_damaged_decapsulation_key_is_refused(void)
{
    make_keys(5);
    for (size_t at = 1152; at < sizeof dk - 32; at++) {
        dk[at] ^= 0x10;
        decaps_refuses(dk_bytes, ct_bytes);
        dk[at] ^= 0x10;
    }
}

/* It never falls, so where it steps says everything. */
static void division_by_multiplication_is_exact_below_2_to_the_28th(void)
{
    unsigned n_wrong = 0;
    for (uint32_t k = 1; k * MLKEM_Q < 1u << 28; k++)
        n_wrong += mlkem_divide(k * MLKEM_Q) != k || mlkem_divide(k * MLKEM_Q - 1) != k - 1;
    CU_ASSERT_EQUAL(n_wrong, 0);
}

static const struct unit_test tests[] = {
    UNIT(division_by_multiplication_is_exact_below_2_to_the_28th),
    UNIT(keys_and_secrets_are_the_published_ones),
    UNIT(a_hundred_rounds_add_up_to_the_published_hash),
    UNIT(a_changed_ciphertext_gives_another_secret_and_no_error),
    UNIT(a_key_with_a_coefficient_over_the_modulus_is_refused),
    UNIT(other_lengths_are_refused),
    UNIT(a_damaged_decapsulation_key_is_refused),
};

UNIT_MAIN("mlkem768", tests)
