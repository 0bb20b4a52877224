#include "fuzz/again.h"

#include <string.h>

enum { MAX_BYTES = 4096 };

/* The same bytes, but that TRUE may travel as any non-zero byte and is written as 1. */
static bool is_same(const uint8_t *in, const uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (in[i] != out[i] && !(out[i] == 1 && in[i] > 1))
            return false;
    return true;
}

static enum err run(const struct again *a, uint8_t number, struct bytes body, struct wire_writer *w)
{
    struct wire_reader r = wire_reader(body);
    enum err e = a->run(number, &r, w);
    fuzz_require(e == ERR_OK || e == ERR_MALFORMED);
    return e;
}

/* The body of what was written, after its number if it has one. */
static struct bytes body_of(const struct again *a, uint8_t number, const struct wire_writer *w)
{
    fuzz_require(!w->bad);
    struct bytes out = wire_written(w);
    if (a->is_part)
        return out;
    fuzz_require(out.n > 0 && out.p[0] == number);
    return (struct bytes){out.p + 1, out.n - 1};
}

void again_check(const struct again *table, const uint8_t *data, size_t n)
{
    if (n == 0 || n > MAX_BYTES || table[data[0]].run == NULL)
        return;
    const struct again *a = &table[data[0]];
    struct bytes in = {data + 1, n - 1};
    uint8_t first[MAX_BYTES + 8], second[MAX_BYTES + 8];
    struct wire_writer w = wire_writer(first, sizeof first);
    if (run(a, data[0], in, &w) != ERR_OK)
        return;

    struct bytes out = body_of(a, data[0], &w);
    size_t n_tail = a->drops_tail ? 4 : 0;
    fuzz_require(a->drops_tail ? out.n <= in.n && out.n >= n_tail : out.n == in.n);
    fuzz_require(is_same(in.p, out.p, out.n - n_tail));
    fuzz_require(memcmp(out.p + out.n - n_tail, "\0\0\0\0", n_tail) == 0);

    w = wire_writer(second, sizeof second);
    fuzz_require(run(a, data[0], out, &w) == ERR_OK);
    fuzz_require(bytes_equal(body_of(a, data[0], &w), out));
}
