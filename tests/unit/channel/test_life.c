/* How channels begin and end, their users and their numbers. */
#include "tests/unit/channel/end.h"

static int user_a, user_b; /* only their addresses matter */

/* ---- opening --------------------------------------------------------------------------------- */

static void an_open_of_ours_is_confirmed(void)
{
    struct end e;
    struct mux_event event;
    uint32_t id;
    end_init(&e);
    CU_ASSERT_EQUAL(
        mux_open(e.m, BYTES_LIT("direct-tcpip"), BYTES_LIT("where"), &user_a, &id), ERR_OK);

    struct msg_channel_open msg;
    struct bytes p = end_take(&e);
    struct wire_reader r = wire_reader((struct bytes){p.p + 1, p.n - 1});
    CU_ASSERT_EQUAL(p.p[0], MSG_CHANNEL_OPEN);
    CU_ASSERT_EQUAL_FATAL(msg_channel_open_decode(&r, &msg), ERR_OK);
    CU_ASSERT_TRUE(bytes_is(msg.type, "direct-tcpip"));
    CU_ASSERT_TRUE(bytes_is(msg.rest, "where"));
    CU_ASSERT_EQUAL(msg.sender, id);
    CU_ASSERT_EQUAL(msg.window, MUX_WINDOW_BYTES);
    CU_ASSERT_EQUAL(msg.max_packet, MUX_PACKET_BYTES);

    CU_ASSERT_EQUAL(say_confirm(&e, id, 9, 100, 50), ERR_OK);
    CU_ASSERT_TRUE(tells(&e, MUX_OPENED, &event));
    CU_ASSERT_EQUAL(event.chan, id);
    CU_ASSERT_PTR_EQUAL(event.user, &user_a);
    CU_ASSERT_EQUAL(mux_send_window(e.m, id), 100);
    CU_ASSERT_TRUE(tells_nothing(&e));
    end_free(&e);
}

static void an_open_of_ours_is_refused_and_its_number_is_free(void)
{
    struct end e;
    struct mux_event event;
    uint32_t id;
    end_init(&e);
    CU_ASSERT_EQUAL(mux_open(e.m, BYTES_LIT("x"), BYTES_LIT(""), &user_a, &id), ERR_OK);
    CU_ASSERT_EQUAL(mux_n_channels(e.m), 1);
    CU_ASSERT_EQUAL(say_failure(&e, id), ERR_OK);
    CU_ASSERT_TRUE(tells(&e, MUX_OPEN_FAILED, &event));
    CU_ASSERT_PTR_EQUAL(event.user, &user_a);
    CU_ASSERT_EQUAL(event.reason, OPEN_CONNECT_FAILED);
    CU_ASSERT_TRUE(bytes_is(event.text, "Connection refused"));
    CU_ASSERT_EQUAL(mux_n_channels(e.m), 0);
    end_free(&e);
}

static void an_open_of_the_peer_is_confirmed(void)
{
    struct end e;
    struct mux_event event;
    end_init(&e);
    CU_ASSERT_EQUAL(say_open(&e, 77, 5, 5), ERR_OK);
    CU_ASSERT_TRUE(tells(&e, MUX_OPEN_REQUEST, &event));
    CU_ASSERT_TRUE(bytes_is(event.name, "direct-tcpip"));
    CU_ASSERT_TRUE(bytes_is(event.rest, "rest"));
    CU_ASSERT_PTR_NULL(event.user);
    CU_ASSERT_TRUE(hears_nothing(&e));
    CU_ASSERT_EQUAL(mux_send_window(e.m, event.chan), 0);

    CU_ASSERT_EQUAL(mux_confirm(e.m, event.chan, &user_b), ERR_OK);
    struct heard h = hear(&e);
    CU_ASSERT_EQUAL(h.number, MSG_CHANNEL_OPEN_CONFIRMATION);
    CU_ASSERT_EQUAL(h.a, 77);
    CU_ASSERT_EQUAL(h.b, event.chan);
    CU_ASSERT_EQUAL(load_be32(h.payload.p + 9), MUX_WINDOW_BYTES);
    CU_ASSERT_EQUAL(load_be32(h.payload.p + 13), MUX_PACKET_BYTES);
    CU_ASSERT_EQUAL(mux_send_window(e.m, event.chan), 5);
    CU_ASSERT_PTR_EQUAL(mux_user(e.m, event.chan), &user_b);
    end_free(&e);
}

