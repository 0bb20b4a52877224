/* What a long-lived network program sets for itself before anything else. */
#ifndef CLI_PROCESS_H
#define CLI_PROCESS_H

#include <stdbool.h>

/* SIGPIPE ignored, no core dumps (they would hold keys), the limit of open files raised to its hard
 * limit, descriptors 0-2 open (a socket must never become stdout), libsodium ready. false: logged.
 */
bool process_begin(void);

/* In a child, between fork() and exec(): signals as a program expects to find them. Safe there, in
 * a program with threads too. */
void process_after_fork(void);

#endif
