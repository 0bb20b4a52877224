/* The library's modular exponentiation with a secret exponent, as Diffie-Hellman uses it: in the
 * three groups of RFC 3526 that are here. */
#include <string.h>

#include "crypto/dh.h"
#include "crypto/magnitude.h"
#include "tests/ct/mark.h"

static bool run(const struct dh_group *d)
{
    static uint8_t x[DH_MAX_BITS / 8];
    uint8_t exponent[DH_EXPONENT_BYTES];
    memset(exponent, 0x5a, sizeof exponent);
    ct_secret(exponent, sizeof exponent);
    memset(x, 0, sizeof x);
    x[d->p.n - 1] = d->g.p[0];
    return magnitude_power(x, (struct bytes){exponent, sizeof exponent}, d->p) &&
           ct_is_secret(x, d->p.n);
}

int main(void)
{
    ct_start("ct_dh");
    return ct_report("2048 bits", run(&dh_group14)) | ct_report("3072 bits", run(&dh_group15)) |
           ct_report("4096 bits", run(&dh_group16));
}
