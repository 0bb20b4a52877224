#include "cli/jump.h"

#include <string.h>
#include <strings.h>

#include "cli/options_destination.h"
#include "cli/values.h"

enum { SSH_PORT = 22 };

/* ---- the list -------------------------------------------------------------------------------- */

/* Where the list is handed on, a comma would begin another element, and a scheme another form. */
static bool user_is_sane(const char *user)
{
    return options_user_is_sane(user) && strchr(user, ',') == NULL &&
           strncmp(user, "ssh://", 6) != 0;
}

/* And these would make another destination of it: a token may stand for them, or one bracket too
 * many. */
static bool host_is_sane(const char *host)
{
    return options_host_is_sane(host) && strpbrk(host, "[]@") == NULL;
}

static enum err parse_one(struct pool *pool, const char *text, struct destination *d)
{
    enum err e = destination_parse(pool, text, DESTINATION_WITH_PORT, d);
    if (e == ERR_OK && (!host_is_sane(d->host) || (d->user != NULL && !user_is_sane(d->user))))
        return ERR_MALFORMED;
    return e;
}

enum err jump_parse(struct pool *pool, const char *text, struct jump_list *list, const char **bad)
{
    struct jump_list fresh = {.items = pool_alloc(pool, JUMPS_MAX * sizeof *fresh.items)};
    if (fresh.items == NULL)
        return ERR_NOMEM;
    for (;;) {
        size_t n = strcspn(text, ",");
        const char *element = pool_strndup(pool, text, n);
        if (element == NULL)
            return ERR_NOMEM;
        if (fresh.n == JUMPS_MAX)
            return ERR_LIMIT;
        *bad = element;
        enum err e = parse_one(pool, element, &fresh.items[fresh.n++]);
        if (e != ERR_OK)
            return e;
        if (text[n] == '\0')
            break;
        text += n + 1;
    }
    *list = fresh;
    return ERR_OK;
}

/* [user@]host[:port] */
static const char *plain(struct pool *pool, const struct destination *d)
{
    bool is_v6 = strchr(d->host, ':') != NULL;
    const char *host = is_v6 ? pool_printf(pool, "[%s]", d->host) : d->host;
    if (host == NULL)
        return NULL;
    const char *user = d->user != NULL ? d->user : "", *at = d->user != NULL ? "@" : "";
    return d->port != 0 ? pool_printf(pool, "%s%s%s:%d", user, at, host, d->port)
                        : pool_printf(pool, "%s%s%s", user, at, host);
}

const char *jump_text(struct pool *pool, const char *text, const struct jump_list *list)
{
    const char *comma = strrchr(text, ',');
    const char *last = plain(pool, &list->items[list->n - 1]);
    if (last == NULL || comma == NULL)
        return last;
    return pool_printf(pool, "%.*s%s", (int)(comma + 1 - text), text, last);
}

/* ---- tokens ---------------------------------------------------------------------------------- */

static bool no_memory(void)
{
    log_error("out of memory");
    return false;
}

/* What a token stands for is checked like what was typed: nothing may come in by it. */
static bool expand_part(struct options *o, const struct expand *tokens, const char **part,
    bool (*is_sane)(const char *))
{
    const char *why, *expanded = expand(&o->pool, tokens, *part, &why);
    if (expanded == NULL) {
        log_error("ProxyJump: cannot expand \"%s\": %s", log_escape_cstr(*part).s, why);
        return false;
    }
    if (!is_sane(expanded)) {
        log_error("ProxyJump: \"%s\" contains invalid characters", log_escape_cstr(expanded).s);
        return false;
    }
    *part = expanded;
    return true;
}

static bool expand_all(struct options *o, const struct expand *tokens)
{
    for (size_t i = 0; i < o->jumps.n; i++) {
        struct destination *d = &o->jumps.items[i];
        if (!expand_part(o, tokens, &d->host, host_is_sane) ||
            (d->user != NULL && !expand_part(o, tokens, &d->user, user_is_sane)))
            return false;
    }
    return true;
}

/* ---- loops ----------------------------------------------------------------------------------- */

/* By the name that we were given, the jump's adit finds in the config files what we found there,
 * and this jump too: only the command line is ours alone. By our HostName it may find anything;
 * then a port that is not said is the usual one, as in ssh. */
static bool is_ourselves(const struct options *o, const struct destination *d)
{
    int usual = d->port != 0 ? d->port : SSH_PORT;
    int found = d->port == 0 && !o->port_is_literal ? o->port : usual;
    bool same_name = strcasecmp(d->host, o->host_arg) == 0 && found == o->port;
    bool same_address = strcasecmp(d->host, o->host) == 0 && usual == o->port;
    return (same_name || same_address) && (d->user == NULL || strcmp(d->user, o->user) == 0);
}

