#include <stdio.h>
#include <string.h>

#include "proto/namelist.h"
#include "tests/unit/crypto/sample_keys.h"
#include "tests/unit/transport/pair.h"

#define CLIENT_LOG "IHKRSO"
#define SERVER_LOG "IKYYO"

static void two_engines_log_in_and_exchange_data(void)
{
    struct pair p;
    pair_init(&p);
    pair_login(&p);
    CU_ASSERT_STRING_EQUAL(p.client.log, CLIENT_LOG);
    CU_ASSERT_STRING_EQUAL(p.server.log, SERVER_LOG);
    CU_ASSERT(pair_data(&p.client, 1000, 'c'));
    CU_ASSERT(pair_data(&p.server, 2000, 's'));
    pair_run(&p);
    CU_ASSERT_EQUAL(p.server.n_payload_bytes, 1000);
    CU_ASSERT_EQUAL(p.client.n_payload_bytes, 2000);
    pair_close(&p);
}

/* ---- every algorithm, every cut -------------------------------------------------------------- */

struct outcome {
    char logs[2][64];
    uint8_t digests[2][32];
};

static void exchange(struct pair *p)
{
    for (unsigned i = 0; i < 40; i++) {
        CU_ASSERT(pair_data(&p->client, 1 + i * 37, (uint8_t)i));
        CU_ASSERT(pair_data(&p->server, 1 + i * 53, (uint8_t)i));
        if (i % 3 == 0)
            pair_run(p);
    }
    transport_rekey(p->client.t);
    pair_run(p);
    CU_ASSERT(pair_data(&p->client, 5000, 'x'));
    CU_ASSERT(pair_data(&p->server, 5000, 'y'));
    pair_run(p);
}

static void play(const struct pair *config, uint64_t cuts, struct outcome *out)
{
    struct pair p;
    pair_init(&p);
    p.client_config.kex = config->client_config.kex;
    p.client_config.ciphers = p.server_config.ciphers = config->client_config.ciphers;
    p.client_config.macs = p.server_config.macs = config->client_config.macs;
    p.client_config.compression = p.server_config.compression = config->client_config.compression;
    p.cuts = cuts;
    pair_login(&p);
    exchange(&p);
    memset(out, 0, sizeof *out);
    snprintf(out->logs[0], sizeof out->logs[0], "%.60s", p.client.log);
    snprintf(out->logs[1], sizeof out->logs[1], "%.60s", p.server.log);
    hash_final(&p.client.digest, out->digests[0]);
    hash_final(&p.server.digest, out->digests[1]);
    CU_ASSERT(pair_both_open(&p));
    pair_close(&p);
}

/* The reference is what was sent, whatever the algorithms. */
static void play_all_cuts(struct pair *config)
{
    static struct outcome reference;
    if (reference.logs[0][0] == '\0')
        play(config, 0, &reference);
    static const uint64_t cuts[] = {0, 1, 12345};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        struct outcome o;
        play(config, cuts[i], &o);
        CU_ASSERT_STRING_EQUAL(o.logs[0], CLIENT_LOG "K");
        CU_ASSERT_STRING_EQUAL(o.logs[1], SERVER_LOG "K");
        CU_ASSERT_EQUAL(memcmp(&o, &reference, sizeof o), 0);
    }
}

static void name_at(struct bytes *list, char out[65])
{
    struct bytes name = {NULL, 0};
    (void)namelist_next(list, &name);
    snprintf(out, 65, "%.*s", (int)name.n, (const char *)name.p);
}

static void every_cipher_and_mac_gives_the_same_events_however_it_is_cut(void)
{
    char cipher[65], mac[65];
    struct pair config = {.client_config = {.ciphers = cipher, .macs = mac}};
    for (struct bytes c = bytes_of(packet_cipher_names()); c.n > 0;) {
        name_at(&c, cipher);
        for (struct bytes m = bytes_of(packet_mac_names()); m.n > 0;) {
            name_at(&m, mac);
            play_all_cuts(&config);
            if (packet_cipher_is_aead(bytes_of(cipher)))
                break;
        }
    }
}

static void every_compression_gives_the_same_events_however_it_is_cut(void)
{
    static const char *const names[] = {"zlib@openssh.com", "zlib"};
    for (size_t i = 0; i < 2; i++)
        play_all_cuts(&(struct pair){.client_config = {.compression = names[i]}});
}

