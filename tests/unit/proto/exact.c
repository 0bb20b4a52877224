#include "tests/unit/proto/exact.h"

#include <stdlib.h>
#include <string.h>

/* Decodes and encodes the first n bytes of body, copied to a place of just that size so that a
 * sanitizer sees every byte read too far. */
static enum err again_of_copy(const struct exact *e, struct bytes body, struct wire_writer *w)
{
    uint8_t *copy = malloc(body.n == 0 ? 1 : body.n);
    if (copy == NULL)
        abort();
    if (body.n > 0)
        memcpy(copy, body.p, body.n);
    struct wire_reader r = wire_reader((struct bytes){copy, body.n});
    enum err err = e->again(&r, w);
    free(copy);
    return err;
}

static void round_trip(const struct exact *e)
{
    uint8_t out[1024];
    struct wire_writer w = wire_writer(out, sizeof out);
    CU_ASSERT_EQUAL(again_of_copy(e, e->body, &w), ERR_OK);
    struct bytes written = wire_written(&w);
    if (e->number != EXACT_NO_NUMBER) {
        CU_ASSERT_FATAL(written.n > 0);
        CU_ASSERT_EQUAL(written.p[0], e->number);
        written = (struct bytes){written.p + 1, written.n - 1};
    }
    CU_ASSERT_TRUE(bytes_equal(written, e->body));
}

static void every_other_length(const struct exact *e)
{
    uint8_t longer[1024], out[1024];
    CU_ASSERT_FATAL(e->body.n < sizeof longer);
    memcpy(longer, e->body.p, e->body.n);
    longer[e->body.n] = 0;

    size_t n_fixed = e->body.n - e->n_rest;
    for (size_t n = 0; n <= e->body.n + 1; n++) {
        struct wire_writer w = wire_writer(out, sizeof out);
        bool is_good = e->has_rest ? n >= n_fixed : n == e->body.n;
        enum err want = is_good ? ERR_OK : ERR_MALFORMED;
        CU_ASSERT_EQUAL(again_of_copy(e, (struct bytes){longer, n}, &w), want);
    }
}

static void every_short_room(const struct exact *e)
{
    size_t n_whole = e->body.n + (e->number != EXACT_NO_NUMBER ? 1 : 0);
    for (size_t room = 0; room <= n_whole; room++) {
        uint8_t out[1025];
        memset(out, 0xa5, sizeof out);
        struct wire_writer w = wire_writer(out, room);
        CU_ASSERT_EQUAL(again_of_copy(e, e->body, &w), ERR_OK);
        CU_ASSERT_EQUAL(w.bad, room < n_whole);
        CU_ASSERT_EQUAL(out[room], 0xa5);
    }
}

void exact_check(const struct exact *e)
{
    round_trip(e);
    every_other_length(e);
    every_short_room(e);
}
