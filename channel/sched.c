/* Fair sending: deficit round robin in which a channel that was quiet goes first.
 *
 * Time is counted in rounds. In a round every channel may send one quantum. A channel that wakes
 * with quantum left for the round under way goes to the front queue, ahead of all that wait in
 * line: a keystroke passes every bulk transfer. One whose quantum is used up goes to the end of
 * the line, which is the next round. So waking again and again buys nothing beyond the quantum, and
 * however many channels wake, the line moves on.
 *
 *     sched.front         channels that woke with quantum left, served first, in order
 *     sched.round         the line; `round` of its members never falls from first to last
 *     sched.held          channels that wait for credit although they have window (pace.c), those
 *                         that came first first
 *     sched.round_no      the round under way: that of the last channel taken from the line
 *     chan.round          the round that quantum_left belongs to; one past round_no at most
 *     chan.quantum_left   bytes; above 0 while the channel is queued
 *     chan.queue          which queue it is in
 *
 * Queued are exactly the channels that want to send, may, and have window. So the first of a queue
 * can always send, and finding whose turn it is takes no search. A channel whose window ends leaves
 * and is woken by WINDOW_ADJUST; one that is far enough ahead of its credit is held, until enough
 * of that comes, but not for long. */
#include "channel/engine.h"

enum {
    /* Two full packets: enough that a system call's cost is spread over many bytes, little enough
     * that a hundred bulk channels come round in 6 MiB. */
    QUANTUM_BYTES = 2 * MUX_PACKET_BYTES,
    /* When nobody else wants to send, larger reads cost nobody anything; who wakes meanwhile goes
     * to the front anyway. */
    QUANTUM_ALONE_BYTES = 8 * MUX_PACKET_BYTES,
    /* A peer that is as busy as that gives credit sooner; one that has not by then may not be what
     * its version says, and wait for more before it gives any. */
    HELD_MS = 100,
};

void sched_init(struct sched *s)
{
    s->burst = QUANTUM_ALONE_BYTES;
    s->alone = SCHED_ALONE_BYTES;
    s->last_id = UINT32_MAX;
}

static void list_append(struct chan_list *l, struct chan *c)
{
    c->prev = l->last;
    c->next = NULL;
    if (l->last != NULL)
        l->last->next = c;
    else
        l->first = c;
    l->last = c;
}

static void list_remove(struct chan_list *l, struct chan *c)
{
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        l->first = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    else
        l->last = c->prev;
    c->next = c->prev = NULL;
}

static uint32_t quantum(const struct sched *s)
{
    bool is_alone = s->front.first == NULL && s->round.first == NULL;
    return min_u32(is_alone ? QUANTUM_ALONE_BYTES : QUANTUM_BYTES, s->burst);
}

static void join_front(struct sched *s, struct chan *c)
{
    c->queue = QUEUE_FRONT;
    list_append(&s->front, c);
}

static void join_round(struct sched *s, struct chan *c)
{
    c->round = s->round_no + 1;
    c->quantum_left = quantum(s);
    c->queue = QUEUE_ROUND;
    list_append(&s->round, c);
}

void sched_new_chan(const struct sched *s, struct chan *c)
{
    c->round = s->round_no - 1; /* has sent nothing in this one */
}

void sched_wake(struct sched *s, struct chan *c)
{
    if (c->queue != QUEUE_NONE || !c->is_wanting || !chan_may_send(c) || c->send_window == 0)
        return;
    int32_t ahead = (int32_t)(c->round - s->round_no); /* a serial number: rounds wrap */
    if (ahead < 0) {
        c->round = s->round_no;
        c->quantum_left = quantum(s);
        ahead = 0;
    }
    if (ahead == 0 && c->quantum_left > 0)
        join_front(s, c);
    else
        join_round(s, c);
}

void sched_leave(struct sched *s, struct chan *c)
{
    if (c->queue == QUEUE_FRONT)
        list_remove(&s->front, c);
    else if (c->queue == QUEUE_ROUND)
        list_remove(&s->round, c);
    else if (c->queue == QUEUE_HELD)
        list_remove(&s->held, c);
    c->queue = QUEUE_NONE;
}

void sched_hold(struct sched *s, struct chan *c, uint64_t until_ms)
{
    sched_leave(s, c);
    c->held_until_ms = until_ms;
    c->queue = QUEUE_HELD;
    list_append(&s->held, c);
}

void sched_note(struct sched *s, const struct chan *c, uint32_t n)
{
    if (c->id == s->last_id || s->last_id == UINT32_MAX)
        s->alone = n < SCHED_ALONE_BYTES - s->alone ? s->alone + n : SCHED_ALONE_BYTES;
    else
        s->alone = 0;
    s->last_id = c->id;
}

void sched_spend(struct sched *s, struct chan *c, uint32_t n)
{
    c->send_window -= n;
    c->quantum_left -= n;
    if (c->send_window > 0 && c->quantum_left > 0)
        return;
    sched_leave(s, c);
    if (c->send_window > 0)
        join_round(s, c);
}

void mux_want(struct mux *m, uint32_t id)
{
    struct chan *c = table_find(&m->table, id);
    if (c == NULL || m->fault.code != ERR_OK)
        return;
    c->is_wanting = true;
    sched_wake(&m->sched, c);
}

void mux_rest(struct mux *m, uint32_t id)
{
    struct chan *c = table_find(&m->table, id);
    if (c == NULL || m->fault.code != ERR_OK)
        return;
    c->is_wanting = false;
    sched_leave(&m->sched, c);
}

void mux_set_burst(struct mux *m, size_t bytes)
{
    m->sched.burst = bytes < MUX_PACKET_BYTES * 8 ? (uint32_t)bytes : MUX_PACKET_BYTES * 8;
}

bool mux_is_shared(const struct mux *m)
{
    return m->sched.alone < SCHED_ALONE_BYTES;
}

bool mux_turn(struct mux *m, uint32_t *id)
{
    if (m->fault.code != ERR_OK || mux_congested(m))
        return false;
    struct sched *s = &m->sched;
    for (struct chan *c; (c = s->front.first) != NULL || (c = s->round.first) != NULL;) {
        if (c->queue == QUEUE_ROUND)
            s->round_no = c->round;
        if (!pace_holds_back(m, c)) {
            *id = c->id;
            return true;
        }
        sched_hold(s, c, m->pace.now_ms + HELD_MS);
    }
    return false;
}
