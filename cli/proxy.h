/* ProxyCommand, or the adit that is a ProxyJump: a program whose standard input and output carry
 * the connection in TCP's place. */
#ifndef CLI_PROXY_H
#define CLI_PROXY_H

#include <sys/types.h>

#include "cli/options.h"

struct proxy {
    pid_t child;       /* 0: none */
    int in_fd, out_fd; /* what it says, and what it is told: non-blocking, close-on-exec pipes */
};

/* Runs o->proxy_line in the user's shell, with our stderr. The descriptors are the caller's. false:
 * a message was logged. */
bool proxy_start(const struct options *o, struct proxy *proxy);

/* Hangs up on a program that may still run. It is not waited for: it may not want to end. A jump
 * ends even when we were killed and could not do this. */
void proxy_stop(pid_t child);

#endif
