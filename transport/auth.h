/* User authentication, RFC 4252 and 4256, as two small state machines inside the transport: one for
 * each role. They know messages and events, not packets: what they send goes through a
 * packet_sink's control slots, and the transport hands them every payload numbered 50..79 that its
 * legality table lets through (and SERVICE_REQUEST / SERVICE_ACCEPT), and takes their events.
 *
 * Internal to transport/: people read transport.h. */
#ifndef TRANSPORT_AUTH_H
#define TRANSPORT_AUTH_H

#include "transport/transport.h"

struct auth; /* opaque, one of the two roles */

struct auth_config {
    enum role role;
    struct packet_sink sink;
    struct fault *fault; /* the transport's: failures are put in force here */
    const char *user;    /* client; copied */
    unsigned max_tries;  /* server: requests before the end, queries included; 0: 6 */
    const char *banner;  /* server; may be NULL; copied */
};

struct auth *auth_new(const struct auth_config *config); /* NULL: no memory */
void auth_free(struct auth *a);                          /* wipes secrets; accepts NULL */

/* First NEWKEYS done both ways: the client asks for the ssh-userauth service. session_id and
 * host_key (the server's public key blob, for publickey-hostbound) are copied. */
void auth_begin(struct auth *a, struct bytes session_id, struct bytes host_key);
/* The peer's EXT_INFO said so: publickey-hostbound-v00@openssh.com version 0 is understood. */
void auth_set_hostbound(struct auth *a, bool offered);

/* A payload, message number first. Not to be called while auth_waiting(): nothing is queued here,
 * and one delivered all the same is our own mistake (ERR_INTERNAL). Events may borrow from payload,
 * so take them with auth_next() while it stands. */
enum err auth_packet(struct auth *a, struct bytes payload) MUST_USE;
/* An event waiting? At most one is; slices live until the next call on a. Types AUTH_* only. */
bool auth_next(struct auth *a, struct transport_event *event);
/* True while no payload may be delivered: an event was not taken yet, or (server) auth_decide() is
 * owed. Requests are answered strictly in order, so the transport leaves packets where they are. */
bool auth_waiting(const struct auth *a);
/* True after AUTH_SUCCESS was sent (server) or received (client). */
bool auth_done(const struct auth *a);

/* The calls of transport.h, passed through. One made in a state that does not wait for it is our
 * own mistake: ERR_INTERNAL. Passwords and answers are written straight into the sink's slot, and
 * no copy of them is kept; a message over 32768 bytes is refused (ERR_LIMIT). A key or signature
 * over the limits of crypto/key.h is not sent: AUTH_FAILURE follows, from us. */
void auth_none(struct auth *a);
void auth_publickey(struct auth *a, struct bytes algorithm, struct bytes key);
void auth_signature(struct auth *a, struct bytes signature);
void auth_password(struct auth *a, struct bytes password);
void auth_new_password(struct auth *a, struct bytes old, struct bytes new_password);
void auth_keyboard_interactive(struct auth *a);
void auth_answers(struct auth *a, const struct bytes *answers, size_t n);
void auth_decide(struct auth *a, bool accept);

#endif
