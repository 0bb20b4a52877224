/* The client's forwards over one connection: -L and -D listen here, -R asks the server to listen
 * and dials from here. Start order and answers are ssh's (FORWARDING.md lines 21-24): local
 * listeners first, then all tcpip-forward requests in one go, their replies matched in order. */
#ifndef FORWARD_CLIENT_H
#define FORWARD_CLIENT_H

#include "forward/peer.h"
#include "forward/resolver.h"
#include "forward/spec.h"

struct forwards; /* opaque */

enum say_level { SAY_DEBUG, SAY_VERBOSE, SAY_INFO, SAY_ERROR };

struct forwards_config {
    struct peer *peer;
    struct resolver *resolver;
    const struct forward_spec *specs; /* borrowed for as long as the forwards live */
    size_t n_specs;
    bool gateway_ports;
    int family;
    uint64_t connect_timeout_ms; /* for what -R dials; 0: the dialer's own */
    /* PermitRemoteOpen, as written: "host:port" with '*' for either; n 0: any. Borrowed. */
    const char *const *permit_remote_open;
    size_t n_permit_remote_open;
    /* One line for people; foreign text in it is escaped already. */
    void (*say)(void *user, enum say_level level, const char *line);
    /* Called once: every listener was tried and every reply is in. */
    void (*settled)(void *user, unsigned n_failed);
    void *user;
};

struct forwards *forwards_new(const struct forwards_config *config); /* NULL: no memory */
/* Call after login. settled may be called from inside. */
void forwards_start(struct forwards *f);
/* Closes listeners and dials. Call once nothing comes any more: from the peer's ended(), or just
 * before peer_free(). Accepts NULL. */
void forwards_free(struct forwards *f);

/* Events of the peer's multiplexer: true when it was for a forward and has been dealt with;
 * otherwise nothing has been done. */
bool forwards_event(struct forwards *f, const struct mux_event *e);

/* A DEBUG message of the server's: where a forward is refused, this is the only place that says why
 * (FORWARDING.md line 73). */
void forwards_note_debug(struct forwards *f, struct bytes text);

#endif
