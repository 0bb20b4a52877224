/* Diffie-Hellman over the wire: which group a client gets, and peers that lie about groups and
 * shares. Rogues speak before the engine whose place they take has heard anything. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/transport/pair.h"

#define GEX     "diffie-hellman-group-exchange-sha256"
#define GROUP14 "diffie-hellman-group14-sha256"

static uint8_t room[40000];

static void open_with(struct pair *p, const char *kex)
{
    pair_init(p);
    p->client_config.kex = kex;
    pair_open(p);
}

/* KEXINIT and all that a rogue said reach the other side. */
static void hear(struct pair *p, struct side *from, struct side *to)
{
    for (int i = 0; i < 6; i++)
        pair_move(p, from, to, SIZE_MAX);
}

static void check_fault(const struct side *s, enum err e, const char *text)
{
    CU_ASSERT_EQUAL(pair_err(s), e);
    if (strncmp(transport_fault(s->t)->text, text, strlen(text)) != 0)
        printf("    \"%s\"\n", transport_fault(s->t)->text);
    CU_ASSERT_EQUAL(strncmp(transport_fault(s->t)->text, text, strlen(text)), 0);
}

static struct bytes request(uint32_t min, uint32_t wanted, uint32_t max)
{
    struct wire_writer w = wire_writer(room, sizeof room);
    msg_gex_request_encode(&w, &(struct msg_gex_request){min, wanted, max});
    return wire_written(&w);
}

static struct bytes init(uint8_t number, struct bytes share)
{
    struct wire_writer w = wire_writer(room, sizeof room);
    msg_ecdh_init_encode(&w, number, &(struct msg_ecdh_init){share});
    return wire_written(&w);
}

static struct bytes reply(uint8_t number, struct bytes host_key, struct bytes share)
{
    struct wire_writer w = wire_writer(room, sizeof room);
    msg_ecdh_reply_encode(&w, number, &(struct msg_ecdh_reply){host_key, share, {NULL, 0}});
    return wire_written(&w);
}

static struct bytes group(struct bytes p, struct bytes g)
{
    struct wire_writer w = wire_writer(room, sizeof room);
    msg_gex_group_encode(&w, &(struct msg_gex_group){p, g});
    return wire_written(&w);
}

/* ---- requests -------------------------------------------------------------------------------- */

