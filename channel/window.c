/* Flow control, RFC 4254 section 5.2: all policy about windows is in this file.
 *
 * Ours. Every byte a peer may send us is in one of three places:
 *
 *     recv_window   credit the peer holds
 *     held          data given to the caller that has not left for the local side
 *     due           data that has left, not yet given back as credit
 *
 * and the three together are recv_limit, the promise made to this channel, which follows
 * recv_target, the wish, as far as the budget and credit already given let it. The promises of
 * all channels are summed in mux.promised and kept within mux.budget, except that every channel is
 * promised one packet whatever the others hold: without that it could never move.
 *
 * The rule for the peer is exact: one byte over recv_window, or over MUX_PACKET_BYTES in one
 * packet, ends the connection, data of kind stderr counted alike. Data that arrives after our
 * CLOSE is dropped, but must keep to the window it was sent under; no credit follows it, since
 * nothing may follow our CLOSE. */
#include "channel/engine.h"

#include <inttypes.h>

enum {
    /* OpenSSH's rule (FORWARDING.md line 30): credit when more than this has been consumed ... */
    CREDIT_BYTES = 3 * MUX_PACKET_BYTES,
    /* ... and, since every credit is a packet, a system call and a wake-up of the peer, this part
     * of a large window; seven eighths of it are plenty to go on with. A small window is spread
     * over a slow path, which would run dry: there a quarter is enough. */
    CREDIT_OF_LARGE = 8,
    CREDIT_OF_SMALL = 4,
    /* Where credit is spread over time it goes in parts as small as that of OpenSSH's window. */
    CREDIT_OF_SPREAD = 64,
    /* A new channel takes at most this part of what is left of the budget, so that the first
     * hundred cannot leave the next thousand with crumbs. */
    BUDGET_PART = 8,
};

/* What a channel may be promised on top of what it has. */
static uint32_t budget_share(const struct mux *m)
{
    uint64_t left = m->promised < m->budget ? m->budget - m->promised : 0;
    uint64_t share = left / BUDGET_PART;
    return share < MUX_MAX_WINDOW_BYTES ? (uint32_t)share : MUX_MAX_WINDOW_BYTES;
}

void window_grant(struct mux *m, struct chan *c)
{
    uint32_t share = min_u32(budget_share(m), c->recv_target);
    c->recv_limit = share > MUX_PACKET_BYTES ? share : MUX_PACKET_BYTES;
    c->recv_window = c->recv_limit;
    m->promised += c->recv_limit;
}

void window_release(struct mux *m, struct chan *c)
{
    m->promised -= c->recv_limit;
    c->recv_limit = 0;
    pace_forget(m, c);
}

/* Moves the promise towards its target, by more or less credit than the n bytes to be given. So a
 * channel that got little while many were open gets more once it is used and they are gone, and a
 * window that is to shrink does so as its bytes come in, since credit given cannot be taken back.
 * It grows by no more than what is given, and so consumed: a round trip doubles it, and no peer is
 * handed megabytes at once, which OpenSSH would read into a buffer that it copies for every 32 KiB.
 */
static void window_fit(struct mux *m, struct chan *c, uint32_t n)
{
    uint32_t target = pace_target(m, c);
    if (c->recv_limit < target) {
        uint32_t more = min_u32(budget_share(m), min_u32(n, target - c->recv_limit));
        c->recv_limit += more;
        c->due += more;
        m->promised += more;
    } else {
        uint32_t less = min_u32(c->due, c->recv_limit - target);
        c->recv_limit -= less;
        c->due -= less;
        m->promised -= less;
    }
}

static bool credit_is_due(const struct mux *m, const struct chan *c)
{
    if (c->due == 0 || c->in != HALF_OPEN || c->out == HALF_CLOSED)
        return false; /* nothing to give, or nobody to send more, or nothing more to say to him */
    uint32_t limit = c->recv_limit;
    if (c->due >= limit / CREDIT_OF_SMALL)
        return true;
    uint32_t part = limit / (pace_spreads(m, c) ? CREDIT_OF_SPREAD : CREDIT_OF_LARGE);
    return c->due > CREDIT_BYTES && c->due >= part;
}

void window_credit(struct mux *m, struct chan *c)
{
    if (!credit_is_due(m, c))
        return;
    uint32_t before = c->due;
    uint32_t n = pace_credit(m, c);
    if (n == 0)
        return;
    window_fit(m, c, n); /* the promise moves with every credit, and the credit with it */
    n = c->due > before ? n + (c->due - before) : min_u32(n, c->due);
    if (n == 0)
        return; /* all of it went into a smaller promise */
    struct msg_window_adjust msg = {.recipient = c->peer_id, .add = n};
    struct wire_writer w;
    if (!packet_begin(m, 9, &w))
        return;
    msg_window_adjust_encode(&w, &msg);
    packet_end(m, &w);
    c->recv_window += n;
    c->due -= n;
}

