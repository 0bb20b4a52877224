#include <string.h>

#include "tests/unit/transport/pair.h"

static void check_quiet(struct pair *p)
{
    CU_ASSERT_STRING_EQUAL(transport_fault(p->client.t)->text, "");
    CU_ASSERT_STRING_EQUAL(transport_fault(p->server.t)->text, "");
    CU_ASSERT(!transport_in_kex(p->client.t) && !transport_in_kex(p->server.t));
}

/* ---- data on the way ------------------------------------------------------------------------- */

struct flow {
    struct hash sent;
    uint64_t n_bytes;
    uint8_t fill;
};

static void flow_send(struct flow *f, struct side *s, size_t n)
{
    uint8_t payload[512];
    memset(payload, f->fill, sizeof payload);
    payload[0] = MSG_CHANNEL_DATA;
    if (!pair_data(s, n, f->fill))
        return; /* a key exchange is under way: come back later */
    hash_update_string(&f->sent, (struct bytes){payload, n});
    f->n_bytes += n;
    f->fill++;
}

static void check_flow(struct flow *f, struct side *to)
{
    uint8_t sent[32], got[32];
    hash_final(&f->sent, sent);
    hash_final(&to->digest, got);
    CU_ASSERT_EQUAL(memcmp(sent, got, sizeof sent), 0);
    CU_ASSERT_EQUAL(f->n_bytes, to->n_payload_bytes);
}

/* Both send all the time, in pieces that cut packets, and somebody always wants new keys. */
static void run_rekeys(struct pair *p, uint64_t n_rekeys, void (*start)(struct pair *p, unsigned i))
{
    struct flow up = {.fill = 1}, down = {.fill = 101};
    hash_init(&up.sent, HASH_SHA256);
    hash_init(&down.sent, HASH_SHA256);
    for (unsigned i = 0; i < 200000 && transport_counts(p->client.t).rekeys < n_rekeys; i++) {
        flow_send(&up, &p->client, 1 + i * 7 % 300);
        flow_send(&down, &p->server, 1 + i * 11 % 400);
        start(p, i);
        pair_move(p, &p->client, &p->server, 1 + i * 131 % 700);
        pair_move(p, &p->server, &p->client, 1 + i * 137 % 900);
    }
    pair_run(p);
    check_quiet(p);
    CU_ASSERT(transport_counts(p->client.t).rekeys >= n_rekeys);
    CU_ASSERT_EQUAL(transport_counts(p->client.t).rekeys, transport_counts(p->server.t).rekeys);
    check_flow(&up, &p->server);
    check_flow(&down, &p->client);
}

static void started_by_either(struct pair *p, unsigned i)
{
    if (i % 5 == 0)
        transport_rekey(i % 2 ? p->client.t : p->server.t);
}

static void started_by_both(struct pair *p, unsigned i)
{
    if (i % 5 == 0) {
        transport_rekey(p->client.t);
        transport_rekey(p->server.t);
    }
}

static void left_alone(struct pair *p, unsigned i)
{
    (void)p;
    (void)i;
}

static void data_flows_both_ways_through_rekeys_of_either_side(void)
{
    struct pair p;
    pair_init(&p);
    pair_login(&p);
    run_rekeys(&p, 100, started_by_either);
    pair_close(&p);
}

static void group_exchange_renews_keys_with_and_without_strictness(void)
{
    for (int is_strict = 0; is_strict < 2; is_strict++) {
        struct pair p;
        pair_init(&p);
        p.client_config.kex = "diffie-hellman-group-exchange-sha256";
        pair_open(&p);
        if (!is_strict) {
            pair_drop_strict(&p.client);
            pair_drop_strict(&p.server);
        }
        pair_run(&p);
        run_rekeys(&p, 10, is_strict ? started_by_either : started_by_both);
        pair_close(&p);
    }
}

static void both_may_start_at_once(void)
{
    struct pair p;
    pair_init(&p);
    pair_login(&p);
    run_rekeys(&p, 100, started_by_both);
    pair_close(&p);
}

