/* The server's half of user authentication against hand-made clients, with real Ed25519 keys. */
#include <stdlib.h>
#include <string.h>

#include "crypto/key.h"
#include "tests/unit/crypto/sample_keys.h"
#include "tests/unit/transport/auth_rig.h"
#include "tests/unit/unit.h"

#define ALG       BYTES_LIT("ssh-ed25519")
#define NO_BYTES  ((struct bytes){NULL, 0})
#define HOSTBOUND "publickey-hostbound-v00@openssh.com"
#define FAILURE   BYTES_LIT("\x33\0\0\0\11publickey\0")
#define SUCCESS   BYTES_LIT("\x34")

static struct private_key *key_a, *key_b;

static struct private_key *make_key(uint64_t seed)
{
    struct rng rng = rng_fixed(seed);
    struct private_key *k = private_key_generate(&rng);
    if (k == NULL)
        abort();
    return k;
}

/* A server that accepted the service. */
static void ready(struct rig *r, unsigned max_tries)
{
    rig_server(r, max_tries, NULL);
    CU_ASSERT_EQUAL(rig_feed(r, msg_service_of(MSG_SERVICE_REQUEST, "ssh-userauth")), ERR_OK);
    CU_ASSERT_TRUE(bytes_equal(rig_take(r), BYTES_LIT("\6\0\0\0\14ssh-userauth")));
}

static void expect_reply(struct rig *r, struct bytes reply)
{
    CU_ASSERT_TRUE(bytes_equal(rig_take(r), reply));
    CU_ASSERT_TRUE(rig_quiet(r));
}

/* ---- requests, put together here and not by the code under test -------------------------------
 */

/* All that a signed request is made of; signed_* differ from what is sent in attacks only. */
struct login {
    const char *user, *method;
    struct bytes algorithm, key, host_key;
    const struct private_key *signer;
    struct bytes session_id;
    const char *signed_user, *signed_method;
    struct bytes signed_key;
    size_t flip; /* the signature blob's byte to flip, from 1; 0: none */
};

static struct login login_of(const char *user, const struct private_key *k)
{
    return (struct login){
        .user = user,
        .method = "publickey",
        .algorithm = ALG,
        .key = private_key_blob(k),
        .host_key = rig_host_key,
        .signer = k,
        .session_id = rig_session_id,
        .signed_user = user,
        .signed_method = "publickey",
        .signed_key = private_key_blob(k),
    };
}

static void put_fields(
    struct wire_writer *w, const char *method, const struct login *l, struct bytes key)
{
    wire_put_bool(w, true);
    wire_put_string(w, l->algorithm);
    wire_put_string(w, key);
    if (strcmp(method, HOSTBOUND) == 0)
        wire_put_string(w, l->host_key);
}

static struct bytes signed_request(const struct login *l)
{
    uint8_t data[2048], fields[2048], signature[KEY_SIGNATURE_MAX];
    struct wire_writer d = wire_writer(data, sizeof data), f = wire_writer(fields, sizeof fields);
    wire_put_string(&d, l->session_id);
    wire_put_u8(&d, 50);
    wire_put_cstring(&d, l->signed_user);
    wire_put_cstring(&d, "ssh-connection");
    wire_put_cstring(&d, l->signed_method);
    put_fields(&d, l->signed_method, l, l->signed_key);
    size_t n = 0;
    if (private_key_sign(l->signer, ALG, wire_written(&d), signature, &n) != ERR_OK)
        abort();
    if (l->flip > 0 && l->flip <= n)
        signature[l->flip - 1] ^= 1;
    put_fields(&f, l->method, l, l->key);
    wire_put_string(&f, (struct bytes){signature, n});
    return msg_request(l->user, l->method, wire_written(&f));
}

static struct bytes query_at(const char *user, const char *method, struct bytes algorithm,
    struct bytes key, struct bytes host_key)
{
    uint8_t fields[16384];
    struct wire_writer f = wire_writer(fields, sizeof fields);
    wire_put_bool(&f, false);
    wire_put_string(&f, algorithm);
    wire_put_string(&f, key);
    if (strcmp(method, HOSTBOUND) == 0)
        wire_put_string(&f, host_key);
    return msg_request(user, method, wire_written(&f));
}

