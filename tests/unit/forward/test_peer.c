/* The connection itself: how it ends, how it stays alive, and what a liar can make it hold. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/forward/rig.h"
#include "transport/engine.h"

static struct rig r;

/* What a peer holds for one that does not read: a little over where it stops reading. */
enum { OWED_BOUND = TX_STOP_READING + 1024 * 1024 };

static struct transport *server_transport(void)
{
    return peer_transport(r.server.peer);
}

/* ---- ends ------------------------------------------------------------------------------------ */

static void a_close_in_good_order_is_told_and_ends_both_sides(void)
{
    rig_init(&r);
    rig_login(&r, RIG_LYING_CLIENT);
    peer_close(r.server.peer, "closing time");
    RIG_UNTIL(&r, r.server.has_ended && r.liar.is_over);
    CU_ASSERT_EQUAL(r.server.why.code, ERR_OK);
    CU_ASSERT_STRING_EQUAL(r.liar.last_words, "closing time");
    rig_close(&r);
}

static void what_was_queued_goes_out_before_the_connection_is_closed(void)
{
    enum { REQUESTS = 1000 };
    rig_init(&r);
    rig_login(&r, RIG_LYING_CLIENT);
    for (int i = 0; i < REQUESTS; i++)
        CU_ASSERT_EQUAL(
            mux_global_request(peer_mux(r.server.peer), BYTES_LIT("x"), false, BYTES_LIT("yz"), 0),
            ERR_OK);
    peer_close(r.server.peer, "closing time");
    RIG_UNTIL(&r, r.server.has_ended && r.liar.is_over);
    CU_ASSERT_EQUAL(r.liar.n_of[MSG_GLOBAL_REQUEST], REQUESTS);
    CU_ASSERT_STRING_EQUAL(r.liar.last_words, "closing time");
    rig_close(&r);
}

static void one_that_does_not_read_the_last_words_is_not_waited_for_long(void)
{
    rig_init(&r);
    rig_login(&r, RIG_LYING_CLIENT);
    r.liar.holds_reading = true;
    transport_send_ignore(server_transport(), 200000); /* more than a socket pair takes */
    transport_send_ignore(server_transport(), 200000);
    peer_close(r.server.peer, "closing time");
    uint64_t before = drive_clock_ms();
    rig_turn(&r);
    rig_assert_asleep(&r);
    CU_ASSERT_FALSE(r.server.has_ended);
    RIG_UNTIL(&r, r.server.has_ended);
    CU_ASSERT(drive_clock_ms() - before >= 1900);
    CU_ASSERT_EQUAL(r.server.why.code, ERR_OK);
    rig_close(&r);
}

static void the_other_sides_leave_is_told_in_its_words(void)
{
    rig_init(&r);
    rig_login(&r, RIG_LYING_SERVER);
    transport_disconnect(r.liar.t, ERR_CLOSED, 11, "maintenance\n\033[31m");
    liar_resume(&r.liar);
    RIG_UNTIL(&r, r.client.has_ended);
    CU_ASSERT_EQUAL(r.client.why.code, ERR_CLOSED);
    CU_ASSERT(strstr(r.client.why.text, "maintenance\\x0a\\x1b[31m") != NULL);
    rig_close(&r);
}

/* The server has written its last words and is gone. */
static void leave_for_good(struct loop_task *task)
{
    size_t n;
    const uint8_t *p;
    (void)task;
    transport_disconnect(r.liar.t, ERR_CLOSED, 11, "too many sessions");
    p = transport_tx(r.liar.t, &n);
    CU_ASSERT_EQUAL(write(r.liar.source.fd, p, n), (ssize_t)n);
    transport_tx_done(r.liar.t, n);
    shutdown(r.liar.source.fd, SHUT_RDWR);
}

/* What had come before the end is still looked at, although nothing can be written any more: the
 * other side's last words are worth more than an errno. */
static void last_words_are_read_although_writing_fails(void)
{
    for (int tcp = 0; tcp <= 1; tcp++) {
        rig_init(&r);
        r.uses_tcp = tcp == 1;
        rig_login(&r, RIG_LYING_SERVER);
        for (int i = 0; i < 100; i++)
            liar_global(&r.liar, "x", true, BYTES_LIT(""));
        transport_send_ignore(r.liar.t, 100000); /* more than is read before something is written */
        leave_for_good(NULL);
        transport_send_ignore(peer_transport(r.client.peer), 100000);
        RIG_UNTIL(&r, r.client.has_ended);
        CU_ASSERT(strstr(r.client.why.text, "too many sessions") != NULL);
        rig_close(&r);
    }
}