static void a_thousand_rekeys_by_bytes_lose_no_byte(void)
{
    struct pair p;
    pair_init(&p);
    p.client_config.rekey_bytes = 2000;
    p.server_config.rekey_bytes = 3000;
    pair_login(&p);
    run_rekeys(&p, 1000, left_alone);
    pair_close(&p);
}

static void rekeys_go_with_compression_and_without_strictness(void)
{
    static const char *const compressions[] = {"zlib", "zlib@openssh.com"};
    for (int i = 0; i < 2; i++) {
        struct pair p;
        pair_init(&p);
        p.client_config.compression = p.server_config.compression = compressions[i];
        p.client_config.ciphers = "chacha20-poly1305@openssh.com";
        pair_open(&p);
        pair_drop_strict(&p.client);
        pair_drop_strict(&p.server);
        pair_run(&p);
        run_rekeys(&p, 20, started_by_either);
        pair_close(&p);
    }
}

static void the_session_id_stays(void)
{
    struct pair p;
    pair_init(&p);
    pair_login(&p);
    uint8_t id[HASH_MAX_BYTES];
    struct bytes before = transport_session_id(p.client.t);
    memcpy(id, before.p, before.n);
    transport_rekey(p.server.t);
    pair_run(&p);
    CU_ASSERT_EQUAL(transport_counts(p.client.t).rekeys, 1);
    CU_ASSERT(bytes_equal(transport_session_id(p.client.t), (struct bytes){id, before.n}));
    CU_ASSERT(bytes_equal(transport_session_id(p.server.t), (struct bytes){id, before.n}));
    CU_ASSERT_STRING_EQUAL(p.client.log, "IHKRSOK"); /* no second question about the host key */
    pair_close(&p);
}

/* ---- when ------------------------------------------------------------------------------------ */

static void no_rekey_before_login(void)
{
    struct pair p;
    pair_init(&p);
    p.client_config.rekey_bytes = 1;
    p.holds_auth = true;
    pair_open(&p);
    pair_run(&p);
    transport_rekey(p.client.t);
    pair_run(&p);
    CU_ASSERT(!transport_in_kex(p.client.t));
    CU_ASSERT_EQUAL(transport_counts(p.client.t).rekeys, 0);
    transport_auth_publickey(p.client.t, BYTES_LIT("ssh-ed25519"), private_key_blob(p.user));
    pair_run(&p);
    CU_ASSERT(pair_both_open(&p));
    CU_ASSERT_EQUAL(transport_counts(p.client.t).rekeys, 1); /* due since long */
    pair_close(&p);
}

static void a_peer_may_rekey_before_login(void)
{
    struct pair p;
    pair_init(&p);
    p.holds_auth = true;
    pair_open(&p);
    pair_run(&p);
    kex_start(p.server.t);
    /* What the client asks for meanwhile is held back. */
    transport_auth_publickey(p.client.t, BYTES_LIT("ssh-ed25519"), private_key_blob(p.user));
    pair_run(&p);
    CU_ASSERT(pair_both_open(&p));
    CU_ASSERT_EQUAL(transport_counts(p.client.t).rekeys, 1);
    pair_close(&p);
}

static void by_time_without_traffic_but_not_without_a_packet_since(void)
{
    struct pair p;
    pair_init(&p);
    p.client_config.rekey_ms = 1000;
    pair_login(&p);
    CU_ASSERT_EQUAL(transport_deadline(p.client.t), 1000);
    transport_tick(p.client.t, 999);
    CU_ASSERT(!transport_in_kex(p.client.t));
    p.now_ms = 1000;
    transport_tick(p.client.t, 1000); /* nothing moved since login: the login itself counts */
    CU_ASSERT(transport_in_kex(p.client.t));
    pair_run(&p);
    check_quiet(&p);
    CU_ASSERT_EQUAL(transport_counts(p.client.t).rekeys, 1);

    CU_ASSERT_EQUAL(transport_deadline(p.client.t), UINT64_MAX); /* idle: no spinning */
    transport_tick(p.client.t, 50000);
    CU_ASSERT(!transport_in_kex(p.client.t));
    CU_ASSERT(pair_data(&p.server, 10, 0));
    p.now_ms = 60000;
    pair_move(&p, &p.server, &p.client, SIZE_MAX);
    CU_ASSERT_EQUAL(transport_deadline(p.client.t), 2000); /* due at once now */
    transport_tick(p.client.t, 60001);
    CU_ASSERT(transport_in_kex(p.client.t));
    pair_run(&p);
    check_quiet(&p);
    pair_close(&p);
}

