/* State of a pump. The local socket's two directions and the channel's end separately:
 *
 *   first..      bytes that were read before the pump began, still to be sent
 *   spill..      the peer's bytes that the socket did not take yet: bounded by the channel's
 *                window, since credit is given only for what it took
 *   saw_hangup   the last edge told of an end: read on past a short read, no further edge will come
 *   local_eof    read() gave 0: EOF was sent to the channel
 *   peer_eof     the channel's EOF came; done_writing: and shutdown(SHUT_WR) was made
 *   peer_closed  the channel's CLOSE came; ours answers it once the spill is out. Until then the
 *                channel stays: so what is held for it counts, and ends with the connection
 */
#include "forward/pump.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "forward/socket.h"

/* Packets that one readv() fills: 8 x 32 KiB is a quarter of a megabyte a call. */
enum { SLOTS_A_READ = 8 };

/* The first spill; it doubles up to the window. */
enum { SPILL_FIRST_BYTES = 16 * 1024 };

struct pump {
    struct chan_user head; /* first: the multiplexer's user pointer is this struct */
    struct peer *peer;
    struct loop_source source;
    uint32_t id;
    uint8_t *first;
    size_t first_at, first_n;
    uint8_t *spill;
    size_t spill_at, spill_n, spill_cap;
    bool saw_hangup;
    bool local_eof;
    bool peer_eof, done_writing;
    bool peer_closed, closed_unclean;
};

static void pump_free(struct pump *u)
{
    loop_remove(peer_loop(u->peer), &u->source);
    struct gather *g = peer_gathered(u->peer);
    if (g->owner == &u->head) {
        g->owner = NULL;
        g->n = 0;
    }
    free(u->first);
    free(u->spill);
    free(u);
}

/* Lets go of the channel: CLOSE goes out, and it no longer knows us. */
static void leave_channel(struct pump *u)
{
    mux_detach(peer_mux(u->peer), u->id);
    mux_close(peer_mux(u->peer), u->id);
    peer_kick(u->peer);
}

/* The local socket was cut, or cannot be written any more: CLOSE without EOF, so that the far end
 * does not mistake a cut for an end (FORWARDING.md lines 37 and 38). */
static void local_dead(struct pump *u)
{
    int fd = u->source.fd;
    leave_channel(u);
    pump_free(u);
    socket_reset(fd);
}

/* Both directions ended in good order, or the channel did. */
static void finish(struct pump *u)
{
    struct loop *l = peer_loop(u->peer);
    int fd = u->source.fd;
    bool cut = u->closed_unclean;
    bool unread = !u->local_eof;
    leave_channel(u);
    pump_free(u);
    if (cut)
        socket_reset(fd);
    else if (unread)
        socket_linger(l, fd);
    else
        close(fd);
}

/* After every step: is there anything left to do? */
static void settle(struct pump *u)
{
    if (u->spill_n != 0)
        return;
    if (u->peer_closed) {
        finish(u);
        return;
    }
    if (u->peer_eof && u->local_eof) {
        finish(u); /* its close() ends our direction too */
        return;
    }
    if (u->peer_eof && !u->done_writing) {
        u->done_writing = true;
        if (shutdown(u->source.fd, SHUT_WR) != 0 && errno != ENOTCONN)
            local_dead(u);
    }
}

/* ---- peer to socket ---------------------------------------------------------------------------
 */

static bool spill_append(struct pump *u, const uint8_t *p, size_t n)
{
    if (u->spill_at + u->spill_n + n > u->spill_cap && u->spill_at > 0) {
        memmove(u->spill, u->spill + u->spill_at, u->spill_n);
        u->spill_at = 0;
    }
    if (u->spill_n + n > u->spill_cap) {
        size_t cap = u->spill_cap == 0 ? SPILL_FIRST_BYTES : u->spill_cap;
        while (cap < u->spill_n + n)
            cap *= 2;
        uint8_t *grown = realloc(u->spill, cap);
        if (grown == NULL)
            return false;
        u->spill = grown;
        u->spill_cap = cap;
    }
    memcpy(u->spill + u->spill_at + u->spill_n, p, n);
    u->spill_n += n;
    return true;
}

