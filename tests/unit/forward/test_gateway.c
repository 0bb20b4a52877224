/* The server's side of forwarding against a client that lies. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/forward/faults.h"
#include "tests/unit/forward/rig.h"

static struct rig r, other;
static struct app app;

static void start(void)
{
    rig_init(&r);
    rig_login(&r, RIG_LYING_CLIENT);
}

static struct mux *server_mux(struct rig *rig)
{
    return peer_mux(rig->server.peer);
}

static void assert_alive(void)
{
    CU_ASSERT_FALSE(r.server.has_ended);
    CU_ASSERT_FALSE(r.liar.is_over);
}

/* ---- channels that are not served ------------------------------------------------------------ */

static void sessions_are_refused_and_the_refusal_says_why(void)
{
    char text[300] = "";
    start();
    for (uint32_t i = 0; i < 20; i++) {
        liar_open(&r.liar, "session", i, MUX_WINDOW_BYTES, MUX_PACKET_BYTES, BYTES_LIT(""));
        CU_ASSERT_EQUAL(liar_refused(&r.liar, text, sizeof text), OPEN_ADMINISTRATIVELY_PROHIBITED);
        CU_ASSERT(strstr(text, "runs no commands or shells") != NULL);
    }
    assert_alive();
    rig_close(&r);
}

static void unknown_channel_types_are_refused_as_unknown(void)
{
    static const char *const types[] = {"x11", "auth-agent@openssh.com", "forwarded-tcpip",
        "direct-streamlocal@openssh.com", "tun@openssh.com", "", "direct-tcpip "};
    char text[300] = "";
    start();
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        liar_open_tcpip(&r.liar, types[i], 1, BYTES_LIT("127.0.0.1"), 22);
        CU_ASSERT_EQUAL(liar_refused(&r.liar, text, sizeof text), OPEN_UNKNOWN_CHANNEL_TYPE);
        CU_ASSERT(strstr(text, "forwards TCP ports only") != NULL);
        CU_ASSERT_EQUAL(strstr(text, "no Unix sockets") != NULL, strstr(types[i], "local") != NULL);
    }
    assert_alive();
    rig_close(&r);
}

static void a_command_for_a_session_that_was_refused_ends_the_connection(void)
{
    uint8_t payload[64];
    struct wire_writer w = wire_writer(payload, sizeof payload);
    struct msg_channel_request m = {.recipient = 0,
        .name = BYTES_LIT("exec"),
        .want_reply = true,
        .rest = BYTES_LIT("\0\0\0\2id")};
    start();
    liar_open(&r.liar, "session", 1, MUX_WINDOW_BYTES, MUX_PACKET_BYTES, BYTES_LIT(""));
    msg_channel_request_encode(&w, &m);
    liar_send(&r.liar, wire_written(&w));
    RIG_UNTIL(&r, r.server.has_ended);
    CU_ASSERT_EQUAL(r.server.why.code, ERR_PROTOCOL);
    rig_close(&r);
}

static void unknown_global_requests_are_answered_by_failure(void)
{
    static const char *const names[] = {"keepalive@openssh.com", "no-more-sessions@openssh.com",
        "streamlocal-forward@openssh.com", "hostkeys-prove-00@openssh.com", "", "tcpip-forward\1"};
    start();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        liar_forward(&r.liar, names[i], true, BYTES_LIT("localhost"), 0);
        CU_ASSERT(liar_await(&r.liar, MSG_REQUEST_FAILURE).n == 1);
        liar_forward(&r.liar, names[i], false, BYTES_LIT("localhost"), 0);
    }
    rig_settle(&r);
    CU_ASSERT_EQUAL(r.liar.n_of[MSG_REQUEST_FAILURE], sizeof names / sizeof names[0]);
    assert_alive();
    rig_close(&r);
}

/* ---- direct-tcpip ---------------------------------------------------------------------------- */