static void an_open_of_the_peer_is_refused_with_a_text_of_at_most_200_bytes(void)
{
    struct end e;
    struct mux_event event;
    char text[301];
    memset(text, 'x', 198);
    strcpy(text + 198, "\xe2\x82\xac and more"); /* a character over the edge goes as a whole */
    end_init(&e);
    CU_ASSERT_EQUAL(say_open(&e, 77, 5, 5), ERR_OK);
    CU_ASSERT_TRUE(tells(&e, MUX_OPEN_REQUEST, &event));
    mux_refuse(e.m, event.chan, OPEN_CONNECT_FAILED, text);

    struct msg_open_failure msg;
    struct bytes p = end_take(&e);
    struct wire_reader r = wire_reader((struct bytes){p.p + 1, p.n - 1});
    CU_ASSERT_EQUAL(p.p[0], MSG_CHANNEL_OPEN_FAILURE);
    CU_ASSERT_EQUAL_FATAL(msg_open_failure_decode(&r, &msg), ERR_OK);
    CU_ASSERT_EQUAL(msg.recipient, 77);
    CU_ASSERT_EQUAL(msg.reason, OPEN_CONNECT_FAILED);
    CU_ASSERT_EQUAL(msg.description.n, 198);
    CU_ASSERT_EQUAL(mux_n_channels(e.m), 0);
    end_free(&e);
}

static void opens_beyond_the_limit_are_refused_without_an_event(void)
{
    struct end e;
    struct mux_event event;
    uint32_t id;
    end_init_config(&e, (struct mux_config){.max_channels = 2});
    opened_by_peer(&e, 1, 1, NULL);
    CU_ASSERT_EQUAL(say_open(&e, 2, 5, 5), ERR_OK); /* an unanswered one counts too */
    CU_ASSERT_TRUE(tells(&e, MUX_OPEN_REQUEST, &event));
    for (uint32_t i = 0; i < 1000; i++) {
        CU_ASSERT_EQUAL(say_open(&e, 100 + i, 5, 5), ERR_OK);
        CU_ASSERT_TRUE(tells_nothing(&e));
        struct heard h = hear(&e);
        CU_ASSERT_EQUAL(h.number, MSG_CHANNEL_OPEN_FAILURE);
        CU_ASSERT_EQUAL(h.a, 100 + i);
        CU_ASSERT_EQUAL(h.b, OPEN_RESOURCE_SHORTAGE);
    }
    CU_ASSERT_EQUAL(mux_open(e.m, BYTES_LIT("x"), BYTES_LIT(""), NULL, &id), ERR_LIMIT);
    mux_refuse(e.m, event.chan, OPEN_CONNECT_FAILED, "");
    CU_ASSERT_EQUAL(mux_open(e.m, BYTES_LIT("x"), BYTES_LIT(""), NULL, &id), ERR_OK);
    CU_ASSERT_EQUAL(mux_fault(e.m)->code, ERR_OK);
    end_free(&e);
}

static void two_channels_may_have_the_same_number_of_the_peer(void)
{
    struct end e;
    end_init(&e);
    uint32_t a = opened_by_peer(&e, 10, 10, NULL);
    uint32_t b = opened_by_peer(&e, 10, 10, NULL);
    CU_ASSERT_NOT_EQUAL(a, b);
    mux_close(e.m, a);
    CU_ASSERT_TRUE(hears(&e, MSG_CHANNEL_CLOSE, PEER_ID));
    CU_ASSERT_EQUAL(mux_send_window(e.m, b), 10);
    end_free(&e);
}

