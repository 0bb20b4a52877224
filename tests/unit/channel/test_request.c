/* Channel requests and global requests: replies find their question by order alone. */
#include "tests/unit/channel/end.h"

static int user_a;

static enum err ask(struct end *e, uint32_t id, bool want_reply, uint32_t token)
{
    return mux_request(e->m, id, BYTES_LIT("exec"), want_reply, BYTES_LIT("rest"), token);
}

static enum err ask_global(struct end *e, bool want_reply, uint32_t token)
{
    return mux_global_request(
        e->m, BYTES_LIT("keepalive@openssh.com"), want_reply, BYTES_LIT("rest"), token);
}

static enum err say_success(struct end *e, const char *body)
{
    struct wire_writer w = wire_writer(end_said, sizeof end_said);
    wire_put_u8(&w, MSG_REQUEST_SUCCESS);
    wire_put_raw(&w, bytes_of(body));
    return say(e, &w);
}

static enum err say_request_failure(struct end *e)
{
    return say_bytes(e, (struct bytes){(const uint8_t[]){MSG_REQUEST_FAILURE}, 1});
}

/* ---- channel requests ------------------------------------------------------------------------ */

static void a_channel_request_travels_whole(void)
{
    struct end e;
    struct msg_channel_request msg;
    end_init(&e);
    uint32_t id = opened_by_us(&e, 10, 10, NULL);
    CU_ASSERT_EQUAL(ask(&e, id, true, 1), ERR_OK);
    struct bytes p = end_take(&e);
    struct wire_reader r = wire_reader((struct bytes){p.p + 1, p.n - 1});
    CU_ASSERT_EQUAL(p.p[0], MSG_CHANNEL_REQUEST);
    CU_ASSERT_EQUAL_FATAL(msg_channel_request_decode(&r, &msg), ERR_OK);
    CU_ASSERT_EQUAL(msg.recipient, PEER_ID);
    CU_ASSERT_TRUE(bytes_is(msg.name, "exec"));
    CU_ASSERT_TRUE(msg.want_reply);
    CU_ASSERT_TRUE(bytes_is(msg.rest, "rest"));
    end_free(&e);
}

static void channel_replies_come_in_order_and_at_most_8_are_awaited(void)
{
    struct end e;
    struct mux_event event;
    end_init(&e);
    uint32_t id = opened_by_us(&e, 10, 10, &user_a);
    uint32_t asked = 0, answered = 0;
    for (int round = 0; round < 20; round++) {
        while (asked - answered < 8)
            CU_ASSERT_EQUAL(ask(&e, id, true, asked++), ERR_OK);
        CU_ASSERT_EQUAL(ask(&e, id, true, 0), ERR_LIMIT);
        CU_ASSERT_EQUAL(ask(&e, id, false, 0), ERR_OK); /* awaits nothing */
        for (int i = 0; i < 5; i++) {
            bool ok = answered % 3 == 0;
            uint8_t number = ok ? MSG_CHANNEL_SUCCESS : MSG_CHANNEL_FAILURE;
            CU_ASSERT_EQUAL(say_id(&e, number, id), ERR_OK);
            CU_ASSERT_TRUE(tells(&e, MUX_REPLY, &event));
            CU_ASSERT_EQUAL(event.token, answered++);
            CU_ASSERT_EQUAL(event.ok, ok);
            CU_ASSERT_PTR_EQUAL(event.user, &user_a);
        }
    }
    end_free(&e);
}

static void a_channel_reply_to_nothing_ends_the_connection(void)
{
    for (int with_request = 0; with_request < 2; with_request++) {
        struct end e;
        end_init(&e);
        uint32_t id = opened_by_us(&e, 10, 10, NULL);
        if (with_request)
            CU_ASSERT_EQUAL(ask(&e, id, false, 0), ERR_OK); /* wants no reply */
        CU_ASSERT_EQUAL(say_id(&e, MSG_CHANNEL_FAILURE, id), ERR_PROTOCOL);
        end_free(&e);
    }
}

