/* Channel requests and global requests, RFC 4254 sections 4 and 5.4. Replies carry no name or
 * number of what they answer: order is all there is. So for each direction there is a FIFO.
 *
 *     chan.asked    our channel requests that await a reply: tokens, oldest first
 *     chan.n_owed   the peer's channel requests that await ours: only a count, since the caller
 *                   answers the oldest first
 *     mux.asked     our global requests that await a reply, likewise tokens
 *     mux.owed      the peer's global requests that await ours. The caller may answer in any order;
 *                   an answer that is not the oldest waits here with a copy of its body
 *
 * All four are bounded. A reply to nothing ends the connection. */
#include "channel/engine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    RING_START = 8,
    REQUEST_HEAD_BYTES = 16, /* number, recipient, length of the name, want_reply: 10 */
};

/* Room for one more in a ring of a power of two elements, of which n (all) are in use from place
 * *at on: gives the new array, with them at its start, or NULL. */
static void *ring_grow(void *old, size_t size, uint32_t *cap, uint32_t *at)
{
    uint32_t n = *cap;
    uint32_t bigger = n == 0 ? RING_START : n * 2;
    uint8_t *list = malloc(bigger * size);
    if (list == NULL)
        return NULL;
    if (n > 0) {
        size_t n_last = n - *at; /* from *at to the end; then those from the start */
        memcpy(list, (const uint8_t *)old + *at * size, n_last * size);
        memcpy(list + n_last * size, old, *at * size);
    }
    free(old);
    *cap = bigger;
    *at = 0;
    return list;
}

static struct owed *owed_at(struct owed_ring *q, uint32_t i)
{
    return &q->list[(q->at + i) & (q->cap - 1)];
}

void requests_clear(struct mux *m)
{
    for (uint32_t i = 0; i < m->owed.n; i++)
        free(owed_at(&m->owed, i)->body);
    free(m->owed.list);
    free(m->asked.tokens);
    m->owed = (struct owed_ring){.n = 0};
    m->asked = (struct asked_ring){.n = 0};
}

/* ---- global requests of ours ----------------------------------------------------------------- */

static enum err asked_reserve(struct asked_ring *q)
{
    if (q->n == MUX_MAX_PENDING)
        return ERR_LIMIT;
    if (q->n < q->cap)
        return ERR_OK;
    uint32_t *tokens = ring_grow(q->tokens, sizeof *tokens, &q->cap, &q->at);
    if (tokens == NULL)
        return ERR_NOMEM;
    q->tokens = tokens;
    return ERR_OK;
}

enum err mux_global_request(
    struct mux *m, struct bytes name, bool want_reply, struct bytes rest, uint32_t token)
{
    if (m->fault.code != ERR_OK)
        return m->fault.code;
    struct asked_ring *q = &m->asked;
    enum err e = want_reply ? asked_reserve(q) : ERR_OK;
    if (e != ERR_OK)
        return e;
    struct wire_writer w;
    if (!packet_begin(m, REQUEST_HEAD_BYTES + name.n + rest.n, &w))
        return m->fault.code;
    struct msg_global_request msg = {.name = name, .want_reply = want_reply, .rest = rest};
    msg_global_request_encode(&w, &msg);
    packet_end(m, &w);
    if (want_reply)
        q->tokens[(q->at + q->n++) & (q->cap - 1)] = token;
    return m->fault.code;
}

static enum err global_reply_in(struct mux *m, uint8_t number, struct bytes rest)
{
    struct asked_ring *q = &m->asked;
    if (q->n == 0)
        return fault_set(&m->fault, ERR_PROTOCOL, "%s to no request", msg_name(number));
    uint32_t token = q->tokens[q->at];
    q->at = (q->at + 1) & (q->cap - 1);
    q->n--;
    mux_emit(m, (struct mux_event){.type = MUX_GLOBAL_REPLY,
                    .token = token,
                    .ok = number == MSG_REQUEST_SUCCESS,
                    .rest = rest});
    return m->fault.code;
}