/* The write fails before the loop has told that there is something to read, and with so much behind
 * it that nothing would be read otherwise. */
static void last_words_are_read_although_nobody_told_of_them_yet(void)
{
    struct loop_task task = {.run = leave_for_good};
    rig_init(&r);
    rig_login(&r, RIG_LYING_SERVER);
    rig_settle(&r);
    for (int i = 0; i < 12; i++)
        transport_send_ignore(peer_transport(r.client.peer), 100000);
    CU_ASSERT(transport_backlog(peer_transport(r.client.peer)) > TX_STOP_READING);
    loop_defer(r.loop, &task);
    peer_kick(r.client.peer);
    RIG_UNTIL(&r, r.client.has_ended);
    CU_ASSERT(strstr(r.client.why.text, "too many sessions") != NULL);
    rig_close(&r);
}

static void a_failure_of_writing_alone_ends_the_connection(void)
{
    rig_init(&r);
    rig_login(&r, RIG_LYING_SERVER);
    r.liar.holds_reading = true;
    shutdown(r.liar.source.fd, SHUT_RD); /* a socket pair: writes to it fail, nothing ends */
    transport_send_ignore(peer_transport(r.client.peer), 1000);
    peer_kick(r.client.peer);
    RIG_UNTIL(&r, r.client.has_ended);
    CU_ASSERT_EQUAL(r.client.why.code, ERR_IO);
    CU_ASSERT(strstr(r.client.why.text, "connection lost") != NULL);
    rig_close(&r);
}

static void a_connection_cut_in_mid_packet_is_told_as_such(void)
{
    rig_init(&r);
    rig_login(&r, RIG_LYING_SERVER);
    transport_send_ignore(r.liar.t, 1000);
    size_t n;
    const uint8_t *p = transport_tx(r.liar.t, &n);
    CU_ASSERT_EQUAL(write(r.liar.source.fd, p, n / 2), (ssize_t)(n / 2));
    shutdown(r.liar.source.fd, SHUT_WR);
    RIG_UNTIL(&r, r.client.has_ended);
    CU_ASSERT_EQUAL(r.client.why.code, ERR_CLOSED);
    rig_close(&r);
}

static void garbage_instead_of_ssh_ends_it(void)
{
    for (int role = 0; role < 2; role++) {
        int fds[2];
        rig_init(&r);
        r.uses_tcp = true;
        rig_start(&r, role == 0 ? RIG_LYING_CLIENT : RIG_LYING_SERVER);
        fds[0] = r.liar.source.fd;
        CU_ASSERT(write(fds[0], "GET / HTTP/1.1\r\nHost: x\r\n\r\n\0\0\0", 31) > 0);
        shutdown(fds[0], SHUT_WR);
        struct rig_end *end = role == 0 ? &r.server : &r.client;
        RIG_UNTIL(&r, end->has_ended);
        CU_ASSERT_NOT_EQUAL(end->why.code, ERR_OK);
        rig_close(&r);
    }
}

static void a_peer_that_is_freed_tells_nobody_that_it_ended(void)
{
    rig_init(&r);
    rig_login(&r, RIG_TWO_PEERS);
    rig_close(&r); /* frees both in the midst of everything */
    CU_ASSERT_EQUAL(r.client.n_ended, 0);
    CU_ASSERT_EQUAL(r.server.n_ended, 0);
}

static void without_a_known_algorithm_there_is_no_peer_and_no_descriptor_left(void)
{
    rig_init(&r);
    int n_fds = drive_n_fds();
    int fds[2];
    CU_ASSERT_EQUAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    struct peer_config config = r.client.config;
    config.transport.kex = "rot13";
    config.loop = r.loop;
    config.fd = fds[0];
    CU_ASSERT_PTR_NULL(peer_new(&config));
    close(fds[1]);
    CU_ASSERT_EQUAL(drive_n_fds(), n_fds);
    rig_close(&r);
}

/* ---- keepalive ------------------------------------------------------------------------------- */

static void silence_is_probed_and_then_ends_the_connection(void)
{
    rig_init(&r);
    r.server.config.alive_interval_ms = 30;
    r.server.config.alive_count_max = 3;
    rig_login(&r, RIG_LYING_CLIENT);
    uint64_t before = drive_clock_ms();
    RIG_UNTIL(&r, r.server.has_ended);
    uint64_t after = drive_clock_ms();
    CU_ASSERT_EQUAL(r.server.why.code, ERR_TIMEOUT);
    CU_ASSERT_STRING_EQUAL(r.server.why.text, "Timeout, client of the test not responding.");
    CU_ASSERT_EQUAL(r.liar.n_of[MSG_GLOBAL_REQUEST], 3);
    CU_ASSERT(after - before >= 110);
    rig_close(&r);
}