static void names_no_host_can_have_are_refused(void)
{
    static char long_name[60000];
    static const struct bytes bad[] = {{NULL, 0}, BYTES_LIT("127.0.0.1\0.example"), BYTES_LIT("\0"),
        BYTES_LIT("a\nb"), BYTES_LIT("a b"), BYTES_LIT(" "), BYTES_LIT("\x7f"),
        BYTES_LIT("\033[2J")};
    faults_clear();
    start();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        liar_open_tcpip(&r.liar, "direct-tcpip", 1, bad[i], 80);
        CU_ASSERT_EQUAL(liar_refused(&r.liar, NULL, 0), OPEN_CONNECT_FAILED);
    }
    memset(long_name, 'a', sizeof long_name);
    static const size_t lengths[] = {1025, 1026, 60000};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct bytes name = {(const uint8_t *)long_name, lengths[i]};
        liar_open_tcpip(&r.liar, "direct-tcpip", 1, name, 80);
        CU_ASSERT_EQUAL(liar_refused(&r.liar, NULL, 0), OPEN_CONNECT_FAILED);
    }
    CU_ASSERT_EQUAL(faults_n_lookups(), 0); /* nobody was asked about any */
    assert_alive();
    rig_close(&r);
}

static void ports_that_name_nothing_are_refused(void)
{
    static const uint32_t bad[] = {0, 65536, 65536 + 22, UINT32_MAX};
    char text[300] = "";
    start();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        liar_open_tcpip(&r.liar, "direct-tcpip", 1, BYTES_LIT("127.0.0.1"), bad[i]);
        CU_ASSERT_EQUAL(liar_refused(&r.liar, text, sizeof text), OPEN_CONNECT_FAILED);
        CU_ASSERT(strstr(text, "a port of 1-65535") != NULL);
    }
    assert_alive();
    rig_close(&r);
}

static void malformed_opens_are_refused(void)
{
    static const uint8_t body[] = "\0\0\0\x09"
                                  "127.0.0.1"
                                  "\0\0\0\x16"
                                  "\0\0\0\1x"
                                  "\0\0\0\1!";
    start();
    for (size_t n = 0; n < sizeof body; n++) {
        if (n == 26)
            continue; /* the good length */
        liar_open(&r.liar, "direct-tcpip", 1, 1000, 1000, (struct bytes){body, n});
        CU_ASSERT_EQUAL(liar_refused(&r.liar, NULL, 0), OPEN_CONNECT_FAILED);
    }
    assert_alive();
    rig_close(&r);
}

static void a_refused_or_unknown_target_is_told_with_its_reason(void)
{
    char text[300] = "";
    int held[2];
    uint16_t port = drive_refuse(held);
    faults_clear();
    start();
    liar_open_tcpip(&r.liar, "direct-tcpip", 1, BYTES_LIT("127.0.0.1"), port);
    CU_ASSERT_EQUAL(liar_refused(&r.liar, text, sizeof text), OPEN_CONNECT_FAILED);
    CU_ASSERT_STRING_EQUAL(text, "Connection refused");
    liar_open_tcpip(&r.liar, "direct-tcpip", 1, BYTES_LIT("nobody.test"), port);
    CU_ASSERT_EQUAL(liar_refused(&r.liar, text, sizeof text), OPEN_CONNECT_FAILED);
    CU_ASSERT_STRING_EQUAL(text, "Name or service not known");
    liar_open_tcpip(&r.liar, "direct-tcpip", 1, BYTES_LIT("\xc2\x9b\xff.test"), port);
    CU_ASSERT_EQUAL(liar_refused(&r.liar, NULL, 0), OPEN_CONNECT_FAILED);
    CU_ASSERT(rig_said(&r, "connecting to \\xc2\\x9b\\xff.test port"));
    assert_alive();
    rig_close(&r);
    drive_close(held, 2);
}

/* A port that takes no more connections: the kernel drops what comes, and says nothing. */
struct silent {
    int fds[8];
    uint16_t port;
};

static void silent_open(struct silent *s)
{
    s->port = 0;
    s->fds[0] = drive_listen(AF_INET, &s->port, 0);
    for (int i = 1; i < 8; i++)
        s->fds[i] = drive_connect(AF_INET, s->port);
}

