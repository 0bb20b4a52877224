/* The client's half of user authentication against hand-made servers: what holds whatever the
 * method is. The methods are in test_auth_methods.c. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/transport/auth_client_states.h"
#include "tests/unit/unit.h"

/* ---- states: every one ------------------------------------------------------------------------
 */

/* What a server may send in each state: A(ccept), F(ailure), S(uccess), B(anner), P(k_ok),
 * C(hangereq), I(nfo_request); and which call of ours is in order: n(one), p(assword),
 * k(eyboard-interactive), q(uery), s(ignature), c(hange), a(nswers). */
static const struct {
    void (*enter)(struct rig *r);
    const char *may_come;
    const char *may_call;
} states[] = {
    {to_service, "A", ""},
    {ready, "B", "npkq"},
    {to_none, "FSB", ""},
    {to_query, "FSBP", ""},
    {to_signing, "B", "s"},
    {to_signed, "FSB", ""},
    {to_password, "FSBCP", ""}, /* on the wire a PK_OK is a CHANGEREQ: two strings */
    {to_new_password, "B", "c"},
    {to_interactive, "FSBI", ""},
    {to_answering, "B", "a"},
    {to_done, "", ""},
};
enum { N_STATES = sizeof states / sizeof states[0] };

static struct bytes message(char kind)
{
    switch (kind) {
    case 'A': return msg_service_of(MSG_SERVICE_ACCEPT, "ssh-userauth");
    case 'F': return msg_failure("publickey,password", false);
    case 'S': return msg_of(MSG_USERAUTH_SUCCESS, NO_BYTES);
    case 'B': return msg_banner("hello");
    case 'P': return msg_pk_ok(ALG, KEY);
    case 'C': return msg_changereq("expired");
    default: return msg_prompts(1);
    }
}

static void call(struct rig *r, char kind)
{
    switch (kind) {
    case 'n': auth_none(r->a); break;
    case 'p': auth_password(r->a, BYTES_LIT("secret")); break;
    case 'k': auth_keyboard_interactive(r->a); break;
    case 'q': auth_publickey(r->a, ALG, KEY); break;
    case 's': auth_signature(r->a, BYTES_LIT("signature")); break;
    case 'c': auth_new_password(r->a, BYTES_LIT("old"), BYTES_LIT("new")); break;
    case 'd': auth_decide(r->a, true); break;
    default: auth_answers(r->a, &BYTES_LIT("answer"), 1); break;
    }
}

static void only_replies_that_were_asked_for_are_taken(void)
{
    for (size_t i = 0; i < N_STATES; i++)
        for (const char *kind = "AFSBPCI"; *kind != '\0'; kind++) {
            struct rig r;
            states[i].enter(&r);
            bool is_done = auth_done(r.a);
            enum err e = rig_feed(&r, message(*kind));
            bool legal = strchr(states[i].may_come, *kind) != NULL;
            if (legal) {
                CU_ASSERT_EQUAL(e, ERR_OK);
                CU_ASSERT_TRUE(auth_waiting(r.a));
                CU_ASSERT_EQUAL(auth_done(r.a), *kind == 'S');
            } else { /* message 60 is malformed where its number is in order but not its kind */
                CU_ASSERT_TRUE(e == ERR_PROTOCOL || e == ERR_MALFORMED);
                CU_ASSERT_EQUAL(e, r.fault.code);
                CU_ASSERT_FALSE(auth_waiting(r.a));
                CU_ASSERT_EQUAL(auth_done(r.a), is_done);
            }
            rig_free(&r);
        }
}

static void a_call_out_of_turn_is_our_own_mistake_and_sends_nothing(void)
{
    for (size_t i = 0; i < N_STATES; i++)
        for (const char *kind = "npkqscad"; *kind != '\0'; kind++) {
            struct rig r;
            states[i].enter(&r);
            size_t n_sent = r.n_sent;
            call(&r, *kind);
            bool legal = strchr(states[i].may_call, *kind) != NULL;
            CU_ASSERT_EQUAL(r.fault.code, legal ? ERR_OK : ERR_INTERNAL);
            CU_ASSERT_EQUAL(r.n_sent, n_sent + (legal ? 1 : 0));
            rig_free(&r);
        }
}

