#include "tests/unit/proto/exact.h"

EXACT_AGAIN(userauth_request)
EXACT_AGAIN(auth_password)
EXACT_AGAIN(userauth_failure)
EXACT_AGAIN(userauth_banner)
EXACT_AGAIN(userauth_pk_ok)

static enum err again_publickey(struct wire_reader *r, struct wire_writer *w)
{
    struct msg_auth_publickey m;
    enum err e = msg_auth_publickey_decode(r, false, &m);
    if (e == ERR_OK)
        msg_auth_publickey_encode(w, false, &m);
    return e;
}

static enum err again_hostbound(struct wire_reader *r, struct wire_writer *w)
{
    struct msg_auth_publickey m;
    enum err e = msg_auth_publickey_decode(r, true, &m);
    if (e == ERR_OK)
        msg_auth_publickey_encode(w, true, &m);
    return e;
}

#define REQUEST   "\0\0\0\2me\0\0\0\3ssh\0\0\0\4none"
#define QUERY     "\0\0\0\0\3alg\0\0\0\3key"
#define SIGNED    "\1\0\0\0\3alg\0\0\0\3key\0\0\0\3sig"
#define HOSTBOUND "\1\0\0\0\3alg\0\0\0\3key\0\0\0\4host\0\0\0\3sig"
#define PROMPTS   "\0\0\0\2\0\0\0\4Code\0\0\0\0\4Name\1"

static void every_message_has_its_exact_length(void)
{
    static const struct exact messages[] = {
        {again_userauth_request, MSG_USERAUTH_REQUEST, BYTES_LIT(REQUEST "rest"), 4, true},
        {again_publickey, EXACT_NO_NUMBER, BYTES_LIT(QUERY), 0, false},
        {again_publickey, EXACT_NO_NUMBER, BYTES_LIT(SIGNED), 0, false},
        {again_hostbound, EXACT_NO_NUMBER, BYTES_LIT(HOSTBOUND), 0, false},
        {again_hostbound, EXACT_NO_NUMBER, BYTES_LIT(QUERY "\0\0\0\4host"), 0, false},
        {again_auth_password, EXACT_NO_NUMBER, BYTES_LIT("\0\0\0\0\2pw"), 0, false},
        {again_auth_password, EXACT_NO_NUMBER, BYTES_LIT("\1\0\0\0\2pw\0\0\0\3new"), 0, false},
        {again_userauth_failure, MSG_USERAUTH_FAILURE, BYTES_LIT("\0\0\0\3a,b\1"), 0, false},
        {again_userauth_banner, MSG_USERAUTH_BANNER, BYTES_LIT("\0\0\0\3hi\n\0\0\0\0"), 0, false},
        {again_userauth_pk_ok, MSG_USERAUTH_60, BYTES_LIT("\0\0\0\3alg\0\0\0\3key"), 0, false},
    };
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++)
        exact_check(&messages[i]);
}

static void a_request_is_read_up_to_its_method(void)
{
    struct msg_userauth_request m;
    struct wire_reader r = READER(REQUEST "\1rest");
    CU_ASSERT_EQUAL(msg_userauth_request_decode(&r, &m), ERR_OK);
    CU_ASSERT_TRUE(bytes_is(m.user, "me"));
    CU_ASSERT_TRUE(bytes_is(m.service, "ssh"));
    CU_ASSERT_TRUE(bytes_is(m.method, "none"));
    CU_ASSERT_TRUE(bytes_is(m.rest, "\1rest"));
}

static void a_key_query_has_no_signature(void)
{
    struct msg_auth_publickey m;
    struct wire_reader r = READER(QUERY);
    CU_ASSERT_EQUAL(msg_auth_publickey_decode(&r, false, &m), ERR_OK);
    CU_ASSERT_FALSE(m.has_signature);
    CU_ASSERT_TRUE(bytes_is(m.algorithm, "alg") && bytes_is(m.key, "key"));
    CU_ASSERT_EQUAL(m.signature.n, 0);
    CU_ASSERT_EQUAL(m.host_key.n, 0);
    r = READER(QUERY "\0\0\0\3sig"); /* one that says it has none, and brings one */
    CU_ASSERT_EQUAL(msg_auth_publickey_decode(&r, false, &m), ERR_MALFORMED);
}

