#include "tests/unit/forward/liar.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/forward/rig.h"
#include "transport/engine.h"

static void fatal_if(bool bad)
{
    if (bad)
        abort(); /* a mistake in the test itself */
}

/* ---- bytes and events ------------------------------------------------------------------------ */

static void liar_keep(struct liar *l, struct bytes payload)
{
    struct wire_reader r = wire_reader((struct bytes){payload.p + 1, payload.n - 1});
    struct msg_window_adjust adjust;
    l->n_of[payload.p[0]]++;
    if (payload.p[0] == MSG_CHANNEL_WINDOW_ADJUST &&
        msg_window_adjust_decode(&r, &adjust) == ERR_OK)
        l->n_credit += adjust.add;
    if (payload.p[0] == MSG_CHANNEL_DATA)
        l->n_data += payload.n - 9;
    if (l->drops)
        return;
    if (l->n_got == l->cap_got) {
        l->cap_got = l->cap_got == 0 ? 64 : 2 * l->cap_got;
        l->got = realloc(l->got, l->cap_got * sizeof *l->got);
        fatal_if(l->got == NULL);
    }
    uint8_t *copy = malloc(payload.n);
    fatal_if(copy == NULL);
    memcpy(copy, payload.p, payload.n);
    l->got[l->n_got++] = (struct liar_payload){copy, payload.n};
}

static void liar_event(struct liar *l, const struct transport_event *e)
{
    switch (e->type) {
    case TRANSPORT_PACKET: liar_keep(l, e->payload); break;
    case TRANSPORT_AUTH_SUCCESS: l->is_up = true; break;
    case TRANSPORT_DISCONNECTED:
        l->is_over = true;
        snprintf(l->last_words, sizeof l->last_words, "%.*s", (int)e->text.n,
            e->text.n > 0 ? (const char *)e->text.p : "");
        break;
    case TRANSPORT_AUTH_READY:
        if (!l->holds_login)
            rig_log_in(l->rig, l->t, e);
        break;
    default: rig_log_in(l->rig, l->t, e); break;
    }
}

static void liar_read(struct liar *l)
{
    struct transport_event e;
    size_t room;
    uint8_t *space;
    while (l->readable && !l->holds_reading && (space = transport_rx_space(l->t, &room)) != NULL) {
        ssize_t n = read(l->source.fd, space, room);
        if (n > 0)
            transport_rx_commit(l->t, (size_t)n, loop_now(l->rig->loop));
        else if (n == 0)
            transport_rx_eof(l->t);
        else if (errno == EINTR)
            continue;
        else if (errno == EAGAIN)
            l->readable = false;
        else
            transport_rx_eof(l->t);
        while (transport_next(l->t, &e))
            liar_event(l, &e);
    }
}

static void liar_write(struct liar *l)
{
    size_t n;
    const uint8_t *p;
    while (l->writable && (p = transport_tx(l->t, &n)) != NULL) {
        ssize_t done = write(l->source.fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0 && errno == EAGAIN) {
            l->writable = false;
            return;
        }
        transport_tx_done(l->t, done < 0 ? n : (size_t)done); /* nobody is there to take it */
    }
}

static void liar_service(struct loop_task *task)
{
    struct liar *l = task->user;
    liar_write(l);
    liar_read(l);
    liar_write(l);
}

static void liar_ready(struct loop_source *source, unsigned events)
{
    struct liar *l = source->user;
    l->readable |= (events & (LOOP_READABLE | LOOP_HANGUP | LOOP_ERROR)) != 0;
    l->writable |= (events & LOOP_WRITABLE) != 0;
    loop_defer(l->rig->loop, &l->task);
}

void liar_start(struct liar *l, const struct transport_config *config, int fd)
{
    l->t = transport_new(config, loop_now(l->rig->loop));
    l->source = (struct loop_source){.fd = fd, .ready = liar_ready, .user = l, .slot = -1};
    l->task = (struct loop_task){.run = liar_service, .user = l};
    fatal_if(l->t == NULL || loop_add(l->rig->loop, &l->source) != ERR_OK);
}

void liar_free(struct liar *l)
{
    if (l->t == NULL)
        return;
    loop_remove(l->rig->loop, &l->source);
    loop_undefer(l->rig->loop, &l->task);
    close(l->source.fd);
    transport_free(l->t);
    for (size_t i = 0; i < l->n_got; i++)
        free(l->got[i].p);
    free(l->got);
    free(l->taken.p);
    *l = (struct liar){.rig = l->rig};
}

void liar_force(struct liar *l, struct bytes payload)
{
    (void)tx_packet(l->t, payload);
    loop_defer(l->rig->loop, &l->task);
}

void liar_send(struct liar *l, struct bytes payload)
{
    struct packet_sink sink = transport_sink(l->t);
    uint8_t *slot = sink.control_slot(sink.engine, payload.n);
    if (slot != NULL) {
        memcpy(slot, payload.p, payload.n);
        sink.commit(sink.engine, payload.n);
    }
    loop_defer(l->rig->loop, &l->task);
}

void liar_resume(struct liar *l)
{
    l->holds_reading = false;
    loop_defer(l->rig->loop, &l->task);
}

struct bytes liar_take(struct liar *l, uint8_t number)
{
    for (size_t i = 0; i < l->n_got; i++) {
        if (l->got[i].p[0] != number)
            continue;
        free(l->taken.p);
        l->taken = l->got[i];
        l->n_got--;
        memmove(l->got + i, l->got + i + 1, (l->n_got - i) * sizeof *l->got);
        return (struct bytes){l->taken.p, l->taken.n};
    }
    return (struct bytes){NULL, 0};
}

