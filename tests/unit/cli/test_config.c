#include "cli/config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/keywords.h"
#include "forward/socket.h"
#include "tests/unit/cli/fixture.h"

static bool text_is(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* The command line, then ~/.ssh/config with text, then the rest of what main() does. */
static bool run(struct fixture *f, const char *line, const char *text)
{
    fixture_begin(f);
    fixture_write(f, "home/.ssh/config", text);
    return fixture_parse(f, line) == OPTIONS_RUN && config_load(&f->o) && options_finish(&f->o);
}

static void the_first_value_wins(void)
{
    struct fixture f;
    fixture_begin(&f);
    fixture_write(&f, "home/.ssh/config", "Port 2201\nUser first\nUser second\n");
    fixture_write(&f, "etc/ssh_config", "Port 2202\nUser third\nCompression yes\n");
    CU_ASSERT(fixture_parse(&f, "-p 2200 host") == OPTIONS_RUN && config_load(&f.o));
    CU_ASSERT(options_finish(&f.o));
    CU_ASSERT_EQUAL(f.o.port, 2200);
    CU_ASSERT(text_is(f.o.user, "first"));
    CU_ASSERT_EQUAL(f.o.compression, 1);
    fixture_end(&f);
}

static void one_type_of_service_is_for_both_kinds_of_session(void)
{
    static const struct {
        const char *line;
        int interactive, bulk;
    } cases[] = {{"host", 0x10, 0x08}, {"-o IPQoS=ef host", 0xb8, 0xb8},
        {"-oIPQoS=none host", SOCKET_QOS_NONE, SOCKET_QOS_NONE}};
    struct fixture f;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CU_ASSERT(run(&f, cases[i].line, i == 0 ? "" : "IPQoS cs1 cs2\n"));
        CU_ASSERT_EQUAL(f.o.ip_qos_interactive, cases[i].interactive);
        CU_ASSERT_EQUAL(f.o.ip_qos_bulk, cases[i].bulk);
        fixture_end(&f);
    }
}

