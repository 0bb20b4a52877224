/* The client's authentication methods against hand-made servers: publickey, password and
 * keyboard-interactive. What is the same for all of them is in test_auth_client.c. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/transport/auth_client_states.h"
#include "tests/unit/unit.h"

/* ---- publickey --------------------------------------------------------------------------------
 */

#define REQUEST_HEAD "\x32\0\0\0\3ada\0\0\0\16ssh-connection"
#define KEY_FIELDS   "\0\0\0\13ssh-ed25519\0\0\0\21a public key blob"

/* RFC 4252 section 7, byte for byte. */
static void the_query_then_the_signed_request_are_exact(void)
{
    struct rig r;
    struct transport_event e;
    to_query(&r);
    CU_ASSERT_TRUE(bytes_equal(rig_take(&r), BYTES_LIT(REQUEST_HEAD "\0\0\0\11publickey"
                                                                    "\0" KEY_FIELDS)));
    CU_ASSERT_EQUAL(rig_feed(&r, msg_pk_ok(ALG, KEY)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_SIGN, &e));
    CU_ASSERT_TRUE(bytes_equal(e.key, KEY));
    CU_ASSERT_TRUE(bytes_equal(e.algorithm, ALG));
    CU_ASSERT_TRUE(bytes_equal(
        e.data, BYTES_LIT("\0\0\0\x20"
                          "0123456789abcdef0123456789abcdef" REQUEST_HEAD "\0\0\0\11publickey"
                          "\1" KEY_FIELDS)));
    CU_ASSERT_TRUE(rig_quiet(&r));
    auth_signature(r.a, BYTES_LIT("sig"));
    CU_ASSERT_TRUE(
        bytes_equal(rig_take(&r), BYTES_LIT(REQUEST_HEAD "\0\0\0\11publickey"
                                                         "\1" KEY_FIELDS "\0\0\0\3sig")));
    CU_ASSERT_EQUAL(rig_feed(&r, msg_of(MSG_USERAUTH_SUCCESS, NO_BYTES)), ERR_OK);
    CU_ASSERT_TRUE(auth_done(r.a));
    rig_free(&r);
}

#define HOSTBOUND "\0\0\0\x23publickey-hostbound-v00@openssh.com"

static void a_signature_is_bound_to_the_host_key_where_the_server_can(void)
{
    struct rig r;
    struct transport_event e;
    ready(&r);
    auth_set_hostbound(r.a, true);
    auth_publickey(r.a, ALG, KEY);
    CU_ASSERT_TRUE(bytes_equal(/* the query stays plain */
        rig_take(&r), BYTES_LIT(REQUEST_HEAD "\0\0\0\11publickey"
                                             "\0" KEY_FIELDS)));
    CU_ASSERT_EQUAL(rig_feed(&r, msg_pk_ok(ALG, KEY)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_SIGN, &e));
    CU_ASSERT_TRUE(
        bytes_equal(e.data, BYTES_LIT("\0\0\0\x20"
                                      "0123456789abcdef0123456789abcdef" REQUEST_HEAD HOSTBOUND
                                      "\1" KEY_FIELDS "\0\0\0\x19the server's own key blob")));
    auth_signature(r.a, BYTES_LIT("sig"));
    CU_ASSERT_TRUE(bytes_equal(rig_take(&r),
        BYTES_LIT(REQUEST_HEAD HOSTBOUND "\1" KEY_FIELDS "\0\0\0\x19the server's own key blob"
                                         "\0\0\0\3sig")));
    rig_free(&r);
}

static void a_certificate_is_bound_to_the_host_key_too(void)
{
    struct rig r;
    struct transport_event e;
    struct bytes cert = BYTES_LIT("ssh-ed25519-cert-v01@openssh.com");
    ready(&r);
    auth_set_hostbound(r.a, true);
    auth_publickey(r.a, cert, KEY);
    CU_ASSERT_EQUAL(rig_feed(&r, msg_pk_ok(cert, KEY)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_SIGN, &e));
    struct wire_reader data = wire_reader(e.data);
    struct msg_userauth_request m;
    (void)wire_string(&data);
    (void)wire_u8(&data);
    CU_ASSERT_EQUAL(msg_userauth_request_decode(&data, &m), ERR_OK);
    CU_ASSERT_TRUE(bytes_is(m.method, "publickey-hostbound-v00@openssh.com"));
    rig_free(&r);
}

