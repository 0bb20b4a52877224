/* A leak on purpose: a table that is looked into where a secret byte says. valgrind must report it,
 * or tests/ct/run.sh fails. */
#include "tests/ct/mark.h"

int main(void)
{
    static volatile uint8_t table[256];
    uint8_t secret[32], sum = 0;
    ct_start("planted_index");
    rng_bytes(&ct_rng, secret, sizeof secret);
    for (size_t i = 0; i < sizeof secret; i++)
        sum ^= table[secret[i]];
    ct_public(&sum, sizeof sum);
    return sum;
}
