/* The turn of a connection. Everything that happens to it meets in one task at the end of the
 * loop's turn, peer_service():
 *
 *     read the socket -> events -> packets -> channels' data gathered -> one writev a channel
 *     turns: local sockets read straight into packets -> one write of all that is sealed
 *
 * closing              peer_close() was called: write out, then end
 * ended                ended() was called: nothing is touched any more
 */
#include "forward/peer.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forward/link.h"

/* Rounds of read-and-write before the loop gets its turn: enough to keep the pipe full, few enough
 * that other connections and timers wait for milliseconds at most. */
enum { ROUNDS_A_TURN = 8 };

/* How long what is queued may take to leave after peer_close(), milliseconds. */
enum { CLOSE_PATIENCE_MS = 2000 };

/* Marks a GLOBAL_REPLY as the answer to our keepalive; owners' tokens are smaller. */
#define TOKEN_ALIVE UINT32_MAX
/* The same for the probe that measures a round trip (mux_probe_due). */
#define TOKEN_PROBE (UINT32_MAX - 1)

/* OpenSSH stops filling a channel at 16 MiB; a window beyond that only slows it down (FORWARDING.md
 * line 34). */
enum { OPENSSH_MAX_WINDOW_BYTES = 15 * 1024 * 1024 };

/* It gives credit once more than three packets of its window are used. */
enum { OPENSSH_AHEAD_BYTES = 100 * 1024 };

struct peer {
    struct loop *loop;
    struct loop_source source;
    struct loop_source out; /* a second pipe, or never added */
    struct loop_task task;
    struct loop_timer timer;
    struct link link;
    struct transport *tp;
    struct mux *mux;
    struct peer_owner owner;
    struct gather gather;
    uint64_t alive_interval_ms;
    uint64_t last_heard_ms;
    uint64_t alive_due_ms; /* next probe, or verdict; UINT64_MAX: none */
    uint64_t close_by_ms;
    unsigned alive_count_max;
    unsigned n_unanswered; /* probes since the last byte heard */
    uint32_t max_channels;
    enum role role;
    char name[300];
    struct fault fault; /* found here: I/O, silence */
    bool closing, ended;
};

struct transport *peer_transport(struct peer *p)
{
    return p->tp;
}

struct mux *peer_mux(struct peer *p)
{
    return p->mux;
}

struct loop *peer_loop(struct peer *p)
{
    return p->loop;
}

int peer_fd(const struct peer *p)
{
    return p->source.fd;
}

struct gather *peer_gathered(struct peer *p)
{
    return &p->gather;
}

void peer_kick(struct peer *p)
{
    if (!p->ended)
        loop_defer(p->loop, &p->task);
}

static bool peer_is(const struct peer *p, const char *ident)
{
    struct bytes line = transport_peer_ident(p->tp);
    size_t n = strlen(ident);
    return line.n >= n && memcmp(line.p, ident, n) == 0;
}

bool peer_marks_clean_ends(const struct peer *p)
{
    return peer_is(p, "SSH-2.0-OpenSSH") || peer_is(p, "SSH-2.0-adit");
}

/* Both, where there are two: an end is told to who reads and to who writes. */
static void close_link(struct peer *p)
{
    loop_remove(p->loop, &p->source);
    loop_remove(p->loop, &p->out);
    close(p->link.fd);
    if (p->link.out_fd != p->link.fd)
        close(p->link.out_fd);
    p->source.fd = -1;
}

/* ---- the end --------------------------------------------------------------------------------- */

/* Tells every channel that it is lost. A channel's lost() may free its struct but opens nothing. */
static void drop_channels(struct peer *p)
{
    uint32_t id = UINT32_MAX;
    void *user;
    p->gather.owner = NULL;
    p->gather.n = 0;
    while (p->mux != NULL && mux_each(p->mux, &id, &user)) {
        struct chan_user *u = user;
        mux_detach(p->mux, id);
        if (u != NULL)
            u->ops->lost(u);
    }
}

static void peer_end(struct peer *p)
{
    if (p->ended)
        return;
    p->ended = true;
    loop_timer_stop(p->loop, &p->timer);
    loop_undefer(p->loop, &p->task);
    drop_channels(p);
    close_link(p);
    struct fault why = p->fault;
    if (why.code == ERR_OK && transport_fault(p->tp)->code != ERR_OK)
        why = *transport_fault(p->tp);
    if (p->closing)
        why = (struct fault){.code = ERR_OK};
    p->owner.ended(p->owner.user, &why); /* p may be gone after this */
}

