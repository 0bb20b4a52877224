/* The far end: source, sink and echo for any number of connections, one thread, one epoll. */
#include "load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, ECHO_BYTES = 4096, SMALL_BUFFER = 64 * 1024 };

enum doing { CLOSED, ASKED, ECHO, SINK, SOURCE, FINISHED };

struct conn {
    enum doing doing;
    uint8_t have; /* bytes of the request */
    uint8_t request[REQUEST_BYTES];
    uint64_t left;    /* SINK, SOURCE */
    uint64_t counted; /* SINK: since the last MARK */
};

static struct conn *conns; /* by file descriptor */
static size_t n_conns;
static int poller;

static void watch(int fd, int operation, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.fd = fd};
    if (epoll_ctl(poller, operation, fd, &e) != 0)
        die("epoll_ctl");
}

static void drop(int fd)
{
    conns[fd].doing = CLOSED;
    close(fd);
}

static void take_all(int listener)
{
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0;) {
        if ((size_t)fd >= n_conns) {
            close(fd);
            continue;
        }
        tune(fd);
        set_blocking(fd, false);
        conns[fd] = (struct conn){.doing = ASKED};
        watch(fd, EPOLL_CTL_ADD, EPOLLIN);
    }
}

static struct counts count_all(bool reset)
{
    struct counts all = {0};
    for (size_t i = 0; i < n_conns; i++) {
        if (conns[i].doing != SINK)
            continue;
        double x = (double)conns[i].counted;
        all.n += 1;
        all.sum += x;
        all.sum_of_squares += x * x;
        if (reset)
            conns[i].counted = 0;
    }
    return all;
}

/* Answers are a few bytes on a connection with nothing else under way: they fit, or it is dead. */
static bool answer(int fd, const void *p, size_t n)
{
    return send(fd, p, n, MSG_NOSIGNAL) == (ssize_t)n;
}

static bool begin(int fd, struct conn *c)
{
    int small = SMALL_BUFFER;
    struct counts all;
    c->have = 0;
    c->left = 0;
    for (int i = 1; i < REQUEST_BYTES; i++)
        c->left = c->left << 8 | c->request[i];
    switch (c->request[0]) {
    case REQUEST_PING: return answer(fd, "p", 1);
    case REQUEST_ECHO: c->doing = ECHO; return true;
    case REQUEST_UP:
        c->doing = SINK;
        c->counted = 0;
        return true;
    case REQUEST_TRICKLE:
    case REQUEST_DOWN:
        if (c->request[0] == REQUEST_TRICKLE)
            setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
        c->doing = SOURCE;
        watch(fd, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
        return true;
    case REQUEST_MARK: (void)count_all(true); return answer(fd, "m", 1);
    case REQUEST_COUNTS: all = count_all(false); return answer(fd, &all, sizeof all);
    default: return false;
    }
}

static bool go_on(int fd, struct conn *c, uint32_t events)
{
    ssize_t n = 0;
    switch (c->doing) {
    case ASKED:
        n = recv(fd, c->request + c->have, (size_t)(REQUEST_BYTES - c->have), 0);
        if (n <= 0)
            break;
        c->have = (uint8_t)(c->have + n);
        return c->have < REQUEST_BYTES || begin(fd, c);
    case ECHO:
        n = recv(fd, shared_chunk(), ECHO_BYTES, 0);
        if (n <= 0)
            break;
        return answer(fd, shared_chunk(), (size_t)n);
    case SINK: /* MSG_TRUNC: TCP drops the bytes without copying them */
        n = recv(fd, NULL, c->left < CHUNK_BYTES ? (size_t)c->left : CHUNK_BYTES, MSG_TRUNC);
        if (n <= 0)
            break;
        c->left -= (uint64_t)n;
        c->counted += (uint64_t)n;
        if (c->left > 0)
            return true;
        c->doing = FINISHED;
        return answer(fd, "k", 1);
    case SOURCE:
        if ((events & EPOLLIN) != 0) /* nothing is sent to a source: this is the end */
            return false;
        n = send(fd, shared_chunk(), c->left < CHUNK_BYTES ? (size_t)c->left : CHUNK_BYTES,
            MSG_NOSIGNAL);
        if (n <= 0)
            break;
        c->left -= (uint64_t)n;
        if (c->left > 0)
            return true;
        c->doing = ASKED;
        watch(fd, EPOLL_CTL_MOD, EPOLLIN);
        return true;
    case CLOSED:
    case FINISHED: return false;
    }
    return n < 0 && (errno == EAGAIN || errno == EINTR);
}

void serve(unsigned seconds)
{
    uint64_t end_ns = now_ns() + seconds * UINT64_C(1000000000);
    struct epoll_event events[EVENTS];
    n_conns = raise_file_limit();
    conns = calloc(n_conns, sizeof *conns);
    poller = epoll_create1(0);
    if (conns == NULL || poller < 0)
        die("serve");
    int listener = listen_here(false);
    set_blocking(listener, false);
    watch(listener, EPOLL_CTL_ADD, EPOLLIN);
    while (now_ns() < end_ns) {
        int n = epoll_wait(poller, events, EVENTS, 1000);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == listener)
                take_all(listener);
            else if (!go_on(fd, &conns[fd], events[i].events))
                drop(fd);
        }
    }
    free(conns);
}
