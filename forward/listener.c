#define _GNU_SOURCE /* accept4 */
#include "forward/listener.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forward/addr.h"
#include "forward/bind.h"
#include "forward/socket.h"

enum {
    ACCEPTS_PER_TURN = 64, /* by all sockets of a listener together */
    REST_MS = 1000,
};

struct listen_socket {
    struct listener *listener;
    bool is_loopback; /* so is all that it accepts */
    struct loop_source source;
};

struct listener {
    struct loop *loop;
    void (*accepted)(void *user, int fd, const char *from_host, uint16_t from_port);
    void *user;
    struct loop_timer rest_over;
    bool is_paused;   /* by the owner */
    bool is_resting;  /* for want of file descriptors or memory */
    bool *was_closed; /* set by listener_close() for an accept loop that is under way */
    uint16_t port;
    size_t n_sockets;
    struct listen_socket sockets[BIND_MAX];
};

/* ---- accepting */

static void apply_pause(struct listener *s)
{
    for (size_t i = 0; i < s->n_sockets; i++) {
        if (s->is_paused || s->is_resting)
            loop_pause(s->loop, &s->sockets[i].source);
        else
            loop_resume(s->loop, &s->sockets[i].source);
    }
}

/* Level-triggered, an accept that fails for want of something would be tried again at once, for
 * ever: the listener rests, and the kernel's backlog holds. */
static void rest(struct listener *s)
{
    s->is_resting = true;
    apply_pause(s);
    loop_timer_set(s->loop, &s->rest_over, loop_now(s->loop) + REST_MS);
}

static void on_rest_over(struct loop_timer *timer)
{
    struct listener *s = timer->user;
    s->is_resting = false;
    apply_pause(s);
}

/* Errors that are about the one connection, which is gone: accept(2) passes pending network errors
 * of the new socket on, and a firewall may say EPERM. */
static bool is_about_connection(int error)
{
    switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPERM:
    case EPROTO:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET: return true;
    default: return false;
    }
}

/* false: there is nothing more to accept for now. */
static bool accept_one(struct listen_socket *socket)
{
    struct listener *s = socket->listener;
    struct sockaddr_storage from;
    socklen_t len = sizeof from;
    char host[ADDR_TEXT_MAX];
    int fd =
        accept4(socket->source.fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (is_about_connection(errno))
            return true;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            rest(s);
        return false;
    }
    if (!socket->is_loopback)
        socket_unpaced(fd, (struct sockaddr *)&from);
    addr_text(host, (struct sockaddr *)&from, len);
    s->accepted(s->user, fd, host, addr_port((struct sockaddr *)&from));
    return true;
}

static void on_ready(struct loop_source *source, unsigned events)
{
    (void)events;
    struct listen_socket *socket = source->user;
    struct listener *s = socket->listener;
    size_t budget = ACCEPTS_PER_TURN / s->n_sockets;
    bool was_closed = false;
    s->was_closed = &was_closed;
    while (budget-- > 0 && accept_one(socket)) {
        if (was_closed)
            return;
        if (s->is_paused)
            break;
    }
    s->was_closed = NULL;
}

/* ---- opening and closing */

static bool is_loopback(int fd)
{
    struct sockaddr_storage a = {0};
    socklen_t len = sizeof a;
    return getsockname(fd, (struct sockaddr *)&a, &len) == 0 &&
           addr_is_loopback((struct sockaddr *)&a);
}

/* Takes the sockets over one by one: *n are left in fds when there is no memory for more. */
static bool watch_all(struct listener *s, const int *fds, size_t *n)
{
    while (*n > 0) {
        struct listen_socket *socket = &s->sockets[s->n_sockets];
        socket->listener = s;
        socket->is_loopback = is_loopback(fds[*n - 1]);
        socket->source =
            (struct loop_source){.fd = fds[*n - 1], .ready = on_ready, .user = socket, .slot = -1};
        if (loop_add_level(s->loop, &socket->source) != ERR_OK)
            return false;
        s->n_sockets++;
        --*n;
    }
    return true;
}

static struct listener *listener_new(
    struct loop *l, const struct listener_config *c, const int *fds, size_t *n)
{
    struct listener *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->loop = l;
    s->accepted = c->accepted;
    s->user = c->user;
    s->rest_over = (struct loop_timer){.fire = on_rest_over, .user = s};
    if (watch_all(s, fds, n))
        return s;
    listener_close(s);
    return NULL;
}

struct listener *listener_open(
    struct loop *l, const struct listener_config *config, char *why, size_t why_cap, int *sys_errno)
{
    int fds[BIND_MAX];
    uint16_t port;
    size_t n = bind_open(config, fds, &port, why, why_cap, sys_errno);
    if (n == 0)
        return NULL;
    struct listener *s = listener_new(l, config, fds, &n);
    if (s != NULL) {
        s->port = port;
        return s;
    }
    while (n > 0)
        close(fds[--n]);
    *sys_errno = ENOMEM;
    snprintf(why, why_cap, "cannot listen on port %u: %s", (unsigned)port, strerror(ENOMEM));
    return NULL;
}

void listener_close(struct listener *s)
{
    if (s == NULL)
        return;
    if (s->was_closed != NULL)
        *s->was_closed = true;
    loop_timer_stop(s->loop, &s->rest_over);
    for (size_t i = 0; i < s->n_sockets; i++) {
        loop_remove(s->loop, &s->sockets[i].source);
        close(s->sockets[i].source.fd);
    }
    free(s);
}

uint16_t listener_port(const struct listener *s)
{
    return s->port;
}

void listener_pause(struct listener *s)
{
    s->is_paused = true;
    apply_pause(s);
}

void listener_resume(struct listener *s)
{
    s->is_paused = false;
    apply_pause(s);
}
