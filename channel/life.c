/* How channels begin and end: opening from either side, EOF, CLOSE.
 *
 * The transitions are chan.c's; here are the packets and events that go with them. A number is
 * freed (chan_drop) when an OPEN was refused, or when CLOSE has passed both ways, never before:
 * until then messages of the peer's may be on their way to it. */
#include "channel/engine.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_REFUSAL_BYTES = 200,
    /* Message number, four uint32 and two string lengths: no message here has more fixed bytes. */
    OPEN_HEAD_BYTES = 32,
};

/* A new struct with a number and no promise yet; NULL with *e set. */
static struct chan *chan_new(struct mux *m, enum half state, void *user, enum err *e)
{
    struct chan *c = malloc(sizeof *c);
    if (c == NULL) {
        *e = ERR_NOMEM;
        return NULL;
    }
    chan_init(c, state, user);
    sched_new_chan(&m->sched, c);
    *e = table_add(&m->table, c);
    if (*e == ERR_OK)
        return c;
    free(c);
    return NULL;
}

void chan_drop(struct mux *m, struct chan *c)
{
    sched_leave(&m->sched, c);
    window_release(m, c);
    table_remove(&m->table, c);
    free(c);
}

/* ---- opened by us ---------------------------------------------------------------------------- */

enum err mux_open(struct mux *m, struct bytes type, struct bytes rest, void *user, uint32_t *id)
{
    if (m->fault.code != ERR_OK)
        return m->fault.code;
    enum err e;
    struct chan *c = chan_new(m, HALF_ASKED, user, &e);
    if (c == NULL)
        return e;
    window_grant(m, c);
    struct msg_channel_open msg = {
        .type = type,
        .sender = c->id,
        .window = c->recv_window,
        .max_packet = MUX_PACKET_BYTES,
        .rest = rest,
    };
    struct wire_writer w;
    if (!packet_begin(m, OPEN_HEAD_BYTES + type.n + rest.n, &w)) {
        chan_drop(m, c);
        return m->fault.code;
    }
    msg_channel_open_encode(&w, &msg);
    packet_end(m, &w);
    *id = c->id;
    return m->fault.code;
}

/* A peer that takes packets of 0 bytes has opened a channel that can carry nothing. It is closed at
 * once, and for the caller it has not been opened. */
static void reject_confirmation(struct mux *m, struct chan *c)
{
    mux_emit(m, (struct mux_event){.type = MUX_OPEN_FAILED,
                    .chan = c->id,
                    .user = c->user,
                    .reason = OPEN_CONNECT_FAILED,
                    .text = BYTES_LIT("confirmed with a maximum packet size of 0")});
    c->user = NULL;
    c->close_later = true;
}

/* What the caller said while the answer was on its way is done now: its socket may have died. */
enum err on_open_confirmation(struct mux *m, struct wire_reader *r)
{
    struct msg_open_confirmation msg;
    if (msg_open_confirmation_decode(r, &msg) != ERR_OK)
        return packet_malformed(m, MSG_CHANNEL_OPEN_CONFIRMATION);
    struct chan *c = packet_chan(m, MSG_CHANNEL_OPEN_CONFIRMATION, msg.recipient);
    if (c == NULL)
        return m->fault.code;
    chan_opened(c, msg.sender, msg.window, msg.max_packet);
    if (c->send_max == 0)
        reject_confirmation(m, c);
    else if (!c->close_later)
        mux_emit(m, (struct mux_event){.type = MUX_OPENED, .chan = c->id, .user = c->user});
    if (c->close_later) {
        if (chan_close_out(c))
            send_chan_id(m, MSG_CHANNEL_CLOSE, c->peer_id);
        window_release(m, c);
        return m->fault.code;
    }
    if (c->eof_later)
        mux_eof(m, c->id);
    sched_wake(&m->sched, c);
    return m->fault.code;
}

enum err on_open_failure(struct mux *m, struct wire_reader *r)
{
    struct msg_open_failure msg;
    if (msg_open_failure_decode(r, &msg) != ERR_OK)
        return packet_malformed(m, MSG_CHANNEL_OPEN_FAILURE);
    struct chan *c = packet_chan(m, MSG_CHANNEL_OPEN_FAILURE, msg.recipient);
    if (c == NULL)
        return m->fault.code;
    mux_emit(m, (struct mux_event){.type = MUX_OPEN_FAILED,
                    .chan = c->id,
                    .user = c->user,
                    .reason = msg.reason,
                    .text = msg.description});
    chan_drop(m, c);
    return m->fault.code;
}

/* ---- opened by the peer ---------------------------------------------------------------------- */

/* Cuts text to at most n bytes without leaving part of a UTF-8 character (RFC 4254 section 5.1
 * wants UTF-8). */
static struct bytes text_cut(const char *text, size_t n)
{
    struct bytes b = bytes_of(text);
    if (b.n <= n)
        return b;
    while (n > 0 && (b.p[n] & 0xc0) == 0x80)
        n--;
    b.n = n;
    return b;
}

static void send_refusal(struct mux *m, uint32_t peer_id, uint32_t reason, const char *text)
{
    struct msg_open_failure msg = {
        .recipient = peer_id,
        .reason = reason,
        .description = text_cut(text, MAX_REFUSAL_BYTES),
    };
    struct wire_writer w;
    if (!packet_begin(m, OPEN_HEAD_BYTES + msg.description.n, &w))
        return;
    msg_open_failure_encode(&w, &msg);
    packet_end(m, &w);
}

