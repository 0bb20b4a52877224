/* Version lines, RFC 4253 section 4.2: "SSH-2.0-software comments". */
#ifndef PROTO_IDENT_H
#define PROTO_IDENT_H

#include "proto/err.h"
#include "proto/wire.h"

enum {
    IDENT_MAX_BYTES = 255,       /* a version line with its line end */
    IDENT_MAX_TEXT_BYTES = 8192, /* any other line with its line end; OpenSSH's limit */
    IDENT_MAX_LINES = 1024,      /* lines a server may send before it (the client's patience) */
};

struct ident {
    struct bytes line;     /* the whole line without CR LF: what the exchange hash covers */
    struct bytes software; /* after "SSH-2.0-", up to the first space */
};

enum ident_status {
    IDENT_MORE,  /* no complete line yet: come back with more bytes */
    IDENT_LINE,  /* a line that is not a version line was consumed (a client may show it) */
    IDENT_FOUND, /* *out is filled */
    IDENT_BAD,   /* control characters or NUL, not protocol 2.0 (or 1.99 from a server), too long */
};

/* Looks at the start of in. *used is how many bytes the line took, line end included (0 for MORE
 * and BAD). A lone LF ends a line as well as CR LF (old servers). LINE is given only for text that
 * does not start with "SSH-"; whether such lines are welcome is the caller's rule (a server's:
 * never). out->line, or the plain line for LINE, borrows from in. */
enum ident_status ident_parse(struct bytes in, size_t *used, struct ident *out);

#endif
