#define _GNU_SOURCE /* accept4 */
/* Two peers, forwards of every kind, and applications that do anything at any time, until the
 * connection is cut at some moment. What must hold: no byte is wrong, an orderly end means that
 * everything had been delivered, everybody gets to know the end, and nothing is left. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/forward/rig.h"

enum {
    PAIRS_MAX = 50,
    HALF_ASKED_MAX = 4,
    SEEDS = 400,
    BUDGET_MS = 4000, /* for all seeds: a slow build does fewer of them */
    N_WAYS = 4,
};

static struct rig r;
static struct app near[PAIRS_MAX], far[PAIRS_MAX];
static unsigned n_near, n_far;
static int half_asked[HALF_ASKED_MAX]; /* SOCKS requests that are never finished */
static unsigned n_half_asked;
static int target_fd;
static uint16_t target_port;
static uint64_t random_state;

static uint32_t random_below(uint32_t n)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % n;
}

static bool one_in(uint32_t n)
{
    return random_below(n) == 0;
}

static void connect_one(void)
{
    uint32_t way = random_below(N_WAYS);
    uint16_t port = rig_port(&r, way);
    uint8_t code = 0;
    if (n_near == PAIRS_MAX)
        return;
    int fd = way < 2 ? drive_connect(AF_INET, port)
                     : rig_socks(&r, port, "127.0.0.1", target_port, &code);
    CU_ASSERT_EQUAL(code, 0);
    app_start(&near[n_near], r.loop, fd, (uint8_t)(1 + n_near));
    n_near++;
}

static void ask_half(void)
{
    if (n_half_asked == HALF_ASKED_MAX)
        return;
    int fd = drive_connect(AF_INET, rig_port(&r, 2 + random_below(2)));
    (void)!write(fd, "\5\1", 2);
    half_asked[n_half_asked++] = fd;
}

static void accept_all(void)
{
    while (n_far < PAIRS_MAX) {
        int fd = accept4(target_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        app_start(&far[n_far], r.loop, fd, (uint8_t)(1 + PAIRS_MAX + n_far));
        n_far++;
    }
}

static struct app *any_app(void)
{
    uint32_t i = random_below(n_near + n_far);
    return i < n_near ? &near[i] : &far[i - n_near];
}

static void act(struct app *a)
{
    switch (random_below(10)) {
    case 0: app_hold(a); break;
    case 1:
    case 2: app_resume(a); break;
    case 3:
        if (one_in(3))
            app_close(a);
        break;
    case 4:
        if (one_in(3))
            app_reset(a);
        break;
    case 5: app_send(a, random_below(300), true); break;
    case 6: app_send(a, random_below(400000), one_in(3)); break;
    default: app_send(a, random_below(5000), false); break;
    }
}

static void rekey(struct rig_end *end)
{
    transport_rekey(peer_transport(end->peer));
    peer_kick(end->peer);
}

static void step(void)
{
    if (one_in(6))
        connect_one();
    if (one_in(60))
        ask_half();
    accept_all();
    if (n_near + n_far > 0)
        act(any_app());
    if (one_in(40))
        rekey(one_in(2) ? &r.client : &r.server);
    if (one_in(2))
        loop_turn(r.loop, 0);
}

static void free_end(struct rig_end *end)
{
    if (end->role == ROLE_CLIENT) {
        forwards_free(r.forwards);
        r.forwards = NULL;
    } else {
        gateway_free(r.gateway);
        r.gateway = NULL;
    }
    peer_free(end->peer);
    end->peer = NULL;
}

static void cut(void)
{
    struct rig_end *end = one_in(2) ? &r.client : &r.server;
    switch (random_below(4)) {
    case 0: rig_cut(&r); break;
    case 1: free_end(end); break;
    case 2: peer_close(end->peer, "enough"); break;
    default:
        transport_send_ignore(peer_transport(end->peer), 1000);
        rig_cut(&r);
        break;
    }
}

static bool all_over(const struct app *list, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (list[i].source.fd >= 0 && !app_is_over(&list[i]))
            return false;
    return true;
}

/* Who sent what a got. */
static const struct app *sender_to(const struct app *a)
{
    if (a->from >= 1 && a->from <= n_near)
        return &near[a->from - 1];
    if (a->from > PAIRS_MAX && a->from <= PAIRS_MAX + n_far)
        return &far[a->from - 1 - PAIRS_MAX];
    return NULL;
}

static void check(const struct app *list, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const struct app *a = &list[i];
        CU_ASSERT_FALSE(a->is_wrong);
        if (a->n_got == 0)
            continue;
        const struct app *sender = sender_to(a);
        CU_ASSERT(sender != NULL);
        if (sender == NULL)
            continue;
        CU_ASSERT(sender < far || sender >= far + PAIRS_MAX ? list == far : list == near);
        CU_ASSERT(a->n_got <= sender->n_sent);
        if (a->saw_end) {
            CU_ASSERT_EQUAL(a->n_got, sender->n_sent);
            CU_ASSERT(sender->has_shut || sender->source.fd < 0);
        }
    }
}

static void open_rig(void)
{
    n_near = n_far = n_half_asked = 0;
    target_port = 0;
    target_fd = drive_listen(AF_INET, &target_port, PAIRS_MAX);
    rig_init(&r);
    r.uses_tcp = one_in(2);
    if (one_in(3))
        r.client.config.transport.rekey_bytes = 100000;
    rig_forward(&r, FORWARD_LOCAL, "0:127.0.0.1:%u", target_port);
    rig_forward(&r, FORWARD_REMOTE, "0:127.0.0.1:%u", target_port);
    rig_forward(&r, FORWARD_DYNAMIC, "0");
    rig_forward(&r, FORWARD_REMOTE_DYNAMIC, "0");
    rig_login(&r, RIG_TWO_PEERS);
}