static void a_maximum_packet_size_of_0_opens_nothing(void)
{
    struct end e;
    struct mux_event event;
    uint32_t id;
    end_init(&e);
    CU_ASSERT_EQUAL(say_open(&e, 77, 5, 0), ERR_OK);
    CU_ASSERT_TRUE(tells_nothing(&e));
    struct heard h = hear(&e);
    CU_ASSERT_EQUAL(h.number, MSG_CHANNEL_OPEN_FAILURE);
    CU_ASSERT_EQUAL(h.b, OPEN_ADMINISTRATIVELY_PROHIBITED);

    CU_ASSERT_EQUAL(mux_open(e.m, BYTES_LIT("x"), BYTES_LIT(""), &user_a, &id), ERR_OK);
    CU_ASSERT_EQUAL(hear(&e).number, MSG_CHANNEL_OPEN);
    CU_ASSERT_EQUAL(say_confirm(&e, id, 9, 100, 0), ERR_OK);
    CU_ASSERT_TRUE(tells(&e, MUX_OPEN_FAILED, &event));
    CU_ASSERT_PTR_EQUAL(event.user, &user_a);
    CU_ASSERT_TRUE(hears(&e, MSG_CHANNEL_CLOSE, 9));
    CU_ASSERT_EQUAL(mux_n_channels(e.m), 1); /* the peer's CLOSE is to come */
    CU_ASSERT_PTR_NULL(mux_user(e.m, id));
    CU_ASSERT_EQUAL(say_id(&e, MSG_CHANNEL_CLOSE, id), ERR_OK);
    CU_ASSERT_TRUE(tells_nothing(&e));
    CU_ASSERT_EQUAL(mux_n_channels(e.m), 0);
    end_free(&e);
}

/* ---- half-close ------------------------------------------------------------------------------ */

static void after_our_eof_the_peer_still_sends(void)
{
    struct end e;
    struct mux_event event;
    end_init(&e);
    uint32_t id = opened_by_us(&e, 1000, 1000, &user_a);
    mux_want(e.m, id);
    CU_ASSERT_EQUAL(send_some(&e, id, NULL, 10), 10);
    mux_eof(e.m, id);
    mux_eof(e.m, id);
    CU_ASSERT_TRUE(hears(&e, MSG_CHANNEL_DATA, PEER_ID)); /* what was committed goes first */
    CU_ASSERT_TRUE(hears(&e, MSG_CHANNEL_EOF, PEER_ID));
    CU_ASSERT_TRUE(hears_nothing(&e));
    CU_ASSERT_FALSE(mux_turn(e.m, &(uint32_t){0}));
    CU_ASSERT_EQUAL(mux_send_window(e.m, id), 0);
    CU_ASSERT_EQUAL(say_data(&e, id, 5), ERR_OK);
    CU_ASSERT_TRUE(tells(&e, MUX_DATA, &event));
    CU_ASSERT_EQUAL(event.data.n, 5);
    end_free(&e);
}

static void after_the_peers_eof_we_still_send(void)
{
    struct end e;
    struct mux_event event;
    uint32_t turn;
    end_init(&e);
    uint32_t id = opened_by_peer(&e, 1000, 1000, &user_a);
    CU_ASSERT_EQUAL(say_id(&e, MSG_CHANNEL_EOF, id), ERR_OK);
    CU_ASSERT_TRUE(tells(&e, MUX_EOF, &event));
    CU_ASSERT_PTR_EQUAL(event.user, &user_a);
    CU_ASSERT_EQUAL(say_id(&e, MSG_CHANNEL_EOF, id), ERR_OK); /* says nothing new */
    CU_ASSERT_TRUE(tells_nothing(&e));
    mux_want(e.m, id);
    CU_ASSERT_TRUE(mux_turn(e.m, &turn));
    CU_ASSERT_EQUAL(send_some(&e, turn, NULL, 10), 10);
    CU_ASSERT_EQUAL(say_adjust(&e, id, 7), ERR_OK);
    CU_ASSERT_EQUAL(mux_send_window(e.m, id), 997);
    CU_ASSERT_EQUAL(say_request(&e, id, false), ERR_OK); /* exit-status comes after EOF */
    CU_ASSERT_TRUE(tells(&e, MUX_REQUEST, &event));
    end_free(&e);
}

