#include "cli/settings.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/jump.h"
#include "forward/socket.h"
#include "proto/known_hosts.h"

enum { IDENTITY_FILES_MAX = 100, FORWARDS_MAX = 1000, PATHS_MAX = 32 };

/* struct options is the caller's and not const: the offset leads to a member of the right type. */
static void *field(const struct keyword_call *call)
{
    return (char *)call->o + call->keyword->field;
}

static bool no_memory(const struct keyword_call *call)
{
    return keyword_problem(call, "out of memory");
}

/* First value wins. */
static bool store_int(const struct keyword_call *call, int value)
{
    int *p = field(call);
    if (!call->place->is_check_only && (*p == OPTION_UNSET || call->place->overrides))
        *p = value;
    return true;
}

static bool store_text(const struct keyword_call *call, const char *value)
{
    const char **p = field(call);
    if (call->place->is_check_only || (*p != NULL && !call->place->overrides))
        return true;
    const char *copy = pool_strdup(&call->o->pool, value);
    if (copy == NULL)
        return no_memory(call);
    *p = copy;
    return true;
}

static bool add_text(const struct keyword_call *call, struct text_list *list, const char *value)
{
    if (call->place->is_check_only || text_list_has(list, value))
        return true;
    const char *copy = pool_strdup(&call->o->pool, value);
    if (copy == NULL || !text_list_add(&call->o->pool, list, copy))
        return no_memory(call);
    return true;
}

/* Lists of which the first line counts as a whole. */
static bool store_list(const struct keyword_call *call)
{
    struct text_list *list = field(call), fresh = {.n = 0};
    if (list->n > 0 && !call->place->overrides)
        return true;
    for (size_t i = 0; i < call->n_args; i++)
        if (!add_text(call, &fresh, call->args[i]))
            return false;
    if (!call->place->is_check_only)
        *list = fresh;
    return true;
}

bool set_word(const struct keyword_call *call)
{
    int value;
    if (!value_word(call->args[0], call->keyword->detail, &value))
        return keyword_bad(call, call->args[0], NULL);
    return store_int(call, value);
}

bool set_int(const struct keyword_call *call)
{
    const struct setting_range *range = call->keyword->detail;
    int value;
    if (!value_int(call->args[0], range->min, range->max, &value))
        return keyword_bad(call, call->args[0], NULL);
    return store_int(call, value);
}

bool set_port(const struct keyword_call *call)
{
    int value;
    if (!value_port(call->args[0], &value))
        return keyword_bad(call, call->args[0], NULL);
    return store_int(call, value);
}

bool set_time(const struct keyword_call *call)
{
    int value = 0;
    if (strcasecmp(call->args[0], "none") != 0 && !value_time(call->args[0], &value))
        return keyword_bad(call, call->args[0], NULL);
    return store_int(call, value);
}

bool set_text(const struct keyword_call *call)
{
    return store_text(call, call->args[0]);
}

bool set_paths(const struct keyword_call *call)
{
    if (call->n_args > PATHS_MAX)
        return keyword_problem(call, "too many files (at most 32)");
    for (size_t i = 0; i < call->n_args; i++) {
        if (call->args[i][0] == '\0')
            return keyword_bad(call, "", NULL);
        if (strcasecmp(call->args[i], "none") == 0 && call->n_args > 1)
            return keyword_bad(call, call->args[i], "\"none\" to stand alone");
    }
    return store_list(call);
}

static void note_skipped(const struct keyword_call *call, const struct text_list *skipped)
{
    struct option_where where = option_where(call->place);
    for (size_t i = 0; i < skipped->n; i++)
        log_verbose("%s: %s: %s is not supported by adit and left out", where.text,
            call->keyword->name, log_escape_cstr(skipped->items[i]).s);
}

/* In a block that does not apply, a list of which adit has nothing is none of our business. */
bool set_algorithms(const struct keyword_call *call)
{
    const struct setting_algorithms *detail = call->keyword->detail;
    const char *ours = *(const char *const *)((const char *)call->o->env + detail->ours);
    const char *all = *(const char *const *)((const char *)call->o->env + detail->all);
    const char *list = NULL, *unknown;
    struct text_list skipped = {.n = 0};
    switch (value_algorithms(&call->o->pool, call->args[0], ours, all, &list, &unknown, &skipped)) {
    case VALUE_LIST_UNKNOWN: return keyword_bad(call, unknown, NULL);
    case VALUE_LIST_NOMEM: return no_memory(call);
    case VALUE_LIST_NONE:
        if (call->place->is_check_only)
            return true;
        return keyword_bad(call, call->args[0], "at least one algorithm that adit has");
    case VALUE_LIST_OK: break;
    }
    if (call->place->is_check_only)
        return true;
    note_skipped(call, &skipped);
    return store_text(call, list);
}

bool set_host_key_algorithms(const struct keyword_call *call)
{
    const char *before = call->o->host_key_algorithms;
    if (!set_algorithms(call))
        return false;
    if (call->o->host_key_algorithms != before) /* this is the one that counts */
        call->o->host_key_algorithms_given = strchr("+-", call->args[0][0]) == NULL;
    return true;
}

