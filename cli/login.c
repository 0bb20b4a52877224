/* State: `method` is the one under way; `can_continue` what the server last said may follow. A
 * method is spent when it has nothing more to offer: publickey when its identities are used up, the
 * two that ask a person after NumberOfPasswordPrompts tries. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/log.h"
#include "cli/login_internal.h"
#include "cli/prompt.h"
#include "crypto/ct.h"
#include "proto/namelist.h"

static const char *const method_names[N_METHODS] = {
    [METHOD_NONE] = "none",
    [METHOD_PUBLICKEY] = "publickey",
    [METHOD_INTERACTIVE] = "keyboard-interactive",
    [METHOD_PASSWORD] = "password",
};

enum { SECRET_MAX = 1024, PROMPT_MAX = 1024, MAX_PROMPTS = 32 };

struct login *login_new(const struct login_config *config)
{
    const struct options *options = config->options;
    struct login *l = calloc(1, sizeof *l);
    if (l == NULL)
        return NULL;
    l->config = *config;
    l->tp = peer_transport(config->peer);
    l->options = options;
    snprintf(l->who, sizeof l->who, "%s@%s", options->user, options->host);
    if (options->pubkey_authentication != PUBKEY_NO && !identities_find(&l->ids, options)) {
        login_free(l);
        return NULL;
    }
    l->spent[METHOD_PUBLICKEY] = options->pubkey_authentication == PUBKEY_NO;
    l->spent[METHOD_PASSWORD] = !options->password_authentication || options->batch_mode;
    l->spent[METHOD_INTERACTIVE] = !options->kbd_interactive_authentication || options->batch_mode;
    return l;
}

void login_restrict(struct login *l)
{
    l->restricted = true;
    l->spent[METHOD_PASSWORD] = true;
    l->spent[METHOD_INTERACTIVE] = true;
}

void login_free(struct login *l)
{
    if (l == NULL)
        return;
    identities_free(&l->ids);
    agent_free(l->agent);
    free(l->agent_note);
    secure_wipe(l, sizeof *l);
    free(l);
}

bool login_was_free(const struct login *l)
{
    return !l->has_proved;
}

const char *login_method(const struct login *l)
{
    return method_names[l->method];
}

/* ---- publickey --------------------------------------------------------------------------------
 */

static long ask_passphrase(void *user, const char *prompt, int attempt, char *out, size_t cap)
{
    (void)user;
    (void)attempt;
    return prompt_ask(PROMPT_SECRET, prompt, out, cap);
}

static struct identity_asker asker_of(struct login *l)
{
    return (struct identity_asker){.ask = ask_passphrase,
        .user = l,
        .max_attempts = l->options->batch_mode ? 0 : l->options->number_of_password_prompts};
}

static bool load(struct login *l, struct identity *id)
{
    struct identity_asker asker = asker_of(l);
    bool is_fresh = id->key == NULL;
    if (id->is_spent || !identity_load(id, &asker))
        return false;
    if (is_fresh)
        login_add_to_agent(l, id);
    return true;
}

/* A file whose public key came to light only now may hold one that was tried. */
static bool is_repeated(const struct login *l, const struct identity *id)
{
    for (const struct identity *i = l->ids.list; i < id; i++)
        if (i->blob != NULL &&
            bytes_equal((struct bytes){i->blob, i->blob_n}, (struct bytes){id->blob, id->blob_n}))
            return true;
    return false;
}

/* RFC 8308 section 3.1; silence means anything goes. For keys of one algorithm the list is not
 * asked: there is no choice, and some servers, OpenSSH 7.4 among them, list RSA's algorithms alone.
 */
bool login_server_takes(struct bytes list, struct bytes alg)
{
    struct bytes name = key_signature_name(alg);
    bool is_rsa = bytes_is(name, "rsa-sha2-512") || bytes_is(name, "rsa-sha2-256") ||
                  bytes_is(name, "ssh-rsa");
    return !is_rsa || list.n == 0 || namelist_has(list, alg) || namelist_has(list, name);
}

