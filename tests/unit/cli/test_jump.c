#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/config.h"
#include "cli/jump.h"
#include "tests/unit/cli/fixture.h"

static bool text_is(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* What main() would do with the line and that config file; ends with fixture_end(). */
static bool run(struct fixture *f, const char *line, const char *config)
{
    fixture_begin(f);
    fixture_write(f, "home/.ssh/config", config);
    return fixture_parse(f, line) == OPTIONS_RUN && config_load(&f->o) && options_finish(&f->o);
}

static void a_list_is_cut_into_hosts_users_and_ports(void)
{
    static const struct {
        const char *text, *user, *host;
        int port;
        size_t n;
        const char *printed;
    } cases[] = {
        {"a", NULL, "a", 0, 1, "a"},
        {"me@a:2222", "me", "a", 2222, 1, "me@a:2222"},
        {"me@realm@a", "me@realm", "a", 0, 1, "me@realm@a"},
        {"DOM\\me@a", "DOM\\me", "a", 0, 1, "DOM\\me@a"},
        {"[::1]", NULL, "::1", 0, 1, "[::1]"},
        {"me@[::1]:22", "me", "::1", 22, 1, "me@[::1]:22"},
        {"ssh://m%65@a:22/", "me", "a", 22, 1, "me@a:22"},
        {"ssh://me;x=y@[fe80::1]", "me", "fe80::1", 0, 1, "me@[fe80::1]"},
        {"a,b,me@c:4", "me", "c", 4, 3, "a,b,me@c:4"},
        {"ssh://a:22,ssh://b/", NULL, "b", 0, 2, "ssh://a:22,b"},
        {"none,a", NULL, "a", 0, 2, "none,a"},
        {"%r@%h.gate", "%r", "%h.gate", 0, 1, "%r@%h.gate"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pool pool = {NULL};
        struct jump_list list;
        const char *bad;
        CU_ASSERT_EQUAL_FATAL(jump_parse(&pool, cases[i].text, &list, &bad), ERR_OK);
        CU_ASSERT_EQUAL_FATAL(list.n, cases[i].n);
        const struct destination *last = &list.items[list.n - 1];
        CU_ASSERT(text_is(last->user, cases[i].user) && text_is(last->host, cases[i].host));
        CU_ASSERT_EQUAL(last->port, cases[i].port);
        CU_ASSERT(text_is(jump_text(&pool, cases[i].text, &list), cases[i].printed));
        pool_free(&pool);
    }
}

static void what_is_no_list_is_refused_by_the_element_that_is_none(void)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"a,", ""},
        {",a", ""},
        {"a,,b", ""},
        {"@a", "@a"},
        {"a,me@", "me@"},
        {"::1", "::1"},
        {"[::1", "[::1"},
        {"[::1]2", "[::1]2"},
        {"[[11]", "[[11]"},
        {"me@a]", "me@a]"},
        {"a:0,b", "a:0"},
        {"a,b:65536", "b:65536"},
        {"a:-1", "a:-1"},
        {"a:x", "a:x"},
        {"a/b", "a/b"},
        {"ssh://a/b", "ssh://a/b"},
        {"ssh://m%2Ce@a", "ssh://m%2Ce@a"}, /* a comma, which would begin another element */
        {"ssh://ssh:%2F%2Fme@a", "ssh://ssh:%2F%2Fme@a"}, /* would be read as another URI */
        {"ssh://%00@a", "ssh://%00@a"},
        {"-oProxyCommand=x", "-oProxyCommand=x"},
        {"ok,-x", "-x"},
        {"-x@a", "-x@a"},
        {"ssh://-x", "ssh://-x"},
        {"ssh://%2Dx@a", "ssh://%2Dx@a"},
    };
    struct pool pool = {NULL};
    struct jump_list list;
    const char *bad;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CU_ASSERT_EQUAL(jump_parse(&pool, cases[i][0], &list, &bad), ERR_MALFORMED);
        CU_ASSERT(text_is(bad, cases[i][1]));
    }
    for (const char *p = " '`\"$\\;&<>|(){}\n\t\x1b\x7f"; *p != '\0'; p++) {
        const char host[] = {'a', *p, 'b', '\0'}, user[] = {'a', *p, '@', 'b', '\0'};
        CU_ASSERT_EQUAL(jump_parse(&pool, host, &list, &bad), ERR_MALFORMED);
        CU_ASSERT_EQUAL(jump_parse(&pool, user, &list, &bad), ERR_MALFORMED);
    }
    char many[2 * JUMPS_MAX + 2] = "a";
    for (size_t i = 1; i < JUMPS_MAX; i++)
        strcat(many, ",a");
    CU_ASSERT_EQUAL(jump_parse(&pool, many, &list, &bad), ERR_OK);
    strcat(many, ",a");
    CU_ASSERT_EQUAL(jump_parse(&pool, many, &list, &bad), ERR_LIMIT);
    pool_free(&pool);
}