static void a_pk_ok_for_another_key_or_algorithm_is_never_signed(void)
{
    const struct {
        struct bytes algorithm, key;
    } cases[] = {{ALG, BYTES_LIT("another key blob!")}, {ALG, BYTES_LIT("a public key blo")},
        {ALG, NO_BYTES}, {BYTES_LIT("rsa-sha2-256"), KEY}, {BYTES_LIT("ssh-ed2551"), KEY},
        {NO_BYTES, KEY}, {NO_BYTES, NO_BYTES}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig r;
        to_query(&r);
        (void)rig_take(&r), (void)rig_take(&r);
        CU_ASSERT_EQUAL(rig_feed(&r, msg_pk_ok(cases[i].algorithm, cases[i].key)), ERR_PROTOCOL);
        CU_ASSERT_TRUE(rig_quiet(&r));
        rig_free(&r);
    }
}

static void without_a_signature_the_method_has_failed_and_nothing_is_sent(void)
{
    static const uint8_t huge[KEY_SIGNATURE_MAX + 1];
    const struct bytes bad[] = {NO_BYTES, {huge, sizeof huge}};
    for (size_t i = 0; i < 2; i++) {
        struct rig r;
        struct transport_event e;
        to_signing(&r);
        (void)rig_take(&r);
        auth_signature(r.a, bad[i]);
        CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_FAILURE, &e));
        CU_ASSERT_TRUE(bytes_is(e.text, "publickey"));
        CU_ASSERT_FALSE(e.partial);
        CU_ASSERT_TRUE(rig_quiet(&r));
        auth_none(r.a); /* on with another */
        CU_ASSERT_EQUAL(rig_feed(&r, msg_failure("password", false)), ERR_OK);
        CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_FAILURE, NULL));
        rig_free(&r);
    }
}

static void our_own_failure_repeats_the_servers_last_list_of_methods(void)
{
    struct rig r;
    struct transport_event e;
    to_none(&r);
    CU_ASSERT_EQUAL(rig_feed(&r, msg_failure("publickey,password", false)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_FAILURE, NULL));
    static const uint8_t huge[KEY_BLOB_MAX + 1];
    size_t n_sent = r.n_sent;
    auth_publickey(r.a, ALG, (struct bytes){huge, sizeof huge});
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_FAILURE, &e));
    CU_ASSERT_TRUE(bytes_is(e.text, "publickey,password"));
    CU_ASSERT_EQUAL(r.n_sent, n_sent);
    CU_ASSERT_EQUAL(r.fault.code, ERR_OK);
    rig_free(&r);
}

/* A caller that tries the key of an event again hands in our own copies. */
static void a_key_may_be_asked_about_again_with_the_slices_of_its_event(void)
{
    struct rig r;
    struct transport_event e;
    to_query(&r);
    CU_ASSERT_EQUAL(rig_feed(&r, msg_pk_ok(ALG, KEY)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_SIGN, &e));
    auth_signature(r.a, BYTES_LIT("sig"));
    CU_ASSERT_EQUAL(rig_feed(&r, msg_failure("publickey", true)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_FAILURE, NULL));
    auth_publickey(r.a, e.algorithm, e.key);
    (void)rig_take(&r), (void)rig_take(&r), (void)rig_take(&r);
    CU_ASSERT_EQUAL(rig_feed(&r, msg_pk_ok(ALG, KEY)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_SIGN, &e));
    rig_free(&r);
}

/* ---- password ---------------------------------------------------------------------------------
 */

