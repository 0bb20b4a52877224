#include "forward/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forward/addr.h"

enum { LINGER_MS = 10000 };

struct lingering {
    struct loop *loop;
    struct loop_source source;
    struct loop_timer timer;
    struct lingering *next, **at; /* list of all, so that the end of the program can end them */
};

static struct lingering *all_lingering;

void socket_reset(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

void socket_nodelay(int fd)
{
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void socket_keepalive(int fd)
{
    int on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

void socket_qos(int fd, int tos)
{
    struct sockaddr_storage a;
    struct sockaddr_in6 v6;
    socklen_t len = sizeof a;
    if (tos == SOCKET_QOS_NONE || getpeername(fd, (struct sockaddr *)&a, &len) != 0)
        return;
    memcpy(&v6, &a, sizeof v6);
    if (a.ss_family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof tos);
    else if (a.ss_family == AF_INET || a.ss_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
}

/* What a socket has that nobody has told otherwise. */
static bool bbr_is_default(int fd)
{
    static enum { UNKNOWN, OTHER, BBR } kind;
    char name[16] = ""; /* TCP_CA_NAME_MAX */
    socklen_t len = sizeof name;
    if (kind == UNKNOWN && getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len) == 0)
        kind = strncmp(name, "bbr", sizeof name) == 0 ? BBR : OTHER;
    return kind == BBR;
}

void socket_unpaced(int fd, const struct sockaddr *peer)
{
    if (!addr_is_loopback(peer) || !bbr_is_default(fd))
        return;
    if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", strlen("cubic")) != 0)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", strlen("reno"));
}

static void linger_free(struct lingering *g)
{
    loop_remove(g->loop, &g->source);
    loop_timer_stop(g->loop, &g->timer);
    close(g->source.fd);
    *g->at = g->next;
    if (g->next != NULL)
        g->next->at = g->at;
    free(g);
}

static void linger_ready(struct loop_source *source, unsigned events)
{
    struct lingering *g = source->user;
    static uint8_t sink[65536]; /* what is dropped; one thread, so one is enough */
    (void)events;
    for (int i = 0; i < 64; i++) {
        ssize_t n = read(source->fd, sink, sizeof sink);
        if (n > 0 || (n < 0 && errno == EINTR))
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        linger_free(g);
        return;
    }
    linger_free(g); /* it talks on without end to one who does not listen */
}

static void linger_over(struct loop_timer *timer)
{
    linger_free(timer->user);
}

void socket_linger(struct loop *l, int fd)
{
    struct lingering *g = NULL;
    if (shutdown(fd, SHUT_WR) == 0)
        g = calloc(1, sizeof *g);
    if (g == NULL) {
        close(fd);
        return;
    }
    g->loop = l;
    g->source = (struct loop_source){.fd = fd, .ready = linger_ready, .user = g, .slot = -1};
    g->timer = (struct loop_timer){.fire = linger_over, .user = g};
    if (loop_add(l, &g->source) != ERR_OK) {
        close(fd);
        free(g);
        return;
    }
    g->next = all_lingering;
    if (g->next != NULL)
        g->next->at = &g->next;
    g->at = &all_lingering;
    all_lingering = g;
    loop_timer_set(l, &g->timer, loop_now(l) + LINGER_MS);
}

void socket_linger_end(struct loop *l)
{
    struct lingering *next;
    for (struct lingering *g = all_lingering; g != NULL; g = next) {
        next = g->next;
        if (g->loop == l)
            linger_free(g);
    }
}
