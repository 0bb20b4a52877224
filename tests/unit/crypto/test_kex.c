/* Key exchanges: published values, both sides agree, everything weak or misshapen is refused. */
#include "crypto/kex.h"

#include <string.h>

#include "crypto/kex_methods.h"
#include "proto/namelist.h"
#include "tests/unit/crypto/mlkem_samples.h"
#include "tests/unit/unit.h"

static uint8_t state[KEX_STATE_MAX];
static uint8_t client[KEX_SHARE_MAX], server[KEX_SHARE_MAX];
static uint8_t secret[KEX_SECRET_MAX], secret2[KEX_SECRET_MAX];

static const struct kex_method *find(const char *name)
{
    const struct kex_method *m = kex_find(bytes_of(name));
    CU_ASSERT_PTR_NOT_NULL_FATAL(m);
    return m;
}

/* A source that hands out what it was told to. */
static uint8_t script[256];
static void scripted(struct rng *r, uint8_t *out, size_t n)
{
    memcpy(out, script + r->counter, n);
    r->counter += n;
}
static struct rng scripted_rng(const char *hex)
{
    memset(script, 0, sizeof script);
    unit_hex(hex, script, sizeof script);
    return (struct rng){.fill = scripted};
}

static void names_and_table_agree(void)
{
    struct bytes names = bytes_of(kex_names()), name;
    CU_ASSERT_TRUE(namelist_is_valid(names));
    while (namelist_next(&names, &name)) {
        const struct kex_method *m = kex_find(name);
        CU_ASSERT_PTR_NOT_NULL_FATAL(m);
        CU_ASSERT_TRUE(bytes_is(name, m->name));
    }
    CU_ASSERT_PTR_NULL(kex_find(BYTES_LIT("curve25519-sha25")));
    CU_ASSERT_PTR_NULL(kex_find(BYTES_LIT("diffie-hellman-group1-sha1")));
    CU_ASSERT_PTR_NULL(kex_find(BYTES_LIT("")));
}

static void what_a_quantum_computer_cannot_read_is_preferred(void)
{
    struct bytes names = bytes_of(kex_names()), name;
    CU_ASSERT_TRUE(namelist_next(&names, &name) && bytes_is(name, "mlkem768x25519-sha256"));
}

static void hashes_are_those_of_the_standards(void)
{
    CU_ASSERT_EQUAL(find("mlkem768x25519-sha256")->hash, HASH_SHA256);
    CU_ASSERT_EQUAL(find("curve25519-sha256")->hash, HASH_SHA256);
    CU_ASSERT_EQUAL(find("curve25519-sha256@libssh.org")->hash, HASH_SHA256);
    CU_ASSERT_EQUAL(find("ecdh-sha2-nistp256")->hash, HASH_SHA256);
    CU_ASSERT_EQUAL(find("ecdh-sha2-nistp384")->hash, HASH_SHA384);
    CU_ASSERT_EQUAL(find("ecdh-sha2-nistp521")->hash, HASH_SHA512);
    CU_ASSERT_EQUAL(find("sntrup761x25519-sha512")->hash, HASH_SHA512);
    CU_ASSERT_EQUAL(find("sntrup761x25519-sha512@openssh.com")->hash, HASH_SHA512);
}

static void both_sides_of_every_method_agree(void)
{
    struct bytes names = bytes_of(kex_names()), name;
    while (namelist_next(&names, &name)) {
        const struct kex_method *m = kex_find(name);
        if (kex_is_group_exchange(m))
            continue;
        for (uint64_t seed = 1; seed <= 5; seed++) {
            struct rng a = rng_fixed(seed), b = rng_fixed(seed + 1000);
            size_t client_n, server_n, n, n2;
            CU_ASSERT_EQUAL_FATAL(m->start(&a, state, client, &client_n), ERR_OK);
            CU_ASSERT_EQUAL_FATAL(
                m->reply(&b, (struct bytes){client, client_n}, server, &server_n, secret, &n),
                ERR_OK);
            CU_ASSERT_EQUAL_FATAL(
                m->finish(state, (struct bytes){server, server_n}, secret2, &n2), ERR_OK);
            CU_ASSERT_TRUE(client_n <= KEX_SHARE_MAX && server_n <= KEX_SHARE_MAX);
            CU_ASSERT_TRUE(n == n2 && n > 4 && memcmp(secret, secret2, n) == 0);
        }
    }
}

