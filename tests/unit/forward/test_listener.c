#include "forward/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "forward/addr.h"
#include "tests/unit/forward/drive.h"
#include "tests/unit/forward/faults.h"
#include "tests/unit/unit.h"

enum { CLIENTS_MAX = 100 };

/* A listener, and what it accepted. */
struct scene {
    struct loop *loop;
    struct listener *listener;
    struct listener_config config;
    char why[256];
    int sys_errno;
    int n_fds; /* before it was opened */

    int n_accepted;
    int accepted[CLIENTS_MAX];
    char from_host[ADDR_TEXT_MAX];
    uint16_t from_port;
    bool has_one;
    bool closes, pauses; /* what the callback does besides */
};

static void on_accepted(void *user, int fd, const char *from_host, uint16_t from_port)
{
    struct scene *s = user;
    s->accepted[s->n_accepted++] = fd;
    s->has_one = true;
    snprintf(s->from_host, sizeof s->from_host, "%s", from_host);
    s->from_port = from_port;
    if (s->pauses)
        listener_pause(s->listener);
    if (s->closes) {
        listener_close(s->listener);
        s->listener = NULL;
    }
}

static void scene_open(struct scene *s, enum listener_bind bind, const char *address)
{
    *s = (struct scene){.loop = loop_new(), .config = {.bind = bind, .address = address}};
    s->config.accepted = on_accepted;
    s->config.user = s;
    s->sys_errno = -1;
}

static bool open_listener(struct scene *s)
{
    s->n_fds = drive_n_fds();
    s->listener = listener_open(s->loop, &s->config, s->why, sizeof s->why, &s->sys_errno);
    if (s->listener == NULL)
        CU_ASSERT_EQUAL(drive_n_fds(), s->n_fds);
    return s->listener != NULL;
}

static void scene_close(struct scene *s)
{
    drive_close(s->accepted, s->n_accepted);
    listener_close(s->listener);
    loop_free(s->loop);
    faults_clear();
}

static uint16_t local_port(int fd)
{
    struct sockaddr_storage a;
    socklen_t len = sizeof a;
    getsockname(fd, (struct sockaddr *)&a, &len);
    return addr_port((struct sockaddr *)&a);
}

static void check_family(struct scene *s, int family, const char *host)
{
    int client = drive_connect(family, listener_port(s->listener));
    s->has_one = false;
    CU_ASSERT_TRUE(drive_until(s->loop, &s->has_one));
    CU_ASSERT_STRING_EQUAL(s->from_host, host);
    CU_ASSERT_EQUAL(s->from_port, local_port(client));
    close(client);
}

static void loopback_is_one_port_in_both_families(void)
{
    struct scene s;
    scene_open(&s, LISTENER_LOOPBACK, NULL);
    CU_ASSERT_TRUE_FATAL(open_listener(&s));
    CU_ASSERT_NOT_EQUAL(listener_port(s.listener), 0);
    check_family(&s, AF_INET, "127.0.0.1");
    if (drive_has_ipv6())
        check_family(&s, AF_INET6, "::1");
    scene_close(&s);
}

/* Without IPV6_V6ONLY it would be ::ffff:127.0.0.1, or the second bind would fail. */
static void wildcard_is_both_families_side_by_side(void)
{
    struct scene s;
    scene_open(&s, LISTENER_WILDCARD, NULL);
    CU_ASSERT_TRUE_FATAL(open_listener(&s));
    check_family(&s, AF_INET, "127.0.0.1");
    if (drive_has_ipv6())
        check_family(&s, AF_INET6, "::1");
    scene_close(&s);
}

static void an_ipv6_wildcard_takes_no_ipv4(void)
{
    struct scene s;
    scene_open(&s, LISTENER_WILDCARD, NULL);
    s.config.family = AF_INET6;
    if (drive_has_ipv6()) {
        CU_ASSERT_TRUE_FATAL(open_listener(&s));
        uint16_t port = listener_port(s.listener);
        int other = drive_listen(AF_INET, &port, 8); /* nobody is in its way */
        CU_ASSERT_TRUE(other >= 0);
        close(other);
    }
    scene_close(&s);
}

