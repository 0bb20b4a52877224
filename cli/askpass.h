/* The program that asks in a window of its own, as ssh(1) has it under SSH_ASKPASS. Its answer is
 * what it prints; it says no by its exit status. */
#ifndef CLI_ASKPASS_H
#define CLI_ASKPASS_H

#include <stdbool.h>
#include <stddef.h>

enum askpass_use {
    ASKPASS_NEVER,
    ASKPASS_INSTEAD, /* where there is no terminal, and a display (or SSH_ASKPASS_REQUIRE) */
    ASKPASS_FIRST,   /* whether or not there is a terminal */
};

/* From SSH_ASKPASS_REQUIRE, DISPLAY and WAYLAND_DISPLAY. */
enum askpass_use askpass_use(void);

/* Runs $SSH_ASKPASS, or the default, with prompt as its argument and hint as SSH_ASKPASS_PROMPT
 * (NULL: none). out gets its first line; returns its length, or -1: no such program, no by status,
 * or longer than cap - 1. out is wiped then. Waits for the program. */
long askpass_run(const char *prompt, const char *hint, char *out, size_t cap);

#endif
