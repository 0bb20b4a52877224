/* sntrup761: the published cases, and what becomes of ciphertexts that nobody made. */
#include "crypto/sntrup761.h"

#include <bearssl.h>
#include <stdio.h>
#include <string.h>

#include "crypto/hash.h"
#include "tests/unit/crypto/each_loops.h"
#include "tests/unit/unit.h"

static uint8_t public_key[SNTRUP761_PUBLIC_BYTES], secret_key[SNTRUP761_SECRET_BYTES];
static uint8_t ciphertext[SNTRUP761_CIPHERTEXT_BYTES];
static uint8_t shared[SNTRUP761_SHARED_BYTES], shared2[SNTRUP761_SHARED_BYTES];

/* ---- NIST's generator for known answers: CTR_DRBG (SP 800-90A) with AES-256, no derivation */

static uint8_t drbg_key[32], drbg_v[16];

static void drbg_block(uint8_t out[16])
{
    br_aes_ct64_cbcenc_keys aes;
    uint8_t iv[16] = {0};
    for (int i = 15; i >= 0 && ++drbg_v[i] == 0; i--)
        continue;
    memcpy(out, drbg_v, 16);
    br_aes_ct64_cbcenc_init(&aes, drbg_key, sizeof drbg_key);
    br_aes_ct64_cbcenc_run(&aes, iv, out, 16);
}

static void drbg_update(const uint8_t provided[48])
{
    uint8_t next[48];
    for (size_t i = 0; i < 48; i += 16)
        drbg_block(next + i);
    for (size_t i = 0; i < 48; i++)
        next[i] ^= provided[i];
    memcpy(drbg_key, next, 32);
    memcpy(drbg_v, next + 32, 16);
}

static void drbg_seed(const uint8_t seed[48])
{
    memset(drbg_key, 0, sizeof drbg_key);
    memset(drbg_v, 0, sizeof drbg_v);
    drbg_update(seed);
}

static void drbg_generate(uint8_t *out, size_t n)
{
    static const uint8_t nothing[48];
    uint8_t block[16];
    for (size_t i = 0; i < n; i += 16) {
        drbg_block(block);
        memcpy(out + i, block, n - i < 16 ? n - i : 16);
    }
    drbg_update(nothing);
}

static void drbg_fill(struct rng *r, uint8_t *out, size_t n)
{
    (void)r;
    drbg_generate(out, n);
}

static void add_text(struct hash *h, const char *text)
{
    hash_update(h, bytes_of(text));
}

static void add_field(struct hash *h, const char *name, const uint8_t *p, size_t n)
{
    char hex[3];
    add_text(h, name);
    for (size_t i = 0; i < n; i++) {
        snprintf(hex, sizeof hex, "%02X", p[i]);
        add_text(h, hex);
    }
    add_text(h, "\n");
}

/* Makes the case of a seed and adds it as it stands in a kat_kem.rsp. */
static void add_case(
    struct hash *h, const struct sntrup_loops *loops, unsigned count, const uint8_t seed[48])
{
    struct rng rng = {.fill = drbg_fill};
    char line[32];
    drbg_seed(seed);
    sntrup_keypair(loops, &rng, public_key, secret_key);
    sntrup_encapsulate(loops, &rng, public_key, ciphertext, shared);
    sntrup_decapsulate(loops, secret_key, ciphertext, shared2);
    CU_ASSERT_EQUAL(memcmp(shared, shared2, sizeof shared), 0);
    snprintf(line, sizeof line, "%scount = %u\n", count == 0 ? "" : "\n", count);
    add_text(h, line);
    add_field(h, "seed = ", seed, 48);
    add_field(h, "pk = ", public_key, sizeof public_key);
    add_field(h, "sk = ", secret_key, sizeof secret_key);
    add_field(h, "ct = ", ciphertext, sizeof ciphertext);
    add_field(h, "ss = ", shared, sizeof shared);
}

static void make_seeds(uint8_t seeds[][48], size_t n)
{
    uint8_t entropy[48];
    for (size_t i = 0; i < sizeof entropy; i++)
        entropy[i] = (uint8_t)i;
    drbg_seed(entropy);
    for (size_t i = 0; i < n; i++)
        drbg_generate(seeds[i], 48);
}

static void hash_is(struct hash *h, const char *hex)
{
    uint8_t want[32], got[32];
    unit_hex(hex, want, sizeof want);
    hash_final(h, got);
    CU_ASSERT_EQUAL(memcmp(want, got, sizeof got), 0);
}

/* SHA-256 of the file with the first case and of that with all hundred, as PQClean
 * (crypto_kem/sntrup761/META.yml) and liboqs (tests/KATs/kem/kats.json) publish them: seeds, keys,
 * ciphertexts and shared secrets. */
