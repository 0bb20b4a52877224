/* The DER reader: what X.690 allows in DER, and nothing else. */
#include "crypto/der.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static uint8_t room[1024];

static struct der_reader reader(const char *hex)
{
    return der_reader((struct bytes){room, unit_hex(hex, room, sizeof room)});
}

static void an_element_gives_its_contents(void)
{
    struct der_reader r = reader("04 03 616263 05 00 30 80");
    CU_ASSERT_TRUE(der_next_is(&r, DER_OCTET_STRING));
    CU_ASSERT_FALSE(der_next_is(&r, DER_NULL));
    CU_ASSERT_TRUE(bytes_is(der_take(&r, DER_OCTET_STRING, "text"), "abc"));
    CU_ASSERT_EQUAL(der_take(&r, DER_NULL, "null").n, 0);
    CU_ASSERT_PTR_NULL(r.wrong);
    CU_ASSERT_EQUAL(der_take(&r, DER_SEQUENCE, "a definite length").n, 0);
    CU_ASSERT_STRING_EQUAL(r.wrong, "a definite length");
}

/* The first failure is the one that is told, and nothing more is read. */
static void a_failure_sticks(void)
{
    struct der_reader r = reader("02 01 05 02 01 06");
    (void)der_take(&r, DER_OID, "a name");
    CU_ASSERT_EQUAL(der_u32(&r, "a number"), 0);
    CU_ASSERT_EQUAL(der_positive(&r, "another").n, 0);
    CU_ASSERT_FALSE(der_next_is(&r, DER_INTEGER));
    struct der_reader inner = der_enter(&r, DER_SEQUENCE, "a list");
    der_leave(&r, &inner, "its end");
    CU_ASSERT_STRING_EQUAL(r.wrong, "a name");
    CU_ASSERT_STRING_EQUAL(inner.wrong, "a name");
}

/* n bytes under a length written in the given form: is it taken? */
static bool length_is_taken(const char *length_hex, size_t n)
{
    static uint8_t data[70000];
    data[0] = DER_OCTET_STRING;
    size_t header = 1 + unit_hex(length_hex, data + 1, 16);
    uint8_t *copy = malloc(header + n); /* the exact size, so that reading on is seen */
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, data, header + n);
    struct der_reader r = der_reader((struct bytes){copy, header + n});
    struct bytes b = der_take(&r, DER_OCTET_STRING, "x");
    bool ok = r.wrong == NULL && b.n == n && r.left == 0;
    CU_ASSERT_TRUE(ok || (r.wrong != NULL && b.n == 0 && r.left == 0));
    free(copy);
    return ok;
}

static void lengths_are_definite_and_in_their_shortest_form(void)
{
    CU_ASSERT_TRUE(length_is_taken("00", 0));
    CU_ASSERT_TRUE(length_is_taken("7f", 127));
    CU_ASSERT_TRUE(length_is_taken("8180", 128));
    CU_ASSERT_TRUE(length_is_taken("81ff", 255));
    CU_ASSERT_TRUE(length_is_taken("820100", 256));
    CU_ASSERT_TRUE(length_is_taken("83010000", 65536));
    CU_ASSERT_FALSE(length_is_taken("80", 0));
    CU_ASSERT_FALSE(length_is_taken("817f", 127));
    CU_ASSERT_FALSE(length_is_taken("8200ff", 255));
    CU_ASSERT_FALSE(length_is_taken("8300ffff", 65535));
    CU_ASSERT_FALSE(length_is_taken("850000000001", 1));
    CU_ASSERT_FALSE(length_is_taken("8501000000ff", 1));
    CU_ASSERT_FALSE(length_is_taken("ff", 127));
}

static void lengths_beyond_the_end_are_refused(void)
{
    CU_ASSERT_FALSE(length_is_taken("01", 0));
    CU_ASSERT_FALSE(length_is_taken("80", 127));
    CU_ASSERT_FALSE(length_is_taken("8180", 127));
    CU_ASSERT_FALSE(length_is_taken("8181", 128));
    CU_ASSERT_FALSE(length_is_taken("84ffffffff", 200));
    CU_ASSERT_FALSE(length_is_taken("84", 0));
    CU_ASSERT_FALSE(length_is_taken("8401", 0));
    CU_ASSERT_FALSE(length_is_taken("", 0));
}