static void a_server_gives_the_group_that_suits_the_wish_best(void)
{
    static const struct {
        uint32_t min, wanted, max;
        unsigned bits; /* 0: none */
    } cases[] = {
        {2048, 3072, 4096, 3072}, /* ours */
        {2048, 2048, 8192, 2048}, /* OpenSSH's, by the strength of the cipher */
        {2048, 3072, 8192, 3072},
        {2048, 7680, 8192, 4096},
        {2048, 8192, 8192, 4096},
        {1024, 1024, 8192, 2048}, /* not under what we have */
        {1024, 1024, 2047, 0},
        {1024, 4096, 8192, 4096}, /* PuTTY's */
        {0, 0, UINT32_MAX, 2048},
        {2048, 2049, 8192, 3072},
        {2048, 3073, 4096, 4096},
        {2048, 3073, 4095, 3072}, /* the largest allowed */
        {2048, 3000, 3000, 2048},
        {3000, 3000, 3071, 0},
        {4097, 4097, 8192, 0},
        {UINT32_MAX, UINT32_MAX, UINT32_MAX, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pair p;
        open_with(&p, GEX);
        pair_rogue(&p.client, request(cases[i].min, cases[i].wanted, cases[i].max));
        hear(&p, &p.client, &p.server);
        if (cases[i].bits == 0) {
            check_fault(&p.server, ERR_KEX, "client takes Diffie-Hellman groups of ");
        } else {
            CU_ASSERT_EQUAL_FATAL(pair_err(&p.server), ERR_OK);
            CU_ASSERT_EQUAL(dh_bits(&p.server.t->kex->group), cases[i].bits);
            CU_ASSERT_EQUAL(p.server.t->phase, PH_STRICT_GEX_SHARE);
        }
        pair_close(&p);
    }
}

static void a_request_that_contradicts_itself_is_refused(void)
{
    static const uint32_t cases[][3] = {{4096, 3072, 8192}, {2048, 8192, 4096}, {4096, 3072, 2048}};
    for (size_t i = 0; i < 3; i++) {
        struct pair p;
        open_with(&p, GEX);
        pair_rogue(&p.client, request(cases[i][0], cases[i][1], cases[i][2]));
        hear(&p, &p.client, &p.server);
        check_fault(&p.server, ERR_KEX, "client asked for a Diffie-Hellman group of ");
        pair_close(&p);
    }
}

static void a_client_asks_for_2048_to_4096_and_gets_3072(void)
{
    struct pair p;
    open_with(&p, GEX);
    p.holds_host_key = true;
    pair_run(&p);
    const struct kex *k = p.client.t->kex;
    CU_ASSERT_PTR_NOT_NULL_FATAL(k);
    CU_ASSERT_EQUAL(memcmp(k->gex_terms, "\0\0\x08\0\0\0\x0c\0\0\0\x10\0\0\0\1\x81\0\xff", 18), 0);
    CU_ASSERT(bytes_equal(k->group.p, dh_group15.p) && bytes_equal(k->group.g, dh_group15.g));
    pair_close(&p);
}

/* ---- groups ---------------------------------------------------------------------------------- */

static void client_meets_group(struct bytes payload, enum err e, const char *text)
{
    struct pair p;
    open_with(&p, GEX);
    pair_rogue(&p.server, payload);
    hear(&p, &p.server, &p.client);
    check_fault(&p.client, e, text);
    pair_close(&p);
}

static void a_client_refuses_groups_that_are_none(void)
{
    static const char not_good[] = "server's Diffie-Hellman group is not good: ";
    static uint8_t p[2048], g[256];
    const struct bytes two = BYTES_LIT("\2"), p14 = dh_group14.p;
    char text[100];
    memset(p, 0xff, sizeof p);
    client_meets_group(group((struct bytes){p, 1024}, two), ERR_KEX,
        "server's Diffie-Hellman group has 8192 bits; we take 2048 to 4096");
    client_meets_group(group((struct bytes){p, 2048}, two), ERR_KEX,
        "server's Diffie-Hellman group has 16384 bits; we take 2048 to 4096");
    client_meets_group(group((struct bytes){p, 255}, two), ERR_KEX,
        "server's Diffie-Hellman group has 2040 bits; we take 2048 to 4096");
    client_meets_group(
        group(BYTES_LIT("\x17"), two), ERR_KEX, "server's Diffie-Hellman group has 5 bits");
    client_meets_group(
        group(BYTES_LIT("\1"), two), ERR_KEX, "server's Diffie-Hellman group has 1 bits");
    client_meets_group(
        group(BYTES_LIT(""), BYTES_LIT("")), ERR_KEX, "server's Diffie-Hellman group has 0 bits");
    p[255] = 0xfe;
    snprintf(text, sizeof text, "%sits prime is even", not_good);
    client_meets_group(group((struct bytes){p, 256}, two), ERR_KEX, text);
    snprintf(text, sizeof text, "%sits generator is not in 2..p-2", not_good);
    client_meets_group(group(p14, BYTES_LIT("")), ERR_KEX, text);
    client_meets_group(group(p14, BYTES_LIT("\1")), ERR_KEX, text);
    client_meets_group(group(p14, p14), ERR_KEX, text);
    memcpy(g, p14.p, sizeof g);
    g[255] ^= 1; /* p - 1 */
    client_meets_group(group(p14, (struct bytes){g, sizeof g}), ERR_KEX, text);
    client_meets_group(group(p14, dh_group16.p), ERR_KEX, text);
}

static void a_group_that_is_not_two_good_mpints_is_malformed(void)
{
    static const char malformed[] = "malformed KEX_DH_GEX_GROUP";
    struct bytes b = group(dh_group14.p, BYTES_LIT("\2"));
    client_meets_group((struct bytes){b.p, b.n - 1}, ERR_MALFORMED, malformed);
    room[b.n] = 0;
    client_meets_group((struct bytes){b.p, b.n + 1}, ERR_MALFORMED, malformed);
    room[b.n - 1] = 0x82; /* g < 0 */
    client_meets_group(b, ERR_MALFORMED, malformed);
    b = group(dh_group14.p, BYTES_LIT("\2"));
    room[1 + 4] = 0xff; /* p < 0 */
    client_meets_group(b, ERR_MALFORMED, malformed);
    b = group(dh_group14.p, BYTES_LIT("\2"));
    room[1 + 4 + 1] = 0x7f; /* a zero too many */
    client_meets_group(b, ERR_MALFORMED, malformed);
}

/* 2^1024 squared is 1 modulo 2^2048 - 1: half of all exponents make a share of 1. */
static void a_client_does_not_send_a_weak_share(void)
{
    static uint8_t p[256], g[129] = {1};
    memset(p, 0xff, sizeof p);
    unsigned n_weak = 0, n_sent = 0;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct pair pair;
        open_with(&pair, GEX);
        pair.client.rng = rng_fixed(seed);
        pair_rogue(&pair.server, group((struct bytes){p, sizeof p}, (struct bytes){g, sizeof g}));
        hear(&pair, &pair.server, &pair.client);
        if (pair_err(&pair.client) == ERR_OK) {
            n_sent++;
        } else {
            n_weak++;
            check_fault(&pair.client, ERR_KEX,
                "server's Diffie-Hellman group is not good: our share is weak");
        }
        pair_close(&pair);
    }
    CU_ASSERT(n_weak > 0 && n_sent > 0);
}