struct bytes liar_await(struct liar *l, uint8_t number)
{
    uint64_t limit = drive_clock_ms() + RIG_PATIENCE_MS;
    for (;;) {
        struct bytes b = liar_take(l, number);
        if (b.p != NULL || l->is_over || drive_clock_ms() >= limit)
            return b;
        rig_turn(l->rig);
    }
}

/* ---- the liar's messages --------------------------------------------------------------------- */

static uint8_t built[TX_PAYLOAD_MAX];

static struct wire_writer build(void)
{
    return wire_writer(built, sizeof built);
}

static void send_built(struct liar *l, const struct wire_writer *w)
{
    fatal_if(w->bad);
    liar_send(l, wire_written(w));
}

void liar_open(struct liar *l, const char *type, uint32_t sender, uint32_t window,
    uint32_t max_packet, struct bytes rest)
{
    struct wire_writer w = build();
    struct msg_channel_open m = {.type = bytes_of(type),
        .sender = sender,
        .window = window,
        .max_packet = max_packet,
        .rest = rest};
    msg_channel_open_encode(&w, &m);
    send_built(l, &w);
}

void liar_open_tcpip(
    struct liar *l, const char *type, uint32_t sender, struct bytes host, uint32_t port)
{
    static uint8_t body[128 * 1024];
    struct wire_writer w = wire_writer(body, sizeof body);
    struct msg_tcpip_open m = {
        .host = host, .port = port, .from_host = BYTES_LIT("192.0.2.1"), .from_port = 1234};
    msg_tcpip_open_encode(&w, &m);
    liar_open(l, type, sender, MUX_WINDOW_BYTES, MUX_PACKET_BYTES, wire_written(&w));
}

void liar_confirm(struct liar *l, uint32_t recipient, uint32_t sender, uint32_t window)
{
    struct wire_writer w = build();
    struct msg_open_confirmation m = {
        .recipient = recipient, .sender = sender, .window = window, .max_packet = MUX_PACKET_BYTES};
    msg_open_confirmation_encode(&w, &m);
    send_built(l, &w);
}

void liar_refuse(struct liar *l, uint32_t recipient, uint32_t reason, const char *text)
{
    struct wire_writer w = build();
    struct msg_open_failure m = {
        .recipient = recipient, .reason = reason, .description = bytes_of(text)};
    msg_open_failure_encode(&w, &m);
    send_built(l, &w);
}

void liar_data(struct liar *l, uint32_t recipient, struct bytes data)
{
    struct wire_writer w = build();
    msg_channel_data_encode(&w, &(struct msg_channel_data){.recipient = recipient, .data = data});
    send_built(l, &w);
}

void liar_debug(struct liar *l, const char *text)
{
    struct wire_writer w = build();
    msg_debug_encode(&w, &(struct msg_debug){.message = bytes_of(text)});
    send_built(l, &w);
}

void liar_stream(struct liar *l, uint32_t recipient, uint8_t id, uint64_t at, size_t n)
{
    static uint8_t piece[MUX_PACKET_BYTES];
    while (n > 0) {
        size_t part = n < sizeof piece ? n : sizeof piece;
        app_fill(id, at, piece, part);
        liar_data(l, recipient, (struct bytes){piece, part});
        at += part;
        n -= part;
    }
}

void liar_adjust(struct liar *l, uint32_t recipient, uint32_t n)
{
    struct wire_writer w = build();
    msg_window_adjust_encode(&w, &(struct msg_window_adjust){.recipient = recipient, .add = n});
    send_built(l, &w);
}

void liar_chan(struct liar *l, uint8_t number, uint32_t recipient)
{
    struct wire_writer w = build();
    msg_channel_id_encode(&w, number, &(struct msg_channel_id){.recipient = recipient});
    send_built(l, &w);
}

void liar_global(struct liar *l, const char *name, bool want_reply, struct bytes rest)
{
    struct wire_writer w = build();
    struct msg_global_request m = {.name = bytes_of(name), .want_reply = want_reply, .rest = rest};
    msg_global_request_encode(&w, &m);
    send_built(l, &w);
}

void liar_forward(
    struct liar *l, const char *name, bool want_reply, struct bytes address, uint32_t port)
{
    uint8_t body[4096];
    struct wire_writer w = wire_writer(body, sizeof body);
    msg_tcpip_forward_encode(&w, &(struct msg_tcpip_forward){.address = address, .port = port});
    liar_global(l, name, want_reply, wire_written(&w));
}

static struct wire_reader body_of(struct bytes payload)
{
    if (payload.n == 0)
        return wire_reader(payload);
    return wire_reader((struct bytes){payload.p + 1, payload.n - 1});
}

bool liar_confirmed(struct liar *l, struct msg_open_confirmation *m)
{
    struct wire_reader r = body_of(liar_await(l, MSG_CHANNEL_OPEN_CONFIRMATION));
    return msg_open_confirmation_decode(&r, m) == ERR_OK;
}

uint32_t liar_refused(struct liar *l, char *text, size_t cap)
{
    struct wire_reader r = body_of(liar_await(l, MSG_CHANNEL_OPEN_FAILURE));
    struct msg_open_failure m;
    if (msg_open_failure_decode(&r, &m) != ERR_OK)
        return 0;
    if (text != NULL)
        snprintf(text, cap, "%.*s", (int)m.description.n, (const char *)m.description.p);
    return m.reason;
}

bool liar_opened(struct liar *l, struct msg_channel_open *m)
{
    struct wire_reader r = body_of(liar_await(l, MSG_CHANNEL_OPEN));
    return msg_channel_open_decode(&r, m) == ERR_OK;
}
