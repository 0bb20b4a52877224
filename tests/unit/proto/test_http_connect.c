#include "proto/http_connect.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct verdict {
    struct http_connect http;
    enum http_connect_status status;
    size_t n_there; /* bytes that had come when it fell */
};

/* The copy is of just that size, so that a sanitizer sees every byte read too far. */
static enum http_connect_status parse(struct http_connect *h, struct bytes in)
{
    uint8_t *copy = malloc(in.n == 0 ? 1 : in.n);
    if (copy == NULL)
        abort();
    memcpy(copy, in.p, in.n);
    enum http_connect_status status = http_connect_parse(h, (struct bytes){copy, in.n});
    free(copy);
    return status;
}

/* in comes in two parts, cut at `cut`, and then by `step` bytes from there. */
static struct verdict parse_cut(struct bytes in, size_t cut, size_t step)
{
    struct verdict v = {.n_there = cut};
    for (;;) {
        v.status = parse(&v.http, (struct bytes){in.p, v.n_there});
        if (v.status != HTTP_CONNECT_MORE || v.n_there == in.n)
            return v;
        v.n_there = in.n - v.n_there > step ? v.n_there + step : in.n;
    }
}

static bool is_same(const struct verdict *a, const struct verdict *b)
{
    const struct http_connect *x = &a->http, *y = &b->http;
    return a->status == b->status && x->used == y->used && strcmp(x->host, y->host) == 0 &&
           x->port == y->port && x->why == y->why && x->reply_n == y->reply_n &&
           memcmp(x->reply, y->reply, x->reply_n) == 0;
}

/* What is made of in; asserts that every way to cut it leads to the very same. */
static struct verdict parse_any_way(struct bytes in)
{
    struct verdict whole = parse_cut(in, in.n, 1);
    for (size_t cut = 0; cut <= in.n; cut++) {
        struct verdict in_two = parse_cut(in, cut, in.n);
        CU_ASSERT_TRUE(is_same(&in_two, &whole));
    }
    struct verdict in_bytes = parse_cut(in, 0, 1);
    CU_ASSERT_TRUE(is_same(&in_bytes, &whole));
    return whole;
}

static bool asks_for(struct bytes in, const char *host, uint16_t port, size_t n_early)
{
    struct verdict v = parse_any_way(in);
    return v.status == HTTP_CONNECT_ASKED && strcmp(v.http.host, host) == 0 &&
           v.http.port == port && v.http.used == in.n - n_early && v.http.reply_n == 0 &&
           v.http.why == NULL;
}

/* The answer as a C string, that parts of it can be looked for. */
static const char *text_of(const uint8_t *reply, size_t n)
{
    static char text[HTTP_CONNECT_REPLY_MAX + 1];
    memcpy(text, reply, n);
    text[n] = '\0';
    return text;
}

static unsigned code_of(const char *answer)
{
    CU_ASSERT_EQUAL_FATAL(strncmp(answer, "HTTP/1.1 ", 9), 0);
    return (unsigned)strtoul(answer + 9, NULL, 10);
}

/* RFC 9112 sections 4 to 6: that the answer is whole, ends the connection, and that its body is as
 * long as it says and carries why. */
static void check_refusal(const char *answer, const char *why)
{
    const char *body = strstr(answer, "\r\n\r\n");
    const char *length = strstr(answer, "\r\nContent-Length: ");
    CU_ASSERT_PTR_NOT_NULL_FATAL(body);
    CU_ASSERT_PTR_NOT_NULL_FATAL(length);
    body += 4;
    CU_ASSERT_TRUE(length < body);
    CU_ASSERT_EQUAL(strtoul(length + 18, NULL, 10), strlen(body));
    CU_ASSERT_PTR_NOT_NULL(strstr(answer, "\r\nConnection: close\r\n"));
    CU_ASSERT_TRUE(strlen(body) > 10 && strchr(body, '\n') == body + strlen(body) - 1);
    if (why != NULL)
        CU_ASSERT_EQUAL(strncmp(body, why, strlen(why)), 0);
}

static bool is_refused_with(struct bytes in, unsigned code)
{
    struct verdict v = parse_any_way(in);
    if (v.status != HTTP_CONNECT_REFUSE || v.http.why == NULL)
        return false;
    const char *answer = text_of(v.http.reply, v.http.reply_n);
    check_refusal(answer, v.http.why);
    return code_of(answer) == code && v.http.used == 0 && v.http.host[0] == '\0' &&
           v.http.port == 0;
}

