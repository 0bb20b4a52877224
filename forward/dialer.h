/* Connecting to a host by name: resolves off the loop, then races the addresses as RFC 8305 says
 * (in getaddrinfo's order, which has IPv6 first where it works, with families interleaved; the
 * next attempt 250 ms after the last or when it failed; 16 addresses at most), with one time limit
 * over it all. */
#ifndef FORWARD_DIALER_H
#define FORWARD_DIALER_H

#include <sys/socket.h>

#include "forward/loop.h"
#include "forward/resolver.h"

struct dial; /* opaque; one attempt at a host */

/* Where addresses failed in different ways, the most telling one counts: a lack of resources, then
 * silence, then a refusal, then no route, and last a family that this machine lacks. */
enum dial_outcome {
    DIAL_OK,
    DIAL_NOT_RESOLVED, /* the name: reason is gai_strerror's */
    DIAL_REFUSED,      /* ECONNREFUSED everywhere it was tried */
    DIAL_UNREACHABLE,  /* ENETUNREACH, EHOSTUNREACH, EACCES, EPERM, ... */
    DIAL_TIMED_OUT,
    DIAL_NO_RESOURCES, /* EMFILE, ENOBUFS, ENOMEM: ours to solve */
};

struct dial_result {
    enum dial_outcome outcome;
    int fd;         /* DIAL_OK: connected, non-blocking, close-on-exec, TCP_NODELAY; the caller's */
    char text[256]; /* otherwise, for people, with the address tried:
                     * "connect to 127.0.0.1 port 21: Connection refused",
                     * "connect to localhost port 21 (::1, 127.0.0.1): Connection refused",
                     * "resolve nosuch: Name or service not known". The host is escaped. */
    char reason[96]; /* the reason alone: "Connection refused" */
};

struct dial_options {
    int family;               /* AF_UNSPEC, AF_INET, AF_INET6 */
    uint64_t timeout_ms;      /* 0: 30 s, so that no dial is for ever */
    const char *bind_address; /* -b: source address, or a name of this machine's, which is resolved
                               * on the spot (start-up only); NULL: the kernel's choice */
};

/* done is called once, later, on the loop, never from inside this call; the dial is gone by then.
 * NULL: no memory, or the resolver has none. */
struct dial *dial_start(struct loop *l, struct resolver *r, const char *host, uint16_t port,
    const struct dial_options *options, void (*done)(void *user, const struct dial_result *result),
    void *user);
/* done will not be called; sockets are closed. After done: do not. */
void dial_cancel(struct dial *d);

#endif
