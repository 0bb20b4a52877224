/* What a long-lived network program sets for itself before anything else. */
#ifndef CLI_PROCESS_H
#define CLI_PROCESS_H

#include <stdbool.h>

#include "cli/environment.h"

/* SIGPIPE ignored, no core dumps (they would hold keys), the limit of open files raised to its hard
 * limit, descriptors 0-2 open (a socket must never become stdout), libsodium ready. false: logged.
 */
bool process_begin(void);

/* In a child, between fork() and exec(): signals as a program expects to find them. Safe there, in
 * a program with threads too. */
void process_after_fork(void);
/* The user's shell, for their own commands; and what becomes it, in a child. */
const char *process_shell(const struct environment *env);
_Noreturn void process_become_shell(const char *shell, const char *line);

#endif
