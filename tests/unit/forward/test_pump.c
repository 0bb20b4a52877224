/* The pump against a liar that counts every byte and every credit: it has the gateway connect to an
 * application. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "forward/socket.h"
#include "tests/unit/forward/rig.h"

static struct rig r;
static struct app far; /* the application that is connected to */

static void end_apps(void)
{
    CU_ASSERT_FALSE(far.is_wrong);
    app_close(&far);
}

static uint32_t chan; /* the gateway's number */

enum { LIAR_CHAN = 77 };

/* narrow: the kernel holds next to nothing, so that what the gateway holds is seen. */
static void open_to_far(bool narrow)
{
    struct msg_open_confirmation m = {0};
    uint16_t port = 0;
    int listen_fd = drive_listen(AF_INET, &port, 4);
    if (narrow)
        rig_narrow_listener(listen_fd);
    liar_open_tcpip(&r.liar, "direct-tcpip", LIAR_CHAN, BYTES_LIT("127.0.0.1"), port);
    int fd = rig_accept(&r, listen_fd);
    CU_ASSERT(liar_confirmed(&r.liar, &m));
    CU_ASSERT_EQUAL(m.recipient, LIAR_CHAN);
    CU_ASSERT_EQUAL(m.window, MUX_WINDOW_BYTES);
    chan = m.sender;
    app_start(&far, r.loop, fd, 'f');
    if (narrow)
        rig_narrow(fd);
    close(listen_fd);
}

static void lie_to_gateway(bool narrow)
{
    rig_init(&r);
    rig_login(&r, RIG_LYING_CLIENT);
    open_to_far(narrow);
}

static void close_lie(void)
{
    end_apps();
    rig_close(&r);
}

static void data_end_and_close_in_one_batch_are_delivered_in_order(void)
{
    lie_to_gateway(false);
    liar_stream(&r.liar, chan, 'x', 0, 200000);
    liar_chan(&r.liar, MSG_CHANNEL_EOF, chan);
    liar_chan(&r.liar, MSG_CHANNEL_CLOSE, chan);
    RIG_UNTIL(&r, app_is_over(&far));
    CU_ASSERT(far.saw_end);
    CU_ASSERT_EQUAL(far.n_got, 200000);
    CU_ASSERT(liar_await(&r.liar, MSG_CHANNEL_CLOSE).n > 0);
    close_lie();
}

static void a_close_without_an_end_is_a_cut_after_all_that_came_before(void)
{
    lie_to_gateway(false);
    liar_stream(&r.liar, chan, 'x', 0, 50000);
    RIG_UNTIL(&r, far.n_got == 50000);
    liar_chan(&r.liar, MSG_CHANNEL_CLOSE, chan);
    RIG_UNTIL(&r, app_is_over(&far));
    CU_ASSERT(far.saw_reset);
    CU_ASSERT(liar_await(&r.liar, MSG_CHANNEL_CLOSE).n > 0);
    CU_ASSERT_EQUAL(r.liar.n_of[MSG_CHANNEL_EOF], 0);
    close_lie();
}

/* Not all implementations send EOF before they close: only of those known to is a cut believed. */
static void a_close_of_a_stranger_without_an_end_is_an_end(void)
{
    rig_init(&r);
    r.client.config.transport.software = "stranger_1";
    rig_login(&r, RIG_LYING_CLIENT);
    open_to_far(false);
    liar_stream(&r.liar, chan, 'x', 0, 50000);
    liar_chan(&r.liar, MSG_CHANNEL_CLOSE, chan);
    RIG_UNTIL(&r, app_is_over(&far));
    CU_ASSERT(far.saw_end);
    CU_ASSERT_EQUAL(far.n_got, 50000);
    close_lie();
}

static void an_end_of_the_application_becomes_eof_and_both_ends_a_close(void)
{
    lie_to_gateway(false);
    app_send(&far, 1000, true);
    CU_ASSERT(liar_await(&r.liar, MSG_CHANNEL_EOF).n > 0);
    CU_ASSERT_EQUAL(r.liar.n_data, 1000);
    rig_settle(&r);
    CU_ASSERT_EQUAL(r.liar.n_of[MSG_CHANNEL_CLOSE], 0);
    liar_chan(&r.liar, MSG_CHANNEL_EOF, chan);
    CU_ASSERT(liar_await(&r.liar, MSG_CHANNEL_CLOSE).n > 0);
    RIG_UNTIL(&r, far.saw_end);
    liar_chan(&r.liar, MSG_CHANNEL_CLOSE, chan);
    RIG_UNTIL(&r, mux_n_channels(peer_mux(r.server.peer)) == 0);
    close_lie();
}

