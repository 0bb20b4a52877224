/* The destination of the command line, and others written like it. */
#ifndef CLI_OPTIONS_DESTINATION_H
#define CLI_OPTIONS_DESTINATION_H

#include "cli/options.h"
#include "proto/err.h"

enum destination_form {
    DESTINATION_PLAIN,     /* [user@]host: a colon is the host's own, as in an IPv6 address */
    DESTINATION_WITH_PORT, /* [user@]host[:port]: IPv6 addresses stand in brackets */
};

/* "[user@]host" in one of the forms, or "ssh://[user[;parameters]@]host[:port][/]"; an address may
 * stand in brackets. Parts of *d that are not given are NULL and 0; they are sane
 * (options_host_is_sane), and pool owns them.
 *   errors  ERR_MALFORMED, ERR_NOMEM: *d is of no use */
enum err destination_parse(
    struct pool *pool, const char *word, enum destination_form form, struct destination *d);

/* The remote user by -l or in the destination: the first one given counts. false, and no message:
 * it is no user name, or there is no memory. */
bool options_set_login(struct options *o, const char *user);

/* "[user@]host", or "ssh://[user[;parameters]@]host[:port][/]"; an IPv6 address may stand in
 * brackets. Fills host_arg, and user and port where they are not set yet. false: a message was
 * logged. */
bool options_set_destination(struct options *o, const char *word);

#endif
