/* Secret memory and constant-time comparison. */
#include "crypto/ct.h"

#include <string.h>

#include "tests/unit/unit.h"

static void ct_equal_sees_a_difference_in_any_bit(void)
{
    uint8_t a[40], b[40];
    for (size_t i = 0; i < sizeof a; i++)
        a[i] = b[i] = (uint8_t)(i * 7);
    CU_ASSERT_TRUE(ct_equal(a, b, sizeof a));
    CU_ASSERT_EQUAL(ct_equal_mask(a, b, sizeof a), 0xff);
    for (size_t bit = 0; bit < sizeof a * 8; bit++) {
        b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CU_ASSERT_FALSE(ct_equal(a, b, sizeof a));
        CU_ASSERT_EQUAL(ct_equal_mask(a, b, sizeof a), 0);
        b[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void ct_equal_of_nothing_is_true(void)
{
    CU_ASSERT_TRUE(ct_equal("a", "b", 0));
}

static void secure_wipe_leaves_zeros_and_accepts_null(void)
{
    uint8_t a[33];
    static const uint8_t zeros[33];
    memset(a, 0xa5, sizeof a);
    secure_wipe(a, sizeof a);
    CU_ASSERT_EQUAL(memcmp(a, zeros, sizeof a), 0);
    secure_wipe(NULL, 0);
}

static void secret_memory_starts_as_zeros_and_free_accepts_null(void)
{
    static const uint8_t zeros[100];
    uint8_t *p = secret_alloc(sizeof zeros);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    CU_ASSERT_EQUAL(memcmp(p, zeros, sizeof zeros), 0);
    secret_free(p, sizeof zeros);
    secret_free(NULL, 0);
}

static const struct unit_test tests[] = {
    UNIT(ct_equal_sees_a_difference_in_any_bit),
    UNIT(ct_equal_of_nothing_is_true),
    UNIT(secure_wipe_leaves_zeros_and_accepts_null),
    UNIT(secret_memory_starts_as_zeros_and_free_accepts_null),
};
UNIT_MAIN("ct", tests)
