/* Memory that lives and dies together: everything a struct options points to. Nothing is freed
 * one by one. Every call gives NULL when there is no memory; it is zeroed otherwise. */
#ifndef CLI_POOL_H
#define CLI_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct pool_block;

struct pool { /* all zero: empty */
    struct pool_block *blocks;
};

void *pool_alloc(struct pool *p, size_t n);
char *pool_strndup(struct pool *p, const char *s, size_t n);
char *pool_strdup(struct pool *p, const char *s);
char *pool_printf(struct pool *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
void pool_free(struct pool *p); /* empty again afterwards */

/* A list of strings in a pool. */
struct text_list {
    const char **items;
    size_t n;
    size_t cap;
};
/* Appends s itself, not a copy of it. false: no memory, the list is as it was. */
bool text_list_add(struct pool *p, struct text_list *list, const char *s);
bool text_list_has(const struct text_list *list, const char *s);

#endif
