/* -R without a destination: the far end listens, and what connects there speaks SOCKS or HTTP
 * CONNECT to us through its channel (FORWARDING.md lines 49 and 54). The channel is confirmed at
 * once, the request read from its data, the host dialled from here; the answer waits for the
 * outcome. */
#ifndef FORWARD_SOCKS_REMOTE_H
#define FORWARD_SOCKS_REMOTE_H

#include "forward/dialer.h"
#include "forward/peer.h"

struct socks_remote_request {
    struct peer *peer;
    struct resolver *resolver;
    uint32_t chan; /* a MUX_OPEN_REQUEST not answered yet */
    struct dial_options options;
    /* PermitRemoteOpen: may this host and port be dialled? NULL: any. */
    bool (*allowed)(void *user, const char *host, uint16_t port);
    /* What went wrong, for people. result is NULL when the request itself was bad; why says how. */
    void (*failed)(void *user, const char *host, uint16_t port, const struct dial_result *result,
        const char *why);
    void *user;
};

/* Answers the channel in every case; everything ends with the channel or the connection. */
void socks_remote_start(const struct socks_remote_request *request);

#endif
