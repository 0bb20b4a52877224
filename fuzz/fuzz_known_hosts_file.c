#define _GNU_SOURCE /* memfd_create(), memmem() */
/* An input is a whole known_hosts file, or what KnownHostsCommand printed, asked about one key, on
 * the usual port and on another. Taken line by line it says nothing more: a verdict of the file is
 * one that some line, or no line, gives.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/hosts_scan.h"
#include "crypto/key.h"
#include "fuzz/fuzz.h"
#include "tests/unit/crypto/sample_certs.h"
#include "tests/unit/crypto/sample_keys.h"

enum { MAX_BYTES = 1 << 17 };

static void drop(void *user, const char *text, size_t n)
{
    (void)user;
    (void)text;
    fuzz_require(n > 0);
}

/* Every byte of a file is in some line, in order: what a rewrite would copy. */
struct copied {
    const uint8_t *at;
    unsigned long n_lines;
};
static void follow(void *user, const struct hosts_scanned *s)
{
    struct copied *c = user;
    fuzz_require(s->raw.p == c->at && s->raw.n > 0 && s->line == ++c->n_lines);
    fuzz_require(s->has_key || (!s->is_host && !s->is_address));
    c->at += s->raw.n;
}

/* A regular file without a place in a folder, so that nothing is left behind. */
static int make_file(const uint8_t *data, size_t n, char *path, size_t cap)
{
    int fd = memfd_create("known_hosts", MFD_CLOEXEC);
    fuzz_require(fd >= 0 && write(fd, data, n) == (ssize_t)n);
    snprintf(path, cap, "/proc/self/fd/%d", fd);
    return fd;
}

/* It is known by its authority's line alone. */
static void ask_for_certificate(const struct hosts_query *q, const uint8_t *data, size_t n)
{
    static const char ca[] = "@cert-authority";
    uint8_t blob[KEY_BLOB_MAX];
    size_t blob_n;
    struct hosts_answer a;
    fuzz_require(key_from_base64(BYTES_LIT("ecdsa-sha2-nistp256-cert-v01@openssh.com"),
                     bytes_of(sample_p256_cert), blob, sizeof blob, &blob_n) == ERR_OK);
    enum hosts_verdict v = hosts_lookup(q, (struct bytes){blob, blob_n}, &a);
    fuzz_require(v == a.verdict && v != HOSTS_REFUSED && v != HOSTS_OTHER_TYPE);
    if (v == HOSTS_KNOWN)
        fuzz_require(memmem(data, n, sample_ed25519_public, sizeof sample_ed25519_public - 1) &&
                     memmem(data, n, ca, sizeof ca - 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char b64[] =
        "AAAAC3NzaC1lZDI1NTE5AAAAII2WikSXA/om+NBOiAn0LQSkPR7VpoVYZdYdapLI1yyy";
    if (n > MAX_BYTES)
        return 0;
    uint8_t blob[256];
    size_t blob_n;
    char path[64], list[128];
    fuzz_require(key_from_base64(
                     bytes_of("ssh-ed25519"), bytes_of(b64), blob, sizeof blob, &blob_n) == ERR_OK);
    struct bytes key = {blob, blob_n};
    log_set_sink(drop, NULL);
    int fd = make_file(data, n, path, sizeof path);

    const char *files[] = {path};
    struct hosts_query q = {.host = "host.example.com", .port = 22, .files = files, .n_files = 1};
    struct hosts_answer a;
    enum hosts_verdict v = hosts_lookup(&q, key, &a);
    fuzz_require(v == a.verdict && v != HOSTS_REFUSED); /* it could be read */
    fuzz_require((v == HOSTS_UNKNOWN) == (a.line == 0));
    struct hosts_query printed = {.host = q.host, .port = 22, .more = {data, n}, .more_name = "c"};
    struct hosts_answer by_command; /* KnownHostsCommand's lines are read as a file's are */
    fuzz_require(hosts_lookup(&printed, key, &by_command) == v && by_command.line == a.line);
    if (v == HOSTS_KNOWN) /* trust comes from the very key, which must stand in there */
        fuzz_require(memmem(data, n, b64, sizeof b64 - 1) != NULL);

    static const char ours[] = "ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256";
    fuzz_require(hosts_order_algorithms(&q, ours, list, sizeof list));
    fuzz_require(strlen(list) == sizeof ours - 1);
    q.port = 2222;
    enum hosts_verdict other = hosts_lookup(&q, key, &a);
    fuzz_require(other != HOSTS_REFUSED && (other != HOSTS_KNOWN || v != HOSTS_REVOKED));
    struct copied c = {.at = data};
    hosts_scan((struct bytes){data, n}, "host.example.com", "192.0.2.7", follow, &c);
    fuzz_require(c.at == data + n);
    ask_for_certificate(&q, data, n);
    close(fd);
    return 0;
}