#define HOST "Host: example.com:443\r\n"

static void a_request_asks_for_a_name_and_a_port(void)
{
    CU_ASSERT_TRUE(asks_for(
        BYTES_LIT("CONNECT example.com:443 HTTP/1.1\r\n" HOST "\r\n"), "example.com", 443, 0));
    CU_ASSERT_TRUE(asks_for(BYTES_LIT("CONNECT h:1 HTTP/1.1\r\n\r\n"), "h", 1, 0));
    CU_ASSERT_TRUE(
        asks_for(BYTES_LIT("CONNECT A-b_c.~d.:65535 HTTP/1.1\r\n\r\n"), "A-b_c.~d.", 65535, 0));
}

static void a_request_asks_for_an_address(void)
{
    CU_ASSERT_TRUE(asks_for(BYTES_LIT("CONNECT 10.0.0.5:22 HTTP/1.1\r\n\r\n"), "10.0.0.5", 22, 0));
    CU_ASSERT_TRUE(asks_for(BYTES_LIT("CONNECT [::1]:22 HTTP/1.1\r\n\r\n"), "::1", 22, 0));
    /* In the form in which others write it too. */
    CU_ASSERT_TRUE(
        asks_for(BYTES_LIT("CONNECT [2001:0DB8::0:1]:22 HTTP/1.1\r\n\r\n"), "2001:db8::1", 22, 0));
    CU_ASSERT_TRUE(asks_for(
        BYTES_LIT("CONNECT [::ffff:10.0.0.5]:80 HTTP/1.1\r\n\r\n"), "::ffff:10.0.0.5", 80, 0));
}

static void every_version_1_x_is_served(void)
{
    CU_ASSERT_TRUE(asks_for(BYTES_LIT("CONNECT h:80 HTTP/1.0\r\n\r\n"), "h", 80, 0));
    CU_ASSERT_TRUE(asks_for(BYTES_LIT("CONNECT h:80 HTTP/1.9\r\n\r\n"), "h", 80, 0));
}

static void other_versions_are_refused(void)
{
    CU_ASSERT_TRUE(is_refused_with(BYTES_LIT("CONNECT h:80 HTTP/2.0\r\n\r\n"), 505));
    CU_ASSERT_TRUE(is_refused_with(BYTES_LIT("CONNECT h:80 HTTP/0.9\r\n\r\n"), 505));
    /* RFC 9113 section 3.4: how HTTP/2 begins where it was not agreed on. */
    CU_ASSERT_TRUE(is_refused_with(BYTES_LIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505));
}

static void a_lone_line_feed_ends_a_line_too(void)
{
    CU_ASSERT_TRUE(asks_for(BYTES_LIT("CONNECT h:80 HTTP/1.1\n" HOST "\n"), "h", 80, 0));
    CU_ASSERT_TRUE(asks_for(BYTES_LIT("CONNECT h:80 HTTP/1.1\nA: b\r\n\n"), "h", 80, 0));
}

static void headers_are_skipped(void)
{
    CU_ASSERT_TRUE(asks_for(
        BYTES_LIT("CONNECT h:80 HTTP/1.1\r\n" HOST "Proxy-Authorization: Basic bWU6c2VjcmV0\r\n"
                  "Proxy-Connection: keep-alive\r\n"
                  "X:\tcaf\xc3\xa9\r\n"
                  "\r\n"),
        "h", 80, 0));
    /* A tunnel has no other content (RFC 9110 section 9.3.6), whatever a header may say. */
    CU_ASSERT_TRUE(
        asks_for(BYTES_LIT("CONNECT h:80 HTTP/1.1\r\nContent-Length: 5\r\n\r\nearly"), "h", 80, 5));
}

static void bytes_behind_the_request_are_left_for_the_far_end(void)
{
    CU_ASSERT_TRUE(asks_for(BYTES_LIT("CONNECT h:80 HTTP/1.1\r\n\r\n\x16\3\1\0\5"), "h", 80, 5));
    CU_ASSERT_TRUE(asks_for(BYTES_LIT("CONNECT h:80 HTTP/1.1\r\n\r\n\r\n"), "h", 80, 2));
    CU_ASSERT_TRUE(asks_for(BYTES_LIT("CONNECT h:80 HTTP/1.1\n\n\0"), "h", 80, 1));
}

