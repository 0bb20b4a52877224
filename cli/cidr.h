/* Lists of networks, as certificates and authorized_keys name the places a key may be used from:
 * "192.0.2.0/24,2001:db8::1". */
#ifndef CLI_CIDR_H
#define CLI_CIDR_H

#include "proto/wire.h"

enum cidr_match {
    CIDR_BAD = 0, /* not a list of networks: nothing may be concluded from it */
    CIDR_NO,
    CIDR_YES,
};

/* Is address (numeric; an IPv4 one may be mapped into IPv6) in one of the networks? Every entry
 * must be an address or ADDRESS/BITS without bits behind the mask. */
enum cidr_match cidr_list_match(const char *address, struct bytes list);

#endif