void mux_consumed(struct mux *m, uint32_t id, size_t n)
{
    struct chan *c = table_find(&m->table, id);
    if (c == NULL || m->fault.code != ERR_OK)
        return;
    uint32_t taken = n < c->held ? (uint32_t)n : c->held; /* more than was given cannot have left */
    c->held -= taken;
    c->due += taken;
    pace_consumed(m, c, taken);
    window_credit(m, c);
}

/* Takes n bytes of data off the window. */
static enum err window_take(struct mux *m, struct chan *c, uint8_t number, size_t n)
{
    if (n > MUX_PACKET_BYTES)
        return fault_set(&m->fault, ERR_PROTOCOL,
            "%s: %zu bytes in a packet on channel %" PRIu32 ", %d allowed", msg_name(number), n,
            c->id, MUX_PACKET_BYTES);
    if (n > c->recv_window)
        return fault_set(&m->fault, ERR_PROTOCOL,
            "%s: %zu bytes on channel %" PRIu32 " whose window is %" PRIu32, msg_name(number), n,
            c->id, c->recv_window);
    c->recv_window -= (uint32_t)n;
    if (c->out == HALF_CLOSED)
        c->due += (uint32_t)n; /* dropped: our CLOSE and this have crossed */
    else
        c->held += (uint32_t)n;
    return ERR_OK;
}

static enum err data_in(struct mux *m, uint8_t number, uint32_t recipient, struct mux_event event)
{
    struct chan *c = packet_chan(m, number, recipient);
    if (c == NULL || window_take(m, c, number, event.data.n) != ERR_OK)
        return m->fault.code;
    if (c->out == HALF_CLOSED || event.data.n == 0)
        return ERR_OK;
    event.chan = c->id;
    event.user = c->user;
    mux_emit(m, event);
    return m->fault.code;
}

enum err on_data(struct mux *m, struct wire_reader *r)
{
    struct msg_channel_data msg;
    if (msg_channel_data_decode(r, &msg) != ERR_OK)
        return packet_malformed(m, MSG_CHANNEL_DATA);
    return data_in(
        m, MSG_CHANNEL_DATA, msg.recipient, (struct mux_event){.type = MUX_DATA, .data = msg.data});
}

enum err on_extended_data(struct mux *m, struct wire_reader *r)
{
    struct msg_extended_data msg;
    if (msg_extended_data_decode(r, &msg) != ERR_OK)
        return packet_malformed(m, MSG_CHANNEL_EXTENDED_DATA);
    return data_in(m, MSG_CHANNEL_EXTENDED_DATA, msg.recipient,
        (struct mux_event){.type = MUX_EXTENDED, .data = msg.data, .code = msg.code});
}

/* Ruby's net-ssh gives credit for a channel that it has closed. That says nothing to anybody, so it
 * is no reason to end every other channel, and ssh and sshd take no offence either. */
static bool is_closed_by_peer(const struct mux *m, uint32_t id)
{
    const struct chan *c = table_find(&m->table, id);
    return c == NULL || c->in == HALF_CLOSED;
}

/* The sum must stay below 2^32. Adding 0 changes nothing, and wakes nobody whose window is 0. */
enum err on_window_adjust(struct mux *m, struct wire_reader *r)
{
    struct msg_window_adjust msg;
    if (msg_window_adjust_decode(r, &msg) != ERR_OK)
        return packet_malformed(m, MSG_CHANNEL_WINDOW_ADJUST);
    if (is_closed_by_peer(m, msg.recipient))
        return ERR_OK;
    struct chan *c = packet_chan(m, MSG_CHANNEL_WINDOW_ADJUST, msg.recipient);
    if (c == NULL)
        return m->fault.code;
    if (msg.add > UINT32_MAX - c->send_window)
        return fault_set(&m->fault, ERR_PROTOCOL,
            "WINDOW_ADJUST: window of channel %" PRIu32 " passes 2^32-1", c->id);
    c->send_window += msg.add;
    pace_credited(m, c, msg.add);
    sched_wake(&m->sched, c);
    return ERR_OK;
}

uint32_t mux_send_window(const struct mux *m, uint32_t id)
{
    const struct chan *c = table_find(&m->table, id);
    return c != NULL && chan_may_send(c) ? c->send_window : 0;
}
