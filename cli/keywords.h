/* One table of every keyword ssh_config has (OpenSSH up to 10.x, its obsolete ones included), and
 * what adit does with each. */
#ifndef CLI_KEYWORDS_H
#define CLI_KEYWORDS_H

#include "cli/options.h"

enum { KEYWORD_ARGS_MANY = 1000 };

enum keyword_kind {
    KEYWORD_BLOCK, /* Host, Match, Include: config.c's own */
    KEYWORD_SET,   /* supported: set() stores it */
    KEYWORD_LATER, /* ssh has it, adit not yet: a notice at -v */
    KEYWORD_WARN,  /* the same, but leaving it out is felt: a warning, unless the value is off */
    KEYWORD_OLD,   /* deprecated or gone in ssh too: a notice at -v */
};

struct keyword;

/* What a setter is told. */
struct keyword_call {
    struct options *o;
    const struct keyword *keyword;
    const struct option_place *place;
    const char *const *args;
    size_t n_args;
};

struct keyword {
    const char *name; /* as ssh_config(5) spells it */
    enum keyword_kind kind;
    bool (*set)(const struct keyword_call *call); /* KEYWORD_SET */
    size_t field;                                 /* offsetof in struct options, for set */
    const void *detail; /* what set needs besides: a table of words, a range, ... */
    const char *wanted; /* what a value looks like, for messages: "yes or no" */
    const char *off;    /* KEYWORD_WARN: the value that asks for nothing ("none", "no") */
    size_t max_args;    /* 0 means 1 */
    bool is_raw;        /* the rest of the line is the value, quotes and all */
};

/* Any case; NULL: neither ssh nor adit has it. */
const struct keyword *keyword_find(const char *name);
/* All of them, for -G and tests. */
const struct keyword *keyword_table(size_t *n);

/* Logs "WHERE: KEYWORD: bad value "VALUE": expected WANTED" and returns false; wanted NULL: the
 * table's. */
bool keyword_bad(const struct keyword_call *call, const char *value, const char *wanted);
/* Logs "WHERE: KEYWORD: PROBLEM" and returns false. */
bool keyword_problem(const struct keyword_call *call, const char *problem);

#endif