/* What the tests of channel/ share: an end of a connection is a multiplexer and a packet_sink in
 * memory that keeps what it sends. Two ends can be joined by relay(); or a test plays the peer of
 * one itself, says messages by say_...() and looks at the answers with hear(). */
#ifndef TESTS_CHANNEL_END_H
#define TESTS_CHANNEL_END_H

#include "channel/mux.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

enum { OUT_BYTES = 16 << 20 }; /* packets sent and not relayed yet */

struct end {
    struct mux *m;
    /* Packets lie one behind another, each behind its length in 4 bytes. */
    uint8_t *out;
    size_t n_out, taken;
    size_t slot_bytes; /* of the slots given out; a commit may not be longer */
    unsigned n_slots;  /* that may still be committed */
    unsigned max_slots;
    bool is_congested;
    bool is_dead; /* the transport has failed */
    unsigned n_control, n_data;
};

/* Never out of room: a test that sends this much without relaying is wrong. */
static inline uint8_t *end_place(struct end *e, size_t payload_bytes, unsigned nth)
{
    size_t at = e->n_out + nth * (4 + payload_bytes) + 4;
    if (at + payload_bytes > OUT_BYTES)
        abort();
    return e->out + at;
}

static inline uint8_t *end_data_slot(void *engine, size_t payload_bytes, unsigned nth)
{
    struct end *e = engine;
    if (e->is_congested || e->is_dead || nth >= e->max_slots)
        return NULL;
    if (nth > 0 && payload_bytes != e->slot_bytes)
        abort(); /* only slots of one size lie where they will be */
    e->slot_bytes = payload_bytes;
    e->n_slots = nth + 1;
    return end_place(e, payload_bytes, nth);
}

static inline uint8_t *end_control_slot(void *engine, size_t payload_bytes)
{
    struct end *e = engine;
    if (e->is_dead)
        return NULL;
    e->slot_bytes = payload_bytes;
    e->n_slots = 1;
    return end_place(e, payload_bytes, 0);
}

static inline void end_commit(void *engine, size_t payload_bytes)
{
    struct end *e = engine;
    if (e->n_slots == 0 || payload_bytes == 0 || payload_bytes > e->slot_bytes)
        abort();
    e->n_slots = payload_bytes == e->slot_bytes ? e->n_slots - 1 : 0;
    store_be32(e->out + e->n_out, (uint32_t)payload_bytes);
    if (e->out[e->n_out + 4] == MSG_CHANNEL_DATA)
        e->n_data++;
    else
        e->n_control++;
    e->n_out += 4 + payload_bytes;
}

static inline bool end_congested(void *engine)
{
    struct end *e = engine;
    return e->is_congested;
}

static inline void end_init_config(struct end *e, struct mux_config config)
{
    *e = (struct end){.max_slots = 16, .out = malloc(OUT_BYTES)};
    if (e->out == NULL)
        abort();
    config.sink =
        (struct packet_sink){e, end_data_slot, end_control_slot, end_commit, end_congested};
    e->m = mux_new(&config);
}

static inline void end_init(struct end *e)
{
    end_init_config(e, (struct mux_config){.role = ROLE_CLIENT});
}

static inline void end_free(struct end *e)
{
    mux_free(e->m);
    free(e->out);
}

/* The next packet the end has sent; n is 0 when there is none. Borrowed until the next one. */
static inline struct bytes end_take(struct end *e)
{
    if (e->taken == e->n_out) {
        e->taken = e->n_out = 0;
        return (struct bytes){NULL, 0};
    }
    struct bytes p = {e->out + e->taken + 4, load_be32(e->out + e->taken)};
    e->taken += 4 + p.n;
    return p;
}

/* Hands one packet of from's to to; false when there is none. */
static inline bool relay(struct end *from, struct end *to)
{
    struct bytes p = end_take(from);
    return p.n > 0 && mux_packet(to->m, p) == ERR_OK;
}

/* ---- a test as the peer ---------------------------------------------------------------------- */

static uint8_t end_said[80 << 10];

static inline enum err say(struct end *e, const struct wire_writer *w)
{
    return mux_packet(e->m, wire_written(w));
}

#define SAY(e, kind, ...)                                                                          \
    do {                                                                                           \
        struct wire_writer w_ = wire_writer(end_said, sizeof end_said);                            \
        msg_##kind##_encode(&w_, &(struct msg_##kind){__VA_ARGS__});                               \
        end_last = say((e), &w_);                                                                  \
    } while (0)
static enum err end_last; /* what the last SAY came to */

