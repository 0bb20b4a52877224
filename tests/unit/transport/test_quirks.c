/* What is put up with from peers whose version line names a known fault, and from them alone. */
#include "tests/unit/transport/pair.h"

static const char faulty[] = "AsyncSSH_2.10.1";
static const char *const all_faulty[] = {
    "AsyncSSH_2.10.1", "AsyncSSH_2.14.1", "AsyncSSH_2.14.2", "paramiko_2.12.0", "paramiko_4.0.0"};
static const char *const faultless[] = {"AsyncSSH_2.10.0", "AsyncSSH_2.10.10", "AsyncSSH_2.15.0",
    "asyncssh_2.10.1", "paramiko", "my_paramiko_2", "OpenSSH_9.2p1", "test_software"};
enum {
    N_FAULTY = sizeof all_faulty / sizeof all_faulty[0],
    N_FAULTLESS = sizeof faultless / sizeof faultless[0],
};

static const char *const kexes[] = {"curve25519-sha256", "diffie-hellman-group-exchange-sha256"};

static const uint8_t data[] = {MSG_CHANNEL_DATA, 0, 0, 0, 0, 0, 0, 0, 1, '!'};
static const uint8_t global[] = {MSG_GLOBAL_REQUEST, 0, 0, 0, 1, 'x', 0};

/* One side is this software; *talker is that side, *hearer the other one. */
static void open_as(struct pair *p, bool is_client, const char *software, const char *kex)
{
    pair_init(p);
    *(is_client ? &p->client_config.software : &p->server_config.software) = software;
    p->client_config.kex = kex;
}

/* It talks behind its KEXINIT, in each of its steps, and the other side's verdict is returned. */
static enum err talk_in_rekey(bool is_client, bool starts, const char *software, const char *kex)
{
    struct pair p;
    open_as(&p, is_client, software, kex);
    pair_login(&p);
    struct side *talker = is_client ? &p.client : &p.server;
    struct side *hearer = is_client ? &p.server : &p.client;
    transport_rekey(starts ? talker->t : hearer->t);
    uint64_t n_sent = 0;
    for (unsigned step = 0; step < 8; step++) { /* more than there are in an exchange */
        if (talker->t->tx.is_holding) {         /* its KEXINIT is out, its NEWKEYS is not */
            pair_rogue(talker, (struct bytes){data, sizeof data});
            pair_rogue(talker, (struct bytes){global, sizeof global});
            n_sent += 2;
        }
        pair_move(&p, talker, hearer, SIZE_MAX);
        pair_move(&p, hearer, talker, SIZE_MAX);
    }
    pair_run(&p);
    enum err e = pair_err(hearer);
    CU_ASSERT(n_sent > 0);
    if (e == ERR_OK) {
        CU_ASSERT_EQUAL(hearer->n_packets, n_sent);
        CU_ASSERT_EQUAL(transport_counts(hearer->t).rekeys, 1);
        CU_ASSERT(pair_data(hearer, 100, 1) && pair_data(talker, 100, 2));
        pair_run(&p);
        CU_ASSERT_EQUAL(hearer->n_packets, n_sent + 1);
        CU_ASSERT(pair_both_open(&p));
    }
    pair_close(&p);
    return e;
}

static void a_peer_known_for_it_may_talk_on_in_a_rekey(void)
{
    for (unsigned s = 0; s < N_FAULTY; s++)
        for (unsigned i = 0; i < 8; i++)
            CU_ASSERT_EQUAL(talk_in_rekey(i & 1, i & 2, all_faulty[s], kexes[i / 4]), ERR_OK);
}

static void no_other_peer_may(void)
{
    for (unsigned s = 0; s < N_FAULTLESS; s++)
        for (unsigned i = 0; i < 8; i++)
            CU_ASSERT_EQUAL(talk_in_rekey(i & 1, i & 2, faultless[s], kexes[i / 4]), ERR_PROTOCOL);
}

static void it_may_not_in_the_first_exchange(void)
{
    for (unsigned i = 0; i < 8; i++) {
        struct pair p;
        bool is_client = i & 1;
        open_as(&p, is_client, faulty, kexes[i / 4]);
        pair_open(&p);
        if (i & 2) {
            pair_drop_strict(&p.client);
            pair_drop_strict(&p.server);
        }
        pair_rogue(is_client ? &p.client : &p.server, (struct bytes){data, sizeof data});
        pair_run(&p);
        struct side *hearer = is_client ? &p.server : &p.client;
        CU_ASSERT_EQUAL(pair_err(hearer), ERR_PROTOCOL);
        CU_ASSERT_EQUAL(hearer->n_packets, 0);
        pair_close(&p);
    }
}

static void it_may_not_in_a_rekey_before_login(void)
{
    for (unsigned is_client = 0; is_client < 2; is_client++) {
        struct pair p;
        open_as(&p, is_client, faulty, kexes[0]);
        p.holds_auth = true;
        pair_open(&p);
        pair_run(&p);
        struct side *talker = is_client ? &p.client : &p.server;
        struct side *hearer = is_client ? &p.server : &p.client;
        CU_ASSERT_EQUAL(kex_start(talker->t), ERR_OK);
        pair_rogue(talker, (struct bytes){data, sizeof data});
        pair_run(&p);
        CU_ASSERT_EQUAL(pair_err(hearer), ERR_PROTOCOL);
        CU_ASSERT_EQUAL(hearer->n_packets, 0);
        pair_close(&p);
    }
}

/* What it makes us owe while it does not go on with the exchange is bounded as always. */
static void what_it_makes_us_owe_is_bounded(void)
{
    struct pair p;
    open_as(&p, false, faulty, kexes[0]);
    pair_login(&p);
    transport_rekey(p.server.t);
    pair_move(&p, &p.server, &p.client, SIZE_MAX);
    CU_ASSERT_EQUAL(p.client.t->phase, PH_LOOSE);
    struct packet_sink sink = transport_sink(p.client.t);
    unsigned n = 0;
    for (; n < 2 * TX_HELD_LIMIT / 1000 && sink.control_slot(p.client.t, 1000) != NULL; n++)
        sink.commit(p.client.t, 1000);
    CU_ASSERT(n < TX_HELD_LIMIT / 1000);
    CU_ASSERT_EQUAL(pair_err(&p.client), ERR_LIMIT);
    pair_close(&p);
}

static void the_exchange_still_has_its_deadline(void)
{
    struct pair p;
    open_as(&p, false, faulty, kexes[0]);
    p.client_config.kex_ms = 1000;
    pair_login(&p);
    transport_rekey(p.server.t);
    pair_move(&p, &p.server, &p.client, SIZE_MAX);
    transport_tick(p.client.t, p.now_ms);
    pair_rogue(&p.server, (struct bytes){data, sizeof data});
    pair_move(&p, &p.server, &p.client, SIZE_MAX);
    CU_ASSERT_EQUAL(pair_err(&p.client), ERR_OK);
    transport_tick(p.client.t, p.now_ms + 1000);
    CU_ASSERT_EQUAL(pair_err(&p.client), ERR_TIMEOUT);
    pair_close(&p);
}

static const struct unit_test tests[] = {
    UNIT(a_peer_known_for_it_may_talk_on_in_a_rekey),
    UNIT(no_other_peer_may),
    UNIT(it_may_not_in_the_first_exchange),
    UNIT(it_may_not_in_a_rekey_before_login),
    UNIT(what_it_makes_us_owe_is_bounded),
    UNIT(the_exchange_still_has_its_deadline),
};
UNIT_MAIN("quirks", tests)
