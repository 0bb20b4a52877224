/* Security keys, whose part is played by the samples' private halves: there is no device here. */
#include <string.h>

#include "crypto/key.h"
#include "tests/unit/crypto/make_cert.h"
#include "tests/unit/crypto/read_key.h"
#include "tests/unit/crypto/sample_certs.h"
#include "tests/unit/crypto/sample_keys.h"
#include "tests/unit/unit.h"

static const struct sample {
    const char *type, *short_name, *public, *file;
} samples[] = {
    {"sk-ssh-ed25519@openssh.com", "ED25519-SK", sample_sk_ed25519_public, sample_ed25519_file},
    {"sk-ecdsa-sha2-nistp256@openssh.com", "ECDSA-SK", sample_sk_p256_public, sample_p256_file},
};

static uint8_t room[KEY_BLOB_MAX + 1], signature_room[KEY_SIGNATURE_MAX];

static struct bytes blob_of(const struct sample *s)
{
    size_t n;
    CU_ASSERT_EQUAL_FATAL(
        key_from_base64(bytes_of(s->type), bytes_of(s->public), room, KEY_BLOB_MAX, &n), ERR_OK);
    return (struct bytes){room, n};
}

static struct bytes sign(const struct sample *s, const char *application, uint8_t flags)
{
    struct private_key *k = read_key(s->file);
    size_t n = make_sk_signature(k, s->type, application, flags, 0x01020304, BYTES_LIT("sample"),
        signature_room, sizeof signature_room);
    private_key_free(k);
    return (struct bytes){signature_room, n};
}

static enum err verify(const struct sample *s, struct bytes signature, struct key_sk_facts *facts)
{
    return key_verify_facts(blob_of(s), bytes_of(s->type), signature, BYTES_LIT("sample"), facts);
}

static void security_keys_are_known_by_their_blobs(void)
{
    for (size_t i = 0; i < 2; i++) {
        const char *type;
        struct bytes blob = blob_of(&samples[i]);
        CU_ASSERT_EQUAL(key_check(blob, &type), ERR_OK);
        CU_ASSERT_STRING_EQUAL(type, samples[i].type);
        CU_ASSERT_STRING_EQUAL(key_short_name(blob), samples[i].short_name);
        CU_ASSERT_EQUAL(key_bits(blob), 256);
        CU_ASSERT_STRING_EQUAL(key_type_of_algorithm(bytes_of(type)), type);
        for (size_t n = 0; n < blob.n; n++)
            CU_ASSERT_EQUAL(key_check((struct bytes){blob.p, n}, NULL), ERR_MALFORMED);
        room[blob.n] = 0;
        CU_ASSERT_EQUAL(key_check((struct bytes){blob.p, blob.n + 1}, NULL), ERR_MALFORMED);
        room[blob.n - 1] = '\0'; /* in the application */
        CU_ASSERT_EQUAL(key_check(blob, NULL), ERR_MALFORMED);
    }
}

static void a_touched_key_signs_and_the_facts_are_told(void)
{
    for (size_t i = 0; i < 2; i++) {
        struct key_sk_facts facts;
        struct bytes signature = sign(&samples[i], "ssh:", KEY_SK_PRESENCE | KEY_SK_VERIFIED);
        CU_ASSERT_EQUAL(verify(&samples[i], signature, &facts), ERR_OK);
        CU_ASSERT_TRUE(facts.is_sk);
        CU_ASSERT_EQUAL(facts.flags, KEY_SK_PRESENCE | KEY_SK_VERIFIED);
        CU_ASSERT_EQUAL(facts.counter, 0x01020304);
        struct bytes blob = blob_of(&samples[i]), alg = bytes_of(samples[i].type);
        CU_ASSERT_EQUAL(key_verify(blob, alg, signature, BYTES_LIT("sample")), ERR_OK);
        CU_ASSERT_EQUAL(key_verify(blob, alg, signature, BYTES_LIT("simple")), ERR_SIGNATURE);
    }
}

static void an_untouched_key_verifies_only_for_those_who_look_at_the_facts(void)
{
    static const uint8_t flags[] = {0, KEY_SK_VERIFIED, 0xfe};
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < 3; j++) {
            struct key_sk_facts facts;
            struct bytes signature = sign(&samples[i], "ssh:", flags[j]);
            CU_ASSERT_EQUAL(verify(&samples[i], signature, &facts), ERR_OK);
            CU_ASSERT_EQUAL(facts.flags, flags[j]);
            CU_ASSERT_EQUAL(key_verify(blob_of(&samples[i]), bytes_of(samples[i].type), signature,
                                BYTES_LIT("sample")),
                ERR_SIGNATURE);
        }
}

