/* The destination of the command line. */
#ifndef CLI_OPTIONS_DESTINATION_H
#define CLI_OPTIONS_DESTINATION_H

#include "cli/options.h"

/* The remote user by -l or in the destination: the first one given counts. false, and no message:
 * it is no user name, or there is no memory. */
bool options_set_login(struct options *o, const char *user);

/* "[user@]host", or "ssh://[user[;parameters]@]host[:port][/]"; an IPv6 address may stand in
 * brackets. Fills host_arg, and user and port where they are not set yet. false: a message was
 * logged. */
bool options_set_destination(struct options *o, const char *word);

#endif