/* RFC 7748 section 6.1; K is the shared value as an mpint. */
/* Computed otherwise, so as not to branch on K: zeros in front, a top bit, nothing at all. */
static void a_secret_is_hashed_as_an_mpint(void)
{
    static const uint8_t bytes[] = {0, 0, 0x80, 1, 0, 0, 0x7f, 0, 1, 0, 0, 0};
    uint8_t expected[32], made[KEX_SECRET_MAX];
    for (size_t from = 0; from < sizeof bytes; from++)
        for (size_t n = 0; n <= sizeof bytes - from; n++) {
            struct bytes k = {bytes + from, n};
            struct wire_writer w = wire_writer(expected, sizeof expected);
            wire_put_mpint(&w, k);
            size_t made_n = kex_secret_mpint(k, made);
            CU_ASSERT_TRUE(bytes_equal(wire_written(&w), (struct bytes){made, made_n}));
        }
}

static void x25519_gives_the_published_secret(void)
{
    const struct kex_method *m = find("curve25519-sha256");
    struct rng alice =
        scripted_rng("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    uint8_t want[64];
    size_t n;
    CU_ASSERT_EQUAL_FATAL(m->start(&alice, state, client, &n), ERR_OK);
    unit_hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a", want, 32);
    CU_ASSERT_TRUE(n == 32 && memcmp(client, want, 32) == 0);
    unit_hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f", server, 32);
    CU_ASSERT_EQUAL_FATAL(m->finish(state, (struct bytes){server, 32}, secret, &n), ERR_OK);
    unit_hex("000000204a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742", want,
        sizeof want);
    CU_ASSERT_TRUE(n == 36 && memcmp(secret, want, 36) == 0);
}

static void refused(const struct kex_method *m, const uint8_t *share, size_t share_n)
{
    struct rng rng = rng_fixed(7);
    size_t n, mine_n;
    CU_ASSERT_EQUAL_FATAL(m->start(&rng, state, client, &mine_n), ERR_OK);
    n = 99;
    CU_ASSERT_EQUAL(m->finish(state, (struct bytes){share, share_n}, secret, &n), ERR_KEX);
    CU_ASSERT_EQUAL(n, 0);
    n = 99;
    CU_ASSERT_EQUAL(
        m->reply(&rng, (struct bytes){share, share_n}, server, &mine_n, secret, &n), ERR_KEX);
    CU_ASSERT_EQUAL(n, 0);
}

/* The points whose multiples by a clamped scalar are zero: cr.yp.to/ecdh.html, "validate". */
static void points_of_small_order_are_refused(void)
{
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    uint8_t point[32];
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        unit_hex(points[i], point, sizeof point);
        refused(find("curve25519-sha256"), point, sizeof point);
        point[31] |= 0x80; /* the top bit is ignored (RFC 7748 section 5) */
        refused(find("curve25519-sha256"), point, sizeof point);
    }
}

/* Diffie-Hellman's are numbers, which may be short: test_dh.c. */
static bool has_shares_of_one_length(struct bytes name)
{
    static const char dh[] = "diffie-hellman-";
    return name.n < sizeof dh - 1 || memcmp(name.p, dh, sizeof dh - 1) != 0;
}

static void refused_by(
    const struct kex_method *m, bool is_client, const uint8_t *share, size_t share_n)
{
    struct rng rng = rng_fixed(9);
    size_t n = 99, mine_n;
    struct bytes theirs = {share, share_n};
    enum err e = is_client ? m->finish(state, theirs, secret, &n)
                           : m->reply(&rng, theirs, server, &mine_n, secret, &n);
    CU_ASSERT_EQUAL(e, ERR_KEX);
    CU_ASSERT_EQUAL(n, 0);
}