/* Line 37 of FORWARDING.md, adit's way: no black hole. */
static void an_application_that_died_closes_its_channel_at_once(void)
{
    lie_to_gateway(false);
    liar_stream(&r.liar, chan, 'x', 0, 1000);
    RIG_UNTIL(&r, far.n_got == 1000);
    app_close(&far); /* reads no more: what we send is answered by a reset */
    CU_ASSERT(liar_await(&r.liar, MSG_CHANNEL_EOF).n > 0);
    liar_stream(&r.liar, chan, 'x', 1000, 100000);
    CU_ASSERT(liar_await(&r.liar, MSG_CHANNEL_CLOSE).n > 0);
    liar_stream(&r.liar, chan, 'x', 101000, 1000); /* crosses with the CLOSE: dropped */
    liar_chan(&r.liar, MSG_CHANNEL_CLOSE, chan);
    RIG_UNTIL(&r, mux_n_channels(peer_mux(r.server.peer)) == 0);
    CU_ASSERT_FALSE(r.server.has_ended);
    close_lie();
}

static void a_reset_of_the_application_is_a_close_without_eof(void)
{
    lie_to_gateway(false);
    liar_stream(&r.liar, chan, 'x', 0, 1000);
    RIG_UNTIL(&r, far.n_got == 1000);
    app_reset(&far);
    CU_ASSERT(liar_await(&r.liar, MSG_CHANNEL_CLOSE).n > 0);
    CU_ASSERT_EQUAL(r.liar.n_of[MSG_CHANNEL_EOF], 0);
    close_lie();
}

/* Its window is all that may be held for it; credit follows what its socket took, and no more. */
static void a_slow_application_gets_credit_only_for_what_its_socket_took(void)
{
    lie_to_gateway(true);
    app_hold(&far);
    liar_stream(&r.liar, chan, 'x', 0, MUX_WINDOW_BYTES);
    rig_settle(&r);
    CU_ASSERT(r.liar.n_credit < MUX_WINDOW_BYTES / 8);
    CU_ASSERT_EQUAL(transport_fault(peer_transport(r.server.peer))->code, ERR_OK);
    uint64_t credit = r.liar.n_credit;
    rig_assert_asleep(&r);
    CU_ASSERT_EQUAL(r.liar.n_credit, credit);

    rig_widen(far.source.fd);
    app_resume(&far);
    RIG_UNTIL(&r, far.n_got == MUX_WINDOW_BYTES);
    CU_ASSERT(r.liar.n_credit <= MUX_WINDOW_BYTES);
    CU_ASSERT(r.liar.n_credit >= MUX_WINDOW_BYTES / 2);
    close_lie();
}

/* What is left after the window is used is not taken. */
static void a_byte_over_the_window_of_a_slow_application_ends_the_connection(void)
{
    lie_to_gateway(true);
    app_hold(&far);
    liar_stream(&r.liar, chan, 'x', 0, MUX_WINDOW_BYTES);
    rig_settle(&r);
    liar_stream(&r.liar, chan, 'x', MUX_WINDOW_BYTES, (size_t)r.liar.n_credit);
    rig_settle(&r);
    CU_ASSERT_FALSE(r.server.has_ended);
    uint64_t sent = MUX_WINDOW_BYTES + r.liar.n_credit;
    liar_stream(&r.liar, chan, 'x', sent, MUX_WINDOW_BYTES);
    RIG_UNTIL(&r, r.server.has_ended);
    RIG_UNTIL(&r, r.liar.is_over);
    CU_ASSERT_EQUAL(r.server.why.code, ERR_PROTOCOL);
    app_resume(&far);
    RIG_UNTIL(&r, app_is_over(&far));
    CU_ASSERT(far.saw_reset);
    close_lie();
}

static void what_waits_for_a_slow_application_is_delivered_before_a_close(void)
{
    lie_to_gateway(true);
    app_hold(&far);
    liar_stream(&r.liar, chan, 'x', 0, MUX_WINDOW_BYTES);
    liar_chan(&r.liar, MSG_CHANNEL_EOF, chan);
    liar_chan(&r.liar, MSG_CHANNEL_CLOSE, chan);
    rig_settle(&r);
    /* Its number is the measure of what is held, so it is not free before all has gone. */
    CU_ASSERT_EQUAL(mux_n_channels(peer_mux(r.server.peer)), 1);
    CU_ASSERT_EQUAL(r.liar.n_of[MSG_CHANNEL_CLOSE], 0);
    rig_widen(far.source.fd);
    app_resume(&far);
    RIG_UNTIL(&r, far.saw_end);
    CU_ASSERT_EQUAL(far.n_got, MUX_WINDOW_BYTES);
    CU_ASSERT(liar_await(&r.liar, MSG_CHANNEL_CLOSE).n > 0);
    CU_ASSERT_EQUAL(mux_n_channels(peer_mux(r.server.peer)), 0);
    close_lie();
}

