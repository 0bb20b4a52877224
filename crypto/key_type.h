/* One row a key type: what key.c and private_key.c ask of it. Internal to crypto/. */
#ifndef CRYPTO_KEY_TYPE_H
#define CRYPTO_KEY_TYPE_H

#include "crypto/key.h"
#include "crypto/nist_curve.h"

struct key_type {
    const char *name;       /* the type name inside blobs */
    const char *short_name; /* for people */
    const char *algorithms; /* signature algorithms, comma-separated, in order of preference */
    const struct nist_curve *curve; /* ECDSA only */

    /* r stands behind the type name of a public blob. The key's bits, or 0 when it must be refused
     * or bytes are missing or left over. */
    unsigned (*check)(const struct key_type *t, struct wire_reader *r);
    /* Does raw, the inner signature of a signature blob, sign data? key stands behind the type name
     * of a blob that check accepted; alg is one of algorithms. */
    enum err (*verify)(const struct key_type *t, struct wire_reader *key, struct bytes alg,
        struct bytes raw, struct bytes data);

    /* Reads the private fields of a key file, after the type name and up to the comment. True when
     * they are well-formed and belong to the public blob. */
    bool (*check_private)(const struct key_type *t, struct wire_reader *r, struct bytes blob);
    /* Writes the inner signature over data; fields are those check_private accepted. */
    enum err (*sign)(const struct key_type *t, struct bytes fields, struct bytes alg,
        struct bytes data, struct wire_writer *w);
};

extern const struct key_type key_type_ed25519;
extern const struct key_type key_type_ecdsa_p256, key_type_ecdsa_p384, key_type_ecdsa_p521;
extern const struct key_type key_type_rsa;

/* NULL when unknown. */
const struct key_type *key_type_find(struct bytes name);
/* Is alg one that t signs and verifies? */
bool key_type_has_algorithm(const struct key_type *t, struct bytes alg);

#endif
