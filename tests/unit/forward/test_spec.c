/* The grammar of forwards, line by line, as one table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forward/spec.h"
#include "tests/unit/unit.h"

#define NONE NULL
enum { NO_PORT = 0 };

/* ---- names ------------------------------------------------------------------------------------
 */

static const char *variable(void *arg, const char *name)
{
    (void)arg;
    static const char *const values[][2] = {{"PORT", "8080"}, {"DEST", "db:5432"}, {"EMPTY", ""},
        {"HOME", "/home/ada"}, {"DOLLAR", "${PORT}"}};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        if (strcmp(name, values[i][0]) == 0)
            return values[i][1];
    return NULL;
}

static int service(void *arg, const char *name)
{
    (void)arg;
    if (strcmp(name, "http") == 0)
        return 80;
    return strcmp(name, "null") == 0 ? 0 : -1;
}

static const struct forward_lookup lookup = {.variable = variable, .service = service};

static enum err parse(
    enum forward_kind kind, const char *text, struct forward_spec *out, char *why, size_t cap)
{
    return forward_spec_parse(kind, text, &lookup, out, why, cap);
}

/* ---- what is good -----------------------------------------------------------------------------
 */

#define L  FORWARD_LOCAL
#define R  FORWARD_REMOTE
#define D  FORWARD_DYNAMIC
#define W  FORWARD_STDIO
#define RD FORWARD_REMOTE_DYNAMIC

/* kind, text; then what comes of it: kind, bind (NONE: not set), port, listen path, host, host
 * port, connect path. */
