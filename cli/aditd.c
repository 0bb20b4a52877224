/* aditd: the gateway. It authenticates keys and forwards ports, and nothing else. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/authorized.h"
#include "cli/background.h"
#include "cli/file.h"
#include "cli/log.h"
#include "cli/process.h"
#include "cli/server.h"
#include "cli/version.h"

enum { EXIT_OURS = 255, HOST_KEYS_MAX = 8 };

static const char usage[] =
    "usage: aditd [-Dqv] -h host_key_file [-h ...] -A authorized_keys_file\n"
    "             [-p port] [-b listen_address] [-E log_file]\n"
    "       aditd -V\n"
    "\n"
    "  -A file     public keys that may log in (authorized_keys format)\n"
    "  -b address  listen there instead of on loopback only\n"
    "  -D          stay in the foreground\n"
    "  -E file     append the log to file instead of writing it to stderr\n"
    "  -h file     a host key: a private key file (OpenSSH or PEM) without passphrase\n"
    "  -p port     listen on port (default 22; 0: any free one, which the log tells)\n"
    "  -q, -v      say less; say more\n"
    "  -V          print the version and exit\n"
    "\n"
    "Any user name is accepted with an authorized key. Every client may forward ports (-L, -R, "
    "-D);\n"
    "remote listeners are bound to loopback. Nobody gets a shell, and no command is ever run.\n";

struct arguments {
    struct server_options server;
    struct private_key *keys[HOST_KEYS_MAX];
    size_t n_keys;
};

static bool load_host_key(struct arguments *a, const char *path)
{
    struct file_rules rules = {
        .max_bytes = 1 << 20, .check = FILE_PRIVATE, .uid = geteuid(), .is_secret = true};
    struct file f;
    const char *why = NULL;
    bool good = false;
    enum file_status status = file_read(&f, path, &rules);
    if (a->n_keys == HOST_KEYS_MAX)
        log_fatal("-h %s: at most %d host keys", path, HOST_KEYS_MAX);
    else if (status == FILE_TOO_OPEN)
        log_fatal("-h %s: others can read it (mode %04o): a host key must be its owner's alone",
            path, (unsigned)(f.mode & 07777));
    else if (status != FILE_OK)
        log_fatal("-h %s: %s", path, status == FILE_MISSING ? "no such file" : f.why);
    else if (private_key_parse((struct bytes){f.data, f.n}, (struct bytes){0}, &a->keys[a->n_keys],
                 &why) != KEY_FILE_OK)
        log_fatal("-h %s: %s", path, why != NULL ? why : "it needs a passphrase");
    else
        good = true;
    a->n_keys += good ? 1 : 0;
    file_free(&f);
    return good;
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

enum verdict { RUN, DONE, BAD };

static enum verdict parse(struct arguments *a, int argc, char *argv[])
{
    enum log_level level = LOG_LEVEL_INFO;
    int c;
    opterr = 0;
    while ((c = getopt(argc, argv, ":A:b:DE:h:p:qvV")) != -1) {
        switch (c) {
        case 'A': a->server.authorized_keys = optarg; break;
        case 'b': a->server.listen_address = optarg; break;
        case 'D': a->server.foreground = true; break;
        case 'E':
            if (!log_to_file(optarg))
                return BAD;
            break;
        case 'h':
            if (!load_host_key(a, optarg))
                return BAD;
            break;
        case 'p':
            if (!parse_port(optarg, &a->server.port))
                return BAD;
            break;
        case 'q': level = LOG_LEVEL_ERROR; break;
        case 'v': level = level < LOG_LEVEL_DEBUG3 ? level + 1 : level; break;
        case 'V': printf("aditd " ADIT_VERSION "\n"); return DONE;
        case ':': log_fatal("option -%c: expected a value after it", optopt); return BAD;
        default:
            log_fatal("unknown option -%c", optopt);
            fputs(usage, stderr);
            return BAD;
        }
    }
    log_set_level(level);
    if (optind < argc)
        log_fatal("unexpected argument %s", log_escape_cstr(argv[optind]).s);
    else if (a->n_keys == 0)
        log_fatal(
            "no host key: expected -h file (make one with: ssh-keygen -t ed25519 -N '' -f file)");
    else if (a->server.authorized_keys == NULL)
        log_fatal("no authorized keys: expected -A file");
    else if (authorized_is_usable(a->server.authorized_keys))
        return RUN;
    return BAD;
}

int main(int argc, char *argv[])
{
    struct arguments a = {.server = {.port = 22}};
    int status = EXIT_OURS;
    log_program("aditd");
    if (!process_begin())
        return EXIT_OURS;
    switch (parse(&a, argc, argv)) {
    case DONE: status = 0; break;
    case BAD: break;
    case RUN:
        a.server.host_keys = (const struct private_key *const *)a.keys;
        a.server.n_host_keys = a.n_keys;
        if (!a.server.foreground && !background_begin())
            log_fatal("cannot fork: %s", strerror(errno));
        else
            status = server_run(&a.server);
        break;
    }
    for (size_t i = 0; i < a.n_keys; i++)
        private_key_free(a.keys[i]);
    return status;
}
