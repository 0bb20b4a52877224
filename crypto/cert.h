/* OpenSSH certificates: OpenSSH PROTOCOL.certkeys. A certificate authority's signature over a
 * public key, the names it stands for, and what it may do, until when.
 *
 * A certificate travels where a public key blob does, and key.h treats it as one: it is checked for
 * form, verifies signatures by the key inside, has that key's size and fingerprint. Whether it is
 * worth anything is asked here, in one call, cert_check(). Whether its authority is trusted is left
 * to the caller, who has the list. */
#ifndef CRYPTO_CERT_H
#define CRYPTO_CERT_H

#include "crypto/key.h"

enum { CERT_PRINCIPALS_MAX = 256, CERT_WHY_MAX = 200, CERT_VALIDITY_MAX = 80 };
enum cert_kind { CERT_USER = 1, CERT_HOST = 2 }; /* as on the wire */

#define CERT_FOREVER UINT64_MAX /* valid_before of one that does not end */

struct cert {
    const char *key_type; /* of the key inside: "ssh-ed25519"; static */
    struct bytes fields;  /* of that key, as they follow the type name in its own blob */
    unsigned bits;        /* and its size */
    uint64_t serial;
    enum cert_kind kind;
    struct bytes key_id;
    struct bytes principals;            /* packed: see cert_next_principal() */
    uint64_t valid_after, valid_before; /* seconds since 1970: the first good, the first bad one */
    struct bytes critical, extensions;  /* packed: see cert_next_option() */
    struct bytes ca;                    /* the authority's public key blob, never a certificate */
    struct bytes signature;
    struct bytes signed_part;
};

/* Is blob a certificate, by its type name? */
bool cert_is(struct bytes blob);
/* Takes blob apart; c borrows from it. Strict: exact length, known key and authority types with
 * good values, options in ascending order and so without repetition. The signature is not verified
 * here. On failure c is zeroed. */
enum err cert_parse(struct bytes blob, struct cert *c) MUST_USE;

/* Takes the next one off a packed list of a certificate that cert_parse() accepted; false at the
 * end. */
bool cert_next_principal(struct bytes *list, struct bytes *name);
bool cert_next_option(struct bytes *list, struct bytes *name, struct bytes *data);
/* Finds an option; *data may be NULL. */
bool cert_has_option(struct bytes list, const char *name, struct bytes *data);
/* Is name one of the principals, to the letter? */
bool cert_has_principal(const struct cert *c, struct bytes name);

/* Writes the blob of the key inside to out; its length, 0 when cap is too small. */
size_t cert_plain_key(const struct cert *c, uint8_t *out, size_t cap);
/* The same for any blob: of a well-formed certificate the key inside, written to room; every other
 * blob as it is. */
struct bytes cert_plain_blob(struct bytes blob, uint8_t room[KEY_BLOB_MAX]);

/* What a certificate must be. */
struct cert_rules {
    enum cert_kind kind;
    uint64_t now_s;            /* seconds since 1970 */
    const char *ca_algorithms; /* signature algorithms the authority may use; NULL: all of ours */
    const char *critical; /* names of critical options the caller will enforce; others refuse */
    bool any_principal;   /* the caller looks at the principals; there must be some */
    struct bytes name;    /* else the one wanted */
    bool has_patterns;    /* principals may have '*' and '?' (host certificates) */
};
/* Is c of the right kind, signed, in time, for name, and free of unknown critical options?
 * Otherwise why says which rule failed and how, escaped, as a clause: "expired since
 * 2026-01-31T00:00:00Z". A certificate without principals is good for nobody. */
enum err cert_check(
    const struct cert *c, const struct cert_rules *rules, char why[CERT_WHY_MAX]) MUST_USE;

/* "forever", "before T", "after T" or "from T to T", NUL-terminated. */
void cert_validity_text(const struct cert *c, char out[CERT_VALIDITY_MAX]);

#endif