static const struct good {
    enum forward_kind asked;
    const char *text;
    enum forward_kind kind;
    const char *bind;
    unsigned port;
    const char *listen_path, *host;
    unsigned host_port;
    const char *connect_path;
} good[] = {
    /* three and four fields */
    {L, "8080:localhost:80", L, NONE, 8080, NONE, "localhost", 80, NONE},
    {L, "0:localhost:80", L, NONE, 0, NONE, "localhost", 80, NONE},
    {L, "65535:h:65535", L, NONE, 65535, NONE, "h", 65535, NONE},
    {L, "00080:h:00081", L, NONE, 80, NONE, "h", 81, NONE},
    {L, "http:h:http", L, NONE, 80, NONE, "h", 80, NONE},
    {L, "null:h:1", L, NONE, 0, NONE, "h", 1, NONE},
    {L, "127.0.0.1:8080:h:80", L, "127.0.0.1", 8080, NONE, "h", 80, NONE},
    {L, ":8080:h:80", L, "", 8080, NONE, "h", 80, NONE},
    {L, "*:8080:h:80", L, "*", 8080, NONE, "h", 80, NONE},
    {L, "[]:8080:h:80", L, "", 8080, NONE, "h", 80, NONE},
    {R, "8080:localhost:80", R, NONE, 8080, NONE, "localhost", 80, NONE},
    {R, "0:localhost:80", R, NONE, 0, NONE, "localhost", 80, NONE},
    {R, "*:0:h:80", R, "*", 0, NONE, "h", 80, NONE},
    /* brackets, backslashes, blanks, the colon at the end */
    {L, "8080:[::1]:80", L, NONE, 8080, NONE, "::1", 80, NONE},
    {L, "[::1]:8080:[fe80::1%eth0]:80", L, "::1", 8080, NONE, "fe80::1%eth0", 80, NONE},
    {L, "[8080]:[h]:[80]", L, NONE, 8080, NONE, "h", 80, NONE},
    {L, "8080:[a\\b]:80", L, NONE, 8080, NONE, "a\\b", 80, NONE},
    {L, "8080:a\\:b:80", L, NONE, 8080, NONE, "a:b", 80, NONE},
    {L, "8080:\\[h]:80", L, NONE, 8080, NONE, "[h]", 80, NONE},
    {L, "8080:a\\\\b:80", L, NONE, 8080, NONE, "a\\b", 80, NONE},
    {L, "8080:h[1]:80", L, NONE, 8080, NONE, "h[1]", 80, NONE},
    {L, " \t8080:h:80", L, NONE, 8080, NONE, "h", 80, NONE},
    {L, "8080:h:80:", L, NONE, 8080, NONE, "h", 80, NONE},
    {L, "b:8080:h:80:", L, "b", 8080, NONE, "h", 80, NONE},
    {L, "[b]:8080:h:[80]:", L, "b", 8080, NONE, "h", 80, NONE},
    /* Unix sockets */
    {L, "/tmp/l:/tmp/c", L, NONE, NO_PORT, "/tmp/l", NONE, NO_PORT, "/tmp/c"},
    {L, "8080:/tmp/c", L, NONE, 8080, NONE, NONE, NO_PORT, "/tmp/c"},
    {L, "8080:./c", L, NONE, 8080, NONE, NONE, NO_PORT, "./c"},
    {L, "/tmp/l:h:80", L, NONE, NO_PORT, "/tmp/l", "h", 80, NONE},
    {L, "b:8080:/tmp/c", L, "b", 8080, NONE, NONE, NO_PORT, "/tmp/c"},
    {L, ":8080:/tmp/c", L, "", 8080, NONE, NONE, NO_PORT, "/tmp/c"},
    {L, "8080:[/tmp/a:b]", L, NONE, 8080, NONE, NONE, NO_PORT, "/tmp/a:b"},
    {L, "8080:/tmp/a\\:b", L, NONE, 8080, NONE, NONE, NO_PORT, "/tmp/a:b"},
    {L, "8080:/run/%u", L, NONE, 8080, NONE, NONE, NO_PORT, "/run/%u"},
    {R, "/tmp/l:/tmp/c", R, NONE, NO_PORT, "/tmp/l", NONE, NO_PORT, "/tmp/c"},
    {R, "8080:/tmp/c", R, NONE, 8080, NONE, NONE, NO_PORT, "/tmp/c"},
    {R, "/tmp/l:h:80", R, NONE, NO_PORT, "/tmp/l", "h", 80, NONE},
    {R, "b:0:/tmp/c", R, "b", 0, NONE, NONE, NO_PORT, "/tmp/c"},
    /* SOCKS */
    {D, "1080", D, NONE, 1080, NONE, NONE, NO_PORT, NONE},
    {D, "0", D, NONE, 0, NONE, NONE, NO_PORT, NONE},
    {D, "1080:", D, NONE, 1080, NONE, NONE, NO_PORT, NONE},
    {D, "http", D, NONE, 80, NONE, NONE, NO_PORT, NONE},
    {D, "127.0.0.1:1080", D, "127.0.0.1", 1080, NONE, NONE, NO_PORT, NONE},
    {D, ":1080", D, "", 1080, NONE, NONE, NO_PORT, NONE},
    {D, "*:0", D, "*", 0, NONE, NONE, NO_PORT, NONE},
    {D, "[::1]:1080", D, "::1", 1080, NONE, NONE, NO_PORT, NONE},
    {D, "/tmp/socks", D, NONE, NO_PORT, "/tmp/socks", NONE, NO_PORT, NONE},
    {R, "1080", RD, NONE, 1080, NONE, NONE, NO_PORT, NONE},
    {R, "0", RD, NONE, 0, NONE, NONE, NO_PORT, NONE},
    {R, "b:1080", RD, "b", 1080, NONE, NONE, NO_PORT, NONE},
    {R, ":1080", RD, "", 1080, NONE, NONE, NO_PORT, NONE},
    {R, "/tmp/socks", RD, NONE, NO_PORT, "/tmp/socks", NONE, NO_PORT, NONE},
    {RD, "b:1080", RD, "b", 1080, NONE, NONE, NO_PORT, NONE},
    /* -W */
    {W, "h:22", W, NONE, NO_PORT, NONE, "h", 22, NONE},
    {W, "[::1]:22", W, NONE, NO_PORT, NONE, "::1", 22, NONE},
    {W, "h:http", W, NONE, NO_PORT, NONE, "h", 80, NONE},
    {W, "/tmp/c", W, NONE, NO_PORT, NONE, NONE, NO_PORT, "/tmp/c"},
    /* variables, expanded before anything is cut */
    {L, "${PORT}:h:80", L, NONE, 8080, NONE, "h", 80, NONE},
    {L, "1:${DEST}", L, NONE, 1, NONE, "db", 5432, NONE},
    {L, "1:${HOME}/s", L, NONE, 1, NONE, NONE, NO_PORT, "/home/ada/s"},
    {L, "${EMPTY}1:h:80${EMPTY}", L, NONE, 1, NONE, "h", 80, NONE},
    {L, "${EMPTY} 1:h:80", L, NONE, 1, NONE, "h", 80, NONE},
    {L, "1:$PORT:80", L, NONE, 1, NONE, "$PORT", 80, NONE},
    {L, "1:a$:80", L, NONE, 1, NONE, "a$", 80, NONE},
    {L, "1:${DOLLAR}:80", L, NONE, 1, NONE, "${PORT}", 80, NONE}, /* not twice */
    {L, "1:$\\{PORT}:80", L, NONE, 1, NONE, "${PORT}", 80, NONE},
    /* the old spelling with slashes */
    {L, "333/::1/222", L, NONE, 333, NONE, "::1", 222, NONE},
    {L, "333/[::1]/222", L, NONE, 333, NONE, "::1", 222, NONE},
    {L, "333/fe80::1%eth0/222", L, NONE, 333, NONE, "fe80::1%eth0", 222, NONE},
    {L, "333/2001:db8:1:2:3:4:5:6/222", L, NONE, 333, NONE, "2001:db8:1:2:3:4:5:6", 222, NONE},
    {L, "333/h/222", L, NONE, 333, NONE, "h", 222, NONE},
    {L, "0/10.0.0.1/222", L, NONE, 0, NONE, "10.0.0.1", 222, NONE},
    {L, "::1/333/::1/222", L, "::1", 333, NONE, "::1", 222, NONE},
    {L, "*/333/h/222", L, "*", 333, NONE, "h", 222, NONE},
    {L, "localhost/333/h/222", L, "localhost", 333, NONE, "h", 222, NONE},
    {R, "333/h/222", R, NONE, 333, NONE, "h", 222, NONE},
    {R, "b/333/::1/222", R, "b", 333, NONE, "::1", 222, NONE},
    /* and what looks like it, but is a path */
    {L, "1/a:b/2", L, NONE, NO_PORT, "1/a", NONE, NO_PORT, "b/2"},
    {R, "/333/h/222", RD, NONE, NO_PORT, "/333/h/222", NONE, NO_PORT, NONE},
    {R, "http/h/222", RD, NONE, NO_PORT, "http/h/222", NONE, NO_PORT, NONE},
    {R, "333/h/http", RD, NONE, NO_PORT, "333/h/http", NONE, NO_PORT, NONE},
    {R, "333/222", RD, NONE, NO_PORT, "333/222", NONE, NO_PORT, NONE},
    {R, "a/b/333/h/222", RD, NONE, NO_PORT, "a/b/333/h/222", NONE, NO_PORT, NONE},
    {R, "333//222", RD, NONE, NO_PORT, "333//222", NONE, NO_PORT, NONE},
    {D, "333/h/222", D, NONE, NO_PORT, "333/h/222", NONE, NO_PORT, NONE},
    {W, "333/h/222", W, NONE, NO_PORT, NONE, NONE, NO_PORT, "333/h/222"},
};

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool is_as_wanted(const struct forward_spec *s, const struct good *g)
{
    return s->kind == g->kind && s->bind_set == (g->bind != NULL) && same_text(s->bind, g->bind) &&
           s->port == g->port && same_text(s->listen_path, g->listen_path) &&
           same_text(s->host, g->host) && s->host_port == g->host_port &&
           same_text(s->connect_path, g->connect_path);
}

