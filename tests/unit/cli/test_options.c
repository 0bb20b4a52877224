#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cli/config.h"
#include "tests/unit/cli/fixture.h"

static bool text_is(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Parses line, and then what main() would do, with no files. */
static bool run(struct fixture *f, const char *line)
{
    return fixture_parse(f, line) == OPTIONS_RUN && config_load(&f->o) && options_finish(&f->o);
}

static void the_lines_of_the_readme_are_understood(void)
{
    static const struct {
        const char *line;
        const char *user;
        const char *host;
        int port;
        size_t n_forwards;
        int is_compressed, is_background, is_session;
    } cases[] = {
        {"-NR 333:localhost:222 -p 22 root@b", "root", "b", 22, 1, 0, 0, 0},
        {"-NL 4444:localhost:333 -p 22 root@b", "root", "b", 22, 1, 0, 0, 0},
        {"-N -f -L 2121:otheripaddr:21 root@host", "root", "host", 22, 1, 0, 1, 0},
        {"-CNf -D 127.0.0.1:1080 root@host -P 2200", "root", "host", 2200, 1, 1, 1, 0},
        {"-N -L 4444/localhost/333 -R 333/::1/222 root@b", "root", "b", 22, 2, 0, 0, 0},
        {"-N -L 10.0.0.1:8080:web:80 -L [::1]:8081:[::1]:80 -R 0:localhost:22 -D 1080 some-host",
            "miner", "some-host", 22, 4, 0, 0, 0},
        {"-p 4444 root@localhost", "root", "localhost", 4444, 0, 0, 0, 1},
        {"-p22 -L8080:web:80 ssh://me@host:2222/", "me", "host", 22, 1, 0, 0, 1},
        {"ssh://me@[::1]:2222", "me", "::1", 2222, 0, 0, 0, 1},
        {"root@[::1]", "root", "::1", 22, 0, 0, 0, 1},
        {"-l me other@host", "me", "host", 22, 0, 0, 0, 1},
        {"me@realm@host", "me@realm", "host", 22, 0, 0, 0, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        fixture_begin(&f);
        CU_ASSERT(run(&f, cases[i].line));
        CU_ASSERT(text_is(f.o.user, cases[i].user));
        CU_ASSERT(text_is(f.o.host, cases[i].host));
        CU_ASSERT_EQUAL(f.o.port, cases[i].port);
        CU_ASSERT_EQUAL(f.o.n_forwards, cases[i].n_forwards);
        CU_ASSERT_EQUAL(f.o.compression, cases[i].is_compressed);
        CU_ASSERT_EQUAL(f.o.fork_after_auth, cases[i].is_background);
        CU_ASSERT_EQUAL(f.o.session_type == SESSION_DEFAULT, cases[i].is_session);
        CU_ASSERT_STRING_EQUAL(f.log, "");
        fixture_end(&f);
    }
}

static void the_command_starts_at_the_second_plain_word(void)
{
    static const char *const cases[][2] = {
        {"host -p 22 ls -l /tmp", "ls -l /tmp"},
        {"host -- -x y", "-x y"},
        {"-- host -x y", "-x y"},
        {"-N host", NULL},
        {"host", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        fixture_begin(&f);
        CU_ASSERT(run(&f, cases[i][0]));
        CU_ASSERT(text_is(f.o.remote_command, cases[i][1]));
        fixture_end(&f);
    }
}

/* One line on stderr, naming the option, whatever is wrong. */
static void a_bad_command_line_gets_one_line(void)
{
    static const char *const cases[][2] = {
        {"", "destination"},
        {"-p", "option -p: expected an argument"},
        {"-p 0 host", "option -p: bad value \"0\": expected a port"},
        {"-P 70000 host", "option -P: bad value \"70000\""},
        {"-I x host", "option -I: not supported by adit yet"},
        {"-W a host", "-W a: "},
        {"-W a:1 -W b:2 host", "option -W: given twice"},
        {"-W /socket host", "-W /socket: forwarding of Unix sockets is not supported yet"},
        {"-NA host", "option -A: not supported by adit yet"},
        {"-z host", "unknown option -z"},
        {"--nosuch host", "unknown option --nosuch"},
        {"-L 99999:a:1 host", "99999"},
        {"-L nonsense host", "nonsense"},
        {"-c rot13 host", "option -c: bad value \"rot13\""},
        {"-o Nosuch=1 host", "option -o: Bad configuration option: Nosuch"},
        {"-o Port=x host", "option -o: Port: bad value \"x\""},
        {"-o host", "option -o: host: expected an argument"},
        {"-o Host=x host", "option -o: Host: has no place here"},
        {"-oPort host", "option -o: Port: expected an argument"},
        {"-e ab host", "option -e: bad value \"ab\""},
        {"-l -x host", "option -l: bad value \"-x\""},
        {"-1 host", "protocol 1"},
        {"a;b", "bad destination \"a;b\""},
        {"@host", "bad destination \"@host\""},
        {"user@", "bad destination \"user@\""},
        {"ssh://host:99999", "bad destination"},
        {"ssh://host/path", "bad destination"},
        {"ssh://[::1:22", "bad destination"},
        {"ssh://[::1]2:22", "bad destination"},
        {"ssh://a%00b@host", "bad destination"},
        {"x`id`@host", "bad destination"},
        {"-- -oProxyCommand=x", "bad destination \"-oProxyCommand=x\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        fixture_begin(&f);
        CU_ASSERT_EQUAL(fixture_parse(&f, cases[i][0]), OPTIONS_BAD);
        CU_ASSERT_EQUAL(fixture_log_lines(&f), 1);
        CU_ASSERT(fixture_logged(&f, cases[i][1]));
        if (!fixture_logged(&f, cases[i][1]))
            printf("    \"%s\" gave: %s", cases[i][0], f.log);
        fixture_end(&f);
    }
}

/* Every letter of ssh is known, as one that works, one that changes nothing, or one that says so.
 */
static void no_letter_of_ssh_is_ignored_silently(void)
{
    static const char later[] = "ABIKMOSwXYyZ", harmless[] = "2akx";
    for (const char *p = later; *p != '\0'; p++) {
        struct fixture f;
        char line[32];
        fixture_begin(&f);
        snprintf(line, sizeof line, "-%c x host", *p);
        CU_ASSERT_EQUAL(fixture_parse(&f, line), OPTIONS_BAD);
        CU_ASSERT(fixture_logged(&f, "not supported by adit yet"));
        fixture_end(&f);
    }
    for (const char *p = harmless; *p != '\0'; p++) {
        struct fixture f;
        char line[32];
        fixture_begin(&f);
        snprintf(line, sizeof line, "-%c host", *p);
        CU_ASSERT_EQUAL(fixture_parse(&f, line), OPTIONS_RUN);
        CU_ASSERT_STRING_EQUAL(f.log, "");
        fixture_end(&f);
    }
}

static void single_letters_set_what_they_stand_for(void)
{
    struct fixture f;
    fixture_begin(&f);
    CU_ASSERT(run(&f, "-46 -g -n -tt -vv -b 10.0.0.9 -e ^] -E log -c aes128-ctr "
                      "-m hmac-sha2-512 -P tagged -G host"));
    CU_ASSERT_EQUAL(f.o.family, AF_INET6);
    CU_ASSERT_EQUAL(f.o.gateway_ports, 1);
    CU_ASSERT_EQUAL(f.o.stdin_null, 1);
    CU_ASSERT_EQUAL(f.o.request_tty, TTY_FORCE);
    CU_ASSERT_EQUAL(f.o.log_level, LOG_LEVEL_DEBUG2);
    CU_ASSERT(text_is(f.o.bind_address, "10.0.0.9"));
    CU_ASSERT_EQUAL(f.o.escape_char, 29);
    CU_ASSERT(text_is(f.o.log_file, "log"));
    CU_ASSERT(text_is(f.o.ciphers, "aes128-ctr"));
    CU_ASSERT(text_is(f.o.macs, "hmac-sha2-512"));
    CU_ASSERT(text_is(f.o.tag, "tagged"));
    CU_ASSERT_EQUAL(f.o.port, 22);
    CU_ASSERT(f.o.print_config);
    fixture_end(&f);
}

static void help_and_version_end_the_parse(void)
{
    struct fixture f;
    fixture_begin(&f);
    CU_ASSERT_EQUAL(fixture_parse(&f, "-Nh"), OPTIONS_HELP);
    CU_ASSERT_EQUAL(fixture_parse(&f, "--help"), OPTIONS_HELP);
    CU_ASSERT_EQUAL(fixture_parse(&f, "host -V"), OPTIONS_VERSION);
    CU_ASSERT(strstr(options_usage(), "-L [bind:]port:host:hostport") != NULL);
    fixture_end(&f);
}

static void forwards_keep_the_line_alive_by_default(void)
{
    struct fixture f;
    fixture_begin(&f);
    CU_ASSERT(run(&f, "-D 1080 host"));
    CU_ASSERT_EQUAL(f.o.server_alive_interval_s, 15);
    CU_ASSERT_EQUAL(f.o.server_alive_count_max, 3);
    fixture_end(&f);
    fixture_begin(&f);
    CU_ASSERT(run(&f, "host"));
    CU_ASSERT_EQUAL(f.o.server_alive_interval_s, 0);
    fixture_end(&f);
    fixture_begin(&f);
    CU_ASSERT(run(&f, "-D 1080 -o ServerAliveInterval=0 host"));
    CU_ASSERT_EQUAL(f.o.server_alive_interval_s, 0);
    fixture_end(&f);
}

static void a_repeated_forward_counts_once(void)
{
    struct fixture f;
    fixture_begin(&f);
    CU_ASSERT(run(&f, "-L 1:a:2 -L 1:a:2 -L 1:b:2 -o LocalForward=1\ta:2 host"));
    CU_ASSERT_EQUAL(f.o.n_forwards, 2);
    fixture_end(&f);
    fixture_begin(&f);
    CU_ASSERT(run(&f, "-L 1:a:2 -o ClearAllForwardings=yes host"));
    CU_ASSERT_EQUAL(f.o.n_forwards, 0);
    CU_ASSERT_EQUAL(f.o.server_alive_interval_s, 0);
    fixture_end(&f);
}

static void going_to_the_background_needs_something_to_do(void)
{
    struct fixture f;
    fixture_begin(&f);
    CU_ASSERT(!run(&f, "-f host"));
    CU_ASSERT(fixture_logged(&f, "Cannot fork into background"));
    fixture_end(&f);
    fixture_begin(&f);
    CU_ASSERT(run(&f, "-f host true"));
    CU_ASSERT_EQUAL(f.o.stdin_null, 1);
    fixture_end(&f);
}

static void a_missing_identity_is_warned_about_and_left_out(void)
{
    struct fixture f;
    char line[256];
    fixture_begin(&f);
    fixture_write(&f, "home/key", "");
    snprintf(line, sizeof line, "-i ~/nosuch -i ~/key host");
    CU_ASSERT(run(&f, line));
    CU_ASSERT(fixture_logged(&f, "nosuch not accessible: No such file or directory."));
    CU_ASSERT_EQUAL(f.o.identity_files.n, 1);
    CU_ASSERT(text_is(f.o.identity_files.items[0], fixture_path(&f, "home/key")));
    fixture_end(&f);
}

static void names_are_checked_at_the_door(void)
{
    CU_ASSERT(options_host_is_sane("host-1.example.com"));
    CU_ASSERT(options_host_is_sane("fe80::1%eth0"));
    CU_ASSERT(!options_host_is_sane("") && !options_host_is_sane("-host"));
    static const char bad[] = " '`\"$\\;&<>|(){},/\n\t\x1b\x7f";
    for (const char *p = bad; *p != '\0'; p++) {
        char name[4] = {'a', *p, 'b', '\0'};
        CU_ASSERT(!options_host_is_sane(name));
    }
    CU_ASSERT(options_user_is_sane("DOMAIN\\user") && options_user_is_sane("first last"));
    CU_ASSERT(!options_user_is_sane("user\\") && !options_user_is_sane("-user"));
    CU_ASSERT(!options_user_is_sane("a\nb") && !options_user_is_sane("$(id)"));
    CU_ASSERT(!options_user_is_sane(""));
}

/* A byte 0x9b is to many terminals what ESC [ is. */
static void names_that_a_screen_must_not_see_are_refused(void)
{
    static const char *const bad[] = {"a\x9b"
                                      "31mb",
        "a\xc2\x9b"
        "31mb",
        "a\xe2\x80\xae"
        "b",
        "a\xffz", "a\xc3"};
    CU_ASSERT(options_host_is_sane("b\xc3\xbc"
                                   "cher.example"));
    CU_ASSERT(options_user_is_sane("j\xc3\xbcrgen"));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT(!options_host_is_sane(bad[i]) && !options_user_is_sane(bad[i]));
}

static void the_effective_configuration_can_be_printed(void)
{
    struct fixture f;
    fixture_begin(&f);
    CU_ASSERT(run(&f, "-N -L 127.0.0.1:1:a:2 -p 2200 me@host"));
    char *text = options_print_dup(&f.o);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT(strstr(text, "user me\nhostname host\nport 2200\n") != NULL);
    CU_ASSERT(strstr(text, "\nlocalforward [127.0.0.1]:1 [a]:2\n") != NULL);
    CU_ASSERT(strstr(text, "\nsessiontype none\n") != NULL);
    free(text);
    fixture_end(&f);
}

static const char *agent_variables(const char *name)
{
    return strcmp(name, "SSH_AUTH_SOCK") == 0 ? "/run/usual"
           : strcmp(name, "OTHER") == 0       ? "/run/other"
           : strcmp(name, "EMPTY") == 0       ? ""
                                              : NULL;
}

static void the_agent_is_where_the_option_says(void)
{
    static const struct {
        const char *line, *path;
    } cases[] = {
        {"host", "/run/usual"},
        {"-oIdentityAgent=SSH_AUTH_SOCK host", "/run/usual"},
        {"-oIdentityAgent=none host", NULL},
        {"-oIdentityAgent=$OTHER host", "/run/other"},
        {"-oIdentityAgent=$UNSET host", NULL},
        {"-oIdentityAgent=$EMPTY host", NULL},
        {"-oIdentityAgent=/run/%r@%h:%p me@host", "/run/me@host:22"},
        {"-oIdentityAgent=${OTHER}/x host", "/run/other/x"},
        {"-oIdentityAgent=none -oIdentityAgent=/run/second host", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        fixture_begin(&f);
        f.env.get = agent_variables;
        CU_ASSERT(run(&f, cases[i].line));
        CU_ASSERT_EQUAL(f.o.agent_path == NULL, cases[i].path == NULL);
        if (f.o.agent_path != NULL && cases[i].path != NULL) {
            CU_ASSERT_STRING_EQUAL(f.o.agent_path, cases[i].path);
        }
        fixture_end(&f);
    }
    struct fixture f;
    fixture_begin(&f);
    CU_ASSERT(run(&f, "-oIdentityAgent=~/agent host"));
    CU_ASSERT_STRING_EQUAL(f.o.agent_path, fixture_path(&f, "home/agent"));
    fixture_end(&f);
    static const char *const bad[] = {
        "-oIdentityAgent=$1x host", "-oIdentityAgent=$ host", "-oIdentityAgent=$a-b host"};
    for (size_t i = 0; i < 3; i++) {
        fixture_begin(&f);
        CU_ASSERT_EQUAL(fixture_parse(&f, bad[i]), OPTIONS_BAD);
        CU_ASSERT(fixture_logged(&f, "the name of an environment variable"));
        fixture_end(&f);
    }
}

static void keys_are_given_to_the_agent_as_asked_for(void)
{
    static const struct {
        const char *value;
        int mode, lifetime_s;
        const char *printed;
    } cases[] = {
        {"no", ADD_KEYS_NO, 0, "\naddkeystoagent false\n"},
        {"yes", ADD_KEYS_YES, 0, "\naddkeystoagent true\n"},
        {"ask", ADD_KEYS_ASK, 0, "\naddkeystoagent ask\n"},
        {"confirm", ADD_KEYS_CONFIRM, 0, "\naddkeystoagent confirm\n"},
        {"confirm 5m", ADD_KEYS_CONFIRM, 300, "\naddkeystoagent confirm 300\n"},
        {"1h30m", ADD_KEYS_YES, 5400, "\naddkeystoagent 5400\n"},
    };
    struct fixture f;
    char line[128];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture_begin(&f);
        snprintf(line, sizeof line, "Host *\nAddKeysToAgent %s\nAddKeysToAgent confirm 9\n",
            cases[i].value);
        fixture_write(&f, "home/.ssh/config", line);
        CU_ASSERT(run(&f, "host"));
        CU_ASSERT_EQUAL(f.o.add_keys_to_agent, cases[i].mode);
        CU_ASSERT_EQUAL(f.o.add_keys_lifetime_s, cases[i].lifetime_s);
        char *text = options_print_dup(&f.o);
        CU_ASSERT_PTR_NOT_NULL_FATAL(text);
        CU_ASSERT(strstr(text, cases[i].printed) != NULL);
        free(text);
        fixture_end(&f);
    }
    static const char *const bad[] = {"maybe", "5x", "yes 5m", "1h 2h", "confirm soon"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        fixture_begin(&f);
        snprintf(line, sizeof line, "AddKeysToAgent %s\n", bad[i]);
        fixture_write(&f, "home/.ssh/config", line);
        CU_ASSERT(!run(&f, "host"));
        CU_ASSERT(fixture_logged(&f, "line 1: AddKeysToAgent: "));
        fixture_end(&f);
    }
}

static void public_keys_are_tried_as_pubkey_authentication_says(void)
{
    static const struct {
        const char *value;
        int wish;
        const char *printed;
    } cases[] = {
        {"yes", PUBKEY_YES, "\npubkeyauthentication true\n"},
        {"no", PUBKEY_NO, "\npubkeyauthentication false\n"},
        {"unbound", PUBKEY_UNBOUND, "\npubkeyauthentication unbound\n"},
        {"Host-Bound", PUBKEY_HOST_BOUND, "\npubkeyauthentication host-bound\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        char line[80];
        fixture_begin(&f);
        snprintf(line, sizeof line, "-oPubkeyAuthentication=%s host", cases[i].value);
        CU_ASSERT(run(&f, line));
        CU_ASSERT_EQUAL(f.o.pubkey_authentication, cases[i].wish);
        char *text = options_print_dup(&f.o);
        CU_ASSERT(text != NULL && strstr(text, cases[i].printed) != NULL);
        free(text);
        fixture_end(&f);
    }
}

/* The n-th allocation fails, for every n: an error or success, never a crash or a leak. */
static void running_out_of_memory_is_an_error(void)
{
    size_t n_failed = 0;
    for (long n = 0; n < 500; n++) {
        struct fixture f;
        fixture_begin(&f);
        fixture_write(&f, "home/.ssh/config",
            "Host h*\nUser %u\nSetEnv A=b C=d\nIdentityFile k\nProxyJump [%h]:1,me@b:2\n");
        if (!fixture_fail_allocation(n)) {
            fixture_end(&f);
            return;
        }
        bool ok = run(&f, "-i ~ -D 1080 -L 1:a:2 -c aes128-ctr host ls");
        bool failed = fixture_has_failed();
        fixture_fail_allocation(-1);
        CU_ASSERT(ok || f.log_n > 0);
        n_failed += ok ? 0 : 1;
        fixture_end(&f);
        if (!failed)
            break;
    }
    CU_ASSERT(n_failed > 10);
}

static const struct unit_test tests[] = {
    UNIT(the_lines_of_the_readme_are_understood),
    UNIT(the_command_starts_at_the_second_plain_word),
    UNIT(a_bad_command_line_gets_one_line),
    UNIT(no_letter_of_ssh_is_ignored_silently),
    UNIT(single_letters_set_what_they_stand_for),
    UNIT(help_and_version_end_the_parse),
    UNIT(forwards_keep_the_line_alive_by_default),
    UNIT(a_repeated_forward_counts_once),
    UNIT(going_to_the_background_needs_something_to_do),
    UNIT(a_missing_identity_is_warned_about_and_left_out),
    UNIT(names_are_checked_at_the_door),
    UNIT(names_that_a_screen_must_not_see_are_refused),
    UNIT(the_effective_configuration_can_be_printed),
    UNIT(the_agent_is_where_the_option_says),
    UNIT(keys_are_given_to_the_agent_as_asked_for),
    UNIT(public_keys_are_tried_as_pubkey_authentication_says),
    UNIT(running_out_of_memory_is_an_error),
};
UNIT_MAIN("options", tests)
