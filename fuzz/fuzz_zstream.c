/* An input is two bytes, of which a limit and the lengths of packets are made, and bytes. As what a
 * peer sends compressed, packet after packet, they inflate to no more than the limit. As what is to
 * be sent they come out as they went in. */
#include <string.h>

#include "fuzz/fuzz.h"
#include "transport/zstream.h"

enum { MAX_BYTES = 8192 };

static void inflate_any(struct bytes in, size_t piece, size_t limit)
{
    struct zstream *z = zstream_inflate_new();
    struct growbuf out = {.p = NULL};
    enum err e = ERR_OK;
    fuzz_require(z != NULL);
    while (in.n > 0 && e == ERR_OK) {
        size_t n, take = in.n < piece ? in.n : piece;
        e = zstream_inflate(z, (struct bytes){in.p, take}, &out, limit, &n);
        fuzz_require(e == ERR_OK || e == ERR_COMPRESSION || e == ERR_LIMIT);
        fuzz_require(e != ERR_OK || n <= limit);
        in = (struct bytes){in.p + take, in.n - take};
    }
    growbuf_free(&out);
    zstream_free(z);
}

static void there_and_back(struct bytes in, size_t piece, bool small)
{
    static uint8_t sealed[2 * MAX_BYTES];
    struct zstream *deflate = zstream_deflate_new(small), *inflate = zstream_inflate_new();
    struct growbuf out = {.p = NULL};
    fuzz_require(deflate != NULL && inflate != NULL);
    while (in.n > 0) {
        size_t n, made, take = in.n < piece ? in.n : piece;
        fuzz_require(zstream_deflate_bound(deflate, take) <= sizeof sealed);
        fuzz_require(zstream_deflate(deflate, (struct bytes){in.p, take}, sealed,
                         zstream_deflate_bound(deflate, take), &n) == ERR_OK);
        fuzz_require(
            zstream_inflate(inflate, (struct bytes){sealed, n}, &out, take + 1, &made) == ERR_OK);
        fuzz_require(made == take && memcmp(out.p, in.p, take) == 0);
        in = (struct bytes){in.p + take, in.n - take};
    }
    growbuf_free(&out);
    zstream_free(deflate);
    zstream_free(inflate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2 || n > MAX_BYTES)
        return 0;
    struct bytes in = {data + 2, n - 2};
    size_t piece = 16 + 16 * (size_t)data[1];
    inflate_any(in, piece, 1 + 128 * (size_t)data[0]);
    there_and_back(in, piece, data[0] % 2 == 0);
    return 0;
}
