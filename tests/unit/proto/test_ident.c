#include "proto/ident.h"
#include "tests/unit/unit.h"

#include <string.h>

static enum ident_status parse(struct bytes in, size_t *used, struct ident *out)
{
    *used = 99;
    return ident_parse(in, used, out);
}

static enum ident_status status_of(struct bytes in)
{
    size_t used;
    struct ident ident;
    enum ident_status status = parse(in, &used, &ident);
    CU_ASSERT_EQUAL(used == 0, status == IDENT_MORE || status == IDENT_BAD);
    return status;
}

static bool is_version(struct bytes in, const char *line, const char *software)
{
    size_t used;
    struct ident ident;
    return parse(in, &used, &ident) == IDENT_FOUND && used <= in.n && in.p[used - 1] == '\n' &&
           bytes_is(ident.line, line) && bytes_is(ident.software, software);
}

static void a_version_line_is_split_into_software_and_comment(void)
{
    CU_ASSERT_TRUE(is_version(BYTES_LIT("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
        "SSH-2.0-OpenSSH_9.2p1 Debian-2", "OpenSSH_9.2p1"));
    CU_ASSERT_TRUE(is_version(BYTES_LIT("SSH-2.0-adit\r\n\0\0\0\x10"), "SSH-2.0-adit", "adit"));
    CU_ASSERT_TRUE(
        is_version(BYTES_LIT("SSH-2.0-Cisco-1.25\n"), "SSH-2.0-Cisco-1.25", "Cisco-1.25"));
}

static void a_lone_line_feed_ends_a_line(void)
{
    CU_ASSERT_TRUE(is_version(BYTES_LIT("SSH-2.0-x\nSSH-2.0-y\n"), "SSH-2.0-x", "x"));
}

static void version_1_99_means_2_0(void)
{
    CU_ASSERT_TRUE(is_version(BYTES_LIT("SSH-1.99-Old_1\r\n"), "SSH-1.99-Old_1", "Old_1"));
}

static void other_versions_are_refused(void)
{
    CU_ASSERT_EQUAL(status_of(BYTES_LIT("SSH-1.5-x\r\n")), IDENT_BAD);
    CU_ASSERT_EQUAL(status_of(BYTES_LIT("SSH-3.0-x\r\n")), IDENT_BAD);
    CU_ASSERT_EQUAL(status_of(BYTES_LIT("SSH-2.0\r\n")), IDENT_BAD);
    CU_ASSERT_EQUAL(status_of(BYTES_LIT("SSH-2.0-\r\n")), IDENT_BAD);
    CU_ASSERT_EQUAL(status_of(BYTES_LIT("SSH-2.00-x\r\n")), IDENT_BAD);
    CU_ASSERT_EQUAL(status_of(BYTES_LIT("SSH-\n")), IDENT_BAD);
}

static void text_before_the_version_comes_line_by_line(void)
{
    struct bytes in = BYTES_LIT("Hello\tw\xc3\xb6rld\r\n\nSSH\nssh-2.0-x\nSSH-2.0-x\r\n");
    static const char *const lines[] = {"Hello\tw\xc3\xb6rld", "", "SSH", "ssh-2.0-x"};
    size_t used;
    struct ident ident;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        CU_ASSERT_EQUAL_FATAL(parse(in, &used, &ident), IDENT_LINE);
        CU_ASSERT_TRUE(bytes_is(ident.line, lines[i]));
        in = (struct bytes){in.p + used, in.n - used};
    }
    CU_ASSERT_TRUE(is_version(in, "SSH-2.0-x", "x"));
}

static void every_cut_asks_for_more_until_the_line_ends(void)
{
    struct bytes in = BYTES_LIT("SSH-2.0-adit_1 hello\r\n");
    for (size_t n = 0; n < in.n; n++)
        CU_ASSERT_EQUAL(status_of((struct bytes){in.p, n}), IDENT_MORE);
    CU_ASSERT_EQUAL(status_of(in), IDENT_FOUND);
    CU_ASSERT_EQUAL(status_of((struct bytes){NULL, 0}), IDENT_MORE);
}