static int depth(const struct options *o)
{
    const char *text = o->env->get(JUMP_DEPTH_VARIABLE);
    int n;
    return text != NULL && value_int(text, 0, JUMPS_MAX, &n) ? n : 0;
}

/* Two hosts that are each other's jumps are seen only by the length of the chain. */
static bool has_end(struct options *o)
{
    const struct destination *last = &o->jumps.items[o->jumps.n - 1];
    if (is_ourselves(o, last)) {
        log_error("ProxyJump: jumphost loop via %s: it is the destination itself",
            log_escape_cstr(last->host).s);
        return false;
    }
    o->jump_depth = depth(o) + 1;
    if (o->jump_depth > JUMPS_MAX) {
        log_error("ProxyJump: jumphost loop via %s: more than %d jumps behind one another",
            log_escape_cstr(last->host).s, JUMPS_MAX);
        return false;
    }
    return true;
}

/* ---- the command ----------------------------------------------------------------------------- */

/* A line for the shell that grows by words. text is NULL once there was no memory. */
struct line {
    struct pool *pool;
    const char *text;
};

/* The word as it stands, whatever the shell is: between single quotes none acts on anything, and a
 * single quote itself goes between them, behind a backslash. */
static const char *quoted(struct pool *pool, const char *word)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "+,-./:@_";
    enum { PER_BYTE = 4 };
    size_t n = strlen(word);
    if (n > 0 && word[strspn(word, safe)] == '\0')
        return word;
    char *text = pool_alloc(pool, PER_BYTE * n + 3), *out = text;
    if (text == NULL)
        return NULL;
    *out++ = '\'';
    for (const char *p = word; *p != '\0'; p++) {
        if (*p == '\'') {
            memcpy(out, "'\\''", PER_BYTE);
            out += PER_BYTE;
        } else {
            *out++ = *p;
        }
    }
    *out++ = '\'';
    return text;
}

static void add(struct line *line, const char *word)
{
    const char *q = word != NULL ? quoted(line->pool, word) : NULL;
    if (line->text != NULL)
        line->text = q != NULL ? pool_printf(line->pool, "%s %s", line->text, q) : NULL;
}

static void add_option(struct line *line, const char *option, const char *value)
{
    add(line, option);
    add(line, value);
}

/* The adit that reads the list looks for tokens in it once more. */
static const char *without_tokens(struct pool *pool, const char *text)
{
    if (text == NULL || strchr(text, '%') == NULL)
        return text;
    char *copy = pool_alloc(pool, 2 * strlen(text) + 1), *out = copy;
    for (; copy != NULL && *text != '\0'; text++) {
        *out++ = *text;
        if (*text == '%')
            *out++ = '%';
    }
    return copy;
}

/* The first n of the jumps, as a list. */
static const char *list_of(struct options *o, size_t n)
{
    const char *list = NULL;
    for (size_t i = 0; i < n; i++) {
        const char *one = without_tokens(&o->pool, plain(&o->pool, &o->jumps.items[i]));
        if (one == NULL)
            return NULL;
        list = i == 0 ? one : pool_printf(&o->pool, "%s,%s", list, one);
        if (list == NULL)
            return NULL;
    }
    return list;
}

static const char *command(struct options *o)
{
    size_t n_before = o->jumps.n - 1;
    const struct destination *last = &o->jumps.items[n_before];
    struct line line = {.pool = &o->pool, .text = "exec"}; /* see finish_proxy() */
    add(&line, o->env->program[0] != '\0' ? o->env->program : "adit");
    if (n_before > 0)
        add_option(&line, "-J", list_of(o, n_before));
    if (last->user != NULL)
        add_option(&line, "-l", last->user);
    if (last->port != 0)
        add_option(&line, "-p", pool_printf(&o->pool, "%d", last->port));
    if (o->config_file != NULL)
        add_option(&line, "-F", o->config_file);
    for (int i = 0; i < o->verbose; i++)
        add(&line, "-v");
    add_option(&line, "-W", pool_printf(&o->pool, "[%s]:%d", o->host, o->port));
    add_option(&line, "--", last->host);
    return line.text;
}

bool jump_finish(struct options *o, const struct expand *tokens)
{
    if (o->jumps.n == 0)
        return true;
    if (!expand_all(o, tokens) || !has_end(o))
        return false;
    o->proxy_line = command(o);
    return o->proxy_line != NULL || no_memory();
}
