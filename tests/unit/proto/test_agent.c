#include "proto/agent.h"

#include "tests/unit/proto/exact.h"

EXACT_AGAIN(agent_identities)
EXACT_AGAIN(agent_sign_request)
EXACT_AGAIN(agent_sign_response)
EXACT_AGAIN(agent_extension)
EXACT_AGAIN(agent_session_bind)

#define TWO_KEYS "\0\0\0\2\0\0\0\3one\0\0\0\0\0\0\0\3two\0\0\0\6second"
#define SIGN     "\0\0\0\3key\0\0\0\4data\0\0\0\4"
#define BIND     "\0\0\0\4host\0\0\0\2id\0\0\0\3sig\0"

static void every_message_has_its_exact_length(void)
{
    static const struct exact messages[] = {
        {again_agent_identities, AGENT_IDENTITIES_ANSWER, BYTES_LIT("\0\0\0\0"), 0, false},
        {again_agent_identities, AGENT_IDENTITIES_ANSWER, BYTES_LIT(TWO_KEYS), 0, false},
        {again_agent_sign_request, AGENT_SIGN_REQUEST, BYTES_LIT(SIGN), 0, false},
        {again_agent_sign_response, AGENT_SIGN_RESPONSE, BYTES_LIT("\0\0\0\3sig"), 0, false},
        {again_agent_extension, AGENT_EXTENSION, BYTES_LIT("\0\0\0\1nrest"), 4, true},
        {again_agent_session_bind, EXACT_NO_NUMBER, BYTES_LIT(BIND), 0, false},
    };
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++)
        exact_check(&messages[i]);
}

static void keys_come_in_their_order_with_their_comments(void)
{
    struct wire_reader r = READER(TWO_KEYS);
    struct msg_agent_identities m;
    struct bytes key, comment;
    CU_ASSERT_EQUAL(msg_agent_identities_decode(&r, &m), ERR_OK);
    CU_ASSERT_EQUAL(m.n_keys, 2);
    CU_ASSERT_TRUE(msg_agent_identities_next(&m, &key, &comment));
    CU_ASSERT_TRUE(bytes_is(key, "one") && comment.n == 0);
    CU_ASSERT_TRUE(msg_agent_identities_next(&m, &key, &comment));
    CU_ASSERT_TRUE(bytes_is(key, "two") && bytes_is(comment, "second"));
    CU_ASSERT_FALSE(msg_agent_identities_next(&m, &key, &comment));
}

static void a_count_that_is_not_that_of_the_keys_is_malformed(void)
{
    static const struct bytes lies[] = {
        BYTES_LIT("\0\0\0\3\0\0\0\3one\0\0\0\0\0\0\0\3two\0\0\0\6second"),
        BYTES_LIT("\0\0\0\1\0\0\0\3one\0\0\0\0\0\0\0\3two\0\0\0\6second"),
        BYTES_LIT("\0\0\0\0\0\0\0\3one\0\0\0\0"),
        BYTES_LIT("\xff\xff\xff\xff"),
        BYTES_LIT("\xff\xff\xff\xff\0\0\0\3one\0\0\0\0"),
        BYTES_LIT("\0\0\0\1\xff\xff\xff\xff\0\0\0\0"),
        BYTES_LIT("\0\0\0\1\0\0\0\0\0\0\0\1"),
    };
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        struct wire_reader r = wire_reader(lies[i]);
        struct msg_agent_identities m;
        CU_ASSERT_EQUAL(msg_agent_identities_decode(&r, &m), ERR_MALFORMED);
    }
}

static bool adds_as(const struct msg_agent_add *m, struct bytes wanted)
{
    uint8_t out[64];
    for (size_t room = 0; room < wanted.n; room++) {
        struct wire_writer w = wire_writer(out, room);
        msg_agent_add_encode(&w, m);
        CU_ASSERT_TRUE(w.bad);
    }
    struct wire_writer w = wire_writer(out, sizeof out);
    msg_agent_add_encode(&w, m);
    return bytes_equal(wire_written(&w), wanted);
}

static void a_key_is_added_with_the_constraints_asked_for(void)
{
    struct msg_agent_add m = {.key = BYTES_LIT("KEY"), .comment = BYTES_LIT("me")};
    CU_ASSERT_TRUE(adds_as(&m, BYTES_LIT("\x11KEY\0\0\0\2me")));
    m.lifetime_s = 600;
    CU_ASSERT_TRUE(adds_as(&m, BYTES_LIT("\x19KEY\0\0\0\2me\1\0\0\2\x58")));
    m.confirm = true;
    CU_ASSERT_TRUE(adds_as(&m, BYTES_LIT("\x19KEY\0\0\0\2me\1\0\0\2\x58\2")));
    m.lifetime_s = 0;
    CU_ASSERT_TRUE(adds_as(&m, BYTES_LIT("\x19KEY\0\0\0\2me\2")));
}

static void every_number_has_a_name_of_its_own(void)
{
    static const uint8_t numbers[] = {5, 6, 11, 12, 13, 14, 17, 25, 27, 28, 99};
    enum { N = sizeof numbers };
    for (size_t i = 0; i < N; i++)
        for (size_t j = i + 1; j < N; j++)
            CU_ASSERT_STRING_NOT_EQUAL(agent_msg_name(numbers[i]), agent_msg_name(numbers[j]));
}

static const struct unit_test tests[] = {
    UNIT(every_message_has_its_exact_length),
    UNIT(keys_come_in_their_order_with_their_comments),
    UNIT(a_count_that_is_not_that_of_the_keys_is_malformed),
    UNIT(a_key_is_added_with_the_constraints_asked_for),
    UNIT(every_number_has_a_name_of_its_own),
};

UNIT_MAIN("agent", tests)
