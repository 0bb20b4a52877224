#include "proto/msg.h"
#include "tests/unit/unit.h"

#include <stdio.h>

static void a_known_number_has_its_name(void)
{
    CU_ASSERT_STRING_EQUAL(msg_name(MSG_DISCONNECT), "DISCONNECT");
    CU_ASSERT_STRING_EQUAL(msg_name(MSG_KEXINIT), "KEXINIT");
    CU_ASSERT_STRING_EQUAL(msg_name(94), "CHANNEL_DATA");
    CU_ASSERT_STRING_EQUAL(msg_name(MSG_PONG), "PONG");
}

/* Either way nothing but what a line of a log may hold, and never NULL. */
static void a_number_without_a_name_is_told_as_a_number(void)
{
    unsigned n_nameless = 0;
    for (unsigned number = 0; number < 256; number++) {
        char told[16];
        snprintf(told, sizeof told, "message %u", number);
        const char *name = msg_name((uint8_t)number);
        CU_ASSERT_PTR_NOT_NULL_FATAL(name);
        bool is_named = name[0] >= 'A' && name[0] <= 'Z';
        if (!is_named)
            CU_ASSERT_STRING_EQUAL(name, told);
        n_nameless += is_named ? 0 : 1;
    }
    CU_ASSERT_EQUAL(n_nameless, 256 - 36);
}

static const struct unit_test tests[] = {
    UNIT(a_known_number_has_its_name),
    UNIT(a_number_without_a_name_is_told_as_a_number),
};

UNIT_MAIN("msg", tests)
