/* Forwards as people write them (-L, -R, -D, -W; LocalForward, RemoteForward, DynamicForward), as
 * values. Purely textual: nothing is resolved, opened or looked up but through struct
 * forward_lookup.
 *
 *     [bind:]port:host:hostport    port:path    [bind:]port:path    path:host:hostport    path:path
 *     [bind:]port or path          alone: SOCKS (-D, and -R without a destination)
 *     port/host/hostport           bind/port/host/hostport          (-L and -R)
 *
 * A field in brackets is literal, so [::1] is one field; outside of them a backslash quotes the
 * next character. A field with a '/' is the path of a Unix socket. One colon at the very end is
 * ignored, as ssh does. Source: ssh(1), ssh_config(5), OpenSSH readconf.c parse_forward(). */
#ifndef FORWARD_SPEC_H
#define FORWARD_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/err.h"

enum {
    FORWARD_TEXT_MAX = 8192, /* bytes of a spec, before and after ${} */
    FORWARD_HOST_MAX = 1024, /* bytes of a host name: NI_MAXHOST without its NUL */
    FORWARD_PATH_MAX = 107,  /* bytes of a Unix socket path: sun_path without its NUL */
};

enum forward_kind {
    FORWARD_LOCAL,          /* -L, LocalForward */
    FORWARD_REMOTE,         /* -R, RemoteForward with a destination */
    FORWARD_DYNAMIC,        /* -D, DynamicForward: SOCKS here */
    FORWARD_REMOTE_DYNAMIC, /* -R, RemoteForward without one: SOCKS at the far end */
    FORWARD_STDIO,          /* -W: no listen side, only host and host_port, or connect_path */
};

/* All strings belong to the struct: forward_spec_free() frees them. */
struct forward_spec {
    enum forward_kind kind;
    bool bind_set;      /* a bind address was written; it may be empty */
    char *bind;         /* NULL when not set; "" and "*" are the wildcard */
    uint16_t port;      /* to listen on; 0: the kernel picks; unused with listen_path */
    char *listen_path;  /* listen on this Unix socket, or NULL */
    char *host;         /* destination, or NULL (dynamic, or connect_path) */
    uint16_t host_port; /* 1-65535 with host */
    char *connect_path; /* destination is this Unix socket, or NULL; %-tokens are still in there */
    char *text;         /* the forward as the user wrote it; "listen target" from a config file */
};

/* Where names come from; either function may be NULL. */
struct forward_lookup {
    /* The value of ${name}, or NULL when it has none (the spec is then bad). A NULL function: "${"
     * has no meaning. The value is borrowed until the next call. */
    const char *(*variable)(void *arg, const char *name);
    /* The port of a TCP service, or -1. */
    int (*service)(void *arg, const char *name);
    void *arg;
};
/* getenv() and getservbyname(). Not for use from several threads at once. */
struct forward_lookup forward_lookup_system(void);

/* Parses one command-line spec. kind is LOCAL, REMOTE (which gives REMOTE_DYNAMIC where there is no
 * destination), DYNAMIC, REMOTE_DYNAMIC or STDIO. `~C`'s -KL, -KR and -KD take DYNAMIC's grammar.
 *   out     filled on ERR_OK, the caller's to free; zeroed otherwise
 *   why     on ERR_MALFORMED one line for people, escaped: the option, the spec, the field, its
 *           value and what was expected:
 *           -L 99999:localhost:80: listen port "99999": expected 0-65535 or a service name
 *   errors  ERR_MALFORMED, ERR_NOMEM */
enum err forward_spec_parse(enum forward_kind kind, const char *text,
    const struct forward_lookup *lookup, struct forward_spec *out, char *why,
    size_t why_cap) MUST_USE;

/* The config file's form, `LocalForward [bind:]port host:hostport`: target is the second argument,
 * NULL or empty when there is none, which RemoteForward (kind REMOTE) takes for REMOTE_DYNAMIC. */
enum err forward_spec_parse_config(enum forward_kind kind, const char *listen, const char *target,
    const struct forward_lookup *lookup, struct forward_spec *out, char *why,
    size_t why_cap) MUST_USE;

void forward_spec_free(struct forward_spec *s); /* zeroes *s; accepts NULL */

/* The same in every field but text. Binds are compared as written: ssh drops a repeated forward
 * silently, and keeps one that differs in its destination, which then fails to bind. */
bool forward_spec_equal(const struct forward_spec *a, const struct forward_spec *b);

/* Where a local listener goes: ssh_config(5), GatewayPorts. */
enum forward_bind {
    FORWARD_BIND_LOOPBACK, /* on every family: no bind address, or "localhost" (not resolved) */
    FORWARD_BIND_WILDCARD, /* "" and "*", or no bind address and gateway_ports */
    FORWARD_BIND_ADDRESS,  /* exactly what s->bind says */
};
enum forward_bind forward_bind_kind(const struct forward_spec *s, bool gateway_ports);

/* The address that tcpip-forward carries for s: "localhost", "" for the wildcard, or s->bind as
 * written (OpenSSH channel_rfwd_bind_host()). Borrowed from s, or static. */
const char *forward_bind_wire(const struct forward_spec *s);

/* "-L", "-R", "-D", "-R", "-W". Static. */
const char *forward_kind_option(enum forward_kind kind);

#endif
