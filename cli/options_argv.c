/* The command line, as ssh reads it: clustered letters, values attached or apart, options before
 * and behind the destination, up to the first word of the command.
 *
 * Most letters are short for a line of a config file, and are handled as one; the table says which.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/config.h"
#include "cli/expand.h"
#include "cli/options.h"
#include "cli/options_destination.h"
#include "cli/values.h"

/* The argument vector with a place in it. */
struct words {
    int argc;
    char *const *argv;
    int at;
    bool no_more_options; /* "--" was seen */
};

struct letter {
    char name;
    enum {
        LETTER_KEYWORD, /* short for "keyword value" */
        LETTER_CALL,    /* see call */
        LETTER_NOTHING, /* switches off, or asks for, what is so anyway */
        LETTER_LATER,   /* ssh has it, adit not yet */
    } kind;
    bool has_arg;
    const char *keyword;
    const char *value; /* NULL: the letter's argument is the value */
    bool overrides;    /* the last one counts, as in ssh */
    bool (*call)(struct options *o, const char *arg);
};

static bool bad_argument(char letter, const char *arg, const char *wanted)
{
    log_error("option -%c: bad value \"%s\": expected %s", letter, log_escape_cstr(arg).s, wanted);
    return false;
}

static bool keep(struct options *o, const char **field, const char *arg)
{
    *field = pool_strdup(&o->pool, arg);
    if (*field == NULL)
        log_error("out of memory");
    return *field != NULL;
}

/* ---- letters that are more than a keyword ---------------------------------------------------- */

static bool log_file(struct options *o, const char *arg)
{
    return keep(o, &o->log_file, arg);
}

static bool config_file(struct options *o, const char *arg)
{
    return keep(o, &o->config_file, arg);
}

static bool print_config(struct options *o, const char *arg)
{
    (void)arg;
    o->print_config = true;
    return true;
}

static bool query(struct options *o, const char *arg)
{
    return keep(o, &o->query, arg);
}

static bool verbose(struct options *o, const char *arg)
{
    (void)arg;
    o->verbose++;
    int above = o->verbose < 3 ? o->verbose - 1 : 2;
    o->log_level = LOG_LEVEL_DEBUG1 + above;
    return true;
}

/* Twice means: even where standard input is no terminal. */
static bool want_tty(struct options *o, const char *arg)
{
    (void)arg;
    o->request_tty = o->request_tty == TTY_YES ? TTY_FORCE : TTY_YES;
    return true;
}

static bool no_session(struct options *o, const char *arg)
{
    (void)arg;
    o->session_type = SESSION_NONE;
    o->request_tty = TTY_NO;
    return true;
}

/* What it implies can be overridden: options_finish() does that. */
static bool stdio_forward(struct options *o, const char *arg)
{
    struct forward_lookup lookup = forward_lookup_system();
    char why[600];
    if (o->has_stdio) {
        log_error("option -W: given twice, but there is only one stdin and one stdout");
        return false;
    }
    if (forward_spec_parse(FORWARD_STDIO, arg, &lookup, &o->stdio, why, sizeof why) != ERR_OK) {
        log_error("%s", why);
        return false;
    }
    o->has_stdio = true;
    if (o->stdio.connect_path != NULL) {
        log_error("-W %s: forwarding of Unix sockets is not supported yet, only of TCP ports",
            log_escape_cstr(arg).s);
        return false;
    }
    return no_session(o, arg);
}

static bool login(struct options *o, const char *arg)
{
    return options_set_login(o, arg) || bad_argument('l', arg, "a user name");
}

/* As scp and sftp spell the port; for ssh it is a tag, and what is no number still is one. */
static bool port_or_tag(struct options *o, const char *arg)
{
    int port;
    if (*arg == '\0' || arg[strspn(arg, "0123456789")] != '\0')
        return o->tag != NULL || keep(o, &o->tag, arg);
    if (!value_port(arg, &port))
        return bad_argument('P', arg, "a port, 1 to 65535, or a tag");
    if (o->port == OPTION_UNSET)
        o->port = port;
    return true;
}

/* ssh drops a file that is not there with this warning and goes on with the others. */
static bool identity(struct options *o, const char *arg)
{
    struct expand e = {.env = o->env, .tilde = true};
    struct option_place place = {.option = "-i"};
    struct stat st;
    const char *why;
    const char *path = expand(&o->pool, &e, arg, &why);
    if (path == NULL)
        return bad_argument('i', arg, "the path of a private key");
    if (stat(path, &st) != 0 && strcmp(arg, "none") != 0) {
        log_info("Warning: Identity file %s not accessible: %s.", log_escape_cstr(path).s,
            strerror(errno));
        return true;
    }
    return options_set(o, &place, "IdentityFile", &path, 1);
}