static void credit(struct pump *u, size_t n)
{
    if (n > 0) {
        mux_consumed(peer_mux(u->peer), u->id, n);
        peer_kick(u->peer);
    }
}

/* Writes the gathered slices; returns what the socket took, or -1 when it is dead. */
static ssize_t write_gathered(struct pump *u, const struct gather *g)
{
    if (u->spill_n > 0)
        return 0; /* bytes keep their order: behind what waits */
    ssize_t done;
    do
        done = writev(u->source.fd, g->iov, g->n);
    while (done < 0 && errno == EINTR);
    return done < 0 && errno == EAGAIN ? 0 : done;
}

static void pump_flush(struct chan_user *cu)
{
    struct pump *u = (struct pump *)cu;
    struct gather *g = peer_gathered(u->peer);
    ssize_t done = write_gathered(u, g);
    size_t skip = done < 0 ? 0 : (size_t)done;
    bool dead = done < 0;
    for (int i = 0; i < g->n && !dead; i++) {
        size_t n = g->iov[i].iov_len;
        size_t taken = skip < n ? skip : n;
        skip -= taken;
        if (taken < n)
            dead = !spill_append(u, (const uint8_t *)g->iov[i].iov_base + taken, n - taken);
    }
    g->owner = NULL;
    g->n = 0;
    if (dead)
        local_dead(u);
    else
        credit(u, (size_t)done);
}

static void drain_spill(struct pump *u)
{
    while (u->spill_n > 0) {
        ssize_t done = write(u->source.fd, u->spill + u->spill_at, u->spill_n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0 && errno == EAGAIN)
            return;
        if (done < 0) {
            local_dead(u);
            return;
        }
        u->spill_at += (size_t)done;
        u->spill_n -= (size_t)done;
        credit(u, (size_t)done);
    }
    free(u->spill); /* a channel at rest holds no buffer */
    u->spill = NULL;
    u->spill_at = u->spill_cap = 0;
    settle(u);
}

static void on_data(struct pump *u, const struct mux_event *e)
{
    if (u->done_writing)
        credit(u, e->data.n); /* cannot be: data after EOF is refused below us */
    else
        peer_gather(u->peer, &u->head, u->id, e->data);
}

static void pump_event(struct chan_user *cu, const struct mux_event *e)
{
    struct pump *u = (struct pump *)cu;
    struct mux *m = peer_mux(u->peer);
    switch (e->type) {
    case MUX_DATA: on_data(u, e); break;
    case MUX_EXTENDED: credit(u, e->data.n); break; /* a TCP stream has no second stream */
    case MUX_EOF:
        u->peer_eof = true;
        settle(u);
        break;
    case MUX_CLOSED:
        u->peer_closed = true;
        u->closed_unclean = !e->clean && peer_marks_clean_ends(u->peer);
        settle(u);
        break;
    case MUX_REQUEST:
        if (e->want_reply)
            mux_reply(m, u->id, false);
        break;
    default: break;
    }
}

/* ---- socket to peer ---------------------------------------------------------------------------
 */

static size_t total(const struct mux_span *spans, size_t n)
{
    size_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += spans[i].n;
    return sum;
}

static void send_first(struct pump *u, const struct mux_span *span)
{
    size_t n = u->first_n - u->first_at;
    if (n > span->n)
        n = span->n;
    memcpy(span->base, u->first + u->first_at, n);
    mux_data_commit(peer_mux(u->peer), u->id, n);
    u->first_at += n;
    if (u->first_at == u->first_n) {
        free(u->first);
        u->first = NULL;
    }
}

