/* The listening sockets of one listener: which addresses, and all of them or none. */
#ifndef FORWARD_BIND_H
#define FORWARD_BIND_H

#include "forward/listener.h"

enum { BIND_MAX = 16 }; /* addresses of one name */

/* Binds and listens as c says (see listener_open, whose why and sys_errno these are). Returns how
 * many sockets there are in fds, the caller's, all on *port; 0: failure. */
size_t bind_open(const struct listener_config *c, int fds[BIND_MAX], uint16_t *port, char *why,
    size_t why_cap, int *sys_errno);

#endif
