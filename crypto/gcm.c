#include "crypto/gcm.h"

#include <string.h>

#include "crypto/ct.h"

/* Best first; the last one runs everywhere. */
static const struct gcm_backend *const backends[] = {
    &gcm_vaes512,
    &gcm_vaes256,
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

/* Asked once: on a virtual machine every CPUID is a trap of some 6 microseconds, many times what
 * the rest of a key's setup costs. Threads that ask at the same time find the same. */
static const struct gcm_backend *best_backend(void)
{
    static _Atomic(const struct gcm_backend *) best;
    const struct gcm_backend *b = best;
    if (b != NULL)
        return b;
    size_t i = 0;
    while (!backends[i]->is_supported())
        i++;
    best = backends[i];
    return backends[i];
}

void gcm_init(struct gcm *g, const uint8_t *key, size_t key_n)
{
    gcm_init_with(g, best_backend(), key, key_n);
}

/* SP 800-38D section 7.1 step 2, for IVs of 96 bits. */
static void first_counter(const uint8_t iv[GCM_IV_BYTES], uint8_t j0[16])
{
    memcpy(j0, iv, GCM_IV_BYTES);
    store_be32(j0 + GCM_IV_BYTES, 1);
}

void gcm_seal(const struct gcm *g, const uint8_t iv[GCM_IV_BYTES], struct bytes aad, uint8_t *p,
    size_t n, uint8_t tag[GCM_TAG_BYTES])
{
    uint8_t j0[16];
    first_counter(iv, j0);
    g->backend->seal(&g->state, j0, aad, p, n, tag);
}

bool gcm_open(const struct gcm *g, const uint8_t iv[GCM_IV_BYTES], struct bytes aad, uint8_t *p,
    size_t n, const uint8_t tag[GCM_TAG_BYTES])
{
    uint8_t j0[16];
    uint8_t expected[GCM_TAG_BYTES];
    first_counter(iv, j0);
    g->backend->open(&g->state, j0, aad, p, n, expected);
    bool ok = ct_equal(expected, tag, GCM_TAG_BYTES);
    secure_wipe(expected, sizeof expected);
    if (!ok)
        secure_wipe(p, n); /* plaintext that nobody vouches for */
    return ok;
}
