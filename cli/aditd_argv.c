#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/aditd_argv.h"
#include "cli/log.h"

static bool take_path(const char *paths[ADITD_KEYS_MAX], size_t *n, char option, const char *path)
{
    if (*n < ADITD_KEYS_MAX) {
        paths[(*n)++] = path;
        return true;
    }
    log_fatal("-%c %s: at most %d host %s", option, path, ADITD_KEYS_MAX,
        option == 'h' ? "keys" : "certificates");
    return false;
}

static bool parse_port(const char *text, int *port)
{
    char *end;
    errno = 0;
    long v = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || v < 0 || v > 65535) {
        log_fatal("-p %s: expected a port, 0-65535", log_escape_cstr(text).s);
        return false;
    }
    *port = (int)v;
    return true;
}

/* One option; false when its value is no good, and why has been said. */
static bool take(struct aditd_argv *a, int option, char *value, enum log_level *level)
{
    switch (option) {
    case 'A': a->server.authorized_keys = value; break;
    case 'b': a->server.listen_address = value; break;
    case 'C': a->server.authorities = value; break;
    case 'c': return take_path(a->cert_paths, &a->n_certs, 'c', value);
    case 'D': a->server.foreground = true; break;
    case 'E': return log_to_file(value);
    case 'h': return take_path(a->key_paths, &a->n_keys, 'h', value);
    case 'p': return parse_port(value, &a->server.port);
    case 'q': *level = LOG_LEVEL_ERROR; break;
    case 'v': *level = *level < LOG_LEVEL_DEBUG3 ? *level + 1 : *level; break;
    }
    return true;
}

enum aditd_verdict aditd_argv_parse(struct aditd_argv *a, int argc, char *argv[])
{
    enum log_level level = LOG_LEVEL_INFO;
    int c;
    *a = (struct aditd_argv){.server = {.port = 22}};
    opterr = 0;
    while ((c = getopt(argc, argv, ":A:b:C:c:DE:h:p:qvV")) != -1) {
        if (c == 'V')
            return ADITD_VERSION;
        if (c == ':') {
            log_fatal("option -%c: expected a value after it", optopt);
            return ADITD_BAD;
        }
        if (c == '?') {
            log_fatal("unknown option -%c", optopt);
            return ADITD_USAGE;
        }
        if (!take(a, c, optarg, &level))
            return ADITD_BAD;
    }
    log_set_level(level);
    if (optind < argc)
        log_fatal("unexpected argument %s", log_escape_cstr(argv[optind]).s);
    else if (a->n_keys == 0)
        log_fatal(
            "no host key: expected -h file (make one with: ssh-keygen -t ed25519 -N '' -f file)");
    else if (a->server.authorized_keys == NULL && a->server.authorities == NULL)
        log_fatal("no authorized keys: expected -A file, or -C file");
    else
        return ADITD_RUN;
    return ADITD_BAD;
}
