/* What the files of channel/ share: struct mux and the calls between them.
 *
 * Internal to channel/: people read mux.h. */
#ifndef CHANNEL_ENGINE_H
#define CHANNEL_ENGINE_H

#include "channel/chan.h"
#include "channel/mux.h"

enum {
    /* A channel of which this much has moved, and of no other, is alone. */
    SCHED_ALONE_BYTES = 16 << 20,
    /* Channels that may have more than MUX_WINDOW_BYTES of the budget at a time. */
    PACE_MAX_WAITING = 128,
    /* No packet gives more than one event, and they are pulled between packets; the rest is slack
     * for a caller that once does not. */
    MUX_MAX_EVENTS = 4,
    MUX_MAX_SPANS = 16, /* of one readv(): 512 KiB, twice what a lone channel's quantum can fill */
};

/* Numbers to channels (table.c). A slot in use has a channel; a free one is in the FIFO. */
struct table_slot {
    struct chan *chan;
    uint32_t next_free;
};
struct table {
    struct table_slot *slots;
    uint32_t n_slots, n_free;
    uint32_t first_free, last_free; /* meaningful while n_free > 0 */
    uint32_t max_chans;             /* in use at a time */
};

/* Whose turn it is (sched.c). */
struct chan_list {
    struct chan *first, *last;
};
struct sched {
    struct chan_list front, round, held;
    uint32_t round_no; /* wraps */
    uint32_t burst;    /* mux_set_burst() */
    uint32_t last_id;  /* whose data moved last ... */
    uint32_t alone;    /* ... and how many bytes since another's did; stays at SCHED_ALONE_BYTES */
};

/* Global requests, two rings of a power of two that grow on demand (request.c). */
struct asked_ring { /* tokens of ours that await their reply */
    uint32_t *tokens;
    uint32_t cap, at, n;
};
struct owed { /* one of the peer's that awaits ours */
    uint8_t *body;
    size_t n_body;
    bool is_answered, ok;
};
struct owed_ring {
    struct owed *list;
    uint32_t cap, at, n;
    uint32_t first_ticket; /* of the oldest; the others follow by one each */
};

/* Data slots given out and not committed (send.c). Any other packet makes them void. */
struct open_slots {
    uint32_t id;
    size_t n;
    uint8_t *base[MUX_MAX_SPANS];
    uint32_t room[MUX_MAX_SPANS]; /* of data, behind the head */
};

/* What the path carries (pace.c). */
struct pace {
    uint32_t epoch; /* odd while a probe is under way; wraps */
    uint32_t max_window;
    uint32_t n_probes;  /* ended; counted as far as it matters */
    uint32_t max_ahead; /* mux_config */
    uint64_t began_ms, next_ms;
    uint64_t took_ms;       /* the last probe */
    uint64_t rtt_min_ms;    /* the shortest; UINT64_MAX: none yet */
    uint64_t least_wait_ms; /* of the last n_waits probes, which all took too long for rtt_min_ms */
    uint32_t n_waits;
    uint64_t bytes; /* moved by all channels since the last probe ended */
    uint64_t now_ms;
    struct chan *waiting[PACE_MAX_WAITING]; /* channels whose credit is spread over time */
    unsigned n_waiting;
};

struct mux {
    struct packet_sink sink;
    struct fault fault;
    struct table table;
    struct sched sched;
    uint64_t budget, promised; /* bytes of receive window (window.c) */
    struct pace pace;
    struct asked_ring asked;
    struct owed_ring owed;
    struct open_slots slots;
    struct mux_event events[MUX_MAX_EVENTS];
    unsigned event_at, n_events;
};

static inline uint32_t min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* ---- mux.c ----------------------------------------------------------------------------------- */

void mux_emit(struct mux *m, struct mux_event event);
/* The channel may not be mentioned to the caller any more: drops its events that wait. */
void mux_unmention(struct mux *m, struct chan *c);
enum err packet_malformed(struct mux *m, uint8_t number);
/* The channel that message `number` is for; NULL, with a fault in force, when it may not come. */
struct chan *packet_chan(struct mux *m, uint8_t number, uint32_t recipient);

/* ---- table.c --------------------------------------------------------------------------------- */

