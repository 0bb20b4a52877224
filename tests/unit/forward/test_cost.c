#define _GNU_SOURCE /* RTLD_NEXT */
/* What moving bytes costs, counted: system calls and allocations of two real peers, and the memory
 * of a channel at rest.
 *
 * This program stands in front of the C library's malloc() and of its calls on descriptors. All
 * sockets are pairs of the kernel's own, in one thread, so nothing here depends on time: before
 * every turn of the loop the test fills the socket that is sent from, after it it empties the one
 * that is sent to. */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "channel/engine.h"
#include "forward/outbound.h"
#include "forward/pump.h"
#include "tests/unit/forward/rig.h"

#if defined(__SANITIZE_ADDRESS__)
#define IS_COUNTING_MEMORY 0 /* the sanitizer stands there itself */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_COUNTING_MEMORY 0
#endif
#endif
#ifndef IS_COUNTING_MEMORY
#define IS_COUNTING_MEMORY 1
#endif

/* ---- what is counted ------------------------------------------------------------------------- */

static struct {
    bool is_on; /* a turn of the loop is under way, not the test itself */
    uint64_t n_reads, n_writes, n_waits, n_others;
    uint64_t n_allocs;
} cost;
static size_t n_live; /* bytes */

/* A name of the C library in front of which this program stands. */
static void *real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL)
        abort();
    return found;
}

#define STAND_IN(result, name, counter, parameters, ...)                                           \
    result name parameters                                                                         \
    {                                                                                              \
        static result(*there) parameters;                                                          \
        if (there == NULL) {                                                                       \
            void *found = real(#name);                                                             \
            memcpy(&there, &found, sizeof found);                                                  \
        }                                                                                          \
        cost.counter += cost.is_on;                                                                \
        return there(__VA_ARGS__);                                                                 \
    }

STAND_IN(ssize_t, read, n_reads, (int fd, void *p, size_t n), fd, p, n)
STAND_IN(ssize_t, readv, n_reads, (int fd, const struct iovec *v, int n), fd, v, n)
STAND_IN(ssize_t, recv, n_reads, (int fd, void *p, size_t n, int flags), fd, p, n, flags)
STAND_IN(ssize_t, recvmsg, n_reads, (int fd, struct msghdr *m, int flags), fd, m, flags)
STAND_IN(ssize_t, write, n_writes, (int fd, const void *p, size_t n), fd, p, n)
STAND_IN(ssize_t, writev, n_writes, (int fd, const struct iovec *v, int n), fd, v, n)
STAND_IN(ssize_t, send, n_writes, (int fd, const void *p, size_t n, int flags), fd, p, n, flags)
STAND_IN(ssize_t, sendmsg, n_writes, (int fd, const struct msghdr *m, int flags), fd, m, flags)
STAND_IN(int, epoll_wait, n_waits, (int fd, struct epoll_event *e, int n, int ms), fd, e, n, ms)
STAND_IN(int, epoll_pwait2, n_waits,
    (int fd, struct epoll_event *e, int n, const struct timespec *t, const sigset_t *s), fd, e, n,
    t, s)
STAND_IN(
    int, epoll_ctl, n_others, (int fd, int op, int which, struct epoll_event *e), fd, op, which, e)
STAND_IN(int, setsockopt, n_others, (int fd, int level, int name, const void *p, socklen_t n), fd,
    level, name, p, n)
STAND_IN(int, getsockopt, n_others,
    (int fd, int level, int name, void *restrict p, socklen_t *restrict n), fd, level, name, p, n)

#if IS_COUNTING_MEMORY
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void __libc_free(void *p);

static void *counted(void *p)
{
    cost.n_allocs += cost.is_on;
    n_live += p != NULL ? malloc_usable_size(p) : 0;
    return p;
}

void *malloc(size_t n)
{
    return counted(__libc_malloc(n));
}

void *calloc(size_t n, size_t size)
{
    return counted(__libc_calloc(n, size));
}

void *realloc(void *p, size_t n)
{
    n_live -= p != NULL ? malloc_usable_size(p) : 0;
    return counted(__libc_realloc(p, n));
}

void free(void *p)
{
    n_live -= p != NULL ? malloc_usable_size(p) : 0;
    __libc_free(p);
}
#endif

/* ---- two peers and their channels ------------------------------------------------------------ */

enum {
    SOCKET_BYTES = 212992, /* Linux lets everybody have this much, and doubles it */
    BATCH_BYTES = SOCKET_BYTES,
    MIB = 1 << 20,
    PACKETS_A_MIB = MIB / MUX_PACKET_BYTES,
};

static struct rig r;

/* A pair of the kernel's that holds a few packets. */
static void pair(int fds[2])
{
    int n = SOCKET_BYTES;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        abort();
    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &n, sizeof n);
    setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &n, sizeof n);
}

