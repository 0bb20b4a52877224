/* The legality table, all of it: 256 numbers x every phase x both roles. What is expected is
 * written the other way round, by phase, so that one slip does not make both wrong. */
#include <stdio.h>

#include "tests/unit/unit.h"
#include "transport/phase.h"

struct expected {
    enum phase phase;
    const char *takes[2];      /* by role: numbers and ranges; client, server */
    const char *unimplemented; /* the same, less what anybody knows */
};

#define CHATTER "1 2 3 4 "
#define ABOVE   "80-82 90-100 "

static const struct expected table[] = {
    {PH_HELLO, {CHATTER "20", CHATTER "20"}, ""},
    {PH_KEX, {CHATTER "31", CHATTER "30"}, "8-19 22-29 35-49"},
    {PH_GEX, {CHATTER "31", CHATTER "34"}, "8-19 22-29 35-49"},
    {PH_GEX_SHARE, {CHATTER "33", CHATTER "32"}, "8-19 22-29 35-49"},
    {PH_KEX_END, {CHATTER "21", CHATTER "21"}, "8-19 22-29 35-49"},
    {PH_STRICT, {"1 31", "1 30"}, ""},
    {PH_STRICT_GEX, {"1 31", "1 34"}, ""},
    {PH_STRICT_GEX_SHARE, {"1 33", "1 32"}, ""},
    {PH_STRICT_END, {"1 21", "1 21"}, ""},
    {PH_KEYED, {CHATTER "6 7 20 192", CHATTER "5 7 20 192"},
        "8-19 22-29 35-49 54-59 62-79 128-191 194-255"},
    {PH_AUTH, {CHATTER "6 7 20 51-53 60 192", CHATTER "5 20 50 61 192"},
        "8-19 22-29 35-49 54-59 62-79 128-191 194-255"},
    {PH_BEFORE_SUCCESS, {CHATTER "52", CHATTER}, ""},
    {PH_OPEN, {CHATTER "20 192 193 " ABOVE, CHATTER "20 50 192 193 " ABOVE},
        "8-19 22-29 35-49 54-59 62-79 83-89 101-127 128-191 194-255"},
    {PH_REKEY, {CHATTER "31", CHATTER "30"}, "8-19 22-29 35-49"},
    {PH_REKEY_GEX, {CHATTER "31", CHATTER "34"}, "8-19 22-29 35-49"},
    {PH_REKEY_GEX_SHARE, {CHATTER "33", CHATTER "32"}, "8-19 22-29 35-49"},
    {PH_REKEY_END, {CHATTER "21", CHATTER "21"}, "8-19 22-29 35-49"},
    {PH_LOOSE, {CHATTER "31 " ABOVE, CHATTER "30 " ABOVE}, "8-19 22-29 35-49"},
    {PH_LOOSE_GEX, {CHATTER "31 " ABOVE, CHATTER "34 " ABOVE}, "8-19 22-29 35-49"},
    {PH_LOOSE_GEX_SHARE, {CHATTER "33 " ABOVE, CHATTER "32 " ABOVE}, "8-19 22-29 35-49"},
    {PH_LOOSE_END, {CHATTER "21 " ABOVE, CHATTER "21 " ABOVE}, "8-19 22-29 35-49"},
};

static bool lists(const char *text, unsigned number)
{
    unsigned from, to;
    int used;
    while (sscanf(text, "%u%n", &from, &used) == 1) {
        text += used;
        to = from;
        if (*text == '-' && sscanf(text, "-%u%n", &to, &used) == 1)
            text += used;
        if (from <= number && number <= to)
            return true;
    }
    return false;
}

static enum verdict expect(const struct expected *e, enum role role, unsigned number)
{
    if (lists(e->takes[role], number))
        return VERDICT_TAKE;
    return lists(e->unimplemented, number) ? VERDICT_UNIMPLEMENTED : VERDICT_REFUSE;
}

static void each_number_in_each_phase_and_role_is_judged_as_written(void)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        for (enum role role = ROLE_CLIENT; role <= ROLE_SERVER; role++)
            for (unsigned n = 0; n < 256; n++) {
                enum verdict is = phase_judge(role, table[i].phase, (uint8_t)n);
                if (is != expect(&table[i], role, n))
                    printf("    role %d, phase %d, number %u: %d\n", role, table[i].phase, n, is);
                CU_ASSERT_EQUAL(is, expect(&table[i], role, n));
            }
}

static void every_phase_is_in_the_test(void)
{
    unsigned all = 0;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        all |= (unsigned)table[i].phase;
    CU_ASSERT_EQUAL(all, PH_ALL);
}

/* Nor, but from peers with a known fault, in a later key exchange. */
static void nothing_of_the_connection_protocol_is_looked_at_before_login(void)
{
    static const unsigned talk =
        PH_OPEN | PH_LOOSE | PH_LOOSE_GEX | PH_LOOSE_GEX_SHARE | PH_LOOSE_END;
    CU_ASSERT_EQUAL(PH_TALK, talk);
    for (unsigned phase = 1; phase <= PH_ALL; phase <<= 1)
        for (unsigned n = 80; n < 128 && (phase & talk) == 0; n++) {
            CU_ASSERT_EQUAL(
                phase_judge(ROLE_CLIENT, (enum phase)phase, (uint8_t)n), VERDICT_REFUSE);
            CU_ASSERT_EQUAL(
                phase_judge(ROLE_SERVER, (enum phase)phase, (uint8_t)n), VERDICT_REFUSE);
        }
}

static const struct unit_test tests[] = {
    UNIT(each_number_in_each_phase_and_role_is_judged_as_written),
    UNIT(every_phase_is_in_the_test),
    UNIT(nothing_of_the_connection_protocol_is_looked_at_before_login),
};
UNIT_MAIN("phase", tests)