static struct bytes query_for(
    const char *user, const char *method, struct bytes algorithm, struct bytes key)
{
    return query_at(user, method, algorithm, key, rig_host_key);
}

static struct bytes query(const char *user, const struct private_key *k)
{
    return query_for(user, "publickey", ALG, private_key_blob(k));
}

/* ---- the service ------------------------------------------------------------------------------
 */

static void only_the_authentication_service_is_given(void)
{
    static const char *const names[] = {"ssh-connection", "", "ssh-userauth2", "ssh\n"};
    for (size_t i = 0; i < 4; i++) {
        struct rig r;
        rig_server(&r, 0, NULL);
        CU_ASSERT_EQUAL(rig_feed(&r, msg_service_of(MSG_SERVICE_REQUEST, names[i])), ERR_PROTOCOL);
        CU_ASSERT_PTR_NULL(strchr(r.fault.text, '\n'));
        CU_ASSERT_TRUE(rig_quiet(&r));
        rig_free(&r);
    }
}

static void the_service_may_be_asked_for_before_each_try_but_not_for_ever(void)
{
    struct rig r;
    ready(&r, 3);
    for (unsigned i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(rig_feed(&r, msg_service_of(MSG_SERVICE_REQUEST, "ssh-userauth")), ERR_OK);
    CU_ASSERT_EQUAL(
        rig_feed(&r, msg_service_of(MSG_SERVICE_REQUEST, "ssh-userauth")), ERR_PROTOCOL);
    rig_free(&r);
}

static void a_request_before_the_service_is_a_protocol_error(void)
{
    struct rig r;
    rig_server(&r, 0, NULL);
    CU_ASSERT_EQUAL(rig_feed(&r, msg_request("ada", "none", NO_BYTES)), ERR_PROTOCOL);
    rig_free(&r);
}

static void a_login_for_another_service_ends_the_connection(void)
{
    static const char *const names[] = {"ssh-userauth", "", "ssh-connectio", "x\x1b"};
    for (size_t i = 0; i < 4; i++) {
        struct rig r;
        ready(&r, 0);
        enum err e = rig_feed(&r, msg_request_for("ada", names[i], "none", NO_BYTES));
        CU_ASSERT_EQUAL(e, ERR_PROTOCOL);
        CU_ASSERT_PTR_NULL(strchr(r.fault.text, '\x1b'));
        CU_ASSERT_TRUE(rig_quiet(&r));
        rig_free(&r);
    }
}

/* ---- what is not offered ----------------------------------------------------------------------
 */

static void none_tells_that_keys_are_wanted(void)
{
    struct rig r;
    ready(&r, 0);
    CU_ASSERT_EQUAL(rig_feed(&r, msg_request("ada", "none", NO_BYTES)), ERR_OK);
    expect_reply(&r, FAILURE);
    CU_ASSERT_EQUAL(rig_feed(&r, msg_request("ada", "none", BYTES_LIT("x"))), ERR_MALFORMED);
    rig_free(&r);
}

/* Passwords too: of 1025 bytes, of 30000, and fields that no decoder would take. */
static void other_methods_fail_unread(void)
{
    static uint8_t long_password[30005] = {0, 0, 0, 0x75, 0x30};
    static uint8_t password[1030] = {0, 0, 0, 4, 1};
    const struct {
        const char *method;
        struct bytes rest;
    } cases[] = {{"password", {password, sizeof password}},
        {"password", {long_password, sizeof long_password}}, {"password", BYTES_LIT("\xff")},
        {"keyboard-interactive", NO_BYTES}, {"hostbased", BYTES_LIT("\xff\xff")}, {"", NO_BYTES},
        {"publickey2", NO_BYTES}, {"Publickey", NO_BYTES}, {"publickey\n", NO_BYTES}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig r;
        ready(&r, 1);
        CU_ASSERT_EQUAL(rig_feed(&r, msg_request("ada", cases[i].method, cases[i].rest)), ERR_OK);
        expect_reply(&r, FAILURE);
        CU_ASSERT_EQUAL(rig_feed(&r, msg_request("ada", "none", NO_BYTES)), ERR_AUTH); /* counted */
        rig_free(&r);
    }
}

/* ---- queries ----------------------------------------------------------------------------------
 */

static void a_query_is_decided_by_policy(void)
{
    for (int accept = 0; accept < 2; accept++) {
        struct rig r;
        struct transport_event e;
        ready(&r, 0);
        CU_ASSERT_EQUAL(rig_feed(&r, query("ada", key_a)), ERR_OK);
        CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_KEY, &e));
        CU_ASSERT_TRUE(bytes_is(e.user, "ada"));
        CU_ASSERT_TRUE(bytes_equal(e.key, private_key_blob(key_a)));
        CU_ASSERT_TRUE(bytes_equal(e.algorithm, ALG));
        CU_ASSERT_FALSE(e.verified);
        CU_ASSERT_TRUE(rig_quiet(&r));
        auth_decide(r.a, accept);
        expect_reply(&r, accept ? msg_pk_ok(ALG, private_key_blob(key_a)) : FAILURE);
        CU_ASSERT_FALSE(auth_done(r.a));
        rig_free(&r);
    }
}

