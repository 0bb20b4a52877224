#define _GNU_SOURCE /* RTLD_NEXT */
/* One that has nothing to do sleeps, in whatever state its connections are; and no call waits for
 * anybody but the loop's own. Sleep is counted in turns of the loop over a simulated hour, waiting
 * by looking at every socket that is read, written or closed. Most of these are bugs that other
 * implementations had: docs/regressions.md. */
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/unit/forward/simulated.h"
#include "transport/engine.h"

enum {
    S = 1000,
    HOUR_MS = 3600 * S,
    TURNS_MOST = 50, /* that an hour of sleep may have: a timer here and there */
    LIAR_CHAN = 77,
};

static struct rig r;

/* ---- calls that would wait --------------------------------------------------------------------
 */

static unsigned n_calls, n_waiting_calls;

static void look_at(int fd, bool is_close)
{
    struct linger linger = {0};
    socklen_t n = sizeof linger;
    if (getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &n) != 0)
        return; /* no socket */
    n_calls++;
    n_waiting_calls += is_close ? linger.l_onoff != 0 && linger.l_linger > 0
                                : (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0;
}

#define STAND_IN(result, name, is_close, parameters, ...)                                          \
    result name parameters                                                                         \
    {                                                                                              \
        static result(*real) parameters;                                                           \
        if (real == NULL) {                                                                        \
            void *found = dlsym(RTLD_NEXT, #name);                                                 \
            if (found == NULL)                                                                     \
                abort();                                                                           \
            memcpy(&real, &found, sizeof found);                                                   \
        }                                                                                          \
        look_at(fd, is_close);                                                                     \
        return real(__VA_ARGS__);                                                                  \
    }

STAND_IN(ssize_t, read, false, (int fd, void *p, size_t n), fd, p, n)
STAND_IN(ssize_t, readv, false, (int fd, const struct iovec *v, int n), fd, v, n)
STAND_IN(ssize_t, write, false, (int fd, const void *p, size_t n), fd, p, n)
STAND_IN(ssize_t, writev, false, (int fd, const struct iovec *v, int n), fd, v, n)
STAND_IN(int, close, true, (int fd), fd)

/* ---- a server, a liar as its client, and applications that are connected to -------------------
 */

struct way {
    struct app far;
    uint32_t chan; /* the server's number */
};

/* narrow: the kernel holds next to nothing. */
static void open_way(struct way *w, uint32_t window, bool narrow)
{
    struct msg_open_confirmation m = {0};
    uint16_t port = 0;
    uint8_t body[64];
    int listen_fd = drive_listen(AF_INET, &port, 4);
    if (narrow)
        rig_narrow_listener(listen_fd);
    struct wire_writer wire = wire_writer(body, sizeof body);
    struct msg_tcpip_open where = {.host = BYTES_LIT("127.0.0.1"),
        .port = port,
        .from_host = BYTES_LIT("192.0.2.1"),
        .from_port = 1};
    msg_tcpip_open_encode(&wire, &where);
    liar_open(&r.liar, "direct-tcpip", LIAR_CHAN, window, MUX_PACKET_BYTES, wire_written(&wire));
    app_start(&w->far, r.loop, rig_accept(&r, listen_fd), 'f');
    CU_ASSERT(liar_confirmed(&r.liar, &m));
    w->chan = m.sender;
    if (narrow)
        rig_narrow(w->far.source.fd);
    close(listen_fd);
}

static void start(void)
{
    n_calls = n_waiting_calls = 0;
    rig_init(&r);
    rig_login(&r, RIG_LYING_CLIENT);
}

static void finish(void)
{
    rig_close(&r);
    CU_ASSERT(n_calls > 0);
    CU_ASSERT_EQUAL(n_waiting_calls, 0);
}

static struct transport *server_transport(void)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(r.server.peer);
    return peer_transport(r.server.peer);
}

static void assert_asleep(void)
{
    uint64_t before = simulated.n_turns;
    pass(&r, HOUR_MS);
    CU_ASSERT(simulated.n_turns - before <= TURNS_MOST);
}

/* ---- while new keys are waited for ------------------------------------------------------------
 */

/* The server has begun a key exchange, and the liar reads nothing. */
static void begin_key_exchange(void)
{
    r.liar.holds_reading = true;
    transport_rekey(server_transport());
    peer_kick(r.server.peer);
    rig_settle(&r);
    CU_ASSERT_TRUE(transport_in_kex(server_transport()));
}

