#include "tests/unit/proto/exact.h"

#include <string.h>

EXACT_AGAIN(disconnect)
EXACT_AGAIN(ignore)
EXACT_AGAIN(debug)
EXACT_AGAIN(unimplemented)
EXACT_AGAIN(kexinit)
EXACT_AGAIN_NUMBERED(ecdh_init, MSG_KEX_ECDH_INIT)
EXACT_AGAIN_NUMBERED(ecdh_reply, MSG_KEX_GEX_REPLY)
EXACT_AGAIN(gex_request)
EXACT_AGAIN(gex_group)
EXACT_AGAIN_NUMBERED(service, MSG_SERVICE_REQUEST)
EXACT_AGAIN_NUMBERED(ping, MSG_PONG)

#define DISCONNECT "\0\0\0\2\0\0\0\3bye\0\0\0\0"
#define DEBUG      "\1\0\0\0\2hm\0\0\0\0"
#define COOKIE     "0123456789abcdef"
#define KEXINIT                                                                                    \
    COOKIE "\0\0\0\3k,l\0\0\0\1h\0\0\0\1c\0\0\0\1d\0\0\0\1m\0\0\0\1n\0\0\0\4none\0\0\0\4zlib"      \
           "\0\0\0\0\0\0\0\0\1\0\0\0\0"
#define EXT_INFO                                                                                   \
    "\0\0\0\2\0\0\0\1a\0\0\0\0\0\0\0\4ping\0\0\0\1"                                                \
    "0"

static void every_message_has_its_exact_length(void)
{
    static const struct exact messages[] = {
        {again_disconnect, MSG_DISCONNECT, BYTES_LIT(DISCONNECT), 0, false},
        {again_ignore, MSG_IGNORE, BYTES_LIT("\0\0\0\2\0\1"), 0, false},
        {again_debug, MSG_DEBUG, BYTES_LIT(DEBUG), 0, false},
        {again_unimplemented, MSG_UNIMPLEMENTED, BYTES_LIT("\xff\xff\xff\xff"), 0, false},
        {again_service, MSG_SERVICE_REQUEST, BYTES_LIT("\0\0\0\4auth"), 0, false},
        {again_kexinit, MSG_KEXINIT, BYTES_LIT(KEXINIT), 0, false},
        {again_ecdh_init, MSG_KEX_ECDH_INIT, BYTES_LIT("\0\0\0\2qc"), 0, false},
        {again_ecdh_reply, MSG_KEX_GEX_REPLY, BYTES_LIT("\0\0\0\1k\0\0\0\2qs\0\0\0\3sig"), 0,
            false},
        {again_gex_request, MSG_KEX_GEX_REQUEST, BYTES_LIT("\0\0\1\2\0\0\3\4\xff\0\0\0"), 0, false},
        {again_gex_group, MSG_KEX_GEX_GROUP, BYTES_LIT("\0\0\0\3\0\x80\1\0\0\0\1\2"), 0, false},
        {again_ping, MSG_PONG, BYTES_LIT("\0\0\0\4data"), 0, false},
    };
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++)
        exact_check(&messages[i]);
}

static void a_disconnect_is_read_field_by_field(void)
{
    struct msg_disconnect m;
    struct wire_reader r = READER("\0\0\0\xb\0\0\0\3bye\0\0\0\2en");
    CU_ASSERT_EQUAL(msg_disconnect_decode(&r, &m), ERR_OK);
    CU_ASSERT_EQUAL(m.reason, 11);
    CU_ASSERT_TRUE(bytes_is(m.description, "bye")); /* and the language is dropped */
}

static void a_debug_message_is_read_field_by_field(void)
{
    struct msg_debug m;
    struct wire_reader r = READER(DEBUG);
    CU_ASSERT_EQUAL(msg_debug_decode(&r, &m), ERR_OK);
    CU_ASSERT_TRUE(m.always_display);
    CU_ASSERT_TRUE(bytes_is(m.message, "hm"));
}

