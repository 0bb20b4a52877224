/* Where packets are built and where payloads lie: the hot path's promises. */
#include <limits.h>
#include <string.h>

#include "tests/unit/transport/pair.h"

static struct packet_sink sink_of(struct pair *p)
{
    pair_init(p);
    pair_login(p);
    return transport_sink(p->client.t);
}

/* ---- slots ----------------------------------------------------------------------------------- */

static void slots_lie_where_the_packets_will(void)
{
    static const char *const ciphers[] = {
        "chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com", "aes128-ctr"};
    static const char *const macs[] = {"hmac-sha2-256-etm@openssh.com", "hmac-sha2-512"};
    for (int i = 0; i < 4; i++) {
        struct pair p;
        pair_init(&p);
        p.client_config.ciphers = ciphers[i < 3 ? i : 2];
        p.client_config.macs = macs[i < 3 ? 0 : 1];
        pair_login(&p);
        for (size_t each = 1; each < 3000; each = each * 3 + 7) {
            struct packet_sink sink = transport_sink(p.client.t);
            uint8_t *slots[5];
            for (unsigned nth = 0; nth < 5; nth++) {
                slots[nth] = sink.data_slot(p.client.t, each, nth);
                if (slots[nth] == NULL && nth > 0) { /* no room to be had without moving */
                    nth = UINT_MAX;
                    continue;
                }
                memset(slots[nth], MSG_CHANNEL_DATA, each);
            }
            for (unsigned nth = 0; nth < 5; nth++) {
                uint8_t *tail = p.client.t->tx.buf.p + p.client.t->tx.tail;
                CU_ASSERT_PTR_EQUAL(slots[nth], tail + TX_HEAD);
                sink.commit(p.client.t, nth < 4 ? each : (each + 1) / 2); /* the last one shorter */
            }
            uint64_t before = p.server.n_payload_bytes;
            pair_run(&p);
            CU_ASSERT_EQUAL(p.server.n_payload_bytes - before, 4 * each + (each + 1) / 2);
        }
        CU_ASSERT(pair_both_open(&p));
        pair_close(&p);
    }
}

static void a_slot_refused_for_room_is_there_the_next_time(void)
{
    struct pair p;
    struct packet_sink sink = sink_of(&p);
    unsigned best = 0;
    for (int turn = 0; turn < 10; turn++) {
        unsigned n = 0;
        while (sink.data_slot(p.client.t, 32768, n) != NULL)
            n++;
        CU_ASSERT(n >= best);
        best = n;
    }
    CU_ASSERT_EQUAL(best, (unsigned)(TX_BACKLOG_MOST / (32768 + 5 + 11 + 16)));
    pair_close(&p);
}

static void a_slot_that_is_not_committed_is_dropped(void)
{
    struct pair p;
    struct packet_sink sink = sink_of(&p);
    CU_ASSERT_PTR_NOT_NULL(sink.data_slot(p.client.t, 100, 0));
    CU_ASSERT_PTR_NOT_NULL(sink.data_slot(p.client.t, 100, 1));
    uint8_t *slot = sink.control_slot(p.client.t, 10);
    memset(slot, MSG_CHANNEL_EOF, 10);
    sink.commit(p.client.t, 10);
    pair_run(&p);
    CU_ASSERT_EQUAL(p.server.n_packets, 1);
    CU_ASSERT_EQUAL(p.server.n_payload_bytes, 10);
    pair_close(&p);
}

static void a_commit_without_a_slot_is_our_own_mistake(void)
{
    for (int i = 0; i < 4; i++) {
        struct pair p;
        struct packet_sink sink = sink_of(&p);
        size_t n = 10;
        if (i > 0)
            CU_ASSERT_PTR_NOT_NULL(sink.control_slot(p.client.t, 10));
        if (i == 1)
            n = 11;
        if (i == 2)
            n = 0;
        if (i == 3) {
            p.client.t->tx.buf.p[p.client.t->tx.tail + TX_HEAD] = MSG_CHANNEL_EOF;
            sink.commit(p.client.t, 10);
        }
        sink.commit(p.client.t, n);
        CU_ASSERT_EQUAL(pair_err(&p.client), ERR_INTERNAL);
        pair_close(&p);
    }
}

