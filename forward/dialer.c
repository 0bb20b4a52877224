/* One dial: look the name up, put the addresses in order, race them.
 *
 * RFC 8305 section 4 takes the order of RFC 6724, which getaddrinfo() gives (IPv6 first where it
 * works), and interleaves the families; section 5 starts an attempt 250 ms after the one before,
 * or as soon as one fails. The attempts that run are those with a source whose fd is not -1. */
#include "forward/dialer.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forward/addr.h"
#include "forward/socket.h"
#include "proto/text.h"

enum {
    STAGGER_MS = 250,
    TIMEOUT_MS = 30000,
    ATTEMPTS_MAX = 16, /* a name may have any number of addresses; each attempt is a socket */
};

struct attempt {
    struct dial *dial;
    const struct addrinfo *address;
    struct loop_source source;
    int error; /* errno it ended with; 0 while it runs */
};

struct dial {
    struct loop *loop;
    struct resolver_query *query; /* NULL once answered */
    struct addrinfo *addresses;   /* owns what the attempts point to */
    struct attempt attempts[ATTEMPTS_MAX];
    size_t n_attempts, n_started, n_running;
    struct loop_timer next, deadline;
    uint64_t timeout_ms;
    void (*done)(void *user, const struct dial_result *result);
    void *user;
    uint16_t port;
    char *bind_address; /* in the same allocation; NULL: none */
    char host[];
};

/* ---- the end of a dial */

static void attempt_close(struct attempt *a)
{
    if (a->source.fd < 0)
        return;
    loop_remove(a->dial->loop, &a->source);
    close(a->source.fd);
    a->source.fd = -1;
    a->dial->n_running--;
}

void dial_cancel(struct dial *d)
{
    if (d->query != NULL)
        resolver_cancel(d->query);
    for (size_t i = 0; i < d->n_started; i++)
        attempt_close(&d->attempts[i]);
    loop_timer_stop(d->loop, &d->next);
    loop_timer_stop(d->loop, &d->deadline);
    if (d->addresses != NULL)
        freeaddrinfo(d->addresses);
    free(d);
}

static void finish(struct dial *d, const struct dial_result *result)
{
    void (*done)(void *user, const struct dial_result *result) = d->done;
    void *user = d->user;
    dial_cancel(d);
    done(user, result);
}

/* ---- what to say */

static enum dial_outcome outcome_of(int error)
{
    switch (error) {
    case ECONNREFUSED: return DIAL_REFUSED;
    case ETIMEDOUT: return DIAL_TIMED_OUT;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM: return DIAL_NO_RESOURCES;
    default: return DIAL_UNREACHABLE;
    }
}

/* Of several errors the one to report: a shortage of ours hides what the others would have been;
 * silence after a refusal leaves hope; a refusal tells more than a missing route; and that this
 * machine lacks a family tells least. */
static int weight_of(int error)
{
    switch (error) {
    case 0: return 0;
    case EAFNOSUPPORT:
    case EADDRNOTAVAIL: return 1;
    case ENETUNREACH: return 2;
    case EHOSTUNREACH: return 4;
    case ECONNREFUSED: return 5;
    case ECONNRESET:
    case ETIMEDOUT: return 6;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM: return 7;
    default: return 3;
    }
}

static int most_telling_error(const struct dial *d)
{
    int most = 0;
    for (size_t i = 0; i < d->n_started; i++)
        if (weight_of(d->attempts[i].error) > weight_of(most))
            most = d->attempts[i].error;
    return most;
}

/* The addresses that ended so, "::1, 127.0.0.1", as many as there is room for. */
static void list_addresses(const struct dial *d, int error, char *out, size_t cap)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < d->n_started; i++) {
        const struct attempt *a = &d->attempts[i];
        char text[ADDR_TEXT_MAX];
        if (a->error != error)
            continue;
        addr_text(text, a->address->ai_addr, a->address->ai_addrlen);
        if (len > 0 && len + strlen(", ") + strlen(text) + sizeof ", ..." > cap) {
            snprintf(out + len, cap - len, ", ...");
            return;
        }
        snprintf(out + len, cap - len, "%s%s", len == 0 ? "" : ", ", text);
        len = strlen(out);
    }
}

/* What fits in a result's text beside "connect to ", ": " and a reason of REASON_MAX. */
enum { REASON_MAX = 59, TARGET_MAX = 184 };

/* The host, the addresses tried unless it is one itself, and where from, if that was asked for. The
 * host may come from a peer. */
