/* The engine's life, packets in and events out. What the packets do is in life.c (channels begin
 * and end), window.c (data and credit) and request.c; what we send of ourselves, in send.c. */
#include "channel/mux.h"

#include "channel/engine.h"

#include <inttypes.h>
#include <stdlib.h>

enum { RECEIVE_BUDGET_BYTES = 256 << 20 };

struct mux *mux_new(const struct mux_config *config)
{
    struct mux *m = calloc(1, sizeof *m);
    if (m == NULL)
        return NULL;
    m->sink = config->sink;
    m->budget = config->receive_budget != 0 ? config->receive_budget : RECEIVE_BUDGET_BYTES;
    m->pace.max_window = config->max_window != 0 ? config->max_window : MUX_MAX_WINDOW_BYTES;
    m->pace.max_ahead = config->max_ahead;
    m->pace.rtt_min_ms = m->pace.least_wait_ms = UINT64_MAX;
    sched_init(&m->sched);
    table_init(&m->table, config->max_channels != 0 ? config->max_channels : MUX_MAX_CHANNELS);
    return m;
}

void mux_free(struct mux *m)
{
    if (m == NULL)
        return;
    table_clear(&m->table);
    requests_clear(m);
    free(m);
}

const struct fault *mux_fault(const struct mux *m)
{
    return &m->fault;
}

bool mux_congested(const struct mux *m)
{
    return m->sink.congested(m->sink.engine);
}

size_t mux_n_channels(const struct mux *m)
{
    return table_n_used(&m->table);
}

bool mux_each(const struct mux *m, uint32_t *id, void **user)
{
    for (uint32_t next = *id + 1; next < m->table.n_slots; next++) {
        const struct chan *c = table_find(&m->table, next);
        if (c == NULL)
            continue;
        *id = next;
        *user = c->user;
        return true;
    }
    return false;
}

/* ---- packets in ------------------------------------------------------------------------------ */

enum err packet_malformed(struct mux *m, uint8_t number)
{
    return fault_set(&m->fault, ERR_MALFORMED, "%s: malformed", msg_name(number));
}

struct chan *packet_chan(struct mux *m, uint8_t number, uint32_t recipient)
{
    struct chan *c = table_find(&m->table, recipient);
    if (c != NULL && chan_accepts(c, number))
        return c;
    const char *why = c == NULL              ? "is not in use"
                      : c->in == HALF_CLOSED ? "was closed by the sender"
                      : c->in == HALF_EOF    ? "had its EOF"
                      : c->in == HALF_OPEN   ? "is open already"
                                             : "is not open yet";
    fault_set(
        &m->fault, ERR_PROTOCOL, "%s: channel %" PRIu32 " %s", msg_name(number), recipient, why);
    return NULL;
}

static enum err (*const handlers[])(struct mux *, struct wire_reader *) = {
    [MSG_GLOBAL_REQUEST] = on_global_request,
    [MSG_REQUEST_SUCCESS] = on_request_success,
    [MSG_REQUEST_FAILURE] = on_request_failure,
    [MSG_CHANNEL_OPEN] = on_open,
    [MSG_CHANNEL_OPEN_CONFIRMATION] = on_open_confirmation,
    [MSG_CHANNEL_OPEN_FAILURE] = on_open_failure,
    [MSG_CHANNEL_WINDOW_ADJUST] = on_window_adjust,
    [MSG_CHANNEL_DATA] = on_data,
    [MSG_CHANNEL_EXTENDED_DATA] = on_extended_data,
    [MSG_CHANNEL_EOF] = on_eof,
    [MSG_CHANNEL_CLOSE] = on_close,
    [MSG_CHANNEL_REQUEST] = on_channel_request,
    [MSG_CHANNEL_SUCCESS] = on_channel_success,
    [MSG_CHANNEL_FAILURE] = on_channel_failure,
};

/* A number that RFC 4254 does not define changes nothing here: UNIMPLEMENTED names the packet by
 * its sequence number, which only the transport knows. */
enum err mux_packet(struct mux *m, struct bytes payload)
{
    if (m->fault.code != ERR_OK)
        return m->fault.code;
    struct wire_reader r = wire_reader(payload);
    uint8_t number = wire_u8(&r);
    if (r.bad)
        return fault_set(&m->fault, ERR_MALFORMED, "empty packet");
    if (number >= sizeof handlers / sizeof handlers[0] || handlers[number] == NULL)
        return ERR_OK;
    return handlers[number](m, &r);
}

/* ---- events out ------------------------------------------------------------------------------ */

/* A ring. Only packets make events and the caller pulls them in between, so a full one is its
 * mistake. */
void mux_emit(struct mux *m, struct mux_event event)
{
    if (m->n_events == MUX_MAX_EVENTS) {
        fault_set(&m->fault, ERR_INTERNAL, "events were not pulled between packets");
        return;
    }
    m->events[(m->event_at + m->n_events) % MUX_MAX_EVENTS] = event;
    m->n_events++;
}

bool mux_next(struct mux *m, struct mux_event *event)
{
    if (m->n_events == 0 || m->fault.code != ERR_OK)
        return false;
    *event = m->events[m->event_at];
    m->event_at = (m->event_at + 1) % MUX_MAX_EVENTS;
    m->n_events--;
    return true;
}

static bool is_global(const struct mux_event *e)
{
    return e->type == MUX_GLOBAL_REQUEST || e->type == MUX_GLOBAL_REPLY;
}

void mux_unmention(struct mux *m, struct chan *c)
{
    c->user = NULL;
    unsigned n = m->n_events;
    m->n_events = 0;
    for (unsigned i = 0; i < n; i++) {
        struct mux_event *e = &m->events[(m->event_at + i) % MUX_MAX_EVENTS];
        if (is_global(e) || e->chan != c->id)
            mux_emit(m, *e); /* moves it up: writing never overtakes reading */
    }
}

void mux_set_user(struct mux *m, uint32_t id, void *user)
{
    struct chan *c = table_find(&m->table, id);
    if (c == NULL || c->out == HALF_CLOSED || c->close_later)
        return; /* or not the caller's any more */
    c->user = user;
    for (unsigned i = 0; i < m->n_events; i++) {
        struct mux_event *e = &m->events[(m->event_at + i) % MUX_MAX_EVENTS];
        if (!is_global(e) && e->chan == id)
            e->user = user;
    }
}

void mux_detach(struct mux *m, uint32_t id)
{
    mux_set_user(m, id, NULL);
}

void *mux_user(const struct mux *m, uint32_t id)
{
    const struct chan *c = table_find(&m->table, id);
    return c != NULL ? c->user : NULL;
}
