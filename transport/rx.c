/* Bytes in: the receive buffer, and packets opened in place (RFC 4253 section 6). */
#include <inttypes.h>
#include <string.h>

#include "transport/engine.h"

/* The smallest packet: padding_length and four bytes of padding. */
enum { PACKET_LENGTH_MIN = 5, PADDING_MIN = 4 };

/* ---- room to read into ----------------------------------------------------------------------- */

static bool grow(struct rx *rx, size_t max)
{
    size_t live = rx->end - rx->start;
    size_t cap = rx->buf.cap == 0 ? RX_CAP_FIRST : 2 * rx->buf.cap;
    if (!growbuf_move(&rx->buf, rx->start, live, cap < max ? cap : max))
        return false;
    rx->start = 0;
    rx->end = live;
    rx->is_filled = false;
    return true;
}

/* Grows after a read that took all the room, so buffers follow what arrives and not what a length
 * word promises. Else bytes are moved only when less than half of the buffer is left to read to;
 * what is moved then is mostly the head of one packet. */
static bool make_room(struct transport *t)
{
    struct rx *rx = &t->rx;
    size_t max = t->has_login ? RX_CAP_OPEN : RX_CAP_LOGIN;
    size_t live = rx->end - rx->start;
    if (rx->buf.cap == 0 || (rx->is_filled && rx->buf.cap < max)) {
        if (!grow(rx, max))
            (void)engine_fault(t, ERR_NOMEM, "no memory to receive into");
        return t->fault.code == ERR_OK;
    }
    if (live == 0) {
        rx->start = rx->end = 0;
    } else if (rx->start > 0 && rx->buf.cap - rx->end < rx->buf.cap / 2) {
        memmove(rx->buf.p, rx->buf.p + rx->start, live);
        rx->start = 0;
        rx->end = live;
    }
    return true;
}

uint8_t *transport_rx_space(struct transport *t, size_t *room)
{
    struct rx *rx = &t->rx;
    *room = rx->room = 0;
    if (t->fault.code != ERR_OK || t->is_eof || transport_backlog(t) > TX_STOP_READING ||
        !make_room(t))
        return NULL;
    *room = rx->room = rx->buf.cap - rx->end;
    return rx->room > 0 ? rx->buf.p + rx->end : NULL;
}

void transport_rx_commit(struct transport *t, size_t n, uint64_t now_ms)
{
    struct rx *rx = &t->rx;
    transport_tick(t, now_ms);
    if (t->fault.code != ERR_OK)
        return;
    if (n > rx->room) {
        (void)engine_fault(t, ERR_INTERNAL, "more bytes were read than there was room for");
        return;
    }
    rx->is_filled = n == rx->room;
    rx->room -= n;
    rx->end += n;
    t->counts.bytes_in += n;
    if (!t->has_login && t->counts.bytes_in > LOGIN_BYTES)
        (void)engine_fault(t, ERR_LIMIT, "peer sent more than %d bytes before login", LOGIN_BYTES);
}

void transport_rx_eof(struct transport *t)
{
    t->is_eof = true; /* what has arrived is still looked at: transport_next() */
}

void rx_free(struct rx *rx)
{
    growbuf_free(&rx->buf);
    growbuf_free(&rx->plain);
    packet_cipher_free(rx->cipher);
    zstream_free(rx->inflate);
}

void rx_set_cipher(struct transport *t, struct packet_cipher *c)
{
    struct rx *rx = &t->rx;
    packet_cipher_free(rx->cipher);
    zstream_free(rx->inflate);
    rx->inflate = NULL;
    rx->cipher = c;
    rx->key_bytes = rx->key_packets = 0;
    if (t->is_strict)
        rx->seq = 0;
}

/* ---- packets --------------------------------------------------------------------------------- */

/* What is wrong with a protected packet is not told: whoever tampers with one must not learn how
 * far it got. Before NEWKEYS there is nothing to hide, and a clear word helps. */
static enum rx_status refuse(struct transport *t, const char *what, uint32_t value)
{
    if (t->rx.cipher == packet_cipher_none())
        (void)engine_fault(
            t, ERR_MALFORMED, "bad packet %s: %s of %" PRIu32, phase_text(t->phase), what, value);
    else
        (void)engine_fault(t, ERR_MAC, "corrupted packet %s", phase_text(t->phase));
    return RX_FAULT;
}

