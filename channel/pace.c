/* How large receive windows should be: what the path carries in a round trip (DESIGN.md).
 *
 * The caller, who has the clock, sends a request that the peer answers at once (a probe) and tells
 * when it left and when its answer came. Between the two lie one round trip and whatever queues on
 * the way, and the bytes that each channel consumed meanwhile are its rate:
 *
 *     rtt_min_ms   the shortest probe so far: the path without its queues
 *     needed       bytes consumed during the probe, scaled to rtt_min_ms
 *
 * A channel that consumed most of its window in a probe is held back by it, so it gets twice what
 * it needed, and so on until something else is the limit. When a probe took much longer than
 * rtt_min_ms the bytes stand in a queue: more window would only make that longer, so it shrinks to
 * what the path needs; while it shrinks nothing is concluded, since that is what holds its sender
 * back. A reader that left most of its window unread gets half. Nothing is searched: a channel is
 * looked at when it consumes, in constant time.
 *
 *     mux.pace.epoch     odd while a probe is under way
 *     chan.pace_epoch    the epoch that chan.pace_bytes were consumed in */
#include "channel/engine.h"

enum {
    /* A probe is worth its 50 bytes when this much has been consumed since the last. */
    PROBE_BYTES = 256 * 1024,
    PROBE_GAP_MS = 50,                  /* and not more often than this */
    FLOOR_BYTES = 2 * MUX_PACKET_BYTES, /* never below */
    /* Where the round trip is short, a wait of this is still nobody's queue but a busy processor.
     */
    BUSY_MS = 20,
    OWN_MS = 12,        /* the probe itself waits behind what we send (forward/link.h) */
    LASTING_WAITS = 16, /* probes in a row */
    FIRST_PROBES = 4,   /* these need no traffic: they find the path without its queues */
    FAR_MS = 16,
    MOST_MS = 4, /* of credit at once, where it is spread */
    /* A path this short needs no window to be full: what is in it waits in the far end's buffers,
     * and everybody else's bytes behind it. */
    NEAR_MS = 1,
    NEAR_BYTES = 4 * MUX_PACKET_BYTES,
};

static uint32_t clamp(uint64_t bytes, uint32_t most)
{
    if (bytes < FLOOR_BYTES)
        return FLOOR_BYTES;
    return bytes < most ? (uint32_t)bytes : most;
}

/* A quarter of the round trip stands in a queue. */
static bool is_queue(uint64_t rtt_ms, uint64_t took_ms)
{
    return took_ms > rtt_ms + rtt_ms / 4 + (rtt_ms < BUSY_MS ? BUSY_MS : OWN_MS);
}

/* Nothing queues: what holds the sender back is the window. */
static bool is_free(uint64_t rtt_ms, uint64_t took_ms)
{
    return took_ms <= rtt_ms + rtt_ms / 8 + (rtt_ms < BUSY_MS ? 2 : OWN_MS);
}

/* The probe that c's count belongs to has ended: draw the conclusion. */
static void conclude(const struct pace *p, struct chan *c)
{
    if (!c->pace_is_settled)
        return;
    uint64_t rtt_ms = p->rtt_min_ms > 0 ? p->rtt_min_ms : 1;
    uint64_t took_ms = p->took_ms > rtt_ms ? p->took_ms : rtt_ms;
    uint64_t needed = c->pace_bytes * rtt_ms / took_ms;
    uint32_t half = c->recv_target / 2;
    if (c->held > c->recv_limit / 2) {
        c->recv_target = clamp(half, p->max_window);
    } else if (is_queue(rtt_ms, took_ms)) {
        uint64_t enough = needed + needed / 4;
        c->pace_has_queued = true;
        if (enough < c->recv_target) /* by halves: one long wait may be somebody else's doing */
            c->recv_target = clamp(enough > half ? enough : half, p->max_window);
    } else if (is_free(rtt_ms, took_ms) && c->pace_bytes >= half) {
        uint64_t more = c->pace_has_queued ? needed + needed / 4 : 2 * needed;
        if (more > c->recv_target)
            c->recv_target = clamp(more, p->max_window);
    }
}

static bool is_near_and_shared(const struct mux *m)
{
    return m->pace.rtt_min_ms <= NEAR_MS && mux_is_shared(m);
}

uint32_t pace_target(const struct mux *m, const struct chan *c)
{
    return is_near_and_shared(m) ? min_u32(c->recv_target, NEAR_BYTES) : c->recv_target;
}

/* On a long path what a round trip carries arrives in bursts where nothing on the way spreads it,
 * and credit given at once for a burst makes the next one. A peer with megabytes of credit reads
 * ahead whenever its socket is full for a moment; OpenSSH copies all it has read ahead for every 32
 * KiB more, and with 15 MiB stands still for a second. So beyond the first window's size credit is
 * spread: a little every millisecond, at twice the rate that fills the window in a round trip. */
bool pace_spreads(const struct mux *m, const struct chan *c)
{
    return m->pace.rtt_min_ms >= FAR_MS && m->pace.rtt_min_ms != UINT64_MAX &&
           c->recv_limit > MUX_WINDOW_BYTES;
}

static bool wait_for_credit(struct pace *p, struct chan *c)
{
    if (c->credit_waits)
        return true;
    if (p->n_waiting == PACE_MAX_WAITING)
        return false;
    c->credit_waits = true;
    p->waiting[p->n_waiting++] = c;
    return true;
}

