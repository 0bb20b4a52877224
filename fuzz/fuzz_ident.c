/* An input is what a peer sends before its first packet. However it is cut, the same lines come. */
#include <string.h>

#include "fuzz/fuzz.h"
#include "proto/ident.h"

enum { MAX_BYTES = 400 }; /* some lines, or one that is too long */

struct story {
    enum ident_status status; /* how it ended */
    size_t n_lines, n_used;
    struct ident ident;
};

static void check_step(enum ident_status status, struct bytes in, size_t used, struct ident *ident)
{
    bool is_line = status == IDENT_LINE || status == IDENT_FOUND;
    fuzz_require(is_line ? used > 0 && used <= in.n && in.p[used - 1] == '\n' : used == 0);
    if (!is_line)
        return;
    fuzz_require(ident->line.p == in.p && ident->line.n < used);
    fuzz_require(memchr(in.p, '\n', used) == in.p + used - 1);
    for (size_t i = 0; i < ident->line.n; i++)
        fuzz_require(ident->line.p[i] >= ' ' || ident->line.p[i] == '\t');
    bool is_version = ident->line.n >= 4 && memcmp(ident->line.p, "SSH-", 4) == 0;
    fuzz_require(is_version == (status == IDENT_FOUND));
    fuzz_require(!is_version || used <= IDENT_MAX_BYTES);
    fuzz_require(!is_version || ident->line.n - ident->software.n >= 8);
}

/* Reads on by `step` bytes whenever more is wanted, until the version is found. */
static struct story read_in_steps(struct bytes in, size_t step)
{
    struct story s = {.status = IDENT_MORE};
    size_t n_there = 0;
    for (;;) {
        struct bytes there = {in.p + s.n_used, n_there - s.n_used};
        size_t used;
        s.status = ident_parse(there, &used, &s.ident);
        check_step(s.status, there, used, &s.ident);
        s.n_used += used;
        if (s.status == IDENT_LINE)
            s.n_lines++;
        else if (s.status != IDENT_MORE || n_there == in.n)
            return s;
        else
            n_there = in.n - n_there > step ? n_there + step : in.n;
    }
}

static void is_the_same(const struct story *a, const struct story *b)
{
    fuzz_require(a->status == b->status && a->n_lines == b->n_lines && a->n_used == b->n_used);
    if (a->status == IDENT_FOUND)
        fuzz_require(bytes_equal(a->ident.line, b->ident.line) &&
                     bytes_equal(a->ident.software, b->ident.software));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0 || n > MAX_BYTES)
        return 0;
    struct bytes in = {data, n};
    struct story whole = read_in_steps(in, n);
    struct story in_parts = read_in_steps(in, 1 + data[n - 1] % 64);
    is_the_same(&in_parts, &whole);
    return 0;
}