static void an_accepted_connection_comes_ready_for_use(void)
{
    struct scene s;
    int nodelay = 0;
    socklen_t len = sizeof nodelay;
    scene_open(&s, LISTENER_ADDRESS, "127.0.0.1");
    CU_ASSERT_TRUE_FATAL(open_listener(&s));
    check_family(&s, AF_INET, "127.0.0.1");
    CU_ASSERT_TRUE(fcntl(s.accepted[0], F_GETFL) & O_NONBLOCK);
    CU_ASSERT_TRUE(fcntl(s.accepted[0], F_GETFD) & FD_CLOEXEC);
    getsockopt(s.accepted[0], IPPROTO_TCP, TCP_NODELAY, &nodelay, &len);
    CU_ASSERT_NOT_EQUAL(nodelay, 0);
    char congestion[16] = "";
    len = sizeof congestion;
    getsockopt(s.accepted[0], IPPROTO_TCP, TCP_CONGESTION, congestion, &len);
    CU_ASSERT_STRING_NOT_EQUAL(congestion, "bbr"); /* not from this very machine */
    scene_close(&s);
}

static void one_family_may_be_asked_for(void)
{
    struct scene s;
    scene_open(&s, LISTENER_LOOPBACK, NULL);
    s.config.family = AF_INET;
    CU_ASSERT_TRUE_FATAL(open_listener(&s));
    uint16_t port = listener_port(s.listener);
    if (drive_has_ipv6()) {
        int other = drive_listen(AF_INET6, &port, 8);
        CU_ASSERT_TRUE(other >= 0);
        close(other);
    }
    scene_close(&s);
}

static void a_name_with_an_address_twice_is_bound_once(void)
{
    struct scene s;
    scene_open(&s, LISTENER_ADDRESS, "twice.test");
    faults_name("twice.test", "127.0.0.1,127.0.0.1");
    CU_ASSERT_TRUE(open_listener(&s));
    scene_close(&s);
}

static void a_name_with_endless_addresses_is_refused(void)
{
    struct scene s;
    char list[400] = "127.0.0.1";
    for (int i = 2; i < 20; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), ",127.0.0.%d", i);
    scene_open(&s, LISTENER_ADDRESS, "many.test");
    faults_name("many.test", list);
    CU_ASSERT_FALSE(open_listener(&s));
    CU_ASSERT_STRING_EQUAL(s.why, "cannot listen on many.test port 0: more than 16 addresses");
    scene_close(&s);
}

static void an_unknown_name_is_told(void)
{
    struct scene s;
    scene_open(&s, LISTENER_ADDRESS, "nobody.test");
    s.config.port = 8080;
    CU_ASSERT_FALSE(open_listener(&s));
    CU_ASSERT_STRING_EQUAL(
        s.why, "cannot listen on nobody.test port 8080: Name or service not known");
    CU_ASSERT_EQUAL(s.sys_errno, 0);
    scene_close(&s);
}

/* ---- ports taken, families missing */

static void a_port_in_use_in_either_family_is_a_failure(void)
{
    static const int families[] = {AF_INET, AF_INET6};
    static const char *const hosts[] = {"127.0.0.1", "::1"};
    for (int i = 0; i < (drive_has_ipv6() ? 2 : 1); i++) {
        struct scene s;
        char expected[256];
        uint16_t port = 0;
        int holder = drive_listen(families[i], &port, 8);
        scene_open(&s, LISTENER_LOOPBACK, NULL);
        s.config.port = port;
        CU_ASSERT_FALSE(open_listener(&s)); /* which looks that nothing is left open, too */
        CU_ASSERT_EQUAL(s.sys_errno, EADDRINUSE);
        snprintf(expected, sizeof expected, "cannot listen on %s port %u: Address already in use",
            hosts[i], (unsigned)port);
        CU_ASSERT_STRING_EQUAL(s.why, expected);
        close(holder);
        CU_ASSERT_TRUE(open_listener(&s));
        scene_close(&s);
    }
}

