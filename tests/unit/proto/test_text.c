#include "proto/text.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static bool escapes(struct bytes in, enum text_mode mode, const char *want)
{
    char out[256];
    size_t n = text_escape(out, sizeof out, in, mode);
    return n == strlen(out) && strcmp(out, want) == 0;
}

#define LINE_GIVES(in, want)   CU_ASSERT_TRUE(escapes(BYTES_LIT(in), TEXT_LINE, want))
#define BANNER_GIVES(in, want) CU_ASSERT_TRUE(escapes(BYTES_LIT(in), TEXT_BANNER, want))
#define LINE_KEEPS(in)         LINE_GIVES(in, in)

static void plain_text_is_kept(void)
{
    LINE_KEEPS("");
    LINE_KEEPS("Connection refused (10.0.0.5:21) ~!@#$%^&*");
    LINE_KEEPS("gr\xc3\xbc\xc3\x9f dich, \xe4\xb8\x96\xe7\x95\x8c \xf0\x9f\x98\x80");
    CU_ASSERT_TRUE(escapes((struct bytes){NULL, 0}, TEXT_LINE, ""));
}

static void every_ascii_control_is_escaped_in_a_line(void)
{
    for (unsigned c = 0; c < 0x80; c++) {
        uint8_t in[1] = {(uint8_t)c};
        char want[8];
        if (c < ' ' || c == 0x7f)
            snprintf(want, sizeof want, "\\x%02x", c);
        else
            snprintf(want, sizeof want, c == '\\' ? "\\\\" : "%c", (int)c);
        CU_ASSERT_TRUE(escapes((struct bytes){in, 1}, TEXT_LINE, want));
    }
}

static void a_newline_cannot_forge_a_second_line(void)
{
    LINE_GIVES("root\nAccepted key for root", "root\\x0aAccepted key for root");
    LINE_GIVES("a\r\nb\tc", "a\\x0d\\x0ab\\x09c");
}

/* So that nobody can write by hand what only an escape would show. */
static void a_backslash_is_doubled_in_a_line_only(void)
{
    LINE_GIVES("\\x1b", "\\\\x1b");
    BANNER_GIVES("\\x1b /\\/\\", "\\x1b /\\/\\");
}

static void a_banner_keeps_newlines_and_tabs(void)
{
    BANNER_GIVES("a\r\nb\n\tc", "a\nb\n\tc");
    BANNER_GIVES("a\rb", "a\\x0db");
    BANNER_GIVES("a\r\r\n", "a\\x0d\n");
    BANNER_GIVES("\x1b[2J\x07", "\\x1b[2J\\x07");
    BANNER_GIVES("a\r", "a\\x0d");
}

static void C1_controls_are_escaped(void)
{
    for (unsigned c = 0x80; c < 0xa0; c++) {
        uint8_t in[2] = {0xc2, (uint8_t)c};
        char want[16];
        snprintf(want, sizeof want, "\\xc2\\x%02x", c);
        CU_ASSERT_TRUE(escapes((struct bytes){in, 2}, TEXT_LINE, want));
        CU_ASSERT_TRUE(escapes((struct bytes){in, 2}, TEXT_BANNER, want));
        snprintf(want, sizeof want, "\\x%02x", c); /* the bare byte, as an 8-bit terminal has it */
        CU_ASSERT_TRUE(escapes((struct bytes){in + 1, 1}, TEXT_LINE, want));
    }
    LINE_KEEPS("\xc2\xa0");
}

static void bidirectional_controls_and_line_separators_are_escaped(void)
{
    LINE_GIVES("\xd8\x9c", "\\xd8\\x9c"); /* U+061C */
    for (unsigned last = 0x80; last <= 0xbf; last++) {
        uint8_t general[3] = {0xe2, 0x80, (uint8_t)last}, isolates[3] = {0xe2, 0x81, (uint8_t)last};
        char want[16], kept[4];
        bool is_bad = last == 0x8e || last == 0x8f || (last >= 0xa8 && last <= 0xae);
        snprintf(want, sizeof want, "\\xe2\\x80\\x%02x", last);
        snprintf(kept, sizeof kept, "%.3s", (const char *)general);
        CU_ASSERT_TRUE(escapes((struct bytes){general, 3}, TEXT_LINE, is_bad ? want : kept));
        CU_ASSERT_TRUE(escapes((struct bytes){general, 3}, TEXT_BANNER, is_bad ? want : kept));
        is_bad = last >= 0xa6 && last <= 0xa9;
        snprintf(want, sizeof want, "\\xe2\\x81\\x%02x", last);
        snprintf(kept, sizeof kept, "%.3s", (const char *)isolates);
        CU_ASSERT_TRUE(escapes((struct bytes){isolates, 3}, TEXT_LINE, is_bad ? want : kept));
    }
}