static void any_packet_counts_as_an_answer(void)
{
    rig_init(&r);
    r.server.config.alive_interval_ms = 100;
    r.server.config.alive_count_max = 1;
    rig_login(&r, RIG_LYING_CLIENT);
    uint64_t limit = drive_clock_ms() + 500;
    unsigned n_seen = 0;
    while (drive_clock_ms() < limit && !r.server.has_ended) {
        rig_turn(&r);
        if (r.liar.n_of[MSG_GLOBAL_REQUEST] > n_seen) {
            n_seen = r.liar.n_of[MSG_GLOBAL_REQUEST];
            liar_global(&r.liar, "hello", false, BYTES_LIT(""));
        }
    }
    CU_ASSERT_FALSE(r.server.has_ended);
    CU_ASSERT(n_seen >= 3);
    CU_ASSERT(r.n_turns < 400);
    rig_close(&r);
}

static void a_refused_probe_is_an_answer_like_any_other(void)
{
    rig_init(&r);
    r.client.config.alive_interval_ms = r.server.config.alive_interval_ms = 80;
    r.client.config.alive_count_max = r.server.config.alive_count_max = 1;
    rig_login(&r, RIG_TWO_PEERS);
    uint64_t limit = drive_clock_ms() + 300;
    while (drive_clock_ms() < limit)
        rig_turn(&r);
    CU_ASSERT_FALSE(r.client.has_ended || r.server.has_ended);
    rig_close(&r);
}

/* OpenSSH f11b23346: what we send ourselves says nothing about the other side. */
static void our_own_traffic_does_not_put_the_verdict_off(void)
{
    rig_init(&r);
    r.server.config.alive_interval_ms = 30;
    r.server.config.alive_count_max = 2;
    rig_login(&r, RIG_LYING_CLIENT);
    uint64_t before = drive_clock_ms();
    while (!r.server.has_ended && drive_clock_ms() - before < 2000) {
        transport_send_ignore(server_transport(), 10);
        peer_kick(r.server.peer);
        rig_turn(&r);
    }
    CU_ASSERT(r.server.has_ended);
    CU_ASSERT(drive_clock_ms() - before < 1000);
    rig_close(&r);
}

static void a_login_that_takes_too_long_ends(void)
{
    rig_init(&r);
    r.server.config.transport.login_ms = 80;
    r.liar.holds_login = true;
    rig_start(&r, RIG_LYING_CLIENT);
    RIG_UNTIL(&r, r.server.has_ended);
    CU_ASSERT_EQUAL(r.server.why.code, ERR_TIMEOUT);
    CU_ASSERT(r.n_turns < 200);
    rig_close(&r);
}

static void a_key_exchange_that_is_not_answered_ends_without_spinning(void)
{
    rig_init(&r);
    r.server.config.transport.kex_ms = 300;
    rig_login(&r, RIG_LYING_CLIENT);
    r.liar.holds_reading = true;
    transport_rekey(server_transport());
    peer_kick(r.server.peer);
    rig_turn(&r);
    unsigned before = r.n_turns;
    RIG_UNTIL(&r, r.server.has_ended);
    CU_ASSERT_EQUAL(r.server.why.code, ERR_TIMEOUT);
    CU_ASSERT(r.n_turns - before < 100);
    rig_close(&r);
}

/* ---- before login ---------------------------------------------------------------------------- */

static void nothing_of_the_connection_protocol_is_served_before_login(void)
{
    static const uint8_t numbers[] = {MSG_GLOBAL_REQUEST, MSG_CHANNEL_OPEN, MSG_CHANNEL_DATA,
        MSG_CHANNEL_REQUEST, MSG_CHANNEL_CLOSE, MSG_REQUEST_SUCCESS};
    for (size_t i = 0; i < sizeof numbers; i++) {
        rig_init(&r);
        r.liar.holds_login = true;
        rig_start(&r, RIG_LYING_CLIENT);
        RIG_UNTIL(&r, r.liar.t->has_first_keys);
        uint8_t payload[5] = {numbers[i]};
        liar_force(&r.liar, (struct bytes){payload, sizeof payload});
        RIG_UNTIL(&r, r.server.has_ended);
        CU_ASSERT_EQUAL(r.server.why.code, ERR_PROTOCOL);
        CU_ASSERT_FALSE(r.server.is_up);
        rig_close(&r);
    }
}