static void a_host_bound_request_names_the_host_key(void)
{
    struct msg_auth_publickey m;
    struct wire_reader r = READER(HOSTBOUND);
    CU_ASSERT_EQUAL(msg_auth_publickey_decode(&r, true, &m), ERR_OK);
    CU_ASSERT_TRUE(m.has_signature);
    CU_ASSERT_TRUE(bytes_is(m.host_key, "host"));
    CU_ASSERT_TRUE(bytes_is(m.signature, "sig"));
    r = READER(HOSTBOUND);
    CU_ASSERT_EQUAL(msg_auth_publickey_decode(&r, false, &m), ERR_MALFORMED);
    r = READER(SIGNED);
    CU_ASSERT_EQUAL(msg_auth_publickey_decode(&r, true, &m), ERR_MALFORMED);
}

static void a_password_change_has_both_passwords(void)
{
    struct msg_auth_password m;
    struct wire_reader r = READER("\1\0\0\0\2pw\0\0\0\3new");
    CU_ASSERT_EQUAL(msg_auth_password_decode(&r, &m), ERR_OK);
    CU_ASSERT_TRUE(m.is_change);
    CU_ASSERT_TRUE(bytes_is(m.password, "pw") && bytes_is(m.new_password, "new"));
    r = READER("\0\0\0\0\2pw");
    CU_ASSERT_EQUAL(msg_auth_password_decode(&r, &m), ERR_OK);
    CU_ASSERT_FALSE(m.is_change);
    CU_ASSERT_EQUAL(m.new_password.n, 0);
}

static void a_failure_lists_valid_names(void)
{
    struct msg_userauth_failure m;
    struct wire_reader r = READER("\0\0\0\x12publickey,password\1");
    CU_ASSERT_EQUAL(msg_userauth_failure_decode(&r, &m), ERR_OK);
    CU_ASSERT_TRUE(bytes_is(m.methods, "publickey,password"));
    CU_ASSERT_TRUE(m.partial_success);
    r = READER("\0\0\0\0\0");
    CU_ASSERT_EQUAL(msg_userauth_failure_decode(&r, &m), ERR_OK);
    CU_ASSERT_FALSE(m.partial_success);
    r = READER("\0\0\0\3a,,\0");
    CU_ASSERT_EQUAL(msg_userauth_failure_decode(&r, &m), ERR_OK);
    r = READER("\0\0\0\3\x1b[2\0");
    CU_ASSERT_EQUAL(msg_userauth_failure_decode(&r, &m), ERR_MALFORMED);
}

static void texts_drop_their_language(void)
{
    struct msg_userauth_banner banner;
    struct wire_reader r = READER("\0\0\0\3hi\n\0\0\0\2en");
    CU_ASSERT_EQUAL(msg_userauth_banner_decode(&r, &banner), ERR_OK);
    CU_ASSERT_TRUE(bytes_is(banner.message, "hi\n"));
    struct msg_passwd_changereq change;
    r = READER("\0\0\0\3New\0\0\0\2en");
    CU_ASSERT_EQUAL(msg_passwd_changereq_decode(&r, &change), ERR_OK);
    CU_ASSERT_TRUE(bytes_is(change.prompt, "New"));
}

static void a_change_request_has_its_exact_length(void)
{
    static const char longer[] = "\0\0\0\3New\0\0\0\0!";
    for (size_t n = 0; n < sizeof longer; n++) {
        struct msg_passwd_changereq m;
        struct wire_reader r = wire_reader((struct bytes){(const uint8_t *)longer, n});
        CU_ASSERT_EQUAL(msg_passwd_changereq_decode(&r, &m), n == 11 ? ERR_OK : ERR_MALFORMED);
    }
}

