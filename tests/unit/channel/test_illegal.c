/* Messages that come when they may not or are not what they should be, our own mistakes, and what
 * is left after a fault. */
#include "tests/unit/channel/end.h"

static int user_a;

/* ---- messages that may not come -------------------------------------------------------------- */

/* The states a number of ours can be in, as the peer sees it. */
enum state {
    NEVER_USED,
    ASKED,         /* our OPEN is unanswered */
    ASKED_CLOSED,  /* the same, and mux_close() was called */
    OWED,          /* the peer's OPEN is unanswered */
    LIVE,          /* open */
    PEER_EOF,      /* the peer sent EOF */
    WE_CLOSED,     /* we sent CLOSE */
    WE_CLOSED_EOF, /* and the peer EOF */
    PEER_CLOSED,   /* the peer sent CLOSE, we have not */
    FREED,         /* both have */
    N_STATES,
};

static uint32_t put_in_state(struct end *e, enum state state)
{
    struct mux_event event;
    uint32_t id = 12345;
    if (state == ASKED || state == ASKED_CLOSED) {
        CU_ASSERT_EQUAL(mux_open(e->m, BYTES_LIT("x"), BYTES_LIT(""), NULL, &id), ERR_OK);
        if (state == ASKED_CLOSED)
            mux_close(e->m, id);
    } else if (state == OWED) {
        CU_ASSERT_EQUAL(say_open(e, PEER_ID, 10, 10), ERR_OK);
        CU_ASSERT_TRUE(tells(e, MUX_OPEN_REQUEST, &event));
        id = event.chan;
    } else if (state != NEVER_USED) {
        id = opened_by_us(e, 100, 100, NULL);
        CU_ASSERT_EQUAL(mux_request(e->m, id, BYTES_LIT("r"), true, BYTES_LIT(""), 1), ERR_OK);
    }
    if (state == WE_CLOSED || state == WE_CLOSED_EOF || state == FREED)
        mux_close(e->m, id);
    if (state == PEER_EOF || state == WE_CLOSED_EOF)
        CU_ASSERT_EQUAL(say_id(e, MSG_CHANNEL_EOF, id), ERR_OK);
    if (state == PEER_CLOSED || state == FREED)
        CU_ASSERT_EQUAL(say_id(e, MSG_CHANNEL_CLOSE, id), ERR_OK);
    while (mux_next(e->m, &event))
        ;
    while (hear(e).number != 0)
        ;
    return id;
}

static enum err say_number(struct end *e, uint8_t number, uint32_t id)
{
    switch (number) {
    case MSG_CHANNEL_OPEN_CONFIRMATION: return say_confirm(e, id, 5, 5, 5);
    case MSG_CHANNEL_OPEN_FAILURE: return say_failure(e, id);
    case MSG_CHANNEL_WINDOW_ADJUST: return say_adjust(e, id, 1);
    case MSG_CHANNEL_DATA: return say_data(e, id, 1);
    case MSG_CHANNEL_EXTENDED_DATA: return say_extended(e, id, 1);
    case MSG_CHANNEL_REQUEST: return say_request(e, id, true);
    default: return say_id(e, number, id);
    }
}

static bool may_come(uint8_t number, enum state state)
{
    bool is_open = state == LIVE || state == WE_CLOSED;
    bool had_eof = state == PEER_EOF || state == WE_CLOSED_EOF;
    switch (number) {
    case MSG_CHANNEL_OPEN_CONFIRMATION:
    case MSG_CHANNEL_OPEN_FAILURE: return state == ASKED || state == ASKED_CLOSED;
    case MSG_CHANNEL_DATA:
    case MSG_CHANNEL_EXTENDED_DATA: return is_open;
    case MSG_CHANNEL_WINDOW_ADJUST: /* behind the end of a channel it changes nothing */
        return state != ASKED && state != ASKED_CLOSED && state != OWED;
    default: return is_open || had_eof;
    }
}

