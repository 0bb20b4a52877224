/* Under valgrind's memcheck, as ct_gcm.c: UMAC with key and message marked undefined. */
#include <stdio.h>

#include "crypto/umac.h"

#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif
#endif

#ifndef VALGRIND_MAKE_MEM_UNDEFINED
int main(void)
{
    puts("skip   ct_umac: built without valgrind/memcheck.h");
    return 0;
}
#else

int main(void)
{
    static uint8_t key[UMAC_KEY_BYTES], message[3000], tag[UMAC_MAX_TAG_BYTES];
    if (!RUNNING_ON_VALGRIND)
        puts("note   ct_umac: not under valgrind, so nothing is shown");
    (void)VALGRIND_MAKE_MEM_UNDEFINED(key, sizeof key);
    (void)VALGRIND_MAKE_MEM_UNDEFINED(message, sizeof message);
    for (size_t tag_bytes = 8; tag_bytes <= 16; tag_bytes += 8) {
        static struct umac u;
        umac_init(&u, tag_bytes, key);
        for (size_t n = 0; n <= sizeof message; n += n < 100 ? 1 : 61) {
            const uint8_t nonce[UMAC_NONCE_BYTES] = {[7] = (uint8_t)n};
            umac_tag(&u, nonce, (struct bytes){message, n}, tag);
        }
        printf("ok     ct_umac: tags of %zu bytes\n", tag_bytes);
    }
    return 0;
}
#endif
