/* Turns: who sends next, how much, and what the slots for it look like. */
#include "tests/unit/channel/end.h"

#include "channel/engine.h"

enum { K = 1024, M = 1024 * K, QUANTUM = 64 * K, QUANTUM_ALONE = 256 * K, FULL = MUX_PACKET_BYTES };

static uint32_t open_wide(struct end *e)
{
    return opened_by_us(e, UINT32_MAX, UINT32_MAX, NULL);
}

static void drop_output(struct end *e)
{
    e->n_out = e->taken = 0;
}

/* ---- slots ----------------------------------------------------------------------------------- */

static void spans_lie_one_behind_another_as_large_as_quantum_and_window_let_them(void)
{
    struct end e;
    struct mux_span spans[16];
    end_init(&e);
    uint32_t id = opened_by_us(&e, 80 * K, UINT32_MAX, NULL);
    mux_want(e.m, id);
    CU_ASSERT_EQUAL_FATAL(mux_data_slots(e.m, id, spans, 16), 3);
    CU_ASSERT_EQUAL(spans[0].n, FULL);
    CU_ASSERT_EQUAL(spans[1].n, FULL);
    CU_ASSERT_EQUAL(spans[2].n, 80 * K - 2 * FULL);
    CU_ASSERT_EQUAL(mux_data_slots(e.m, id, spans, 2), 2);

    uint32_t wide = open_wide(&e);
    mux_rest(e.m, id);
    mux_want(e.m, wide);
    CU_ASSERT_EQUAL(mux_data_slots(e.m, wide, spans, 16), QUANTUM_ALONE / FULL);
    mux_rest(e.m, wide);
    mux_want(e.m, id);
    wide = open_wide(&e);
    mux_want(e.m, wide); /* not alone now */
    CU_ASSERT_EQUAL(mux_data_slots(e.m, wide, spans, 16), QUANTUM / FULL);
    e.max_slots = 1; /* the engine has no second place */
    CU_ASSERT_EQUAL(mux_data_slots(e.m, wide, spans, 16), 1);
    end_free(&e);
}

static void a_burst_bounds_packets_and_turns(void)
{
    struct end e;
    struct mux_span spans[16];
    end_init(&e);
    uint32_t id = open_wide(&e);
    mux_set_burst(e.m, 8 * K);
    mux_want(e.m, id);
    CU_ASSERT_EQUAL_FATAL(mux_data_slots(e.m, id, spans, 16), 1);
    CU_ASSERT_EQUAL(spans[0].n, 8 * K);
    CU_ASSERT_EQUAL(send_some(&e, id, NULL, 8 * K), 8 * K);
    mux_set_burst(e.m, M);
    CU_ASSERT_EQUAL(send_some(&e, id, NULL, 8 * K), 8 * K); /* the turn that was granted before */
    CU_ASSERT_EQUAL(mux_data_slots(e.m, id, spans, 16), QUANTUM_ALONE / FULL);
    end_free(&e);
}

static void two_who_send_share_and_one_who_sends_long_is_alone(void)
{
    struct end e;
    end_init(&e);
    uint32_t one = open_wide(&e), two = open_wide(&e);
    CU_ASSERT_FALSE(mux_is_shared(e.m));
    mux_want(e.m, one);
    CU_ASSERT_EQUAL(send_some(&e, one, NULL, 10 * K), 10 * K);
    CU_ASSERT_FALSE(mux_is_shared(e.m));
    mux_want(e.m, two);
    CU_ASSERT_EQUAL(send_some(&e, two, NULL, 1), 1);
    CU_ASSERT_TRUE(mux_is_shared(e.m));
    for (size_t sent = 0, n = 1; sent < SCHED_ALONE_BYTES && n > 0; sent += n) {
        CU_ASSERT_TRUE(mux_is_shared(e.m));
        n = send_some(&e, two, NULL, FULL);
        drop_output(&e);
    }
    CU_ASSERT_FALSE(mux_is_shared(e.m));
    end_free(&e);
}

