/* The heap of a loop's timers, soonest on top. It lives inside the timers themselves, so that
 * setting one allocates nothing and cannot fail. */
#ifndef FORWARD_TIMERS_H
#define FORWARD_TIMERS_H

#include "forward/loop.h"

/* Adds t, not in any heap (place is 0), by its at_ms. */
void timers_insert(struct loop_timer **root, struct loop_timer *t);
/* Takes t, which is in this heap, out of it. */
void timers_remove(struct loop_timer **root, struct loop_timer *t);

#endif