static void every_message_in_every_state_is_taken_or_ends_the_connection(void)
{
    for (enum state state = NEVER_USED; state < N_STATES; state++) {
        for (uint8_t number = MSG_CHANNEL_OPEN + 1; number <= MSG_CHANNEL_FAILURE; number++) {
            struct end e;
            end_init(&e);
            uint32_t id = put_in_state(&e, state);
            size_t n_before = mux_n_channels(e.m);
            enum err got = say_number(&e, number, id);
            CU_ASSERT_EQUAL(got, may_come(number, state) ? ERR_OK : ERR_PROTOCOL);
            CU_ASSERT_EQUAL(mux_fault(e.m)->code, got);
            if (got != ERR_OK) {
                CU_ASSERT_TRUE(tells_nothing(&e));
                CU_ASSERT_TRUE(hears_nothing(&e));
                CU_ASSERT_EQUAL(mux_n_channels(e.m), n_before);
            }
            end_free(&e);
        }
    }
}

static void every_number_outside_the_table_finds_no_channel(void)
{
    static const uint32_t ids[] = {1, 63, 64, 65535, 0x7fffffff, 0x80000000, UINT32_MAX};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct end e;
        end_init(&e);
        CU_ASSERT_EQUAL(opened_by_us(&e, 1, 1, NULL), 0);
        CU_ASSERT_EQUAL(say_data(&e, ids[i], 1), ERR_PROTOCOL);
        end_free(&e);
    }
}

/* Every strict prefix of every message, and every message with one byte more, is malformed; except
 * where the rest is free-form. */
static void messages_have_exact_lengths(void)
{
    for (uint8_t number = MSG_GLOBAL_REQUEST; number <= MSG_CHANNEL_FAILURE; number++) {
        struct end e;
        end_init(&e);
        uint32_t id = put_in_state(&e, LIVE);
        (void)say_number(&e, number, id); /* leaves the message in end_said */
        end_free(&e);
        bool is_free = number == MSG_CHANNEL_OPEN_CONFIRMATION || number == MSG_CHANNEL_REQUEST;
        size_t n = number == MSG_CHANNEL_OPEN_CONFIRMATION ? 17
                   : number == MSG_CHANNEL_OPEN_FAILURE    ? 1 + 4 + 4 + 4 + 18 + 4
                   : number == MSG_CHANNEL_WINDOW_ADJUST   ? 9
                   : number == MSG_CHANNEL_DATA            ? 10
                   : number == MSG_CHANNEL_EXTENDED_DATA   ? 14
                   : number == MSG_CHANNEL_REQUEST         ? 1 + 4 + 4 + 21 + 1
                                                           : 5;
        if (number <= MSG_CHANNEL_OPEN && number != MSG_REQUEST_FAILURE)
            continue;
        if (number == MSG_REQUEST_FAILURE)
            n = 1;
        uint8_t copy[64] = {0};
        memcpy(copy, end_said, n);
        for (size_t cut = 1; cut <= n + 1; cut++) {
            if (cut == n || (is_free && cut > n))
                continue;
            end_init(&e);
            put_in_state(&e, LIVE);
            CU_ASSERT_EQUAL(mux_packet(e.m, (struct bytes){copy, cut}), ERR_MALFORMED);
            end_free(&e);
        }
    }
}

static void an_empty_packet_is_malformed_and_undefined_numbers_change_nothing(void)
{
    struct end e;
    end_init(&e);
    uint32_t id = opened_by_us(&e, 10, 10, NULL);
    for (unsigned number = 0; number < 256; number++) {
        uint8_t p[5] = {(uint8_t)number};
        bool is_defined = (number >= MSG_GLOBAL_REQUEST && number <= MSG_REQUEST_FAILURE) ||
                          (number >= MSG_CHANNEL_OPEN && number <= MSG_CHANNEL_FAILURE);
        if (!is_defined)
            CU_ASSERT_EQUAL(mux_packet(e.m, (struct bytes){p, sizeof p}), ERR_OK);
    }
    CU_ASSERT_TRUE(tells_nothing(&e));
    CU_ASSERT_TRUE(hears_nothing(&e));
    CU_ASSERT_EQUAL(mux_send_window(e.m, id), 10);
    CU_ASSERT_EQUAL(mux_packet(e.m, (struct bytes){NULL, 0}), ERR_MALFORMED);
    end_free(&e);
}

/* ---- our own mistakes, and after a fault ----------------------------------------------------- */