/* The body of a success depends on what was asked: the caller decodes it. */
enum err on_request_success(struct mux *m, struct wire_reader *r)
{
    return global_reply_in(m, MSG_REQUEST_SUCCESS, wire_rest(r));
}

enum err on_request_failure(struct mux *m, struct wire_reader *r)
{
    if (!wire_done(r))
        return packet_malformed(m, MSG_REQUEST_FAILURE);
    return global_reply_in(m, MSG_REQUEST_FAILURE, (struct bytes){NULL, 0});
}

/* ---- global requests of the peer's ----------------------------------------------------------- */

static enum err owed_reserve(struct mux *m)
{
    struct owed_ring *q = &m->owed;
    if (q->n == MUX_MAX_PENDING)
        return fault_set(
            &m->fault, ERR_LIMIT, "more than %d global requests at once", MUX_MAX_PENDING);
    if (q->n < q->cap)
        return ERR_OK;
    struct owed *list = ring_grow(q->list, sizeof *list, &q->cap, &q->at);
    if (list == NULL)
        return fault_set(&m->fault, ERR_NOMEM, "no memory for a global request");
    q->list = list;
    return ERR_OK;
}

enum err on_global_request(struct mux *m, struct wire_reader *r)
{
    struct msg_global_request msg;
    if (msg_global_request_decode(r, &msg) != ERR_OK)
        return packet_malformed(m, MSG_GLOBAL_REQUEST);
    struct mux_event event = {
        .type = MUX_GLOBAL_REQUEST,
        .name = msg.name,
        .want_reply = msg.want_reply,
        .rest = msg.rest,
    };
    if (msg.want_reply) {
        struct owed_ring *q = &m->owed;
        if (owed_reserve(m) != ERR_OK)
            return m->fault.code;
        event.ticket = q->first_ticket + q->n;
        *owed_at(q, q->n++) = (struct owed){.body = NULL};
    }
    mux_emit(m, event);
    return m->fault.code;
}

static void send_global_reply(struct mux *m, bool ok, struct bytes rest)
{
    struct wire_writer w;
    if (!packet_begin(m, 1 + rest.n, &w))
        return;
    wire_put_u8(&w, ok ? MSG_REQUEST_SUCCESS : MSG_REQUEST_FAILURE);
    if (ok)
        wire_put_raw(&w, rest); /* a failure has no body */
    packet_end(m, &w);
}

static void owed_pop(struct owed_ring *q)
{
    free(owed_at(q, 0)->body);
    q->at = (q->at + 1) & (q->cap - 1);
    q->n--;
    q->first_ticket++;
}

/* Keeps an answer until those asked before have theirs. */
static void owed_keep(struct mux *m, struct owed *o, bool ok, struct bytes rest)
{
    size_t n = ok ? rest.n : 0;
    uint8_t *copy = NULL;
    if (n > 0) {
        copy = malloc(n);
        if (copy == NULL) {
            fault_set(&m->fault, ERR_NOMEM, "no memory for the answer to a global request");
            return;
        }
        memcpy(copy, rest.p, n);
    }
    *o = (struct owed){.body = copy, .n_body = n, .is_answered = true, .ok = ok};
}

void mux_global_reply(struct mux *m, uint32_t ticket, bool ok, struct bytes rest)
{
    struct owed_ring *q = &m->owed;
    uint32_t i = ticket - q->first_ticket; /* a serial number: wraps with the tickets */
    if (m->fault.code != ERR_OK || i >= q->n || owed_at(q, i)->is_answered)
        return;
    if (i > 0) {
        owed_keep(m, owed_at(q, i), ok, rest);
        return;
    }
    send_global_reply(m, ok, rest);
    owed_pop(q);
    while (q->n > 0 && owed_at(q, 0)->is_answered) {
        struct owed *o = owed_at(q, 0);
        send_global_reply(m, o->ok, (struct bytes){o->body, o->n_body});
        owed_pop(q);
    }
}

/* ---- channel requests of ours ---------------------------------------------------------------- */