static void success_without_a_request_is_a_protocol_error_in_clear_words(void)
{
    struct rig r;
    ready(&r);
    CU_ASSERT_EQUAL(rig_feed(&r, msg_of(MSG_USERAUTH_SUCCESS, NO_BYTES)), ERR_PROTOCOL);
    CU_ASSERT_STRING_EQUAL(r.fault.text,
        "server sent USERAUTH_SUCCESS when no authentication request was waiting for one");
    CU_ASSERT_FALSE(auth_done(r.a));
    rig_free(&r);
    to_done(&r);
    CU_ASSERT_EQUAL(rig_feed(&r, msg_of(MSG_USERAUTH_SUCCESS, NO_BYTES)), ERR_PROTOCOL);
    rig_free(&r);
}

static void numbers_that_are_not_a_servers_are_refused_in_every_state(void)
{
    static const uint8_t known[] = {6, 51, 52, 53, 60};
    for (size_t i = 0; i < N_STATES; i++)
        for (unsigned number = 0; number < 256; number++) {
            struct rig r;
            if (memchr(known, (int)number, sizeof known) != NULL)
                continue;
            states[i].enter(&r);
            CU_ASSERT_EQUAL(rig_feed(&r, msg_of((uint8_t)number, NO_BYTES)), ERR_PROTOCOL);
            rig_free(&r);
        }
}

/* Every strict prefix of a good message is malformed, and so is one trailing byte. */
static void replies_have_their_exact_length(void)
{
    static const struct {
        char kind;
        void (*enter)(struct rig *r);
    } cases[] = {{'A', to_service}, {'F', to_none}, {'S', to_none}, {'B', to_none}, {'P', to_query},
        {'C', to_password}, {'I', to_interactive}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bytes good = message(cases[i].kind);
        uint8_t copy[256] = {0};
        memcpy(copy, good.p, good.n);
        for (size_t n = 0; n <= good.n + 1; n++) {
            struct rig r;
            cases[i].enter(&r);
            enum err e = rig_feed(&r, (struct bytes){copy, n});
            CU_ASSERT_EQUAL(e, n == good.n ? ERR_OK : ERR_MALFORMED);
            rig_free(&r);
        }
    }
}

/* ---- the door ---------------------------------------------------------------------------------
 */

static void the_first_message_asks_for_the_service(void)
{
    struct rig r;
    rig_client(&r, "ada");
    struct bytes sent = rig_take(&r);
    CU_ASSERT_TRUE(bytes_equal(sent, BYTES_LIT("\5\0\0\0\14ssh-userauth")));
    CU_ASSERT_TRUE(rig_quiet(&r));
    CU_ASSERT_EQUAL(rig_feed(&r, msg_service_of(MSG_SERVICE_ACCEPT, "ssh-\x1b[2J")), ERR_PROTOCOL);
    CU_ASSERT_PTR_NOT_NULL(strstr(r.fault.text, "\\x1b[2J"));
    rig_free(&r);
}

