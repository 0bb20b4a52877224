/* What becomes of each payload: judged by the one table (phase.h), then handled here, in the key
 * exchange, or in user authentication. */
#include <inttypes.h>

#include "proto/text.h"
#include "transport/engine.h"

static enum err malformed(struct transport *t, uint8_t number)
{
    return engine_fault(t, ERR_MALFORMED, "malformed %s", msg_name(number));
}

static struct wire_reader body(struct bytes payload)
{
    return wire_reader((struct bytes){payload.p + 1, payload.n - 1});
}

/* Its description is shown to people, so more than a screen of it is cut. After it nothing is read:
 * RFC 4253 section 11.1. */
static enum err on_disconnect(struct transport *t, struct bytes payload)
{
    struct wire_reader r = body(payload);
    struct msg_disconnect m;
    if (msg_disconnect_decode(&r, &m) != ERR_OK)
        m = (struct msg_disconnect){.reason = 0};
    if (m.description.n > DISCONNECT_TEXT_MAX)
        m.description.n = DISCONNECT_TEXT_MAX;
    char text[120];
    text_escape(text, sizeof text, m.description, TEXT_LINE);
    t->by_peer = true;
    t->last_words = m.description;
    return engine_fault(t, ERR_CLOSED, "peer ended the connection %s: %s (reason %" PRIu32 ")",
        phase_text(t->phase), m.description.n > 0 ? text : "no explanation", m.reason);
}

static enum err on_ignore(struct transport *t, struct bytes payload)
{
    struct wire_reader r = body(payload);
    struct msg_ignore m;
    return msg_ignore_decode(&r, &m) == ERR_OK ? ERR_OK : malformed(t, MSG_IGNORE);
}

static enum err on_debug(struct transport *t, struct bytes payload)
{
    struct wire_reader r = body(payload);
    struct msg_debug m;
    if (msg_debug_decode(&r, &m) != ERR_OK)
        return malformed(t, MSG_DEBUG);
    engine_emit(t, (struct transport_event){
                       .type = TRANSPORT_DEBUG,
                       .text = m.message,
                       .always_display = m.always_display,
                   });
    return ERR_OK;
}

/* About a message of a layer above there is nothing to do: it asked for no reply, or the reply will
 * be missed there. Without the key exchange nothing can go on. */
static enum err on_unimplemented(struct transport *t, struct bytes payload)
{
    struct wire_reader r = body(payload);
    struct msg_unimplemented m;
    if (msg_unimplemented_decode(&r, &m) != ERR_OK)
        return malformed(t, MSG_UNIMPLEMENTED);
    uint32_t since = t->tx.seq - t->kex_first_seq; /* sequence numbers wrap: compare distances */
    if (t->tx.is_holding && m.sequence - t->kex_first_seq < since)
        return engine_fault(t, ERR_KEX, "peer does not implement our key exchange message");
    return ERR_OK;
}

/* OpenSSH PROTOCOL section 1.9. Before login nothing is owed; a PONG in a key exchange of ours
 * waits with everything else. */
static enum err on_ping(struct transport *t, struct bytes payload)
{
    struct wire_reader r = body(payload);
    struct msg_ping m;
    if (msg_ping_decode(&r, &m) != ERR_OK)
        return malformed(t, MSG_PING);
    if (!t->has_login)
        return ERR_OK;
    struct packet_sink sink = transport_sink(t);
    uint8_t *slot = sink.control_slot(t, payload.n);
    if (slot == NULL)
        return t->fault.code;
    struct wire_writer w = wire_writer(slot, payload.n);
    msg_ping_encode(&w, MSG_PONG, &m);
    sink.commit(t, w.len);
    return t->fault.code;
}

static enum err on_auth(struct transport *t, struct bytes payload)
{
    if (t->has_login) /* a late request: RFC 4252 section 5.1 */
        return ERR_OK;
    if (auth_packet(t->auth, payload) != ERR_OK)
        return t->fault.code;
    return auth_done(t->auth) ? engine_login(t) : ERR_OK;
}

static enum err send_unimplemented(struct transport *t)
{
    uint8_t m[5] = {MSG_UNIMPLEMENTED};
    store_be32(m + 1, t->rx.seq - 1); /* the packet just taken */
    return tx_packet(t, (struct bytes){m, sizeof m});
}

/* RFC 4253 section 7.1: the packet behind a KEXINIT that guessed wrong is skipped, once. */
static enum err skip_guess(struct transport *t, uint8_t number)
{
    t->kex->skips_guess = false;
    if (number >= 30 && number <= 49)
        return ERR_OK;
    return engine_fault(
        t, ERR_PROTOCOL, "%s came where the peer had announced a guess", msg_name(number));
}

static enum err handle(struct transport *t, enum phase was, uint8_t number, struct bytes payload)
{
    switch (number) {
    case MSG_DISCONNECT: return on_disconnect(t, payload);
    case MSG_IGNORE: return on_ignore(t, payload);
    case MSG_UNIMPLEMENTED: return on_unimplemented(t, payload);
    case MSG_DEBUG: return on_debug(t, payload);
    case MSG_EXT_INFO: return ext_info_take(t, payload, was == PH_KEYED);
    case MSG_KEXINIT: return kex_on_kexinit(t, payload);
    case MSG_NEWKEYS: return kex_on_newkeys(t, payload);
    case MSG_KEX_ECDH_INIT:
    case MSG_KEX_GEX_INIT: return kex_server_on_init(t, payload);
    case MSG_KEX_ECDH_REPLY: /* or GEX_GROUP */
        return was & PH_ANY_GEX ? kex_gex_on_group(t, payload) : kex_client_on_reply(t, payload);
    case MSG_KEX_GEX_REPLY: return kex_client_on_reply(t, payload);
    case MSG_KEX_GEX_REQUEST: return kex_gex_on_request(t, payload);
    case MSG_PING: return on_ping(t, payload);
    case MSG_PONG: return ERR_OK; /* we send no PING; harmless */
    default: return on_auth(t, payload);
    }
}

enum err packet_take(struct transport *t, struct bytes payload)
{
    uint8_t number = payload.p[0];
    if (t->kex != NULL && t->kex->skips_guess && number != MSG_DISCONNECT)
        return skip_guess(t, number);
    enum phase was = t->phase;
    switch (phase_judge(t->config.role, was, number)) {
    case VERDICT_REFUSE:
        return engine_fault(t, ERR_PROTOCOL, "%s is not allowed %s%s", msg_name(number),
            phase_text(was), t->is_strict && !t->has_first_keys ? " (strict)" : "");
    case VERDICT_UNIMPLEMENTED:
        if (was == PH_KEYED)
            t->phase = PH_AUTH;
        return send_unimplemented(t);
    case VERDICT_TAKE: break;
    }
    if (was == PH_KEYED)
        t->phase = PH_AUTH;
    return handle(t, was, number, payload);
}
