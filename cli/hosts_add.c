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
    LINE_MAX_BYTES = 1 + HOSTS_NAME_MAX + HASHED_NAME_MAX + 64 + BASE64_ROOM(KEY_BLOB_MAX),
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

/* "\nname type key\n": the first byte is there for a file that lacks its last newline. 0: no. */
static size_t make_line(const char *host, uint16_t port, struct bytes key, bool hashed,
    struct rng *rng, char out[LINE_MAX_BYTES])
{
    char name[HOSTS_NAME_MAX], hashed_name[HASHED_NAME_MAX], blob[BASE64_ROOM(KEY_BLOB_MAX)];
    const char *type;
    if (!options_host_is_sane(host) || !hosts_name(host, port, name) ||
        key_check(key, &type) != ERR_OK)
        return 0;
    if (hashed)
        hash_name(name, rng, hashed_name);
    base64_encode(key, blob);
    int n = snprintf(out, LINE_MAX_BYTES, "\n%s %s %s\n", hashed ? hashed_name : name, type, blob);
    return n > 0 && n < LINE_MAX_BYTES ? (size_t)n : 0;
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
    return false;
}

/* One write; where it falls short (a full disk), the file is cut back to what it was. */
static bool append(int fd, const char *line, size_t n, const char *file)
{
    struct stat st;
    char last = '\n';
    if (!lock(fd))
        return fail(file, "another program has locked it");
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

bool hosts_add(const char *file, const char *host, uint16_t port, struct bytes key, bool hashed,
    struct rng *rng)
{
    char line[LINE_MAX_BYTES];
    struct stat st;
    size_t n = make_line(host, port, key, hashed, rng, line);
    if (n == 0)
        return fail(file, "bad host name or key");
    make_folder(file);
    int fd = open(file, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
    if (fd < 0)
        return fail(file, strerror(errno));
    bool ok = true;
    if (fstat(fd, &st) != 0)
        ok = fail(file, strerror(errno));
    else if (!file_is_null_device(&st)) /* there on purpose: nothing is to be remembered */
        ok = S_ISREG(st.st_mode) ? append(fd, line, n, file) : fail(file, "not a regular file");
    if (close(fd) != 0 && ok)
        ok = fail(file, strerror(errno));
    return ok;
}
