#include "crypto/ct.h"

#include <sodium.h>
#include <stdlib.h>

uint8_t ct_equal_mask(const void *a, const void *b, size_t n)
{
    unsigned differ = (unsigned)sodium_memcmp(a, b, n); /* 0, or all bits */
    return (uint8_t)~differ;
}

bool ct_equal(const void *a, const void *b, size_t n)
{
    bool same = ct_equal_mask(a, b, n) != 0;
    ct_public(&same, sizeof same);
    return same;
}

void secure_wipe(void *p, size_t n)
{
    if (p != NULL)
        sodium_memzero(p, n);
}

/* Plain heap memory, not sodium_malloc(): that takes four pages and as many system calls an object,
 * and locked memory runs out (RLIMIT_MEMLOCK) with a few hundred connections. The programs forbid
 * core dumps instead. */
void *secret_alloc(size_t n)
{
    return calloc(1, n);
}

void secret_free(void *p, size_t n)
{
    secure_wipe(p, n);
    free(p);
}
