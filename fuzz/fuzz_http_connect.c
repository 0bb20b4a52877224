/* An input is what an application sends to a port that speaks HTTP CONNECT. However it is cut, the
 * same is made of it. */
#include <string.h>

#include "fuzz/fuzz.h"
#include "proto/http_connect.h"

enum { MAX_BYTES = HTTP_CONNECT_MAX_BYTES + 100 };

/* A host is made of what needs no escaping anywhere; an IPv6 address lost its brackets. */
static void check_host(const char *host)
{
    fuzz_require(strlen(host) <= HTTP_CONNECT_MAX_NAME);
    for (const char *c = host; *c != '\0'; c++)
        fuzz_require(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:",
                         *c) != NULL);
}

/* Every answer is one head, and a body of one line. */
static void check_reply(const struct http_connect *h)
{
    char text[HTTP_CONNECT_REPLY_MAX + 1];
    fuzz_require(h->reply_n < sizeof text);
    memcpy(text, h->reply, h->reply_n);
    text[h->reply_n] = '\0';
    fuzz_require(strlen(text) == h->reply_n && strncmp(text, "HTTP/1.1 ", 9) == 0);
    const char *body = strstr(text, "\r\n\r\n");
    fuzz_require(body != NULL && strncmp(body + 4, h->why, strlen(h->why)) == 0);
    fuzz_require(strcmp(body + 4 + strlen(h->why), "\n") == 0);
}

static void check(const struct http_connect *h, enum http_connect_status status, struct bytes in)
{
    bool is_asked = status == HTTP_CONNECT_ASKED, is_refused = status == HTTP_CONNECT_REFUSE;
    fuzz_require(memchr(h->host, 0, sizeof h->host) != NULL);
    fuzz_require((h->host[0] != '\0') == is_asked && (h->port != 0) == is_asked);
    fuzz_require((h->why != NULL) == is_refused && (h->reply_n > 0) == is_refused);
    fuzz_require(is_asked ? h->used <= in.n && h->used <= HTTP_CONNECT_MAX_BYTES : h->used == 0);
    fuzz_require(!is_asked || in.p[h->used - 1] == '\n');
    fuzz_require(status != HTTP_CONNECT_MORE || in.n < HTTP_CONNECT_MAX_BYTES);
    check_host(h->host);
    if (is_refused)
        check_reply(h);
}

static enum http_connect_status parse_in_steps(struct http_connect *h, struct bytes in, size_t step)
{
    size_t n_there = 0;
    for (;;) {
        struct bytes there = {in.p, n_there};
        enum http_connect_status status = http_connect_parse(h, there);
        check(h, status, there);
        if (status != HTTP_CONNECT_MORE || n_there == in.n)
            return status;
        n_there = in.n - n_there > step ? n_there + step : in.n;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0 || n > MAX_BYTES)
        return 0;
    struct bytes in = {data, n};
    struct http_connect whole, in_parts;
    enum http_connect_status status = parse_in_steps(&whole, in, n);
    /* In small steps where the input is small: each step reads it all again. */
    size_t step = 1 + data[n - 1] % 32 + n / 8;
    fuzz_require(parse_in_steps(&in_parts, in, step) == status);
    fuzz_require(in_parts.used == whole.used && in_parts.port == whole.port);
    fuzz_require(strcmp(in_parts.host, whole.host) == 0 && in_parts.why == whole.why);
    fuzz_require(in_parts.reply_n == whole.reply_n);
    fuzz_require(memcmp(in_parts.reply, whole.reply, whole.reply_n) == 0);
    return 0;
}