static void a_short_read_over_several_spans_keeps_every_byte_in_order(void)
{
    static uint8_t data[80 * K], got[80 * K];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + i / 251);
    static const size_t sizes[] = {1, FULL - 1, FULL, FULL + 1, 2 * FULL, 2 * FULL + 1, 80 * K};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct end e;
        end_init(&e);
        uint32_t id = opened_by_us(&e, 80 * K, UINT32_MAX, NULL);
        mux_want(e.m, id);
        CU_ASSERT_EQUAL(send_some(&e, id, data, sizes[i]), sizes[i]);
        CU_ASSERT_EQUAL(mux_send_window(e.m, id), 80 * K - sizes[i]);
        size_t n = 0;
        for (struct heard h = hear(&e); h.number != 0; h = hear(&e)) {
            CU_ASSERT_EQUAL(h.number, MSG_CHANNEL_DATA);
            CU_ASSERT_EQUAL(h.a, PEER_ID);
            memcpy(got + n, h.payload.p + 9, h.b);
            n += h.b;
        }
        CU_ASSERT_EQUAL(n, sizes[i]);
        CU_ASSERT_EQUAL(memcmp(got, data, n), 0);
        end_free(&e);
    }
}

static void bytes_without_a_place_are_our_mistake(void)
{
    for (int how = 0; how < 4; how++) {
        struct end e;
        struct mux_span span;
        end_init(&e);
        uint32_t id = opened_by_us(&e, 100, 100, NULL);
        uint32_t other = opened_by_us(&e, 100, 100, NULL);
        mux_want(e.m, id);
        CU_ASSERT_EQUAL(mux_data_slots(e.m, id, &span, 1), 1);
        mux_data_commit(e.m, id, 0); /* nothing was read: fine, once and again */
        mux_data_commit(e.m, id, 0);
        if (how != 0)
            CU_ASSERT_EQUAL(mux_data_slots(e.m, id, &span, 1), 1);
        if (how == 2)
            mux_eof(e.m, other); /* takes the same place in the engine's buffer */
        CU_ASSERT_EQUAL(mux_fault(e.m)->code, ERR_OK);
        mux_data_commit(e.m, how == 3 ? other : id, how == 1 ? 101 : 5);
        CU_ASSERT_EQUAL(mux_fault(e.m)->code, ERR_INTERNAL);
        end_free(&e);
    }
}

static void congestion_stops_all_turns_and_loses_none(void)
{
    struct end e;
    struct mux_span span;
    uint32_t turn;
    end_init(&e);
    uint32_t id = open_wide(&e);
    mux_want(e.m, id);
    e.is_congested = true;
    CU_ASSERT_TRUE(mux_congested(e.m));
    CU_ASSERT_FALSE(mux_turn(e.m, &turn));
    CU_ASSERT_EQUAL(mux_data_slots(e.m, id, &span, 1), 0);
    e.is_congested = false;
    CU_ASSERT_TRUE(mux_turn(e.m, &turn));
    CU_ASSERT_EQUAL(turn, id);
    end_free(&e);
}

/* ---- turns ----------------------------------------------------------------------------------- */

static void resting_ends_the_turn_and_wanting_twice_is_wanting_once(void)
{
    struct end e;
    uint32_t turn;
    end_init(&e);
    uint32_t a = open_wide(&e), b = open_wide(&e);
    mux_want(e.m, a);
    mux_want(e.m, a);
    mux_want(e.m, b);
    CU_ASSERT_TRUE(mux_turn(e.m, &turn));
    CU_ASSERT_EQUAL(turn, a);
    CU_ASSERT_TRUE(mux_turn(e.m, &turn)); /* it comes again while it may */
    CU_ASSERT_EQUAL(turn, a);
    mux_rest(e.m, a);
    mux_rest(e.m, a);
    CU_ASSERT_TRUE(mux_turn(e.m, &turn));
    CU_ASSERT_EQUAL(turn, b);
    mux_rest(e.m, b);
    CU_ASSERT_FALSE(mux_turn(e.m, &turn));
    end_free(&e);
}

