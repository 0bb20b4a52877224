/* What the readers of the private key file formats share. Internal to crypto/.
 *
 * key_file.c finds the block of text and undoes its base64; one of the readers below then takes
 * what was inside. */
#ifndef CRYPTO_KEY_FILE_H
#define CRYPTO_KEY_FILE_H

#include "crypto/key_type.h"

#define KEY_FILE_BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----"
#define KEY_FILE_END   "-----END OPENSSH PRIVATE KEY-----"
#define KEY_FILE_MAGIC "openssh-key-v1" /* with its NUL */

enum {
    KEY_FILE_MAX_BYTES = 1024 * 1024,
    KEY_FILE_MAX_ROUNDS = 4096, /* of bcrypt: some 40 s; ssh-keygen's default is 24 */
    /* Of PBKDF2: 5 to 8 s. openssl's default is 2048, and the largest number that anybody advises
     * is 1.3 million. */
    KEY_FILE_MAX_ITERATIONS = 10 * 1000 * 1000,
};

struct key_job {
    uint8_t *raw; /* secret and borrowed; it may be overwritten */
    size_t n;
    struct bytes passphrase; /* may be empty */
    struct private_key *key; /* out: the caller's, when the status is OK */
    const char *why;         /* out: a static phrase, when it is not */
};

enum key_file_status key_openssh_read(struct key_job *j); /* OpenSSH PROTOCOL.key */
enum key_file_status key_pkcs1_read(struct key_job *j);   /* RSAPrivateKey: RFC 8017 A.1.2 */
enum key_file_status key_sec1_read(struct key_job *j);    /* ECPrivateKey: RFC 5915 */
enum key_file_status key_pkcs8_read(struct key_job *j);   /* PrivateKeyInfo: RFC 5208, 5958 */
enum key_file_status key_pbes2_read(struct key_job *j);   /* the same, encrypted: RFC 5958, 8018 */

/* Undoes the encryption that headers inside a PEM block tell of; j->n shrinks to the plain text. */
enum key_file_status key_dek_decrypt(struct key_job *j, struct bytes headers);

/* The public blob of an OpenSSH file, which is in clear text; borrowed from raw. */
bool key_openssh_public(struct bytes raw, struct bytes *blob);
/* Can a key with this public blob be used? *type is what it belongs to. */
enum key_file_status key_file_check_blob(
    struct key_job *j, struct bytes blob, const struct key_type **type);

/* Sets j->why and returns status. */
enum key_file_status key_file_say(struct key_job *j, enum key_file_status status, const char *why);

#endif
