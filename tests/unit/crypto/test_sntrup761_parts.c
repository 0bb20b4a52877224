/* What sntrup761 is made of, each part against the plain way to write it. */
#include "crypto/sntrup761_parts.h"

#include <string.h>

#include "tests/unit/crypto/each_loops.h"
#include "tests/unit/unit.h"

enum { P = SNTRUP_P, Q = SNTRUP_Q };

/* ---- arithmetic */

static int plain_mod(int x, int m)
{
    int r = (x % m + m) % m;
    return r > m / 2 ? r - m : r;
}

/* a b mod x^p - x - 1 and m. */
static void plain_multiply(const int *a, const int *b, int m, int *out)
{
    static int product[2 * P];
    memset(product, 0, sizeof product);
    for (size_t i = 0; i < P; i++)
        for (size_t j = 0; j < P; j++)
            product[i + j] = plain_mod(product[i + j] + a[i] * b[j], m);
    for (size_t i = 2 * P - 2; i >= P; i--) {
        product[i - P] += product[i];
        product[i - P + 1] += product[i];
    }
    for (size_t i = 0; i < P; i++)
        out[i] = plain_mod(product[i], m);
}

static void plain_of_small(const struct sntrup_small *a, int *out)
{
    for (size_t i = 0; i < P; i++)
        out[i] = a->c[i];
}

static void plain_of_rq(const struct sntrup_rq *a, int *out)
{
    for (size_t i = 0; i < P; i++)
        out[i] = a->c[i];
}

/* Two polynomials at a time: chance, and the ends of the range. */
static void fill_rq(struct rng *rng, int kind, struct sntrup_rq *a)
{
    uint16_t r[P];
    memset(a, 0, sizeof *a);
    rng_bytes(rng, (uint8_t *)r, sizeof r);
    for (size_t i = 0; i < P; i++)
        a->c[i] = (int16_t)(kind == 0   ? plain_mod(r[i], Q)
                            : kind == 1 ? Q / 2
                            : kind == 2 ? -(Q / 2)
                                        : (r[i] & 1 ? Q / 2 : -(Q / 2)));
}

static void fill_small(struct rng *rng, int kind, struct sntrup_small *a)
{
    sntrup_random_small(rng, a);
    for (size_t i = 0; i < P && kind > 0; i++)
        a->c[i] = (int8_t)(kind == 1 ? 1 : kind == 2 ? -1 : i == P - 1);
}

static void products_mod_q_are_right(void)
{
    static int x[P], y[P], want[P];
    struct rng rng = rng_fixed(1);
    struct sntrup_rq a, c;
    struct sntrup_small b;
    EACH_LOOPS(loops)
    for (int kind = 0; kind < 16; kind++) {
        fill_rq(&rng, kind % 4, &a);
        fill_small(&rng, kind / 4, &b);
        plain_of_rq(&a, x);
        plain_of_small(&b, y);
        plain_multiply(x, y, Q, want);
        sntrup_rq_multiply(loops, &a, &b, &c);
        plain_of_rq(&c, x);
        CU_ASSERT_EQUAL(memcmp(x, want, sizeof x), 0);
        for (size_t i = P; i < SNTRUP_ROOM; i++)
            CU_ASSERT_EQUAL(c.c[i], 0);
    }
}

static void products_mod_3_are_right(void)
{
    static int x[P], y[P], want[P];
    struct rng rng = rng_fixed(2);
    struct sntrup_small a, b, c;
    EACH_LOOPS(loops)
    for (int kind = 0; kind < 16; kind++) {
        fill_small(&rng, kind % 4, &a);
        fill_small(&rng, kind / 4, &b);
        plain_of_small(&a, x);
        plain_of_small(&b, y);
        plain_multiply(x, y, 3, want);
        sntrup_r3_multiply(loops, &a, &b, &c);
        plain_of_small(&c, x);
        CU_ASSERT_EQUAL(memcmp(x, want, sizeof x), 0);
    }
}

static bool is_one(const int *a)
{
    bool others = false;
    for (size_t i = 1; i < P; i++)
        others |= a[i] != 0;
    return a[0] == 1 && !others;
}

