/* Windows that follow the path: probes with a clock of the test's own, against one engine. */
#include "tests/unit/channel/end.h"

#include "channel/engine.h"

enum { K = 1024, M = 1024 * K };

static uint32_t target(struct end *e, uint32_t id)
{
    return table_find(&e->m->table, id)->recv_target;
}

/* The peer fills what it may, up to n bytes, and the reader takes all of it. */
static void carry(struct end *e, uint32_t id, size_t n)
{
    struct mux_event event;
    while (n > 0) {
        size_t window = table_find(&e->m->table, id)->recv_window;
        size_t part = n < window ? n : window;
        part = part < MUX_PACKET_BYTES ? part : MUX_PACKET_BYTES;
        if (part == 0 && mux_deadline(e->m) == UINT64_MAX)
            return;
        if (part == 0) { /* credit waits for its time */
            mux_tick(e->m, mux_deadline(e->m));
            continue;
        }
        CU_ASSERT_EQUAL_FATAL(say_data(e, id, part), ERR_OK);
        while (mux_next(e->m, &event))
            ;
        mux_consumed(e->m, id, part);
        n -= part;
    }
}

/* One probe of took_ms during which n bytes were consumed, then the next bytes, which conclude it.
 */
static void probe(struct end *e, uint32_t id, uint64_t *now_ms, uint64_t took_ms, size_t n)
{
    mux_probe_begin(e->m, *now_ms);
    carry(e, id, n);
    *now_ms += took_ms;
    mux_probe_end(e->m, *now_ms);
    carry(e, id, 1);
    *now_ms += 1000;
}

static void a_window_that_is_used_up_in_every_round_trip_grows_to_the_limit(void)
{
    struct end e;
    uint64_t now = 5;
    end_init(&e);
    e.m->pace.max_window = 15 * M;
    uint32_t id = opened_by_us(&e, 0, 1, NULL);
    probe(&e, id, &now, 100, 0); /* what the path takes without a load */
    for (int i = 0; i < 6; i++)
        probe(&e, id, &now, 100, target(&e, id));
    CU_ASSERT_EQUAL(target(&e, id), 15 * M);
    carry(&e, id, 64 * M);
    CU_ASSERT_EQUAL(table_find(&e.m->table, id)->recv_limit, 15 * M);
    end_free(&e);
}

static void a_window_that_is_not_the_limit_stays(void)
{
    struct end e;
    uint64_t now = 5;
    end_init(&e);
    uint32_t id = opened_by_us(&e, 0, 1, NULL);
    probe(&e, id, &now, 100, 0);
    probe(&e, id, &now, 100, MUX_WINDOW_BYTES / 4);
    CU_ASSERT_EQUAL(target(&e, id), MUX_WINDOW_BYTES);
    probe(&e, id, &now, 115, MUX_WINDOW_BYTES / 4); /* jitter is no queue */
    CU_ASSERT_EQUAL(target(&e, id), MUX_WINDOW_BYTES);
    end_free(&e);
}

/* 20 Mbit/s and 40 ms: 2 MiB would stand in the queue for 0.8 s. */
static void a_window_that_only_fills_a_queue_shrinks_to_what_the_path_needs(void)
{
    struct end e;
    uint64_t now = 5;
    end_init(&e);
    uint32_t id = opened_by_us(&e, 0, 1, NULL);
    probe(&e, id, &now, 40, 0);
    probe(&e, id, &now, 800, 2000 * K);
    CU_ASSERT_EQUAL(target(&e, id), MUX_WINDOW_BYTES / 2);
    probe(&e, id, &now, 800, 100 * K); /* it shrinks, so that little comes says nothing */
    CU_ASSERT_EQUAL(target(&e, id), MUX_WINDOW_BYTES / 2);
    for (int i = 0; i < 8; i++) {
        carry(&e, id, 2 * M);
        probe(&e, id, &now, 40 + target(&e, id) / 2500, target(&e, id));
    }
    CU_ASSERT(target(&e, id) < 300 * K); /* 125 KiB and a little are what the path needs */
    carry(&e, id, 2 * M);
    CU_ASSERT(table_find(&e.m->table, id)->recv_limit < 300 * K);
    end_free(&e);
}

