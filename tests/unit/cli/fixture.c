#define _GNU_SOURCE /* nftw(), AT_EMPTY_PATH */

#include "tests/unit/cli/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crypto/key.h"

/* ---- failures on demand ---------------------------------------------------------------------- */

#if defined(__SANITIZE_ADDRESS__)
#define CAN_FAIL 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CAN_FAIL 0
#endif
#endif
#ifndef CAN_FAIL
#define CAN_FAIL 1
#endif

static long allocations_left = -1, calls_left = -1;
static bool has_failed;

bool fixture_fail_allocation(long n)
{
    allocations_left = n;
    has_failed = false;
    return CAN_FAIL;
}

bool fixture_fail_call(long n)
{
    calls_left = n;
    has_failed = false;
    return CAN_FAIL;
}

bool fixture_has_failed(void)
{
    return has_failed;
}

#if CAN_FAIL
/* The libc's own, under their other names: these definitions take their place in the program. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static bool fails(long *left)
{
    if (*left < 0 || (*left)-- > 0)
        return false;
    has_failed = true;
    return true;
}

void *malloc(size_t n)
{
    return fails(&allocations_left) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return fails(&allocations_left) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    return fails(&allocations_left) ? NULL : __libc_realloc(p, n);
}

static long refuse(void)
{
    errno = EIO;
    return -1;
}

ssize_t read(int fd, void *p, size_t n)
{
    return fails(&calls_left) ? refuse() : syscall(SYS_read, fd, p, n);
}

int fstat(int fd, struct stat *st)
{
    return fails(&calls_left) ? (int)refuse() : fstatat(fd, "", st, AT_EMPTY_PATH);
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(args, mode_t) : 0;
    va_end(args);
    return fails(&calls_left) ? (int)refuse() : openat(AT_FDCWD, path, flags, mode);
}
#endif

/* ---- the folder and the log ------------------------------------------------------------------ */

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "fixture: %s: %s\n", what, strerror(errno));
    abort();
}

static const char *no_variables(const char *name)
{
    return strcmp(name, "FIXTURE") == 0 ? "value" : NULL;
}

static void keep_log(void *user, const char *text, size_t n)
{
    struct fixture *f = user;
    if (n > sizeof f->log - 1 - f->log_n)
        n = sizeof f->log - 1 - f->log_n;
    memcpy(f->log + f->log_n, text, n);
    f->log_n += n;
    f->log[f->log_n] = '\0';
}

void fixture_begin(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    snprintf(f->root, sizeof f->root, "/tmp/adit-unit-XXXXXX");
    must(mkdtemp(f->root) != NULL, "mkdtemp");
    must(mkdir(fixture_path(f, "home"), 0700) == 0, "mkdir");
    must(mkdir(fixture_path(f, "home/.ssh"), 0700) == 0, "mkdir");
    must(mkdir(fixture_path(f, "etc"), 0755) == 0, "mkdir");
    snprintf(f->env.home, sizeof f->env.home, "%s/home", f->root);
    snprintf(f->env.system_dir, sizeof f->env.system_dir, "%s/etc", f->root);
    snprintf(f->env.user, sizeof f->env.user, "miner");
    snprintf(f->env.host, sizeof f->env.host, "pit.example.com");
    f->env.uid = getuid();
    f->env.get = no_variables;
    f->env.ciphers = "chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes128-ctr";
    f->env.macs = "hmac-sha2-256-etm@openssh.com,hmac-sha2-512";
    f->env.kex = "curve25519-sha256,curve25519-sha256@libssh.org";
    f->env.host_key_algorithms = "ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256";
    f->env.signature_algorithms = key_signature_names();
    f->env.all_host_key_algorithms =
        "ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256,ssh-rsa";
    f->env.all_signature_algorithms = key_signature_all_names();
    options_init(&f->o, &f->env);
    log_set_sink(keep_log, f);
    log_set_level(LOG_LEVEL_VERBOSE);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void fixture_end(struct fixture *f)
{
    options_free(&f->o);
    log_set_sink(NULL, NULL);
    nftw(f->root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *fixture_path(struct fixture *f, const char *name)
{
    snprintf(f->path, sizeof f->path, "%s/%s", f->root, name);
    return f->path;
}

void fixture_write_bytes(struct fixture *f, const char *name, const void *p, size_t n)
{
    FILE *file = fopen(fixture_path(f, name), "w");
    must(file != NULL, name);
    must(fwrite(p, 1, n, file) == n, name);
    must(fclose(file) == 0, name);
    must(chmod(f->path, 0600) == 0, name);
}

void fixture_write(struct fixture *f, const char *name, const char *text)
{
    fixture_write_bytes(f, name, text, strlen(text));
}

const char *fixture_read(struct fixture *f, const char *name)
{
    static char text[65536];
    FILE *file = fopen(fixture_path(f, name), "r");
    size_t n = file == NULL ? 0 : fread(text, 1, sizeof text - 1, file);
    text[n] = '\0';
    if (file != NULL)
        fclose(file);
    return text;
}

bool fixture_logged(const struct fixture *f, const char *text)
{
    return strstr(f->log, text) != NULL;
}

void fixture_clear_log(struct fixture *f)
{
    f->log_n = 0;
    f->log[0] = '\0';
}

size_t fixture_log_lines(const struct fixture *f)
{
    size_t n = 0;
    for (size_t i = 0; i < f->log_n; i++)
        n += f->log[i] == '\n' ? 1 : 0;
    return n;
}

enum options_status fixture_parse(struct fixture *f, const char *line)
{
    char copy[4096], *argv[64] = {copy}, *rest = NULL;
    int argc = 0;
    snprintf(copy, sizeof copy, "adit %s", line);
    for (char *w = strtok_r(copy, " ", &rest); w != NULL && argc < 63;
         w = strtok_r(NULL, " ", &rest))
        argv[argc++] = w;
    argv[argc] = NULL;
    return options_parse(&f->o, argc, argv);
}
