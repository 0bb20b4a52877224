/* The login's dealings with the agent. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/log.h"
#include "cli/login_internal.h"
#include "cli/prompt.h"
#include "crypto/ct.h"

/* ---- what it holds ----------------------------------------------------------------------------
 */

/* That there is none is no news, as long as the login succeeds without it. */
static void without_agent(struct login *l, const char *why)
{
    log_verbose("%s", why);
    l->agent_note = strdup(why);
    agent_free(l->agent);
    l->agent = NULL;
}

static void opened(void *user, const struct msg_agent_identities *keys, const char *why)
{
    struct login *l = user;
    l->agent_is_opening = false;
    if (keys == NULL)
        without_agent(l, why);
    else if (keys->n_keys == 0)
        log_debug("the agent at %s holds no keys, or is locked",
            log_escape_cstr(l->options->agent_path).s);
    if (keys != NULL)
        (void)identities_add_agent(&l->ids, keys, l->options->identities_only);
    if (l->awaits_agent) {
        l->awaits_agent = false;
        login_go_on(l);
    }
}

void login_open_agent(struct login *l)
{
    const char *path = l->options->agent_path;
    if (path == NULL || l->options->pubkey_authentication == PUBKEY_NO || l->agent != NULL)
        return;
    struct agent_session session = {.host_key = transport_host_key(l->tp),
        .id = transport_session_id(l->tp),
        .signature = transport_host_signature(l->tp)};
    struct agent_limits limits = {.list_ms = 0};
    l->agent = agent_new(peer_loop(l->config.peer), path, &limits);
    l->agent_is_opening = l->agent != NULL && agent_open(l->agent, &session, opened, l);
    if (!l->agent_is_opening)
        without_agent(l, "the agent cannot be asked: out of memory");
}

/* ---- signing ----------------------------------------------------------------------------------
 */

static void signed_by_agent(void *user, struct bytes signature, const char *why)
{
    struct login *l = user;
    const struct identity *id = &l->ids.list[l->next_id - 1];
    if (why != NULL)
        log_error("signing failed for %s \"%s\" from agent: %s",
            key_short_name((struct bytes){id->blob, id->blob_n}), log_escape_cstr(id->path).s, why);
    l->has_proved |= signature.n > 0;
    transport_auth_signature(l->tp, signature);
    peer_kick(l->config.peer);
}

void login_sign_by_agent(
    struct login *l, const struct identity *id, const struct transport_event *e)
{
    struct bytes blob = {id->blob, id->blob_n};
    if (l->agent != NULL && agent_sign(l->agent, blob, e->algorithm, e->data, signed_by_agent, l))
        return;
    log_error("%s: the agent cannot be asked to sign", log_escape_cstr(id->path).s);
    transport_auth_signature(l->tp, (struct bytes){NULL, 0});
}

/* ---- adding -----------------------------------------------------------------------------------
 */

static void added(void *user, const char *why)
{
    (void)user;
    if (why != NULL)
        log_error("the key was not added to the agent: %s", why);
    else
        log_debug("the key was added to the agent");
}

/* As ssh has it: a yes or no by the askpass program, or on the terminal. */
static bool may_add(const struct login *l, const struct identity *id)
{
    char prompt[2048], reply[16], fp[KEY_FINGERPRINT_MAX];
    if (l->options->add_keys_to_agent != ADD_KEYS_ASK)
        return true;
    key_fingerprint_sha256((struct bytes){id->blob, id->blob_n}, fp);
    snprintf(prompt, sizeof prompt, "Add key %s (%s) to agent? [yes/no] ",
        log_escape_cstr(id->path).s, fp);
    return prompt_ask(PROMPT_CONFIRM, prompt, reply, sizeof reply) >= 0 &&
           strcmp(reply, "yes") == 0;
}

void login_add_to_agent(struct login *l, const struct identity *id)
{
    const struct options *o = l->options;
    if (o->add_keys_to_agent == ADD_KEYS_NO || l->agent == NULL || id->in_agent || !may_add(l, id))
        return;
    log_debug("Adding key %s to the agent", log_escape_cstr(id->path).s);
    const char *comment = private_key_comment(id->key);
    size_t cap = 64 * 1024;
    uint8_t *room = secret_alloc(cap);
    struct wire_writer w = wire_writer(room, room != NULL ? cap : 0);
    private_key_put(id->key, &w);
    struct msg_agent_add m = {.key = wire_written(&w),
        .comment = bytes_of(comment[0] != '\0' ? comment : id->path),
        .lifetime_s = (uint32_t)o->add_keys_lifetime_s,
        .confirm = o->add_keys_to_agent == ADD_KEYS_CONFIRM};
    if (w.bad || !agent_add(l->agent, &m, added, l))
        log_error("%s was not added to the agent: out of memory", log_escape_cstr(id->path).s);
    secret_free(room, cap);
}
