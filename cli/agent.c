#include "cli/agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/agent_link.h"
#include "cli/log.h"
#include "crypto/ct.h"
#include "crypto/key.h"

enum { LIST_MS = 60 * 1000, SIGN_MS = 120 * 1000 };

struct agent {
    struct agent_link *link;
    struct agent_limits limits;
    struct bytes algorithm; /* that the signature under way must name; static */
    char why[1024];         /* what was told last */

    /* One of each may be under way. */
    void (*opened)(void *user, const struct msg_agent_identities *keys, const char *why);
    void *opened_user;
    void (*sign_done)(void *user, struct bytes signature, const char *why);
    void *sign_user;
    void (*added)(void *user, const char *why);
    void *added_user;

    char path[];
};

struct agent *agent_new(struct loop *l, const char *path, const struct agent_limits *limits)
{
    size_t n = strlen(path) + 1;
    struct agent *a = calloc(1, sizeof *a + n);
    if (a == NULL)
        return NULL;
    a->limits = *limits;
    if (a->limits.list_ms == 0)
        a->limits.list_ms = LIST_MS;
    if (a->limits.sign_ms == 0)
        a->limits.sign_ms = SIGN_MS;
    memcpy(a->path, path, n);
    a->link = agent_link_new(l, path);
    if (a->link == NULL) {
        free(a);
        return NULL;
    }
    return a;
}

void agent_free(struct agent *a)
{
    if (a == NULL)
        return;
    agent_link_free(a->link);
    free(a);
}

/* Builds a message in memory that is wiped, and asks. */
struct draft {
    uint8_t *p;
    size_t cap;
    struct wire_writer w;
};

static bool draft_open(struct draft *d, size_t n_strings)
{
    enum { FIXED_ROOM = 256 };
    if (n_strings > AGENT_REQUEST_MAX)
        return false;
    d->cap = n_strings + FIXED_ROOM;
    d->p = secret_alloc(d->cap);
    d->w = wire_writer(d->p, d->cap);
    return d->p != NULL;
}

static bool draft_ask(struct draft *d, struct agent_link *link, struct agent_request request)
{
    request.message = wire_written(&d->w);
    bool ok = !d->w.bad && agent_link_ask(link, &request);
    secret_free(d->p, d->cap);
    return ok;
}

/* "the agent at PATH gave no answer within 60 s" */
static const char *explain(struct agent *a, const char *what)
{
    snprintf(a->why, sizeof a->why, "the agent at %s %s", log_escape_cstr(a->path).s, what);
    return a->why;
}

/* ---- opening ----------------------------------------------------------------------------------
 */

/* What cannot be used is the end of the connection, which then says why. */
static bool read_keys(struct agent *a, struct bytes body, struct msg_agent_identities *keys)
{
    struct wire_reader r = wire_reader(body);
    if (msg_agent_identities_decode(&r, keys) != ERR_OK)
        agent_link_fail(a->link, "sent a list of keys that is malformed");
    else if (keys->n_keys > AGENT_KEYS_MAX)
        agent_link_fail(a->link, "says that it holds %u keys, expected at most %d",
            (unsigned)keys->n_keys, AGENT_KEYS_MAX);
    return agent_link_fault(a->link) == NULL;
}

static void listed(void *user, const struct agent_reply *reply)
{
    struct agent *a = user;
    struct msg_agent_identities keys;
    const char *why = NULL;
    if (reply->status == AGENT_REFUSED)
        why = explain(a, "does not tell its keys: agent refused operation");
    else if (reply->status == AGENT_FAILED)
        why = explain(a, reply->why);
    else if (!read_keys(a, reply->body, &keys))
        why = explain(a, agent_link_fault(a->link));
    a->opened(a->opened_user, why == NULL ? &keys : NULL, why);
}

/* Older agents know no session-bind, and locked ones refuse it: neither matters here. If a key of
 * the agent's is restricted to hosts, it will not sign without. */
static void bound(void *user, const struct agent_reply *reply)
{
    if (reply->status != AGENT_ANSWERED)
        log_debug("the agent does not bind keys to this session: %s", reply->why);
    (void)user;
}

