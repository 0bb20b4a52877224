#include "tests/ct/mark.h"

#include <stdio.h>
#include <stdlib.h>

static const char *name;
static struct rng stream;

static void fill_secret(struct rng *r, uint8_t *out, size_t n)
{
    (void)r;
    rng_bytes(&stream, out, n);
    ct_secret(out, n);
}
struct rng ct_rng = {.fill = fill_secret};

void ct_start(const char *program)
{
    name = program;
    stream = rng_fixed(1);
    setvbuf(stdout, NULL, _IOLBF, 0); /* in order with what valgrind says */
    if (crypto_init() && RUNNING_ON_VALGRIND)
        return;
    printf("FAILED %s: not under valgrind, so nothing would be shown\n", name);
    exit(2);
}

/* In place of the one in libcrypto, which does nothing. */
void ct_public(const void *p, size_t n)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(p, n);
}

void ct_secret(void *p, size_t n)
{
    (void)VALGRIND_MAKE_MEM_UNDEFINED(p, n);
}

bool ct_is_secret(const void *p, size_t n)
{
    const uint8_t *at = p;
    for (size_t i = 0; i < n; i++) {
        uint8_t undefined_bits = 0;
        (void)VALGRIND_GET_VBITS(at + i, &undefined_bits, 1);
        if (undefined_bits == 0)
            return false;
    }
    return n > 0;
}

int ct_report(const char *what, bool ok)
{
    printf("%s %s: %s\n", ok ? "ok    " : "FAILED", name, what);
    return ok ? 0 : 1;
}
