/* The server's half of user authentication: public keys, and nothing else.
 *
 * Every USERAUTH_REQUEST is one try, whatever becomes of it, and gets one reply; strictly in order,
 * since no further one is taken while auth_decide() is owed. Nothing a login rests on outlives its
 * request: a signature is verified over the user and key it came with, and the AUTH_KEY event for
 * exactly these is what auth_decide() answers. So no earlier query (Go CVE-2024-45337), and no
 * earlier user name, can lend it rights. */
#include "transport/auth_internal.h"

static enum err malformed(struct auth *a, const char *message)
{
    return fault_set(a->fault, ERR_MALFORMED, "client sent a malformed %s", message);
}

/* ---- replies --------------------------------------------------------------------------------- */

static enum err reply_failure(struct auth *a)
{
    struct wire_writer w;
    if (!auth_open(a, 0, &w))
        return a->fault->code;
    struct msg_userauth_failure m = {.methods = BYTES_LIT(AUTH_PUBLICKEY)};
    msg_userauth_failure_encode(&w, &m);
    return auth_send(a, &w);
}

static enum err reply_pk_ok(struct auth *a)
{
    struct wire_writer w;
    if (!auth_open(a, a->algorithm.n + a->key.n, &w))
        return a->fault->code;
    struct msg_userauth_pk_ok m = {
        .algorithm = auth_bytes(&a->algorithm),
        .key = auth_bytes(&a->key),
    };
    msg_userauth_pk_ok_encode(&w, &m);
    return auth_send(a, &w);
}

static enum err reply_success(struct auth *a)
{
    struct wire_writer w;
    if (!auth_open(a, 0, &w))
        return a->fault->code;
    wire_put_u8(&w, MSG_USERAUTH_SUCCESS);
    if (auth_send(a, &w) != ERR_OK)
        return a->fault->code;
    a->server.state = AS_DONE;
    return auth_emit(a, (struct transport_event){
                            .type = TRANSPORT_AUTH_SUCCESS,
                            .user = auth_bytes(&a->user),
                            .algorithm = auth_bytes(&a->algorithm),
                            .key = auth_bytes(&a->key),
                            .verified = true,
                        });
}

/* Once, before the first reply: RFC 4252 section 5.4. */
static enum err send_banner(struct auth *a)
{
    struct auth_copy *banner = &a->server.banner;
    struct wire_writer w;
    if (banner->n == 0)
        return ERR_OK;
    if (!auth_open(a, banner->n, &w))
        return a->fault->code;
    struct msg_userauth_banner m = {.message = auth_bytes(banner)};
    msg_userauth_banner_encode(&w, &m);
    auth_drop(banner);
    return auth_send(a, &w);
}

/* ---- the service ----------------------------------------------------------------------------- */

/* RFC 4253 section 10. Some clients (paramiko) ask again before each request; once a try is
 * patience enough. */
static enum err on_service_request(struct auth *a, struct wire_reader *r)
{
    struct auth_server *s = &a->server;
    struct msg_service m;
    if (msg_service_decode(r, &m) != ERR_OK)
        return malformed(a, "SERVICE_REQUEST");
    if (!bytes_is(m.name, AUTH_SERVICE)) {
        char name[AUTH_QUOTE_MAX];
        return fault_set(a->fault, ERR_PROTOCOL,
            "client asked for service \"%s\"; only \"" AUTH_SERVICE "\" is here before login",
            auth_quote(name, m.name));
    }
    if (s->state == AS_DONE || s->n_services > s->max_tries)
        return fault_set(a->fault, ERR_PROTOCOL, "client asked for service \"" AUTH_SERVICE "\" %s",
            s->state == AS_DONE ? "after it had logged in" : "over and over");

    struct wire_writer w;
    if (!auth_open(a, m.name.n, &w))
        return a->fault->code;
    msg_service_encode(&w, MSG_SERVICE_ACCEPT, &m);
    s->n_services++;
    s->state = AS_IDLE;
    return auth_send(a, &w);
}

/* ---- methods --------------------------------------------------------------------------------- */

/* Hands the key at hand to policy. */
static enum err ask(struct auth *a, bool verified)
{
    a->server.verified = verified;
    a->server.state = AS_DECIDING;
    return auth_emit(a, (struct transport_event){
                            .type = TRANSPORT_AUTH_KEY,
                            .user = auth_bytes(&a->user),
                            .algorithm = auth_bytes(&a->algorithm),
                            .key = auth_bytes(&a->key),
                            .verified = verified,
                            .facts = a->server.facts,
                        });
}

/* A key this program can check, an algorithm that suits it, and (host-bound form) our host key. */
static bool is_usable(const struct auth *a, bool hostbound, const struct msg_auth_publickey *m)
{
    const char *type = NULL;
    if (m->key.n > KEY_BLOB_MAX || key_check(m->key, &type) != ERR_OK)
        return false;
    const char *wanted = key_type_of_algorithm(m->algorithm);
    if (wanted == NULL || !bytes_is(bytes_of(wanted), type) ||
        key_algorithm_is_by_name(m->algorithm))
        return false;
    return !hostbound || bytes_equal(m->host_key, auth_bytes(&a->host_key));
}