static void data_after_eof_ends_the_connection(void)
{
    struct end e;
    end_init(&e);
    uint32_t id = opened_by_peer(&e, 1000, 1000, NULL);
    CU_ASSERT_EQUAL(say_id(&e, MSG_CHANNEL_EOF, id), ERR_OK);
    CU_ASSERT_EQUAL(say_data(&e, id, 1), ERR_PROTOCOL);
    end_free(&e);
}

/* ---- close ----------------------------------------------------------------------------------- */

static void close_from_the_peer_is_told_once_and_answered_by_mux_close(void)
{
    for (int with_eof = 0; with_eof < 2; with_eof++) {
        struct end e;
        struct mux_event event;
        end_init(&e);
        uint32_t id = opened_by_peer(&e, 1000, 1000, &user_a);
        if (with_eof) {
            CU_ASSERT_EQUAL(say_id(&e, MSG_CHANNEL_EOF, id), ERR_OK);
            CU_ASSERT_TRUE(tells(&e, MUX_EOF, &event));
        }
        mux_want(e.m, id);
        CU_ASSERT_EQUAL(say_id(&e, MSG_CHANNEL_CLOSE, id), ERR_OK);
        CU_ASSERT_TRUE(tells(&e, MUX_CLOSED, &event));
        CU_ASSERT_EQUAL(event.clean, with_eof == 1);
        CU_ASSERT_PTR_EQUAL(event.user, &user_a);
        CU_ASSERT_TRUE(tells_nothing(&e));
        CU_ASSERT_TRUE(hears_nothing(&e));
        CU_ASSERT_FALSE(mux_turn(e.m, &(uint32_t){0})); /* no more data from us */
        CU_ASSERT_EQUAL(mux_send_window(e.m, id), 0);
        mux_eof(e.m, id); /* draining done; nothing to tell */
        CU_ASSERT_TRUE(hears_nothing(&e));
        CU_ASSERT_EQUAL(mux_n_channels(e.m), 1);
        mux_close(e.m, id);
        CU_ASSERT_TRUE(hears(&e, MSG_CHANNEL_CLOSE, PEER_ID));
        CU_ASSERT_EQUAL(mux_n_channels(e.m), 0);
        mux_close(e.m, id); /* a number that is not in use: nothing */
        CU_ASSERT_TRUE(hears_nothing(&e));
        end_free(&e);
    }
}

static void what_crosses_with_our_close_is_dropped_and_not_told(void)
{
    struct end e;
    end_init(&e);
    uint32_t id = opened_by_us(&e, 1000, 1000, &user_a);
    CU_ASSERT_EQUAL(mux_request(e.m, id, BYTES_LIT("shell"), true, BYTES_LIT(""), 1), ERR_OK);
    CU_ASSERT_EQUAL(hear(&e).number, MSG_CHANNEL_REQUEST);
    mux_want(e.m, id);
    mux_close(e.m, id);
    mux_close(e.m, id);
    CU_ASSERT_TRUE(hears(&e, MSG_CHANNEL_CLOSE, PEER_ID));
    CU_ASSERT_EQUAL(say_data(&e, id, 100), ERR_OK);
    CU_ASSERT_EQUAL(say_extended(&e, id, 100), ERR_OK);
    CU_ASSERT_EQUAL(say_adjust(&e, id, 100), ERR_OK);
    CU_ASSERT_EQUAL(say_request(&e, id, true), ERR_OK);
    CU_ASSERT_EQUAL(say_id(&e, MSG_CHANNEL_SUCCESS, id), ERR_OK);
    CU_ASSERT_EQUAL(say_id(&e, MSG_CHANNEL_EOF, id), ERR_OK);
    mux_consumed(e.m, id, 100);
    mux_reply(e.m, id, true);
    mux_eof(e.m, id);
    mux_want(e.m, id);
    CU_ASSERT_TRUE(tells_nothing(&e));
    CU_ASSERT_TRUE(hears_nothing(&e));
    CU_ASSERT_FALSE(mux_turn(e.m, &(uint32_t){0}));
    CU_ASSERT_PTR_NULL(mux_user(e.m, id));
    CU_ASSERT_EQUAL(mux_n_channels(e.m), 1);
    CU_ASSERT_EQUAL(say_id(&e, MSG_CHANNEL_CLOSE, id), ERR_OK);
    CU_ASSERT_TRUE(tells_nothing(&e));
    CU_ASSERT_EQUAL(mux_n_channels(e.m), 0);
    end_free(&e);
}