static void a_window_that_shrank_grows_again_when_the_path_is_free(void)
{
    struct end e;
    uint64_t now = 5;
    end_init(&e);
    uint32_t id = opened_by_us(&e, 0, 1, NULL);
    probe(&e, id, &now, 40, 0);
    for (int i = 0; i < 4; i++) {
        probe(&e, id, &now, 800, target(&e, id));
        carry(&e, id, 8 * M);
    }
    CU_ASSERT(target(&e, id) <= 256 * K);
    uint32_t small = target(&e, id);
    probe(&e, id, &now, 40, small);
    CU_ASSERT(target(&e, id) > small && target(&e, id) <= small + small / 4); /* by small steps */
    for (int i = 0; i < 24; i++) {
        carry(&e, id, 4 * (size_t)target(&e, id));
        probe(&e, id, &now, 40, target(&e, id));
    }
    CU_ASSERT(target(&e, id) >= 16 * M);
    end_free(&e);
}

/* No peer is handed megabytes of new credit at once, however far the target is. */
static void a_window_grows_with_what_is_consumed(void)
{
    struct end e;
    end_init(&e);
    uint32_t id = opened_by_us(&e, 0, 1, NULL);
    struct chan *c = table_find(&e.m->table, id);
    c->recv_target = 15 * M;
    uint32_t before = 0;
    for (int i = 0; i < 600; i++) {
        uint32_t promised = c->recv_limit;
        carry(&e, id, MUX_PACKET_BYTES);
        before += MUX_PACKET_BYTES;
        CU_ASSERT(c->recv_limit - promised <= before);
        if (c->recv_limit != promised)
            before = 0;
    }
    CU_ASSERT_EQUAL(c->recv_limit, 15 * M);
    end_free(&e);
}

/* On a long path a whole window's credit does not go back at once, and all of it goes. */
static void credit_of_a_large_window_is_spread_over_half_a_round_trip(void)
{
    struct end e;
    struct mux_event event;
    uint64_t now = 5;
    end_init(&e);
    e.m->pace.max_window = 8 * M;
    uint32_t id = opened_by_us(&e, 0, 1, NULL);
    probe(&e, id, &now, 160, 0);
    for (int i = 0; i < 4; i++)
        probe(&e, id, &now, 160, target(&e, id));
    carry(&e, id, 64 * M);
    const struct chan *c = table_find(&e.m->table, id);
    CU_ASSERT_EQUAL(c->recv_limit, 8 * M);
    mux_consumed(e.m, id, SIZE_MAX);
    for (uint64_t at = mux_deadline(e.m); at != UINT64_MAX; at = mux_deadline(e.m))
        mux_tick(e.m, now = at);
    mux_tick(e.m, now += 1000);
    while (hear(&e).number != 0)
        ;
    uint32_t window = c->recv_window, due = c->due;
    for (uint32_t n = 0; n < window; n += MUX_PACKET_BYTES) { /* a burst: all it may send */
        size_t part = window - n < MUX_PACKET_BYTES ? window - n : MUX_PACKET_BYTES;
        CU_ASSERT_EQUAL_FATAL(say_data(&e, id, part), ERR_OK);
        while (mux_next(e.m, &event))
            ;
    }
    mux_consumed(e.m, id, window);
    uint32_t given = 0;
    for (uint64_t begin = now; given < window + due - M;) {
        struct heard h = hear(&e);
        if (h.number == 0) {
            uint64_t at = mux_deadline(e.m);
            CU_ASSERT_FATAL(at > now && at <= begin + 80);
            mux_tick(e.m, at - 1);
            CU_ASSERT_TRUE(hears_nothing(&e));
            mux_tick(e.m, now = at);
            continue;
        }
        CU_ASSERT_EQUAL(h.number, MSG_CHANNEL_WINDOW_ADJUST);
        given += h.b;
        CU_ASSERT(given <= 2 * 8 * M * (4 + (now - begin)) / 160); /* four milliseconds' at most */
    }
    CU_ASSERT_EQUAL(given + c->due, window + due);
    end_free(&e);
}

