/* GCM's bulk work with BearSSL: AES-NI and PCLMULQDQ, or constant-time C. */
#include <bearssl.h>
#include <string.h>

#include "crypto/aes_ctr.h"
#include "crypto/gcm.h"

/* 4 to 16 KiB do equally well; see PACKET_CHUNK_BYTES for why there are chunks at all. */
enum { CHUNK_BYTES = 8192 };

struct bearssl_gcm {
    br_aes_gen_ctr_keys keys;
    br_ghash ghash;
    uint8_t h[16];
};
_Static_assert(sizeof(struct bearssl_gcm) <= GCM_STATE_BYTES, "backend state fits");

static void init_with(struct bearssl_gcm *s, const br_block_ctr_class *aes, br_ghash ghash,
    const uint8_t *key, size_t key_n)
{
    static const uint8_t zero_iv[GCM_IV_BYTES];
    aes->init(&s->keys.vtable, key, key_n);
    s->ghash = ghash;
    memset(s->h, 0, sizeof s->h); /* H is the zero block encrypted: keystream of counter 0, IV 0 */
    (void)s->keys.vtable->run(&s->keys.vtable, zero_iv, 0, s->h, sizeof s->h);
}

static bool hardware_is_supported(void)
{
    return aes_has_hardware() && br_ghash_pclmul_get() != NULL;
}

static void hardware_init(void *state, const uint8_t *key, size_t key_n)
{
    init_with(state, br_aes_x86ni_ctr_get_vtable(), br_ghash_pclmul_get(), key, key_n);
}

static bool portable_is_supported(void)
{
    return true;
}

static void portable_init(void *state, const uint8_t *key, size_t key_n)
{
    init_with(state, &br_aes_ct64_ctr_vtable, br_ghash_ctmul64, key, key_n);
}

static void encrypt(const void *state, const uint8_t iv[GCM_IV_BYTES], uint32_t counter,
    uint8_t y[16], uint8_t *p, size_t n)
{
    const struct bearssl_gcm *s = state;
    while (n > 0) {
        size_t chunk = n < CHUNK_BYTES ? n : CHUNK_BYTES;
        counter = s->keys.vtable->run(&s->keys.vtable, iv, counter, p, chunk);
        s->ghash(y, s->h, p, chunk);
        p += chunk;
        n -= chunk;
    }
}

static void decrypt(const void *state, const uint8_t iv[GCM_IV_BYTES], uint32_t counter,
    uint8_t y[16], uint8_t *p, size_t n)
{
    const struct bearssl_gcm *s = state;
    while (n > 0) {
        size_t chunk = n < CHUNK_BYTES ? n : CHUNK_BYTES;
        s->ghash(y, s->h, p, chunk);
        counter = s->keys.vtable->run(&s->keys.vtable, iv, counter, p, chunk);
        p += chunk;
        n -= chunk;
    }
}

static void ghash(const void *state, uint8_t y[16], const uint8_t *p, size_t n)
{
    const struct bearssl_gcm *s = state;
    s->ghash(y, s->h, p, n);
}

static void tag_mask(const void *state, const uint8_t iv[GCM_IV_BYTES], uint8_t out[16])
{
    const struct bearssl_gcm *s = state;
    memset(out, 0, 16);
    (void)s->keys.vtable->run(&s->keys.vtable, iv, 1, out, 16);
}

const struct gcm_backend gcm_bearssl_hardware = {
    "bearssl-aesni", hardware_is_supported, hardware_init, encrypt, decrypt, ghash, tag_mask};
const struct gcm_backend gcm_bearssl_portable = {
    "bearssl-portable", portable_is_supported, portable_init, encrypt, decrypt, ghash, tag_mask};
