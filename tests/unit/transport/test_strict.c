/* Strict key exchange (Terrapin, CVE-2023-48795), guesses, and EXT_INFO's place. */
#include <string.h>

#include "crypto/ct.h"
#include "tests/unit/transport/pair.h"

static const uint8_t ignore_message[] = {MSG_IGNORE, 0, 0, 0, 1, 'x'};
static const uint8_t debug_message[] = {MSG_DEBUG, 1, 0, 0, 0, 1, 'x', 0, 0, 0, 0};
static const uint8_t unimplemented_message[] = {MSG_UNIMPLEMENTED, 0, 0, 0, 99};
static const uint8_t unknown_message[] = {9, 0};
static const uint8_t ping_message[] = {MSG_PING, 0, 0, 0, 0};

#define BYTES(a) ((struct bytes){(a), sizeof(a)})

static struct bytes chatter(unsigned i)
{
    switch (i) {
    case 0: return BYTES(ignore_message);
    case 1: return BYTES(debug_message);
    case 2: return BYTES(unimplemented_message);
    default: return BYTES(unknown_message);
    }
}

/* A packet as it travels before NEWKEYS. */
static struct bytes plain_packet(struct bytes payload)
{
    static uint8_t packet[64];
    memset(packet, 0, sizeof packet);
    size_t padding = 8 - (5 + payload.n) % 8;
    padding += padding < 4 ? 8 : 0;
    store_be32(packet, (uint32_t)(1 + payload.n + padding));
    packet[4] = (uint8_t)padding;
    memcpy(packet + 5, payload.p, payload.n);
    return (struct bytes){packet, 5 + payload.n + padding};
}

/* ---- violations ------------------------------------------------------------------------------ */

static bool has_seen(const struct side *s, uint32_t n_packets)
{
    return s->t->peer_ident_n > 0 && s->t->rx.seq == n_packets;
}

#define GEX "diffie-hellman-group-exchange-sha256"

/* Someone on the line adds a packet for the victim once it has seen n_packets of the peer. */
static void inject(const char *kex, bool at_server, uint32_t n_packets, unsigned i, struct pair *p)
{
    pair_init(p);
    p->client_config.kex = kex;
    p->holds_host_key = true;
    pair_open(p);
    struct side *victim = at_server ? &p->server : &p->client;
    struct side *other = at_server ? &p->client : &p->server;
    for (unsigned turn = 0; turn < 10000 && !has_seen(victim, n_packets); turn++) {
        p->cuts = 1;
        pair_move(p, other, victim, 1);
        pair_move(p, victim, other, SIZE_MAX);
    }
    CU_ASSERT_EQUAL(victim->t->rx.seq, n_packets);
    CU_ASSERT(!victim->is_gone);
    p->cuts = 0;
    pair_feed(p, victim, plain_packet(chatter(i)));
}

/* Each sends n packets up to its share: KEXINIT and the share, in group exchange one more. */
static void add_packets(const char *kex, uint32_t n)
{
    for (unsigned i = 0; i < 4; i++)
        for (uint32_t seen = 1; seen <= n; seen++) {
            struct pair p;
            inject(kex, true, seen, i, &p);
            CU_ASSERT_EQUAL(pair_err(&p.server), ERR_PROTOCOL);
            pair_close(&p);
            inject(kex, false, seen, i, &p);
            if (seen == n) { /* it waits for the decision about the host key */
                CU_ASSERT_EQUAL(pair_err(&p.client), ERR_OK);
                transport_host_key_decide(p.client.t, true);
                pair_events(&p, &p.client);
            }
            CU_ASSERT_EQUAL(pair_err(&p.client), ERR_PROTOCOL);
            CU_ASSERT(!p.client.t->has_first_keys);
            pair_close(&p);
        }
}

static void a_packet_added_before_newkeys_ends_the_connection(void)
{
    add_packets("curve25519-sha256", 2);
    add_packets(GEX, 3);
}

