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
    OWN_MS = 12,      /* the probe itself waits behind what we send (forward/link.h) */
    FIRST_PROBES = 4, /* these need no traffic: they find the path without its queues */
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

bool pace_holds_back(const struct mux *m, const struct chan *c)
{
    return m->pace.max_ahead != 0 && c->ahead >= m->pace.max_ahead && is_near_and_shared(m);
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
}
