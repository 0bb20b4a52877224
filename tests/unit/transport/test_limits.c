/* Time, and what a peer may send before login. */
#include <string.h>

#include "tests/unit/transport/pair.h"

static void a_login_that_takes_too_long_ends(void)
{
    for (int who = 0; who < 2; who++) {
        struct pair p;
        pair_init(&p);
        p.now_ms = 5000;
        p.holds_auth = true;
        struct transport_config *c = who ? &p.client_config : &p.server_config;
        c->login_ms = 2000;
        pair_open(&p);
        struct side *s = who ? &p.client : &p.server;
        CU_ASSERT_EQUAL(transport_deadline(s->t), 7000);
        pair_run(&p);
        transport_tick(s->t, 6999);
        CU_ASSERT_EQUAL(pair_err(s), ERR_OK);
        transport_tick(s->t, 7000);
        CU_ASSERT_EQUAL(pair_err(s), ERR_TIMEOUT);
        pair_run(&p);
        CU_ASSERT(p.client.is_gone && p.server.is_gone);
        CU_ASSERT_EQUAL(transport_deadline(s->t), UINT64_MAX);
        pair_close(&p);
    }
}

static void after_login_that_clock_stands(void)
{
    struct pair p;
    pair_init(&p);
    p.server_config.login_ms = 2000;
    pair_login(&p);
    CU_ASSERT_EQUAL(transport_deadline(p.server.t), UINT64_MAX);
    transport_tick(p.server.t, 1000000);
    CU_ASSERT_EQUAL(pair_err(&p.server), ERR_OK);
    pair_close(&p);
}

static void a_first_exchange_that_takes_too_long_ends(void)
{
    struct pair p;
    pair_init(&p);
    p.now_ms = 100;
    p.server_config.kex_ms = 500;
    pair_open(&p);
    CU_ASSERT_EQUAL(transport_deadline(p.server.t), 600);
    p.now_ms = 599;
    pair_feed(&p, &p.server, BYTES_LIT("SSH-2.0-slow\r\n"));
    CU_ASSERT_EQUAL(pair_err(&p.server), ERR_OK);
    p.now_ms = 600; /* also when bytes keep it busy */
    pair_feed(&p, &p.server, BYTES_LIT("\0\0"));
    CU_ASSERT_EQUAL(pair_err(&p.server), ERR_TIMEOUT);
    pair_close(&p);
}

/* The engine may not have been told the time for long when a rekey is asked for. */
static void a_rekey_that_takes_too_long_ends(void)
{
    struct pair p;
    pair_init(&p);
    p.client_config.kex_ms = 500;
    pair_login(&p);
    CU_ASSERT_EQUAL(transport_deadline(p.client.t), UINT64_MAX);
    transport_rekey(p.client.t);
    CU_ASSERT(transport_deadline(p.client.t) <= p.now_ms); /* it asks for the time */
    transport_tick(p.client.t, 90000);
    CU_ASSERT_EQUAL(transport_deadline(p.client.t), 90500);
    transport_tick(p.client.t, 90499);
    CU_ASSERT_EQUAL(pair_err(&p.client), ERR_OK);
    transport_tick(p.client.t, 90500);
    CU_ASSERT_EQUAL(pair_err(&p.client), ERR_TIMEOUT);
    CU_ASSERT_STRING_EQUAL(
        transport_fault(p.client.t)->text, "key exchange took longer than 0.5 seconds");
    pair_close(&p);
}

static void deadlines_do_not_wrap(void)
{
    struct pair p;
    pair_init(&p);
    p.client_config.kex_ms = p.client_config.login_ms = UINT64_MAX;
    p.client_config.rekey_ms = UINT64_MAX - 1;
    p.now_ms = 100;
    pair_login(&p);
    CU_ASSERT_EQUAL(transport_deadline(p.client.t), UINT64_MAX);
    pair_close(&p);
}

/* ---- before login ---------------------------------------------------------------------------- */

static void send_ignores(struct pair *p, size_t each, unsigned n)
{
    static uint8_t junk[34000] = {MSG_IGNORE};
    store_be32(junk + 1, (uint32_t)(each - 5));
    for (unsigned i = 0; i < n && pair_err(&p->server) == ERR_OK; i++) {
        pair_rogue(&p->client, (struct bytes){junk, each});
        pair_move(p, &p->client, &p->server, SIZE_MAX);
        pair_move(p, &p->client, &p->server, SIZE_MAX);
    }
    pair_run(p);
}