static void silence_is_told_as_such_in_time(void)
{
    char text[300] = "";
    struct silent s;
    rig_init(&r);
    r.connect_timeout_ms = 60;
    rig_login(&r, RIG_LYING_CLIENT);
    silent_open(&s);
    liar_open_tcpip(&r.liar, "direct-tcpip", 1, BYTES_LIT("127.0.0.1"), s.port);
    CU_ASSERT_EQUAL(liar_refused(&r.liar, text, sizeof text), OPEN_CONNECT_FAILED);
    CU_ASSERT_STRING_EQUAL(text, "Connection timed out");
    assert_alive();
    drive_close(s.fds, 8);
    rig_close(&r);
}

static void a_crowd_of_dials_is_bounded_and_ends_with_the_connection(void)
{
    enum { CROWD = 1200, DIALS_MAX = 1024 };
    struct silent s;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_max < 2 * CROWD)
        return; /* there are no descriptors for a crowd here */
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    start();
    silent_open(&s);
    int n_fds = drive_n_fds();
    for (uint32_t i = 0; i < CROWD; i++)
        liar_open_tcpip(&r.liar, "direct-tcpip", i, BYTES_LIT("127.0.0.1"), s.port);
    RIG_UNTIL(&r, r.liar.n_of[MSG_CHANNEL_OPEN_FAILURE] == CROWD - DIALS_MAX);
    for (int i = 0; i < CROWD - DIALS_MAX; i++)
        CU_ASSERT_EQUAL(liar_refused(&r.liar, NULL, 0), OPEN_RESOURCE_SHORTAGE);
    RIG_UNTIL(&r, drive_n_fds() == n_fds + DIALS_MAX);
    rig_assert_asleep(&r);
    assert_alive();
    rig_cut(&r);
    RIG_UNTIL(&r, r.server.has_ended);
    CU_ASSERT_EQUAL(drive_n_fds(), n_fds - 1);
    drive_close(s.fds, 8);
    rig_settle(&r);
    rig_close(&r);
}

static void names_being_looked_up_are_forgotten_with_the_connection(void)
{
    faults_clear();
    start();
    for (uint32_t i = 0; i < 50; i++)
        liar_open_tcpip(&r.liar, "direct-tcpip", i, BYTES_LIT("a.stuck"), 80);
    liar_open_tcpip(&r.liar, "direct-tcpip", 50, BYTES_LIT("127.0.0.1"), 0);
    CU_ASSERT_EQUAL(liar_refused(&r.liar, NULL, 0), OPEN_CONNECT_FAILED);
    faults_wait_for_stuck(1);
    rig_cut(&r);
    RIG_UNTIL(&r, r.server.has_ended);
    faults_release();
    rig_settle(&r);
    rig_close(&r);
    faults_clear();
}

static void a_word_to_a_channel_that_is_not_answered_yet_ends_the_connection(void)
{
    static const uint8_t numbers[] = {MSG_CHANNEL_CLOSE, MSG_CHANNEL_EOF, MSG_CHANNEL_SUCCESS};
    for (size_t i = 0; i < sizeof numbers; i++) {
        struct silent s;
        start();
        silent_open(&s);
        liar_open_tcpip(&r.liar, "direct-tcpip", 1, BYTES_LIT("127.0.0.1"), s.port);
        liar_chan(&r.liar, numbers[i], 0);
        RIG_UNTIL(&r, r.server.has_ended);
        CU_ASSERT_EQUAL(r.server.why.code, ERR_PROTOCOL);
        drive_close(s.fds, 8);
        rig_close(&r);
    }
}

static void a_dial_that_succeeds_as_the_connection_ends_leaves_nothing(void)
{
    for (int again = 0; again < 20; again++) {
        uint16_t port = 0;
        start();
        int listen_fd = drive_listen(AF_INET, &port, 32);
        for (uint32_t i = 0; i < 20; i++)
            liar_open_tcpip(&r.liar, "direct-tcpip", i, BYTES_LIT("127.0.0.1"), port);
        for (int i = 0; i < again; i++)
            loop_turn(r.loop, 0);
        if (r.server.peer != NULL && again % 2 == 0)
            peer_close(r.server.peer, "enough");
        else
            rig_cut(&r);
        RIG_UNTIL(&r, r.server.has_ended);
        close(listen_fd);
        rig_close(&r);
    }
}