static void name_target(const struct dial *d, int error, char *out, size_t cap)
{
    char host[64], list[56], tried[64] = "", from[56] = "";
    text_escape(host, sizeof host, bytes_of(d->host), TEXT_LINE);
    list_addresses(d, error, list, sizeof list);
    if (list[0] != '\0' && strcmp(list, d->host) != 0)
        snprintf(tried, sizeof tried, " (%s)", list);
    if (d->bind_address != NULL)
        snprintf(from, sizeof from, " from %.45s", d->bind_address);
    snprintf(out, cap, "%s port %u%.58s%.51s", host, (unsigned)d->port, tried, from);
}

static void fail_to_connect(struct dial *d, int error)
{
    char target[TARGET_MAX];
    struct dial_result result = {.outcome = outcome_of(error), .fd = -1};
    name_target(d, error, target, sizeof target);
    snprintf(result.reason, sizeof result.reason, "%s", strerror(error));
    snprintf(
        result.text, sizeof result.text, "connect to %s: %.*s", target, REASON_MAX, result.reason);
    finish(d, &result);
}

static void fail_to_resolve(struct dial *d, enum dial_outcome outcome, const char *reason)
{
    char host[128];
    struct dial_result result = {.outcome = outcome, .fd = -1};
    text_escape(host, sizeof host, bytes_of(d->host), TEXT_LINE);
    snprintf(result.reason, sizeof result.reason, "%s", reason);
    snprintf(result.text, sizeof result.text, "resolve %s: %s", host, result.reason);
    finish(d, &result);
}

/* ---- attempts */

static int bind_source(int fd, const char *address, int family)
{
    struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    int gai = getaddrinfo(address, NULL, &hints, &found);
    if (gai != 0) /* of the other family, most often */
        return gai == EAI_MEMORY ? ENOMEM : EAFNOSUPPORT;
    int on = 1; /* the port is chosen when the destination is known, so they do not run out */
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    int error = bind(fd, found->ai_addr, found->ai_addrlen) == 0 ? 0 : errno;
    freeaddrinfo(found);
    return error;
}

/* 0 when the connection is under way or made; the source then has the socket. */
static int open_and_connect(struct attempt *a)
{
    const struct addrinfo *to = a->address;
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    socket_nodelay(fd);
    int error = 0;
    if (a->dial->bind_address != NULL)
        error = bind_source(fd, a->dial->bind_address, to->ai_family);
    if (error == 0 && connect(fd, to->ai_addr, to->ai_addrlen) < 0 && errno != EINPROGRESS &&
        errno != EINTR)
        error = errno;
    a->source.fd = fd;
    if (error == 0 && loop_add(a->dial->loop, &a->source) != ERR_OK)
        error = ENOMEM;
    if (error != 0) {
        close(fd);
        a->source.fd = -1;
    }
    return error;
}

/* Starts attempts until one is under way; with none left to start and none running, it is over. */
static void start_next(struct dial *d)
{
    while (d->n_started < d->n_attempts) {
        struct attempt *a = &d->attempts[d->n_started++];
        a->error = open_and_connect(a);
        if (a->error != 0)
            continue;
        d->n_running++;
        if (d->n_started < d->n_attempts)
            loop_timer_set(d->loop, &d->next, loop_now(d->loop) + STAGGER_MS);
        return;
    }
    if (d->n_running == 0)
        fail_to_connect(d, most_telling_error(d));
}

static void attempt_failed(struct attempt *a, int error)
{
    struct dial *d = a->dial;
    attempt_close(a);
    a->error = error;
    loop_timer_stop(d->loop, &d->next);
    start_next(d);
}

static void attempt_won(struct attempt *a)
{
    struct dial_result result = {.outcome = DIAL_OK, .fd = a->source.fd};
    socket_unpaced(a->source.fd, a->address->ai_addr);
    loop_remove(a->dial->loop, &a->source);
    a->source.fd = -1; /* so that it is not closed with the others */
    finish(a->dial, &result);
}

static int socket_error(int fd)
{
    int error = 0;
    socklen_t len = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 ? error : errno;
}

/* A socket that met itself is let go with a reset: an orderly end would leave its port, the very
 * one somebody wants to reach, in TIME_WAIT. */
static void leave_self(struct attempt *a)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(a->source.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    attempt_failed(a, ECONNREFUSED);
}

static void on_ready(struct loop_source *source, unsigned events)
{
    struct attempt *a = source->user;
    struct sockaddr_storage peer;
    socklen_t len = sizeof peer;
    int error = socket_error(source->fd);
    if (error != 0)
        attempt_failed(a, error);
    else if (getpeername(source->fd, (struct sockaddr *)&peer, &len) == 0) {
        if (addr_is_self_connected(source->fd))
            leave_self(a);
        else
            attempt_won(a);
    } else if (events & LOOP_HANGUP)
        attempt_failed(a, ECONNRESET); /* made and lost before we looked */
    /* otherwise the connection is still being made */
}

