/* A pseudo-terminal for tests: `far` is what a person holds, `near` what a program has. */
#ifndef TESTS_UNIT_CLI_TERMINAL_H
#define TESTS_UNIT_CLI_TERMINAL_H

#include <stdbool.h>
#include <termios.h>

struct terminal {
    int far, near;
    char name[64]; /* of the near side */
};

struct terminal terminal_new(void); /* aborts when there is none to be had */
void terminal_free(struct terminal *t);

struct termios terminal_modes(const struct terminal *t);
bool terminal_has_modes(const struct terminal *t, const struct termios *expected);

#endif
