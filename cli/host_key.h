/* Is this server the one we mean? known_hosts, StrictHostKeyChecking and, where that says so, the
 * person at the terminal decide. */
#ifndef CLI_HOST_KEY_H
#define CLI_HOST_KEY_H

#include "cli/options.h"
#include "crypto/rng.h"
#include "proto/wire.h"

enum host_key_trust {
    HOST_KEY_REFUSED = 0, /* the zero: every path that did not find out ends here */
    HOST_KEY_TRUSTED,
    HOST_KEY_RESTRICTED, /* changed, with StrictHostKeyChecking no: no passwords, no forwards */
};

/* address: the server's numeric one, for the question. Everything is said here. */
enum host_key_trust host_key_decide(
    const struct options *o, const char *address, struct bytes key, struct rng *rng);

/* The host key algorithms to offer, those whose keys we know first. Writes a name-list with its
 * NUL; on a lack of room it is o's list as it stands. */
void host_key_algorithms(const struct options *o, char *out, size_t cap);

#endif
