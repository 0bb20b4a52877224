/* The last step of gathering options: tokens, defaults, and the checks that need everything. */
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "cli/expand.h"
#include "cli/jump.h"
#include "cli/options.h"
#include "crypto/fingerprint.h"
#include "crypto/hash.h"
#include "crypto/key.h"

enum { DEFAULT_PORT = 22, DEFAULT_ALIVE_S = 15, DEFAULT_ALIVE_COUNT = 3, DEFAULT_PROMPTS = 3 };

static bool no_memory(void)
{
    log_error("out of memory");
    return false;
}

static void default_int(int *p, int value)
{
    if (*p == OPTION_UNSET)
        *p = value;
}

/* ---- tokens ---------------------------------------------------------------------------------- */

enum { MAX_TOKENS = 16 };

/* The values of the tokens, as far as they are known. */
struct tokens {
    struct expand_token list[MAX_TOKENS];
    size_t n;
    char port[8];
    char uid[24];
    char short_host[256];
    char connection[2 * HASH_MAX_BYTES + 1]; /* %C */
};

static void add(struct tokens *t, char letter, const char *value)
{
    t->list[t->n++] = (struct expand_token){letter, value == NULL ? "" : value};
}

/* %j: the server that leads to ours. ssh has it from 9.6 on. */
static const char *jump_host(const struct options *o)
{
    return o->jumps.n > 0 ? o->jumps.items[o->jumps.n - 1].host : NULL;
}

/* %C: SHA-1 over %l%h%p%r%j in hex, as file names of users' own making have it. */
static void hash_connection(const struct options *o, struct tokens *t)
{
    struct hash h;
    uint8_t digest[HASH_MAX_BYTES];
    hash_init(&h, HASH_SHA1);
    hash_update(&h, bytes_of(o->env->host));
    hash_update(&h, bytes_of(o->host));
    hash_update(&h, bytes_of(t->port));
    hash_update(&h, bytes_of(o->user));
    if (jump_host(o) != NULL)
        hash_update(&h, bytes_of(jump_host(o)));
    hash_final(&h, digest);
    for (size_t i = 0; i < hash_bytes(HASH_SHA1); i++)
        snprintf(t->connection + 2 * i, 3, "%02x", digest[i]);
}

/* with_user: %r and %C are there too, as the user is known. */
static void tokens_fill(struct tokens *t, const struct options *o, bool with_user)
{
    t->n = 0;
    snprintf(t->port, sizeof t->port, "%d", o->port);
    snprintf(t->uid, sizeof t->uid, "%llu", (unsigned long long)o->env->uid);
    snprintf(t->short_host, sizeof t->short_host, "%s", o->env->host);
    t->short_host[strcspn(t->short_host, ".")] = '\0';
    add(t, 'd', o->env->home);
    add(t, 'h', o->host);
    add(t, 'i', t->uid);
    add(t, 'j', jump_host(o));
    add(t, 'k', o->host_key_alias != NULL ? o->host_key_alias : o->host_arg);
    add(t, 'L', t->short_host);
    add(t, 'l', o->env->host);
    add(t, 'n', o->host_arg);
    add(t, 'p', t->port);
    add(t, 'u', o->env->user);
    if (!with_user)
        return;
    add(t, 'r', o->user);
    hash_connection(o, t);
    add(t, 'C', t->connection);
}

/* Replaces *text by what it expands to. */
static bool expand_text(
    struct options *o, const struct expand *e, const char *keyword, const char **text)
{
    const char *why;
    const char *expanded = expand(&o->pool, e, *text, &why);
    if (expanded == NULL) {
        log_error("%s: cannot expand \"%s\": %s", keyword, log_escape_cstr(*text).s, why);
        return false;
    }
    *text = expanded;
    return true;
}

static bool expand_list(
    struct options *o, const struct expand *e, const char *keyword, struct text_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        if (!expand_text(o, e, keyword, &list->items[i]))
            return false;
    return true;
}

/* ---- names ----------------------------------------------------------------------------------- */

/* Known hosts and patterns have lower case. An address may hold a zone name, which keeps its case.
 */
static bool lower(struct options *o, const char **text)
{
    if (strchr(*text, ':') != NULL)
        return true;
    char *copy = pool_strdup(&o->pool, *text);
    if (copy == NULL)
        return no_memory();
    for (char *p = copy; *p != '\0'; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p + ('a' - 'A'));
    *text = copy;
    return true;
}

