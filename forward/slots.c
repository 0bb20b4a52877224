#include "forward/slots.h"

#include <limits.h>
#include <stdlib.h>

enum { NO_SLOT = -1 };

void slots_init(struct slots *t)
{
    *t = (struct slots){.first_free = NO_SLOT};
}

void slots_free(struct slots *t)
{
    free(t->table);
}

static bool grow(struct slots *t)
{
    if (t->n > INT_MAX / 2)
        return false;
    int n = t->n == 0 ? 16 : t->n * 2;
    struct slot *bigger = realloc(t->table, (size_t)n * sizeof *bigger);
    if (bigger == NULL)
        return false;
    t->table = bigger;
    for (int i = n - 1; i >= t->n; i--) {
        bigger[i] = (struct slot){.next_free = t->first_free};
        t->first_free = i;
    }
    t->n = n;
    return true;
}

struct slot *slots_take(struct slots *t, struct loop_source *source)
{
    if (t->first_free == NO_SLOT && !grow(t))
        return NULL;
    struct slot *s = &t->table[t->first_free];
    source->slot = t->first_free;
    t->first_free = s->next_free;
    s->source = source;
    s->is_polled = s->is_paused = false;
    return s;
}

void slots_release(struct slots *t, struct slot *s)
{
    s->source->slot = NO_SLOT;
    s->source = NULL;
    s->generation++;
    s->next_free = t->first_free;
    t->first_free = (int)(s - t->table);
}

uint64_t slots_handle(const struct slots *t, const struct slot *s)
{
    return (uint64_t)s->generation << 32 | (uint32_t)(s - t->table);
}

struct slot *slots_find(const struct slots *t, uint64_t handle)
{
    struct slot *s = &t->table[(uint32_t)handle];
    return s->source != NULL && s->generation == (uint32_t)(handle >> 32) ? s : NULL;
}

struct slot *slots_of(const struct slots *t, const struct loop_source *source)
{
    if (source->slot < 0 || source->slot >= t->n)
        return NULL;
    struct slot *s = &t->table[source->slot];
    return s->source == source ? s : NULL;
}
