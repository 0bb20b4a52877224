#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/keywords.h"
#include "proto/known_hosts.h"
#include "proto/text.h"

void options_init(struct options *o, const struct environment *env)
{
    *o = (struct options){.env = env};
    int *const unset[] = {&o->port, &o->family, &o->connect_timeout_s, &o->connection_attempts,
        &o->tcp_keep_alive, &o->ip_qos_interactive, &o->ip_qos_bulk, &o->gateway_ports,
        &o->exit_on_forward_failure, &o->clear_all_forwardings, &o->session_type,
        &o->permit_local_command, &o->fork_after_auth, &o->stdin_null, &o->request_tty,
        &o->escape_char, &o->strict_host_key_checking, &o->hash_known_hosts, &o->check_host_ip,
        &o->update_host_keys, &o->visual_host_key, &o->fingerprint_hash, &o->required_rsa_size,
        &o->no_host_auth_for_localhost, &o->identities_only, &o->add_keys_to_agent,
        &o->add_keys_lifetime_s, &o->batch_mode, &o->pubkey_authentication,
        &o->password_authentication, &o->kbd_interactive_authentication,
        &o->number_of_password_prompts, &o->compression, &o->rekey_s, &o->server_alive_interval_s,
        &o->server_alive_count_max, &o->log_level};
    for (size_t i = 0; i < sizeof unset / sizeof unset[0]; i++)
        *unset[i] = OPTION_UNSET;
    o->rekey_bytes = OPTION_UNSET;
}

void options_free(struct options *o)
{
    for (size_t i = 0; i < o->n_forwards; i++)
        forward_spec_free(&o->forwards[i]);
    forward_spec_free(&o->stdio);
    free(o->forwards);
    pool_free(&o->pool);
    options_init(o, o->env);
}

struct option_where option_where(const struct option_place *place)
{
    struct option_where w;
    if (place->file != NULL)
        snprintf(w.text, sizeof w.text, "%s line %u", log_escape_cstr(place->file).s, place->line);
    else
        snprintf(w.text, sizeof w.text, "option %s", place->option);
    return w;
}

static bool is_ignored(const struct options *o, const char *keyword)
{
    return o->ignore_unknown != NULL &&
           pattern_list_match(bytes_of(o->ignore_unknown), bytes_of(keyword));
}

static bool unknown_keyword(
    const struct options *o, const struct option_place *place, const char *keyword)
{
    bool ignored = is_ignored(o, keyword);
    log_line(ignored ? LOG_LEVEL_DEBUG1 : LOG_LEVEL_ERROR, "%s: %s: %s", option_where(place).text,
        ignored ? "ignored as IgnoreUnknown says" : "Bad configuration option",
        log_escape_cstr(keyword).s);
    return ignored;
}

/* A keyword of ssh's that does nothing here: said once a line, loudly where the user would
 * otherwise end up somewhere else than they think. */
static void notice(const struct keyword_call *call)
{
    const struct keyword *k = call->keyword;
    if (call->place->is_check_only || call->place->is_repeat)
        return;
    bool asks_for_nothing = k->off != NULL && strcasecmp(call->args[0], k->off) == 0;
    bool is_loud = k->kind == KEYWORD_WARN && !asks_for_nothing;
    log_line(is_loud ? LOG_LEVEL_INFO : LOG_LEVEL_VERBOSE, "%s%s: %s: %s",
        is_loud ? "warning: " : "", option_where(call->place).text, k->name,
        k->kind == KEYWORD_OLD ? "obsolete, ignored" : "not supported by adit yet, ignored");
}

bool options_set(struct options *o, const struct option_place *place, const char *keyword,
    const char *const *args, size_t n_args)
{
    const struct keyword *k = keyword_find(keyword);
    if (k == NULL)
        return unknown_keyword(o, place, keyword);
    struct keyword_call call = {
        .o = o, .keyword = k, .place = place, .args = args, .n_args = n_args};
    if (k->kind == KEYWORD_BLOCK)
        return keyword_problem(&call, "has no place here");
    if (n_args == 0 || args[0][0] == '\0')
        return keyword_problem(&call, "expected an argument");
    if (n_args > (k->max_args == 0 ? 1 : k->max_args))
        return keyword_problem(&call, "extra arguments at the end of the line");
    if (k->kind == KEYWORD_SET)
        return k->set(&call);
    notice(&call);
    return true;
}

/* ---- names, checked at the door -------------------------------------------------------------- */

static bool holds_none_of(const char *s, const char *forbidden)
{
    return text_is_harmless(bytes_of(s)) && s[strcspn(s, forbidden)] == '\0';
}

bool options_host_is_sane(const char *host)
{
    return *host != '\0' && *host != '-' && strlen(host) <= FORWARD_HOST_MAX &&
           holds_none_of(host, " '`\"$\\;&<>|(){},/");
}

bool options_user_is_sane(const char *user)
{
    size_t n = strlen(user);
    return n > 0 && *user != '-' && *user != ' ' && user[n - 1] != ' ' && user[n - 1] != '\\' &&
           holds_none_of(user, "'`\"$;&<>|(){}");
}
