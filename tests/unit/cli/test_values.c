#include "cli/values.h"

#include <string.h>

#include "cli/base64.h"
#include "tests/unit/unit.h"

static void times_are_numbers_with_units(void)
{
    static const struct {
        const char *text;
        int seconds; /* -1: refused */
    } cases[] = {{"0", 0}, {"90", 90}, {"5m", 300}, {"1h30m", 5400}, {"1H30M10", 5410},
        {"2d", 172800}, {"1w", 604800}, {"", -1}, {"m", -1}, {"-1", -1}, {"5x", -1}, {"1 m", -1},
        {"99999999999", -1}, {"999999w", -1}, {"5m-", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int seconds = -1;
        CU_ASSERT_EQUAL(value_time(cases[i].text, &seconds), cases[i].seconds >= 0);
        CU_ASSERT_EQUAL(seconds, cases[i].seconds);
    }
}

static void sizes_have_k_m_and_g(void)
{
    int64_t n = -1;
    CU_ASSERT(value_size("64K", &n) && n == 65536);
    CU_ASSERT(value_size("1g", &n) && n == 1 << 30);
    CU_ASSERT(value_size("12", &n) && n == 12);
    CU_ASSERT(!value_size("1KB", &n) && !value_size("K", &n) && !value_size("", &n));
    CU_ASSERT(!value_size("9999999999999G", &n) && !value_size("99999999999999999999", &n));
}

static void ports_are_1_to_65535(void)
{
    int port = 0;
    CU_ASSERT(value_port("22", &port) && port == 22);
    CU_ASSERT(value_port("65535", &port) && port == 65535);
    CU_ASSERT(!value_port("0", &port) && !value_port("65536", &port) && !value_port("", &port));
    CU_ASSERT(!value_port("22 ", &port) && !value_port("4294967318", &port));
}

static void types_of_service_are_names_or_numbers_up_to_255(void)
{
    static const struct {
        const char *text;
        int value; /* -1: refused */
    } cases[] = {{"af11", 0x28}, {"AF43", 0x98}, {"cs0", 0}, {"cs7", 0xe0}, {"ef", 0xb8}, {"le", 4},
        {"lowdelay", 16}, {"throughput", 8}, {"reliability", 4}, {"none", -2}, {"None", -2},
        {"0", 0}, {"255", 255}, {"0x20", 32}, {"020", 16}, {"256", -1}, {"-1", -1}, {"", -1},
        {" 1", -1}, {"1 ", -1}, {"+1", -1}, {"0x", -1}, {"08", -1}, {"af14", -1}, {"cs8", -1},
        {"99999999999999999999", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int value = -1;
        CU_ASSERT_EQUAL(value_qos(cases[i].text, -2, &value), cases[i].value != -1);
        CU_ASSERT_EQUAL(value, cases[i].value);
    }
    CU_ASSERT_STRING_EQUAL(value_qos_name(0xb8), "ef");
    CU_ASSERT_STRING_EQUAL(value_qos_name(16), "lowdelay");
    CU_ASSERT_PTR_NULL(value_qos_name(1));
}

static void escape_characters_are_single_or_controls(void)
{
    int c = 0;
    CU_ASSERT(value_escape("~", -2, &c) && c == '~');
    CU_ASSERT(value_escape("^]", -2, &c) && c == 29);
    CU_ASSERT(value_escape("none", -2, &c) && c == -2);
    CU_ASSERT(!value_escape("", -2, &c) && !value_escape("ab", -2, &c));
}

static const char ours[] = "a@x.org,aes128-ctr,aes256-ctr,curve25519-sha256";
static const char all[] = "a@x.org,aes128-ctr,aes256-ctr,curve25519-sha256,old-sha1";

static void algorithms_are(const char *text, const char *expected)
{
    struct pool pool = {NULL};
    struct text_list skipped = {.n = 0};
    const char *out = NULL, *unknown;
    CU_ASSERT_EQUAL(
        value_algorithms(&pool, text, ours, all, &out, &unknown, &skipped), VALUE_LIST_OK);
    CU_ASSERT(out != NULL && strcmp(out, expected) == 0);
    pool_free(&pool);
}

static void algorithm_lists_add_remove_and_move(void)
{
    algorithms_are("aes256-ctr,aes128-ctr", "aes256-ctr,aes128-ctr");
    algorithms_are("aes256-ctr,aes256-ctr", "aes256-ctr");
    algorithms_are("+aes128-ctr", ours);
    algorithms_are("-aes*", "a@x.org,curve25519-sha256");
    algorithms_are("^curve*", "curve25519-sha256,a@x.org,aes128-ctr,aes256-ctr");
    algorithms_are("+ssh-rsa", ours);
    algorithms_are("+old-sha1", "a@x.org,aes128-ctr,aes256-ctr,curve25519-sha256,old-sha1");
    algorithms_are("^old-*", "old-sha1,a@x.org,aes128-ctr,aes256-ctr,curve25519-sha256");
    algorithms_are("old-sha1", "old-sha1");
    algorithms_are("-old-sha1", ours);
    algorithms_are("3des-cbc,aes128-ctr", "aes128-ctr");
}

static void algorithms_nobody_has_are_refused(void)
{
    struct pool pool = {NULL};
    struct text_list skipped = {.n = 0};
    const char *out = NULL, *unknown;
    CU_ASSERT_EQUAL(
        value_algorithms(&pool, "aes128-ctr,rot13", ours, all, &out, &unknown, &skipped),
        VALUE_LIST_UNKNOWN);
    CU_ASSERT_STRING_EQUAL(unknown, "rot13");
    CU_ASSERT_EQUAL(value_algorithms(
                        &pool, "3des-cbc,umac-64@openssh.com", ours, all, &out, &unknown, &skipped),
        VALUE_LIST_NONE);
    CU_ASSERT_EQUAL(skipped.n, 2);
    CU_ASSERT_EQUAL(
        value_algorithms(&pool, "-*", ours, all, &out, &unknown, &skipped), VALUE_LIST_NONE);
    CU_ASSERT_EQUAL(
        value_algorithms(&pool, ",,", ours, all, &out, &unknown, &skipped), VALUE_LIST_NONE);
    CU_ASSERT_EQUAL(
        value_algorithms(&pool, ",a@x.org,,", ours, all, &out, &unknown, &skipped), VALUE_LIST_OK);
    CU_ASSERT_STRING_EQUAL(out, "a@x.org");
    pool_free(&pool);
}

/* RFC 4648 section 10. */
static void base64_has_its_published_vectors(void)
{
    static const char *const vectors[][2] = {{"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < 6; i++) {
        char text[BASE64_ROOM(6)];
        uint8_t back[6];
        size_t n = strlen(vectors[i][0]);
        base64_encode(bytes_of(vectors[i][0]), text);
        CU_ASSERT_STRING_EQUAL(text, vectors[i][1]);
        CU_ASSERT(base64_decode_exact(bytes_of(text), back, n));
        CU_ASSERT(memcmp(back, vectors[i][0], n) == 0);
        CU_ASSERT(!base64_decode_exact(bytes_of(text), back, n - 1));
    }
    uint8_t out[3];
    CU_ASSERT(!base64_decode_exact(bytes_of("Zm9="), out, 3));
    CU_ASSERT(!base64_decode_exact(bytes_of("Zm-v"), out, 3));
}

static const struct unit_test tests[] = {
    UNIT(times_are_numbers_with_units),
    UNIT(sizes_have_k_m_and_g),
    UNIT(ports_are_1_to_65535),
    UNIT(types_of_service_are_names_or_numbers_up_to_255),
    UNIT(escape_characters_are_single_or_controls),
    UNIT(algorithm_lists_add_remove_and_move),
    UNIT(algorithms_nobody_has_are_refused),
    UNIT(base64_has_its_published_vectors),
};
UNIT_MAIN("values", tests)