static int next_far; /* what the server's next channel is joined to */

static void on_transport(void *user, const struct transport_event *e)
{
    struct rig_end *end = user;
    rig_log_in(&r, peer_transport(end->peer), e);
    end->is_up |= e->type == TRANSPORT_AUTH_SUCCESS;
}

static void on_mux(void *user, const struct mux_event *e)
{
    struct rig_end *end = user;
    if (e->type == MUX_GLOBAL_REQUEST) { /* a probe of round trips */
        mux_global_reply(peer_mux(end->peer), e->ticket, false, (struct bytes){0});
    } else if (e->type == MUX_OPEN_REQUEST) {
        CU_ASSERT_EQUAL(mux_confirm(peer_mux(end->peer), e->chan, NULL), ERR_OK);
        CU_ASSERT_EQUAL(
            pump_start(end->peer, e->chan, next_far, (struct bytes){0}, (struct bytes){0}, false),
            ERR_OK);
    }
    peer_kick(end->peer);
}

static void on_end(void *user, const struct fault *why)
{
    struct rig_end *end = user;
    end->has_ended = true;
    end->why = *why;
}

static void start(struct rig_end *end, int fd)
{
    end->config.loop = r.loop;
    end->config.fd = fd;
    end->config.owner = (struct peer_owner){
        .user = end, .transport_event = on_transport, .mux_event = on_mux, .ended = on_end};
    end->peer = peer_new(&end->config);
    CU_ASSERT_PTR_NOT_NULL_FATAL(end->peer);
}

static void log_in(void)
{
    int fds[2];
    rig_init(&r);
    pair(fds);
    start(&r.client, fds[0]);
    start(&r.server, fds[1]);
    RIG_UNTIL(&r, r.client.is_up && r.server.is_up);
}

/* The two applications at the ends of a channel. */
struct ends {
    int near, far;
};

static struct ends join(void)
{
    int near[2], far[2];
    pair(near);
    pair(far);
    next_far = far[0];
    struct outbound_request request = {.type = BYTES_LIT("direct-tcpip"),
        .where = {.host = BYTES_LIT("far"), .port = 1, .from_host = BYTES_LIT("near")}};
    CU_ASSERT_EQUAL(outbound_open(r.client.peer, near[0], &request), ERR_OK);
    drive_idle(r.loop);
    return (struct ends){near[1], far[1]};
}

static void part(struct ends e)
{
    close(e.near);
    close(e.far);
    drive_idle(r.loop);
}

static uint8_t sheet[BATCH_BYTES]; /* of bytes to be sent */

/* As much as the far end's socket holds too, so that its reader is not a slow one. */
static void fill(int fd)
{
    if (fd >= 0)
        (void)!write(fd, sheet, BATCH_BYTES);
}

static uint64_t empty(int fd)
{
    static uint8_t bin[MIB];
    uint64_t sum = 0;
    for (ssize_t n; (n = read(fd, bin, sizeof bin)) > 0;)
        sum += (uint64_t)n;
    return sum;
}