static void by_packets(void)
{
    struct pair p;
    pair_init(&p);
    pair_login(&p);
    p.client.t->tx.key_packets = REKEY_PACKETS - 2;
    CU_ASSERT(pair_data(&p.client, 10, 0));
    pair_run(&p);
    CU_ASSERT_EQUAL(transport_counts(p.client.t).rekeys, 0);
    CU_ASSERT(pair_data(&p.client, 10, 0));
    pair_run(&p);
    CU_ASSERT_EQUAL(transport_counts(p.client.t).rekeys, 1);
    p.server.t->rx.key_packets = REKEY_PACKETS; /* what comes in counts too */
    CU_ASSERT(pair_data(&p.client, 10, 0));
    pair_run(&p);
    CU_ASSERT_EQUAL(transport_counts(p.client.t).rekeys, 2);
    check_quiet(&p);
    pair_close(&p);
}

/* Forced to the edge: the same key for 2^32 packets. */
static void the_same_sequence_number_never_meets_the_same_key(void)
{
    struct pair p;
    pair_init(&p);
    pair_login(&p);
    p.server.t->rx.key_packets = LAST_PACKET - 1;
    CU_ASSERT(pair_data(&p.client, 10, 0));
    pair_run(&p);
    CU_ASSERT_EQUAL(pair_err(&p.server), ERR_LIMIT);
    pair_close(&p);

    pair_init(&p);
    pair_login(&p);
    transport_rekey(p.client.t); /* the peer never answers, and we have that much to say */
    p.client.t->tx.key_packets = LAST_PACKET - 1;
    CU_ASSERT_NOT_EQUAL(tx_packet(p.client.t, BYTES_LIT("\2\0\0\0\0")), ERR_OK);
    CU_ASSERT_EQUAL(pair_err(&p.client), ERR_LIMIT);
    pair_close(&p);
}

static void sequence_numbers_wrap_after_login_without_strictness(void)
{
    struct pair p;
    pair_init(&p);
    p.client_config.ciphers = "chacha20-poly1305@openssh.com";
    pair_open(&p);
    pair_drop_strict(&p.client);
    pair_drop_strict(&p.server);
    pair_run(&p);
    p.client.t->tx.seq = p.server.t->rx.seq = UINT32_MAX - 3;
    for (int i = 0; i < 10; i++) {
        CU_ASSERT(pair_data(&p.client, 10, 0));
        pair_run(&p);
    }
    CU_ASSERT_EQUAL(p.server.t->rx.seq, 6);
    CU_ASSERT(pair_both_open(&p));
    pair_close(&p);
}

/* ---- what may come --------------------------------------------------------------------------- */

static void after_our_kexinit_the_peer_may_go_on_until_its_own(void)
{
    struct pair p;
    pair_init(&p);
    pair_login(&p);
    transport_rekey(p.client.t);
    for (unsigned i = 0; i < 50; i++)
        CU_ASSERT(pair_data(&p.server, 1000, (uint8_t)i));
    pair_move(&p, &p.server, &p.client, SIZE_MAX);
    pair_move(&p, &p.server, &p.client, SIZE_MAX);
    pair_run(&p);
    check_quiet(&p);
    CU_ASSERT_EQUAL(p.client.n_packets, 50);
    CU_ASSERT_EQUAL(transport_counts(p.client.t).rekeys, 1);
    pair_close(&p);
}

