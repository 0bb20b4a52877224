/* Storing a host's key: one line more at the end of known_hosts, whole or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/base64.h"
#include "cli/file.h"
#include "cli/hosts.h"
#include "crypto/hash.h"
#include "crypto/key.h"

enum {
    SHA1_BYTES = 20,
    HASHED_NAME_MAX = 3 + 2 * BASE64_ROOM(SHA1_BYTES),
    LOCK_TRIES = 100, /* of 20 ms: nobody holds it longer than a write takes */
};

static bool fail(const char *file, const char *what)
{
    log_error("cannot add the host key to %s: %s", log_escape_cstr(file).s, what);
    return false;
}

static void hash_name(const char *name, struct rng *rng, char out[HASHED_NAME_MAX])
{
    uint8_t salt[SHA1_BYTES], hash[HASH_MAX_BYTES];
    char salt_text[BASE64_ROOM(SHA1_BYTES)], hash_text[BASE64_ROOM(SHA1_BYTES)];
    rng_bytes(rng, salt, sizeof salt);
    hmac_once(HASH_SHA1, (struct bytes){salt, sizeof salt}, bytes_of(name), hash);
    base64_encode((struct bytes){salt, sizeof salt}, salt_text);
    base64_encode((struct bytes){hash, SHA1_BYTES}, hash_text);
    snprintf(out, HASHED_NAME_MAX, "|1|%s|%s", salt_text, hash_text);
}

/* "names type key\n". */
static size_t entry_line(
    const char *names, struct bytes key, const char *type, char *out, size_t cap)
{
    char blob[BASE64_ROOM(KEY_BLOB_MAX)];
    base64_encode(key, blob);
    int n = snprintf(out, cap, "%s %s %s\n", names, type, blob);
    return n > 0 && (size_t)n < cap ? (size_t)n : 0;
}

size_t hosts_entry(const char *host, const char *address, uint16_t port, struct bytes key,
    bool hashed, struct rng *rng, char out[HOSTS_ENTRY_MAX])
{
    char name[HOSTS_NAME_MAX], second[HOSTS_NAME_MAX] = "";
    char names[2 * HOSTS_NAME_MAX], hash[HASHED_NAME_MAX];
    const char *type;
    if (!options_host_is_sane(host) || !hosts_name(host, port, name) ||
        (address != NULL && !hosts_name(address, port, second)) || key_check(key, &type) != ERR_OK)
        return 0;
    if (!hashed) {
        snprintf(names, sizeof names, "%s%s%s", name, address != NULL ? "," : "", second);
        return entry_line(names, key, type, out, HOSTS_ENTRY_MAX);
    }
    hash_name(name, rng, hash);
    size_t n = entry_line(hash, key, type, out, HOSTS_ENTRY_MAX);
    if (address == NULL || n == 0)
        return n;
    hash_name(second, rng, hash);
    size_t more = entry_line(hash, key, type, out + n, HOSTS_ENTRY_MAX - n);
    return more > 0 ? n + more : 0;
}

/* The folder of file when it is a .ssh that is missing, as ssh makes ~/.ssh; a typing mistake
 * elsewhere leaves no folder behind. */
static void make_folder(const char *file)
{
    char folder[1024];
    const char *slash = strrchr(file, '/');
    size_t n = slash == NULL ? 0 : (size_t)(slash - file);
    if (n == 0 || n >= sizeof folder)
        return;
    memcpy(folder, file, n);
    folder[n] = '\0';
    const char *name = strrchr(folder, '/');
    if (strcmp(name == NULL ? folder : name + 1, ".ssh") != 0)
        return;
    if (mkdir(folder, 0700) == 0)
        log_info("Created directory '%s'.", log_escape_cstr(folder).s);
}

/* Other processes of ours, and all who use fcntl locks, wait for each other. */
static bool lock(int fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (fcntl(fd, F_SETLK, &whole) == 0)
            return true;
        if (errno != EACCES && errno != EAGAIN && errno != EINTR)
            return false;
        nanosleep(&pause, NULL);
    }
    errno = EAGAIN;
    return false;
}

/* Locked, and still the file of that name. REPLACED: by another process, while we waited. */
enum locking { LOCK_FAILED, LOCK_HELD, LOCK_REPLACED };

static enum locking lock_current(int fd, const char *file)
{
    struct stat ours, named;
    if (fstat(fd, &ours) != 0)
        return LOCK_FAILED;
    if (!S_ISREG(ours.st_mode)) /* a device: nothing to protect */
        return LOCK_HELD;
    if (!lock(fd))
        return LOCK_FAILED;
    bool is_same =
        stat(file, &named) == 0 && ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
    return is_same ? LOCK_HELD : LOCK_REPLACED;
}

int hosts_open_locked(const char *file, bool create)
{
    int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (create ? O_CREAT : 0);
    for (int i = 0; i < LOCK_TRIES; i++) {
        int fd = open(file, flags, 0600);
        enum locking l = fd < 0 ? LOCK_FAILED : lock_current(fd, file);
        if (l == LOCK_HELD)
            return fd;
        int saved = errno;
        if (fd >= 0)
            close(fd);
        errno = saved;
        if (l == LOCK_FAILED)
            return -1;
    }
    errno = EAGAIN;
    return -1;
}

/* One write; where it falls short (a full disk), the file is cut back to what it was. line has a
 * newline in front, for a file that lacks its last one. */
static bool append(int fd, const char *line, size_t n, const char *file)
{
    struct stat st;
    char last = '\n';
    if (fstat(fd, &st) != 0 || (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) != 1))
        return fail(file, strerror(errno));
    if (last == '\n') {
        line++;
        n--;
    }
    ssize_t written = write(fd, line, n);
    if (written == (ssize_t)n)
        return true;
    const char *why = written < 0 ? strerror(errno) : "disk full";
    if (written > 0 && ftruncate(fd, st.st_size) != 0)
        why = "disk full, and half a line could not be removed";
    return fail(file, why);
}

static bool add_line(const char *file, const char *line, size_t n)
{
    struct stat st;
    make_folder(file);
    int fd = hosts_open_locked(file, true);
    if (fd < 0)
        return fail(file, errno == EAGAIN ? "another program has locked it" : strerror(errno));
    bool ok = true;
    if (fstat(fd, &st) != 0)
        ok = fail(file, strerror(errno));
    else if (!file_is_null_device(&st)) /* there on purpose: nothing is to be remembered */
        ok = S_ISREG(st.st_mode) ? append(fd, line, n, file) : fail(file, "not a regular file");
    if (close(fd) != 0 && ok)
        ok = fail(file, strerror(errno));
    return ok;
}

bool hosts_add_with_address(const char *file, const char *host, const char *address, uint16_t port,
    struct bytes key, bool hashed, struct rng *rng)
{
    char line[1 + HOSTS_ENTRY_MAX] = "\n";
    size_t n = hosts_entry(host, address, port, key, hashed, rng, line + 1);
    return n > 0 ? add_line(file, line, 1 + n) : fail(file, "bad host name or key");
}

bool hosts_add(const char *file, const char *host, uint16_t port, struct bytes key, bool hashed,
    struct rng *rng)
{
    return hosts_add_with_address(file, host, NULL, port, key, hashed, rng);
}
