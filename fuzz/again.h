/* Whatever decodes must encode back to the very same bytes: the check that the targets for messages
 * share. An input is a message as it travels, its number first; the type-specific parts, which have
 * none, get numbers that are free. */
#ifndef FUZZ_AGAIN_H
#define FUZZ_AGAIN_H

#include "fuzz/fuzz.h"
#include "proto/msg.h"

struct again {
    /* Decodes the body and, when that went well, encodes it. NULL: no such message. */
    enum err (*run)(uint8_t number, struct wire_reader *r, struct wire_writer *w);
    bool is_part;    /* encoded without a number */
    bool drops_tail; /* ends in a language tag or a reserved word, written as four zero bytes */
};

/* table has 256 places, one a number. */
void again_check(const struct again *table, const uint8_t *data, size_t n);

/* Defines again_NAME for a message of the plain shape, and for one that is told its number. */
#define AGAIN_AS(name, encode)                                                                     \
    static enum err again_##name(uint8_t number, struct wire_reader *r, struct wire_writer *w)     \
    {                                                                                              \
        struct msg_##name m;                                                                       \
        enum err e = msg_##name##_decode(r, &m);                                                   \
        (void)number;                                                                              \
        if (e == ERR_OK)                                                                           \
            encode;                                                                                \
        return e;                                                                                  \
    }
#define AGAIN(name)          AGAIN_AS(name, msg_##name##_encode(w, &m))
#define AGAIN_NUMBERED(name) AGAIN_AS(name, msg_##name##_encode(w, number, &m))

#endif
