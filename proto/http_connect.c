/* The head of the request is taken line by line. The first line is all that says anything; of the
 * others it matters only where they end. */
#include "proto/http_connect.h"

#include <arpa/inet.h> /* inet_pton, inet_ntop: addresses in the one form that others compare with */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum {
    HTTP_OK = 200,
    HTTP_BAD_REQUEST = 400,
    HTTP_FORBIDDEN = 403,
    HTTP_METHOD_NOT_ALLOWED = 405,
    HTTP_TOO_LARGE = 431, /* RFC 6585 section 5 */
    HTTP_BAD_GATEWAY = 502,
    HTTP_GATEWAY_TIMEOUT = 504,
    HTTP_BAD_VERSION = 505,
};

static struct bytes skip(struct bytes in, size_t n)
{
    return (struct bytes){in.p + n, in.n - n};
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* ---- Answers ----------------------------------------------------------------------------- */

static const char *phrase_of(unsigned code)
{
    switch (code) {
    case HTTP_FORBIDDEN: return "Forbidden";
    case HTTP_METHOD_NOT_ALLOWED: return "Method Not Allowed";
    case HTTP_TOO_LARGE: return "Request Header Fields Too Large";
    case HTTP_BAD_GATEWAY: return "Bad Gateway";
    case HTTP_GATEWAY_TIMEOUT: return "Gateway Timeout";
    case HTTP_BAD_VERSION: return "HTTP Version Not Supported";
    default: return "Bad Request";
    }
}

/* why is the body, as one line: applications show it, or a person sees it on the wire. */
static size_t put_refusal(unsigned code, const char *why, uint8_t *reply)
{
    /* RFC 9110 section 15.5.6: a 405 lists what would do. */
    const char *allow = code == HTTP_METHOD_NOT_ALLOWED ? "Allow: CONNECT\r\n" : "";
    int n = snprintf((char *)reply, HTTP_CONNECT_REPLY_MAX,
        "HTTP/1.1 %u %s\r\n"
        "%s"
        "Connection: close\r\n"
        "Content-Type: text/plain\r\n"
        "Content-Length: %zu\r\n"
        "\r\n"
        "%s\n",
        code, phrase_of(code), allow, strlen(why) + 1, why);
    assert(n > 0 && n < HTTP_CONNECT_REPLY_MAX); /* all of the phrases are ours */
    return (size_t)n;
}

/* RFC 9110 section 9.3.6: the tunnel begins behind the empty line, so there is no Content-Length.
 */
static size_t put_success(uint8_t *reply)
{
    static const char ok[] = "HTTP/1.1 200 Connection established\r\n\r\n";
    memcpy(reply, ok, sizeof ok - 1);
    return sizeof ok - 1;
}

size_t http_connect_reply(enum socks_outcome outcome, uint8_t *reply)
{
    static const struct {
        unsigned code;
        const char *why;
    } table[] = {
        [SOCKS_OK] = {HTTP_OK, ""},
        [SOCKS_FAILURE] = {HTTP_BAD_GATEWAY, "the connection could not be made"},
        [SOCKS_NOT_ALLOWED] = {HTTP_FORBIDDEN, "connections to this host and port are not allowed"},
        [SOCKS_NET_UNREACHABLE] = {HTTP_BAD_GATEWAY, "the host's network cannot be reached"},
        [SOCKS_HOST_UNREACHABLE] = {HTTP_BAD_GATEWAY, "the host cannot be found or reached"},
        [SOCKS_REFUSED] = {HTTP_BAD_GATEWAY, "the host refused the connection"},
        [SOCKS_TIMED_OUT] = {HTTP_GATEWAY_TIMEOUT, "the host did not answer in time"},
    };
    assert((size_t)outcome < sizeof table / sizeof table[0]);
    if (table[outcome].code == HTTP_OK)
        return put_success(reply);
    return put_refusal(table[outcome].code, table[outcome].why, reply);
}

static enum http_connect_status refuse(struct http_connect *h, unsigned code, const char *why)
{
    h->why = why;
    h->host[0] = '\0';
    h->port = 0;
    h->reply_n = put_refusal(code, why, h->reply);
    return HTTP_CONNECT_REFUSE;
}

/* ---- The target: RFC 9112 section 3.2.3, uri-host ":" port --------------------------------- */

/* RFC 9110 section 9.3.6: an empty or invalid port must be refused. False too for 0. */
static bool read_port(struct bytes digits, uint16_t *port)
{
    uint32_t value = 0;
    for (size_t i = 0; i < digits.n; i++) {
        if (!is_digit(digits.p[i]))
            return false;
        value = value * 10 + (uint32_t)(digits.p[i] - '0');
        if (value > 65535) /* before it could wrap */
            return false;
    }
    *port = (uint16_t)value;
    return value != 0;
}

/* Only what names of hosts are made of (RFC 3986's unreserved): a percent sign would have to be
 * decoded, and any other mark is the sign of something that is not a host. */
static bool read_name(struct bytes name, char *host)
{
    if (name.n == 0 || name.n > HTTP_CONNECT_MAX_NAME)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        uint8_t c = name.p[i];
        if (!is_letter(c) && !is_digit(c) && (c == '\0' || strchr("-._~", c) == NULL))
            return false;
    }
    memcpy(host, name.p, name.n);
    host[name.n] = '\0';
    return true;
}

/* Between the brackets of an IPv6 literal. */
static bool read_ipv6(struct bytes literal, char *host)
{
    char text[INET6_ADDRSTRLEN];
    uint8_t address[16];
    if (literal.n >= sizeof text || memchr(literal.p, 0, literal.n) != NULL)
        return false;
    memcpy(text, literal.p, literal.n);
    text[literal.n] = '\0';
    if (inet_pton(AF_INET6, text, address) != 1)
        return false;
    return inet_ntop(AF_INET6, address, host, HTTP_CONNECT_MAX_NAME + 1) != NULL;
}