/* A flood of opens stops at max_channels, which those that await an answer count towards; so does a
 * lack of memory: refused, no more. The sender's number is the peer's own affair: should it use one
 * twice, it gets answers it cannot tell apart, and we are none the worse. */
enum err on_open(struct mux *m, struct wire_reader *r)
{
    struct msg_channel_open msg;
    if (msg_channel_open_decode(r, &msg) != ERR_OK)
        return packet_malformed(m, MSG_CHANNEL_OPEN);
    if (msg.max_packet == 0) {
        send_refusal(m, msg.sender, OPEN_ADMINISTRATIVELY_PROHIBITED, "maximum packet size of 0");
        return m->fault.code;
    }
    enum err e;
    struct chan *c = chan_new(m, HALF_OWED, NULL, &e);
    if (c == NULL) {
        send_refusal(m, msg.sender, OPEN_RESOURCE_SHORTAGE,
            e == ERR_LIMIT ? "too many channels" : "out of memory");
        return m->fault.code;
    }
    c->peer_id = msg.sender;
    c->send_window = msg.window;
    c->send_max = msg.max_packet;
    mux_emit(m, (struct mux_event){
                    .type = MUX_OPEN_REQUEST, .chan = c->id, .name = msg.type, .rest = msg.rest});
    return m->fault.code;
}

enum err mux_confirm(struct mux *m, uint32_t id, void *user)
{
    struct chan *c = table_find(&m->table, id);
    if (m->fault.code != ERR_OK)
        return m->fault.code;
    if (c == NULL || c->out != HALF_OWED)
        return ERR_INTERNAL;
    struct wire_writer w;
    if (!packet_begin(m, OPEN_HEAD_BYTES, &w))
        return m->fault.code;
    window_grant(m, c);
    struct msg_open_confirmation msg = {
        .recipient = c->peer_id,
        .sender = c->id,
        .window = c->recv_window,
        .max_packet = MUX_PACKET_BYTES,
    };
    msg_open_confirmation_encode(&w, &msg);
    packet_end(m, &w);
    c->user = user;
    chan_opened(c, c->peer_id, c->send_window, c->send_max);
    if (c->eof_later)
        mux_eof(m, id);
    sched_wake(&m->sched, c);
    return m->fault.code;
}

void mux_refuse(struct mux *m, uint32_t id, uint32_t reason, const char *text)
{
    struct chan *c = table_find(&m->table, id);
    if (m->fault.code != ERR_OK || c == NULL || c->out != HALF_OWED)
        return;
    send_refusal(m, c->peer_id, reason, text);
    mux_unmention(m, c);
    chan_drop(m, c);
}

/* ---- the end --------------------------------------------------------------------------------- */

/* The sink keeps packets in order, so EOF follows all data that was committed. */
void mux_eof(struct mux *m, uint32_t id)
{
    struct chan *c = table_find(&m->table, id);
    if (m->fault.code != ERR_OK || c == NULL)
        return;
    if (chan_eof_out(c))
        send_chan_id(m, MSG_CHANNEL_EOF, c->peer_id);
    if (!chan_may_send(c))
        sched_leave(&m->sched, c);
}

void mux_close(struct mux *m, uint32_t id)
{
    struct chan *c = table_find(&m->table, id);
    if (m->fault.code != ERR_OK || c == NULL)
        return;
    if (c->out == HALF_OWED) { /* closed before it was answered: that is an answer */
        mux_refuse(m, id, OPEN_CONNECT_FAILED, "closed");
        return;
    }
    mux_unmention(m, c);
    if (!chan_close_out(c))
        return;
    sched_leave(&m->sched, c);
    send_chan_id(m, MSG_CHANNEL_CLOSE, c->peer_id);
    window_release(m, c);
    if (chan_is_over(c))
        chan_drop(m, c);
}

enum err on_eof(struct mux *m, struct wire_reader *r)
{
    struct msg_channel_id msg;
    if (msg_channel_id_decode(r, &msg) != ERR_OK)
        return packet_malformed(m, MSG_CHANNEL_EOF);
    struct chan *c = packet_chan(m, MSG_CHANNEL_EOF, msg.recipient);
    if (c == NULL)
        return m->fault.code;
    if (chan_eof_in(c) && c->out != HALF_CLOSED)
        mux_emit(m, (struct mux_event){.type = MUX_EOF, .chan = c->id, .user = c->user});
    return m->fault.code;
}

/* Our CLOSE, if it has not gone out, waits for the caller, who may have data to deliver first
 * (FORWARDING.md line 36). We send no more data from here on. */
enum err on_close(struct mux *m, struct wire_reader *r)
{
    struct msg_channel_id msg;
    if (msg_channel_id_decode(r, &msg) != ERR_OK)
        return packet_malformed(m, MSG_CHANNEL_CLOSE);
    struct chan *c = packet_chan(m, MSG_CHANNEL_CLOSE, msg.recipient);
    if (c == NULL)
        return m->fault.code;
    bool was_clean = chan_close_in(c);
    sched_leave(&m->sched, c);
    if (chan_is_over(c))
        chan_drop(m, c);
    else
        mux_emit(m, (struct mux_event){
                        .type = MUX_CLOSED, .chan = c->id, .user = c->user, .clean = was_clean});
    return m->fault.code;
}