static void an_accepted_query_alone_lets_nobody_in(void)
{
    struct rig r;
    ready(&r, 0);
    CU_ASSERT_EQUAL(rig_feed(&r, query("ada", key_a)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_KEY, NULL));
    auth_decide(r.a, true);
    (void)rig_take(&r);
    CU_ASSERT_EQUAL(rig_feed(&r, msg_request("ada", "none", NO_BYTES)), ERR_OK);
    expect_reply(&r, FAILURE);
    rig_free(&r);
}

static void keys_and_algorithms_that_do_not_fit_fail_without_a_question(void)
{
    static const uint8_t huge[KEY_BLOB_MAX + 1];
    uint8_t rsa[KEY_BLOB_MAX];
    size_t rsa_n;
    struct bytes key = private_key_blob(key_a);
    CU_ASSERT_EQUAL(
        key_from_base64(BYTES_LIT("ssh-rsa"), bytes_of(sample_rsa_public), rsa, sizeof rsa, &rsa_n),
        ERR_OK);
    const struct {
        struct bytes algorithm, key;
    } cases[] = {{BYTES_LIT("rsa-sha2-512"), key}, {BYTES_LIT("ssh-rsa"), key},
        {BYTES_LIT("ssh-rsa"), {rsa, rsa_n}}, /* with SHA-1 */
        {BYTES_LIT("ssh-ed25519-cert-v01@openssh.com"), key}, {BYTES_LIT("ssh-ed2551"), key},
        {NO_BYTES, key}, {ALG, NO_BYTES}, {ALG, {key.p, key.n - 1}},
        {ALG, BYTES_LIT("\0\0\0\7ssh-dss")}, {ALG, {huge, sizeof huge}}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig r;
        ready(&r, 0);
        enum err e = rig_feed(&r, query_for("ada", "publickey", cases[i].algorithm, cases[i].key));
        CU_ASSERT_EQUAL(e, ERR_OK);
        expect_reply(&r, FAILURE);
        CU_ASSERT_FALSE(auth_waiting(r.a));
        rig_free(&r);
    }
}

/* ---- signatures -------------------------------------------------------------------------------
 */

static void a_good_signature_is_decided_and_then_logs_in(void)
{
    for (int accept = 0; accept < 2; accept++) {
        struct rig r;
        struct transport_event e;
        struct login l = login_of("ada", key_a);
        ready(&r, 0);
        CU_ASSERT_EQUAL(rig_feed(&r, signed_request(&l)), ERR_OK);
        CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_KEY, &e));
        CU_ASSERT_TRUE(e.verified);
        CU_ASSERT_TRUE(bytes_is(e.user, "ada"));
        CU_ASSERT_TRUE(bytes_equal(e.key, private_key_blob(key_a)));
        CU_ASSERT_FALSE(auth_done(r.a));
        auth_decide(r.a, accept);
        CU_ASSERT_TRUE(bytes_equal(rig_take(&r), accept ? SUCCESS : FAILURE));
        CU_ASSERT_EQUAL(auth_done(r.a), accept);
        CU_ASSERT_EQUAL(rig_event(&r, TRANSPORT_AUTH_SUCCESS, &e), accept);
        CU_ASSERT_TRUE(!accept || bytes_equal(e.key, private_key_blob(key_a)));
        CU_ASSERT_TRUE(rig_quiet(&r));
        rig_free(&r);
    }
}

