/* AES-GCM (NIST SP 800-38D) with 12-byte IVs and 16-byte tags, over a backend that does the bulk of
 * the work. Internal to crypto/ and its tests.
 *
 * gcm.c chooses the backend, forms the counter block and judges the tag; a backend knows how to run
 * AES-CTR and GHASH fast on one kind of processor. A new backend is one file and one row of the
 * table in gcm.c. */
#ifndef CRYPTO_GCM_H
#define CRYPTO_GCM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/wire.h"

enum {
    GCM_IV_BYTES = 12,
    GCM_TAG_BYTES = 16,
    GCM_STATE_BYTES = 1024, /* room for a backend's expanded key and powers of H */
};

/* A backend takes a message whole, so that one which can encrypt and hash in the same pass does.
 *
 * state is what init filled. j0 is the counter block before the message's first (SP 800-38D section
 * 7.1 step 2): its last 4 bytes count, big-endian, and come round to 0 without a carry; encrypted
 * it masks the tag. p is worked on in place and may lie at any address. */
struct gcm_backend {
    const char *name;
    bool (*is_supported)(void); /* may this processor run it? */
    void (*init)(void *state, const uint8_t *key, size_t key_n);
    void (*seal)(const void *state, const uint8_t j0[16], struct bytes aad, uint8_t *p, size_t n,
        uint8_t tag[GCM_TAG_BYTES]);
    /* Decrypts, and writes the tag that the ciphertext should have come with. */
    void (*open)(const void *state, const uint8_t j0[16], struct bytes aad, uint8_t *p, size_t n,
        uint8_t tag[GCM_TAG_BYTES]);
};

struct gcm {
    const struct gcm_backend *backend;
    union {
        uint64_t align;
        uint8_t room[GCM_STATE_BYTES];
    } state;
};

/* Takes the best backend for this processor. key_n is 16 or 32. Wipe *g when done. */
void gcm_init(struct gcm *g, const uint8_t *key, size_t key_n);
/* The same with a backend of the caller's choice: gcm_backend_at() walks them, best first, NULL at
 * the end; tests run each that is_supported(). */
void gcm_init_with(
    struct gcm *g, const struct gcm_backend *backend, const uint8_t *key, size_t key_n);
const struct gcm_backend *gcm_backend_at(size_t i);

/* Encrypts n bytes at p in place and writes the tag. */
void gcm_seal(const struct gcm *g, const uint8_t iv[GCM_IV_BYTES], struct bytes aad, uint8_t *p,
    size_t n, uint8_t tag[GCM_TAG_BYTES]);
/* Decrypts in place; false, and zeros at p, when the tag is wrong. */
bool gcm_open(const struct gcm *g, const uint8_t iv[GCM_IV_BYTES], struct bytes aad, uint8_t *p,
    size_t n, const uint8_t tag[GCM_TAG_BYTES]) __attribute__((warn_unused_result));

extern const struct gcm_backend
    gcm_vaes512; /* both never supported where not compiled for x86-64 */
extern const struct gcm_backend gcm_vaes256;
extern const struct gcm_backend gcm_bearssl_hardware;
extern const struct gcm_backend gcm_bearssl_portable;

#endif