static void a_chosen_port_that_the_other_family_lacks_is_chosen_again(void)
{
    struct scene s;
    if (!drive_has_ipv6())
        return;
    scene_open(&s, LISTENER_LOOPBACK, NULL);
    faults.first_v6_port_is_taken = true;
    CU_ASSERT_TRUE_FATAL(open_listener(&s));
    CU_ASSERT_EQUAL(drive_n_fds(), s.n_fds + 2);
    CU_ASSERT_NOT_EQUAL(faults.taken_port, 0);
    CU_ASSERT_NOT_EQUAL(listener_port(s.listener), faults.taken_port);
    check_family(&s, AF_INET, "127.0.0.1");
    check_family(&s, AF_INET6, "::1");
    scene_close(&s);
}

static void the_choice_of_a_port_comes_to_an_end(void)
{
    struct scene s;
    scene_open(&s, LISTENER_LOOPBACK, NULL);
    faults.bind_error = EADDRINUSE;
    CU_ASSERT_FALSE(open_listener(&s));
    CU_ASSERT_EQUAL(s.sys_errno, EADDRINUSE);
    scene_close(&s);
}

static void a_port_asked_for_is_tried_once(void)
{
    struct scene s;
    if (!drive_has_ipv6())
        return;
    int holders[2];
    scene_open(&s, LISTENER_LOOPBACK, NULL);
    s.config.port = drive_refuse(holders);
    drive_close(holders, 2);
    faults.v6_bind_error = EADDRINUSE;
    faults.n_v6_bind_errors = 1;
    CU_ASSERT_FALSE(open_listener(&s));
    scene_close(&s);
}

static void a_family_the_kernel_lacks_is_left_out(void)
{
    struct scene s;
    scene_open(&s, LISTENER_LOOPBACK, NULL);
    faults.missing_family = AF_INET6;
    CU_ASSERT_TRUE_FATAL(open_listener(&s));
    CU_ASSERT_EQUAL(drive_n_fds(), s.n_fds + 1);
    check_family(&s, AF_INET, "127.0.0.1");
    scene_close(&s);
}

static void a_family_without_an_interface_is_left_out(void)
{
    struct scene s;
    if (!drive_has_ipv6())
        return;
    scene_open(&s, LISTENER_WILDCARD, NULL);
    faults.v6_bind_error = EADDRNOTAVAIL;
    faults.n_v6_bind_errors = 1;
    CU_ASSERT_TRUE_FATAL(open_listener(&s));
    CU_ASSERT_EQUAL(drive_n_fds(), s.n_fds + 1);
    scene_close(&s);
}

static void with_no_family_left_it_fails(void)
{
    struct scene s;
    scene_open(&s, LISTENER_LOOPBACK, NULL);
    s.config.family = AF_INET6;
    s.config.port = 8080;
    faults.missing_family = AF_INET6;
    CU_ASSERT_FALSE(open_listener(&s));
    CU_ASSERT_STRING_EQUAL(
        s.why, "cannot listen on ::1 port 8080: Address family not supported by protocol");
    CU_ASSERT_EQUAL(s.sys_errno, EAFNOSUPPORT);
    scene_close(&s);
}

static void an_address_of_another_machine_is_refused(void)
{
    struct scene s;
    scene_open(&s, LISTENER_ADDRESS, "192.0.2.1");
    s.config.port = 8080;
    CU_ASSERT_FALSE(open_listener(&s));
    CU_ASSERT_STRING_EQUAL(s.why, "cannot listen on 192.0.2.1 port 8080: Cannot assign requested "
                                  "address (not an address of this machine)");
    scene_close(&s);
}

static void a_privileged_port_says_who_may(void)
{
    struct scene s;
    scene_open(&s, LISTENER_LOOPBACK, NULL);
    s.config.port = 80;
    faults.bind_error = EACCES; /* root, too, shall run this test */
    CU_ASSERT_FALSE(open_listener(&s));
    CU_ASSERT_EQUAL(s.sys_errno, EACCES);
    CU_ASSERT_STRING_EQUAL(s.why, "cannot listen on 127.0.0.1 port 80: Permission denied (ports "
                                  "below 1024 need root or CAP_NET_BIND_SERVICE)");
    scene_close(&s);
}

/* ---- accepting */

static void connect_many(struct scene *s, int *clients, int n)
{
    for (int i = 0; i < n; i++)
        clients[i] = drive_connect(AF_INET, listener_port(s->listener));
}