static void shares_of_any_other_length_are_refused(void)
{
    struct bytes names = bytes_of(kex_names()), name;
    static uint8_t room[KEX_SHARE_MAX];
    while (namelist_next(&names, &name)) {
        const struct kex_method *m = kex_find(name);
        if (!has_shares_of_one_length(name))
            continue;
        struct rng rng = rng_fixed(9);
        size_t client_n, server_n, n;
        CU_ASSERT_EQUAL_FATAL(m->start(&rng, state, client, &client_n), ERR_OK);
        CU_ASSERT_EQUAL_FATAL(
            m->reply(&rng, (struct bytes){client, client_n}, server, &server_n, secret, &n),
            ERR_OK);
        memcpy(room, server, server_n);
        for (n = 0; n < sizeof room; n++)
            if (n != server_n)
                refused_by(m, true, room, n);
        memcpy(room, client, client_n);
        for (n = 0; n < sizeof room; n++)
            if (n != client_n)
                refused_by(m, false, room, n);
    }
}

static void points_off_the_nist_curves_are_refused(void)
{
    static const char *const names[] = {
        "ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521"};
    for (size_t i = 0; i < 3; i++) {
        const struct kex_method *m = find(names[i]);
        struct rng rng = rng_fixed(9);
        uint8_t share[KEX_SHARE_MAX], bad[KEX_SHARE_MAX];
        size_t n;
        CU_ASSERT_EQUAL_FATAL(m->start(&rng, state, share, &n), ERR_OK);
        for (size_t at = 1; at < n; at += 23) {
            memcpy(bad, share, n);
            bad[at] ^= 1;
            refused(m, bad, n);
        }
        for (unsigned first = 0; first < 256; first += first < 8 ? 1 : 31) {
            memcpy(bad, share, n);
            bad[0] = (uint8_t)first; /* infinity, compressed, hybrid and unknown forms */
            if (first != 0x04)
                refused(m, bad, n);
        }
        memset(bad + 1, 0, n - 1); /* (0, 0) */
        bad[0] = 0x04;
        refused(m, bad, n);
        memset(bad + 1, 0xff, n - 1); /* coordinates over the prime */
        refused(m, bad, n);
    }
}

/* RFC 5903 section 8.1: ECDH on P-256. */
static void p256_gives_the_published_secret(void)
{
    const struct kex_method *m = find("ecdh-sha2-nistp256");
    struct rng rng =
        scripted_rng("C88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433");
    uint8_t want[128];
    size_t n;
    CU_ASSERT_EQUAL_FATAL(m->start(&rng, state, client, &n), ERR_OK);
    unit_hex("04"
             "DAD0B65394221CF9B051E1FECA5787D098DFE637FC90B9EF945D0C3772581180"
             "5271A0461CDB8252D61F1C456FA3E59AB1F45B33ACCF5F58389E0577B8990BB3",
        want, sizeof want);
    CU_ASSERT_TRUE(n == 65 && memcmp(client, want, 65) == 0);
    unit_hex("04"
             "D12DFB5289C8D4F81208B70270398C342296970A0BCCB74C736FC7554494BF63"
             "56FBF3CA366CC23E8157854C13C58D6AAC23F046ADA30F8353E74F33039872AB",
        server, sizeof server);
    CU_ASSERT_EQUAL_FATAL(m->finish(state, (struct bytes){server, 65}, secret, &n), ERR_OK);
    unit_hex("00000021"
             "00D6840F6B42F6EDAFD13116E0E12565202FEF8E9ECE7DCE03812464D04B9442DE",
        want, sizeof want);
    CU_ASSERT_TRUE(n == 37 && memcmp(secret, want, 37) == 0);
}

/* ---- mlkem768x25519-sha256 ----------------------------------------------------------------- */

/* Alice and Bob of RFC 7748 section 6.1 with ML-KEM's published values. What both hash is the
 * SHA-256 of the two published secrets, as a string. */