/* ---- shares ---------------------------------------------------------------------------------- */

/* The lies about a share, as an mpint's content, in a group of 2048 bits. */
static bool lie(unsigned i, struct bytes *share)
{
    static uint8_t lies[35000];
    memset(lies, 0, sizeof lies);
    memcpy(lies + 1, dh_group14.p.p, 256);
    *share = (struct bytes){lies, 257};
    switch (i) {
    case 0: *share = BYTES_LIT(""); return true;
    case 1: *share = BYTES_LIT("\1"); return true;
    case 2: lies[256] ^= 1; return true; /* p - 1 */
    case 3: return true;                 /* p */
    case 4: share->p++; return true;     /* a negative number */
    case 5: *share = BYTES_LIT("\0\5"); return true;
    case 6: share->n++; return true; /* 256 p */
    case 7: share->n = 30000; return true;
    default: return false;
    }
}

static void a_server_refuses_bad_shares(void)
{
    struct bytes share;
    for (int is_gex = 0; is_gex < 2; is_gex++)
        for (unsigned i = 0; lie(i, &share); i++) {
            struct pair p;
            open_with(&p, is_gex ? GEX : GROUP14);
            if (is_gex)
                pair_rogue(&p.client, request(2048, 2048, 2048));
            pair_rogue(&p.client, init(is_gex ? MSG_KEX_GEX_INIT : MSG_KEX_ECDH_INIT, share));
            hear(&p, &p.client, &p.server);
            check_fault(&p.server, ERR_KEX, "client's share is not good for diffie-hellman-group");
            CU_ASSERT(!p.server.t->has_first_keys);
            pair_close(&p);
        }
}

static void a_client_refuses_bad_shares(void)
{
    struct bytes share;
    for (int is_gex = 0; is_gex < 2; is_gex++)
        for (unsigned i = 0; lie(i, &share); i++) {
            struct pair p;
            open_with(&p, is_gex ? GEX : GROUP14);
            if (is_gex)
                pair_rogue(&p.server, group(dh_group14.p, dh_group14.g));
            pair_rogue(&p.server, reply(is_gex ? MSG_KEX_GEX_REPLY : MSG_KEX_ECDH_REPLY,
                                      private_key_blob(p.host), share));
            hear(&p, &p.server, &p.client);
            check_fault(&p.client, ERR_KEX, "server's share is not good for diffie-hellman-group");
            CU_ASSERT_STRING_EQUAL(p.client.log, "IX"); /* no question about the host key */
            pair_close(&p);
        }
}