/* A reader that keeps up gives credit back in parts of a few packets, so that the sender's bursts
 * do not become larger from one round trip to the next. */
static void credit_of_a_large_window_on_a_long_path_goes_in_small_parts(void)
{
    struct end e;
    struct mux_event event;
    uint64_t now = 5;
    end_init(&e);
    e.m->pace.max_window = 15 * M;
    uint32_t id = opened_by_us(&e, 0, 1, NULL);
    probe(&e, id, &now, 100, 0);
    for (int i = 0; i < 6; i++)
        probe(&e, id, &now, 100, target(&e, id));
    carry(&e, id, 64 * M);
    const struct chan *c = table_find(&e.m->table, id);
    CU_ASSERT_EQUAL(c->recv_limit, 15 * M);
    mux_tick(e.m, now += 1000);
    while (hear(&e).number != 0)
        ;
    unsigned n_parts = 0;
    for (unsigned i = 0; i < 500; i++) { /* 5 packets, 160 KiB, in a millisecond */
        for (int k = 0; k < 5; k++) {
            CU_ASSERT_EQUAL_FATAL(say_data(&e, id, MUX_PACKET_BYTES), ERR_OK);
            while (mux_next(e.m, &event))
                ;
            mux_consumed(e.m, id, MUX_PACKET_BYTES);
        }
        mux_tick(e.m, ++now);
        for (struct heard h = hear(&e); h.number != 0; h = hear(&e), n_parts++)
            CU_ASSERT(h.b <= 12 * MUX_PACKET_BYTES);
    }
    CU_ASSERT(n_parts >= 500 * 5 / 12);
    end_free(&e);
}

/* Nor does a window that grows get there at once: by what was consumed, as on any path. */
static void a_large_window_on_a_long_path_grows_with_what_is_consumed(void)
{
    struct end e;
    struct mux_event event;
    uint64_t now = 5;
    end_init(&e);
    uint32_t id = opened_by_us(&e, 0, 1, NULL);
    struct chan *c = table_find(&e.m->table, id);
    probe(&e, id, &now, 160, 0);
    c->recv_target = 4 * M;
    carry(&e, id, 32 * M);
    for (uint64_t at = mux_deadline(e.m); at != UINT64_MAX; at = mux_deadline(e.m))
        mux_tick(e.m, now = at);
    mux_tick(e.m, now += 1000);
    while (hear(&e).number != 0)
        ;
    CU_ASSERT_EQUAL(c->recv_limit, 4 * M);
    c->recv_target = 64 * M;
    uint32_t window = c->recv_window, due = c->due;
    for (uint32_t n = 0; n < window; n += MUX_PACKET_BYTES) { /* a burst: all it may send */
        size_t part = window - n < MUX_PACKET_BYTES ? window - n : MUX_PACKET_BYTES;
        CU_ASSERT_EQUAL_FATAL(say_data(&e, id, part), ERR_OK);
        while (mux_next(e.m, &event))
            ;
    }
    mux_consumed(e.m, id, window);
    for (uint64_t at = now; at != UINT64_MAX; at = mux_deadline(e.m)) {
        mux_tick(e.m, at);
        for (struct heard h = hear(&e); h.number != 0; h = hear(&e)) {
            CU_ASSERT_EQUAL(h.number, MSG_CHANNEL_WINDOW_ADJUST);
            CU_ASSERT(
                h.b <= c->recv_limit / 9); /* four milliseconds' worth, doubled: 2 * 4 * 2 / 160 */
        }
    }
    CU_ASSERT(c->recv_limit > 6 * M);
    CU_ASSERT(c->recv_limit <= 4 * M + window + due);
    end_free(&e);
}

