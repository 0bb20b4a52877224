/* What a line of authorized_keys, and what a certificate, allows. Internal to authorized*.c. */
#ifndef CLI_AUTHORIZED_GRANT_H
#define CLI_AUTHORIZED_GRANT_H

#include "cli/authorized.h"
#include "crypto/cert.h"

struct authorized_grant {
    bool forwarding;         /* ports may be forwarded */
    bool no_touch;           /* a security key need not have been touched */
    bool verify;             /* a security key must have known who touched it */
    bool is_authority;       /* cert-authority */
    bool has_principals;     /* principals="...": */
    struct bytes principals; /* comma-separated, borrowed from the line */
};

/* The options of a line. false: *unknown is the first that this server cannot hold. */
bool authorized_grant_line(
    struct bytes options, struct authorized_grant *grant, struct bytes *unknown);

/* Is the certificate good for this login, under a line that names its authority (line->principals
 * count instead of the user's name)? grant gets what both allow. false: why says what is wrong. */
bool authorized_grant_certificate(const struct cert *c, const struct authorized_query *q,
    const struct authorized_grant *line, struct authorized_grant *grant, char why[CERT_WHY_MAX]);

/* Does it allow this login at all? false: why says what is missing. */
bool authorized_grant_suffices(
    const struct authorized_grant *grant, const struct authorized_query *q, char why[CERT_WHY_MAX]);

#endif