/* RFC 4253 section 6: a multiple of the block; in AEAD and EtM formats the length word stands
 * outside of it. */
static bool is_whole_blocks(const struct packet_cipher *c, uint32_t packet_length)
{
    size_t sum = packet_length + (packet_cipher_length_is_outside(c) ? 0u : 4u);
    return sum % packet_cipher_block(c) == 0;
}

/* Learns the length of the packet at start. It is compared with its limits before anything else is
 * done with it. */
static enum rx_status read_length(struct transport *t)
{
    struct rx *rx = &t->rx;
    if (rx->packet_length != 0)
        return RX_PACKET;
    if (rx->end - rx->start < packet_cipher_lead(rx->cipher))
        return RX_MORE;
    uint32_t n = packet_cipher_open_length(rx->cipher, rx->seq, rx->buf.p + rx->start);
    uint32_t max = t->has_login ? RX_PACKET_OPEN : RX_PACKET_LOGIN;
    if (n < PACKET_LENGTH_MIN || n > max || !is_whole_blocks(rx->cipher, n))
        return refuse(t, "length", n);
    rx->packet_length = n;
    return RX_PACKET;
}

/* A sequence number is a nonce to some ciphers and what strict key exchange counts by: it must not
 * come back under one key, nor wrap in the first exchange (OpenSSH PROTOCOL section 1.10). */
static enum rx_status count_packet(struct transport *t, size_t total)
{
    struct rx *rx = &t->rx;
    rx->seq++;
    rx->key_packets++;
    rx->key_bytes += total;
    t->counts.packets_in++;
    t->is_used = true;
    rekey_count(t, rx->cipher, rx->key_bytes, rx->key_packets);
    if (rx->key_packets >= LAST_PACKET || (rx->seq == 0 && !t->has_first_keys))
        (void)engine_fault(t, ERR_LIMIT, "peer sent 2^32 packets under one key");
    else if (!t->has_login && ++t->n_login_packets > LOGIN_PACKETS)
        (void)engine_fault(
            t, ERR_LIMIT, "peer sent more than %d packets before login", LOGIN_PACKETS);
    return t->fault.code == ERR_OK ? RX_PACKET : RX_FAULT;
}

static enum rx_status inflate_payload(struct transport *t, struct bytes *payload)
{
    struct rx *rx = &t->rx;
    size_t limit = t->has_login ? RX_PACKET_OPEN : RX_PACKET_LOGIN;
    size_t n = 0;
    enum err e = zstream_inflate(rx->inflate, *payload, &rx->plain, limit, &n);
    *payload = (struct bytes){rx->plain.p, n};
    if (e == ERR_OK)
        return RX_PACKET;
    (void)engine_fault(t, e,
        e == ERR_LIMIT ? "packet inflates to more than %zu bytes"
                       : "packet does not inflate (limit %zu bytes)",
        limit);
    return RX_FAULT;
}

enum rx_status rx_packet(struct transport *t, struct bytes *payload)
{
    struct rx *rx = &t->rx;
    enum rx_status s = read_length(t);
    if (s != RX_PACKET)
        return s;
    uint32_t n = rx->packet_length;
    size_t total = 4 + (size_t)n + packet_cipher_tag(rx->cipher);
    if (rx->end - rx->start < total)
        return RX_MORE;

    uint8_t *p = rx->buf.p + rx->start;
    if (packet_cipher_open(rx->cipher, rx->seq, p, n) != ERR_OK)
        return refuse(t, "tag", 0);
    uint8_t padding = p[4];
    if (padding < PADDING_MIN || padding >= n)
        return refuse(t, "padding", padding);
    rx->start += total;
    rx->packet_length = 0;
    *payload = (struct bytes){p + 5, n - padding - 1u};
    s = count_packet(t, total);
    if (s == RX_PACKET && rx->inflate != NULL && payload->n > 0)
        s = inflate_payload(t, payload);
    if (s == RX_PACKET && payload->n == 0) {
        (void)engine_fault(t, ERR_MALFORMED, "empty packet %s", phase_text(t->phase));
        return RX_FAULT;
    }
    return s;
}
