/* One strict base64: digits are of ASCII, and only what is named may stand between them. */
#include "crypto/base64.h"

#include <string.h>

#include "crypto/rng.h"
#include "tests/unit/unit.h"

static bool decodes(const char *text, size_t n, enum base64_gaps gaps)
{
    uint8_t out[16];
    size_t out_n;
    bool ok =
        base64_decode((struct bytes){(const uint8_t *)text, n}, gaps, out, sizeof out, &out_n);
    CU_ASSERT_TRUE(!ok || (out_n == 6 && memcmp(out, "\xff\xff\xff\xff\xff\xff", 3) == 0));
    return ok;
}

static bool is_digit(unsigned c)
{
    return c == '+' || c == '/' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z');
}

static void every_byte_is_a_digit_of_ascii_or_refused(void)
{
    for (size_t at = 4; at < 8; at++)
        for (unsigned c = 0; c < 256; c++) {
            char text[] = "////////";
            text[at] = (char)c;
            CU_ASSERT_EQUAL(decodes(text, 8, BASE64_NO_GAPS), is_digit(c));
            CU_ASSERT_EQUAL(decodes(text, 8, BASE64_WHITE_SPACE), is_digit(c));
        }
}

static void only_white_space_may_stand_between_digits_and_only_if_asked_for(void)
{
    for (size_t at = 0; at < 9; at++)
        for (unsigned c = 0; c < 256; c++) {
            char text[] = "/////////";
            text[at] = (char)c;
            bool is_white = c == ' ' || c == '\t' || c == '\r' || c == '\n';
            CU_ASSERT_FALSE(decodes(text, 9, BASE64_NO_GAPS));
            CU_ASSERT_EQUAL(decodes(text, 9, BASE64_WHITE_SPACE), is_white);
        }
}

/* RFC 4648 section 10, and what is short, long or badly padded. */
static void text_decodes_whole_or_not_at_all(void)
{
    static const struct {
        const char *text, *want; /* NULL: refused */
    } rows[] = {
        {"", ""}, {"Zg==", "f"}, {"Zm8=", "fo"}, {"Zm9v", "foo"}, {"Zm9vYg==", "foob"},
        {"Zg", NULL}, {"Zg=", NULL}, {"Zg===", NULL}, {"Z", NULL}, {"Zm9v=", NULL},
        {"Zh==", NULL},                         /* bits that stand for nothing */
        {"Zg==Zg==", NULL}, {"Zm9vYmE=", NULL}, /* one byte more than there is room */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t out[4];
        size_t n = 9;
        bool ok = base64_decode(bytes_of(rows[i].text), BASE64_NO_GAPS, out, sizeof out, &n);
        CU_ASSERT_EQUAL(ok, rows[i].want != NULL);
        CU_ASSERT_TRUE(!ok || (n == strlen(rows[i].want) && memcmp(out, rows[i].want, n) == 0));
    }
}

static const struct unit_test tests[] = {
    UNIT(every_byte_is_a_digit_of_ascii_or_refused),
    UNIT(only_white_space_may_stand_between_digits_and_only_if_asked_for),
    UNIT(text_decodes_whole_or_not_at_all),
};

int main(void)
{
    return crypto_init() ? unit_main("base64", tests, sizeof tests / sizeof tests[0]) : 2;
}