static void data_that_crosses_with_our_close_must_fit_the_window(void)
{
    struct end e;
    end_init(&e);
    uint32_t id = opened_by_us(&e, 1000, 1000, NULL);
    mux_close(e.m, id);
    for (size_t n = 0; n < MUX_WINDOW_BYTES; n += MUX_PACKET_BYTES)
        CU_ASSERT_EQUAL(say_data(&e, id, MUX_PACKET_BYTES), ERR_OK);
    CU_ASSERT_EQUAL(say_data(&e, id, 0), ERR_OK);
    CU_ASSERT_EQUAL(say_data(&e, id, 1), ERR_PROTOCOL);
    end_free(&e);
}

static void closes_that_cross_free_the_number_without_an_event(void)
{
    struct end a, b;
    struct mux_event event;
    uint32_t id;
    end_init(&a);
    end_init(&b);
    CU_ASSERT_EQUAL(mux_open(a.m, BYTES_LIT("x"), BYTES_LIT(""), &user_a, &id), ERR_OK);
    CU_ASSERT_TRUE(relay(&a, &b));
    CU_ASSERT_TRUE(tells(&b, MUX_OPEN_REQUEST, &event));
    CU_ASSERT_EQUAL(mux_confirm(b.m, event.chan, &user_b), ERR_OK);
    CU_ASSERT_TRUE(relay(&b, &a));
    CU_ASSERT_TRUE(tells(&a, MUX_OPENED, &(struct mux_event){0}));
    mux_close(a.m, id);
    mux_close(b.m, event.chan);
    CU_ASSERT_TRUE(relay(&a, &b));
    CU_ASSERT_TRUE(relay(&b, &a));
    CU_ASSERT_TRUE(tells_nothing(&a));
    CU_ASSERT_TRUE(tells_nothing(&b));
    CU_ASSERT_EQUAL(mux_n_channels(a.m) + mux_n_channels(b.m), 0);
    CU_ASSERT_TRUE(hears_nothing(&a));
    CU_ASSERT_TRUE(hears_nothing(&b));
    end_free(&a);
    end_free(&b);
}

/* Between the peer's CLOSE and ours the caller delivers what it holds. */
static void consuming_after_the_peers_close_gives_no_credit(void)
{
    struct end e;
    struct mux_event event;
    end_init(&e);
    uint32_t id = opened_by_peer(&e, 1000, 1000, NULL);
    for (int i = 0; i < 10; i++) {
        CU_ASSERT_EQUAL(say_data(&e, id, MUX_PACKET_BYTES), ERR_OK);
        CU_ASSERT_TRUE(tells(&e, MUX_DATA, &event));
    }
    CU_ASSERT_EQUAL(say_id(&e, MSG_CHANNEL_CLOSE, id), ERR_OK);
    CU_ASSERT_TRUE(tells(&e, MUX_CLOSED, &event));
    mux_consumed(e.m, id, 10 * MUX_PACKET_BYTES);
    CU_ASSERT_TRUE(hears_nothing(&e));
    end_free(&e);
}

/* Ruby's net-ssh does so: before our CLOSE, and when nothing is left of the channel. */
static void credit_for_a_channel_that_the_peer_closed_changes_nothing(void)
{
    struct end e;
    struct mux_event event;
    end_init(&e);
    uint32_t id = opened_by_peer(&e, 1000, 1000, NULL);
    CU_ASSERT_EQUAL(say_id(&e, MSG_CHANNEL_CLOSE, id), ERR_OK);
    CU_ASSERT_TRUE(tells(&e, MUX_CLOSED, &event));
    uint32_t window = mux_send_window(e.m, id);
    CU_ASSERT_EQUAL(say_adjust(&e, id, UINT32_MAX), ERR_OK);
    CU_ASSERT_EQUAL(mux_send_window(e.m, id), window);
    mux_close(e.m, id);
    CU_ASSERT_EQUAL(hear(&e).number, MSG_CHANNEL_CLOSE);
    CU_ASSERT_EQUAL(mux_n_channels(e.m), 0);
    CU_ASSERT_EQUAL(say_adjust(&e, id, UINT32_MAX), ERR_OK);
    CU_ASSERT_TRUE(tells_nothing(&e));
    CU_ASSERT_TRUE(hears_nothing(&e));
    end_free(&e);
}