static void with_compression_there_is_one_slot(void)
{
    struct pair p;
    pair_init(&p);
    p.client_config.compression = p.server_config.compression = "zlib@openssh.com";
    pair_login(&p);
    struct packet_sink sink = transport_sink(p.client.t);
    CU_ASSERT_PTR_NOT_NULL(sink.data_slot(p.client.t, 1000, 0));
    CU_ASSERT_PTR_NULL(sink.data_slot(p.client.t, 1000, 1));
    CU_ASSERT(pair_data(&p.client, 100000, 'z'));
    CU_ASSERT(transport_backlog(p.client.t) < 2000);
    pair_run(&p);
    CU_ASSERT_EQUAL(p.server.n_payload_bytes, 100000);
    pair_close(&p);
}

static void no_slot_before_login(void)
{
    struct pair p;
    pair_init(&p);
    p.holds_auth = true;
    pair_open(&p);
    pair_run(&p);
    struct packet_sink sink = transport_sink(p.client.t);
    CU_ASSERT(sink.congested(p.client.t));
    CU_ASSERT_PTR_NULL(sink.data_slot(p.client.t, 10, 0));
    transport_send_ignore(p.client.t, 10);
    CU_ASSERT_EQUAL(transport_backlog(p.client.t), 0);
    pair_close(&p);
}

static void a_payload_too_long_is_refused(void)
{
    struct pair p;
    struct packet_sink sink = sink_of(&p);
    CU_ASSERT_PTR_NULL(sink.data_slot(p.client.t, SIZE_MAX, 0));
    CU_ASSERT_PTR_NULL(sink.data_slot(p.client.t, TX_PAYLOAD_MAX + 1, 0));
    CU_ASSERT_PTR_NOT_NULL(sink.data_slot(p.client.t, TX_PAYLOAD_MAX, 0));
    CU_ASSERT_EQUAL(pair_err(&p.client), ERR_OK);
    CU_ASSERT_PTR_NULL(sink.control_slot(p.client.t, SIZE_MAX));
    CU_ASSERT_EQUAL(pair_err(&p.client), ERR_INTERNAL);
    pair_close(&p);
}

static void the_largest_payload_arrives(void)
{
    struct pair p;
    (void)sink_of(&p);
    CU_ASSERT(pair_data(&p.client, TX_PAYLOAD_MAX, 'x'));
    pair_run(&p);
    CU_ASSERT_EQUAL(p.server.n_payload_bytes, TX_PAYLOAD_MAX);
    CU_ASSERT(pair_both_open(&p));
    pair_close(&p);
}

static void many_packets_go_out_in_one_piece(void)
{
    struct pair p;
    (void)sink_of(&p);
    for (int i = 0; i < 100; i++)
        CU_ASSERT(pair_data(&p.client, 1000, 'x'));
    size_t n = 0;
    CU_ASSERT_PTR_NOT_NULL(transport_tx(p.client.t, &n));
    CU_ASSERT(n > 100 * 1000);
    CU_ASSERT_EQUAL(n, transport_backlog(p.client.t));
    transport_tx_done(p.client.t, n);
    CU_ASSERT_PTR_NULL(transport_tx(p.client.t, &n));
    CU_ASSERT_EQUAL(n, 0);
    CU_ASSERT_EQUAL(p.client.t->tx.tail, 0);
    pair_close(&p);
}

static void padding_is_random_and_never_the_same(void)
{
    struct pair p;
    (void)sink_of(&p);
    uint8_t last[TX_POOL] = {0};
    memcpy(last, p.client.t->tx.pool, sizeof last);
    for (int i = 0; i < 200; i++)
        CU_ASSERT(pair_data(&p.client, 10, 0));
    CU_ASSERT_NOT_EQUAL(memcmp(last, p.client.t->tx.pool, sizeof last), 0);
    pair_close(&p);
}

