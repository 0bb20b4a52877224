/* -L and -D against a server that lies, and listeners of all kinds. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "forward/client_internal.h"
#include "tests/unit/forward/faults.h"
#include "tests/unit/forward/rig.h"
#include "transport/engine.h"

static struct rig r;
static struct app app;

static int target_fd;
static uint16_t target_port;

static void open_target(void)
{
    target_port = 0;
    target_fd = drive_listen(AF_INET, &target_port, 128);
}

static struct mux *client_mux(void)
{
    return peer_mux(r.client.peer);
}

static void close_target(void)
{
    rig_close(&r);
    close(target_fd);
}

static uint32_t chan; /* the client's number of app's channel */

enum { LIAR_CHAN = 9 };

static void open_local(void)
{
    struct msg_channel_open m = {0};
    rig_init(&r);
    rig_forward(&r, FORWARD_LOCAL, "0:far.example:21");
    rig_login(&r, RIG_LYING_SERVER);
    RIG_UNTIL(&r, r.settled);
    app_start(&app, r.loop, drive_connect(AF_INET, rig_port(&r, 0)), 'a');
    CU_ASSERT(liar_opened(&r.liar, &m));
    CU_ASSERT(bytes_is(m.type, "direct-tcpip"));
    chan = m.sender;
}

static void close_local(void)
{
    CU_ASSERT_FALSE(app.is_wrong);
    app_close(&app);
    rig_close(&r);
}

static void a_refusal_names_forward_side_target_and_reason_escaped(void)
{
    open_local();
    liar_refuse(&r.liar, chan, OPEN_CONNECT_FAILED, "no\nway \033[31m\xe2\x80\xae out");
    RIG_UNTIL(&r, app_is_over(&app));
    CU_ASSERT(app.saw_end);
    CU_ASSERT(rig_said(&r, "-L 0:far.example:21: remote side could not connect to far.example:21: "
                           "no\\x0away \\x1b[31m\\xe2\\x80\\xae out"));
    CU_ASSERT_FALSE(r.client.has_ended);
    close_local();
}

static void an_endless_refusal_is_cut(void)
{
    static char text[100000];
    memset(text, '\a', sizeof text - 1);
    open_local();
    liar_refuse(&r.liar, chan, 77, text);
    RIG_UNTIL(&r, app_is_over(&app));
    CU_ASSERT(app.saw_end);
    CU_ASSERT(rig_said(&r, "..."));
    CU_ASSERT(r.n_said < 2000);
    close_local();
}

static void a_refused_application_that_talks_on_gets_its_end_and_no_reset(void)
{
    open_local();
    app_send(&app, 100000, false);
    liar_refuse(&r.liar, chan, OPEN_CONNECT_FAILED, "Connection refused");
    RIG_UNTIL(&r, app_is_over(&app));
    CU_ASSERT(app.saw_end);
    close_local();
}

static void a_confirmation_for_packets_of_no_bytes_is_a_refusal(void)
{
    uint8_t payload[64];
    struct wire_writer w = wire_writer(payload, sizeof payload);
    struct msg_open_confirmation m = {.recipient = 0, .sender = LIAR_CHAN, .window = 1000};
    open_local();
    m.recipient = chan;
    msg_open_confirmation_encode(&w, &m);
    liar_send(&r.liar, wire_written(&w));
    RIG_UNTIL(&r, app_is_over(&app));
    CU_ASSERT(app.saw_end);
    CU_ASSERT(liar_await(&r.liar, MSG_CHANNEL_CLOSE).n > 0);
    liar_chan(&r.liar, MSG_CHANNEL_CLOSE, chan);
    RIG_UNTIL(&r, mux_n_channels(client_mux()) == 0);
    close_local();
}

static void an_open_that_is_never_answered_ends_with_the_connection(void)
{
    open_local();
    app_send(&app, 1000, true);
    rig_settle(&r);
    CU_ASSERT_FALSE(app_is_over(&app));
    rig_assert_asleep(&r);
    rig_cut(&r);
    RIG_UNTIL(&r, app_is_over(&app));
    CU_ASSERT(app.saw_reset);
    close_local();
}

static void an_application_that_left_before_the_answer_is_forgotten(void)
{
    open_local();
    app_reset(&app);
    rig_settle(&r);
    liar_confirm(&r.liar, chan, LIAR_CHAN, MUX_WINDOW_BYTES);
    CU_ASSERT(liar_await(&r.liar, MSG_CHANNEL_CLOSE).n > 0);
    CU_ASSERT_EQUAL(r.liar.n_of[MSG_CHANNEL_EOF], 0);
    liar_chan(&r.liar, MSG_CHANNEL_CLOSE, chan);
    RIG_UNTIL(&r, mux_n_channels(client_mux()) == 0);
    close_local();
}