/* ---- before the answer ----------------------------------------------------------------------- */

static void close_before_confirmation_is_done_at_confirmation(void)
{
    struct end e;
    uint32_t id;
    end_init(&e);
    CU_ASSERT_EQUAL(mux_open(e.m, BYTES_LIT("x"), BYTES_LIT(""), &user_a, &id), ERR_OK);
    CU_ASSERT_EQUAL(hear(&e).number, MSG_CHANNEL_OPEN);
    mux_close(e.m, id);
    CU_ASSERT_TRUE(hears_nothing(&e));
    mux_set_user(e.m, id, &user_b); /* too late: the number is not the caller's any more */
    CU_ASSERT_PTR_NULL(mux_user(e.m, id));
    CU_ASSERT_EQUAL(say_confirm(&e, id, 9, 100, 100), ERR_OK);
    CU_ASSERT_TRUE(tells_nothing(&e));
    CU_ASSERT_TRUE(hears(&e, MSG_CHANNEL_CLOSE, 9));
    CU_ASSERT_TRUE(hears_nothing(&e));
    CU_ASSERT_EQUAL(say_id(&e, MSG_CHANNEL_CLOSE, id), ERR_OK);
    CU_ASSERT_EQUAL(mux_n_channels(e.m), 0);
    end_free(&e);
}

static void close_before_refusal_frees_with_an_event_without_user(void)
{
    struct end e;
    struct mux_event event;
    uint32_t id;
    end_init(&e);
    CU_ASSERT_EQUAL(mux_open(e.m, BYTES_LIT("x"), BYTES_LIT(""), &user_a, &id), ERR_OK);
    mux_close(e.m, id);
    CU_ASSERT_EQUAL(say_failure(&e, id), ERR_OK);
    CU_ASSERT_TRUE(tells(&e, MUX_OPEN_FAILED, &event));
    CU_ASSERT_PTR_NULL(event.user);
    CU_ASSERT_EQUAL(mux_n_channels(e.m), 0);
    end_free(&e);
}

static void eof_before_confirmation_is_done_at_confirmation(void)
{
    struct end e;
    struct mux_event event;
    uint32_t id;
    end_init(&e);
    CU_ASSERT_EQUAL(mux_open(e.m, BYTES_LIT("x"), BYTES_LIT(""), NULL, &id), ERR_OK);
    CU_ASSERT_EQUAL(hear(&e).number, MSG_CHANNEL_OPEN);
    mux_eof(e.m, id);
    CU_ASSERT_TRUE(hears_nothing(&e));
    CU_ASSERT_EQUAL(say_confirm(&e, id, 9, 100, 100), ERR_OK);
    CU_ASSERT_TRUE(tells(&e, MUX_OPENED, &event));
    CU_ASSERT_TRUE(hears(&e, MSG_CHANNEL_EOF, 9));

    CU_ASSERT_EQUAL(say_open(&e, 5, 5, 5), ERR_OK); /* the peer's likewise */
    CU_ASSERT_TRUE(tells(&e, MUX_OPEN_REQUEST, &event));
    mux_eof(e.m, event.chan);
    CU_ASSERT_TRUE(hears_nothing(&e));
    CU_ASSERT_EQUAL(mux_confirm(e.m, event.chan, NULL), ERR_OK);
    CU_ASSERT_TRUE(hears(&e, MSG_CHANNEL_OPEN_CONFIRMATION, 5));
    CU_ASSERT_TRUE(hears(&e, MSG_CHANNEL_EOF, 5));
    end_free(&e);
}

