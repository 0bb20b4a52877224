/* -D: a connection to a listener of ours that speaks SOCKS (4, 4a or 5) or HTTP CONNECT
 * (FORWARDING.md line 49). The request is read here; the answer waits for the far end's word and
 * carries the right code (line 52). */
#ifndef FORWARD_SOCKS_LOCAL_H
#define FORWARD_SOCKS_LOCAL_H

#include "forward/peer.h"
#include "proto/proxy.h"

struct socks_local; /* one application that has not finished asking */

/* Those of one owner, so that they end with it. Starts zeroed. */
struct socks_local_set {
    struct socks_local *head;
    size_t n;
};

struct socks_local_owner {
    /* What went wrong, for people. e: the far end's refusal; NULL when the request itself was bad
     * or could not be passed on: then why says how, and host may be empty. */
    void (*failed)(
        void *user, const char *host, uint16_t port, const struct mux_event *e, const char *why);
    void *user;
};

/* Takes fd over. owner is copied. */
void socks_local_start(struct socks_local_set *set, struct peer *p, int fd, const char *from_host,
    uint16_t from_port, const struct socks_local_owner *owner);
void socks_local_end(struct socks_local_set *set);

/* The SOCKS code that tells why the far end refused: from the reason number and its words. */
enum socks_outcome socks_outcome_of(uint32_t reason, struct bytes text);

#endif