static void a_connection_lost_while_a_closed_channel_drains_cuts_the_application(void)
{
    lie_to_gateway(true);
    app_hold(&far);
    liar_stream(&r.liar, chan, 'x', 0, MUX_WINDOW_BYTES);
    liar_chan(&r.liar, MSG_CHANNEL_EOF, chan);
    liar_chan(&r.liar, MSG_CHANNEL_CLOSE, chan);
    rig_settle(&r);
    rig_cut(&r);
    RIG_UNTIL(&r, r.server.has_ended);
    app_resume(&far);
    RIG_UNTIL(&r, app_is_over(&far));
    CU_ASSERT(far.saw_reset);
    CU_ASSERT(far.n_got < MUX_WINDOW_BYTES);
    close_lie();
}

/* Open, fill, close, and again: what is held counts, whatever the channel's state. */
static void closing_channels_that_drain_do_not_add_up_without_a_bound(void)
{
    enum { LIMIT = 4, TRIES = 12 };
    static struct app stuck[TRIES];
    struct msg_open_confirmation m;
    unsigned n_open = 0;
    uint16_t port = 0;
    far = (struct app){.source.fd = -1};
    rig_init(&r);
    int listen_fd = drive_listen(AF_INET, &port, TRIES);
    rig_narrow_listener(listen_fd);
    r.server.config.max_channels = LIMIT;
    rig_login(&r, RIG_LYING_CLIENT);
    for (uint32_t i = 0; i < TRIES; i++) {
        liar_open_tcpip(&r.liar, "direct-tcpip", i, BYTES_LIT("127.0.0.1"), port);
        RIG_UNTIL(&r,
            r.liar.n_of[MSG_CHANNEL_OPEN_CONFIRMATION] + r.liar.n_of[MSG_CHANNEL_OPEN_FAILURE] ==
                i + 1);
        if (r.liar.n_of[MSG_CHANNEL_OPEN_FAILURE] > 0)
            break;
        CU_ASSERT(liar_confirmed(&r.liar, &m));
        app_start(&stuck[n_open], r.loop, rig_accept(&r, listen_fd), 's');
        rig_narrow(stuck[n_open].source.fd);
        app_hold(&stuck[n_open++]);
        liar_stream(&r.liar, m.sender, 'x', 0, m.window);
        liar_chan(&r.liar, MSG_CHANNEL_EOF, m.sender);
        liar_chan(&r.liar, MSG_CHANNEL_CLOSE, m.sender);
        rig_settle(&r);
    }
    CU_ASSERT_EQUAL(n_open, LIMIT);
    CU_ASSERT_EQUAL(liar_refused(&r.liar, NULL, 0), OPEN_RESOURCE_SHORTAGE);
    for (unsigned i = 0; i < n_open; i++)
        app_close(&stuck[i]);
    close(listen_fd);
    close_lie();
}

static void a_peer_without_window_is_waited_for_in_sleep(void)
{
    rig_init(&r);
    rig_login(&r, RIG_LYING_CLIENT);
    uint16_t port = 0;
    int listen_fd = drive_listen(AF_INET, &port, 4);
    struct msg_open_confirmation m = {0};
    uint8_t body[64];
    struct wire_writer w = wire_writer(body, sizeof body);
    struct msg_tcpip_open where = {.host = BYTES_LIT("127.0.0.1"),
        .port = port,
        .from_host = BYTES_LIT("192.0.2.1"),
        .from_port = 1};
    msg_tcpip_open_encode(&w, &where);
    liar_open(&r.liar, "direct-tcpip", LIAR_CHAN, 0, 1, wire_written(&w)); /* packets of one byte */
    app_start(&far, r.loop, rig_accept(&r, listen_fd), 'f');
    CU_ASSERT(liar_confirmed(&r.liar, &m));
    app_send(&far, 5000, true);
    rig_settle(&r);
    rig_assert_asleep(&r);
    CU_ASSERT_EQUAL(r.liar.n_data, 0);
    liar_adjust(&r.liar, m.sender, 0);
    rig_settle(&r);
    CU_ASSERT_EQUAL(r.liar.n_data, 0);
    for (int i = 0; i < 500; i++)
        liar_adjust(&r.liar, m.sender, 1);
    RIG_UNTIL(&r, r.liar.n_data == 500);
    rig_settle(&r);
    CU_ASSERT_EQUAL(r.liar.n_data, 500);
    CU_ASSERT_EQUAL(r.liar.n_of[MSG_CHANNEL_EOF], 0);
    rig_assert_asleep(&r);
    liar_adjust(&r.liar, m.sender, 10000);
    CU_ASSERT(liar_await(&r.liar, MSG_CHANNEL_EOF).n > 0);
    CU_ASSERT_EQUAL(r.liar.n_data, 5000);
    CU_ASSERT_EQUAL(r.liar.n_of[MSG_CHANNEL_DATA], 5000);
    close(listen_fd);
    close_lie();
}