static void mlkem768x25519_puts_the_published_parts_together(void)
{
    const struct kex_method *m = find("mlkem768x25519-sha256");
    uint8_t want[64];
    size_t client_n, server_n, n;
    struct rng alice = scripted_rng(
        MLKEM_SAMPLE_SEED "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    CU_ASSERT_EQUAL_FATAL(m->start(&alice, state, client, &client_n), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(client_n, 1184 + 32);
    hash_once(HASH_SHA256, (struct bytes){client, 1184}, secret);
    unit_hex(MLKEM_SAMPLE_EK_SHA256, want, 32);
    CU_ASSERT_EQUAL(memcmp(secret, want, 32), 0);
    unit_hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a", want, 32);
    CU_ASSERT_EQUAL(memcmp(client + 1184, want, 32), 0);

    struct rng bob = scripted_rng(
        MLKEM_SAMPLE_M "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    CU_ASSERT_EQUAL_FATAL(
        m->reply(&bob, (struct bytes){client, client_n}, server, &server_n, secret, &n), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(server_n, 1088 + 32);
    hash_once(HASH_SHA256, (struct bytes){server, 1088}, secret2);
    unit_hex(MLKEM_SAMPLE_CT_SHA256, want, 32);
    CU_ASSERT_EQUAL(memcmp(secret2, want, 32), 0);
    unit_hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f", want, 32);
    CU_ASSERT_EQUAL(memcmp(server + 1088, want, 32), 0);

    unit_hex("0000002061b960093640d816178a7b456a691a7b982c2d3dfaf5739074fdd168ac5a3c61", want,
        sizeof want);
    CU_ASSERT_TRUE(n == 36 && memcmp(secret, want, 36) == 0);
    CU_ASSERT_EQUAL_FATAL(m->finish(state, (struct bytes){server, server_n}, secret2, &n), ERR_OK);
    CU_ASSERT_TRUE(n == 36 && memcmp(secret2, want, 36) == 0);
}

/* Whatever is wrong in one half, nothing of the other half's secret is left. */
static void refused_whole(struct bytes bad, bool is_client)
{
    memset(secret, 0x55, sizeof secret);
    refused_by(find("mlkem768x25519-sha256"), is_client, bad.p, bad.n);
    for (size_t i = 0; i < sizeof secret; i++)
        CU_ASSERT_EQUAL(secret[i], 0x55);
}

static void a_hybrid_with_one_bad_half_is_refused(void)
{
    const struct kex_method *m = find("mlkem768x25519-sha256");
    struct rng rng = rng_fixed(11);
    size_t client_n, server_n, n;
    CU_ASSERT_EQUAL_FATAL(m->start(&rng, state, client, &client_n), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(
        m->reply(&rng, (struct bytes){client, client_n}, server, &server_n, secret, &n), ERR_OK);

    uint8_t bad[KEX_SHARE_MAX];
    memcpy(bad, server, server_n);
    memset(bad + server_n - 32, 0, 32); /* a point of order 1 */
    refused_whole((struct bytes){bad, server_n}, true);
    memcpy(bad, client, client_n);
    memset(bad + client_n - 32, 0, 32);
    refused_whole((struct bytes){bad, client_n}, false);
    memcpy(bad, client, client_n);
    memset(bad, 0xff, 3); /* two coefficients of 4095 */
    refused_whole((struct bytes){bad, client_n}, false);
}

/* Implicit rejection: only the exchange hash, which both sign or check, shows it. */
static void a_changed_hybrid_ciphertext_gives_another_secret(void)
{
    const struct kex_method *m = find("mlkem768x25519-sha256");
    struct rng rng = rng_fixed(12);
    size_t client_n, server_n, n, n2;
    CU_ASSERT_EQUAL_FATAL(m->start(&rng, state, client, &client_n), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(
        m->reply(&rng, (struct bytes){client, client_n}, server, &server_n, secret, &n), ERR_OK);
    server[500] ^= 1;
    CU_ASSERT_EQUAL(m->finish(state, (struct bytes){server, server_n}, secret2, &n2), ERR_OK);
    CU_ASSERT_TRUE(n == n2 && memcmp(secret, secret2, n) != 0);
}

static const struct unit_test tests[] = {
    UNIT(names_and_table_agree),
    UNIT(what_a_quantum_computer_cannot_read_is_preferred),
    UNIT(hashes_are_those_of_the_standards),
    UNIT(both_sides_of_every_method_agree),
    UNIT(a_secret_is_hashed_as_an_mpint),
    UNIT(x25519_gives_the_published_secret),
    UNIT(p256_gives_the_published_secret),
    UNIT(points_of_small_order_are_refused),
    UNIT(shares_of_any_other_length_are_refused),
    UNIT(points_off_the_nist_curves_are_refused),
    UNIT(mlkem768x25519_puts_the_published_parts_together),
    UNIT(a_hybrid_with_one_bad_half_is_refused),
    UNIT(a_changed_hybrid_ciphertext_gives_another_secret),
};

int main(void)
{
    return crypto_init() ? unit_main("kex", tests, sizeof tests / sizeof tests[0]) : 2;
}