/* A refused signature gets FAILURE, policy is never asked. */
static void expect_no_question(const struct login *l)
{
    struct rig r;
    ready(&r, 0);
    CU_ASSERT_EQUAL(rig_feed(&r, signed_request(l)), ERR_OK);
    expect_reply(&r, FAILURE);
    CU_ASSERT_FALSE(auth_waiting(r.a));
    rig_free(&r);
}

static void a_signature_over_anything_else_fails_without_a_question(void)
{
    struct login l = login_of("ada", key_a);
    l.session_id = BYTES_LIT("0123456789abcdef0123456789abcdeF");
    expect_no_question(&l);
    l = login_of("ada", key_a);
    l.signed_user = "bob";
    expect_no_question(&l);
    l = login_of("ada", key_a);
    l.signed_method = HOSTBOUND;
    expect_no_question(&l);
    l = login_of("ada", key_a);
    l.signed_key = private_key_blob(key_b);
    expect_no_question(&l);
    l = login_of("ada", key_a);
    l.signer = key_b;
    expect_no_question(&l);
    l = login_of("ada", key_a);
    l.key = private_key_blob(key_b);
    expect_no_question(&l);
}

static void every_flipped_byte_of_a_signature_blob_fails(void)
{
    struct login l = login_of("ada", key_a);
    for (l.flip = 1; l.flip <= 4 + 11 + 4 + 64; l.flip++)
        expect_no_question(&l);
}

static void the_host_bound_form_wants_our_own_host_key(void)
{
    struct rig r;
    struct transport_event e;
    struct login l = login_of("ada", key_a);
    l.method = l.signed_method = HOSTBOUND;
    ready(&r, 0);
    CU_ASSERT_EQUAL(rig_feed(&r, signed_request(&l)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_KEY, &e) && e.verified);
    rig_free(&r);
    l.host_key = BYTES_LIT("the server's own key bloB");
    expect_no_question(&l);
    l.host_key = NO_BYTES;
    expect_no_question(&l);
    l.host_key = rig_host_key;
    l.signed_method = "publickey";
    expect_no_question(&l);

    ready(&r, 0);
    CU_ASSERT_EQUAL(
        rig_feed(&r, query_for("ada", HOSTBOUND, ALG, private_key_blob(key_a))), ERR_OK);
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_KEY, &e) && !e.verified);
    rig_free(&r);
    ready(&r, 0);
    struct bytes elsewhere = query_at(
        "ada", HOSTBOUND, ALG, private_key_blob(key_a), BYTES_LIT("another server's key blob"));
    CU_ASSERT_EQUAL(rig_feed(&r, elsewhere), ERR_OK);
    expect_reply(&r, FAILURE);
    rig_free(&r);
}

/* CVE-2024-45337: what was said of one key or user is never used for another. */
static void the_question_before_success_is_about_the_key_that_signed(void)
{
    struct rig r;
    struct transport_event e;
    struct login l = login_of("bob", key_b);
    ready(&r, 0);
    CU_ASSERT_EQUAL(rig_feed(&r, query("ada", key_a)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_KEY, NULL));
    auth_decide(r.a, true);
    CU_ASSERT_EQUAL(rig_feed(&r, signed_request(&l)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_KEY, &e));
    CU_ASSERT_TRUE(e.verified);
    CU_ASSERT_TRUE(bytes_is(e.user, "bob"));
    CU_ASSERT_TRUE(bytes_equal(e.key, private_key_blob(key_b)));
    auth_decide(r.a, true);
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_SUCCESS, &e));
    CU_ASSERT_TRUE(bytes_is(e.user, "bob"));
    CU_ASSERT_TRUE(bytes_equal(e.key, private_key_blob(key_b)));
    rig_free(&r);
}

