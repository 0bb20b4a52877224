/* Bytes out: packets built and sealed where they will be written from (RFC 4253 section 6), and
 * the sink of packet_sink.h.
 *
 *     0 ... head: written   head ... tail: sealed   tail: the next packet's length word
 *
 * The payload of a packet stands TX_HEAD bytes behind its start. With minimal padding its sealed
 * length follows from its payload's, so the places of several packets are known before any is
 * built. */
#include <string.h>

#include "crypto/ct.h"
#include "transport/engine.h"

/* Minimal; but while a client logs in its packets come in few sizes, since the length of what holds
 * a password, or an answer, would tell how long that is. */
static size_t padding_for(const struct transport *t, size_t payload_bytes)
{
    const struct packet_cipher *c = t->tx.cipher;
    bool is_telling = t->config.role == ROLE_CLIENT && t->has_first_keys && !t->has_login;
    size_t block = is_telling ? TX_LOGIN_STEP : packet_cipher_block(c);
    size_t sum = 1 + payload_bytes + (packet_cipher_length_is_outside(c) ? 0u : 4u);
    size_t padding = block - sum % block;
    return padding < 4 ? padding + block : padding; /* RFC 4253 section 6: at least four */
}

static size_t sealed_bytes(const struct transport *t, size_t payload_bytes)
{
    return TX_HEAD + payload_bytes + padding_for(t, payload_bytes) +
           packet_cipher_tag(t->tx.cipher);
}

size_t transport_backlog(const struct transport *t)
{
    return t->tx.tail - t->tx.head;
}

const uint8_t *transport_tx(struct transport *t, size_t *n)
{
    engine_end(t);
    rekey_if_due(t);
    *n = transport_backlog(t);
    return *n > 0 ? t->tx.buf.p + t->tx.head : NULL;
}

void transport_tx_done(struct transport *t, size_t n)
{
    struct tx *tx = &t->tx;
    size_t backlog = transport_backlog(t);
    tx->head += n < backlog ? n : backlog;
    if (tx->head == tx->tail)
        tx->head = tx->tail = 0;
}

/* ---- room ------------------------------------------------------------------------------------ */

/* Room for need bytes behind tail. Bytes are moved to the front only when more were written than
 * are waiting, so that each is moved once at most; else the buffer grows. */
static bool make_room(struct transport *t, size_t need)
{
    struct tx *tx = &t->tx;
    size_t live = tx->tail - tx->head;
    if (tx->buf.cap - tx->tail >= need)
        return true;
    if (tx->head >= live && tx->buf.cap - live >= need) {
        if (live > 0)
            memmove(tx->buf.p, tx->buf.p + tx->head, live);
    } else {
        size_t cap = tx->buf.cap == 0 ? TX_CAP_FIRST : 2 * tx->buf.cap;
        if (!growbuf_move(&tx->buf, tx->head, live, cap > live + need ? cap : live + need)) {
            (void)engine_fault(t, ERR_NOMEM, "no memory to send from");
            return false;
        }
    }
    tx->head = 0;
    tx->tail = live;
    return true;
}

enum err tx_raw(struct transport *t, struct bytes b)
{
    if (!make_room(t, b.n))
        return t->fault.code;
    memcpy(t->tx.buf.p + t->tx.tail, b.p, b.n);
    t->tx.tail += b.n;
    t->counts.bytes_out += b.n;
    return ERR_OK;
}

/* ---- sealing --------------------------------------------------------------------------------- */

/* Padding is drawn from a pool and never used twice; a system call for each packet would cost more
 * than its encryption. */
static void put_padding(struct transport *t, uint8_t *out, size_t n)
{
    struct tx *tx = &t->tx;
    if (tx->n_pool < n) {
        rng_bytes(t->config.rng, tx->pool, sizeof tx->pool);
        tx->n_pool = sizeof tx->pool;
    }
    tx->n_pool -= n;
    memcpy(out, tx->pool + tx->n_pool, n);
}

/* Seals the packet whose payload of n bytes stands behind tail. */
static void seal(struct transport *t, size_t n)
{
    struct tx *tx = &t->tx;
    if (tx->key_packets >= LAST_PACKET - 1) { /* only a peer that never answers KEXINIT gets here */
        (void)engine_fault(t, ERR_LIMIT, "2^32 packets would be sent under one key");
        return;
    }
    uint8_t *p = tx->buf.p + tx->tail;
    size_t padding = padding_for(t, n);
    uint32_t packet_length = (uint32_t)(1 + n + padding);
    store_be32(p, packet_length);
    p[4] = (uint8_t)padding;
    put_padding(t, p + TX_HEAD + n, padding);
    packet_cipher_seal(tx->cipher, tx->seq, p, packet_length);

    size_t total = 4 + (size_t)packet_length + packet_cipher_tag(tx->cipher);
    tx->tail += total;
    tx->seq++;
    tx->key_packets++;
    tx->key_bytes += total;
    t->counts.packets_out++;
    t->counts.bytes_out += total;
    t->is_used = true;
    rekey_count(t, tx->cipher, tx->key_bytes, tx->key_packets);
}

