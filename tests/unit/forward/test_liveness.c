#define _GNU_SOURCE /* RTLD_NEXT */
/* Keepalive and rekeying by time, to the millisecond: who is probed when, who is given up when, and
 * that neither is put off or brought forward by anything else that goes on. Most of these are bugs
 * that other implementations had: docs/regressions.md. */
#include <netinet/in.h>
#include <unistd.h>

#include "forward/client_internal.h"
#include "tests/unit/forward/simulated.h"
#include "transport/engine.h"

enum {
    S = 1000,
    INTERVAL_MS = 10 * S,
    HOUR_MS = 3600 * S,
    LIAR_CHAN = 77,
    PLENTY = 1 << 30,
};

static struct rig r;
static struct app near;

static void probe_every_interval(struct rig_end *end, unsigned count_max)
{
    end->config.alive_interval_ms = INTERVAL_MS;
    end->config.alive_count_max = count_max;
}

/* A server that probes a client which, from now on, says nothing. */
static void silent_client(unsigned count_max)
{
    rig_init(&r);
    probe_every_interval(&r.server, count_max);
    rig_login(&r, RIG_LYING_CLIENT);
    rig_settle(&r);
}

static unsigned n_probes(void)
{
    return r.liar.n_of[MSG_GLOBAL_REQUEST];
}

static void answer(void)
{
    static const uint8_t failure = MSG_REQUEST_FAILURE;
    liar_send(&r.liar, (struct bytes){&failure, 1});
}

/* Time passes up to just before and just after `at`, in which n becomes n + 1. */
static void assert_probe_at(uint64_t at)
{
    unsigned before = n_probes();
    pass_until(&r, at - 1);
    CU_ASSERT_EQUAL(n_probes(), before);
    pass_until(&r, at + 1);
    CU_ASSERT_EQUAL(n_probes(), before + 1);
}

static void assert_end_at(struct rig_end *end, uint64_t at)
{
    pass_until(&r, at - 1);
    CU_ASSERT_FALSE(end->has_ended);
    pass_until(&r, at + 1);
    CU_ASSERT_TRUE(end->has_ended);
    CU_ASSERT_EQUAL(end->why.code, ERR_TIMEOUT);
}

/* Time passes until the next probe, and when that is. */
static uint64_t next_probe(void)
{
    unsigned before = n_probes();
    uint64_t limit = simulated.ms + 2 * INTERVAL_MS;
    while (n_probes() == before && simulated.ms < limit)
        loop_turn(r.loop, limit - simulated.ms);
    CU_ASSERT_EQUAL(n_probes(), before + 1);
    return simulated.ms;
}

/* ---- probes ---------------------------------------------------------------------------------- */

/* OpenSSH 9d7193a83: rarer than configured. */
static void a_silent_side_is_probed_at_each_interval_and_given_up_one_after_the_last(void)
{
    for (unsigned count = 0; count <= 4; count++) {
        silent_client(count);
        uint64_t at = count > 0 ? next_probe() : 0;
        for (unsigned i = 1; i < count; i++)
            assert_probe_at(at += INTERVAL_MS);
        if (count > 0)
            assert_end_at(&r.server, at + INTERVAL_MS);
        else
            pass(&r, INTERVAL_MS + 1);
        CU_ASSERT_TRUE(r.server.has_ended);
        CU_ASSERT_EQUAL(n_probes(), count);
        rig_close(&r);
    }
}

/* The interval runs from the last byte heard, not from the last probe or from any other timer. */
static void the_next_probe_is_due_one_interval_after_the_last_byte_heard(void)
{
    silent_client(3);
    uint64_t at = next_probe();
    for (int i = 0; i < 5; i++) {
        pass_until(&r, at + 7 * S);
        answer();
        pass(&r, 1); /* heard in the turn that ends it, or begins the next */
        uint64_t heard = simulated.ms;
        unsigned before = n_probes();
        pass_until(&r, heard + INTERVAL_MS - 5);
        CU_ASSERT_EQUAL(n_probes(), before);
        pass_until(&r, heard + INTERVAL_MS + 5);
        CU_ASSERT_EQUAL(n_probes(), before + 1);
        at = heard + INTERVAL_MS;
    }
    CU_ASSERT_FALSE(r.server.has_ended);
    rig_close(&r);
}

/* OpenSSH ab5fee8eb: with a maximum of 1, a second probe went out on the heels of the first. */
static void with_a_maximum_of_1_one_probe_has_a_whole_interval_to_be_answered(void)
{
    silent_client(1);
    uint64_t at = next_probe();
    for (int i = 0; i < 5; i++) {
        pass_until(&r, at + INTERVAL_MS - 2);
        CU_ASSERT_FALSE_FATAL(r.server.has_ended);
        CU_ASSERT_EQUAL(n_probes(), (unsigned)i + 1);
        answer(); /* in the last moment */
        at = next_probe();
    }
    assert_end_at(&r.server, at + INTERVAL_MS);
    rig_close(&r);
}

/* The same while what measures round trips is unanswered too: it is no probe of silence, and counts
 * for none. */