static void three_a_times_its_reciprocal_mod_q_is_1(void)
{
    static int x[P], y[P];
    struct rng rng = rng_fixed(3);
    struct sntrup_small a;
    struct sntrup_rq r;
    EACH_LOOPS(loops)
    for (int kind = 0; kind < 8; kind++) {
        if (kind < 4)
            sntrup_random_short(&rng, &a);
        else
            fill_small(&rng, kind % 4, &a);
        sntrup_rq_reciprocal_of_3(loops, &a, &r);
        plain_of_small(&a, x);
        plain_of_rq(&r, y);
        plain_multiply(x, y, Q, x);
        for (size_t i = 0; i < P; i++)
            x[i] = plain_mod(3 * x[i], Q);
        CU_ASSERT_TRUE(is_one(x));
    }
}

static void a_times_its_reciprocal_mod_3_is_1(void)
{
    static int x[P], y[P];
    struct rng rng = rng_fixed(4);
    struct sntrup_small a, r;
    EACH_LOOPS(loops)
    for (int kind = 0; kind < 8; kind++) {
        fill_small(&rng, kind % 4, &a);
        CU_ASSERT_TRUE(sntrup_r3_reciprocal(loops, &a, &r));
        plain_of_small(&a, x);
        plain_of_small(&r, y);
        plain_multiply(x, y, 3, x);
        CU_ASSERT_TRUE(is_one(x));
    }
}

/* x^p - x - 1 has a factor of degree 19 mod 3, and none below. */
static void multiples_of_a_factor_have_no_reciprocal_mod_3(void)
{
    static const int8_t factor[] = {
        1, 1, 0, 1, 1, 1, -1, 1, -1, 1, 0, 1, -1, -1, -1, -1, 1, 0, -1, -1};
    struct rng rng = rng_fixed(5);
    struct sntrup_small zero = {{0}}, a = {{0}}, b, r;
    memcpy(a.c, factor, sizeof factor);
    EACH_LOOPS(loops)
    {
        CU_ASSERT_FALSE(sntrup_r3_reciprocal(loops, &zero, &r));
        CU_ASSERT_FALSE(sntrup_r3_reciprocal(loops, &a, &r));
        sntrup_random_small(&rng, &b);
        sntrup_r3_multiply(loops, &a, &b, &b);
        CU_ASSERT_FALSE(sntrup_r3_reciprocal(loops, &b, &r));
    }
}

static void every_int16_is_reduced_mod_q(void)
{
    for (int x = INT16_MIN; x <= INT16_MAX; x++)
        if (sntrup_freeze((int16_t)x) != plain_mod(x, Q))
            CU_FAIL("a wrong representative");
}

static void rounding_and_tripling_are_right_for_each_coefficient(void)
{
    struct sntrup_rq a = {{0}}, b;
    struct sntrup_small s;
    for (int x = -(Q / 2); x <= Q / 2; x++) {
        a.c[x & 511] = (int16_t)x;
        b = a;
        sntrup_rq_round(&b);
        sntrup_rq_triple_mod_3(&a, &s);
        if (b.c[x & 511] != x - plain_mod(x, 3) ||
            s.c[x & 511] != plain_mod(plain_mod(3 * x, Q), 3))
            CU_FAIL("a wrong coefficient");
    }
}

/* ---- encodings */

static void elements_of_rq_come_back_from_their_encoding(void)
{
    uint8_t bytes[SNTRUP_RQ_BYTES];
    struct rng rng = rng_fixed(6);
    struct sntrup_rq a, b;
    for (int kind = 0; kind < 40; kind++) {
        fill_rq(&rng, kind % 4, &a);
        sntrup_rq_encode(&a, bytes);
        sntrup_rq_decode(bytes, &b);
        CU_ASSERT_EQUAL(memcmp(&a, &b, sizeof a), 0);
        sntrup_rq_round(&a);
        sntrup_rounded_encode(&a, bytes);
        sntrup_rounded_decode(bytes, &b);
        CU_ASSERT_EQUAL(memcmp(&a, &b, sizeof a), 0);
    }
}

