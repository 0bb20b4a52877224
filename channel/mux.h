/* The connection protocol, RFC 4254: channels, windows, requests and fair sending; both roles, one
 * engine. Sans-I/O: packets in through mux_packet(), packets out through a packet_sink, events out
 * through mux_next().
 *
 * Identity: a channel is named by our number for it (uint32). Numbers are small, found in constant
 * time, and not used again before the others that are free. Every channel carries the caller's
 * `user` pointer, given back in each event, so that the caller needs no table of its own.
 *
 * Sending is by turns (deficit round robin; a channel that was quiet goes first):
 *
 *     mux_want(m, id)                     its local socket has bytes (or is at EOF)
 *     while (mux_turn(m, &id)) {          none when congested or nobody can send
 *         n = mux_data_slots(m, id, spans, MAX)
 *         readv(fd, spans, n) ...
 *         mux_data_commit(m, id, bytes)   or mux_rest(m, id) when there was nothing
 *     }
 *
 * Receiving: MUX_DATA gives a borrowed slice; when (and only when) bytes have left for the local
 * socket, mux_consumed() gives the credit back.
 *
 * Failure: a protocol error by the peer puts a fault in force (mux_fault); afterwards every call
 * does nothing. The caller hands the fault to transport_fail(). */
#ifndef CHANNEL_MUX_H
#define CHANNEL_MUX_H

#include "proto/err.h"
#include "proto/msg.h"
#include "transport/packet_sink.h"
#include "transport/transport.h"

enum {
    MUX_WINDOW_BYTES = 64 * 32768,   /* OpenSSH's: FORWARDING.md line 29 */
    MUX_MAX_WINDOW_BYTES = 64 << 20, /* 5 Gbit/s at a round trip of 100 ms */
    MUX_PACKET_BYTES = 32768,        /* the most data we take in one packet */
    MUX_MAX_CHANNELS = 16384,        /* FORWARDING.md line 39 */
    MUX_MAX_PENDING = 1024,          /* global requests of the peer's not answered yet */
};

struct mux; /* opaque */

struct mux_config {
    struct packet_sink sink;
    enum role role;          /* RFC 4254 is the same for both: nothing depends on it yet */
    uint32_t max_channels;   /* 0: MUX_MAX_CHANNELS */
    uint64_t receive_budget; /* bytes that all channels' windows together may promise; 0: 256 MiB.
                              * Each channel gets at least one packet's worth beyond it. */
    uint32_t max_window;     /* the most that one window grows to; 0: MUX_MAX_WINDOW_BYTES */
    uint32_t max_ahead; /* what a channel sends ahead of its credit at most while others share a
                         * short path; more than this peer consumes before it gives credit.
                         * 0: as much as it has window */
};

struct mux *mux_new(const struct mux_config *config); /* NULL: no memory */
void mux_free(struct mux *m);                         /* accepts NULL; users' pointers are theirs */

/* A payload from the transport, number 80..127. Produces at most one event; pull it before the next
 * packet. Numbers that RFC 4254 does not define change nothing (UNIMPLEMENTED is the transport's to
 * send). What ends the connection: a malformed message; one for a number that is not in use, not
 * open yet, or was closed by the peer; data after EOF; data over our window or over
 * MUX_PACKET_BYTES; a window sum over 2^32-1; a reply to nothing; MUX_MAX_PENDING unanswered
 * requests. Refused without an event: an OPEN beyond max_channels or memory (RESOURCE_SHORTAGE) or
 * with a maximum packet size of 0 (ADMINISTRATIVELY_PROHIBITED). */
enum err mux_packet(struct mux *m, struct bytes payload);

enum mux_event_type {
    MUX_OPEN_REQUEST, /* the peer opens a channel: mux_confirm() or mux_refuse(), now or later */
    MUX_OPENED,       /* ours was confirmed */
    MUX_OPEN_FAILED,  /* ours was refused, or confirmed with a maximum packet size of 0: reason,
                       * text; the number is not yours any more */
    MUX_DATA,         /* data; give credit by mux_consumed() */
    MUX_EXTENDED,     /* data of kind `code` (1: stderr); credit likewise */
    MUX_EOF,          /* the peer sends no more data */
    MUX_CLOSED,       /* CLOSE came. clean: EOF had come before it. Data given before is still to be
                       * delivered; answer with mux_close() if not done, then the number is free */
    MUX_REQUEST,      /* name, want_reply, rest; answer with mux_reply() if want_reply */
    MUX_REPLY,        /* to mux_request(): token, ok */
    MUX_GLOBAL_REQUEST, /* name, want_reply, rest; mux_global_reply() with `ticket` if want_reply */
    MUX_GLOBAL_REPLY,   /* to mux_global_request(): token, ok, rest */
};

struct mux_event {
    enum mux_event_type type;
    uint32_t chan;
    void *user;
    struct bytes data; /* DATA, EXTENDED */
    struct bytes name; /* OPEN_REQUEST (channel type), REQUEST, GLOBAL_REQUEST */
    struct bytes rest; /* type-specific fields; GLOBAL_REPLY: the reply's body */
    struct bytes text; /* OPEN_FAILED: the peer's, raw */
    uint32_t reason;   /* OPEN_FAILED */
    uint32_t code;     /* EXTENDED */
    uint32_t token;    /* REPLY, GLOBAL_REPLY */
    uint32_t ticket;   /* GLOBAL_REQUEST */
    bool want_reply;
    bool ok;
    bool clean;
};

/* Slices borrow from the payload handed to mux_packet(). */
bool mux_next(struct mux *m, struct mux_event *event);

const struct fault *mux_fault(const struct mux *m);