static void other_methods_are_told_which_one_is_allowed(void)
{
    static const char *const methods[] = {"GET", "POST", "HEAD", "OPTIONS", "connect", "CONNECTS"};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        char in[100];
        int n = snprintf(in, sizeof in, "%s http://h/ HTTP/1.1\r\n" HOST "\r\n", methods[i]);
        CU_ASSERT_TRUE(is_refused_with((struct bytes){(uint8_t *)in, (size_t)n}, 405));
    }
    struct http_connect h;
    parse(&h, BYTES_LIT("GET / HTTP/1.1\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text_of(h.reply, h.reply_n), "\r\nAllow: CONNECT\r\n"));
    parse(&h, BYTES_LIT("CONNECT / HTTP/1.1\r\n"));
    CU_ASSERT_PTR_NULL(strstr(text_of(h.reply, h.reply_n), "Allow"));
}

static void malformed_requests_are_refused(void)
{
    static const struct bytes requests[] = {
        /* The request line, RFC 9112 section 3 */
        BYTES_LIT("C\r\n\r\n"),
        BYTES_LIT("\r\nCONNECT h:80 HTTP/1.1\r\n\r\n"),
        BYTES_LIT(" CONNECT h:80 HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT h:80\r\n\r\n"),
        BYTES_LIT("CONNECT  h:80 HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT h:80  HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT h:80 HTTP/1.1 \r\n\r\n"),
        BYTES_LIT("CONNECT\th:80\tHTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT h :80 HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT h:80 http/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT h:80 HTTP/1\r\n\r\n"),
        BYTES_LIT("CONNECT h:80 HTTP/1.\r\n\r\n"),
        BYTES_LIT("CONNECT h:80 HTTP/1.10\r\n\r\n"),
        BYTES_LIT("CONNECT h:80 HTTP/1x1\r\n\r\n"),
        BYTES_LIT("CONNECT h:80 HTTP/11.\r\n\r\n"),
        BYTES_LIT("SSH-2.0-OpenSSH_9.9\r\n"),
        BYTES_LIT("CONNECT h:80 HTTP/1.1\rX\n\r\n"),
        BYTES_LIT("CONNECT h:80 HTTP/1.1\r\r\n\r\n"),
        /* The port, RFC 9110 section 9.3.6 */
        BYTES_LIT("CONNECT h HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT h: HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT h:0 HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT h:65536 HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT h:65616 HTTP/1.1\r\n\r\n"),                /* 80 as 16 bits */
        BYTES_LIT("CONNECT h:4294967376 HTTP/1.1\r\n\r\n"),           /* as 32 */
        BYTES_LIT("CONNECT h:18446744073709551696 HTTP/1.1\r\n\r\n"), /* as 64 */
        BYTES_LIT("CONNECT h:-80 HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT h:+80 HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT h:0x50 HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT h:http HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT h:80/ HTTP/1.1\r\n\r\n"),
        /* The host, RFC 9112 section 3.2.3 */
        BYTES_LIT("CONNECT :80 HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT / HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT * HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT http://h:80 HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT me@h:80 HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT me:secret@h:80 HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT h%00.example:80 HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT h\xc3\xa9:80 HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT h\t:80 HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT $(id):80 HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT ::1:80 HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT [::1] HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT [::1]80 HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT [::1:80 HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT ::1]:80 HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT []:80 HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT [:80 HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT [h]:80 HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT [10.0.0.5]:80 HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT [::1]x:80 HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT [fe80::1%25eth0]:80 HTTP/1.1\r\n\r\n"),
        BYTES_LIT("CONNECT [1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1]:80 HTTP/1.1\r\n\r\n"),
        /* Headers, RFC 9112 section 2.2 */
        BYTES_LIT("CONNECT h:80 HTTP/1.1\r\nA: b\rC: d\r\n\r\n"),
        BYTES_LIT("CONNECT h:80 HTTP/1.1\r\nA: b\r\r\n\r\n"),
    };
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        if (!is_refused_with(requests[i], 400)) {
            printf("not refused: %.*s\n", (int)requests[i].n, (const char *)requests[i].p);
            CU_FAIL("a malformed request is not refused with 400");
        }
}

/* Wherever one of them stands in the head, and as soon as it is there. */
static void control_characters_are_refused_everywhere(void)
{
    static const char good[] = "CONNECT h.example:80 HTTP/1.1\r\nA: b\r\n\r\n";
    for (unsigned c = 0; c < 256; c++) {
        bool is_control = c < ' ' || c == 0x7f;
        if (!is_control || c == '\t' || c == '\r' || c == '\n')
            continue; /* they are tested by what they mean */
        for (size_t at = 0; at < sizeof good - 1; at++) {
            uint8_t in[sizeof good - 1];
            memcpy(in, good, sizeof in);
            in[at] = (uint8_t)c;
            struct verdict v = parse_cut((struct bytes){in, sizeof in}, 0, 1);
            CU_ASSERT_EQUAL(v.status, HTTP_CONNECT_REFUSE);
            CU_ASSERT_EQUAL(v.n_there, at + 1);
        }
    }
}

static void a_name_may_have_255_bytes(void)
{
    for (size_t n = HTTP_CONNECT_MAX_NAME - 1; n <= HTTP_CONNECT_MAX_NAME + 1; n++) {
        char name[HTTP_CONNECT_MAX_NAME + 2], in[400];
        memset(name, 'n', n);
        name[n] = '\0';
        int n_in = snprintf(in, sizeof in, "CONNECT %s:80 HTTP/1.1\r\n\r\n", name);
        struct bytes request = {(uint8_t *)in, (size_t)n_in};
        bool is_fine = n <= HTTP_CONNECT_MAX_NAME;
        CU_ASSERT_TRUE(is_fine ? asks_for(request, name, 80, 0) : is_refused_with(request, 400));
    }
}

static void an_IPv6_address_may_have_the_45_bytes_of_the_longest(void)
{
    CU_ASSERT_TRUE(asks_for(
        BYTES_LIT("CONNECT [0000:0000:0000:0000:0000:ffff:255.255.255.255]:80 HTTP/1.1\r\n\r\n"),
        "::ffff:255.255.255.255", 80, 0));
    for (int n = 0; n < 100; n++) {
        char in[200];
        int n_in = snprintf(in, sizeof in, "CONNECT [%0*d]:80 HTTP/1.1\r\n\r\n", n, 1);
        CU_ASSERT_TRUE(is_refused_with((struct bytes){(uint8_t *)in, (size_t)n_in}, 400));
    }
}

static void leading_zeros_of_a_port_mean_nothing(void)
{
    CU_ASSERT_TRUE(asks_for(BYTES_LIT("CONNECT h:000000000080 HTTP/1.1\r\n\r\n"), "h", 80, 0));
    CU_ASSERT_TRUE(is_refused_with(BYTES_LIT("CONNECT h:00000 HTTP/1.1\r\n\r\n"), 400));
}

/* A request of n bytes, by one long header. */
static struct bytes request_of(size_t n)
{
    static uint8_t in[2 * HTTP_CONNECT_MAX_BYTES];
    static const char head[] = "CONNECT h:80 HTTP/1.1\r\nA: ";
    memset(in, 'x', sizeof in);
    memcpy(in, head, sizeof head - 1);
    memcpy(in + n - 4, "\r\n\r\n", 4);
    return (struct bytes){in, n};
}

static void a_request_of_8192_bytes_is_the_longest(void)
{
    struct verdict v = parse_cut(request_of(HTTP_CONNECT_MAX_BYTES), 0, 1);
    CU_ASSERT_EQUAL(v.status, HTTP_CONNECT_ASKED);
    CU_ASSERT_EQUAL(v.http.used, HTTP_CONNECT_MAX_BYTES);

    struct bytes longer = request_of(HTTP_CONNECT_MAX_BYTES + 1);
    struct verdict whole = parse_cut(longer, longer.n, 1), in_bytes = parse_cut(longer, 0, 1);
    CU_ASSERT_TRUE(is_same(&whole, &in_bytes));
    CU_ASSERT_EQUAL(in_bytes.n_there, HTTP_CONNECT_MAX_BYTES); /* no byte more is waited for */
    CU_ASSERT_EQUAL(code_of(text_of(whole.http.reply, whole.http.reply_n)), 431);
}

static void endless_lines_are_not_waited_for(void)
{
    static uint8_t in[HTTP_CONNECT_MAX_BYTES];
    memset(in, 'C', sizeof in);
    CU_ASSERT_EQUAL(parse_cut((struct bytes){in, sizeof in - 1}, 0, 100).status, HTTP_CONNECT_MORE);
    struct verdict v = parse_cut((struct bytes){in, sizeof in}, 0, 100);
    CU_ASSERT_EQUAL(v.status, HTTP_CONNECT_REFUSE);
    CU_ASSERT_EQUAL(code_of(text_of(v.http.reply, v.http.reply_n)), 431);
}

static void a_hundred_headers_are_the_most(void)
{
    for (size_t n = HTTP_CONNECT_MAX_HEADERS - 1; n <= HTTP_CONNECT_MAX_HEADERS + 1; n++) {
        char in[1000] = "CONNECT h:80 HTTP/1.1\r\n";
        for (size_t i = 0; i < n; i++)
            strcat(in, "A:b\r\n");
        strcat(in, "\r\n");
        struct bytes request = {(uint8_t *)in, strlen(in)};
        bool is_fine = n <= HTTP_CONNECT_MAX_HEADERS;
        CU_ASSERT_TRUE(is_fine ? asks_for(request, "h", 80, 0) : is_refused_with(request, 431));
    }
}

static void half_a_request_asks_for_more_and_tells_nothing(void)
{
    struct bytes in = BYTES_LIT("CONNECT h:80 HTTP/1.1\r\n" HOST "\r\n");
    for (size_t n = 0; n < in.n; n++) {
        struct verdict v = parse_cut((struct bytes){in.p, n}, n, 1);
        CU_ASSERT_EQUAL(v.status, HTTP_CONNECT_MORE);
        CU_ASSERT_TRUE(v.http.host[0] == '\0' && v.http.port == 0 && v.http.used == 0);
        CU_ASSERT_TRUE(v.http.reply_n == 0 && v.http.why == NULL);
    }
}

static void success_is_told_without_a_body(void)
{
    uint8_t reply[HTTP_CONNECT_REPLY_MAX];
    size_t n = http_connect_reply(SOCKS_OK, reply);
    CU_ASSERT_TRUE(
        bytes_is((struct bytes){reply, n}, "HTTP/1.1 200 Connection established\r\n\r\n"));
}

static void each_outcome_has_its_code_and_reason(void)
{
    static const struct {
        enum socks_outcome outcome;
        unsigned code;
        const char *says;
    } table[] = {
        {SOCKS_FAILURE, 502, "could not be made"},
        {SOCKS_NOT_ALLOWED, 403, "not allowed"},
        {SOCKS_NET_UNREACHABLE, 502, "network"},
        {SOCKS_HOST_UNREACHABLE, 502, "found or reached"},
        {SOCKS_REFUSED, 502, "refused"},
        {SOCKS_TIMED_OUT, 504, "in time"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        uint8_t reply[HTTP_CONNECT_REPLY_MAX];
        const char *answer = text_of(reply, http_connect_reply(table[i].outcome, reply));
        check_refusal(answer, NULL);
        CU_ASSERT_EQUAL(code_of(answer), table[i].code);
        CU_ASSERT_PTR_NOT_NULL(strstr(strstr(answer, "\r\n\r\n"), table[i].says));
    }
}

static const struct unit_test tests[] = {
    UNIT(a_request_asks_for_a_name_and_a_port),
    UNIT(a_request_asks_for_an_address),
    UNIT(every_version_1_x_is_served),
    UNIT(other_versions_are_refused),
    UNIT(a_lone_line_feed_ends_a_line_too),
    UNIT(headers_are_skipped),
    UNIT(bytes_behind_the_request_are_left_for_the_far_end),
    UNIT(other_methods_are_told_which_one_is_allowed),
    UNIT(malformed_requests_are_refused),
    UNIT(control_characters_are_refused_everywhere),
    UNIT(a_name_may_have_255_bytes),
    UNIT(an_IPv6_address_may_have_the_45_bytes_of_the_longest),
    UNIT(leading_zeros_of_a_port_mean_nothing),
    UNIT(a_request_of_8192_bytes_is_the_longest),
    UNIT(endless_lines_are_not_waited_for),
    UNIT(a_hundred_headers_are_the_most),
    UNIT(half_a_request_asks_for_more_and_tells_nothing),
    UNIT(success_is_told_without_a_body),
    UNIT(each_outcome_has_its_code_and_reason),
};

UNIT_MAIN("http_connect", tests)
