/* The two sources of randomness. */
#include "crypto/rng.h"

#include <string.h>

#include "tests/unit/unit.h"

static void the_system_source_starts_and_never_repeats_itself(void)
{
    uint8_t a[32], b[32];
    CU_ASSERT_TRUE_FATAL(crypto_init());
    CU_ASSERT_TRUE(crypto_init()); /* a second call is harmless */
    struct rng r = rng_system();
    rng_bytes(&r, a, sizeof a);
    rng_bytes(&r, b, sizeof b);
    CU_ASSERT_NOT_EQUAL(memcmp(a, b, sizeof a), 0);
}

static void one_seed_gives_one_stream(void)
{
    uint8_t a[100], b[100];
    struct rng x = rng_fixed(42), y = rng_fixed(42);
    for (size_t n = 0; n < sizeof a; n++) {
        rng_bytes(&x, a, n);
        rng_bytes(&y, b, n);
        CU_ASSERT_EQUAL(memcmp(a, b, n), 0);
    }
}

static void another_seed_or_another_call_gives_other_bytes(void)
{
    uint8_t a[32], b[32], c[32];
    struct rng x = rng_fixed(1), y = rng_fixed((uint64_t)1 << 32);
    rng_bytes(&x, a, sizeof a);
    rng_bytes(&y, b, sizeof b);
    rng_bytes(&x, c, sizeof c);
    CU_ASSERT_NOT_EQUAL(memcmp(a, b, sizeof a), 0);
    CU_ASSERT_NOT_EQUAL(memcmp(a, c, sizeof a), 0);
}

static const struct unit_test tests[] = {
    UNIT(the_system_source_starts_and_never_repeats_itself),
    UNIT(one_seed_gives_one_stream),
    UNIT(another_seed_or_another_call_gives_other_bytes),
};
UNIT_MAIN("rng", tests)
