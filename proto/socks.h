/* SOCKS4, SOCKS4a and SOCKS5 (RFC 1928) requests as bytes, the server's side.
 *
 * A parser is pure: it is handed everything received so far and says what that is. When it wants
 * more, call again with the same bytes and what came since. Requests may be split anywhere, and the
 * SOCKS5 greeting, password and request may come speculatively together.
 *
 * SOCKS5 is served without authentication, which is preferred, or with user and password (RFC 1929)
 * of any content: the port is there for whoever can reach it, and some applications insist on
 * sending credentials. They prove nothing and are dropped. */
#ifndef PROTO_SOCKS_H
#define PROTO_SOCKS_H

#include "proto/wire.h"

enum {
    SOCKS_MAX_BYTES = 1024 + 1024 + 16, /* SOCKS4a with the longest user id and name */
    SOCKS_MAX_NAME = 255,
    SOCKS_REPLY_MAX = 32,
};

enum socks_status {
    SOCKS_MORE,    /* incomplete: read on (bounded by SOCKS_MAX_BYTES, past it BAD) */
    SOCKS_REPLY,   /* send reply[0..reply_n), drop used bytes, then parse on with phase as left */
    SOCKS_CONNECT, /* a CONNECT: host and port are filled, used bytes belonged to it */
    SOCKS_REFUSE,  /* send reply (may be empty), then close: BIND, UDP, no acceptable method, ... */
    SOCKS_BAD,     /* not SOCKS: close; why says what it was */
};

struct socks {
    uint8_t version; /* 0 until known, then 4 or 5 */
    bool greeted;    /* SOCKS5: the method reply has been given */
    bool wants_user; /* SOCKS5: and was user and password, which come next */
    /* Outputs: */
    size_t used;
    char host[1025]; /* NUL-terminated name or numeric address; a name holds no NUL or control byte
                      */
    uint16_t port;
    uint8_t reply[SOCKS_REPLY_MAX];
    size_t reply_n;
    const char *why; /* for REFUSE and BAD: a static phrase for the log */
};

/* Starts from a zeroed struct. in is all that is unconsumed. */
enum socks_status socks_parse(struct socks *s, struct bytes in);

/* How the outcome of the connection is told to the application, SOCKS5 codes (mapped for SOCKS4).
 */
enum socks_outcome {
    SOCKS_OK = 0,
    SOCKS_FAILURE = 1,
    SOCKS_NOT_ALLOWED = 2,
    SOCKS_NET_UNREACHABLE = 3,
    SOCKS_HOST_UNREACHABLE = 4,
    SOCKS_REFUSED = 5,
    SOCKS_TIMED_OUT = 6,
};

/* The final reply for version, 4 or 5, into reply (SOCKS_REPLY_MAX bytes); returns its length. */
size_t socks_reply(uint8_t version, enum socks_outcome outcome, uint8_t *reply);

#endif
