#include "proto/namelist.h"
#include "tests/unit/unit.h"

#include <string.h>

static void an_empty_list_is_valid_and_has_no_names(void)
{
    struct bytes list = {NULL, 0}, name;
    CU_ASSERT_TRUE(namelist_is_valid(list));
    CU_ASSERT_FALSE(namelist_next(&list, &name));
    CU_ASSERT_FALSE(namelist_has_cstr(list, ""));
    CU_ASSERT_FALSE(namelist_has_cstr(list, "a"));
}

static void names_come_in_order(void)
{
    struct bytes list = BYTES_LIT("a,bc@x,d"), name;
    CU_ASSERT_TRUE(namelist_next(&list, &name) && bytes_is(name, "a"));
    CU_ASSERT_TRUE(namelist_next(&list, &name) && bytes_is(name, "bc@x"));
    CU_ASSERT_TRUE(namelist_next(&list, &name) && bytes_is(name, "d"));
    CU_ASSERT_FALSE(namelist_next(&list, &name));
}

/* libssh up to 0.10 sends "aes256-ctr,aes192-ctr,aes128-ctr,". */
static void empty_names_are_passed_over(void)
{
    static const char *const lists[] = {"a,b", "a,b,", ",a,b", "a,,b", ",,a,,,b,,"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct bytes list = bytes_of(lists[i]), name;
        CU_ASSERT_TRUE(namelist_is_valid(list));
        CU_ASSERT_FALSE(namelist_has_cstr(list, ""));
        CU_ASSERT_TRUE(bytes_is(namelist_choose(list, BYTES_LIT(",b,")), "b"));
        CU_ASSERT_EQUAL(namelist_choose(list, BYTES_LIT(",,c")).n, 0);
        CU_ASSERT_TRUE(namelist_next(&list, &name) && bytes_is(name, "a"));
        CU_ASSERT_TRUE(namelist_next(&list, &name) && bytes_is(name, "b"));
        CU_ASSERT_FALSE(namelist_next(&list, &name));
    }
    struct bytes commas = BYTES_LIT(",,,"), name;
    CU_ASSERT_TRUE(namelist_is_valid(commas));
    CU_ASSERT_FALSE(namelist_next(&commas, &name));
}

static void only_printable_ascii_is_valid(void)
{
    for (unsigned v = 0; v < 256; v++) {
        uint8_t list[3] = {'a', (uint8_t)v, 'b'};
        CU_ASSERT_EQUAL(namelist_is_valid((struct bytes){list, 3}), v > ' ' && v < 0x7f);
    }
}

static void names_have_at_most_64_bytes(void)
{
    uint8_t list[2 + 65];
    memset(list, 'n', sizeof list);
    CU_ASSERT_TRUE(namelist_is_valid((struct bytes){list, 64}));
    CU_ASSERT_FALSE(namelist_is_valid((struct bytes){list, 65}));
    list[1] = ',';
    CU_ASSERT_TRUE(namelist_is_valid((struct bytes){list, 2 + 64}));
    CU_ASSERT_FALSE(namelist_is_valid((struct bytes){list, 2 + 65}));
}

static void a_name_is_found_whole_or_not_at_all(void)
{
    struct bytes list = BYTES_LIT("aes128-ctr,aes128-gcm@openssh.com");
    CU_ASSERT_TRUE(namelist_has(list, BYTES_LIT("aes128-ctr")));
    CU_ASSERT_TRUE(namelist_has_cstr(list, "aes128-gcm@openssh.com"));
    CU_ASSERT_FALSE(namelist_has_cstr(list, "aes128"));
    CU_ASSERT_FALSE(namelist_has_cstr(list, "aes128-gcm"));
    CU_ASSERT_FALSE(namelist_has_cstr(list, "AES128-ctr"));
    CU_ASSERT_FALSE(namelist_has_cstr(list, "aes128-ctr,aes128-gcm@openssh.com"));
    CU_ASSERT_FALSE(namelist_has_cstr(list, ""));
}

static void the_clients_order_chooses(void)
{
    struct bytes client = BYTES_LIT("x,b,a");
    struct bytes chosen = namelist_choose(client, BYTES_LIT("a,b,c"));
    CU_ASSERT_TRUE(bytes_is(chosen, "b"));
    CU_ASSERT_PTR_EQUAL(chosen.p, client.p + 2); /* borrowed from the client's list */
}

static void nothing_in_common_chooses_nothing(void)
{
    CU_ASSERT_EQUAL(namelist_choose(BYTES_LIT("a,b"), BYTES_LIT("c")).n, 0);
    CU_ASSERT_EQUAL(namelist_choose(BYTES_LIT(""), BYTES_LIT("c")).n, 0);
    CU_ASSERT_EQUAL(namelist_choose(BYTES_LIT("a"), BYTES_LIT("")).n, 0);
    CU_ASSERT_EQUAL(namelist_choose(BYTES_LIT(""), BYTES_LIT("")).n, 0);
}

static const struct unit_test tests[] = {
    UNIT(an_empty_list_is_valid_and_has_no_names),
    UNIT(names_come_in_order),
    UNIT(empty_names_are_passed_over),
    UNIT(only_printable_ascii_is_valid),
    UNIT(names_have_at_most_64_bytes),
    UNIT(a_name_is_found_whole_or_not_at_all),
    UNIT(the_clients_order_chooses),
    UNIT(nothing_in_common_chooses_nothing),
};

UNIT_MAIN("namelist", tests)