uint32_t pace_credit(struct mux *m, struct chan *c)
{
    struct pace *p = &m->pace;
    if (!pace_spreads(m, c))
        return c->due;
    if (p->now_ms < c->credit_at_ms)
        return wait_for_credit(p, c) ? 0 : c->due;
    uint64_t n_ms = p->now_ms - c->credit_at_ms + 1;
    uint64_t part = 2 * (uint64_t)c->recv_limit * (n_ms < MOST_MS ? n_ms : MOST_MS) / p->rtt_min_ms;
    c->credit_at_ms = p->now_ms + 1;
    return part < c->due && wait_for_credit(p, c) ? (uint32_t)part : c->due;
}

void pace_forget(struct mux *m, struct chan *c)
{
    struct pace *p = &m->pace;
    for (unsigned i = 0; c->credit_waits && i < p->n_waiting; i++)
        if (p->waiting[i] == c) {
            p->waiting[i] = p->waiting[--p->n_waiting];
            c->credit_waits = false;
        }
}

bool pace_holds_back(const struct mux *m, const struct chan *c)
{
    return m->pace.max_ahead != 0 && c->ahead >= m->pace.max_ahead && !c->goes_ahead &&
           is_near_and_shared(m);
}

void pace_credited(struct mux *m, struct chan *c, uint32_t n)
{
    c->ahead -= min_u32(c->ahead, n);
    if (n > 0)
        c->goes_ahead = false;
    if (c->queue == QUEUE_HELD && !pace_holds_back(m, c))
        sched_leave(&m->sched, c); /* to be woken */
}

/* Those who waited for credit long enough. */
static void let_go(struct mux *m)
{
    struct sched *s = &m->sched;
    for (struct chan *c; (c = s->held.first) != NULL && c->held_until_ms <= m->pace.now_ms;) {
        sched_leave(s, c);
        c->goes_ahead = true;
        sched_wake(s, c);
    }
}

void mux_tick(struct mux *m, uint64_t now_ms)
{
    struct pace *p = &m->pace;
    p->now_ms = now_ms;
    let_go(m);
    for (unsigned i = p->n_waiting; i-- > 0;) {
        struct chan *c = p->waiting[i];
        if (c->credit_at_ms > now_ms)
            continue;
        p->waiting[i] = p->waiting[--p->n_waiting];
        c->credit_waits = false;
        window_credit(m, c); /* may have it wait again, behind all that are left to look at */
    }
}

uint64_t mux_deadline(const struct mux *m)
{
    const struct chan *held = m->sched.held.first;
    uint64_t at = held != NULL ? held->held_until_ms : UINT64_MAX;
    for (unsigned i = 0; i < m->pace.n_waiting; i++)
        if (m->pace.waiting[i]->credit_at_ms < at)
            at = m->pace.waiting[i]->credit_at_ms;
    return at;
}

void pace_sent(struct mux *m, struct chan *c, uint32_t n)
{
    c->ahead += n;
    m->pace.bytes += n;
    sched_note(&m->sched, c, n);
    sched_spend(&m->sched, c, n);
}

void pace_consumed(struct mux *m, struct chan *c, uint32_t n)
{
    struct pace *p = &m->pace;
    sched_note(&m->sched, c, n);
    p->bytes += n;
    if (c->pace_epoch != p->epoch) {
        bool was_probe = (c->pace_epoch & 1) != 0;
        if (was_probe && p->epoch - c->pace_epoch == 1)
            conclude(p, c);
        c->pace_epoch = p->epoch;
        c->pace_bytes = 0;
        c->pace_is_settled = c->recv_limit <= c->recv_target;
    }
    c->pace_bytes += n;
}

/* A queue of ours is gone once windows have shrunk; a wait that stays is the path, which has become
 * longer under the connection. */
static void believe_lasting_waits(struct pace *p)
{
    if (!is_queue(p->rtt_min_ms, p->took_ms)) {
        p->n_waits = 0;
        p->least_wait_ms = UINT64_MAX;
        return;
    }
    if (p->took_ms < p->least_wait_ms)
        p->least_wait_ms = p->took_ms;
    if (++p->n_waits < LASTING_WAITS)
        return;
    p->rtt_min_ms = p->least_wait_ms;
    p->n_waits = 0;
    p->least_wait_ms = UINT64_MAX;
}

bool mux_probe_due(const struct mux *m, uint64_t now_ms)
{
    const struct pace *p = &m->pace;
    if (m->fault.code != ERR_OK || (p->epoch & 1) != 0)
        return false;
    return (p->bytes >= PROBE_BYTES || p->n_probes < FIRST_PROBES) && now_ms >= p->next_ms;
}

void mux_probe_begin(struct mux *m, uint64_t now_ms)
{
    struct pace *p = &m->pace;
    if ((p->epoch & 1) != 0)
        return;
    p->epoch++;
    p->began_ms = now_ms;
}

void mux_probe_end(struct mux *m, uint64_t now_ms)
{
    struct pace *p = &m->pace;
    if ((p->epoch & 1) == 0)
        return;
    p->epoch++;
    p->n_probes += p->n_probes < FIRST_PROBES;
    p->bytes = 0;
    p->next_ms = now_ms + PROBE_GAP_MS;
    p->took_ms = now_ms - p->began_ms;
    if (p->took_ms < p->rtt_min_ms)
        p->rtt_min_ms = p->took_ms;
    believe_lasting_waits(p);
}
