/* The socket that carries SSH, with real sockets, two engines in memory and a clock of the test's
 * own. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "forward/link.h"
#include "forward/loop.h"
#include "tests/unit/transport/pair.h"

enum { K = 1024, M = 1024 * K };

struct scene {
    struct pair p;
    struct link link; /* the client's end; the test is the network at the other */
    int far;
    uint64_t now;
};

static int connected(int *other)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&a, n) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&a, &n) != 0 ||
        connect(fd, (struct sockaddr *)&a, n) != 0 || (*other = accept(listener, NULL, NULL)) < 0)
        abort();
    close(listener);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    fcntl(*other, F_SETFL, O_NONBLOCK);
    return fd;
}

static void scene_open(struct scene *s)
{
    pair_init(&s->p);
    pair_login(&s->p);
    s->now = 1000;
    int near = connected(&s->far);
    link_init(&s->link, near, near);
}

static void scene_close(struct scene *s)
{
    close(s->link.fd);
    close(s->far);
    pair_close(&s->p);
}

static int option(const struct scene *s, int level, int name)
{
    int value = -1;
    socklen_t n = sizeof value;
    CU_ASSERT_EQUAL(getsockopt(s->link.fd, level, name, &value, &n), 0);
    return value;
}

/* ---- out ------------------------------------------------------------------------------------- */

/* The client has data without end, and the far side takes n bytes, so many a millisecond: the clock
 * follows what arrives. */
static void drain(struct scene *s, size_t n_bytes, size_t bytes_a_ms)
{
    static uint8_t sink[64 * K];
    size_t since_tick = 0;
    while (n_bytes > 0) {
        link_ready(&s->link, LOOP_WRITABLE);
        for (bool moved = true; moved;) {
            size_t burst = link_burst(&s->link, s->p.client.t, false);
            while (pair_data(&s->p.client, burst < 32 * K ? burst : 32 * K, 'x'))
                ;
            moved = link_write(&s->link, s->p.client.t, s->now);
        }
        struct pollfd wait = {.fd = s->far, .events = POLLIN};
        CU_ASSERT_EQUAL_FATAL(poll(&wait, 1, 10000), 1);
        ssize_t n = recv(s->far, sink, n_bytes < sizeof sink ? n_bytes : sizeof sink, 0);
        CU_ASSERT_FATAL(n > 0);
        n_bytes -= (size_t)n;
        since_tick += (size_t)n;
        s->now += since_tick / bytes_a_ms;
        since_tick %= bytes_a_ms;
    }
}

static void what_may_wait_follows_how_fast_a_full_socket_drains(void)
{
    struct scene s;
    scene_open(&s);
    CU_ASSERT_EQUAL(link_burst(&s.link, s.p.client.t, false), 256 * K);
    drain(&s, 64 * M, 2500); /* 20 Mbit/s, in lumps as large as the socket's buffers */
    size_t burst = link_burst(&s.link, s.p.client.t, false);
    CU_ASSERT(burst <= 16 * K);
    CU_ASSERT_EQUAL(option(&s, IPPROTO_TCP, TCP_NOTSENT_LOWAT), (int)burst);
    drain(&s, 64 * M, M / 2); /* faster */
    CU_ASSERT_EQUAL(link_burst(&s.link, s.p.client.t, false), 256 * K);

    drain(&s, 64 * M, 2500);
    CU_ASSERT(link_burst(&s.link, s.p.client.t, false) <= 16 * K);
    int far = s.far; /* a path that is never full, however little is sent on it */
    close(s.link.fd);
    close(far);
    s.link.fd = s.link.out_fd = connected(&s.far);
    s.link.writable = true;
    for (int i = 0; i < 2000; i++) {
        static uint8_t sink[64 * K];
        (void)link_burst(&s.link, s.p.client.t, false);
        (void)pair_data(&s.p.client, 4 * K, 'x');
        while (link_write(&s.link, s.p.client.t, s.now++))
            ;
        while (recv(s.far, sink, sizeof sink, 0) > 0)
            ;
    }
    CU_ASSERT_EQUAL(link_burst(&s.link, s.p.client.t, false), 256 * K);
    scene_close(&s);
}

