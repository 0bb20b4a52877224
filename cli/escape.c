#include "cli/escape.h"

#include <stdio.h>
#include <string.h>

static const struct command {
    uint8_t byte;
    enum escape_action action;
    const char *name; /* as typed */
    const char *help;
} commands[] = {
    {'.', ESCAPE_END, ".", "end the connection, and all forwarded connections in it"},
    {'B', ESCAPE_BREAK, "B", "send a BREAK to the remote system"},
    {'R', ESCAPE_REKEY, "R", "exchange new keys"},
    {'V', ESCAPE_LESS_VERBOSE, "V", "say less (LogLevel)"},
    {'v', ESCAPE_MORE_VERBOSE, "v", "say more (LogLevel)"},
    {0x1a, ESCAPE_SUSPEND, "^Z", "suspend adit"},
    {'#', ESCAPE_LIST, "#", "list the channels of this connection"},
    {'?', ESCAPE_HELP, "?", "this help"},
    {'C', ESCAPE_NOT_HERE, "C", "open a command line (not in adit yet)"},
    {'I', ESCAPE_NOT_HERE, "I", "show the connection (not in adit yet)"},
    {'&', ESCAPE_NOT_HERE, "&", "go to the background (not in adit yet)"},
};
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

struct escape escape_new(int character)
{
    return (struct escape){.character = character, .state = ESCAPE_AT_START};
}

static enum escape_action action_of(uint8_t byte)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (commands[i].byte == byte)
            return commands[i].action;
    return ESCAPE_NONE;
}

/* A byte that goes to the far side. */
static void pass(struct escape *e, uint8_t byte, uint8_t *out, size_t *out_n)
{
    out[(*out_n)++] = byte;
    e->state = byte == '\r' || byte == '\n' ? ESCAPE_AT_START : ESCAPE_IN_LINE;
}

/* The byte behind an escape character. False: it is not used up, since the escape character that
 * was held back goes out first and there may be no room for more. */
static bool after_escape(struct escape *e, uint8_t byte, uint8_t *out, size_t *out_n)
{
    pass(e, (uint8_t)e->character, out, out_n);
    return byte == (uint8_t)e->character; /* typed twice: one is meant */
}

size_t escape_feed(struct escape *e, const uint8_t *in, size_t n, uint8_t *out, size_t cap,
    size_t *out_n, enum escape_action *action, uint8_t *which)
{
    size_t used = 0;
    *out_n = 0;
    *action = ESCAPE_NONE;
    while (used < n && *out_n < cap) {
        uint8_t byte = in[used];
        if (e->state == ESCAPE_SEEN) {
            *action = byte == (uint8_t)e->character ? ESCAPE_NONE : action_of(byte);
            if (*action != ESCAPE_NONE) {
                *which = byte;
                e->state = ESCAPE_AT_START; /* as if nothing had been typed */
                return used + 1;
            }
            used += after_escape(e, byte, out, out_n);
        } else if (e->state == ESCAPE_AT_START && byte == e->character) {
            e->state = ESCAPE_SEEN;
            used++;
        } else {
            pass(e, byte, out, out_n);
            used++;
        }
    }
    return used;
}

bool escape_finish(struct escape *e)
{
    bool was_held = e->state == ESCAPE_SEEN;
    e->state = ESCAPE_IN_LINE;
    return was_held;
}

struct escape_name escape_name(const struct escape *e)
{
    struct escape_name name = {""};
    int c = e->character;
    if (c >= 0 && c < ' ')
        snprintf(name.s, sizeof name.s, "^%c", c + '@');
    else if (c > ' ' && c < 0x7f)
        snprintf(name.s, sizeof name.s, "%c", c);
    else if (c >= 0)
        snprintf(name.s, sizeof name.s, "\\x%02x", (unsigned)c & 0xff);
    return name;
}

size_t escape_help(const struct escape *e, char *out, size_t cap)
{
    struct escape_name name = escape_name(e);
    int n = snprintf(out, cap, "%s?\r\nEscape sequences, at the start of a line:\r\n", name.s);
    for (size_t i = 0; i < N_COMMANDS && n > 0 && (size_t)n < cap; i++)
        n += snprintf(
            out + n, cap - (size_t)n, " %s%-3s %s\r\n", name.s, commands[i].name, commands[i].help);
    if (n > 0 && (size_t)n < cap)
        n += snprintf(out + n, cap - (size_t)n, " %s%-3s send the escape character itself\r\n",
            name.s, name.s);
    return n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
}