enum err mux_request(struct mux *m, uint32_t id, struct bytes name, bool want_reply,
    struct bytes rest, uint32_t token)
{
    struct chan *c = table_find(&m->table, id);
    if (m->fault.code != ERR_OK)
        return m->fault.code;
    if (c == NULL || c->out == HALF_ASKED || c->out == HALF_OWED)
        return ERR_INTERNAL;
    if (!chan_is_live(c))
        return ERR_CLOSED;
    if (want_reply && c->n_asked == CHAN_MAX_ASKED)
        return ERR_LIMIT;
    struct wire_writer w;
    if (!packet_begin(m, REQUEST_HEAD_BYTES + name.n + rest.n, &w))
        return m->fault.code;
    struct msg_channel_request msg = {
        .recipient = c->peer_id,
        .name = name,
        .want_reply = want_reply,
        .rest = rest,
    };
    msg_channel_request_encode(&w, &msg);
    packet_end(m, &w);
    if (want_reply)
        c->asked[(c->asked_at + c->n_asked++) % CHAN_MAX_ASKED] = token;
    return m->fault.code;
}

static enum err channel_reply_in(struct mux *m, uint8_t number, struct wire_reader *r)
{
    struct msg_channel_id msg;
    if (msg_channel_id_decode(r, &msg) != ERR_OK)
        return packet_malformed(m, number);
    struct chan *c = packet_chan(m, number, msg.recipient);
    if (c == NULL)
        return m->fault.code;
    if (c->n_asked == 0)
        return fault_set(&m->fault, ERR_PROTOCOL, "%s to no request on channel %" PRIu32,
            msg_name(number), c->id);
    uint32_t token = c->asked[c->asked_at];
    c->asked_at = (uint8_t)((c->asked_at + 1) % CHAN_MAX_ASKED);
    c->n_asked--;
    if (c->out != HALF_CLOSED)
        mux_emit(m, (struct mux_event){.type = MUX_REPLY,
                        .chan = c->id,
                        .user = c->user,
                        .token = token,
                        .ok = number == MSG_CHANNEL_SUCCESS});
    return m->fault.code;
}

enum err on_channel_success(struct mux *m, struct wire_reader *r)
{
    return channel_reply_in(m, MSG_CHANNEL_SUCCESS, r);
}

enum err on_channel_failure(struct mux *m, struct wire_reader *r)
{
    return channel_reply_in(m, MSG_CHANNEL_FAILURE, r);
}

/* ---- channel requests of the peer's ---------------------------------------------------------- */

/* After our CLOSE nothing may be sent, so a request that crossed with it gets no answer. */
enum err on_channel_request(struct mux *m, struct wire_reader *r)
{
    struct msg_channel_request msg;
    if (msg_channel_request_decode(r, &msg) != ERR_OK)
        return packet_malformed(m, MSG_CHANNEL_REQUEST);
    struct chan *c = packet_chan(m, MSG_CHANNEL_REQUEST, msg.recipient);
    if (c == NULL)
        return m->fault.code;
    if (c->out == HALF_CLOSED)
        return ERR_OK;
    if (msg.want_reply && c->n_owed == MUX_MAX_PENDING)
        return fault_set(&m->fault, ERR_LIMIT, "more than %d requests at once on channel %" PRIu32,
            MUX_MAX_PENDING, c->id);
    c->n_owed = (uint16_t)(c->n_owed + msg.want_reply);
    mux_emit(m, (struct mux_event){.type = MUX_REQUEST,
                    .chan = c->id,
                    .user = c->user,
                    .name = msg.name,
                    .want_reply = msg.want_reply,
                    .rest = msg.rest});
    return m->fault.code;
}

void mux_reply(struct mux *m, uint32_t id, bool ok)
{
    struct chan *c = table_find(&m->table, id);
    if (m->fault.code != ERR_OK || c == NULL || c->n_owed == 0)
        return;
    c->n_owed--;
    if (chan_is_live(c))
        send_chan_id(m, ok ? MSG_CHANNEL_SUCCESS : MSG_CHANNEL_FAILURE, c->peer_id);
}
