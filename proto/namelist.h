/* Name-lists of RFC 4251 section 5: comma-separated ASCII names, as they travel in KEXINIT. */
#ifndef PROTO_NAMELIST_H
#define PROTO_NAMELIST_H

#include "proto/wire.h"

/* Printable US-ASCII only, no name over 64 bytes. An empty list is fine, and so are empty names,
 * which RFC 4251 forbids but libssh up to 0.10 sends (a comma ends its ciphers): they count for
 * nothing.
 */
bool namelist_is_valid(struct bytes list);

/* Takes the next name that is not empty off *list; false at the end. */
bool namelist_next(struct bytes *list, struct bytes *name);

bool namelist_has(struct bytes list, struct bytes name);
bool namelist_has_cstr(struct bytes list, const char *name);

/* RFC 4253 section 7.1: the first name of the client's list that the server's list has too,
 * borrowed from client; empty when there is none. */
struct bytes namelist_choose(struct bytes client, struct bytes server);

#endif