/* Each is wrong in its own way, and ends the connection; the application sees no clean end. */

static void data_before_the_answer(void)
{
    liar_data(&r.liar, chan, BYTES_LIT("a"));
}

static void eof_before_the_answer(void)
{
    liar_chan(&r.liar, MSG_CHANNEL_EOF, chan);
}

static void close_before_the_answer(void)
{
    liar_chan(&r.liar, MSG_CHANNEL_CLOSE, chan);
}

static void adjust_before_the_answer(void)
{
    liar_adjust(&r.liar, chan, 1);
}

static void confirm(void)
{
    liar_confirm(&r.liar, chan, LIAR_CHAN, MUX_WINDOW_BYTES);
}

static void two_confirmations(void)
{
    confirm();
    confirm();
}

static void confirmation_and_refusal(void)
{
    confirm();
    liar_refuse(&r.liar, chan, OPEN_CONNECT_FAILED, "no");
}

static void confirmation_of_another_channel(void)
{
    liar_confirm(&r.liar, chan + 1, LIAR_CHAN, MUX_WINDOW_BYTES);
}

static void data_for_a_channel_far_away(void)
{
    confirm();
    liar_data(&r.liar, UINT32_MAX, BYTES_LIT("a"));
}

static void data_after_eof(void)
{
    confirm();
    liar_chan(&r.liar, MSG_CHANNEL_EOF, chan);
    liar_data(&r.liar, chan, BYTES_LIT("a"));
}

static void data_after_close(void)
{
    confirm();
    liar_chan(&r.liar, MSG_CHANNEL_CLOSE, chan);
    liar_data(&r.liar, chan, BYTES_LIT("a"));
}

static void two_closes(void)
{
    confirm();
    liar_chan(&r.liar, MSG_CHANNEL_CLOSE, chan);
    liar_chan(&r.liar, MSG_CHANNEL_CLOSE, chan);
}

static void a_window_over_its_end(void)
{
    confirm();
    liar_adjust(&r.liar, chan, UINT32_MAX);
}

static void a_packet_too_long(void)
{
    static uint8_t many[MUX_PACKET_BYTES + 1];
    memset(many, 'a', sizeof many);
    confirm();
    liar_data(&r.liar, chan, (struct bytes){many, sizeof many});
}

static void a_reply_to_no_request(void)
{
    static const uint8_t success[] = {MSG_REQUEST_SUCCESS};
    liar_send(&r.liar, (struct bytes){success, 1}); /* may answer what measures the round trip */
    liar_send(&r.liar, (struct bytes){success, 1});
}

static void a_channel_reply_to_no_request(void)
{
    confirm();
    liar_chan(&r.liar, MSG_CHANNEL_SUCCESS, chan);
}

static void half_a_message(void)
{
    static const uint8_t data[] = {MSG_CHANNEL_DATA, 0, 0};
    liar_send(&r.liar, (struct bytes){data, sizeof data});
}

static void a_string_longer_than_its_packet(void)
{
    uint8_t data[] = {MSG_CHANNEL_DATA, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 'a'};
    confirm();
    store_be32(data + 1, chan);
    liar_send(&r.liar, (struct bytes){data, sizeof data});
}

static void every_wrong_answer_ends_the_connection_and_cuts_the_application(void)
{
    static void (*const wrongs[])(void) = {data_before_the_answer, eof_before_the_answer,
        close_before_the_answer, adjust_before_the_answer, two_confirmations,
        confirmation_and_refusal, confirmation_of_another_channel, data_for_a_channel_far_away,
        data_after_eof, data_after_close, two_closes, a_window_over_its_end, a_packet_too_long,
        a_reply_to_no_request, a_channel_reply_to_no_request, half_a_message,
        a_string_longer_than_its_packet};
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        open_local();
        app_send(&app, 10, false);
        wrongs[i]();
        RIG_UNTIL(&r, r.client.has_ended && r.liar.is_over);
        CU_ASSERT(r.client.why.code == ERR_PROTOCOL || r.client.why.code == ERR_MALFORMED);
        CU_ASSERT(r.liar.last_words[0] != '\0');
        RIG_UNTIL(&r, app_is_over(&app));
        CU_ASSERT(app.saw_reset || wrongs[i] == data_after_eof);
        close_local();
    }
}