static void a_yes_to_a_query_after_a_refused_signature_is_no_login(void)
{
    struct rig r;
    struct transport_event e;
    struct login l = login_of("ada", key_a);
    ready(&r, 0);
    CU_ASSERT_EQUAL(rig_feed(&r, signed_request(&l)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_KEY, &e) && e.verified);
    auth_decide(r.a, false);
    expect_reply(&r, FAILURE);
    CU_ASSERT_EQUAL(rig_feed(&r, query("ada", key_b)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_KEY, &e) && !e.verified);
    auth_decide(r.a, true);
    expect_reply(&r, msg_pk_ok(ALG, private_key_blob(key_b)));
    CU_ASSERT_FALSE(auth_done(r.a));
    rig_free(&r);
}

/* ---- users, tries, banner ---------------------------------------------------------------------
 */

static void a_forged_user_name_is_answered_like_an_unknown_one(void)
{
    static const char *const users[] = {"", "ada\nroot", "\x1b[2J", "\x7f", "a\xc2\x85z"};
    for (size_t i = 0; i < 5; i++) {
        struct rig r;
        ready(&r, 1);
        CU_ASSERT_EQUAL(rig_feed(&r, query(users[i], key_a)), ERR_OK);
        expect_reply(&r, FAILURE);
        CU_ASSERT_EQUAL(rig_feed(&r, query(users[i], key_a)), ERR_AUTH);
        CU_ASSERT_PTR_NULL(strpbrk(r.fault.text, "\n\x1b\x7f"));
        rig_free(&r);
    }
}

static void a_user_name_has_a_bound(void)
{
    char user[1026];
    memset(user, 'u', sizeof user);
    for (size_t n = 1024; n <= 1025; n++) {
        struct rig r;
        user[n] = '\0';
        ready(&r, 0);
        CU_ASSERT_EQUAL(rig_feed(&r, query(user, key_a)), ERR_OK);
        CU_ASSERT_EQUAL(rig_event(&r, TRANSPORT_AUTH_KEY, NULL), n == 1024);
        user[n] = 'u';
        rig_free(&r);
    }
}

static void every_request_counts_whatever_it_is_and_whoever_it_names(void)
{
    struct rig r;
    struct login bad = login_of("ada", key_a);
    bad.flip = 70;
    ready(&r, 4);
    CU_ASSERT_EQUAL(rig_feed(&r, msg_request("ada", "none", NO_BYTES)), ERR_OK);
    CU_ASSERT_EQUAL(rig_feed(&r, query("bob", key_a)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_KEY, NULL));
    auth_decide(r.a, true);
    CU_ASSERT_EQUAL(rig_feed(&r, signed_request(&bad)), ERR_OK);
    CU_ASSERT_EQUAL(rig_feed(&r, msg_request("eve", "nothing", NO_BYTES)), ERR_OK);
    CU_ASSERT_EQUAL(rig_feed(&r, msg_request("eve", "none", NO_BYTES)), ERR_AUTH);
    CU_ASSERT_PTR_NOT_NULL(strstr(r.fault.text, "too many authentication failures for \"eve\""));
    CU_ASSERT_EQUAL(err_disconnect_reason(r.fault.code), 14);
    CU_ASSERT_EQUAL(r.n_sent, 5);
    rig_free(&r);
}

static void six_requests_are_the_default(void)
{
    struct rig r;
    ready(&r, 0);
    for (unsigned i = 1; i <= 7; i++)
        CU_ASSERT_EQUAL(
            rig_feed(&r, msg_request("ada", "none", NO_BYTES)), i <= 6 ? ERR_OK : ERR_AUTH);
    rig_free(&r);
}

static void the_last_try_may_still_log_in(void)
{
    struct rig r;
    struct login l = login_of("ada", key_a);
    ready(&r, 1);
    CU_ASSERT_EQUAL(rig_feed(&r, signed_request(&l)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_KEY, NULL));
    auth_decide(r.a, true);
    CU_ASSERT_TRUE(auth_done(r.a));
    rig_free(&r);
}