static void user_names_with_control_characters_are_refused_at_the_door(void)
{
    static const struct {
        const char *user;
        bool is_good;
    } cases[] = {{"ada", true}, {"a", true}, {"ad\xc3\xa9le", true}, {"corp\\ada", true},
        {"a b", true}, {"\xc2\xa0", true}, {"", false}, {"ada\n", false}, {"\tada", false},
        {"a\x7f", false}, {"a\x1b[2J", false}, {"a\xc2\x9b", false}, {NULL, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig r;
        rig_client(&r, cases[i].user);
        CU_ASSERT_EQUAL(r.fault.code, cases[i].is_good ? ERR_OK : ERR_INTERNAL);
        CU_ASSERT_EQUAL(r.n_sent, cases[i].is_good ? 1 : 0);
        rig_free(&r);
    }
}

static void user_names_have_a_bound(void)
{
    char user[1026];
    memset(user, 'u', sizeof user);
    for (size_t n = 1024; n <= 1025; n++) {
        struct rig r;
        user[n] = '\0';
        rig_client(&r, user);
        CU_ASSERT_EQUAL(r.fault.code, n == 1024 ? ERR_OK : ERR_INTERNAL);
        rig_free(&r);
        user[n] = 'u';
    }
}

/* ---- none, failures, banners ------------------------------------------------------------------
 */

static void none_is_sent_and_may_succeed(void)
{
    struct rig r;
    to_none(&r);
    CU_ASSERT_TRUE(
        bytes_equal(rig_take(&r), BYTES_LIT("\x32\0\0\0\3ada\0\0\0\16ssh-connection\0\0\0\4none")));
    CU_ASSERT_FALSE(auth_done(r.a));
    CU_ASSERT_EQUAL(rig_feed(&r, msg_of(MSG_USERAUTH_SUCCESS, NO_BYTES)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_SUCCESS, NULL));
    CU_ASSERT_TRUE(auth_done(r.a));
    rig_free(&r);
}

static void a_failure_names_the_methods_and_another_may_be_tried(void)
{
    struct rig r;
    struct transport_event e;
    to_none(&r);
    CU_ASSERT_EQUAL(rig_feed(&r, msg_failure("publickey,password", true)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_FAILURE, &e));
    CU_ASSERT_TRUE(bytes_is(e.text, "publickey,password"));
    CU_ASSERT_TRUE(e.partial);
    auth_password(r.a, BYTES_LIT("x"));
    CU_ASSERT_EQUAL(rig_feed(&r, msg_failure("publickey", false)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_FAILURE, &e));
    CU_ASSERT_TRUE(bytes_is(e.text, "publickey"));
    CU_ASSERT_FALSE(e.partial);
    rig_free(&r);
}

static void a_failures_list_of_methods_has_a_bound(void)
{
    char list[4200];
    memset(list, 'm', sizeof list);
    for (size_t i = 60; i < sizeof list; i += 60)
        list[i] = ',';
    for (size_t n = 4096; n <= 4097; n++) {
        struct rig r;
        list[n] = '\0';
        to_none(&r);
        enum err e = rig_feed(&r, msg_failure(list, false));
        CU_ASSERT_EQUAL(e, n == 4096 ? ERR_OK : ERR_LIMIT);
        list[n] = 'm';
        rig_free(&r);
    }
}

static void the_21st_partial_success_ends_it(void)
{
    struct rig r;
    ready(&r);
    for (unsigned i = 1; i <= 21; i++) {
        auth_none(r.a);
        CU_ASSERT_EQUAL(rig_feed(&r, msg_failure("none", true)), i <= 20 ? ERR_OK : ERR_LIMIT);
        CU_ASSERT_EQUAL(rig_event(&r, TRANSPORT_AUTH_FAILURE, NULL), i <= 20);
    }
    rig_free(&r);
}

static void fail_once(struct rig *r, bool partial)
{
    auth_none(r->a);
    CU_ASSERT_EQUAL(rig_feed(r, msg_failure("none", partial)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(r, TRANSPORT_AUTH_FAILURE, NULL));
}

static void plain_failures_are_not_counted_as_partial(void)
{
    struct rig r;
    ready(&r);
    for (unsigned i = 1; i <= 20; i++)
        fail_once(&r, false);
    for (unsigned i = 1; i <= 20; i++)
        fail_once(&r, true);
    fail_once(&r, false);
    rig_free(&r);
}

static void banners_come_any_time_up_to_a_bound_and_change_nothing(void)
{
    struct rig r;
    struct transport_event e;
    to_query(&r);
    for (unsigned i = 1; i <= 32; i++) {
        CU_ASSERT_EQUAL(rig_feed(&r, msg_banner("welcome\n")), ERR_OK);
        CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_BANNER, &e));
        CU_ASSERT_TRUE(bytes_is(e.text, "welcome\n"));
    }
    CU_ASSERT_EQUAL(rig_feed(&r, msg_pk_ok(ALG, KEY)), ERR_OK); /* still the query's reply */
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_SIGN, &e));
    CU_ASSERT_EQUAL(rig_feed(&r, msg_banner("welcome\n")), ERR_LIMIT);
    rig_free(&r);
}