static bool finish_host(struct options *o)
{
    struct expand_token h = {'h', o->host_arg};
    struct expand e = {.env = o->env, .tokens = &h, .n_tokens = 1};
    if (o->host == NULL)
        o->host = o->host_arg;
    else if (!expand_text(o, &e, "Hostname", &o->host))
        return false;
    if (!options_host_is_sane(o->host)) {
        log_error("host name \"%s\" contains invalid characters", log_escape_cstr(o->host).s);
        return false;
    }
    return lower(o, &o->host) && (o->host_key_alias == NULL || lower(o, &o->host_key_alias));
}

static bool finish_user(struct options *o)
{
    struct tokens t;
    if (o->user == NULL) {
        o->user = o->env->user;
    } else if (!o->user_is_literal) {
        tokens_fill(&t, o, false);
        struct expand e = {.env = o->env, .tokens = t.list, .n_tokens = t.n, .variables = true};
        if (!expand_text(o, &e, "User", &o->user))
            return false;
    }
    if (options_user_is_sane(o->user))
        return true;
    log_error("remote user name \"%s\" contains invalid characters", log_escape_cstr(o->user).s);
    return false;
}

/* The shell becomes the program, so that it is the program that is told when we are done. */
static bool finish_proxy_command(struct options *o, const struct expand *e)
{
    if (o->proxy_command == NULL)
        return true;
    o->proxy_line = pool_printf(&o->pool, "exec %s", o->proxy_command);
    if (o->proxy_line == NULL)
        return no_memory();
    return expand_text(o, e, "ProxyCommand", &o->proxy_line);
}

/* At most one of the two is set. ${} is the shell's. */
static bool finish_proxy(struct options *o)
{
    if (o->proxy_command != NULL && strcasecmp(o->proxy_command, "none") == 0)
        o->proxy_command = NULL;
    if (o->jumps.n == 0)
        o->proxy_jump = NULL; /* "none" */
    char port[8];
    snprintf(port, sizeof port, "%d", o->port);
    const struct expand_token tokens[] = {{'h', o->host},
        {'k', o->host_key_alias != NULL ? o->host_key_alias : o->host_arg}, {'n', o->host_arg},
        {'p', port}, {'r', o->user}};
    struct expand e = {
        .env = o->env, .tokens = tokens, .n_tokens = sizeof tokens / sizeof tokens[0]};
    return finish_proxy_command(o, &e) && jump_finish(o, &e);
}

/* ---- paths ----------------------------------------------------------------------------------- */

/* "none" alone empties a list; nothing at all means two files of folder. */
static bool finish_known_hosts(struct options *o, const struct expand *e, const char *keyword,
    struct text_list *list, const char *first, const char *second)
{
    if (list->n == 1 && strcasecmp(list->items[0], "none") == 0) {
        list->n = 0;
        return true;
    }
    if (list->n == 0 &&
        (!text_list_add(&o->pool, list, first) || !text_list_add(&o->pool, list, second)))
        return no_memory();
    return expand_list(o, e, keyword, list);
}

static bool finish_paths(struct options *o)
{
    struct tokens t;
    tokens_fill(&t, o, true);
    struct expand e = {
        .env = o->env, .tokens = t.list, .n_tokens = t.n, .variables = true, .tilde = true};
    struct expand plain = {.env = o->env, .tilde = true};
    const char *first = pool_printf(&o->pool, "%s/ssh_known_hosts", o->env->system_dir);
    const char *second = pool_printf(&o->pool, "%s/ssh_known_hosts2", o->env->system_dir);
    if (first == NULL || second == NULL)
        return no_memory();
    bool no_home = o->env->home[0] == '\0' && o->user_known_hosts.n == 0;
    return (no_home || finish_known_hosts(o, &e, "UserKnownHostsFile", &o->user_known_hosts,
                           "~/.ssh/known_hosts", "~/.ssh/known_hosts2")) &&
           finish_known_hosts(
               o, &plain, "GlobalKnownHostsFile", &o->global_known_hosts, first, second) &&
           expand_list(o, &e, "IdentityFile", &o->identity_files) &&
           expand_list(o, &e, "CertificateFile", &o->certificate_files);
}

/* Which socket: "none", the variable that is named, or a path; without a word, $SSH_AUTH_SOCK. */
static bool finish_agent(struct options *o)
{
    static const char usual[] = "SSH_AUTH_SOCK";
    struct tokens t;
    tokens_fill(&t, o, true);
    struct expand e = {
        .env = o->env, .tokens = t.list, .n_tokens = t.n, .variables = true, .tilde = true};
    const char *given = o->identity_agent;
    if (given == NULL || strcmp(given, usual) == 0)
        o->agent_path = o->env->get(usual);
    else if (strcasecmp(given, "none") == 0)
        o->agent_path = NULL;
    else if (given[0] == '$' && given[1] != '{')
        o->agent_path = o->env->get(given + 1);
    else if (!expand_text(o, &e, "IdentityAgent", &o->identity_agent))
        return false;
    else
        o->agent_path = o->identity_agent;
    if (o->agent_path != NULL && o->agent_path[0] == '\0')
        o->agent_path = NULL;
    return true;
}

