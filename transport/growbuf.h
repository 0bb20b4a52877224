/* A buffer that grows by moving: old places are wiped, since any byte in it may have been a
 * password. Sizes are its user's to keep. */
#ifndef TRANSPORT_GROWBUF_H
#define TRANSPORT_GROWBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct growbuf {
    uint8_t *p;
    size_t cap;
};

/* Makes the capacity cap, and the n bytes at `at` its first ones (n <= cap). False when there is no
 * memory; then nothing has changed. */
bool growbuf_move(struct growbuf *b, size_t at, size_t n, size_t cap);
/* Sees to it that the capacity is at least need, keeping the first n bytes; at least doubles, but
 * not past max unless need is. */
bool growbuf_need(struct growbuf *b, size_t n, size_t need, size_t max);
/* Wipes and frees. */
void growbuf_free(struct growbuf *b);

#endif