static void a_second_stream_and_requests_on_a_tcp_channel_are_harmless(void)
{
    static uint8_t many[10000];
    uint8_t built[sizeof many + 64];
    lie_to_gateway(false);
    for (int i = 0; i < 400; i++) { /* twice the window: so it is credited, though dropped */
        struct wire_writer w = wire_writer(built, sizeof built);
        struct msg_extended_data m = {.recipient = chan, .code = 1, .data = {many, sizeof many}};
        msg_extended_data_encode(&w, &m);
        liar_send(&r.liar, wire_written(&w));
        RIG_UNTIL(&r, MUX_WINDOW_BYTES + r.liar.n_credit >= (uint64_t)(i + 1) * sizeof many);
    }
    struct wire_writer w = wire_writer(built, sizeof built);
    struct msg_channel_request q = {
        .recipient = chan, .name = BYTES_LIT("exec"), .want_reply = true};
    msg_channel_request_encode(&w, &q);
    liar_send(&r.liar, wire_written(&w));
    CU_ASSERT(liar_await(&r.liar, MSG_CHANNEL_FAILURE).n > 0);
    liar_stream(&r.liar, chan, 'x', 0, 10);
    RIG_UNTIL(&r, far.n_got == 10);
    close_lie();
}

/* More slices in one read than one writev() takes. */
static void many_small_packets_arrive_whole(void)
{
    lie_to_gateway(false);
    for (uint32_t i = 0; i < 3000; i++)
        liar_stream(&r.liar, chan, 'x', (uint64_t)i * 7, 7);
    liar_chan(&r.liar, MSG_CHANNEL_EOF, chan);
    RIG_UNTIL(&r, far.saw_end);
    CU_ASSERT_EQUAL(far.n_got, 21000);
    close_lie();
}

/* Slices gathered for a socket that proves dead while more of them come. */
static void many_small_packets_to_a_dead_application_do_no_harm(void)
{
    for (int again = 0; again < 10; again++) {
        lie_to_gateway(false);
        app_reset(&far);
        for (uint32_t i = 0; i < 1000; i++)
            liar_stream(&r.liar, chan, 'x', (uint64_t)i * 7, 7);
        liar_chan(&r.liar, MSG_CHANNEL_EOF, chan);
        liar_chan(&r.liar, MSG_CHANNEL_CLOSE, chan);
        RIG_UNTIL(&r, mux_n_channels(peer_mux(r.server.peer)) == 0);
        close_lie();
    }
}

static const struct unit_test tests[] = {
    UNIT(data_end_and_close_in_one_batch_are_delivered_in_order),
    UNIT(a_close_without_an_end_is_a_cut_after_all_that_came_before),
    UNIT(a_close_of_a_stranger_without_an_end_is_an_end),
    UNIT(an_end_of_the_application_becomes_eof_and_both_ends_a_close),
    UNIT(an_application_that_died_closes_its_channel_at_once),
    UNIT(a_reset_of_the_application_is_a_close_without_eof),
    UNIT(a_slow_application_gets_credit_only_for_what_its_socket_took),
    UNIT(a_byte_over_the_window_of_a_slow_application_ends_the_connection),
    UNIT(what_waits_for_a_slow_application_is_delivered_before_a_close),
    UNIT(a_connection_lost_while_a_closed_channel_drains_cuts_the_application),
    UNIT(closing_channels_that_drain_do_not_add_up_without_a_bound),
    UNIT(a_peer_without_window_is_waited_for_in_sleep),
    UNIT(a_second_stream_and_requests_on_a_tcp_channel_are_harmless),
    UNIT(many_small_packets_arrive_whole),
    UNIT(many_small_packets_to_a_dead_application_do_no_harm),
};
UNIT_MAIN("pump", tests)
