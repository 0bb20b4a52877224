/* Single packets: their format, and the messages of RFC 4253 section 11. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/transport/pair.h"

static void login(struct pair *p)
{
    pair_init(p);
    pair_login(p);
}

/* The client sends this payload; what the server makes of it. */
static enum err server_gets(struct pair *p, const void *payload, size_t n)
{
    pair_rogue(&p->client, (struct bytes){payload, n});
    pair_run(p);
    return pair_err(&p->server);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void disconnect_ends_at_once_and_in_the_peers_words(void)
{
    struct pair p;
    login(&p);
    uint8_t room[100];
    struct wire_writer w = wire_writer(room, sizeof room);
    msg_disconnect_encode(
        &w, &(struct msg_disconnect){.reason = 11, .description = BYTES_LIT("bye\x1b[2J")});
    pair_rogue(&p.client, wire_written(&w));
    CU_ASSERT(pair_data(&p.client, 10, 0)); /* must not be read any more */
    size_t n, space;
    const uint8_t *bytes = transport_tx(p.client.t, &n);
    memcpy(transport_rx_space(p.server.t, &space), bytes, n);
    transport_rx_commit(p.server.t, n, 0);
    struct transport_event e;
    CU_ASSERT(transport_next(p.server.t, &e));
    CU_ASSERT_EQUAL(e.type, TRANSPORT_DISCONNECTED);
    CU_ASSERT(e.by_peer);
    CU_ASSERT(bytes_is(e.text, "bye\x1b[2J"));
    CU_ASSERT_STRING_EQUAL(transport_fault(p.server.t)->text,
        "peer ended the connection after login: bye\\x1b[2J (reason 11)");
    CU_ASSERT(!transport_next(p.server.t, &e));
    CU_ASSERT_PTR_NULL(transport_rx_space(p.server.t, &space));
    CU_ASSERT_PTR_NULL(transport_tx(p.server.t, &n)); /* no answer */
    pair_close(&p);
}

static void a_damaged_disconnect_is_one_too(void)
{
    struct pair p;
    login(&p);
    CU_ASSERT_EQUAL(server_gets(&p, "\1\0\0", 3), ERR_CLOSED);
    pair_close(&p);
}

static void long_last_words_are_cut(void)
{
    struct pair p;
    login(&p);
    static uint8_t words[5000], room[6000];
    memset(words, 'w', sizeof words);
    struct wire_writer w = wire_writer(room, sizeof room);
    msg_disconnect_encode(
        &w, &(struct msg_disconnect){.reason = UINT32_MAX, .description = {words, sizeof words}});
    CU_ASSERT_EQUAL(server_gets(&p, room, w.len), ERR_CLOSED);
    CU_ASSERT_EQUAL(p.server.t->last_words.n, DISCONNECT_TEXT_MAX);
    CU_ASSERT_PTR_NOT_NULL(strstr(transport_fault(p.server.t)->text, "www... (reason 4294967295)"));
    pair_close(&p);
}

static void our_own_end_is_told_once(void)
{
    struct pair p;
    login(&p);
    uint64_t before = transport_counts(p.client.t).packets_out;
    transport_disconnect(p.client.t, ERR_CLOSED, 11, "all forwards are closed");
    transport_disconnect(p.client.t, ERR_INTERNAL, 2, "not this one");
    pair_run(&p);
    pair_run(&p);
    CU_ASSERT_EQUAL(transport_counts(p.client.t).packets_out, before + 1);
    CU_ASSERT_STRING_EQUAL(transport_fault(p.server.t)->text,
        "peer ended the connection after login: all forwards are closed (reason 11)");
    CU_ASSERT_STRING_EQUAL(p.client.log, "IHKRSOX");
    CU_ASSERT_STRING_EQUAL(p.server.log, "IKYYOX");
    pair_close(&p);
}

static void a_fault_from_above_is_put_in_force(void)
{
    struct pair p;
    login(&p);
    transport_fail(p.server.t, &(struct fault){ERR_PROTOCOL, "window: overrun"});
    pair_run(&p);
    CU_ASSERT_EQUAL(pair_err(&p.server), ERR_PROTOCOL);
    CU_ASSERT_STRING_EQUAL(transport_fault(p.client.t)->text,
        "peer ended the connection after login: window: overrun (reason 2)");
    pair_close(&p);
}

static void after_the_end_every_call_is_harmless(void)
{
    struct pair p;
    login(&p);
    transport_disconnect(p.client.t, ERR_CLOSED, 11, "bye");
    pair_run(&p);
    struct transport *t = p.client.t;
    struct packet_sink sink = transport_sink(t);
    size_t n;
    struct transport_event e;
    CU_ASSERT_PTR_NULL(sink.control_slot(t, 10));
    CU_ASSERT_PTR_NULL(sink.data_slot(t, 10, 0));
    CU_ASSERT(sink.congested(t));
    sink.commit(t, 10);
    transport_rekey(t);
    transport_send_ignore(t, 5);
    transport_tick(t, 1000000);
    transport_rx_commit(t, 0, 5);
    transport_rx_eof(t);
    transport_host_key_decide(t, true);
    transport_auth_none(t);
    transport_auth_publickey(t, BYTES_LIT("x"), BYTES_LIT("y"));
    transport_auth_signature(t, BYTES_LIT(""));
    transport_auth_password(t, BYTES_LIT("x"));
    transport_auth_new_password(t, BYTES_LIT("x"), BYTES_LIT("y"));
    transport_auth_keyboard_interactive(t);
    transport_auth_answers(t, NULL, 0);
    transport_auth_decide(t, true);
    CU_ASSERT(!transport_next(t, &e));
    CU_ASSERT_PTR_NULL(transport_tx(t, &n));
    CU_ASSERT_EQUAL(transport_deadline(t), UINT64_MAX);
    CU_ASSERT_STRING_EQUAL(transport_fault(t)->text, "bye");
    transport_free(NULL);
    pair_close(&p);
}

static void eof_comes_after_what_had_arrived(void)
{
    struct pair p;
    login(&p);
    CU_ASSERT(pair_data(&p.client, 10, 0) && pair_data(&p.client, 20, 0));
    size_t n, room;
    const uint8_t *bytes = transport_tx(p.client.t, &n);
    memcpy(transport_rx_space(p.server.t, &room), bytes, n);
    transport_rx_commit(p.server.t, n - 1, 0); /* the second packet lacks a byte */
    transport_rx_eof(p.server.t);
    pair_events(&p, &p.server);
    CU_ASSERT_EQUAL(p.server.n_packets, 1);
    CU_ASSERT_STRING_EQUAL(
        transport_fault(p.server.t)->text, "connection closed by peer after login");
    CU_ASSERT(p.server.is_gone);
    CU_ASSERT_PTR_NULL(transport_tx(p.server.t, &n)); /* nobody is there to be told */
    pair_close(&p);
}

static void eof_while_a_person_decides_is_noticed(void)
{
    struct pair p;
    pair_init(&p);
    p.holds_host_key = true;
    pair_open(&p);
    pair_run(&p);
    transport_rx_eof(p.client.t);
    pair_events(&p, &p.client);
    CU_ASSERT_STRING_EQUAL(
        transport_fault(p.client.t)->text, "connection closed by peer during key exchange");
    transport_host_key_decide(p.client.t, true);
    CU_ASSERT(!p.client.t->has_first_keys);
    pair_close(&p);
}

/* ---- small messages -------------------------------------------------------------------------- */

static void debug_is_an_event(void)
{
    struct pair p;
    login(&p);
    static const uint8_t m[] = {MSG_DEBUG, 1, 0, 0, 0, 2, 'h', 'i', 0, 0, 0, 0};
    CU_ASSERT_EQUAL(server_gets(&p, m, sizeof m), ERR_OK);
    CU_ASSERT_STRING_EQUAL(p.server.log, "IKYYOD");
    CU_ASSERT_EQUAL(server_gets(&p, m, sizeof m - 1), ERR_MALFORMED);
    pair_close(&p);
}

static void ignore_is_ignored_and_can_be_sent(void)
{
    struct pair p;
    login(&p);
    transport_send_ignore(p.client.t, 0);
    transport_send_ignore(p.client.t, 1000);
    transport_send_ignore(p.client.t, SIZE_MAX);
    uint64_t before = transport_counts(p.server.t).packets_in;
    pair_run(&p);
    CU_ASSERT_EQUAL(transport_counts(p.server.t).packets_in, before + 2);
    CU_ASSERT(pair_both_open(&p));
    CU_ASSERT_EQUAL(server_gets(&p, "\2\0\0\0\5x", 6), ERR_MALFORMED);
    pair_close(&p);
}

static void unknown_numbers_are_answered_with_their_sequence(void)
{
    struct pair p;
    login(&p);
    static const uint8_t unknown[] = {200, 1, 2, 3};
    pair_rogue(&p.client, (struct bytes){unknown, sizeof unknown});
    uint32_t seq = p.client.t->tx.seq - 1;
    pair_move(&p, &p.client, &p.server, SIZE_MAX);
    /* Look at the answer before it is sealed out of sight: the client opens it. */
    size_t n, room;
    const uint8_t *bytes = transport_tx(p.server.t, &n);
    memcpy(transport_rx_space(p.client.t, &room), bytes, n);
    transport_rx_commit(p.client.t, n, 0);
    struct bytes payload;
    CU_ASSERT_EQUAL(rx_packet(p.client.t, &payload), RX_PACKET);
    CU_ASSERT_EQUAL(payload.n, 5);
    CU_ASSERT_EQUAL(payload.p[0], MSG_UNIMPLEMENTED);
    CU_ASSERT_EQUAL(load_be32(payload.p + 1), seq);
    CU_ASSERT_EQUAL(packet_take(p.client.t, payload), ERR_OK);
    CU_ASSERT_EQUAL(server_gets(&p, "\3\0\0", 3), ERR_MALFORMED);
    pair_close(&p);
}

static void unknown_channel_messages_are_answered_here(void)
{
    struct pair p;
    login(&p);
    uint64_t before = transport_counts(p.server.t).packets_out;
    CU_ASSERT_EQUAL(server_gets(&p, "\x7f", 1), ERR_OK);
    CU_ASSERT_EQUAL(transport_counts(p.server.t).packets_out, before + 1);
    CU_ASSERT_EQUAL(p.server.n_packets, 0);
    pair_close(&p);
}

static void ping_is_answered_by_pong(void)
{
    struct pair p;
    login(&p);
    uint64_t before = transport_counts(p.server.t).packets_out;
    CU_ASSERT_EQUAL(server_gets(&p, "\xc0\0\0\0\3abc", 8), ERR_OK);
    CU_ASSERT_EQUAL(transport_counts(p.server.t).packets_out, before + 1);
    CU_ASSERT_EQUAL(pair_err(&p.client), ERR_OK); /* took the PONG */
    CU_ASSERT_EQUAL(server_gets(&p, "\xc0\0\0\0\4abc", 8), ERR_MALFORMED);
    pair_close(&p);
}

static void a_late_request_to_log_in_is_ignored(void)
{
    struct pair p;
    login(&p);
    CU_ASSERT_EQUAL(server_gets(&p, "\x32garbage", 8), ERR_OK);
    CU_ASSERT_EQUAL(server_gets(&p, "\x3dgarbage", 8), ERR_PROTOCOL);
    pair_close(&p);
}

static void a_second_success_ends_the_connection(void)
{
    struct pair p;
    login(&p);
    pair_rogue(&p.server, BYTES_LIT("\x34"));
    pair_run(&p);
    CU_ASSERT_EQUAL(pair_err(&p.client), ERR_PROTOCOL);
    CU_ASSERT_STRING_EQUAL(
        transport_fault(p.client.t)->text, "USERAUTH_SUCCESS is not allowed after login");
    pair_close(&p);
}

static void channels_before_login_are_refused_unread(void)
{
    for (int who = 0; who < 2; who++) {
        struct pair p;
        pair_init(&p);
        p.holds_auth = true;
        pair_open(&p);
        pair_run(&p);
        struct side *from = who ? &p.client : &p.server, *to = who ? &p.server : &p.client;
        pair_rogue(from, BYTES_LIT("\x5a"));
        pair_run(&p);
        CU_ASSERT_EQUAL(pair_err(to), ERR_PROTOCOL);
        CU_ASSERT_EQUAL(to->n_packets, 0);
        pair_close(&p);
    }
}

static void damaged_key_exchange_messages_end_the_connection(void)
{
    static const struct {
        const char *bytes;
        size_t n;
        enum err end;
    } cases[] = {
        {"\x1e\0\0\0\1", 5, ERR_MALFORMED}, /* a share that is not there */
        {"\x1e\0\0\0\1xy", 7, ERR_MALFORMED},
        {"\x1e\0\0\0\1x", 6, ERR_KEX},
        {"\x1e\0\0\0\0", 5, ERR_KEX},
        {"\x15", 1, ERR_PROTOCOL},
        {"\x14", 1, ERR_PROTOCOL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pair p;
        pair_init(&p);
        pair_open(&p);
        pair_rogue(&p.client, (struct bytes){(const uint8_t *)cases[i].bytes, cases[i].n});
        pair_move(&p, &p.client, &p.server, SIZE_MAX);
        CU_ASSERT_EQUAL(pair_err(&p.server), cases[i].end);
        pair_close(&p);
    }
}

static void newkeys_has_no_body(void)
{
    struct pair p;
    login(&p);
    transport_rekey(p.client.t);
    p.server.t->phase = PH_REKEY_END;
    CU_ASSERT_EQUAL(packet_take(p.server.t, BYTES_LIT("\x15x")), ERR_MALFORMED);
    pair_close(&p);
}

/* ---- the format ------------------------------------------------------------------------------ */

static enum err server_reads(struct pair *p, const void *bytes, size_t n)
{
    pair_init(p);
    pair_open(p);
    pair_feed(p, &p->server, BYTES_LIT("SSH-2.0-x\r\n"));
    pair_feed(p, &p->server, (struct bytes){bytes, n});
    return pair_err(&p->server);
}

static void plain_lengths_and_paddings_are_checked_first(void)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *text;
    } cases[] = {
        {"\0\0\0\0", 4, "bad packet during key exchange: length of 0"},
        {"\0\0\0\4", 4, "bad packet during key exchange: length of 4"},
        {"\0\0\0\13", 4, "bad packet during key exchange: length of 11"},
        {"\xff\xff\xff\xfc", 4, "bad packet during key exchange: length of 4294967292"},
        {"\xff\xff\xff\xf0", 4, "bad packet during key exchange: length of 4294967280"},
        {"\x80\0\0\4", 4, "bad packet during key exchange: length of 2147483652"},
        {"\0\0\x88\xbc", 4, "bad packet during key exchange: length of 35004"},
        {"\0\0\0\14\3\2aaaaaaaaaa", 16, "bad packet during key exchange: padding of 3"},
        {"\0\0\0\14\14\2aaaaaaaaaa", 16, "bad packet during key exchange: padding of 12"},
        {"\0\0\0\14\xff\2aaaaaaaaaa", 16, "bad packet during key exchange: padding of 255"},
        {"\0\0\0\14\13aaaaaaaaaaa", 16, "empty packet during key exchange"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pair p;
        CU_ASSERT_EQUAL(server_reads(&p, cases[i].bytes, cases[i].n), ERR_MALFORMED);
        CU_ASSERT_STRING_EQUAL(transport_fault(p.server.t)->text, cases[i].text);
        pair_close(&p);
    }
}

/* A peer with the keys seals any length and padding it likes; in each format all end alike. */
static enum err sealed(const char *cipher, const char *mac, uint32_t length, uint8_t padding)
{
    struct pair p;
    pair_init(&p);
    p.client_config.ciphers = cipher;
    p.client_config.macs = mac;
    pair_login(&p);
    static uint8_t packet[600000];
    memset(packet, MSG_IGNORE, sizeof packet);
    store_be32(packet, length);
    packet[4] = padding;
    size_t n = length < 400000 ? length : 400;
    /* The cipher seals what fits; a length beyond is a lie that is seen before the tag is. */
    packet_cipher_seal(p.client.t->tx.cipher, p.client.t->tx.seq, packet, (uint32_t)n);
    pair_feed(&p, &p.server, (struct bytes){packet, 4 + n + 64});
    enum err e = pair_err(&p.server);
    CU_ASSERT_EQUAL(p.server.n_packets, 0);
    CU_ASSERT(e != ERR_MAC ||
              strcmp(transport_fault(p.server.t)->text, "corrupted packet after login") == 0);
    pair_close(&p);
    return e;
}

static void sealed_lengths_and_paddings_all_fail_alike(void)
{
    static const char *const formats[][2] = {
        {"chacha20-poly1305@openssh.com", NULL},
        {"aes128-gcm@openssh.com", NULL},
        {"aes128-ctr", "hmac-sha2-256-etm@openssh.com"},
        {"aes128-ctr", "hmac-sha2-256"},
    };
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        const char *c = formats[i][0], *m = formats[i][1];
        uint32_t outside = i < 3 ? 0 : 4; /* a length word inside of the block sum */
        CU_ASSERT_EQUAL(sealed(c, m, 0, 4), ERR_MAC);
        CU_ASSERT_EQUAL(sealed(c, m, 4, 4), ERR_MAC);
        CU_ASSERT_EQUAL(sealed(c, m, 33 - outside, 4), ERR_MAC); /* no multiple */
        CU_ASSERT_EQUAL(sealed(c, m, 256 * 1024 + 16 - outside, 4), ERR_MAC);
        CU_ASSERT_EQUAL(sealed(c, m, UINT32_MAX - 15 - outside, 4), ERR_MAC);
        CU_ASSERT_EQUAL(sealed(c, m, 32 - outside, 3), ERR_MAC);
        CU_ASSERT_EQUAL(sealed(c, m, 32 - outside, 32 - (uint8_t)outside), ERR_MAC);
        CU_ASSERT_EQUAL(sealed(c, m, 32 - outside, 255), ERR_MAC);
        CU_ASSERT_EQUAL(
            sealed(c, m, 32 - outside, 31 - (uint8_t)outside), ERR_MALFORMED); /* empty */
    }
}

