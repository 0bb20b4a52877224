/* Two peers and honest applications: what crosses a forward of each kind, and how it ends. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "forward/socket.h"
#include "tests/unit/forward/rig.h"

static struct rig r;
static struct app near, far; /* the application that connects, and the one that is connected to */

static uint64_t random_state = 1;

static uint32_t random_below(uint32_t n)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % n;
}

static void end_apps(void)
{
    CU_ASSERT_FALSE(near.is_wrong);
    CU_ASSERT_FALSE(far.is_wrong);
    app_close(&near);
    app_close(&far);
}

enum { VIA_L, VIA_R, VIA_D, VIA_REMOTE_D, N_WAYS };

static int target_fd; /* listens; where all forwards lead */
static uint16_t target_port;

/* All kinds of forward to one listening target. */
static void open_ways_over(bool pipes)
{
    target_port = 0;
    target_fd = drive_listen(AF_INET, &target_port, 64);
    rig_init(&r);
    r.uses_pipes = pipes;
    rig_forward(&r, FORWARD_LOCAL, "0:127.0.0.1:%u", target_port);
    rig_forward(&r, FORWARD_REMOTE, "0:127.0.0.1:%u", target_port);
    rig_forward(&r, FORWARD_DYNAMIC, "0");
    rig_forward(&r, FORWARD_REMOTE_DYNAMIC, "0");
    rig_login(&r, RIG_TWO_PEERS);
    CU_ASSERT_EQUAL(r.n_failed, 0);
}

static void open_ways(void)
{
    open_ways_over(false);
}

static void close_ways(void)
{
    end_apps();
    rig_close(&r);
    close(target_fd);
}

static int connect_through(int way)
{
    uint8_t code = 0xff;
    if (way == VIA_L || way == VIA_R)
        return drive_connect(AF_INET, rig_port(&r, (size_t)way));
    int fd = rig_socks(&r, rig_port(&r, (size_t)way), "127.0.0.1", target_port, &code);
    CU_ASSERT_EQUAL(code, 0);
    return fd;
}

static void join(int way)
{
    app_start(&near, r.loop, connect_through(way), 'n');
    app_start(&far, r.loop, rig_accept(&r, target_fd), 'f');
}

static void assert_no_channel_left(void)
{
    RIG_UNTIL(&r, mux_n_channels(peer_mux(r.client.peer)) == 0 &&
                      mux_n_channels(peer_mux(r.server.peer)) == 0);
}

static void bytes_cross_every_kind_of_forward_unchanged_both_ways(void)
{
    open_ways();
    for (int round = 0; round < 5; round++) {
        for (int way = 0; way < N_WAYS; way++) {
            uint32_t up = random_below(300000), down = random_below(300000);
            join(way);
            app_send(&near, up, true);
            app_send(&far, down, true);
            RIG_UNTIL(&r, near.saw_end && far.saw_end);
            CU_ASSERT_EQUAL(far.n_got, up);
            CU_ASSERT_EQUAL(near.n_got, down);
            end_apps();
        }
    }
    assert_no_channel_left();
    close_ways();
}

/* An eager application sends its request and its bytes in one. */
static void bytes_behind_a_socks_request_are_the_first_to_cross(void)
{
    open_ways();
    for (int way = VIA_D; way <= VIA_REMOTE_D; way++) {
        uint8_t request[110] = {5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1};
        uint8_t reply[12] = {0};
        request[11] = (uint8_t)(target_port >> 8);
        request[12] = (uint8_t)target_port;
        app_fill('e', 0, request + 13, sizeof request - 13);
        int fd = drive_connect(AF_INET, rig_port(&r, (size_t)way));
        rig_turn(&r);
        CU_ASSERT_EQUAL(write(fd, request, sizeof request), sizeof request);
        app_start(&far, r.loop, rig_accept(&r, target_fd), 'f');
        RIG_UNTIL(&r, far.n_got == sizeof request - 13);
        CU_ASSERT(rig_read(&r, fd, reply, sizeof reply));
        CU_ASSERT_EQUAL(reply[3], 0);
        app_start(&near, r.loop, fd, 'n');
        app_send(&far, 10, true);
        RIG_UNTIL(&r, near.saw_end);
        CU_ASSERT_EQUAL(near.n_got, 10);
        end_apps();
    }
    close_ways();
}

