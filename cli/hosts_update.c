#include "cli/hosts_update.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/file.h"
#include "cli/hosts_scan.h"

/* ---- looking -----------------------------------------------------------------------------------
 */

struct look {
    struct hosts_update *u;
    const char *why; /* nothing may be changed */
};

static bool find_key(const struct bytes *keys, size_t n, struct bytes key, size_t *at)
{
    for (*at = 0; *at < n; (*at)++)
        if (bytes_equal(keys[*at], key))
            return true;
    return false;
}

static bool has_byte(struct bytes b, char c)
{
    return b.n > 0 && memchr(b.p, c, b.n) != NULL;
}

/* A wildcard, or a list by hand: ssh writes one name, or a name and an address. */
static bool is_complex(struct bytes hosts)
{
    size_t commas = 0;
    for (size_t i = 0; i < hosts.n; i++)
        commas += hosts.p[i] == ',' ? 1 : 0;
    return has_byte(hosts, '*') || has_byte(hosts, '?') || has_byte(hosts, '!') || commas > 1;
}

static const char *note_old(struct hosts_update *u, struct bytes key)
{
    size_t at;
    if (find_key(u->old, u->n_old, key, &at))
        return NULL;
    uint8_t *copy = u->n_old < HOSTS_UPDATE_OLD_MAX ? pool_alloc(&u->pool, key.n) : NULL;
    if (copy == NULL)
        return "too many keys are known for this host";
    memcpy(copy, key.p, key.n);
    u->old[u->n_old++] = (struct bytes){copy, key.n};
    return NULL;
}

static const char *look_at(struct hosts_update *u, const struct hosts_scanned *s)
{
    size_t at;
    bool is_theirs = find_key(u->keys, u->n_keys, s->key, &at);
    if (!s->is_host && !s->is_address)
        return is_theirs ? "one of the keys is known under another name or address" : NULL;
    if (s->fields.marker != KH_NONE)
        return "a line for this host has a marker";
    if (u->address != NULL && has_byte(s->fields.hosts, ',') && s->is_host != s->is_address)
        return "a line for this host has another name or address";
    if (is_complex(s->fields.hosts))
        return "a line for this host has a pattern or a list of names";
    if (!is_theirs)
        return note_old(u, s->key);
    u->known[at] = true;
    return NULL;
}

static void look(void *user, const struct hosts_scanned *s)
{
    struct look *l = user;
    if (s->has_key && l->why == NULL)
        l->why = look_at(l->u, s);
}

/* An old key that others are known by too: their lines would stay behind. */
static void look_for_old(void *user, const struct hosts_scanned *s)
{
    struct look *l = user;
    size_t at;
    if (s->has_key && !s->is_host && !s->is_address &&
        find_key(l->u->old, l->u->n_old, s->key, &at))
        l->why = "a key that is no longer used is known under another name";
}

static bool names(const struct hosts_update *u, char name[HOSTS_NAME_MAX],
    char address[HOSTS_NAME_MAX], const char **address_name)
{
    *address_name = u->address != NULL ? address : NULL;
    return hosts_name(u->host, u->port, name) &&
           (u->address == NULL || hosts_name(u->address, u->port, address));
}

static const char *look_through(
    struct hosts_update *u, void (*each)(void *user, const struct hosts_scanned *s))
{
    char name[HOSTS_NAME_MAX], address[HOSTS_NAME_MAX];
    const char *address_name;
    struct look l = {.u = u};
    struct file_rules rules = {.max_bytes = HOSTS_FILE_MAX};
    if (!names(u, name, address, &address_name))
        return "the host's name is too long";
    for (size_t i = 0; i < u->files->n && l.why == NULL; i++) {
        struct file f;
        enum file_status status = file_read(&f, u->files->items[i], &rules);
        if (status == FILE_OK)
            hosts_scan((struct bytes){f.data, f.n}, name, address_name, each, &l);
        else if (status != FILE_MISSING)
            l.why = "a known_hosts file cannot be read";
        file_free(&f);
    }
    return l.why;
}

const char *hosts_update_look(struct hosts_update *u)
{
    const char *why = look_through(u, look);
    if (why == NULL && u->n_old > 0)
        why = look_through(u, look_for_old);
    u->n_new = 0;
    for (size_t i = 0; i < u->n_keys; i++)
        u->n_new += u->known[i] ? 0 : 1;
    return why;
}

/* ---- writing -----------------------------------------------------------------------------------
 */

/* A file under change: the text as it was, the text as it will be. */
struct change {
    struct hosts_update *u;
    FILE *out;
    bool is_changed;
    bool lacks_newline;
};

/* A line goes when it is for this host alone and has a key found to be an old one. */
static void keep_or_drop(void *user, const struct hosts_scanned *s)
{
    struct change *c = user;
    size_t at;
    if ((s->is_host || s->is_address) && s->fields.marker == KH_NONE &&
        !is_complex(s->fields.hosts) && find_key(c->u->old, c->u->n_old, s->key, &at)) {
        c->is_changed = true;
        return;
    }
    fwrite(s->raw.p, 1, s->raw.n, c->out);
    c->lacks_newline = s->raw.p[s->raw.n - 1] != '\n';
}

