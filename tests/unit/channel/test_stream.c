/* Two multiplexers back to back: what goes in at one end of a channel comes out at the other, all
 * of it, in order, whatever the schedule. */
#include "tests/unit/channel/end.h"

enum { N_STREAMS = 100, MOST_BYTES = 300000 };

/* One side of one channel: what it sends and what it gets. */
struct side {
    struct end *end;
    uint32_t id;
    uint32_t to_send, sent; /* bytes */
    uint32_t got, unread;   /* bytes that came, and those of them not consumed yet */
    uint8_t seed;           /* of the bytes it sends */
    bool is_open, eof_sent, eof_got, closed_sent, closed_got, was_clean;
    bool is_stuck; /* never consumes */
    const struct side *peer;
};

static struct side left[N_STREAMS], right[N_STREAMS];
static uint32_t n_opened;
static uint64_t chance_state;

/* xorshift64: the same every time, everywhere. */
static uint32_t chance(uint32_t below)
{
    chance_state ^= chance_state << 13;
    chance_state ^= chance_state >> 7;
    chance_state ^= chance_state << 17;
    return (uint32_t)(chance_state >> 32) % below;
}

static uint8_t byte_at(uint8_t seed, uint32_t offset)
{
    return (uint8_t)(offset * 31 + (offset >> 8) * 7 + seed);
}

static void check_data(struct side *s, struct bytes data)
{
    bool is_right = !s->eof_got && s->got + data.n <= s->peer->sent;
    for (size_t i = 0; i < data.n && is_right; i++)
        is_right = data.p[i] == byte_at(s->peer->seed, s->got + (uint32_t)i);
    CU_ASSERT_TRUE(is_right);
    s->got += (uint32_t)data.n;
    s->unread += (uint32_t)data.n;
}

static void take_event(struct end *end, const struct mux_event *event)
{
    struct side *s = event->user;
    switch (event->type) {
    case MUX_OPEN_REQUEST:
        s = &(end == left[0].end ? left : right)[load_be32(event->rest.p)];
        s->id = event->chan;
        s->is_open = true;
        CU_ASSERT_EQUAL(mux_confirm(end->m, event->chan, s), ERR_OK);
        break;
    case MUX_OPENED: s->is_open = true; break;
    case MUX_DATA: check_data(s, event->data); break;
    case MUX_EOF:
        s->eof_got = true;
        CU_ASSERT_EQUAL(s->got, s->peer->sent);
        break;
    case MUX_CLOSED:
        CU_ASSERT_FALSE(s->closed_got);
        s->closed_got = true;
        s->was_clean = event->clean;
        break;
    default: CU_FAIL("an event that nothing here causes"); break;
    }
}

static bool move_packet(struct end *from, struct end *to)
{
    struct mux_event event;
    if (!relay(from, to))
        return false;
    while (mux_next(to->m, &event))
        take_event(to, &event);
    return true;
}

/* One turn; the read is as long as chance has it. */
static bool send_turn(struct end *end)
{
    struct mux_span spans[16];
    uint32_t id;
    if (!mux_turn(end->m, &id))
        return false;
    struct side *s = mux_user(end->m, id);
    size_t n_spans = mux_data_slots(end->m, id, spans, 1 + chance(16));
    uint32_t n = 0, most = s->to_send - s->sent;
    most = most < 2 ? most : 1 + chance(most);
    for (size_t i = 0; i < n_spans; i++)
        for (size_t k = 0; k < spans[i].n && n < most; k++)
            ((uint8_t *)spans[i].base)[k] = byte_at(s->seed, s->sent + n++);
    s->sent += n;
    mux_data_commit(end->m, id, n);
    if (s->sent == s->to_send || chance(4) == 0)
        mux_rest(end->m, id);
    return n > 0;
}

static void consume_some(struct side *s)
{
    if (s->unread == 0 || s->is_stuck || s->closed_sent)
        return;
    uint32_t n = 1 + chance(s->unread);
    mux_consumed(s->end->m, s->id, n);
    s->unread -= n;
}

/* What its local socket would do: want, EOF at the end, CLOSE after both. */
static void live(struct side *s)
{
    if (!s->is_open || s->closed_sent)
        return;
    consume_some(s);
    if (s->sent < s->to_send) {
        mux_want(s->end->m, s->id);
        return;
    }
    if (!s->eof_sent) {
        mux_eof(s->end->m, s->id);
        s->eof_sent = true;
    }
    if (s->eof_got && s->unread == 0) {
        mux_close(s->end->m, s->id);
        s->closed_sent = true;
    }
}

