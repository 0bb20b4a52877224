/* Which listener of a server leads where, how a server is asked for it, at which address a target
 * is found, and windows so large that
 * only arithmetic can go wrong over them. Bugs that other implementations had:
 * docs/regressions.md. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/forward/faults.h"
#include "tests/unit/forward/rig.h"

static struct rig r;

static void grant(void)
{
    static const uint8_t success = MSG_REQUEST_SUCCESS;
    liar_send(&r.liar, (struct bytes){&success, 1});
}

/* Which of the listening sockets is connected to when the server tells of a connection. */
static int target_of(const int *fds, int n, const char *address, uint32_t port)
{
    struct msg_open_confirmation m = {0};
    int found = -1;
    liar_open_tcpip(&r.liar, "forwarded-tcpip", 5, bytes_of(address), port);
    CU_ASSERT(liar_confirmed(&r.liar, &m));
    for (int i = 0; i < n; i++) {
        int fd = accept(fds[i], NULL, NULL);
        if (fd < 0)
            continue;
        CU_ASSERT_EQUAL(found, -1);
        found = i;
        close(fd);
    }
    liar_chan(&r.liar, MSG_CHANNEL_CLOSE, m.sender);
    CU_ASSERT(liar_await(&r.liar, MSG_CHANNEL_CLOSE).n > 0);
    return found;
}

/* Dropbear before 2018.76: all to the same one. */
static void each_of_several_listeners_leads_to_its_own_target(void)
{
    static const struct {
        const char *bind, *address; /* as written, and as the server names it */
        uint16_t port;
    } listeners[] = {
        {"", "localhost", 4000},
        {"", "localhost", 4001},
        {"127.0.0.2:", "127.0.0.2", 4000},
        {"[::1]:", "::1", 4000},
        {"*:", "", 4000},
        {"gate:", "gate", 4001},
    };
    enum { N = sizeof listeners / sizeof listeners[0] };
    int fds[N];
    rig_init(&r);
    for (int i = 0; i < N; i++) {
        uint16_t port = 0;
        fds[i] = drive_listen(AF_INET, &port, 4);
        rig_forward(
            &r, FORWARD_REMOTE, "%s%u:127.0.0.1:%u", listeners[i].bind, listeners[i].port, port);
    }
    rig_login(&r, RIG_LYING_SERVER);
    for (int i = 0; i < N; i++)
        grant();
    RIG_UNTIL(&r, r.settled);
    CU_ASSERT_EQUAL(r.n_failed, 0);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < N; i++) {
            int at = round == 0 ? i : N - 1 - i;
            CU_ASSERT_EQUAL(target_of(fds, N, listeners[at].address, listeners[at].port), at);
        }
    drive_close(fds, N);
    rig_close(&r);
}

/* RFC 4254 section 7.1. Dropbear asked for "localhost" where an address was meant, and the other
 * way round; OpenSSH 46ac2ed46 lost the wildcard. */
