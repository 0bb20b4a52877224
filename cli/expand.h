/* Tokens in option values: %h and its kin, ${VARIABLE}, a leading ~ (ssh_config(5), TOKENS and
 * ENVIRONMENT VARIABLES). */
#ifndef CLI_EXPAND_H
#define CLI_EXPAND_H

#include "cli/environment.h"
#include "cli/pool.h"

struct expand_token {
    char letter;       /* 'h' */
    const char *value; /* never NULL */
};

struct expand {
    const struct environment *env;
    const struct expand_token *tokens; /* "%%" is always there; without tokens % is an ordinary
                                        * character */
    size_t n_tokens;
    bool variables; /* ${NAME} */
    bool tilde;     /* "~" and "~/..." at the start; "~user" through the password database */
};

enum { EXPAND_MAX = 8192 }; /* bytes of a result */

/* The expanded text, in pool; NULL when it cannot be done, and *why is then a static phrase:
 * "unknown token", "variable is not set", "too long", ... */
const char *expand(struct pool *pool, const struct expand *e, const char *text, const char **why);

#endif
