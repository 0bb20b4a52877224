/* One channel: its half-states, its windows, its place in the queues, and the transitions between
 * its states, one function per event. Transitions change the struct and nothing else; who calls
 * them sends packets and raises events.
 *
 * Internal to channel/: people read mux.h. */
#ifndef CHANNEL_CHAN_H
#define CHANNEL_CHAN_H

#include <stdbool.h>
#include <stdint.h>

enum { CHAN_MAX_ASKED = 8 }; /* requests of ours that may wait for their reply; see mux_request */

/* A channel is two one-way streams, each in one of these states: `in` is the peer's sending, `out`
 * is ours. Bits, so that a table can say in which of them a message may come.
 *
 *     ours:        ASKED --CONFIRMATION--> OPEN --EOF--> EOF --CLOSE--> CLOSED
 *     the peer's:  OWED  --mux_confirm---> OPEN --EOF--> EOF --CLOSE--> CLOSED
 *
 * EOF may be left out (a cut, not an end). A refused channel is freed from ASKED or OWED; a live
 * one when both streams are CLOSED. Both streams leave ASKED or OWED together. */
enum half {
    HALF_ASKED = 1,  /* we sent OPEN and await the answer */
    HALF_OWED = 2,   /* the peer sent OPEN and awaits ours */
    HALF_OPEN = 4,   /* data may flow */
    HALF_EOF = 8,    /* EOF has passed: no more data, but requests and credit */
    HALF_CLOSED = 16 /* CLOSE has passed: nothing more at all */
};

enum queue { QUEUE_NONE, QUEUE_FRONT, QUEUE_ROUND, QUEUE_HELD }; /* see sched.c */

struct chan {
    void *user;               /* the caller's; NULL once it may not be mentioned */
    struct chan *next, *prev; /* neighbours in `queue` */

    uint32_t id;      /* our number for it */
    uint32_t peer_id; /* the peer's; known from OPEN or from CONFIRMATION on */

    /* Sending: bytes. */
    uint32_t send_window;  /* what the peer still takes */
    uint32_t send_max;     /* the most it takes in one packet, capped at MUX_PACKET_BYTES */
    uint32_t ahead;        /* sent, and not given back as credit yet */
    uint32_t quantum_left; /* what it may still send in round number `round` */
    uint32_t round;
    uint64_t held_until_ms; /* in QUEUE_HELD */

    /* Receiving: bytes; recv_window + held + due == recv_limit until we close (window.c). */
    uint32_t recv_limit;  /* what we promised to hold */
    uint32_t recv_target; /* what we would like that to be */
    uint32_t recv_window; /* what the peer may still send */
    uint32_t held;        /* handed to the caller, not consumed yet */
    uint32_t due;         /* consumed, not given back as credit yet */
    uint32_t pace_epoch;  /* what pace_bytes were consumed in (pace.c) */
    uint64_t pace_bytes;
    uint64_t credit_at_ms; /* no credit before then */
    bool credit_waits;     /* for that time, in pace.waiting */
    bool goes_ahead;       /* was held back in vain: not again before credit comes */
    bool pace_has_queued;  /* its window was too large once: it grows by small steps now */
    bool pace_is_settled;  /* no shrinking was under way when they began to count */

    uint32_t asked[CHAN_MAX_ASKED]; /* tokens of our requests, oldest at asked_at, a ring */
    uint8_t asked_at, n_asked;
    uint16_t n_owed; /* the peer's requests that await mux_reply() */

    uint8_t in, out; /* enum half */
    uint8_t queue;   /* enum queue */
    bool is_wanting; /* mux_want() without mux_rest() since */
    bool eof_later;  /* mux_eof() came before the channel was open */
    bool close_later;
};

/* DESIGN.md: at most 512 bytes an idle channel, its socket's entry and its share of tables with it.
 */
_Static_assert(sizeof(struct chan) <= 160, "a channel at rest must stay small");

void chan_init(struct chan *c, enum half asked_or_owed, void *user);

/* May the peer send message `number` (CHANNEL_OPEN_CONFIRMATION .. CHANNEL_FAILURE) now? */
bool chan_accepts(const struct chan *c, uint8_t number);
/* Both sides have agreed: the streams are open. window and max_packet are the peer's. */
void chan_opened(struct chan *c, uint32_t peer_id, uint32_t window, uint32_t max_packet);

/* The peer's EOF; false when it is a repeated one. */
bool chan_eof_in(struct chan *c);
/* The peer's CLOSE; true when its EOF had come before. */
bool chan_close_in(struct chan *c);
/* Our side sends no more data; true when EOF must be sent for that now. */
bool chan_eof_out(struct chan *c);
/* We close; true when CLOSE must be sent now. */
bool chan_close_out(struct chan *c);

/* Confirmed, and not closed by either side. */
bool chan_is_live(const struct chan *c);
/* Our stream is open and the peer still listens; its window may be 0 all the same. */
bool chan_may_send(const struct chan *c);
/* CLOSE has passed both ways: the number is to be freed. */
bool chan_is_over(const struct chan *c);

#endif
