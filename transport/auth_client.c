/* The client's half of user authentication.
 *
 * Whose turn it is follows from state alone: our caller's (IDLE, SIGNING, NEW_PASSWORD, ANSWERING),
 * when one call moves it on, or the server's (NONE, QUERY, SIGNED, PASSWORD, INTERACTIVE), when one
 * reply does. A reply in our caller's turn was not asked for, and ends the connection: above all a
 * SUCCESS (libssh CVE-2018-10933 is the same mistake in the other role). */
#include "transport/auth_internal.h"

#include <string.h>

static bool awaits_reply(const struct auth *a)
{
    static const bool server_turn[] = {
        [AC_NONE] = true,
        [AC_QUERY] = true,
        [AC_SIGNED] = true,
        [AC_PASSWORD] = true,
        [AC_INTERACTIVE] = true,
        [AC_DONE] = false,
    };
    return server_turn[a->client.state];
}

/* ---- sending --------------------------------------------------------------------------------- */

/* Is call, which is made in state want only, in order now? */
static bool may_call(struct auth *a, enum auth_client_state want, const char *call)
{
    if (a->fault->code != ERR_OK)
        return false;
    if (a->role == ROLE_CLIENT && a->client.state == want && !a->has_event)
        return true;
    (void)fault_set(a->fault, ERR_INTERNAL, "user authentication: %s out of turn", call);
    return false;
}

static void send_and_await(struct auth *a, struct wire_writer *w, enum auth_client_state next)
{
    if (auth_send(a, w) == ERR_OK)
        a->client.state = next;
}

/* Opens a USERAUTH_REQUEST: the head is written, the method's fields (n_strings) are to follow. */
static bool open_request(
    struct auth *a, const char *method, size_t n_strings, struct wire_writer *w)
{
    if (n_strings > AUTH_MESSAGE_MAX) /* so that the sum below holds */
        n_strings = AUTH_MESSAGE_MAX;
    if (!auth_open(a, a->user.n + n_strings, w))
        return false;
    struct msg_userauth_request head = {
        .user = auth_bytes(&a->user),
        .service = BYTES_LIT(AUTH_NEXT_SERVICE),
        .method = bytes_of(method),
    };
    msg_userauth_request_encode(w, &head);
    return true;
}

void auth_client_begin(struct auth *a)
{
    if (!auth_user_is_clean(auth_bytes(&a->user))) {
        char user[AUTH_QUOTE_MAX];
        (void)fault_set(a->fault, ERR_INTERNAL,
            "user name \"%s\": expected 1 to %d bytes and no control characters",
            auth_quote(user, auth_bytes(&a->user)), AUTH_USER_MAX);
        return;
    }
    struct wire_writer w;
    if (!auth_open(a, 0, &w))
        return;
    struct msg_service m = {.name = BYTES_LIT(AUTH_SERVICE)};
    msg_service_encode(&w, MSG_SERVICE_REQUEST, &m);
    send_and_await(a, &w, AC_SERVICE);
}

void auth_none(struct auth *a)
{
    struct wire_writer w;
    if (may_call(a, AC_IDLE, "none") && open_request(a, "none", 0, &w))
        send_and_await(a, &w, AC_NONE);
}

/* What our side cannot go on with counts as a failure of the method, without the server being
 * told: to it, a query that no signature follows is over. Before the first FAILURE all we know of
 * the server's methods is the one we are in. */
static void fail_locally(struct auth *a)
{
    struct bytes methods = auth_bytes(&a->client.methods);
    a->client.state = AC_IDLE;
    (void)auth_emit(a, (struct transport_event){
                           .type = TRANSPORT_AUTH_FAILURE,
                           .text = methods.n > 0 ? methods : BYTES_LIT(AUTH_PUBLICKEY),
                       });
}

