/* The SSH agent, as a login uses it: it tells which keys it holds, signs with them, and takes new
 * ones. The keys themselves never come here.
 *
 * Every call answers later, on the loop (agent_link.h), at most so late as the limits say: an agent
 * may ask a person, who may have to look for a token, but not for ever. What an agent says is
 * believed as little as what a server says. */
#ifndef CLI_AGENT_H
#define CLI_AGENT_H

#include "forward/loop.h"
#include "proto/agent.h"

enum { AGENT_KEYS_MAX = 2048 }; /* more of them are none: ssh's own bound */

/* What it does beside telling. The zero of a limit is its default. */
struct agent_limits {
    uint64_t list_ms; /* 60 s: some ask to be unlocked first */
    uint64_t sign_ms; /* 120 s: as long as sshd waits for a login */
};

struct agent; /* opaque */

/* path: of the socket, copied. NULL: no memory. */
struct agent *agent_new(struct loop *l, const char *path, const struct agent_limits *limits);
/* Nothing is called any more; may be called from inside a call of the agent's. Accepts NULL. */
void agent_free(struct agent *a);

/* Which connection the signatures are for: an agent that restricts its keys to hosts needs to see
 * the host's proof (session-bind@openssh.com). */
struct agent_session {
    struct bytes host_key;
    struct bytes id;
    struct bytes signature; /* by host_key over id */
};

/* Binds the connection to the session and asks for the keys. To be called once, first.
 * keys: NULL when there are none to be had, and why says the reason ("the agent at PATH ..."). Both
 * are borrowed until the call returns. */
bool agent_open(struct agent *a, const struct agent_session *session,
    void (*opened)(void *user, const struct msg_agent_identities *keys, const char *why),
    void *user);

/* Signs data with key by algorithm, the name of a publickey request ("rsa-sha2-512",
 * "ssh-ed25519-cert-v01@openssh.com"). signature is empty when there is none; why then says the
 * reason ("agent refused operation"). */
bool agent_sign(struct agent *a, struct bytes key, struct bytes algorithm, struct bytes data,
    void (*done)(void *user, struct bytes signature, const char *why), void *user);

/* Gives the agent a key. why is NULL when it took it. */
bool agent_add(struct agent *a, const struct msg_agent_add *key,
    void (*added)(void *user, const char *why), void *user);

#endif