static void a_password_and_its_change_are_exact(void)
{
    struct rig r;
    struct transport_event e;
    to_password(&r);
    CU_ASSERT_TRUE(bytes_equal(rig_take(&r), BYTES_LIT(REQUEST_HEAD "\0\0\0\10password"
                                                                    "\0"
                                                                    "\0\0\0\6secret")));
    CU_ASSERT_EQUAL(rig_feed(&r, msg_changereq("too old")), ERR_OK);
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_PASSWORD_CHANGE, &e));
    CU_ASSERT_TRUE(bytes_is(e.text, "too old"));
    auth_new_password(r.a, BYTES_LIT("secret"), BYTES_LIT("fresh"));
    CU_ASSERT_TRUE(bytes_equal(rig_take(&r), BYTES_LIT(REQUEST_HEAD "\0\0\0\10password"
                                                                    "\1"
                                                                    "\0\0\0\6secret"
                                                                    "\0\0\0\5fresh")));
    CU_ASSERT_EQUAL(rig_feed(&r, msg_of(MSG_USERAUTH_SUCCESS, NO_BYTES)), ERR_OK);
    CU_ASSERT_TRUE(auth_done(r.a));
    rig_free(&r);
}

static void a_password_may_be_asked_to_change_a_bounded_number_of_times(void)
{
    struct rig r;
    to_password(&r);
    for (unsigned i = 1; i <= 65; i++) {
        CU_ASSERT_EQUAL(rig_feed(&r, msg_changereq("again")), i <= 64 ? ERR_OK : ERR_LIMIT);
        if (rig_event(&r, TRANSPORT_AUTH_PASSWORD_CHANGE, NULL))
            auth_new_password(r.a, BYTES_LIT("a"), BYTES_LIT("b"));
    }
    rig_free(&r);
}

static void what_no_peer_need_take_is_not_sent(void)
{
    static const uint8_t huge[40000];
    struct rig r;
    ready(&r);
    size_t n_sent = r.n_sent;
    auth_password(r.a, (struct bytes){huge, sizeof huge});
    CU_ASSERT_EQUAL(r.fault.code, ERR_LIMIT);
    CU_ASSERT_EQUAL(r.n_sent, n_sent);
    rig_free(&r);
    ready(&r);
    auth_password(r.a, (struct bytes){huge, SIZE_MAX});
    CU_ASSERT_EQUAL(r.fault.code, ERR_LIMIT);
    rig_free(&r);
    ready(&r);
    auth_password(r.a, (struct bytes){huge, 32000});
    CU_ASSERT_EQUAL(r.fault.code, ERR_OK);
    rig_free(&r);
    to_answering(&r);
    auth_answers(r.a, &(struct bytes){huge, SIZE_MAX}, 1);
    CU_ASSERT_EQUAL(r.fault.code, ERR_LIMIT);
    rig_free(&r);
}

/* ---- keyboard-interactive ---------------------------------------------------------------------
 */

static void keyboard_interactive_goes_through_several_rounds(void)
{
    struct rig r;
    struct transport_event e;
    to_interactive(&r);
    CU_ASSERT_TRUE(bytes_equal(rig_take(&r), BYTES_LIT(REQUEST_HEAD "\0\0\0\24keyboard-interactive"
                                                                    "\0\0\0\0"
                                                                    "\0\0\0\0")));

    CU_ASSERT_EQUAL(rig_feed(&r, msg_prompts(2)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_PROMPTS, &e));
    CU_ASSERT_TRUE(bytes_is(e.prompts.name, "name"));
    CU_ASSERT_TRUE(bytes_is(e.prompts.instruction, "instruction"));
    struct bytes prompt;
    bool echo;
    CU_ASSERT_TRUE(msg_info_request_next(&e.prompts, &prompt, &echo));
    CU_ASSERT_TRUE(bytes_is(prompt, "p0") && !echo);
    CU_ASSERT_TRUE(msg_info_request_next(&e.prompts, &prompt, &echo));
    CU_ASSERT_TRUE(bytes_is(prompt, "p1") && echo);
    CU_ASSERT_FALSE(msg_info_request_next(&e.prompts, &prompt, &echo));
    auth_answers(r.a, (const struct bytes[]){BYTES_LIT("one"), NO_BYTES}, 2);
    CU_ASSERT_TRUE(bytes_equal(rig_take(&r), BYTES_LIT("\x3d\0\0\0\2\0\0\0\3one\0\0\0\0")));

    CU_ASSERT_EQUAL(rig_feed(&r, msg_prompts(0)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_PROMPTS, &e));
    CU_ASSERT_EQUAL(e.prompts.n_prompts, 0);
    auth_answers(r.a, NULL, 0);
    CU_ASSERT_TRUE(bytes_equal(rig_take(&r), BYTES_LIT("\x3d\0\0\0\0")));

    CU_ASSERT_EQUAL(rig_feed(&r, msg_of(MSG_USERAUTH_SUCCESS, NO_BYTES)), ERR_OK);
    CU_ASSERT_TRUE(auth_done(r.a));
    rig_free(&r);
}