/* ---- the contract with the transport ----------------------------------------------------------
 */

static void a_packet_before_the_event_was_taken_is_our_own_mistake(void)
{
    struct rig r;
    to_none(&r);
    CU_ASSERT_FALSE(auth_waiting(r.a));
    CU_ASSERT_EQUAL(rig_feed(&r, msg_banner("hello")), ERR_OK);
    CU_ASSERT_TRUE(auth_waiting(r.a));
    CU_ASSERT_EQUAL(rig_feed(&r, msg_banner("hello")), ERR_INTERNAL);
    rig_free(&r);
}

static void after_a_fault_nothing_more_happens(void)
{
    struct rig r;
    ready(&r);
    (void)fault_set(&r.fault, ERR_IO, "the transport's own");
    size_t n_sent = r.n_sent;
    CU_ASSERT_EQUAL(rig_feed(&r, msg_banner("hello")), ERR_IO);
    for (const char *kind = "npkqscad"; *kind != '\0'; kind++)
        call(&r, *kind);
    auth_begin(r.a, rig_session_id, rig_host_key);
    CU_ASSERT_EQUAL(r.n_sent, n_sent);
    CU_ASSERT_TRUE(r.fault.code == ERR_IO && !auth_done(r.a));
    struct transport_event e;
    CU_ASSERT_FALSE(auth_next(r.a, &e));
    rig_free(&r);
}

static void a_sink_without_room_ends_it_and_changes_no_state(void)
{
    for (const char *kind = "npkq"; *kind != '\0'; kind++) {
        struct rig r;
        ready(&r);
        r.no_slots = true;
        call(&r, *kind);
        CU_ASSERT_EQUAL(r.fault.code, ERR_INTERNAL);
        rig_free(&r);
    }
}

static void it_is_begun_once_and_hears_nothing_before(void)
{
    struct rig r;
    ready(&r);
    auth_begin(r.a, rig_session_id, rig_host_key);
    CU_ASSERT_EQUAL(r.fault.code, ERR_INTERNAL);
    rig_free(&r);

    struct fault fault = {0};
    struct auth *a =
        auth_new(&(struct auth_config){.role = ROLE_CLIENT, .user = "ada", .fault = &fault});
    CU_ASSERT_PTR_NOT_NULL_FATAL(a);
    CU_ASSERT_EQUAL(auth_packet(a, msg_banner("hello")), ERR_INTERNAL);
    auth_free(a);
    auth_free(NULL);
}

static const struct unit_test tests[] = {
    UNIT(only_replies_that_were_asked_for_are_taken),
    UNIT(a_call_out_of_turn_is_our_own_mistake_and_sends_nothing),
    UNIT(success_without_a_request_is_a_protocol_error_in_clear_words),
    UNIT(numbers_that_are_not_a_servers_are_refused_in_every_state),
    UNIT(replies_have_their_exact_length),
    UNIT(the_first_message_asks_for_the_service),
    UNIT(user_names_with_control_characters_are_refused_at_the_door),
    UNIT(user_names_have_a_bound),
    UNIT(none_is_sent_and_may_succeed),
    UNIT(a_failure_names_the_methods_and_another_may_be_tried),
    UNIT(a_failures_list_of_methods_has_a_bound),
    UNIT(the_21st_partial_success_ends_it),
    UNIT(plain_failures_are_not_counted_as_partial),
    UNIT(banners_come_any_time_up_to_a_bound_and_change_nothing),
    UNIT(a_packet_before_the_event_was_taken_is_our_own_mistake),
    UNIT(after_a_fault_nothing_more_happens),
    UNIT(a_sink_without_room_ends_it_and_changes_no_state),
    UNIT(it_is_begun_once_and_hears_nothing_before),
};
UNIT_MAIN("auth_client", tests)