static void after_its_kexinit_the_peer_may_not(void)
{
    static const uint8_t data[] = {MSG_CHANNEL_DATA, 0, 0, 0, 0};
    static const uint8_t service[] = {MSG_SERVICE_REQUEST, 0, 0, 0, 0};
    static const uint8_t ping[] = {MSG_PING, 0, 0, 0, 0};
    static const uint8_t ignore[] = {MSG_IGNORE, 0, 0, 0, 0};
    static const struct {
        struct bytes payload;
        enum err end;
    } cases[] = {
        {{data, sizeof data}, ERR_PROTOCOL},
        {{service, sizeof service}, ERR_PROTOCOL},
        {{ping, sizeof ping}, ERR_PROTOCOL},
        {{ignore, sizeof ignore}, ERR_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pair p;
        pair_init(&p);
        pair_login(&p);
        transport_rekey(p.client.t);
        pair_rogue(&p.client, cases[i].payload);
        pair_run(&p);
        CU_ASSERT_EQUAL(pair_err(&p.server), cases[i].end);
        pair_close(&p);
    }
}

static void a_second_kexinit_in_an_exchange_ends_it(void)
{
    for (int who = 0; who < 2; who++) {
        struct pair p;
        pair_init(&p);
        pair_login(&p);
        struct side *rogue = who ? &p.client : &p.server, *other = who ? &p.server : &p.client;
        transport_rekey(rogue->t);
        struct kex *k = rogue->t->kex;
        pair_rogue(rogue, (struct bytes){k->my_init, k->my_init_n});
        pair_move(&p, rogue, other, SIZE_MAX);
        CU_ASSERT_EQUAL(pair_err(other), ERR_PROTOCOL);
        pair_close(&p);
    }
}

static void unimplemented_about_the_exchange_is_fatal_about_others_not(void)
{
    struct pair p;
    pair_init(&p);
    pair_login(&p);
    uint8_t about[5] = {MSG_UNIMPLEMENTED};
    store_be32(about + 1, p.client.t->tx.seq - 1); /* something before */
    transport_rekey(p.client.t);
    pair_rogue(&p.server, (struct bytes){about, 5});
    pair_move(&p, &p.server, &p.client, SIZE_MAX);
    CU_ASSERT_EQUAL(pair_err(&p.client), ERR_OK);
    store_be32(about + 1, p.client.t->tx.seq - 1); /* KEXINIT */
    pair_rogue(&p.server, (struct bytes){about, 5});
    pair_move(&p, &p.server, &p.client, SIZE_MAX);
    CU_ASSERT_EQUAL(pair_err(&p.client), ERR_KEX);
    pair_close(&p);
}

static void another_host_key_in_a_rekey_ends_the_connection(void)
{
    struct pair p;
    pair_init(&p);
    pair_login(&p);
    struct rng rng = rng_fixed(99);
    struct private_key *other = private_key_generate(&rng);
    p.server.t->signing_key = other;
    transport_rekey(p.client.t);
    pair_run(&p);
    CU_ASSERT_EQUAL(pair_err(&p.client), ERR_HOST_KEY);
    CU_ASSERT_STRING_EQUAL(transport_fault(p.client.t)->text,
        "server showed another host key in a renewed key exchange");
    CU_ASSERT_STRING_EQUAL(p.client.log, "IHKRSOX");
    pair_close(&p);
    private_key_free(other);
}

static void keys_change_in_a_rekey(void)
{
    struct pair p;
    pair_init(&p);
    pair_login(&p);
    struct packet_cipher *before = p.client.t->tx.cipher;
    CU_ASSERT(transport_counts(p.client.t).packets_out > 0);
    transport_rekey(p.client.t);
    CU_ASSERT_PTR_EQUAL(p.client.t->tx.cipher, before);
    pair_run(&p);
    CU_ASSERT(p.client.t->tx.key_bytes == 0);
    CU_ASSERT(p.server.t->tx.key_bytes == 0);
    check_quiet(&p);
    pair_close(&p);
}

/* ---- what waits ------------------------------------------------------------------------------ */

static void control_packets_are_held_back_and_sent_in_order(void)
{
    struct pair p;
    pair_init(&p);
    pair_login(&p);
    transport_rekey(p.client.t);
    CU_ASSERT(transport_in_kex(p.client.t));
    struct packet_sink sink = transport_sink(p.client.t);
    CU_ASSERT(sink.congested(p.client.t));
    CU_ASSERT_PTR_NULL(sink.data_slot(p.client.t, 10, 0));
    struct hash h;
    hash_init(&h, HASH_SHA256);
    for (uint32_t i = 0; i < 300; i++) {
        uint8_t payload[5] = {MSG_CHANNEL_WINDOW_ADJUST};
        store_be32(payload + 1, i);
        uint8_t *slot = sink.control_slot(p.client.t, 100);
        CU_ASSERT_PTR_NOT_NULL_FATAL(slot);
        memcpy(slot, payload, 5);
        sink.commit(p.client.t, 5);
        hash_update_string(&h, (struct bytes){payload, 5});
    }
    pair_run(&p);
    check_quiet(&p);
    CU_ASSERT_EQUAL(p.server.n_packets, 300);
    uint8_t sent[32], got[32];
    hash_final(&h, sent);
    hash_final(&p.server.digest, got);
    CU_ASSERT_EQUAL(memcmp(sent, got, 32), 0);
    CU_ASSERT(!sink.congested(p.client.t));
    CU_ASSERT_EQUAL(p.client.t->tx.held.cap, 0); /* at rest it costs nothing */
    pair_close(&p);
}

static void what_is_held_back_is_bounded(void)
{
    struct pair p;
    pair_init(&p);
    pair_login(&p);
    transport_rekey(p.client.t);
    struct packet_sink sink = transport_sink(p.client.t);
    size_t n = 0;
    for (uint8_t *slot; (slot = sink.control_slot(p.client.t, 1000)) != NULL; n++) {
        memset(slot, MSG_CHANNEL_EOF, 1000);
        sink.commit(p.client.t, 1000);
    }
    CU_ASSERT(n > 4000 && n < 4300);
    CU_ASSERT_EQUAL(pair_err(&p.client), ERR_LIMIT);
    pair_close(&p);
}

static void a_ping_flood_in_our_key_exchange_is_bounded(void)
{
    struct pair p;
    pair_init(&p);
    pair_login(&p);
    transport_rekey(p.server.t);
    static uint8_t ping[30005] = {MSG_PING, 0, 0, 30000 >> 8, 30000 & 255};
    for (int i = 0; i < 200 && pair_err(&p.server) == ERR_OK; i++) {
        pair_rogue(&p.client, (struct bytes){ping, sizeof ping});
        pair_move(&p, &p.client, &p.server, SIZE_MAX);
        pair_move(&p, &p.client, &p.server, SIZE_MAX);
    }
    CU_ASSERT_EQUAL(pair_err(&p.server), ERR_LIMIT);
    pair_close(&p);
}

static const struct unit_test tests[] = {
    UNIT(data_flows_both_ways_through_rekeys_of_either_side),
    UNIT(group_exchange_renews_keys_with_and_without_strictness),
    UNIT(both_may_start_at_once),
    UNIT(a_thousand_rekeys_by_bytes_lose_no_byte),
    UNIT(rekeys_go_with_compression_and_without_strictness),
    UNIT(the_session_id_stays),
    UNIT(no_rekey_before_login),
    UNIT(a_peer_may_rekey_before_login),
    UNIT(by_time_without_traffic_but_not_without_a_packet_since),
    UNIT(by_packets),
    UNIT(the_same_sequence_number_never_meets_the_same_key),
    UNIT(sequence_numbers_wrap_after_login_without_strictness),
    UNIT(after_our_kexinit_the_peer_may_go_on_until_its_own),
    UNIT(after_its_kexinit_the_peer_may_not),
    UNIT(a_second_kexinit_in_an_exchange_ends_it),
    UNIT(unimplemented_about_the_exchange_is_fatal_about_others_not),
    UNIT(another_host_key_in_a_rekey_ends_the_connection),
    UNIT(keys_change_in_a_rekey),
    UNIT(control_packets_are_held_back_and_sent_in_order),
    UNIT(what_is_held_back_is_bounded),
    UNIT(a_ping_flood_in_our_key_exchange_is_bounded),
};
UNIT_MAIN("rekey", tests)