/* ---- steps */

static void on_stagger(struct loop_timer *timer)
{
    start_next(timer->user);
}

static void on_deadline(struct loop_timer *timer)
{
    struct dial *d = timer->user;
    if (d->query != NULL) {
        char reason[64];
        snprintf(reason, sizeof reason, "no answer within %llu s",
            (unsigned long long)(d->timeout_ms + 999) / 1000);
        fail_to_resolve(d, DIAL_TIMED_OUT, reason);
        return;
    }
    for (size_t i = 0; i < d->n_started; i++)
        if (d->attempts[i].source.fd >= 0)
            d->attempts[i].error = ETIMEDOUT;
    fail_to_connect(d, ETIMEDOUT);
}

/* The next address of family from at on (of any other family, if not same); NULL: none. */
static const struct addrinfo *next_of(const struct addrinfo *at, int family, bool same)
{
    while (at != NULL && (at->ai_family == family) != same)
        at = at->ai_next;
    return at;
}

/* A name may have an address twice, by two lines in /etc/hosts. */
static void add_attempt(struct dial *d, const struct addrinfo *address)
{
    for (size_t i = 0; i < d->n_attempts; i++)
        if (addr_equal(d->attempts[i].address->ai_addr, address->ai_addr))
            return;
    struct attempt *a = &d->attempts[d->n_attempts++];
    *a = (struct attempt){.dial = d, .address = address};
    a->source = (struct loop_source){.fd = -1, .ready = on_ready, .user = a, .slot = -1};
}

static void order_addresses(struct dial *d)
{
    int first = d->addresses->ai_family;
    const struct addrinfo *same = d->addresses;
    const struct addrinfo *other = next_of(d->addresses, first, false);
    bool want_same = true;
    while ((same != NULL || other != NULL) && d->n_attempts < ATTEMPTS_MAX) {
        bool take_same = same != NULL && (want_same || other == NULL);
        add_attempt(d, take_same ? same : other);
        if (take_same)
            same = next_of(same->ai_next, first, true);
        else
            other = next_of(other->ai_next, first, false);
        want_same = !take_same;
    }
}

static void on_resolved(void *user, int gai, int sys_errno, struct addrinfo *list)
{
    struct dial *d = user;
    d->query = NULL;
    if (gai != 0 || list == NULL) {
        int error = gai == EAI_SYSTEM ? sys_errno : gai == EAI_MEMORY ? ENOMEM : 0;
        bool is_ours = outcome_of(error) == DIAL_NO_RESOURCES;
        fail_to_resolve(d, is_ours ? DIAL_NO_RESOURCES : DIAL_NOT_RESOLVED,
            error != 0 ? strerror(error) : gai_strerror(gai != 0 ? gai : EAI_NONAME));
        return;
    }
    d->addresses = list;
    order_addresses(d);
    start_next(d);
}

static struct dial *dial_new(struct loop *l, const char *host, const char *bind_address)
{
    size_t host_len = strlen(host);
    size_t bind_len = bind_address == NULL ? 0 : strlen(bind_address);
    struct dial *d = calloc(1, sizeof *d + host_len + 1 + bind_len + 1);
    if (d == NULL)
        return NULL;
    d->loop = l;
    d->next = (struct loop_timer){.fire = on_stagger, .user = d};
    d->deadline = (struct loop_timer){.fire = on_deadline, .user = d};
    memcpy(d->host, host, host_len);
    if (bind_address != NULL) {
        d->bind_address = d->host + host_len + 1;
        memcpy(d->bind_address, bind_address, bind_len);
    }
    return d;
}

struct dial *dial_start(struct loop *l, struct resolver *r, const char *host, uint16_t port,
    const struct dial_options *options, void (*done)(void *user, const struct dial_result *result),
    void *user)
{
    struct dial *d = dial_new(l, host, options->bind_address);
    if (d == NULL)
        return NULL;
    d->port = port;
    d->done = done;
    d->user = user;
    d->timeout_ms = options->timeout_ms != 0 ? options->timeout_ms : TIMEOUT_MS;
    d->query = resolver_start(r, host, port, options->family, on_resolved, d);
    if (d->query == NULL) {
        free(d);
        return NULL;
    }
    loop_timer_set(l, &d->deadline, loop_now(l) + d->timeout_ms);
    return d;
}
