#include "cli/strangers.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

enum { MANY = 200 };

static struct strangers all;
static struct stranger each[MANY];
static struct rng rng;
static uint64_t now_ms;

static void begin(void)
{
    memset(&all, 0, sizeof all);
    memset(each, 0, sizeof each);
    rng = rng_system();
}

static bool comes(const char *address)
{
    if (strangers_turn_away(&all, address, &rng))
        return false;
    strangers_add(&all, &each[all.n], address, now_ms);
    return true;
}

/* How many of n are let in, each from prefix and its own number, or all from prefix and 1. */
static unsigned crowd(unsigned n, const char *prefix, bool from_everywhere)
{
    unsigned n_in = 0;
    for (unsigned i = 0; i < n; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s%u", prefix, from_everywhere ? i + 1 : 1);
        n_in += comes(text);
    }
    return n_in;
}

static void one_place_cannot_keep_the_others_out(void)
{
    begin();
    CU_ASSERT_EQUAL(crowd(STRANGERS_BEGIN, "192.0.2.", false), STRANGERS_BEGIN);
    (void)crowd(1000, "192.0.2.", false);
    CU_ASSERT_EQUAL(all.n, STRANGERS_OF_A_PLACE);
    CU_ASSERT_TRUE(strangers_turn_away(&all, "192.0.2.1", &rng));
    CU_ASSERT_TRUE(strangers_turn_away(&all, "::ffff:192.0.2.1", &rng));
    for (int i = 0; i < 100; i++)
        CU_ASSERT_FALSE(strangers_turn_away(&all, "192.0.2.2", &rng));
}

/* Which one machine may have all addresses of. */
static void a_network_of_64_bits_is_one_place(void)
{
    begin();
    (void)crowd(1000, "2001:db8:1:2::", true);
    CU_ASSERT_EQUAL(all.n, STRANGERS_OF_A_PLACE);
    CU_ASSERT_TRUE(strangers_turn_away(&all, "2001:db8:1:2:ffff:ffff:ffff:ffff", &rng));
    CU_ASSERT_FALSE(strangers_turn_away(&all, "2001:db8:1:3::1", &rng));
    CU_ASSERT_FALSE(strangers_turn_away(&all, "fe80::1%eth0", &rng));
}

static void from_everywhere_a_hundred_are_all(void)
{
    begin();
    CU_ASSERT_EQUAL(crowd(MANY, "192.0.2.", true), STRANGERS_FULL);
    CU_ASSERT_TRUE(strangers_turn_away(&all, "198.51.100.1", &rng));
}

static void who_leaves_makes_room_once(void)
{
    begin();
    CU_ASSERT_EQUAL(crowd(STRANGERS_FULL, "192.0.2.", true), STRANGERS_FULL);
    strangers_remove(&all, &each[50]);
    strangers_remove(&all, &each[50]);
    CU_ASSERT_EQUAL(all.n, STRANGERS_FULL - 1);
    CU_ASSERT_FALSE(strangers_turn_away(&all, "198.51.100.1", &rng));
    strangers_remove(&all, &each[0]);
    strangers_remove(&all, &each[STRANGERS_FULL - 1]);
    strangers_add(&all, &each[50], "198.51.100.1", now_ms);
    unsigned n = 0;
    for (const struct stranger *one = all.first; one != NULL; one = one->next)
        n++;
    CU_ASSERT_EQUAL(n, all.n);
    CU_ASSERT_EQUAL(n, STRANGERS_FULL - 2);
}

/* A place that has some already: its next one by lot, the likelier refused the more there are. */
static void between_few_and_all_the_lot_decides(void)
{
    for (unsigned i = 0; i < 2; i++) {
        unsigned n_in = 0;
        for (unsigned round = 0; round < 2000; round++) {
            begin();
            (void)crowd(i == 0 ? STRANGERS_BEGIN : STRANGERS_FULL - 10, "192.0.2.", true);
            n_in += !strangers_turn_away(&all, "192.0.2.1", &rng);
        }
        CU_ASSERT_TRUE(i == 0 ? n_in > 1200 && n_in < 1600 : n_in > 60 && n_in < 300);
    }
}

static void who_says_nothing_makes_room_for_his_own_place(void)
{
    begin();
    CU_ASSERT_EQUAL(crowd(STRANGERS_BEGIN - 1, "192.0.2.", false), STRANGERS_BEGIN - 1);
    now_ms += STRANGERS_SILENT_MS;
    CU_ASSERT_PTR_NULL(strangers_idlest(&all, "192.0.2.1", now_ms)); /* there is room */
    CU_ASSERT_TRUE(comes("192.0.2.1"));
    CU_ASSERT_PTR_EQUAL(strangers_idlest(&all, "192.0.2.1", now_ms), &each[0]);
    CU_ASSERT_PTR_NULL(strangers_idlest(&all, "192.0.2.2", now_ms));
    each[0].has_spoken = true;
    CU_ASSERT_PTR_EQUAL(strangers_idlest(&all, "192.0.2.1", now_ms), &each[1]);
    for (unsigned i = 0; i < STRANGERS_BEGIN - 1; i++)
        each[i].has_spoken = true;
    CU_ASSERT_PTR_NULL(strangers_idlest(&all, "192.0.2.1", now_ms)); /* the last came just now */
}

static void who_takes_long_makes_room_behind_the_silent(void)
{
    begin();
    CU_ASSERT_EQUAL(crowd(STRANGERS_BEGIN, "192.0.2.", false), STRANGERS_BEGIN);
    for (unsigned i = 0; i < STRANGERS_BEGIN; i++)
        each[i].has_spoken = true;
    now_ms += STRANGERS_SLOW_MS - 1;
    CU_ASSERT_PTR_NULL(strangers_idlest(&all, "192.0.2.1", now_ms));
    now_ms++;
    CU_ASSERT_PTR_EQUAL(strangers_idlest(&all, "192.0.2.1", now_ms), &each[0]);
    each[3].has_spoken = false;
    CU_ASSERT_PTR_EQUAL(strangers_idlest(&all, "192.0.2.1", now_ms), &each[3]);
}

static const struct unit_test tests[] = {
    UNIT(one_place_cannot_keep_the_others_out),
    UNIT(a_network_of_64_bits_is_one_place),
    UNIT(from_everywhere_a_hundred_are_all),
    UNIT(who_leaves_makes_room_once),
    UNIT(between_few_and_all_the_lot_decides),
    UNIT(who_says_nothing_makes_room_for_his_own_place),
    UNIT(who_takes_long_makes_room_behind_the_silent),
};
UNIT_MAIN("strangers", tests)