/* RevokedHostKeys, and what KnownHostsCommand will need when it is run. */
static bool finish_host_keys(struct options *o)
{
    struct tokens *t = pool_alloc(&o->pool, sizeof *t);
    if (t == NULL)
        return no_memory();
    tokens_fill(t, o, true);
    o->tokens = t->list;
    o->n_tokens = t->n;
    if (o->known_hosts_command != NULL && strcasecmp(o->known_hosts_command, "none") == 0)
        o->known_hosts_command = NULL;
    struct text_list *revoked = &o->revoked_host_keys;
    if (revoked->n == 1 && strcasecmp(revoked->items[0], "none") == 0)
        revoked->n = 0;
    struct expand e = {
        .env = o->env, .tokens = t->list, .n_tokens = t->n, .variables = true, .tilde = true};
    return expand_list(o, &e, "RevokedHostKeys", revoked);
}

static bool names_same(const char *a, const char *b)
{
    size_t n = strcspn(a, "=");
    return n == strcspn(b, "=") && memcmp(a, b, n) == 0;
}

static bool is_set_before(const struct text_list *list, size_t n, const char *setting)
{
    for (size_t i = 0; i < n; i++)
        if (names_same(list->items[i], setting))
            return true;
    return false;
}

/* The first value of a name counts. Values are expanded, names are as they stand. */
static bool finish_set_env(struct options *o)
{
    struct tokens t;
    tokens_fill(&t, o, true);
    struct expand e = {.env = o->env, .tokens = t.list, .n_tokens = t.n, .variables = true};
    struct text_list *list = &o->set_env;
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        const char *setting = list->items[i], *value = strchr(setting, '=') + 1;
        if (is_set_before(list, n, setting))
            continue;
        if (!expand_text(o, &e, "SetEnv", &value))
            return false;
        list->items[n] = pool_printf(
            &o->pool, "%.*s%s", (int)(strchr(setting, '=') + 1 - setting), setting, value);
        if (list->items[n++] == NULL)
            return no_memory();
    }
    list->n = n;
    return true;
}

/* %T is the tunnel's interface, of which there is none. */
static bool finish_local_command(struct options *o)
{
    bool is_none = o->local_command == NULL || strcasecmp(o->local_command, "none") == 0;
    if (is_none || !o->permit_local_command) {
        o->local_command = NULL;
        return true;
    }
    struct tokens t;
    tokens_fill(&t, o, true);
    add(&t, 'T', "NONE");
    struct expand e = {.env = o->env, .tokens = t.list, .n_tokens = t.n};
    return expand_text(o, &e, "LocalCommand", &o->local_command);
}

/* Two commands at once would leave one of them out without a word. */
static bool finish_command(struct options *o)
{
    struct tokens t;
    if (o->remote_command != NULL && strcasecmp(o->remote_command, "none") == 0)
        o->remote_command = NULL;
    if (o->remote_command == NULL) {
        o->remote_command = o->command;
        return true;
    }
    if (o->command != NULL) {
        log_error("Cannot execute command-line and remote command.");
        return false;
    }
    tokens_fill(&t, o, true);
    struct expand e = {.env = o->env, .tokens = t.list, .n_tokens = t.n};
    return expand_text(o, &e, "RemoteCommand", &o->remote_command);
}

/* ---- defaults -------------------------------------------------------------------------------- */

static void default_text(const char **p, const char *value)
{
    if (*p == NULL)
        *p = value;
}

static void fill_session(struct options *o)
{
    default_int(&o->session_type, SESSION_DEFAULT);
    default_int(&o->fork_after_auth, 0);
    default_int(&o->stdin_null, 0);
    default_int(&o->permit_local_command, 0);
    default_int(&o->request_tty, TTY_AUTO);
    default_int(&o->escape_char, '~');
    if (o->fork_after_auth)
        o->stdin_null = 1;
    if (o->session_type == SESSION_NONE ||
        (o->session_type == SESSION_SUBSYSTEM && o->request_tty == TTY_AUTO))
        o->request_tty = TTY_NO;
}

/* Keys are taken from the server by default where new ones would go to the usual file. Before
 * finish_paths(), which fills that in. */