static void host_blocks_apply_by_pattern_and_negation(void)
{
    static const char text[] = "Port 1\n"
                               "Host *.example.com !bad.example.com\n"
                               "  User inside\n"
                               "Host bad.* web?\n"
                               "  User outside\n"
                               "Host *\n"
                               "  Compression yes\n";
    static const char *const cases[][2] = {{"a.example.com", "inside"},
        {"bad.example.com", "outside"}, {"web1", "outside"}, {"web12", "miner"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        CU_ASSERT(run(&f, cases[i][0], text));
        CU_ASSERT(text_is(f.o.user, cases[i][1]));
        CU_ASSERT_EQUAL(f.o.port, 1);
        CU_ASSERT_EQUAL(f.o.compression, 1);
        fixture_end(&f);
    }
}

/* Each Match line stands before "Port 7": does it hold for `me@alias`, which is host.example.com?
 */
static void match_lines_hold_when_every_criterion_does(void)
{
    static const struct {
        const char *line;
        bool holds;
    } cases[] = {
        {"Match all", true},
        {"Match host host.example.com", true},
        {"Match host alias", false},
        {"Match originalhost alias", true},
        {"Match originalhost=a*,!b*", true},
        {"Match user me", true},
        {"Match user root,me", true},
        {"Match !user me", false},
        {"Match localuser miner user me", true},
        {"Match localuser other user me", false},
        {"Match tagged \"\"", true},
        {"Match tagged x", false},
        {"Match command ls*", true},
        {"Match sessiontype exec", true},
        {"Match final", true},
        {"Match final host host.example.com", true},
        {"Match !final user nobody", false},
        {"Match canonical", false},
        {"Match exec \"true\"", false},
        {"Match !exec false", false},
        {"Match localnetwork 10.0.0.0/8", false},
        {"Match all # with a comment", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        char text[256];
        snprintf(text, sizeof text, "Hostname host.example.com\n%s\nPort 7\n", cases[i].line);
        CU_ASSERT(run(&f, "me@alias ls -l", text));
        CU_ASSERT_EQUAL(f.o.port, cases[i].holds ? 7 : 22);
        if ((f.o.port == 7) != cases[i].holds)
            printf("    %s: %s", cases[i].line, f.log);
        fixture_end(&f);
    }
}

static void a_match_exec_is_told_about(void)
{
    struct fixture f;
    CU_ASSERT(run(&f, "host", "Match exec \"test -e /x\"\nPort 7\n"));
    CU_ASSERT(fixture_logged(&f, "config line 1: Match exec: not supported by adit yet"));
    fixture_end(&f);
}

static void every_supported_keyword_is_understood(void)
{
    static const char text[] = "Port=2222\n"
                               "User = \"first last\"\n"
                               "\tHostname\t%h.example.com  \r\n"
                               "LocalForward 8080 web:80\n"
                               "RemoteForward [::1]:9090 localhost:90\n"
                               "RemoteForward 1081\n"
                               "DynamicForward 127.0.0.1:1080\n"
                               "IdentityFile ~/keys/%r@%h:%p\n"
                               "IdentityFile \"with space\" # and a comment\n"
                               "IdentitiesOnly yes\n"
                               "UserKnownHostsFile ~/a %d/b ${FIXTURE}/%%c\n"
                               "GlobalKnownHostsFile none\n"
                               "StrictHostKeyChecking accept-new\n"
                               "ExitOnForwardFailure yes\n"
                               "GatewayPorts yes\n"
                               "ServerAliveInterval 1m\n"
                               "ServerAliveCountMax 7\n"
                               "ConnectTimeout 10\n"
                               "RekeyLimit 64K 1h\n"
                               "IPQoS cs1 none\n"
                               "Compression no\n"
                               "Ciphers ^aes128-ctr\n"
                               "MACs -*etm*\n"
                               "KexAlgorithms curve25519-sha256\n"
                               "HostKeyAlgorithms rsa-sha2-512,ssh-dss\n"
                               "LogLevel VERBOSE\n"
                               "BatchMode yes\n"
                               "SendEnv LANG LC_*\n"
                               "SendEnv -LANG\n"
                               "SetEnv A=1 \"B=two words\"\n"
                               "PermitRemoteOpen a:80 *:443\n"
                               "RemoteCommand echo \"%n $HOME\"\n"
                               "EscapeChar none\n";
    struct fixture f;
    CU_ASSERT(run(&f, "Alias", text));
    struct options *o = &f.o;
    CU_ASSERT(o->port == 2222 && text_is(o->user, "first last"));
    CU_ASSERT(text_is(o->host, "alias.example.com") && text_is(o->host_arg, "Alias"));
    CU_ASSERT_EQUAL(o->n_forwards, 4);
    CU_ASSERT_EQUAL(o->forwards[2].kind, FORWARD_REMOTE_DYNAMIC);
    CU_ASSERT_EQUAL(o->identity_files.n, 2);
    CU_ASSERT(
        strstr(o->identity_files.items[0], "/home/keys/first last@alias.example.com:2222") != NULL);
    CU_ASSERT(text_is(o->identity_files.items[1], "with space"));
    CU_ASSERT_EQUAL(o->user_known_hosts.n, 3);
    CU_ASSERT(text_is(o->user_known_hosts.items[0], fixture_path(&f, "home/a")));
    CU_ASSERT(text_is(o->user_known_hosts.items[2], "value/%c"));
    CU_ASSERT_EQUAL(o->global_known_hosts.n, 0);
    CU_ASSERT_EQUAL(o->strict_host_key_checking, STRICT_ACCEPT_NEW);
    CU_ASSERT(o->exit_on_forward_failure == 1 && o->gateway_ports == 1 && o->batch_mode == 1);
    CU_ASSERT(o->server_alive_interval_s == 60 && o->server_alive_count_max == 7);
    CU_ASSERT(o->connect_timeout_s == 10 && o->rekey_bytes == 65536 && o->rekey_s == 3600);
    CU_ASSERT(o->ip_qos_interactive == 0x20 && o->ip_qos_bulk == SOCKET_QOS_NONE);
    CU_ASSERT(
        text_is(o->ciphers, "aes128-ctr,chacha20-poly1305@openssh.com,aes256-gcm@openssh.com"));
    CU_ASSERT(text_is(o->macs, "hmac-sha2-512") && text_is(o->kex, "curve25519-sha256"));
    CU_ASSERT(text_is(o->host_key_algorithms, "rsa-sha2-512") && o->host_key_algorithms_given);
    CU_ASSERT(o->send_env.n == 1 && text_is(o->send_env.items[0], "LC_*"));
    CU_ASSERT(o->set_env.n == 2 && text_is(o->set_env.items[1], "B=two words"));
    CU_ASSERT_EQUAL(o->permit_remote_open.n, 2);
    CU_ASSERT(text_is(o->remote_command, "echo \"Alias $HOME\""));
    CU_ASSERT(o->escape_char == ESCAPE_CHAR_NONE && o->number_of_password_prompts == 0);
    fixture_end(&f);
}

/* One line that names the file, the line, the keyword and what was expected. */
static void a_bad_line_names_its_place(void)
{
    static const char *const cases[][2] = {
        {"Foo bar", "config line 2: Bad configuration option: Foo"},
        {"Port x", "config line 2: Port: bad value \"x\": expected a port, 1 to 65535"},
        {"Port", "config line 2: Port: expected an argument"},
        {"Port 22 23", "config line 2: Port: extra arguments"},
        {"Compression maybe", "Compression: bad value \"maybe\": expected yes or no"},
        {"User \"a b", "config line 2: User: a quote is not closed"},
        {"LocalForward 8080", "config line 2: LocalForward: "},
        {"LocalForward 99999 a:1", "99999"},
        {"Ciphers rot13", "Ciphers: bad value \"rot13\""},
        {"Ciphers 3des-cbc", "at least one algorithm that adit has"},
        {"IPQoS af99", "IPQoS: bad value \"af99\": expected a class such as af21 or cs1"},
        {"IPQoS ef 256", "IPQoS: bad value \"256\""},
        {"RekeyLimit 1", "RekeyLimit: bad value \"1\""},
        {"RekeyLimit 1G x", "RekeyLimit: bad value \"x\""},
        {"StrictHostKeyChecking sometimes", "ask, accept-new, yes or no"},
        {"SetEnv A", "SetEnv: bad value \"A\""},
        {"SessionType sub", "expected none, subsystem or default"},
        {"UserKnownHostsFile none x", "\"none\" to stand alone"},
        {"Match", "Match: expected an argument"},
        {"Match bogus", "Match unknown criterion: bogus"},
        {"Match user", "Match expected an argument after: user"},
        {"ProxyJump a;id", "config line 2: ProxyJump: bad value \"a;id\": expected [user@]host"},
        {"ProxyJump a b", "config line 2: ProxyJump: extra arguments"},
        {"Host !", "Host: empty pattern"},
        {"=x", "expected a keyword"},
        {"RefuseConnection \"not today\"", "RefuseConnection: not today"},
        {"HostName a;b", "invalid characters"},
        {"HostName %q", "cannot expand \"%q\": unknown %-token"},
        {"IdentityFile ${NOSUCH}", "${VARIABLE} that is not set"},
        {"User a%nb;c", "invalid characters"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        char text[256];
        snprintf(text, sizeof text, "# a comment\n%s\n", cases[i][0]);
        CU_ASSERT(!run(&f, "host", text));
        CU_ASSERT_EQUAL(fixture_log_lines(&f), 1);
        CU_ASSERT(fixture_logged(&f, cases[i][1]));
        if (!fixture_logged(&f, cases[i][1]))
            printf("    \"%s\" gave: %s", cases[i][0], f.log);
        fixture_end(&f);
    }
}

/* Values of blocks that do not apply are checked, as ssh does, and have no effect. */
static void lines_of_other_hosts_are_only_checked(void)
{
    struct fixture f;
    CU_ASSERT(run(&f, "host",
        "Host other\nPort 1\nLocalForward 1 a:2\nProxyJump x\nCiphers 3des-cbc\n"
        "RefuseConnection no\nSendEnv A -B\nIdentityFile x\n"));
    CU_ASSERT(f.o.port == 22 && f.o.n_forwards == 0 && f.o.identity_files.n == 0);
    CU_ASSERT(f.o.send_env.n == 0);
    CU_ASSERT_STRING_EQUAL(f.log, "");
    fixture_end(&f);
    CU_ASSERT(!run(&f, "host", "Host other\nPort x\n"));
    fixture_end(&f);
}

static void unknown_keywords_can_be_ignored_by_pattern(void)
{
    struct fixture f;
    CU_ASSERT(run(&f, "host", "IgnoreUnknown Use*,Foo\nUseKeychain yes\nfoo bar\n"));
    CU_ASSERT_STRING_EQUAL(f.log, "");
    fixture_end(&f);
}

static void every_keyword_of_ssh_is_in_the_table(void)
{
    size_t n;
    const struct keyword *table = keyword_table(&n);
    CU_ASSERT(n > 100);
    for (size_t i = 0; i < n; i++) {
        CU_ASSERT_PTR_EQUAL(keyword_find(table[i].name), &table[i]);
        CU_ASSERT((table[i].kind == KEYWORD_SET) == (table[i].set != NULL));
    }
    struct fixture f;
    CU_ASSERT(run(&f, "host", "ForwardAgent yes\nControlMaster auto\nUseRoaming no\n"));
    CU_ASSERT_EQUAL(fixture_log_lines(&f), 3);
    CU_ASSERT(fixture_logged(&f, "line 1: ForwardAgent: not supported by adit yet, ignored"));
    CU_ASSERT(fixture_logged(&f, "line 3: UseRoaming: obsolete, ignored"));
    fixture_end(&f);
}

static void what_changes_the_way_is_warned_about_aloud(void)
{
    struct fixture f;
    fixture_begin(&f);
    log_set_level(LOG_LEVEL_INFO);
    fixture_write(&f, "home/.ssh/config",
        "CanonicalizeHostname yes\nProxyUseFdpass yes\nForwardAgent yes\nMatch final\n");
    CU_ASSERT(fixture_parse(&f, "host") == OPTIONS_RUN && config_load(&f.o));
    CU_ASSERT_EQUAL(fixture_log_lines(&f), 2);
    CU_ASSERT(
        fixture_logged(&f, "warning: ") && fixture_logged(&f, "line 1: CanonicalizeHostname: not"));
    CU_ASSERT(fixture_logged(&f, "line 2: ProxyUseFdpass: not supported"));
    fixture_end(&f);
    fixture_begin(&f);
    log_set_level(LOG_LEVEL_INFO);
    CU_ASSERT(fixture_parse(&f, "-oProxyUseFdpass=no host") == OPTIONS_RUN);
    CU_ASSERT_STRING_EQUAL(f.log, "");
    fixture_end(&f);
}

/* The shell's own signs are left to the shell; what the line says is what -G shows. */
static void a_proxy_command_has_its_tokens_and_no_variables_expanded(void)
{
    static const char config[] =
        "Host web\nHostName Gate.example\nPort 2222\nUser joe\n"
        "HostKeyAlias alias\nProxyCommand nc \"$X ${X} %h %p %n %r %k %%\n";
    struct fixture f;
    CU_ASSERT(run(&f, "web", config));
    CU_ASSERT(text_is(f.o.proxy_line, "exec nc \"$X ${X} gate.example 2222 web joe alias %"));
    CU_ASSERT(text_is(f.o.proxy_command, "nc \"$X ${X} %h %p %n %r %k %%"));
    fixture_end(&f);
    CU_ASSERT(run(&f, "-oProxyCommand=None web", config));
    CU_ASSERT_PTR_NULL(f.o.proxy_line);
    fixture_end(&f);
    CU_ASSERT(!run(&f, "host", "ProxyCommand nc %d\n"));
    CU_ASSERT(fixture_logged(&f, "ProxyCommand: cannot expand \"exec nc %d\": unknown %-token"));
    fixture_end(&f);
}

static void includes_are_relative_to_their_folder_and_keep_the_block(void)
{
    struct fixture f;
    fixture_begin(&f);
    mkdir(fixture_path(&f, "home/.ssh/d"), 0700);
    fixture_write(&f, "home/.ssh/d/1.conf", "Port 1111\nHost nobody\nUser wrong\n");
    fixture_write(&f, "home/.ssh/d/2.conf", "User right\n");
    fixture_write(&f, "home/.ssh/other", "Compression yes\nHost *\nBatchMode yes\n");
    fixture_write(&f, "home/.ssh/config",
        "Include d/*.conf nosuch*\nGatewayPorts yes\nHost else\nInclude other\n");
    fixture_write(&f, "etc/extra", "HashKnownHosts yes\n");
    fixture_write(&f, "etc/ssh_config", "Include extra\n");
    CU_ASSERT(fixture_parse(&f, "host") == OPTIONS_RUN && config_load(&f.o));
    CU_ASSERT(options_finish(&f.o));
    CU_ASSERT(f.o.port == 1111 && text_is(f.o.user, "right") && f.o.gateway_ports == 1);
    CU_ASSERT(f.o.compression == 0 && f.o.batch_mode == 0 && f.o.hash_known_hosts == 1);
    fixture_end(&f);
}

static void a_local_command_has_its_tokens_expanded_where_it_is_permitted(void)
{
    static const char config[] = "HostName real\nPort 2222\nLocalCommand echo \"$X %h %n %p %T\n";
    struct fixture f;
    CU_ASSERT(run(&f, "-oPermitLocalCommand=yes web", config));
    CU_ASSERT(text_is(f.o.local_command, "echo \"$X real web 2222 NONE"));
    fixture_end(&f);
    CU_ASSERT(run(&f, "-oPermitLocalCommand=yes -oLocalCommand=none web", config));
    CU_ASSERT_PTR_NULL(f.o.local_command);
    fixture_end(&f);
    CU_ASSERT(run(&f, "web", config));
    CU_ASSERT_PTR_NULL(f.o.local_command);
    fixture_end(&f);
}

static void an_include_may_name_the_host(void)
{
    struct fixture f;
    fixture_begin(&f);
    fixture_write(&f, "home/.ssh/web.conf", "HostName real\n");
    fixture_write(&f, "home/.ssh/real-web%.conf", "Port 2222\n");
    fixture_write(&f, "home/.ssh/config", "Include %h.conf\nInclude %h-%n%%.conf\n");
    CU_ASSERT(fixture_parse(&f, "web") == OPTIONS_RUN && config_load(&f.o));
    CU_ASSERT_EQUAL(f.o.port, 2222);
    fixture_end(&f);
    CU_ASSERT(!run(&f, "web", "Include %X.conf\n"));
    CU_ASSERT(fixture_logged(&f, "Include: unknown %-token"));
    fixture_end(&f);
}

static void set_env_expands_values_and_takes_the_first_of_a_name(void)
{
    struct fixture f;
    CU_ASSERT(run(&f, "web", "HostName real\nSetEnv %h=%h/%n%% A= AB=1 A=2\nSetEnv B=3\n"));
    const struct text_list *list = &f.o.set_env;
    CU_ASSERT_EQUAL_FATAL(list->n, 3);
    CU_ASSERT_STRING_EQUAL(list->items[0], "%h=real/web%");
    CU_ASSERT_STRING_EQUAL(list->items[1], "A=");
    CU_ASSERT_STRING_EQUAL(list->items[2], "AB=1");
    fixture_end(&f);
    CU_ASSERT(!run(&f, "web", "SetEnv A=${ADIT_NO_SUCH_VARIABLE}\n"));
    CU_ASSERT(fixture_logged(&f, "SetEnv: cannot expand"));
    fixture_end(&f);
}

static void an_endless_include_ends(void)
{
    struct fixture f;
    CU_ASSERT(!run(&f, "host", "Include config\n"));
    CU_ASSERT(fixture_logged(&f, "too many levels of Include"));
    fixture_end(&f);
    fixture_begin(&f);
    for (int i = 0; i < 40; i++) {
        char name[32];
        snprintf(name, sizeof name, "home/.ssh/x%d", i);
        fixture_write(&f, name, i == 0 ? "Port 1\n" : "Include x[0-9]\n");
    }
    fixture_write(&f, "home/.ssh/config", "Include x*\n");
    CU_ASSERT(fixture_parse(&f, "host") == OPTIONS_RUN && !config_load(&f.o));
    fixture_end(&f);
}

static void a_file_that_others_can_write_is_refused(void)
{
    struct fixture f;
    fixture_begin(&f);
    fixture_write(&f, "home/.ssh/config", "Port 1\n");
    chmod(f.path, 0620);
    CU_ASSERT(fixture_parse(&f, "host") == OPTIONS_RUN && !config_load(&f.o));
    CU_ASSERT(fixture_logged(&f, "Bad owner or permissions"));
    fixture_end(&f);
    fixture_begin(&f);
    fixture_write(&f, "home/.ssh/config", "Port 1\n");
    f.env.uid = getuid() + 1;
    bool is_root = getuid() == 0; /* root's files are everybody's */
    CU_ASSERT(fixture_parse(&f, "host") == OPTIONS_RUN && config_load(&f.o) == is_root);
    fixture_end(&f);
}

static void strange_files_are_refused(void)
{
    struct fixture f;
    char line[128];
    fixture_begin(&f);
    snprintf(line, sizeof line, "-F %s host", fixture_path(&f, "nosuch"));
    CU_ASSERT(fixture_parse(&f, line) == OPTIONS_RUN && !config_load(&f.o));
    CU_ASSERT(fixture_logged(&f, "nosuch: No such file or directory"));
    fixture_end(&f);

    fixture_begin(&f);
    snprintf(line, sizeof line, "-F %s host", fixture_path(&f, "pipe"));
    CU_ASSERT(mkfifo(f.path, 0600) == 0);
    CU_ASSERT(fixture_parse(&f, line) == OPTIONS_RUN && !config_load(&f.o));
    CU_ASSERT(fixture_logged(&f, "not a regular file"));
    fixture_end(&f);

    fixture_begin(&f);
    fixture_write(&f, "home/.ssh/config", "Port x\n");
    CU_ASSERT(fixture_parse(&f, "-F none host") == OPTIONS_RUN && config_load(&f.o));
    fixture_end(&f);
    fixture_begin(&f);
    CU_ASSERT(fixture_parse(&f, "-F /dev/null host") == OPTIONS_RUN && config_load(&f.o));
    fixture_end(&f);
}

static void a_long_line_is_refused_whole(void)
{
    struct fixture f;
    static char text[CONFIG_LINE_MAX + 64];
    memset(text, ' ', sizeof text);
    memcpy(text + CONFIG_LINE_MAX, "Port 7\n", 8);
    CU_ASSERT(!run(&f, "host", text));
    CU_ASSERT(fixture_logged(&f, "line 1: line too long"));
    fixture_end(&f);
    fixture_begin(&f);
    fixture_write_bytes(&f, "home/.ssh/config", "Port 1\0\n", 8);
    CU_ASSERT(fixture_parse(&f, "host") == OPTIONS_RUN && !config_load(&f.o));
    CU_ASSERT(fixture_logged(&f, "NUL"));
    fixture_end(&f);
}

static void words_are_cut_as_ssh_cuts_them(void)
{
    static const struct {
        const char *line;
        const char *words; /* joined by '|' */
    } cases[] = {{"a b\tc", "a|b|c"}, {"'a b' c", "a b|c"}, {"a\"b c\"d", "ab cd"},
        {"a\\ b", "a b"}, {"\"a\\ b\"", "a\\ b"}, {"\\\"a", "\"a"}, {"a # b", "a"}, {"a#b", "a#b"},
        {"\"\" x", "|x"}, {"'a\"b'", "a\"b"}, {"a\\", "a\\"}, {"\\n", "\\n"}, {"", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[64], joined[64] = "";
        const char *args[8];
        size_t n;
        snprintf(line, sizeof line, "%s", cases[i].line);
        CU_ASSERT_PTR_NULL(config_split(line, args, 8, &n));
        for (size_t k = 0; k < n; k++) {
            strcat(joined, k > 0 ? "|" : "");
            strcat(joined, args[k]);
        }
        CU_ASSERT_STRING_EQUAL(joined, cases[i].words);
    }
    char open[] = "'a", many[] = "a b c";
    const char *args[2];
    size_t n;
    CU_ASSERT_PTR_NOT_NULL(config_split(open, args, 2, &n));
    CU_ASSERT_PTR_NOT_NULL(config_split(many, args, 2, &n));
}

static void two_commands_are_one_too_many(void)
{
    struct fixture f;
    CU_ASSERT(!run(&f, "host ls", "RemoteCommand echo\n"));
    CU_ASSERT(fixture_logged(&f, "Cannot execute command-line and remote command."));
    fixture_end(&f);
    CU_ASSERT(run(&f, "-oRemoteCommand=none host ls %h", "RemoteCommand echo\n"));
    CU_ASSERT(text_is(f.o.remote_command, "ls %h"));
    fixture_end(&f);
}

static const struct unit_test tests[] = {
    UNIT(the_first_value_wins),
    UNIT(one_type_of_service_is_for_both_kinds_of_session),
    UNIT(host_blocks_apply_by_pattern_and_negation),
    UNIT(match_lines_hold_when_every_criterion_does),
    UNIT(a_match_exec_is_told_about),
    UNIT(every_supported_keyword_is_understood),
    UNIT(a_bad_line_names_its_place),
    UNIT(lines_of_other_hosts_are_only_checked),
    UNIT(unknown_keywords_can_be_ignored_by_pattern),
    UNIT(every_keyword_of_ssh_is_in_the_table),
    UNIT(what_changes_the_way_is_warned_about_aloud),
    UNIT(a_proxy_command_has_its_tokens_and_no_variables_expanded),
    UNIT(includes_are_relative_to_their_folder_and_keep_the_block),
    UNIT(a_local_command_has_its_tokens_expanded_where_it_is_permitted),
    UNIT(an_include_may_name_the_host),
    UNIT(set_env_expands_values_and_takes_the_first_of_a_name),
    UNIT(an_endless_include_ends),
    UNIT(a_file_that_others_can_write_is_refused),
    UNIT(strange_files_are_refused),
    UNIT(a_long_line_is_refused_whole),
    UNIT(words_are_cut_as_ssh_cuts_them),
    UNIT(two_commands_are_one_too_many),
};
UNIT_MAIN("config", tests)