static void the_banner_is_shown_once_before_the_first_reply(void)
{
    struct rig r;
    rig_server(&r, 0, "keep out\r\n");
    CU_ASSERT_EQUAL(rig_feed(&r, msg_service_of(MSG_SERVICE_REQUEST, "ssh-userauth")), ERR_OK);
    (void)rig_take(&r);
    CU_ASSERT_TRUE(rig_quiet(&r));
    for (unsigned i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(rig_feed(&r, msg_request("ada", "none", NO_BYTES)), ERR_OK);
        if (i == 0)
            CU_ASSERT_TRUE(
                bytes_equal(rig_take(&r), BYTES_LIT("\x35\0\0\0\12keep out\r\n\0\0\0\0")));
        expect_reply(&r, FAILURE);
    }
    rig_free(&r);
}

/* ---- order ------------------------------------------------------------------------------------
 */

static void nothing_is_taken_while_a_decision_is_owed(void)
{
    struct rig r;
    ready(&r, 0);
    CU_ASSERT_FALSE(auth_waiting(r.a));
    CU_ASSERT_EQUAL(rig_feed(&r, query("ada", key_a)), ERR_OK);
    CU_ASSERT_TRUE(auth_waiting(r.a));
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_KEY, NULL));
    CU_ASSERT_TRUE(auth_waiting(r.a));
    auth_decide(r.a, true);
    CU_ASSERT_FALSE(auth_waiting(r.a));
    CU_ASSERT_EQUAL(rig_feed(&r, query("ada", key_a)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_KEY, NULL));
    CU_ASSERT_EQUAL(rig_feed(&r, msg_request("ada", "none", NO_BYTES)), ERR_INTERNAL);
    rig_free(&r);
}

static void a_decision_out_of_turn_is_our_own_mistake(void)
{
    struct rig r;
    ready(&r, 0);
    auth_decide(r.a, true);
    CU_ASSERT_EQUAL(r.fault.code, ERR_INTERNAL);
    CU_ASSERT_FALSE(auth_done(r.a));
    rig_free(&r);
    ready(&r, 0);
    CU_ASSERT_EQUAL(rig_feed(&r, query("ada", key_a)), ERR_OK);
    auth_decide(r.a, true); /* the event was not even looked at */
    CU_ASSERT_EQUAL(r.fault.code, ERR_INTERNAL);
    rig_free(&r);
    ready(&r, 0);
    auth_none(r.a);
    CU_ASSERT_EQUAL(r.fault.code, ERR_INTERNAL);
    rig_free(&r);
}

