#include "channel/chan.h"

#include "channel/mux.h"

#include <string.h>

/* In which states of the peer's stream a message may come; any other is a protocol error. CLOSE is
 * the last word (RFC 4254 section 5.3), so HALF_CLOSED stands nowhere. After EOF only data is
 * wrong; a second EOF says nothing new and some implementations send it, so it may come.
 *
 * Our own stream does not matter here: what crosses with our CLOSE on the way is legal.
 * WINDOW_ADJUST behind the peer's CLOSE is passed over before it comes here (window.c). */
static const uint8_t accepted_in[] = {
    [MSG_CHANNEL_OPEN_CONFIRMATION - MSG_CHANNEL_OPEN] = HALF_ASKED,
    [MSG_CHANNEL_OPEN_FAILURE - MSG_CHANNEL_OPEN] = HALF_ASKED,
    [MSG_CHANNEL_WINDOW_ADJUST - MSG_CHANNEL_OPEN] = HALF_OPEN | HALF_EOF,
    [MSG_CHANNEL_DATA - MSG_CHANNEL_OPEN] = HALF_OPEN,
    [MSG_CHANNEL_EXTENDED_DATA - MSG_CHANNEL_OPEN] = HALF_OPEN,
    [MSG_CHANNEL_EOF - MSG_CHANNEL_OPEN] = HALF_OPEN | HALF_EOF,
    [MSG_CHANNEL_CLOSE - MSG_CHANNEL_OPEN] = HALF_OPEN | HALF_EOF,
    [MSG_CHANNEL_REQUEST - MSG_CHANNEL_OPEN] = HALF_OPEN | HALF_EOF,
    [MSG_CHANNEL_SUCCESS - MSG_CHANNEL_OPEN] = HALF_OPEN | HALF_EOF,
    [MSG_CHANNEL_FAILURE - MSG_CHANNEL_OPEN] = HALF_OPEN | HALF_EOF,
};

void chan_init(struct chan *c, enum half asked_or_owed, void *user)
{
    memset(c, 0, sizeof *c);
    c->in = c->out = (uint8_t)asked_or_owed;
    c->user = user;
    c->recv_target = MUX_WINDOW_BYTES;
}

bool chan_accepts(const struct chan *c, uint8_t number)
{
    if (number < MSG_CHANNEL_OPEN || number - MSG_CHANNEL_OPEN >= (int)sizeof accepted_in)
        return false;
    return (accepted_in[number - MSG_CHANNEL_OPEN] & c->in) != 0;
}

void chan_opened(struct chan *c, uint32_t peer_id, uint32_t window, uint32_t max_packet)
{
    c->peer_id = peer_id;
    c->send_window = window;
    c->send_max = max_packet < MUX_PACKET_BYTES ? max_packet : MUX_PACKET_BYTES;
    c->in = c->out = HALF_OPEN;
}

bool chan_eof_in(struct chan *c)
{
    if (c->in != HALF_OPEN)
        return false;
    c->in = HALF_EOF;
    return true;
}

bool chan_close_in(struct chan *c)
{
    bool was_clean = c->in == HALF_EOF;
    c->in = HALF_CLOSED;
    return was_clean;
}

bool chan_eof_out(struct chan *c)
{
    if (c->out == HALF_ASKED || c->out == HALF_OWED)
        c->eof_later = true;
    if (c->out != HALF_OPEN)
        return false;
    c->out = HALF_EOF;
    return c->in != HALF_CLOSED; /* one that has closed does not want to know */
}

bool chan_close_out(struct chan *c)
{
    if (c->out == HALF_ASKED)
        c->close_later = true; /* CLOSE needs the peer's number, which only its answer tells */
    if (c->out != HALF_OPEN && c->out != HALF_EOF)
        return false;
    c->out = HALF_CLOSED;
    return true;
}

bool chan_is_live(const struct chan *c)
{
    return ((c->in | c->out) & ~(HALF_OPEN | HALF_EOF)) == 0;
}

bool chan_may_send(const struct chan *c)
{
    return c->out == HALF_OPEN && c->in != HALF_CLOSED;
}

bool chan_is_over(const struct chan *c)
{
    return c->in == HALF_CLOSED && c->out == HALF_CLOSED;
}