/* A control character at every place of the line; at the last, a CR is the line end's. */
static void control_characters_and_NUL_are_refused(void)
{
    static const char line[] = "SSH-2.0-adit_1 x\n";
    for (unsigned c = 0; c < 256; c++) {
        bool is_control = (c < ' ' && c != '\n') || c == 0x7f;
        for (size_t at = 4; is_control && at < sizeof line - 2; at++) {
            uint8_t in[sizeof line - 1];
            memcpy(in, line, sizeof in);
            in[at] = (uint8_t)c;
            CU_ASSERT_EQUAL(status_of((struct bytes){in, sizeof in}),
                c == '\r' && at == sizeof in - 2 ? IDENT_FOUND : IDENT_BAD);
        }
    }
    CU_ASSERT_EQUAL(status_of(BYTES_LIT("hello \x1b[2J\r\n")), IDENT_BAD);
    CU_ASSERT_EQUAL(status_of(BYTES_LIT("SSH-2.0-x\r\r\n")), IDENT_BAD);
}

static void rubbish_without_a_line_end_is_not_waited_for(void)
{
    CU_ASSERT_EQUAL(status_of(BYTES_LIT("\x16\x03\x01")), IDENT_BAD); /* TLS */
    CU_ASSERT_EQUAL(status_of(BYTES_LIT("SSH-2.0-a\0")), IDENT_BAD);
    CU_ASSERT_EQUAL(status_of(BYTES_LIT("a\rb")), IDENT_BAD);
    CU_ASSERT_EQUAL(status_of(BYTES_LIT("a\r")), IDENT_MORE);
}

static void a_version_line_has_at_most_255_bytes(void)
{
    uint8_t in[300];
    memset(in, 'v', sizeof in);
    memcpy(in, "SSH-2.0-", 8);
    CU_ASSERT_EQUAL(status_of((struct bytes){in, 254}), IDENT_MORE);
    CU_ASSERT_EQUAL(status_of((struct bytes){in, 255}), IDENT_BAD);
    CU_ASSERT_EQUAL(status_of((struct bytes){in, 300}), IDENT_BAD);
    in[255] = '\n';
    CU_ASSERT_EQUAL(status_of((struct bytes){in, 300}), IDENT_BAD);
    in[253] = '\r';
    in[254] = '\n';
    CU_ASSERT_EQUAL(status_of((struct bytes){in, 300}), IDENT_FOUND);
}

static void a_line_before_it_has_at_most_8192_bytes(void)
{
    static uint8_t in[8200];
    memset(in, 't', sizeof in);
    CU_ASSERT_EQUAL(status_of((struct bytes){in, 8191}), IDENT_MORE);
    CU_ASSERT_EQUAL(status_of((struct bytes){in, 8192}), IDENT_BAD);
    in[8192] = '\n';
    CU_ASSERT_EQUAL(status_of((struct bytes){in, sizeof in}), IDENT_BAD);
    in[8191] = '\n';
    CU_ASSERT_EQUAL(status_of((struct bytes){in, sizeof in}), IDENT_LINE);
}

static const struct unit_test tests[] = {
    UNIT(a_version_line_is_split_into_software_and_comment),
    UNIT(a_lone_line_feed_ends_a_line),
    UNIT(version_1_99_means_2_0),
    UNIT(other_versions_are_refused),
    UNIT(text_before_the_version_comes_line_by_line),
    UNIT(every_cut_asks_for_more_until_the_line_ends),
    UNIT(control_characters_and_NUL_are_refused),
    UNIT(rubbish_without_a_line_end_is_not_waited_for),
    UNIT(a_version_line_has_at_most_255_bytes),
    UNIT(a_line_before_it_has_at_most_8192_bytes),
};

UNIT_MAIN("ident", tests)