/* Deflates payload into place and seals it. */
static void deflate_and_seal(struct transport *t, struct bytes payload)
{
    struct tx *tx = &t->tx;
    size_t bound = zstream_deflate_bound(tx->deflate, payload.n);
    if (!make_room(t, TX_HEAD + bound + TX_PADDING_MAX + TX_TAG_MAX))
        return;
    size_t n = 0;
    enum err e = zstream_deflate(tx->deflate, payload, tx->buf.p + tx->tail + TX_HEAD, bound, &n);
    if (e == ERR_OK)
        seal(t, n);
    else
        (void)engine_fault(t, e, "cannot compress a packet");
}

void tx_set_cipher(struct transport *t, struct packet_cipher *c)
{
    struct tx *tx = &t->tx;
    packet_cipher_free(tx->cipher);
    zstream_free(tx->deflate);
    tx->deflate = NULL;
    tx->cipher = c;
    tx->key_bytes = tx->key_packets = 0;
    if (t->is_strict)
        tx->seq = 0;
}

void tx_free(struct tx *tx)
{
    growbuf_free(&tx->buf);
    growbuf_free(&tx->scratch);
    growbuf_free(&tx->held);
    packet_cipher_free(tx->cipher);
    zstream_free(tx->deflate);
    secure_wipe(tx, sizeof *tx);
}

/* ---- slots ----------------------------------------------------------------------------------- */

/* data_slot: nth places of one size; all others: one. */
static uint8_t *grant(
    struct tx *tx, enum slot_kind kind, size_t payload_bytes, unsigned n_slots, uint8_t *place)
{
    tx->slot = kind;
    tx->slot_bytes = payload_bytes;
    tx->n_slots = n_slots;
    return place;
}

static uint8_t *packet_slot(struct transport *t, size_t payload_bytes)
{
    struct tx *tx = &t->tx;
    if (!make_room(t, sealed_bytes(t, payload_bytes)))
        return NULL;
    return grant(tx, SLOT_PACKET, payload_bytes, 1, tx->buf.p + tx->tail + TX_HEAD);
}

static uint8_t *scratch_slot(struct transport *t, size_t payload_bytes)
{
    struct tx *tx = &t->tx;
    if (!growbuf_need(&tx->scratch, 0, payload_bytes, TX_PAYLOAD_MAX)) {
        (void)engine_fault(t, ERR_NOMEM, "no memory to compress from");
        return NULL;
    }
    return grant(tx, SLOT_SCRATCH, payload_bytes, 1, tx->scratch.p);
}

/* What the peer does not read, or makes us owe in a key exchange it does not finish, is bounded
 * (OpenSSH CVE-2025-26466, Dropbear 2026): the connection ends. */
static uint8_t *held_slot(struct transport *t, size_t payload_bytes)
{
    struct tx *tx = &t->tx;
    size_t need = tx->n_held + sizeof(size_t) + payload_bytes;
    if (need > TX_HELD_LIMIT) {
        (void)engine_fault(t, ERR_LIMIT,
            "more than %d bytes to send were held back by a key exchange", TX_HELD_LIMIT);
        return NULL;
    }
    if (!growbuf_need(&tx->held, tx->n_held, need, TX_HELD_LIMIT)) {
        (void)engine_fault(t, ERR_NOMEM, "no memory to hold packets back");
        return NULL;
    }
    uint8_t *place = tx->held.p + tx->n_held + sizeof(size_t);
    return grant(tx, SLOT_HELD, payload_bytes, 1, place);
}

/* A slot that no fault and no key exchange stands before. */
static uint8_t *open_slot(struct transport *t, size_t payload_bytes)
{
    t->tx.slot = SLOT_NONE;
    return t->tx.deflate != NULL ? scratch_slot(t, payload_bytes) : packet_slot(t, payload_bytes);
}

static bool may_send(struct transport *t, size_t payload_bytes)
{
    t->tx.slot = SLOT_NONE;
    if (payload_bytes > TX_PAYLOAD_MAX)
        (void)engine_fault(t, ERR_INTERNAL, "a payload of %zu bytes is too long", payload_bytes);
    else if (transport_backlog(t) > TX_OWED_LIMIT)
        (void)engine_fault(
            t, ERR_LIMIT, "peer does not take the %d bytes it is owed", TX_OWED_LIMIT);
    return t->fault.code == ERR_OK;
}

static void hold(struct tx *tx, size_t n)
{
    memcpy(tx->held.p + tx->n_held, &n, sizeof n);
    tx->n_held += sizeof n + n;
}

static void close_slot(struct transport *t, size_t n)
{
    struct tx *tx = &t->tx;
    enum slot_kind kind = tx->slot;
    if (kind == SLOT_NONE || n == 0 || n > tx->slot_bytes) {
        (void)engine_fault(t, ERR_INTERNAL, "%zu bytes were committed to no slot for them", n);
        return;
    }
    if (--tx->n_slots == 0)
        tx->slot = SLOT_NONE;
    if (kind == SLOT_PACKET)
        seal(t, n);
    else if (kind == SLOT_SCRATCH)
        deflate_and_seal(t, (struct bytes){tx->scratch.p, n});
    else
        hold(tx, n);
}