/* A server that does not say what it takes is of the kind for which users name RSA with SHA-1: as
 * in ssh that is then what it gets. */
bool login_choose_algorithm(
    struct bytes server, struct bytes ours, struct bytes blob, struct bytes *alg)
{
    struct wire_reader r = wire_reader(blob);
    struct bytes type = wire_string(&r);
    if (server.n == 0 && key_algorithm_is_by_name(type) && namelist_has(ours, type)) {
        *alg = type;
        return true;
    }
    while (namelist_next(&ours, alg)) {
        const char *of = key_type_of_algorithm(*alg);
        if (of != NULL && bytes_is(type, of) && login_server_takes(server, *alg))
            return true;
    }
    return false;
}

static bool offer_identity(struct login *l, struct identity *id)
{
    struct bytes alg;
    bool is_known = id->blob != NULL && (!id->needs_agent || id->in_agent);
    if ((!is_known && !load(l, id)) || is_repeated(l, id))
        return false;
    struct bytes blob = {id->blob, id->blob_n};
    if (strncmp(key_short_name(blob), "RSA", 3) == 0 &&
        key_bits(blob) < (unsigned)l->options->required_rsa_size) {
        log_info("%s: skipped: an RSA key of %u bits, and RequiredRSASize is %d",
            log_escape_cstr(id->path).s, key_bits(blob), l->options->required_rsa_size);
        return false;
    }
    struct identity_asker asker = asker_of(l);
    const struct identity *signer = id->in_agent ? id : identities_signer(&l->ids, id, &asker);
    if (signer == NULL || (signer->needs_agent && !signer->in_agent)) {
        log_verbose("%s: no private key for this certificate", log_escape_cstr(id->path).s);
        return false;
    }
    if (!login_choose_algorithm(transport_server_sig_algs(l->tp),
            bytes_of(l->options->pubkey_algorithms), blob, &alg)) {
        log_verbose(
            "%s: no signature algorithm in common with the server", log_escape_cstr(id->path).s);
        return false;
    }
    char fp[KEY_FINGERPRINT_MAX];
    key_fingerprint_sha256(blob, fp);
    log_debug("Offering public key: %s %s %s%s%s", log_escape_cstr(id->path).s,
        key_short_name(blob), fp, id->is_given ? " explicit" : "", id->in_agent ? " agent" : "");
    l->n_offered++;
    transport_auth_publickey(l->tp, alg, blob);
    return true;
}

static bool next_identity(struct login *l)
{
    while (l->next_id < l->ids.n)
        if (offer_identity(l, &l->ids.list[l->next_id++]))
            return true;
    l->spent[METHOD_PUBLICKEY] = true;
    return false;
}

static void sign(struct login *l, const struct transport_event *e)
{
    static const struct bytes nothing = {0};
    struct identity_asker asker = asker_of(l);
    struct identity *id = &l->ids.list[l->next_id - 1];
    if (!id->in_agent)
        id = identities_signer(&l->ids, id, &asker); /* it was there */
    uint8_t signature[KEY_SIGNATURE_MAX];
    size_t n = sizeof signature;
    log_debug("Server accepts key: %s", log_escape_cstr(id->path).s);
    if (id->in_agent) {
        login_sign_by_agent(l, id, e);
        return;
    }
    if (id->key == NULL && !load(l, id)) {
        transport_auth_signature(l->tp, nothing);
        return;
    }
    if (private_key_sign(id->key, key_signature_name(e->algorithm), e->data, signature, &n) !=
        ERR_OK) {
        log_error("%s: signing failed", log_escape_cstr(id->path).s);
        transport_auth_signature(l->tp, nothing);
        return;
    }
    l->has_proved = true;
    transport_auth_signature(l->tp, (struct bytes){signature, n});
}