bool set_escape_char(const struct keyword_call *call)
{
    int value;
    if (!value_escape(call->args[0], ESCAPE_CHAR_NONE, &value))
        return keyword_bad(call, call->args[0], NULL);
    return store_int(call, value);
}

bool set_log_level(const struct keyword_call *call)
{
    enum log_level level;
    if (!log_level_from_name(call->args[0], &level))
        return keyword_bad(call, call->args[0], NULL);
    return store_int(call, (int)level);
}

/* IPQoS INTERACTIVE [BULK]: one value is for both. */
bool set_ip_qos(const struct keyword_call *call)
{
    int interactive, bulk;
    if (!value_qos(call->args[0], SOCKET_QOS_NONE, &interactive))
        return keyword_bad(call, call->args[0], NULL);
    bulk = interactive;
    if (call->n_args > 1 && !value_qos(call->args[1], SOCKET_QOS_NONE, &bulk))
        return keyword_bad(call, call->args[1], NULL);
    struct options *o = call->o;
    if (!call->place->is_check_only &&
        (o->ip_qos_interactive == OPTION_UNSET || call->place->overrides)) {
        o->ip_qos_interactive = interactive;
        o->ip_qos_bulk = bulk;
    }
    return true;
}

bool set_refuse_connection(const struct keyword_call *call)
{
    return call->place->is_check_only || keyword_problem(call, log_escape_cstr(call->args[0]).s);
}

/* RekeyLimit BYTES [TIME]: "default" for the first, "none" for the second. */
bool set_rekey_limit(const struct keyword_call *call)
{
    int64_t bytes = 0;
    int seconds = 0;
    const char *first = call->args[0];
    if (strcmp(first, "default") != 0 && (!value_size(first, &bytes) || (bytes != 0 && bytes < 16)))
        return keyword_bad(call, first, "bytes with K, M or G (at least 16), or \"default\"");
    if (call->n_args > 1 && strcmp(call->args[1], "none") != 0 &&
        !value_time(call->args[1], &seconds))
        return keyword_bad(call, call->args[1], "a time such as 600 or 1h30m, or \"none\"");
    if (call->place->is_check_only)
        return true;
    if (call->o->rekey_bytes == OPTION_UNSET || call->place->overrides)
        call->o->rekey_bytes = bytes;
    if (call->n_args > 1 && (call->o->rekey_s == OPTION_UNSET || call->place->overrides))
        call->o->rekey_s = seconds;
    return true;
}

/* AddKeysToAgent WORD, TIME, or "confirm TIME". */
bool set_add_keys(const struct keyword_call *call)
{
    struct options *o = call->o;
    int value, lifetime_s = 0;
    bool is_word = value_word(call->args[0], call->keyword->detail, &value);
    if (!is_word) {
        value = ADD_KEYS_YES;
        if (!value_time(call->args[0], &lifetime_s))
            return keyword_bad(call, call->args[0], NULL);
    }
    if (call->n_args > 1) {
        if (!is_word || value != ADD_KEYS_CONFIRM)
            return keyword_problem(call, "extra arguments at the end of the line");
        if (!value_time(call->args[1], &lifetime_s))
            return keyword_bad(call, call->args[1], "a time such as 600 or 1h30m");
    }
    if (o->add_keys_to_agent == OPTION_UNSET && !call->place->is_check_only)
        o->add_keys_lifetime_s = lifetime_s;
    return store_int(call, value);
}

static bool is_variable_name(const char *text)
{
    for (const char *p = text; *p != '\0'; p++)
        if (!((*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z') || *p == '_' ||
                (p > text && *p >= '0' && *p <= '9')))
            return false;
    return *text != '\0';
}

bool set_identity_agent(const struct keyword_call *call)
{
    const char *arg = call->args[0];
    if (arg[0] == '$' && arg[1] != '{' && !is_variable_name(arg + 1))
        return keyword_bad(call, arg, "the name of an environment variable behind the $");
    return store_text(call, arg);
}

/* ProxyCommand and ProxyJump: the first of the two counts, though "none" leaves room for a command
 * behind it. */
bool set_proxy_command(const struct keyword_call *call)
{
    return call->o->jumps.n > 0 || store_text(call, call->args[0]);
}

bool set_proxy_jump(const struct keyword_call *call)
{
    struct options *o = call->o;
    const char *text = call->args[0], *bad;
    struct jump_list jumps = {.n = 0};
    if (strcasecmp(text, "none") != 0) {
        switch (jump_parse(&o->pool, text, &jumps, &bad)) {
        case ERR_OK: break;
        case ERR_NOMEM: return no_memory(call);
        case ERR_LIMIT: return keyword_problem(call, "too many jump hosts (at most 32)");
        default: return keyword_bad(call, bad, NULL);
        }
        text = jump_text(&o->pool, text, &jumps);
        if (text == NULL)
            return no_memory(call);
    }
    if (call->place->is_check_only || o->proxy_jump != NULL || o->proxy_command != NULL)
        return true;
    o->jumps = jumps;
    return store_text(call, text);
}

bool set_identity_file(const struct keyword_call *call)
{
    if (call->o->identity_files.n >= IDENTITY_FILES_MAX && !call->place->is_check_only)
        return keyword_problem(call, "too many identity files (at most 100)");
    return add_text(call, &call->o->identity_files, call->args[0]);
}

bool set_certificate_file(const struct keyword_call *call)
{
    if (call->o->certificate_files.n >= IDENTITY_FILES_MAX && !call->place->is_check_only)
        return keyword_problem(call, "too many certificate files (at most 100)");
    return add_text(call, &call->o->certificate_files, call->args[0]);
}

/* "any" or "none" alone, or HOST:PORT each, either of them "*". */
static bool is_host_port(const char *text)
{
    const char *colon = strrchr(text, ':');
    int port;
    return colon != NULL && colon != text &&
           (strcmp(colon + 1, "*") == 0 || value_port(colon + 1, &port));
}

bool set_permit_remote_open(const struct keyword_call *call)
{
    for (size_t i = 0; i < call->n_args; i++) {
        const char *arg = call->args[i];
        bool is_word = strcasecmp(arg, "any") == 0 || strcasecmp(arg, "none") == 0;
        if (is_word ? call->n_args > 1 : !is_host_port(arg))
            return keyword_bad(call, arg, NULL);
    }
    return store_list(call);
}

static void remove_env(struct text_list *list, const char *pattern)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->n; i++)
        if (!pattern_match(bytes_of(pattern), bytes_of(list->items[i])))
            list->items[kept++] = list->items[i];
    list->n = kept;
}

