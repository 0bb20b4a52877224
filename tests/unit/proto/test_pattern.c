#include "proto/known_hosts.h"
#include "tests/unit/unit.h"

#include <string.h>

static bool matches(const char *pattern, const char *name)
{
    return pattern_match(bytes_of(pattern), bytes_of(name));
}

static bool list_matches(const char *patterns, const char *name)
{
    return pattern_list_match(bytes_of(patterns), bytes_of(name));
}

static void a_plain_pattern_matches_its_name_only(void)
{
    CU_ASSERT_TRUE(matches("example.com", "example.com"));
    CU_ASSERT_FALSE(matches("example.com", "example.comm"));
    CU_ASSERT_FALSE(matches("example.com", "example.co"));
    CU_ASSERT_FALSE(matches("example.com", "examplescom"));
    CU_ASSERT_TRUE(matches("", ""));
    CU_ASSERT_FALSE(matches("", "x"));
    CU_ASSERT_FALSE(matches("x", ""));
}

static void letters_match_in_either_case(void)
{
    CU_ASSERT_TRUE(matches("Example.COM", "eXAMPLE.com"));
    CU_ASSERT_FALSE(matches("[", "{")); /* these differ in the bit that tells the case of letters */
    CU_ASSERT_FALSE(matches("@", "`"));
}

static void a_star_stands_for_any_run_and_none(void)
{
    CU_ASSERT_TRUE(matches("*", ""));
    CU_ASSERT_TRUE(matches("*", "anything"));
    CU_ASSERT_TRUE(matches("*.example.com", "a.b.example.com"));
    CU_ASSERT_FALSE(matches("*.example.com", "example.com"));
    CU_ASSERT_TRUE(matches("a*b*c", "abbbc"));
    CU_ASSERT_TRUE(matches("a*b*c", "axxbxxbxxc"));
    CU_ASSERT_FALSE(matches("a*b*c", "abcd"));
    CU_ASSERT_TRUE(matches("*ab", "aab"));
    CU_ASSERT_TRUE(matches("a**", "a"));
    CU_ASSERT_TRUE(matches("*aab*", "xaaab"));
}

static void a_question_mark_stands_for_one_character(void)
{
    CU_ASSERT_TRUE(matches("10.0.0.?", "10.0.0.7"));
    CU_ASSERT_FALSE(matches("10.0.0.?", "10.0.0.17"));
    CU_ASSERT_FALSE(matches("10.0.0.?", "10.0.0."));
    CU_ASSERT_TRUE(matches("?*?", "ab"));
    CU_ASSERT_FALSE(matches("?*?", "a"));
}

static void brackets_are_themselves(void)
{
    CU_ASSERT_TRUE(matches("[h]:2222", "[h]:2222"));
    CU_ASSERT_FALSE(matches("[h]:2222", "h:2222"));
    CU_ASSERT_TRUE(matches("[*]:2222", "[some.host]:2222"));
}

static void any_pattern_of_a_list_matches(void)
{
    CU_ASSERT_TRUE(list_matches("a,b,c", "b"));
    CU_ASSERT_FALSE(list_matches("a,b,c", "d"));
    CU_ASSERT_FALSE(list_matches("a,b,c", "a,b"));
    CU_ASSERT_FALSE(list_matches("", "a"));
    CU_ASSERT_FALSE(list_matches("", ""));
    CU_ASSERT_TRUE(list_matches("host,10.0.0.1,[h]:2222", "[H]:2222"));
}

static void a_negated_match_wins_wherever_it_stands(void)
{
    CU_ASSERT_FALSE(list_matches("*.example.com,!bad.example.com", "bad.example.com"));
    CU_ASSERT_FALSE(list_matches("!bad.example.com,*.example.com", "bad.example.com"));
    CU_ASSERT_TRUE(list_matches("!bad.example.com,*.example.com", "good.example.com"));
    CU_ASSERT_FALSE(list_matches("!bad", "good")); /* nothing is matched by negations alone */
    CU_ASSERT_FALSE(list_matches("bad,!BAD", "bad"));
}

static void empty_patterns_of_a_list_match_nothing(void)
{
    CU_ASSERT_FALSE(list_matches(",", ""));
    CU_ASSERT_FALSE(list_matches("!", ""));
    CU_ASSERT_TRUE(list_matches(",,a,", "a"));
    CU_ASSERT_TRUE(list_matches("!,a", "a"));
}

/* With a matcher that tries every star at every place these would not end in our lifetime. */
static void many_stars_cost_the_product_of_the_lengths(void)
{
    uint8_t pattern[1000], name[1000];
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = i % 2 == 0 ? '*' : 'a';
    memset(name, 'a', sizeof name);
    CU_ASSERT_TRUE(
        pattern_match((struct bytes){pattern, sizeof pattern}, (struct bytes){name, sizeof name}));
    pattern[sizeof pattern - 1] = 'b';
    CU_ASSERT_FALSE(
        pattern_match((struct bytes){pattern, sizeof pattern}, (struct bytes){name, sizeof name}));
    CU_ASSERT_FALSE(pattern_list_match(
        (struct bytes){pattern, sizeof pattern}, (struct bytes){name, sizeof name}));
}

static const struct unit_test tests[] = {
    UNIT(a_plain_pattern_matches_its_name_only),
    UNIT(letters_match_in_either_case),
    UNIT(a_star_stands_for_any_run_and_none),
    UNIT(a_question_mark_stands_for_one_character),
    UNIT(brackets_are_themselves),
    UNIT(any_pattern_of_a_list_matches),
    UNIT(a_negated_match_wins_wherever_it_stands),
    UNIT(empty_patterns_of_a_list_match_nothing),
    UNIT(many_stars_cost_the_product_of_the_lengths),
};

UNIT_MAIN("pattern", tests)