static void a_channel_that_goes_while_its_credit_waits_is_forgotten(void)
{
    struct end e;
    uint64_t now = 5;
    end_init(&e);
    uint32_t ids[3];
    for (int i = 0; i < 3; i++)
        ids[i] = opened_by_us(&e, 0, 1, NULL);
    probe(&e, ids[0], &now, 160, 0);
    for (int i = 0; i < 3; i++) {
        struct chan *c = table_find(&e.m->table, ids[i]);
        c->recv_target = 8 * M;
        while (!c->credit_waits)
            carry(&e, ids[i], MUX_PACKET_BYTES);
    }
    CU_ASSERT_EQUAL(e.m->pace.n_waiting, 3);
    mux_close(e.m, ids[1]);
    say_id(&e, MSG_CHANNEL_CLOSE, ids[1]);
    CU_ASSERT_EQUAL(e.m->pace.n_waiting, 2);
    mux_tick(e.m, now + 10000);
    CU_ASSERT_EQUAL(mux_deadline(e.m), UINT64_MAX);
    end_free(&e);
}

/* ---- short paths that channels share --------------------------------------------------------- */

static void near(struct end *e, uint64_t *now_ms, uint64_t took_ms)
{
    mux_probe_begin(e->m, *now_ms);
    *now_ms += took_ms;
    mux_probe_end(e->m, *now_ms);
}

static void on_a_short_path_channels_that_share_it_get_small_windows(void)
{
    for (uint64_t took_ms = 1; took_ms <= 2; took_ms++) {
        struct end e;
        uint64_t now = 5;
        end_init(&e);
        uint32_t bulk = opened_by_us(&e, 0, 1, NULL), echo = opened_by_us(&e, 0, 1, NULL);
        const struct chan *c = table_find(&e.m->table, bulk);
        near(&e, &now, took_ms);
        carry(&e, bulk, 8 * M);
        CU_ASSERT_EQUAL(c->recv_limit, MUX_WINDOW_BYTES);
        for (int i = 0; i < 8; i++) {
            carry(&e, echo, 1);
            carry(&e, bulk, M);
        }
        CU_ASSERT_EQUAL(c->recv_limit, took_ms == 1 ? 4 * MUX_PACKET_BYTES : MUX_WINDOW_BYTES);
        carry(&e, bulk, 40 * M); /* alone again */
        CU_ASSERT_EQUAL(c->recv_limit, MUX_WINDOW_BYTES);
        end_free(&e);
    }
}

/* Whether the channel gets a turn, when nobody else wants one. */
static bool has_turn(struct end *e, uint32_t id)
{
    uint32_t whose;
    mux_want(e->m, id);
    return mux_turn(e->m, &whose) && whose == id;
}

static uint32_t send_while_it_may(struct end *e, uint32_t id)
{
    uint32_t sent = 0;
    while (sent < 4 * M && has_turn(e, id)) {
        sent += (uint32_t)send_some(e, id, NULL, 16 * K);
        e->n_out = e->taken = 0;
    }
    mux_rest(e->m, id);
    return sent;
}

static void on_a_short_path_that_is_shared_nobody_runs_far_ahead_of_his_credit(void)
{
    struct end e;
    uint64_t now = 5;
    end_init_config(&e, (struct mux_config){.max_ahead = 100 * K});
    uint32_t bulk = opened_by_us(&e, 8 * M, UINT32_MAX, NULL);
    uint32_t echo = opened_by_us(&e, 8 * M, UINT32_MAX, NULL);
    CU_ASSERT_EQUAL(send_while_it_may(&e, bulk), 4 * M); /* the path is not known */
    say_adjust(&e, bulk, 4 * M);
    near(&e, &now, 1);
    CU_ASSERT_EQUAL(send_while_it_may(&e, bulk), 4 * M); /* alone */
    say_adjust(&e, bulk, 4 * M);
    (void)send_some(&e, echo, NULL, 0);
    CU_ASSERT_TRUE(has_turn(&e, echo));
    CU_ASSERT_EQUAL(send_some(&e, echo, NULL, 1), 1);
    mux_rest(e.m, echo);
    CU_ASSERT_EQUAL(send_while_it_may(&e, bulk), 112 * K);
    CU_ASSERT_FALSE(has_turn(&e, bulk));
    CU_ASSERT_TRUE(has_turn(&e, echo)); /* others go on */
    mux_rest(e.m, echo);
    say_adjust(&e, bulk, 96 * K); /* what OpenSSH waits for at most */
    CU_ASSERT_TRUE(has_turn(&e, bulk));
    CU_ASSERT_EQUAL(send_while_it_may(&e, bulk), 96 * K);
    end_free(&e);
}