static void log_in(struct rig *r)
{
    struct login l = login_of("ada", key_a);
    ready(r, 0);
    CU_ASSERT_EQUAL(rig_feed(r, signed_request(&l)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(r, TRANSPORT_AUTH_KEY, NULL));
    auth_decide(r->a, true);
    CU_ASSERT_TRUE(rig_event(r, TRANSPORT_AUTH_SUCCESS, NULL));
    (void)rig_take(r);
}

static void requests_after_success_are_ignored_in_silence(void)
{
    struct rig r;
    log_in(&r);
    for (unsigned i = 0; i < 20; i++) {
        CU_ASSERT_EQUAL(rig_feed(&r, msg_request("eve", "none", NO_BYTES)), ERR_OK);
        CU_ASSERT_EQUAL(rig_feed(&r, query("eve", key_b)), ERR_OK);
        CU_ASSERT_EQUAL(rig_feed(&r, msg_of(MSG_USERAUTH_REQUEST, NO_BYTES)), ERR_OK);
        CU_ASSERT_TRUE(rig_quiet(&r));
    }
    CU_ASSERT_EQUAL(
        rig_feed(&r, msg_service_of(MSG_SERVICE_REQUEST, "ssh-userauth")), ERR_PROTOCOL);
    rig_free(&r);
}

/* libssh CVE-2018-10933: a server must not take SUCCESS, or anything else of a server's. */
static void numbers_that_are_not_a_clients_are_refused(void)
{
    for (unsigned number = 0; number < 256; number++)
        for (unsigned done = 0; done < 2; done++) {
            struct rig r;
            if (number == MSG_SERVICE_REQUEST || number == MSG_USERAUTH_REQUEST)
                continue;
            if (done)
                log_in(&r);
            else
                ready(&r, 0);
            CU_ASSERT_EQUAL(rig_feed(&r, msg_of((uint8_t)number, NO_BYTES)), ERR_PROTOCOL);
            CU_ASSERT_EQUAL(auth_done(r.a), done);
            CU_ASSERT_TRUE(rig_quiet(&r));
            rig_free(&r);
        }
}

static void a_signed_request_has_its_exact_length(void)
{
    struct login l = login_of("ada", key_a);
    struct bytes good = signed_request(&l);
    uint8_t copy[512] = {0};
    memcpy(copy, good.p, good.n);
    for (size_t n = 0; n <= good.n + 1; n++) {
        struct rig r;
        ready(&r, 0);
        enum err e = rig_feed(&r, (struct bytes){copy, n});
        CU_ASSERT_EQUAL(e, n == good.n ? ERR_OK : ERR_MALFORMED);
        CU_ASSERT_EQUAL(rig_event(&r, TRANSPORT_AUTH_KEY, NULL), n == good.n);
        CU_ASSERT_TRUE(rig_quiet(&r));
        rig_free(&r);
    }
}

static void a_sink_without_room_logs_nobody_in(void)
{
    struct rig r;
    struct login l = login_of("ada", key_a);
    ready(&r, 0);
    CU_ASSERT_EQUAL(rig_feed(&r, signed_request(&l)), ERR_OK);
    CU_ASSERT_TRUE(rig_event(&r, TRANSPORT_AUTH_KEY, NULL));
    r.no_slots = true;
    auth_decide(r.a, true);
    CU_ASSERT_FALSE(auth_done(r.a));
    CU_ASSERT_EQUAL(r.fault.code, ERR_INTERNAL);
    rig_free(&r);
}

static const struct unit_test tests[] = {
    UNIT(only_the_authentication_service_is_given),
    UNIT(the_service_may_be_asked_for_before_each_try_but_not_for_ever),
    UNIT(a_request_before_the_service_is_a_protocol_error),
    UNIT(a_login_for_another_service_ends_the_connection),
    UNIT(none_tells_that_keys_are_wanted),
    UNIT(other_methods_fail_unread),
    UNIT(a_query_is_decided_by_policy),
    UNIT(an_accepted_query_alone_lets_nobody_in),
    UNIT(keys_and_algorithms_that_do_not_fit_fail_without_a_question),
    UNIT(a_good_signature_is_decided_and_then_logs_in),
    UNIT(a_signature_over_anything_else_fails_without_a_question),
    UNIT(every_flipped_byte_of_a_signature_blob_fails),
    UNIT(the_host_bound_form_wants_our_own_host_key),
    UNIT(the_question_before_success_is_about_the_key_that_signed),
    UNIT(a_yes_to_a_query_after_a_refused_signature_is_no_login),
    UNIT(a_forged_user_name_is_answered_like_an_unknown_one),
    UNIT(a_user_name_has_a_bound),
    UNIT(every_request_counts_whatever_it_is_and_whoever_it_names),
    UNIT(six_requests_are_the_default),
    UNIT(the_last_try_may_still_log_in),
    UNIT(the_banner_is_shown_once_before_the_first_reply),
    UNIT(nothing_is_taken_while_a_decision_is_owed),
    UNIT(a_decision_out_of_turn_is_our_own_mistake),
    UNIT(requests_after_success_are_ignored_in_silence),
    UNIT(numbers_that_are_not_a_clients_are_refused),
    UNIT(a_signed_request_has_its_exact_length),
    UNIT(a_sink_without_room_logs_nobody_in),
};

int main(void)
{
    if (!crypto_init())
        return 2;
    key_a = make_key(1);
    key_b = make_key(2);
    int status = unit_main("auth_server", tests, sizeof tests / sizeof tests[0]);
    private_key_free(key_a);
    private_key_free(key_b);
    return status;
}