/* ---- congestion ------------------------------------------------------------------------------ */

static void bulk_data_waits_and_control_does_not(void)
{
    struct pair p;
    struct packet_sink sink = sink_of(&p);
    while (pair_data(&p.client, 32768, 'x'))
        ;
    CU_ASSERT(sink.congested(p.client.t));
    CU_ASSERT(transport_backlog(p.client.t) <= TX_BACKLOG_MOST);
    CU_ASSERT(transport_backlog(p.client.t) > TX_BACKLOG_MOST - TX_DATA_SLACK);
    uint8_t *slot = sink.control_slot(p.client.t, 5);
    CU_ASSERT_PTR_NOT_NULL_FATAL(slot);
    memset(slot, MSG_CHANNEL_EOF, 5);
    sink.commit(p.client.t, 5);
    pair_run(&p);
    CU_ASSERT(!sink.congested(p.client.t));
    CU_ASSERT_EQUAL(p.server.n_packets, 15 + 1);
    pair_close(&p);
}

/* A peer that asks and does not read. */
static void reading_stops_when_the_peer_does_not_take_what_it_is_owed(void)
{
    struct pair p;
    (void)sink_of(&p);
    p.client.refuses_reading = true;
    static uint8_t ping[30005] = {MSG_PING, 0, 0, 30000 >> 8, 30000 & 255};
    for (int i = 0; i < 300; i++) {
        if (transport_backlog(p.client.t) < 100000)
            pair_rogue(&p.client, (struct bytes){ping, sizeof ping});
        pair_move(&p, &p.client, &p.server, SIZE_MAX);
    }
    size_t room;
    CU_ASSERT_PTR_NULL(transport_rx_space(p.server.t, &room));
    CU_ASSERT_EQUAL(room, 0);
    CU_ASSERT(transport_backlog(p.server.t) > TX_STOP_READING);
    CU_ASSERT(transport_backlog(p.server.t) < TX_STOP_READING + RX_CAP_OPEN + 65536);
    p.client.refuses_reading = false;
    pair_run(&p);
    CU_ASSERT_PTR_NOT_NULL(transport_rx_space(p.server.t, &room));
    CU_ASSERT(pair_both_open(&p));
    pair_close(&p);
}

/* Small packets that inflate to long PINGs: one read could make us owe without end. */
static void what_is_owed_has_an_end(void)
{
    struct pair p;
    struct packet_sink sink = sink_of(&p);
    unsigned n = 0;
    for (uint8_t *slot; n < 1000 && (slot = sink.control_slot(p.client.t, 100000)) != NULL; n++) {
        memset(slot, MSG_CHANNEL_EOF, 100000);
        sink.commit(p.client.t, 100000);
    }
    CU_ASSERT(n > 80 && n < 90);
    CU_ASSERT_EQUAL(pair_err(&p.client), ERR_LIMIT);
    pair_close(&p);
}

/* Bytes are moved within the buffer less often than they are written. */
static void a_slow_writer_costs_few_moves(void)
{
    struct pair p;
    (void)sink_of(&p);
    const struct tx *tx = &p.client.t->tx;
    size_t n_written = 0, n_moved = 0;
    for (int i = 0; i < 2000; i++) {
        for (size_t head = tx->head; pair_data(&p.client, 8192, 'x'); head = tx->head)
            n_moved += head > 0 && tx->head == 0 ? tx->tail : 0;
        size_t n = 0;
        (void)transport_tx(p.client.t, &n);
        n = n < 5000 ? n : 5000;
        transport_tx_done(p.client.t, n);
        n_written += n;
    }
    CU_ASSERT_EQUAL(n_written, 2000 * 5000);
    CU_ASSERT(n_moved <= n_written + TX_BACKLOG_MOST);
    CU_ASSERT(tx->buf.cap <= 4 * TX_BACKLOG_MOST);
    pair_close(&p);
}