/* A failure that no DISCONNECT can be sent for. */
static void peer_fail(struct peer *p, enum err code, const char *what, int sys_errno)
{
    if (sys_errno != 0)
        fault_set(&p->fault, code, "%s: %s", what, strerror(sys_errno));
    else
        fault_set(&p->fault, code, "%s", what);
}

/* ---- bytes of the socket ----------------------------------------------------------------------
 */

static bool read_socket(struct peer *p)
{
    uint64_t now = loop_now(p->loop);
    if (link_read(&p->link, p->tp, now)) {
        p->last_heard_ms = now;
        p->n_unanswered = 0;
        return true;
    }
    if (p->link.read_error != 0)
        peer_fail(p, ERR_IO, "connection lost", p->link.read_error);
    return false;
}

static bool write_socket(struct peer *p)
{
    return link_write(&p->link, p->tp, loop_now(p->loop));
}

/* ---- events -----------------------------------------------------------------------------------
 */

void peer_gather(struct peer *p, struct chan_user *u, uint32_t id, struct bytes slice)
{
    struct gather *g = &p->gather;
    if (g->owner != NULL && (g->owner != u || g->n == PEER_GATHER_MAX)) {
        bool ours = g->owner == u;
        g->owner->ops->flush(g->owner);
        if (ours && mux_user(p->mux, id) != u)
            return; /* its socket proved dead, and it is gone */
    }
    if (g->owner != u) {
        g->owner = u;
        g->n = 0;
        g->n_bytes = 0;
    }
    /* writev() never writes through its iovec; the cast is the interface's age. */
    g->iov[g->n++] = (struct iovec){.iov_base = (void *)(uintptr_t)slice.p, .iov_len = slice.n};
    g->n_bytes += slice.n;
}

static void flush_gather(struct peer *p)
{
    if (p->gather.owner != NULL)
        p->gather.owner->ops->flush(p->gather.owner);
    p->gather.owner = NULL;
    p->gather.n = 0;
}

static void dispatch_mux_event(struct peer *p, const struct mux_event *e)
{
    struct chan_user *u = e->user;
    if (p->gather.owner != NULL && e->type != MUX_DATA) {
        /* An EOF or CLOSE must find all data before it delivered or spilled; and what was gathered
         * may be for a dead socket, whose pump is gone then. */
        bool same = p->gather.owner == u;
        flush_gather(p);
        if (same)
            u = mux_user(p->mux, e->chan);
    }
    if (e->type == MUX_GLOBAL_REPLY && e->token == TOKEN_ALIVE)
        return; /* that a byte came has been noted already */
    if (e->type == MUX_GLOBAL_REPLY && e->token == TOKEN_PROBE) {
        mux_probe_end(p->mux, loop_clock());
        return;
    }
    if (e->type == MUX_OPEN_REQUEST || e->type == MUX_GLOBAL_REQUEST || e->type == MUX_GLOBAL_REPLY)
        p->owner.mux_event(p->owner.user, e);
    else if (u != NULL)
        u->ops->event(u, e);
    else if (e->type == MUX_REQUEST && e->want_reply)
        mux_reply(p->mux, e->chan, false);
    else if (e->type == MUX_DATA || e->type == MUX_EXTENDED)
        mux_consumed(p->mux, e->chan, e->data.n); /* its end is gone: drop, and credit */
}

static void take_packet(struct peer *p, const struct transport_event *te)
{
    struct mux_event e;
    if (mux_packet(p->mux, te->payload) == ERR_OK) {
        while (!p->ended && mux_next(p->mux, &e))
            dispatch_mux_event(p, &e);
        if (!te->lasting)
            flush_gather(p);
    }
    if (!p->ended && mux_fault(p->mux)->code != ERR_OK)
        transport_fail(p->tp, mux_fault(p->mux));
}

static void start_mux(struct peer *p)
{
    bool is_openssh = peer_is(p, "SSH-2.0-OpenSSH");
    struct mux_config config = {.sink = transport_sink(p->tp),
        .role = p->role,
        .max_channels = p->max_channels,
        .max_window = is_openssh ? OPENSSH_MAX_WINDOW_BYTES : 0,
        .max_ahead = is_openssh ? OPENSSH_AHEAD_BYTES : 0};
    p->mux = mux_new(&config);
    if (p->mux == NULL)
        peer_fail(p, ERR_NOMEM, "no memory for the connection", 0);
}