/* OpenSSH cd1f70009, Dropbear: all of the processor was used while new keys were waited for. */
static void nobody_spins_while_new_keys_are_waited_for(void)
{
    struct way slow, busy;
    start();
    open_way(&slow, MUX_WINDOW_BYTES, true);
    open_way(&busy, MUX_WINDOW_BYTES, false);
    app_hold(&slow.far);
    liar_stream(&r.liar, slow.chan, 'x', 0, MUX_WINDOW_BYTES);
    rig_settle(&r);
    begin_key_exchange();
    app_send(&busy.far, MUX_WINDOW_BYTES, true); /* ready to be read, all the time */
    rig_settle(&r);
    assert_asleep();
    CU_ASSERT_TRUE(transport_in_kex(server_transport()));
    CU_ASSERT_EQUAL(r.liar.n_data, 0);

    liar_resume(&r.liar);
    RIG_UNTIL(&r, r.liar.n_data == MUX_WINDOW_BYTES);
    CU_ASSERT_EQUAL(transport_counts(server_transport()).rekeys, 1);
    app_close(&slow.far);
    app_close(&busy.far);
    finish();
}

/* OpenSSH fec014785: local sockets waited for the new keys too. Dropbear ended the connection over
 * a packet that was on its way when it began. */
static void what_has_come_is_delivered_while_new_keys_are_waited_for(void)
{
    struct way slow, other, leaves;
    start();
    open_way(&slow, MUX_WINDOW_BYTES, true);
    open_way(&other, MUX_WINDOW_BYTES, false);
    open_way(&leaves, MUX_WINDOW_BYTES, false);
    app_hold(&slow.far);
    liar_stream(&r.liar, slow.chan, 'x', 0, MUX_WINDOW_BYTES);
    rig_settle(&r);
    begin_key_exchange();

    rig_widen(slow.far.source.fd);
    app_resume(&slow.far);
    RIG_UNTIL(&r, slow.far.n_got == MUX_WINDOW_BYTES);
    liar_stream(&r.liar, other.chan, 'x', 0, 100000); /* it has not seen our KEXINIT yet */
    liar_chan(&r.liar, MSG_CHANNEL_EOF, other.chan);
    RIG_UNTIL(&r, other.far.saw_end);
    CU_ASSERT_EQUAL(other.far.n_got, 100000);
    app_reset(&leaves.far);
    rig_settle(&r);
    CU_ASSERT_TRUE(transport_in_kex(server_transport()));
    CU_ASSERT_EQUAL(r.liar.n_of[MSG_CHANNEL_CLOSE], 0);
    assert_asleep();

    liar_resume(&r.liar); /* gets all that was to be told meanwhile: credit, and the reset */
    CU_ASSERT(liar_await(&r.liar, MSG_CHANNEL_CLOSE).n > 0);
    CU_ASSERT(r.liar.n_credit >= MUX_WINDOW_BYTES / 2);
    CU_ASSERT_FALSE(slow.far.is_wrong || other.far.is_wrong);
    app_close(&slow.far);
    app_close(&other.far);
    finish();
}

/* A connection that is made meanwhile waits, and is served. */
static void connections_made_while_new_keys_are_waited_for_are_served_with_them(void)
{
    struct msg_channel_open m = {0};
    uint16_t port = 0;
    start();
    int free_fd = drive_listen(AF_INET, &port, DRIVE_REFUSE); /* a port that nobody has */
    close(free_fd);
    liar_forward(&r.liar, "tcpip-forward", true, BYTES_LIT("127.0.0.1"), port);
    CU_ASSERT(liar_await(&r.liar, MSG_REQUEST_SUCCESS).n > 0);
    begin_key_exchange();
    struct app near[3];
    for (int i = 0; i < 3; i++) {
        app_start(&near[i], r.loop, drive_connect(AF_INET, port), 'n');
        app_send(&near[i], 1000, true);
    }
    rig_settle(&r);
    assert_asleep();
    liar_resume(&r.liar);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT(liar_opened(&r.liar, &m));
        liar_confirm(&r.liar, m.sender, LIAR_CHAN + (uint32_t)i, MUX_WINDOW_BYTES);
    }
    RIG_UNTIL(&r, r.liar.n_data == 3000);
    for (int i = 0; i < 3; i++)
        app_close(&near[i]);
    finish();
}

/* ---- whatever state connections are in --------------------------------------------------------
 */

static struct way way;

static void far_has_ended(void)
{
    open_way(&way, MUX_WINDOW_BYTES, false);
    app_send(&way.far, 1000, true);
}

/* OpenSSH d6556de1d: an output that had been closed was looked at again and again. */
static void liar_has_ended(void)
{
    open_way(&way, MUX_WINDOW_BYTES, false);
    liar_chan(&r.liar, MSG_CHANNEL_EOF, way.chan);
}

static void far_has_left_and_its_last_bytes_have_no_window(void)
{
    open_way(&way, 0, false);
    app_send(&way.far, 5000, false);
    app_close(&way.far);
}

static void far_was_cut_after_it_had_ended(void)
{
    open_way(&way, MUX_WINDOW_BYTES, false);
    app_send(&way.far, 1000, true);
    rig_settle(&r);
    app_close(&way.far);
}

/* OpenSSH 65d6fd0a8: one whose writes fail was tried again and again. */
static void far_has_left_and_the_liar_goes_on(void)
{
    open_way(&way, MUX_WINDOW_BYTES, false);
    app_close(&way.far);
    for (int i = 0; i < 10; i++) {
        liar_stream(&r.liar, way.chan, 'x', 0, 1000);
        rig_settle(&r);
    }
}

