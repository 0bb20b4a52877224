/* KnownHostsCommand: a program that prints lines of known_hosts, run as ssh runs it: no shell, the
 * words of the option as arguments, tokens expanded in all but the first. */
#ifndef CLI_HOSTS_COMMAND_H
#define CLI_HOSTS_COMMAND_H

#include "cli/file.h"
#include "cli/options.h"

struct hosts_command {
    const char *purpose; /* %I: "ORDER" before the exchange, then "HOSTNAME", "ADDRESS" */
    const char *name;    /* %H: the name that is looked up, as known_hosts has it */
    struct bytes key;    /* %t, %K, %f: the server's; empty before it is known ("NONE") */
};

/* What it printed, in f, which is the caller's to free whatever comes back. false: it could not be
 * run, failed or printed too much; a message was logged, and nothing may be concluded. */
bool hosts_command_run(const struct options *o, const struct hosts_command *c, struct file *f);

#endif