/* A peer that only says it is OpenSSH may give credit when half its window is used. */
static void who_waits_for_credit_in_vain_goes_on(void)
{
    struct end e;
    uint64_t now = 5;
    uint32_t whose;
    end_init_config(&e, (struct mux_config){.max_ahead = 100 * K});
    uint32_t bulk = opened_by_us(&e, M, UINT32_MAX, NULL);
    uint32_t echo = opened_by_us(&e, M, UINT32_MAX, NULL);
    near(&e, &now, 0);
    mux_tick(e.m, now);
    CU_ASSERT_EQUAL(mux_deadline(e.m), UINT64_MAX);
    CU_ASSERT_EQUAL(send_while_it_may(&e, bulk), M); /* alone */
    say_adjust(&e, bulk, M);
    CU_ASSERT_TRUE(has_turn(&e, echo));
    CU_ASSERT_EQUAL(send_some(&e, echo, NULL, 1), 1);
    mux_rest(e.m, echo);
    mux_want(e.m, bulk);
    while (mux_turn(e.m, &whose))
        (void)send_some(&e, whose, NULL, 16 * K);
    uint32_t left = mux_send_window(e.m, bulk);
    CU_ASSERT(left > 0 && left < M);
    CU_ASSERT_FATAL(mux_deadline(e.m) > now && mux_deadline(e.m) <= now + 200);
    now = mux_deadline(e.m);
    mux_want(e.m, bulk);     /* another edge of its socket */
    say_adjust(&e, bulk, 0); /* nor does this change anything */
    mux_tick(e.m, now - 1);
    CU_ASSERT_FALSE(mux_turn(e.m, &whose));
    CU_ASSERT_EQUAL(mux_deadline(e.m), now);
    mux_tick(e.m, now);
    CU_ASSERT_TRUE(mux_turn(e.m, &whose));
    while (mux_turn(e.m, &whose))
        (void)send_some(&e, whose, NULL, 16 * K);
    CU_ASSERT_EQUAL(mux_send_window(e.m, bulk), 0);
    say_adjust(&e, bulk, M / 2); /* far ahead still, and held back again */
    CU_ASSERT_FALSE(mux_turn(e.m, &whose));
    CU_ASSERT_NOT_EQUAL(mux_deadline(e.m), UINT64_MAX);
    mux_close(e.m, bulk);
    CU_ASSERT_EQUAL(mux_deadline(e.m), UINT64_MAX);
    mux_tick(e.m, now + 1000);
    CU_ASSERT_FALSE(mux_turn(e.m, &whose));
    end_free(&e);
}

/* A laptop that leaves its network for another: 2 ms become 60. */
static void a_path_that_becomes_longer_is_believed_in_time(void)
{
    struct end e;
    uint64_t now = 5;
    end_init(&e);
    uint32_t id = opened_by_us(&e, 0, 1, NULL);
    probe(&e, id, &now, 2, 0);
    for (int i = 0; i < 15; i++) {
        probe(&e, id, &now, 60 + (uint64_t)i % 3, target(&e, id));
        CU_ASSERT_EQUAL(e.m->pace.rtt_min_ms, 2);
    }
    CU_ASSERT(target(&e, id) < MUX_WINDOW_BYTES / 8);
    probe(&e, id, &now, 61, target(&e, id));
    CU_ASSERT_EQUAL(e.m->pace.rtt_min_ms, 60);
    for (int i = 0; i < 24; i++) {
        carry(&e, id, 4 * (size_t)target(&e, id));
        probe(&e, id, &now, 60, target(&e, id));
    }
    CU_ASSERT(target(&e, id) > MUX_WINDOW_BYTES);
    for (int i = 0; i < 40; i++) /* a wait now and then is none that lasts */
        probe(&e, id, &now, i % 8 == 0 ? 60 : 500, 0);
    CU_ASSERT_EQUAL(e.m->pace.rtt_min_ms, 60);
    end_free(&e);
}