void table_init(struct table *t, uint32_t max_chans);
void table_clear(struct table *t); /* frees every channel too */
struct chan *table_find(const struct table *t, uint32_t id);
/* Gives c a number: ERR_LIMIT, ERR_NOMEM. */
enum err table_add(struct table *t, struct chan *c) MUST_USE;
void table_remove(struct table *t, struct chan *c);
uint32_t table_n_used(const struct table *t);

/* ---- life.c: how channels begin and end ------------------------------------------------------ */

void chan_drop(struct mux *m, struct chan *c); /* frees it and its number */
enum err on_open(struct mux *m, struct wire_reader *r);
enum err on_open_confirmation(struct mux *m, struct wire_reader *r);
enum err on_open_failure(struct mux *m, struct wire_reader *r);
enum err on_eof(struct mux *m, struct wire_reader *r);
enum err on_close(struct mux *m, struct wire_reader *r);

/* ---- window.c -------------------------------------------------------------------------------- */

/* Promises a new channel its window. */
void window_grant(struct mux *m, struct chan *c);
/* The channel holds nothing for the peer any more: its promise is free for others. */
void window_release(struct mux *m, struct chan *c);
/* Gives c the credit that is due. */
void window_credit(struct mux *m, struct chan *c);
enum err on_data(struct mux *m, struct wire_reader *r);
enum err on_extended_data(struct mux *m, struct wire_reader *r);
enum err on_window_adjust(struct mux *m, struct wire_reader *r);

/* ---- pace.c ---------------------------------------------------------------------------------- */

/* n bytes of c have left for the local side. */
void pace_consumed(struct mux *m, struct chan *c, uint32_t n);
/* n bytes of c have been sent. */
void pace_sent(struct mux *m, struct chan *c, uint32_t n);
/* What c's promise should be now. */
uint32_t pace_target(const struct mux *m, const struct chan *c);
/* How much of c.due may be given now; 0: none, it will be called for in time (mux_tick). */
uint32_t pace_credit(struct mux *m, struct chan *c);
/* Whether it is spread over time: then little by little is asked for. */
bool pace_spreads(const struct mux *m, const struct chan *c);
void pace_forget(struct mux *m, struct chan *c);
/* The peer has given n bytes of credit to c. */
void pace_credited(struct mux *m, struct chan *c, uint32_t n);
/* c is to wait for credit, although it has window. */
bool pace_holds_back(const struct mux *m, const struct chan *c);

/* ---- sched.c --------------------------------------------------------------------------------- */

void sched_init(struct sched *s);
void sched_new_chan(const struct sched *s, struct chan *c);
/* Queues c if it wants to, can, and is not queued yet. */
void sched_wake(struct sched *s, struct chan *c);
void sched_leave(struct sched *s, struct chan *c);
/* Takes c out of its queue until until_ms, which never falls from call to call, or credit. */
void sched_hold(struct sched *s, struct chan *c, uint64_t until_ms);
/* n bytes of c have moved, either way: whether channels share the connection is told by that. */
void sched_note(struct sched *s, const struct chan *c, uint32_t n);
/* c has sent n bytes: its window and quantum are shorter by that. */
void sched_spend(struct sched *s, struct chan *c, uint32_t n);

/* ---- request.c ------------------------------------------------------------------------------- */

void requests_clear(struct mux *m);
enum err on_global_request(struct mux *m, struct wire_reader *r);
enum err on_request_success(struct mux *m, struct wire_reader *r);
enum err on_request_failure(struct mux *m, struct wire_reader *r);
enum err on_channel_request(struct mux *m, struct wire_reader *r);
enum err on_channel_success(struct mux *m, struct wire_reader *r);
enum err on_channel_failure(struct mux *m, struct wire_reader *r);

/* ---- send.c ---------------------------------------------------------------------------------- */

/* A control packet of at most room bytes: false when the engine below has failed, which then is our
 * fault too. Write the payload with msg_..._encode() and end it. */
bool packet_begin(struct mux *m, size_t room, struct wire_writer *w) MUST_USE;
void packet_end(struct mux *m, struct wire_writer *w);
/* EOF, CLOSE, CHANNEL_SUCCESS, CHANNEL_FAILURE. */
void send_chan_id(struct mux *m, uint8_t number, uint32_t peer_id);

#endif
