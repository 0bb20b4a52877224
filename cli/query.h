/* -Q: which algorithms this program has, one a line, by the names that ssh -Q knows. */
#ifndef CLI_QUERY_H
#define CLI_QUERY_H

#include "cli/environment.h"

/* The lines, NULL-terminated text with a newline behind each; "" where there are none of the kind.
 * NULL: nobody knows that query (a message with those there are was logged), or no memory. The
 * caller frees it. */
char *query_dup(const struct environment *env, const char *name);

#endif