static void the_hundred_published_cases_come_out(void)
{
    static uint8_t seeds[100][48];
    make_seeds(seeds, 100);
    EACH_LOOPS(loops)
    {
        struct hash h;
        hash_init(&h, HASH_SHA256);
        add_case(&h, loops, 0, seeds[0]);
        hash_is(&h, "afc42c3a5b10f4ef69654250097ebda9b9564570f4086744b24a6daf2bd1f89a");
        hash_init(&h, HASH_SHA256);
        for (unsigned i = 0; i < 100; i++)
            add_case(&h, loops, i, seeds[i]);
        hash_is(&h, "36e1e53d4e6e295e8fb804449958ad9a3719aa350e91933c65791b9117382d57");
    }
}

/* ---- the KEM */

static void make_case(uint64_t seed)
{
    struct rng rng = rng_fixed(seed);
    sntrup761_keypair(&rng, public_key, secret_key);
    sntrup761_encapsulate(&rng, public_key, ciphertext, shared);
}

static void every_set_of_loops_gives_the_same(void)
{
    uint8_t pk[sizeof public_key], sk[sizeof secret_key], ct[sizeof ciphertext];
    make_case(11);
    EACH_LOOPS(loops)
    {
        struct rng rng = rng_fixed(11);
        sntrup_keypair(loops, &rng, pk, sk);
        sntrup_encapsulate(loops, &rng, pk, ct, shared2);
        CU_ASSERT_TRUE(
            memcmp(pk, public_key, sizeof pk) == 0 && memcmp(sk, secret_key, sizeof sk) == 0 &&
            memcmp(ct, ciphertext, sizeof ct) == 0 && memcmp(shared, shared2, sizeof shared) == 0);
        sntrup_decapsulate(loops, sk, ct, shared2);
        CU_ASSERT_EQUAL(memcmp(shared, shared2, sizeof shared), 0);
    }
}

/* SHA-512 of 0, SHA-512 of 3 and rho, and the ciphertext, each cut to 32 bytes. */
static void rejected_as(const uint8_t *ct, uint8_t out[32])
{
    static const uint8_t zero = 0, three = 3;
    uint8_t rho_hash[64], whole[64];
    struct hash h;
    hash_init(&h, HASH_SHA512);
    hash_update(&h, (struct bytes){&three, 1});
    hash_update(&h, (struct bytes){secret_key + 2 * 191 + 1158, 191});
    hash_final(&h, rho_hash);
    hash_init(&h, HASH_SHA512);
    hash_update(&h, (struct bytes){&zero, 1});
    hash_update(&h, (struct bytes){rho_hash, 32});
    hash_update(&h, (struct bytes){ct, SNTRUP761_CIPHERTEXT_BYTES});
    hash_final(&h, whole);
    memcpy(out, whole, 32);
}

static void a_changed_ciphertext_gives_a_secret_of_rho_alone(void)
{
    uint8_t want[32];
    make_case(12);
    for (size_t i = 0; i < sizeof ciphertext; i++) {
        ciphertext[i] ^= (uint8_t)(1u << i % 8);
        sntrup761_decapsulate(secret_key, ciphertext, shared2);
        rejected_as(ciphertext, want);
        CU_ASSERT_TRUE(memcmp(shared2, want, 32) == 0 && memcmp(shared2, shared, 32) != 0);
        ciphertext[i] ^= (uint8_t)(1u << i % 8);
    }
    sntrup761_decapsulate(secret_key, ciphertext, shared2);
    CU_ASSERT_EQUAL(memcmp(shared2, shared, 32), 0);
}

static void bytes_that_are_no_ciphertext_are_rejected_the_same_way(void)
{
    struct rng rng = rng_fixed(13);
    uint8_t want[32];
    make_case(13);
    for (int round = 0; round < 20; round++) {
        rng_bytes(&rng, ciphertext, sizeof ciphertext);
        if (round < 2)
            memset(ciphertext, round == 0 ? 0 : 0xff, sizeof ciphertext);
        sntrup761_decapsulate(secret_key, ciphertext, shared2);
        rejected_as(ciphertext, want);
        CU_ASSERT_EQUAL(memcmp(shared2, want, 32), 0);
    }
}

/* The confirming hash covers the public key as it was sent. */
static void a_ciphertext_for_another_spelling_of_the_key_is_rejected(void)
{
    struct rng rng = rng_fixed(14);
    make_case(14);
    public_key[0] ^= 1;
    sntrup761_encapsulate(&rng, public_key, ciphertext, shared);
    sntrup761_decapsulate(secret_key, ciphertext, shared2);
    CU_ASSERT_NOT_EQUAL(memcmp(shared, shared2, 32), 0);
}

static const struct unit_test tests[] = {
    UNIT(the_hundred_published_cases_come_out),
    UNIT(every_set_of_loops_gives_the_same),
    UNIT(a_changed_ciphertext_gives_a_secret_of_rho_alone),
    UNIT(bytes_that_are_no_ciphertext_are_rejected_the_same_way),
    UNIT(a_ciphertext_for_another_spelling_of_the_key_is_rejected),
};

int main(void)
{
    return crypto_init() ? unit_main("sntrup761", tests, sizeof tests / sizeof tests[0]) : 2;
}
