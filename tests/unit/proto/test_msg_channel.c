#include "tests/unit/proto/exact.h"

#include <string.h>

EXACT_AGAIN(global_request)
EXACT_AGAIN(channel_open)
EXACT_AGAIN(open_confirmation)
EXACT_AGAIN(open_failure)
EXACT_AGAIN(window_adjust)
EXACT_AGAIN(channel_data)
EXACT_AGAIN(extended_data)
EXACT_AGAIN(channel_request)
EXACT_AGAIN(tcpip_open)
EXACT_AGAIN(tcpip_forward)
EXACT_AGAIN(pty_req)
EXACT_AGAIN(window_change)
EXACT_AGAIN(exit_signal)
EXACT_AGAIN_NUMBERED(channel_id, MSG_CHANNEL_EOF)

/* Words that differ in every byte, so that fields taken in the wrong order show. */
#define W1 "\x01\x02\x03\x04"
#define W2 "\x11\x12\x13\x14"
#define W3 "\x21\x22\x23\x24"
#define W4 "\xf1\xf2\xf3\xf4"

#define OPEN         "\0\0\0\7session" W1 W2 W3
#define CONFIRMATION W1 W2 W3 W4
#define FAILURE      W1 "\0\0\0\2\0\0\0\3why\0\0\0\0"
#define REQUEST      W1 "\0\0\0\5shell\1"
#define TCPIP        "\0\0\0\1h\0\0\0\x16\0\0\0\1f\0\0\xff\xff"
#define PTY          "\0\0\0\5xterm" W1 W2 W3 W4 "\0\0\0\1\0"
#define EXIT_SIGNAL  "\0\0\0\4TERM\1\0\0\0\2eh\0\0\0\0"

static void every_message_has_its_exact_length(void)
{
    static const struct exact messages[] = {
        {again_global_request, MSG_GLOBAL_REQUEST, BYTES_LIT("\0\0\0\2ka\1rest"), 4, true},
        {again_channel_open, MSG_CHANNEL_OPEN, BYTES_LIT(OPEN "rest"), 4, true},
        {again_open_confirmation, MSG_CHANNEL_OPEN_CONFIRMATION, BYTES_LIT(CONFIRMATION "r"), 1,
            true},
        {again_open_failure, MSG_CHANNEL_OPEN_FAILURE, BYTES_LIT(FAILURE), 0, false},
        {again_window_adjust, MSG_CHANNEL_WINDOW_ADJUST, BYTES_LIT(W1 W4), 0, false},
        {again_channel_data, MSG_CHANNEL_DATA, BYTES_LIT(W1 "\0\0\0\4data"), 0, false},
        {again_extended_data, MSG_CHANNEL_EXTENDED_DATA, BYTES_LIT(W1 "\0\0\0\1\0\0\0\3err"), 0,
            false},
        {again_channel_id, MSG_CHANNEL_EOF, BYTES_LIT(W4), 0, false},
        {again_channel_request, MSG_CHANNEL_REQUEST, BYTES_LIT(REQUEST "rest"), 4, true},
        {again_tcpip_open, EXACT_NO_NUMBER, BYTES_LIT(TCPIP), 0, false},
        {again_tcpip_forward, EXACT_NO_NUMBER, BYTES_LIT("\0\0\0\1*\0\0\0\x50"), 0, false},
        {again_pty_req, EXACT_NO_NUMBER, BYTES_LIT(PTY), 0, false},
        {again_window_change, EXACT_NO_NUMBER, BYTES_LIT(W1 W2 W3 W4), 0, false},
        {again_exit_signal, EXACT_NO_NUMBER, BYTES_LIT(EXIT_SIGNAL), 0, false},
    };
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++)
        exact_check(&messages[i]);
}

static void a_global_request_is_read_up_to_its_rest(void)
{
    struct msg_global_request m;
    struct wire_reader r = READER("\0\0\0\2ka\1rest");
    CU_ASSERT_EQUAL(msg_global_request_decode(&r, &m), ERR_OK);
    CU_ASSERT_TRUE(bytes_is(m.name, "ka") && m.want_reply && bytes_is(m.rest, "rest"));
}