static void every_key_exchange_method_gives_the_same_events_however_it_is_cut(void)
{
    char kex[65];
    struct pair config = {.client_config = {.kex = kex}};
    for (struct bytes k = bytes_of(kex_names()); k.n > 0;) {
        name_at(&k, kex);
        play_all_cuts(&config);
    }
}

static void directions_are_compressed_each_on_its_own(void)
{
    struct pair p;
    pair_init(&p);
    p.client_config.compression = "zlib";
    p.server_config.compression = "zlib";
    pair_open(&p);
    /* From server to client neither offers more than "none". */
    pair_patch_list(&p.client, KEXINIT_COMP_S2C, "none");
    pair_patch_list(&p.server, KEXINIT_COMP_S2C, "none");
    pair_run(&p);
    CU_ASSERT(pair_both_open(&p));
    CU_ASSERT(p.client.t->tx.deflate != NULL && p.client.t->rx.inflate == NULL);
    CU_ASSERT(p.server.t->tx.deflate == NULL && p.server.t->rx.inflate != NULL);
    CU_ASSERT(pair_data(&p.client, 5000, 'a') && pair_data(&p.server, 5000, 'b'));
    pair_run(&p);
    CU_ASSERT_EQUAL(p.server.n_payload_bytes + p.client.n_payload_bytes, 10000);
    pair_close(&p);
}

/* libssh up to 0.10 ends its list of ciphers so; what is patched is as long as what was there. */
static void a_list_that_ends_with_a_comma_is_agreed_on(void)
{
    for (int is_server = 0; is_server < 2; is_server++) {
        struct pair p;
        pair_init(&p);
        p.client_config.ciphers = p.server_config.ciphers = "aes256-ctr,aes128-ctr";
        pair_open(&p);
        struct side *s = is_server ? &p.server : &p.client;
        pair_patch_list(s, KEXINIT_CIPHER_C2S, "a,b,c,d,e,aes128-ctr,");
        pair_patch_list(s, KEXINIT_CIPHER_S2C, ",,,,,aes128-ctr,,,,,,");
        pair_run(&p);
        CU_ASSERT(pair_both_open(&p));
        pair_close(&p);
    }
}

/* ---- facts ----------------------------------------------------------------------------------- */

static bool same(struct bytes a, struct bytes b)
{
    return a.n > 0 && bytes_equal(a, b);
}

/* What the client is to sign for the server, which has accepted its key; n is 0 if nothing. */
static struct bytes data_to_sign(struct pair *p)
{
    struct transport_event e;
    size_t n, room;
    p->holds_auth = true;
    pair_open(p);
    pair_run(p);
    transport_auth_publickey(p->client.t, BYTES_LIT("ssh-ed25519"), private_key_blob(p->user));
    pair_move(p, &p->client, &p->server, SIZE_MAX);
    const uint8_t *pk_ok = transport_tx(p->server.t, &n);
    uint8_t *space = transport_rx_space(p->client.t, &room);
    CU_ASSERT_FATAL(pk_ok != NULL && space != NULL && n <= room);
    memcpy(space, pk_ok, n);
    transport_tx_done(p->server.t, n);
    transport_rx_commit(p->client.t, n, p->now_ms);
    CU_ASSERT_FATAL(transport_next(p->client.t, &e) && e.type == TRANSPORT_AUTH_SIGN);
    return e.data;
}

static bool ends_in(struct bytes b, struct bytes end)
{
    return b.n >= end.n && memcmp(b.p + b.n - end.n, end.p, end.n) == 0;
}

/* The server offers host-bound signatures, at whose end its own key stands. */
static void a_signature_names_the_host_key_unless_it_is_to_be_unbound(void)
{
    for (int unbound = 0; unbound < 2; unbound++) {
        struct pair p;
        pair_init(&p);
        p.client_config.signs_unbound = unbound;
        struct bytes data = data_to_sign(&p);
        struct private_key *signer = unbound ? p.user : p.host;
        CU_ASSERT_TRUE(ends_in(data, private_key_blob(signer)));
        pair_events(&p, &p.client);
        pair_close(&p);
    }
}

