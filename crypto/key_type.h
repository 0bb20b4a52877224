/* One row a key type: what key.c and private_key.c ask of it. Internal to crypto/. */
#ifndef CRYPTO_KEY_TYPE_H
#define CRYPTO_KEY_TYPE_H

#include "crypto/key.h"
#include "crypto/nist_curve.h"

struct key_type {
    const char *name;       /* the type name inside blobs */
    const char *short_name; /* for people */
    const char *algorithms; /* signature algorithms, comma-separated, in order of preference */
    const char *by_name;    /* more of them, for those alone who name them; NULL: none */
    unsigned n_fields;      /* wire strings behind the type name of a public blob */
    const struct nist_curve *curve; /* ECDSA only */
    /* Security keys: the type whose arithmetic signs; its fields come first, then the application.
     */
    const struct key_type *sk_base;
    /* Certificates: the type of the key that is certified. algorithms then lists, in the order of
     * the plain type's own, what these are called with a certificate; and a certificate has no
     * functions below: cert.c reads it, and the plain type does the rest. */
    const struct key_type *plain;

    /* r stands behind the type name of a public blob. The key's bits, or 0 when it must be refused
     * or bytes are missing or left over. */
    unsigned (*check)(const struct key_type *t, struct wire_reader *r);
    /* Does raw, the inner signature of a signature blob, sign data? key stands behind the type name
     * of a blob that check accepted; alg is one of algorithms. */
    enum err (*verify)(const struct key_type *t, struct wire_reader *key, struct bytes alg,
        struct bytes raw, struct bytes data);

    /* Reads the private fields of a key file, after the type name and up to the comment. True when
     * they are well-formed and belong to the public blob. NULL, as sign is, where the private half
     * is never here. */
    bool (*check_private)(const struct key_type *t, struct wire_reader *r, struct bytes blob);
    /* Writes the inner signature over data; fields are those check_private accepted. */
    enum err (*sign)(const struct key_type *t, struct bytes fields, struct bytes alg,
        struct bytes data, struct wire_writer *w);
};

extern const struct key_type key_type_ed25519;
extern const struct key_type key_type_ecdsa_p256, key_type_ecdsa_p384, key_type_ecdsa_p521;
extern const struct key_type key_type_rsa;
extern const struct key_type key_type_sk_ed25519, key_type_sk_ecdsa;
extern const struct key_type key_type_ed25519_cert, key_type_rsa_cert;
extern const struct key_type key_type_ecdsa_p256_cert, key_type_ecdsa_p384_cert,
    key_type_ecdsa_p521_cert;
extern const struct key_type key_type_sk_ed25519_cert, key_type_sk_ecdsa_cert;

/* NULL when unknown. */
const struct key_type *key_type_find(struct bytes name);
/* Is alg one that t signs and verifies, for everybody or for those who name it? */
bool key_type_has_algorithm(const struct key_type *t, struct bytes alg);
/* Reads n wire strings; all of them, lengths included, borrowed from r. */
struct bytes key_take_fields(struct wire_reader *r, unsigned n);
/* Verifies what a security key made: raw over data, with the flags and counter it added. key and
 * raw are as for verify. */
enum err key_sk_verify(const struct key_type *t, struct wire_reader *key, struct bytes raw,
    const struct key_sk_facts *facts, struct bytes data);

#endif
