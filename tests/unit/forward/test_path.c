/* Receive windows of a real peer over a path whose time is the test's: this program stands in front
 * of clock_gettime(). The other end is a liar, which fills every window and answers a probe when
 * the test lets it. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "channel/engine.h"
#include "tests/unit/forward/rig.h"

static uint64_t added_ms;

/* Each look at the clock takes 100 ns, so that whoever waits for it in a loop comes to an end. */
int clock_gettime(clockid_t clock, struct timespec *t)
{
    static uint64_t n_looks;
    (void)clock;
    uint64_t ns = added_ms * 1000000 + ++n_looks * 100;
    t->tv_sec = (time_t)(1000 + ns / 1000000000);
    t->tv_nsec = (long)(ns % 1000000000);
    return 0;
}

enum { M = 1 << 20, PATH_MS = 12, /* too short for credit to be spread */ LIAR_CHAN = 77 };

static struct rig r;
static struct app far;
static uint32_t chan;
static uint64_t n_sent;
static uint64_t largest; /* that was ever promised */

/* What the liar may send. */
static uint64_t promised(void)
{
    uint64_t n = MUX_WINDOW_BYTES + r.liar.n_credit - n_sent;
    largest = n > largest ? n : largest;
    return n;
}

/* All that the window allows, as it opens, up to n bytes. */
static void fill(uint64_t n)
{
    uint64_t end = n_sent + n;
    while (n_sent < end && promised() > 0) {
        uint64_t part = end - n_sent < M ? end - n_sent : M;
        part = part < promised() ? part : promised();
        liar_stream(&r.liar, chan, 'x', n_sent, (size_t)part);
        n_sent += part;
        RIG_UNTIL(&r, far.n_got == n_sent);
    }
}

static void answer_probe(void)
{
    static const uint8_t failure = MSG_REQUEST_FAILURE;
    CU_ASSERT(liar_await(&r.liar, MSG_GLOBAL_REQUEST).n > 0);
    added_ms += PATH_MS;
    liar_send(&r.liar, (struct bytes){&failure, 1});
    drive_idle(r.loop);
    added_ms += 1000; /* so that the next may be sent as soon as bytes flow */
}

/* Fills the window again and again, as a sender does that has no end of data, for so many round
 * trips; gives the largest promise that was made to it. */
static uint64_t largest_promise(const char *software, int n_round_trips)
{
    struct msg_open_confirmation m = {0};
    uint16_t port = 0;
    rig_init(&r);
    int listen_fd = drive_listen(AF_INET, &port, 4);
    r.client.config.transport.software = software;
    rig_login(&r, RIG_LYING_CLIENT);
    liar_open_tcpip(&r.liar, "direct-tcpip", LIAR_CHAN, BYTES_LIT("127.0.0.1"), port);
    app_start(&far, r.loop, rig_accept(&r, listen_fd), 'f');
    CU_ASSERT_TRUE_FATAL(liar_confirmed(&r.liar, &m));
    chan = m.sender;
    n_sent = largest = 0;
    answer_probe(); /* the path without a load */
    for (int i = 0; i < n_round_trips; i++) {
        fill(M); /* tells what to conclude from the last probe, and begins the next */
        fill(promised());
        fill(promised());
        answer_probe();
    }
    CU_ASSERT_FALSE(r.server.has_ended || far.is_wrong);
    app_close(&far);
    close(listen_fd);
    rig_close(&r);
    return largest;
}

/* FORWARDING.md line 34: OpenSSH from 8.9 on stops filling a channel at 16 MiB, and what it is
 * promised beyond that only slows it down. */
static void openssh_is_never_promised_more_than_15_mib(void)
{
    static const char *const idents[] = {"OpenSSH_8.9p1", "OpenSSH_10.0"};
    for (size_t i = 0; i < sizeof idents / sizeof idents[0]; i++) {
        uint64_t most = largest_promise(idents[i], 4);
        CU_ASSERT(most <= 15 * M);
        CU_ASSERT(most > 14 * M); /* it was tried */
    }
}

static void others_are_promised_what_the_path_carries(void)
{
    CU_ASSERT(largest_promise("stranger_1", 4) > 16 * M);
}

/* Somebody else's work in this turn takes as long as the way to the liar and back. */
static void work_long(struct loop_task *task)
{
    (void)task;
    static const uint8_t failure = MSG_REQUEST_FAILURE;
    size_t n;
    added_ms += PATH_MS;
    liar_send(&r.liar, (struct bytes){&failure, 1});
    const uint8_t *p = transport_tx(r.liar.t, &n);
    CU_ASSERT_EQUAL(write(r.liar.source.fd, p, n), (ssize_t)n);
    transport_tx_done(r.liar.t, n);
}

static void an_answer_in_a_long_turn_makes_no_path_short(void)
{
    struct loop_task work = {.run = work_long};
    uint16_t port = 0;
    rig_init(&r);
    int listen_fd = drive_listen(AF_INET, &port, 4);
    rig_login(&r, RIG_LYING_CLIENT);
    liar_open_tcpip(&r.liar, "direct-tcpip", LIAR_CHAN, BYTES_LIT("127.0.0.1"), port);
    app_start(&far, r.loop, rig_accept(&r, listen_fd), 'f');
    CU_ASSERT(liar_await(&r.liar, MSG_GLOBAL_REQUEST).n > 0);
    const struct pace *pace = &peer_mux(r.server.peer)->pace;
    CU_ASSERT_EQUAL(pace->rtt_min_ms, UINT64_MAX);
    transport_send_ignore(r.liar.t, 10); /* what has the peer read in this turn */
    size_t n;
    const uint8_t *p = transport_tx(r.liar.t, &n);
    CU_ASSERT_EQUAL(write(r.liar.source.fd, p, n), (ssize_t)n);
    transport_tx_done(r.liar.t, n);
    loop_defer(r.loop, &work);
    RIG_UNTIL(&r, pace->rtt_min_ms != UINT64_MAX);
    CU_ASSERT(pace->rtt_min_ms >= PATH_MS);
    app_close(&far);
    close(listen_fd);
    rig_close(&r);
}

static const struct unit_test tests[] = {
    UNIT(openssh_is_never_promised_more_than_15_mib),
    UNIT(others_are_promised_what_the_path_carries),
    UNIT(an_answer_in_a_long_turn_makes_no_path_short),
};
UNIT_MAIN("forward/path", tests)
