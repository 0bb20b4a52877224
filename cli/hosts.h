/* known_hosts: is this key the one we know this host by?
 *
 * The answer is an enum whose zero is "refused", and every path that could not find out (a file
 * that cannot be read, memory that is not there) answers it: silence never means trust
 * (CVE-2025-26465). A file that does not exist holds no lines. A bad line is skipped with a warning
 * that names it.
 *
 * Marked lines: @revoked wins over every other line, whichever file it is in, and also where it
 * names the key of a certificate authority. @cert-authority vouches for certificates only, so a
 * plain key never matches one, and a certificate matches nothing else. */
#ifndef CLI_HOSTS_H
#define CLI_HOSTS_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/base64.h"
#include "cli/options.h"
#include "crypto/fingerprint.h"
#include "crypto/key.h"
#include "crypto/rng.h"
#include "proto/known_hosts.h"
#include "proto/wire.h"

enum {
    HOSTS_FILE_MAX = 64 << 20, /* bytes of one file */
    HOSTS_LINE_MAX = 64 << 10, /* a longer line is skipped whole, with a warning */
    HOSTS_NAME_MAX = 1024 + 8, /* "[host]:65535" and its NUL */
};

enum hosts_verdict {
    HOSTS_REFUSED = 0, /* could not be decided: treat it as a wrong key */
    HOSTS_KNOWN,
    HOSTS_UNKNOWN,    /* no line is for this host */
    HOSTS_OTHER_TYPE, /* lines for this host hold keys of other types only; ssh calls that changed,
                       * and so does hosts_decide() */
    HOSTS_CHANGED,    /* a line for this host holds another key of this type */
    HOSTS_REVOKED,
};

struct hosts_query {
    const char *host;         /* what was asked to connect to, or HostKeyAlias */
    uint16_t port;            /* 22 for an alias: no "[host]:port" then */
    const char *const *files; /* in order: the user's, then the system's */
    size_t n_files;
    struct bytes more;     /* further lines, behind the files': what KnownHostsCommand printed */
    const char *more_name; /* what they are called in messages and answers */
};

struct hosts_answer {
    enum hosts_verdict verdict;
    char file[1024]; /* KNOWN, OTHER_TYPE, CHANGED, REVOKED: the line that decided, else "" */
    unsigned long line;
    char print[FINGERPRINT_MAX]; /* of the key on that line */
    char type[32];               /* OTHER_TYPE: a type that is known, as people say it: "ED25519" */
};

/* Never fails: what goes wrong is HOSTS_REFUSED, with a message logged. As ssh does, a host on
 * another port than 22 that has no line of its own is also KNOWN by a line for its plain name that
 * holds this very key.
 *
 * For a certificate the lines of authorities are asked: KNOWN means that one holds the authority
 * that signed it (whether it is a good one is for cert_check() to say), CHANGED that there are
 * others only; REVOKED that its key or its authority is. */
enum hosts_verdict hosts_lookup(
    const struct hosts_query *q, struct bytes key, struct hosts_answer *answer);

/* The name as known_hosts has it: "host", or "[host]:port" for other ports than 22; lower case.
 * false when it does not fit. */
bool hosts_name(const char *host, uint16_t port, char out[HOSTS_NAME_MAX]);

/* Is a line of known_hosts for this name (of hosts_name())? Patterns, negation and hashes count. */
bool hosts_line_is_for(const struct known_hosts_line *line, const char *name);

/* The algorithms of list (names, comma-separated), those first whose keys the files hold for this
 * host, so that the server shows the key we know; with a line of an authority, those for
 * certificates too; otherwise in list's order. Writes a text with its
 * NUL to out. When nothing is known, or cannot be read, it is the list as it stands: what is asked
 * of an unknown host is the same for everybody (CVE-2020-14145). false: it does not fit. */
bool hosts_order_algorithms(const struct hosts_query *q, const char *list, char *out, size_t cap);