static void an_unanswered_measurement_is_no_unanswered_probe(void)
{
    uint16_t port = 0;
    struct msg_open_confirmation m;
    silent_client(1);
    int listen_fd = drive_listen(AF_INET, &port, 4);
    liar_open_tcpip(&r.liar, "direct-tcpip", LIAR_CHAN, BYTES_LIT("127.0.0.1"), port);
    int fd = rig_accept(&r, listen_fd);
    CU_ASSERT(liar_confirmed(&r.liar, &m));
    rig_settle(&r);
    CU_ASSERT_EQUAL(n_probes(), 1); /* the measurement */
    uint64_t at = next_probe();
    CU_ASSERT_EQUAL(n_probes(), 2);
    pass_until(&r, at + INTERVAL_MS - 2);
    CU_ASSERT_FALSE(r.server.has_ended);
    answer(); /* the one that was sent first */
    pass(&r, INTERVAL_MS - 1);
    CU_ASSERT_FALSE(r.server.has_ended);
    close(fd);
    close(listen_fd);
    rig_close(&r);
}

/* ---- our own traffic --------------------------------------------------------------------------
 */

/* OpenSSH f11b23346: every byte that an application gave a client to forward put the check of the
 * server off, for ever if need be. */
static void what_applications_send_does_not_put_off_the_verdict_on_the_server(void)
{
    struct msg_channel_open m;
    rig_init(&r);
    probe_every_interval(&r.client, 2);
    rig_forward(&r, FORWARD_LOCAL, "127.0.0.1:0:far:80");
    rig_login(&r, RIG_LYING_SERVER);
    RIG_UNTIL(&r, r.settled);
    app_start(&near, r.loop, drive_connect(AF_INET, rig_port(&r, 0)), 'n');
    CU_ASSERT(liar_opened(&r.liar, &m));
    liar_confirm(&r.liar, m.sender, LIAR_CHAN, PLENTY);
    rig_settle(&r);
    uint64_t quiet_since = simulated.ms, n_sent = 0;
    while (!r.client.has_ended && simulated.ms < quiet_since + HOUR_MS) {
        app_send(&near, 100, false);
        n_sent += 100;
        pass(&r, 500);
    }
    CU_ASSERT_TRUE(r.client.has_ended);
    CU_ASSERT_EQUAL(r.client.why.code, ERR_TIMEOUT);
    CU_ASSERT(simulated.ms <= quiet_since + 3 * INTERVAL_MS + 500);
    CU_ASSERT(r.liar.n_data >= n_sent - 200); /* it did go out, all the time */
    CU_ASSERT(r.liar.n_data > 100 * (2 * INTERVAL_MS / 500));
    app_close(&near);
    rig_close(&r);
}

/* OpenSSH b60ff2005, its twin: a server that has something to send all the time. */
static void what_a_server_forwards_does_not_put_off_the_verdict_on_the_client(void)
{
    uint16_t port = 0;
    struct msg_open_confirmation m = {0};
    silent_client(2);
    int listen_fd = drive_listen(AF_INET, &port, 4);
    liar_open_tcpip(&r.liar, "direct-tcpip", LIAR_CHAN, BYTES_LIT("127.0.0.1"), port);
    app_start(&near, r.loop, rig_accept(&r, listen_fd), 'n');
    CU_ASSERT(liar_confirmed(&r.liar, &m));
    rig_settle(&r);
    uint64_t quiet_since = simulated.ms;
    while (!r.server.has_ended && simulated.ms < quiet_since + HOUR_MS) {
        app_send(&near, 100, false);
        pass(&r, 500);
    }
    CU_ASSERT_TRUE(r.server.has_ended);
    CU_ASSERT(simulated.ms <= quiet_since + 3 * INTERVAL_MS + 500);
    CU_ASSERT(r.liar.n_data > 100 * (2 * INTERVAL_MS / 500));
    app_close(&near);
    close(listen_fd);
    rig_close(&r);
}

/* ---- with new keys ----------------------------------------------------------------------------
 */

static uint64_t n_rekeys(const struct rig_end *end)
{
    return transport_counts(peer_transport(end->peer)).rekeys;
}

/* OpenSSH 21da87f43: the time for new keys was taken for a client that had not answered; 988e429d9:
 * with such a time there were no probes at all. Two healthy sides at rest, whose times for new keys
 * are shorter and longer than those for probes. */
static void rekeying_by_time_closes_no_healthy_connection_and_stops_no_probe(void)
{
    enum { REST_MS = HOUR_MS / 4 };
    static const unsigned rekey_s[] = {1, 3, 9, 10, 11, 25};
    for (size_t i = 0; i < sizeof rekey_s / sizeof rekey_s[0]; i++) {
        rig_init(&r);
        probe_every_interval(&r.client, 1);
        probe_every_interval(&r.server, 1);
        r.client.config.transport.rekey_ms = rekey_s[i] * S;
        r.server.config.transport.rekey_ms = (rekey_s[i] + 1) * S;
        rig_login(&r, RIG_TWO_PEERS);
        pass(&r, REST_MS);
        CU_ASSERT_FALSE_FATAL(r.client.has_ended || r.server.has_ended);
        CU_ASSERT(n_rekeys(&r.client) >= REST_MS / (3 * INTERVAL_MS + rekey_s[i] * S));
        rig_close(&r);
    }
}