static void a_close_without_an_end_resets_the_application(void)
{
    open_local();
    confirm();
    liar_stream(&r.liar, chan, 'x', 0, 5000);
    RIG_UNTIL(&r, app.n_got == 5000);
    liar_chan(&r.liar, MSG_CHANNEL_CLOSE, chan);
    RIG_UNTIL(&r, app_is_over(&app));
    CU_ASSERT(app.saw_reset);
    CU_ASSERT_FALSE(r.client.has_ended);
    close_local();
}

/* Answer, data, end and close in one batch: the pump comes into being in the midst of it. */
static void a_whole_life_in_one_batch_is_lived(void)
{
    open_local();
    app_send(&app, 100, false);
    confirm();
    liar_stream(&r.liar, chan, 'x', 0, 100000);
    liar_chan(&r.liar, MSG_CHANNEL_EOF, chan);
    liar_chan(&r.liar, MSG_CHANNEL_CLOSE, chan);
    RIG_UNTIL(&r, app_is_over(&app));
    CU_ASSERT(app.saw_end);
    CU_ASSERT_EQUAL(app.n_got, 100000);
    RIG_UNTIL(&r, mux_n_channels(client_mux()) == 0);
    close_local();
}

static void a_flood_of_tiny_adjusts_is_borne(void)
{
    enum { MANY = 100000 };
    open_local();
    confirm();
    for (unsigned i = 0; i < MANY && !r.liar.is_over;) {
        while (i < MANY && transport_backlog(r.liar.t) < 64 * 1024) {
            liar_adjust(&r.liar, chan, 1);
            i++;
        }
        rig_turn(&r);
    }
    rig_settle(&r);
    CU_ASSERT_FALSE(r.client.has_ended);
    CU_ASSERT_EQUAL(r.liar.n_of[MSG_CHANNEL_DATA], 0);
    app_send(&app, 1000, true);
    CU_ASSERT(liar_await(&r.liar, MSG_CHANNEL_EOF).n > 0);
    CU_ASSERT_EQUAL(r.liar.n_data, 1000);
    rig_assert_asleep(&r);
    close_local();
}

/* It promised a window and then takes nothing: what waits, waits in the application. */
static void an_upload_to_a_server_that_does_not_read_is_bounded(void)
{
    open_local();
    liar_confirm(&r.liar, chan, LIAR_CHAN, UINT32_MAX);
    rig_settle(&r);
    r.liar.holds_reading = true;
    r.liar.drops = true;
    app_send(&app, 64 << 20, false);
    rig_settle(&r);
    CU_ASSERT(transport_backlog(peer_transport(r.client.peer)) <= TX_BACKLOG_MOST);
    CU_ASSERT(app.n_sent < 32 << 20);
    rig_assert_asleep(&r);
    liar_resume(&r.liar);
    RIG_UNTIL(&r, r.liar.n_data == 64 << 20);
    close_local();
}

/* ---- listeners ------------------------------------------------------------------------------- */

static void listeners_close_with_the_session(void)
{
    open_target();
    rig_init(&r);
    rig_forward(&r, FORWARD_LOCAL, "0:127.0.0.1:%u", target_port);
    rig_forward(&r, FORWARD_DYNAMIC, "0");
    rig_forward(&r, FORWARD_REMOTE, "0:127.0.0.1:%u", target_port);
    rig_login(&r, RIG_TWO_PEERS);
    uint16_t ports[3];
    for (size_t i = 0; i < 3; i++)
        ports[i] = rig_port(&r, i);
    rig_cut(&r);
    RIG_UNTIL(&r, r.client.has_ended && r.server.has_ended);
    for (size_t i = 0; i < 3; i++) {
        uint16_t port = ports[i];
        int fd = drive_listen(AF_INET, &port, 1); /* free again */
        CU_ASSERT(fd >= 0);
        close(fd);
    }
    close_target();
}

static void a_port_in_use_fails_its_forward_and_no_other(void)
{
    open_target();
    rig_init(&r);
    rig_forward(&r, FORWARD_LOCAL, "%u:127.0.0.1:1", target_port);
    rig_forward(&r, FORWARD_REMOTE, "%u:127.0.0.1:1", target_port);
    rig_forward(&r, FORWARD_LOCAL, "/tmp/nowhere:127.0.0.1:1");
    rig_forward(&r, FORWARD_LOCAL, "0:127.0.0.1:%u", target_port);
    rig_login(&r, RIG_TWO_PEERS);
    CU_ASSERT_EQUAL(r.n_failed, 3);
    CU_ASSERT(rig_said(&r, "Address already in use"));
    CU_ASSERT(rig_said(&r, "Unix sockets is not supported"));
    app_start(&app, r.loop, drive_connect(AF_INET, rig_port(&r, 3)), 'a');
    int fd = rig_accept(&r, target_fd);
    CU_ASSERT(fd >= 0);
    close(fd);
    RIG_UNTIL(&r, app_is_over(&app));
    app_close(&app);
    close_target();
}