/* ---- password ---------------------------------------------------------------------------------
 */

static bool ask_password(struct login *l)
{
    char prompt[PROMPT_MAX];
    char secret[SECRET_MAX + 2];
    if (l->tries[METHOD_PASSWORD] >= l->options->number_of_password_prompts)
        return false;
    if (l->tries[METHOD_PASSWORD]++ > 0)
        log_error("Permission denied, please try again.");
    snprintf(prompt, sizeof prompt, "%s's password: ", l->who);
    long n = prompt_ask(PROMPT_SECRET, prompt, secret, sizeof secret);
    if (n >= 0) {
        l->has_proved = true;
        transport_auth_password(l->tp, (struct bytes){(const uint8_t *)secret, (size_t)n});
    }
    secure_wipe(secret, sizeof secret);
    return n >= 0;
}

static bool new_password(struct login *l, struct bytes words)
{
    char old[SECRET_MAX + 2], fresh[SECRET_MAX + 2], again[SECRET_MAX + 2], prompt[PROMPT_MAX];
    bool done = false;
    log_peer(LOG_LEVEL_INFO, "server", words);
    snprintf(prompt, sizeof prompt, "Enter %s's old password: ", l->who);
    long old_n = prompt_ask(PROMPT_SECRET, prompt, old, sizeof old);
    for (int tries = 0; old_n >= 0 && !done && tries < 3; tries++) {
        snprintf(prompt, sizeof prompt, "Enter %s's new password: ", l->who);
        long n = prompt_ask(PROMPT_SECRET, prompt, fresh, sizeof fresh);
        snprintf(prompt, sizeof prompt, "Retype %s's new password: ", l->who);
        long m = n < 0 ? -1 : prompt_ask(PROMPT_SECRET, prompt, again, sizeof again);
        if (m < 0)
            break;
        done = n == m && ct_equal(fresh, again, (size_t)n);
        if (!done)
            log_error("Mismatch; try again.");
        else
            transport_auth_new_password(l->tp, (struct bytes){(const uint8_t *)old, (size_t)old_n},
                (struct bytes){(const uint8_t *)fresh, (size_t)n});
    }
    secure_wipe(old, sizeof old);
    secure_wipe(fresh, sizeof fresh);
    secure_wipe(again, sizeof again);
    if (!done)
        log_error("%s: no new password was given", l->who);
    return done;
}

/* ---- keyboard-interactive: RFC 4256 -----------------------------------------------------------
 */

static bool start_interactive(struct login *l)
{
    if (l->tries[METHOD_INTERACTIVE] >= l->options->number_of_password_prompts)
        return false;
    /* A server that turned us away without a question will do so again. */
    if (l->tries[METHOD_INTERACTIVE]++ > 0 && !l->asked_prompts)
        return false;
    l->asked_prompts = false;
    transport_auth_keyboard_interactive(l->tp);
    return true;
}

/* What the server wants said before its questions. */
static void show_instruction(struct bytes name, struct bytes instruction)
{
    char text[2048];
    struct bytes parts[] = {name, instruction};
    for (size_t i = 0; i < 2; i++) {
        size_t n = text_escape(text, sizeof text - 1, parts[i], TEXT_BANNER);
        if (n == 0)
            continue;
        if (text[n - 1] != '\n')
            memcpy(text + n, "\n", 2);
        log_block(LOG_LEVEL_INFO, text);
    }
}

