/* Packets out. Control packets are written whole, at once. Data goes through slots: places in the
 * engine's own output buffer that the caller's readv() fills.
 *
 *     slot 0                       slot 1                            slot 2
 *     | 9-byte head | span 0 ..... | 9-byte head | span 1 .......... | 9-byte head | span 2 ...
 *
 * All slots have one size, the largest packet allowed; only the last span that is filled may be
 * short, so what lies before it already lies in place, and commit writes the heads. */
#include "channel/engine.h"

enum { DATA_HEAD_BYTES = 9 }; /* number, recipient, length */

bool packet_begin(struct mux *m, size_t room, struct wire_writer *w)
{
    m->slots.n = 0; /* the engine gives the same place again */
    if (m->fault.code != ERR_OK)
        return false;
    uint8_t *slot = m->sink.control_slot(m->sink.engine, room);
    if (slot == NULL) {
        fault_set(&m->fault, ERR_CLOSED, "the connection has failed");
        return false;
    }
    *w = wire_writer(slot, room);
    return true;
}

void packet_end(struct mux *m, struct wire_writer *w)
{
    struct bytes payload = wire_written(w);
    if (w->bad)
        fault_set(&m->fault, ERR_INTERNAL, "a packet did not fit the room asked for it");
    else
        m->sink.commit(m->sink.engine, payload.n);
}

void send_chan_id(struct mux *m, uint8_t number, uint32_t peer_id)
{
    struct wire_writer w;
    if (!packet_begin(m, 5, &w))
        return;
    msg_channel_id_encode(&w, number, &(struct msg_channel_id){.recipient = peer_id});
    packet_end(m, &w);
}

/* Only for a channel in the queues (it wants to, may, and has window and quantum); whose turn it is
 * does not matter to correctness. */
size_t mux_data_slots(struct mux *m, uint32_t id, struct mux_span *spans, size_t max)
{
    struct open_slots *s = &m->slots;
    s->n = 0;
    struct chan *c = table_find(&m->table, id);
    if (m->fault.code != ERR_OK || c == NULL || c->queue == QUEUE_NONE || c->queue == QUEUE_HELD)
        return 0;
    s->id = id;
    uint32_t left = min_u32(c->send_window, c->quantum_left);
    uint32_t size = min_u32(min_u32(c->send_max, m->sched.burst), left);
    while (s->n < max && s->n < MUX_MAX_SPANS && left > 0) {
        uint8_t *slot = m->sink.data_slot(m->sink.engine, DATA_HEAD_BYTES + size, (unsigned)s->n);
        if (slot == NULL)
            break;
        uint32_t room = min_u32(size, left);
        s->base[s->n] = slot;
        s->room[s->n] = room;
        spans[s->n] = (struct mux_span){.base = slot + DATA_HEAD_BYTES, .n = room};
        s->n++;
        left -= room;
    }
    return s->n;
}

/* RFC 4254 section 5.2; the data itself is in place. */
static void commit_one(struct mux *m, const struct chan *c, uint8_t *slot, uint32_t n)
{
    slot[0] = MSG_CHANNEL_DATA;
    store_be32(slot + 1, c->peer_id);
    store_be32(slot + 5, n);
    m->sink.commit(m->sink.engine, DATA_HEAD_BYTES + n);
}

/* Bytes read into slots that are void by now are lost, and the stream with them: our own mistake,
 * but one that must not pass unseen. */
void mux_data_commit(struct mux *m, uint32_t id, size_t n)
{
    struct open_slots *s = &m->slots;
    struct chan *c = table_find(&m->table, id);
    if (m->fault.code != ERR_OK)
        return;
    uint32_t sent = 0;
    for (size_t i = 0; i < s->n && c != NULL && s->id == id && sent < n; i++) {
        uint32_t part = n - sent < s->room[i] ? (uint32_t)(n - sent) : s->room[i];
        commit_one(m, c, s->base[i], part);
        sent += part;
    }
    s->n = 0;
    if (sent > 0)
        pace_sent(m, c, sent);
    if (sent < n)
        fault_set(&m->fault, ERR_INTERNAL, "%zu bytes committed without a place", n - sent);
}
