/* UpdateHostKeys: after login a server tells all its host keys (hostkeys-00@openssh.com); those
 * that are new must prove themselves (hostkeys-prove-00@openssh.com, OpenSSH's PROTOCOL
 * section 2.5) before known_hosts learns them. */
#ifndef CLI_UPDATE_HOST_KEYS_H
#define CLI_UPDATE_HOST_KEYS_H

#include "channel/mux.h"
#include "cli/options.h"
#include "crypto/rng.h"

struct update_host_keys; /* opaque: one connection's */

struct update_host_keys_config {
    const struct options *options; /* borrowed */
    const char *address;           /* the server's numeric one, borrowed; "" when not known */
    struct bytes session_id;       /* borrowed for the connection's life */
    struct mux *mux;
    struct rng *rng;
};

enum { UPDATE_HOST_KEYS_TOKEN = 0x686b0000 }; /* of our global request */

/* NULL: no memory, and nothing is updated. */
struct update_host_keys *update_host_keys_new(const struct update_host_keys_config *config);
void update_host_keys_free(struct update_host_keys *u); /* accepts NULL */

/* The body of the server's hostkeys-00@openssh.com. Only the first one counts. */
void update_host_keys_told(struct update_host_keys *u, struct bytes body);
/* The reply to our request, by its token. */
void update_host_keys_proved(struct update_host_keys *u, bool ok, struct bytes body);

#endif
