#include "proto/proxy.h"

#include <assert.h>

/* SOCKS begins with its version, HTTP with the name of a method. Methods are case-sensitive (RFC
 * 9110 section 9.1), and "connect" is told so in HTTP's own words. */
static enum proxy_kind kind_of(uint8_t first)
{
    if (first == 4)
        return PROXY_SOCKS4;
    if (first == 5)
        return PROXY_SOCKS5;
    bool is_letter = (first >= 'A' && first <= 'Z') || (first >= 'a' && first <= 'z');
    return is_letter ? PROXY_HTTP : PROXY_UNKNOWN;
}

static enum proxy_status refuse_unknown(struct proxy *p, uint8_t first)
{
    enum { TLS_HANDSHAKE = 0x16 }; /* RFC 8446 section 5.1 */
    p->used = 0;
    p->host = "";
    p->port = 0;
    p->reply = (struct bytes){NULL, 0};
    p->why = first == TLS_HANDSHAKE
                 ? "looks like TLS, and this port speaks SOCKS and HTTP CONNECT: set the "
                   "application's proxy type to SOCKS5 or HTTP"
                 : "neither SOCKS version 4 or 5 nor HTTP";
    return PROXY_REFUSE;
}

static enum proxy_status parse_socks(struct proxy *p, struct bytes in)
{
    static const enum proxy_status status_of[] = {
        [SOCKS_MORE] = PROXY_MORE,
        [SOCKS_REPLY] = PROXY_REPLY,
        [SOCKS_CONNECT] = PROXY_CONNECT,
        [SOCKS_REFUSE] = PROXY_REFUSE,
        [SOCKS_BAD] = PROXY_REFUSE, /* with nothing to answer */
    };
    struct socks *s = &p->as.socks;
    enum socks_status status = socks_parse(s, in);
    p->used = s->used;
    p->host = s->host;
    p->port = s->port;
    p->reply = (struct bytes){s->reply, s->reply_n};
    p->why = s->why;
    return status_of[status];
}

static enum proxy_status parse_http(struct proxy *p, struct bytes in)
{
    static const enum proxy_status status_of[] = {
        [HTTP_CONNECT_MORE] = PROXY_MORE,
        [HTTP_CONNECT_ASKED] = PROXY_CONNECT,
        [HTTP_CONNECT_REFUSE] = PROXY_REFUSE,
    };
    struct http_connect *h = &p->as.http;
    enum http_connect_status status = http_connect_parse(h, in);
    p->used = h->used;
    p->host = h->host;
    p->port = h->port;
    p->reply = (struct bytes){h->reply, h->reply_n};
    p->why = h->why;
    return status_of[status];
}

enum proxy_status proxy_parse(struct proxy *p, struct bytes in)
{
    if (p->kind == PROXY_UNKNOWN && in.n > 0)
        p->kind = kind_of(in.p[0]);
    if (p->kind == PROXY_HTTP)
        return parse_http(p, in);
    if (p->kind == PROXY_UNKNOWN && in.n > 0)
        return refuse_unknown(p, in.p[0]);
    return parse_socks(p, in); /* of nothing it makes MORE, as any would */
}

size_t proxy_reply(enum proxy_kind kind, enum socks_outcome outcome, uint8_t *reply)
{
    assert(kind != PROXY_UNKNOWN);
    if (kind == PROXY_HTTP)
        return http_connect_reply(outcome, reply);
    return socks_reply(kind == PROXY_SOCKS4 ? 4 : 5, outcome, reply);
}