void auth_publickey(struct auth *a, struct bytes algorithm, struct bytes key)
{
    if (!may_call(a, AC_IDLE, "publickey"))
        return;
    if (algorithm.n > AUTH_ALGORITHM_MAX || key.n > KEY_BLOB_MAX) {
        fail_locally(a);
        return;
    }
    struct wire_writer w;
    if (auth_keep(a, &a->algorithm, algorithm) != ERR_OK || auth_keep(a, &a->key, key) != ERR_OK ||
        !open_request(a, AUTH_PUBLICKEY, algorithm.n + key.n, &w))
        return;
    struct msg_auth_publickey m = {
        .algorithm = auth_bytes(&a->algorithm), /* the argument may have been the old copy */
        .key = auth_bytes(&a->key),
    };
    msg_auth_publickey_encode(&w, false, &m);
    send_and_await(a, &w, AC_QUERY);
}

/* The signed bytes and the sent ones are the very same memory, so they cannot differ. */
void auth_signature(struct auth *a, struct bytes signature)
{
    if (!may_call(a, AC_SIGNING, "signature"))
        return;
    if (signature.n == 0 || signature.n > KEY_SIGNATURE_MAX) {
        auth_drop(&a->client.signing);
        fail_locally(a);
        return;
    }
    struct wire_reader signing = wire_reader(auth_bytes(&a->client.signing));
    (void)wire_string(&signing); /* the session id, which is signed and not sent */
    struct bytes request = wire_rest(&signing);
    struct wire_writer w;
    if (!auth_open(a, request.n + signature.n, &w))
        return;
    wire_put_raw(&w, request);
    wire_put_string(&w, signature);
    auth_drop(&a->client.signing);
    send_and_await(a, &w, AC_SIGNED);
}

/* RFC 4252 section 8. One message holds the whole password, so that no packet boundary tells its
 * length; the slot it is written to is the only copy, and commit encrypts that. */
static void send_password(struct auth *a, const struct msg_auth_password *m)
{
    struct wire_writer w;
    size_t n_old = m->password.n < AUTH_MESSAGE_MAX ? m->password.n : AUTH_MESSAGE_MAX;
    size_t n_new = m->new_password.n < AUTH_MESSAGE_MAX ? m->new_password.n : AUTH_MESSAGE_MAX;
    if (!open_request(a, "password", n_old + n_new, &w))
        return;
    msg_auth_password_encode(&w, m);
    send_and_await(a, &w, AC_PASSWORD);
}

void auth_password(struct auth *a, struct bytes password)
{
    if (!may_call(a, AC_IDLE, "password"))
        return;
    a->client.n_rounds = 0;
    send_password(a, &(struct msg_auth_password){.password = password});
}

void auth_new_password(struct auth *a, struct bytes old, struct bytes new_password)
{
    if (!may_call(a, AC_NEW_PASSWORD, "new password"))
        return;
    send_password(a, &(struct msg_auth_password){
                         .is_change = true, .password = old, .new_password = new_password});
}

/* RFC 4256 section 3.1: language tag and submethods stay empty; the server chooses. */
void auth_keyboard_interactive(struct auth *a)
{
    struct wire_writer w;
    if (!may_call(a, AC_IDLE, "keyboard-interactive") ||
        !open_request(a, "keyboard-interactive", 0, &w))
        return;
    a->client.n_rounds = 0;
    wire_put_cstring(&w, "");
    wire_put_cstring(&w, "");
    send_and_await(a, &w, AC_INTERACTIVE);
}

