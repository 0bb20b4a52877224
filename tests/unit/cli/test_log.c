#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/unit/cli/fixture.h"

static void messages_above_the_level_are_dropped(void)
{
    struct fixture f;
    fixture_begin(&f);
    log_set_level(LOG_LEVEL_INFO);
    log_verbose("too much");
    log_error("wrong %d", 7);
    log_info("told");
    CU_ASSERT_STRING_EQUAL(f.log, "adit: wrong 7\nadit: told\n");
    fixture_clear_log(&f);
    log_set_level(LOG_LEVEL_QUIET);
    log_fatal("nothing at all");
    CU_ASSERT_STRING_EQUAL(f.log, "");
    fixture_end(&f);
}

static void no_control_character_gets_through(void)
{
    struct fixture f;
    fixture_begin(&f);
    log_error("%s", "a\x1b[2Jb\nadit: forged\x7f");
    CU_ASSERT_STRING_EQUAL(f.log, "adit: a?[2Jb?adit: forged?\n");
    fixture_clear_log(&f);
    log_error("%s", "a\x9b"
                    "31m \xc2\x9b"
                    "31m \xe2\x80\xae \xc3\xbc \\ \xff");
    CU_ASSERT_STRING_EQUAL(f.log, "adit: a?31m ??31m ??? \xc3\xbc \\ ?\n");
    fixture_clear_log(&f);
    log_peer(LOG_LEVEL_INFO, "the server says", bytes_of("x\x1b]0;t\x07\n\xc2\x9b"));
    CU_ASSERT_EQUAL(fixture_log_lines(&f), 1);
    CU_ASSERT(strchr(f.log, 0x1b) == NULL);
    CU_ASSERT(fixture_logged(&f, "adit: the server says: x\\x1b"));
    fixture_end(&f);
}

static void a_message_too_long_ends_in_dots(void)
{
    struct fixture f;
    char text[2 * LOG_LINE_MAX];
    fixture_begin(&f);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    log_error("%s", text);
    CU_ASSERT(f.log_n <= LOG_LINE_MAX);
    CU_ASSERT(f.log_n > 4 && memcmp(f.log + f.log_n - 5, "x...\n", 5) == 0);
    fixture_end(&f);
}

static void a_log_file_is_appended_to_and_private(void)
{
    struct fixture f;
    struct stat st;
    fixture_begin(&f);
    log_set_sink(NULL, NULL);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT(log_to_file(fixture_path(&f, "log")));
        log_error("line %d", i);
        log_to_stderr();
    }
    CU_ASSERT_STRING_EQUAL(fixture_read(&f, "log"), "adit: line 0\nadit: line 1\n");
    CU_ASSERT(stat(f.path, &st) == 0 && (st.st_mode & 077) == 0);
    fixture_end(&f);
}

static void a_block_keeps_its_lines(void)
{
    struct fixture f;
    fixture_begin(&f);
    log_block(LOG_LEVEL_ERROR, "@@@\nWARNING");
    CU_ASSERT_STRING_EQUAL(f.log, "@@@\nWARNING\n");
    fixture_end(&f);
}

static void level_names_are_those_of_ssh(void)
{
    enum log_level level;
    CU_ASSERT(log_level_from_name("debug", &level) && level == LOG_LEVEL_DEBUG1);
    CU_ASSERT(log_level_from_name("QUIET", &level) && level == LOG_LEVEL_QUIET);
    CU_ASSERT(!log_level_from_name("loud", &level));
    CU_ASSERT_STRING_EQUAL(log_level_name(LOG_LEVEL_DEBUG3), "DEBUG3");
}

static const struct unit_test tests[] = {
    UNIT(messages_above_the_level_are_dropped),
    UNIT(no_control_character_gets_through),
    UNIT(a_message_too_long_ends_in_dots),
    UNIT(a_log_file_is_appended_to_and_private),
    UNIT(a_block_keeps_its_lines),
    UNIT(level_names_are_those_of_ssh),
};
UNIT_MAIN("log", tests)