static void far_takes_nothing_of_a_channel_that_was_closed(void)
{
    open_way(&way, MUX_WINDOW_BYTES, true);
    app_hold(&way.far);
    liar_stream(&r.liar, way.chan, 'x', 0, MUX_WINDOW_BYTES);
    liar_chan(&r.liar, MSG_CHANNEL_EOF, way.chan);
    liar_chan(&r.liar, MSG_CHANNEL_CLOSE, way.chan);
}

static void far_does_not_notice_that_its_channel_was_closed(void)
{
    open_way(&way, MUX_WINDOW_BYTES, false);
    app_hold(&way.far);
    liar_chan(&r.liar, MSG_CHANNEL_EOF, way.chan);
    liar_chan(&r.liar, MSG_CHANNEL_CLOSE, way.chan);
}

static void the_liar_reads_nothing_of_what_far_sends(void)
{
    enum { MUCH = 64 << 20 };
    open_way(&way, MUCH, false);
    r.liar.holds_reading = true;
    app_send(&way.far, MUCH, false);
}

static void whatever_state_a_connection_is_in_nobody_spins(void)
{
    static void (*const states[])(void) = {
        far_has_ended,
        liar_has_ended,
        far_has_left_and_its_last_bytes_have_no_window,
        far_was_cut_after_it_had_ended,
        far_has_left_and_the_liar_goes_on,
        far_takes_nothing_of_a_channel_that_was_closed,
        far_does_not_notice_that_its_channel_was_closed,
        the_liar_reads_nothing_of_what_far_sends,
    };
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        start();
        states[i]();
        rig_settle(&r);
        assert_asleep();
        CU_ASSERT_FALSE(r.server.has_ended);
        app_close(&way.far);
        finish();
    }
}

/* The same at -L before the server has answered: it never does. */
static void an_application_that_waits_for_its_channel_costs_no_turn(void)
{
    enum { MANNERS = 4 };
    struct app near[MANNERS];
    rig_init(&r);
    n_calls = n_waiting_calls = 0;
    rig_forward(&r, FORWARD_LOCAL, "127.0.0.1:0:far:80");
    rig_login(&r, RIG_LYING_SERVER);
    for (int i = 0; i < MANNERS; i++) {
        app_start(&near[i], r.loop, drive_connect(AF_INET, rig_port(&r, 0)), 'n');
        app_send(&near[i], i == 0 ? 0 : 1 << 20, i >= 2);
    }
    rig_settle(&r);
    app_close(&near[3]);
    rig_settle(&r);
    CU_ASSERT_EQUAL(r.liar.n_of[MSG_CHANNEL_OPEN], MANNERS);
    assert_asleep();
    for (int i = 0; i < MANNERS; i++)
        app_close(&near[i]);
    finish();
}

/* ---- closing ----------------------------------------------------------------------------------
 */

/* Dropbear: closing a forwarded connection waited until its application had taken the rest, and
 * everybody else with it. */
static void a_connection_is_closed_without_waiting_for_its_application(void)
{
    struct way slow, other;
    start();
    open_way(&slow, MUX_WINDOW_BYTES, true);
    open_way(&other, MUX_WINDOW_BYTES, false);
    app_hold(&slow.far);
    app_send(&slow.far, 1 << 20, false); /* and says more than anybody will read */
    rig_settle(&r);
    liar_stream(&r.liar, slow.chan, 'x', 0, 50000);
    liar_chan(&r.liar, MSG_CHANNEL_EOF, slow.chan);
    liar_chan(&r.liar, MSG_CHANNEL_CLOSE, slow.chan);
    liar_stream(&r.liar, other.chan, 'x', 0, 100000);
    RIG_UNTIL(&r, other.far.n_got == 100000);
    int n_fds = drive_n_fds();
    rig_widen(slow.far.source.fd);
    app_resume(&slow.far);
    RIG_UNTIL(&r, slow.far.n_got == 50000 && slow.far.saw_end);
    CU_ASSERT_FALSE(slow.far.is_wrong);
    CU_ASSERT(liar_await(&r.liar, MSG_CHANNEL_CLOSE).n > 0);
    pass(&r, 60 * S);
    CU_ASSERT_EQUAL(drive_n_fds(), n_fds - 1); /* though the application is still there */
    app_close(&slow.far);
    app_close(&other.far);
    finish();
}

static const struct unit_test tests[] = {
    UNIT(nobody_spins_while_new_keys_are_waited_for),
    UNIT(what_has_come_is_delivered_while_new_keys_are_waited_for),
    UNIT(connections_made_while_new_keys_are_waited_for_are_served_with_them),
    UNIT(whatever_state_a_connection_is_in_nobody_spins),
    UNIT(an_application_that_waits_for_its_channel_costs_no_turn),
    UNIT(a_connection_is_closed_without_waiting_for_its_application),
};
UNIT_MAIN("forward/asleep", tests)
