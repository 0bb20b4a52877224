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

struct host_key_outcome {
    enum host_key_trust trust;
    /* The key is trusted by the user's own file or own word: what the server says about its other
     * keys may go there too (UpdateHostKeys). */
    bool may_update;
};

/* address: the server's numeric one, "" when not known. Everything is said here. */
struct host_key_outcome host_key_decide(
    const struct options *o, const char *address, struct bytes key, struct rng *rng);

/* The host key algorithms to offer, those whose keys we know first. Writes a name-list with its
 * NUL; on a lack of room it is o's list as it stands. false: KnownHostsCommand failed; logged. */
bool host_key_algorithms(const struct options *o, char *out, size_t cap);

/* Would CheckHostIP look at this address, and would updates note it? */
bool host_key_checks_address(const struct options *o, const char *address);

#endif