/* ---- order ----------------------------------------------------------------------------------- */

/* The numbers that a rogue client, resp. server, sends one after another; the last is refused. */
static void check_order(bool from_client, const char *kex, const uint8_t *numbers, size_t n)
{
    struct pair p;
    open_with(&p, kex);
    struct side *rogue = from_client ? &p.client : &p.server;
    struct side *victim = from_client ? &p.server : &p.client;
    for (size_t i = 0; i < n; i++) {
        bool is_last = i + 1 == n;
        if (is_last) {
            hear(&p, rogue, victim);
            CU_ASSERT_EQUAL(pair_err(victim), ERR_OK);
        }
        switch (numbers[i]) {
        case MSG_KEX_GEX_REQUEST: pair_rogue(rogue, request(2048, 2048, 4096)); break;
        case MSG_KEX_GEX_GROUP: pair_rogue(rogue, group(dh_group14.p, dh_group14.g)); break;
        default: pair_rogue(rogue, init(numbers[i], BYTES_LIT("\2")));
        }
    }
    hear(&p, rogue, victim);
    CU_ASSERT_EQUAL(pair_err(victim), ERR_PROTOCOL);
    pair_close(&p);
}

static void messages_out_of_their_order_are_refused(void)
{
    static const struct {
        bool from_client;
        const char *kex;
        uint8_t numbers[3];
        size_t n;
    } cases[] = {
        {true, GEX, {MSG_KEX_GEX_INIT}, 1},
        {true, GEX, {MSG_KEX_ECDH_INIT}, 1}, /* or the old request */
        {true, GEX, {MSG_KEX_GEX_GROUP}, 1},
        {true, GEX, {MSG_KEX_GEX_REQUEST, MSG_KEX_GEX_REQUEST}, 2},
        {true, GEX, {MSG_KEX_GEX_REQUEST, MSG_KEX_ECDH_INIT}, 2},
        {true, GEX, {MSG_KEX_GEX_REQUEST, MSG_NEWKEYS}, 2},
        {true, GEX, {MSG_KEX_GEX_REQUEST, MSG_KEX_GEX_INIT, MSG_KEX_GEX_INIT}, 3},
        {true, GROUP14, {MSG_KEX_GEX_REQUEST}, 1},
        {true, GROUP14, {MSG_KEX_GEX_INIT}, 1},
        {false, GEX, {MSG_KEX_GEX_REPLY}, 1},
        {false, GEX, {MSG_NEWKEYS}, 1},
        {false, GEX, {MSG_KEX_GEX_REQUEST}, 1},
        {false, GEX, {MSG_KEX_GEX_GROUP, MSG_KEX_GEX_GROUP}, 2},
        {false, GEX, {MSG_KEX_GEX_GROUP, MSG_NEWKEYS}, 2},
        {false, GROUP14, {MSG_KEX_GEX_REPLY}, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_order(cases[i].from_client, cases[i].kex, cases[i].numbers, cases[i].n);
}

static const struct unit_test tests[] = {
    UNIT(a_server_gives_the_group_that_suits_the_wish_best),
    UNIT(a_request_that_contradicts_itself_is_refused),
    UNIT(a_client_asks_for_2048_to_4096_and_gets_3072),
    UNIT(a_client_refuses_groups_that_are_none),
    UNIT(a_group_that_is_not_two_good_mpints_is_malformed),
    UNIT(a_client_does_not_send_a_weak_share),
    UNIT(a_server_refuses_bad_shares),
    UNIT(a_client_refuses_bad_shares),
    UNIT(messages_out_of_their_order_are_refused),
};
UNIT_MAIN("gex", tests)