static void a_thousand_packets_before_login_are_the_end(void)
{
    struct pair p;
    pair_init(&p);
    p.holds_auth = true;
    pair_open(&p);
    pair_run(&p);
    send_ignores(&p, 5, LOGIN_PACKETS - (unsigned)transport_counts(p.server.t).packets_in);
    CU_ASSERT_EQUAL(pair_err(&p.server), ERR_OK);
    send_ignores(&p, 5, 1);
    CU_ASSERT_EQUAL(pair_err(&p.server), ERR_LIMIT);
    pair_close(&p);
}

static void a_mebibyte_before_login_is_the_end(void)
{
    struct pair p;
    pair_init(&p);
    p.holds_auth = true;
    pair_open(&p);
    pair_run(&p);
    send_ignores(&p, 34000, 30);
    CU_ASSERT_EQUAL(pair_err(&p.server), ERR_OK);
    send_ignores(&p, 34000, 1);
    CU_ASSERT_EQUAL(pair_err(&p.server), ERR_LIMIT);
    pair_close(&p);
}

static void a_handful_of_new_keys_before_login_is_the_end(void)
{
    struct pair p;
    pair_init(&p);
    p.holds_auth = true;
    pair_open(&p);
    pair_run(&p);
    for (int i = 0; i <= LOGIN_REKEYS; i++) {
        CU_ASSERT_EQUAL(pair_err(&p.server), ERR_OK);
        CU_ASSERT_EQUAL(kex_start(p.client.t), ERR_OK);
        pair_run(&p);
    }
    CU_ASSERT_EQUAL(pair_err(&p.server), ERR_LIMIT);
    pair_close(&p);
}

static void after_login_there_is_no_such_end(void)
{
    struct pair p;
    pair_init(&p);
    pair_login(&p);
    send_ignores(&p, 34000, 40);
    send_ignores(&p, 5, 2000);
    CU_ASSERT(pair_both_open(&p));
    pair_close(&p);
}

static void a_packet_of_35000_is_taken_before_login_and_no_longer_one(void)
{
    static uint8_t junk[36000] = {MSG_IGNORE};
    for (int too_long = 0; too_long < 2; too_long++) {
        struct pair p;
        pair_init(&p);
        p.holds_auth = true;
        pair_open(&p);
        pair_run(&p);
        size_t n = RX_PACKET_LOGIN - 16 - 16 + (too_long ? 64 : 0);
        store_be32(junk + 1, (uint32_t)n - 5);
        p.client.t->has_login = true; /* as it believes, and pads no more than it must */
        pair_rogue(&p.client, (struct bytes){junk, n});
        pair_run(&p);
        CU_ASSERT_EQUAL(pair_err(&p.server), too_long ? ERR_MAC : ERR_OK);
        CU_ASSERT(p.server.t->rx.buf.cap <= RX_CAP_LOGIN);
        pair_close(&p);
    }
}

static void a_full_buffer_waits_for_a_decision(void)
{
    struct pair p;
    pair_init(&p);
    p.holds_host_key = true;
    pair_open(&p);
    pair_run(&p);
    uint8_t junk[1000] = {0};
    for (int i = 0; i < 100; i++) {
        size_t room, n;
        uint8_t *space = transport_rx_space(p.client.t, &room);
        n = space == NULL ? 0 : room < sizeof junk ? room : sizeof junk;
        if (n > 0)
            memcpy(space, junk, n);
        transport_rx_commit(p.client.t, n, 0);
        pair_events(&p, &p.client);
    }
    size_t room;
    CU_ASSERT_PTR_NULL(transport_rx_space(p.client.t, &room));
    CU_ASSERT_EQUAL(p.client.t->rx.buf.cap, RX_CAP_LOGIN);
    CU_ASSERT_EQUAL(pair_err(&p.client), ERR_OK);
    transport_host_key_decide(p.client.t, true);
    pair_run(&p);
    CU_ASSERT(p.client.is_gone); /* it was junk, after all */
    pair_close(&p);
}