static void calls_in_the_wrong_state_do_no_harm(void)
{
    struct end e;
    struct mux_span spans[2];
    struct mux_event event;
    uint32_t id, asked;
    end_init(&e);
    id = opened_by_us(&e, 10, 10, &user_a);
    CU_ASSERT_EQUAL(mux_open(e.m, BYTES_LIT("x"), BYTES_LIT(""), NULL, &asked), ERR_OK);
    CU_ASSERT_EQUAL(hear(&e).number, MSG_CHANNEL_OPEN);
    CU_ASSERT_EQUAL(mux_confirm(e.m, id, NULL), ERR_INTERNAL);
    CU_ASSERT_EQUAL(mux_confirm(e.m, asked, NULL), ERR_INTERNAL);
    CU_ASSERT_EQUAL(mux_confirm(e.m, 4000, NULL), ERR_INTERNAL);
    CU_ASSERT_EQUAL(mux_request(e.m, asked, BYTES_LIT("x"), 0, BYTES_LIT(""), 0), ERR_INTERNAL);
    CU_ASSERT_EQUAL(mux_request(e.m, 4000, BYTES_LIT("x"), 0, BYTES_LIT(""), 0), ERR_INTERNAL);
    mux_refuse(e.m, id, 1, "");
    mux_refuse(e.m, 4000, 1, "");
    mux_reply(e.m, id, true);
    mux_reply(e.m, 4000, true);
    mux_consumed(e.m, id, SIZE_MAX);
    mux_consumed(e.m, 4000, 1);
    mux_eof(e.m, 4000);
    mux_close(e.m, 4000);
    mux_detach(e.m, 4000);
    mux_want(e.m, 4000);
    mux_rest(e.m, 4000);
    mux_set_user(e.m, 4000, &user_a);
    mux_global_reply(e.m, 0, true, BYTES_LIT(""));
    CU_ASSERT_PTR_NULL(mux_user(e.m, 4000));
    CU_ASSERT_EQUAL(mux_data_slots(e.m, 4000, spans, 2), 0);
    CU_ASSERT_EQUAL(mux_data_slots(e.m, id, spans, 2), 0); /* it does not want */
    CU_ASSERT_EQUAL(mux_send_window(e.m, 4000), 0);
    CU_ASSERT_TRUE(hears_nothing(&e));
    CU_ASSERT_EQUAL(mux_fault(e.m)->code, ERR_OK);
    CU_ASSERT_FALSE(mux_next(e.m, &event));
    mux_free(NULL);
    end_free(&e);
}

static void events_that_are_not_pulled_are_our_mistake(void)
{
    struct end e;
    end_init(&e);
    uint32_t id = opened_by_us(&e, 10, 10, NULL);
    enum err got = ERR_OK;
    for (int i = 0; i < 10 && got == ERR_OK; i++)
        got = say_data(&e, id, 1);
    CU_ASSERT_EQUAL(got, ERR_INTERNAL);
    end_free(&e);
}

static void after_a_fault_every_call_does_nothing(void)
{
    struct end e;
    struct mux_span spans[2];
    struct mux_event event;
    uint32_t id, other;
    void *user;
    end_init(&e);
    id = opened_by_us(&e, 10, 10, &user_a);
    mux_want(e.m, id);
    CU_ASSERT_EQUAL(say_data(&e, 4000, 1), ERR_PROTOCOL);
    CU_ASSERT_TRUE(strstr(mux_fault(e.m)->text, "4000") != NULL);
    CU_ASSERT_EQUAL(say_data(&e, id, 1), ERR_PROTOCOL);
    CU_ASSERT_EQUAL(mux_open(e.m, BYTES_LIT("x"), BYTES_LIT(""), NULL, &other), ERR_PROTOCOL);
    CU_ASSERT_EQUAL(mux_confirm(e.m, id, NULL), ERR_PROTOCOL);
    CU_ASSERT_EQUAL(mux_request(e.m, id, BYTES_LIT("x"), 0, BYTES_LIT(""), 0), ERR_PROTOCOL);
    CU_ASSERT_EQUAL(mux_global_request(e.m, BYTES_LIT("x"), 0, BYTES_LIT(""), 0), ERR_PROTOCOL);
    CU_ASSERT_FALSE(mux_turn(e.m, &other));
    CU_ASSERT_EQUAL(mux_data_slots(e.m, id, spans, 2), 0);
    mux_data_commit(e.m, id, 1);
    mux_consumed(e.m, id, 1);
    mux_want(e.m, id);
    mux_rest(e.m, id);
    mux_eof(e.m, id);
    mux_reply(e.m, id, true);
    mux_global_reply(e.m, 0, true, BYTES_LIT(""));
    mux_refuse(e.m, id, 1, "");
    mux_close(e.m, id);
    CU_ASSERT_FALSE(mux_next(e.m, &event));
    CU_ASSERT_TRUE(hears_nothing(&e));
    other = UINT32_MAX; /* what is there can still be found, to be cleared away */
    CU_ASSERT_TRUE(mux_each(e.m, &other, &user));
    CU_ASSERT_PTR_EQUAL(user, &user_a);
    end_free(&e);
}