/* The last colon parts host and port: a name has no other, and the brackets stand before it. */
static bool read_target(struct http_connect *h, struct bytes target)
{
    size_t colon = target.n;
    while (colon > 0 && target.p[colon - 1] != ':')
        colon--;
    if (colon == 0 || !read_port(skip(target, colon), &h->port))
        return false;
    struct bytes host = {target.p, colon - 1};
    if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        return read_ipv6((struct bytes){host.p + 1, host.n - 2}, h->host);
    return read_name(host, h->host);
}

/* ---- The head ---------------------------------------------------------------------------- */

enum line_status {
    LINE_MORE,
    LINE_WHOLE,
    LINE_BAD,
};

/* RFC 9110 section 5.5 and RFC 9112 section 2.2: of the control characters only the tab may be in a
 * line, a carriage return only in front of its line feed, which may also stand alone. */
static enum line_status take_line(struct bytes *in, struct bytes *line)
{
    for (size_t i = 0; i < in->n; i++) {
        uint8_t c = in->p[i];
        bool after_cr = i > 0 && in->p[i - 1] == '\r';
        if (c == '\n') {
            *line = (struct bytes){in->p, after_cr ? i - 1 : i};
            *in = skip(*in, i + 1);
            return LINE_WHOLE;
        }
        if (after_cr || c == 0x7f || (c < ' ' && c != '\t' && c != '\r'))
            return LINE_BAD;
    }
    return LINE_MORE;
}

/* Up to the first space, which is dropped; everything when there is none. */
static struct bytes take_word(struct bytes *line)
{
    const uint8_t *space = line->n == 0 ? NULL : memchr(line->p, ' ', line->n);
    size_t n = space == NULL ? line->n : (size_t)(space - line->p);
    struct bytes word = {line->p, n};
    *line = skip(*line, space == NULL ? n : n + 1);
    return word;
}

/* RFC 9112 section 2.3: "HTTP/" DIGIT "." DIGIT. */
static bool is_version(struct bytes word)
{
    return word.n == 8 && memcmp(word.p, "HTTP/", 5) == 0 && is_digit(word.p[5]) &&
           word.p[6] == '.' && is_digit(word.p[7]);
}

/* RFC 9112 section 3: method SP request-target SP HTTP-version. A version 1.x is to be understood
 * as 1.1 (RFC 9110 section 2.5). ASKED: so far nothing is wrong. */
static enum http_connect_status parse_request_line(struct http_connect *h, struct bytes line)
{
    struct bytes method = take_word(&line);
    struct bytes target = take_word(&line);
    if (method.n == 0 || target.n == 0 || !is_version(line))
        return refuse(h, HTTP_BAD_REQUEST,
            "neither SOCKS nor HTTP: the first line is not \"CONNECT host:port HTTP/1.1\"");
    if (line.p[5] != '1')
        return refuse(h, HTTP_BAD_VERSION, "HTTP of a version other than 1.x");
    if (!bytes_is(method, "CONNECT"))
        return refuse(h, HTTP_METHOD_NOT_ALLOWED,
            "HTTP method other than CONNECT, and this port only tunnels: let the application use "
            "CONNECT, or set its proxy type to SOCKS5");
    if (!read_target(h, target))
        return refuse(h, HTTP_BAD_REQUEST, "HTTP CONNECT to something other than host:port");
    return HTTP_CONNECT_ASKED;
}

/* Up to the empty line. What RFC 9112 section 5 asks of a header is not asked here, since none is
 * used or handed on. */
static enum http_connect_status skip_headers(struct http_connect *h, struct bytes *left)
{
    for (size_t n_headers = 0;; n_headers++) {
        struct bytes line;
        enum line_status status = take_line(left, &line);
        if (status == LINE_BAD)
            return refuse(h, HTTP_BAD_REQUEST, "HTTP header with control characters");
        if (status == LINE_MORE)
            return HTTP_CONNECT_MORE;
        if (line.n == 0)
            return HTTP_CONNECT_ASKED;
        if (n_headers == HTTP_CONNECT_MAX_HEADERS)
            return refuse(h, HTTP_TOO_LARGE, "HTTP request with more than 100 headers");
    }
}

static enum http_connect_status parse_head(struct http_connect *h, struct bytes *left)
{
    struct bytes line;
    enum line_status first = take_line(left, &line);
    if (first == LINE_BAD)
        return refuse(h, HTTP_BAD_REQUEST,
            "neither SOCKS nor HTTP: there are control characters in the first line");
    if (first == LINE_MORE)
        return HTTP_CONNECT_MORE;
    enum http_connect_status status = parse_request_line(h, line);
    return status == HTTP_CONNECT_ASKED ? skip_headers(h, left) : status;
}

enum http_connect_status http_connect_parse(struct http_connect *h, struct bytes in)
{
    h->used = 0;
    h->host[0] = '\0';
    h->port = 0;
    h->reply_n = 0;
    h->why = NULL;
    bool is_full = in.n >= HTTP_CONNECT_MAX_BYTES;
    struct bytes left = {in.p, is_full ? HTTP_CONNECT_MAX_BYTES : in.n};
    size_t n_seen = left.n;

    enum http_connect_status status = parse_head(h, &left);
    if (status == HTTP_CONNECT_ASKED)
        h->used = n_seen - left.n;
    if (status == HTTP_CONNECT_MORE && is_full)
        return refuse(h, HTTP_TOO_LARGE, "HTTP request of more than 8192 bytes");
    if (status == HTTP_CONNECT_MORE) { /* the first line may have been read already */
        h->host[0] = '\0';
        h->port = 0;
    }
    return status;
}
