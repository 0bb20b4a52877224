/* Bounds of scalars and shapes of points on the NIST curves. */
#include "crypto/nist_curve.h"

#include <string.h>

#include "tests/unit/unit.h"

static const struct nist_curve *const curves[] = {&nist_p256, &nist_p384, &nist_p521};

/* Adds a small number to a big-endian one. */
static void add(uint8_t *x, size_t n, int by)
{
    for (size_t i = n; i-- > 0;) {
        by += x[i];
        x[i] = (uint8_t)by;
        by >>= 8;
    }
}

static void scalars_are_good_from_1_to_the_order_less_1(void)
{
    for (size_t i = 0; i < 3; i++) {
        const struct nist_curve *c = curves[i];
        uint8_t x[NIST_SCALAR_MAX] = {0};
        size_t n;
        const uint8_t *order = nist_arithmetic()->order(c->id, &n);
        CU_ASSERT_EQUAL_FATAL(n, c->bytes);
        CU_ASSERT_FALSE(nist_scalar_is_good(c, x));
        for (size_t bit = 0; bit < c->bits - 1; bit++) {
            memset(x, 0, sizeof x);
            x[c->bytes - 1 - bit / 8] = (uint8_t)(1 << bit % 8);
            CU_ASSERT_TRUE(nist_scalar_is_good(c, x));
        }
        memcpy(x, order, n);
        CU_ASSERT_FALSE(nist_scalar_is_good(c, x));
        add(x, n, -1);
        CU_ASSERT_TRUE(nist_scalar_is_good(c, x));
        add(x, n, 2);
        CU_ASSERT_FALSE(nist_scalar_is_good(c, x));
        memset(x, 0xff, sizeof x);
        CU_ASSERT_FALSE(nist_scalar_is_good(c, x));
    }
}

static void magnitudes_are_padded_to_the_curve_s_length(void)
{
    static const uint8_t m[NIST_SCALAR_MAX + 1] = {1, 2, 3};
    uint8_t x[NIST_SCALAR_MAX];
    for (size_t i = 0; i < 3; i++) {
        size_t n = curves[i]->bytes;
        memset(x, 0xff, sizeof x);
        CU_ASSERT_TRUE(nist_scalar_pad(curves[i], (struct bytes){m, 3}, x));
        CU_ASSERT_TRUE(x[n - 4] == 0 && x[0] == 0 && memcmp(x + n - 3, m, 3) == 0);
        CU_ASSERT_TRUE(nist_scalar_pad(curves[i], (struct bytes){NULL, 0}, x));
        CU_ASSERT_TRUE(nist_scalar_pad(curves[i], (struct bytes){m, n}, x));
        CU_ASSERT_FALSE(nist_scalar_pad(curves[i], (struct bytes){m, n + 1}, x));
    }
}

/* A source whose first draws are out of bounds. */
static void stubborn(struct rng *r, uint8_t *out, size_t n)
{
    memset(out, r->counter == 0 ? 0xff : 0, n);
    if (r->counter++ == 2)
        out[n - 1] = 7;
}

static void random_scalars_are_drawn_until_one_is_good(void)
{
    for (size_t i = 0; i < 3; i++) {
        struct rng rng = {.fill = stubborn};
        uint8_t x[NIST_SCALAR_MAX];
        nist_scalar_random(curves[i], &rng, x);
        CU_ASSERT_EQUAL(rng.counter, 3);
        CU_ASSERT_EQUAL(x[curves[i]->bytes - 1], 7);
    }
}

static void public_points_are_good_and_their_neighbours_are_not(void)
{
    for (size_t i = 0; i < 3; i++) {
        struct rng rng = rng_fixed(i);
        uint8_t x[NIST_SCALAR_MAX], point[NIST_POINT_MAX];
        nist_scalar_random(curves[i], &rng, x);
        size_t n = nist_public(curves[i], x, point);
        CU_ASSERT_TRUE(nist_point_is_good(curves[i], (struct bytes){point, n}));
        CU_ASSERT_FALSE(nist_point_is_good(curves[i], (struct bytes){point, n - 1}));
        CU_ASSERT_FALSE(nist_point_is_good(curves[(i + 1) % 3], (struct bytes){point, n}));
        add(point, n, 1);
        CU_ASSERT_FALSE(nist_point_is_good(curves[i], (struct bytes){point, n}));
        CU_ASSERT_FALSE(nist_point_is_good(curves[i], (struct bytes){(const uint8_t[]){0}, 1}));
    }
}

static const struct unit_test tests[] = {
    UNIT(scalars_are_good_from_1_to_the_order_less_1),
    UNIT(magnitudes_are_padded_to_the_curve_s_length),
    UNIT(random_scalars_are_drawn_until_one_is_good),
    UNIT(public_points_are_good_and_their_neighbours_are_not),
};
UNIT_MAIN("nist_curve", tests)
