/* Turning a loop until something has happened, and real sockets on loopback to make it happen. */
#ifndef TESTS_FORWARD_DRIVE_H
#define TESTS_FORWARD_DRIVE_H

#include "forward/loop.h"

uint64_t drive_clock_ms(void); /* the loop's clock, fresh */

/* Turns l until *done; false when that takes more than 10 s. */
bool drive_until(struct loop *l, const bool *done);
/* Turns l without waiting until nothing is left to do at once. */
void drive_idle(struct loop *l);

bool drive_has_ipv6(void);
int drive_n_fds(void); /* that this process has open */

enum { DRIVE_REFUSE = -1 }; /* a backlog: bound, but not listening */

/* A socket that listens on the loopback address of family, close-on-exec; *port 0: the kernel
 * chooses, and *port tells. -1: the port is taken. */
int drive_listen(int family, uint16_t *port, int backlog);
/* Holds a port in both families (or the one there is) that refuses connections; fds[0] and fds[1]
 * hold it until closed. */
uint16_t drive_refuse(int fds[2]);
void drive_close(const int *fds, int n);
/* A non-blocking socket that connects, or has connected, to the loopback address of family. */
int drive_connect(int family, uint16_t port);
#endif