/* ---- channels -------------------------------------------------------------------------------- */

/* Opens a channel of ours; OPENED or OPEN_FAILED follows. rest: the type-specific fields. ERR_LIMIT
 * when all numbers are taken. */
enum err mux_open(
    struct mux *m, struct bytes type, struct bytes rest, void *user, uint32_t *id) MUST_USE;
/* ERR_INTERNAL when no OPEN of the peer's awaits an answer under this number. */
enum err mux_confirm(struct mux *m, uint32_t id, void *user) MUST_USE;
/* reason: OPEN_...; text for people, at most 200 bytes are sent. The number is free afterwards. */
void mux_refuse(struct mux *m, uint32_t id, uint32_t reason, const char *text);

/* No more data from us: EOF goes out after all that was committed. Once; later calls do nothing.
 * Before the channel is open it is remembered. */
void mux_eof(struct mux *m, uint32_t id);
/* CLOSE goes out (without EOF, if none was sent). Once. From this call on the number is not yours
 * and no event mentions the channel or its user; data of the peer is dropped, replies are not
 * reported, requests not answered. The number is free after CLOSE both ways.
 * Before OPENED, CLOSE follows at once should the peer confirm; should it refuse, OPEN_FAILED still
 * comes, with a NULL user. Before mux_confirm() this refuses the peer's OPEN. */
void mux_close(struct mux *m, uint32_t id);
/* Forgets the user pointer: events of this channel carry NULL from now on. */
void mux_detach(struct mux *m, uint32_t id);
/* Hands the channel to another user: events carry it from now on. */
void mux_set_user(struct mux *m, uint32_t id, void *user);

/* n bytes of this channel's data have left for the local side. */
void mux_consumed(struct mux *m, uint32_t id, size_t n);
/* ---- sending data ---------------------------------------------------------------------------- */

struct mux_span { /* laid out as struct iovec, so that an array of them can be handed to readv() */
    void *base;
    size_t n;
};

/* The channel has something to send, or its local side is at EOF: give it a turn. */
void mux_want(struct mux *m, uint32_t id);
/* Nothing more to send for now. */
void mux_rest(struct mux *m, uint32_t id);
/* Whose turn is it? False when output is congested or no wanting channel has window. The same
 * channel comes again until its quantum is used, it rests, or its window ends (then it waits by
 * itself). */
bool mux_turn(struct mux *m, uint32_t *id);
/* The most bytes of data that a channel sends in a turn, which is also the most in a packet;
 * without it some packets of full size. For paths so slow that one such packet is a wait. */
void mux_set_burst(struct mux *m, size_t bytes);
/* True when data of more than one channel has moved of late: the bulk of one is the wait of
 * another. */
bool mux_is_shared(const struct mux *m);
/* Places for the channel's next bytes, in order, together at most its window and what is left of
 * its quantum; returns how many spans. 0: congested or blocked, or no mux_want() came before. They
 * are void after any other call that may send. */
size_t mux_data_slots(struct mux *m, uint32_t id, struct mux_span *spans, size_t max);
/* The first n bytes of those spans are data, to be sent. Bytes without a place (void spans, too
 * many) are our own mistake and put ERR_INTERNAL in force: they would be lost. */
void mux_data_commit(struct mux *m, uint32_t id, size_t n);
/* Bytes the peer would take now; 0 when closed. */
uint32_t mux_send_window(const struct mux *m, uint32_t id);

/* ---- requests -------------------------------------------------------------------------------- */

/* A channel request of ours. With want_reply, REPLY carries token (at most 8 may be open a channel:
 * ERR_LIMIT). ERR_CLOSED after CLOSE either way; then open requests get no REPLY. ERR_INTERNAL
 * before the channel is open. */
enum err mux_request(struct mux *m, uint32_t id, struct bytes name, bool want_reply,
    struct bytes rest, uint32_t token) MUST_USE;
/* Answers the oldest of the peer's requests that want a reply. */
void mux_reply(struct mux *m, uint32_t id, bool ok);

/* Global requests of ours: replies come in order (FIFO), whatever they are for. ERR_LIMIT when
 * MUX_MAX_PENDING await theirs. */
enum err mux_global_request(
    struct mux *m, struct bytes name, bool want_reply, struct bytes rest, uint32_t token) MUST_USE;
/* Answers a peer's; may be given late and in any order, is sent in the order asked. */
void mux_global_reply(struct mux *m, uint32_t ticket, bool ok, struct bytes rest);

/* ---- round trips -------------------------------------------------------------------------------
 *
 * Receive windows follow what the path carries in a round trip, which takes a clock. The caller
 * sends a request that the peer answers at once when a probe is due, and tells when it left and
 * when its answer came. Without probes windows stay at MUX_WINDOW_BYTES. */
bool mux_probe_due(const struct mux *m, uint64_t now_ms);
void mux_probe_begin(struct mux *m, uint64_t now_ms);
void mux_probe_end(struct mux *m, uint64_t now_ms);

/* Tells the time, once a turn; gives credit that waited for it, and turns to who waited for credit.
 * mux_deadline() is when to call it at the latest; UINT64_MAX: whenever. */
void mux_tick(struct mux *m, uint64_t now_ms);
uint64_t mux_deadline(const struct mux *m);

/* ---- facts ----------------------------------------------------------------------------------- */

size_t mux_n_channels(const struct mux *m); /* numbers in use */
bool mux_congested(const struct mux *m);
/* The user pointer of a channel in use; NULL for any other number. */
void *mux_user(const struct mux *m, uint32_t id);
/* Walks channels in use: start with *id = UINT32_MAX; false at the end. */
bool mux_each(const struct mux *m, uint32_t *id, void **user);

#endif