/* Compared with ssh 9.2, but for what its command line quotes. */
static void the_last_jump_is_the_host_of_another_run_and_the_others_its_jumps(void)
{
    static const char *const cases[][3] = {
        {"-J a h", "", "exec adit -W '[h]:22' -- a"},
        {"-vv -J me@a:2222 -p 44 h", "", "exec adit -l me -p 2222 -v -v -W '[h]:44' -- a"},
        {"-J a,me@[::2]:5,c ::1", "", "exec adit -J 'a,me@[::2]:5' -W '[::1]:22' -- c"},
        {"-l you -4C -J ssh://a:1 -oBatchMode=yes h", "", "exec adit -p 1 -W '[h]:22' -- a"},
        {"h", "ProxyJump a,b", "exec adit -J a -W '[h]:22' -- b"},
        {"H", "HostName web.%h\nPort 8\nProxyJump a", "exec adit -W '[web.h]:8' -- a"},
        {"-J %r@%n.%p,%k%%x you@h", "HostKeyAlias k\nHostName hh",
            "exec adit -J you@h.22 -W '[hh]:22' -- 'k%x'"},
        {"-J [fe80::1%%lo]:1,b h", "", "exec adit -J '[fe80::1%%lo]:1' -W '[h]:22' -- b"},
        {"-J DOM\\me@a h", "", "exec adit -l 'DOM\\me' -W '[h]:22' -- a"},
        {"-J a*,~b h", "", "exec adit -J 'a*' -W '[h]:22' -- '~b'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        CU_ASSERT(run(&f, cases[i][0], cases[i][1]));
        CU_ASSERT(text_is(f.o.proxy_line, cases[i][2]));
        if (!text_is(f.o.proxy_line, cases[i][2]))
            printf("    \"%s\" gave: %s\n%s", cases[i][0], f.o.proxy_line, f.log);
        fixture_end(&f);
    }
}

/* A shell is asked what it makes of the line. */
static void a_path_of_any_kind_goes_through_the_shell_unharmed(void)
{
    static const char *const names[] = {
        "a b", "it's", "$(id)`id`", "\"q\"", "a;b|c&d", "back\\slash", "'", "*", "%h", "new\nline"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct fixture f;
        char line[1200], said[400] = "";
        fixture_begin(&f);
        snprintf(f.env.program, sizeof f.env.program, "%s", names[i]);
        CU_ASSERT(fixture_parse(&f, "-J a h") == OPTIONS_RUN);
        f.o.config_file = names[i];
        CU_ASSERT(options_finish(&f.o));
        CU_ASSERT_FATAL(f.o.proxy_line != NULL && strncmp(f.o.proxy_line, "exec ", 5) == 0);
        snprintf(line, sizeof line, "printf '<%%s>' %s", f.o.proxy_line + 5);
        FILE *shell = popen(line, "r");
        CU_ASSERT_PTR_NOT_NULL_FATAL(shell);
        size_t n = fread(said, 1, sizeof said - 1, shell);
        CU_ASSERT(n > 0 && pclose(shell) == 0);
        snprintf(line, sizeof line, "<%s><-F><%s><-W><[h]:22><--><a>", names[i], names[i]);
        CU_ASSERT_STRING_EQUAL(said, line);
        fixture_end(&f);
    }
}

static void of_jump_and_command_the_first_counts(void)
{
    static const char jump[] = "exec adit -W '[h]:22' -- a", proxy[] = "exec x";
    static const char *const cases[][3] = {
        {"-J a -oProxyCommand=x h", "", jump},
        {"-oProxyJump=a -oProxyCommand=x h", "", jump},
        {"-oProxyCommand=x -oProxyJump=a h", "", proxy},
        {"-J none -oProxyCommand=x h", "", proxy},
        {"-oProxyJump=None -oProxyCommand=x h", "", proxy},
        {"-oProxyCommand=none -oProxyJump=a h", "", NULL},
        {"-J NONE h", "ProxyJump a\nProxyCommand none", NULL},
        {"-J a h", "ProxyCommand x\nProxyJump b", jump},
        {"-J a -oProxyJump=none h", "", jump},
        {"-oProxyJump=none h", "ProxyJump a", NULL},
        {"h", "ProxyJump a\nProxyCommand x", jump},
        {"h", "ProxyCommand x\nProxyJump a", proxy},
        {"h", "Host other\nProxyJump b\nHost h\nProxyJump a", jump},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        CU_ASSERT(run(&f, cases[i][0], cases[i][1]));
        CU_ASSERT(text_is(f.o.proxy_line, cases[i][2]));
        char *text = options_print_dup(&f.o);
        CU_ASSERT_PTR_NOT_NULL_FATAL(text);
        CU_ASSERT_EQUAL(strstr(text, "\nproxyjump a\n") != NULL, cases[i][2] == jump);
        CU_ASSERT_EQUAL(strstr(text, "\nproxycommand x\n") != NULL, cases[i][2] == proxy);
        free(text);
        fixture_end(&f);
    }
}

static void a_wish_that_cannot_be_met_gets_one_line(void)
{
    static const char *const cases[][3] = {
        {"-oProxyCommand=x -J a h", "", "Cannot specify -J with ProxyCommand"},
        {"-oProxyCommand=none -J a h", "", "Cannot specify -J with ProxyCommand"},
        {"-J a -J b h", "", "Only a single -J option is permitted"},
        {"-J none -J b h", "", "Only a single -J option is permitted"},
        {"-J a;id h", "", "option -J: bad value \"a;id\": expected [user@]host[:port]"},
        {"-J a,b:0 h", "", "option -J: bad value \"b:0\": expected"},
        {"-J a, h", "", "option -J: bad value \"\": expected"},
        {"-oProxyJump=-x h", "", "option -o: ProxyJump: bad value \"-x\": expected"},
        {"h", "ProxyJump \"a b\"", "config line 1: ProxyJump: bad value \"a b\": expected"},
        {"h", "Host other\nProxyJump $(id)", "config line 2: ProxyJump: bad value \"$(id)\""},
        {"-J %q h", "", "ProxyJump: cannot expand \"%q\": unknown %-token"},
        {"-J %k h", "HostKeyAlias a;id", "ProxyJump: \"a;id\" contains invalid characters"},
        {"-J %k,b h", "HostKeyAlias -x", "ProxyJump: \"-x\" contains invalid characters"},
        {"-J %k h", "HostKeyAlias me@x", "ProxyJump: \"me@x\" contains invalid characters"},
        {"-J %r@b,c -l a,b h", "", "ProxyJump: \"a,b\" contains invalid characters"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        CU_ASSERT(!run(&f, cases[i][0], cases[i][1]));
        CU_ASSERT_EQUAL(fixture_log_lines(&f), 1);
        CU_ASSERT(fixture_logged(&f, cases[i][2]));
        if (!fixture_logged(&f, cases[i][2]))
            printf("    \"%s\" gave: %s", cases[i][0], f.log);
        CU_ASSERT_PTR_NULL(f.o.proxy_line);
        fixture_end(&f);
    }
}

static void a_host_is_not_its_own_jump(void)
{
    static const struct {
        const char *line, *config;
        bool is_loop;
    } cases[] = {
        {"-J h h", "", true}, {"-J H h", "", true}, {"-J h:22 h", "", true},
        {"-J h:23 h", "", false}, {"-J h -p 44 h", "", false}, {"-J h:44 -p 44 h", "", true},
        {"-J me@h me@h", "", true}, {"-J me@h you@h", "", false}, {"-J h you@h", "", true},
        {"h", "Host *\nProxyJump h", true},
        {"h", "Host h\nPort 2222\nHost *\nProxyJump h", true}, /* for ever, in ssh */
        {"h", "Host h\nHostName 127.0.0.9\nProxyJump h", true},
        {"x", "Host x\nHostName h\nProxyJump h", true}, {"x", "Host x\nProxyJump h", false},
        {"-J h,g h", "", false}, /* the run for g has h before it; only that of h would be a loop */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        CU_ASSERT_EQUAL(run(&f, cases[i].line, cases[i].config), !cases[i].is_loop);
        CU_ASSERT_EQUAL(fixture_logged(&f, "ProxyJump: jumphost loop via "), cases[i].is_loop);
        fixture_end(&f);
    }
}

static const char *given_depth;
static const char *depth_variable(const char *name)
{
    return strcmp(name, JUMP_DEPTH_VARIABLE) == 0 ? given_depth : NULL;
}

static void a_chain_of_jumps_has_an_end(void)
{
    static const struct {
        const char *depth;
        int becomes;
    } cases[] = {{NULL, 1}, {"1", 2}, {"31", 32}, {"32", 0}, {"-1", 1}, {"x", 1}, {"", 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        fixture_begin(&f);
        f.env.get = depth_variable;
        given_depth = cases[i].depth;
        CU_ASSERT(fixture_parse(&f, "-J a h") == OPTIONS_RUN);
        CU_ASSERT_EQUAL(options_finish(&f.o), cases[i].becomes != 0);
        if (cases[i].becomes != 0)
            CU_ASSERT_EQUAL(f.o.jump_depth, cases[i].becomes);
        CU_ASSERT_EQUAL(fixture_logged(&f, "more than 32 jumps"), cases[i].becomes == 0);
        fixture_end(&f);
    }
}

static void the_jump_host_is_a_token(void)
{
    struct fixture f;
    CU_ASSERT(run(&f, "-J a,me@b:5 h", "UserKnownHostsFile /known/%j\n"));
    CU_ASSERT(text_is(f.o.user_known_hosts.items[0], "/known/b"));
    fixture_end(&f);
    CU_ASSERT(run(&f, "h", "UserKnownHostsFile /known/%j\n"));
    CU_ASSERT(text_is(f.o.user_known_hosts.items[0], "/known/"));
    fixture_end(&f);
}

static const struct unit_test tests[] = {
    UNIT(a_list_is_cut_into_hosts_users_and_ports),
    UNIT(what_is_no_list_is_refused_by_the_element_that_is_none),
    UNIT(the_last_jump_is_the_host_of_another_run_and_the_others_its_jumps),
    UNIT(a_path_of_any_kind_goes_through_the_shell_unharmed),
    UNIT(of_jump_and_command_the_first_counts),
    UNIT(a_wish_that_cannot_be_met_gets_one_line),
    UNIT(a_host_is_not_its_own_jump),
    UNIT(a_chain_of_jumps_has_an_end),
    UNIT(the_jump_host_is_a_token),
};
UNIT_MAIN("jump", tests)