static void a_crowd_beyond_the_channels_is_turned_away(void)
{
    enum { LIMIT = 8, CROWD = 30 };
    int fds[CROWD];
    rig_init(&r);
    r.client.config.max_channels = LIMIT;
    rig_forward(&r, FORWARD_LOCAL, "0:far.example:21");
    rig_login(&r, RIG_LYING_SERVER);
    for (int i = 0; i < CROWD; i++)
        fds[i] = drive_connect(AF_INET, rig_port(&r, 0));
    RIG_UNTIL(&r, r.liar.n_of[MSG_CHANNEL_OPEN] == LIMIT);
    rig_settle(&r);
    CU_ASSERT_EQUAL(r.liar.n_of[MSG_CHANNEL_OPEN], LIMIT);
    CU_ASSERT(rig_said(&r, "no channel left"));
    rig_assert_asleep(&r);
    drive_close(fds, CROWD);
    rig_close(&r);
}

/* ---- SOCKS here ------------------------------------------------------------------------------ */

static void the_servers_refusal_becomes_the_socks_code(void)
{
    static const struct {
        uint32_t reason;
        const char *text;
        uint8_t code;
    } cases[] = {
        {OPEN_ADMINISTRATIVELY_PROHIBITED, "open failed", 2},
        {OPEN_CONNECT_FAILED, "Connection refused", 5},
        {OPEN_CONNECT_FAILED, "Connection timed out\n\033[2J", 6},
        {OPEN_RESOURCE_SHORTAGE, "", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static const uint8_t request[] = "\5\1\0\5\1\0\3\4h\xc2\x9bx\0\x50";
        struct msg_channel_open m = {0};
        uint8_t reply[12] = {0};
        rig_init(&r);
        rig_forward(&r, FORWARD_DYNAMIC, "0");
        rig_login(&r, RIG_LYING_SERVER);
        int fd = drive_connect(AF_INET, rig_port(&r, 0));
        rig_turn(&r);
        CU_ASSERT(write(fd, request, sizeof request - 1) > 0);
        CU_ASSERT(liar_opened(&r.liar, &m));
        liar_refuse(&r.liar, m.sender, cases[i].reason, cases[i].text);
        CU_ASSERT(rig_read(&r, fd, reply, sizeof reply));
        CU_ASSERT_EQUAL(reply[3], cases[i].code);
        CU_ASSERT(rig_said(&r, "remote side could not connect to h\\xc2\\x9bx:80: "));
        CU_ASSERT_FALSE(r.said_raw);
        close(fd);
        rig_close(&r);
    }
}

static void unfinished_socks_requests_end_with_the_connection(void)
{
    int fds[20];
    rig_init(&r);
    rig_forward(&r, FORWARD_DYNAMIC, "0");
    rig_login(&r, RIG_LYING_SERVER);
    for (int i = 0; i < 20; i++) {
        fds[i] = drive_connect(AF_INET, rig_port(&r, 0));
        rig_turn(&r);
        (void)!write(fds[i], "\5\2\0", (size_t)(i % 4));
    }
    rig_settle(&r);
    rig_assert_asleep(&r);
    rig_cut(&r);
    RIG_UNTIL(&r, r.client.has_ended);
    drive_close(fds, 20);
    rig_close(&r);
}

static const struct unit_test tests[] = {
    UNIT(a_refusal_names_forward_side_target_and_reason_escaped),
    UNIT(an_endless_refusal_is_cut),
    UNIT(a_refused_application_that_talks_on_gets_its_end_and_no_reset),
    UNIT(a_confirmation_for_packets_of_no_bytes_is_a_refusal),
    UNIT(an_open_that_is_never_answered_ends_with_the_connection),
    UNIT(an_application_that_left_before_the_answer_is_forgotten),
    UNIT(every_wrong_answer_ends_the_connection_and_cuts_the_application),
    UNIT(a_close_without_an_end_resets_the_application),
    UNIT(a_whole_life_in_one_batch_is_lived),
    UNIT(a_flood_of_tiny_adjusts_is_borne),
    UNIT(an_upload_to_a_server_that_does_not_read_is_bounded),
    UNIT(listeners_close_with_the_session),
    UNIT(a_port_in_use_fails_its_forward_and_no_other),
    UNIT(a_crowd_beyond_the_channels_is_turned_away),
    UNIT(the_servers_refusal_becomes_the_socks_code),
    UNIT(unfinished_socks_requests_end_with_the_connection),
};
UNIT_MAIN("client_local", tests)