static void megabytes_cross_both_ways_at_once(void)
{
    enum { MANY = 8 << 20 };
    for (int pipes = 0; pipes <= 1; pipes++) {
        open_ways_over(pipes == 1);
        join(VIA_L);
        app_send(&near, MANY, true);
        app_send(&far, MANY + 1, true);
        RIG_UNTIL(&r, near.saw_end && far.saw_end);
        CU_ASSERT_EQUAL(far.n_got, MANY);
        CU_ASSERT_EQUAL(near.n_got, MANY + 1);
        close_ways();
    }
}

/* A ProxyCommand's program ends, or is ended: what was one socket's end is two pipes'. */
static void an_end_over_two_pipes_is_seen_at_once_by_both_sides(void)
{
    for (int by_client = 0; by_client <= 1; by_client++) {
        open_ways_over(true);
        join(VIA_L);
        app_send(&near, 1, false);
        app_send(&far, 1, false);
        RIG_UNTIL(&r, near.n_got == 1 && far.n_got == 1);
        rig_assert_asleep(&r);
        if (by_client) {
            forwards_free(r.forwards);
            r.forwards = NULL;
            peer_free(r.client.peer);
            r.client.peer = NULL;
        } else {
            peer_free(r.server.peer);
            r.server.peer = NULL;
        }
        RIG_UNTIL(&r, by_client ? r.server.has_ended : r.client.has_ended);
        RIG_UNTIL(&r, near.saw_reset && far.saw_reset);
        close_ways();
    }
}

static void an_end_of_one_direction_leaves_the_other_open(void)
{
    open_ways();
    for (int way = 0; way < 2 * N_WAYS; way++) {
        join(way % N_WAYS);
        struct app *first = way < N_WAYS ? &near : &far;
        struct app *second = way < N_WAYS ? &far : &near;
        app_send(&near, 1, false); /* so that both ways know each other */
        app_send(&far, 1, false);
        RIG_UNTIL(&r, near.n_got == 1 && far.n_got == 1);
        app_send(first, 1000, true);
        RIG_UNTIL(&r, second->saw_end);
        CU_ASSERT_EQUAL(second->n_got, 1001);
        for (int i = 0; i < 3; i++) {
            app_send(second, 70000, false);
            RIG_UNTIL(&r, first->n_got == 1 + 70000 * (uint64_t)(i + 1));
            CU_ASSERT_FALSE(app_is_over(first));
        }
        app_send(second, 0, true);
        RIG_UNTIL(&r, first->saw_end);
        CU_ASSERT_EQUAL(first->n_got, 210001);
        end_apps();
    }
    assert_no_channel_left();
    close_ways();
}

/* All before the forward has so much as looked: bytes and end arrive with the first edge. */
static void bytes_and_end_that_wait_already_are_both_delivered(void)
{
    static const uint32_t sizes[] = {0, 1, 32768, 60000};
    open_ways();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        app_start(&near, r.loop, connect_through(VIA_L), 'n');
        app_send(&near, sizes[i], true);
        CU_ASSERT(near.has_shut);
        app_start(&far, r.loop, rig_accept(&r, target_fd), 'f');
        RIG_UNTIL(&r, far.saw_end);
        CU_ASSERT_EQUAL(far.n_got, sizes[i]);
        app_send(&far, 5, true);
        RIG_UNTIL(&r, near.saw_end);
        CU_ASSERT_EQUAL(near.n_got, 5);
        end_apps();
    }
    close_ways();
}

