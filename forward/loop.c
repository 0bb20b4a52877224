/* The loop. Its state:
 *
 *   slots      the sources; epoll's events carry handles that outlive them harmlessly
 *   unpollable handles of sources whose fd epoll refuses, regular files: they are always ready.
 *              Handles of sources that left are dropped as they are met.
 *   timers     the heap; due: those being fired in this turn, still stoppable
 *   tasks      put off to the end of this turn or, when asked for by a task, of the next;
 *              running: those being run in this turn, still undeferrable */
#include "forward/loop.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "forward/inbox.h"
#include "forward/slots.h"
#include "forward/timers.h"

enum {
    EVENTS_MAX = 256, /* fetched at once: a syscall is shared by many, and 3 KiB hold them */
};

struct loop {
    int epoll_fd;
    uint64_t now_ms;
    bool is_stopped;
    int status;

    struct slots slots;
    uint64_t *unpollable;
    size_t n_unpollable, unpollable_cap;

    struct loop_timer *timers, *due;
    struct loop_task tasks, running; /* heads of rings */
    struct inbox inbox;
    struct epoll_event events[EVENTS_MAX];
};

uint64_t loop_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- sources */

static bool add_unpollable(struct loop *l, uint64_t handle)
{
    if (l->n_unpollable == l->unpollable_cap) {
        size_t cap = l->unpollable_cap == 0 ? 4 : l->unpollable_cap * 2;
        uint64_t *bigger = realloc(l->unpollable, cap * sizeof *bigger);
        if (bigger == NULL)
            return false;
        l->unpollable = bigger;
        l->unpollable_cap = cap;
    }
    l->unpollable[l->n_unpollable++] = handle;
    return true;
}

static enum err watch(struct loop *l, struct slot *s)
{
    uint64_t handle = slots_handle(&l->slots, s);
    struct epoll_event ev = {.events = s->interest, .data.u64 = handle};
    s->is_polled = epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, s->source->fd, &ev) == 0;
    if (s->is_polled)
        return ERR_OK;
    if (errno == EPERM) /* a regular file, /dev/null: never blocks, so always ready */
        return add_unpollable(l, handle) ? ERR_OK : ERR_NOMEM;
    return errno == ENOMEM ? ERR_NOMEM : ERR_IO;
}

static enum err add(struct loop *l, struct loop_source *source, uint32_t interest)
{
    struct slot *s = slots_take(&l->slots, source);
    if (s == NULL)
        return ERR_NOMEM;
    s->interest = interest;
    enum err e = watch(l, s);
    if (e != ERR_OK)
        slots_release(&l->slots, s);
    return e;
}

