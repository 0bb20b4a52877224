/* HMAC (RFC 2104) with its two key blocks hashed once per key: a message then costs the compression
 * of its own bytes and two more. Internal to crypto/; others use hmac_once(). */
#ifndef CRYPTO_HMAC_H
#define CRYPTO_HMAC_H

#include "crypto/hash.h"

struct hmac_key {
    struct hash inner; /* after (key xor ipad) */
    struct hash outer; /* after (key xor opad) */
};

/* Any key length. Wipe *k when done. */
void hmac_key_init(struct hmac_key *k, enum hash_id id, struct bytes key);
/* Starts a message: feed *h with hash_update(), then hmac_end(). */
void hmac_begin(const struct hmac_key *k, struct hash *h);
/* out: hash_bytes(id). *h is wiped. */
void hmac_end(const struct hmac_key *k, struct hash *h, uint8_t *out);

#endif