/* Nothing can be opened any more: that is told, and the connection lives on. */
static void without_descriptors_dials_and_listeners_are_refused(void)
{
    uint16_t port = 0;
    struct rlimit files, few;
    start();
    int listen_fd = drive_listen(AF_INET, &port, 4);
    int last = dup(listen_fd); /* the lowest free number: from here on there is none */
    close(last);
    getrlimit(RLIMIT_NOFILE, &files);
    few = files;
    few.rlim_cur = (rlim_t)last;
    setrlimit(RLIMIT_NOFILE, &few);
    liar_open_tcpip(&r.liar, "direct-tcpip", 1, BYTES_LIT("127.0.0.1"), port);
    CU_ASSERT_EQUAL(liar_refused(&r.liar, NULL, 0), OPEN_RESOURCE_SHORTAGE);
    liar_forward(&r.liar, "tcpip-forward", true, BYTES_LIT("localhost"), 0);
    CU_ASSERT(liar_await(&r.liar, MSG_REQUEST_FAILURE).n == 1);
    CU_ASSERT(rig_said(&r, "refused to listen: cannot listen on 127.0.0.1 port 0: Too many open"));
    rig_assert_asleep(&r);
    setrlimit(RLIMIT_NOFILE, &files);
    struct msg_open_confirmation m = {0};
    liar_open_tcpip(&r.liar, "direct-tcpip", 2, BYTES_LIT("127.0.0.1"), port);
    CU_ASSERT(liar_confirmed(&r.liar, &m));
    close(listen_fd);
    rig_close(&r);
}

/* ---- tcpip-forward --------------------------------------------------------------------------- */

/* The port the gateway chose; 0: refused. */
static uint16_t forward(struct rig *rig, const char *address)
{
    liar_forward(&rig->liar, "tcpip-forward", true, bytes_of(address), 0);
    struct bytes b = liar_await(&rig->liar, MSG_REQUEST_SUCCESS);
    return b.n == 5 ? (uint16_t)load_be32(b.p + 1) : 0;
}

static bool succeeds(const char *name, struct bytes address, uint32_t port)
{
    unsigned n = r.liar.n_of[MSG_REQUEST_SUCCESS];
    liar_forward(&r.liar, name, true, address, port);
    RIG_UNTIL(&r, r.liar.n_of[MSG_REQUEST_SUCCESS] + r.liar.n_of[MSG_REQUEST_FAILURE] > 0);
    bool ok = r.liar.n_of[MSG_REQUEST_SUCCESS] > n;
    struct bytes b = liar_take(&r.liar, ok ? MSG_REQUEST_SUCCESS : MSG_REQUEST_FAILURE);
    CU_ASSERT_EQUAL(b.n, 1);
    r.liar.n_of[MSG_REQUEST_SUCCESS] = r.liar.n_of[MSG_REQUEST_FAILURE] = 0;
    return ok;
}

/* Nothing listens there, on IPv4's loopback. */
static bool is_free(uint16_t port)
{
    int fd = drive_listen(AF_INET, &port, 1);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static uint16_t free_port(void)
{
    uint16_t port = 0;
    int fd = drive_listen(AF_INET, &port, 1);
    close(fd);
    return port;
}

static void a_connection_to_a_listener_names_it_as_it_was_asked_for(void)
{
    static const char *const addresses[] = {"localhost", "", "0.0.0.0", "127.0.0.1", "any.text"};
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        struct msg_channel_open m = {0};
        struct msg_tcpip_open where = {0};
        start();
        uint16_t port = forward(&r, addresses[i]);
        CU_ASSERT_NOT_EQUAL(port, 0);
        app_start(&app, r.loop, drive_connect(AF_INET, port), 'a');
        CU_ASSERT(liar_opened(&r.liar, &m));
        CU_ASSERT(bytes_is(m.type, "forwarded-tcpip"));
        struct wire_reader body = wire_reader(m.rest);
        CU_ASSERT_EQUAL(msg_tcpip_open_decode(&body, &where), ERR_OK);
        CU_ASSERT(bytes_is(where.host, addresses[i]));
        CU_ASSERT_EQUAL(where.port, port);
        CU_ASSERT(bytes_is(where.from_host, "127.0.0.1"));
        liar_refuse(&r.liar, m.sender, OPEN_CONNECT_FAILED, "no");
        RIG_UNTIL(&r, app_is_over(&app));
        CU_ASSERT(app.saw_end);
        app_close(&app);
        rig_close(&r);
    }
}