static void no_requests_after_close_either_way(void)
{
    struct end e;
    struct mux_event event;
    end_init(&e);
    uint32_t a = opened_by_us(&e, 10, 10, NULL), b = opened_by_us(&e, 10, 10, NULL);
    mux_eof(e.m, a);
    CU_ASSERT_EQUAL(ask(&e, a, false, 0), ERR_OK); /* EOF ends data only */
    mux_close(e.m, a);
    CU_ASSERT_EQUAL(ask(&e, a, false, 0), ERR_CLOSED);
    CU_ASSERT_EQUAL(say_id(&e, MSG_CHANNEL_CLOSE, b), ERR_OK);
    CU_ASSERT_TRUE(tells(&e, MUX_CLOSED, &event));
    CU_ASSERT_EQUAL(ask(&e, b, false, 0), ERR_CLOSED);
    end_free(&e);
}

static void the_peers_requests_are_answered_exactly_once(void)
{
    struct end e;
    struct mux_event event;
    end_init(&e);
    uint32_t id = opened_by_us(&e, 10, 10, &user_a);
    CU_ASSERT_EQUAL(say_request(&e, id, false), ERR_OK);
    CU_ASSERT_TRUE(tells(&e, MUX_REQUEST, &event));
    CU_ASSERT_TRUE(bytes_is(event.name, "keepalive@openssh.com"));
    CU_ASSERT_FALSE(event.want_reply);
    mux_reply(e.m, id, true); /* it wants none */
    CU_ASSERT_TRUE(hears_nothing(&e));
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(say_request(&e, id, true), ERR_OK);
        CU_ASSERT_TRUE(tells(&e, MUX_REQUEST, &event));
        CU_ASSERT_TRUE(event.want_reply);
    }
    mux_reply(e.m, id, true);
    mux_reply(e.m, id, false);
    mux_reply(e.m, id, true);
    mux_reply(e.m, id, true);
    CU_ASSERT_TRUE(hears(&e, MSG_CHANNEL_SUCCESS, PEER_ID));
    CU_ASSERT_TRUE(hears(&e, MSG_CHANNEL_FAILURE, PEER_ID));
    CU_ASSERT_TRUE(hears(&e, MSG_CHANNEL_SUCCESS, PEER_ID));
    CU_ASSERT_TRUE(hears_nothing(&e));
    CU_ASSERT_EQUAL(say_request(&e, id, true), ERR_OK);
    CU_ASSERT_TRUE(tells(&e, MUX_REQUEST, &event));
    CU_ASSERT_EQUAL(say_id(&e, MSG_CHANNEL_CLOSE, id), ERR_OK);
    CU_ASSERT_TRUE(tells(&e, MUX_CLOSED, &event));
    mux_reply(e.m, id, true); /* too late to be of use to anyone */
    CU_ASSERT_TRUE(hears_nothing(&e));
    end_free(&e);
}

static void a_flood_of_unanswered_channel_requests_ends_the_connection(void)
{
    struct end e;
    struct mux_event event;
    end_init(&e);
    uint32_t id = opened_by_us(&e, 10, 10, NULL);
    for (int i = 0; i < MUX_MAX_PENDING; i++) {
        CU_ASSERT_EQUAL(say_request(&e, id, true), ERR_OK);
        CU_ASSERT_TRUE(tells(&e, MUX_REQUEST, &event));
    }
    CU_ASSERT_EQUAL(say_request(&e, id, true), ERR_LIMIT);
    end_free(&e);
}

/* ---- global requests ------------------------------------------------------------------------- */

static void global_replies_come_in_order_of_asking(void)
{
    struct end e;
    struct mux_event event;
    end_init(&e);
    CU_ASSERT_EQUAL(ask_global(&e, true, 10), ERR_OK);
    CU_ASSERT_EQUAL(ask_global(&e, false, 11), ERR_OK); /* gets no reply */
    CU_ASSERT_EQUAL(ask_global(&e, true, 12), ERR_OK);
    struct msg_global_request msg;
    struct bytes p = end_take(&e);
    struct wire_reader r = wire_reader((struct bytes){p.p + 1, p.n - 1});
    CU_ASSERT_EQUAL(p.p[0], MSG_GLOBAL_REQUEST);
    CU_ASSERT_EQUAL_FATAL(msg_global_request_decode(&r, &msg), ERR_OK);
    CU_ASSERT_TRUE(bytes_is(msg.name, "keepalive@openssh.com"));
    CU_ASSERT_TRUE(bytes_is(msg.rest, "rest"));

    CU_ASSERT_EQUAL(say_success(&e, "port"), ERR_OK);
    CU_ASSERT_TRUE(tells(&e, MUX_GLOBAL_REPLY, &event));
    CU_ASSERT_EQUAL(event.token, 10);
    CU_ASSERT_TRUE(event.ok);
    CU_ASSERT_TRUE(bytes_is(event.rest, "port"));
    CU_ASSERT_EQUAL(say_request_failure(&e), ERR_OK);
    CU_ASSERT_TRUE(tells(&e, MUX_GLOBAL_REPLY, &event));
    CU_ASSERT_EQUAL(event.token, 12);
    CU_ASSERT_FALSE(event.ok);
    CU_ASSERT_EQUAL(say_request_failure(&e), ERR_PROTOCOL);
    end_free(&e);
}