static void small_polynomials_come_back_from_their_encoding(void)
{
    struct rng rng = rng_fixed(7);
    struct sntrup_small a, b;
    uint8_t bytes[SNTRUP_SMALL_BYTES];
    for (int kind = 0; kind < 4; kind++) {
        fill_small(&rng, kind, &a);
        sntrup_small_encode(&a, bytes);
        sntrup_small_decode(bytes, &b);
        CU_ASSERT_EQUAL(memcmp(&a, &b, sizeof a), 0);
    }
}

static void any_bytes_decode_to_coefficients_in_range(void)
{
    uint8_t bytes[SNTRUP_RQ_BYTES];
    struct rng rng = rng_fixed(8);
    struct sntrup_rq a;
    for (int round = 0; round < 200; round++) {
        rng_bytes(&rng, bytes, sizeof bytes);
        if (round == 0)
            memset(bytes, 0xff, sizeof bytes);
        sntrup_rq_decode(bytes, &a);
        for (size_t i = 0; i < P; i++)
            CU_ASSERT_TRUE(a.c[i] >= -(Q / 2) && a.c[i] <= Q / 2);
        sntrup_rounded_decode(bytes, &a);
        for (size_t i = 0; i < P; i++)
            CU_ASSERT_TRUE(a.c[i] >= -(Q / 2) && a.c[i] <= Q / 2 && a.c[i] % 3 == 0);
    }
}

/* ---- chance */

static void the_network_sorts(void)
{
    struct rng rng = rng_fixed(9);
    uint32_t a[P], sum, sum2;
    for (size_t n = 0; n <= P; n += n < 70 ? 1 : 691) {
        for (int kind = 0; kind < 30; kind++) {
            rng_bytes(&rng, (uint8_t *)a, sizeof a);
            for (size_t i = 0; i < n; i++)
                a[i] = kind < 10 ? a[i] : kind < 20 ? a[i] & 1 : (uint32_t)(n - i) * 0x5000000u;
            sum = sum2 = 0;
            for (size_t i = 0; i < n; i++)
                sum += a[i] * (a[i] | 1);
            sntrup_sort(a, n);
            for (size_t i = 0; i < n; i++)
                sum2 += a[i] * (a[i] | 1);
            CU_ASSERT_EQUAL(sum, sum2);
            for (size_t i = 1; i < n; i++)
                CU_ASSERT_TRUE(a[i - 1] <= a[i]);
        }
    }
}

/* Counts over 200 polynomials: within six standard deviations of what is expected. */
static void random_polynomials_have_their_shape(void)
{
    struct rng rng = rng_fixed(10);
    struct sntrup_small a;
    int count[3] = {0}, ones = 0;
    for (int round = 0; round < 200; round++) {
        int weight = 0;
        sntrup_random_small(&rng, &a);
        for (size_t i = 0; i < P; i++)
            count[a.c[i] + 1]++;
        sntrup_random_short(&rng, &a);
        for (size_t i = 0; i < P; i++) {
            weight += a.c[i] != 0;
            ones += a.c[i] == 1;
        }
        CU_ASSERT_EQUAL(weight, SNTRUP_W);
    }
    for (int i = 0; i < 3; i++)
        CU_ASSERT_TRUE(count[i] > 50733 - 1104 && count[i] < 50733 + 1104);
    CU_ASSERT_TRUE(ones > 28600 - 718 && ones < 28600 + 718);
}

static const struct unit_test tests[] = {
    UNIT(products_mod_q_are_right),
    UNIT(products_mod_3_are_right),
    UNIT(three_a_times_its_reciprocal_mod_q_is_1),
    UNIT(a_times_its_reciprocal_mod_3_is_1),
    UNIT(multiples_of_a_factor_have_no_reciprocal_mod_3),
    UNIT(every_int16_is_reduced_mod_q),
    UNIT(rounding_and_tripling_are_right_for_each_coefficient),
    UNIT(elements_of_rq_come_back_from_their_encoding),
    UNIT(small_polynomials_come_back_from_their_encoding),
    UNIT(any_bytes_decode_to_coefficients_in_range),
    UNIT(the_network_sorts),
    UNIT(random_polynomials_have_their_shape),
};

int main(void)
{
    return crypto_init() ? unit_main("sntrup761_parts", tests, sizeof tests / sizeof tests[0]) : 2;
}
