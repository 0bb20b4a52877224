/* Time that belongs to the test: a program that includes this stands in front of clock_gettime()
 * and epoll_wait(). Whoever would sleep is woken at once, and the clock put forward by as long as
 * he would have slept. So hours pass in no time, events come at the very millisecond they are due,
 * and one that spins is told from one that sleeps by counting its turns.
 *
 * Both ends of every connection must be in this process; names (resolver threads) are not for here.
 */
#ifndef TESTS_FORWARD_SIMULATED_H
#define TESTS_FORWARD_SIMULATED_H

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "tests/unit/forward/rig.h"

static struct {
    uint64_t ms;      /* since the program began */
    uint64_t n_turns; /* calls of epoll_wait() */
} simulated;

/* A hundredth of a millisecond each, so that one that spins gets somewhere in the end too. */
enum { BUSY_TURNS_A_MS = 100 };

int clock_gettime(clockid_t clock, struct timespec *t)
{
    enum { BEGIN_S = 1000 };
    (void)clock;
    t->tv_sec = (time_t)(BEGIN_S + simulated.ms / 1000);
    t->tv_nsec = (long)(simulated.ms % 1000) * 1000000;
    return 0;
}

/* Loopback TCP hands over what was written with a delay of its own, so before time passes the
 * kernel gets a millisecond, which is none of ours. */
int epoll_wait(int fd, struct epoll_event *events, int max, int wait_ms)
{
    static int (*real)(int, struct epoll_event *, int, int);
    if (real == NULL) {
        void *found = dlsym(RTLD_NEXT, "epoll_wait");
        if (found == NULL)
            abort();
        memcpy(&real, &found, sizeof found);
    }
    simulated.n_turns++;
    int n = real(fd, events, max, 0);
    if (n == 0 && wait_ms != 0)
        n = real(fd, events, max, 1);
    if (n == 0 && wait_ms > 0)
        simulated.ms += (uint64_t)wait_ms;
    else
        simulated.ms += simulated.n_turns % BUSY_TURNS_A_MS == 0;
    return n;
}

/* Turns r's loop until the clock stands at ms; one that spins is caught by the turns it took. */
static inline void pass_until(struct rig *r, uint64_t ms)
{
    enum { TURNS_MOST = 1000000 };
    uint64_t before = simulated.n_turns;
    while (simulated.ms < ms && simulated.n_turns - before < TURNS_MOST)
        loop_turn(r->loop, ms - simulated.ms);
    CU_ASSERT(simulated.ms >= ms);
}

static inline void pass(struct rig *r, uint64_t ms)
{
    pass_until(r, simulated.ms + ms);
}

#endif
