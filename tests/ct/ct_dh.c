/* Under valgrind's memcheck: the exponent of a Diffie-Hellman share is marked undefined, so that a
 * branch or an address in the library's modular exponentiation that depends on it is reported, and
 * makes valgrind fail (--error-exitcode=1). */
#include <stdio.h>
#include <string.h>

#include "crypto/dh.h"
#include "crypto/magnitude.h"

#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif
#endif

#ifndef VALGRIND_MAKE_MEM_UNDEFINED
int main(void)
{
    puts("skip   ct_dh: built without valgrind/memcheck.h");
    return 0;
}
#else

static bool run(const struct dh_group *d)
{
    static uint8_t x[DH_MAX_BITS / 8];
    uint8_t exponent[DH_EXPONENT_BYTES];
    memset(exponent, 0x5a, sizeof exponent);
    (void)VALGRIND_MAKE_MEM_UNDEFINED(exponent, sizeof exponent);
    memset(x, 0, sizeof x);
    x[d->p.n - 1] = d->g.p[0];
    return magnitude_power(x, (struct bytes){exponent, sizeof exponent}, d->p);
}

int main(void)
{
    static const struct dh_group *const groups[] = {&dh_group14, &dh_group15, &dh_group16};
    if (!RUNNING_ON_VALGRIND)
        puts("note   ct_dh: not under valgrind, so nothing is shown");
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        if (!run(groups[i])) {
            puts("FAILED ct_dh: the exponentiation was refused");
            return 1;
        }
        printf("ok     ct_dh: %u bits\n", dh_bits(groups[i]));
    }
    return 0;
}
#endif