/* ---- what the kernel is asked ---------------------------------------------------------------- */

static bool delays_acknowledgements(void)
{
    int is_quick = -1;
    socklen_t n = sizeof is_quick;
    CU_ASSERT_EQUAL(
        getsockopt(peer_fd(r.client.peer), IPPROTO_TCP, TCP_QUICKACK, &is_quick, &n), 0);
    return !is_quick;
}

/* A server may hold its next packet back until then. */
static void what_needs_no_answer_is_acknowledged_before_the_loop_sleeps(void)
{
    int no = 0;
    rig_init(&r);
    r.uses_tcp = true;
    rig_login(&r, RIG_LYING_SERVER);
    rig_settle(&r);
    CU_ASSERT_EQUAL(
        setsockopt(peer_fd(r.client.peer), IPPROTO_TCP, TCP_QUICKACK, &no, sizeof no), 0);
    CU_ASSERT_TRUE(delays_acknowledgements());
    transport_send_ignore(r.liar.t, 10);
    liar_resume(&r.liar);
    rig_turn(&r); /* sends */
    rig_turn(&r); /* reads */
    CU_ASSERT_FALSE(delays_acknowledgements());
    rig_close(&r);
}

/* ---- floods of one that does not read -------------------------------------------------------- */

/* Sends by `send` while its own output holds less than a few packets, for some turns. */
static unsigned flood(void (*send)(unsigned i), unsigned max)
{
    unsigned n = 0;
    for (unsigned idle = 0; n < max && idle < 20 && !r.server.has_ended && !r.liar.is_over;) {
        unsigned before = n;
        while (n < max && transport_backlog(r.liar.t) < 64 * 1024)
            send(n++);
        rig_turn(&r);
        idle = n == before ? idle + 1 : 0;
    }
    return n;
}

static void ask_something(unsigned i)
{
    (void)i;
    liar_global(&r.liar, "keepalive@openssh.com", true, BYTES_LIT(""));
}

static void open_a_session(unsigned i)
{
    liar_open(&r.liar, "session", i, MUX_WINDOW_BYTES, MUX_PACKET_BYTES, BYTES_LIT(""));
}

static void open_to_nowhere(unsigned i)
{
    liar_open_tcpip(&r.liar, "direct-tcpip", i, BYTES_LIT("\1"), 80);
}

static void ping(unsigned i)
{
    uint8_t payload[1 + 4 + 64] = {MSG_PING, 0, 0, 0, 64};
    (void)i;
    liar_send(&r.liar, (struct bytes){payload, sizeof payload});
}

static void say_something_unknown(unsigned i)
{
    uint8_t payload[1] = {79};
    (void)i;
    liar_send(&r.liar, (struct bytes){payload, sizeof payload});
}

static void assert_flood_is_bounded(void (*send)(unsigned i), uint8_t answer)
{
    enum { MANY = 400000 };
    rig_init(&r);
    rig_login(&r, RIG_LYING_CLIENT);
    r.liar.holds_reading = true;
    r.liar.drops = true;
    unsigned n = flood(send, MANY);
    CU_ASSERT(n < MANY);
    CU_ASSERT_FALSE(r.server.has_ended); /* it is not read any more, that is all */
    CU_ASSERT(transport_backlog(server_transport()) < OWED_BOUND);
    CU_ASSERT(server_transport()->tx.buf.cap < 2 * OWED_BOUND);
    rig_assert_asleep(&r);

    liar_resume(&r.liar); /* whoever reads gets all it asked for */
    if (answer != 0)
        RIG_UNTIL(&r, r.liar.n_of[answer] == n);
    else
        rig_settle(&r);
    CU_ASSERT_FALSE(r.server.has_ended);
    CU_ASSERT_EQUAL(mux_n_channels(peer_mux(r.server.peer)), 0);
    rig_close(&r);
}

static void a_flood_of_global_requests_is_read_only_while_its_answers_are(void)
{
    assert_flood_is_bounded(ask_something, MSG_REQUEST_FAILURE);
}

static void a_flood_of_sessions_is_read_only_while_its_answers_are(void)
{
    assert_flood_is_bounded(open_a_session, MSG_CHANNEL_OPEN_FAILURE);
}

static void a_flood_of_opens_is_read_only_while_its_answers_are(void)
{
    assert_flood_is_bounded(open_to_nowhere, MSG_CHANNEL_OPEN_FAILURE);
}

