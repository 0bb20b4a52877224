/* Who holds what:
 *
 *   resolver   the loop's side: the event source, the task for answers that needed no thread
 *   pool       what the loop and the helper threads share, under one lock; freed by the last of
 *              them. When the resolver goes, the pool is closed: threads still inside getaddrinfo
 *              find that out when they return, drop their answer and end.
 *   query      in one of the pool's lists, or (state RUNNING) with a thread
 *
 * A helper thread lives as long as there is something to look up. Nothing waits for it: not at the
 * end of the program either, when a name server may be silent for half a minute. */
#include "forward/resolver.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    THREADS_MAX = 4,    /* one dead name server must not hold up other names */
    QUERIES_MAX = 4096, /* names may come from a peer; at most 1 KiB each, so 4 MiB */
};

enum query_state { QUERY_WAITING, QUERY_RUNNING, QUERY_ANSWERED };

struct ring {
    struct ring *next, *prev;
};

struct resolver_query {
    struct ring ring; /* first, so that a place in a list is the query */
    struct pool *pool;
    enum query_state state;
    bool is_forgotten; /* cancelled while a thread has it */
    void (*done)(void *user, int gai, int sys_errno, struct addrinfo *list);
    void *user;
    struct addrinfo hints;
    int gai, sys_errno;
    struct addrinfo *list;
    char service[8];
    char host[];
};

struct pool {
    atomic_int n_users; /* the resolver and every thread */
    pthread_mutex_t lock;
    bool is_closed;
    int wake_fd; /* eventfd, tells the loop of answers; the resolver's, valid until is_closed */
    int n_threads;
    int n_queries;
    struct ring waiting, answered, delivering;
};

struct resolver {
    struct loop *loop;
    struct pool *pool;
    struct loop_source wake;
    struct loop_task deliver;
};

/* ---- lists */

static void ring_init(struct ring *head)
{
    head->next = head->prev = head;
}

static void ring_append(struct ring *head, struct ring *r)
{
    r->next = head;
    r->prev = head->prev;
    head->prev->next = r;
    head->prev = r;
}

static void ring_remove(struct ring *r)
{
    r->prev->next = r->next;
    r->next->prev = r->prev;
    r->next = r->prev = r;
}

static struct resolver_query *ring_take(struct ring *head)
{
    if (head->next == head)
        return NULL;
    struct ring *first = head->next;
    head->next = first->next;
    first->next->prev = head;
    first->next = first->prev = first;
    return (struct resolver_query *)first;
}

/* ---- the pool */

