/* What every message codec must do, checked in one place: the body decodes and is encoded back to
 * the very same bytes; every strict prefix is malformed, and so is one byte too many; an encoder
 * without room says so. */
#ifndef TESTS_UNIT_PROTO_EXACT_H
#define TESTS_UNIT_PROTO_EXACT_H

#include "proto/msg.h"
#include "tests/unit/unit.h"

enum { EXACT_NO_NUMBER = -1 }; /* type-specific parts are written without one */

struct exact {
    enum err (*again)(struct wire_reader *r, struct wire_writer *w); /* decode, then encode */
    int number;        /* of the message, or EXACT_NO_NUMBER */
    struct bytes body; /* behind the number */
    size_t n_rest;     /* bytes at the end of body that are an undecoded rest, of any length */
    bool has_rest;
};

/* Asserts all of it. */
void exact_check(const struct exact *e);

/* Defines again_NAME for a message of the plain shape. */
#define EXACT_AGAIN(name)                                                                          \
    static enum err again_##name(struct wire_reader *r, struct wire_writer *w)                     \
    {                                                                                              \
        struct msg_##name m;                                                                       \
        enum err e = msg_##name##_decode(r, &m);                                                   \
        if (e == ERR_OK)                                                                           \
            msg_##name##_encode(w, &m);                                                            \
        return e;                                                                                  \
    }

/* The same for a message that is told its number. */
#define EXACT_AGAIN_NUMBERED(name, number)                                                         \
    static enum err again_##name(struct wire_reader *r, struct wire_writer *w)                     \
    {                                                                                              \
        struct msg_##name m;                                                                       \
        enum err e = msg_##name##_decode(r, &m);                                                   \
        if (e == ERR_OK)                                                                           \
            msg_##name##_encode(w, number, &m);                                                    \
        return e;                                                                                  \
    }

/* A reader over the bytes of a string literal, as a test's one line. */
#define READER(literal) wire_reader(BYTES_LIT(literal))

#endif
