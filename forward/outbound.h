/* A local socket that waits for its channel: the opening side of -L, -D, and of the server's
 * forwarded-tcpip. When the far end confirms, a pump takes over; when it refuses, the socket gets
 * an end (never a reset: FORWARDING.md line 46) after the owner had its word. */
#ifndef FORWARD_OUTBOUND_H
#define FORWARD_OUTBOUND_H

#include "forward/peer.h"

struct outbound_request {
    struct bytes type;           /* "direct-tcpip" or "forwarded-tcpip" */
    struct msg_tcpip_open where; /* encoded at once */
    struct bytes first;          /* bytes already read from fd, to be sent first (copied) */
    /* Called once, before the pump starts (e is MUX_OPENED) or fd ends (MUX_OPEN_FAILED); NULL when
     * the connection was lost. The owner may write a short answer to fd. May be NULL. */
    void (*outcome)(void *user, int fd, const struct mux_event *e);
    void *user;
};

/* Takes fd over in every case. ERR_LIMIT when no channel number is free, ERR_NOMEM; then fd is
 * closed and outcome is not called. */
enum err outbound_open(struct peer *p, int fd, const struct outbound_request *request) MUST_USE;

#endif
