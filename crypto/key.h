/* Public keys, signatures and private keys, by their SSH encodings: one table row a key type.
 *
 * Key types:                           signature algorithms:
 *   ssh-ed25519                          ssh-ed25519
 *   ecdsa-sha2-nistpN                    ecdsa-sha2-nistpN       N = 256, 384, 521
 *   ssh-rsa                              rsa-sha2-512, rsa-sha2-256; by name: ssh-rsa, with SHA-1
 *   sk-ssh-ed25519@openssh.com           the same name; verified here, made by an agent
 *   sk-ecdsa-sha2-nistp256@openssh.com   the same name
 *   each with -cert-v01@openssh.com      ... its certificates, see cert.h; an algorithm's name too
 *                                        then ends so, and what is signed is as without
 */
#ifndef CRYPTO_KEY_H
#define CRYPTO_KEY_H

#include "crypto/rng.h"
#include "proto/err.h"
#include "proto/wire.h"

enum {
    KEY_BLOB_MAX = 8192,      /* a public key blob we look at: RSA of 16384 bits would fit */
    KEY_SIGNATURE_MAX = 4096, /* a signature blob we accept or make */
    KEY_FINGERPRINT_MAX = 64, /* "SHA256:..." and its NUL */
    KEY_RSA_MIN_BITS = 2048,  /* RequiredRSASize's floor of ours */
    KEY_RSA_MAX_BITS = 4096,  /* BearSSL's BR_MAX_RSA_SIZE: its RSA refuses any longer modulus */
    KEY_SK_PRESENCE = 0x01,   /* flags of a security key's signature: it was touched, */
    KEY_SK_VERIFIED = 0x04,   /* and it knew by PIN or finger who did so */
};

/* Checks a public key blob whole: known type, exact length, point on its curve, RSA size in bounds
 * and both numbers odd. *type, if not NULL, gets the static type name. ERR_UNSUPPORTED for an
 * unknown type, ERR_LIMIT over KEY_BLOB_MAX, ERR_MALFORMED for the rest. That a certificate is
 * well-formed says nothing about who signed it: see cert_check(). */
enum err key_check(struct bytes blob, const char **type) MUST_USE;
/* Size in bits, for messages; 0 for a blob key_check refuses. */
unsigned key_bits(struct bytes blob);
/* The short name people know: "ED25519", "ECDSA-SK", "RSA-CERT"; "unknown" otherwise. */
const char *key_short_name(struct bytes blob);
/* "SHA256:" and unpadded base64, NUL-terminated. A certificate has the one of its key. */
void key_fingerprint_sha256(struct bytes blob, char out[KEY_FINGERPRINT_MAX]);

/* The key type that signature algorithm alg is for ("ssh-rsa" for "rsa-sha2-512"), or NULL. */
const char *key_type_of_algorithm(struct bytes alg);
/* Names for KEXINIT's server-host-key-algorithms and for publickey requests: certificates first, as
 * ssh has them. */
const char *key_algorithm_names(void);
/* Those without certificates: what a signature blob may name. For server-sig-algs and
 * CASignatureAlgorithms. */
const char *key_signature_names(void);
/* The same lists with those algorithms, RSA with SHA-1, that are only for who names them. */
const char *key_algorithm_all_names(void);
const char *key_signature_all_names(void);
/* Is alg one of those? */
bool key_algorithm_is_by_name(struct bytes alg);
/* What a signature by alg is named inside: "rsa-sha2-512" for its -cert-v01@openssh.com, alg itself
 * for the others. Static; empty for an unknown one. */
struct bytes key_signature_name(struct bytes alg);
/* Is alg one for certificates? */
bool key_algorithm_is_certificate(struct bytes alg);
/* The type of the key inside certificates of type name, static; name itself when it is no such
 * type. */
const char *key_plain_type(const char *name);

/* Verifies a signature blob by alg over data. The blob's inner name must be key_signature_name() of
 * alg, its length exact, its numbers positive and minimal; alg must suit the key. Otherwise
 * ERR_SIGNATURE, ERR_MALFORMED or what key_check() says of the blob. A security key must have been
 * touched. An algorithm that is only for who names it is ERR_SIGNATURE. */
