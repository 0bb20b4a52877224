/* SHA-256, SHA-384, SHA-512, and HMAC over them; SHA-1 for known_hosts names and KRLs, MD5 for the
 * fingerprints of old. */
#ifndef CRYPTO_HASH_H
#define CRYPTO_HASH_H

#include "proto/wire.h"

enum hash_id { HASH_SHA1, HASH_SHA256, HASH_SHA384, HASH_SHA512, HASH_MD5 };
enum { HASH_MAX_BYTES = 64, HASH_BLOCK_MAX_BYTES = 128 };

size_t hash_bytes(enum hash_id id);

/* Incremental hashing; plain memory, to be wiped with secure_wipe when what was hashed is secret.
 */
struct hash {
    enum hash_id id;
    union {
        uint64_t align;
        uint8_t room[512];
    } state;
};
void hash_init(struct hash *h, enum hash_id id);
void hash_update(struct hash *h, struct bytes b);
/* The bytes as an SSH string: length, then contents. */
void hash_update_string(struct hash *h, struct bytes b);
/* out: hash_bytes(id). The state is wiped. */
void hash_final(struct hash *h, uint8_t *out);
void hash_once(enum hash_id id, struct bytes b, uint8_t *out);

void hmac_once(enum hash_id id, struct bytes key, struct bytes message, uint8_t *out);

/* RFC 4253 section 7.2: key material for one letter 'A'..'F', any length of out.
 * k is the shared secret as it is hashed, with its wire length (mpint or string). */
void kdf_ssh(enum hash_id id, struct bytes k, struct bytes exchange_hash, char letter,
    struct bytes session_id, uint8_t *out, size_t n);

#endif
