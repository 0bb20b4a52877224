/* Inputs that are a row of turns, for targets with a conversation: a byte that picks what our side
 * does next, a length (one byte, or 255 and two more), and that many bytes from the peer. */
#ifndef FUZZ_TURNS_H
#define FUZZ_TURNS_H

#include "proto/wire.h"

/* False at the end of the input. A length past it is what is left. */
static inline bool turns_next(struct wire_reader *r, uint8_t *pick, struct bytes *payload)
{
    *pick = wire_u8(r);
    size_t n = wire_u8(r);
    if (n == 255) {
        n = (size_t)wire_u8(r) << 8;
        n |= wire_u8(r);
    }
    *payload = wire_take(r, n < r->left ? n : r->left);
    return !r->bad;
}

#endif
