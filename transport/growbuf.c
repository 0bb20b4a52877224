#include "transport/growbuf.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/ct.h"

bool growbuf_move(struct growbuf *b, size_t at, size_t n, size_t cap)
{
    uint8_t *fresh = malloc(cap);
    if (fresh == NULL)
        return false;
    if (n > 0)
        memcpy(fresh, b->p + at, n);
    growbuf_free(b);
    b->p = fresh;
    b->cap = cap;
    return true;
}

bool growbuf_need(struct growbuf *b, size_t n, size_t need, size_t max)
{
    if (need <= b->cap)
        return true;
    size_t cap = b->cap < max / 2 ? 2 * b->cap : max;
    return growbuf_move(b, 0, n, cap > need ? cap : need);
}

void growbuf_free(struct growbuf *b)
{
    secure_wipe(b->p, b->cap);
    free(b->p);
    *b = (struct growbuf){NULL, 0};
}
