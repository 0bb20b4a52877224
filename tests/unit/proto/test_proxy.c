#include "proto/proxy.h"
#include "tests/unit/unit.h"

#include <string.h>

static bool connects_to(struct bytes in, enum proxy_kind kind, const char *host, uint16_t port)
{
    struct proxy p = {0};
    size_t n_used = 0;
    enum proxy_status status = PROXY_MORE;
    for (size_t n = 0; n <= in.n && (status == PROXY_MORE || status == PROXY_REPLY); n++)
        do {
            status = proxy_parse(&p, (struct bytes){in.p + n_used, n - n_used});
            n_used += p.used;
        } while (status == PROXY_REPLY);
    return status == PROXY_CONNECT && p.kind == kind && strcmp(p.host, host) == 0 &&
           p.port == port && n_used == in.n && p.reply.n == 0 && p.why == NULL;
}

static void each_kind_is_told_by_its_first_byte(void)
{
    CU_ASSERT_TRUE(
        connects_to(BYTES_LIT("\4\1\0\x50\x0a\0\0\x05me\0"), PROXY_SOCKS4, "10.0.0.5", 80));
    CU_ASSERT_TRUE(
        connects_to(BYTES_LIT("\4\1\0\x50\0\0\0\1me\0CONNECT\0"), PROXY_SOCKS4, "CONNECT", 80));
    CU_ASSERT_TRUE(connects_to(BYTES_LIT("\5\1\0\5\1\0\3\1h\0\x50"), PROXY_SOCKS5, "h", 80));
    CU_ASSERT_TRUE(
        connects_to(BYTES_LIT("\5\1\2\1\2me\6secret\5\1\0\3\1h\0\x50"), PROXY_SOCKS5, "h", 80));
    CU_ASSERT_TRUE(connects_to(BYTES_LIT("CONNECT h:80 HTTP/1.1\r\n\r\n"), PROXY_HTTP, "h", 80));
}

static void nothing_is_no_kind_yet(void)
{
    struct proxy p = {0};
    CU_ASSERT_EQUAL(proxy_parse(&p, (struct bytes){NULL, 0}), PROXY_MORE);
    CU_ASSERT_EQUAL(p.kind, PROXY_UNKNOWN);
    CU_ASSERT_EQUAL(strcmp(p.host, ""), 0);
}

static void other_first_bytes_are_refused_without_an_answer(void)
{
    for (unsigned c = 0; c < 256; c++) {
        uint8_t first = (uint8_t)c;
        struct proxy p = {0};
        enum proxy_status status = proxy_parse(&p, (struct bytes){&first, 1});
        bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        bool is_known = c == 4 || c == 5 || is_letter;
        CU_ASSERT_EQUAL(status, is_known ? PROXY_MORE : PROXY_REFUSE);
        CU_ASSERT_EQUAL(p.why == NULL, is_known);
        CU_ASSERT_TRUE(p.reply.n == 0 && p.used == 0 && strcmp(p.host, "") == 0);
    }
}

static const char *why_of(struct bytes in)
{
    static struct proxy p; /* a static phrase may still point into it for all we know */
    p = (struct proxy){0};
    CU_ASSERT_EQUAL_FATAL(proxy_parse(&p, in), PROXY_REFUSE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p.why);
    return p.why;
}

static void likely_mistakes_are_told_with_what_to_do(void)
{
    CU_ASSERT_PTR_NOT_NULL(strstr(why_of(BYTES_LIT("GET / HTTP/1.1\r\n")), "SOCKS5"));
    CU_ASSERT_PTR_NOT_NULL(strstr(why_of(BYTES_LIT("GET / HTTP/1.1\r\n")), "CONNECT"));
    CU_ASSERT_PTR_NOT_NULL(strstr(why_of(BYTES_LIT("\x16\3\1\2\0\1")), "TLS"));
    CU_ASSERT_PTR_NOT_NULL(strstr(why_of(BYTES_LIT("SSH-2.0-x\r\n")), "neither SOCKS nor HTTP"));
    CU_ASSERT_PTR_NOT_NULL(strstr(why_of(BYTES_LIT("\x09")), "neither SOCKS"));
}

static void refusals_keep_the_answer_of_their_kind(void)
{
    struct proxy p = {0};
    CU_ASSERT_EQUAL(proxy_parse(&p, BYTES_LIT("GET / HTTP/1.1\r\n")), PROXY_REFUSE);
    CU_ASSERT_TRUE(p.reply.n > 12 && memcmp(p.reply.p, "HTTP/1.1 405", 12) == 0);
    p = (struct proxy){0};
    CU_ASSERT_EQUAL(proxy_parse(&p, BYTES_LIT("\5\1\1")), PROXY_REFUSE);
    CU_ASSERT_TRUE(bytes_equal(p.reply, BYTES_LIT("\5\xff")));
    p = (struct proxy){0};
    CU_ASSERT_EQUAL(proxy_parse(&p, BYTES_LIT("\5\1\0")), PROXY_REPLY);
    CU_ASSERT_EQUAL(proxy_parse(&p, BYTES_LIT("GET")), PROXY_REFUSE); /* it said that it is SOCKS */
    CU_ASSERT_EQUAL(p.reply.n, 0);
}

static void outcomes_are_told_in_the_words_of_each_kind(void)
{
    uint8_t reply[PROXY_REPLY_MAX];
    size_t n = proxy_reply(PROXY_SOCKS4, SOCKS_REFUSED, reply);
    CU_ASSERT_TRUE(bytes_equal((struct bytes){reply, n}, BYTES_LIT("\0\x5b\0\0\0\0\0\0")));
    n = proxy_reply(PROXY_SOCKS5, SOCKS_REFUSED, reply);
    CU_ASSERT_TRUE(bytes_equal((struct bytes){reply, n}, BYTES_LIT("\5\5\0\1\0\0\0\0\0\0")));
    n = proxy_reply(PROXY_HTTP, SOCKS_REFUSED, reply);
    CU_ASSERT_TRUE(n > 12 && memcmp(reply, "HTTP/1.1 502", 12) == 0);
}

static const struct unit_test tests[] = {
    UNIT(each_kind_is_told_by_its_first_byte),
    UNIT(nothing_is_no_kind_yet),
    UNIT(other_first_bytes_are_refused_without_an_answer),
    UNIT(likely_mistakes_are_told_with_what_to_do),
    UNIT(refusals_keep_the_answer_of_their_kind),
    UNIT(outcomes_are_told_in_the_words_of_each_kind),
};

UNIT_MAIN("proxy", tests)