static void close_instead_of_confirm_refuses(void)
{
    struct end e;
    struct mux_event event;
    end_init(&e);
    CU_ASSERT_EQUAL(say_open(&e, 5, 5, 5), ERR_OK);
    CU_ASSERT_TRUE(tells(&e, MUX_OPEN_REQUEST, &event));
    mux_close(e.m, event.chan);
    CU_ASSERT_TRUE(hears(&e, MSG_CHANNEL_OPEN_FAILURE, 5));
    CU_ASSERT_EQUAL(mux_n_channels(e.m), 0);
    end_free(&e);
}

static void wanting_before_confirmation_is_remembered(void)
{
    struct end e;
    struct mux_event event;
    uint32_t id, turn = 99;
    end_init(&e);
    CU_ASSERT_EQUAL(mux_open(e.m, BYTES_LIT("x"), BYTES_LIT(""), NULL, &id), ERR_OK);
    mux_want(e.m, id);
    CU_ASSERT_FALSE(mux_turn(e.m, &turn));
    CU_ASSERT_EQUAL(say_confirm(&e, id, 9, 100, 100), ERR_OK);
    CU_ASSERT_TRUE(tells(&e, MUX_OPENED, &event));
    CU_ASSERT_TRUE(mux_turn(e.m, &turn));
    CU_ASSERT_EQUAL(turn, id);
    end_free(&e);
}

/* ---- users and numbers ----------------------------------------------------------------------- */

static void a_detached_channel_carries_no_user(void)
{
    struct end e;
    struct mux_event event;
    end_init(&e);
    uint32_t id = opened_by_us(&e, 10, 10, &user_a);
    CU_ASSERT_EQUAL(say_data(&e, id, 1), ERR_OK);
    mux_set_user(e.m, id, &user_b); /* while an event waits */
    CU_ASSERT_TRUE(tells(&e, MUX_DATA, &event));
    CU_ASSERT_PTR_EQUAL(event.user, &user_b);
    CU_ASSERT_EQUAL(say_data(&e, id, 1), ERR_OK);
    mux_detach(e.m, id);
    CU_ASSERT_TRUE(tells(&e, MUX_DATA, &event));
    CU_ASSERT_PTR_NULL(event.user);
    CU_ASSERT_EQUAL(say_id(&e, MSG_CHANNEL_CLOSE, id), ERR_OK);
    CU_ASSERT_TRUE(tells(&e, MUX_CLOSED, &event));
    CU_ASSERT_PTR_NULL(event.user);
    end_free(&e);
}

static void a_closed_channels_waiting_events_are_dropped_and_others_kept(void)
{
    struct end e;
    struct mux_event event;
    end_init(&e);
    uint32_t a = opened_by_us(&e, 10, 10, &user_a);
    uint32_t b = opened_by_us(&e, 10, 10, &user_b);
    CU_ASSERT_EQUAL(say_data(&e, a, 1), ERR_OK);
    CU_ASSERT_EQUAL(say_data(&e, b, 2), ERR_OK);
    CU_ASSERT_EQUAL(say_data(&e, a, 3), ERR_OK);
    CU_ASSERT_EQUAL(say_global(&e, true), ERR_OK); /* its chan is 0, which is a's number */
    mux_close(e.m, a);
    CU_ASSERT_TRUE(tells(&e, MUX_DATA, &event));
    CU_ASSERT_PTR_EQUAL(event.user, &user_b);
    CU_ASSERT_EQUAL(event.data.n, 2);
    CU_ASSERT_TRUE(tells(&e, MUX_GLOBAL_REQUEST, &event));
    CU_ASSERT_TRUE(tells_nothing(&e));
    end_free(&e);
}

