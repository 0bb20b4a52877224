/* Opens connections, one after another or many at once, each up to its first answered request. */
#include "load.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* What has been sent, and how many bytes of answer are still to come before the next step. */
enum step { FREE, HELLO_SENT, CONNECT_SENT, REQUEST_SENT };
struct attempt {
    enum step step;
    int fd;
    unsigned wants;
};

struct opener {
    struct route route;
    enum request request;
    bool keep;
    int poller;
    unsigned n_busy;
    struct opened result;
};

static bool say(struct attempt *a, enum step step, const void *p, size_t n, unsigned wants)
{
    a->step = step;
    a->wants = wants;
    return send_all(a->fd, p, n);
}

static bool ask(const struct opener *o, struct attempt *a)
{
    uint8_t p[REQUEST_BYTES + 1] = {0};
    write_request(p, o->request, 0);
    p[REQUEST_BYTES] = 'x';
    return say(a, REQUEST_SENT, p, o->request == REQUEST_ECHO ? sizeof p : REQUEST_BYTES, 1);
}

static bool start(struct opener *o, struct attempt *a)
{
    a->fd = dial_port(o->route.port, false);
    if (a->fd < 0)
        return false;
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = a};
    if (epoll_ctl(o->poller, EPOLL_CTL_ADD, a->fd, &e) != 0)
        die("epoll_ctl");
    o->n_busy++;
    if (o->route.target != 0)
        return say(a, HELLO_SENT, socks_hello, sizeof socks_hello, SOCKS_CHOICE_BYTES);
    return ask(o, a);
}

static void finish(struct opener *o, struct attempt *a, bool good)
{
    if (good && o->keep)
        o->result.fds[o->result.n] = a->fd;
    o->result.n += good ? 1 : 0;
    o->result.n_failed += good ? 0 : 1;
    if (a->fd >= 0) {
        o->n_busy--;
        if (good && o->keep)
            epoll_ctl(o->poller, EPOLL_CTL_DEL, a->fd, NULL);
        else
            close(a->fd);
    }
    *a = (struct attempt){.fd = -1};
}

static void go_on(struct opener *o, struct attempt *a)
{
    uint8_t p[SOCKS_CONNECT_BYTES];
    ssize_t n = recv(a->fd, p, a->wants, MSG_DONTWAIT);
    bool good = true;
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        finish(o, a, false);
        return;
    }
    a->wants -= (unsigned)n;
    if (a->wants > 0)
        return;
    if (a->step == REQUEST_SENT) {
        finish(o, a, true);
    } else if (a->step == HELLO_SENT) {
        write_socks_connect(p, o->route.target);
        good = say(a, CONNECT_SENT, p, sizeof p, sizeof p);
    } else {
        good = ask(o, a);
    }
    if (!good)
        finish(o, a, false);
}

struct opened open_many(
    struct route r, enum request request, unsigned n, unsigned at_once, bool keep, unsigned seconds)
{
    uint64_t begin_ns = now_ns(), end_ns = begin_ns + seconds * UINT64_C(1000000000);
    struct opener o = {.route = r, .request = request, .keep = keep, .poller = epoll_create1(0)};
    struct attempt *attempts = calloc(at_once, sizeof *attempts);
    struct epoll_event events[64];
    o.result.fds = calloc((size_t)n + 1, sizeof(int));
    if (attempts == NULL || o.result.fds == NULL || o.poller < 0)
        die("open");
    unsigned n_started = 0;
    while (now_ns() < end_ns && o.result.n + o.result.n_failed < n) {
        for (unsigned i = 0; i < at_once && n_started < n && o.n_busy < at_once; i++)
            if (attempts[i].step == FREE) {
                n_started++;
                if (!start(&o, &attempts[i]))
                    finish(&o, &attempts[i], false);
            }
        int got = epoll_wait(o.poller, events, 64, 100);
        for (int i = 0; i < got; i++)
            go_on(&o, events[i].data.ptr);
    }
    o.result.seconds = (double)(now_ns() - begin_ns) / 1e9;
    for (unsigned i = 0; i < at_once; i++)
        if (attempts[i].step != FREE)
            close(attempts[i].fd);
    close(o.poller);
    free(attempts);
    return o.result;
}

static void report(const struct opened *o)
{
    printf("%u %u %.6f\n", o->n, o->n_failed, o->seconds);
    fflush(stdout);
}

void open_and_close(struct route r, unsigned n, unsigned at_once, unsigned seconds)
{
    struct opened o = open_many(r, REQUEST_ECHO, n, at_once, false, seconds);
    report(&o);
    free(o.fds);
}

void hold(struct route r, unsigned n, unsigned at_once, unsigned seconds)
{
    uint64_t end_ns = now_ns() + seconds * UINT64_C(1000000000);
    struct opened o = open_many(r, REQUEST_ECHO, n, at_once, true, seconds);
    report(&o);
    /* Until the holder's owner closes our standard input, or the time is over. */
    struct pollfd owner = {.fd = STDIN_FILENO, .events = POLLIN};
    while (now_ns() < end_ns && poll(&owner, 1, 1000) <= 0)
        ;
    free(o.fds);
}