static void a_flipped_bit_anywhere_in_a_packet_is_found(void)
{
    struct pair p;
    for (size_t at = 0; at < 60; at++) {
        login(&p);
        CU_ASSERT(pair_data(&p.client, 30, 'x'));
        size_t n;
        (void)transport_tx(p.client.t, &n);
        if (at < n)
            p.client.t->tx.buf.p[p.client.t->tx.head + at] ^= 0x10;
        pair_run(&p);
        for (int i = 0; i < 20; i++) { /* a longer length waits for more */
            (void)pair_data(&p.client, 30000, 'x');
            pair_run(&p);
        }
        CU_ASSERT_EQUAL(pair_err(&p.server), at < n ? ERR_MAC : ERR_OK);
        pair_close(&p);
    }
}

/* Of some ciphers anybody on the way sees the lengths of packets. */
static void the_length_of_a_password_cannot_be_seen(void)
{
    size_t first = 0;
    for (size_t n = 1; n <= 30; n++) {
        static const uint8_t words[30];
        struct pair p;
        pair_init(&p);
        p.holds_auth = true;
        pair_open(&p);
        pair_run(&p);
        CU_ASSERT_EQUAL(transport_backlog(p.client.t), 0);
        transport_auth_password(p.client.t, (struct bytes){words, n});
        size_t sent = transport_backlog(p.client.t);
        first = n == 1 ? sent : first;
        CU_ASSERT(sent > 0 && sent == first);
        pair_run(&p);
        CU_ASSERT_EQUAL(pair_err(&p.server), ERR_OK);
        pair_close(&p);
    }
}

