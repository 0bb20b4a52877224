/* The escape character of a session in a terminal: what is typed in, what goes to the far side out.
 * Seen only as the first byte of a line: FORWARDING.md line 65.
 *
 * A pure state machine, so that `~.` can be tried in every cut of its bytes. */
#ifndef CLI_ESCAPE_H
#define CLI_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum escape_action {
    ESCAPE_NONE,
    ESCAPE_END,          /* . */
    ESCAPE_BREAK,        /* B */
    ESCAPE_REKEY,        /* R */
    ESCAPE_MORE_VERBOSE, /* v */
    ESCAPE_LESS_VERBOSE, /* V */
    ESCAPE_SUSPEND,      /* ^Z */
    ESCAPE_LIST,         /* # */
    ESCAPE_HELP,         /* ? */
    ESCAPE_NOT_HERE,     /* one that ssh has and this program has not: C, I, & */
};

struct escape {
    int character; /* the byte, or negative: none, everything passes */
    enum { ESCAPE_AT_START, ESCAPE_IN_LINE, ESCAPE_SEEN } state;
};

struct escape escape_new(int character);

/* Takes from in what it can and writes to out what is for the far side, at most cap bytes; sets
 * *out_n. Stops behind the first action, told in *action, with *which the byte typed for it.
 * Returns how many bytes of in were used: less than n when an action came or out is full. With
 * cap > 0 and n > 0 every call gets on: bytes are used, or written, or both. */
size_t escape_feed(struct escape *e, const uint8_t *in, size_t n, uint8_t *out, size_t cap,
    size_t *out_n, enum escape_action *action, uint8_t *which);

/* Nothing more will be typed. Returns whether an escape character was held back: it is to be sent
 * then, since nothing can follow it. */
bool escape_finish(struct escape *e);

/* The lines for ~?, each ended by CR LF, for a raw terminal. NUL-terminated; returns its length. */
size_t escape_help(const struct escape *e, char *out, size_t cap);
/* The escape character as people write it: "~" or "^]". */
struct escape_name {
    char s[8];
} escape_name(const struct escape *e);

#endif
