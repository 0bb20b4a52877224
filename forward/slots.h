/* The loop's table of sources. What epoll carries, and what is kept of a source elsewhere, is a
 * handle: slot number and generation, never a pointer. A slot changes generation when its source
 * leaves, so an event fetched for a source that is gone by now finds nobody. */
#ifndef FORWARD_SLOTS_H
#define FORWARD_SLOTS_H

#include "forward/loop.h"

struct slot {
    struct loop_source *source; /* NULL: free */
    uint32_t generation;
    uint32_t interest; /* EPOLL bits */
    int next_free;
    bool is_polled; /* epoll watches it */
    bool is_paused;
};

struct slots {
    struct slot *table;
    int n;
    int first_free; /* -1: none */
};

void slots_init(struct slots *t);
void slots_free(struct slots *t);

/* Gives the source a slot, its number left in source->slot; NULL: no memory. Slots may move. */
struct slot *slots_take(struct slots *t, struct loop_source *source);
void slots_release(struct slots *t, struct slot *s);

uint64_t slots_handle(const struct slots *t, const struct slot *s);
/* NULL when the source the handle was made for has left. */
struct slot *slots_find(const struct slots *t, uint64_t handle);
/* NULL when the source is not in the table. */
struct slot *slots_of(const struct slots *t, const struct loop_source *source);

#endif
