/* One connection to an agent: a Unix socket on which requests are answered one after another. It
 * knows lengths and message numbers, not what they mean; that is agent.c's.
 *
 * Nothing here waits: answers come as calls on the loop, and every request has a time limit. An
 * agent that is not there, leaves, is late, or sends something else than an answer is done with:
 * that request and all later ones fail with the same reason. */
#ifndef CLI_AGENT_LINK_H
#define CLI_AGENT_LINK_H

#include "forward/loop.h"
#include "proto/wire.h"

enum {
    AGENT_REQUEST_MAX = 256 * 1024, /* bytes of a message, both ways: ssh's own bound */
    AGENT_REPLY_MAX = 256 * 1024,
};

enum agent_status {
    AGENT_FAILED = 0, /* there is no answer, and will be none to others: see why */
    AGENT_REFUSED,    /* the agent said no, without a reason */
    AGENT_ANSWERED,
};

struct agent_reply {
    enum agent_status status;
    struct bytes body; /* ANSWERED: what follows the number; borrowed until the call returns */
    const char *why;   /* otherwise: for people, one line, escaped */
};

struct agent_request {
    struct bytes message; /* copied; the copy is wiped when it was written */
    uint8_t answer;       /* the number wanted */
    uint64_t limit_ms;    /* from its turn on */
    void (*done)(void *user, const struct agent_reply *reply);
    void *user;
};

struct agent_link; /* opaque */

/* Connects when the first request is made. NULL: no memory. */
struct agent_link *agent_link_new(struct loop *l, const char *path);
/* done is not called any more. May be called from inside done. Accepts NULL. */
void agent_link_free(struct agent_link *a);

/* done is called once, later, never from inside this call. false: no memory, or the message is
 * longer than AGENT_REQUEST_MAX. */
bool agent_link_ask(struct agent_link *a, const struct agent_request *request);

/* Puts an end to it, as if the agent had sent garbage: the reason for all requests to come. */
void agent_link_fail(struct agent_link *a, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The reason; NULL while all is well. Borrowed from a. */
const char *agent_link_fault(const struct agent_link *a);

#endif
