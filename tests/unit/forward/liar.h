/* The other end of a connection, when it is no honest one: a transport engine that has logged in,
 * but sends what the test tells it to, in any order, and keeps every payload it gets. */
#ifndef TESTS_FORWARD_LIAR_H
#define TESTS_FORWARD_LIAR_H

#include "channel/mux.h"
#include "forward/loop.h"
#include "transport/transport.h"

struct rig;

struct liar_payload {
    uint8_t *p;
    size_t n;
};

struct liar {
    struct rig *rig;
    struct rng rng;
    struct transport *t;
    struct loop_source source;
    struct loop_task task;
    bool readable, writable;
    bool holds_reading; /* takes nothing from its socket */
    bool drops;         /* keeps no payload, counts them only */
    bool holds_login;   /* client: does not log in */
    bool is_up, is_over;
    struct liar_payload *got; /* not taken yet, in order */
    size_t n_got, cap_got;
    struct liar_payload taken;
    unsigned n_of[256]; /* payloads so far, by message number */
    uint64_t n_credit;  /* bytes of WINDOW_ADJUST so far */
    uint64_t n_data;    /* bytes of CHANNEL_DATA so far */
    char last_words[256];
};

/* fd is the liar's from now on. */
void liar_start(struct liar *l, const struct transport_config *config, int fd);
void liar_free(struct liar *l); /* does nothing when it never started */

void liar_send(struct liar *l, struct bytes payload);
/* The same in any phase, a key exchange or before login included. */
void liar_force(struct liar *l, struct bytes payload);
void liar_resume(struct liar *l); /* reads on after holds_reading */
/* Waits for the next payload with that number and takes it, leaving others; empty when none came.
 * Borrowed until the next call. */
struct bytes liar_await(struct liar *l, uint8_t number);
/* The same without waiting. */
struct bytes liar_take(struct liar *l, uint8_t number);

void liar_open(struct liar *l, const char *type, uint32_t sender, uint32_t window,
    uint32_t max_packet, struct bytes rest);
/* direct-tcpip or forwarded-tcpip, with a window of 2 MiB. */
void liar_open_tcpip(
    struct liar *l, const char *type, uint32_t sender, struct bytes host, uint32_t port);
void liar_confirm(struct liar *l, uint32_t recipient, uint32_t sender, uint32_t window);
void liar_refuse(struct liar *l, uint32_t recipient, uint32_t reason, const char *text);
void liar_data(struct liar *l, uint32_t recipient, struct bytes data);
void liar_debug(struct liar *l, const char *text);
/* n bytes at.. of the stream of id, in packets of 32 KiB at most. */
void liar_stream(struct liar *l, uint32_t recipient, uint8_t id, uint64_t at, size_t n);
void liar_adjust(struct liar *l, uint32_t recipient, uint32_t n);
/* EOF, CLOSE, SUCCESS, FAILURE. */
void liar_chan(struct liar *l, uint8_t number, uint32_t recipient);
void liar_global(struct liar *l, const char *name, bool want_reply, struct bytes rest);
void liar_forward(
    struct liar *l, const char *name, bool want_reply, struct bytes address, uint32_t port);

/* Awaits CONFIRMATION; false when it does not come. */
bool liar_confirmed(struct liar *l, struct msg_open_confirmation *m);
/* Awaits OPEN_FAILURE, and gives its reason; text may be NULL. 0: it did not come. */
uint32_t liar_refused(struct liar *l, char *text, size_t cap);
/* Awaits a channel the other side opens. */
bool liar_opened(struct liar *l, struct msg_channel_open *m);

#endif
