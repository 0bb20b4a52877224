/* Asking the person: passwords, passphrases, yes or no. On the terminal (/dev/tty, whatever stdin
 * is), or through the program of SSH_ASKPASS when there is none (or SSH_ASKPASS_REQUIRE says so),
 * as ssh(1) has it. Blocks; used before and during login only.
 *
 * A signal that ends the program while echo is off finds the terminal restored first. */
#ifndef CLI_PROMPT_H
#define CLI_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

enum prompt_kind {
    PROMPT_SECRET,  /* echo off; SSH_ASKPASS may be used */
    PROMPT_ECHO,    /* an answer that may be seen */
    PROMPT_CONFIRM, /* yes/no: SSH_ASKPASS_PROMPT=confirm */
};

/* Shows prompt (escaped by the caller where it is foreign text) and reads one line into out,
 * NUL-terminated, without its newline. Returns its length; -1 when there is nobody to ask, the
 * answer was an end of file, or the line is longer than cap - 1 (then nothing of it is kept). out
 * is the caller's to wipe. */
long prompt_ask(enum prompt_kind kind, const char *prompt, char *out, size_t cap);

/* For BatchMode: every prompt_ask() from now on is -1 and shows nothing. */
void prompt_forbid(void);

#endif