static inline enum err say_open(struct end *e, uint32_t sender, uint32_t window, uint32_t max)
{
    SAY(e, channel_open, BYTES_LIT("direct-tcpip"), sender, window, max, BYTES_LIT("rest"));
    return end_last;
}
static inline enum err say_confirm(
    struct end *e, uint32_t to, uint32_t sender, uint32_t window, uint32_t max)
{
    SAY(e, open_confirmation, to, sender, window, max, {NULL, 0});
    return end_last;
}
static inline enum err say_failure(struct end *e, uint32_t to)
{
    SAY(e, open_failure, to, OPEN_CONNECT_FAILED, BYTES_LIT("Connection refused"));
    return end_last;
}
static inline enum err say_adjust(struct end *e, uint32_t to, uint32_t add)
{
    SAY(e, window_adjust, to, add);
    return end_last;
}
static inline enum err say_data(struct end *e, uint32_t to, size_t n)
{
    static const uint8_t data[70000];
    SAY(e, channel_data, to, {data, n});
    return end_last;
}
static inline enum err say_extended(struct end *e, uint32_t to, size_t n)
{
    static const uint8_t data[70000];
    SAY(e, extended_data, to, 1, {data, n});
    return end_last;
}
static inline enum err say_request(struct end *e, uint32_t to, bool want_reply)
{
    SAY(e, channel_request, to, BYTES_LIT("keepalive@openssh.com"), want_reply, {NULL, 0});
    return end_last;
}
static inline enum err say_global(struct end *e, bool want_reply)
{
    SAY(e, global_request, BYTES_LIT("tcpip-forward"), want_reply, BYTES_LIT("body"));
    return end_last;
}
static inline enum err say_id(struct end *e, uint8_t number, uint32_t to)
{
    struct wire_writer w = wire_writer(end_said, sizeof end_said);
    msg_channel_id_encode(&w, number, &(struct msg_channel_id){to});
    return say(e, &w);
}
static inline enum err say_bytes(struct end *e, struct bytes body)
{
    struct wire_writer w = wire_writer(end_said, sizeof end_said);
    wire_put_raw(&w, body);
    return say(e, &w);
}

/* What the end has sent next: its number, 0 for nothing; the first two words of it, if it has them.
 */
struct heard {
    uint8_t number;
    uint32_t a, b;
    struct bytes payload;
};
static inline struct heard hear(struct end *e)
{
    struct bytes p = end_take(e);
    struct heard h = {.payload = p, .number = p.n > 0 ? p.p[0] : 0};
    h.a = p.n >= 5 ? load_be32(p.p + 1) : 0;
    h.b = p.n >= 9 ? load_be32(p.p + 5) : 0;
    return h;
}
static inline bool hears(struct end *e, uint8_t number, uint32_t a)
{
    struct heard h = hear(e);
    return h.number == number && h.a == a;
}
static inline bool hears_nothing(struct end *e)
{
    return hear(e).number == 0;
}

/* The end's next event is of this type, on this channel. */
static inline bool tells(struct end *e, enum mux_event_type type, struct mux_event *event)
{
    return mux_next(e->m, event) && event->type == type;
}
static inline bool tells_nothing(struct end *e)
{
    struct mux_event event;
    return !mux_next(e->m, &event);
}

/* A channel the test has opened, or the end itself: open for both, with these limits for the end.
 * The test's number for it is 700 + ours. */
enum { PEER_ID = 700 };
static inline uint32_t opened_by_peer(struct end *e, uint32_t window, uint32_t max, void *user)
{
    struct mux_event event;
    if (say_open(e, PEER_ID, window, max) != ERR_OK || !tells(e, MUX_OPEN_REQUEST, &event) ||
        mux_confirm(e->m, event.chan, user) != ERR_OK ||
        !hears(e, MSG_CHANNEL_OPEN_CONFIRMATION, PEER_ID))
        abort();
    return event.chan;
}
static inline uint32_t opened_by_us(struct end *e, uint32_t window, uint32_t max, void *user)
{
    struct mux_event event;
    uint32_t id;
    if (mux_open(e->m, BYTES_LIT("session"), BYTES_LIT(""), user, &id) != ERR_OK ||
        hear(e).number != MSG_CHANNEL_OPEN || say_confirm(e, id, PEER_ID, window, max) != ERR_OK ||
        !tells(e, MUX_OPENED, &event) || event.chan != id)
        abort();
    return id;
}

/* Sends up to n bytes of `from` (or zeros) on a channel in turn; returns how many went. */
static inline size_t send_some(struct end *e, uint32_t id, const uint8_t *from, size_t n)
{
    struct mux_span spans[16];
    size_t n_spans = mux_data_slots(e->m, id, spans, 16);
    size_t filled = 0;
    for (size_t i = 0; i < n_spans && filled < n; i++) {
        size_t part = n - filled < spans[i].n ? n - filled : spans[i].n;
        if (from != NULL)
            memcpy(spans[i].base, from + filled, part);
        else
            memset(spans[i].base, 0, part);
        filled += part;
    }
    mux_data_commit(e->m, id, filled);
    return filled;
}

#endif