static bool setting(struct options *o, const char *arg)
{
    struct option_place place = {.option = "-o"};
    char *line = pool_strdup(&o->pool, arg);
    if (line == NULL) {
        log_error("out of memory");
        return false;
    }
    return config_line(o, &place, line);
}

/* The words of ssh, which also lets "-J x -o ProxyCommand=y" be: the first one counts. */
static bool jump(struct options *o, const char *arg)
{
    struct option_place place = {.option = "-J"};
    if (o->proxy_jump != NULL) {
        log_error("Only a single -J option is permitted (use commas to separate multiple jump "
                  "hops)");
        return false;
    }
    if (o->proxy_command != NULL) {
        log_error("Cannot specify -J with ProxyCommand");
        return false;
    }
    return options_set(o, &place, "ProxyJump", &arg, 1);
}

static bool refuse_protocol_1(struct options *o, const char *arg)
{
    (void)o;
    (void)arg;
    log_error("option -1: SSH protocol 1 is not supported");
    return false;
}

#define NOTHING           .kind = LETTER_NOTHING
#define LATER             .kind = LETTER_LATER
#define LATER_WITH_ARG    .kind = LETTER_LATER, .has_arg = true
#define SHORT(line, text) .kind = LETTER_KEYWORD, .keyword = line, .value = text, .overrides = true
#define TAKES(line)       .kind = LETTER_KEYWORD, .has_arg = true, .keyword = line
#define TAKES_LAST(line)  TAKES(line), .overrides = true
#define CALL(fn)          .kind = LETTER_CALL, .call = fn
#define CALL_WITH_ARG(fn) .kind = LETTER_CALL, .call = fn, .has_arg = true

static const struct letter letters[] = {
    {'1', CALL(refuse_protocol_1)},
    {'2', NOTHING},
    {'4', SHORT("AddressFamily", "inet")},
    {'6', SHORT("AddressFamily", "inet6")},
    {'A', LATER},
    {'a', NOTHING},
    {'B', LATER_WITH_ARG},
    {'b', TAKES_LAST("BindAddress")},
    {'C', SHORT("Compression", "yes")},
    {'c', TAKES_LAST("Ciphers")},
    {'D', TAKES("DynamicForward")},
    {'E', CALL_WITH_ARG(log_file)},
    {'e', TAKES_LAST("EscapeChar")},
    {'F', CALL_WITH_ARG(config_file)},
    {'f', SHORT("ForkAfterAuthentication", "yes")},
    {'G', CALL(print_config)},
    {'g', SHORT("GatewayPorts", "yes")},
    {'I', LATER_WITH_ARG},
    {'i', CALL_WITH_ARG(identity)},
    {'J', CALL_WITH_ARG(jump)},
    {'K', LATER},
    {'k', NOTHING},
    {'L', TAKES("LocalForward")},
    {'l', CALL_WITH_ARG(login)},
    {'M', LATER},
    {'m', TAKES_LAST("MACs")},
    {'N', CALL(no_session)},
    {'n', SHORT("StdinNull", "yes")},
    {'O', LATER_WITH_ARG},
    {'o', CALL_WITH_ARG(setting)},
    {'P', CALL_WITH_ARG(port_or_tag)},
    {'p', TAKES("Port")},
    {'Q', CALL_WITH_ARG(query)},
    {'q', SHORT("LogLevel", "QUIET")},
    {'R', TAKES("RemoteForward")},
    {'S', LATER_WITH_ARG},
    {'s', SHORT("SessionType", "subsystem")},
    {'T', SHORT("RequestTTY", "no")},
    {'t', CALL(want_tty)},
    {'v', CALL(verbose)},
    {'W', CALL_WITH_ARG(stdio_forward)},
    {'w', LATER_WITH_ARG},
    {'X', LATER},
    {'x', NOTHING},
    {'Y', LATER},
    {'y', LATER},
    {'Z', LATER},
};

static const struct letter *find_letter(char name)
{
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++)
        if (letters[i].name == name)
            return &letters[i];
    return NULL;
}

/* ---- one word of options --------------------------------------------------------------------- */

static bool apply(struct options *o, const struct letter *l, const char *arg)
{
    char option[3] = {'-', l->name, '\0'};
    struct option_place place = {.option = option, .overrides = l->overrides};
    const char *value = l->value != NULL ? l->value : arg;
    switch (l->kind) {
    case LETTER_NOTHING: return true;
    case LETTER_CALL: return l->call(o, arg);
    case LETTER_KEYWORD: return options_set(o, &place, l->keyword, &value, 1);
    case LETTER_LATER: break;
    }
    log_error("option -%c: not supported by adit yet", l->name);
    return false;
}

