/* The client's half of user authentication against hand-made servers. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/transport/auth_rig.h"
#include "tests/unit/unit.h"

#define ALG      BYTES_LIT("ssh-ed25519")
#define KEY      BYTES_LIT("a public key blob")
#define NO_BYTES ((struct bytes){NULL, 0})

/* A client whose service was accepted and whose READY was taken. */
static void ready(struct rig *r)
{
    rig_client(r, "ada");
    (void)rig_take(r);
    CU_ASSERT_EQUAL(rig_feed(r, msg_service_of(MSG_SERVICE_ACCEPT, "ssh-userauth")), ERR_OK);
    CU_ASSERT_TRUE(rig_event(r, TRANSPORT_AUTH_READY, NULL));
}

/* ---- states: every one, and how to get there --------------------------------------------------
 */

static void to_none(struct rig *r)
{
    ready(r);
    auth_none(r->a);
}

static void to_query(struct rig *r)
{
    ready(r);
    auth_publickey(r->a, ALG, KEY);
}

static void to_signing(struct rig *r)
{
    to_query(r);
    CU_ASSERT_EQUAL(rig_feed(r, msg_pk_ok(ALG, KEY)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(r, TRANSPORT_AUTH_SIGN, NULL));
}

static void to_signed(struct rig *r)
{
    to_signing(r);
    auth_signature(r->a, BYTES_LIT("signature"));
}

static void to_password(struct rig *r)
{
    ready(r);
    auth_password(r->a, BYTES_LIT("secret"));
}

static void to_new_password(struct rig *r)
{
    to_password(r);
    CU_ASSERT_EQUAL(rig_feed(r, msg_changereq("expired")), ERR_OK);
    CU_ASSERT_TRUE(rig_event(r, TRANSPORT_AUTH_PASSWORD_CHANGE, NULL));
}

static void to_interactive(struct rig *r)
{
    ready(r);
    auth_keyboard_interactive(r->a);
}

static void to_answering(struct rig *r)
{
    to_interactive(r);
    CU_ASSERT_EQUAL(rig_feed(r, msg_prompts(1)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(r, TRANSPORT_AUTH_PROMPTS, NULL));
}

static void to_done(struct rig *r)
{
    to_none(r);
    CU_ASSERT_EQUAL(rig_feed(r, msg_of(MSG_USERAUTH_SUCCESS, NO_BYTES)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(r, TRANSPORT_AUTH_SUCCESS, NULL));
}

static void to_service(struct rig *r)
{
    rig_client(r, "ada");
}

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
    UNIT(a_packet_before_the_event_was_taken_is_our_own_mistake),
    UNIT(after_a_fault_nothing_more_happens),
    UNIT(a_sink_without_room_ends_it_and_changes_no_state),
    UNIT(it_is_begun_once_and_hears_nothing_before),
};
UNIT_MAIN("auth_client", tests)