static void every_good_spec_means_what_ssh_means_by_it(void)
{
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct forward_spec s;
        char why[400] = "x";
        enum err e = parse(good[i].asked, good[i].text, &s, why, sizeof why);
        bool ok = e == ERR_OK && is_as_wanted(&s, &good[i]) && why[0] == '\0' &&
                  same_text(s.text, good[i].text);
        CU_ASSERT_TRUE(ok);
        if (!ok)
            printf("    good: %s %s: %s\n", forward_kind_option(good[i].asked), good[i].text, why);
        forward_spec_free(&s);
    }
}

/* ---- what is not ------------------------------------------------------------------------------
 */

static const struct bad {
    enum forward_kind asked;
    const char *text;
    const char *why; /* behind "-L TEXT: " */
} bad[] = {
    {L, "99999:localhost:80", "listen port \"99999\": expected 0-65535 or a service name"},
    {L, "65536:h:80", "listen port \"65536\": expected 0-65535 or a service name"},
    {L, "18446744073709551616:h:80", "listen port \"18446744073709551616\": expected 0-65535"},
    {L, "-1:h:80", "listen port \"-1\": expected 0-65535"},
    {L, "+1:h:80", "listen port \"+1\": expected 0-65535"},
    {L, "0x50:h:80", "listen port \"0x50\": expected 0-65535"},
    {L, "80 :h:80", "listen port \"80 \": expected 0-65535"},
    {L, "nosuch:h:80", "listen port \"nosuch\": expected 0-65535"},
    {L, "b::h:80", "listen port \"\": expected 0-65535"},
    {L, "80:h:0", "host port \"0\": expected 1-65535 or a service name"},
    {L, "80:h:null", "host port \"null\": expected 1-65535"},
    {L, "80:h:65536", "host port \"65536\": expected 1-65535"},
    {L, "80:h:", "the destination is missing or has no port: expected [bind:]port:host:hostport"},
    {L, "80::80", "host \"\": expected a host name or address"},
    {L, "b:80::80", "host \"\": expected a host name or address"},
    {L, "80:[]:80", "host \"\": expected a host name or address"},
    {L, "80:a\nb:80", "host \"a\\x0ab\": expected a host name or address"},
    {L, "80:a\x7f:80", "host \"a\\x7f\": expected a host name or address"},
    {L, "80:/x:80", "host \"/x\": expected a host name or address"},
    {L, "80:a\\/b:80", "host \"a/b\": expected a host name or address"},
    {L, "a\tb:80:h:80", "bind address \"a\\x09b\": expected an address"},
    {L, "/a:80:h:80", "bind address \"/a\": expected an address"},
    {L, "b:/a:h:80", "listen port \"/a\": expected 0-65535"},
    {L, "b:80:h:/a", "host port \"/a\": expected 1-65535"},
    {L, "/a:h:/b", "host port \"/b\": expected 1-65535"},
    {L, "/a:b", "the destination is missing or has no port"},
    {L, "80:/a\x01z", "destination path \"/a\\x01z\": expected a path without control"},
    {L, "", "nothing there: expected [bind:]port:host:hostport"},
    {L, " ", "nothing there: expected"},
    {L, ":", "the destination is missing"},
    {L, "80", "the destination is missing: expected [bind:]port:host:hostport, or a Unix"},
    {L, "/a", "the destination is missing"},
    {L, "b:80", "the destination is missing or has no port"},
    {L, "a:80:h:80:x", "expected at most 4 fields"},
    {L, "80:::1:80", "expected at most 4 fields"}, /* IPv6 without its brackets */
    {L, "a:80:h:80::", "expected at most 4 fields"},
    {L, "80:[::1:80", "expected \"]\" after \"[::1:80\""},
    {L, "80:[::1]80", "expected \":\" or the end before \"80\""},
    {L, "80:[::1]]:80", "expected \":\" or the end before \"]:80\""},
    {L, "80:h:80\\", "expected a character after the \"\\\" at the end"},
    {L, "${PORT:h:80", "expected \"}\" after \"${PORT:h:80\""},
    {L, "80:${NO_SUCH}:80", "variable \"NO_SUCH\": expected the name of one that is set"},
    {L, "80:${}:80", "variable \"\": expected the name of one that is set"},
    {L, "80:${EMPTY}:80", "host \"\": expected a host name or address"},
    {L, "99999/h/80", "listen port \"99999\": expected 0-65535"},
    {L, "80/h/0", "host port \"0\": expected 1-65535"},
    {L, "333/222", "the destination is missing"},
    {R, "99999", "listen port \"99999\": expected 0-65535"},
    {R, "99999:h:80", "listen port \"99999\": expected 0-65535"},
    {R, "/a:80", "the destination is missing or has no port"},
    {R, "", "nothing there: expected"},
    {R, "a:b:c:d:e", "expected at most 4 fields"},
    {D, "", "nothing there: expected [bind:]port or a Unix socket path"},
    {D, "99999", "listen port \"99999\""},
    {D, "h", "listen port \"h\""},
    {D, "/a:80", "bind address \"/a\": expected an address"},
    {D, "80:/a", "no destination has a place here: expected [bind:]port or a Unix socket path"},
    {D, "80:h:80", "no destination has a place here"},
    {D, "b:80:h:80", "no destination has a place here"},
    {RD, "80:h:80", "no destination has a place here"},
    {W, "", "nothing there: expected host:port or a Unix socket path"},
    {W, "22", "the port is missing: expected host:port"},
    {W, "h:0", "host port \"0\""},
    {W, "h:x", "host port \"x\""},
    {W, ":22", "host \"\""},
    {W, "/a:22", "host \"/a\""},
    {W, "h:/a", "host port \"/a\""},
    {W, "b:1:h:2", "too many fields: expected host:port"},
};