static void kexinit_must_be_the_first_packet(void)
{
    for (unsigned i = 0; i < 3; i++) {
        struct pair p;
        inject(NULL, true, 0, i, &p);
        pair_run(&p);
        CU_ASSERT_EQUAL(pair_err(&p.server), ERR_PROTOCOL);
        CU_ASSERT_STRING_EQUAL(
            transport_fault(p.server.t)->text, "KEXINIT was not the first packet (strict)");
        pair_close(&p);
        inject(NULL, false, 0, i, &p);
        pair_run(&p);
        CU_ASSERT_EQUAL(pair_err(&p.client), ERR_PROTOCOL);
        pair_close(&p);
    }
}

static void without_the_marker_chatter_is_welcome(void)
{
    for (int who = 0; who < 2; who++) {
        struct pair p;
        pair_init(&p);
        pair_open(&p);
        struct side *loud = who ? &p.client : &p.server;
        pair_drop_strict(&p.client);
        pair_drop_strict(&p.server);
        for (unsigned i = 0; i < 3; i++)
            pair_rogue(loud, chatter(i));
        pair_run(&p);
        CU_ASSERT(pair_both_open(&p));
        CU_ASSERT(!transport_algorithms(p.client.t).strict);
        CU_ASSERT(!transport_algorithms(p.server.t).strict);
        CU_ASSERT_NOT_EQUAL(p.client.t->tx.seq, 0);
        transport_rekey(p.client.t);
        pair_run(&p);
        CU_ASSERT(pair_both_open(&p));
        pair_close(&p);
    }
}

static void without_the_marker_an_unknown_number_is_answered(void)
{
    struct pair p;
    pair_init(&p);
    pair_open(&p);
    pair_drop_strict(&p.client);
    pair_move(&p, &p.client, &p.server, SIZE_MAX);
    pair_rogue(&p.client, BYTES(unknown_message));
    uint64_t before = transport_counts(p.server.t).packets_out;
    pair_move(&p, &p.client, &p.server, SIZE_MAX);
    CU_ASSERT_EQUAL(transport_counts(p.server.t).packets_out, before + 1);
    CU_ASSERT_EQUAL(pair_err(&p.server), ERR_OK);
    pair_close(&p);
}

static void both_counters_restart_at_newkeys_each_time(void)
{
    struct pair p;
    pair_init(&p);
    pair_login(&p);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(p.client.t->tx.seq, p.server.t->rx.seq);
        CU_ASSERT_EQUAL(p.server.t->tx.seq, p.client.t->rx.seq);
        CU_ASSERT(pair_data(&p.client, 10, 0) && pair_data(&p.server, 10, 0));
        transport_rekey(p.client.t);
        pair_run(&p);
        CU_ASSERT(pair_both_open(&p));
        CU_ASSERT_EQUAL(p.client.t->tx.seq, 0);
        CU_ASSERT_EQUAL(p.server.t->tx.seq, 0);
    }
    pair_close(&p);
}

static bool offers(struct side *s, const char *name)
{
    const struct kex *k = s->t->kex;
    for (size_t i = 0; i + strlen(name) <= k->my_init_n; i++)
        if (memcmp(k->my_init + i, name, strlen(name)) == 0)
            return true;
    return false;
}

static void pseudo_names_are_in_the_first_kexinit_only(void)
{
    struct pair p;
    pair_init(&p);
    pair_open(&p);
    CU_ASSERT(offers(&p.client, ",ext-info-c,kex-strict-c-v00@openssh.com"));
    CU_ASSERT(offers(&p.server, ",kex-strict-s-v00@openssh.com"));
    CU_ASSERT(!offers(&p.server, "ext-info"));
    pair_run(&p);
    transport_rekey(p.client.t);
    transport_rekey(p.server.t);
    CU_ASSERT(!offers(&p.client, "kex-strict") && !offers(&p.client, "ext-info"));
    CU_ASSERT(!offers(&p.server, "kex-strict"));
    pair_run(&p);
    CU_ASSERT(pair_both_open(&p));
    CU_ASSERT(transport_algorithms(p.client.t).strict);
    pair_close(&p);
}