static void a_channel_without_window_waits_by_itself(void)
{
    struct end e;
    uint32_t turn;
    end_init(&e);
    uint32_t a = opened_by_us(&e, 10, 100, NULL), b = open_wide(&e);
    mux_want(e.m, a);
    mux_want(e.m, b);
    CU_ASSERT_TRUE(mux_turn(e.m, &turn));
    CU_ASSERT_EQUAL(turn, a);
    CU_ASSERT_EQUAL(send_some(&e, a, NULL, 100), 10);
    CU_ASSERT_TRUE(mux_turn(e.m, &turn));
    CU_ASSERT_EQUAL(turn, b);
    mux_rest(e.m, b);
    CU_ASSERT_FALSE(mux_turn(e.m, &turn));
    CU_ASSERT_EQUAL(say_adjust(&e, a, 1), ERR_OK);
    CU_ASSERT_TRUE(mux_turn(e.m, &turn));
    CU_ASSERT_EQUAL(turn, a);
    CU_ASSERT_EQUAL(send_some(&e, a, NULL, 100), 1);
    mux_rest(e.m, a); /* and one that no longer wants is not woken */
    CU_ASSERT_EQUAL(say_adjust(&e, a, 1), ERR_OK);
    CU_ASSERT_FALSE(mux_turn(e.m, &turn));
    end_free(&e);
}

/* Takes n turns; each sends at most `most` bytes; adds them up by channel. */
static void take_turns(struct end *e, unsigned n, size_t most, size_t *sums)
{
    uint32_t turn;
    for (unsigned i = 0; i < n && mux_turn(e->m, &turn); i++) {
        sums[turn] += send_some(e, turn, NULL, most);
        drop_output(e);
    }
}

static void bulk_channels_get_equal_shares(void)
{
    struct end e;
    size_t sums[10] = {0};
    end_init(&e);
    for (int i = 0; i < 10; i++)
        mux_want(e.m, open_wide(&e));
    for (int i = 0; i < 5000; i++) /* with reads as small as its socket has it */
        take_turns(&e, 1, i % 3 == 0 ? 100 : 40000, sums);
    size_t least = SIZE_MAX, most = 0;
    for (int i = 0; i < 10; i++) {
        least = sums[i] < least ? sums[i] : least;
        most = sums[i] > most ? sums[i] : most;
    }
    CU_ASSERT_TRUE(least > 0);
    CU_ASSERT_TRUE(most - least <= QUANTUM_ALONE); /* the first was alone for a moment */
    end_free(&e);
}

static void small_packets_do_not_shrink_a_share(void)
{
    struct end e;
    size_t sums[2] = {0};
    end_init(&e);
    mux_want(e.m, opened_by_us(&e, UINT32_MAX, 100, NULL));
    mux_want(e.m, open_wide(&e));
    take_turns(&e, 20000, QUANTUM, sums);
    CU_ASSERT_TRUE(sums[0] + QUANTUM_ALONE >= sums[1] && sums[1] + QUANTUM_ALONE >= sums[0]);
    end_free(&e);
}

static void a_channel_that_was_quiet_goes_first(void)
{
    struct end e;
    size_t sums[101] = {0};
    uint32_t turn;
    end_init(&e);
    for (int i = 0; i < 100; i++)
        mux_want(e.m, open_wide(&e));
    uint32_t key = open_wide(&e);
    take_turns(&e, 1000, QUANTUM, sums);
    for (int i = 0; i < 100; i++) { /* keystrokes, many in one round of the others */
        mux_want(e.m, key);
        CU_ASSERT_TRUE(mux_turn(e.m, &turn));
        CU_ASSERT_EQUAL(turn, key);
        CU_ASSERT_EQUAL(send_some(&e, key, NULL, 50), 50);
        mux_rest(e.m, key);
        take_turns(&e, 3, QUANTUM, sums);
    }
    CU_ASSERT_EQUAL(sums[key], 0);
    end_free(&e);
}

