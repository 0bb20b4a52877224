/* -R against a server that lies: what it may open, and what it is told. */
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

static void answer(bool ok, struct bytes body)
{
    uint8_t payload[64] = {ok ? MSG_REQUEST_SUCCESS : MSG_REQUEST_FAILURE};
    CU_ASSERT(liar_await(&r.liar, MSG_GLOBAL_REQUEST).n > 0);
    if (body.n > 0)
        memcpy(payload + 1, body.p, body.n);
    liar_send(&r.liar, (struct bytes){payload, 1 + body.n});
}

static void grant_port(uint32_t port)
{
    uint8_t body[4];
    store_be32(body, port);
    answer(true, (struct bytes){body, sizeof body});
}

static uint32_t refusal_of(const char *address, uint32_t port)
{
    liar_open_tcpip(&r.liar, "forwarded-tcpip", 5, bytes_of(address), port);
    return liar_refused(&r.liar, NULL, 0);
}

static void assert_honoured(const char *address, uint32_t port)
{
    struct msg_open_confirmation m = {0};
    liar_open_tcpip(&r.liar, "forwarded-tcpip", 5, bytes_of(address), port);
    int fd = rig_accept(&r, target_fd);
    CU_ASSERT(fd >= 0);
    CU_ASSERT(liar_confirmed(&r.liar, &m));
    liar_chan(&r.liar, MSG_CHANNEL_CLOSE, m.sender);
    CU_ASSERT(liar_await(&r.liar, MSG_CHANNEL_CLOSE).n > 0);
    close(fd);
}

static void start_remote(const char *listen)
{
    open_target();
    rig_init(&r);
    rig_forward(&r, FORWARD_REMOTE, "%s:127.0.0.1:%u", listen, target_port);
    rig_login(&r, RIG_LYING_SERVER);
}

static void close_remote(void)
{
    rig_close(&r);
    close(target_fd);
}

static void a_listener_is_honoured_from_its_grant_on_and_no_earlier(void)
{
    start_remote("4000");
    CU_ASSERT_EQUAL(refusal_of("localhost", 4000), OPEN_ADMINISTRATIVELY_PROHIBITED);
    answer(true, (struct bytes){NULL, 0});
    RIG_UNTIL(&r, r.settled);
    CU_ASSERT_EQUAL(r.n_failed, 0);
    assert_honoured("localhost", 4000);
    assert_honoured("localhost", 4000);
    CU_ASSERT_FALSE(r.client.has_ended);
    close_remote();
}

static void a_refused_listener_is_not_honoured(void)
{
    start_remote("4000");
    answer(false, (struct bytes){NULL, 0});
    RIG_UNTIL(&r, r.settled);
    CU_ASSERT_EQUAL(r.n_failed, 1);
    CU_ASSERT(rig_said(&r, "remote port forwarding failed for listen port 4000"));
    CU_ASSERT_EQUAL(refusal_of("localhost", 4000), OPEN_ADMINISTRATIVELY_PROHIBITED);
    close_remote();
}

static void a_listener_nobody_asked_for_is_refused(void)
{
    static const char long_name[] = "long-name-that-goes-on-and-on";
    start_remote("4000");
    answer(true, (struct bytes){NULL, 0});
    RIG_UNTIL(&r, r.settled);
    CU_ASSERT_EQUAL(refusal_of("localhost", 4001), OPEN_ADMINISTRATIVELY_PROHIBITED);
    CU_ASSERT_EQUAL(refusal_of("localhost", 0), OPEN_ADMINISTRATIVELY_PROHIBITED);
    CU_ASSERT_EQUAL(refusal_of("localhost", 4000 + 65536), OPEN_ADMINISTRATIVELY_PROHIBITED);
    CU_ASSERT_EQUAL(refusal_of(long_name, UINT32_MAX), OPEN_ADMINISTRATIVELY_PROHIBITED);
    CU_ASSERT_EQUAL(refusal_of("\033[2J\r\n\xc2\x9b\xff", 4001), OPEN_ADMINISTRATIVELY_PROHIBITED);
    CU_ASSERT(rig_said(&r, "\\x1b[2J\\x0d\\x0a\\xc2\\x9b\\xff"));
    CU_ASSERT_FALSE(r.client.has_ended);
    assert_honoured("localhost", 4000);
    close_remote();
}

/* Some servers name the address they bound. With two that differ only in it, there is no guessing.
 */
