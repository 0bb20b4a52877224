/* zlib as RFC 4253 section 6.2 uses it: one stream a direction, flushed at each packet. What zlib
 * keeps (its window is plain text) is wiped when freed. */
#ifndef TRANSPORT_ZSTREAM_H
#define TRANSPORT_ZSTREAM_H

#include "proto/err.h"
#include "proto/wire.h"
#include "transport/growbuf.h"

struct zstream; /* opaque: one direction */

/* small: a window of 4 KiB, for before login, where memory is bounded. NULL when there is none. */
struct zstream *zstream_deflate_new(bool small);
struct zstream *zstream_inflate_new(void);
void zstream_free(struct zstream *z); /* accepts NULL */

/* Room that zstream_deflate() may need for n bytes. */
size_t zstream_deflate_bound(struct zstream *z, size_t n);
enum err zstream_deflate(
    struct zstream *z, struct bytes in, uint8_t *out, size_t cap, size_t *n) MUST_USE;

/* Inflates into out, which grows as bytes come but never past limit: ERR_LIMIT then, at once. */
enum err zstream_inflate(
    struct zstream *z, struct bytes in, struct growbuf *out, size_t limit, size_t *n) MUST_USE;

#endif
