/* Under valgrind's memcheck: key and message are marked undefined, so that a branch or an address
 * that depends on them is reported, and makes valgrind fail (--error-exitcode=1). Every AES-GCM
 * backend that the processor has runs; valgrind's has no VAES, so those are named as skipped. */
#include <stdio.h>
#include <string.h>

#include "crypto/gcm.h"

#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif
#endif

#ifndef VALGRIND_MAKE_MEM_UNDEFINED
int main(void)
{
    puts("skip   ct_gcm: built without valgrind/memcheck.h");
    return 0;
}
#else

static void run(const struct gcm_backend *b, size_t key_n, size_t n)
{
    static struct gcm g;
    static uint8_t data[4096];
    uint8_t key[32] = {1}, j0[16] = {2}, aad[4] = {0}, tag[16];
    (void)VALGRIND_MAKE_MEM_UNDEFINED(key, sizeof key);
    (void)VALGRIND_MAKE_MEM_UNDEFINED(data, sizeof data);
    gcm_init_with(&g, b, key, key_n);
    b->seal(&g.state, j0, (struct bytes){aad, sizeof aad}, data, n, tag);
    b->open(&g.state, j0, (struct bytes){aad, sizeof aad}, data, n, tag);
}

int main(void)
{
    const struct gcm_backend *b;
    if (!RUNNING_ON_VALGRIND)
        puts("note   ct_gcm: not under valgrind, so nothing is shown");
    for (size_t i = 0; (b = gcm_backend_at(i)) != NULL; i++) {
        if (!b->is_supported()) {
            printf("skip   ct_gcm: %s: not on this processor\n", b->name);
            continue;
        }
        for (size_t key_n = 16; key_n <= 32; key_n += 16)
            for (size_t n = 0; n <= 1300; n += n < 70 ? 1 : 61)
                run(b, key_n, n);
        printf("ok     ct_gcm: %s\n", b->name);
    }
    return 0;
}
#endif
