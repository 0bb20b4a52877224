/* What can go wrong, and the first-failure record every engine carries.
 *
 * Fallible functions return enum err and are MUST_USE. An engine (transport, multiplexer, ...)
 * holds one struct fault: the first failure is kept, later ones are ignored, and after it every
 * call on that engine is a harmless no-op that returns the same code. */
#ifndef PROTO_ERR_H
#define PROTO_ERR_H

#define MUST_USE __attribute__((warn_unused_result))

enum err {
    ERR_OK = 0,
    ERR_MALFORMED,   /* bytes that do not parse: the sender is broken or hostile */
    ERR_PROTOCOL,    /* well-formed, but not allowed now, or not asked for */
    ERR_MAC,         /* a packet's tag, length or padding is wrong; which one is not told */
    ERR_KEX,         /* no algorithm in common, or a key exchange value that must be refused */
    ERR_SIGNATURE,   /* a signature does not verify */
    ERR_HOST_KEY,    /* the server's identity was refused */
    ERR_AUTH,        /* no authentication method is left */
    ERR_LIMIT,       /* a bound of ours was passed: size, count, time */
    ERR_NOMEM,       /* an allocation failed */
    ERR_UNSUPPORTED, /* a kind of key, cipher, ... that this program does not know */
    ERR_COMPRESSION, /* zlib stream damaged */
    ERR_IO,          /* a system call failed; the fault's text carries strerror */
    ERR_TIMEOUT,
    ERR_CLOSED,   /* the peer ended the connection (EOF or DISCONNECT) */
    ERR_INTERNAL, /* our own mistake or the library's, caught */
};

/* A short English phrase for e, never NULL: "malformed message". */
const char *err_text(enum err e);

/* RFC 4253 section 11.1 reason code that a DISCONNECT carries for e. */
unsigned err_disconnect_reason(enum err e);

struct fault {
    enum err code;  /* ERR_OK: no fault */
    char text[200]; /* for people, one line, NUL-terminated; may quote peer text, already escaped */
};

/* Records the first failure; returns the code in force (the old one, if there was one). */
enum err fault_set(struct fault *f, enum err code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