static void both_sides_know_the_same_facts(void)
{
    struct pair p;
    pair_init(&p);
    p.client_config.ciphers = "aes128-ctr,chacha20-poly1305@openssh.com";
    p.client_config.macs = "hmac-sha2-512,hmac-sha2-256-etm@openssh.com";
    pair_login(&p);
    struct transport_algorithms c = transport_algorithms(p.client.t);
    struct transport_algorithms s = transport_algorithms(p.server.t);
    CU_ASSERT(same(c.kex, s.kex) && same(c.host_key, s.host_key));
    CU_ASSERT(same(c.cipher_in, s.cipher_out) && same(c.cipher_out, s.cipher_in));
    CU_ASSERT(same(c.mac_in, s.mac_out) && same(c.comp_in, s.comp_out));
    CU_ASSERT(c.strict && s.strict);
    CU_ASSERT(bytes_is(c.cipher_out, "aes128-ctr")); /* the client's order decides */
    CU_ASSERT(bytes_is(c.mac_out, "hmac-sha2-512"));
    CU_ASSERT(bytes_is(c.comp_out, "none"));
    CU_ASSERT(same(transport_session_id(p.client.t), transport_session_id(p.server.t)));
    CU_ASSERT(bytes_is(transport_peer_ident(p.client.t), "SSH-2.0-test_server"));
    CU_ASSERT(bytes_is(transport_peer_ident(p.server.t), "SSH-2.0-test_client"));
    CU_ASSERT(bytes_is(transport_server_sig_algs(p.client.t), key_signature_names()));
    CU_ASSERT_EQUAL(transport_server_sig_algs(p.server.t).n, 0);
    struct transport_counts a = transport_counts(p.client.t), b = transport_counts(p.server.t);
    CU_ASSERT_EQUAL(a.bytes_out, b.bytes_in);
    CU_ASSERT_EQUAL(a.packets_out, b.packets_in);
    CU_ASSERT_EQUAL(a.rekeys, 0);
    pair_close(&p);
}

/* What an agent is shown: whoever holds the host key signed this very session. */
static void the_hosts_signature_over_the_session_id_is_kept(void)
{
    struct pair p;
    pair_init(&p);
    pair_login(&p);
    struct transport *t = p.client.t;
    for (int i = 0; i < 2; i++) {
        CU_ASSERT(same(transport_host_key(t), transport_host_key(p.server.t)));
        CU_ASSERT_EQUAL(key_verify(transport_host_key(t), transport_algorithms(t).host_key,
                            transport_host_signature(t), transport_session_id(t)),
            ERR_OK);
        transport_rekey(t); /* and it stays the first exchange's */
        pair_run(&p);
    }
    CU_ASSERT_EQUAL(transport_counts(t).rekeys, 2);
    CU_ASSERT_EQUAL(transport_host_signature(p.server.t).n, 0);
    pair_close(&p);
}

/* ---- what does not fit ----------------------------------------------------------------------- */

static void nothing_in_common_says_what_both_offer(void)
{
    struct pair p;
    pair_init(&p);
    p.client_config.ciphers = "aes128-ctr,aes192-ctr";
    p.server_config.ciphers = "aes256-ctr";
    pair_open(&p);
    pair_run(&p);
    CU_ASSERT_EQUAL(pair_err(&p.client), ERR_KEX);
    CU_ASSERT_STRING_EQUAL(transport_fault(p.client.t)->text,
        "no common cipher from client to server: we offer aes128-ctr,aes192-ctr; they offer "
        "aes256-ctr (naming aes256-ctr would help)");
    CU_ASSERT(p.client.is_gone && p.server.is_gone);
    CU_ASSERT(!p.client.t->has_login && !p.server.t->has_login);
    pair_close(&p);
}

static void a_list_of_nothing_known_makes_no_engine(void)
{
    struct pair p;
    pair_init(&p);
    const char **lists[] = {&p.client_config.kex, &p.client_config.host_key_algorithms,
        &p.client_config.ciphers, &p.client_config.macs, &p.client_config.compression};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        *lists[i] = "none-such,3des-cbc,kex-strict-s-v00@openssh.com,ext-info-s";
        CU_ASSERT_PTR_NULL(transport_new(&p.client_config, 0));
        *lists[i] = "";
        CU_ASSERT_PTR_NULL(transport_new(&p.client_config, 0));
        *lists[i] = NULL;
    }
    p.server_config.n_host_keys = 0;
    CU_ASSERT_PTR_NULL(transport_new(&p.server_config, 0));
    pair_close(&p);
}