/* RFC 4256 section 3.4: one answer a prompt, also when there was none. */
void auth_answers(struct auth *a, const struct bytes *answers, size_t n)
{
    if (!may_call(a, AC_ANSWERING, "answers"))
        return;
    if (n != a->client.n_prompts) {
        (void)fault_set(a->fault, ERR_INTERNAL, "user authentication: %zu answers to %u prompts", n,
            (unsigned)a->client.n_prompts);
        return;
    }
    size_t n_strings = 0;
    for (size_t i = 0; i < n; i++)
        n_strings += 4 + (answers[i].n < AUTH_MESSAGE_MAX ? answers[i].n : AUTH_MESSAGE_MAX);
    struct wire_writer w;
    if (!auth_open(a, n_strings, &w))
        return;
    wire_put_u8(&w, MSG_USERAUTH_INFO_RESPONSE);
    wire_put_u32(&w, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        wire_put_string(&w, answers[i]);
    send_and_await(a, &w, AC_INTERACTIVE);
}

/* ---- receiving ------------------------------------------------------------------------------- */

static enum err malformed(struct auth *a, const char *message)
{
    return fault_set(a->fault, ERR_MALFORMED, "server sent a malformed %s", message);
}

static enum err not_asked_for(struct auth *a, const char *message)
{
    return fault_set(a->fault, ERR_PROTOCOL,
        "server sent %s when no authentication request was waiting for one", message);
}

static enum err on_service_accept(struct auth *a, struct wire_reader *r)
{
    struct msg_service m;
    if (msg_service_decode(r, &m) != ERR_OK)
        return malformed(a, "SERVICE_ACCEPT");
    if (a->client.state != AC_SERVICE)
        return not_asked_for(a, "SERVICE_ACCEPT");
    if (!bytes_is(m.name, AUTH_SERVICE)) {
        char name[AUTH_QUOTE_MAX];
        return fault_set(a->fault, ERR_PROTOCOL,
            "server accepted service \"%s\" when asked for \"" AUTH_SERVICE "\"",
            auth_quote(name, m.name));
    }
    a->client.state = AC_IDLE;
    return auth_emit(a, (struct transport_event){.type = TRANSPORT_AUTH_READY});
}

/* RFC 4252 section 5.1. A partial success is a factor that was good with more of them wanted. */
static enum err on_failure(struct auth *a, struct wire_reader *r)
{
    struct auth_client *c = &a->client;
    struct msg_userauth_failure m;
    if (msg_userauth_failure_decode(r, &m) != ERR_OK)
        return malformed(a, "USERAUTH_FAILURE");
    if (!awaits_reply(a))
        return not_asked_for(a, "USERAUTH_FAILURE");
    if (m.methods.n > AUTH_METHODS_MAX)
        return fault_set(a->fault, ERR_LIMIT,
            "server's list of authentication methods has %zu bytes, more than %d", m.methods.n,
            AUTH_METHODS_MAX);
    if (m.partial_success && c->n_partials == AUTH_PARTIALS_MAX)
        return fault_set(a->fault, ERR_LIMIT,
            "server asked for yet another factor after %d partial successes", AUTH_PARTIALS_MAX);
    if (auth_keep(a, &c->methods, m.methods) != ERR_OK)
        return a->fault->code;

    c->n_partials += m.partial_success ? 1 : 0;
    c->state = AC_IDLE;
    return auth_emit(a, (struct transport_event){
                            .type = TRANSPORT_AUTH_FAILURE,
                            .text = auth_bytes(&c->methods),
                            .partial = m.partial_success,
                        });
}

/* Also good after none, or in place of PK_OK: our caller knows what it was asked for. */
static enum err on_success(struct auth *a, struct wire_reader *r)
{
    if (!wire_done(r))
        return malformed(a, "USERAUTH_SUCCESS");
    if (!awaits_reply(a))
        return not_asked_for(a, "USERAUTH_SUCCESS");
    a->client.state = AC_DONE;
    return auth_emit(a, (struct transport_event){.type = TRANSPORT_AUTH_SUCCESS});
}

/* RFC 4252 section 5.4: at any time once authentication started and before it succeeded. */
static enum err on_banner(struct auth *a, struct wire_reader *r)
{
    struct auth_client *c = &a->client;
    struct msg_userauth_banner m;
    if (msg_userauth_banner_decode(r, &m) != ERR_OK)
        return malformed(a, "USERAUTH_BANNER");
    if (c->state <= AC_SERVICE || c->state == AC_DONE)
        return fault_set(a->fault, ERR_PROTOCOL, "server sent USERAUTH_BANNER outside the login");
    if (c->n_banners == AUTH_BANNERS_MAX)
        return fault_set(a->fault, ERR_LIMIT, "server sent more than %d banners", AUTH_BANNERS_MAX);
    c->n_banners++;
    return auth_emit(a, (struct transport_event){.type = TRANSPORT_AUTH_BANNER, .text = m.message});
}

/* ---- message 60, by the method in progress ----------------------------------------------------
 */

/* Only the key and the algorithm that were asked about are ever signed for: RFC 4252 section 7. */
static enum err on_pk_ok(struct auth *a, struct wire_reader *r)
{
    struct msg_userauth_pk_ok m;
    if (msg_userauth_pk_ok_decode(r, &m) != ERR_OK)
        return malformed(a, "USERAUTH_PK_OK");
    if (!bytes_equal(m.algorithm, auth_bytes(&a->algorithm))) {
        char theirs[AUTH_QUOTE_MAX], ours[AUTH_QUOTE_MAX];
        return fault_set(a->fault, ERR_PROTOCOL,
            "server wants a signature by \"%s\" when asked about \"%s\"",
            auth_quote(theirs, m.algorithm), auth_quote(ours, auth_bytes(&a->algorithm)));
    }
    if (!bytes_equal(m.key, auth_bytes(&a->key)))
        return fault_set(a->fault, ERR_PROTOCOL,
            "server wants a signature by another key than the one it was asked about");

    if (auth_signing_data(a, a->hostbound, &a->client.signing) != ERR_OK)
        return a->fault->code;
    a->client.state = AC_SIGNING;
    return auth_emit(a, (struct transport_event){
                            .type = TRANSPORT_AUTH_SIGN,
                            .key = auth_bytes(&a->key),
                            .algorithm = auth_bytes(&a->algorithm),
                            .data = auth_bytes(&a->client.signing),
                        });
}

/* A server may ask again and again, at each a person answers: an end is put to it. */
static enum err count_round(struct auth *a)
{
    if (a->client.n_rounds == AUTH_ROUNDS_MAX)
        return fault_set(a->fault, ERR_LIMIT,
            "server asked for more than %d answers in one authentication request", AUTH_ROUNDS_MAX);
    a->client.n_rounds++;
    return ERR_OK;
}

/* RFC 4252 section 8: the password has expired. */
static enum err on_changereq(struct auth *a, struct wire_reader *r)
{
    struct msg_passwd_changereq m;
    if (msg_passwd_changereq_decode(r, &m) != ERR_OK)
        return malformed(a, "USERAUTH_PASSWD_CHANGEREQ");
    if (count_round(a) != ERR_OK)
        return a->fault->code;
    a->client.state = AC_NEW_PASSWORD;
    return auth_emit(
        a, (struct transport_event){.type = TRANSPORT_AUTH_PASSWORD_CHANGE, .text = m.prompt});
}

/* RFC 4256 section 3.2. */
static enum err on_info_request(struct auth *a, struct wire_reader *r)
{
    struct msg_info_request m;
    if (msg_info_request_decode(r, &m) != ERR_OK)
        return malformed(a, "USERAUTH_INFO_REQUEST");
    if (m.n_prompts > AUTH_PROMPTS_MAX)
        return fault_set(a->fault, ERR_LIMIT, "server sent %u prompts at once, more than %d",
            (unsigned)m.n_prompts, AUTH_PROMPTS_MAX);
    if (count_round(a) != ERR_OK)
        return a->fault->code;
    a->client.n_prompts = m.n_prompts;
    a->client.state = AC_ANSWERING;
    return auth_emit(a, (struct transport_event){.type = TRANSPORT_AUTH_PROMPTS, .prompts = m});
}

static enum err on_60(struct auth *a, struct wire_reader *r)
{
    switch (a->client.state) {
    case AC_QUERY: return on_pk_ok(a, r);
    case AC_PASSWORD: return on_changereq(a, r);
    case AC_INTERACTIVE: return on_info_request(a, r);
    default: return not_asked_for(a, "message 60");
    }
}

const struct auth_handler auth_client_handlers[] = {
    {MSG_SERVICE_ACCEPT, on_service_accept},
    {MSG_USERAUTH_FAILURE, on_failure},
    {MSG_USERAUTH_SUCCESS, on_success},
    {MSG_USERAUTH_BANNER, on_banner},
    {MSG_USERAUTH_60, on_60},
    {0, NULL},
};
