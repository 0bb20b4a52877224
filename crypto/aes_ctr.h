/* AES in counter mode with SSH's counter: all 16 bytes of it count (RFC 4344 section 4). Internal
 * to crypto/; used by the aesN-ctr ciphers and by encrypted key files. */
#ifndef CRYPTO_AES_CTR_H
#define CRYPTO_AES_CTR_H

#include <bearssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aes_ctr {
    br_aes_gen_ctr_keys keys;
    uint8_t counter[16]; /* of the next block, big-endian */
};

/* BearSSL's AES-CTR: with the processor's AES instructions, or else constant-time bit-sliced code.
 */
const br_block_ctr_class *aes_ctr_class(void);
/* Does this processor have AES instructions that BearSSL uses? */
bool aes_has_hardware(void);

/* key_n is 16, 24 or 32. Wipe *a when done. */
void aes_ctr_init(struct aes_ctr *a, const uint8_t *key, size_t key_n, const uint8_t counter[16]);
/* En- or decrypts n bytes, a multiple of 16 (save for a last call), and steps the counter. */
void aes_ctr_run(struct aes_ctr *a, uint8_t *p, size_t n);
/* Decrypts one block without stepping the counter. */
void aes_ctr_peek(const struct aes_ctr *a, const uint8_t in[16], uint8_t out[16]);

#endif