static bool ask_to_bind(struct agent *a, const struct agent_session *s)
{
    struct draft d;
    if (!draft_open(&d, s->host_key.n + s->id.n + s->signature.n))
        return false;
    struct msg_agent_extension head = {.name = BYTES_LIT(AGENT_SESSION_BIND)};
    struct msg_agent_session_bind m = {
        .host_key = s->host_key, .session_id = s->id, .signature = s->signature};
    msg_agent_extension_encode(&d.w, &head);
    msg_agent_session_bind_encode(&d.w, &m);
    return draft_ask(&d, a->link,
        (struct agent_request){
            .answer = AGENT_SUCCESS, .limit_ms = a->limits.list_ms, .done = bound, .user = a});
}

bool agent_open(struct agent *a, const struct agent_session *session,
    void (*opened)(void *user, const struct msg_agent_identities *keys, const char *why),
    void *user)
{
    static const uint8_t list[] = {AGENT_REQUEST_IDENTITIES};
    struct agent_request request = {.message = {list, sizeof list},
        .answer = AGENT_IDENTITIES_ANSWER,
        .limit_ms = a->limits.list_ms,
        .done = listed,
        .user = a};
    a->opened = opened;
    a->opened_user = user;
    return ask_to_bind(a, session) && agent_link_ask(a->link, &request);
}

/* ---- signing ----------------------------------------------------------------------------------
 */

static uint32_t signature_flags(struct bytes name)
{
    return bytes_is(name, "rsa-sha2-512")   ? AGENT_RSA_SHA2_512
           : bytes_is(name, "rsa-sha2-256") ? AGENT_RSA_SHA2_256
                                            : 0;
}

/* An agent that does not know the flags signs with SHA-1, which no server of today takes. */
static const char *check_signature(struct agent *a, struct bytes signature)
{
    struct wire_reader r = wire_reader(signature);
    struct bytes name = wire_string(&r);
    (void)wire_string(&r);
    if (r.bad || signature.n > KEY_SIGNATURE_MAX)
        return "agent sent a malformed signature";
    if (bytes_equal(name, a->algorithm))
        return NULL;
    snprintf(a->why, sizeof a->why, "agent signed by %s when asked for %.*s", log_escape(name).s,
        (int)a->algorithm.n, (const char *)a->algorithm.p);
    return a->why;
}

static void signed_by_agent(void *user, const struct agent_reply *reply)
{
    struct agent *a = user;
    struct msg_agent_sign_response m = {.signature = {NULL, 0}};
    struct wire_reader r = wire_reader(reply->body);
    const char *why;
    if (reply->status == AGENT_REFUSED)
        why = "agent refused operation";
    else if (reply->status == AGENT_FAILED)
        why = explain(a, reply->why);
    else if (msg_agent_sign_response_decode(&r, &m) != ERR_OK)
        why = "agent sent a malformed signature";
    else
        why = check_signature(a, m.signature);
    a->sign_done(a->sign_user, why == NULL ? m.signature : (struct bytes){NULL, 0}, why);
}

bool agent_sign(struct agent *a, struct bytes key, struct bytes algorithm, struct bytes data,
    void (*done)(void *user, struct bytes signature, const char *why), void *user)
{
    struct draft d;
    a->algorithm = key_signature_name(algorithm);
    if (a->algorithm.n == 0 || !draft_open(&d, key.n + data.n))
        return false;
    struct msg_agent_sign_request m = {
        .key = key, .data = data, .flags = signature_flags(a->algorithm)};
    msg_agent_sign_request_encode(&d.w, &m);
    a->sign_done = done;
    a->sign_user = user;
    return draft_ask(&d, a->link,
        (struct agent_request){.answer = AGENT_SIGN_RESPONSE,
            .limit_ms = a->limits.sign_ms,
            .done = signed_by_agent,
            .user = a});
}

/* ---- adding -----------------------------------------------------------------------------------
 */

static void taken(void *user, const struct agent_reply *reply)
{
    struct agent *a = user;
    const char *why = NULL;
    if (reply->status == AGENT_REFUSED)
        why = "agent refused operation";
    else if (reply->status == AGENT_FAILED)
        why = explain(a, reply->why);
    a->added(a->added_user, why);
}

bool agent_add(struct agent *a, const struct msg_agent_add *key,
    void (*added)(void *user, const char *why), void *user)
{
    struct draft d;
    if (!draft_open(&d, key->key.n + key->comment.n))
        return false;
    msg_agent_add_encode(&d.w, key);
    a->added = added;
    a->added_user = user;
    return draft_ask(&d, a->link,
        (struct agent_request){
            .answer = AGENT_SUCCESS, .limit_ms = a->limits.sign_ms, .done = taken, .user = a});
}
