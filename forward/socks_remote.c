/* State: data of the channel gathers in buf until the request is whole, then on while the dial is
 * under way, bounded by the channel's window since none of it is credited before a pump has it.
 * Answers to the channel wait in reply until it is our turn to send. */
#include "forward/socks_remote.h"

#include <stdlib.h>
#include <string.h>

#include "forward/pump.h"
#include "proto/proxy.h"

enum { REQUEST_MS = 30000 };

struct socks_remote {
    struct chan_user head; /* first: the multiplexer's user pointer is this struct */
    struct socks_remote_request r;
    struct loop_timer timer;
    struct dial *dial;
    struct proxy parser;
    uint8_t reply[PROXY_REPLY_MAX]; /* what was not sent yet */
    size_t reply_n;
    uint8_t *buf;
    size_t n, cap;
    bool peer_eof;
    bool closing; /* once reply has gone, close the channel */
};

static void free_it(struct socks_remote *s)
{
    loop_timer_stop(peer_loop(s->r.peer), &s->timer);
    if (s->dial != NULL)
        dial_cancel(s->dial);
    free(s->buf);
    free(s);
}

static void leave(struct socks_remote *s)
{
    struct mux *m = peer_mux(s->r.peer);
    mux_detach(m, s->r.chan);
    mux_eof(m, s->r.chan);
    mux_close(m, s->r.chan);
    peer_kick(s->r.peer);
    free_it(s);
}

static void put_reply(struct socks_remote *s, struct bytes reply)
{
    if (reply.n > sizeof s->reply - s->reply_n)
        return; /* cannot be: there is room for all the answers of one dialogue */
    if (reply.n > 0)
        memcpy(s->reply + s->reply_n, reply.p, reply.n);
    s->reply_n += reply.n;
    mux_want(peer_mux(s->r.peer), s->r.chan);
    peer_kick(s->r.peer);
}

static void refuse(struct socks_remote *s, const char *why, struct bytes reply)
{
    const char *host = s->parser.host == NULL ? "" : s->parser.host;
    s->r.failed(s->r.user, host, s->parser.port, NULL, why);
    s->closing = true;
    put_reply(s, reply);
    if (s->reply_n == 0)
        leave(s);
}

/* The request was good, and nothing came of it. */
static void refuse_with(struct socks_remote *s, const char *why, enum socks_outcome outcome)
{
    uint8_t reply[PROXY_REPLY_MAX];
    size_t n = proxy_reply(s->parser.kind, outcome, reply);
    refuse(s, why, (struct bytes){reply, n});
}

static enum socks_outcome outcome_of(enum dial_outcome o)
{
    switch (o) {
    case DIAL_OK: return SOCKS_OK;
    case DIAL_REFUSED: return SOCKS_REFUSED;
    case DIAL_TIMED_OUT: return SOCKS_TIMED_OUT;
    case DIAL_NOT_RESOLVED:
    case DIAL_UNREACHABLE: return SOCKS_HOST_UNREACHABLE;
    case DIAL_NO_RESOURCES: break;
    }
    return SOCKS_FAILURE;
}

static void dialled(void *user, const struct dial_result *result)
{
    struct socks_remote *s = user;
    uint8_t reply[PROXY_REPLY_MAX];
    size_t n = proxy_reply(s->parser.kind, outcome_of(result->outcome), reply);
    s->dial = NULL;
    put_reply(s, (struct bytes){reply, n});
    if (result->outcome != DIAL_OK) {
        s->r.failed(s->r.user, s->parser.host, s->parser.port, result, NULL);
        s->closing = true;
        return;
    }
    (void)pump_start(s->r.peer, s->r.chan, result->fd, (struct bytes){s->reply, s->reply_n},
        (struct bytes){s->buf, s->n}, s->peer_eof);
    free_it(s);
}

static void drop_used(struct socks_remote *s)
{
    s->n -= s->parser.used;
    memmove(s->buf, s->buf + s->parser.used, s->n);
    mux_consumed(peer_mux(s->r.peer), s->r.chan, s->parser.used);
}