/* The same on the way to new keys: the sooner of two times is the one to wake for. */
static void probes_are_due_although_new_keys_will_be(void)
{
    static const unsigned rekey_s[] = {31, 60, 3600};
    for (size_t i = 0; i < sizeof rekey_s / sizeof rekey_s[0]; i++) {
        rig_init(&r);
        probe_every_interval(&r.server, 2);
        r.server.config.transport.rekey_ms = rekey_s[i] * S;
        rig_login(&r, RIG_LYING_CLIENT);
        uint64_t at = next_probe();
        assert_probe_at(at + INTERVAL_MS);
        assert_end_at(&r.server, at + 2 * INTERVAL_MS);
        rig_close(&r);
    }
}

/* ... and one that is gone is found out as fast as without. */
static void silence_during_a_key_exchange_is_silence(void)
{
    rig_init(&r);
    probe_every_interval(&r.server, 2);
    r.server.config.transport.rekey_ms = 4 * S;
    rig_login(&r, RIG_LYING_CLIENT);
    rig_settle(&r);
    uint64_t quiet_since = simulated.ms;
    r.liar.holds_reading = true;
    pass(&r, 5 * S);
    CU_ASSERT_TRUE(transport_in_kex(peer_transport(r.server.peer)));
    pass_until(&r, quiet_since + 3 * INTERVAL_MS - 200);
    CU_ASSERT_FALSE(r.server.has_ended);
    pass_until(&r, quiet_since + 3 * INTERVAL_MS + 200);
    CU_ASSERT_TRUE(r.server.has_ended);
    rig_close(&r);
}

/* A probe that falls due in a key exchange waits for its end, and its answer counts. */
static void a_slow_key_exchange_with_a_probe_due_in_it_is_survived(void)
{
    rig_init(&r);
    probe_every_interval(&r.server, 3);
    rig_login(&r, RIG_LYING_CLIENT);
    rig_settle(&r);
    for (int i = 0; i < 5; i++) {
        unsigned before = n_probes();
        r.liar.holds_reading = true;
        transport_rekey(peer_transport(r.server.peer));
        peer_kick(r.server.peer);
        pass(&r, 2 * INTERVAL_MS + S);
        CU_ASSERT_EQUAL(n_probes(), before);
        liar_resume(&r.liar);
        RIG_UNTIL(&r, n_probes() >= before + 2); /* behind the new keys */
        for (unsigned n = n_probes() - before; n > 0; n--)
            answer();
        pass(&r, INTERVAL_MS - S);
        CU_ASSERT_FALSE_FATAL(r.server.has_ended);
        CU_ASSERT_EQUAL(n_rekeys(&r.server), (uint64_t)i + 1);
    }
    rig_close(&r);
}

/* OpenSSH 073f45c23: due, but not begun before a packet moved, and spinning meanwhile. Nor is there
 * another one before a packet has moved since. */
static void rekeying_by_time_begins_by_itself_and_nobody_spins_before_or_after(void)
{
    enum { REKEY_MS = 600 * S };
    for (int by_server = 0; by_server <= 1; by_server++) {
        rig_init(&r);
        struct rig_end *end = by_server ? &r.server : &r.client;
        end->config.transport.rekey_ms = REKEY_MS;
        rig_login(&r, RIG_TWO_PEERS);
        uint64_t logged_in = simulated.ms, turns = simulated.n_turns;
        pass_until(&r, logged_in + REKEY_MS - 100);
        CU_ASSERT_EQUAL(n_rekeys(end), 0);
        pass_until(&r, logged_in + REKEY_MS + 100);
        CU_ASSERT_EQUAL(n_rekeys(end), 1);
        pass(&r, HOUR_MS);
        CU_ASSERT_EQUAL(n_rekeys(end), 1);
        CU_ASSERT(simulated.n_turns - turns < 100);
        rig_close(&r);
    }
}

static const struct unit_test tests[] = {
    UNIT(a_silent_side_is_probed_at_each_interval_and_given_up_one_after_the_last),
    UNIT(the_next_probe_is_due_one_interval_after_the_last_byte_heard),
    UNIT(with_a_maximum_of_1_one_probe_has_a_whole_interval_to_be_answered),
    UNIT(an_unanswered_measurement_is_no_unanswered_probe),
    UNIT(what_applications_send_does_not_put_off_the_verdict_on_the_server),
    UNIT(what_a_server_forwards_does_not_put_off_the_verdict_on_the_client),
    UNIT(rekeying_by_time_closes_no_healthy_connection_and_stops_no_probe),
    UNIT(probes_are_due_although_new_keys_will_be),
    UNIT(silence_during_a_key_exchange_is_silence),
    UNIT(a_slow_key_exchange_with_a_probe_due_in_it_is_survived),
    UNIT(rekeying_by_time_begins_by_itself_and_nobody_spins_before_or_after),
};
UNIT_MAIN("forward/liveness", tests)
