/* One SSH connection on the loop: a socket (or two pipes), a transport, and after login a
 * multiplexer.
 *
 * The peer does the reading, writing, turns and keepalives; everything that is a decision goes to
 * its owner through struct peer_owner. Channels belong to whoever opened or confirmed them: their
 * `user` pointer in the multiplexer is a struct chan_user, to which the peer hands the channel's
 * events. */
#ifndef FORWARD_PEER_H
#define FORWARD_PEER_H

#include <sys/uio.h>

#include "channel/mux.h"
#include "forward/loop.h"
#include "transport/transport.h"

struct peer;

/* The head of every struct that stands behind a channel. */
struct chan_user {
    const struct chan_ops *ops;
};
struct chan_ops {
    /* Any mux event of this channel. */
    void (*event)(struct chan_user *u, const struct mux_event *e);
    /* Its turn to send (mux_turn): use mux_data_slots and commit, or mux_rest. */
    void (*turn)(struct chan_user *u);
    /* Data of one batch is over: deliver what was gathered. NULL where nothing is gathered. */
    void (*flush)(struct chan_user *u);
    /* The connection is gone and the multiplexer with it: release everything. */
    void (*lost)(struct chan_user *u);
};

struct peer_owner {
    void *user;
    /* A transport event other than PACKET; decisions are made by calls on peer_transport(). */
    void (*transport_event)(void *user, const struct transport_event *e);
    /* OPEN_REQUEST, GLOBAL_REQUEST, and GLOBAL_REPLY to requests that are not the peer's own. */
    void (*mux_event)(void *user, const struct mux_event *e);
    /* No channel is open (any more): told at the end of a turn in which that may be news. May be
     * NULL. */
    void (*quiet)(void *user);
    /* The last call: the socket is closed, channels were told they are lost. The owner may call
     * peer_free() here. clean: we or the other side ended it in good order. */
    void (*ended)(void *user, const struct fault *why);
};

struct peer_config {
    struct loop *loop;
    int fd;     /* connected, non-blocking; the peer's from now on */
    int out_fd; /* where fd is a pipe to read from: the one to write to, likewise; 0: fd is both */
    struct transport_config transport;
    struct peer_owner owner;
    /* Keepalive, FORWARDING.md line 55: after so long without a byte from the other side a global
     * request is sent; after count_max of them without any byte the connection ends (ERR_TIMEOUT).
     * 0: none. name for the text: "server example.com". */
    uint64_t alive_interval_ms;
    unsigned alive_count_max;
    const char *name;
    uint32_t max_channels;
};

struct peer *peer_new(const struct peer_config *config); /* NULL: no memory; fds are closed */
void peer_free(struct peer *p);                          /* accepts NULL */

struct transport *peer_transport(struct peer *p);
struct mux *peer_mux(struct peer *p); /* NULL before login */
struct loop *peer_loop(struct peer *p);
int peer_fd(const struct peer *p);

/* Something was put into the engines from outside (a decision, a request, mux_want, a channel
 * opened): carry it out at the end of this turn. */
void peer_kick(struct peer *p);

/* Ends in good order: DISCONNECT "by application", what is queued is written (for at most 2 s),
 * then ended() with code ERR_OK. */
void peer_close(struct peer *p, const char *text);

/* Does the far end always send EOF before a clean CLOSE, so that a CLOSE without one means a cut?
 * OpenSSH and adit do; others are given the benefit of the doubt. */
bool peer_marks_clean_ends(const struct peer *p);

/* The slices of one batch for one channel, to be written by one writev(): see pump.c. Shared, since
 * only one channel gathers at a time. */
enum { PEER_GATHER_MAX = 64 };
struct gather {
    struct chan_user *owner;
    struct iovec iov[PEER_GATHER_MAX];
    int n;
    size_t n_bytes;
};
/* Adds a slice for u, the user of channel id; flushes another channel's gather, or a full one,
 * first. */
void peer_gather(struct peer *p, struct chan_user *u, uint32_t id, struct bytes slice);
struct gather *peer_gathered(struct peer *p);

#endif
