/* Identity files: the private keys a login may use.
 *
 * Without IdentityFile or -i the usual ones of ~/.ssh are tried, and those missing are passed over
 * in silence; one that was asked for and is missing is named in a warning. A private key must be a
 * regular file of at most 1 MiB, and one that others can read is not used. The .pub file beside it
 * tells the public key before any passphrase is asked for. */
#ifndef CLI_IDENTITY_H
#define CLI_IDENTITY_H

#include "cli/options.h"
#include "crypto/key.h"

struct identity {
    char *path;    /* owned */
    bool is_given; /* by -i or IdentityFile */
    uint8_t *blob; /* the public key, owned; NULL until it is known */
    size_t blob_n;
    struct private_key *key; /* owned; NULL until identity_load() */
    uid_t uid;               /* the user, whose files nobody else may read */
    bool is_spent;           /* loading failed for good: it is not tried again */
    bool is_certificate;     /* blob is one, and another identity signs: identities_signer() */
};

struct identities {
    struct identity *list;
    size_t n;
};

/* The files o names, or those of the default ones that exist, with the public keys that .pub files
 * tell. A file that was named and is missing is in the list, so that its turn brings the warning.
 * false: no memory, logged. identities_free() in any case. */
bool identities_find(struct identities *ids, const struct options *o);
/* Adds the certificates, in ssh's order: those CertificateFile names before all others; without
 * any, each IDENTITY-cert.pub behind its identity. Files that are missing or no user certificates
 * are passed over with a message. false: no memory, logged. */
bool identities_add_certificates(struct identities *ids, const struct options *o);
void identities_free(struct identities *ids); /* wipes the keys; accepts an empty struct */

/* Asks for the passphrase of path: writes at most cap bytes to out and returns how many, or -1 when
 * there is nobody to ask or no answer. attempt counts from 0. */
struct identity_asker {
    long (*ask)(void *user, const char *prompt, int attempt, char *out, size_t cap);
    void *user;
    int max_attempts; /* NumberOfPasswordPrompts; 0: never ask (BatchMode) */
};

enum { IDENTITY_PASSPHRASE_MAX = 1024 };

/* Reads the private key, asking for a passphrase where one is needed. true: id->key is there, and
 * id->blob is its public key. false: the identity is spent, and a message was logged (at -v for a
 * default file that cannot be used and for a passphrase not given). A private key that is not the
 * .pub file's is refused. */
bool identity_load(struct identity *id, const struct identity_asker *asker);

/* Who signs for id: itself, or for a certificate the identity whose key is inside it, for which
 * those may have to be loaded whose public keys are not known. NULL: nobody. */
struct identity *identities_signer(
    struct identities *ids, struct identity *id, const struct identity_asker *asker);

/* The default names in ~/.ssh, in the order they are tried, NULL at the end. */
extern const char *const identity_defaults[];

#endif