/* Whatever address is asked for, it is loopback: the same port of another address stays free. */
static void listeners_are_on_loopback_alone(void)
{
    static const char *const addresses[] = {"", "*", "0.0.0.0", "::", "localhost", "10.1.2.3"};
    start();
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        uint16_t port = forward(&r, addresses[i]);
        CU_ASSERT_NOT_EQUAL(port, 0);
        CU_ASSERT_FALSE(is_free(port));
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
        a.sin_addr.s_addr = htonl(0x7f000002);
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        CU_ASSERT_EQUAL(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
        close(fd);
    }
    rig_close(&r);
}

static void ports_that_cannot_be_are_refused(void)
{
    start();
    uint16_t port = free_port();
    CU_ASSERT_FALSE(succeeds("tcpip-forward", BYTES_LIT("localhost"), 65536));
    CU_ASSERT_FALSE(succeeds("tcpip-forward", BYTES_LIT("localhost"), 65536 + (uint32_t)port));
    CU_ASSERT_FALSE(succeeds("tcpip-forward", BYTES_LIT("localhost"), UINT32_MAX));
    CU_ASSERT_FALSE(succeeds("tcpip-forward", BYTES_LIT("local\0host"), port));
    CU_ASSERT_FALSE(succeeds("tcpip-forward", BYTES_LIT("local\nhost"), port));
    CU_ASSERT(is_free(port));
    assert_alive();
    rig_close(&r);
}

static void malformed_listens_are_refused(void)
{
    static const uint8_t body[] = "\0\0\0\x09localhost\0\0\0\0!";
    start();
    int n_fds = drive_n_fds();
    for (size_t n = 0; n < sizeof body; n++) {
        if (n == 17)
            continue; /* the good length */
        liar_global(&r.liar, "tcpip-forward", true, (struct bytes){body, n});
        CU_ASSERT(liar_await(&r.liar, MSG_REQUEST_FAILURE).n == 1);
        liar_global(&r.liar, "cancel-tcpip-forward", true, (struct bytes){body, n});
        CU_ASSERT(liar_await(&r.liar, MSG_REQUEST_FAILURE).n == 1);
    }
    CU_ASSERT_EQUAL(drive_n_fds(), n_fds);
    assert_alive();
    rig_close(&r);
}

static void a_free_choice_whose_outcome_nobody_wants_to_know_is_refused(void)
{
    start();
    int n_fds = drive_n_fds();
    liar_forward(&r.liar, "tcpip-forward", false, BYTES_LIT("localhost"), 0);
    rig_settle(&r);
    CU_ASSERT_EQUAL(drive_n_fds(), n_fds);
    CU_ASSERT_EQUAL(r.liar.n_got, 0);
    assert_alive();
    rig_close(&r);
}

static void a_listener_may_be_had_without_an_answer(void)
{
    start();
    uint16_t port = free_port();
    liar_forward(&r.liar, "tcpip-forward", false, BYTES_LIT("localhost"), port);
    RIG_UNTIL(&r, !is_free(port));
    liar_forward(&r.liar, "cancel-tcpip-forward", false, BYTES_LIT("localhost"), port);
    RIG_UNTIL(&r, is_free(port));
    CU_ASSERT_EQUAL(r.liar.n_got, 0);
    rig_close(&r);
}

