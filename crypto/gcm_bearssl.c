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

/* SP 800-38D section 7.1: GHASH ends with both lengths in bits; the tag is it, masked. */
static void finish(const struct bearssl_gcm *s, const uint8_t j0[16], uint8_t y[16], size_t aad_n,
    size_t n, uint8_t tag[GCM_TAG_BYTES])
{
    uint8_t block[16];
    uint64_t aad_bits = (uint64_t)aad_n * 8;
    uint64_t bits = (uint64_t)n * 8;
    store_be32(block, (uint32_t)(aad_bits >> 32));
    store_be32(block + 4, (uint32_t)aad_bits);
    store_be32(block + 8, (uint32_t)(bits >> 32));
    store_be32(block + 12, (uint32_t)bits);
    s->ghash(y, s->h, block, sizeof block);
    (void)s->keys.vtable->run(&s->keys.vtable, j0, load_be32(j0 + GCM_IV_BYTES), y, 16);
    memcpy(tag, y, GCM_TAG_BYTES);
}

static void bearssl_seal(const void *state, const uint8_t j0[16], struct bytes aad, uint8_t *p,
    size_t n, uint8_t tag[GCM_TAG_BYTES])
{
    const struct bearssl_gcm *s = state;
    uint8_t y[16] = {0};
    uint32_t counter = load_be32(j0 + GCM_IV_BYTES) + 1;
    if (aad.n > 0)
        s->ghash(y, s->h, aad.p, aad.n);
    for (size_t left = n; left > 0;) {
        size_t chunk = left < CHUNK_BYTES ? left : CHUNK_BYTES;
        counter = s->keys.vtable->run(&s->keys.vtable, j0, counter, p, chunk);
        s->ghash(y, s->h, p, chunk);
        p += chunk;
        left -= chunk;
    }
    finish(s, j0, y, aad.n, n, tag);
}

static void bearssl_open(const void *state, const uint8_t j0[16], struct bytes aad, uint8_t *p,
    size_t n, uint8_t tag[GCM_TAG_BYTES])
{
    const struct bearssl_gcm *s = state;
    uint8_t y[16] = {0};
    uint32_t counter = load_be32(j0 + GCM_IV_BYTES) + 1;
    if (aad.n > 0)
        s->ghash(y, s->h, aad.p, aad.n);
    for (size_t left = n; left > 0;) {
        size_t chunk = left < CHUNK_BYTES ? left : CHUNK_BYTES;
        s->ghash(y, s->h, p, chunk);
        counter = s->keys.vtable->run(&s->keys.vtable, j0, counter, p, chunk);
        p += chunk;
        left -= chunk;
    }
    finish(s, j0, y, aad.n, n, tag);
}

const struct gcm_backend gcm_bearssl_hardware = {
    "bearssl-aesni", hardware_is_supported, hardware_init, bearssl_seal, bearssl_open};
const struct gcm_backend gcm_bearssl_portable = {
    "bearssl-portable", portable_is_supported, portable_init, bearssl_seal, bearssl_open};