static void numbers_are_small_and_rest_before_they_come_again(void)
{
    struct end e;
    end_init(&e);
    uint32_t last[32];
    for (unsigned i = 0; i < 1000; i++) {
        uint32_t id = opened_by_us(&e, 10, 10, NULL);
        CU_ASSERT_TRUE(id < 64);
        for (unsigned k = 0; k < 32 && k < i; k++)
            CU_ASSERT_NOT_EQUAL(last[k], id);
        last[i % 32] = id;
        mux_close(e.m, id);
        CU_ASSERT_TRUE(hears(&e, MSG_CHANNEL_CLOSE, PEER_ID));
        CU_ASSERT_EQUAL(say_id(&e, MSG_CHANNEL_CLOSE, id), ERR_OK);
    }
    end_free(&e);
}

/* Also when nearly all numbers are in use. */
static void the_last_free_number_does_not_come_again_at_once(void)
{
    struct end e;
    end_init(&e);
    for (int i = 0; i < 63; i++)
        opened_by_us(&e, 10, 10, NULL);
    uint32_t last[32];
    for (unsigned i = 0; i < 200; i++) {
        uint32_t id = opened_by_us(&e, 10, 10, NULL);
        CU_ASSERT_TRUE(id < 128);
        for (unsigned k = 0; k < 32 && k < i; k++)
            CU_ASSERT_NOT_EQUAL(last[k], id);
        last[i % 32] = id;
        mux_close(e.m, id);
        CU_ASSERT_EQUAL(say_id(&e, MSG_CHANNEL_CLOSE, id), ERR_OK);
        while (hear(&e).number != 0)
            ;
    }
    end_free(&e);
}

static void walking_meets_every_channel_once(void)
{
    struct end e;
    void *user;
    end_init(&e);
    bool met[300] = {false};
    for (int i = 0; i < 300; i++)
        opened_by_us(&e, 10, 10, &met[i]);
    for (int i = 0; i < 300; i += 3) {
        mux_close(e.m, (uint32_t)i);
        CU_ASSERT_EQUAL(say_id(&e, MSG_CHANNEL_CLOSE, (uint32_t)i), ERR_OK);
    }
    size_t n = 0;
    for (uint32_t id = UINT32_MAX; mux_each(e.m, &id, &user); n++) {
        CU_ASSERT_FALSE(*(bool *)user);
        *(bool *)user = true;
    }
    CU_ASSERT_EQUAL(n, 200);
    CU_ASSERT_EQUAL(mux_n_channels(e.m), 200);
    end_free(&e);
}

static const struct unit_test tests[] = {
    UNIT(an_open_of_ours_is_confirmed),
    UNIT(an_open_of_ours_is_refused_and_its_number_is_free),
    UNIT(an_open_of_the_peer_is_confirmed),
    UNIT(an_open_of_the_peer_is_refused_with_a_text_of_at_most_200_bytes),
    UNIT(opens_beyond_the_limit_are_refused_without_an_event),
    UNIT(two_channels_may_have_the_same_number_of_the_peer),
    UNIT(a_maximum_packet_size_of_0_opens_nothing),
    UNIT(after_our_eof_the_peer_still_sends),
    UNIT(after_the_peers_eof_we_still_send),
    UNIT(data_after_eof_ends_the_connection),
    UNIT(close_from_the_peer_is_told_once_and_answered_by_mux_close),
    UNIT(what_crosses_with_our_close_is_dropped_and_not_told),
    UNIT(data_that_crosses_with_our_close_must_fit_the_window),
    UNIT(closes_that_cross_free_the_number_without_an_event),
    UNIT(consuming_after_the_peers_close_gives_no_credit),
    UNIT(credit_for_a_channel_that_the_peer_closed_changes_nothing),
    UNIT(close_before_confirmation_is_done_at_confirmation),
    UNIT(close_before_refusal_frees_with_an_event_without_user),
    UNIT(eof_before_confirmation_is_done_at_confirmation),
    UNIT(close_instead_of_confirm_refuses),
    UNIT(wanting_before_confirmation_is_remembered),
    UNIT(a_detached_channel_carries_no_user),
    UNIT(a_closed_channels_waiting_events_are_dropped_and_others_kept),
    UNIT(numbers_are_small_and_rest_before_they_come_again),
    UNIT(the_last_free_number_does_not_come_again_at_once),
    UNIT(walking_meets_every_channel_once),
};
UNIT_MAIN("channel/life", tests)
