#include "crypto/aes_ctr.h"

#include <string.h>

#include "crypto/ct.h"
#include "proto/wire.h"

bool aes_has_hardware(void)
{
    return br_aes_x86ni_ctr_get_vtable() != NULL;
}

const br_block_ctr_class *aes_ctr_class(void)
{
    const br_block_ctr_class *hardware = br_aes_x86ni_ctr_get_vtable();
    return hardware != NULL ? hardware : &br_aes_ct64_ctr_vtable;
}

void aes_ctr_init(struct aes_ctr *a, const uint8_t *key, size_t key_n, const uint8_t counter[16])
{
    aes_ctr_class()->init(&a->keys.vtable, key, key_n);
    memcpy(a->counter, counter, sizeof a->counter);
    ct_public(a->counter, sizeof a->counter); /* see aes_ctr_run() */
}

/* Adds one to the upper 96 bits, which BearSSL calls the IV. */
static void carry(struct aes_ctr *a)
{
    for (size_t i = 12; i-- > 0;)
        if (++a->counter[i] != 0)
            break;
}

/* BearSSL counts in the last 32 bits only, so a run must stop where they wrap. That time tells when
 * is no loss: counters need not be secret, only never used twice (RFC 4344 section 4). */
void aes_ctr_run(struct aes_ctr *a, uint8_t *p, size_t n)
{
    while (n > 0) {
        uint32_t low = load_be32(a->counter + 12);
        uint64_t until_wrap = ((uint64_t)UINT32_MAX + 1 - low) * 16;
        size_t run = n < until_wrap ? n : (size_t)until_wrap;
        low = a->keys.vtable->run(&a->keys.vtable, a->counter, low, p, run);
        store_be32(a->counter + 12, low);
        if (run == until_wrap)
            carry(a);
        p += run;
        n -= run;
    }
}

void aes_ctr_peek(const struct aes_ctr *a, const uint8_t in[16], uint8_t out[16])
{
    memcpy(out, in, 16);
    (void)a->keys.vtable->run(&a->keys.vtable, a->counter, load_be32(a->counter + 12), out, 16);
}