bool set_send_env(const struct keyword_call *call)
{
    for (size_t i = 0; i < call->n_args; i++)
        if (call->args[i][0] == '\0' || strchr(call->args[i], '=') != NULL)
            return keyword_bad(call, call->args[i], NULL);
    for (size_t i = 0; i < call->n_args; i++) {
        if (call->args[i][0] != '-') {
            if (!add_text(call, &call->o->send_env, call->args[i]))
                return false;
        } else if (!call->place->is_check_only) {
            remove_env(&call->o->send_env, call->args[i] + 1);
        }
    }
    return true;
}

bool set_set_env(const struct keyword_call *call)
{
    for (size_t i = 0; i < call->n_args; i++) {
        const char *equals = strchr(call->args[i], '=');
        if (equals == NULL || equals == call->args[i])
            return keyword_bad(call, call->args[i], NULL);
    }
    return store_list(call);
}

/* ---- forwards -------------------------------------------------------------------------------- */

static const char *variable(void *arg, const char *name)
{
    const struct environment *env = arg;
    return env->get(name);
}

static bool has_forward(const struct options *o, const struct forward_spec *spec)
{
    for (size_t i = 0; i < o->n_forwards; i++)
        if (forward_spec_equal(&o->forwards[i], spec))
            return true;
    return false;
}

static bool grow_forwards(struct options *o)
{
    if (o->n_forwards < o->forwards_cap)
        return true;
    size_t cap = o->forwards_cap == 0 ? 8 : 2 * o->forwards_cap;
    struct forward_spec *more = realloc(o->forwards, cap * sizeof *more);
    if (more == NULL)
        return false;
    o->forwards = more;
    o->forwards_cap = cap;
    return true;
}

bool options_add_forward(struct options *o, struct forward_spec *spec)
{
    bool ok = true;
    if (has_forward(o, spec)) {
        forward_spec_free(spec);
    } else if (o->n_forwards >= FORWARDS_MAX || !grow_forwards(o)) {
        log_error("%s %s: %s", forward_kind_option(spec->kind), log_escape_cstr(spec->text).s,
            o->n_forwards >= FORWARDS_MAX ? "too many forwards (at most 1000)" : "out of memory");
        forward_spec_free(spec);
        ok = false;
    } else {
        o->forwards[o->n_forwards++] = *spec;
        memset(spec, 0, sizeof *spec);
    }
    return ok;
}

/* The letter options hand the whole spec over; a config line has two halves. */
bool set_forward(const struct keyword_call *call)
{
    const enum forward_kind *kind = call->keyword->detail;
    struct environment *env = (struct environment *)(uintptr_t)call->o->env;
    struct forward_lookup lookup = forward_lookup_system();
    lookup.variable = variable; /* the environment is the caller's */
    lookup.arg = env;
    struct forward_spec spec;
    char why[600];
    bool is_letter = call->place->option != NULL && strcmp(call->place->option, "-o") != 0;
    const char *target = call->n_args > 1 ? call->args[1] : NULL;
    enum err e = is_letter
                     ? forward_spec_parse(*kind, call->args[0], &lookup, &spec, why, sizeof why)
                     : forward_spec_parse_config(
                           *kind, call->args[0], target, &lookup, &spec, why, sizeof why);
    if (e == ERR_NOMEM)
        return no_memory(call);
    if (e != ERR_OK && is_letter)
        log_error("%s", why);
    else if (e != ERR_OK)
        return keyword_problem(call, why);
    if (e != ERR_OK)
        return false;
    if (call->place->is_check_only) {
        forward_spec_free(&spec);
        return true;
    }
    return options_add_forward(call->o, &spec);
}