static void close_rig(void)
{
    for (unsigned i = 0; i < n_near; i++)
        app_close(&near[i]);
    for (unsigned i = 0; i < n_far; i++)
        app_close(&far[i]);
    for (unsigned i = 0; i < n_half_asked; i++)
        close(half_asked[i]);
    rig_close(&r);
    close(target_fd);
}

static void resume_all(void)
{
    for (unsigned i = 0; i < n_near; i++)
        app_resume(&near[i]);
    for (unsigned i = 0; i < n_far; i++)
        app_resume(&far[i]);
}

static void end_all(struct app *list, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        app_send(&list[i], 1, true);
}

/* One run; the seed decides everything but what the kernel makes of it. */
static void torture(uint64_t seed, bool is_cut)
{
    unsigned n_failures = CU_get_number_of_failures();
    random_state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    open_rig();
    uint32_t n_steps = 20 + random_below(300);
    for (uint32_t i = 0; i < n_steps; i++)
        step();
    if (is_cut) {
        cut();
    } else {
        accept_all();
        end_all(near, n_near);
        end_all(far, n_far);
    }
    resume_all();
    uint64_t limit = drive_clock_ms() + RIG_PATIENCE_MS;
    while (!(all_over(near, n_near) && all_over(far, n_far)) && drive_clock_ms() < limit) {
        rig_turn(&r);
        accept_all(); /* those whose far end was dialled, but not accepted yet */
        if (!is_cut)
            end_all(far, n_far);
    }
    CU_ASSERT(all_over(near, n_near) && all_over(far, n_far));
    check(near, n_near);
    check(far, n_far);
    if (is_cut) {
        RIG_UNTIL(&r, r.client.peer == NULL && r.server.peer == NULL);
    } else {
        CU_ASSERT_FALSE(r.client.has_ended || r.server.has_ended);
        for (unsigned i = 0; i < n_near; i++)
            app_close(&near[i]);
        for (unsigned i = 0; i < n_far; i++)
            app_close(&far[i]);
        for (unsigned i = 0; i < n_half_asked; i++)
            shutdown(half_asked[i], SHUT_RDWR);
        RIG_UNTIL(&r, mux_n_channels(peer_mux(r.client.peer)) == 0 &&
                          mux_n_channels(peer_mux(r.server.peer)) == 0);
    }
    close_rig();
    if (CU_get_number_of_failures() != n_failures)
        printf("    seed %llu\n", (unsigned long long)seed);
}

static void run_seeds(uint64_t first, bool is_cut)
{
    uint64_t limit = drive_clock_ms() + BUDGET_MS / 2;
    for (uint64_t seed = first; seed < first + SEEDS / 2 && drive_clock_ms() < limit; seed++)
        torture(seed, is_cut);
}

static void whatever_applications_do_a_cut_leaves_nothing_behind(void)
{
    run_seeds(1, true);
}

static void whatever_applications_do_all_channels_come_to_an_end(void)
{
    run_seeds(100001, false);
}

/* Everything a client may say, mixed at random and often malformed: the server ends the connection
 * or serves on, and nothing is left of it. */
static void whatever_a_client_says_nothing_is_left_of_it(void)
{
    static const uint8_t numbers[] = {80, 81, 82, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 192};
    uint64_t state = 7;
    uint16_t port = 0;
    unsigned n_served = 0;
    for (int seed = 0; seed < 150; seed++) {
        rig_init(&r);
        rig_login(&r, RIG_LYING_CLIENT);
        int listen_fd = drive_listen(AF_INET, &port, 64);
        for (int i = 0; i < 40 && !r.liar.is_over; i++) {
            uint8_t payload[80];
            state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
            uint32_t dice = (uint32_t)(state >> 33);
            switch (dice % 8) {
            case 0:
            case 1:
            case 2:
                liar_open_tcpip(&r.liar, "direct-tcpip", dice, BYTES_LIT("127.0.0.1"), port);
                break;
            case 3: liar_forward(&r.liar, "tcpip-forward", true, BYTES_LIT("localhost"), 0); break;
            case 4: liar_data(&r.liar, dice >> 8 & 3, BYTES_LIT("hello")); break;
            case 5: liar_chan(&r.liar, (uint8_t)(96 + (dice >> 8 & 1)), dice >> 9 & 3); break;
            case 6: liar_adjust(&r.liar, dice >> 8 & 3, dice); break;
            default:
                if (i < 20)
                    break; /* let it live for a while first */
                memset(payload, 0, sizeof payload);
                payload[0] = numbers[(dice >> 8) % sizeof numbers];
                payload[4] = (uint8_t)(dice >> 12 & 3);
                payload[8] = (uint8_t)(dice >> 14 & 31);
                liar_send(
                    &r.liar, (struct bytes){payload, 1 + (dice >> 20) % (sizeof payload - 1)});
            }
            loop_turn(r.loop, 0);
        }
        drive_idle(r.loop);
        n_served += r.liar.n_of[MSG_CHANNEL_OPEN_CONFIRMATION];
        CU_ASSERT(r.server.has_ended || r.liar.is_over == r.server.has_ended);
        close(listen_fd);
        rig_close(&r);
    }
    CU_ASSERT(n_served > 100);
}

static const struct unit_test tests[] = {
    UNIT(whatever_applications_do_a_cut_leaves_nothing_behind),
    UNIT(whatever_applications_do_all_channels_come_to_an_end),
    UNIT(whatever_a_client_says_nothing_is_left_of_it),
};
UNIT_MAIN("torture", tests)
