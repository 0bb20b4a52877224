/* Names to addresses off the loop: getaddrinfo() blocks, so it runs on helper threads (a few,
 * started when needed, so that one dead name server does not hold up other names), and the answer
 * comes back on the loop. Numeric addresses never need a thread. */
#ifndef FORWARD_RESOLVER_H
#define FORWARD_RESOLVER_H

#include <netdb.h>

#include "forward/loop.h"

struct resolver;
struct resolver_query;

struct resolver *resolver_new(struct loop *l); /* NULL: no memory */
/* Queries still running are forgotten; their threads end by themselves and touch nothing of ours.
 */
void resolver_free(struct resolver *r);

/* Asks for TCP addresses. family: AF_UNSPEC, AF_INET, AF_INET6. done is called later on the loop,
 * never from inside this call: gai is getaddrinfo's answer, sys_errno its errno for EAI_SYSTEM,
 * list the caller's to freeaddrinfo() (NULL on failure). The query is gone by then. done may start
 * and cancel others, and free r. NULL: no memory, no thread, or 4096 queries under way. */
struct resolver_query *resolver_start(struct resolver *r, const char *host, uint16_t port,
    int family, void (*done)(void *user, int gai, int sys_errno, struct addrinfo *list),
    void *user);
/* done will not be called. For a query whose done has been called already: do not. */
void resolver_cancel(struct resolver_query *q);

#endif