/* Small reads with always half a packet at hand: it stays where it is, mostly. */
static void small_reads_cost_few_moves(void)
{
    struct pair p;
    (void)sink_of(&p);
    const struct rx *rx = &p.server.t->rx;
    size_t n_read = 0, n_moved = 0;
    for (int i = 0; i < 5000; i++) {
        (void)pair_data(&p.client, 300, 'x');
        size_t start = rx->start, room = 0;
        (void)transport_rx_space(p.server.t, &room);
        n_moved += start > 0 && rx->start == 0 ? rx->end : 0;
        n_read += pair_move(&p, &p.client, &p.server, 250);
    }
    CU_ASSERT(n_read > 5000 * 200);
    CU_ASSERT(n_moved <= n_read / 4);
    pair_close(&p);
}

/* ---- payloads that last ---------------------------------------------------------------------- */

enum { N_LASTING = 20 };

static void payloads_last_until_the_next_read(void)
{
    struct pair p;
    (void)sink_of(&p);
    for (int turn = 0; turn < 30; turn++) {
        for (uint8_t i = 0; i < N_LASTING; i++)
            CU_ASSERT(pair_data(&p.client, 500u + i, (uint8_t)(turn + i)));
        size_t n, room, n_seen = 0;
        const uint8_t *bytes = transport_tx(p.client.t, &n);
        uint8_t *space = transport_rx_space(p.server.t, &room);
        n = n < room ? n : room;
        memcpy(space, bytes, n);
        transport_tx_done(p.client.t, n);
        transport_rx_commit(p.server.t, n, 0);
        struct bytes seen[4 * N_LASTING];
        uint8_t fills[4 * N_LASTING];
        struct transport_event e;
        while (transport_next(p.server.t, &e)) {
            CU_ASSERT_EQUAL(e.type, TRANSPORT_PACKET);
            CU_ASSERT(e.lasting);
            CU_ASSERT(e.payload.p > p.server.t->rx.buf.p);
            fills[n_seen] = e.payload.p[1];
            seen[n_seen++] = e.payload;
        }
        for (size_t i = 0; i < n_seen; i++)
            for (size_t k = 1; k < seen[i].n; k++)
                if (seen[i].p[k] != fills[i])
                    CU_FAIL("a payload changed");
    }
    pair_run(&p);
    pair_close(&p);
}

static void inflated_payloads_do_not_last(void)
{
    struct pair p;
    pair_init(&p);
    p.client_config.compression = p.server_config.compression = "zlib";
    pair_login(&p);
    CU_ASSERT(pair_data(&p.client, 100, 'x'));
    size_t n, room;
    const uint8_t *bytes = transport_tx(p.client.t, &n);
    memcpy(transport_rx_space(p.server.t, &room), bytes, n);
    transport_rx_commit(p.server.t, n, 0);
    struct transport_event e;
    CU_ASSERT(transport_next(p.server.t, &e));
    CU_ASSERT_EQUAL(e.type, TRANSPORT_PACKET);
    CU_ASSERT(!e.lasting);
    CU_ASSERT_EQUAL(e.payload.n, 100);
    pair_close(&p);
}

static const struct unit_test tests[] = {
    UNIT(slots_lie_where_the_packets_will),
    UNIT(a_slot_refused_for_room_is_there_the_next_time),
    UNIT(a_slot_that_is_not_committed_is_dropped),
    UNIT(a_commit_without_a_slot_is_our_own_mistake),
    UNIT(with_compression_there_is_one_slot),
    UNIT(no_slot_before_login),
    UNIT(a_payload_too_long_is_refused),
    UNIT(the_largest_payload_arrives),
    UNIT(many_packets_go_out_in_one_piece),
    UNIT(padding_is_random_and_never_the_same),
    UNIT(bulk_data_waits_and_control_does_not),
    UNIT(reading_stops_when_the_peer_does_not_take_what_it_is_owed),
    UNIT(what_is_owed_has_an_end),
    UNIT(a_slow_writer_costs_few_moves),
    UNIT(small_reads_cost_few_moves),
    UNIT(payloads_last_until_the_next_read),
    UNIT(inflated_payloads_do_not_last),
};
UNIT_MAIN("sink", tests)
