#include "forward/dialer.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "forward/addr.h"
#include "tests/unit/forward/drive.h"
#include "tests/unit/forward/faults.h"
#include "tests/unit/unit.h"

/* One loop and resolver, one dial, what came of it. */
struct scene {
    struct loop *loop;
    struct resolver *resolver;
    struct dial *dial;
    struct dial_options options;
    struct dial_result result;
    bool is_done;
    int n_fds; /* before the dial */
};

static void dial_done(void *user, const struct dial_result *result)
{
    struct scene *s = user;
    CU_ASSERT_FALSE(s->is_done);
    s->result = *result;
    s->is_done = true;
}

static void scene_open(struct scene *s)
{
    *s = (struct scene){.loop = loop_new()};
    s->resolver = resolver_new(s->loop);
}

static void scene_close(struct scene *s)
{
    if (s->is_done && s->result.outcome == DIAL_OK)
        close(s->result.fd);
    CU_ASSERT_EQUAL(drive_n_fds(), s->n_fds);
    resolver_free(s->resolver);
    loop_free(s->loop);
    faults_clear();
}

static void start(struct scene *s, const char *host, uint16_t port)
{
    s->n_fds = drive_n_fds();
    s->dial = dial_start(s->loop, s->resolver, host, port, &s->options, dial_done, s);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s->dial);
    CU_ASSERT_FALSE(s->is_done); /* never from inside the call */
}

static void dial(struct scene *s, const char *host, uint16_t port)
{
    start(s, host, port);
    CU_ASSERT_TRUE_FATAL(drive_until(s->loop, &s->is_done));
}

static int option_of(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof value;
    getsockopt(fd, level, name, &value, &len);
    return value;
}

static void local_address(int fd, char out[ADDR_TEXT_MAX])
{
    struct sockaddr_storage a;
    socklen_t len = sizeof a;
    getsockname(fd, (struct sockaddr *)&a, &len);
    addr_text(out, (struct sockaddr *)&a, len);
}

static void a_connection_comes_ready_for_use(void)
{
    struct scene s;
    uint16_t port = 0;
    int listening = drive_listen(AF_INET, &port, 8);
    scene_open(&s);
    dial(&s, "127.0.0.1", port);
    CU_ASSERT_EQUAL_FATAL(s.result.outcome, DIAL_OK);
    CU_ASSERT_TRUE(fcntl(s.result.fd, F_GETFL) & O_NONBLOCK);
    CU_ASSERT_TRUE(fcntl(s.result.fd, F_GETFD) & FD_CLOEXEC);
    CU_ASSERT_NOT_EQUAL(option_of(s.result.fd, IPPROTO_TCP, TCP_NODELAY), 0);
    char congestion[16] = "";
    socklen_t len = sizeof congestion;
    getsockopt(s.result.fd, IPPROTO_TCP, TCP_CONGESTION, congestion, &len);
    CU_ASSERT_STRING_NOT_EQUAL(congestion, "bbr"); /* not to this very machine */
    int accepted = accept(listening, NULL, NULL);
    CU_ASSERT_EQUAL(write(s.result.fd, "x", 1), 1);
    char got;
    CU_ASSERT_EQUAL(read(accepted, &got, 1), 1);
    close(accepted);
    scene_close(&s);
    close(listening);
}

static void the_loop_has_let_go_of_the_connection_it_hands_over(void)
{
    struct scene s;
    uint16_t port = 0;
    int listening = drive_listen(AF_INET, &port, 8);
    scene_open(&s);
    dial(&s, "127.0.0.1", port);
    CU_ASSERT_EQUAL_FATAL(s.result.outcome, DIAL_OK);
    struct loop_source source = {.fd = s.result.fd, .slot = -1};
    CU_ASSERT_EQUAL(loop_add(s.loop, &source), ERR_OK); /* EEXIST if it were still there */
    loop_remove(s.loop, &source);
    scene_close(&s);
    close(listening);
}

static void a_refusal_names_address_and_port(void)
{
    struct scene s;
    int holders[2];
    char expected[256];
    uint16_t port = drive_refuse(holders);
    scene_open(&s);
    dial(&s, "127.0.0.1", port);
    CU_ASSERT_EQUAL(s.result.outcome, DIAL_REFUSED);
    CU_ASSERT_EQUAL(s.result.fd, -1);
    snprintf(expected, sizeof expected, "connect to 127.0.0.1 port %u: Connection refused",
        (unsigned)port);
    CU_ASSERT_STRING_EQUAL(s.result.text, expected);
    CU_ASSERT_STRING_EQUAL(s.result.reason, "Connection refused");
    scene_close(&s);
    drive_close(holders, 2);
}