static bool take_events(struct peer *p)
{
    struct transport_event e;
    bool any = false;
    while (!p->ended && p->fault.code == ERR_OK && transport_next(p->tp, &e)) {
        any = true;
        if (e.type == TRANSPORT_PACKET) {
            take_packet(p, &e);
            continue;
        }
        if (e.type == TRANSPORT_AUTH_SUCCESS)
            start_mux(p);
        if (e.type != TRANSPORT_DISCONNECTED && p->fault.code == ERR_OK)
            p->owner.transport_event(p->owner.user, &e);
    }
    flush_gather(p);
    return any;
}

static bool give_turns(struct peer *p)
{
    uint32_t id;
    bool any = false;
    if (p->mux != NULL)
        mux_set_burst(p->mux, link_burst(&p->link, p->tp, mux_is_shared(p->mux)));
    while (p->mux != NULL && mux_turn(p->mux, &id)) {
        struct chan_user *u = mux_user(p->mux, id);
        any = true;
        if (u == NULL)
            mux_rest(p->mux, id);
        else
            u->ops->turn(u);
    }
    return any;
}

/* ---- time -------------------------------------------------------------------------------------
 */

static void probe(struct peer *p)
{
    uint64_t now = loop_now(p->loop);
    p->alive_due_ms = UINT64_MAX;
    if (p->alive_interval_ms == 0 || p->mux == NULL)
        return;
    uint64_t due = p->last_heard_ms + p->alive_interval_ms * (p->n_unanswered + 1);
    if (now < due) {
        p->alive_due_ms = due;
        return;
    }
    if (p->n_unanswered >= p->alive_count_max) {
        fault_set(&p->fault, ERR_TIMEOUT, "Timeout, %s not responding.", p->name);
        return;
    }
    p->n_unanswered++;
    p->alive_due_ms = now + p->alive_interval_ms;
    if (mux_global_request(
            p->mux, BYTES_LIT("keepalive@openssh.com"), true, BYTES_LIT(""), TOKEN_ALIVE) != ERR_OK)
        fault_set(&p->fault, ERR_LIMIT, "Timeout, %s not responding.", p->name);
}

static void arm_timer(struct peer *p)
{
    uint64_t at = transport_deadline(p->tp);
    if (p->alive_due_ms < at)
        at = p->alive_due_ms;
    if (p->closing && p->close_by_ms < at)
        at = p->close_by_ms;
    if (p->mux != NULL && mux_deadline(p->mux) < at)
        at = mux_deadline(p->mux);
    if (link_deadline(&p->link) < at)
        at = link_deadline(&p->link);
    if (at == UINT64_MAX)
        loop_timer_stop(p->loop, &p->timer);
    else if (p->timer.place == 0 || p->timer.at_ms != at)
        loop_timer_set(p->loop, &p->timer, at);
}

static void on_timer(struct loop_timer *timer)
{
    struct peer *p = timer->user;
    transport_tick(p->tp, loop_now(p->loop));
    link_fetch(&p->link, loop_now(p->loop));
    peer_kick(p);
}

/* Sends what tells the round trip when the multiplexer wants to know it: once a channel is open,
 * and while bytes flow. Every peer answers it: RFC 4254 section 4. By the time of its turn, which
 * may take long, a round trip would be told too short, and stay the shortest for good. */
static void measure(struct peer *p)
{
    uint64_t now = loop_now(p->loop);
    if (p->mux == NULL)
        return;
    mux_tick(p->mux, now);
    if (mux_n_channels(p->mux) == 0 || !mux_probe_due(p->mux, now))
        return;
    if (mux_global_request(
            p->mux, BYTES_LIT("keepalive@openssh.com"), true, BYTES_LIT(""), TOKEN_PROBE) == ERR_OK)
        mux_probe_begin(p->mux, loop_clock());
}

/* ---- the turn ---------------------------------------------------------------------------------
 */

