/* The client's run: dial, key exchange, host key, login, forwards, session, end. One connection,
 * one loop; what it decides is here, what it does is in the folders below. */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "cli/options.h"

/* Runs to the end and returns the process's exit status: 255 for every failure of ours, else the
 * remote command's. Everything was logged. */
int client_run(const struct options *options);

#endif