static void a_refusal_of_a_name_lists_the_addresses_tried(void)
{
    struct scene s;
    int holders[2];
    char expected[256];
    uint16_t port = drive_refuse(holders);
    scene_open(&s);
    faults_name("both.test", drive_has_ipv6() ? "::1,127.0.0.1" : "127.0.0.2,127.0.0.1");
    dial(&s, "both.test", port);
    CU_ASSERT_EQUAL(s.result.outcome, DIAL_REFUSED);
    snprintf(expected, sizeof expected, "connect to both.test port %u (%s): Connection refused",
        (unsigned)port, drive_has_ipv6() ? "::1, 127.0.0.1" : "127.0.0.2, 127.0.0.1");
    CU_ASSERT_STRING_EQUAL(s.result.text, expected);
    scene_close(&s);
    drive_close(holders, 2);
}

static void a_long_list_and_a_long_name_leave_the_reason_whole(void)
{
    struct scene s;
    int holders[2];
    char name[61];
    uint16_t port = drive_refuse(holders);
    memset(name, 'n', sizeof name - 6);
    memcpy(name + sizeof name - 6, ".test", 6);
    scene_open(&s);
    faults_name(name, "127.0.0.1,127.100.100.102,127.100.100.103,127.100.100.104,127.100.100.105");
    s.options.bind_address = "127.0.0.1";
    dial(&s, name, port);
    CU_ASSERT_EQUAL(s.result.outcome, DIAL_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(s.result.text, "(127.0.0.1, 127.100.100.102, 127.100.100.103, ...)"));
    CU_ASSERT_PTR_NOT_NULL(strstr(s.result.text, " from 127.0.0.1: Connection refused"));
    scene_close(&s);
    drive_close(holders, 2);
}

static void the_next_address_is_tried_as_soon_as_one_fails(void)
{
    struct scene s;
    uint16_t port = 0;
    int listening = drive_listen(AF_INET, &port, 8);
    char list[400] = "127.0.0.2";
    for (int i = 3; i < 16; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), ",127.0.0.%d", i);
    strcat(list, ",127.0.0.1");
    scene_open(&s);
    faults_name("some.test", list);
    uint64_t before = drive_clock_ms();
    dial(&s, "some.test", port);
    CU_ASSERT_EQUAL(s.result.outcome, DIAL_OK);
    CU_ASSERT_EQUAL(faults.n_connects, 15);
    CU_ASSERT_TRUE(drive_clock_ms() - before < 14 * 250 / 2);
    scene_close(&s);
    close(listening);
}

static struct sockaddr_in loopback(int last_byte, uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    a.sin_addr.s_addr = htonl(0x7f000000u | (uint32_t)last_byte);
    return a;
}