static void pool_leave(struct pool *p)
{
    if (atomic_fetch_sub(&p->n_users, 1) > 1)
        return;
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static void query_free(struct resolver_query *q) /* in no list; under the lock */
{
    q->pool->n_queries--;
    if (q->list != NULL)
        freeaddrinfo(q->list);
    free(q);
}

static void free_all(struct ring *head)
{
    struct resolver_query *q;
    while ((q = ring_take(head)) != NULL)
        query_free(q);
}

/* Without a descriptor to spare getaddrinfo cannot open its files and sockets, and says that the
 * name does not exist. errno, when that is what happened; 0 otherwise. */
static int descriptors_error(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd < 0 && (errno == EMFILE || errno == ENFILE) ? errno : 0;
}

/* Blocks in getaddrinfo unless hints say numeric.
 *
 * AI_ADDRCONFIG is left out: it would hide ::1 or 127.0.0.1 of a name on a machine that has no
 * other address of that family, and asking for one address too many only costs the dialer an
 * attempt that fails at once. */
static void look_up(struct resolver_query *q)
{
    errno = 0;
    q->list = NULL;
    q->gai = getaddrinfo(q->host, q->service, &q->hints, &q->list);
    q->sys_errno = q->gai == EAI_SYSTEM ? errno : 0;
    if (q->gai == 0)
        return;
    q->list = NULL;
    bool is_numeric = (q->hints.ai_flags & AI_NUMERICHOST) != 0;
    int error = q->gai == EAI_SYSTEM || is_numeric ? 0 : descriptors_error();
    if (error != 0) {
        q->gai = EAI_SYSTEM;
        q->sys_errno = error;
    }
}

static void answered(struct resolver_query *q) /* under the lock */
{
    q->state = QUERY_ANSWERED;
    ring_append(&q->pool->answered, &q->ring);
}

/* Under the lock, so that the descriptor is still the resolver's. The counter would have to reach
 * 2^64 - 1 to refuse one more. */
static void wake_loop(struct pool *p)
{
    ssize_t n = write(p->wake_fd, &(uint64_t){1}, sizeof(uint64_t));
    (void)n;
}

static void *helper(void *arg)
{
    struct pool *p = arg;
    struct resolver_query *q;
    pthread_mutex_lock(&p->lock);
    while (!p->is_closed && (q = ring_take(&p->waiting)) != NULL) {
        q->state = QUERY_RUNNING;
        pthread_mutex_unlock(&p->lock);
        look_up(q);
        pthread_mutex_lock(&p->lock);
        if (p->is_closed || q->is_forgotten) {
            query_free(q);
        } else {
            answered(q);
            wake_loop(p);
        }
    }
    p->n_threads--;
    pthread_mutex_unlock(&p->lock);
    pool_leave(p);
    return NULL;
}

/* Under the lock. Signals are the loop's: a helper must not take one. */
static bool start_helper(struct pool *p)
{
    pthread_t thread;
    pthread_attr_t attr;
    sigset_t all, before;
    sigfillset(&all);
    if (pthread_attr_init(&attr) != 0)
        return false;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    atomic_fetch_add(&p->n_users, 1);
    bool started = pthread_create(&thread, &attr, helper, p) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    if (started)
        p->n_threads++;
    else
        atomic_fetch_sub(&p->n_users, 1); /* never the last: the resolver is one */
    return started;
}

/* ---- answers */

/* A callback may start, cancel, and free the resolver: r is not looked at after the first one, and
 * queries answered meanwhile wait for the next turn. */
static void deliver(struct resolver *r)
{
    struct pool *p = r->pool;
    struct resolver_query *q;
    atomic_fetch_add(&p->n_users, 1);
    pthread_mutex_lock(&p->lock);
    while ((q = ring_take(&p->answered)) != NULL)
        ring_append(&p->delivering, &q->ring);
    while ((q = ring_take(&p->delivering)) != NULL) {
        struct resolver_query answer = *q;
        q->list = NULL; /* the callee's now */
        query_free(q);
        pthread_mutex_unlock(&p->lock);
        answer.done(answer.user, answer.gai, answer.sys_errno, answer.list);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    pool_leave(p);
}

static void on_wake(struct loop_source *source, unsigned events)
{
    (void)events;
    uint64_t n;
    if (read(source->fd, &n, sizeof n) == (ssize_t)sizeof n)
        deliver(source->user);
}

static void on_deliver(struct loop_task *task)
{
    deliver(task->user);
}

/* ---- queries */

static struct resolver_query *query_new(
    struct resolver *r, const char *host, uint16_t port, int family)
{
    size_t len = strnlen(host, NI_MAXHOST);
    struct resolver_query *q = calloc(1, sizeof *q + len + 1);
    if (q == NULL)
        return NULL;
    ring_init(&q->ring);
    q->pool = r->pool;
    q->hints = (struct addrinfo){
        .ai_family = family,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
    };
    snprintf(q->service, sizeof q->service, "%u", (unsigned)port);
    memcpy(q->host, host, len);
    return q;
}

/* Numeric, or so wrong that no name server need be asked. */
static bool is_answered_at_once(struct resolver_query *q)
{
    if (strlen(q->host) >= NI_MAXHOST || q->host[0] == '\0') {
        q->gai = EAI_NONAME;
        return true;
    }
    look_up(q);
    return q->gai != EAI_NONAME;
}

static bool enqueue(struct resolver_query *q) /* under the lock */
{
    struct pool *p = q->pool;
    q->hints.ai_flags = AI_NUMERICSERV;
    q->state = QUERY_WAITING;
    ring_append(&p->waiting, &q->ring);
    if (p->n_threads >= THREADS_MAX || start_helper(p) || p->n_threads > 0)
        return true;
    ring_remove(&q->ring);
    return false;
}

struct resolver_query *resolver_start(struct resolver *r, const char *host, uint16_t port,
    int family, void (*done)(void *user, int gai, int sys_errno, struct addrinfo *list), void *user)
{
    struct pool *p = r->pool;
    struct resolver_query *q = query_new(r, host, port, family);
    if (q == NULL)
        return NULL;
    q->done = done;
    q->user = user;
    bool at_once = is_answered_at_once(q);
    pthread_mutex_lock(&p->lock);
    bool is_kept = p->n_queries++ < QUERIES_MAX;
    if (is_kept && at_once)
        answered(q);
    else if (is_kept)
        is_kept = enqueue(q);
    if (!is_kept)
        query_free(q);
    pthread_mutex_unlock(&p->lock);
    if (is_kept && at_once)
        loop_defer(r->loop, &r->deliver);
    return is_kept ? q : NULL;
}

void resolver_cancel(struct resolver_query *q)
{
    struct pool *p = q->pool;
    pthread_mutex_lock(&p->lock);
    if (q->state == QUERY_RUNNING) {
        q->is_forgotten = true;
    } else {
        ring_remove(&q->ring);
        query_free(q);
    }
    pthread_mutex_unlock(&p->lock);
}

/* ---- the resolver */

static struct pool *pool_new(void)
{
    struct pool *p = calloc(1, sizeof *p);
    if (p == NULL)
        return NULL;
    atomic_init(&p->n_users, 1);
    pthread_mutex_init(&p->lock, NULL);
    ring_init(&p->waiting);
    ring_init(&p->answered);
    ring_init(&p->delivering);
    p->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (p->wake_fd < 0) {
        pool_leave(p);
        return NULL;
    }
    return p;
}

struct resolver *resolver_new(struct loop *l)
{
    struct resolver *r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    r->loop = l;
    r->pool = pool_new();
    if (r->pool == NULL) {
        free(r);
        return NULL;
    }
    r->deliver = (struct loop_task){.run = on_deliver, .user = r};
    r->wake = (struct loop_source){.fd = r->pool->wake_fd, .ready = on_wake, .user = r, .slot = -1};
    if (loop_add_level(l, &r->wake) != ERR_OK) {
        resolver_free(r);
        return NULL;
    }
    return r;
}

void resolver_free(struct resolver *r)
{
    if (r == NULL)
        return;
    struct pool *p = r->pool;
    loop_remove(r->loop, &r->wake);
    loop_undefer(r->loop, &r->deliver);
    pthread_mutex_lock(&p->lock);
    p->is_closed = true;
    close(p->wake_fd);
    free_all(&p->waiting);
    free_all(&p->answered);
    free_all(&p->delivering);
    pthread_mutex_unlock(&p->lock);
    pool_leave(p);
    free(r);
}
