/* aditd: the gateway. It authenticates keys and forwards ports, and nothing else. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/aditd_argv.h"
#include "cli/authorized.h"
#include "cli/background.h"
#include "cli/file.h"
#include "cli/log.h"
#include "cli/process.h"
#include "cli/version.h"
#include "crypto/cert.h"

enum { EXIT_OURS = 255 };

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
    "  -h file     a host key: a private key file (OpenSSH or PEM) without passphrase\n"
    "  -p port     listen on port (default 22; 0: any free one, which the log tells)\n"
    "  -q, -v      say less; say more\n"
    "  -V          print the version and exit\n"
    "\n"
    "Any user name is accepted with an authorized key. Every client may forward ports (-L, -R, "
    "-D);\n"
    "remote listeners are bound to loopback. Nobody gets a shell, and no command is ever run.\n";

struct gateway {
    struct aditd_argv argv;
    struct private_key *keys[ADITD_KEYS_MAX];            /* of argv.key_paths */
    struct private_key *certified[ADITD_KEYS_MAX];       /* of argv.cert_paths */
    const struct private_key *shown[2 * ADITD_KEYS_MAX]; /* with certificates, then plain */
};

static bool load_host_key(struct gateway *g, size_t at)
{
    const char *path = g->argv.key_paths[at];
    struct file_rules rules = {
        .max_bytes = 1 << 20, .check = FILE_PRIVATE, .uid = geteuid(), .is_secret = true};
    struct file f;
    const char *why = NULL;
    bool good = false;
    enum file_status status = file_read(&f, path, &rules);
    if (status == FILE_TOO_OPEN)
        log_fatal("-h %s: others can read it (mode %04o): a host key must be its owner's alone",
            path, (unsigned)(f.mode & 07777));
    else if (status != FILE_OK)
        log_fatal("-h %s: %s", path, status == FILE_MISSING ? "no such file" : f.why);
    else if (private_key_parse(
                 (struct bytes){f.data, f.n}, (struct bytes){0}, &g->keys[at], &why) != KEY_FILE_OK)
        log_fatal("-h %s: %s", path, why != NULL ? why : "it needs a passphrase");
    else
        good = true;
    file_free(&f);
    return good;
}

/* ---- host certificates ----------------------------------------------------------------------- */

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

static struct private_key *certify(const struct gateway *g, struct bytes cert)
{
    struct private_key *k = NULL;
    for (size_t i = 0; k == NULL && i < g->argv.n_keys; i++)
        k = private_key_certify(g->keys[i], cert);
    return k;
}

/* One that is out of date is shown all the same: clients then go by the key inside. */
static bool load_cert(struct gateway *g, size_t at)
{
    struct file_rules rules = {.max_bytes = 1 << 20};
    struct file f;
    struct cert c;
    uint8_t blob[KEY_BLOB_MAX];
    size_t n;
    const char *path = g->argv.cert_paths[at];
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
    else if ((g->certified[at] = certify(g, (struct bytes){blob, n})) == NULL)
        log_fatal("-c %s: expected a certificate for one of the keys given with -h", path);
    else if (cert_check(&c, &good, why) != ERR_OK)
        log_error("-c %s: clients will not accept this certificate: %s", path, why);
    file_free(&f);
    return g->certified[at] != NULL;
}

static bool arrange_host_keys(struct gateway *g)
{
    size_t n = 0;
    for (size_t i = 0; i < g->argv.n_certs; i++) {
        if (!load_cert(g, i))
            return false;
        g->shown[n++] = g->certified[i];
    }
    for (size_t i = 0; i < g->argv.n_keys; i++)
        g->shown[n++] = g->keys[i];
    g->argv.server.host_keys = g->shown;
    g->argv.server.n_host_keys = n;
    return true;
}

/* ---- the run --------------------------------------------------------------------------------- */

static bool load(struct gateway *g)
{
    const struct server_options *server = &g->argv.server;
    for (size_t i = 0; i < g->argv.n_keys; i++)
        if (!load_host_key(g, i))
            return false;
    return (server->authorized_keys == NULL || authorized_is_usable(server->authorized_keys)) &&
           (server->authorities == NULL || authorized_is_usable(server->authorities)) &&
           arrange_host_keys(g);
}

static int run(struct gateway *g)
{
    if (!load(g))
        return EXIT_OURS;
    if (g->argv.server.foreground || background_begin())
        return server_run(&g->argv.server);
    log_fatal("cannot fork: %s", strerror(errno));
    return EXIT_OURS;
}

int main(int argc, char *argv[])
{
    struct gateway g = {0};
    int status = EXIT_OURS;
    log_program("aditd");
    if (!process_begin())
        return EXIT_OURS;
    switch (aditd_argv_parse(&g.argv, argc, argv)) {
    case ADITD_RUN: status = run(&g); break;
    case ADITD_VERSION:
        printf("aditd " ADIT_VERSION "\n");
        status = 0;
        break;
    case ADITD_USAGE: fputs(usage, stderr); break;
    case ADITD_BAD: break;
    }
    for (size_t i = 0; i < ADITD_KEYS_MAX; i++) {
        private_key_free(g.keys[i]);
        private_key_free(g.certified[i]);
    }
    return status;
}