/* It may not use that to get more than its share. */
static void waking_again_and_again_buys_no_more_than_a_quantum_a_round(void)
{
    struct end e;
    size_t sums[4] = {0}, woken = 0;
    uint32_t turn;
    end_init(&e);
    for (int i = 0; i < 3; i++)
        mux_want(e.m, open_wide(&e));
    uint32_t greedy = open_wide(&e);
    for (int i = 0; i < 3000; i++) {
        mux_want(e.m, greedy);
        if (!mux_turn(e.m, &turn))
            break;
        size_t n = send_some(&e, turn, NULL, 30000);
        drop_output(&e);
        *(turn == greedy ? &woken : &sums[turn]) += n;
        mux_rest(e.m, greedy);
    }
    for (int i = 0; i < 3; i++)
        CU_ASSERT_TRUE(sums[i] + QUANTUM_ALONE >= woken);
    end_free(&e);
}

/* Two that wake in alternation, so that one of them always waits at the front. */
static void two_that_take_turns_at_waking_do_not_starve_a_third(void)
{
    struct end e;
    size_t sums[3] = {0};
    uint32_t turn;
    end_init(&e);
    uint32_t ids[2] = {open_wide(&e), open_wide(&e)};
    uint32_t bulk = open_wide(&e);
    mux_want(e.m, bulk);
    for (int i = 0; i < 3000; i++) {
        mux_want(e.m, ids[i % 2]);
        CU_ASSERT_TRUE(mux_turn(e.m, &turn));
        sums[turn] += send_some(&e, turn, NULL, QUANTUM);
        drop_output(&e);
        mux_rest(e.m, ids[0]);
        mux_rest(e.m, ids[1]);
    }
    CU_ASSERT_TRUE(sums[bulk] >= (sums[0] + sums[1]) / 3);
    end_free(&e);
}

static void rounds_may_wrap(void)
{
    struct end e;
    size_t sums[3] = {0};
    end_init(&e);
    e.m->sched.round_no = UINT32_MAX - 10;
    for (int i = 0; i < 3; i++)
        mux_want(e.m, open_wide(&e));
    take_turns(&e, 300, QUANTUM_ALONE, sums);
    CU_ASSERT_TRUE(e.m->sched.round_no < 1000);
    CU_ASSERT_TRUE(sums[0] - sums[1] <= QUANTUM_ALONE && sums[1] - sums[2] <= QUANTUM_ALONE);
    end_free(&e);
}

static const struct unit_test tests[] = {
    UNIT(spans_lie_one_behind_another_as_large_as_quantum_and_window_let_them),
    UNIT(a_burst_bounds_packets_and_turns),
    UNIT(two_who_send_share_and_one_who_sends_long_is_alone),
    UNIT(a_short_read_over_several_spans_keeps_every_byte_in_order),
    UNIT(bytes_without_a_place_are_our_mistake),
    UNIT(congestion_stops_all_turns_and_loses_none),
    UNIT(resting_ends_the_turn_and_wanting_twice_is_wanting_once),
    UNIT(a_channel_without_window_waits_by_itself),
    UNIT(bulk_channels_get_equal_shares),
    UNIT(small_packets_do_not_shrink_a_share),
    UNIT(a_channel_that_was_quiet_goes_first),
    UNIT(waking_again_and_again_buys_no_more_than_a_quantum_a_round),
    UNIT(two_that_take_turns_at_waking_do_not_starve_a_third),
    UNIT(rounds_may_wrap),
};
UNIT_MAIN("channel/sched", tests)
