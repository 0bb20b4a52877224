#include "proto/known_hosts.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#define KEY "AAAAC3NzaC1lZDI1NTE5AAAAIO+/x0=="

static struct known_hosts_line parsed; /* the last line that parse() took */
static const char *why;

static enum known_hosts_kind parse(struct bytes line)
{
    enum known_hosts_kind kind = known_hosts_parse(line, &parsed, &why);
    CU_ASSERT_EQUAL(why != NULL, kind == KH_BAD);
    return kind;
}

static void a_line_has_hosts_type_key_and_comment(void)
{
    CU_ASSERT_EQUAL(parse(BYTES_LIT("h,10.0.0.1 ssh-ed25519 " KEY " me at home")), KH_LINE);
    CU_ASSERT_EQUAL(parsed.marker, KH_NONE);
    CU_ASSERT_TRUE(bytes_is(parsed.hosts, "h,10.0.0.1"));
    CU_ASSERT_TRUE(bytes_is(parsed.key_type, "ssh-ed25519"));
    CU_ASSERT_TRUE(bytes_is(parsed.key_b64, KEY));
    CU_ASSERT_TRUE(bytes_is(parsed.comment, "me at home"));

    CU_ASSERT_EQUAL(parse(BYTES_LIT("h ssh-ed25519 " KEY)), KH_LINE);
    CU_ASSERT_EQUAL(parsed.comment.n, 0);
}

static void spaces_and_tabs_part_the_fields(void)
{
    CU_ASSERT_EQUAL(parse(BYTES_LIT(" \th\t ssh-rsa \t" KEY "\t c  d \t")), KH_LINE);
    CU_ASSERT_TRUE(bytes_is(parsed.hosts, "h"));
    CU_ASSERT_TRUE(bytes_is(parsed.key_type, "ssh-rsa"));
    CU_ASSERT_TRUE(bytes_is(parsed.key_b64, KEY));
    CU_ASSERT_TRUE(bytes_is(parsed.comment, "c  d"));
}

static void markers_are_told(void)
{
    CU_ASSERT_EQUAL(parse(BYTES_LIT("@cert-authority *.example.com ssh-rsa " KEY)), KH_LINE);
    CU_ASSERT_EQUAL(parsed.marker, KH_CERT_AUTHORITY);
    CU_ASSERT_TRUE(bytes_is(parsed.hosts, "*.example.com"));
    CU_ASSERT_EQUAL(parse(BYTES_LIT("@revoked\t* ssh-rsa " KEY)), KH_LINE);
    CU_ASSERT_EQUAL(parsed.marker, KH_REVOKED);
}

/* A marker that is not understood must not turn its line into a plain one that is trusted. */
static void unknown_and_double_markers_are_bad(void)
{
    CU_ASSERT_EQUAL(parse(BYTES_LIT("@Revoked h ssh-rsa " KEY)), KH_BAD);
    CU_ASSERT_EQUAL(parse(BYTES_LIT("@ h ssh-rsa " KEY)), KH_BAD);
    CU_ASSERT_EQUAL(parse(BYTES_LIT("@revokedh ssh-rsa " KEY)), KH_BAD);
    CU_ASSERT_EQUAL(parse(BYTES_LIT("@revoked @cert-authority h ssh-rsa " KEY)), KH_BAD);
    CU_ASSERT_STRING_EQUAL(why, "expected at most one marker before the host names");
    CU_ASSERT_EQUAL(parse(BYTES_LIT("@revoked")), KH_BAD);
}

static void empty_lines_and_comments_are_blank(void)
{
    CU_ASSERT_EQUAL(parse((struct bytes){NULL, 0}), KH_BLANK);
    CU_ASSERT_EQUAL(parse(BYTES_LIT(" \t ")), KH_BLANK);
    CU_ASSERT_EQUAL(parse(BYTES_LIT("# h ssh-rsa " KEY)), KH_BLANK);
    CU_ASSERT_EQUAL(parse(BYTES_LIT("  #")), KH_BLANK);
    CU_ASSERT_EQUAL(parse(BYTES_LIT("\r")), KH_BLANK);
}

static void a_line_end_of_two_characters_is_no_part_of_the_line(void)
{
    CU_ASSERT_EQUAL(parse(BYTES_LIT("h ssh-rsa " KEY "\r")), KH_LINE);
    CU_ASSERT_TRUE(bytes_is(parsed.key_b64, KEY));
}

static void missing_fields_are_bad(void)
{
    CU_ASSERT_EQUAL(parse(BYTES_LIT("h")), KH_BAD);
    CU_ASSERT_STRING_EQUAL(why, "expected a key type after the host names");
    CU_ASSERT_EQUAL(parse(BYTES_LIT("h ")), KH_BAD);
    CU_ASSERT_EQUAL(parse(BYTES_LIT("h ssh-rsa")), KH_BAD);
    CU_ASSERT_STRING_EQUAL(why, "expected a base64 key after the key type");
    CU_ASSERT_EQUAL(parse(BYTES_LIT("h ssh-rsa *** comment")), KH_BAD);
}

static void keys_of_protocol_1_are_bad(void)
{
    CU_ASSERT_EQUAL(parse(BYTES_LIT("h 1024 35 1234567890")), KH_BAD);
    CU_ASSERT_STRING_EQUAL(why, "expected a key type, found an SSH protocol 1 key");
}

static void hashed_names_are_recognised(void)
{
    CU_ASSERT_EQUAL(parse(BYTES_LIT("|1|c2FsdA==|aGFzaA== ssh-rsa " KEY)), KH_LINE);
    CU_ASSERT_TRUE(bytes_is(parsed.hosts, "|1|c2FsdA==|aGFzaA=="));
    static const char *const bad[] = {"|", "|1", "|1|", "|1|c2Fs", "|1||aGFz", "|1|c2Fs|",
        "|2|c2Fs|aGFz", "|1|c2Fs|aGFz,h", "|1|c2Fs|aGFz|"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char line[100];
        snprintf(line, sizeof line, "%s ssh-rsa " KEY, bad[i]);
        CU_ASSERT_EQUAL(parse(bytes_of(line)), KH_BAD);
    }
}

static void control_characters_are_bad_anywhere(void)
{
    static const char good[] = "h ssh-rsa " KEY " comment";
    for (unsigned c = 0; c < 256; c++) {
        bool is_control = (c < ' ' && c != '\t') || c == 0x7f;
        for (size_t at = 0; is_control && at < sizeof good - 1; at++) {
            uint8_t line[sizeof good];
            memcpy(line, good, sizeof good);
            line[at] = (uint8_t)c;
            CU_ASSERT_EQUAL(parse((struct bytes){line, sizeof good - 1}),
                c == '\r' && at == sizeof good - 2 ? KH_LINE : KH_BAD);
        }
    }
}

static const struct unit_test tests[] = {
    UNIT(a_line_has_hosts_type_key_and_comment),
    UNIT(spaces_and_tabs_part_the_fields),
    UNIT(markers_are_told),
    UNIT(unknown_and_double_markers_are_bad),
    UNIT(empty_lines_and_comments_are_blank),
    UNIT(a_line_end_of_two_characters_is_no_part_of_the_line),
    UNIT(missing_fields_are_bad),
    UNIT(keys_of_protocol_1_are_bad),
    UNIT(hashed_names_are_recognised),
    UNIT(control_characters_are_bad_anywhere),
};

UNIT_MAIN("known_hosts", tests)