static void the_same_port_twice_is_refused_the_second_time(void)
{
    start();
    uint16_t port = free_port();
    CU_ASSERT(succeeds("tcpip-forward", BYTES_LIT("localhost"), port));
    CU_ASSERT_FALSE(succeeds("tcpip-forward", BYTES_LIT("localhost"), port));
    CU_ASSERT_FALSE(succeeds("tcpip-forward", BYTES_LIT("127.0.0.1"), port));
    CU_ASSERT(rig_said(&r, "Address already in use"));
    CU_ASSERT(succeeds("cancel-tcpip-forward", BYTES_LIT("localhost"), port));
    CU_ASSERT(is_free(port));
    CU_ASSERT(succeeds("tcpip-forward", BYTES_LIT("localhost"), port));
    rig_close(&r);
}

static void only_what_is_listened_on_can_be_cancelled_and_once(void)
{
    start();
    uint16_t port = forward(&r, "localhost");
    r.liar.n_of[MSG_REQUEST_SUCCESS] = 0;
    CU_ASSERT_FALSE(succeeds("cancel-tcpip-forward", BYTES_LIT("127.0.0.1"), port));
    CU_ASSERT_FALSE(succeeds("cancel-tcpip-forward", BYTES_LIT("localhost"), 0));
    CU_ASSERT_FALSE(
        succeeds("cancel-tcpip-forward", BYTES_LIT("localhost"), (uint32_t)port + 65536));
    CU_ASSERT_FALSE(is_free(port));
    CU_ASSERT(succeeds("cancel-tcpip-forward", BYTES_LIT("localhost"), port));
    CU_ASSERT_FALSE(succeeds("cancel-tcpip-forward", BYTES_LIT("localhost"), port));
    CU_ASSERT(is_free(port));
    assert_alive();
    rig_close(&r);
}

static void a_listener_of_another_session_cannot_be_cancelled(void)
{
    start();
    uint16_t port = forward(&r, "localhost");
    r.liar.n_of[MSG_REQUEST_SUCCESS] = 0;
    rig_init(&other);
    rig_login(&other, RIG_LYING_CLIENT);
    liar_forward(&other.liar, "cancel-tcpip-forward", true, BYTES_LIT("localhost"), port);
    CU_ASSERT(liar_await(&other.liar, MSG_REQUEST_FAILURE).n == 1);
    CU_ASSERT_FALSE(is_free(port));
    rig_close(&other);
    CU_ASSERT_FALSE(is_free(port));
    CU_ASSERT(succeeds("cancel-tcpip-forward", BYTES_LIT("localhost"), port));
    rig_close(&r);
}

static void listeners_are_limited_and_close_with_the_session(void)
{
    enum { ASKED = 1000, GRANTED = 256 };
    static uint16_t ports[ASKED];
    start();
    int n_fds = drive_n_fds();
    unsigned n = 0;
    for (int i = 0; i < ASKED; i++)
        liar_forward(&r.liar, "tcpip-forward", true, BYTES_LIT("localhost"), 0);
    RIG_UNTIL(&r, r.liar.n_of[MSG_REQUEST_FAILURE] == ASKED - GRANTED);
    for (struct bytes b; (b = liar_take(&r.liar, MSG_REQUEST_SUCCESS)).p != NULL;)
        ports[n++] = (uint16_t)load_be32(b.p + 1);
    CU_ASSERT_EQUAL(n, GRANTED);
    assert_alive();

    liar_forward(&r.liar, "cancel-tcpip-forward", true, BYTES_LIT("localhost"), ports[0]);
    CU_ASSERT(liar_await(&r.liar, MSG_REQUEST_SUCCESS).n == 1);
    CU_ASSERT_NOT_EQUAL(forward(&r, "localhost"), 0); /* there is room for one again */

    rig_cut(&r);
    RIG_UNTIL(&r, r.server.has_ended);
    CU_ASSERT_EQUAL(drive_n_fds(), n_fds - 1);
    for (unsigned i = 0; i < n; i++)
        CU_ASSERT(is_free(ports[i]));
    rig_close(&r);
}