static void another_address_will_do_where_the_port_leaves_no_doubt(void)
{
    open_target();
    rig_init(&r);
    rig_forward(&r, FORWARD_REMOTE, "127.0.0.1:4000:127.0.0.1:%u", target_port);
    rig_forward(&r, FORWARD_REMOTE, "::1/4000/127.0.0.1/%u", target_port);
    rig_forward(&r, FORWARD_REMOTE, "4001:127.0.0.1:%u", target_port);
    rig_login(&r, RIG_LYING_SERVER);
    for (int i = 0; i < 3; i++)
        answer(true, (struct bytes){NULL, 0});
    RIG_UNTIL(&r, r.settled);
    assert_honoured("127.0.0.1", 4000);
    assert_honoured("::1", 4000);
    CU_ASSERT_EQUAL(refusal_of("10.0.0.1", 4000), OPEN_ADMINISTRATIVELY_PROHIBITED);
    assert_honoured("10.0.0.1", 4001);
    close_remote();
}

/* AsyncSSH names the port that it was asked for, 0, not the one that it allocated. */
static void port_0_will_do_where_one_forward_asked_for_it(void)
{
    open_target();
    rig_init(&r);
    rig_forward(&r, FORWARD_REMOTE, "0:127.0.0.1:%u", target_port);
    rig_forward(&r, FORWARD_REMOTE, "4001:127.0.0.1:1");
    rig_login(&r, RIG_LYING_SERVER);
    CU_ASSERT_EQUAL(refusal_of("localhost", 0), OPEN_ADMINISTRATIVELY_PROHIBITED);
    grant_port(4000);
    answer(true, (struct bytes){NULL, 0});
    RIG_UNTIL(&r, r.settled);
    assert_honoured("localhost", 0);
    assert_honoured("127.0.0.1", 0);
    assert_honoured("localhost", 4000);
    close_remote();
}

static void port_0_is_refused_where_two_forwards_asked_for_it(void)
{
    open_target();
    rig_init(&r);
    rig_forward(&r, FORWARD_REMOTE, "0:127.0.0.1:%u", target_port);
    rig_forward(&r, FORWARD_REMOTE, "0:127.0.0.1:1");
    rig_login(&r, RIG_LYING_SERVER);
    grant_port(4000);
    grant_port(4001);
    RIG_UNTIL(&r, r.settled);
    CU_ASSERT_EQUAL(refusal_of("localhost", 0), OPEN_ADMINISTRATIVELY_PROHIBITED);
    assert_honoured("localhost", 4000);
    close_remote();
}

static void malformed_forwarded_opens_are_refused(void)
{
    static const uint8_t body[] = "\0\0\0\x09localhost\0\0\x0f\xa0\0\0\0\x01x\0\0\0\x01!";
    start_remote("4000");
    answer(true, (struct bytes){NULL, 0});
    for (size_t n = 0; n < sizeof body; n++) {
        if (n == 26)
            continue; /* the good length */
        liar_open(&r.liar, "forwarded-tcpip", 1, 1000, 1000, (struct bytes){body, n});
        CU_ASSERT_EQUAL(liar_refused(&r.liar, NULL, 0), OPEN_ADMINISTRATIVELY_PROHIBITED);
    }
    CU_ASSERT_FALSE(r.client.has_ended);
    close_remote();
}

static void a_grant_of_port_0_must_say_which(void)
{
    static const struct {
        uint8_t body[8];
        size_t n;
    } bad[] = {{{0}, 0}, {{0, 0, 15}, 3}, {{0, 0, 15, 160, 0}, 5}, {{0, 0, 0, 0}, 4},
        {{0, 1, 0, 0}, 4}, {{255, 255, 255, 255}, 4}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        start_remote("0");
        answer(true, (struct bytes){bad[i].body, bad[i].n});
        RIG_UNTIL(&r, r.settled);
        CU_ASSERT_EQUAL(r.n_failed, 1);
        CU_ASSERT_EQUAL(refusal_of("localhost", 0), OPEN_ADMINISTRATIVELY_PROHIBITED);
        CU_ASSERT_EQUAL(refusal_of("localhost", 4000), OPEN_ADMINISTRATIVELY_PROHIBITED);
        close_remote();
    }
    start_remote("0");
    grant_port(4000);
    RIG_UNTIL(&r, r.settled);
    CU_ASSERT_EQUAL(r.n_failed, 0);
    CU_ASSERT(rig_said(&r, "Allocated port 4000 for remote forward to 127.0.0.1:"));
    assert_honoured("localhost", 4000);
    close_remote();
}

/* The port asked for is in force whatever a reply adds to it. */
static void a_grant_cannot_change_the_port_that_was_asked_for(void)
{
    start_remote("4000");
    grant_port(22);
    RIG_UNTIL(&r, r.settled);
    CU_ASSERT_EQUAL(refusal_of("localhost", 22), OPEN_ADMINISTRATIVELY_PROHIBITED);
    assert_honoured("localhost", 4000);
    close_remote();
}

