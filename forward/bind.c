#include "forward/bind.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "forward/addr.h"
#include "forward/socket.h"
#include "proto/text.h"

enum {
    BACKLOG = 128,
    PORT_TRIES = 32, /* kernel-chosen ports that another family may have taken */
};

/* The addresses, the sockets so far, and what went wrong last. */
struct bind_set {
    struct sockaddr_storage addresses[BIND_MAX];
    socklen_t lens[BIND_MAX];
    size_t n;
    int fds[BIND_MAX]; /* -1: not open */
    int error;
    size_t culprit; /* the address that error is about */
};

/* false: more addresses than there is room for. */
static bool add(struct bind_set *set, const struct sockaddr *a, socklen_t len)
{
    /* A name may have an address twice, by two lines in /etc/hosts. */
    for (size_t i = 0; i < set->n; i++)
        if (addr_equal((struct sockaddr *)&set->addresses[i], a))
            return true;
    if (set->n == BIND_MAX)
        return false;
    memcpy(&set->addresses[set->n], a, len);
    set->lens[set->n] = len;
    set->fds[set->n] = -1;
    set->n++;
    return true;
}

static void add_both_families(struct bind_set *set, const struct listener_config *c)
{
    bool is_loopback = c->bind == LISTENER_LOOPBACK;
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(c->port)};
    v4.sin_addr.s_addr = htonl(is_loopback ? INADDR_LOOPBACK : INADDR_ANY);
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(c->port)};
    v6.sin6_addr = is_loopback ? in6addr_loopback : in6addr_any;
    if (c->family != AF_INET6)
        add(set, (struct sockaddr *)&v4, sizeof v4);
    if (c->family != AF_INET)
        add(set, (struct sockaddr *)&v6, sizeof v6);
}

/* NULL, or why not. The name is the user's or has been compared with known ones; it is resolved
 * here and now, since before the first listener is up there is nothing else to serve. */
static const char *add_addresses_of(struct bind_set *set, const struct listener_config *c)
{
    struct addrinfo hints = {
        .ai_family = c->family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *list;
    char service[8];
    snprintf(service, sizeof service, "%u", (unsigned)c->port);
    int gai = getaddrinfo(c->address, service, &hints, &list);
    if (gai != 0) {
        set->error = gai == EAI_SYSTEM ? errno : 0;
        return gai == EAI_SYSTEM ? strerror(set->error) : gai_strerror(gai);
    }
    bool all_fit = true;
    for (struct addrinfo *a = list; a != NULL; a = a->ai_next)
        all_fit = add(set, a->ai_addr, a->ai_addrlen) && all_fit;
    freeaddrinfo(list);
    return all_fit ? NULL : "more than 16 addresses";
}

/* IPv6 can be switched off in two ways: the kernel does not know it, or no interface has it. */
static bool is_family_missing(const struct sockaddr_storage *a, int error)
{
    struct sockaddr_in6 v6;
    if (error == EAFNOSUPPORT)
        return true;
    if (error != EADDRNOTAVAIL || a->ss_family != AF_INET6)
        return false;
    memcpy(&v6, a, sizeof v6);
    return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) || IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr);
}

/* A listening socket, or -1 with errno. What it is told here the sockets that it accepts inherit:
 * two system calls less for each. */
static int listen_on(const struct sockaddr_storage *a, socklen_t len)
{
    int on = 1;
    int fd = socket(a->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    bool good = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0;
    if (good && a->ss_family == AF_INET6)
        good = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0;
    socket_nodelay(fd);
    socket_unpaced(fd, (const struct sockaddr *)a);
    good = good && bind(fd, (const struct sockaddr *)a, len) == 0 && listen(fd, BACKLOG) == 0;
    if (good)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static uint16_t bound_port(int fd)
{
    struct sockaddr_storage a = {0};
    socklen_t len = sizeof a;
    return getsockname(fd, (struct sockaddr *)&a, &len) == 0 ? addr_port((struct sockaddr *)&a) : 0;
}

static void close_all(struct bind_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->fds[i] >= 0)
            close(set->fds[i]);
        set->fds[i] = -1;
    }
}

/* Binds every address to *port, which the first one chooses when it is 0. Families that are missing
 * are left out; false when all are, or when another error came, with nothing left open. */
static bool bind_all(struct bind_set *set, uint16_t *port)
{
    size_t n_open = 0;
    for (size_t i = 0; i < set->n; i++) {
        addr_set_port((struct sockaddr *)&set->addresses[i], *port);
        set->fds[i] = listen_on(&set->addresses[i], set->lens[i]);
        if (set->fds[i] >= 0) {
            *port = bound_port(set->fds[i]);
            n_open++;
            continue;
        }
        set->error = errno;
        set->culprit = i;
        if (is_family_missing(&set->addresses[i], errno))
            continue;
        close_all(set);
        return false;
    }
    return n_open > 0;
}

/* A port that the kernel chose for one family may be taken in another: then it chooses again. */
static bool bind_port(struct bind_set *set, uint16_t *port)
{
    uint16_t asked = *port;
    for (int i = 0; i < PORT_TRIES; i++) {
        *port = asked;
        if (bind_all(set, port))
            return true;
        if (asked != 0 || set->error != EADDRINUSE)
            break;
    }
    return false;
}

static const char *advice(int error, uint16_t port)
{
    if (error == EACCES && port != 0 && port < 1024)
        return " (ports below 1024 need root or CAP_NET_BIND_SERVICE)";
    if (error == EADDRNOTAVAIL)
        return " (not an address of this machine)";
    return "";
}

static void explain(
    const struct bind_set *set, const struct listener_config *c, char *why, size_t why_cap)
{
    char address[ADDR_TEXT_MAX];
    addr_text(
        address, (const struct sockaddr *)&set->addresses[set->culprit], set->lens[set->culprit]);
    snprintf(why, why_cap, "cannot listen on %s port %u: %s%s", address, (unsigned)c->port,
        strerror(set->error), advice(set->error, c->port));
}

static void explain_name(
    const struct listener_config *c, const char *problem, char *why, size_t why_cap)
{
    char address[128];
    text_escape(address, sizeof address, bytes_of(c->address), TEXT_LINE);
    snprintf(why, why_cap, "cannot listen on %s port %u: %s", address, (unsigned)c->port, problem);
}

static size_t take_open(const struct bind_set *set, int *fds)
{
    size_t n = 0;
    for (size_t i = 0; i < set->n; i++)
        if (set->fds[i] >= 0)
            fds[n++] = set->fds[i];
    return n;
}

size_t bind_open(const struct listener_config *c, int fds[BIND_MAX], uint16_t *port, char *why,
    size_t why_cap, int *sys_errno)
{
    struct bind_set set = {0};
    *port = c->port;
    const char *problem = NULL;
    if (c->bind == LISTENER_ADDRESS)
        problem = add_addresses_of(&set, c);
    else
        add_both_families(&set, c);
    if (problem != NULL)
        explain_name(c, problem, why, why_cap);
    else if (bind_port(&set, port))
        return take_open(&set, fds);
    else
        explain(&set, c, why, why_cap);
    *sys_errno = set.error;
    return 0;
}
