/* aditd: the gateway. It authenticates keys and forwards ports, and nothing else. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/authorized.h"
#include "cli/background.h"
#include "cli/file.h"
#include "cli/log.h"
#include "cli/process.h"
#include "cli/server.h"
#include "cli/version.h"
#include "crypto/cert.h"

enum { EXIT_OURS = 255, HOST_KEYS_MAX = 8 };

static const char usage[] =
    "usage: aditd [-Dqv] -h host_key_file [-h ...] -A authorized_keys_file [-C ca_keys_file]\n"
    "             [-c host_certificate_file] [-p port] [-b listen_address] [-E log_file]\n"
    "       aditd -V\n"
    "\n"
    "  -A file     public keys that may log in (authorized_keys format)\n"
    "  -C file     public keys of authorities whose user certificates may log in, for the names "
    "in them\n"
    "  -c file     a certificate (-cert.pub) of one of the host keys\n"
    "  -b address  listen there instead of on loopback only\n"
    "  -D          stay in the foreground\n"
    "  -E file     append the log to file instead of writing it to stderr\n"
    "  -h file     a host key: an OpenSSH private key file without passphrase\n"
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
    const char *cert_paths[HOST_KEYS_MAX];
    size_t n_certs;
    const struct private_key *shown[2 * HOST_KEYS_MAX]; /* with certificates, then plain */
    struct private_key *certified[HOST_KEYS_MAX];
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

/* ---- host certificates ----------------------------------------------------------------------- */

static bool take_cert_path(struct arguments *a, const char *path)
{
    if (a->n_certs < HOST_KEYS_MAX) {
        a->cert_paths[a->n_certs++] = path;
        return true;
    }
    log_fatal("-c %s: at most %d host certificates", path, HOST_KEYS_MAX);
    return false;
}

/* "type base64 comment", as ssh-keygen -s writes it. */
static bool decode_cert(struct bytes text, uint8_t blob[KEY_BLOB_MAX], struct cert *c, size_t *n)
{
    struct bytes line = {NULL, 0}, word[2];
    if (!file_next_line(&text, &line))
        return false;
    for (size_t i = 0; i < 2; i++) {
        const uint8_t *blank = line.n > 0 ? memchr(line.p, ' ', line.n) : NULL;
        word[i] = (struct bytes){line.p, blank != NULL ? (size_t)(blank - line.p) : line.n};
        size_t gone = word[i].n + (blank != NULL ? 1 : 0);
        line = (struct bytes){line.p + gone, line.n - gone};
    }
    return key_from_base64(word[0], word[1], blob, KEY_BLOB_MAX, n) == ERR_OK &&
           cert_parse((struct bytes){blob, *n}, c) == ERR_OK;
}

static struct private_key *certify(const struct arguments *a, struct bytes cert)
{
    struct private_key *k = NULL;
    for (size_t i = 0; k == NULL && i < a->n_keys; i++)
        k = private_key_certify(a->keys[i], cert);
    return k;
}

/* One that is out of date is shown all the same: clients then go by the key inside. */
static bool load_cert(struct arguments *a, size_t at)
{
    struct file_rules rules = {.max_bytes = 1 << 20};
    struct file f;
    struct cert c;
    uint8_t blob[KEY_BLOB_MAX];
    size_t n;
    const char *path = a->cert_paths[at];
    char why[CERT_WHY_MAX];
    struct cert_rules good = {
        .kind = CERT_HOST, .now_s = (uint64_t)time(NULL), .any_principal = true};
    enum file_status status = file_read(&f, path, &rules);
    if (status != FILE_OK)
        log_fatal("-c %s: %s", path, status == FILE_MISSING ? "no such file" : f.why);
    else if (!decode_cert((struct bytes){f.data, f.n}, blob, &c, &n))
        log_fatal("-c %s: not a certificate: expected type, base64, comment", path);
    else if (c.kind != CERT_HOST)
        log_fatal("-c %s: it is a user certificate: expected a host certificate", path);
    else if ((a->certified[at] = certify(a, (struct bytes){blob, n})) == NULL)
        log_fatal("-c %s: expected a certificate for one of the keys given with -h", path);
    else if (cert_check(&c, &good, why) != ERR_OK)
        log_error("-c %s: clients will not accept this certificate: %s", path, why);
    file_free(&f);
    return a->certified[at] != NULL;
}

static bool arrange_host_keys(struct arguments *a)
{
    for (size_t i = 0; i < a->n_certs; i++) {
        if (!load_cert(a, i))
            return false;
        a->shown[i] = a->certified[i];
    }
    for (size_t i = 0; i < a->n_keys; i++)
        a->shown[a->n_certs + i] = a->keys[i];
    a->server.host_keys = a->shown;
    a->server.n_host_keys = a->n_certs + a->n_keys;
    return true;
}

/* ---- the command line ------------------------------------------------------------------------ */

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
    while ((c = getopt(argc, argv, ":A:b:C:c:DE:h:p:qvV")) != -1) {
        switch (c) {
        case 'A': a->server.authorized_keys = optarg; break;
        case 'b': a->server.listen_address = optarg; break;
        case 'C': a->server.authorities = optarg; break;
        case 'c':
            if (!take_cert_path(a, optarg))
                return BAD;
            break;
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
    else if (a->server.authorized_keys == NULL && a->server.authorities == NULL)
        log_fatal("no authorized keys: expected -A file, or -C file");
    else if ((a->server.authorized_keys == NULL ||
                 authorized_is_usable(a->server.authorized_keys)) &&
             (a->server.authorities == NULL || authorized_is_usable(a->server.authorities)) &&
             arrange_host_keys(a))
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
        if (!a.server.foreground && !background_begin())
            log_fatal("cannot fork: %s", strerror(errno));
        else
            status = server_run(&a.server);
        break;
    }
    for (size_t i = 0; i < a.n_keys; i++)
        private_key_free(a.keys[i]);
    for (size_t i = 0; i < a.n_certs; i++)
        private_key_free(a.certified[i]);
    return status;
}
