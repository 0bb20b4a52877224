/* RevokedHostKeys: files of keys that are trusted no more, whatever known_hosts says. Each is a key
 * revocation list (ssh-keygen -k), or public keys, one a line, where a certificate stands for the
 * key in it. */
#ifndef CLI_REVOKED_H
#define CLI_REVOKED_H

#include "cli/pool.h"
#include "proto/krl.h"
#include "proto/wire.h"

enum { REVOKED_FILE_MAX = 64 << 20 };

enum revoked_verdict {
    REVOKED_UNKNOWN = 0, /* the file cannot be read or used: why says so; treat it as YES */
    REVOKED_YES,
    REVOKED_NO,
};

/* q with its key, and what it says of a certificate, filled in; the hashes are made here. A
 * certificate's CA key is asked about too. *why is a phrase for UNKNOWN, static until the next
 * call. */
enum revoked_verdict revoked_check(
    const char *path, const struct krl_question *q, const char **why);
/* The same of several files; *path is the one that says YES or is UNKNOWN. Without any: NO. */
enum revoked_verdict revoked_check_all(const struct text_list *paths, const struct krl_question *q,
    const char **path, const char **why);

#endif