static void small_messages_are_read_field_by_field(void)
{
    struct msg_unimplemented u;
    struct wire_reader r = READER("\1\2\3\4");
    CU_ASSERT_EQUAL(msg_unimplemented_decode(&r, &u), ERR_OK);
    CU_ASSERT_EQUAL(u.sequence, 0x01020304);

    struct msg_ignore i;
    r = READER("\0\0\0\0");
    CU_ASSERT_EQUAL(msg_ignore_decode(&r, &i), ERR_OK);
    CU_ASSERT_EQUAL(i.data.n, 0);

    struct msg_service s;
    r = READER("\0\0\0\4auth");
    CU_ASSERT_EQUAL(msg_service_decode(&r, &s), ERR_OK);
    CU_ASSERT_TRUE(bytes_is(s.name, "auth"));

    struct msg_ping p;
    r = READER("\0\0\0\2hi");
    CU_ASSERT_EQUAL(msg_ping_decode(&r, &p), ERR_OK);
    CU_ASSERT_TRUE(bytes_is(p.data, "hi"));
}

static void a_kexinit_is_read_list_by_list(void)
{
    static const char *const lists[KEXINIT_N_LISTS] = {
        "k,l", "h", "c", "d", "m", "n", "none", "zlib", "", ""};
    struct msg_kexinit m;
    struct wire_reader r = READER(KEXINIT);
    CU_ASSERT_EQUAL(msg_kexinit_decode(&r, &m), ERR_OK);
    CU_ASSERT_EQUAL(memcmp(m.cookie, COOKIE, 16), 0);
    for (size_t i = 0; i < KEXINIT_N_LISTS; i++)
        CU_ASSERT_TRUE(bytes_is(m.lists[i], lists[i]));
    CU_ASSERT_TRUE(m.first_kex_packet_follows);
}

/* RFC 4253 section 7.1: "reserved for future extension", so not a reason to end a connection. */
static void the_reserved_word_of_a_kexinit_may_be_anything(void)
{
    uint8_t in[sizeof KEXINIT - 1];
    memcpy(in, KEXINIT, sizeof in);
    in[sizeof in - 1] = 7;
    struct msg_kexinit m;
    struct wire_reader r = wire_reader((struct bytes){in, sizeof in});
    CU_ASSERT_EQUAL(msg_kexinit_decode(&r, &m), ERR_OK);
}

static void a_kexinit_with_a_bad_name_in_any_list_is_malformed(void)
{
    for (int bad = 0; bad < KEXINIT_N_LISTS; bad++) {
        struct msg_kexinit m = {.first_kex_packet_follows = false};
        for (int i = 0; i < KEXINIT_N_LISTS; i++)
            m.lists[i] = i == bad ? BYTES_LIT("a, b") : BYTES_LIT("a,b");
        uint8_t out[256];
        struct wire_writer w = wire_writer(out, sizeof out);
        msg_kexinit_encode(&w, &m);
        struct bytes written = wire_written(&w);
        struct wire_reader r = wire_reader((struct bytes){written.p + 1, written.n - 1});
        CU_ASSERT_EQUAL(msg_kexinit_decode(&r, &m), ERR_MALFORMED);
    }
}

static void a_key_exchange_reply_is_read_field_by_field(void)
{
    struct msg_ecdh_reply m;
    struct wire_reader r = READER("\0\0\0\1k\0\0\0\2qs\0\0\0\3sig");
    CU_ASSERT_EQUAL(msg_ecdh_reply_decode(&r, &m), ERR_OK);
    CU_ASSERT_TRUE(bytes_is(m.host_key, "k"));
    CU_ASSERT_TRUE(bytes_is(m.share, "qs"));
    CU_ASSERT_TRUE(bytes_is(m.signature, "sig"));

    struct msg_ecdh_init init;
    r = READER("\0\0\0\2qc");
    CU_ASSERT_EQUAL(msg_ecdh_init_decode(&r, &init), ERR_OK);
    CU_ASSERT_TRUE(bytes_is(init.share, "qc"));
}

