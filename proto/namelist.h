/* Name-lists of RFC 4251 section 5: comma-separated ASCII names, as they travel in KEXINIT. */
#ifndef PROTO_NAMELIST_H
#define PROTO_NAMELIST_H

#include "proto/wire.h"

/* Printable US-ASCII only, no empty names, no name over 64 bytes; an empty list is fine. */
bool namelist_is_valid(struct bytes list);

/* Takes the next name off *list; false at the end. */
bool namelist_next(struct bytes *list, struct bytes *name);

bool namelist_has(struct bytes list, struct bytes name);
bool namelist_has_cstr(struct bytes list, const char *name);

/* RFC 4253 section 7.1: the first name of the client's list that the server's list has too,
 * borrowed from client; empty when there is none. */
struct bytes namelist_choose(struct bytes client, struct bytes server);

#endif