static void requests_go_out_at_once_and_replies_are_matched_in_order(void)
{
    open_target();
    rig_init(&r);
    for (uint16_t i = 0; i < 8; i++)
        rig_forward(&r, FORWARD_REMOTE, "%u:127.0.0.1:%u", 4000u + i, target_port);
    rig_login(&r, RIG_LYING_SERVER);
    RIG_UNTIL(&r, r.liar.n_of[MSG_GLOBAL_REQUEST] == 8);
    for (int i = 0; i < 8; i++)
        answer(i % 2 == 0, (struct bytes){NULL, 0});
    RIG_UNTIL(&r, r.settled);
    CU_ASSERT_EQUAL(r.n_failed, 4);
    for (uint32_t i = 0; i < 8; i++) {
        if (i % 2 == 0)
            assert_honoured("localhost", 4000 + i);
        else
            CU_ASSERT_EQUAL(refusal_of("localhost", 4000 + i), OPEN_ADMINISTRATIVELY_PROHIBITED);
    }
    close_remote();
}

static void the_servers_reason_is_shown_escaped(void)
{
    start_remote("4000");
    liar_debug(&r.liar, "not\nwhile \033[1mI\033[0m am here");
    answer(false, (struct bytes){NULL, 0});
    RIG_UNTIL(&r, r.settled);
    CU_ASSERT(rig_said(&r, "server says: not\\x0awhile \\x1b[1mI"));
    close_remote();
}

static void an_unreachable_target_is_told_to_both_sides(void)
{
    int held[2];
    char text[300] = "";
    uint16_t port = drive_refuse(held);
    rig_init(&r);
    rig_forward(&r, FORWARD_REMOTE, "4000:127.0.0.1:%u", port);
    rig_login(&r, RIG_LYING_SERVER);
    answer(true, (struct bytes){NULL, 0});
    liar_open_tcpip(&r.liar, "forwarded-tcpip", 5, BYTES_LIT("localhost"), 4000);
    CU_ASSERT_EQUAL(liar_refused(&r.liar, text, sizeof text), OPEN_CONNECT_FAILED);
    CU_ASSERT_STRING_EQUAL(text, "Connection refused");
    CU_ASSERT(rig_said(&r, "this side could not connect to 127.0.0.1 port"));
    rig_close(&r);
    drive_close(held, 2);
}

static void channels_the_client_did_not_ask_for_are_refused(void)
{
    static const char *const types[] = {"session", "x11", "auth-agent@openssh.com", "direct-tcpip",
        "direct-streamlocal@openssh.com", "forwarded-streamlocal@openssh.com", "tun@openssh.com",
        "", "forwarded-tcpip\1"};
    start_remote("4000");
    answer(true, (struct bytes){NULL, 0});
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        liar_open_tcpip(&r.liar, types[i], 7, BYTES_LIT("127.0.0.1"), target_port);
        CU_ASSERT_EQUAL(liar_refused(&r.liar, NULL, 0), OPEN_ADMINISTRATIVELY_PROHIBITED);
    }
    CU_ASSERT_EQUAL(mux_n_channels(client_mux()), 0);
    CU_ASSERT_FALSE(r.client.has_ended);
    close_remote();
}

static void global_requests_of_the_server_are_refused(void)
{
    static const char *const names[] = {
        "keepalive@openssh.com", "tcpip-forward", "hostkeys-00@openssh.com", ""};
    rig_init(&r);
    rig_login(&r, RIG_LYING_SERVER);
    int n_fds = drive_n_fds();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        liar_forward(&r.liar, names[i], true, BYTES_LIT("localhost"), 0);
        CU_ASSERT(liar_await(&r.liar, MSG_REQUEST_FAILURE).n == 1);
        liar_forward(&r.liar, names[i], false, BYTES_LIT("localhost"), 0);
    }
    rig_settle(&r);
    CU_ASSERT_EQUAL(r.liar.n_of[MSG_REQUEST_FAILURE], 4);
    CU_ASSERT_EQUAL(r.liar.n_of[MSG_REQUEST_SUCCESS], 0);
    CU_ASSERT_EQUAL(drive_n_fds(), n_fds);
    rig_close(&r);
}