/* Until so much has come through, both ways together. */
static void move(struct ends e, bool up, bool down, uint64_t n_bytes)
{
    uint64_t moved = 0;
    for (int idle = 0; moved < n_bytes && idle < 10000;) {
        fill(up ? e.near : -1);
        fill(down ? e.far : -1);
        cost.is_on = true;
        loop_turn(r.loop, 0);
        cost.is_on = false;
        uint64_t now = empty(e.near) + empty(e.far);
        moved += now;
        idle = now == 0 ? idle + 1 : 0;
    }
    CU_ASSERT(moved >= n_bytes);
}

/* Until nothing is under way. */
static void rest(struct ends e)
{
    do
        drive_idle(r.loop);
    while (empty(e.near) + empty(e.far) > 0);
}

/* ---- what it costs --------------------------------------------------------------------------- */

static uint64_t per_mib(uint64_t n, uint64_t n_bytes)
{
    return (n * MIB + n_bytes - 1) / n_bytes;
}

/* A forwarder that takes packets of 32 KiB one by one reads and writes each at either end: 64 reads
 * and 64 writes a megabyte. Here a batch is what a socket holds, some 200 KB, so that even with the
 * reads that find nothing half of the one and a quarter of the other is plenty. */
static void measure(struct ends e, bool up, bool down)
{
    const uint64_t n_bytes = 32 * MIB;
    move(e, up, down, n_bytes); /* buffers and windows grow to their size */
    memset(&cost, 0, sizeof cost);
    move(e, up, down, n_bytes);
    CU_ASSERT(per_mib(cost.n_reads, n_bytes) <= PACKETS_A_MIB);
    CU_ASSERT(per_mib(cost.n_writes, n_bytes) <= PACKETS_A_MIB / 2);
    CU_ASSERT(per_mib(cost.n_waits, n_bytes) <= PACKETS_A_MIB / 4);
    /* A stream changes its wake-up mark when it begins or pauses. What is too slow to be one is
     * acknowledged, once a wake-up at either end that has nothing to send. */
    CU_ASSERT(cost.n_others <= 8 + 2 * cost.n_waits);
    CU_ASSERT_EQUAL(cost.n_allocs, 0);
}

static void a_megabyte_takes_few_system_calls_and_no_allocation_either_way(void)
{
    log_in();
    struct ends e = join();
    measure(e, true, false);
    measure(e, false, true);
    measure(e, true, true);
    CU_ASSERT_FALSE(r.client.has_ended || r.server.has_ended);
    part(e);
    rig_close(&r);
}

/* Sends more than the readers' sockets hold, lets it wait, then has it read. */
static void use(struct ends *e, int n)
{
    for (int i = 0; i < n; i++)
        e[i] = join();
    size_t before = n_live;
    for (int i = 0; i < 4 * n; i++) {
        fill(e[i % n].near), fill(e[i % n].far);
        drive_idle(r.loop);
    }
    CU_ASSERT(!IS_COUNTING_MEMORY || n_live - before >= (size_t)n * BATCH_BYTES);
    for (int i = 0; i < n; i++)
        rest(e[i]);
}

/* DESIGN.md: a channel at rest holds its struct, its socket's entry and its share of every table,
 * and no buffer. The tables and the connections' own buffers have grown in a first round, and stay:
 * they are taken off. */
static void a_channel_at_rest_holds_512_bytes_at_each_end_and_no_buffer(void)
{
    enum { N = 150, TABLES_BYTES = 2 * (16 + 24) };
    static struct ends e[N];
    size_t n_bare = 0, n_resting = 0;
    log_in();
    for (int round = 0; round < 2; round++) {
        n_bare = n_live;
        use(e, N);
        n_resting = n_live;
        CU_ASSERT_EQUAL(mux_n_channels(peer_mux(r.client.peer)), N);
        for (int i = 0; i < N; i++)
            part(e[i]);
        CU_ASSERT_EQUAL(mux_n_channels(peer_mux(r.server.peer)), 0);
    }
    CU_ASSERT(n_resting - n_bare <= (size_t)N * 2 * (512 - TABLES_BYTES));
    rig_close(&r);
}

