#include "crypto/magnitude.h"

#include <bearssl.h>
#include <string.h>

#include "crypto/ct.h"

unsigned magnitude_bits(struct bytes m)
{
    unsigned bits = (unsigned)m.n * 8;
    for (unsigned top = m.n > 0 ? m.p[0] : 0x80; top < 0x80; top <<= 1)
        bits--;
    return bits;
}

bool magnitude_is_odd(struct bytes m)
{
    return m.n > 0 && (m.p[m.n - 1] & 1) != 0;
}

/* Without leading zeros the longer one is the larger one. */
bool magnitude_is_below(struct bytes a, struct bytes b)
{
    return a.n < b.n || (a.n == b.n && memcmp(a.p, b.p, a.n) < 0);
}

/* BearSSL's RSA public operation takes an exponent of any length, secret ones as well: it reads
 * windows of one to five bits (as many as its memory allows), looks each up by masking the whole
 * table, multiplies every time and keeps the product by a mask (src/int/i62_modpow2.c and
 * i31_modpow2.c), and its Montgomery product ends in a masked subtraction. `make ct` shows the same
 * of the library that is installed. */
bool magnitude_power(uint8_t *x, struct bytes e, struct bytes n)
{
    uint8_t n_copy[MAGNITUDE_POWER_MAX]; /* BearSSL's struct has no const */
    uint8_t e_copy[MAGNITUDE_POWER_MAX];
    if (n.n > sizeof n_copy || e.n > sizeof e_copy)
        return false;
    memcpy(n_copy, n.p, n.n);
    memcpy(e_copy, e.p, e.n);
    br_rsa_public_key key = {n_copy, n.n, e_copy, e.n};
    br_rsa_public fast = br_rsa_i62_public_get(); /* NULL without 128-bit products */
    bool ok = (fast != NULL ? fast : br_rsa_i31_public)(x, n.n, &key) == 1;
    ct_public(&ok, sizeof ok);
    secure_wipe(e_copy, sizeof e_copy);
    return ok;
}
