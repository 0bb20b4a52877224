/* The small grammars of ssh_config values. Every function gives false for text that is not wholly
 * of its grammar, and then leaves its output alone. */
#ifndef CLI_VALUES_H
#define CLI_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/pool.h"

/* A word of a small table, any case. */
struct value_word {
    const char *name; /* NULL ends the table */
    int value;
};
bool value_word(const char *text, const struct value_word *table, int *out);

/* A decimal number in min..max. */
bool value_int(const char *text, int min, int max, int *out);
/* 1..65535, or the name of a TCP service. */
bool value_port(const char *text, int *out);
/* Seconds, or a sum of numbers with units, "1h30m": s, m, h, d, w in any case. */
bool value_time(const char *text, int *seconds);
/* Bytes, with K, M or G behind (1024 each), any case. */
bool value_size(const char *text, int64_t *bytes);
/* IPQoS: a number 0..255 as C writes them, the name of a class, or "none", which is none. */
bool value_qos(const char *text, int none, int *out);
/* The first name that means n; NULL: it is a number only. */
const char *value_qos_name(int n);
/* EscapeChar: one character, ^X, or "none", which is none. */
bool value_escape(const char *text, int none, int *out);

/* Names of algorithms as ssh_config has them, resolved to a list of ours.
 *   text   "a,b": exactly these; "+a": ours and then these; "-a": ours without these; "^a": these,
 *          then the others of ours. Names behind + - ^ may be patterns.
 *   ours   what this program uses by itself, in order of preference
 *   all    every name it has: ours and those that must be named
 *   out    a list of ours' names, no name twice, owned by pool
 *   unknown  out: the first name that neither ours nor any ssh has, in pool; NULL when all are
 *          known. Names that only ssh has are left out of the result: skipped lists them.
 * Gives VALUE_NONE when nothing is left. */
enum value_list { VALUE_LIST_OK, VALUE_LIST_UNKNOWN, VALUE_LIST_NONE, VALUE_LIST_NOMEM };
enum value_list value_algorithms(struct pool *pool, const char *text, const char *ours,
    const char *all, const char **out, const char **unknown, struct text_list *skipped);

#endif