static void dials_under_way_end_with_the_connection(void)
{
    enum { OPENS = 1100 };
    rig_init(&r);
    faults_clear();
    rig_forward(&r, FORWARD_REMOTE, "4000:a.stuck:80");
    rig_forward(&r, FORWARD_REMOTE_DYNAMIC, "4001");
    rig_login(&r, RIG_LYING_SERVER);
    answer(true, (struct bytes){NULL, 0});
    answer(true, (struct bytes){NULL, 0});
    for (uint32_t i = 0; i < OPENS; i++)
        liar_open_tcpip(&r.liar, "forwarded-tcpip", i, BYTES_LIT("localhost"), 4000);
    RIG_UNTIL(&r, r.liar.n_of[MSG_CHANNEL_OPEN_FAILURE] == OPENS - 1024);
    CU_ASSERT_EQUAL(liar_refused(&r.liar, NULL, 0), OPEN_RESOURCE_SHORTAGE);
    rig_assert_asleep(&r);

    struct msg_open_confirmation m = {0};
    liar_open_tcpip(&r.liar, "forwarded-tcpip", OPENS, BYTES_LIT("localhost"), 4001);
    CU_ASSERT(liar_confirmed(&r.liar, &m));
    static const uint8_t request[] = "\5\1\0\5\1\0\3\7b.stuck\0\x50";
    liar_data(&r.liar, m.sender, (struct bytes){request, sizeof request - 1});
    CU_ASSERT(liar_await(&r.liar, MSG_CHANNEL_DATA).n > 0);
    rig_settle(&r);
    rig_cut(&r);
    RIG_UNTIL(&r, r.client.has_ended);
    faults_release();
    rig_settle(&r);
    rig_close(&r);
    faults_clear();
}

/* ---- SOCKS at the far end -------------------------------------------------------------------- */

static void names_in_far_socks_requests_are_escaped_and_permitted_literally(void)
{
    static const char *const rules[] = {"127.0.0.1:1", "[::1]:*", "*:2"};
    static const struct {
        const char *host;
        uint16_t port;
        uint8_t code; /* the SOCKS5 reply */
    } requests[] = {
        {"\xc2\x9b"
         "2J\xe2\x80\xae\xff",
            80, 2},
        {"a\\b", 80, 2},
        {"127.0.0.1", 80, 2},
        {"::1x", 80, 2},
    };
    rig_init(&r);
    r.forwards_config.permit_remote_open = rules;
    r.forwards_config.n_permit_remote_open = 3;
    rig_forward(&r, FORWARD_REMOTE_DYNAMIC, "4001");
    rig_login(&r, RIG_LYING_SERVER);
    answer(true, (struct bytes){NULL, 0});
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        struct msg_open_confirmation m = {0};
        uint8_t request[300] = {5, 1, 0, 5, 1, 0, 3};
        size_t n = strlen(requests[i].host);
        request[7] = (uint8_t)n;
        memcpy(request + 8, requests[i].host, n);
        request[8 + n] = (uint8_t)(requests[i].port >> 8);
        request[9 + n] = (uint8_t)requests[i].port;
        liar_open_tcpip(&r.liar, "forwarded-tcpip", 5, BYTES_LIT("localhost"), 4001);
        CU_ASSERT(liar_confirmed(&r.liar, &m));
        uint64_t before = r.liar.n_data;
        liar_data(&r.liar, m.sender, (struct bytes){request, 10 + n});
        RIG_UNTIL(&r, r.liar.n_data == before + 12);
        CU_ASSERT(liar_await(&r.liar, MSG_CHANNEL_CLOSE).n > 0);
        liar_chan(&r.liar, MSG_CHANNEL_CLOSE, m.sender);
    }
    CU_ASSERT_FALSE(r.said_raw);
    CU_ASSERT(rig_said(&r, "\\xc2\\x9b2J"));
    RIG_UNTIL(&r, mux_n_channels(client_mux()) == 0);
    rig_close(&r);
}

static const struct unit_test tests[] = {
    UNIT(a_listener_is_honoured_from_its_grant_on_and_no_earlier),
    UNIT(a_refused_listener_is_not_honoured),
    UNIT(a_listener_nobody_asked_for_is_refused),
    UNIT(another_address_will_do_where_the_port_leaves_no_doubt),
    UNIT(port_0_will_do_where_one_forward_asked_for_it),
    UNIT(port_0_is_refused_where_two_forwards_asked_for_it),
    UNIT(malformed_forwarded_opens_are_refused),
    UNIT(a_grant_of_port_0_must_say_which),
    UNIT(a_grant_cannot_change_the_port_that_was_asked_for),
    UNIT(requests_go_out_at_once_and_replies_are_matched_in_order),
    UNIT(the_servers_reason_is_shown_escaped),
    UNIT(an_unreachable_target_is_told_to_both_sides),
    UNIT(channels_the_client_did_not_ask_for_are_refused),
    UNIT(global_requests_of_the_server_are_refused),
    UNIT(dials_under_way_end_with_the_connection),
    UNIT(names_in_far_socks_requests_are_escaped_and_permitted_literally),
};
UNIT_MAIN("client_remote", tests)