/* The signature covers what we write anew from the fields, not the bytes as they came. */
static enum err check_signature(
    struct auth *a, bool hostbound, struct bytes signature, bool *is_good)
{
    struct auth_copy data = {0};
    if (auth_signing_data(a, hostbound, &data) != ERR_OK)
        return a->fault->code;
    *is_good = key_verify_facts(auth_bytes(&a->key), auth_bytes(&a->algorithm), signature,
                   auth_bytes(&data), &a->server.facts) == ERR_OK;
    auth_drop(&data);
    return ERR_OK;
}

/* RFC 4252 section 7. The signature is verified before anyone is asked about user or key, so that
 * known and unknown ones cost the same. */
static enum err try_key(struct auth *a, struct bytes rest, bool hostbound)
{
    struct wire_reader r = wire_reader(rest);
    struct msg_auth_publickey m;
    if (msg_auth_publickey_decode(&r, hostbound, &m) != ERR_OK)
        return malformed(a, "publickey request");
    if (!is_usable(a, hostbound, &m))
        return reply_failure(a);
    if (auth_keep(a, &a->algorithm, m.algorithm) != ERR_OK ||
        auth_keep(a, &a->key, m.key) != ERR_OK)
        return a->fault->code;
    a->server.facts = (struct key_sk_facts){.is_sk = false};
    if (!m.has_signature)
        return ask(a, false);

    bool is_good = false;
    if (check_signature(a, hostbound, m.signature, &is_good) != ERR_OK)
        return a->fault->code;
    return is_good ? ask(a, true) : reply_failure(a);
}

static enum err try_publickey(struct auth *a, struct bytes rest)
{
    return try_key(a, rest, false);
}

static enum err try_hostbound(struct auth *a, struct bytes rest)
{
    return try_key(a, rest, true);
}

/* RFC 4252 section 5.2: how a client learns which methods there are. */
static enum err try_none(struct auth *a, struct bytes rest)
{
    return rest.n == 0 ? reply_failure(a) : malformed(a, "none request");
}

static enum err try_method(struct auth *a, const struct msg_userauth_request *m)
{
    static const struct {
        const char *name;
        enum err (*run)(struct auth *a, struct bytes rest);
    } methods[] = {
        {"none", try_none},
        {AUTH_PUBLICKEY, try_publickey},
        {AUTH_HOSTBOUND, try_hostbound},
    };
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (bytes_is(m->method, methods[i].name))
            return methods[i].run(a, m->rest);
    /* Not offered. The fields stay unread: a password in there, of any length, is none of ours. */
    return reply_failure(a);
}

/* ---- the request ----------------------------------------------------------------------------- */

/* RFC 4252 section 5: another user name than before flushes what was reached for the old one. */
static enum err take_user(struct auth *a, struct bytes user)
{
    if (bytes_equal(user, auth_bytes(&a->user)))
        return ERR_OK;
    auth_drop(&a->algorithm);
    auth_drop(&a->key);
    return auth_keep(a, &a->user, user);
}

static enum err check_request(struct auth *a, const struct msg_userauth_request *m)
{
    struct auth_server *s = &a->server;
    char quote[AUTH_QUOTE_MAX];
    if (!bytes_is(m->service, AUTH_NEXT_SERVICE))
        return fault_set(a->fault, ERR_PROTOCOL,
            "client wants to log in for service \"%s\"; only \"" AUTH_NEXT_SERVICE "\" is here",
            auth_quote(quote, m->service));
    if (s->n_tries == s->max_tries)
        return fault_set(a->fault, ERR_AUTH,
            "too many authentication failures for \"%s\" (limit: %u requests)",
            auth_quote(quote, m->user), s->max_tries);
    s->n_tries++;
    return ERR_OK;
}

static enum err on_request(struct auth *a, struct wire_reader *r)
{
    struct msg_userauth_request m;
    if (a->server.state == AS_DONE)
        return ERR_OK; /* RFC 4252 section 5.1: silently ignored */
    if (a->server.state == AS_START)
        return fault_set(a->fault, ERR_PROTOCOL,
            "client sent USERAUTH_REQUEST without asking for \"" AUTH_SERVICE "\" first");
    if (msg_userauth_request_decode(r, &m) != ERR_OK)
        return malformed(a, "USERAUTH_REQUEST");
    if (check_request(a, &m) != ERR_OK || send_banner(a) != ERR_OK)
        return a->fault->code;
    if (!auth_user_is_clean(m.user)) /* nobody's name: the same answer as to an unknown one */
        return reply_failure(a);
    if (take_user(a, m.user) != ERR_OK)
        return a->fault->code;
    return try_method(a, &m);
}

void auth_decide(struct auth *a, bool accept)
{
    if (a->fault->code != ERR_OK)
        return;
    if (a->role != ROLE_SERVER || a->server.state != AS_DECIDING || a->has_event) {
        (void)fault_set(a->fault, ERR_INTERNAL, "user authentication: decision out of turn");
        return;
    }
    a->server.state = AS_IDLE;
    if (!accept)
        (void)reply_failure(a);
    else
        (void)(a->server.verified ? reply_success(a) : reply_pk_ok(a));
}

const struct auth_handler auth_server_handlers[] = {
    {MSG_SERVICE_REQUEST, on_service_request},
    {MSG_USERAUTH_REQUEST, on_request},
    {0, NULL},
};
