/* Listening sockets for one forward: the bind rules of FORWARDING.md lines 13-20 and adit's own
 * (an address in use on any family of the name is a failure; a family the machine lacks is
 * skipped). All families of one listener share one port, the kernel's choice for port 0 included.
 */
#ifndef FORWARD_LISTENER_H
#define FORWARD_LISTENER_H

#include <sys/socket.h>

#include "forward/loop.h"

struct listener; /* opaque */

enum listener_bind {
    LISTENER_LOOPBACK, /* 127.0.0.1 and ::1 */
    LISTENER_WILDCARD, /* 0.0.0.0 and :: */
    LISTENER_ADDRESS,  /* exactly the addresses of a name or numeric address */
};

struct listener_config {
    enum listener_bind bind;
    const char *address; /* LISTENER_ADDRESS; a name is resolved on the spot (start-up only) */
    uint16_t port;       /* 0: the kernel picks */
    int family;          /* AF_UNSPEC, or -4 / -6 */
    /* A connection, non-blocking, close-on-exec, TCP_NODELAY: fd is the callee's from now on. from
     * is numeric. Called at most 64 times a turn and listener; may pause or close the listener. */
    void (*accepted)(void *user, int fd, const char *from_host, uint16_t from_port);
    void *user;
};

/* Binds and listens (backlog 128, SO_REUSEADDR, IPV6_V6ONLY). On failure returns NULL with nothing
 * left open, and why says it for people, with address and port:
 * "cannot listen on 127.0.0.1 port 80: Permission denied (ports below 1024 need root or
 * CAP_NET_BIND_SERVICE)", "... port 8080: Address already in use". *sys_errno gets the errno (0
 * when the name did not resolve). */
struct listener *listener_open(struct loop *l, const struct listener_config *config, char *why,
    size_t why_cap, int *sys_errno);
void listener_close(struct listener *s); /* accepts NULL */

uint16_t listener_port(const struct listener *s);
/* Stops and resumes accepting, for an owner that has enough for now: the kernel's backlog holds. */
void listener_pause(struct listener *s);
void listener_resume(struct listener *s);

#endif