/* What lies idle is not looked at: the same calls with 150 other channels as with none. (That the
 * multiplexer touches no idle channel's memory is shown by channel/test_cost.c, with 10,000.) */
static void idle_channels_add_no_system_call(void)
{
    enum { N = 150 };
    static struct ends idle[N];
    const uint64_t n_bytes = 32 * MIB;
    uint64_t n_alone, n_among;
    log_in();
    struct ends e = join();
    move(e, true, true, n_bytes);
    memset(&cost, 0, sizeof cost);
    move(e, true, true, n_bytes);
    n_alone = cost.n_reads + cost.n_writes + cost.n_waits;
    for (int i = 0; i < N; i++)
        idle[i] = join();
    memset(&cost, 0, sizeof cost);
    move(e, true, true, n_bytes);
    n_among = cost.n_reads + cost.n_writes + cost.n_waits;
    CU_ASSERT(n_among <= n_alone + n_alone / 20); /* a probe of the round trip more or less */
    for (int i = 0; i < N; i++)
        part(idle[i]);
    part(e);
    rig_close(&r);
}

/* What a reader does not take waits at its end, within the channel's window; its sender is not read
 * from any more, and nobody spins; and when it reads again nothing is missing. */
static void a_slow_reader_stops_its_sender_and_is_held_no_more_than_its_window(void)
{
    enum { ALL = 16 * MIB, ON_THE_WAY = 6 * SOCKET_BYTES + MIB }; /* in sockets and in packets */
    static struct app near, far;
    uint32_t id = UINT32_MAX, its_id = UINT32_MAX;
    void *user;
    log_in();
    struct ends e = join();
    for (int i = 0; i < 100; i++) { /* the connections' own buffers grow to their size */
        fill(e.near);
        drive_idle(r.loop);
    }
    rest(e);
    part(e);
    e = join();
    CU_ASSERT_TRUE(mux_each(peer_mux(r.server.peer), &id, &user));
    app_start(&near, r.loop, e.near, 'n');
    app_start(&far, r.loop, e.far, 'f');
    app_hold(&far);
    size_t before = n_live;
    app_send(&near, ALL, true);
    rig_settle(&r);
    const struct chan *c = table_find(&peer_mux(r.server.peer)->table, id);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT(c->held > MUX_WINDOW_BYTES / 2 && c->held <= c->recv_limit);
    CU_ASSERT(c->recv_limit <= MUX_WINDOW_BYTES);
    CU_ASSERT(n_live - before <= MUX_WINDOW_BYTES + MUX_WINDOW_BYTES / 16); /* and its rounding */
    CU_ASSERT(mux_each(peer_mux(r.client.peer), &its_id, &user));
    CU_ASSERT_EQUAL(mux_send_window(peer_mux(r.client.peer), its_id), 0);
    CU_ASSERT(near.n_sent <= MUX_WINDOW_BYTES + ON_THE_WAY);
    uint64_t n_sent = near.n_sent;
    rig_assert_asleep(&r);
    CU_ASSERT_EQUAL(near.n_sent, n_sent);

    app_resume(&far);
    RIG_UNTIL(&r, far.saw_end);
    CU_ASSERT_EQUAL(far.n_got, ALL);
    CU_ASSERT_FALSE(far.is_wrong);
    app_close(&near);
    app_close(&far);
    drive_idle(r.loop);
    rig_close(&r);
}

static const struct unit_test tests[] = {
    UNIT(a_megabyte_takes_few_system_calls_and_no_allocation_either_way),
    UNIT(a_channel_at_rest_holds_512_bytes_at_each_end_and_no_buffer),
    UNIT(idle_channels_add_no_system_call),
    UNIT(a_slow_reader_stops_its_sender_and_is_held_no_more_than_its_window),
};
UNIT_MAIN("forward/cost", tests)
