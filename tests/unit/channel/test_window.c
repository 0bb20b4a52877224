/* Flow control: what the peer may send and when it gets credit, what we may send, the budget. */
#include "tests/unit/channel/end.h"

#include "channel/engine.h"

enum { K = 1024 };

static struct chan *inside(struct end *e, uint32_t id)
{
    return table_find(&e->m->table, id);
}

/* Says n bytes of data and takes their events. */
static enum err pour(struct end *e, uint32_t id, size_t n)
{
    struct mux_event event;
    enum err got = ERR_OK;
    while (n > 0 && got == ERR_OK) {
        size_t part = n < MUX_PACKET_BYTES ? n : MUX_PACKET_BYTES;
        got = say_data(e, id, part);
        while (mux_next(e->m, &event))
            ;
        n -= part;
    }
    return got;
}

/* ---- what the peer may send ------------------------------------------------------------------ */

static void the_window_may_be_filled_and_not_one_byte_more(void)
{
    struct end e;
    end_init(&e);
    uint32_t id = opened_by_us(&e, 0, 1, NULL);
    CU_ASSERT_EQUAL(pour(&e, id, MUX_WINDOW_BYTES), ERR_OK);
    CU_ASSERT_EQUAL(say_data(&e, id, 0), ERR_OK); /* nothing is always allowed */
    CU_ASSERT_TRUE(tells_nothing(&e));
    CU_ASSERT_EQUAL(say_data(&e, id, 1), ERR_PROTOCOL);
    end_free(&e);
}

static void extended_data_counts_like_data(void)
{
    struct end e;
    struct mux_event event;
    end_init(&e);
    uint32_t id = opened_by_us(&e, 0, 1, NULL);
    CU_ASSERT_EQUAL(pour(&e, id, MUX_WINDOW_BYTES - 10), ERR_OK);
    CU_ASSERT_EQUAL(say_extended(&e, id, 10), ERR_OK);
    CU_ASSERT_TRUE(tells(&e, MUX_EXTENDED, &event));
    CU_ASSERT_EQUAL(event.code, 1);
    CU_ASSERT_EQUAL(event.data.n, 10);
    CU_ASSERT_EQUAL(say_extended(&e, id, 1), ERR_PROTOCOL);
    end_free(&e);
}

static void a_packet_over_the_maximum_ends_the_connection(void)
{
    for (int is_extended = 0; is_extended < 2; is_extended++) {
        struct end e;
        end_init(&e);
        uint32_t id = opened_by_us(&e, 0, 1, NULL);
        CU_ASSERT_EQUAL(pour(&e, id, MUX_PACKET_BYTES), ERR_OK);
        enum err got = is_extended ? say_extended(&e, id, MUX_PACKET_BYTES + 1)
                                   : say_data(&e, id, MUX_PACKET_BYTES + 1);
        CU_ASSERT_EQUAL(got, ERR_PROTOCOL);
        CU_ASSERT_TRUE(tells_nothing(&e));
        end_free(&e);
    }
}

/* ---- when it gets credit --------------------------------------------------------------------- */

static void credit_is_given_for_exactly_what_was_consumed_after_an_eighth_of_the_window(void)
{
    struct end e;
    end_init(&e);
    uint32_t id = opened_by_us(&e, 0, 1, NULL);
    CU_ASSERT_EQUAL(pour(&e, id, 400 * K), ERR_OK);
    CU_ASSERT_TRUE(hears_nothing(&e)); /* not before it was consumed */
    mux_consumed(e.m, id, 256 * K - 1);
    CU_ASSERT_TRUE(hears_nothing(&e));
    mux_consumed(e.m, id, 6);
    struct heard h = hear(&e);
    CU_ASSERT_EQUAL(h.number, MSG_CHANNEL_WINDOW_ADJUST);
    CU_ASSERT_EQUAL(h.a, PEER_ID);
    CU_ASSERT_EQUAL(h.b, 256 * K + 5);
    CU_ASSERT_EQUAL(pour(&e, id, MUX_WINDOW_BYTES - 400 * K + h.b), ERR_OK);
    CU_ASSERT_EQUAL(say_data(&e, id, 1), ERR_PROTOCOL);
    end_free(&e);
}

static void more_than_was_given_cannot_be_consumed(void)
{
    struct end e;
    end_init(&e);
    uint32_t id = opened_by_us(&e, 0, 1, NULL);
    CU_ASSERT_EQUAL(pour(&e, id, 300 * K), ERR_OK);
    mux_consumed(e.m, id, SIZE_MAX);
    CU_ASSERT_EQUAL(hear(&e).b, 300 * K);
    mux_consumed(e.m, id, 1000);
    CU_ASSERT_TRUE(hears_nothing(&e));
    end_free(&e);
}