static void beside_others_less_may_wait(void)
{
    struct scene s;
    scene_open(&s);
    CU_ASSERT_EQUAL(link_burst(&s.link, s.p.client.t, true), 64 * K);
    CU_ASSERT_EQUAL(option(&s, IPPROTO_TCP, TCP_NOTSENT_LOWAT), 64 * K);
    while (pair_data(&s.p.client, 32 * K, 'x'))
        ;
    CU_ASSERT(transport_backlog(s.p.client.t) <= 128 * K);
    CU_ASSERT_EQUAL(link_burst(&s.link, s.p.client.t, false), 256 * K);
    scene_close(&s);
}

/* Whatever the burst is: when nothing waits, a packet of it finds room. */
static void a_packet_of_a_burst_always_finds_room(void)
{
    struct scene s;
    scene_open(&s);
    for (size_t burst = 4 * K; burst <= 256 * K; burst *= 2) {
        transport_set_backlog(s.p.client.t, 2 * burst);
        size_t n = 9 + (burst < 32 * K ? burst : 32 * K);
        CU_ASSERT_TRUE(pair_data(&s.p.client, n, 'x'));
        while (pair_data(&s.p.client, n, 'x'))
            ;
        CU_ASSERT(transport_backlog(s.p.client.t) <= 2 * burst);
        pair_run(&s.p);
    }
    scene_close(&s);
}

