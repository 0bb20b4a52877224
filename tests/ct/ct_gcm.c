/* AES-GCM with a secret key and a secret text. Every backend that the processor has runs;
 * valgrind's has no VAES, so those are named as skipped. */
#include <stdio.h>

#include "crypto/gcm.h"
#include "tests/ct/mark.h"

static void run(const struct gcm_backend *b, size_t key_n, size_t n)
{
    static struct gcm g;
    static uint8_t data[4096];
    uint8_t key[32] = {1}, j0[16] = {2}, aad[4] = {0}, tag[16];
    ct_secret(key, sizeof key);
    ct_secret(data, sizeof data);
    gcm_init_with(&g, b, key, key_n);
    b->seal(&g.state, j0, (struct bytes){aad, sizeof aad}, data, n, tag);
    b->open(&g.state, j0, (struct bytes){aad, sizeof aad}, data, n, tag);
}

int main(void)
{
    const struct gcm_backend *b;
    ct_start("ct_gcm");
    for (size_t i = 0; (b = gcm_backend_at(i)) != NULL; i++) {
        if (!b->is_supported()) {
            printf("skip   ct_gcm: %s: not on this processor\n", b->name);
            continue;
        }
        for (size_t key_n = 16; key_n <= 32; key_n += 16)
            for (size_t n = 0; n <= 1300; n += n < 70 ? 1 : 61)
                run(b, key_n, n);
        (void)ct_report(b->name, true);
    }
    return 0;
}
