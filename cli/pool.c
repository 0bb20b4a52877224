#include "cli/pool.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One allocation each: options are few, and a sanitizer then sees every overrun. */
struct pool_block {
    struct pool_block *next;
    max_align_t room[];
};

void *pool_alloc(struct pool *p, size_t n)
{
    if (n > SIZE_MAX - sizeof(struct pool_block))
        return NULL;
    struct pool_block *b = calloc(1, sizeof *b + n);
    if (b == NULL)
        return NULL;
    b->next = p->blocks;
    p->blocks = b;
    return b->room;
}

char *pool_strndup(struct pool *p, const char *s, size_t n)
{
    char *copy = pool_alloc(p, n + 1);
    if (copy != NULL)
        memcpy(copy, s, n);
    return copy;
}

char *pool_strdup(struct pool *p, const char *s)
{
    return pool_strndup(p, s, strlen(s));
}

char *pool_printf(struct pool *p, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = n < 0 ? NULL : pool_alloc(p, (size_t)n + 1);
    if (text != NULL)
        vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    return text;
}

void pool_free(struct pool *p)
{
    while (p->blocks != NULL) {
        struct pool_block *next = p->blocks->next;
        free(p->blocks);
        p->blocks = next;
    }
}

bool text_list_add(struct pool *p, struct text_list *list, const char *s)
{
    if (list->n == list->cap) {
        size_t cap = list->cap == 0 ? 4 : 2 * list->cap;
        const char **items = pool_alloc(p, cap * sizeof *items);
        if (items == NULL)
            return false;
        if (list->n > 0)
            memcpy(items, list->items, list->n * sizeof *items);
        list->items = items;
        list->cap = cap;
    }
    list->items[list->n++] = s;
    return true;
}

bool text_list_has(const struct text_list *list, const char *s)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->items[i], s) == 0)
            return true;
    return false;
}