static void a_reset_at_one_end_is_a_reset_at_the_other(void)
{
    open_ways();
    for (int way = 0; way < 2 * N_WAYS; way++) {
        join(way % N_WAYS);
        struct app *cut = way < N_WAYS ? &near : &far;
        struct app *other = way < N_WAYS ? &far : &near;
        app_send(&near, 5000, false);
        app_send(&far, 5000, false);
        RIG_UNTIL(&r, near.n_got == 5000 && far.n_got == 5000);
        app_reset(cut);
        RIG_UNTIL(&r, app_is_over(other));
        CU_ASSERT(other->saw_reset);
        CU_ASSERT_FALSE(other->saw_end);
        end_apps();
    }
    assert_no_channel_left();
    close_ways();
}

/* The kernel resets a connection that is closed with bytes unread: that is no clean end. */
static void an_application_that_leaves_bytes_unread_cuts_the_other_off(void)
{
    open_ways();
    join(VIA_L);
    app_hold(&near);
    app_send(&far, 100000, false);
    rig_settle(&r);
    app_close(&near);
    RIG_UNTIL(&r, app_is_over(&far));
    CU_ASSERT(far.saw_reset);
    assert_no_channel_left();
    close_ways();
}

static void after_a_clean_end_of_both_sides_the_channel_is_gone_at_once(void)
{
    open_ways();
    join(VIA_R);
    app_send(&near, 10, true);
    app_send(&far, 10, true);
    RIG_UNTIL(&r, near.saw_end && far.saw_end);
    assert_no_channel_left();
    close_ways();
}

static void one_that_does_not_read_stops_nobody_else(void)
{
    enum { MANY = 64 << 20, FEW = 3 << 20 };
    static struct app other_near, other_far;
    open_ways();
    join(VIA_L);
    app_hold(&far);
    app_send(&near, MANY, true);
    rig_settle(&r);
    CU_ASSERT(near.n_sent < MANY);
    uint64_t stuck_at = near.n_sent;

    app_start(&other_near, r.loop, connect_through(VIA_L), 'a');
    app_start(&other_far, r.loop, rig_accept(&r, target_fd), 'b');
    app_send(&other_near, FEW, true);
    app_send(&other_far, FEW, true);
    RIG_UNTIL(&r, other_near.saw_end && other_far.saw_end);
    CU_ASSERT_EQUAL(other_near.n_got, FEW);
    CU_ASSERT_EQUAL(other_far.n_got, FEW);
    CU_ASSERT_FALSE(other_near.is_wrong || other_far.is_wrong);
    app_close(&other_near);
    app_close(&other_far);
    CU_ASSERT_EQUAL(near.n_sent, stuck_at);
    rig_assert_asleep(&r);

    app_resume(&far);
    RIG_UNTIL(&r, far.saw_end);
    CU_ASSERT_EQUAL(far.n_got, MANY);
    close_ways();
}

static void a_lost_connection_is_a_reset_for_both_applications(void)
{
    for (int way = 0; way < N_WAYS; way++) {
        open_ways();
        join(way);
        app_send(&near, 200000, false);
        app_send(&far, 200000, false);
        RIG_UNTIL(&r, near.n_got > 0 && far.n_got > 0);
        rig_cut(&r);
        RIG_UNTIL(&r, app_is_over(&near) && app_is_over(&far));
        CU_ASSERT(near.saw_reset && far.saw_reset);
        CU_ASSERT(r.client.has_ended && r.server.has_ended);
        close_ways();
    }
}

static void a_stream_that_had_ended_before_the_connection_was_lost_stays_ended(void)
{
    open_ways();
    join(VIA_L);
    app_send(&near, 5000, true);
    RIG_UNTIL(&r, far.saw_end);
    rig_cut(&r);
    RIG_UNTIL(&r, app_is_over(&near));
    CU_ASSERT(near.saw_reset);
    CU_ASSERT_EQUAL(far.n_got, 5000);
    rig_settle(&r);
    CU_ASSERT_FALSE(far.saw_reset);
    close_ways();
}