static void pk_ok_is_read_field_by_field(void)
{
    struct msg_userauth_pk_ok m;
    struct wire_reader r = READER("\0\0\0\3alg\0\0\0\4blob");
    CU_ASSERT_EQUAL(msg_userauth_pk_ok_decode(&r, &m), ERR_OK);
    CU_ASSERT_TRUE(bytes_is(m.algorithm, "alg") && bytes_is(m.key, "blob"));
}

static void an_info_request_gives_its_prompts_one_by_one(void)
{
    struct msg_info_request m;
    struct bytes prompt;
    bool echo = true;
    struct wire_reader r = READER("\0\0\0\4Name\0\0\0\2Do\0\0\0\2en" PROMPTS);
    CU_ASSERT_EQUAL_FATAL(msg_info_request_decode(&r, &m), ERR_OK);
    CU_ASSERT_TRUE(bytes_is(m.name, "Name") && bytes_is(m.instruction, "Do"));
    CU_ASSERT_EQUAL(m.n_prompts, 2);
    CU_ASSERT_TRUE(msg_info_request_next(&m, &prompt, &echo));
    CU_ASSERT_TRUE(bytes_is(prompt, "Code") && !echo);
    CU_ASSERT_TRUE(msg_info_request_next(&m, &prompt, &echo));
    CU_ASSERT_TRUE(bytes_is(prompt, "Name") && echo);
    CU_ASSERT_FALSE(msg_info_request_next(&m, &prompt, &echo));
    CU_ASSERT_FALSE(msg_info_request_next(&m, &prompt, &echo));
}

static void an_info_request_has_its_exact_length(void)
{
    static const char longer[] = "\0\0\0\0\0\0\0\0\0\0\0\0" PROMPTS "!";
    for (size_t n = 0; n < sizeof longer; n++) {
        struct msg_info_request m;
        struct wire_reader r = wire_reader((struct bytes){(const uint8_t *)longer, n});
        bool is_good = n == sizeof longer - 2;
        CU_ASSERT_EQUAL(msg_info_request_decode(&r, &m), is_good ? ERR_OK : ERR_MALFORMED);
    }
}

/* A loop of four thousand million turns over nothing would show as a test that does not end. */
static void prompt_counts_are_bounded_by_the_bytes(void)
{
    struct msg_info_request m;
    struct wire_reader r = READER("\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff\0\0\0\0\0");
    CU_ASSERT_EQUAL(msg_info_request_decode(&r, &m), ERR_MALFORMED);
    r = READER("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2\0\0\0\0\0");
    CU_ASSERT_EQUAL(msg_info_request_decode(&r, &m), ERR_MALFORMED);
    r = READER("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0");
    CU_ASSERT_EQUAL(msg_info_request_decode(&r, &m), ERR_OK);
    r = READER("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    CU_ASSERT_EQUAL(msg_info_request_decode(&r, &m), ERR_OK);
}

static const struct unit_test tests[] = {
    UNIT(every_message_has_its_exact_length),
    UNIT(a_request_is_read_up_to_its_method),
    UNIT(a_key_query_has_no_signature),
    UNIT(a_host_bound_request_names_the_host_key),
    UNIT(a_password_change_has_both_passwords),
    UNIT(a_failure_lists_valid_names),
    UNIT(texts_drop_their_language),
    UNIT(a_change_request_has_its_exact_length),
    UNIT(pk_ok_is_read_field_by_field),
    UNIT(an_info_request_gives_its_prompts_one_by_one),
    UNIT(an_info_request_has_its_exact_length),
    UNIT(prompt_counts_are_bounded_by_the_bytes),
};

UNIT_MAIN("msg_auth", tests)
