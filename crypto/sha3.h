/* SHA3-256, SHA3-512, SHAKE128, SHAKE256 (FIPS 202). No branch or address depends on the input. */
#ifndef CRYPTO_SHA3_H
#define CRYPTO_SHA3_H

#include "proto/wire.h"

enum sha3_id { SHA3_256, SHA3_512, SHAKE128, SHAKE256 };
enum { SHAKE128_BLOCK_BYTES = 168 };

/* Input first, then output, each in as many pieces as wanted: the first squeeze ends the input.
 * Plain memory, to be wiped with secure_wipe when what was absorbed is secret. */
struct sha3 {
    uint64_t lanes[25];
    size_t rate_bytes;
    size_t at; /* bytes of the block that are absorbed, or squeezed */
    uint8_t domain;
    bool is_squeezing;
};
void sha3_init(struct sha3 *s, enum sha3_id id);
void sha3_absorb(struct sha3 *s, struct bytes b);
/* SHA3's output has its one length, 32 or 64 bytes; SHAKE's goes on for ever. */
void sha3_squeeze(struct sha3 *s, uint8_t *out, size_t n);
/* All at once; what was kept in between is wiped. */
void sha3_once(enum sha3_id id, struct bytes b, uint8_t *out, size_t n);

#endif