static void group_exchange_messages_are_read_field_by_field(void)
{
    struct msg_gex_request request;
    struct wire_reader r = READER("\0\0\1\2\0\0\3\4\xff\0\0\0");
    CU_ASSERT_EQUAL(msg_gex_request_decode(&r, &request), ERR_OK);
    CU_ASSERT_EQUAL(request.min, 0x102);
    CU_ASSERT_EQUAL(request.wanted, 0x304);
    CU_ASSERT_EQUAL(request.max, 0xff000000);

    struct msg_gex_group group;
    r = READER("\0\0\0\3\0\x80\1\0\0\0\1\2");
    CU_ASSERT_EQUAL(msg_gex_group_decode(&r, &group), ERR_OK);
    CU_ASSERT_TRUE(bytes_equal(group.p, BYTES_LIT("\x80\1")) && bytes_is(group.g, "\2"));
    r = READER("\0\0\0\2\x80\1\0\0\0\1\2"); /* negative */
    CU_ASSERT_EQUAL(msg_gex_group_decode(&r, &group), ERR_MALFORMED);
    r = READER("\0\0\0\2\0\1\0\0\0\1\2"); /* padded */
    CU_ASSERT_EQUAL(msg_gex_group_decode(&r, &group), ERR_MALFORMED);
}

static void ext_info_gives_its_pairs_one_by_one(void)
{
    struct msg_ext_info m;
    struct bytes name, value;
    struct wire_reader r = READER(EXT_INFO);
    CU_ASSERT_EQUAL_FATAL(msg_ext_info_decode(&r, &m), ERR_OK);
    CU_ASSERT_EQUAL(m.n_left, 2);
    CU_ASSERT_TRUE(msg_ext_info_next(&m, &name, &value));
    CU_ASSERT_TRUE(bytes_is(name, "a") && bytes_is(value, ""));
    CU_ASSERT_TRUE(msg_ext_info_next(&m, &name, &value));
    CU_ASSERT_TRUE(bytes_is(name, "ping") && bytes_is(value, "0"));
    CU_ASSERT_FALSE(msg_ext_info_next(&m, &name, &value));
    CU_ASSERT_FALSE(msg_ext_info_next(&m, &name, &value));
}

static void ext_info_has_its_exact_length(void)
{
    static const char longer[] = EXT_INFO "!";
    for (size_t n = 0; n < sizeof longer; n++) {
        struct msg_ext_info m;
        struct wire_reader r = wire_reader((struct bytes){(const uint8_t *)longer, n});
        bool is_good = n == sizeof EXT_INFO - 1;
        CU_ASSERT_EQUAL(msg_ext_info_decode(&r, &m), is_good ? ERR_OK : ERR_MALFORMED);
    }
    struct msg_ext_info none;
    struct wire_reader r = READER("\0\0\0\0");
    CU_ASSERT_EQUAL(msg_ext_info_decode(&r, &none), ERR_OK);
}

/* A loop of four thousand million turns over nothing would show as a test that does not end. */
static void ext_info_counts_are_bounded_by_the_bytes(void)
{
    struct msg_ext_info m;
    struct wire_reader r = READER("\xff\xff\xff\xff\0\0\0\0\0\0\0\0");
    CU_ASSERT_EQUAL(msg_ext_info_decode(&r, &m), ERR_MALFORMED);
    r = READER("\0\0\0\2\0\0\0\0\0\0\0\0");
    CU_ASSERT_EQUAL(msg_ext_info_decode(&r, &m), ERR_MALFORMED);
    r = READER("\0\0\0\1\0\0\0\0\0\0\0\0");
    CU_ASSERT_EQUAL(msg_ext_info_decode(&r, &m), ERR_OK);
}

static const struct unit_test tests[] = {
    UNIT(every_message_has_its_exact_length),
    UNIT(a_disconnect_is_read_field_by_field),
    UNIT(a_debug_message_is_read_field_by_field),
    UNIT(small_messages_are_read_field_by_field),
    UNIT(a_kexinit_is_read_list_by_list),
    UNIT(the_reserved_word_of_a_kexinit_may_be_anything),
    UNIT(a_kexinit_with_a_bad_name_in_any_list_is_malformed),
    UNIT(a_key_exchange_reply_is_read_field_by_field),
    UNIT(group_exchange_messages_are_read_field_by_field),
    UNIT(ext_info_gives_its_pairs_one_by_one),
    UNIT(ext_info_has_its_exact_length),
    UNIT(ext_info_counts_are_bounded_by_the_bytes),
};

UNIT_MAIN("msg_transport", tests)
