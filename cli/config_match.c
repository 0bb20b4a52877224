#include "cli/config_match.h"

#include <string.h>
#include <strings.h>

#include "cli/log.h"
#include "proto/known_hosts.h"

static enum config_match bad(const char *where, const char *keyword, const char *problem)
{
    log_error("%s: %s: %s", where, keyword, problem);
    return CONFIG_MATCH_BAD;
}

enum config_match config_host(
    const char *where, const char *name, const char *const *args, size_t n_args)
{
    enum config_match result = CONFIG_MATCH_NO;
    for (size_t i = 0; i < n_args; i++) {
        bool is_negated = args[i][0] == '!';
        const char *pattern = args[i] + (is_negated ? 1 : 0);
        if (*pattern == '\0')
            return bad(where, "Host", "empty pattern");
        if (!pattern_match(bytes_of(pattern), bytes_of(name)))
            continue;
        if (is_negated)
            return CONFIG_MATCH_NO;
        result = CONFIG_MATCH_YES;
    }
    return result;
}

enum criterion_kind {
    CRITERION_TEXT,    /* a pattern list against a fact */
    CRITERION_PASS,    /* final, canonical: no argument */
    CRITERION_UNKNOWN, /* known to ssh only */
};
struct criterion {
    const char *name;
    enum criterion_kind kind;
    size_t fact; /* offsetof in struct config_facts */
    bool may_be_empty;
};

#define FACT(f) .kind = CRITERION_TEXT, .fact = offsetof(struct config_facts, f)
static const struct criterion criteria[] = {
    {"host", FACT(host)},
    {"originalhost", FACT(original_host)},
    {"user", FACT(user)},
    {"localuser", FACT(local_user)},
    {"tagged", FACT(tag), .may_be_empty = true},
    {"command", FACT(command), .may_be_empty = true},
    {"sessiontype", FACT(session_type)},
    {"final", .kind = CRITERION_PASS},
    {"canonical", .kind = CRITERION_PASS},
    {"exec", .kind = CRITERION_UNKNOWN},
    {"localnetwork", .kind = CRITERION_UNKNOWN},
    {"version", .kind = CRITERION_UNKNOWN},
};

/* "user" or "user=..."; n is the length of the name. */
static const struct criterion *find(const char *word, size_t n)
{
    for (size_t i = 0; i < sizeof criteria / sizeof criteria[0]; i++)
        if (strlen(criteria[i].name) == n && strncasecmp(criteria[i].name, word, n) == 0)
            return &criteria[i];
    return NULL;
}

/* The words of the line, read one after another. */
struct walk {
    const char *const *args;
    size_t n, at;
};

/* NULL when there is none: "user root" and "user=root" are the same. */
static const char *take_argument(struct walk *w, const char *word, size_t name_n)
{
    if (word[name_n] == '=')
        return word + name_n + 1;
    return w->at < w->n ? w->args[w->at++] : NULL;
}

static bool text_holds(const struct config_facts *facts, const struct criterion *c, const char *arg)
{
    const char *fact = *(const char *const *)((const char *)facts + c->fact);
    if (*fact == '\0') /* an empty tag or command is met by an empty argument only */
        return *arg == '\0';
    return pattern_list_match(bytes_of(arg), bytes_of(fact));
}

static bool pass_holds(const struct config_facts *facts, const struct criterion *c, bool is_negated)
{
    if (strcmp(c->name, "final") == 0 && !is_negated)
        *facts->wants_final = true;
    return facts->is_final;
}

/* One criterion; *holds is the outcome, its negation taken into account. */
static enum config_match check_one(const struct config_facts *facts, struct walk *w, bool *holds)
{
    const char *word = w->args[w->at++];
    bool is_negated = *word == '!';
    word += is_negated ? 1 : 0;
    size_t n = strcspn(word, "=");
    const struct criterion *c = find(word, n);
    if (c == NULL)
        return bad(facts->where, "Match unknown criterion", log_escape_cstr(word).s);
    if (c->kind == CRITERION_PASS) {
        *holds = pass_holds(facts, c, is_negated) != is_negated;
        return CONFIG_MATCH_YES;
    }
    const char *arg = take_argument(w, word, n);
    if (arg == NULL || (*arg == '\0' && !c->may_be_empty))
        return bad(facts->where, "Match expected an argument after", c->name);
    if (c->kind == CRITERION_TEXT)
        *holds = text_holds(facts, c, arg) != is_negated;
    else
        *holds = false;
    return c->kind == CRITERION_TEXT ? CONFIG_MATCH_YES : CONFIG_MATCH_NO;
}

enum config_match config_match(
    const struct config_facts *facts, const char *const *args, size_t n_args)
{
    struct walk w = {.args = args, .n = n_args};
    bool all_hold = true;
    if (n_args == 1 && strcasecmp(args[0], "all") == 0)
        return CONFIG_MATCH_YES;
    if (n_args == 1 && strcasecmp(args[0], "!all") == 0)
        return CONFIG_MATCH_NO;
    while (w.at < n_args) {
        const char *word = args[w.at];
        bool holds = false;
        /* ssh takes "all" behind final and canonical too, where it changes nothing. */
        if (w.at == 1 && w.at + 1 == n_args && strcasecmp(word, "all") == 0)
            break;
        enum config_match status = check_one(facts, &w, &holds);
        if (status == CONFIG_MATCH_BAD)
            return status;
        if (status == CONFIG_MATCH_NO && all_hold && !facts->is_quiet)
            log_info("warning: %s: Match %s: not supported by adit yet, the block is not applied",
                facts->where, log_escape_cstr(word).s);
        all_hold = all_hold && holds;
    }
    return all_hold ? CONFIG_MATCH_YES : CONFIG_MATCH_NO;
}
