/* Internet socket addresses as text and numbers. */
#ifndef FORWARD_ADDR_H
#define FORWARD_ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum { ADDR_TEXT_MAX = 64 }; /* the longest IPv6 address, '%' and an interface's name */

/* Numeric, with the scope of a link-local address: "fe80::1%eth0". "?" for a family unknown. */
void addr_text(char out[ADDR_TEXT_MAX], const struct sockaddr *a, socklen_t len);
uint16_t addr_port(const struct sockaddr *a); /* 0 for a family unknown */
void addr_set_port(struct sockaddr *a, uint16_t port);
/* Family, address, port and scope are the same. */
bool addr_equal(const struct sockaddr *a, const struct sockaddr *b);
/* An address of this machine alone: 127/8, ::1, or one of 127/8 in IPv6's clothes. */
bool addr_is_loopback(const struct sockaddr *a);

/* True for a TCP socket that met itself: connecting to a port that nobody listens on succeeds when
 * the kernel happens to pick that very port as the local one (RFC 793 simultaneous open). */
bool addr_is_self_connected(int fd);

#endif