static void a_flood_of_pings_is_read_only_while_its_answers_are(void)
{
    assert_flood_is_bounded(ping, 0);
}

static void a_flood_of_unknown_messages_is_read_only_while_its_answers_are(void)
{
    assert_flood_is_bounded(say_something_unknown, 0);
}

/* Replies may not go out in a key exchange: what is held back for it has a bound of its own. */
static void a_flood_during_a_key_exchange_that_is_not_finished_ends(void)
{
    enum { MANY = 1000000 };
    rig_init(&r);
    rig_login(&r, RIG_LYING_CLIENT);
    r.liar.holds_reading = true;
    r.liar.drops = true;
    transport_rekey(server_transport());
    peer_kick(r.server.peer);
    unsigned n = flood(ask_something, MANY);
    CU_ASSERT(n < MANY);
    if (r.server.peer != NULL) {
        CU_ASSERT(server_transport()->tx.n_held <= TX_HELD_LIMIT);
    } else {
        CU_ASSERT_EQUAL(r.server.why.code, ERR_LIMIT);
    }
    rig_close(&r);
}

static void rekeys_started_by_both_sides_at_once_and_often_are_fine(void)
{
    rig_init(&r);
    rig_login(&r, RIG_TWO_PEERS);
    for (int i = 0; i < 200; i++) {
        transport_rekey(peer_transport(r.client.peer));
        transport_rekey(peer_transport(r.server.peer));
        peer_kick(r.client.peer);
        peer_kick(r.server.peer);
        RIG_UNTIL(&r, !transport_in_kex(peer_transport(r.client.peer)) &&
                          !transport_in_kex(peer_transport(r.server.peer)));
    }
    CU_ASSERT_EQUAL(transport_counts(peer_transport(r.client.peer)).rekeys, 200);
    rig_close(&r);
}

static void a_connection_at_rest_sleeps(void)
{
    rig_init(&r);
    r.client.config.transport.rekey_ms = 3600 * 1000;
    r.client.config.transport.kex_ms = 1000;
    r.client.config.alive_interval_ms = 15000;
    r.client.config.alive_count_max = 3;
    rig_login(&r, RIG_TWO_PEERS);
    rig_settle(&r);
    rig_assert_asleep(&r);
    CU_ASSERT(r.client.n_quiet > 0);
    rig_close(&r);
}

static const struct unit_test tests[] = {
    UNIT(a_close_in_good_order_is_told_and_ends_both_sides),
    UNIT(what_was_queued_goes_out_before_the_connection_is_closed),
    UNIT(one_that_does_not_read_the_last_words_is_not_waited_for_long),
    UNIT(the_other_sides_leave_is_told_in_its_words),
    UNIT(last_words_are_read_although_writing_fails),
    UNIT(last_words_are_read_although_nobody_told_of_them_yet),
    UNIT(a_failure_of_writing_alone_ends_the_connection),
    UNIT(a_connection_cut_in_mid_packet_is_told_as_such),
    UNIT(garbage_instead_of_ssh_ends_it),
    UNIT(a_peer_that_is_freed_tells_nobody_that_it_ended),
    UNIT(without_a_known_algorithm_there_is_no_peer_and_no_descriptor_left),
    UNIT(silence_is_probed_and_then_ends_the_connection),
    UNIT(any_packet_counts_as_an_answer),
    UNIT(a_refused_probe_is_an_answer_like_any_other),
    UNIT(our_own_traffic_does_not_put_the_verdict_off),
    UNIT(a_login_that_takes_too_long_ends),
    UNIT(a_key_exchange_that_is_not_answered_ends_without_spinning),
    UNIT(nothing_of_the_connection_protocol_is_served_before_login),
    UNIT(what_needs_no_answer_is_acknowledged_before_the_loop_sleeps),
    UNIT(a_flood_of_global_requests_is_read_only_while_its_answers_are),
    UNIT(a_flood_of_sessions_is_read_only_while_its_answers_are),
    UNIT(a_flood_of_opens_is_read_only_while_its_answers_are),
    UNIT(a_flood_of_pings_is_read_only_while_its_answers_are),
    UNIT(a_flood_of_unknown_messages_is_read_only_while_its_answers_are),
    UNIT(a_flood_during_a_key_exchange_that_is_not_finished_ends),
    UNIT(rekeys_started_by_both_sides_at_once_and_often_are_fine),
    UNIT(a_connection_at_rest_sleeps),
};
UNIT_MAIN("peer", tests)