static void a_connection_that_cannot_be_made_ends_without_a_reset(void)
{
    int held[2];
    uint16_t port = drive_refuse(held);
    rig_init(&r);
    rig_forward(&r, FORWARD_LOCAL, "0:127.0.0.1:%u", port);
    rig_login(&r, RIG_TWO_PEERS);
    app_start(&near, r.loop, drive_connect(AF_INET, rig_port(&r, 0)), 'n');
    app_send(&near, 1000, false);
    RIG_UNTIL(&r, app_is_over(&near));
    CU_ASSERT(near.saw_end);
    CU_ASSERT_EQUAL(near.n_got, 0);
    CU_ASSERT(rig_said(&r, "remote side could not connect to 127.0.0.1:"));
    CU_ASSERT(rig_said(&r, "Connection refused"));
    app_close(&near);
    rig_close(&r);
    drive_close(held, 2);
}

static void new_keys_in_mid_transfer_lose_nothing(void)
{
    enum { MANY = 6 << 20 };
    open_ways();
    join(VIA_L);
    app_send(&near, MANY, true);
    app_send(&far, MANY, true);
    unsigned n_asked = 0;
    uint64_t limit = drive_clock_ms() + RIG_PATIENCE_MS;
    while (!(near.saw_end && far.saw_end) && drive_clock_ms() < limit) {
        rig_turn(&r);
        struct rig_end *end = random_below(2) == 0 ? &r.client : &r.server;
        if (random_below(4) == 0) {
            transport_rekey(peer_transport(end->peer));
            peer_kick(end->peer);
            n_asked++;
        }
    }
    CU_ASSERT(n_asked > 0);
    CU_ASSERT(transport_counts(peer_transport(r.client.peer)).rekeys > 2);
    CU_ASSERT_EQUAL(far.n_got, MANY);
    CU_ASSERT_EQUAL(near.n_got, MANY);
    CU_ASSERT_FALSE(r.client.has_ended || r.server.has_ended);
    close_ways();
}

static void keys_renewed_every_few_packets_lose_nothing(void)
{
    enum { MANY = 2 << 20 };
    target_port = 0;
    target_fd = drive_listen(AF_INET, &target_port, 64);
    rig_init(&r);
    r.client.config.transport.rekey_bytes = 50000;
    r.server.config.transport.rekey_bytes = 70000;
    rig_forward(&r, FORWARD_LOCAL, "0:127.0.0.1:%u", target_port);
    rig_login(&r, RIG_TWO_PEERS);
    join(VIA_L);
    app_send(&near, MANY, true);
    app_send(&far, MANY, true);
    RIG_UNTIL(&r, near.saw_end && far.saw_end);
    CU_ASSERT_EQUAL(far.n_got, MANY);
    CU_ASSERT_EQUAL(near.n_got, MANY);
    CU_ASSERT(transport_counts(peer_transport(r.client.peer)).rekeys > 10);
    close_ways();
}

static const struct unit_test tests[] = {
    UNIT(bytes_cross_every_kind_of_forward_unchanged_both_ways),
    UNIT(bytes_behind_a_socks_request_are_the_first_to_cross),
    UNIT(megabytes_cross_both_ways_at_once),
    UNIT(an_end_over_two_pipes_is_seen_at_once_by_both_sides),
    UNIT(an_end_of_one_direction_leaves_the_other_open),
    UNIT(bytes_and_end_that_wait_already_are_both_delivered),
    UNIT(a_reset_at_one_end_is_a_reset_at_the_other),
    UNIT(an_application_that_leaves_bytes_unread_cuts_the_other_off),
    UNIT(after_a_clean_end_of_both_sides_the_channel_is_gone_at_once),
    UNIT(one_that_does_not_read_stops_nobody_else),
    UNIT(a_lost_connection_is_a_reset_for_both_applications),
    UNIT(a_stream_that_had_ended_before_the_connection_was_lost_stays_ended),
    UNIT(a_connection_that_cannot_be_made_ends_without_a_reset),
    UNIT(new_keys_in_mid_transfer_lose_nothing),
    UNIT(keys_renewed_every_few_packets_lose_nothing),
};
UNIT_MAIN("forwarding", tests)
