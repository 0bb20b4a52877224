/* The messages of RFC 4254: global requests, channels, and the type-specific parts of them that
 * port forwarding and sessions use. */
#include "proto/msg.h"

/* Ports travel as uint32. They are compared before anyone can narrow them: 65558 must not become
 * port 22. */
enum { PORT_MAX = 65535 };

/* RFC 4254 section 4 */
enum err msg_global_request_decode(struct wire_reader *r, struct msg_global_request *m)
{
    m->name = wire_string(r);
    m->want_reply = wire_bool(r);
    m->rest = wire_rest(r);
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_global_request_encode(struct wire_writer *w, const struct msg_global_request *m)
{
    wire_put_u8(w, MSG_GLOBAL_REQUEST);
    wire_put_string(w, m->name);
    wire_put_bool(w, m->want_reply);
    wire_put_raw(w, m->rest);
}

/* RFC 4254 section 5.1, as are its two answers */
enum err msg_channel_open_decode(struct wire_reader *r, struct msg_channel_open *m)
{
    m->type = wire_string(r);
    m->sender = wire_u32(r);
    m->window = wire_u32(r);
    m->max_packet = wire_u32(r);
    m->rest = wire_rest(r);
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_channel_open_encode(struct wire_writer *w, const struct msg_channel_open *m)
{
    wire_put_u8(w, MSG_CHANNEL_OPEN);
    wire_put_string(w, m->type);
    wire_put_u32(w, m->sender);
    wire_put_u32(w, m->window);
    wire_put_u32(w, m->max_packet);
    wire_put_raw(w, m->rest);
}

enum err msg_open_confirmation_decode(struct wire_reader *r, struct msg_open_confirmation *m)
{
    m->recipient = wire_u32(r);
    m->sender = wire_u32(r);
    m->window = wire_u32(r);
    m->max_packet = wire_u32(r);
    m->rest = wire_rest(r);
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_open_confirmation_encode(struct wire_writer *w, const struct msg_open_confirmation *m)
{
    wire_put_u8(w, MSG_CHANNEL_OPEN_CONFIRMATION);
    wire_put_u32(w, m->recipient);
    wire_put_u32(w, m->sender);
    wire_put_u32(w, m->window);
    wire_put_u32(w, m->max_packet);
    wire_put_raw(w, m->rest);
}

enum err msg_open_failure_decode(struct wire_reader *r, struct msg_open_failure *m)
{
    m->recipient = wire_u32(r);
    m->reason = wire_u32(r);
    m->description = wire_string(r);
    (void)wire_string(r); /* language tag */
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_open_failure_encode(struct wire_writer *w, const struct msg_open_failure *m)
{
    wire_put_u8(w, MSG_CHANNEL_OPEN_FAILURE);
    wire_put_u32(w, m->recipient);
    wire_put_u32(w, m->reason);
    wire_put_string(w, m->description);
    wire_put_cstring(w, "");
}

/* RFC 4254 section 5.2, as is the data */
enum err msg_window_adjust_decode(struct wire_reader *r, struct msg_window_adjust *m)
{
    m->recipient = wire_u32(r);
    m->add = wire_u32(r);
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_window_adjust_encode(struct wire_writer *w, const struct msg_window_adjust *m)
{
    wire_put_u8(w, MSG_CHANNEL_WINDOW_ADJUST);
    wire_put_u32(w, m->recipient);
    wire_put_u32(w, m->add);
}

enum err msg_channel_data_decode(struct wire_reader *r, struct msg_channel_data *m)
{
    m->recipient = wire_u32(r);
    m->data = wire_string(r);
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_channel_data_encode(struct wire_writer *w, const struct msg_channel_data *m)
{
    wire_put_u8(w, MSG_CHANNEL_DATA);
    wire_put_u32(w, m->recipient);
    wire_put_string(w, m->data);
}

enum err msg_extended_data_decode(struct wire_reader *r, struct msg_extended_data *m)
{
    m->recipient = wire_u32(r);
    m->code = wire_u32(r);
    m->data = wire_string(r);
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_extended_data_encode(struct wire_writer *w, const struct msg_extended_data *m)
{
    wire_put_u8(w, MSG_CHANNEL_EXTENDED_DATA);
    wire_put_u32(w, m->recipient);
    wire_put_u32(w, m->code);
    wire_put_string(w, m->data);
}

/* RFC 4254 section 5.3 (EOF, CLOSE) and 5.4 (SUCCESS, FAILURE) */
enum err msg_channel_id_decode(struct wire_reader *r, struct msg_channel_id *m)
{
    m->recipient = wire_u32(r);
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_channel_id_encode(struct wire_writer *w, uint8_t number, const struct msg_channel_id *m)
{
    wire_put_u8(w, number);
    wire_put_u32(w, m->recipient);
}

/* RFC 4254 section 5.4 */
enum err msg_channel_request_decode(struct wire_reader *r, struct msg_channel_request *m)
{
    m->recipient = wire_u32(r);
    m->name = wire_string(r);
    m->want_reply = wire_bool(r);
    m->rest = wire_rest(r);
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_channel_request_encode(struct wire_writer *w, const struct msg_channel_request *m)
{
    wire_put_u8(w, MSG_CHANNEL_REQUEST);
    wire_put_u32(w, m->recipient);
    wire_put_string(w, m->name);
    wire_put_bool(w, m->want_reply);
    wire_put_raw(w, m->rest);
}

/* ---- Type-specific parts ----------------------------------------------------------------- */

/* RFC 4254 section 7.2 */
enum err msg_tcpip_open_decode(struct wire_reader *r, struct msg_tcpip_open *m)
{
    m->host = wire_string(r);
    m->port = wire_u32(r);
    m->from_host = wire_string(r);
    m->from_port = wire_u32(r);
    return wire_done(r) && m->port <= PORT_MAX && m->from_port <= PORT_MAX ? ERR_OK : ERR_MALFORMED;
}

void msg_tcpip_open_encode(struct wire_writer *w, const struct msg_tcpip_open *m)
{
    wire_put_string(w, m->host);
    wire_put_u32(w, m->port);
    wire_put_string(w, m->from_host);
    wire_put_u32(w, m->from_port);
}

/* RFC 4254 section 7.1 */
enum err msg_tcpip_forward_decode(struct wire_reader *r, struct msg_tcpip_forward *m)
{
    m->address = wire_string(r);
    m->port = wire_u32(r);
    return wire_done(r) && m->port <= PORT_MAX ? ERR_OK : ERR_MALFORMED;
}

void msg_tcpip_forward_encode(struct wire_writer *w, const struct msg_tcpip_forward *m)
{
    wire_put_string(w, m->address);
    wire_put_u32(w, m->port);
}

/* RFC 4254 section 6.2 */
enum err msg_pty_req_decode(struct wire_reader *r, struct msg_pty_req *m)
{
    m->term = wire_string(r);
    m->columns = wire_u32(r);
    m->rows = wire_u32(r);
    m->width_px = wire_u32(r);
    m->height_px = wire_u32(r);
    m->modes = wire_string(r);
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_pty_req_encode(struct wire_writer *w, const struct msg_pty_req *m)
{
    wire_put_string(w, m->term);
    wire_put_u32(w, m->columns);
    wire_put_u32(w, m->rows);
    wire_put_u32(w, m->width_px);
    wire_put_u32(w, m->height_px);
    wire_put_string(w, m->modes);
}

/* RFC 4254 section 6.7 */
enum err msg_window_change_decode(struct wire_reader *r, struct msg_window_change *m)
{
    m->columns = wire_u32(r);
    m->rows = wire_u32(r);
    m->width_px = wire_u32(r);
    m->height_px = wire_u32(r);
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_window_change_encode(struct wire_writer *w, const struct msg_window_change *m)
{
    wire_put_u32(w, m->columns);
    wire_put_u32(w, m->rows);
    wire_put_u32(w, m->width_px);
    wire_put_u32(w, m->height_px);
}

/* RFC 4254 section 6.10 */
enum err msg_exit_signal_decode(struct wire_reader *r, struct msg_exit_signal *m)
{
    m->signal = wire_string(r);
    m->core_dumped = wire_bool(r);
    m->message = wire_string(r);
    (void)wire_string(r); /* language tag */
    return wire_done(r) ? ERR_OK : ERR_MALFORMED;
}

void msg_exit_signal_encode(struct wire_writer *w, const struct msg_exit_signal *m)
{
    wire_put_string(w, m->signal);
    wire_put_bool(w, m->core_dumped);
    wire_put_string(w, m->message);
    wire_put_cstring(w, "");
}