static bool is_over(struct peer *p)
{
    bool failed = transport_fault(p->tp)->code != ERR_OK;
    if (p->link.write_error != 0 && !failed && !p->link.readable)
        peer_fail(p, ERR_IO, "connection lost", p->link.write_error);
    if (p->fault.code != ERR_OK)
        return true;
    if (!failed && !p->closing)
        return false;
    /* The DISCONNECT still goes out if the socket takes it; a dead one is not waited for. */
    size_t n;
    bool drained = transport_tx(p->tp, &n) == NULL;
    return drained || !p->closing || loop_now(p->loop) >= p->close_by_ms;
}

static void peer_service(struct loop_task *task)
{
    struct peer *p = task->user;
    bool moved = true;
    for (int round = 0; moved && round < ROUNDS_A_TURN && !p->ended; round++) {
        moved = read_socket(p);
        moved |= take_events(p);
        if (p->ended)
            return;
        measure(p);
        moved |= give_turns(p);
        moved |= write_socket(p);
        if (is_over(p)) {
            peer_end(p);
            return;
        }
    }
    if (!moved)
        loop_undefer(
            p->loop, &p->task); /* whatever kicked us in these rounds was seen to by them */
    if (p->alive_due_ms <= loop_now(p->loop) || p->alive_due_ms == UINT64_MAX) {
        probe(p);
        if (is_over(p)) {
            peer_end(p);
            return;
        }
        write_socket(p);
    }
    if (p->owner.quiet != NULL && p->mux != NULL && mux_n_channels(p->mux) == 0)
        p->owner.quiet(p->owner.user);
    if (moved)
        loop_defer(p->loop, &p->task); /* more to do, after the others had their turn */
    else
        link_acknowledge(&p->link);
    arm_timer(p);
}

static void on_ready(struct loop_source *source, unsigned events)
{
    struct peer *p = source->user;
    link_ready(&p->link, events);
    peer_kick(p);
}

/* ---- life -------------------------------------------------------------------------------------
 */

static bool watch(struct peer *p)
{
    return loop_add(p->loop, &p->source) == ERR_OK &&
           (p->link.out_fd == p->link.fd || loop_add(p->loop, &p->out) == ERR_OK);
}

struct peer *peer_new(const struct peer_config *config)
{
    int out_fd = config->out_fd > 0 ? config->out_fd : config->fd;
    struct peer *p = calloc(1, sizeof *p);
    if (p == NULL)
        goto fail;
    p->loop = config->loop;
    p->source = (struct loop_source){.fd = config->fd, .ready = on_ready, .user = p, .slot = -1};
    p->out = (struct loop_source){.fd = out_fd, .ready = on_ready, .user = p, .slot = -1};
    link_init(&p->link, config->fd, out_fd);
    p->task = (struct loop_task){.run = peer_service, .user = p};
    p->timer = (struct loop_timer){.fire = on_timer, .user = p};
    p->owner = config->owner;
    p->alive_interval_ms = config->alive_interval_ms;
    p->alive_count_max = config->alive_count_max;
    p->alive_due_ms = UINT64_MAX;
    p->last_heard_ms = loop_now(p->loop);
    p->max_channels = config->max_channels;
    p->role = config->transport.role;
    if (config->name != NULL)
        strncpy(p->name, config->name, sizeof p->name - 1);
    p->tp = transport_new(&config->transport, loop_now(p->loop));
    if (p->tp == NULL || !watch(p))
        goto fail;
    peer_kick(p);
    return p;
fail:
    if (p != NULL) {
        loop_remove(p->loop, &p->source);
        transport_free(p->tp);
    }
    close(config->fd);
    if (out_fd != config->fd)
        close(out_fd);
    free(p);
    return NULL;
}

void peer_free(struct peer *p)
{
    if (p == NULL)
        return;
    if (!p->ended) {
        p->ended = true;
        loop_timer_stop(p->loop, &p->timer);
        loop_undefer(p->loop, &p->task);
        close_link(p);
    }
    drop_channels(p); /* also those opened between the end and now */
    mux_free(p->mux);
    transport_free(p->tp);
    free(p);
}

void peer_close(struct peer *p, const char *text)
{
    enum { BY_APPLICATION = 11 }; /* RFC 4253 section 11.1 */
    if (p->ended || p->closing)
        return;
    p->closing = true;
    p->close_by_ms = loop_now(p->loop) + CLOSE_PATIENCE_MS;
    transport_disconnect(p->tp, ERR_CLOSED, BY_APPLICATION, text);
    peer_kick(p);
}
