#include "cli/escape.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

/* What a row of keys comes to: the bytes for the far side, with each action as its byte in "<>". */
struct typed {
    char text[512];
    size_t n;
};

static void add(struct typed *t, const void *p, size_t n)
{
    CU_ASSERT_FATAL(t->n + n < sizeof t->text);
    memcpy(t->text + t->n, p, n);
    t->n += n;
    t->text[t->n] = '\0';
}

/* Feeds keys in pieces of `piece` bytes, with room for `cap` a call. */
static struct typed type_in_pieces(int character, const char *keys, size_t piece, size_t cap)
{
    struct typed t = {.n = 0};
    struct escape e = escape_new(character);
    size_t n = strlen(keys), given = 0, used = 0;
    while (used < n) {
        given = used + piece < n ? used + piece : n;
        while (used < given) {
            uint8_t out[64], which = 0;
            size_t out_n;
            enum escape_action action;
            size_t took = escape_feed(
                &e, (const uint8_t *)keys + used, given - used, out, cap, &out_n, &action, &which);
            CU_ASSERT_FATAL(took > 0 || out_n > 0);
            CU_ASSERT_FATAL(out_n <= cap);
            used += took;
            add(&t, out, out_n);
            if (action != ESCAPE_NONE) {
                char shown[] = {'<', (char)which, '>'};
                CU_ASSERT_EQUAL(which, (uint8_t)keys[used - 1]);
                add(&t, shown, 3);
            }
        }
    }
    if (escape_finish(&e)) {
        char held = (char)character;
        add(&t, &held, 1);
    }
    return t;
}

static void typing_gives(const char *keys, const char *expected)
{
    for (size_t piece = 1; piece <= strlen(keys); piece++) {
        for (size_t cap = 1; cap <= 4; cap++) {
            struct typed t = type_in_pieces('~', keys, piece, cap);
            CU_ASSERT_STRING_EQUAL(t.text, expected);
        }
    }
}

static void ordinary_keys_pass_as_they_are(void)
{
    typing_gives("echo hello\r", "echo hello\r");
    typing_gives("a~.b~~c", "a~.b~~c");
}

static void the_escape_acts_only_at_the_start_of_a_line(void)
{
    typing_gives("~.", "<.>");
    typing_gives("a~.", "a~.");
    typing_gives("a\r~.", "a\r<.>");
    typing_gives("a\n~.", "a\n<.>");
    typing_gives(" ~.", " ~.");
}

static void typed_twice_it_is_itself_once(void)
{
    typing_gives("~~", "~");
    typing_gives("~~.", "~.");
    typing_gives("\r~~~.\r", "\r~~.\r");
}

static void before_any_other_key_it_passes_with_it(void)
{
    typing_gives("~x", "~x");
    typing_gives("~\r~.", "~\r<.>");
    typing_gives("~x~.", "~x~.");
}

static void after_a_command_the_line_still_begins(void)
{
    typing_gives("~#~?~.", "<#><?><.>");
    typing_gives("~R~~", "<R>~");
    typing_gives("\r~vls\r~V", "\r<v>ls\r<V>");
}

static void every_command_has_its_action(void)
{
    static const struct {
        const char *keys;
        enum escape_action action;
    } cases[] = {{"~.", ESCAPE_END}, {"~B", ESCAPE_BREAK}, {"~R", ESCAPE_REKEY},
        {"~v", ESCAPE_MORE_VERBOSE}, {"~V", ESCAPE_LESS_VERBOSE}, {"~\x1a", ESCAPE_SUSPEND},
        {"~#", ESCAPE_LIST}, {"~?", ESCAPE_HELP}, {"~C", ESCAPE_NOT_HERE}, {"~I", ESCAPE_NOT_HERE},
        {"~&", ESCAPE_NOT_HERE}, {"~r", ESCAPE_NONE}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct escape e = escape_new('~');
        uint8_t out[8], which;
        size_t out_n;
        enum escape_action action;
        escape_feed(
            &e, (const uint8_t *)cases[i].keys, 2, out, sizeof out, &out_n, &action, &which);
        CU_ASSERT_EQUAL(action, cases[i].action);
    }
}

static void none_means_that_everything_passes(void)
{
    struct typed t = type_in_pieces(-2, "~.\r~.\r\xfe.", 3, 4);
    CU_ASSERT_STRING_EQUAL(t.text, "~.\r~.\r\xfe.");
}

static void another_character_takes_its_place(void)
{
    CU_ASSERT_STRING_EQUAL(type_in_pieces('%', "%.", 1, 4).text, "<.>");
    CU_ASSERT_STRING_EQUAL(type_in_pieces('%', "~.", 1, 4).text, "~.");
    CU_ASSERT_STRING_EQUAL(type_in_pieces(0x1d, "\x1d\x1d\r\x1d#", 1, 4).text, "\x1d\r<#>");
    CU_ASSERT_STRING_EQUAL(type_in_pieces(0xe9, "\xe9.", 1, 4).text, "<.>");
    CU_ASSERT_STRING_EQUAL(type_in_pieces('.', "..x", 1, 4).text, ".x"); /* twice, not "end" */
    CU_ASSERT_STRING_EQUAL(type_in_pieces('\r', "\r.a\r\r.", 1, 4).text, "<.>a\r<.>");
}

static void one_held_back_at_the_end_is_not_lost(void)
{
    typing_gives("a\r~", "a\r~");
    struct escape e = escape_new('~');
    CU_ASSERT_FALSE(escape_finish(&e));
}

static void its_name_is_as_people_write_it(void)
{
    struct escape e = escape_new('~');
    CU_ASSERT_STRING_EQUAL(escape_name(&e).s, "~");
    e = escape_new(0x1d);
    CU_ASSERT_STRING_EQUAL(escape_name(&e).s, "^]");
    e = escape_new(0xe9);
    CU_ASSERT_STRING_EQUAL(escape_name(&e).s, "\\xe9");
}

static void help_has_every_command_and_fits(void)
{
    char text[2048], small[64];
    struct escape e = escape_new('%');
    size_t n = escape_help(&e, text, sizeof text);
    CU_ASSERT_EQUAL(n, strlen(text));
    CU_ASSERT(n < sizeof text - 1);
    static const char *const parts[] = {"%.  ", "%B", "%R", "%V", "%v", "%^Z", "%#", "%?", "%C",
        "%I", "%&", "%%", "not in adit yet"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        CU_ASSERT_PTR_NOT_NULL(strstr(text, parts[i]));
    for (const char *c = text; *c != '\0'; c++)
        CU_ASSERT(*c != '\n' || c[-1] == '\r');
    CU_ASSERT_EQUAL(escape_help(&e, small, sizeof small), sizeof small - 1);
}

int main(void)
{
    static const struct unit_test tests[] = {
        UNIT(ordinary_keys_pass_as_they_are),
        UNIT(the_escape_acts_only_at_the_start_of_a_line),
        UNIT(typed_twice_it_is_itself_once),
        UNIT(before_any_other_key_it_passes_with_it),
        UNIT(after_a_command_the_line_still_begins),
        UNIT(every_command_has_its_action),
        UNIT(none_means_that_everything_passes),
        UNIT(another_character_takes_its_place),
        UNIT(one_held_back_at_the_end_is_not_lost),
        UNIT(its_name_is_as_people_write_it),
        UNIT(help_has_every_command_and_fits),
    };
    return unit_main("cli/escape", tests, sizeof tests / sizeof tests[0]);
}