static void an_open_and_its_answers_are_read_field_by_field(void)
{
    struct msg_channel_open open;
    struct wire_reader r = READER(OPEN "rest");
    CU_ASSERT_EQUAL(msg_channel_open_decode(&r, &open), ERR_OK);
    CU_ASSERT_TRUE(bytes_is(open.type, "session") && bytes_is(open.rest, "rest"));
    CU_ASSERT_TRUE(open.sender == 0x01020304 && open.window == 0x11121314);
    CU_ASSERT_EQUAL(open.max_packet, 0x21222324);

    struct msg_open_confirmation yes;
    r = READER(CONFIRMATION "rest");
    CU_ASSERT_EQUAL(msg_open_confirmation_decode(&r, &yes), ERR_OK);
    CU_ASSERT_TRUE(yes.recipient == 0x01020304 && yes.sender == 0x11121314);
    CU_ASSERT_TRUE(yes.window == 0x21222324 && yes.max_packet == 0xf1f2f3f4);
    CU_ASSERT_TRUE(bytes_is(yes.rest, "rest"));

    struct msg_open_failure no;
    r = READER(W1 "\0\0\0\2\0\0\0\3why\0\0\0\2en");
    CU_ASSERT_EQUAL(msg_open_failure_decode(&r, &no), ERR_OK);
    CU_ASSERT_TRUE(no.recipient == 0x01020304 && no.reason == OPEN_CONNECT_FAILED);
    CU_ASSERT_TRUE(bytes_is(no.description, "why"));
}

static void data_and_windows_are_read_field_by_field(void)
{
    struct msg_window_adjust adjust;
    struct wire_reader r = READER(W1 W4);
    CU_ASSERT_EQUAL(msg_window_adjust_decode(&r, &adjust), ERR_OK);
    CU_ASSERT_TRUE(adjust.recipient == 0x01020304 && adjust.add == 0xf1f2f3f4);

    struct msg_channel_data data;
    r = READER(W1 "\0\0\0\4data");
    CU_ASSERT_EQUAL(msg_channel_data_decode(&r, &data), ERR_OK);
    CU_ASSERT_TRUE(data.recipient == 0x01020304 && bytes_is(data.data, "data"));
    r = READER(W1 "\0\0\0\0");
    CU_ASSERT_EQUAL(msg_channel_data_decode(&r, &data), ERR_OK);
    CU_ASSERT_EQUAL(data.data.n, 0);

    struct msg_extended_data extended;
    r = READER(W1 "\0\0\0\1\0\0\0\3err");
    CU_ASSERT_EQUAL(msg_extended_data_decode(&r, &extended), ERR_OK);
    CU_ASSERT_TRUE(extended.recipient == 0x01020304 && extended.code == 1);
    CU_ASSERT_TRUE(bytes_is(extended.data, "err"));
}

static void a_data_length_beyond_the_message_is_malformed(void)
{
    struct msg_channel_data m;
    struct wire_reader r = READER(W1 "\xff\xff\xff\xff"
                                     "data");
    CU_ASSERT_EQUAL(msg_channel_data_decode(&r, &m), ERR_MALFORMED);
    r = READER(W1 "\0\0\0\5data");
    CU_ASSERT_EQUAL(msg_channel_data_decode(&r, &m), ERR_MALFORMED);
    r = READER(W1 "\0\0\0\3data");
    CU_ASSERT_EQUAL(msg_channel_data_decode(&r, &m), ERR_MALFORMED);
}

static void messages_of_one_shape_are_written_with_their_number(void)
{
    static const uint8_t numbers[] = {
        MSG_CHANNEL_EOF, MSG_CHANNEL_CLOSE, MSG_CHANNEL_SUCCESS, MSG_CHANNEL_FAILURE};
    for (size_t i = 0; i < sizeof numbers; i++) {
        uint8_t out[5];
        struct wire_writer w = wire_writer(out, sizeof out);
        msg_channel_id_encode(&w, numbers[i], &(struct msg_channel_id){.recipient = 7});
        CU_ASSERT_FALSE(w.bad);
        CU_ASSERT_EQUAL(out[0], numbers[i]);
        CU_ASSERT_EQUAL(memcmp(out + 1, "\0\0\0\7", 4), 0);
    }
}

static void a_channel_request_is_read_up_to_its_rest(void)
{
    struct msg_channel_request m;
    struct wire_reader r = READER(REQUEST "rest");
    CU_ASSERT_EQUAL(msg_channel_request_decode(&r, &m), ERR_OK);
    CU_ASSERT_TRUE(m.recipient == 0x01020304 && m.want_reply);
    CU_ASSERT_TRUE(bytes_is(m.name, "shell") && bytes_is(m.rest, "rest"));
}

static void a_direct_tcpip_open_is_read_field_by_field(void)
{
    struct msg_tcpip_open m;
    struct wire_reader r = READER(TCPIP);
    CU_ASSERT_EQUAL(msg_tcpip_open_decode(&r, &m), ERR_OK);
    CU_ASSERT_TRUE(bytes_is(m.host, "h") && m.port == 22);
    CU_ASSERT_TRUE(bytes_is(m.from_host, "f") && m.from_port == 65535);
}