static void a_reader_that_leaves_its_data_gets_a_smaller_window(void)
{
    struct end e;
    struct mux_event event;
    uint64_t now = 5;
    end_init(&e);
    uint32_t id = opened_by_us(&e, 0, 1, NULL);
    probe(&e, id, &now, 10, 0);
    mux_probe_begin(e.m, now);
    for (int i = 0; i < 48; i++) { /* three quarters of the window, of which it reads one packet */
        CU_ASSERT_EQUAL_FATAL(say_data(&e, id, MUX_PACKET_BYTES), ERR_OK);
        while (mux_next(e.m, &event))
            ;
    }
    mux_consumed(e.m, id, MUX_PACKET_BYTES);
    mux_probe_end(e.m, now + 10);
    mux_consumed(e.m, id, 1);
    CU_ASSERT_EQUAL(target(&e, id), MUX_WINDOW_BYTES / 2);
    end_free(&e);
}

/* What the peer of one channel counts. */
struct counted {
    uint32_t id;
    uint64_t window; /* credit it has and has not used */
    uint64_t unread; /* sent, and not consumed yet */
};

/* Sends up to n bytes, as far as the window goes. */
static void send_counted(struct end *e, struct counted *c, uint64_t n)
{
    struct mux_event event;
    for (n = n < c->window ? n : c->window; n > 0;) {
        size_t part = n < MUX_PACKET_BYTES ? (size_t)n : MUX_PACKET_BYTES;
        CU_ASSERT_EQUAL_FATAL(say_data(e, c->id, part), ERR_OK);
        while (mux_next(e->m, &event))
            ;
        c->window -= part;
        c->unread += part;
        n -= part;
    }
}

/* The reader takes n bytes; credit comes back. Nothing else is ever said here. */
static void read_counted(struct end *e, struct counted *c, uint64_t n)
{
    mux_consumed(e->m, c->id, (size_t)n);
    c->unread -= n;
    for (struct heard h = hear(e); h.number != 0; h = hear(e)) {
        CU_ASSERT_EQUAL(h.number, MSG_CHANNEL_WINDOW_ADJUST);
        c->window += h.b;
    }
}

/* Whatever the path does and whoever reads how: what a peer holds in its hands, and what all of
 * them hold together, is within what the multiplexer was told. FORWARDING.md line 34: OpenSSH may
 * not be offered 16 MiB. */
