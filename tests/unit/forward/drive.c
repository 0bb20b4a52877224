#include "tests/unit/forward/drive.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "forward/addr.h"

uint64_t drive_clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

bool drive_until(struct loop *l, const bool *done)
{
    uint64_t limit = loop_now(l) + 10000;
    while (!*done && loop_now(l) < limit)
        if (!loop_turn(l, 1000))
            break;
    return *done;
}

void drive_idle(struct loop *l)
{
    for (int i = 0; i < 20; i++)
        loop_turn(l, 0);
}

bool drive_has_ipv6(void)
{
    uint16_t port = 0;
    int fd = drive_listen(AF_INET6, &port, 1);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

int drive_n_fds(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    if (d == NULL)
        return -1;
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

static socklen_t loopback(struct sockaddr_storage *a, int family, uint16_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t len = family == AF_INET ? sizeof v4 : sizeof v6;
    memcpy(a, family == AF_INET ? (void *)&v4 : (void *)&v6, len);
    addr_set_port((struct sockaddr *)a, port);
    return len;
}

int drive_listen(int family, uint16_t *port, int backlog)
{
    struct sockaddr_storage a;
    socklen_t len = loopback(&a, family, *port);
    int on = 1;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (backlog != DRIVE_REFUSE)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&a, len) != 0 ||
        (backlog != DRIVE_REFUSE && listen(fd, backlog) != 0)) {
        close(fd);
        return -1;
    }
    getsockname(fd, (struct sockaddr *)&a, &len);
    *port = addr_port((struct sockaddr *)&a);
    return fd;
}

uint16_t drive_refuse(int fds[2])
{
    for (;;) {
        uint16_t port = 0;
        fds[0] = drive_listen(AF_INET, &port, DRIVE_REFUSE);
        fds[1] = drive_has_ipv6() ? drive_listen(AF_INET6, &port, DRIVE_REFUSE) : dup(fds[0]);
        if (fds[1] >= 0)
            return port;
        close(fds[0]);
    }
}

void drive_close(const int *fds, int n)
{
    for (int i = 0; i < n; i++)
        close(fds[i]);
}

int drive_connect(int family, uint16_t port)
{
    struct sockaddr_storage a;
    socklen_t len = loopback(&a, family, port);
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)!connect(fd, (struct sockaddr *)&a, len);
    return fd;
}
