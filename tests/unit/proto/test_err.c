#include "proto/err.h"
#include "tests/unit/unit.h"

#include <string.h>

static void every_code_has_a_text_and_a_reason_of_its_own_kind(void)
{
    for (int e = ERR_OK; e <= ERR_INTERNAL; e++) {
        CU_ASSERT_PTR_NOT_NULL_FATAL(err_text((enum err)e));
        CU_ASSERT_NOT_EQUAL(err_text((enum err)e)[0], '\0');
        unsigned reason = err_disconnect_reason((enum err)e);
        CU_ASSERT_TRUE(reason >= 1 && reason <= 15 && reason != 4); /* 4 is reserved */
    }
    CU_ASSERT_STRING_EQUAL(err_text(ERR_MALFORMED), "malformed message");
    CU_ASSERT_EQUAL(err_disconnect_reason(ERR_MAC), 5);
    CU_ASSERT_EQUAL(err_disconnect_reason(ERR_KEX), 3);
    CU_ASSERT_EQUAL(err_disconnect_reason(ERR_HOST_KEY), 9);
    CU_ASSERT_EQUAL(err_disconnect_reason(ERR_AUTH), 14);
}

static void a_code_that_is_none_is_told_as_such(void)
{
    CU_ASSERT_STRING_EQUAL(err_text((enum err)99), "unknown error");
    CU_ASSERT_EQUAL(err_disconnect_reason((enum err)99), 11);
}

static void the_first_failure_is_kept(void)
{
    struct fault f = {.code = ERR_OK};
    CU_ASSERT_EQUAL(fault_set(&f, ERR_MALFORMED, "window-adjust on %d", 7), ERR_MALFORMED);
    CU_ASSERT_STRING_EQUAL(f.text, "window-adjust on 7");
    CU_ASSERT_EQUAL(fault_set(&f, ERR_IO, "later"), ERR_MALFORMED);
    CU_ASSERT_EQUAL(f.code, ERR_MALFORMED);
    CU_ASSERT_STRING_EQUAL(f.text, "window-adjust on 7");
}

static void success_is_no_failure_to_record(void)
{
    struct fault f = {.code = ERR_OK};
    CU_ASSERT_EQUAL(fault_set(&f, ERR_OK, "fine"), ERR_OK);
    CU_ASSERT_STRING_EQUAL(f.text, "");
    CU_ASSERT_EQUAL(fault_set(&f, ERR_CLOSED, "gone"), ERR_CLOSED);
    CU_ASSERT_STRING_EQUAL(f.text, "gone");
}

static void a_text_too_long_ends_in_dots(void)
{
    struct fault f = {.code = ERR_OK};
    char just_fits[sizeof f.text];
    memset(just_fits, 'x', sizeof just_fits - 1);
    just_fits[sizeof just_fits - 1] = '\0';
    CU_ASSERT_EQUAL(fault_set(&f, ERR_LIMIT, "%s", just_fits), ERR_LIMIT);
    CU_ASSERT_STRING_EQUAL(f.text, just_fits);

    f = (struct fault){.code = ERR_OK};
    CU_ASSERT_EQUAL(fault_set(&f, ERR_LIMIT, "%s!", just_fits), ERR_LIMIT);
    CU_ASSERT_EQUAL(strlen(f.text), sizeof f.text - 1);
    CU_ASSERT_STRING_EQUAL(f.text + sizeof f.text - 5, "x...");
}

static void a_text_too_long_is_not_cut_inside_a_character(void)
{
    for (int shift = 0; shift < 4; shift++) { /* where the cut falls in the three bytes of a euro */
        struct fault f = {.code = ERR_OK};
        char euros[400] = "";
        for (int i = 0; i < 100; i++)
            memcpy(euros + 3 * i, "\xe2\x82\xac", 4);
        CU_ASSERT_EQUAL(fault_set(&f, ERR_LIMIT, "%.*s%s", shift, "abc", euros), ERR_LIMIT);
        size_t n = strlen(f.text);
        CU_ASSERT_STRING_EQUAL(f.text + n - 3, "...");
        CU_ASSERT_EQUAL((n - 3 - (size_t)shift) % 3, 0);
    }
}

static const struct unit_test tests[] = {
    UNIT(every_code_has_a_text_and_a_reason_of_its_own_kind),
    UNIT(a_code_that_is_none_is_told_as_such),
    UNIT(the_first_failure_is_kept),
    UNIT(success_is_no_failure_to_record),
    UNIT(a_text_too_long_ends_in_dots),
    UNIT(a_text_too_long_is_not_cut_inside_a_character),
};

UNIT_MAIN("err", tests)