/* "-NfL8080:web:80", or with the value in the next word. -h and -V end everything. */
static enum options_status parse_cluster(struct options *o, struct words *w)
{
    const char *p = w->argv[w->at++] + 1;
    while (*p != '\0') {
        const struct letter *l = find_letter(*p);
        if (*p == 'h')
            return OPTIONS_HELP;
        if (*p == 'V')
            return OPTIONS_VERSION;
        if (l == NULL) {
            log_error("unknown option -%s (adit --help lists them)",
                log_escape((struct bytes){(const uint8_t *)p, 1}).s);
            return OPTIONS_BAD;
        }
        const char *arg = ++p;
        if (l->has_arg && *arg == '\0') {
            if (w->at == w->argc) {
                log_error("option -%c: expected an argument", l->name);
                return OPTIONS_BAD;
            }
            arg = w->argv[w->at++];
        }
        if (!apply(o, l, arg))
            return OPTIONS_BAD;
        if (o->query != NULL)
            return OPTIONS_QUERY;
        if (l->has_arg)
            break;
    }
    return OPTIONS_RUN;
}

/* Options up to the next word that is none. */
static enum options_status parse_options(struct options *o, struct words *w)
{
    enum options_status status = OPTIONS_RUN;
    while (status == OPTIONS_RUN && w->at < w->argc) {
        const char *word = w->argv[w->at];
        if (word[0] != '-' || word[1] == '\0')
            break;
        if (strcmp(word, "--") == 0) {
            w->no_more_options = true;
            w->at++;
            break;
        }
        if (strcmp(word, "--help") == 0)
            return OPTIONS_HELP;
        if (strcmp(word, "--version") == 0)
            return OPTIONS_VERSION;
        if (word[1] == '-') {
            log_error("unknown option %s (adit --help lists them)", log_escape_cstr(word).s);
            return OPTIONS_BAD;
        }
        status = parse_cluster(o, w);
    }
    return status;
}

/* ---- the command ----------------------------------------------------------------------------- */

static bool parse_command(struct options *o, const struct words *w)
{
    size_t n = 0;
    for (int i = w->at; i < w->argc; i++)
        n += strlen(w->argv[i]) + 1;
    if (n == 0)
        return true;
    char *text = pool_alloc(&o->pool, n + 1);
    if (text == NULL) {
        log_error("out of memory");
        return false;
    }
    char *out = text;
    for (int i = w->at; i < w->argc; i++)
        out += sprintf(out, "%s%s", i > w->at ? " " : "", w->argv[i]);
    o->command = text;
    return true;
}

enum options_status options_parse(struct options *o, int argc, char *const argv[])
{
    struct words w = {.argc = argc, .argv = argv, .at = 1};
    enum options_status status = parse_options(o, &w);
    if (status != OPTIONS_RUN)
        return status;
    if (w.at >= argc) {
        log_error("expected a destination: [user@]host (adit --help lists the options)");
        return OPTIONS_BAD;
    }
    if (!options_set_destination(o, argv[w.at++]))
        return OPTIONS_BAD;
    if (!w.no_more_options)
        status = parse_options(o, &w);
    if (status == OPTIONS_RUN && !parse_command(o, &w))
        status = OPTIONS_BAD;
    o->port_is_literal = o->port != OPTION_UNSET;
    return status;
}

const char *options_usage(void)
{
    return "usage: adit [options] [user@]host [command]\n"
           "       adit [options] ssh://[user@]host[:port] [command]\n"
           "\n"
           "Forwards (each may be given many times):\n"
           "  -L [bind:]port:host:hostport   listen here, connect from the far side\n"
           "  -R [bind:]port:host:hostport   listen at the far side, connect from here\n"
           "  -R [bind:]port                 a SOCKS and HTTP proxy there, out from here\n"
           "  -D [bind:]port                 a SOCKS and HTTP proxy here, out from there\n"
           "  -g                             let other machines use forwards without a bind "
           "address\n"
           "  -W host:hostport               stdin and stdout lead to host:hostport, from the far "
           "side\n"
           "Fields may be parted by / too: 333/::1/222.\n"
           "\n"
           "Session:\n"
           "  -N   no command, only forwards        -f   go to the background after login\n"
           "  -n   standard input is /dev/null      -t   a terminal at the far side (-tt: always)\n"
           "  -T   no terminal                      -e C  escape character (none: off)\n"
           "\n"
           "Connection:\n"
           "  -p, -P PORT   port                    -l USER   remote user\n"
           "  -i FILE       private key             -b ADDR   connect from this address\n"
           "  -4, -6        IPv4 or IPv6 only       -C        compress\n"
           "  -c LIST       ciphers                 -m LIST   MACs\n"
           "  -F FILE       config file instead of the usual two (none: no file)\n"
           "  -J [user@]host[:port],...     go through these servers, one after another\n"
           "  -o KEY=VALUE  any line of a config file\n"
           "\n"
           "Messages:\n"
           "  -v   more of them (-vvv: most)        -q   none\n"
           "  -E FILE   to a file                   -G   print the configuration and end\n"
           "  -V   version                          -h, --help   this text\n"
           "  -Q KIND   list algorithms (-Q help: kinds)\n";
}