static void at_most_64_are_accepted_in_a_turn(void)
{
    struct scene s;
    int clients[CLIENTS_MAX];
    scene_open(&s, LISTENER_ADDRESS, "127.0.0.1");
    CU_ASSERT_TRUE_FATAL(open_listener(&s));
    connect_many(&s, clients, CLIENTS_MAX);
    for (int before = 0; s.n_accepted < CLIENTS_MAX; before = s.n_accepted) {
        CU_ASSERT_TRUE_FATAL(loop_turn(s.loop, 10000));
        CU_ASSERT_TRUE(s.n_accepted - before <= 64);
    }
    drive_close(clients, CLIENTS_MAX);
    scene_close(&s);
}

static void connections_that_fail_are_passed_over(void)
{
    struct scene s;
    static const int errors[] = {ECONNABORTED, EPROTO, EINTR, ENETDOWN, EPERM, EHOSTUNREACH};
    scene_open(&s, LISTENER_LOOPBACK, NULL);
    CU_ASSERT_TRUE_FATAL(open_listener(&s));
    memcpy(faults.accept_errors, errors, sizeof errors);
    int client = drive_connect(AF_INET, listener_port(s.listener));
    loop_turn(s.loop, 10000);
    CU_ASSERT_EQUAL(s.n_accepted, 1); /* in the same turn */
    CU_ASSERT_EQUAL(faults.accept_errors[0], 0);
    close(client);
    scene_close(&s);
}

/* For real: no descriptor is left, so accept4() fails until some are. */
static void without_descriptors_a_listener_rests_and_does_not_spin(void)
{
    struct scene s;
    struct rlimit old, low;
    scene_open(&s, LISTENER_ADDRESS, "127.0.0.1");
    CU_ASSERT_TRUE_FATAL(open_listener(&s));
    int client = drive_connect(AF_INET, listener_port(s.listener));
    int next = dup(0);
    close(next);
    getrlimit(RLIMIT_NOFILE, &old);
    low = (struct rlimit){.rlim_cur = (rlim_t)next, .rlim_max = old.rlim_max};
    setrlimit(RLIMIT_NOFILE, &low);
    while (faults.n_accepts == 0)
        loop_turn(s.loop, 10000);
    uint64_t before = drive_clock_ms();
    for (int i = 0; i < 5; i++)
        loop_turn(s.loop, 2);
    listener_pause(s.listener); /* these do not end the rest */
    listener_resume(s.listener);
    drive_idle(s.loop);
    CU_ASSERT_TRUE(faults.n_accepts == 1 || drive_clock_ms() - before > 900);
    setrlimit(RLIMIT_NOFILE, &old);
    CU_ASSERT_TRUE(drive_until(s.loop, &s.has_one)); /* after a second */
    close(client);
    scene_close(&s);
}

static void note_time(struct loop_timer *timer)
{
    *(bool *)timer->user = true;
}

static void one_listener_rests_and_others_go_on(void)
{
    struct scene tired, fresh;
    bool is_over = false;
    struct loop_timer timer = {.fire = note_time, .user = &is_over};
    scene_open(&tired, LISTENER_LOOPBACK, NULL);
    CU_ASSERT_TRUE_FATAL(open_listener(&tired));
    scene_open(&fresh, LISTENER_LOOPBACK, NULL);
    loop_free(fresh.loop);
    fresh.loop = tired.loop;
    CU_ASSERT_TRUE_FATAL(open_listener(&fresh));
    faults.accept_errors[0] = ENOBUFS;
    int client = drive_connect(AF_INET, listener_port(tired.listener));
    while (faults.n_accepts == 0)
        loop_turn(tired.loop, 10000);
    listener_close(tired.listener); /* in its rest, of which nothing must be left */
    tired.listener = NULL;
    check_family(&fresh, AF_INET, "127.0.0.1");
    loop_timer_set(tired.loop, &timer, loop_now(tired.loop) + 1100);
    CU_ASSERT_TRUE(drive_until(tired.loop, &is_over));
    CU_ASSERT_EQUAL(tired.n_accepted, 0);
    close(client);
    drive_close(fresh.accepted, fresh.n_accepted);
    listener_close(fresh.listener);
    scene_close(&tired);
}

