/* A leak on purpose: a comparison that stops at the first difference. valgrind must report it, or
 * tests/ct/run.sh fails. */
#include "tests/ct/mark.h"

static bool leaky_equal(const volatile uint8_t *a, const volatile uint8_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

int main(void)
{
    uint8_t secret[32], guess[32] = {0};
    ct_start("planted_branch");
    rng_bytes(&ct_rng, secret, sizeof secret);
    bool same = leaky_equal(secret, guess, sizeof secret);
    ct_public(&same, sizeof same);
    return same ? 1 : 0;
}