static enum err decode_ports(uint32_t port, uint32_t from_port)
{
    uint8_t in[32];
    struct wire_writer w = wire_writer(in, sizeof in);
    struct msg_tcpip_open m = {BYTES_LIT("h"), port, BYTES_LIT("f"), from_port};
    msg_tcpip_open_encode(&w, &m);
    struct wire_reader r = wire_reader(wire_written(&w));
    return msg_tcpip_open_decode(&r, &m);
}

static enum err decode_forward_port(uint32_t port)
{
    uint8_t in[32];
    struct wire_writer w = wire_writer(in, sizeof in);
    struct msg_tcpip_forward m = {BYTES_LIT("*"), port};
    msg_tcpip_forward_encode(&w, &m);
    struct wire_reader r = wire_reader(wire_written(&w));
    return msg_tcpip_forward_decode(&r, &m);
}

/* Each of these would be a port that exists, were it narrowed before it is looked at. */
static void ports_above_65535_are_refused(void)
{
    static const uint32_t ports[] = {65536, 65558, 0x00010050, 0x80000016, 0xffff0016, UINT32_MAX};
    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
        CU_ASSERT_EQUAL(decode_ports(ports[i], 22), ERR_MALFORMED);
        CU_ASSERT_EQUAL(decode_ports(22, ports[i]), ERR_MALFORMED);
        CU_ASSERT_EQUAL(decode_forward_port(ports[i]), ERR_MALFORMED);
    }
    CU_ASSERT_EQUAL(decode_ports(65535, 65535), ERR_OK);
    CU_ASSERT_EQUAL(decode_ports(0, 0), ERR_OK);
    CU_ASSERT_EQUAL(decode_forward_port(65535), ERR_OK);
    CU_ASSERT_EQUAL(decode_forward_port(0), ERR_OK);
}

static void a_forward_request_is_read_field_by_field(void)
{
    struct msg_tcpip_forward m;
    struct wire_reader r = READER("\0\0\0\0\0\0\x1f\x90");
    CU_ASSERT_EQUAL(msg_tcpip_forward_decode(&r, &m), ERR_OK);
    CU_ASSERT_TRUE(m.address.n == 0 && m.port == 8080);
}

static void session_requests_are_read_field_by_field(void)
{
    struct msg_pty_req pty;
    struct wire_reader r = READER(PTY);
    CU_ASSERT_EQUAL(msg_pty_req_decode(&r, &pty), ERR_OK);
    CU_ASSERT_TRUE(bytes_is(pty.term, "xterm") && bytes_equal(pty.modes, BYTES_LIT("\0")));
    CU_ASSERT_TRUE(pty.columns == 0x01020304 && pty.rows == 0x11121314);
    CU_ASSERT_TRUE(pty.width_px == 0x21222324 && pty.height_px == 0xf1f2f3f4);

    struct msg_window_change change;
    r = READER(W1 W2 W3 W4);
    CU_ASSERT_EQUAL(msg_window_change_decode(&r, &change), ERR_OK);
    CU_ASSERT_TRUE(change.columns == 0x01020304 && change.rows == 0x11121314);
    CU_ASSERT_TRUE(change.width_px == 0x21222324 && change.height_px == 0xf1f2f3f4);

    struct msg_exit_signal killed;
    r = READER(EXIT_SIGNAL);
    CU_ASSERT_EQUAL(msg_exit_signal_decode(&r, &killed), ERR_OK);
    CU_ASSERT_TRUE(bytes_is(killed.signal, "TERM") && bytes_is(killed.message, "eh"));
    CU_ASSERT_TRUE(killed.core_dumped);
}

static const struct unit_test tests[] = {
    UNIT(every_message_has_its_exact_length),
    UNIT(a_global_request_is_read_up_to_its_rest),
    UNIT(an_open_and_its_answers_are_read_field_by_field),
    UNIT(data_and_windows_are_read_field_by_field),
    UNIT(a_data_length_beyond_the_message_is_malformed),
    UNIT(messages_of_one_shape_are_written_with_their_number),
    UNIT(a_channel_request_is_read_up_to_its_rest),
    UNIT(a_direct_tcpip_open_is_read_field_by_field),
    UNIT(ports_above_65535_are_refused),
    UNIT(a_forward_request_is_read_field_by_field),
    UNIT(session_requests_are_read_field_by_field),
};

UNIT_MAIN("msg_channel", tests)
