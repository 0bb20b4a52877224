#include "cli/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/ct.h"

static enum file_status failed(struct file *f, const char *why)
{
    snprintf(f->why, sizeof f->why, "%s", why);
    return FILE_FAILED;
}

bool file_is_null_device(const struct stat *st)
{
    struct stat null;
    return S_ISCHR(st->st_mode) && stat("/dev/null", &null) == 0 && S_ISCHR(null.st_mode) &&
           st->st_rdev == null.st_rdev;
}

static enum file_status check(struct file *f, const struct stat *st, const struct file_rules *rules)
{
    f->mode = st->st_mode & 0777;
    if (!S_ISREG(st->st_mode))
        return failed(f, "not a regular file");
    if (st->st_size < 0 || (uintmax_t)st->st_size > rules->max_bytes)
        return failed(f, "file too large");
    if (rules->check == FILE_OWNED &&
        ((st->st_uid != 0 && st->st_uid != rules->uid) || (st->st_mode & 022) != 0))
        return FILE_BAD_OWNER;
    if (rules->check == FILE_PRIVATE && st->st_uid == rules->uid && (st->st_mode & 077) != 0)
        return FILE_TOO_OPEN;
    return FILE_OK;
}

/* Doubles the room. By hand, so that no copy of a secret stays behind. */
static bool grow(struct file *f)
{
    size_t cap = f->cap == 0 ? 4096 : 2 * f->cap;
    uint8_t *data = malloc(cap);
    if (data == NULL)
        return false;
    if (f->n > 0)
        memcpy(data, f->data, f->n);
    if (f->is_secret && f->data != NULL)
        secure_wipe(f->data, f->cap);
    free(f->data);
    f->data = data;
    f->cap = cap;
    return true;
}

/* The size fstat told may change while we read: what counts is what arrives. */
static enum file_status read_all(struct file *f, int fd, size_t max_bytes)
{
    for (;;) {
        if (f->n == f->cap && !grow(f))
            return failed(f, "out of memory");
        ssize_t n = read(fd, f->data + f->n, f->cap - f->n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return failed(f, strerror(errno));
        if (n == 0)
            return FILE_OK;
        f->n += (size_t)n;
        if (f->n > max_bytes)
            return failed(f, "file too large");
    }
}

enum file_status file_read(struct file *f, const char *path, const struct file_rules *rules)
{
    *f = (struct file){.is_secret = rules->is_secret};
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        failed(f, strerror(errno));
        return FILE_MISSING;
    }
    if (fd < 0)
        return failed(f, strerror(errno));

    struct stat st;
    enum file_status status;
    if (fstat(fd, &st) != 0)
        status = failed(f, strerror(errno));
    else if (file_is_null_device(&st))
        status = FILE_OK;
    else if ((status = check(f, &st, rules)) == FILE_OK)
        status = read_all(f, fd, rules->max_bytes);
    close(fd);
    return status;
}

void file_free(struct file *f)
{
    if (f->is_secret && f->data != NULL)
        secure_wipe(f->data, f->cap);
    free(f->data);
    f->data = NULL;
    f->n = f->cap = 0;
}

bool file_next_line(struct bytes *text, struct bytes *line)
{
    if (text->n == 0)
        return false;
    const uint8_t *end = memchr(text->p, '\n', text->n);
    size_t n = end == NULL ? text->n : (size_t)(end - text->p);
    size_t taken = end == NULL ? n : n + 1;
    *line = (struct bytes){text->p, n};
    if (line->n > 0 && line->p[line->n - 1] == '\r')
        line->n--;
    text->p += taken;
    text->n -= taken;
    return true;
}