static void unknown_names_in_a_list_are_not_offered(void)
{
    struct pair p;
    pair_init(&p);
    p.client_config.ciphers = "3des-cbc,aes256-ctr,aes256-ctr,rot13";
    pair_login(&p);
    CU_ASSERT(bytes_is(p.client.t->offers[OFFER_CIPHER], "aes256-ctr"));
    pair_close(&p);
}

/* ---- the host key decision ------------------------------------------------------------------- */

static void nothing_goes_out_before_the_host_key_is_trusted(void)
{
    struct pair p;
    pair_init(&p);
    p.holds_host_key = true;
    p.client_config.kex_ms = 1000;
    pair_open(&p);
    pair_run(&p);
    CU_ASSERT_STRING_EQUAL(p.client.log, "IH");
    CU_ASSERT_EQUAL(p.client.t->tx.seq, 2); /* KEXINIT and the share, no NEWKEYS */
    CU_ASSERT_EQUAL(transport_backlog(p.client.t), 0);
    p.now_ms = 1000 * 3600; /* a person may take an hour */
    CU_ASSERT_EQUAL(transport_deadline(p.client.t), UINT64_MAX);
    transport_tick(p.client.t, p.now_ms);
    transport_host_key_decide(p.client.t, true);
    pair_run(&p);
    CU_ASSERT(pair_both_open(&p));
    pair_close(&p);
}

static void a_refused_host_key_ends_both_sides(void)
{
    struct pair p;
    pair_init(&p);
    p.holds_host_key = true;
    pair_open(&p);
    pair_run(&p);
    transport_host_key_decide(p.client.t, false);
    pair_run(&p);
    CU_ASSERT_EQUAL(pair_err(&p.client), ERR_HOST_KEY);
    CU_ASSERT_EQUAL(pair_err(&p.server), ERR_CLOSED);
    CU_ASSERT_STRING_EQUAL(transport_fault(p.server.t)->text,
        "peer ended the connection during key exchange: the server's host key was not accepted "
        "(reason 9)");
    CU_ASSERT(p.client.is_gone && p.server.is_gone);
    pair_close(&p);
}

static void a_wrong_signature_is_never_shown_as_a_host_key(void)
{
    struct pair p;
    pair_init(&p);
    pair_open(&p);
    p.server.t->my_ident[10] ^= 1; /* the server signs another exchange than the client saw */
    pair_run(&p);
    CU_ASSERT_EQUAL(pair_err(&p.client), ERR_SIGNATURE);
    CU_ASSERT_STRING_EQUAL(p.client.log, "IX");
    pair_close(&p);
}

/* ---- host keys ------------------------------------------------------------------------------- */