static void fill_update_host_keys(struct options *o)
{
    const struct text_list *files = &o->user_known_hosts;
    bool is_usual =
        files->n == 0 || (files->n == 1 && strcmp(files->items[0], "~/.ssh/known_hosts") == 0);
    default_int(&o->update_host_keys, is_usual ? UPDATE_HOST_KEYS_YES : UPDATE_HOST_KEYS_NO);
}

static void fill_authentication(struct options *o)
{
    default_int(&o->strict_host_key_checking, STRICT_ASK);
    default_int(&o->hash_known_hosts, 0);
    default_int(&o->no_host_auth_for_localhost, 0);
    default_int(&o->check_host_ip, 0);
    default_int(&o->visual_host_key, 0);
    default_int(&o->fingerprint_hash, FINGERPRINT_SHA256);
    default_int(&o->required_rsa_size, KEY_RSA_MIN_BITS);
    if (o->required_rsa_size < KEY_RSA_MIN_BITS) {
        log_verbose("RequiredRSASize %d: adit takes no RSA key under %d bits", o->required_rsa_size,
            KEY_RSA_MIN_BITS);
        o->required_rsa_size = KEY_RSA_MIN_BITS;
    }
    fill_update_host_keys(o);
    default_int(&o->identities_only, 0);
    default_int(&o->add_keys_to_agent, ADD_KEYS_NO);
    default_int(&o->add_keys_lifetime_s, 0);
    default_int(&o->batch_mode, 0);
    default_int(&o->pubkey_authentication, PUBKEY_YES);
    default_int(&o->password_authentication, 1);
    default_int(&o->kbd_interactive_authentication, 1);
    default_int(&o->number_of_password_prompts, DEFAULT_PROMPTS);
    default_text(&o->preferred_authentications, "publickey,keyboard-interactive,password");
    default_text(&o->pubkey_algorithms, o->env->host_key_algorithms);
    default_text(&o->ca_signature_algorithms, o->env->signature_algorithms);
    if (o->batch_mode)
        o->number_of_password_prompts = 0;
}

static void fill_transport(struct options *o)
{
    default_text(&o->ciphers, o->env->ciphers);
    default_text(&o->macs, o->env->macs);
    default_text(&o->kex, o->env->kex);
    default_text(&o->host_key_algorithms, o->env->host_key_algorithms);
    default_int(&o->compression, 0);
    default_int(&o->rekey_s, 0);
    if (o->rekey_bytes == OPTION_UNSET)
        o->rekey_bytes = 0;
    default_int(&o->family, AF_UNSPEC);
    default_int(&o->connect_timeout_s, 0);
    default_int(&o->connection_attempts, 1);
    default_int(&o->tcp_keep_alive, 1);
    default_int(&o->ip_qos_interactive, IPTOS_LOWDELAY); /* Debian's ssh has these */
    default_int(&o->ip_qos_bulk, IPTOS_THROUGHPUT);
    default_int(&o->log_level, LOG_LEVEL_INFO);
}

/* FORWARDING.md line 55: a tunnel that died unseen is worse than a little traffic. */
static void fill_forwards(struct options *o)
{
    default_int(&o->gateway_ports, 0);
    default_int(&o->exit_on_forward_failure, o->has_stdio);
    default_int(&o->clear_all_forwardings, o->has_stdio);
    if (o->clear_all_forwardings)
        while (o->n_forwards > 0)
            forward_spec_free(&o->forwards[--o->n_forwards]);
    default_int(
        &o->server_alive_interval_s, o->n_forwards > 0 || o->has_stdio ? DEFAULT_ALIVE_S : 0);
    default_int(&o->server_alive_count_max, DEFAULT_ALIVE_COUNT);
    struct text_list *open = &o->permit_remote_open;
    if (open->n == 1 && strcasecmp(open->items[0], "any") == 0)
        open->n = 0;
}

bool options_finish(struct options *o)
{
    default_int(&o->port, DEFAULT_PORT);
    fill_session(o);
    fill_authentication(o);
    fill_transport(o);
    fill_forwards(o);
    if (!finish_host(o) || !finish_user(o) || !finish_proxy(o) || !finish_paths(o) ||
        !finish_agent(o) || !finish_host_keys(o) || !finish_set_env(o) ||
        !finish_local_command(o) || !finish_command(o))
        return false;
    if (o->session_type == SESSION_SUBSYSTEM && o->remote_command == NULL) {
        log_error("You must specify a subsystem to invoke.");
        return false;
    }
    if (o->fork_after_auth && o->remote_command == NULL && o->session_type != SESSION_NONE) {
        log_error("Cannot fork into background without a command to execute.");
        return false;
    }
    return true;
}