static void no_window_passes_its_limit_and_all_together_keep_to_the_budget(void)
{
    enum { N = 8, STEPS = 1500, MOST = 15 * M, BUDGET = 64 * M };
    enum { NEAR = 10 }; /* ms: too short for credit to be spread, which is of each channel alone */
    uint64_t now = 5, largest = 0, largest_sum = 0;
    struct counted c[N];
    struct end e;
    srand(11);
    end_init_config(&e, (struct mux_config){.max_window = MOST, .receive_budget = BUDGET});
    for (int i = 0; i < N; i++) {
        uint32_t id = opened_by_us(&e, 0, 1, NULL);
        c[i] = (struct counted){.id = id, .window = table_find(&e.m->table, id)->recv_window};
    }
    probe(&e, c[0].id, &now, NEAR, 0);
    c[0].window -= 1; /* the byte that probe() carries */
    for (int step = 0; step < STEPS; step++) {
        bool is_slow_path = rand() % 8 == 0, is_slow_reader = rand() % 8 == 0;
        mux_probe_begin(e.m, now);
        for (int i = rand() % 4; i < N; i += 1 + rand() % 3) {
            send_counted(&e, &c[i], rand() % 3 ? UINT64_MAX : (uint64_t)rand() % M);
            read_counted(&e, &c[i], is_slow_reader ? c[i].unread / 8 : c[i].unread);
        }
        now += is_slow_path ? 800 : NEAR;
        mux_probe_end(e.m, now);
        uint64_t sum = 0;
        for (int i = 0; i < N; i++) {
            send_counted(&e, &c[i], (uint64_t)rand() % M); /* what the probe told is acted upon */
            read_counted(&e, &c[i], c[i].unread);
            uint64_t promised = c[i].window + c[i].unread;
            CU_ASSERT(promised <= MOST);
            largest = promised > largest ? promised : largest;
            sum += promised;
        }
        CU_ASSERT(sum <= BUDGET + N * (uint64_t)MUX_PACKET_BYTES);
        CU_ASSERT(e.m->promised <= BUDGET + N * (uint64_t)MUX_PACKET_BYTES);
        largest_sum = sum > largest_sum ? sum : largest_sum;
    }
    CU_ASSERT(largest > MOST - M); /* both limits were met, so they were tried */
    CU_ASSERT(largest_sum > BUDGET * 3ULL / 4);
    end_free(&e);
}

static void some_probes_are_due_at_first_and_then_only_while_bytes_flow(void)
{
    struct end e;
    end_init(&e);
    uint32_t id = opened_by_us(&e, 0, 1, NULL);
    CU_ASSERT_TRUE(mux_probe_due(e.m, 0));
    mux_probe_begin(e.m, 0);
    CU_ASSERT_FALSE(mux_probe_due(e.m, 10000)); /* one is under way */
    mux_probe_end(e.m, 3);
    CU_ASSERT_FALSE(mux_probe_due(e.m, 4)); /* not so soon again */
    for (uint64_t now = 1000; now < 4000; now += 1000) {
        CU_ASSERT_TRUE(mux_probe_due(e.m, now));
        mux_probe_begin(e.m, now);
        mux_probe_end(e.m, now);
    }
    CU_ASSERT_FALSE(mux_probe_due(e.m, 10000));
    carry(&e, id, M);
    CU_ASSERT_FALSE(mux_probe_due(e.m, 3001));
    CU_ASSERT_TRUE(mux_probe_due(e.m, 10000));
    mux_probe_end(e.m, 10000); /* an answer nobody waits for changes nothing */
    CU_ASSERT_TRUE(mux_probe_due(e.m, 10000));
    end_free(&e);
}

static const struct unit_test tests[] = {
    UNIT(a_window_that_is_used_up_in_every_round_trip_grows_to_the_limit),
    UNIT(a_window_that_is_not_the_limit_stays),
    UNIT(a_window_that_only_fills_a_queue_shrinks_to_what_the_path_needs),
    UNIT(a_window_that_shrank_grows_again_when_the_path_is_free),
    UNIT(a_path_that_becomes_longer_is_believed_in_time),
    UNIT(a_reader_that_leaves_its_data_gets_a_smaller_window),
    UNIT(who_waits_for_credit_in_vain_goes_on),
    UNIT(a_window_grows_with_what_is_consumed),
    UNIT(credit_of_a_large_window_is_spread_over_half_a_round_trip),
    UNIT(credit_of_a_large_window_on_a_long_path_goes_in_small_parts),
    UNIT(a_large_window_on_a_long_path_grows_with_what_is_consumed),
    UNIT(a_channel_that_goes_while_its_credit_waits_is_forgotten),
    UNIT(on_a_short_path_channels_that_share_it_get_small_windows),
    UNIT(on_a_short_path_that_is_shared_nobody_runs_far_ahead_of_his_credit),
    UNIT(some_probes_are_due_at_first_and_then_only_while_bytes_flow),
    UNIT(no_window_passes_its_limit_and_all_together_keep_to_the_budget),
};

UNIT_MAIN("pace", tests)
