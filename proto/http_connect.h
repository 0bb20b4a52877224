/* HTTP CONNECT (RFC 9110 section 9.3.6, RFC 9112 sections 2 to 5) as bytes, the server's side: how
 * an application asks an HTTP proxy for a tunnel.
 *
 * The parser is pure, as that of socks.h: it is handed everything received so far and says what
 * that is. When it wants more, call again with the same bytes and what came since. The request may
 * be split anywhere: what is wrong is told as soon as the byte that makes it wrong is there. */
#ifndef PROTO_HTTP_CONNECT_H
#define PROTO_HTTP_CONNECT_H

#include "proto/socks.h"

enum {
    HTTP_CONNECT_MAX_BYTES = 8192, /* up to the empty line, which servers have in common */
    HTTP_CONNECT_MAX_HEADERS = 100,
    HTTP_CONNECT_MAX_NAME = 255,
    HTTP_CONNECT_REPLY_MAX = 512,
};

enum http_connect_status {
    HTTP_CONNECT_MORE,   /* incomplete: read on (bounded by HTTP_CONNECT_MAX_BYTES) */
    HTTP_CONNECT_ASKED,  /* host and port are filled, used bytes belonged to the request */
    HTTP_CONNECT_REFUSE, /* send reply, then close; why says what was wrong */
};

struct http_connect {
    /* Outputs: */
    size_t used;                          /* ASKED: what follows is the tunnel's already */
    char host[HTTP_CONNECT_MAX_NAME + 1]; /* NUL-terminated: a name or an address, without brackets
                                           * and, if of IPv6, in its canonical form */
    uint16_t port;                        /* 1..65535 */
    uint8_t reply[HTTP_CONNECT_REPLY_MAX];
    size_t reply_n;
    const char *why; /* REFUSE: a static phrase, which the body of reply carries too */
};

/* in is all that came. Headers, proxy credentials among them, are bounded and otherwise skipped. */
enum http_connect_status http_connect_parse(struct http_connect *h, struct bytes in);

/* The answer that tells what came of the connection, into reply (HTTP_CONNECT_REPLY_MAX bytes);
 * returns its length. */
size_t http_connect_reply(enum socks_outcome outcome, uint8_t *reply);

#endif
