/* The server's side of UpdateHostKeys (OpenSSH's PROTOCOL section 2.5): all its host keys after a
 * login, and signatures for those a client does not know yet. */
#ifndef CLI_SERVER_HOST_KEYS_H
#define CLI_SERVER_HOST_KEYS_H

#include "channel/mux.h"
#include "crypto/key.h"

struct server_host_keys {
    const struct private_key *const *keys;
    size_t n;
    struct bytes session_id; /* of the connection */
    struct bytes algorithm;  /* by which its exchange was signed */
};

/* Tells the keys; the client is not asked to answer. */
void server_host_keys_tell(const struct server_host_keys *k, struct mux *m);

/* A global request of the client's. false: it is not about host keys. */
bool server_host_keys_request(
    const struct server_host_keys *k, struct mux *m, const struct mux_event *e);

#endif
