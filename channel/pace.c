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
    PROBE_GAP_MS = 50, /* and not more often than this */
    /* Never below: a window this small still keeps a short path full. */
    FLOOR_BYTES = 4 * MUX_PACKET_BYTES,
    /* A wait this much longer than the path itself is a queue and no jitter. */
    QUEUE_MS = 20,
};

static uint32_t clamp(uint64_t bytes, uint32_t most)
{
    if (bytes < FLOOR_BYTES)
        return FLOOR_BYTES;
    return bytes < most ? (uint32_t)bytes : most;
}

/* The probe that c's count belongs to has ended: draw the conclusion. */
static void conclude(const struct pace *p, struct chan *c)
{
    if (!c->pace_is_settled)
        return;
    uint64_t rtt_ms = p->rtt_min_ms > 0 ? p->rtt_min_ms : 1;
    uint64_t took_ms = p->took_ms > rtt_ms ? p->took_ms : rtt_ms;
    uint64_t needed = c->pace_bytes * rtt_ms / took_ms;
    if (c->held > c->recv_limit / 2)
        c->recv_target = clamp(c->recv_target / 2, p->max_window);
    else if (took_ms > rtt_ms + rtt_ms / 2 + QUEUE_MS) {
        uint64_t enough = needed + needed / 4;
        if (enough < c->recv_target) /* by halves: one long wait may be somebody else's doing */
            c->recv_target =
                clamp(enough > c->recv_target / 2 ? enough : c->recv_target / 2, p->max_window);
    } else if (c->pace_bytes >= c->recv_target / 2 && 2 * needed > c->recv_target)
        c->recv_target = clamp(2 * needed, p->max_window);
}

void pace_consumed(struct mux *m, struct chan *c, uint32_t n)
{
    struct pace *p = &m->pace;
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
    return p->rtt_min_ms == UINT64_MAX || (p->bytes >= PROBE_BYTES && now_ms >= p->next_ms);
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
    p->bytes = 0;
    p->next_ms = now_ms + PROBE_GAP_MS;
    p->took_ms = now_ms - p->began_ms;
    if (p->took_ms < p->rtt_min_ms)
        p->rtt_min_ms = p->took_ms;
}