static void a_fault_takes_waiting_events_with_it(void)
{
    struct end e;
    end_init(&e);
    uint32_t id = opened_by_us(&e, 10, 10, NULL);
    CU_ASSERT_EQUAL(say_data(&e, id, 1), ERR_OK);
    CU_ASSERT_EQUAL(say_data(&e, 4000, 1), ERR_PROTOCOL);
    CU_ASSERT_TRUE(tells_nothing(&e));
    end_free(&e);
}

/* Each call that sends something, when the transport has failed meanwhile. */
static void a_failed_transport_is_a_fault_here_too(void)
{
    for (int call = 0; call < 9; call++) {
        struct end e;
        struct mux_event event;
        uint32_t other;
        end_init(&e);
        uint32_t id = opened_by_us(&e, 10, 10, NULL);
        for (int i = 0; i < 9; i++) {
            CU_ASSERT_EQUAL(say_data(&e, id, MUX_PACKET_BYTES), ERR_OK);
            CU_ASSERT_TRUE(tells(&e, MUX_DATA, &event));
        }
        CU_ASSERT_EQUAL(say_request(&e, id, true), ERR_OK);
        CU_ASSERT_TRUE(tells(&e, MUX_REQUEST, &event));
        CU_ASSERT_EQUAL(say_global(&e, true), ERR_OK);
        CU_ASSERT_TRUE(tells(&e, MUX_GLOBAL_REQUEST, &event));
        CU_ASSERT_EQUAL(say_open(&e, PEER_ID, 10, 10), ERR_OK);
        CU_ASSERT_TRUE(tells(&e, MUX_OPEN_REQUEST, &event));
        e.is_dead = true;
        enum err got = ERR_CLOSED;
        switch (call) {
        case 0: got = mux_open(e.m, BYTES_LIT("x"), BYTES_LIT(""), NULL, &other); break;
        case 1: got = mux_confirm(e.m, event.chan, NULL); break;
        case 2: got = mux_request(e.m, id, BYTES_LIT("x"), true, BYTES_LIT(""), 1); break;
        case 3: got = mux_global_request(e.m, BYTES_LIT("x"), true, BYTES_LIT(""), 1); break;
        case 4: mux_consumed(e.m, id, 9 * MUX_PACKET_BYTES); break;
        case 5: mux_eof(e.m, id); break;
        case 6: mux_reply(e.m, id, true); break;
        case 7: mux_global_reply(e.m, 0, true, BYTES_LIT("")); break;
        case 8: mux_refuse(e.m, event.chan, OPEN_CONNECT_FAILED, ""); break;
        }
        CU_ASSERT_EQUAL(got, ERR_CLOSED);
        CU_ASSERT_EQUAL(mux_fault(e.m)->code, ERR_CLOSED);
        CU_ASSERT_TRUE(mux_n_channels(e.m) <= 2);
        CU_ASSERT_EQUAL(mux_open(e.m, BYTES_LIT("x"), BYTES_LIT(""), NULL, &other), ERR_CLOSED);
        end_free(&e);
    }
}

static const struct unit_test tests[] = {
    UNIT(every_message_in_every_state_is_taken_or_ends_the_connection),
    UNIT(every_number_outside_the_table_finds_no_channel),
    UNIT(messages_have_exact_lengths),
    UNIT(an_empty_packet_is_malformed_and_undefined_numbers_change_nothing),
    UNIT(calls_in_the_wrong_state_do_no_harm),
    UNIT(events_that_are_not_pulled_are_our_mistake),
    UNIT(after_a_fault_every_call_does_nothing),
    UNIT(a_fault_takes_waiting_events_with_it),
    UNIT(a_failed_transport_is_a_fault_here_too),
};
UNIT_MAIN("channel/illegal", tests)
