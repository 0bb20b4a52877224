#include "cli/config.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cli/config_match.h"
#include "cli/expand.h"
#include "cli/file.h"
#include "cli/keywords.h"

static const char blanks[] = " \t\r\n\f";

/* One run over the files. */
struct reading {
    struct options *o;
    bool is_final;    /* the second run */
    bool wants_final; /* a Match final was met */
    unsigned n_files;
};

/* One file of it. */
struct source {
    struct reading *r;
    const char *path;
    unsigned line;
    unsigned depth;
    bool is_user;    /* not the system's: Includes are relative to ~/.ssh */
    bool is_dormant; /* included where nothing applies: no block of it can */
    bool is_active;  /* lines apply here */
};

/* ---- words ----------------------------------------------------------------------------------- */

const char *config_split(char *line, const char **args, size_t cap, size_t *n_args)
{
    *n_args = 0;
    for (char *s = line;;) {
        s += strspn(s, " \t");
        if (*s == '\0' || *s == '#')
            return NULL;
        if (*n_args == cap)
            return "too many words on the line";
        char *out = s, quote = '\0'; /* out never overtakes s */
        args[(*n_args)++] = out;
        for (; *s != '\0' && (quote != '\0' || (*s != ' ' && *s != '\t')); s++) {
            bool escapes = *s == '\\' && s[1] != '\0' &&
                           (strchr("\\'\"", s[1]) != NULL || (quote == '\0' && s[1] == ' '));
            if (escapes)
                *out++ = *++s;
            else if (quote == '\0' && (*s == '"' || *s == '\''))
                quote = *s;
            else if (quote != '\0' && *s == quote)
                quote = '\0';
            else
                *out++ = *s;
        }
        if (quote != '\0')
            return "a quote is not closed";
        s += *s != '\0' ? 1 : 0;
        *out = '\0';
    }
}

/* Cuts "Keyword = rest" apart; a keyword ends at a blank or one '='. Empty for lines that say
 * nothing, NULL for a value without a keyword. */
static char *cut_keyword(char *line, char **rest)
{
    size_t n = strlen(line);
    while (n > 0 && strchr(blanks, line[n - 1]) != NULL)
        line[--n] = '\0';
    char *keyword = line + strspn(line, blanks);
    if (*keyword == '#')
        *keyword = '\0';
    char *end = keyword + strcspn(keyword, " \t\r\n\f=");
    char *value = end + strspn(end, blanks);
    if (*value == '=')
        value++;
    *rest = value + strspn(value, blanks);
    *end = '\0';
    return *keyword == '\0' && **rest != '\0' ? NULL : keyword;
}

static bool line_problem(const struct option_place *place, const char *keyword, const char *problem)
{
    log_error("%s: %s: %s", option_where(place).text, log_escape_cstr(keyword).s, problem);
    return false;
}

/* A keyword's value as words; for a command, the one rest of the line. */
static bool cut_words(const struct option_place *place, const char *keyword, char *rest,
    const char **args, size_t *n_args)
{
    const struct keyword *k = keyword_find(keyword);
    if (*rest == '\0' && k != NULL)
        return line_problem(place, keyword, "expected an argument");
    if (k != NULL && k->is_raw) {
        args[0] = rest;
        *n_args = 1;
        return true;
    }
    const char *why = config_split(rest, args, CONFIG_ARGS_MAX, n_args);
    if (why != NULL)
        return line_problem(place, keyword, why);
    return true;
}