static void a_cancelled_listener_leaves_its_connections_alone(void)
{
    struct msg_channel_open m = {0};
    start();
    uint16_t port = forward(&r, "localhost");
    r.liar.n_of[MSG_REQUEST_SUCCESS] = 0;
    app_start(&app, r.loop, drive_connect(AF_INET, port), 'a');
    CU_ASSERT(liar_opened(&r.liar, &m));
    CU_ASSERT(succeeds("cancel-tcpip-forward", BYTES_LIT("localhost"), port));
    liar_confirm(&r.liar, m.sender, 3, MUX_WINDOW_BYTES); /* it was on its way */
    app_send(&app, 1000, false);
    RIG_UNTIL(&r, r.liar.n_data == 1000);
    liar_stream(&r.liar, m.sender, 'x', 0, 1000);
    RIG_UNTIL(&r, app.n_got == 1000);
    app_close(&app);
    rig_close(&r);
}

static void a_crowd_at_a_listener_of_a_client_that_does_not_read_is_bounded(void)
{
    enum { LIMIT = 32, CROWD = 100 };
    int fds[CROWD];
    rig_init(&r);
    r.server.config.max_channels = LIMIT;
    rig_login(&r, RIG_LYING_CLIENT);
    uint16_t port = forward(&r, "localhost");
    r.liar.holds_reading = true;
    for (int i = 0; i < CROWD; i++)
        fds[i] = drive_connect(AF_INET, port);
    rig_settle(&r);
    CU_ASSERT_EQUAL(mux_n_channels(server_mux(&r)), LIMIT);
    CU_ASSERT(rig_said(&r, "no channel left"));
    rig_assert_asleep(&r);
    liar_resume(&r.liar);
    RIG_UNTIL(&r, r.liar.n_of[MSG_CHANNEL_OPEN] == LIMIT);
    drive_close(fds, CROWD);
    assert_alive();
    rig_close(&r);
}

static void connections_that_wait_for_their_channel_are_cut_with_the_session(void)
{
    start();
    uint16_t port = forward(&r, "localhost");
    app_start(&app, r.loop, drive_connect(AF_INET, port), 'a');
    RIG_UNTIL(&r, r.liar.n_of[MSG_CHANNEL_OPEN] == 1);
    rig_cut(&r);
    RIG_UNTIL(&r, app_is_over(&app));
    CU_ASSERT(app.saw_reset);
    app_close(&app);
    rig_close(&r);
}

static const struct unit_test tests[] = {
    UNIT(sessions_are_refused_and_the_refusal_says_why),
    UNIT(unknown_channel_types_are_refused_as_unknown),
    UNIT(a_command_for_a_session_that_was_refused_ends_the_connection),
    UNIT(unknown_global_requests_are_answered_by_failure),
    UNIT(names_no_host_can_have_are_refused),
    UNIT(ports_that_name_nothing_are_refused),
    UNIT(malformed_opens_are_refused),
    UNIT(a_refused_or_unknown_target_is_told_with_its_reason),
    UNIT(silence_is_told_as_such_in_time),
    UNIT(a_crowd_of_dials_is_bounded_and_ends_with_the_connection),
    UNIT(names_being_looked_up_are_forgotten_with_the_connection),
    UNIT(a_word_to_a_channel_that_is_not_answered_yet_ends_the_connection),
    UNIT(a_dial_that_succeeds_as_the_connection_ends_leaves_nothing),
    UNIT(without_descriptors_dials_and_listeners_are_refused),
    UNIT(a_connection_to_a_listener_names_it_as_it_was_asked_for),
    UNIT(listeners_are_on_loopback_alone),
    UNIT(ports_that_cannot_be_are_refused),
    UNIT(malformed_listens_are_refused),
    UNIT(a_free_choice_whose_outcome_nobody_wants_to_know_is_refused),
    UNIT(a_listener_may_be_had_without_an_answer),
    UNIT(the_same_port_twice_is_refused_the_second_time),
    UNIT(only_what_is_listened_on_can_be_cancelled_and_once),
    UNIT(a_listener_of_another_session_cannot_be_cancelled),
    UNIT(listeners_are_limited_and_close_with_the_session),
    UNIT(a_cancelled_listener_leaves_its_connections_alone),
    UNIT(a_crowd_at_a_listener_of_a_client_that_does_not_read_is_bounded),
    UNIT(connections_that_wait_for_their_channel_are_cut_with_the_session),
};
UNIT_MAIN("gateway", tests)