static void a_wrapped_sequence_in_the_first_exchange_is_fatal(void)
{
    struct pair p;
    pair_init(&p);
    pair_open(&p);
    pair_move(&p, &p.client, &p.server, SIZE_MAX);
    p.server.t->rx.seq = UINT32_MAX;
    pair_run(&p);
    CU_ASSERT_EQUAL(pair_err(&p.server), ERR_LIMIT);
    pair_close(&p);
}

/* ---- guesses --------------------------------------------------------------------------------- */

static const uint8_t yes = 1;

static void announce_guess(struct side *s)
{
    pair_patch_kexinit(s, s->t->kex->my_init_n - 5, &yes, 1);
}

static void guess(struct side *s, uint8_t number)
{
    uint8_t junk[] = {number, 0, 0, 0, 3, 'b', 'a', 'd'};
    pair_rogue(s, BYTES(junk));
}

/* The client's first method is agreed on; the server guessed the other. */
static void differ(struct pair *p, unsigned i)
{
    static const char *const lists[3][2] = {
        {"ecdh-sha2-nistp256,curve25519-sha256", "curve25519-sha256,ecdh-sha2-nistp256"},
        {GEX ",curve25519-sha256", "curve25519-sha256," GEX},
        {"curve25519-sha256," GEX, GEX ",curve25519-sha256"},
    };
    pair_init(p);
    p->client_config.kex = lists[i][0];
    p->server_config.kex = lists[i][1];
}

static void guess_wrong(int who, unsigned lists)
{
    struct pair p;
    differ(&p, lists);
    pair_open(&p);
    struct side *guesser = who ? &p.client : &p.server;
    announce_guess(guesser);
    guess(guesser, who ? MSG_KEX_ECDH_INIT : MSG_KEX_ECDH_REPLY);
    pair_run(&p);
    CU_ASSERT(pair_both_open(&p));
    pair_close(&p);

    differ(&p, lists);
    pair_open(&p);
    guesser = who ? &p.client : &p.server;
    announce_guess(guesser);
    guess(guesser, who ? MSG_KEX_ECDH_INIT : MSG_KEX_ECDH_REPLY);
    guess(guesser, who ? MSG_KEX_ECDH_INIT : MSG_KEX_ECDH_REPLY); /* one too many */
    pair_run(&p);
    CU_ASSERT(!pair_both_open(&p));
    CU_ASSERT(p.client.is_gone && p.server.is_gone);
    pair_close(&p);
}

static void a_wrong_guess_is_skipped_once_in_either_role(void)
{
    for (unsigned lists = 0; lists < 3; lists++) {
        guess_wrong(0, lists);
        guess_wrong(1, lists);
    }
}

/* As kex_start() does, but for the announcement: what is sealed cannot be patched. */
static void rekey_with_guess(struct transport *t)
{
    t->kex = secret_alloc(sizeof *t->kex);
    struct kex *k = t->kex;
    CU_ASSERT_EQUAL(kexinit_write(t, k), ERR_OK);
    k->my_init[k->my_init_n - 5] = 1;
    t->kex_first_seq = t->tx.seq;
    tx_packet(t, (struct bytes){k->my_init, k->my_init_n});
    t->tx.is_holding = true;
}

static void a_wrong_guess_is_skipped_in_a_rekey(void)
{
    for (unsigned i = 0; i < 6; i++) {
        int who = i % 2;
        struct pair p;
        differ(&p, i / 2);
        pair_login(&p);
        struct side *guesser = who ? &p.client : &p.server;
        rekey_with_guess(guesser->t);
        guess(guesser, who ? MSG_KEX_ECDH_INIT : MSG_KEX_ECDH_REPLY);
        pair_run(&p);
        CU_ASSERT(pair_both_open(&p));
        CU_ASSERT_EQUAL(transport_counts(p.client.t).rekeys, 1);
        pair_close(&p);
    }
}

static void something_else_than_the_announced_guess_is_refused(void)
{
    struct pair p;
    differ(&p, 0);
    pair_open(&p);
    announce_guess(&p.client);
    pair_rogue(&p.client, BYTES(ignore_message));
    pair_run(&p);
    CU_ASSERT_EQUAL(pair_err(&p.server), ERR_PROTOCOL);
    pair_close(&p);
}