/* A channel of one packet's window: what is consumed in crumbs is credited in parts, all of it in
 * the end, and the peer is never left without window and without hope. */
static void a_small_window_is_credited_below_half_but_not_by_crumbs(void)
{
    struct end e;
    end_init_config(&e, (struct mux_config){.receive_budget = 1});
    uint32_t id = opened_by_us(&e, 0, 1, NULL);
    CU_ASSERT_EQUAL(pour(&e, id, MUX_PACKET_BYTES), ERR_OK);
    unsigned n_adjusts = 0;
    uint32_t sum = 0;
    for (unsigned i = 0; i < MUX_PACKET_BYTES; i++) {
        mux_consumed(e.m, id, 1);
        struct heard h = hear(&e);
        n_adjusts += h.number == MSG_CHANNEL_WINDOW_ADJUST;
        sum += h.b;
    }
    CU_ASSERT_TRUE(n_adjusts >= 1 && n_adjusts <= 4);
    CU_ASSERT_TRUE(sum >= MUX_PACKET_BYTES / 2);
    end_free(&e);
}

/* Whatever comes and goes: window, held and due stay within the limit, and once everything has been
 * consumed the peer has at least half a window. */
static void credit_is_conserved_and_never_runs_dry(void)
{
    srand(7);
    for (unsigned budget = 0; budget < 3; budget++) {
        struct end e;
        end_init_config(&e, (struct mux_config){.receive_budget = (uint64_t)budget << 20});
        uint32_t id = opened_by_us(&e, 0, 1, NULL);
        const struct chan *c = inside(&e, id);
        uint32_t window = c->recv_window, held = 0; /* as the peer and the caller count them */
        for (int i = 0; i < 20000; i++) {
            uint32_t n = (uint32_t)rand() % (i % 2 ? 100 : MUX_PACKET_BYTES + 1);
            n = n < window ? n : window;
            CU_ASSERT_EQUAL(pour(&e, id, n), ERR_OK);
            window -= n, held += n;
            uint32_t out = (uint32_t)rand() % (held + 1);
            out = i % 50 == 0 ? held : out;
            mux_consumed(e.m, id, out);
            held -= out;
            struct heard h = hear(&e);
            window += h.b;
            CU_ASSERT_EQUAL(c->recv_window, window);
            CU_ASSERT_EQUAL(c->held, held);
            CU_ASSERT_EQUAL(window + held + c->due, c->recv_limit);
            CU_ASSERT_TRUE(held > 0 || window >= c->recv_limit / 2);
            CU_ASSERT_EQUAL(e.m->promised, c->recv_limit);
        }
        end_free(&e);
    }
}

static void nobody_is_credited_after_eof(void)
{
    struct end e;
    end_init(&e);
    uint32_t id = opened_by_us(&e, 0, 1, NULL);
    CU_ASSERT_EQUAL(pour(&e, id, 400 * K), ERR_OK);
    CU_ASSERT_EQUAL(say_id(&e, MSG_CHANNEL_EOF, id), ERR_OK);
    mux_consumed(e.m, id, 400 * K);
    CU_ASSERT_TRUE(hears_nothing(&e));
    end_free(&e);
}

/* ---- the budget ------------------------------------------------------------------------------ */

static void all_windows_together_keep_to_the_budget(void)
{
    struct end e;
    const uint64_t budget = 64 << 20;
    end_init_config(&e, (struct mux_config){.receive_budget = budget});
    uint64_t sum = 0;
    for (unsigned n = 0; n < 10000; n++) {
        uint32_t id = opened_by_us(&e, 0, 1, NULL);
        sum += inside(&e, id)->recv_window;
        CU_ASSERT_TRUE(inside(&e, id)->recv_window >= MUX_PACKET_BYTES);
        CU_ASSERT_TRUE(sum <= budget + (n + 1) * (uint64_t)MUX_PACKET_BYTES);
        CU_ASSERT_EQUAL(sum, e.m->promised);
    }
    for (uint32_t id = 0; id < 10000; id++) {
        mux_close(e.m, id);
        CU_ASSERT_EQUAL(say_id(&e, MSG_CHANNEL_CLOSE, id), ERR_OK);
    }
    CU_ASSERT_EQUAL(e.m->promised, 0);
    end_free(&e);
}