bool config_line(struct options *o, const struct option_place *place, char *line)
{
    const char *args[CONFIG_ARGS_MAX];
    size_t n_args;
    char *rest, *keyword = cut_keyword(line, &rest);
    if (keyword == NULL || *keyword == '\0') {
        log_error("%s: expected KEYWORD=VALUE", option_where(place).text);
        return false;
    }
    return cut_words(place, keyword, rest, args, &n_args) &&
           options_set(o, place, keyword, args, n_args);
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static const char *or_empty(const char *s)
{
    return s == NULL ? "" : s;
}

/* The host as far as it is known: HostName with its %h, or what was typed. */
static const char *current_host(struct options *o)
{
    struct expand_token h = {'h', o->host_arg};
    struct expand e = {.env = o->env, .tokens = &h, .n_tokens = 1};
    const char *why;
    const char *host = o->host == NULL ? NULL : expand(&o->pool, &e, o->host, &why);
    return host != NULL ? host : o->host_arg;
}

static enum config_match match_block(
    struct source *s, const char *where, const char *const *args, size_t n_args)
{
    struct options *o = s->r->o;
    struct config_facts facts = {.host = current_host(o),
        .original_host = o->host_arg,
        .user = o->user != NULL ? o->user : o->env->user,
        .local_user = o->env->user,
        .tag = or_empty(o->tag),
        .command = or_empty(o->command),
        .session_type = o->session_type == SESSION_NONE        ? "none"
                        : o->session_type == SESSION_SUBSYSTEM ? "subsystem"
                        : o->command != NULL                   ? "exec"
                                                               : "shell",
        .is_final = s->r->is_final,
        .wants_final = &s->r->wants_final,
        .where = where,
        .is_quiet = s->is_dormant || s->r->is_final};
    return config_match(&facts, args, n_args);
}

static bool begin_block(struct source *s, const struct option_place *place, bool is_host,
    const char *const *args, size_t n_args)
{
    struct option_where where = option_where(place);
    struct options *o = s->r->o;
    enum config_match m;
    if (is_host)
        m = config_host(where.text, s->r->is_final ? current_host(o) : o->host_arg, args, n_args);
    else
        m = match_block(s, where.text, args, n_args);
    s->is_active = m == CONFIG_MATCH_YES && !s->is_dormant;
    if (s->is_active)
        log_debug("%s: applies to %s", where.text, o->host_arg);
    return m != CONFIG_MATCH_BAD;
}

/* ---- files ----------------------------------------------------------------------------------- */

static bool read_file(struct source *s, enum file_check check, bool must_exist);

/* What an Include may name, as far as it is known by now. */
static const char *expand_include(const struct source *s, const char *path, const char **why)
{
    struct options *o = s->r->o;
    const struct expand_token tokens[] = {{'d', o->env->home}, {'h', current_host(o)},
        {'l', o->env->host}, {'n', o->host_arg}, {'u', o->env->user}};
    struct expand e = {.env = o->env,
        .tokens = tokens,
        .n_tokens = sizeof tokens / sizeof tokens[0],
        .variables = true,
        .tilde = s->is_user};
    return expand(&o->pool, &e, path, why);
}

/* Where an Include leads to: from ~/.ssh for the user's files, from /etc/ssh for the system's. */
static const char *include_path(const struct source *s, const char *arg, const char **why)
{
    struct options *o = s->r->o;
    if (*arg == '~' && !s->is_user) {
        *why = "a path in the system's file cannot start with ~";
        return NULL;
    }
    const char *path = arg;
    if (*arg != '/' && *arg != '~')
        path = s->is_user ? pool_printf(&o->pool, "~/.ssh/%s", arg)
                          : pool_printf(&o->pool, "%s/%s", o->env->system_dir, arg);
    *why = "out of memory";
    return path == NULL ? NULL : expand_include(s, path, why);
}

static bool include_files(struct source *s, const char *const *paths, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct source inner = {.r = s->r,
            .path = paths[i],
            .depth = s->depth + 1,
            .is_user = s->is_user,
            .is_dormant = !s->is_active,
            .is_active = s->is_active};
        if (!read_file(&inner, FILE_OWNED, false))
            return false;
    }
    return true;
}

/* A pattern that meets no file is fine: that is how drop-in folders start. */
static bool include(
    struct source *s, const struct option_place *place, const char *const *args, size_t n_args)
{
    for (size_t i = 0; i < n_args; i++) {
        const char *why = "empty path";
        const char *path = *args[i] == '\0' ? NULL : include_path(s, args[i], &why);
        if (path == NULL)
            return line_problem(place, "Include", why);
        glob_t found = {.gl_pathc = 0};
        int status = glob(path, 0, NULL, &found);
        bool ok = status == 0 || status == GLOB_NOMATCH;
        if (!ok)
            line_problem(place, "Include", "cannot list the files");
        ok = ok && include_files(s, (const char *const *)found.gl_pathv, found.gl_pathc);
        globfree(&found);
        if (!ok)
            return false;
    }
    return true;
}