static struct private_key *p256_key(void)
{
    struct private_key *k = NULL;
    const char *why;
    (void)private_key_parse(bytes_of(sample_p256_file), BYTES_LIT(""), &k, &why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(k);
    return k;
}

static void the_host_key_follows_the_clients_order_and_stays(void)
{
    struct pair p;
    pair_init(&p);
    struct private_key *p256 = p256_key();
    p.host_list[1] = p256;
    p.server_config.n_host_keys = 2;
    p.client_config.host_key_algorithms = "ecdsa-sha2-nistp256,ssh-ed25519";
    pair_login(&p);
    CU_ASSERT(bytes_is(transport_algorithms(p.client.t).host_key, "ecdsa-sha2-nistp256"));
    /* In a rekey both offer what this very key can do, whatever they prefer. */
    for (int i = 0; i < 2; i++) {
        struct transport *t = i ? p.client.t : p.server.t;
        transport_rekey(t);
        struct msg_kexinit m;
        struct wire_reader r =
            wire_reader((struct bytes){t->kex->my_init + 1, t->kex->my_init_n - 1});
        CU_ASSERT_EQUAL(msg_kexinit_decode(&r, &m), ERR_OK);
        CU_ASSERT(bytes_is(m.lists[KEXINIT_HOST_KEY], "ecdsa-sha2-nistp256"));
    }
    pair_run(&p);
    CU_ASSERT(pair_both_open(&p));
    CU_ASSERT_EQUAL(transport_counts(p.client.t).rekeys, 1);
    pair_close(&p);
    private_key_free(p256);
}

static void a_host_key_that_cannot_sign_ends_the_exchange(void)
{
    struct pair p;
    pair_init(&p);
    pair_open(&p);
    struct private_key *p256 = p256_key();
    pair_move(&p, &p.client, &p.server, p.client.t->my_ident_n + 2);
    pair_move(&p, &p.client, &p.server, SIZE_MAX);
    p.server.t->kex->host_key = p256; /* ssh-ed25519 was agreed on */
    pair_run(&p);
    CU_ASSERT_EQUAL(pair_err(&p.server), ERR_UNSUPPORTED);
    CU_ASSERT(!p.client.t->has_first_keys);
    pair_close(&p);
    private_key_free(p256);
}

/* What a client makes of an answer with this host key, whatever its signature. */
static enum err client_meets(struct bytes host_key)
{
    struct pair p;
    pair_init(&p);
    p.client_config.host_key_algorithms = "ssh-ed25519";
    pair_open(&p);
    uint8_t room[9000];
    struct wire_writer w = wire_writer(room, sizeof room);
    msg_ecdh_reply_encode(&w, MSG_KEX_ECDH_REPLY, &(struct msg_ecdh_reply){.host_key = host_key});
    pair_rogue(&p.server, wire_written(&w));
    for (int i = 0; i < 4; i++)
        pair_move(&p, &p.server, &p.client, SIZE_MAX);
    enum err e = pair_err(&p.client);
    CU_ASSERT_STRING_EQUAL(p.client.log, "IX");
    pair_close(&p);
    return e;
}

static void a_host_key_of_another_kind_or_none_is_refused(void)
{
    static uint8_t huge[KEY_BLOB_MAX + 1];
    struct private_key *p256 = p256_key();
    CU_ASSERT_EQUAL(client_meets(private_key_blob(p256)), ERR_HOST_KEY);
    CU_ASSERT_EQUAL(client_meets(BYTES_LIT("")), ERR_HOST_KEY);
    CU_ASSERT_EQUAL(client_meets(BYTES_LIT("\0\0\0\13ssh-ed25519")), ERR_HOST_KEY);
    CU_ASSERT_EQUAL(client_meets((struct bytes){huge, sizeof huge}), ERR_HOST_KEY);
    private_key_free(p256);
}

static void a_decision_nobody_asked_for_is_our_own_mistake(void)
{
    struct pair p;
    pair_init(&p);
    pair_open(&p);
    transport_host_key_decide(p.client.t, true);
    CU_ASSERT_EQUAL(pair_err(&p.client), ERR_INTERNAL);
    pair_close(&p);
}

static const struct unit_test tests[] = {
    UNIT(two_engines_log_in_and_exchange_data),
    UNIT(every_cipher_and_mac_gives_the_same_events_however_it_is_cut),
    UNIT(every_compression_gives_the_same_events_however_it_is_cut),
    UNIT(every_key_exchange_method_gives_the_same_events_however_it_is_cut),
    UNIT(directions_are_compressed_each_on_its_own),
    UNIT(a_list_that_ends_with_a_comma_is_agreed_on),
    UNIT(a_signature_names_the_host_key_unless_it_is_to_be_unbound),
    UNIT(both_sides_know_the_same_facts),
    UNIT(the_hosts_signature_over_the_session_id_is_kept),
    UNIT(nothing_in_common_says_what_both_offer),
    UNIT(a_list_of_nothing_known_makes_no_engine),
    UNIT(unknown_names_in_a_list_are_not_offered),
    UNIT(nothing_goes_out_before_the_host_key_is_trusted),
    UNIT(a_refused_host_key_ends_both_sides),
    UNIT(a_wrong_signature_is_never_shown_as_a_host_key),
    UNIT(the_host_key_follows_the_clients_order_and_stays),
    UNIT(a_host_key_that_cannot_sign_ends_the_exchange),
    UNIT(a_host_key_of_another_kind_or_none_is_refused),
    UNIT(a_decision_nobody_asked_for_is_our_own_mistake),
};
UNIT_MAIN("handshake", tests)
