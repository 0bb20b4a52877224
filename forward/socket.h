/* The few socket calls that forwarding makes besides read and write: each says one thing that RFC
 * 793 or FORWARDING.md asks for. None of them waits. */
#ifndef FORWARD_SOCKET_H
#define FORWARD_SOCKET_H

#include <sys/socket.h>

#include "forward/loop.h"

/* Closes so that the other end sees a reset (SO_LINGER 0), not an end: FORWARDING.md line 38. */
void socket_reset(int fd);

/* Closes so that the other end gets all that was written, then an end, whatever it still sends: our
 * writing side is shut, and what comes is read and dropped, until it ends too or 10 s have passed.
 * A plain close() with unread bytes would reset the connection and could take our last bytes with
 * it. Takes fd over; does not fail (without memory it closes at once). */
void socket_linger(struct loop *l, int fd);
/* Ends all lingering of this loop at once, before it is freed. */
void socket_linger_end(struct loop *l);

/* TCP_NODELAY on a TCP socket; harmless on others. */
void socket_nodelay(int fd);
/* SO_KEEPALIVE, so that a vanished host is noticed. */
void socket_keepalive(int fd);
/* The type of service, 0..255, of what fd sends from now on: IP_TOS or, to an IPv6 address,
 * IPV6_TCLASS. SOCKET_QOS_NONE leaves it as it is. Harmless on sockets that have none. */
enum { SOCKET_QOS_NONE = -2 };
void socket_qos(int fd, int tos);
/* A TCP socket to this very machine is spared the pacing of bbr, which guesses at a path that is
 * not there: where bbr is the machine's way, which is asked once, it gets cubic, or else reno. Does
 * nothing when the peer is elsewhere. */
void socket_unpaced(int fd, const struct sockaddr *peer);

#endif