static void the_promise_of_a_closed_channel_is_free_before_the_peer_answers(void)
{
    struct end e;
    uint32_t id;
    end_init(&e);
    mux_close(e.m, opened_by_us(&e, 0, 1, NULL));
    CU_ASSERT_EQUAL(e.m->promised, 0);
    CU_ASSERT_EQUAL(mux_open(e.m, BYTES_LIT("x"), BYTES_LIT(""), NULL, &id), ERR_OK);
    CU_ASSERT_EQUAL(say_failure(&e, id), ERR_OK);
    CU_ASSERT_EQUAL(e.m->promised, 0);
    end_free(&e);
}

static void a_window_that_began_small_grows_when_others_are_gone(void)
{
    struct end e;
    end_init_config(&e, (struct mux_config){.receive_budget = 32 << 20});
    for (unsigned n = 0; n < 500; n++)
        opened_by_us(&e, 0, 1, NULL);
    uint32_t id = opened_by_us(&e, 0, 1, NULL);
    CU_ASSERT_EQUAL(inside(&e, id)->recv_limit, MUX_PACKET_BYTES);
    for (uint32_t other = 0; other < 500; other++)
        mux_close(e.m, other);
    while (hear(&e).number != 0)
        ;
    CU_ASSERT_EQUAL(pour(&e, id, MUX_PACKET_BYTES), ERR_OK);
    mux_consumed(e.m, id, MUX_PACKET_BYTES);
    CU_ASSERT_EQUAL(hear(&e).b, 2 * MUX_PACKET_BYTES);
    for (uint32_t due = 2 * MUX_PACKET_BYTES; due < MUX_WINDOW_BYTES; due *= 2) {
        CU_ASSERT_EQUAL(pour(&e, id, due), ERR_OK);
        mux_consumed(e.m, id, due);
        CU_ASSERT_EQUAL(hear(&e).b, 2 * due); /* by what was consumed each time */
    }
    CU_ASSERT_EQUAL(inside(&e, id)->recv_window, MUX_WINDOW_BYTES);
    end_free(&e);
}

static void a_window_follows_the_wish_with_the_next_credit(void)
{
    struct end e;
    end_init(&e);
    uint32_t id = opened_by_us(&e, 0, 1, NULL);
    inside(&e, id)->recv_target = MUX_WINDOW_BYTES + 300 * K;
    CU_ASSERT_EQUAL(pour(&e, id, 300 * K), ERR_OK);
    mux_consumed(e.m, id, 300 * K);
    CU_ASSERT_EQUAL(hear(&e).b, 600 * K);

    inside(&e, id)->recv_target = MUX_PACKET_BYTES;
    CU_ASSERT_EQUAL(pour(&e, id, MUX_WINDOW_BYTES + 300 * K - MUX_PACKET_BYTES), ERR_OK);
    mux_consumed(e.m, id, 1 << 20);
    CU_ASSERT_TRUE(hears_nothing(&e)); /* all of it went into the smaller promise */
    mux_consumed(e.m, id, MUX_WINDOW_BYTES);
    CU_ASSERT_TRUE(hears_nothing(&e));
    CU_ASSERT_EQUAL(inside(&e, id)->recv_window, MUX_PACKET_BYTES);
    CU_ASSERT_EQUAL(e.m->promised, MUX_PACKET_BYTES);
    CU_ASSERT_EQUAL(pour(&e, id, MUX_PACKET_BYTES), ERR_OK);
    mux_consumed(e.m, id, MUX_PACKET_BYTES);
    CU_ASSERT_EQUAL(hear(&e).b, MUX_PACKET_BYTES);

    end_free(&e);
}

/* ---- what we may send ------------------------------------------------------------------------ */