static const struct {
    const char *hex, *magnitude; /* NULL: refused */
    uint32_t value;
} integers[] = {
    {"0201 01", "01", 1},
    {"0201 7f", "7f", 127},
    {"0202 0080", "80", 128},
    {"0202 00ff", "ff", 255},
    {"0204 7fffffff", "7fffffff", 0x7fffffff},
    {"0205 00ffffffff", "ffffffff", UINT32_MAX},
    {"0205 0100000000", "0100000000", UINT32_MAX},
    {"0200", NULL, 0},
    {"0201 80", NULL, 0},
    {"0201 ff", NULL, 0},
    {"0202 0001", NULL, 0},
    {"0202 007f", NULL, 0},
    {"0202 ff80", NULL, 0},
    {"0303 000001", NULL, 0},
};

static void integers_are_minimal_and_not_negative(void)
{
    for (size_t i = 0; i < sizeof integers / sizeof integers[0]; i++) {
        struct der_reader r = reader(integers[i].hex), again = r;
        struct bytes m = der_positive(&r, "positive");
        CU_ASSERT_EQUAL(r.wrong == NULL, integers[i].magnitude != NULL);
        CU_ASSERT_EQUAL(der_u32(&again, "number"), integers[i].value);
        CU_ASSERT_EQUAL(again.wrong == NULL, integers[i].magnitude != NULL);
        uint8_t want[8];
        size_t n = integers[i].magnitude != NULL ? unit_hex(integers[i].magnitude, want, 8) : 0;
        CU_ASSERT_TRUE(bytes_equal(m, (struct bytes){want, n}));
    }
    struct der_reader zero = reader("0201 00"), again = zero;
    CU_ASSERT_EQUAL(der_u32(&zero, "number"), 0);
    CU_ASSERT_PTR_NULL(zero.wrong);
    CU_ASSERT_EQUAL(der_positive(&again, "positive").n, 0);
    CU_ASSERT_STRING_EQUAL(again.wrong, "positive");
}

static void bit_strings_are_of_whole_bytes(void)
{
    struct der_reader r = reader("0303 00abcd 8102 0011");
    struct bytes b = der_bits(&r, DER_BIT_STRING, "bits");
    CU_ASSERT_TRUE(b.n == 2 && b.p[0] == 0xab);
    CU_ASSERT_EQUAL(der_bits(&r, DER_CONTEXT | 1, "bits").n, 1);
    CU_ASSERT_PTR_NULL(r.wrong);
    r = reader("0303 01abcc");
    CU_ASSERT_EQUAL(der_bits(&r, DER_BIT_STRING, "bits").n, 0);
    CU_ASSERT_STRING_EQUAL(r.wrong, "bits");
    r = reader("0300");
    CU_ASSERT_EQUAL(der_bits(&r, DER_BIT_STRING, "bits").n, 0);
    CU_ASSERT_STRING_EQUAL(r.wrong, "bits");
}

static void what_is_entered_must_be_used_up(void)
{
    struct der_reader outer = reader("3006 020101 020102 0500");
    struct der_reader inner = der_enter(&outer, DER_SEQUENCE, "a list");
    CU_ASSERT_EQUAL(der_u32(&inner, "one"), 1);
    struct der_reader copy = outer;
    der_leave(&outer, &inner, "one number only");
    CU_ASSERT_STRING_EQUAL(outer.wrong, "one number only");
    CU_ASSERT_EQUAL(outer.left, 0);
    CU_ASSERT_EQUAL(der_u32(&inner, "two"), 2);
    der_leave(&copy, &inner, "two numbers only");
    CU_ASSERT_PTR_NULL(copy.wrong);
    CU_ASSERT_EQUAL(copy.left, 2);
    (void)der_take(&inner, DER_NULL, "no end");
    der_leave(&copy, &inner, "unused");
    CU_ASSERT_STRING_EQUAL(copy.wrong, "no end");
}

static const struct unit_test tests[] = {
    UNIT(an_element_gives_its_contents),
    UNIT(a_failure_sticks),
    UNIT(lengths_are_definite_and_in_their_shortest_form),
    UNIT(lengths_beyond_the_end_are_refused),
    UNIT(integers_are_minimal_and_not_negative),
    UNIT(bit_strings_are_of_whole_bytes),
    UNIT(what_is_entered_must_be_used_up),
};

UNIT_MAIN("der", tests)
