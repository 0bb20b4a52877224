/* Channel numbers to channels, both ways in constant time.
 *
 * Free numbers wait in a FIFO threaded through the slots, and the table grows before the last of
 * them is needed: so a number is used again only after at least TABLE_REST others, and a late
 * message to a freed number finds no channel instead of a stranger's.
 *
 *     slots[id].chan       the channel, NULL while id is free
 *     slots[id].next_free  the free number behind id in the FIFO */
#include "channel/engine.h"

#include <stdlib.h>

enum {
    TABLE_START = 64,
    TABLE_REST = 32,     /* free numbers kept in hand */
    TABLE_MAX = 1 << 24, /* far above any use; keeps the arithmetic below 2^32 */
};
_Static_assert(sizeof(struct table_slot) <= 16, "a channel's share of the table stays small");

void table_init(struct table *t, uint32_t max_chans)
{
    *t = (struct table){.max_chans = max_chans < TABLE_MAX ? max_chans : TABLE_MAX};
}

void table_clear(struct table *t)
{
    for (uint32_t id = 0; id < t->n_slots; id++)
        free(t->slots[id].chan);
    free(t->slots);
    *t = (struct table){.max_chans = t->max_chans};
}

uint32_t table_n_used(const struct table *t)
{
    return t->n_slots - t->n_free;
}

struct chan *table_find(const struct table *t, uint32_t id)
{
    return id < t->n_slots ? t->slots[id].chan : NULL;
}

static void free_push(struct table *t, uint32_t id)
{
    t->slots[id].chan = NULL;
    if (t->n_free > 0)
        t->slots[t->last_free].next_free = id;
    else
        t->first_free = id;
    t->last_free = id;
    t->n_free++;
}

static uint32_t free_pop(struct table *t)
{
    uint32_t id = t->first_free;
    t->first_free = t->slots[id].next_free;
    t->n_free--;
    return id;
}

static void table_grow(struct table *t)
{
    uint32_t limit = t->max_chans + TABLE_REST;
    uint32_t n = t->n_slots == 0 ? TABLE_START : t->n_slots * 2;
    if (n > limit)
        n = limit;
    if (n <= t->n_slots)
        return;
    struct table_slot *slots = realloc(t->slots, n * sizeof *slots);
    if (slots == NULL)
        return; /* not yet an error: free numbers may be left */
    t->slots = slots;
    for (uint32_t id = t->n_slots; id < n; id++)
        free_push(t, id);
    t->n_slots = n;
}

enum err table_add(struct table *t, struct chan *c)
{
    if (table_n_used(t) >= t->max_chans)
        return ERR_LIMIT;
    if (t->n_free <= TABLE_REST)
        table_grow(t);
    if (t->n_free == 0)
        return ERR_NOMEM;
    c->id = free_pop(t);
    t->slots[c->id].chan = c;
    return ERR_OK;
}

void table_remove(struct table *t, struct chan *c)
{
    free_push(t, c->id);
}