static void a_global_success_to_nothing_ends_the_connection(void)
{
    struct end e;
    end_init(&e);
    CU_ASSERT_EQUAL(say_success(&e, ""), ERR_PROTOCOL);
    end_free(&e);
}

static void global_requests_of_ours_are_bounded(void)
{
    struct end e;
    struct mux_event event;
    end_init(&e);
    uint32_t asked = 0, answered = 0;
    for (int round = 0; round < 3; round++) {
        while (asked - answered < MUX_MAX_PENDING)
            CU_ASSERT_EQUAL(ask_global(&e, true, asked++), ERR_OK);
        CU_ASSERT_EQUAL(ask_global(&e, true, asked), ERR_LIMIT);
        for (int i = 0; i < 700; i++) {
            CU_ASSERT_EQUAL(say_success(&e, ""), ERR_OK);
            CU_ASSERT_TRUE(tells(&e, MUX_GLOBAL_REPLY, &event));
            CU_ASSERT_EQUAL(event.token, answered++);
        }
    }
    end_free(&e);
}

/* The rings grow while their oldest element is not at their start. */
static void order_holds_while_more_and_more_is_open(void)
{
    struct end e;
    struct mux_event event;
    uint32_t asked = 0, answered = 0, owed = 0, paid = 0;
    end_init(&e);
    for (int round = 0; round < 60; round++) {
        for (int i = 0; i < 5; i++) {
            CU_ASSERT_EQUAL(ask_global(&e, true, asked++), ERR_OK);
            CU_ASSERT_EQUAL(say_global(&e, true), ERR_OK);
            CU_ASSERT_TRUE(tells(&e, MUX_GLOBAL_REQUEST, &event));
            CU_ASSERT_EQUAL(event.ticket, owed++);
            if (i > 1) /* some answers wait for others */
                mux_global_reply(e.m, event.ticket, true, (struct bytes){(uint8_t *)&owed, 4});
        }
        for (int i = 0; i < 3; i++) {
            CU_ASSERT_EQUAL(say_success(&e, ""), ERR_OK);
            CU_ASSERT_TRUE(tells(&e, MUX_GLOBAL_REPLY, &event));
            CU_ASSERT_EQUAL(event.token, answered++);
            mux_global_reply(e.m, paid++, false, BYTES_LIT(""));
        }
        for (struct heard h = hear(&e); h.number != 0; h = hear(&e))
            CU_ASSERT_TRUE(h.number != MSG_REQUEST_SUCCESS || h.payload.n == 5);
    }
    end_free(&e);
}