static void a_window_sum_over_the_maximum_ends_the_connection(void)
{
    static const struct {
        uint32_t window, add;
        enum err want;
    } cases[] = {
        {UINT32_MAX, 0, ERR_OK},
        {UINT32_MAX, 1, ERR_PROTOCOL},
        {UINT32_MAX - 1, 1, ERR_OK},
        {0, UINT32_MAX, ERR_OK},
        {1, UINT32_MAX, ERR_PROTOCOL},
        {0x80000000, 0x80000000, ERR_PROTOCOL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct end e;
        end_init(&e);
        uint32_t id = opened_by_us(&e, cases[i].window, 100, NULL);
        CU_ASSERT_EQUAL(say_adjust(&e, id, cases[i].add), cases[i].want);
        if (cases[i].want == ERR_OK)
            CU_ASSERT_EQUAL(mux_send_window(e.m, id), cases[i].window + cases[i].add);
        end_free(&e);
    }
}

/* A window of 0, then credit of 0, then of 1 again and again: a byte for a byte, and in between
 * nobody's turn. */
static void without_window_nothing_is_sent_and_nobody_spins(void)
{
    struct end e;
    struct mux_span span;
    uint32_t turn;
    end_init(&e);
    uint32_t id = opened_by_us(&e, 0, 100, NULL);
    mux_want(e.m, id);
    CU_ASSERT_FALSE(mux_turn(e.m, &turn));
    CU_ASSERT_EQUAL(mux_data_slots(e.m, id, &span, 1), 0);
    for (int i = 0; i < 1000; i++) {
        CU_ASSERT_EQUAL(say_adjust(&e, id, 0), ERR_OK);
        CU_ASSERT_FALSE(mux_turn(e.m, &turn));
    }
    for (int i = 0; i < 1000; i++) {
        CU_ASSERT_EQUAL(say_adjust(&e, id, 1), ERR_OK);
        CU_ASSERT_TRUE(mux_turn(e.m, &turn));
        CU_ASSERT_EQUAL(send_some(&e, id, NULL, 100), 1);
        CU_ASSERT_FALSE(mux_turn(e.m, &turn));
        CU_ASSERT_EQUAL(hear(&e).b, 1);
        CU_ASSERT_TRUE(hears_nothing(&e));
    }
    end_free(&e);
}

static void a_maximum_packet_of_1_gets_packets_of_1(void)
{
    struct end e;
    end_init(&e);
    uint32_t id = opened_by_us(&e, 5, 1, NULL);
    mux_want(e.m, id);
    CU_ASSERT_EQUAL(send_some(&e, id, NULL, 100), 5);
    for (int i = 0; i < 5; i++) {
        struct heard h = hear(&e);
        CU_ASSERT_EQUAL(h.payload.n, 10);
        CU_ASSERT_EQUAL(h.b, 1);
    }
    CU_ASSERT_TRUE(hears_nothing(&e));
    end_free(&e);
}

static void no_packet_is_larger_than_window_maximum_or_32_kib(void)
{
    srand(3);
    for (int round = 0; round < 300; round++) {
        struct end e;
        end_init(&e);
        uint32_t window = (uint32_t)rand() % 200000, sent = 0;
        uint32_t max = (uint32_t)rand() % (round % 2 ? 100000 : 3000) + 1;
        uint32_t id = opened_by_peer(&e, window, max, NULL);
        uint32_t turn;
        mux_want(e.m, id);
        while (mux_turn(e.m, &turn))
            send_some(&e, turn, NULL, (size_t)rand() % 100000 + 1);
        for (struct heard h = hear(&e); h.number != 0; h = hear(&e)) {
            CU_ASSERT_EQUAL(h.number, MSG_CHANNEL_DATA);
            CU_ASSERT_EQUAL(h.payload.n, h.b + 9);
            CU_ASSERT_TRUE(h.b > 0 && h.b <= max && h.b <= MUX_PACKET_BYTES);
            sent += h.b;
        }
        CU_ASSERT_EQUAL(sent, window);
        CU_ASSERT_EQUAL(mux_send_window(e.m, id), 0);
        end_free(&e);
    }
}

static const struct unit_test tests[] = {
    UNIT(the_window_may_be_filled_and_not_one_byte_more),
    UNIT(extended_data_counts_like_data),
    UNIT(a_packet_over_the_maximum_ends_the_connection),
    UNIT(credit_is_given_for_exactly_what_was_consumed_after_an_eighth_of_the_window),
    UNIT(more_than_was_given_cannot_be_consumed),
    UNIT(a_small_window_is_credited_below_half_but_not_by_crumbs),
    UNIT(credit_is_conserved_and_never_runs_dry),
    UNIT(nobody_is_credited_after_eof),
    UNIT(all_windows_together_keep_to_the_budget),
    UNIT(the_promise_of_a_closed_channel_is_free_before_the_peer_answers),
    UNIT(a_window_that_began_small_grows_when_others_are_gone),
    UNIT(a_window_follows_the_wish_with_the_next_credit),
    UNIT(a_window_sum_over_the_maximum_ends_the_connection),
    UNIT(without_window_nothing_is_sent_and_nobody_spins),
    UNIT(a_maximum_packet_of_1_gets_packets_of_1),
    UNIT(no_packet_is_larger_than_window_maximum_or_32_kib),
};
UNIT_MAIN("channel/window", tests)