static void answers_are_as_many_as_prompts(void)
{
    for (size_t n = 0; n < 3; n++) {
        struct rig r;
        to_answering(&r);
        size_t n_sent = r.n_sent;
        auth_answers(r.a, (const struct bytes[]){BYTES_LIT("a"), BYTES_LIT("b")}, n);
        CU_ASSERT_EQUAL(r.fault.code, n == 1 ? ERR_OK : ERR_INTERNAL);
        CU_ASSERT_EQUAL(r.n_sent, n_sent + (n == 1 ? 1 : 0));
        rig_free(&r);
    }
}

static void prompts_and_rounds_have_a_bound(void)
{
    struct rig r;
    to_interactive(&r);
    CU_ASSERT_EQUAL(rig_feed(&r, msg_prompts(100)), ERR_OK);
    rig_free(&r);
    to_interactive(&r);
    CU_ASSERT_EQUAL(rig_feed(&r, msg_prompts(101)), ERR_LIMIT);
    rig_free(&r);
    to_interactive(&r);
    for (unsigned i = 1; i <= 65; i++) {
        CU_ASSERT_EQUAL(rig_feed(&r, msg_prompts(0)), i <= 64 ? ERR_OK : ERR_LIMIT);
        if (rig_event(&r, TRANSPORT_AUTH_PROMPTS, NULL))
            auth_answers(r.a, NULL, 0);
    }
    rig_free(&r);
}

static void a_new_request_starts_the_rounds_anew(void)
{
    struct rig r;
    ready(&r);
    for (unsigned i = 0; i < 100; i++) {
        auth_keyboard_interactive(r.a);
        CU_ASSERT_EQUAL(rig_feed(&r, msg_prompts(0)), ERR_OK);
        CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_PROMPTS, NULL));
        auth_answers(r.a, NULL, 0);
        CU_ASSERT_EQUAL(rig_feed(&r, msg_failure("keyboard-interactive", false)), ERR_OK);
        CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_FAILURE, NULL));
    }
    rig_free(&r);
}

static const struct unit_test tests[] = {
    UNIT(the_query_then_the_signed_request_are_exact),
    UNIT(a_signature_is_bound_to_the_host_key_where_the_server_can),
    UNIT(a_certificate_is_bound_to_the_host_key_too),
    UNIT(a_pk_ok_for_another_key_or_algorithm_is_never_signed),
    UNIT(without_a_signature_the_method_has_failed_and_nothing_is_sent),
    UNIT(our_own_failure_repeats_the_servers_last_list_of_methods),
    UNIT(a_key_may_be_asked_about_again_with_the_slices_of_its_event),
    UNIT(a_password_and_its_change_are_exact),
    UNIT(a_password_may_be_asked_to_change_a_bounded_number_of_times),
    UNIT(what_no_peer_need_take_is_not_sent),
    UNIT(keyboard_interactive_goes_through_several_rounds),
    UNIT(answers_are_as_many_as_prompts),
    UNIT(prompts_and_rounds_have_a_bound),
    UNIT(a_new_request_starts_the_rounds_anew),
};
UNIT_MAIN("auth_methods", tests)
