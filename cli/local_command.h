/* LocalCommand: something of the user's own, done here once the login is through. */
#ifndef CLI_LOCAL_COMMAND_H
#define CLI_LOCAL_COMMAND_H

#include "cli/options.h"

/* Runs o->local_command, if there is one, in the user's shell, on our stdin, stdout and stderr, and
 * waits for its end, as ssh does. How it ends changes nothing. */
void local_command_run(const struct options *o);

#endif