static void an_error_without_a_name_does_not_spin_either(void)
{
    struct scene s;
    scene_open(&s, LISTENER_LOOPBACK, NULL);
    CU_ASSERT_TRUE_FATAL(open_listener(&s));
    faults.accept_errors[0] = EIO;
    int client = drive_connect(AF_INET, listener_port(s.listener));
    while (faults.n_accepts == 0)
        loop_turn(s.loop, 10000);
    drive_idle(s.loop);
    CU_ASSERT_EQUAL(faults.n_accepts, 1);
    close(client);
    scene_close(&s);
}

static void a_listener_may_be_closed_by_what_it_accepts(void)
{
    struct scene s;
    int clients[3];
    scene_open(&s, LISTENER_LOOPBACK, NULL);
    s.closes = true;
    CU_ASSERT_TRUE_FATAL(open_listener(&s));
    connect_many(&s, clients, 3);
    CU_ASSERT_TRUE(drive_until(s.loop, &s.has_one));
    drive_idle(s.loop);
    CU_ASSERT_EQUAL(s.n_accepted, 1);
    CU_ASSERT_PTR_NULL(s.listener);
    drive_close(clients, 3);
    scene_close(&s);
}

static void a_paused_listener_leaves_connections_to_the_backlog(void)
{
    struct scene s;
    int clients[3];
    scene_open(&s, LISTENER_LOOPBACK, NULL);
    CU_ASSERT_TRUE_FATAL(open_listener(&s));
    listener_pause(s.listener);
    connect_many(&s, clients, 3);
    drive_idle(s.loop);
    CU_ASSERT_EQUAL(s.n_accepted, 0);
    s.pauses = true; /* from inside, after the first */
    listener_resume(s.listener);
    CU_ASSERT_TRUE(drive_until(s.loop, &s.has_one));
    drive_idle(s.loop);
    CU_ASSERT_EQUAL(s.n_accepted, 1);
    s.pauses = false;
    listener_resume(s.listener);
    while (s.n_accepted < 3)
        CU_ASSERT_TRUE_FATAL(loop_turn(s.loop, 10000));
    drive_close(clients, 3);
    scene_close(&s);
}

static void a_closed_listener_gives_its_port_back_at_once(void)
{
    struct scene s;
    scene_open(&s, LISTENER_LOOPBACK, NULL);
    CU_ASSERT_TRUE_FATAL(open_listener(&s));
    check_family(&s, AF_INET, "127.0.0.1"); /* a connection of its port lives on */
    s.config.port = listener_port(s.listener);
    listener_close(s.listener);
    CU_ASSERT_TRUE(open_listener(&s));
    scene_close(&s);
    listener_close(NULL);
}

static const struct unit_test tests[] = {
    UNIT(loopback_is_one_port_in_both_families),
    UNIT(wildcard_is_both_families_side_by_side),
    UNIT(an_ipv6_wildcard_takes_no_ipv4),
    UNIT(an_accepted_connection_comes_ready_for_use),
    UNIT(one_family_may_be_asked_for),
    UNIT(a_name_with_an_address_twice_is_bound_once),
    UNIT(a_name_with_endless_addresses_is_refused),
    UNIT(an_unknown_name_is_told),
    UNIT(a_port_in_use_in_either_family_is_a_failure),
    UNIT(a_chosen_port_that_the_other_family_lacks_is_chosen_again),
    UNIT(the_choice_of_a_port_comes_to_an_end),
    UNIT(a_port_asked_for_is_tried_once),
    UNIT(a_family_the_kernel_lacks_is_left_out),
    UNIT(a_family_without_an_interface_is_left_out),
    UNIT(with_no_family_left_it_fails),
    UNIT(an_address_of_another_machine_is_refused),
    UNIT(a_privileged_port_says_who_may),
    UNIT(at_most_64_are_accepted_in_a_turn),
    UNIT(connections_that_fail_are_passed_over),
    UNIT(without_descriptors_a_listener_rests_and_does_not_spin),
    UNIT(one_listener_rests_and_others_go_on),
    UNIT(an_error_without_a_name_does_not_spin_either),
    UNIT(a_listener_may_be_closed_by_what_it_accepts),
    UNIT(a_paused_listener_leaves_connections_to_the_backlog),
    UNIT(a_closed_listener_gives_its_port_back_at_once),
};

UNIT_MAIN("listener", tests)