static bool answer_prompts(struct login *l, struct msg_info_request prompts)
{
    char answers[MAX_PROMPTS][SECRET_MAX + 2];
    struct bytes slices[MAX_PROMPTS];
    size_t n = 0;
    bool good = true;
    struct bytes words;
    bool echo;
    if (prompts.n_prompts > MAX_PROMPTS) {
        log_error("%s: the server asks %" PRIu32 " questions at once, more than %d", l->who,
            prompts.n_prompts, MAX_PROMPTS);
        return false;
    }
    show_instruction(prompts.name, prompts.instruction);
    while (good && msg_info_request_next(&prompts, &words, &echo)) {
        char escaped[512], prompt[PROMPT_MAX + 128];
        text_escape(escaped, sizeof escaped, words, TEXT_LINE);
        snprintf(prompt, sizeof prompt, "(%s) %s", l->who, escaped);
        long got =
            prompt_ask(echo ? PROMPT_ECHO : PROMPT_SECRET, prompt, answers[n], sizeof answers[n]);
        good = got >= 0;
        slices[n] = (struct bytes){(const uint8_t *)answers[n], good ? (size_t)got : 0};
        n++;
        l->asked_prompts = true;
    }
    l->has_proved |= good && n > 0;
    if (good)
        transport_auth_answers(l->tp, slices, n);
    else
        log_error("%s: the server's question was not answered", l->who);
    secure_wipe(answers, sizeof answers);
    return good;
}

/* ---- which method -----------------------------------------------------------------------------
 */

static bool start_method(struct login *l, enum method m)
{
    enum method before = l->method;
    l->method = m;
    switch (m) {
    case METHOD_PUBLICKEY:
        l->awaits_agent = l->agent_is_opening;
        if (l->awaits_agent || next_identity(l))
            return true;
        break;
    case METHOD_INTERACTIVE:
        if (start_interactive(l))
            return true;
        break;
    case METHOD_PASSWORD:
        if (ask_password(l))
            return true;
        break;
    case METHOD_NONE:
    case N_METHODS: break;
    }
    l->spent[m] = true;
    l->method = before;
    return false;
}

static bool next_method(struct login *l)
{
    struct bytes wanted = bytes_of(l->options->preferred_authentications);
    struct bytes name;
    while (namelist_next(&wanted, &name)) {
        for (enum method m = METHOD_PUBLICKEY; m < N_METHODS; m++) {
            if (!bytes_is(name, method_names[m]) || l->spent[m] ||
                !namelist_has_cstr(bytes_of(l->can_continue), method_names[m]))
                continue;
            if (start_method(l, m))
                return true;
        }
    }
    if (l->agent_note != NULL && namelist_has_cstr(bytes_of(l->can_continue), "publickey"))
        log_error("no key of an agent was tried: %s", l->agent_note);
    log_error("%s: Permission denied (%s).", l->who, l->can_continue);
    return false;
}

void login_go_on(struct login *l)
{
    if (next_identity(l) || next_method(l))
        peer_kick(l->config.peer);
    else
        l->config.gave_up(l->config.user);
}

void login_explain_end(const struct login *l)
{
    if (l->n_offered > 1)
        log_info("%u keys were offered, and servers count them (MaxAuthTries): \"-o "
                 "IdentitiesOnly=yes -i FILE\" offers one alone",
            l->n_offered);
}

static bool failed(struct login *l, const struct transport_event *e)
{
    text_escape(l->can_continue, sizeof l->can_continue, e->text, TEXT_LINE);
    log_debug("Authentications that can continue: %s", l->can_continue);
    if (e->partial) {
        log_verbose("Authenticated using \"%s\" with partial success.", method_names[l->method]);
        l->tries[METHOD_PASSWORD] = l->tries[METHOD_INTERACTIVE] = 0;
    }
    return next_method(l);
}

bool login_event(struct login *l, const struct transport_event *e)
{
    switch (e->type) {
    case TRANSPORT_AUTH_READY:
        login_open_agent(l);
        transport_auth_none(l->tp);
        return true;
    case TRANSPORT_AUTH_FAILURE: return failed(l, e);
    case TRANSPORT_AUTH_SIGN: sign(l, e); return true;
    case TRANSPORT_AUTH_PROMPTS: return answer_prompts(l, e->prompts);
    case TRANSPORT_AUTH_PASSWORD_CHANGE: return new_password(l, e->text);
    default: return true;
    }
}
