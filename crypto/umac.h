/* UMAC (RFC 4418) with tags of 8 and 16 bytes, as umac-64@openssh.com and umac-128@openssh.com use
 * it: the nonce is the packet's sequence number. Internal to crypto/. */
#ifndef CRYPTO_UMAC_H
#define CRYPTO_UMAC_H

#include "crypto/aes_ctr.h"
#include "proto/wire.h"

enum {
    UMAC_KEY_BYTES = 16,
    UMAC_NONCE_BYTES = 8,
    UMAC_MAX_TAG_BYTES = 16,
    UMAC_MAX_BYTES = 1 << 24, /* of a message: beyond that RFC 4418 goes on with POLY-128 */

    UMAC_MAX_RUNS = UMAC_MAX_TAG_BYTES / 4,
    UMAC_CHUNK_BYTES = 1024, /* what NH makes 8 bytes of */
    UMAC_NH_WORDS = UMAC_CHUNK_BYTES / 4 + 4 * (UMAC_MAX_RUNS - 1),
};

/* Secret; wipe it when done. Every 4 bytes of a tag are a run with keys of its own. */
struct umac {
    size_t tag_bytes;
    uint32_t nh[UMAC_NH_WORDS];       /* run i's begin 4 words behind run i-1's (Toeplitz) */
    uint64_t poly[UMAC_MAX_RUNS];     /* the point at which layer 2 evaluates */
    uint64_t inner[UMAC_MAX_RUNS][8]; /* layer 3's factors, below 2^36 - 5 */
    uint32_t last[UMAC_MAX_RUNS];     /* ... and what is added in the end */
    struct aes_ctr pad;               /* the key whose encrypted nonce hides the hash */
};

/* tag_bytes: 8 or 16; key has UMAC_KEY_BYTES. */
void umac_init(struct umac *u, size_t tag_bytes, const uint8_t *key);
/* message: at most UMAC_MAX_BYTES. out gets tag_bytes; no nonce may come twice under a key. */
void umac_tag(
    struct umac *u, const uint8_t nonce[UMAC_NONCE_BYTES], struct bytes message, uint8_t *out);

#endif
