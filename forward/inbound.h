/* The answering side of a forward: the far end opened a channel, and a host and port of ours are to
 * be dialled for it. Confirmed and pumped when the dial succeeds, refused with the reason when not.
 */
#ifndef FORWARD_INBOUND_H
#define FORWARD_INBOUND_H

#include "forward/dialer.h"
#include "forward/peer.h"

struct inbound; /* one dial in flight */

/* All dials in flight of one owner, so that they end with it. Starts zeroed. */
struct inbound_set {
    struct inbound *head;
    size_t n;
};

struct inbound_request {
    struct peer *peer;
    struct resolver *resolver;
    uint32_t chan; /* a MUX_OPEN_REQUEST not answered yet */
    const char *host;
    uint16_t port;
    struct dial_options options;
    /* Called once with the outcome, before the answer goes out; may be NULL. */
    void (*outcome)(void *user, const struct dial_result *result);
    void *user;
};

/* Answers the channel in every case, now or later. */
void inbound_dial(struct inbound_set *set, const struct inbound_request *request);
/* Ends all dials without an answer: the connection is gone. */
void inbound_end(struct inbound_set *set);

/* A host text from the wire into name (cap bytes): refused (false) when empty, too long, or with
 * bytes that no host name holds (NUL, control characters, blanks). */
bool inbound_host(struct bytes host, char *name, size_t cap);

#endif
