/* The engine's public face: life, events, decisions, facts. */
#include "transport/transport.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/ct.h"
#include "transport/engine.h"

/* ---- life ------------------------------------------------------------------------------------ */

static struct auth *new_auth(struct transport *t)
{
    struct auth_config c = {
        .role = t->config.role,
        .sink = transport_sink(t),
        .fault = &t->fault,
        .user = t->config.user,
        .max_tries = t->config.max_auth_tries,
        .banner = t->config.banner,
    };
    return auth_new(&c);
}

static bool start(struct transport *t, uint64_t now_ms)
{
    uint64_t ms = t->config.login_ms;
    t->login_deadline = ms != 0 && now_ms < NEVER - ms ? now_ms + ms : NEVER;
    t->auth = new_auth(t);
    if (t->auth == NULL || !kexinit_offer(t) || hello_send(t) != ERR_OK || kex_start(t) != ERR_OK)
        return false;
    transport_tick(t, now_ms);
    return t->fault.code == ERR_OK;
}

/* Our KEXINIT goes out right behind our version line: neither waits for the peer's (RFC 4253
 * section 4.2), which saves a round trip. */
struct transport *transport_new(const struct transport_config *config, uint64_t now_ms)
{
    struct transport *t = secret_alloc(sizeof *t);
    if (t == NULL)
        return NULL;
    t->config = *config;
    t->tx.data_limit = TX_BACKLOG_MOST;
    t->rx.cipher = t->tx.cipher = packet_cipher_none();
    t->phase = PH_HELLO;
    t->kex_deadline = t->rekey_at = NEVER;
    if (!start(t, now_ms)) {
        transport_free(t);
        return NULL;
    }
    return t;
}

uint8_t *engine_dup(struct transport *t, struct bytes b)
{
    uint8_t *copy = malloc(b.n);
    if (copy == NULL)
        (void)engine_fault(t, ERR_NOMEM, "no memory to keep %zu bytes", b.n);
    else
        memcpy(copy, b.p, b.n);
    return copy;
}

void transport_free(struct transport *t)
{
    if (t == NULL)
        return;
    kex_free(t);
    auth_free(t->auth);
    rx_free(&t->rx);
    tx_free(&t->tx);
    free(t->host_key);
    free(t->host_signature);
    free(t->sig_algs);
    secret_free(t, sizeof *t);
}

/* ---- the end --------------------------------------------------------------------------------- */

/* A peer that has left, or never said that it speaks SSH, is told nothing. */
static bool is_worth_telling(const struct transport *t)
{
    return !t->by_peer && !t->is_eof && t->peer_ident_n > 0;
}

static void send_disconnect(struct transport *t)
{
    uint8_t room[1 + 4 + 4 + sizeof t->fault.text + 4];
    struct wire_writer w = wire_writer(room, sizeof room);
    unsigned reason =
        t->disconnect_reason != 0 ? t->disconnect_reason : err_disconnect_reason(t->fault.code);
    struct msg_disconnect m = {.reason = reason, .description = bytes_of(t->fault.text)};
    msg_disconnect_encode(&w, &m);
    if (!w.bad)
        tx_last_packet(t, wire_written(&w));
}

void engine_end(struct transport *t)
{
    if (t->fault.code == ERR_OK || t->has_ended)
        return;
    t->has_ended = true;
    if (is_worth_telling(t))
        send_disconnect(t);
    kex_free(t);
}

void transport_disconnect(struct transport *t, enum err code, unsigned reason, const char *text)
{
    if (t->fault.code != ERR_OK)
        return;
    t->disconnect_reason = reason;
    (void)engine_fault(t, code, "%s", text);
}

void transport_fail(struct transport *t, const struct fault *fault)
{
    (void)engine_fault(t, fault->code, "%s", fault->text);
}

/* ---- events ---------------------------------------------------------------------------------- */

void engine_emit(struct transport *t, struct transport_event event)
{
    t->event = event;
    t->has_event = true;
}

/* Events that were made already: ours, then user authentication's. */
static bool take_event(struct transport *t, struct transport_event *event)
{
    if (t->has_event) {
        *event = t->event;
        t->has_event = false;
        return true;
    }
    if (t->auth == NULL)
        return false;
    if (auth_next(t->auth, event))
        return true;
    if (t->has_login) { /* SUCCESS was its last */
        auth_free(t->auth);
        t->auth = NULL;
    }
    return false;
}

static bool awaits_decision(const struct transport *t)
{
    return t->awaits_host_key || (t->auth != NULL && auth_waiting(t->auth));
}

/* Takes what has arrived: one line or one packet. True when that was a packet for the layer above;
 * *more says whether there was anything. */
