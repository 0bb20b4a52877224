#include "forward/outbound.h"

#include <stdlib.h>
#include <string.h>

#include "forward/pump.h"
#include "forward/socket.h"

struct outbound {
    struct chan_user head; /* first: the multiplexer's user pointer is this struct */
    struct peer *peer;
    int fd;
    void (*outcome)(void *user, int fd, const struct mux_event *e);
    void *user;
    size_t n_first;
    uint8_t first[]; /* what was read before */
};

static void outbound_event(struct chan_user *cu, const struct mux_event *e)
{
    struct outbound *o = (struct outbound *)cu;
    struct peer *p = o->peer;
    if (e->type != MUX_OPENED && e->type != MUX_OPEN_FAILED)
        return; /* nothing else comes before these: the multiplexer sees to it */
    if (o->outcome != NULL)
        o->outcome(o->user, o->fd, e);
    if (e->type == MUX_OPENED)
        (void)pump_start(
            p, e->chan, o->fd, (struct bytes){o->first, o->n_first}, (struct bytes){0}, false);
    else
        socket_linger(peer_loop(p), o->fd);
    free(o);
}

static void outbound_turn(struct chan_user *cu)
{
    (void)cu; /* nothing was asked for before the pump does */
}

static void outbound_lost(struct chan_user *cu)
{
    struct outbound *o = (struct outbound *)cu;
    if (o->outcome != NULL)
        o->outcome(o->user, o->fd, NULL);
    socket_reset(o->fd);
    free(o);
}

static const struct chan_ops outbound_ops = {
    .event = outbound_event, .turn = outbound_turn, .lost = outbound_lost};

/* Names are at most 1024 bytes (NI_MAXHOST), addresses shorter: both fit with their four words. */
enum { OPEN_BODY_MAX = 2 * 1025 + 16 };

enum err outbound_open(struct peer *p, int fd, const struct outbound_request *request)
{
    uint8_t body[OPEN_BODY_MAX];
    struct wire_writer w = wire_writer(body, sizeof body);
    msg_tcpip_open_encode(&w, &request->where);
    struct outbound *o = w.bad ? NULL : malloc(sizeof *o + request->first.n);
    enum err err = o == NULL ? ERR_NOMEM : ERR_OK;
    if (o != NULL) {
        *o = (struct outbound){.head.ops = &outbound_ops,
            .peer = p,
            .fd = fd,
            .outcome = request->outcome,
            .user = request->user,
            .n_first = request->first.n};
        if (o->n_first > 0)
            memcpy(o->first, request->first.p, o->n_first);
        uint32_t id;
        err = mux_open(peer_mux(p), request->type, wire_written(&w), o, &id);
    }
    if (err != ERR_OK) {
        free(o);
        socket_reset(fd);
        return err;
    }
    peer_kick(p);
    return ERR_OK;
}