/* What StrictHostKeyChecking makes of a verdict. */
enum hosts_decision {
    HOSTS_REFUSE = 0,
    HOSTS_ASK,               /* ask; on yes hosts_add() */
    HOSTS_ACCEPT,            /* known, go on */
    HOSTS_ACCEPT_AND_ADD,    /* unknown: hosts_add(), say so, go on */
    HOSTS_ACCEPT_RESTRICTED, /* changed, with StrictHostKeyChecking no: go on, but with public keys
                              * only and with no forwards, as ssh does */
};
enum hosts_decision hosts_decide(
    enum hosts_verdict verdict, enum strict_host_key strict, bool batch_mode);

/* Appends a line for host and key to file: one write(2) under a lock, after the newline an earlier
 * writer may have left out; the folder (0700) and the file (0600) are made when missing. hashed:
 * the name is stored as HMAC-SHA1 with a salt from rng. false: a message was logged, and the file
 * is as it was. */
bool hosts_add(const char *file, const char *host, uint16_t port, struct bytes key, bool hashed,
    struct rng *rng);

/* The same with a second name for the key, the server's address, on the same line; hashed names
 * have lines of their own. */
bool hosts_add_with_address(const char *file, const char *host, const char *address, uint16_t port,
    struct bytes key, bool hashed, struct rng *rng);

/* The lines that those two append, without a newline in front, for who writes a whole file; returns
 * the length, 0 for a bad name or key. address NULL: none. out has HOSTS_ENTRY_MAX bytes. */
enum { HOSTS_ENTRY_MAX = 2 * (HOSTS_NAME_MAX + 64 + 64 + BASE64_ROOM(KEY_BLOB_MAX)) + 128 };
size_t hosts_entry(const char *host, const char *address, uint16_t port, struct bytes key,
    bool hashed, struct rng *rng, char out[HOSTS_ENTRY_MAX]);

/* Opens a known_hosts file for changing and locks it against other processes that do so; it is the
 * file of that name when this returns. create: it is made when missing. -1: errno (EAGAIN: the lock
 * could not be had). close() ends the lock, and so does closing any other descriptor of the file.
 */
int hosts_open_locked(const char *file, bool create);

/* ---- texts, in ssh's words; each is several lines, NUL-terminated, cut at cap ------------------
 */

/* How a key is shown: FingerprintHash, VisualHostKey. */
struct hosts_style {
    enum fingerprint_hash hash;
    bool picture;
};

/* The question about an unknown key, ending in "... (yes/no/[fingerprint])? ". address is the
 * numeric one, "" when not known. */
void hosts_text_ask(const struct hosts_query *q, const char *address, struct bytes key,
    const struct hosts_answer *answer, const struct hosts_style *style, char *out, size_t cap);
/* The lines of it that tell where else the key is known; q's files are read for them. */
void hosts_other_names(
    const struct hosts_query *q, const char *address, struct bytes key, char *out, size_t cap);
/* Is the answer to that question yes: "yes", or the key's very fingerprint? */
enum hosts_reply { HOSTS_REPLY_UNCLEAR, HOSTS_REPLY_NO, HOSTS_REPLY_YES };
enum hosts_reply hosts_reply(const char *reply, struct bytes key, enum fingerprint_hash hash);
/* The box about a key that must not be trusted, for any verdict but KNOWN and UNKNOWN: what
 * happened, the fingerprint, the line, how to remove it. user_file is where a right key belongs. */
void hosts_text_changed(const struct hosts_query *q, struct bytes key,
    const struct hosts_answer *answer, const char *user_file, enum fingerprint_hash hash, char *out,
    size_t cap);
/* CheckHostIP: the box about a name whose key changed while the address says something else, and
 * the lines about an address that is known by another key. address_name: of hosts_name(). */
void hosts_text_spoofed(const struct hosts_query *q, struct bytes key, const char *address_name,
    const struct hosts_answer *by_address, char *out, size_t cap);
void hosts_text_address_differs(const struct hosts_query *q, struct bytes key,
    const char *address_name, const struct hosts_answer *by_address,
    const struct hosts_answer *by_name, char *out, size_t cap);

#endif
