/* authorized_keys: may this key log in? (sshd(8), AUTHORIZED_KEYS FILE FORMAT)
 *
 * The file is read anew for every question, so that an edit counts at once. A line whose options
 * ask for something this server cannot hold (permitopen, from, expiry-time, ...) is not used at
 * all: an option that is not understood must never widen what a key may do. Those that only take
 * away what this server does not have anyway are fine.
 *
 * A certificate is never looked for itself: its authority must be on a line with cert-authority, or
 * in the file of trusted authorities. What it may do is what line and certificate both allow. */
#ifndef CLI_AUTHORIZED_H
#define CLI_AUTHORIZED_H

#include <stdbool.h>

#include "crypto/key.h"
#include "proto/wire.h"

enum { AUTHORIZED_FILE_MAX = 4 << 20, AUTHORIZED_LINE_MAX = 16 << 10 };

enum authorized { AUTHORIZED_NO = 0, AUTHORIZED_YES };

struct authorized_query {
    struct bytes key;    /* a public key blob that key_check() accepts, or a certificate */
    struct bytes user;   /* who asks to log in: a certificate must be for that name */
    const char *address; /* numeric, where from */
    uint64_t now_s;      /* seconds since 1970 */
    bool is_signed;      /* a good signature was given, else a query; then: */
    struct key_sk_facts facts;
};

/* Reads path and looks for the key. Every failure is NO, with a message logged that names the file
 * and line. */
enum authorized authorized_check(const char *path, const struct authorized_query *q);
/* The same for a file of authorities, "type base64" a line, that certify users for their own names
 * (sshd_config(5), TrustedUserCAKeys). A plain key is never found there. */
enum authorized authorized_check_authorities(const char *path, const struct authorized_query *q);

/* At the start: is there a file that may be used? false: a message was logged. */
bool authorized_is_usable(const char *path);

/* The two over the text of a file; name is what messages call it. */
enum authorized authorized_check_text(
    struct bytes text, const char *name, const struct authorized_query *q);
enum authorized authorized_check_authorities_text(
    struct bytes text, const char *name, const struct authorized_query *q);

#endif