static void every_bad_spec_is_refused_with_its_field_its_value_and_what_was_expected(void)
{
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct forward_spec s;
        char why[400];
        enum err e = parse(bad[i].asked, bad[i].text, &s, why, sizeof why);
        bool ok = e == ERR_MALFORMED && strstr(why, bad[i].why) != NULL && s.text == NULL;
        CU_ASSERT_TRUE(ok);
        if (!ok)
            printf("    bad: %s %s: %s\n", forward_kind_option(bad[i].asked), bad[i].text,
                e == ERR_OK ? "was taken" : why);
        forward_spec_free(&s);
    }
}

static void a_complaint_is_one_line_that_names_option_and_spec(void)
{
    struct forward_spec s;
    char why[400];
    CU_ASSERT_EQUAL(parse(L, "99999:localhost:80", &s, why, sizeof why), ERR_MALFORMED);
    CU_ASSERT_STRING_EQUAL(why, "-L 99999:localhost:80: listen port \"99999\": expected 0-65535 "
                                "or a service name");
    CU_ASSERT_EQUAL(parse(R, "1\x1b[2J", &s, why, sizeof why), ERR_MALFORMED);
    CU_ASSERT_STRING_EQUAL(why, "-R 1\\x1b[2J: listen port \"1\\x1b[2J\": expected 0-65535 "
                                "or a service name");
}