enum err loop_add(struct loop *l, struct loop_source *source)
{
    return add(l, source, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

enum err loop_add_level(struct loop *l, struct loop_source *source)
{
    return add(l, source, EPOLLIN);
}

/* The deletion is not left to close(): the fd may live on, handed to another owner or held by a
 * child, and would go on waking the loop. */
void loop_remove(struct loop *l, struct loop_source *source)
{
    struct slot *s = slots_of(&l->slots, source);
    if (s == NULL)
        return;
    if (s->is_polled)
        epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
    slots_release(&l->slots, s);
}

/* Hang-ups and errors cannot be masked. Edge-triggered, they wake the loop at most once. */
static void set_paused(struct loop *l, struct loop_source *source, bool is_paused)
{
    struct slot *s = slots_of(&l->slots, source);
    if (s == NULL || s->is_paused == is_paused)
        return;
    s->is_paused = is_paused;
    if (!s->is_polled)
        return;
    struct epoll_event ev = {
        .events = is_paused ? (uint32_t)EPOLLET : s->interest,
        .data.u64 = slots_handle(&l->slots, s),
    };
    epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, source->fd, &ev);
}

void loop_pause(struct loop *l, struct loop_source *source)
{
    set_paused(l, source, true);
}

void loop_resume(struct loop *l, struct loop_source *source)
{
    set_paused(l, source, false);
}

static unsigned events_told(uint32_t epoll_bits)
{
    unsigned told = 0;
    if (epoll_bits & (EPOLLIN | EPOLLHUP | EPOLLERR))
        told |= LOOP_READABLE;
    if (epoll_bits & (EPOLLOUT | EPOLLHUP | EPOLLERR))
        told |= LOOP_WRITABLE;
    if (epoll_bits & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        told |= LOOP_HANGUP;
    if (epoll_bits & EPOLLERR)
        told |= LOOP_ERROR;
    return told;
}

/* The source, and the slots, may be gone or moved when ready() returns. */
static void tell(struct loop *l, uint64_t handle, uint32_t epoll_bits)
{
    struct slot *s = slots_find(&l->slots, handle);
    if (s != NULL && !s->is_paused)
        s->source->ready(s->source, events_told(epoll_bits));
}

static void drop_stale_unpollable(struct loop *l)
{
    size_t kept = 0;
    for (size_t i = 0; i < l->n_unpollable; i++)
        if (slots_find(&l->slots, l->unpollable[i]) != NULL)
            l->unpollable[kept++] = l->unpollable[i];
    l->n_unpollable = kept;
}

static void tell_unpollable(struct loop *l)
{
    drop_stale_unpollable(l);
    size_t n = l->n_unpollable; /* those added meanwhile are told next turn */
    for (size_t i = 0; i < n; i++) {
        struct slot *s = slots_find(&l->slots, l->unpollable[i]);
        if (s != NULL)
            tell(l, l->unpollable[i], s->interest & (EPOLLIN | EPOLLOUT));
    }
}

static bool has_unpollable_ready(struct loop *l)
{
    for (size_t i = 0; i < l->n_unpollable; i++) {
        struct slot *s = slots_find(&l->slots, l->unpollable[i]);
        if (s != NULL && !s->is_paused)
            return true;
    }
    return false;
}

/* ---- timers */

void loop_timer_stop(struct loop *l, struct loop_timer *timer)
{
    if (timer->place != 0)
        timers_remove(timer == l->due ? &l->due : &l->timers, timer);
}

void loop_timer_set(struct loop *l, struct loop_timer *timer, uint64_t at_ms)
{
    loop_timer_stop(l, timer);
    timer->at_ms = at_ms;
    timers_insert(&l->timers, timer);
}

/* Those due are set apart first: a timer that sets itself to now again fires next turn. */
static void fire_timers(struct loop *l)
{
    while (l->timers != NULL && l->timers->at_ms <= l->now_ms) {
        struct loop_timer *t = l->timers;
        timers_remove(&l->timers, t);
        timers_insert(&l->due, t);
    }
    while (l->due != NULL) {
        struct loop_timer *t = l->due;
        timers_remove(&l->due, t);
        t->fire(t);
    }
}

/* ---- tasks */

static void ring_init(struct loop_task *head)
{
    head->next = head->prev = head;
}

static void ring_append(struct loop_task *head, struct loop_task *task)
{
    task->next = head;
    task->prev = head->prev;
    head->prev->next = task;
    head->prev = task;
}

static void ring_remove(struct loop_task *task)
{
    task->prev->next = task->next;
    task->next->prev = task->prev;
    task->next = task->prev = NULL;
}

void loop_defer(struct loop *l, struct loop_task *task)
{
    if (task->next == NULL)
        ring_append(&l->tasks, task);
}

void loop_undefer(struct loop *l, struct loop_task *task)
{
    (void)l;
    if (task->next != NULL)
        ring_remove(task);
}

static bool has_tasks(const struct loop *l)
{
    return l->tasks.next != &l->tasks;
}

static void run_tasks(struct loop *l)
{
    if (!has_tasks(l))
        return;
    l->running = l->tasks; /* the whole ring gets another head */
    l->running.next->prev = l->running.prev->next = &l->running;
    ring_init(&l->tasks);
    while (l->running.next != &l->running) {
        struct loop_task *task = l->running.next;
        ring_remove(task);
        task->run(task);
    }
}

/* ---- the loop */

/* The clock's milliseconds are rounded down, so the difference is rounded up: the wait never ends
 * just before the timer and spins. now_ms would be too old here: callbacks took their time. */
static int wait_ms(struct loop *l, uint64_t max_ms)
{
    if (has_tasks(l) || has_unpollable_ready(l))
        return 0;
    uint64_t wait = max_ms;
    if (l->timers != NULL) {
        uint64_t now = loop_clock();
        uint64_t left = l->timers->at_ms > now ? l->timers->at_ms - now : 0;
        wait = left < wait ? left : wait;
    }
    if (wait == UINT64_MAX)
        return -1;
    return wait > INT_MAX ? INT_MAX : (int)wait;
}

bool loop_turn(struct loop *l, uint64_t max_ms)
{
    if (l->is_stopped)
        return false;
    int n = epoll_wait(l->epoll_fd, l->events, EVENTS_MAX, wait_ms(l, max_ms));
    if (n < 0 && errno != EINTR) {
        loop_stop(l, -1);
        return false;
    }
    l->now_ms = loop_clock();
    for (int i = 0; i < n; i++)
        tell(l, l->events[i].data.u64, l->events[i].events);
    tell_unpollable(l);
    fire_timers(l);
    run_tasks(l);
    return !l->is_stopped;
}

int loop_run(struct loop *l)
{
    while (loop_turn(l, UINT64_MAX))
        ;
    l->is_stopped = false;
    return l->status;
}

void loop_stop(struct loop *l, int status)
{
    l->is_stopped = true;
    l->status = status;
}

uint64_t loop_now(const struct loop *l)
{
    return l->now_ms;
}

enum err loop_signal(struct loop *l, int signo, void (*fn)(void *user, int signo), void *user)
{
    return inbox_signal(&l->inbox, l, signo, fn, user);
}

bool loop_post(struct loop *l, void (*fn)(void *arg), void *arg)
{
    return inbox_post(&l->inbox, fn, arg);
}

struct loop *loop_new(void)
{
    struct loop *l = calloc(1, sizeof *l);
    if (l == NULL)
        return NULL;
    slots_init(&l->slots);
    l->now_ms = loop_clock();
    ring_init(&l->tasks);
    ring_init(&l->running);
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll_fd < 0) {
        free(l);
        return NULL;
    }
    if (inbox_open(&l->inbox, l) != ERR_OK) {
        int why = errno;
        close(l->epoll_fd);
        slots_free(&l->slots);
        free(l);
        errno = why;
        return NULL;
    }
    return l;
}

void loop_free(struct loop *l)
{
    if (l == NULL)
        return;
    inbox_close(&l->inbox, l);
    close(l->epoll_fd);
    free(l->unpollable);
    slots_free(&l->slots);
    free(l);
}