static void open_stream(uint32_t i)
{
    uint8_t rest[4];
    store_be32(rest, i);
    struct side *s = i % 2 ? &left[i] : &right[i];
    CU_ASSERT_EQUAL(
        mux_open(s->end->m, BYTES_LIT("direct-tcpip"), (struct bytes){rest, 4}, s, &s->id), ERR_OK);
}

static void set_up(struct end *a, struct end *b, uint64_t seed, uint64_t budget)
{
    chance_state = seed * 2654435761 + 1;
    n_opened = 0;
    end_init_config(a, (struct mux_config){.role = ROLE_CLIENT, .receive_budget = budget});
    end_init_config(b, (struct mux_config){.role = ROLE_SERVER, .receive_budget = budget});
    for (uint32_t i = 0; i < N_STREAMS; i++) {
        left[i] = (struct side){.end = a, .seed = (uint8_t)i, .peer = &right[i]};
        right[i] = (struct side){.end = b, .seed = (uint8_t)(i + 128), .peer = &left[i]};
        left[i].to_send = chance(10) == 0 ? 0 : chance(MOST_BYTES);
        right[i].to_send = chance(10) == 0 ? 0 : chance(MOST_BYTES);
    }
}

/* Runs until nothing has moved for so long that it is not for lack of chance. */
static void run(struct end *a, struct end *b)
{
    for (unsigned quiet = 0; quiet < 500; quiet++) {
        if (n_opened < N_STREAMS && chance(3) == 0)
            open_stream(n_opened++);
        a->is_congested = chance(5) == 0;
        b->is_congested = chance(5) == 0;
        a->max_slots = 1 + chance(8);
        bool has_moved = false;
        for (uint32_t i = chance(7); i < N_STREAMS; i += 1 + chance(7)) {
            live(&left[i]);
            live(&right[i]);
        }
        for (uint32_t n = chance(40); n > 0; n--)
            has_moved |= send_turn(chance(2) ? a : b);
        for (uint32_t n = chance(80); n > 0; n--)
            has_moved |= n % 2 ? move_packet(a, b) : move_packet(b, a);
        if (has_moved)
            quiet = 0;
    }
}

static void a_hundred_channels_carry_every_byte_both_ways(void)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct end a, b;
        set_up(&a, &b, seed, seed % 2 ? 0 : 1 << 20); /* ample, or one packet a channel */
        run(&a, &b);
        CU_ASSERT_EQUAL(mux_fault(a.m)->code, ERR_OK);
        CU_ASSERT_EQUAL(mux_fault(b.m)->code, ERR_OK);
        for (uint32_t i = 0; i < N_STREAMS; i++) {
            CU_ASSERT_EQUAL(left[i].got, right[i].to_send);
            CU_ASSERT_EQUAL(right[i].got, left[i].to_send);
            CU_ASSERT_TRUE(left[i].eof_got && right[i].eof_got);
            CU_ASSERT_TRUE(!left[i].closed_got || left[i].was_clean);
            CU_ASSERT_TRUE(!right[i].closed_got || right[i].was_clean);
        }
        CU_ASSERT_EQUAL(mux_n_channels(a.m), 0);
        CU_ASSERT_EQUAL(mux_n_channels(b.m), 0);
        end_free(&a);
        end_free(&b);
    }
}

static void a_receiver_that_stops_consuming_blocks_only_its_own_channel(void)
{
    struct end a, b;
    set_up(&a, &b, 5, 0);
    for (uint32_t i = 0; i < N_STREAMS; i += 10) {
        right[i].is_stuck = true;
        left[i].to_send = MUX_WINDOW_BYTES + 1000;
    }
    run(&a, &b);
    for (uint32_t i = 0; i < N_STREAMS; i++) {
        CU_ASSERT_EQUAL(left[i].got, right[i].to_send);
        if (right[i].is_stuck) {
            CU_ASSERT_EQUAL(right[i].got, MUX_WINDOW_BYTES);
            CU_ASSERT_FALSE(right[i].eof_got);
        } else
            CU_ASSERT_EQUAL(right[i].got, left[i].to_send);
    }
    CU_ASSERT_EQUAL(mux_n_channels(a.m), N_STREAMS / 10);
    for (uint32_t i = 0; i < N_STREAMS; i += 10)
        right[i].is_stuck = false;
    run(&a, &b); /* and when it goes on, so does the rest */
    CU_ASSERT_EQUAL(mux_n_channels(a.m), 0);
    end_free(&a);
    end_free(&b);
}

static const struct unit_test tests[] = {
    UNIT(a_hundred_channels_carry_every_byte_both_ways),
    UNIT(a_receiver_that_stops_consuming_blocks_only_its_own_channel),
};
UNIT_MAIN("channel/stream", tests)