static bool read_line(struct source *s, char *line)
{
    const char *args[CONFIG_ARGS_MAX];
    size_t n_args;
    struct option_place place = {.file = s->path,
        .line = s->line,
        .is_check_only = !s->is_active,
        .is_repeat = s->r->is_final};
    char *rest, *keyword = cut_keyword(line, &rest);
    if (keyword == NULL)
        return line_problem(&place, "=", "expected a keyword before it");
    if (*keyword == '\0')
        return true;
    if (!cut_words(&place, keyword, rest, args, &n_args))
        return false;
    const struct keyword *k = keyword_find(keyword);
    if (k == NULL || k->kind != KEYWORD_BLOCK)
        return options_set(s->r->o, &place, keyword, args, n_args);
    if (n_args == 0)
        return line_problem(&place, k->name, "expected an argument");
    if (strcmp(k->name, "Include") == 0)
        return include(s, &place, args, n_args);
    return begin_block(s, &place, strcmp(k->name, "Host") == 0, args, n_args);
}

static bool read_text(struct source *s, struct bytes text)
{
    char line[CONFIG_LINE_MAX + 1];
    struct bytes raw;
    while (file_next_line(&text, &raw)) {
        s->line++;
        const char *problem = NULL;
        if (raw.n > CONFIG_LINE_MAX)
            problem = "line too long";
        else if (raw.n > 0 && memchr(raw.p, '\0', raw.n) != NULL)
            problem = "line holds a NUL byte";
        if (problem != NULL) {
            log_error("%s line %u: %s", log_escape_cstr(s->path).s, s->line, problem);
            return false;
        }
        if (raw.n > 0)
            memcpy(line, raw.p, raw.n);
        line[raw.n] = '\0';
        if (!read_line(s, line))
            return false;
    }
    return true;
}

static bool file_problem(const char *path, const char *problem)
{
    log_error("config file %s: %s", log_escape_cstr(path).s, problem);
    return false;
}

static bool read_file(struct source *s, enum file_check check, bool must_exist)
{
    if (s->depth > CONFIG_INCLUDE_DEPTH)
        return file_problem(s->path, "too many levels of Include");
    if (++s->r->n_files > CONFIG_INCLUDE_FILES)
        return file_problem(s->path, "too many files by Include");
    struct file_rules rules = {
        .max_bytes = CONFIG_FILE_MAX, .check = check, .uid = s->r->o->env->uid};
    struct file f;
    bool ok = false;
    switch (file_read(&f, s->path, &rules)) {
    case FILE_OK:
        log_debug("Reading configuration data %s", log_escape_cstr(s->path).s);
        ok = read_text(s, (struct bytes){f.data, f.n});
        break;
    case FILE_MISSING: ok = !must_exist || file_problem(s->path, f.why); break;
    case FILE_BAD_OWNER:
        file_problem(s->path, "Bad owner or permissions (expected the user's or root's own, not "
                              "writable by others)");
        break;
    case FILE_TOO_OPEN:
    case FILE_FAILED: file_problem(s->path, f.why); break;
    }
    file_free(&f);
    return ok;
}

/* ---- the usual files ------------------------------------------------------------------------- */

static bool read_all(struct reading *r)
{
    struct options *o = r->o;
    struct source source = {.r = r, .is_user = true, .is_active = true};
    if (o->config_file != NULL) {
        source.path = o->config_file;
        return strcasecmp(o->config_file, "none") == 0 || read_file(&source, FILE_ANY, true);
    }
    source.path = pool_printf(&o->pool, "%s/.ssh/config", o->env->home);
    struct source system = {.r = r, .is_active = true};
    system.path = pool_printf(&o->pool, "%s/ssh_config", o->env->system_dir);
    if (source.path == NULL || system.path == NULL) {
        log_error("out of memory");
        return false;
    }
    bool has_home = o->env->home[0] != '\0';
    return (!has_home || read_file(&source, FILE_OWNED, false)) &&
           read_file(&system, FILE_ANY, false);
}

bool config_load(struct options *o)
{
    struct reading first = {.o = o};
    if (!read_all(&first))
        return false;
    if (!first.wants_final)
        return true;
    log_debug("reading the configuration again, for Match final");
    struct reading second = {.o = o, .is_final = true};
    return read_all(&second);
}

bool config_text(struct options *o, struct bytes text, const char *name)
{
    struct reading r = {.o = o};
    struct source s = {.r = &r, .path = name, .is_user = true, .is_active = true};
    return read_text(&s, text);
}
