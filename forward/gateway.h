/* The server's side of forwarding on one connection: direct-tcpip is dialled, tcpip-forward
 * listens, everything else gets a clear refusal. What it opens ends with it: a listener never
 * outlives its session. */
#ifndef FORWARD_GATEWAY_H
#define FORWARD_GATEWAY_H

#include "forward/peer.h"
#include "forward/resolver.h"

struct gateway; /* opaque */

struct gateway_config {
    struct peer *peer;
    struct resolver *resolver;
    uint64_t connect_timeout_ms;
    /* One line for the log: what was asked, what came of it. Names are escaped already. */
    void (*say)(void *user, const char *line);
    void *user;
};

struct gateway *gateway_new(const struct gateway_config *config); /* NULL: no memory */
/* Closes listeners and dials. Call from the peer's ended(). Accepts NULL. */
void gateway_free(struct gateway *g);

/* OPEN_REQUEST and GLOBAL_REQUEST of the peer's multiplexer. */
void gateway_event(struct gateway *g, const struct mux_event *e);

#endif