static void more_bytes_than_room_is_our_own_mistake(void)
{
    struct pair p;
    pair_init(&p);
    pair_open(&p);
    size_t room;
    (void)transport_rx_space(p.client.t, &room);
    transport_rx_commit(p.client.t, room + 1, 0);
    CU_ASSERT_EQUAL(pair_err(&p.client), ERR_INTERNAL);
    pair_close(&p);
}

/* ---- inflating ------------------------------------------------------------------------------- */

/* A packet of a few hundred bytes that inflates to megabytes. */
static void a_bomb_is_stopped_while_it_inflates(void)
{
    for (int logged_in = 0; logged_in < 2; logged_in++) {
        struct pair p;
        pair_init(&p);
        p.client_config.compression = p.server_config.compression = "zlib";
        p.holds_auth = !logged_in;
        pair_open(&p);
        pair_run(&p);
        static uint8_t zeros[4000000], packed[20000];
        size_t n = 0;
        CU_ASSERT_EQUAL(zstream_deflate(p.client.t->tx.deflate, (struct bytes){zeros, sizeof zeros},
                            packed, sizeof packed, &n),
            ERR_OK);
        struct zstream *z = p.client.t->tx.deflate;
        p.client.t->tx.deflate = NULL; /* send it as it is */
        pair_rogue(&p.client, (struct bytes){packed, n});
        p.client.t->tx.deflate = z;
        pair_run(&p);
        CU_ASSERT_EQUAL(pair_err(&p.server), ERR_LIMIT);
        CU_ASSERT(p.server.t->rx.plain.cap <= (logged_in ? RX_PACKET_OPEN : RX_PACKET_LOGIN));
        pair_close(&p);
    }
}

/* Zeros end the block that a flush left half written, whatever bit it stands at, and begin a stored
 * one whose two lengths are not each other's complement (RFC 1951 section 3.2.4). */
static void what_does_not_inflate_ends_the_connection(void)
{
    struct pair p;
    pair_init(&p);
    p.client_config.compression = p.server_config.compression = "zlib";
    pair_login(&p);
    struct zstream *z = p.client.t->tx.deflate;
    p.client.t->tx.deflate = NULL;
    pair_rogue(&p.client, BYTES_LIT("\0\0\0\0\0\0\0\0"));
    p.client.t->tx.deflate = z;
    pair_run(&p);
    CU_ASSERT_EQUAL(pair_err(&p.server), ERR_COMPRESSION);
    pair_close(&p);
}

static void delayed_compression_starts_with_success(void)
{
    struct pair p;
    pair_init(&p);
    p.client_config.compression = p.server_config.compression = "zlib@openssh.com";
    p.holds_auth = true;
    pair_open(&p);
    pair_run(&p);
    CU_ASSERT(p.client.t->tx.deflate == NULL && p.server.t->tx.deflate == NULL);
    CU_ASSERT(p.client.t->rx.inflate == NULL && p.server.t->rx.inflate == NULL);
    transport_auth_publickey(p.client.t, BYTES_LIT("ssh-ed25519"), private_key_blob(p.user));
    pair_run(&p);
    CU_ASSERT(pair_both_open(&p));
    CU_ASSERT(p.client.t->tx.deflate != NULL && p.server.t->tx.deflate != NULL);
    CU_ASSERT(p.client.t->rx.inflate != NULL && p.server.t->rx.inflate != NULL);
    pair_close(&p);
}

static const struct unit_test tests[] = {
    UNIT(a_login_that_takes_too_long_ends),
    UNIT(after_login_that_clock_stands),
    UNIT(a_first_exchange_that_takes_too_long_ends),
    UNIT(a_rekey_that_takes_too_long_ends),
    UNIT(deadlines_do_not_wrap),
    UNIT(a_thousand_packets_before_login_are_the_end),
    UNIT(a_mebibyte_before_login_is_the_end),
    UNIT(a_handful_of_new_keys_before_login_is_the_end),
    UNIT(after_login_there_is_no_such_end),
    UNIT(a_packet_of_35000_is_taken_before_login_and_no_longer_one),
    UNIT(a_full_buffer_waits_for_a_decision),
    UNIT(more_bytes_than_room_is_our_own_mistake),
    UNIT(a_bomb_is_stopped_while_it_inflates),
    UNIT(what_does_not_inflate_ends_the_connection),
    UNIT(delayed_compression_starts_with_success),
};
UNIT_MAIN("limits", tests)