static void a_complaint_fits_any_room(void)
{
    for (size_t cap = 0; cap < 120; cap++) {
        struct forward_spec s;
        char *why = malloc(cap + 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(why);
        CU_ASSERT_EQUAL(parse(L, "99999:localhost:80", &s, why, cap), ERR_MALFORMED);
        CU_ASSERT_TRUE(cap == 0 || memchr(why, '\0', cap) != NULL);
        CU_ASSERT_EQUAL(parse(L, "1:localhost:80", &s, why, cap), ERR_OK);
        forward_spec_free(&s);
        free(why);
    }
}

/* ---- lengths ----------------------------------------------------------------------------------
 */

/* text with its '@' replaced by n times an 'a'. */
static enum err parse_with(enum forward_kind kind, const char *text, size_t n)
{
    char *full = malloc(strlen(text) + n + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(full);
    size_t head = strcspn(text, "@");
    memcpy(full, text, head);
    memset(full + head, 'a', n);
    strcpy(full + head + n, text + head + 1);
    struct forward_spec s;
    char why[400];
    enum err e = parse(kind, full, &s, why, sizeof why);
    forward_spec_free(&s);
    free(full);
    return e;
}

static void names_and_paths_have_the_systems_bounds(void)
{
    static const struct {
        enum forward_kind kind;
        const char *text;
        size_t most;
    } cases[] = {{L, "80:@:80", 1024}, {L, "@:80:h:80", 1024}, {D, "@:80", 1024}, {W, "@:1", 1024},
        {L, "80:/@", 106}, {L, "/@:/b", 106}, {D, "/@", 106}, {W, "/@", 106}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CU_ASSERT_EQUAL(parse_with(cases[i].kind, cases[i].text, cases[i].most), ERR_OK);
        CU_ASSERT_EQUAL(parse_with(cases[i].kind, cases[i].text, cases[i].most + 1), ERR_MALFORMED);
    }
    CU_ASSERT_EQUAL(parse_with(L, "80:@:80", 10000), ERR_MALFORMED);
    CU_ASSERT_EQUAL(parse_with(L, "80:${@}:80", 1000), ERR_MALFORMED);
}

/* ---- lookups ----------------------------------------------------------------------------------
 */

static void without_lookups_names_and_variables_mean_nothing(void)
{
    static const struct forward_lookup empty = {.variable = NULL};
    const struct forward_lookup *const lookups[] = {NULL, &empty};
    for (size_t i = 0; i < 2; i++) {
        struct forward_spec s;
        char why[400];
        enum err e = forward_spec_parse(L, "http:h:80", lookups[i], &s, why, sizeof why);
        CU_ASSERT_EQUAL(e, ERR_MALFORMED);
        e = forward_spec_parse(L, "80:${PORT}:80", lookups[i], &s, why, sizeof why);
        CU_ASSERT_EQUAL(e, ERR_OK);
        CU_ASSERT_STRING_EQUAL(s.host, "${PORT}");
        forward_spec_free(&s);
    }
}

static void the_systems_lookup_knows_the_environment(void)
{
    struct forward_lookup system = forward_lookup_system();
    struct forward_spec s;
    char why[400];
    CU_ASSERT_EQUAL_FATAL(setenv("SPEC_TEST_PORT", "4711", 1), 0);
    enum err e = forward_spec_parse(D, "${SPEC_TEST_PORT}", &system, &s, why, sizeof why);
    CU_ASSERT_EQUAL(e, ERR_OK);
    CU_ASSERT_EQUAL(s.port, 4711);
    forward_spec_free(&s);
    CU_ASSERT_EQUAL(system.service(system.arg, "no such service"), -1);
}

static int wild_service(void *arg, const char *name)
{
    (void)name;
    return *(int *)arg;
}

static void a_service_lookup_that_lies_gives_no_port(void)
{
    int values[] = {-2147483647, -2, 65536, 2147483647};
    for (size_t i = 0; i < 4; i++) {
        struct forward_lookup wild = {.service = wild_service, .arg = &values[i]};
        struct forward_spec s;
        char why[400];
        enum err e = forward_spec_parse(D, "http", &wild, &s, why, sizeof why);
        CU_ASSERT_EQUAL(e, ERR_MALFORMED);
    }
}

/* ---- the config file --------------------------------------------------------------------------
 */

static const struct {
    enum forward_kind asked;
    const char *listen, *target;
    const char *same; /* the command line's spelling of it, or NULL: refused */
    enum forward_kind same_asked;
    const char *text;
} config[] = {
    {L, "8080", "h:80", "8080:h:80", L, "8080 h:80"},
    {L, "b:8080", "[::1]:80", "b:8080:[::1]:80", L, "b:8080 [::1]:80"},
    {L, "*:8080", "/tmp/c", "*:8080:/tmp/c", L, "*:8080 /tmp/c"},
    {L, "/tmp/l", "h:80", "/tmp/l:h:80", L, "/tmp/l h:80"},
    {L, "${PORT}", "${DEST}", "8080:db:5432", L, "${PORT} ${DEST}"},
    {R, "8080", "h:80", "8080:h:80", R, "8080 h:80"},
    {R, "8080", NULL, "8080", R, "8080"},
    {R, "b:8080", "", "b:8080", R, "b:8080"},
    {R, "/tmp/l", NULL, "/tmp/l", R, "/tmp/l"},
    {D, "1080", NULL, "1080", D, "1080"},
    {D, "*:1080", NULL, "*:1080", D, "*:1080"},
    {L, "8080", NULL, NULL, L, NULL},
    {L, "8080", "", NULL, L, NULL},
    {L, "8080:h:80", NULL, NULL, L, NULL},
    {L, "8080:", "h:80", NULL, L, NULL},
    {L, "8080", "h", NULL, L, NULL},
    {L, "8080", "h:80:x:y", NULL, L, NULL},
    {R, "8080:h:80", NULL, NULL, R, NULL},
    {D, "1080", "h:80", NULL, D, NULL},
};

static void the_config_files_two_arguments_mean_the_same(void)
{
    for (size_t i = 0; i < sizeof config / sizeof config[0]; i++) {
        struct forward_spec s, t = {0};
        char why[400];
        enum err e = forward_spec_parse_config(
            config[i].asked, config[i].listen, config[i].target, &lookup, &s, why, sizeof why);
        CU_ASSERT_EQUAL(e, config[i].same != NULL ? ERR_OK : ERR_MALFORMED);
        if (config[i].same != NULL) {
            char ignored[400];
            e = parse(config[i].same_asked, config[i].same, &t, ignored, sizeof ignored);
            CU_ASSERT_EQUAL(e, ERR_OK);
            CU_ASSERT_TRUE(forward_spec_equal(&s, &t));
            CU_ASSERT_TRUE(same_text(s.text, config[i].text));
        } else {
            CU_ASSERT_PTR_NOT_NULL(strstr(why, "Forward "));
            CU_ASSERT_PTR_NULL(s.text);
        }
        forward_spec_free(&s);
        forward_spec_free(&t);
    }
}

static void a_config_complaint_names_the_keyword(void)
{
    struct forward_spec s;
    char why[400];
    enum err e = forward_spec_parse_config(L, "8080", "h:0", NULL, &s, why, sizeof why);
    CU_ASSERT_EQUAL(e, ERR_MALFORMED);
    CU_ASSERT_STRING_EQUAL(
        why, "LocalForward 8080 h:0: host port \"0\": expected 1-65535 or a service name");
    e = forward_spec_parse_config(L, "8080", NULL, NULL, &s, why, sizeof why);
    CU_ASSERT_EQUAL(e, ERR_MALFORMED);
    CU_ASSERT_STRING_EQUAL(
        why, "LocalForward 8080: the destination is missing: expected host:hostport or a path");
}

/* ---- values -----------------------------------------------------------------------------------
 */

static void forwards_are_equal_in_every_field_but_their_text(void)
{
    static const struct {
        enum forward_kind kind_a, kind_b;
        const char *a, *b;
        bool equal;
    } cases[] = {
        {L, L, "80:h:80", "80:h:80", true},
        {L, L, "80:h:80", "http:[h]:080", true},
        {L, L, "80:h:80", "80/h/80", true},
        {L, L, "80:h:80", "81:h:80", false},
        {L, L, "80:h:80", "80:i:80", false},
        {L, L, "80:h:80", "80:h:81", false},
        {L, L, "80:h:80", ":80:h:80", false},
        {L, L, "*:80:h:80", ":80:h:80", false},
        {L, L, "localhost:80:h:80", "80:h:80", false},
        {L, R, "80:h:80", "80:h:80", false},
        {D, R, "80", "80", false},
        {L, L, "80:/a", "80:/a", true},
        {L, L, "80:/a", "80:/b", false},
        {L, L, "/a:/c", "/b:/c", false},
        {D, D, "/a", "0", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct forward_spec a, b;
        char why[400];
        CU_ASSERT_EQUAL(parse(cases[i].kind_a, cases[i].a, &a, why, sizeof why), ERR_OK);
        CU_ASSERT_EQUAL(parse(cases[i].kind_b, cases[i].b, &b, why, sizeof why), ERR_OK);
        CU_ASSERT_EQUAL(forward_spec_equal(&a, &b), cases[i].equal);
        CU_ASSERT_EQUAL(forward_spec_equal(&b, &a), cases[i].equal);
        forward_spec_free(&a);
        forward_spec_free(&b);
    }
}

/* ssh_config(5), GatewayPorts, and what tcpip-forward carries. */
static void binds_are_loopback_wildcard_or_what_was_written(void)
{
    static const struct {
        const char *text;
        enum forward_bind kind, gateway;
        const char *wire;
    } cases[] = {
        {"80", FORWARD_BIND_LOOPBACK, FORWARD_BIND_WILDCARD, "localhost"},
        {":80", FORWARD_BIND_WILDCARD, FORWARD_BIND_WILDCARD, ""},
        {"*:80", FORWARD_BIND_WILDCARD, FORWARD_BIND_WILDCARD, ""},
        {"[]:80", FORWARD_BIND_WILDCARD, FORWARD_BIND_WILDCARD, ""},
        {"localhost:80", FORWARD_BIND_LOOPBACK, FORWARD_BIND_LOOPBACK, "localhost"},
        {"127.0.0.1:80", FORWARD_BIND_ADDRESS, FORWARD_BIND_ADDRESS, "127.0.0.1"},
        {"[::1]:80", FORWARD_BIND_ADDRESS, FORWARD_BIND_ADDRESS, "::1"},
        {"0.0.0.0:80", FORWARD_BIND_ADDRESS, FORWARD_BIND_ADDRESS, "0.0.0.0"},
        {"LOCALHOST:80", FORWARD_BIND_ADDRESS, FORWARD_BIND_ADDRESS, "LOCALHOST"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct forward_spec s;
        char why[400];
        CU_ASSERT_EQUAL(parse(D, cases[i].text, &s, why, sizeof why), ERR_OK);
        CU_ASSERT_EQUAL(forward_bind_kind(&s, false), cases[i].kind);
        CU_ASSERT_EQUAL(forward_bind_kind(&s, true), cases[i].gateway);
        CU_ASSERT_STRING_EQUAL(forward_bind_wire(&s), cases[i].wire);
        forward_spec_free(&s);
    }
}

static void freeing_leaves_nothing_and_takes_null(void)
{
    struct forward_spec s;
    char why[400];
    CU_ASSERT_EQUAL(parse(L, "b:80:h:80", &s, why, sizeof why), ERR_OK);
    forward_spec_free(&s);
    CU_ASSERT_TRUE(s.bind == NULL && s.host == NULL && s.text == NULL && !s.bind_set);
    forward_spec_free(&s);
    forward_spec_free(NULL);
}

static const struct unit_test tests[] = {
    UNIT(every_good_spec_means_what_ssh_means_by_it),
    UNIT(every_bad_spec_is_refused_with_its_field_its_value_and_what_was_expected),
    UNIT(a_complaint_is_one_line_that_names_option_and_spec),
    UNIT(a_complaint_fits_any_room),
    UNIT(names_and_paths_have_the_systems_bounds),
    UNIT(without_lookups_names_and_variables_mean_nothing),
    UNIT(the_systems_lookup_knows_the_environment),
    UNIT(a_service_lookup_that_lies_gives_no_port),
    UNIT(the_config_files_two_arguments_mean_the_same),
    UNIT(a_config_complaint_names_the_keyword),
    UNIT(forwards_are_equal_in_every_field_but_their_text),
    UNIT(binds_are_loopback_wildcard_or_what_was_written),
    UNIT(freeing_leaves_nothing_and_takes_null),
};
UNIT_MAIN("spec", tests)