static void answers_given_in_any_order_are_sent_in_the_order_asked(void)
{
    struct end e;
    struct mux_event event;
    uint32_t tickets[5];
    end_init(&e);
    for (int i = 0; i < 5; i++) {
        CU_ASSERT_EQUAL(say_global(&e, false), ERR_OK);
        CU_ASSERT_TRUE(tells(&e, MUX_GLOBAL_REQUEST, &event));
        CU_ASSERT_FALSE(event.want_reply);
        CU_ASSERT_EQUAL(say_global(&e, true), ERR_OK);
        CU_ASSERT_TRUE(tells(&e, MUX_GLOBAL_REQUEST, &event));
        CU_ASSERT_TRUE(event.want_reply);
        CU_ASSERT_TRUE(bytes_is(event.name, "tcpip-forward"));
        CU_ASSERT_TRUE(bytes_is(event.rest, "body"));
        tickets[i] = event.ticket;
    }
    mux_global_reply(e.m, tickets[3], true, BYTES_LIT("three"));
    mux_global_reply(e.m, tickets[3], false, BYTES_LIT("")); /* once is enough */
    mux_global_reply(e.m, tickets[1], false, BYTES_LIT("no body in a failure"));
    mux_global_reply(e.m, tickets[4] + 1, true, BYTES_LIT("nobody asked"));
    CU_ASSERT_TRUE(hears_nothing(&e));
    mux_global_reply(e.m, tickets[0], true, BYTES_LIT("zero"));
    struct heard h = hear(&e);
    CU_ASSERT_EQUAL(h.number, MSG_REQUEST_SUCCESS);
    CU_ASSERT_TRUE(bytes_is(h.payload, "Qzero")); /* 81 is 'Q' */
    h = hear(&e);
    CU_ASSERT_EQUAL(h.number, MSG_REQUEST_FAILURE);
    CU_ASSERT_EQUAL(h.payload.n, 1);
    CU_ASSERT_TRUE(hears_nothing(&e));
    mux_global_reply(e.m, tickets[0], true, BYTES_LIT("again"));
    CU_ASSERT_TRUE(hears_nothing(&e));
    mux_global_reply(e.m, tickets[2], false, BYTES_LIT("nor in this"));
    h = hear(&e);
    CU_ASSERT_EQUAL(h.number, MSG_REQUEST_FAILURE);
    CU_ASSERT_EQUAL(h.payload.n, 1);
    CU_ASSERT_TRUE(bytes_is(hear(&e).payload, "Qthree"));
    CU_ASSERT_TRUE(hears_nothing(&e));
    end_free(&e); /* one is never answered */
}

static void a_flood_of_unanswered_global_requests_ends_the_connection(void)
{
    struct end e;
    struct mux_event event;
    end_init(&e);
    for (int i = 0; i < MUX_MAX_PENDING; i++) {
        CU_ASSERT_EQUAL(say_global(&e, true), ERR_OK);
        CU_ASSERT_TRUE(tells(&e, MUX_GLOBAL_REQUEST, &event));
        if (i > 0)
            mux_global_reply(e.m, event.ticket, true, BYTES_LIT("waits for the first"));
    }
    CU_ASSERT_EQUAL(say_global(&e, false), ERR_OK); /* costs nothing */
    CU_ASSERT_TRUE(tells(&e, MUX_GLOBAL_REQUEST, &event));
    CU_ASSERT_EQUAL(say_global(&e, true), ERR_LIMIT);
    end_free(&e);
}

/* Any number, as long as they are answered. */
static void answered_global_requests_are_not_bounded(void)
{
    struct end e;
    struct mux_event event;
    end_init(&e);
    for (int i = 0; i < 5000; i++) {
        CU_ASSERT_EQUAL(say_global(&e, true), ERR_OK);
        CU_ASSERT_TRUE(tells(&e, MUX_GLOBAL_REQUEST, &event));
        mux_global_reply(e.m, event.ticket, false, BYTES_LIT(""));
        CU_ASSERT_EQUAL(hear(&e).number, MSG_REQUEST_FAILURE);
    }
    end_free(&e);
}

static const struct unit_test tests[] = {
    UNIT(a_channel_request_travels_whole),
    UNIT(channel_replies_come_in_order_and_at_most_8_are_awaited),
    UNIT(a_channel_reply_to_nothing_ends_the_connection),
    UNIT(no_requests_after_close_either_way),
    UNIT(the_peers_requests_are_answered_exactly_once),
    UNIT(a_flood_of_unanswered_channel_requests_ends_the_connection),
    UNIT(global_replies_come_in_order_of_asking),
    UNIT(a_global_success_to_nothing_ends_the_connection),
    UNIT(global_requests_of_ours_are_bounded),
    UNIT(order_holds_while_more_and_more_is_open),
    UNIT(answers_given_in_any_order_are_sent_in_the_order_asked),
    UNIT(a_flood_of_unanswered_global_requests_ends_the_connection),
    UNIT(answered_global_requests_are_not_bounded),
};
UNIT_MAIN("channel/request", tests)