static bool take_input(struct transport *t, struct transport_event *event, bool *more)
{
    if (t->peer_ident_n == 0) {
        *more = hello_read(t);
        return false;
    }
    struct bytes payload;
    enum rx_status s = rx_packet(t, &payload);
    *more = s != RX_MORE;
    if (s != RX_PACKET)
        return false;
    uint8_t number = payload.p[0];
    if ((t->phase & PH_TALK) != 0 && number >= 80 && number < 128 &&
        phase_judge(t->config.role, t->phase, number) == VERDICT_TAKE) {
        *event = (struct transport_event){
            .type = TRANSPORT_PACKET, .payload = payload, .lasting = t->rx.inflate == NULL};
        return true;
    }
    (void)packet_take(t, payload);
    return false;
}

static bool tell_end(struct transport *t, struct transport_event *event)
{
    engine_end(t);
    if (t->has_told)
        return false;
    t->has_told = true;
    *event = (struct transport_event){
        .type = TRANSPORT_DISCONNECTED, .by_peer = t->by_peer, .text = t->last_words};
    return true;
}

bool transport_next(struct transport *t, struct transport_event *event)
{
    while (t->fault.code == ERR_OK) {
        bool more = false;
        if (take_event(t, event))
            return true;
        if (!awaits_decision(t) && take_input(t, event, &more))
            return true;
        if (more || t->fault.code != ERR_OK)
            continue;
        if (!t->is_eof) {
            rekey_if_due(t);
            return false;
        }
        (void)engine_fault(t, ERR_CLOSED, "connection closed by peer %s",
            t->peer_ident_n > 0 ? phase_text(t->phase) : "before its version line");
    }
    return tell_end(t, event);
}

/* ---- login ----------------------------------------------------------------------------------- */

static bool is_compressed(const struct transport *t, struct bytes name)
{
    return bytes_is(name, "zlib") || (t->has_login && bytes_is(name, "zlib@openssh.com"));
}

enum err engine_compress_in(struct transport *t)
{
    if (t->rx.inflate != NULL || !is_compressed(t, t->algorithms.comp_in))
        return ERR_OK;
    t->rx.inflate = zstream_inflate_new();
    return t->rx.inflate != NULL ? ERR_OK : engine_fault(t, ERR_NOMEM, "no memory for compression");
}

enum err engine_compress_out(struct transport *t)
{
    if (t->tx.deflate != NULL || !is_compressed(t, t->algorithms.comp_out))
        return ERR_OK;
    t->tx.deflate = zstream_deflate_new(!t->has_login);
    return t->tx.deflate != NULL ? ERR_OK : engine_fault(t, ERR_NOMEM, "no memory for compression");
}

enum err engine_login(struct transport *t)
{
    t->has_login = true;
    t->phase = PH_OPEN;
    return engine_compress_in(t) == ERR_OK ? engine_compress_out(t) : t->fault.code;
}

static bool may_ask_auth(const struct transport *t)
{
    return t->fault.code == ERR_OK && t->auth != NULL;
}

void transport_auth_none(struct transport *t)
{
    if (may_ask_auth(t))
        auth_none(t->auth);
}

void transport_auth_publickey(struct transport *t, struct bytes algorithm, struct bytes key)
{
    if (may_ask_auth(t))
        auth_publickey(t->auth, algorithm, key);
}

void transport_auth_signature(struct transport *t, struct bytes signature)
{
    if (may_ask_auth(t))
        auth_signature(t->auth, signature);
}

void transport_auth_password(struct transport *t, struct bytes password)
{
    if (may_ask_auth(t))
        auth_password(t->auth, password);
}

void transport_auth_new_password(struct transport *t, struct bytes old, struct bytes new_password)
{
    if (may_ask_auth(t))
        auth_new_password(t->auth, old, new_password);
}

void transport_auth_keyboard_interactive(struct transport *t)
{
    if (may_ask_auth(t))
        auth_keyboard_interactive(t->auth);
}

void transport_auth_answers(struct transport *t, const struct bytes *answers, size_t n)
{
    if (may_ask_auth(t))
        auth_answers(t->auth, answers, n);
}

void transport_auth_decide(struct transport *t, bool accept)
{
    if (!may_ask_auth(t))
        return;
    auth_decide(t->auth, accept);
    if (t->fault.code == ERR_OK && !t->has_login && auth_done(t->auth))
        (void)engine_login(t);
}

/* ---- facts ----------------------------------------------------------------------------------- */

const struct fault *transport_fault(const struct transport *t)
{
    return &t->fault;
}

struct transport_algorithms transport_algorithms(const struct transport *t)
{
    return t->algorithms;
}

struct bytes transport_peer_ident(const struct transport *t)
{
    return (struct bytes){t->peer_ident, t->peer_ident_n};
}

struct bytes transport_session_id(const struct transport *t)
{
    return (struct bytes){t->session_id, t->session_id_n};
}

struct bytes transport_server_sig_algs(const struct transport *t)
{
    return (struct bytes){t->sig_algs, t->sig_algs_n};
}

struct bytes transport_host_key(const struct transport *t)
{
    return (struct bytes){t->host_key, t->host_key_n};
}

struct bytes transport_host_signature(const struct transport *t)
{
    return (struct bytes){t->host_signature, t->host_signature_n};
}

struct transport_counts transport_counts(const struct transport *t)
{
    return t->counts;
}