static const struct unit_test tests[] = {
    UNIT(disconnect_ends_at_once_and_in_the_peers_words),
    UNIT(a_damaged_disconnect_is_one_too),
    UNIT(long_last_words_are_cut),
    UNIT(our_own_end_is_told_once),
    UNIT(a_fault_from_above_is_put_in_force),
    UNIT(after_the_end_every_call_is_harmless),
    UNIT(eof_comes_after_what_had_arrived),
    UNIT(eof_while_a_person_decides_is_noticed),
    UNIT(debug_is_an_event),
    UNIT(ignore_is_ignored_and_can_be_sent),
    UNIT(unknown_numbers_are_answered_with_their_sequence),
    UNIT(unknown_channel_messages_are_answered_here),
    UNIT(ping_is_answered_by_pong),
    UNIT(a_late_request_to_log_in_is_ignored),
    UNIT(a_second_success_ends_the_connection),
    UNIT(channels_before_login_are_refused_unread),
    UNIT(damaged_key_exchange_messages_end_the_connection),
    UNIT(newkeys_has_no_body),
    UNIT(plain_lengths_and_paddings_are_checked_first),
    UNIT(sealed_lengths_and_paddings_all_fail_alike),
    UNIT(a_flipped_bit_anywhere_in_a_packet_is_found),
    UNIT(the_length_of_a_password_cannot_be_seen),
};
UNIT_MAIN("packet", tests)
