#include "forward/inbound.h"

#include <stdlib.h>
#include <string.h>

#include "forward/pump.h"
#include "forward/socket.h"

/* Dials in flight on one connection: each may hold sockets and a place in the resolver's queue. */
enum { INBOUND_MAX = 1024 };

struct inbound {
    struct inbound_set *set;
    struct inbound *next, **at;
    struct peer *peer;
    struct dial *dial;
    uint32_t chan;
    void (*outcome)(void *user, const struct dial_result *result);
    void *user;
};

bool inbound_host(struct bytes host, char *name, size_t cap)
{
    if (host.n == 0 || host.n >= cap)
        return false;
    for (size_t i = 0; i < host.n; i++)
        if (host.p[i] <= ' ' || host.p[i] == 0x7f)
            return false;
    memcpy(name, host.p, host.n);
    name[host.n] = '\0';
    return true;
}

static void inbound_unlink(struct inbound *b)
{
    *b->at = b->next;
    if (b->next != NULL)
        b->next->at = b->at;
    b->set->n--;
}

static void inbound_done(void *user, const struct dial_result *result)
{
    struct inbound *b = user;
    struct peer *p = b->peer;
    uint32_t chan = b->chan;
    if (b->outcome != NULL)
        b->outcome(b->user, result);
    inbound_unlink(b);
    free(b);
    if (result->outcome != DIAL_OK) {
        uint32_t reason =
            result->outcome == DIAL_NO_RESOURCES ? OPEN_RESOURCE_SHORTAGE : OPEN_CONNECT_FAILED;
        mux_refuse(peer_mux(p), chan, reason, result->reason);
    } else if (mux_confirm(peer_mux(p), chan, NULL) == ERR_OK) {
        (void)pump_start(p, chan, result->fd, (struct bytes){0}, (struct bytes){0}, false);
    } else {
        socket_reset(result->fd);
    }
    peer_kick(p);
}

void inbound_dial(struct inbound_set *set, const struct inbound_request *request)
{
    struct inbound *b = set->n < INBOUND_MAX ? malloc(sizeof *b) : NULL;
    if (b != NULL) {
        *b = (struct inbound){.set = set,
            .peer = request->peer,
            .chan = request->chan,
            .outcome = request->outcome,
            .user = request->user};
        b->dial = dial_start(peer_loop(request->peer), request->resolver, request->host,
            request->port, &request->options, inbound_done, b);
    }
    if (b == NULL || b->dial == NULL) {
        free(b);
        mux_refuse(peer_mux(request->peer), request->chan, OPEN_RESOURCE_SHORTAGE,
            "too many connections being made");
        peer_kick(request->peer);
        return;
    }
    b->next = set->head;
    if (b->next != NULL)
        b->next->at = &b->next;
    b->at = &set->head;
    set->head = b;
    set->n++;
}

void inbound_end(struct inbound_set *set)
{
    struct inbound *next;
    for (struct inbound *b = set->head; b != NULL; b = next) {
        next = b->next;
        inbound_unlink(b);
        dial_cancel(b->dial);
        free(b);
    }
}
