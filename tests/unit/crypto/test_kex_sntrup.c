/* sntrup761x25519-sha512: what the two halves make together, and what each half refuses. */
#include <sodium.h>
#include <string.h>

#include "crypto/kex.h"
#include "crypto/sntrup761.h"
#include "tests/unit/unit.h"

enum { PUBLIC = SNTRUP761_PUBLIC_BYTES, CIPHERTEXT = SNTRUP761_CIPHERTEXT_BYTES, POINT = 32 };

static uint8_t state[KEX_STATE_MAX], client[KEX_SHARE_MAX], server[KEX_SHARE_MAX];
static uint8_t secret[KEX_SECRET_MAX], secret2[KEX_SECRET_MAX];
static size_t client_n, server_n, n, n2;

static const struct kex_method *method(void)
{
    const struct kex_method *m = kex_find(BYTES_LIT("sntrup761x25519-sha512"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    return m;
}

static void exchange(uint64_t seed)
{
    struct rng rng = rng_fixed(seed);
    CU_ASSERT_EQUAL_FATAL(method()->start(&rng, state, client, &client_n), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(
        method()->reply(&rng, (struct bytes){client, client_n}, server, &server_n, secret, &n),
        ERR_OK);
}

static enum err finish(void)
{
    n2 = 99;
    return method()->finish(state, (struct bytes){server, server_n}, secret2, &n2);
}

/* Both names are one method, and both stand before those that a quantum computer breaks. */
static void the_older_name_is_the_same_method(void)
{
    const struct kex_method *older = kex_find(BYTES_LIT("sntrup761x25519-sha512@openssh.com"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(older);
    CU_ASSERT_TRUE(older->start == method()->start && older->reply == method()->reply &&
                   older->finish == method()->finish && older->hash == method()->hash);
    const char *both = strstr(kex_names(), "sntrup761x25519-sha512,sntrup761x25519-sha512@");
    CU_ASSERT_PTR_NOT_NULL_FATAL(both);
    CU_ASSERT_PTR_NOT_NULL(strstr(both, "curve25519-sha256,"));
}

static void k_is_the_hash_of_both_secrets_as_a_string(void)
{
    uint8_t both[64], want[4 + 64] = {0, 0, 0, 64};
    exchange(1);
    CU_ASSERT_TRUE(client_n == PUBLIC + POINT && server_n == CIPHERTEXT + POINT);
    sntrup761_decapsulate(state, server, both);
    CU_ASSERT_EQUAL_FATAL(
        crypto_scalarmult(both + 32, state + SNTRUP761_SECRET_BYTES, server + CIPHERTEXT), 0);
    crypto_hash_sha512(want + 4, both, sizeof both);
    CU_ASSERT_TRUE(n == sizeof want && memcmp(secret, want, n) == 0);
    CU_ASSERT_EQUAL(finish(), ERR_OK);
    CU_ASSERT_TRUE(n2 == sizeof want && memcmp(secret2, want, n2) == 0);
}

/* Of length 64 always: the secret is no number whose leading zeros would go. */
static void k_has_one_length(void)
{
    exchange(2);
    for (uint64_t seed = 1; seed < 600; seed++) {
        struct rng rng = rng_fixed(seed);
        CU_ASSERT_EQUAL_FATAL(
            method()->reply(&rng, (struct bytes){client, client_n}, server, &server_n, secret, &n),
            ERR_OK);
        CU_ASSERT_TRUE(n == 68 && memcmp(secret, "\0\0\0\x40", 4) == 0);
    }
}

static void a_point_of_small_order_is_refused_beside_a_good_kem(void)
{
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        struct rng rng = rng_fixed(3);
        exchange(3);
        memset(secret, 0x55, sizeof secret);
        unit_hex(points[i], client + PUBLIC, POINT);
        unit_hex(points[i], server + CIPHERTEXT, POINT);
        CU_ASSERT_EQUAL(finish(), ERR_KEX);
        CU_ASSERT_EQUAL(n2, 0);
        CU_ASSERT_EQUAL(
            method()->reply(&rng, (struct bytes){client, client_n}, server, &server_n, secret, &n),
            ERR_KEX);
        CU_ASSERT_TRUE(n == 0 && server_n == 0);
        for (size_t at = 0; at < sizeof secret; at++)
            CU_ASSERT_EQUAL(secret[at], 0x55);
    }
}

/* Neither half fails on the way, so it is the exchange hash that shows it. */
static void a_change_in_either_half_changes_k(void)
{
    exchange(4);
    for (size_t i = 0; i < server_n; i += 53) {
        server[i] ^= 1;
        CU_ASSERT_EQUAL(finish(), ERR_OK);
        CU_ASSERT_TRUE(n2 == n && memcmp(secret, secret2, n) != 0);
        server[i] ^= 1;
    }
    CU_ASSERT_EQUAL(finish(), ERR_OK);
    CU_ASSERT_TRUE(n2 == n && memcmp(secret, secret2, n) == 0);
}

static const struct unit_test tests[] = {
    UNIT(the_older_name_is_the_same_method),
    UNIT(k_is_the_hash_of_both_secrets_as_a_string),
    UNIT(k_has_one_length),
    UNIT(a_point_of_small_order_is_refused_beside_a_good_kem),
    UNIT(a_change_in_either_half_changes_k),
};

int main(void)
{
    return crypto_init() ? unit_main("kex_sntrup", tests, sizeof tests / sizeof tests[0]) : 2;
}
