/* -f: into the background once everything is up.
 *
 * The process forks at the start, not at the end: the parent waits and answers for the child, the
 * child does everything (epoll, signalfd and threads do not survive a fork). Prompts still work:
 * parent and child share the terminal until the child is ready. */
#ifndef CLI_BACKGROUND_H
#define CLI_BACKGROUND_H

#include <stdbool.h>

/* Forks. Returns true in the child; the parent never returns: it exits with 0 when the child says
 * it is ready, or else with the child's own status, and hands SIGTERM, SIGINT and SIGHUP on to it.
 * false: the fork failed (errno). */
bool background_begin(void);

/* In the child: leaves the terminal's session, turns stdin, stdout and (unless keep_stderr) stderr
 * into /dev/null, and lets the parent go. Does nothing without background_begin(), or a second
 * time. */
void background_ready(bool keep_stderr);

#endif