enum err key_verify(
    struct bytes blob, struct bytes alg, struct bytes signature, struct bytes data) MUST_USE;

/* What a security key says about the making of a signature. */
struct key_sk_facts {
    bool is_sk; /* false for every other key: the rest is 0 then */
    uint8_t flags;
    uint32_t counter;
};
/* The same, and the caller looks at the facts: whether anybody touched a security key is not
 * checked here. */
enum err key_verify_facts(struct bytes blob, struct bytes alg, struct bytes signature,
    struct bytes data, struct key_sk_facts *facts) MUST_USE;
/* The same with every algorithm: for a caller who has looked alg up in a list that he was given. */
enum err key_verify_named(struct bytes blob, struct bytes alg, struct bytes signature,
    struct bytes data, struct key_sk_facts *facts) MUST_USE;

/* ---- private keys -------------------------------------------------------------------------- */

struct private_key; /* opaque; secret memory, wiped when freed */

enum key_file_status {
    KEY_FILE_OK,
    KEY_FILE_ENCRYPTED, /* needs a passphrase */
    KEY_FILE_WRONG_PASSPHRASE,
    KEY_FILE_UNSUPPORTED, /* a known format, key type or cipher that is not here; why names it */
    KEY_FILE_BAD,         /* why says what was expected */
};
/* Reads the text of a private key file: OpenSSH's format, or PEM with PKCS #1, SEC 1 or PKCS #8.
 * passphrase may be empty. *why is a static phrase for any status but OK. On OK *out is the
 * caller's, to free. Bounded: a file is at most 1 MiB, and a passphrase costs a minute at worst. */
enum key_file_status private_key_parse(
    struct bytes file, struct bytes passphrase, struct private_key **out, const char **why);
/* A new Ed25519 key; NULL on no memory. */
struct private_key *private_key_generate(struct rng *rng);
void private_key_free(struct private_key *k); /* accepts NULL */

/* The public blob, borrowed from k. */
struct bytes private_key_blob(const struct private_key *k);
/* Comment from the file, NUL-terminated, borrowed, unescaped. */
const char *private_key_comment(const struct private_key *k);
/* Signature algorithms this key can make, in order of preference, comma-separated; static. */
const char *private_key_algorithms(const struct private_key *k);
/* k with a certificate for it: its blob is the certificate, its algorithms are those for
 * certificates. The caller's to free; k is copied. NULL when cert is none for k, or on no memory.
 */
struct private_key *private_key_certify(const struct private_key *k, struct bytes cert);
/* Signs data by alg; writes a signature blob (KEY_SIGNATURE_MAX room). ERR_UNSUPPORTED when alg
 * does not suit k. */
enum err private_key_sign(const struct private_key *k, struct bytes alg, struct bytes data,
    uint8_t *out, size_t *out_n) MUST_USE;
/* The unencrypted OpenSSH file text of k, for throw-away keys; returns its length, 0 when cap is
 * too small. */
size_t private_key_write(const struct private_key *k, const char *comment, char *out, size_t cap);

/* Writes k as an agent is given it: type name and private fields. w's memory is the caller's to
 * wipe. */
void private_key_put(const struct private_key *k, struct wire_writer *w);
/* The public key that the text of an OpenSSH private key file tells, also of an encrypted one;
 * whether the private key belongs to it is only known when it is read. ERR_UNSUPPORTED for other
 * formats, ERR_MALFORMED for a damaged file. */
enum err key_file_public(struct bytes file, uint8_t *blob, size_t cap, size_t *blob_n) MUST_USE;

/* A line of an authorized_keys or .pub file: type, base64 (standard, padded), rest. Decodes the
 * key's base64 into blob; ERR_MALFORMED when it is not base64 or its inner type differs from type.
 */
enum err key_from_base64(
    struct bytes type, struct bytes b64, uint8_t *blob, size_t cap, size_t *blob_n) MUST_USE;

#endif