static int listen_at(int last_byte, uint16_t port, int backlog)
{
    struct sockaddr_in a = loopback(last_byte, port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CU_ASSERT_EQUAL(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    CU_ASSERT_EQUAL(listen(fd, backlog), 0);
    return fd;
}

/* A listener that has stopped answering: with backlog 0 a single connection that nobody accepts
 * fills its queue. */
struct silent {
    int listening, filler;
};

static uint16_t silent_open(struct silent *s, int last_byte, uint16_t port)
{
    s->listening = listen_at(last_byte, port, 0);
    struct sockaddr_in a;
    socklen_t len = sizeof a;
    getsockname(s->listening, (struct sockaddr *)&a, &len);
    s->filler = socket(AF_INET, SOCK_STREAM, 0);
    CU_ASSERT_EQUAL(connect(s->filler, (struct sockaddr *)&a, sizeof a), 0);
    struct pollfd p = {.fd = s->listening, .events = POLLIN};
    CU_ASSERT_EQUAL(poll(&p, 1, 10000), 1);
    return ntohs(a.sin_port);
}

static void silent_close(struct silent *s)
{
    close(s->listening);
    close(s->filler);
}

static void a_silent_address_gets_250_ms_before_the_next_is_tried(void)
{
    struct scene s;
    struct silent silent;
    uint16_t port = silent_open(&silent, 1, 0);
    int answers = listen_at(2, port, 8);
    scene_open(&s);
    faults_name("race.test", "127.0.0.1,127.0.0.2");
    uint64_t before = drive_clock_ms();
    dial(&s, "race.test", port);
    CU_ASSERT_EQUAL(s.result.outcome, DIAL_OK);
    CU_ASSERT_TRUE(drive_clock_ms() - before >= 250);
    scene_close(&s); /* no losing socket is left */
    silent_close(&silent);
    close(answers);
}

static void note_time(struct loop_timer *timer)
{
    *(bool *)timer->user = true;
}

static void a_race_that_is_won_starts_nothing_more(void)
{
    struct scene s;
    uint16_t port = 0;
    bool is_over = false;
    struct loop_timer timer = {.fire = note_time, .user = &is_over};
    int listening = drive_listen(AF_INET, &port, 8);
    scene_open(&s);
    faults_name("race.test", "127.0.0.1,127.0.0.2");
    dial(&s, "race.test", port);
    loop_timer_set(s.loop, &timer, loop_now(s.loop) + 300);
    CU_ASSERT_TRUE(drive_until(s.loop, &is_over));
    CU_ASSERT_EQUAL(faults.n_connects, 1);
    scene_close(&s);
    close(listening);
}

/* Refusals come meanwhile, and must not hasten the end. */
static void a_slow_address_may_still_win(void)
{
    struct scene s;
    struct silent silent;
    uint16_t port = silent_open(&silent, 1, 0);
    scene_open(&s);
    faults_name("race.test", "127.0.0.1,127.0.0.2");
    start(&s, "race.test", port);
    while (faults.n_connects < 3) /* the filler's, and two */
        loop_turn(s.loop, 1000);
    drive_idle(s.loop);
    CU_ASSERT_FALSE(s.is_done);
    close(accept(silent.listening, NULL, NULL)); /* it answers again, when the SYN is repeated */
    CU_ASSERT_TRUE(drive_until(s.loop, &s.is_done));
    CU_ASSERT_EQUAL(s.result.outcome, DIAL_OK);
    scene_close(&s);
    silent_close(&silent);
}

static void an_address_listed_twice_is_tried_once(void)
{
    struct scene s;
    int holders[2];
    uint16_t port = drive_refuse(holders);
    scene_open(&s);
    faults_name("twice.test", "127.0.0.1,127.0.0.2,127.0.0.1");
    dial(&s, "twice.test", port);
    CU_ASSERT_EQUAL(s.result.outcome, DIAL_REFUSED);
    CU_ASSERT_EQUAL(faults.n_connects, 2);
    scene_close(&s);
    drive_close(holders, 2);
}

static void families_take_turns(void)
{
    struct scene s;
    int holders[2];
    static const char *const order[] = {"::1", "127.0.0.1", "::2", "127.0.0.2", "::3", "::4"};
    if (!drive_has_ipv6())
        return;
    uint16_t port = drive_refuse(holders);
    scene_open(&s);
    faults_name("many.test", "::1,::2,::3,::4,127.0.0.1,127.0.0.2");
    dial(&s, "many.test", port);
    CU_ASSERT_EQUAL_FATAL(faults.n_connects, 6);
    for (int i = 0; i < 6; i++) {
        char text[ADDR_TEXT_MAX];
        addr_text(text, (struct sockaddr *)&faults.connected_to[i], sizeof(struct sockaddr_in6));
        CU_ASSERT_STRING_EQUAL(text, order[i]);
    }
    CU_ASSERT_EQUAL(s.result.outcome, DIAL_REFUSED); /* not: no route to ::2 */
    scene_close(&s);
    drive_close(holders, 2);
}

static void there_is_a_limit_to_the_addresses_tried(void)
{
    struct scene s;
    int holders[2];
    char list[400] = "127.0.0.1";
    uint16_t port = drive_refuse(holders);
    for (int i = 2; i < 30; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), ",127.0.0.%d", i);
    scene_open(&s);
    faults_name("pool.test", list);
    dial(&s, "pool.test", port);
    CU_ASSERT_EQUAL(s.result.outcome, DIAL_REFUSED);
    CU_ASSERT_EQUAL(faults.n_connects, 16);
    scene_close(&s);
    drive_close(holders, 2);
}

static void a_silent_host_times_out(void)
{
    struct scene s;
    struct silent silent;
    char expected[256];
    uint16_t port = silent_open(&silent, 1, 0);
    scene_open(&s);
    s.options.timeout_ms = 50;
    uint64_t before = drive_clock_ms();
    dial(&s, "127.0.0.1", port);
    CU_ASSERT_TRUE(drive_clock_ms() - before >= 50);
    CU_ASSERT_EQUAL(s.result.outcome, DIAL_TIMED_OUT);
    snprintf(expected, sizeof expected, "connect to 127.0.0.1 port %u: Connection timed out",
        (unsigned)port);
    CU_ASSERT_STRING_EQUAL(s.result.text, expected);
    scene_close(&s);
    silent_close(&silent);
}

static void a_silent_name_server_times_out(void)
{
    struct scene s;
    scene_open(&s);
    s.options.timeout_ms = 50;
    dial(&s, "name.stuck", 22);
    CU_ASSERT_EQUAL(s.result.outcome, DIAL_TIMED_OUT);
    CU_ASSERT_STRING_EQUAL(s.result.text, "resolve name.stuck: no answer within 1 s");
    faults_release();
    scene_close(&s);
}

static void an_unknown_name_is_told(void)
{
    struct scene s;
    scene_open(&s);
    dial(&s, "nobody.test", 22);
    CU_ASSERT_EQUAL(s.result.outcome, DIAL_NOT_RESOLVED);
    CU_ASSERT_STRING_EQUAL(s.result.text, "resolve nobody.test: Name or service not known");
    CU_ASSERT_STRING_EQUAL(s.result.reason, "Name or service not known");
    scene_close(&s);
}

static void a_host_from_a_peer_is_escaped(void)
{
    struct scene s;
    scene_open(&s);
    dial(&s, "a\x1b[31m\n.test", 22);
    CU_ASSERT_EQUAL(s.result.outcome, DIAL_NOT_RESOLVED);
    CU_ASSERT_PTR_NULL(strchr(s.result.text, '\x1b'));
    CU_ASSERT_PTR_NULL(strchr(s.result.text, '\n'));
    scene_close(&s);
}

static void a_family_the_machine_lacks_does_not_hide_the_reason(void)
{
    struct scene s;
    int holders[2];
    char expected[256];
    uint16_t port = drive_refuse(holders);
    scene_open(&s);
    faults_name("both.test", "127.0.0.1,::1");
    faults.missing_family = AF_INET6;
    dial(&s, "both.test", port);
    CU_ASSERT_EQUAL(s.result.outcome, DIAL_REFUSED);
    snprintf(expected, sizeof expected,
        "connect to both.test port %u (127.0.0.1): Connection refused", (unsigned)port);
    CU_ASSERT_STRING_EQUAL(s.result.text, expected);
    scene_close(&s);
    drive_close(holders, 2);
}

static void a_lack_of_descriptors_is_ours(void)
{
    struct scene s;
    struct rlimit old, low;
    scene_open(&s);
    start(&s, "127.0.0.1", 22);
    int next = dup(0);
    close(next);
    getrlimit(RLIMIT_NOFILE, &old);
    low = (struct rlimit){.rlim_cur = (rlim_t)next, .rlim_max = old.rlim_max};
    setrlimit(RLIMIT_NOFILE, &low);
    bool done = drive_until(s.loop, &s.is_done);
    setrlimit(RLIMIT_NOFILE, &old);
    CU_ASSERT_TRUE(done);
    CU_ASSERT_EQUAL(s.result.outcome, DIAL_NO_RESOURCES);
    CU_ASSERT_STRING_EQUAL(s.result.reason, strerror(EMFILE));
    scene_close(&s);
}

static void the_source_address_may_be_chosen(void)
{
    struct scene s;
    uint16_t port = 0;
    char local[ADDR_TEXT_MAX];
    int listening = drive_listen(AF_INET, &port, 8);
    scene_open(&s);
    faults_name("both.test", "::1,127.0.0.1"); /* the other family is passed over */
    s.options.bind_address = "127.0.0.9";
    dial(&s, "both.test", port);
    CU_ASSERT_EQUAL_FATAL(s.result.outcome, DIAL_OK);
    local_address(s.result.fd, local);
    CU_ASSERT_STRING_EQUAL(local, "127.0.0.9");
    scene_close(&s);
    close(listening);
}

static void a_source_address_that_is_not_ours_is_told(void)
{
    struct scene s;
    scene_open(&s);
    s.options.bind_address = "192.0.2.1";
    dial(&s, "127.0.0.1", 22);
    CU_ASSERT_EQUAL(s.result.outcome, DIAL_UNREACHABLE);
    CU_ASSERT_STRING_EQUAL(s.result.text,
        "connect to 127.0.0.1 port 22 from 192.0.2.1: Cannot assign requested address");
    scene_close(&s);
}

static void a_socket_that_meets_itself_is_refused(void)
{
    struct scene s;
    int holders[2];
    char expected[256];
    uint16_t port = drive_refuse(holders);
    drive_close(holders, 2); /* nobody may hold the port: the socket itself will */
    scene_open(&s);
    faults.meet_self = true;
    dial(&s, "127.0.0.1", port);
    CU_ASSERT_EQUAL(s.result.outcome, DIAL_REFUSED);
    snprintf(expected, sizeof expected, "connect to 127.0.0.1 port %u: Connection refused",
        (unsigned)port);
    CU_ASSERT_STRING_EQUAL(s.result.text, expected);
    scene_close(&s);
    int after = drive_listen(AF_INET, &port, DRIVE_REFUSE); /* no TIME_WAIT holds the port */
    CU_ASSERT_TRUE(after >= 0);
    close(after);
}

static void a_dial_may_be_cancelled_at_any_point(void)
{
    struct scene s;
    struct silent silent;
    uint16_t port = silent_open(&silent, 1, 0);
    scene_open(&s);
    start(&s, "127.0.0.1", port); /* at once */
    dial_cancel(s.dial);
    start(&s, "name.stuck", port); /* while a thread looks the name up */
    faults_wait_for_stuck(1);
    dial_cancel(s.dial);
    faults_release();
    struct silent second;
    silent_open(&second, 2, port);
    faults_name("race.test", "127.0.0.1,127.0.0.2");
    start(&s, "race.test", port); /* with two attempts under way */
    while (faults.n_connects < 4) /* the fillers' among them */
        loop_turn(s.loop, 1000);
    dial_cancel(s.dial);
    drive_idle(s.loop);
    CU_ASSERT_FALSE(s.is_done);
    scene_close(&s);
    silent_close(&second);
    silent_close(&silent);
}

static void a_dial_that_cannot_be_asked_for_leaves_nothing(void)
{
    struct scene s;
    scene_open(&s);
    faults.no_threads = true;
    s.n_fds = drive_n_fds();
    CU_ASSERT_PTR_NULL(dial_start(s.loop, s.resolver, "some.test", 22, &s.options, dial_done, &s));
    drive_idle(s.loop);
    scene_close(&s);
}

static const struct unit_test tests[] = {
    UNIT(a_connection_comes_ready_for_use),
    UNIT(the_loop_has_let_go_of_the_connection_it_hands_over),
    UNIT(a_refusal_names_address_and_port),
    UNIT(a_refusal_of_a_name_lists_the_addresses_tried),
    UNIT(a_long_list_and_a_long_name_leave_the_reason_whole),
    UNIT(the_next_address_is_tried_as_soon_as_one_fails),
    UNIT(a_silent_address_gets_250_ms_before_the_next_is_tried),
    UNIT(a_race_that_is_won_starts_nothing_more),
    UNIT(a_slow_address_may_still_win),
    UNIT(families_take_turns),
    UNIT(an_address_listed_twice_is_tried_once),
    UNIT(there_is_a_limit_to_the_addresses_tried),
    UNIT(a_silent_host_times_out),
    UNIT(a_silent_name_server_times_out),
    UNIT(an_unknown_name_is_told),
    UNIT(a_host_from_a_peer_is_escaped),
    UNIT(a_family_the_machine_lacks_does_not_hide_the_reason),
    UNIT(a_lack_of_descriptors_is_ours),
    UNIT(the_source_address_may_be_chosen),
    UNIT(a_source_address_that_is_not_ours_is_told),
    UNIT(a_socket_that_meets_itself_is_refused),
    UNIT(a_dial_may_be_cancelled_at_any_point),
    UNIT(a_dial_that_cannot_be_asked_for_leaves_nothing),
};

UNIT_MAIN("dialer", tests)