static void a_right_guess_counts(void)
{
    static const char *const methods[] = {NULL, GEX};
    for (int i = 0; i < 2; i++) {
        struct pair p;
        pair_init(&p);
        p.client_config.kex = p.server_config.kex = methods[i];
        p.client_config.host_key_algorithms = "ssh-ed25519"; /* what the server prefers as well */
        pair_open(&p);
        announce_guess(&p.client); /* the share, or request, that follows is the guess */
        pair_run(&p);
        CU_ASSERT(pair_both_open(&p));
        pair_close(&p);
    }
}

/* ---- EXT_INFO -------------------------------------------------------------------------------- */

static struct bytes ext_info(const char *name, const char *value)
{
    static uint8_t room[256];
    struct wire_writer w = wire_writer(room, sizeof room);
    wire_put_u8(&w, MSG_EXT_INFO);
    wire_put_u32(&w, 1);
    wire_put_cstring(&w, name);
    wire_put_cstring(&w, value);
    return wire_written(&w);
}

static void until(struct pair *p, struct side *s, enum phase phase)
{
    for (unsigned i = 0; i < 100000 && s->t->phase != phase; i++) {
        pair_move(p, &p->client, &p->server, 1);
        if (s->t->phase == phase)
            break;
        pair_move(p, &p->server, &p->client, 1);
    }
    CU_ASSERT_EQUAL(s->t->phase, phase);
}

/* Some servers allow this user other algorithms than that one. */
static void a_client_takes_one_ext_info_in_mid_login_where_it_said_so(void)
{
    struct pair p;
    pair_init(&p);
    p.holds_auth = true;
    pair_open(&p);
    until(&p, &p.client, PH_STRICT);
    p.client.t->peer_wants_ext_info = true; /* as if the server had said ext-info-s */
    pair_run(&p);
    CU_ASSERT_EQUAL(p.client.t->phase, PH_AUTH);
    CU_ASSERT_EQUAL(p.server.t->phase, PH_AUTH); /* it took it, as the first thing it heard */
    CU_ASSERT(p.client.t->may_hear_in_auth);
    pair_rogue(&p.server, ext_info("server-sig-algs", "rsa-sha2-512"));
    pair_run(&p);
    CU_ASSERT_EQUAL(p.client.t->phase, PH_AUTH);
    CU_ASSERT(bytes_is(transport_server_sig_algs(p.client.t), "rsa-sha2-512"));
    pair_rogue(&p.server, ext_info("server-sig-algs", "ssh-ed25519"));
    pair_run(&p);
    CU_ASSERT_EQUAL(p.client.t->phase, PH_BEFORE_SUCCESS);
    pair_close(&p);
}

static void a_client_takes_a_second_ext_info_only_before_success(void)
{
    for (int then_success = 0; then_success < 2; then_success++) {
        struct pair p;
        pair_init(&p);
        p.holds_auth = true;
        pair_open(&p);
        pair_run(&p);
        CU_ASSERT_EQUAL(p.client.t->phase, PH_AUTH);
        pair_rogue(&p.server, ext_info("server-sig-algs", "rsa-sha2-512"));
        pair_run(&p);
        CU_ASSERT_EQUAL(p.client.t->phase, PH_BEFORE_SUCCESS);
        CU_ASSERT(bytes_is(transport_server_sig_algs(p.client.t), "rsa-sha2-512"));
        if (then_success) {
            transport_auth_none(p.client.t);
            uint8_t success[] = {MSG_USERAUTH_SUCCESS};
            pair_rogue(&p.server, BYTES(success));
            pair_move(&p, &p.server, &p.client, SIZE_MAX);
            CU_ASSERT(p.client.t->has_login);
        } else {
            pair_rogue(&p.server, ext_info("x", "y"));
            pair_move(&p, &p.server, &p.client, SIZE_MAX);
            CU_ASSERT_EQUAL(pair_err(&p.client), ERR_PROTOCOL);
        }
        pair_close(&p);
    }
}