static bool add_new(struct change *c, struct rng *rng)
{
    struct hosts_update *u = c->u;
    char entry[HOSTS_ENTRY_MAX];
    for (size_t i = 0; i < u->n_keys; i++) {
        if (u->known[i])
            continue;
        size_t n = hosts_entry(u->host, u->address, u->port, u->keys[i], u->hashed, rng, entry);
        if (n == 0)
            return false;
        if (c->lacks_newline)
            fputc('\n', c->out);
        c->lacks_newline = false;
        c->is_changed = true;
        fwrite(entry, 1, n, c->out);
    }
    return true;
}

static bool fail(const char *file, const char *what)
{
    log_error("cannot update the host keys in %s: %s", log_escape_cstr(file).s, what);
    return false;
}

/* The whole file by an open descriptor: another one's close would end the lock. */
static uint8_t *read_text_dup(int fd, size_t *n)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > HOSTS_FILE_MAX)
        return NULL;
    size_t size = (size_t)st.st_size;
    uint8_t *text = malloc(size + 1);
    *n = 0;
    while (text != NULL && *n < size) {
        ssize_t got = pread(fd, text + *n, size - *n, (off_t)*n);
        if (got <= 0) {
            free(text);
            return NULL;
        }
        *n += (size_t)got;
    }
    return text;
}

static bool write_whole(int fd, const char *text, size_t n)
{
    while (n > 0) {
        ssize_t put = write(fd, text, n);
        if (put <= 0)
            return false;
        text += put;
        n -= (size_t)put;
    }
    return fsync(fd) == 0;
}

/* The old file keeps its place until the new one is whole on the disk. */
static bool replace(int old_fd, const char *path, const char *text, size_t n)
{
    char fresh[PATH_MAX + 16], backup[PATH_MAX + 16];
    struct stat st;
    snprintf(fresh, sizeof fresh, "%s.XXXXXX", path);
    snprintf(backup, sizeof backup, "%s.old", path);
    int fd = fstat(old_fd, &st) == 0 ? mkstemp(fresh) : -1;
    if (fd < 0)
        return fail(path, strerror(errno));
    bool is_ours = st.st_uid == geteuid() && st.st_gid == getegid();
    bool ok = (is_ours || fchown(fd, st.st_uid, st.st_gid) == 0) &&
              fchmod(fd, st.st_mode & 07777) == 0 && write_whole(fd, text, n);
    ok = close(fd) == 0 && ok;
    if (ok) {
        (void)unlink(backup);
        if (link(path, backup) != 0)
            log_debug("no backup %s: %s", log_escape_cstr(backup).s, strerror(errno));
        ok = rename(fresh, path) == 0;
    }
    if (ok)
        return true;
    const char *why = strerror(errno);
    (void)unlink(fresh);
    return fail(path, why);
}

static bool change_text(struct hosts_update *u, struct bytes text, bool adds, struct rng *rng,
    char **page, size_t *page_n, bool *is_changed)
{
    char name[HOSTS_NAME_MAX], address[HOSTS_NAME_MAX];
    const char *address_name;
    struct change c = {.u = u, .out = open_memstream(page, page_n)};
    if (c.out == NULL)
        return false;
    bool ok = names(u, name, address, &address_name);
    if (ok)
        hosts_scan(text, name, address_name, keep_or_drop, &c);
    ok = ok && (!adds || add_new(&c, rng)) && ferror(c.out) == 0;
    *is_changed = c.is_changed;
    return fclose(c.out) == 0 && ok;
}

static bool change_file(struct hosts_update *u, const char *file, bool adds, struct rng *rng)
{
    char path[PATH_MAX], *page = NULL;
    size_t n = 0, page_n = 0;
    bool is_changed = false;
    if (realpath(file, path) == NULL)
        return errno == ENOENT || fail(file, strerror(errno));
    int fd = hosts_open_locked(path, false);
    if (fd < 0)
        return fail(file, errno == EAGAIN ? "another program has locked it" : strerror(errno));
    uint8_t *text = read_text_dup(fd, &n);
    bool ok = text != NULL &&
              change_text(u, (struct bytes){text, n}, adds, rng, &page, &page_n, &is_changed);
    if (!ok)
        fail(file, "it cannot be read, or there is no memory");
    else if (is_changed)
        ok = replace(fd, path, page, page_n);
    close(fd);
    free(text);
    free(page);
    return ok;
}

bool hosts_update_write(struct hosts_update *u, struct rng *rng)
{
    bool ok = true;
    for (size_t i = 0; i < u->files->n; i++)
        ok = change_file(u, u->files->items[i], i == 0, rng) && ok;
    return ok;
}
