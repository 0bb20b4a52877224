/* Bulk data: one transfer of a known size, or any number of endless ones watched for a while. */
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { AT_ONCE = 64, FEW = 8, SMALL_BUFFER = 64 * 1024, EVENTS = 256 };

/* Sends, or receives and drops, up to n bytes; the rest, or n where the connection ended. */
static uint64_t move_some(int fd, enum request direction, uint64_t n, uint64_t end_ns)
{
    while (n > 0 && now_ns() < end_ns) {
        size_t want = n < CHUNK_BYTES ? (size_t)n : CHUNK_BYTES;
        ssize_t done = direction == REQUEST_UP ? send(fd, shared_chunk(), want, MSG_NOSIGNAL)
                                               : recv(fd, NULL, want, MSG_TRUNC);
        if (done <= 0)
            break;
        n -= (uint64_t)done;
    }
    return n;
}

void move(enum request direction, struct route r, uint64_t n_bytes, unsigned seconds)
{
    uint64_t begin_ns = now_ns(), end_ns = begin_ns + seconds * UINT64_C(1000000000);
    int fd = dial_route(r, seconds);
    char end;
    if (fd < 0 || !send_request(fd, direction, n_bytes))
        die("move: connect");
    if (move_some(fd, direction, n_bytes, end_ns) != 0 ||
        (direction == REQUEST_UP && !receive_all(fd, &end, 1)))
        die("move: cut short");
    printf("%.6f\n", (double)(now_ns() - begin_ns) / 1e9);
    close(fd);
}

/* ---- many at once */

struct watched {
    struct streams s;
    int poller;
    int control; /* straight to the server, which alone knows what has arrived there */
    const struct opened *open;
    uint64_t *received; /* by place in open->fds */
};

static void start_all(struct watched *w)
{
    bool is_up = w->s.direction == REQUEST_UP, many = w->s.n > FEW;
    int small = SMALL_BUFFER;
    for (unsigned i = 0; i < w->open->n; i++) {
        int fd = w->open->fds[i];
        struct epoll_event e = {.events = is_up ? EPOLLOUT : EPOLLIN, .data.u32 = i};
        if (is_up && many)
            setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
        enum request kind = is_up ? REQUEST_UP : many ? REQUEST_TRICKLE : REQUEST_DOWN;
        if (!send_request(fd, kind, UINT64_MAX) || epoll_ctl(w->poller, EPOLL_CTL_ADD, fd, &e) != 0)
            die("streams: start");
        set_blocking(fd, false);
    }
}

static void run_until(struct watched *w, uint64_t end_ns)
{
    struct epoll_event events[EVENTS];
    bool is_up = w->s.direction == REQUEST_UP;
    size_t call_bytes = w->s.n > FEW ? SMALL_BUFFER : CHUNK_BYTES;
    while (now_ns() < end_ns) {
        int n = epoll_wait(w->poller, events, EVENTS, 10);
        for (int i = 0; i < n; i++) {
            unsigned at = events[i].data.u32;
            int fd = w->open->fds[at];
            ssize_t done = is_up ? send(fd, shared_chunk(), call_bytes, MSG_NOSIGNAL)
                                 : recv(fd, NULL, call_bytes, MSG_TRUNC);
            if (done == 0 || (done < 0 && errno != EAGAIN))
                die("streams: cut short");
            if (done > 0)
                w->received[at] += (uint64_t)done;
        }
    }
}

static void mark(struct watched *w)
{
    char answer;
    for (unsigned i = 0; i < w->open->n; i++)
        w->received[i] = 0;
    if (!send_request(w->control, REQUEST_MARK, 0) || !receive_all(w->control, &answer, 1))
        die("streams: mark");
}

static struct counts count(struct watched *w)
{
    struct counts c = {.n = w->open->n};
    if (w->s.direction == REQUEST_UP) {
        if (!send_request(w->control, REQUEST_COUNTS, 0) || !receive_all(w->control, &c, sizeof c))
            die("streams: counts");
        return c;
    }
    for (unsigned i = 0; i < w->open->n; i++) {
        double x = (double)w->received[i];
        c.sum += x;
        c.sum_of_squares += x * x;
    }
    return c;
}

void streams(struct streams s, unsigned seconds)
{
    struct opened o = open_many(s.route, REQUEST_PING, s.n, AT_ONCE, true, seconds);
    if (o.n != s.n) {
        errno = ETIMEDOUT;
        fprintf(stderr, "load: %u of %u connections opened\n", o.n, s.n);
        die("streams");
    }
    struct watched w = {.s = s,
        .poller = epoll_create1(0),
        .control = dial_route((struct route){.port = s.server_port}, seconds),
        .open = &o,
        .received = calloc(o.n, sizeof(uint64_t))};
    if (w.poller < 0 || w.control < 0 || w.received == NULL)
        die("streams");
    start_all(&w);
    run_until(&w, now_ns() + s.warm_ms * UINT64_C(1000000));
    mark(&w);
    printf("begun\n");
    fflush(stdout);
    uint64_t begin_ns = now_ns();
    run_until(&w, begin_ns + s.window_ms * UINT64_C(1000000));
    struct counts c = count(&w);
    double took_s = (double)(now_ns() - begin_ns) / 1e9;
    double jain = c.sum_of_squares > 0 ? c.sum * c.sum / (c.n * c.sum_of_squares) : 0;
    printf("%.3f %.4f\n", c.sum / 1e6 / took_s, jain);
    close(w.control);
    close(w.poller);
    free(w.received);
    free(o.fds);
}