static void ext_info_comes_not_after_login_nor_in_a_key_exchange(void)
{
    for (int who = 0; who < 2; who++) {
        struct pair p;
        pair_init(&p);
        pair_login(&p);
        pair_rogue(who ? &p.client : &p.server, ext_info("a", "b"));
        pair_run(&p);
        CU_ASSERT_EQUAL(pair_err(who ? &p.server : &p.client), ERR_PROTOCOL);
        pair_close(&p);
    }
}

static void a_server_takes_one_ext_info_straight_after_newkeys(void)
{
    struct pair p;
    pair_init(&p);
    p.holds_auth = true;
    pair_open(&p);
    until(&p, &p.server, PH_KEYED);
    CU_ASSERT_EQUAL(packet_take(p.server.t, ext_info("ext-info-in-auth@openssh.com", "0")), ERR_OK);
    CU_ASSERT_EQUAL(p.server.t->phase, PH_AUTH);
    CU_ASSERT_EQUAL(packet_take(p.server.t, ext_info("a", "b")), ERR_PROTOCOL);
    pair_close(&p);
}

static void a_damaged_ext_info_ends_the_connection(void)
{
    struct pair p;
    pair_init(&p);
    p.holds_auth = true;
    pair_open(&p);
    pair_run(&p);
    struct bytes b = ext_info("a", "b");
    b.n--;
    pair_rogue(&p.server, b);
    pair_run(&p);
    CU_ASSERT_EQUAL(pair_err(&p.client), ERR_MALFORMED);
    pair_close(&p);
}

static void a_sig_algs_list_that_is_none_counts_as_not_sent(void)
{
    struct pair p;
    pair_init(&p);
    p.holds_auth = true;
    pair_open(&p);
    pair_run(&p);
    CU_ASSERT_EQUAL(ext_info_take(p.client.t, ext_info("server-sig-algs", "a, b"), true), ERR_OK);
    CU_ASSERT(bytes_is(transport_server_sig_algs(p.client.t), key_signature_names()));
    pair_close(&p);
}

static void a_ping_before_login_is_not_answered(void)
{
    struct pair p;
    pair_init(&p);
    p.holds_auth = true;
    pair_open(&p);
    pair_run(&p);
    uint64_t before = transport_counts(p.server.t).packets_out;
    pair_rogue(&p.client, BYTES(ping_message));
    pair_run(&p);
    CU_ASSERT_EQUAL(pair_err(&p.server), ERR_OK);
    CU_ASSERT_EQUAL(transport_counts(p.server.t).packets_out, before);
    pair_close(&p);
}

static const struct unit_test tests[] = {
    UNIT(a_packet_added_before_newkeys_ends_the_connection),
    UNIT(kexinit_must_be_the_first_packet),
    UNIT(without_the_marker_chatter_is_welcome),
    UNIT(without_the_marker_an_unknown_number_is_answered),
    UNIT(both_counters_restart_at_newkeys_each_time),
    UNIT(pseudo_names_are_in_the_first_kexinit_only),
    UNIT(a_wrapped_sequence_in_the_first_exchange_is_fatal),
    UNIT(a_wrong_guess_is_skipped_once_in_either_role),
    UNIT(a_wrong_guess_is_skipped_in_a_rekey),
    UNIT(something_else_than_the_announced_guess_is_refused),
    UNIT(a_right_guess_counts),
    UNIT(a_client_takes_one_ext_info_in_mid_login_where_it_said_so),
    UNIT(a_client_takes_a_second_ext_info_only_before_success),
    UNIT(ext_info_comes_not_after_login_nor_in_a_key_exchange),
    UNIT(a_server_takes_one_ext_info_straight_after_newkeys),
    UNIT(a_damaged_ext_info_ends_the_connection),
    UNIT(a_sig_algs_list_that_is_none_counts_as_not_sent),
    UNIT(a_ping_before_login_is_not_answered),
};
UNIT_MAIN("strict", tests)
