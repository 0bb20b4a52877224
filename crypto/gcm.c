#include "crypto/gcm.h"

#include <string.h>

#include "crypto/ct.h"

/* Best first; the last one runs everywhere. */
static const struct gcm_backend *const backends[] = {
    &gcm_bearssl_hardware,
    &gcm_bearssl_portable,
};

const struct gcm_backend *gcm_backend_at(size_t i)
{
    return i < sizeof backends / sizeof backends[0] ? backends[i] : NULL;
}

void gcm_init_with(
    struct gcm *g, const struct gcm_backend *backend, const uint8_t *key, size_t key_n)
{
    g->backend = backend;
    backend->init(&g->state, key, key_n);
}

void gcm_init(struct gcm *g, const uint8_t *key, size_t key_n)
{
    size_t i = 0;
    while (!backends[i]->is_supported())
        i++;
    gcm_init_with(g, backends[i], key, key_n);
}

/* SP 800-38D section 7.1: GHASH ends with both lengths in bits; the tag is it, masked. */
static void finish(const struct gcm *g, const uint8_t iv[GCM_IV_BYTES], uint8_t y[16], size_t aad_n,
    size_t n, uint8_t tag[GCM_TAG_BYTES])
{
    uint8_t block[16];
    uint64_t aad_bits = (uint64_t)aad_n * 8;
    uint64_t bits = (uint64_t)n * 8;
    store_be32(block, (uint32_t)(aad_bits >> 32));
    store_be32(block + 4, (uint32_t)aad_bits);
    store_be32(block + 8, (uint32_t)(bits >> 32));
    store_be32(block + 12, (uint32_t)bits);
    g->backend->ghash(&g->state, y, block, sizeof block);
    g->backend->tag_mask(&g->state, iv, block);
    for (size_t i = 0; i < GCM_TAG_BYTES; i++)
        tag[i] = y[i] ^ block[i];
    secure_wipe(block, sizeof block);
}

void gcm_seal(const struct gcm *g, const uint8_t iv[GCM_IV_BYTES], struct bytes aad, uint8_t *p,
    size_t n, uint8_t tag[GCM_TAG_BYTES])
{
    uint8_t y[16] = {0};
    if (aad.n > 0)
        g->backend->ghash(&g->state, y, aad.p, aad.n);
    if (n > 0)
        g->backend->encrypt(&g->state, iv, 2, y, p, n);
    finish(g, iv, y, aad.n, n, tag);
}

bool gcm_open(const struct gcm *g, const uint8_t iv[GCM_IV_BYTES], struct bytes aad, uint8_t *p,
    size_t n, const uint8_t tag[GCM_TAG_BYTES])
{
    uint8_t y[16] = {0};
    uint8_t expected[GCM_TAG_BYTES];
    if (aad.n > 0)
        g->backend->ghash(&g->state, y, aad.p, aad.n);
    if (n > 0)
        g->backend->decrypt(&g->state, iv, 2, y, p, n);
    finish(g, iv, y, aad.n, n, expected);
    bool ok = ct_equal(expected, tag, GCM_TAG_BYTES);
    secure_wipe(expected, sizeof expected);
    if (!ok)
        secure_wipe(p, n); /* plaintext that nobody vouches for */
    return ok;
}
