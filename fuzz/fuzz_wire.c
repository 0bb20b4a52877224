/* The reader against the writer: an input is a number of steps, the steps, and the bytes they read.
 * What is read is written again, and must be what was read. */
#include "fuzz/fuzz.h"
#include "proto/wire.h"

enum { MAX_BYTES = 4096, N_KINDS = 7 };

static void step(uint8_t kind, struct wire_reader *r, struct wire_writer *w)
{
    switch (kind % N_KINDS) {
    case 0: wire_put_u8(w, wire_u8(r)); break;
    case 1: wire_put_u32(w, wire_u32(r)); break;
    case 2: wire_put_u64(w, wire_u64(r)); break;
    case 3: wire_put_string(w, wire_string(r)); break;
    case 4: wire_put_mpint(w, wire_mpint(r)); break;
    case 5: wire_put_raw(w, wire_take(r, kind)); break;
    case 6: {
        size_t at = wire_open_string(w);
        wire_put_raw(w, wire_string(r));
        wire_close_string(w, at);
        break;
    }
    default: break;
    }
}

static void nothing_escapes(struct wire_reader *r)
{
    fuzz_require(wire_u8(r) == 0 && wire_u32(r) == 0 && wire_u64(r) == 0 && !wire_bool(r));
    fuzz_require(wire_string(r).n == 0 && wire_mpint(r).n == 0 && wire_rest(r).n == 0);
    fuzz_require(wire_take(r, 0).n == 0 && !wire_done(r));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0 || n > MAX_BYTES || n - 1 < data[0] % 32)
        return 0;
    size_t n_steps = data[0] % 32;
    struct bytes in = {data + 1 + n_steps, n - 1 - n_steps};
    uint8_t out[MAX_BYTES];
    struct wire_reader r = wire_reader(in);
    struct wire_writer w = wire_writer(out, sizeof out);
    for (size_t i = 0; i < n_steps && !r.bad; i++)
        step(data[1 + i], &r, &w);
    if (r.bad) {
        nothing_escapes(&r);
        return 0;
    }
    fuzz_require(r.left <= in.n && !w.bad);
    fuzz_require(bytes_equal(wire_written(&w), (struct bytes){in.p, in.n - r.left}));
    fuzz_require(wire_rest(&r).n == in.n - w.len && wire_done(&r));
    return 0;
}