static void a_dead_socket_ends_writing_and_is_read_to_its_end(void)
{
    struct scene s;
    scene_open(&s);
    struct linger now = {.l_onoff = 1};
    (void)setsockopt(s.far, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(s.far);
    s.far = -1;
    for (int i = 0; i < 100 && s.link.write_error == 0; i++) {
        CU_ASSERT_TRUE(pair_data(&s.p.client, 100, 'x'));
        CU_ASSERT_TRUE(link_write(&s.link, s.p.client.t, s.now));
    }
    CU_ASSERT(s.link.write_error == EPIPE || s.link.write_error == ECONNRESET);
    CU_ASSERT_EQUAL(transport_backlog(s.p.client.t), 0);
    link_ready(&s.link, LOOP_WRITABLE);
    CU_ASSERT_FALSE(s.link.writable);
    CU_ASSERT_TRUE(s.link.readable);
    while (link_read(&s.link, s.p.client.t, s.now) && !s.p.client.t->is_eof)
        ;
    CU_ASSERT(s.link.read_error != 0 || s.p.client.t->is_eof);
    scene_close(&s);
}

/* ---- in -------------------------------------------------------------------------------------- */

/* The server's packets through the socket to the client, n bytes in all. */
static void stream(struct scene *s, size_t n_bytes)
{
    for (size_t moved = 0; moved < n_bytes;) {
        size_t n = 0;
        CU_ASSERT_TRUE_FATAL(pair_data(&s->p.server, 32 * K, 'y'));
        const uint8_t *bytes = transport_tx(s->p.server.t, &n);
        CU_ASSERT_EQUAL_FATAL(write(s->far, bytes, n), (ssize_t)n);
        transport_tx_done(s->p.server.t, n);
        moved += n;
        link_ready(&s->link, LOOP_READABLE);
        CU_ASSERT_TRUE_FATAL(link_read(&s->link, s->p.client.t, s->now));
        pair_events(&s->p, &s->p.client);
    }
}

static void a_stream_wakes_us_for_many_packets_at_once_until_it_pauses(void)
{
    struct scene s;
    scene_open(&s);
    stream(&s, 3 * M);
    CU_ASSERT_EQUAL(option(&s, SOL_SOCKET, SO_RCVLOWAT), 1);
    CU_ASSERT_EQUAL(link_deadline(&s.link), UINT64_MAX);
    stream(&s, 2 * M);
    CU_ASSERT_EQUAL(option(&s, SOL_SOCKET, SO_RCVLOWAT), 192 * K);
    CU_ASSERT_EQUAL(link_deadline(&s.link), s.now + 2);
    s.now++;
    link_fetch(&s.link, s.now);
    CU_ASSERT_EQUAL(option(&s, SOL_SOCKET, SO_RCVLOWAT), 192 * K);
    stream(&s, K); /* pushes the deadline */
    CU_ASSERT_EQUAL(link_deadline(&s.link), s.now + 2);
    s.now += 2;
    s.link.readable = false;
    link_fetch(&s.link, s.now);
    CU_ASSERT_TRUE(s.link.readable); /* what stays below the mark is fetched */
    CU_ASSERT_EQUAL(option(&s, SOL_SOCKET, SO_RCVLOWAT), 1);
    CU_ASSERT_EQUAL(link_deadline(&s.link), UINT64_MAX);
    stream(&s, 5 * M); /* a pause is paid for by a longer run */
    CU_ASSERT_EQUAL(link_deadline(&s.link), UINT64_MAX);
    stream(&s, 4 * M);
    CU_ASSERT_NOT_EQUAL(link_deadline(&s.link), UINT64_MAX);
    scene_close(&s);
}

static void a_slow_stream_wakes_us_for_every_packet(void)
{
    struct scene s;
    scene_open(&s);
    for (int i = 0; i < 200; i++) {
        stream(&s, 64 * K);
        s.now++;
    }
    CU_ASSERT_EQUAL(link_deadline(&s.link), UINT64_MAX);
    scene_close(&s);
}

static void beside_others_every_packet_wakes_us(void)
{
    struct scene s;
    scene_open(&s);
    stream(&s, 5 * M);
    CU_ASSERT_NOT_EQUAL(link_deadline(&s.link), UINT64_MAX);
    s.link.readable = false;
    (void)link_burst(&s.link, s.p.client.t, true);
    CU_ASSERT_EQUAL(link_deadline(&s.link), UINT64_MAX);
    CU_ASSERT_EQUAL(option(&s, SOL_SOCKET, SO_RCVLOWAT), 1);
    CU_ASSERT_TRUE(s.link.readable);
    for (int i = 0; i < 40; i++) {
        stream(&s, M);
        (void)link_burst(&s.link, s.p.client.t, true);
    }
    CU_ASSERT_EQUAL(link_deadline(&s.link), UINT64_MAX);
    scene_close(&s);
}

/* A packet from the server, read. */
static void read_small(struct scene *s)
{
    size_t n = 0;
    CU_ASSERT_TRUE(pair_data(&s->p.server, 100, 'y'));
    const uint8_t *bytes = transport_tx(s->p.server.t, &n);
    CU_ASSERT_EQUAL(write(s->far, bytes, n), (ssize_t)n);
    transport_tx_done(s->p.server.t, n);
    link_ready(&s->link, LOOP_READABLE);
    CU_ASSERT_TRUE(link_read(&s->link, s->p.client.t, s->now));
    pair_events(&s->p, &s->p.client);
}

/* What ends a dialogue's turn is often followed by more at once. */
static void after_a_small_read_there_is_another_look(void)
{
    struct scene s;
    scene_open(&s);
    read_small(&s);
    CU_ASSERT_TRUE(s.link.readable);
    CU_ASSERT_FALSE(link_read(&s.link, s.p.client.t, s.now));
    CU_ASSERT_FALSE(s.link.readable);
    scene_close(&s);
}

/* One read a wake-up: a short one has emptied the socket, unless its end was told of. */
static void a_short_read_is_the_last_but_for_an_end(void)
{
    struct scene s;
    scene_open(&s);
    stream(&s, M); /* by now there is more room than what comes */
    CU_ASSERT_FALSE(s.link.readable);
    CU_ASSERT_FALSE(link_read(&s.link, s.p.client.t, s.now));
    shutdown(s.far, SHUT_WR);
    link_ready(&s.link, LOOP_READABLE | LOOP_HANGUP);
    CU_ASSERT_TRUE(link_read(&s.link, s.p.client.t, s.now));
    CU_ASSERT_TRUE(s.p.client.t->is_eof);
    CU_ASSERT_FALSE(s.link.readable);
    scene_close(&s);
}

static void data_and_its_end_in_one_edge_are_both_seen(void)
{
    struct scene s;
    size_t n = 0;
    scene_open(&s);
    CU_ASSERT_TRUE(pair_data(&s.p.server, 100, 'y'));
    const uint8_t *bytes = transport_tx(s.p.server.t, &n);
    CU_ASSERT_EQUAL(write(s.far, bytes, n), (ssize_t)n);
    shutdown(s.far, SHUT_WR);
    link_ready(&s.link, LOOP_READABLE | LOOP_HANGUP);
    CU_ASSERT_TRUE(link_read(&s.link, s.p.client.t, s.now));
    CU_ASSERT_FALSE(s.p.client.t->is_eof);
    CU_ASSERT_TRUE(link_read(&s.link, s.p.client.t, s.now));
    CU_ASSERT_TRUE(s.p.client.t->is_eof);
    scene_close(&s);
}

/* The kernel's mode of delayed acknowledgement, which TCP_QUICKACK leaves, tells what was asked. */
static void delay_acknowledgements(struct scene *s)
{
    int no = 0;
    CU_ASSERT_EQUAL(setsockopt(s->link.fd, IPPROTO_TCP, TCP_QUICKACK, &no, sizeof no), 0);
    CU_ASSERT_EQUAL(option(s, IPPROTO_TCP, TCP_QUICKACK), 0);
}

static void what_had_no_answer_is_acknowledged_at_once(void)
{
    struct scene s;
    scene_open(&s);
    delay_acknowledgements(&s);
    link_acknowledge(&s.link);
    CU_ASSERT_EQUAL(option(&s, IPPROTO_TCP, TCP_QUICKACK), 0); /* nothing came */
    read_small(&s);
    delay_acknowledgements(&s);
    link_acknowledge(&s.link);
    CU_ASSERT_EQUAL(option(&s, IPPROTO_TCP, TCP_QUICKACK), 1);

    read_small(&s);
    CU_ASSERT_TRUE(pair_data(&s.p.client, 100, 'x'));
    CU_ASSERT_TRUE(link_write(&s.link, s.p.client.t, s.now));
    delay_acknowledgements(&s);
    link_acknowledge(&s.link);
    CU_ASSERT_EQUAL(option(&s, IPPROTO_TCP, TCP_QUICKACK), 0); /* it went along with the answer */
    scene_close(&s);
}

static void the_end_of_a_stream_is_acknowledged_when_it_is_fetched(void)
{
    struct scene s;
    scene_open(&s);
    stream(&s, 5 * M);
    CU_ASSERT_NOT_EQUAL(link_deadline(&s.link), UINT64_MAX);
    delay_acknowledgements(&s);
    link_acknowledge(&s.link);
    CU_ASSERT_EQUAL(option(&s, IPPROTO_TCP, TCP_QUICKACK), 0);
    link_fetch(&s.link, s.now + 2);
    link_acknowledge(&s.link);
    CU_ASSERT_EQUAL(option(&s, IPPROTO_TCP, TCP_QUICKACK), 1);
    scene_close(&s);
}

static const struct unit_test tests[] = {
    UNIT(what_may_wait_follows_how_fast_a_full_socket_drains),
    UNIT(beside_others_less_may_wait),
    UNIT(a_packet_of_a_burst_always_finds_room),
    UNIT(a_dead_socket_ends_writing_and_is_read_to_its_end),
    UNIT(a_stream_wakes_us_for_many_packets_at_once_until_it_pauses),
    UNIT(a_slow_stream_wakes_us_for_every_packet),
    UNIT(beside_others_every_packet_wakes_us),
    UNIT(after_a_small_read_there_is_another_look),
    UNIT(a_short_read_is_the_last_but_for_an_end),
    UNIT(data_and_its_end_in_one_edge_are_both_seen),
    UNIT(what_had_no_answer_is_acknowledged_at_once),
    UNIT(the_end_of_a_stream_is_acknowledged_when_it_is_fetched),
};

UNIT_MAIN("link", tests)
