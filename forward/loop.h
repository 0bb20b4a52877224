/* The one owner of waiting: an epoll loop with timers, signals and end-of-turn work. One thread.
 *
 * Sources are edge-triggered and embedded in the caller's structs: nothing is allocated per event.
 * A source may be removed, and its memory freed, from inside any callback, its own and others'
 * included: the loop never touches it again. Remove it before closing its fd: a number that was
 * closed first may already be someone else's. Time is read once a turn (loop_now).
 *
 * A turn: wait; ready sources; timers that are due; deferred tasks. What a phase adds to its own
 * list waits for the next turn, which then does not block, so no phase can starve another. */
#ifndef FORWARD_LOOP_H
#define FORWARD_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/err.h"

struct loop; /* opaque */

enum { /* what a source is told; several may be set at once */
    LOOP_READABLE = 1,
    LOOP_WRITABLE = 2,
    LOOP_HANGUP = 4, /* the peer ended its sending (RDHUP), or both ends are gone (HUP, ERR); with
                      * the latter READABLE and WRITABLE are set too: neither call would block */
    LOOP_ERROR = 8,  /* EPOLLERR: read or write to learn the errno */
};

/* The three structs below start zeroed, but for a source's slot, which starts as -1. */

struct loop_source {
    int fd;
    void (*ready)(struct loop_source *source, unsigned events);
    void *user;
    int slot; /* the loop's own: -1 when not added */
};

struct loop_timer {
    void (*fire)(struct loop_timer *timer); /* may set itself again */
    void *user;
    uint64_t at_ms;                           /* the loop's own */
    size_t place;                             /* the loop's own: 0 when not set */
    struct loop_timer *left, *right, *parent; /* the loop's own: a heap that needs no memory */
};

/* Work put off to the end of the current turn (after all ready sources and timers): once, however
 * often it was asked for. Gathered writes are flushed this way. */
struct loop_task {
    void (*run)(struct loop_task *task);
    void *user;
    struct loop_task *next, *prev; /* the loop's own: NULL when not queued */
};

struct loop *loop_new(void); /* NULL: errno says why */
/* What is still registered is dropped untouched; posts that did not run yet are forgotten. */
void loop_free(struct loop *l);

/* Starts watching source->fd (non-blocking) for reading and writing, edge-triggered. For a fd that
 * epoll cannot watch (a regular file), the source is told READABLE and WRITABLE once every turn
 * until removed, unless it asked loop_pause(). ERR_IO or ERR_NOMEM. */
enum err loop_add(struct loop *l, struct loop_source *source) MUST_USE;
void loop_remove(struct loop *l, struct loop_source *source); /* does nothing when not added */
/* For listeners and regular files: level-triggered reading, which can be paused and resumed. */
enum err loop_add_level(struct loop *l, struct loop_source *source) MUST_USE;
/* Nothing is told to a paused source; loop_resume tells it anew what is ready, also when it is
 * edge-triggered. */
void loop_pause(struct loop *l, struct loop_source *source);
void loop_resume(struct loop *l, struct loop_source *source);

void loop_timer_set(struct loop *l, struct loop_timer *timer, uint64_t at_ms); /* moves it if set */
void loop_timer_stop(struct loop *l, struct loop_timer *timer);

void loop_defer(struct loop *l, struct loop_task *task);
void loop_undefer(struct loop *l, struct loop_task *task);

/* Signals arrive as calls on the loop (signalfd). The signal is blocked in the calling thread and
 * those it starts later, and stays so after loop_free(); a child that runs another program must
 * unblock it. A second call for the same signal replaces the first. */
enum err loop_signal(
    struct loop *l, int signo, void (*fn)(void *user, int signo), void *user) MUST_USE;

/* Called from any other thread: runs fn(arg) on the loop soon. false: no memory. */
bool loop_post(struct loop *l, void (*fn)(void *arg), void *arg);

/* Monotonic milliseconds at the start of this turn. */
uint64_t loop_now(const struct loop *l);
/* ... and by now: for measuring what may begin and end within a turn. */
uint64_t loop_clock(void);

/* Runs until loop_stop(), which lets the turn come to its end. Returns the status given there, or
 * -1 when epoll itself fails. May be called again. */
int loop_run(struct loop *l);
void loop_stop(struct loop *l, int status);
/* One turn, waiting at most max_ms; for tests. false when stopped. */
bool loop_turn(struct loop *l, uint64_t max_ms);

#endif
