/* switched[] holds the files whose O_NONBLOCK is ours. Each has a descriptor of its own there, so
 * that it is switched back at the very end, also when the struct descriptor closed long before:
 * stdin and stdout may be one open file, and whoever closes first must not make the other wait. */
#include "cli/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SWITCHED_MAX = 3 };
static int switched[SWITCHED_MAX];
static size_t n_switched;
static unsigned n_open;

static void set_nonblocking(int fd, bool on)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0)
        (void)fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

void descriptors_again(void)
{
    for (size_t i = 0; i < n_switched; i++)
        set_nonblocking(switched[i], true);
}

void descriptors_restore(void)
{
    for (size_t i = 0; i < n_switched; i++)
        set_nonblocking(switched[i], false);
}

/* One that was non-blocking before us stays so. */
static bool switch_over(int fd)
{
    static bool is_registered;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || (flags & O_NONBLOCK) != 0)
        return flags >= 0;
    int copy = n_switched < SWITCHED_MAX ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : -1;
    if (copy < 0)
        return false;
    if (!is_registered)
        is_registered = atexit(descriptors_restore) == 0;
    switched[n_switched++] = copy;
    set_nonblocking(copy, true);
    return true;
}

static void end_switching(void)
{
    descriptors_restore();
    while (n_switched > 0)
        close(switched[--n_switched]);
}

/* The master side of a pseudo-terminal: opened again it would be another terminal. */
static bool is_master(int fd)
{
    unsigned number;
    return ioctl(fd, TIOCGPTN, &number) == 0;
}

/* A named pipe is not opened again: a reader that comes after the last writer left never hears of
 * an end. */
static bool may_open_again(int fd, const char *link, const struct stat *st)
{
    char target[16];
    if (S_ISCHR(st->st_mode))
        return isatty(fd) && !is_master(fd);
    ssize_t n = S_ISFIFO(st->st_mode) ? readlink(link, target, sizeof target) : -1;
    return n > 6 && memcmp(target, "pipe:[", 6) == 0;
}

/* A second opening of what fd has open, non-blocking; -1: not possible, or not wise. */
static int open_again(int fd, const struct stat *st)
{
    char link[64];
    struct stat now;
    int flags = fcntl(fd, F_GETFL);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (flags < 0 || !may_open_again(fd, link, st))
        return -1;
    int again = open(link, (flags & O_ACCMODE) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (again < 0)
        return -1;
    if (fstat(again, &now) == 0 && now.st_dev == st->st_dev && now.st_ino == st->st_ino &&
        now.st_rdev == st->st_rdev)
        return again;
    close(again);
    return -1;
}

bool descriptor_open(struct descriptor *d, int fd)
{
    struct stat st;
    *d = (struct descriptor){.fd = -1};
    if (fstat(fd, &st) != 0)
        return false;
    d->is_socket = S_ISSOCK(st.st_mode);
    d->never_waits = S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode);
    if (!d->is_socket && !d->never_waits)
        d->fd = open_again(fd, &st);
    bool is_again = d->fd >= 0;
    if (!is_again)
        d->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (d->fd < 0)
        return false;
    n_open++;
    if (!is_again && !d->is_socket && !d->never_waits && !switch_over(d->fd)) {
        descriptor_close(d);
        return false;
    }
    return true;
}

void descriptor_close(struct descriptor *d)
{
    if (d->fd < 0)
        return;
    close(d->fd);
    d->fd = -1;
    if (--n_open == 0)
        end_switching();
}

void descriptor_end(struct descriptor *d, int fd)
{
    if (d->is_socket)
        (void)shutdown(d->fd, SHUT_WR); /* stdin may be the same one, and goes on */
    descriptor_close(d);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0) {
        (void)dup2(null, fd);
        close(null);
    }
}

ssize_t descriptor_read(const struct descriptor *d, const struct iovec *iov, int n)
{
    struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)n};
    ssize_t got;
    do
        got = d->is_socket ? recvmsg(d->fd, &m, MSG_DONTWAIT) : readv(d->fd, iov, n);
    while (got < 0 && errno == EINTR);
    return got;
}

ssize_t descriptor_write(const struct descriptor *d, const struct iovec *iov, int n)
{
    struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)n};
    ssize_t done;
    do
        done =
            d->is_socket ? sendmsg(d->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) : writev(d->fd, iov, n);
    while (done < 0 && errno == EINTR);
    return done;
}
