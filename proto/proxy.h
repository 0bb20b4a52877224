/* What an application may speak to a proxy port of ours: SOCKS (socks.h) or HTTP CONNECT
 * (http_connect.h), told apart by its first byte. One parser in front of both, with their rules:
 * pure, handed everything unconsumed, indifferent to how the bytes were split. */
#ifndef PROTO_PROXY_H
#define PROTO_PROXY_H

#include "proto/http_connect.h"
#include "proto/socks.h"

enum {
    PROXY_MAX_BYTES = HTTP_CONNECT_MAX_BYTES, /* the longest request of them all */
    PROXY_REPLY_MAX = HTTP_CONNECT_REPLY_MAX, /* and room for all the replies of one dialogue */
};

enum proxy_kind {
    PROXY_UNKNOWN,
    PROXY_SOCKS4, /* and 4a */
    PROXY_SOCKS5,
    PROXY_HTTP,
};

enum proxy_status {
    PROXY_MORE,    /* incomplete: read on (bounded by PROXY_MAX_BYTES) */
    PROXY_REPLY,   /* send reply, drop used bytes, then parse on */
    PROXY_CONNECT, /* host and port are filled, used bytes belonged to the request */
    PROXY_REFUSE,  /* send reply (may be empty), then close; why says what was wrong */
};

struct proxy {
    enum proxy_kind kind; /* PROXY_UNKNOWN until the first byte */
    union {
        struct socks socks;
        struct http_connect http;
    } as;
    /* Outputs; what they point to is inside `as`, until the next call: */
    size_t used;
    const char *host; /* empty but for CONNECT; NULL before the first call */
    uint16_t port;
    struct bytes reply;
    const char *why; /* REFUSE: a static phrase for the log */
};

/* Starts from a zeroed struct, which stays where it is. in is all that is unconsumed. */
enum proxy_status proxy_parse(struct proxy *p, struct bytes in);

/* The final reply in the words of kind, not PROXY_UNKNOWN, into reply (PROXY_REPLY_MAX bytes);
 * returns its length. */
size_t proxy_reply(enum proxy_kind kind, enum socks_outcome outcome, uint8_t *reply);

#endif