static void pump_turn(struct chan_user *cu)
{
    struct pump *u = (struct pump *)cu;
    struct mux *m = peer_mux(u->peer);
    struct mux_span spans[SLOTS_A_READ];
    size_t n_spans = u->local_eof ? 0 : mux_data_slots(m, u->id, spans, SLOTS_A_READ);
    if (n_spans == 0) {
        if (u->local_eof || !mux_congested(m))
            mux_rest(m, u->id);
        return; /* congested by now (a key exchange began): the turn is kept */
    }
    if (u->first != NULL) {
        send_first(u, &spans[0]);
        return;
    }
    _Static_assert(sizeof(struct mux_span) == sizeof(struct iovec), "readv() takes our spans");
    ssize_t n = readv(u->source.fd, (const struct iovec *)(const void *)spans, (int)n_spans);
    if (n > 0) {
        mux_data_commit(m, u->id, (size_t)n);
        if ((size_t)n < total(spans, n_spans) && !u->saw_hangup)
            mux_rest(m, u->id); /* a short read emptied it; more to come makes a new edge */
    } else if (n == 0) {
        u->local_eof = true;
        mux_rest(m, u->id);
        mux_eof(m, u->id);
        settle(u);
    } else if (errno == EAGAIN) {
        mux_rest(m, u->id);
    } else if (errno != EINTR) {
        local_dead(u);
    }
}

static void pump_ready(struct loop_source *source, unsigned events)
{
    struct pump *u = source->user;
    if (events & LOOP_HANGUP)
        u->saw_hangup = true;
    if ((events & LOOP_ERROR) != 0) {
        int error = 0;
        socklen_t n = sizeof error;
        if (getsockopt(source->fd, SOL_SOCKET, SO_ERROR, &error, &n) == 0 && error != 0) {
            local_dead(u);
            return;
        }
    }
    if (!u->peer_closed && !u->local_eof && (events & (LOOP_READABLE | LOOP_HANGUP)) != 0) {
        mux_want(peer_mux(u->peer), u->id);
        peer_kick(u->peer);
    }
    if ((events & LOOP_WRITABLE) != 0 && u->spill_n > 0)
        drain_spill(u);
}

/* The connection is gone. The application gets what had come for it only as far as its socket takes
 * it now, and is shown a cut unless its stream had ended before. */
static void pump_lost(struct chan_user *cu)
{
    struct pump *u = (struct pump *)cu;
    int fd = u->source.fd;
    bool ended_before = u->done_writing;
    pump_free(u);
    if (ended_before)
        close(fd);
    else
        socket_reset(fd);
}

static const struct chan_ops pump_ops = {
    .event = pump_event, .turn = pump_turn, .flush = pump_flush, .lost = pump_lost};

static uint8_t *copy_of(struct bytes b)
{
    uint8_t *copy = malloc(b.n);
    if (copy != NULL)
        memcpy(copy, b.p, b.n);
    return copy;
}

enum err pump_start(struct peer *p, uint32_t id, int fd, struct bytes to_channel,
    struct bytes to_socket, bool peer_eof)
{
    struct mux *m = peer_mux(p);
    struct pump *u = calloc(1, sizeof *u);
    if (u == NULL)
        goto fail;
    u->head.ops = &pump_ops;
    u->peer = p;
    u->source = (struct loop_source){.fd = fd, .ready = pump_ready, .user = u, .slot = -1};
    u->id = id;
    if (to_channel.n > 0 && (u->first = copy_of(to_channel)) == NULL)
        goto fail;
    if (to_socket.n > 0 && (u->spill = copy_of(to_socket)) == NULL)
        goto fail;
    u->first_n = to_channel.n;
    u->spill_n = u->spill_cap = to_socket.n;
    u->peer_eof = peer_eof;
    if (loop_add(peer_loop(p), &u->source) != ERR_OK)
        goto fail;
    mux_set_user(m, id, u);
    mux_want(m, id); /* bytes may wait already, and edges are told only once */
    peer_kick(p);
    drain_spill(u);
    return ERR_OK;
fail:
    if (u != NULL) {
        free(u->first);
        free(u->spill);
    }
    free(u);
    mux_detach(m, id);
    mux_close(m, id);
    socket_reset(fd);
    return ERR_NOMEM;
}
