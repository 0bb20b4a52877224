/* Base64 with padding (RFC 4648 section 4), for the lines of known_hosts. Not for secrets: its time
 * depends on the bytes. */
#ifndef CLI_BASE64_H
#define CLI_BASE64_H

#include "proto/wire.h"

/* Room for n bytes encoded, with the NUL. */
#define BASE64_ROOM(n) (((n) + 2) / 3 * 4 + 1)

/* Writes b and a NUL to out, which has BASE64_ROOM(b.n) bytes; returns the length. */
size_t base64_encode(struct bytes b, char *out);
/* Exactly n bytes; false for anything else. */
bool base64_decode_exact(struct bytes text, uint8_t *out, size_t n);

#endif