/* ---- the transport's own packets ------------------------------------------------------------- */

uint8_t *tx_begin(struct transport *t, size_t payload_bytes)
{
    return may_send(t, payload_bytes) ? open_slot(t, payload_bytes) : NULL;
}

void tx_end(struct transport *t, size_t payload_bytes)
{
    close_slot(t, payload_bytes);
}

enum err tx_packet(struct transport *t, struct bytes payload)
{
    uint8_t *slot = tx_begin(t, payload.n);
    if (slot == NULL)
        return t->fault.code;
    memcpy(slot, payload.p, payload.n);
    tx_end(t, payload.n);
    return t->fault.code;
}

void tx_last_packet(struct transport *t, struct bytes payload)
{
    uint8_t *slot = open_slot(t, payload.n);
    if (slot == NULL)
        return;
    memcpy(slot, payload.p, payload.n);
    close_slot(t, payload.n);
}

enum err tx_release(struct transport *t)
{
    struct tx *tx = &t->tx;
    tx->is_holding = false;
    size_t at = 0;
    while (at < tx->n_held && t->fault.code == ERR_OK) {
        size_t n;
        memcpy(&n, tx->held.p + at, sizeof n);
        (void)tx_packet(t, (struct bytes){tx->held.p + at + sizeof n, n});
        at += sizeof n + n;
    }
    tx->n_held = 0;
    growbuf_free(&tx->held);
    return t->fault.code;
}

/* ---- the sink -------------------------------------------------------------------------------- */

/* Where little may wait packets are short too: half of it, with head and tag. */
static size_t data_slack(const struct tx *tx)
{
    size_t half = tx->data_limit / 2 + TX_PACKET_EXTRA;
    return half < TX_DATA_SLACK ? half : TX_DATA_SLACK;
}

void transport_set_backlog(struct transport *t, size_t bytes)
{
    size_t least = bytes > TX_BACKLOG_LEAST ? bytes : TX_BACKLOG_LEAST;
    t->tx.data_limit = least < TX_BACKLOG_MOST ? least : TX_BACKLOG_MOST;
}

static bool sink_congested(void *engine)
{
    const struct transport *t = engine;
    return t->fault.code != ERR_OK || !t->has_login || t->tx.is_holding ||
           transport_backlog(t) + data_slack(&t->tx) > t->tx.data_limit;
}

static uint8_t *sink_data_slot(void *engine, size_t payload_bytes, unsigned nth)
{
    struct transport *t = engine;
    struct tx *tx = &t->tx;
    if (nth == 0) {
        rekey_if_due(t);
        tx->slot = SLOT_NONE;
    }
    if (sink_congested(t) || payload_bytes > TX_PAYLOAD_MAX)
        return NULL;
    size_t each = sealed_bytes(t, payload_bytes);
    if (nth >= (tx->data_limit - transport_backlog(t)) / each)
        return NULL;
    if (tx->deflate != NULL) /* a packet's length is known once it is deflated: one at a time */
        return nth == 0 ? open_slot(t, payload_bytes) : NULL;

    size_t need = (nth + 1) * each; /* at most data_limit */
    if (nth == 0) {
        need = tx->wanted > need ? tx->wanted : need;
        tx->wanted = 0;
        if (!make_room(t, need))
            return NULL;
    } else if (tx->buf.cap - tx->tail < need) {
        tx->wanted = need; /* nothing may move now that places were given out: next time */
        return NULL;
    }
    return grant(
        tx, SLOT_PACKET, payload_bytes, nth + 1, tx->buf.p + tx->tail + nth * each + TX_HEAD);
}

static uint8_t *sink_control_slot(void *engine, size_t payload_bytes)
{
    struct transport *t = engine;
    if (t->fault.code != ERR_OK || !may_send(t, payload_bytes))
        return NULL;
    return t->tx.is_holding ? held_slot(t, payload_bytes) : open_slot(t, payload_bytes);
}

static void sink_commit(void *engine, size_t payload_bytes)
{
    struct transport *t = engine;
    if (t->fault.code == ERR_OK)
        close_slot(t, payload_bytes);
}

struct packet_sink transport_sink(struct transport *t)
{
    return (struct packet_sink){
        .engine = t,
        .data_slot = sink_data_slot,
        .control_slot = sink_control_slot,
        .commit = sink_commit,
        .congested = sink_congested,
    };
}

void transport_send_ignore(struct transport *t, size_t n_bytes)
{
    size_t n = 1 + 4 + n_bytes;
    if (!t->has_login || n_bytes > TX_PAYLOAD_MAX - 5)
        return;
    uint8_t *slot = sink_control_slot(t, n);
    if (slot == NULL)
        return;
    slot[0] = MSG_IGNORE;
    store_be32(slot + 1, (uint32_t)n_bytes);
    rng_bytes(t->config.rng, slot + 5, n_bytes);
    sink_commit(t, n);
}
