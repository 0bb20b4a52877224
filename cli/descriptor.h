/* A standard stream of this process, read and written without waiting.
 *
 * O_NONBLOCK belongs to the open file, which other processes share: a shell whose terminal was left
 * so fails in strange ways. So what can be is opened a second time for ourselves (terminals,
 * pipes), sockets are asked call by call, files never wait anyhow; and only what is left is
 * switched, and switched back by descriptors_restore(). FORWARDING.md C11. */
#ifndef CLI_DESCRIPTOR_H
#define CLI_DESCRIPTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

struct descriptor {
    int fd; /* our own: a copy, or a second opening; -1: none */
    bool is_socket;
    bool never_waits; /* a regular file: nothing to watch for */
};

/* Takes a copy of fd (0, 1 or 2), which may be closed or replaced afterwards. False: errno. */
bool descriptor_open(struct descriptor *d, int fd);
/* Does nothing when fd is -1. The last one to close switches back what was switched. */
void descriptor_close(struct descriptor *d);

/* Tells whoever reads what is written to d that this was all, now and not when this process ends: d
 * is closed, and fd, which it was opened on, leads nowhere from now on. */
void descriptor_end(struct descriptor *d, int fd);

/* As readv() and writev(); -1 with EAGAIN instead of waiting, never EINTR. */
ssize_t descriptor_read(const struct descriptor *d, const struct iovec *iov, int n);
ssize_t descriptor_write(const struct descriptor *d, const struct iovec *iov, int n);

/* Switches back what was switched, for now: for exit(), which does it by itself, for suspension and
 * for a fatal signal, in whose handler it is safe. descriptors_again() undoes it. */
void descriptors_restore(void);
void descriptors_again(void);

#endif