static void start_dial(struct socks_remote *s)
{
    loop_timer_stop(peer_loop(s->r.peer), &s->timer);
    drop_used(s);
    if (s->r.allowed != NULL && !s->r.allowed(s->r.user, s->parser.host, s->parser.port)) {
        refuse_with(s, "PermitRemoteOpen does not allow it", SOCKS_NOT_ALLOWED);
        return;
    }
    s->dial = dial_start(peer_loop(s->r.peer), s->r.resolver, s->parser.host, s->parser.port,
        &s->r.options, dialled, s);
    if (s->dial == NULL)
        refuse_with(s, "too many connections being made", SOCKS_FAILURE);
}

static void parse(struct socks_remote *s)
{
    for (;;) {
        switch (proxy_parse(&s->parser, (struct bytes){s->buf, s->n})) {
        case PROXY_MORE:
            if (s->peer_eof)
                leave(s);
            return;
        case PROXY_REPLY:
            put_reply(s, s->parser.reply);
            drop_used(s);
            break;
        case PROXY_CONNECT: start_dial(s); return;
        case PROXY_REFUSE: refuse(s, s->parser.why, s->parser.reply); return;
        }
    }
}

static void on_data(struct socks_remote *s, struct bytes data)
{
    if (s->closing) {
        mux_consumed(peer_mux(s->r.peer), s->r.chan, data.n);
        return;
    }
    if (s->n + data.n > s->cap) {
        size_t cap = s->cap == 0 ? 1024 : s->cap;
        while (cap < s->n + data.n)
            cap *= 2;
        uint8_t *grown = realloc(s->buf, cap);
        if (grown == NULL) {
            leave(s);
            return;
        }
        s->buf = grown;
        s->cap = cap;
    }
    memcpy(s->buf + s->n, data.p, data.n);
    s->n += data.n;
    if (s->dial == NULL)
        parse(s);
}

static void remote_event(struct chan_user *cu, const struct mux_event *e)
{
    struct socks_remote *s = (struct socks_remote *)cu;
    switch (e->type) {
    case MUX_DATA: on_data(s, e->data); break;
    case MUX_EXTENDED: mux_consumed(peer_mux(s->r.peer), s->r.chan, e->data.n); break;
    case MUX_EOF:
        s->peer_eof = true; /* the request may be whole, and the answer still wanted */
        if (s->dial == NULL && !s->closing)
            leave(s);
        break;
    case MUX_CLOSED: leave(s); break;
    case MUX_REQUEST:
        if (e->want_reply)
            mux_reply(peer_mux(s->r.peer), s->r.chan, false);
        break;
    default: break;
    }
}

static void remote_turn(struct chan_user *cu)
{
    struct socks_remote *s = (struct socks_remote *)cu;
    struct mux *m = peer_mux(s->r.peer);
    struct mux_span span;
    if (s->reply_n > 0) {
        if (mux_data_slots(m, s->r.chan, &span, 1) == 0)
            return; /* congested by now: the turn is kept */
        size_t n = s->reply_n < span.n ? s->reply_n : span.n;
        memcpy(span.base, s->reply, n);
        mux_data_commit(m, s->r.chan, n);
        s->reply_n -= n;
        memmove(s->reply, s->reply + n, s->reply_n);
        return;
    }
    mux_rest(m, s->r.chan);
    if (s->closing && s->reply_n == 0)
        leave(s);
}

static void remote_lost(struct chan_user *cu)
{
    free_it((struct socks_remote *)cu);
}

static void asking_over(struct loop_timer *timer)
{
    struct socks_remote *s = timer->user;
    if (s->closing) {
        leave(s); /* the answer was not read: why it was given has been told */
        return;
    }
    refuse(s, "no complete request within 30 s", (struct bytes){NULL, 0});
}

static const struct chan_ops remote_ops = {
    .event = remote_event, .turn = remote_turn, .lost = remote_lost};

void socks_remote_start(const struct socks_remote_request *request)
{
    struct mux *m = peer_mux(request->peer);
    struct loop *l = peer_loop(request->peer);
    struct socks_remote *s = calloc(1, sizeof *s);
    if (s == NULL) {
        mux_refuse(m, request->chan, OPEN_RESOURCE_SHORTAGE, "no memory");
        return;
    }
    s->head.ops = &remote_ops;
    s->r = *request;
    s->timer = (struct loop_timer){.fire = asking_over, .user = s};
    if (mux_confirm(m, request->chan, s) != ERR_OK) {
        free(s);
        return;
    }
    loop_timer_set(l, &s->timer, loop_now(l) + REQUEST_MS);
    peer_kick(request->peer);
}