static void invalid_UTF_8_is_escaped_byte_by_byte(void)
{
    LINE_GIVES("\xff", "\\xff");
    LINE_GIVES("\xc3", "\\xc3");                            /* cut short */
    LINE_GIVES("\xc3(", "\\xc3(");                          /* the next byte does not go on */
    LINE_GIVES("\xe2\x82", "\\xe2\\x82");                   /* cut short */
    LINE_GIVES("\xf0\x9f\x98", "\\xf0\\x9f\\x98");          /* cut short */
    LINE_GIVES("\xc0\x8a", "\\xc0\\x8a");                   /* a newline, overlong */
    LINE_GIVES("\xc1\xbf", "\\xc1\\xbf");                   /* overlong */
    LINE_GIVES("\xe0\x82\x9b", "\\xe0\\x82\\x9b");          /* a C1 control, overlong */
    LINE_GIVES("\xf0\x80\x80\x8a", "\\xf0\\x80\\x80\\x8a"); /* overlong */
    LINE_GIVES("\xed\xa0\x80", "\\xed\\xa0\\x80");          /* a surrogate */
    LINE_GIVES("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* above U+10FFFF */
    LINE_GIVES("\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80");
    LINE_KEEPS("\xf4\x8f\xbf\xbf");
    LINE_KEEPS("\xed\x9f\xbf\xee\x80\x80");
}

static void what_does_not_fit_ends_in_dots(void)
{
    char out[8];
    CU_ASSERT_EQUAL(text_escape(out, sizeof out, BYTES_LIT("1234567"), TEXT_LINE), 7);
    CU_ASSERT_STRING_EQUAL(out, "1234567");
    CU_ASSERT_EQUAL(text_escape(out, sizeof out, BYTES_LIT("12345678"), TEXT_LINE), 7);
    CU_ASSERT_STRING_EQUAL(out, "1234...");
    CU_ASSERT_EQUAL(text_escape(out, sizeof out,
                        BYTES_LIT("\xe2\x80\xae"
                                  "abc"),
                        TEXT_LINE),
        3);
    CU_ASSERT_STRING_EQUAL(out, "...");
}

static void escapes_and_characters_are_never_split(void)
{
    struct bytes in = BYTES_LIT("a\x1b\\\xe2\x82\xac\xe2\x80\xaez\xf0\x9f\x98\x80\xff");
    /* Where a cut may fall in "a\x1b\\€\xe2\x80\xaez😀\xff", in bytes. */
    static const size_t ends[] = {0, 1, 5, 7, 10, 22, 23, 27, 31};
    char whole[64];
    size_t n_whole = text_escape(whole, sizeof whole, in, TEXT_LINE);
    CU_ASSERT_EQUAL(n_whole, 31);

    for (size_t cap = 8; cap <= n_whole + 2; cap++) {
        char out[64];
        memset(out, '#', sizeof out);
        size_t n = text_escape(out, cap, in, TEXT_LINE);
        CU_ASSERT_TRUE(n < cap && out[n] == '\0' && out[cap] == '#');
        if (cap > n_whole) {
            CU_ASSERT_STRING_EQUAL(out, whole);
            continue;
        }
        CU_ASSERT_STRING_EQUAL(out + n - 3, "...");
        CU_ASSERT_EQUAL(memcmp(out, whole, n - 3), 0);
        bool is_end = false;
        for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
            is_end = is_end || ends[i] == n - 3;
        CU_ASSERT_TRUE(is_end);
    }
}

/* Both judge each character as text_escape() does. */
static void what_is_harmless_is_what_needs_no_escape(void)
{
    for (uint32_t code = 0; code < 0x3000; code++) {
        char in[8], out[16], masked[8];
        size_t n = 0;
        if (code < 0x80)
            in[n++] = (char)code;
        else if (code < 0x800)
            in[n++] = (char)(0xc0 | code >> 6);
        else {
            in[n++] = (char)(0xe0 | code >> 12);
            in[n++] = (char)(0x80 | (code >> 6 & 0x3f));
        }
        if (code >= 0x80)
            in[n++] = (char)(0x80 | (code & 0x3f));
        in[n] = '\0';
        struct bytes b = {(const uint8_t *)in, n};
        bool is_kept = code == '\\' || text_escape(out, sizeof out, b, TEXT_LINE) == n;
        CU_ASSERT_EQUAL(text_is_harmless(b), is_kept);
        memcpy(masked, in, n + 1);
        text_mask(masked);
        CU_ASSERT_EQUAL(strlen(masked), strlen(in));
        CU_ASSERT_STRING_EQUAL(masked, code == 0 || is_kept ? in
                                       : n == 1             ? "?"
                                       : n == 2             ? "??"
                                                            : "???");
    }
}

static void what_is_no_utf_8_is_masked_byte_by_byte(void)
{
    char text[] = "a\xc3 b\xff\xe2\x80 c\xed\xa0\x80 \xf0\x9f\x98\x80";
    CU_ASSERT_FALSE(text_is_harmless(bytes_of(text)));
    text_mask(text);
    CU_ASSERT_STRING_EQUAL(text, "a? b??? c??? \xf0\x9f\x98\x80");
    CU_ASSERT_TRUE(text_is_harmless(bytes_of(text)));
    CU_ASSERT_TRUE(text_is_harmless((struct bytes){NULL, 0}));
}

static const struct unit_test tests[] = {
    UNIT(plain_text_is_kept),
    UNIT(every_ascii_control_is_escaped_in_a_line),
    UNIT(a_newline_cannot_forge_a_second_line),
    UNIT(a_backslash_is_doubled_in_a_line_only),
    UNIT(a_banner_keeps_newlines_and_tabs),
    UNIT(C1_controls_are_escaped),
    UNIT(bidirectional_controls_and_line_separators_are_escaped),
    UNIT(invalid_UTF_8_is_escaped_byte_by_byte),
    UNIT(what_does_not_fit_ends_in_dots),
    UNIT(escapes_and_characters_are_never_split),
    UNIT(what_is_harmless_is_what_needs_no_escape),
    UNIT(what_is_no_utf_8_is_masked_byte_by_byte),
};

UNIT_MAIN("text", tests)