static void a_server_is_asked_to_listen_where_the_user_wrote(void)
{
    static const struct {
        const char *bind, *address;
    } cases[] = {
        {"", "localhost"},
        {"localhost:", "localhost"},
        {"*:", ""},
        {":", ""},
        {"127.0.0.1:", "127.0.0.1"},
        {"0.0.0.0:", "0.0.0.0"},
        {"[::1]:", "::1"},
        {"[::]:", "::"},
        {"gate.example:", "gate.example"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct msg_global_request m;
        struct msg_tcpip_forward where;
        rig_init(&r);
        rig_forward(&r, FORWARD_REMOTE, "%s4000:127.0.0.1:80", cases[i].bind);
        rig_login(&r, RIG_LYING_SERVER);
        struct bytes asked = liar_await(&r.liar, MSG_GLOBAL_REQUEST);
        CU_ASSERT_FATAL(asked.n > 1);
        struct wire_reader reader = wire_reader((struct bytes){asked.p + 1, asked.n - 1});
        CU_ASSERT_EQUAL(msg_global_request_decode(&reader, &m), ERR_OK);
        CU_ASSERT(bytes_is(m.name, "tcpip-forward") && m.want_reply);
        struct wire_reader body = wire_reader(m.rest);
        CU_ASSERT_EQUAL(msg_tcpip_forward_decode(&body, &where), ERR_OK);
        CU_ASSERT(bytes_is(where.address, cases[i].address));
        CU_ASSERT_EQUAL(where.port, 4000);
        rig_close(&r);
    }
}

/* Dropbear: only the first of a name's addresses was tried. */
static void a_target_is_reached_at_any_address_of_its_name(void)
{
    static const char *const orders[] = {"::1,127.0.0.1", "127.0.0.1,::1"};
    static const int families[] = {AF_INET, AF_INET6};
    struct msg_open_confirmation m;
    for (int i = 0; i < 2 * 2 * 2; i++) {
        bool by_client = i & 4;
        uint16_t port = 0;
        if (families[i & 1] == AF_INET6 && !drive_has_ipv6())
            continue;
        rig_init(&r);
        faults_name("dual.test", orders[i >> 1 & 1]);
        int fd = drive_listen(families[i & 1], &port, 4);
        rig_forward(&r, FORWARD_REMOTE, "4000:dual.test:%u", port);
        rig_login(&r, by_client ? RIG_LYING_SERVER : RIG_LYING_CLIENT);
        if (by_client) {
            grant();
            RIG_UNTIL(&r, r.settled);
            liar_open_tcpip(&r.liar, "forwarded-tcpip", 5, BYTES_LIT("localhost"), 4000);
        } else {
            liar_open_tcpip(&r.liar, "direct-tcpip", 5, BYTES_LIT("dual.test"), port);
        }
        int got = rig_accept(&r, fd);
        CU_ASSERT(got >= 0);
        CU_ASSERT(liar_confirmed(&r.liar, &m));
        close(got);
        close(fd);
        rig_close(&r);
        faults_clear();
    }
}

/* OpenSSH 927f8514c: "Address already in use", and no word of which. */
static void a_listener_that_cannot_be_made_is_told_of_with_address_and_port(void)
{
    uint16_t port = 0;
    char wanted[64];
    rig_init(&r);
    int taken = drive_listen(AF_INET, &port, 4);
    rig_forward(&r, FORWARD_LOCAL, "127.0.0.1:%u:far:80", port);
    rig_login(&r, RIG_LYING_SERVER);
    RIG_UNTIL(&r, r.settled);
    CU_ASSERT_EQUAL(r.n_failed, 1);
    snprintf(wanted, sizeof wanted, "127.0.0.1 port %u", port);
    CU_ASSERT(rig_said(&r, wanted));
    CU_ASSERT(rig_said(&r, "Address already in use"));
    close(taken);
    rig_close(&r);
}

/* Dropbear: a peer that promised 500 MB stuck. Here all that 32 bits can say, again and again. */
static void a_window_and_packets_of_4_gib_are_used_like_any_other(void)
{
    enum { ALL = 8 << 20, STEPS = 8 };
    struct msg_channel_open m;
    struct app near;
    uint8_t built[64];
    rig_init(&r);
    rig_forward(&r, FORWARD_LOCAL, "127.0.0.1:0:far:80");
    rig_login(&r, RIG_LYING_SERVER);
    RIG_UNTIL(&r, r.settled);
    app_start(&near, r.loop, drive_connect(AF_INET, rig_port(&r, 0)), 'n');
    CU_ASSERT(liar_opened(&r.liar, &m));
    uint32_t chan = m.sender;
    struct wire_writer w = wire_writer(built, sizeof built);
    struct msg_open_confirmation yes = {
        .recipient = chan, .sender = 9, .window = UINT32_MAX, .max_packet = UINT32_MAX};
    msg_open_confirmation_encode(&w, &yes);
    liar_send(&r.liar, wire_written(&w));
    r.liar.drops = true;
    for (uint64_t i = 1; i <= STEPS && r.liar.n_data == (i - 1) * (ALL / STEPS); i++) {
        app_send(&near, ALL / STEPS, false);
        RIG_UNTIL(&r, r.liar.n_data == i * (ALL / STEPS));
        liar_adjust(&r.liar, chan, ALL / STEPS); /* full again, to the last byte */
    }
    RIG_UNTIL(
        &r, r.client.has_ended || mux_send_window(peer_mux(r.client.peer), chan) == UINT32_MAX);
    CU_ASSERT_FALSE(r.client.has_ended);
    CU_ASSERT_EQUAL(r.liar.n_data, ALL);
    app_close(&near);
    rig_close(&r);
}

static const struct unit_test tests[] = {
    UNIT(each_of_several_listeners_leads_to_its_own_target),
    UNIT(a_server_is_asked_to_listen_where_the_user_wrote),
    UNIT(a_target_is_reached_at_any_address_of_its_name),
    UNIT(a_listener_that_cannot_be_made_is_told_of_with_address_and_port),
    UNIT(a_window_and_packets_of_4_gib_are_used_like_any_other),
};
UNIT_MAIN("forward/remote targets", tests)