static void a_signature_for_another_application_is_refused(void)
{
    for (size_t i = 0; i < 2; i++) {
        struct key_sk_facts facts;
        struct bytes signature = sign(&samples[i], "https://example.com", KEY_SK_PRESENCE);
        CU_ASSERT_EQUAL(verify(&samples[i], signature, &facts), ERR_SIGNATURE);
        CU_ASSERT_FALSE(facts.is_sk);
        CU_ASSERT_EQUAL(facts.flags, 0);
    }
}

/* Flags and counter are signed too, so nobody adds a touch on the way. */
static void every_flipped_bit_of_a_signature_is_refused(void)
{
    for (size_t i = 0; i < 2; i++) {
        struct bytes signature = sign(&samples[i], "ssh:", KEY_SK_PRESENCE);
        for (size_t bit = 0; bit < signature.n * 8; bit += i == 0 ? 1 : 3) {
            struct key_sk_facts facts;
            signature_room[bit / 8] ^= (uint8_t)(1 << bit % 8);
            CU_ASSERT_NOT_EQUAL(verify(&samples[i], signature, &facts), ERR_OK);
            CU_ASSERT_FALSE(facts.is_sk);
            signature_room[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (size_t n = 0; n < signature.n; n++) {
            struct key_sk_facts facts;
            struct bytes cut = {signature.p, n};
            CU_ASSERT_EQUAL(verify(&samples[i], cut, &facts), ERR_MALFORMED);
        }
    }
}

/* A plain key's signature lacks flags, and one by a security key has too much for a plain key. */
static void plain_and_security_keys_do_not_stand_in_for_each_other(void)
{
    struct private_key *k = read_key(sample_ed25519_file);
    uint8_t made[KEY_SIGNATURE_MAX];
    size_t n;
    CU_ASSERT_EQUAL(
        private_key_sign(k, BYTES_LIT("ssh-ed25519"), BYTES_LIT("sample"), made, &n), ERR_OK);
    struct key_sk_facts facts;
    CU_ASSERT_NOT_EQUAL(verify(&samples[0], (struct bytes){made, n}, &facts), ERR_OK);
    CU_ASSERT_EQUAL(key_verify_facts(private_key_blob(k), BYTES_LIT("ssh-ed25519"),
                        (struct bytes){made, n}, BYTES_LIT("sample"), &facts),
        ERR_OK);
    CU_ASSERT_FALSE(facts.is_sk);
    struct bytes by_sk = sign(&samples[0], "ssh:", KEY_SK_PRESENCE);
    CU_ASSERT_NOT_EQUAL(
        key_verify(private_key_blob(k), BYTES_LIT("ssh-ed25519"), by_sk, BYTES_LIT("sample")),
        ERR_OK);
    private_key_free(k);
}

static void a_certificate_for_a_security_key_verifies_by_its_rules(void)
{
    static uint8_t cert_room[KEY_BLOB_MAX];
    size_t n;
    CU_ASSERT_EQUAL_FATAL(key_from_base64(BYTES_LIT("sk-ssh-ed25519-cert-v01@openssh.com"),
                              bytes_of(sample_sk_ed25519_cert), cert_room, sizeof cert_room, &n),
        ERR_OK);
    struct bytes cert = {cert_room, n}, alg = BYTES_LIT("sk-ssh-ed25519-cert-v01@openssh.com");
    struct bytes touched = sign(&samples[0], "ssh:", KEY_SK_PRESENCE);
    CU_ASSERT_EQUAL(key_verify(cert, alg, touched, BYTES_LIT("sample")), ERR_OK);
    struct bytes untouched = sign(&samples[0], "ssh:", 0);
    CU_ASSERT_EQUAL(key_verify(cert, alg, untouched, BYTES_LIT("sample")), ERR_SIGNATURE);
}

static const struct unit_test tests[] = {
    UNIT(security_keys_are_known_by_their_blobs),
    UNIT(a_touched_key_signs_and_the_facts_are_told),
    UNIT(an_untouched_key_verifies_only_for_those_who_look_at_the_facts),
    UNIT(a_signature_for_another_application_is_refused),
    UNIT(every_flipped_bit_of_a_signature_is_refused),
    UNIT(plain_and_security_keys_do_not_stand_in_for_each_other),
    UNIT(a_certificate_for_a_security_key_verifies_by_its_rules),
};
UNIT_MAIN("key_sk", tests)
