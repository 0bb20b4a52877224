/* One line of a known_hosts file as text -> values (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
 * Hashed names (|1|salt|hash) are only recognised here; matching them takes crypto, in cli/. */
#ifndef PROTO_KNOWN_HOSTS_H
#define PROTO_KNOWN_HOSTS_H

#include "proto/err.h"
#include "proto/wire.h"

enum known_hosts_marker { KH_NONE, KH_CERT_AUTHORITY, KH_REVOKED };

struct known_hosts_line {
    enum known_hosts_marker marker;
    struct bytes hosts;    /* the comma-separated patterns as written, or "|1|salt|hash" */
    struct bytes key_type; /* "ssh-ed25519" */
    struct bytes key_b64;  /* still base64 */
    struct bytes comment;
};

enum known_hosts_kind { KH_LINE, KH_BLANK, KH_BAD };

/* line is without its line end; out borrows from it. For KH_BAD *why is a static phrase that says
 * what was expected. */
enum known_hosts_kind known_hosts_parse(
    struct bytes line, struct known_hosts_line *out, const char **why);

/* Does a pattern list ("*.example.com,!bad.example.com,[h]:2222") match name? A negated match wins
 * over any other (ssh_config(5), PATTERNS). name is compared without regard to case; patterns have
 * '*' and '?'. Work is linear in the product of the two lengths, never exponential. */
bool pattern_list_match(struct bytes patterns, struct bytes name);
/* One pattern, no comma, no negation. */
bool pattern_match(struct bytes pattern, struct bytes name);

#endif
