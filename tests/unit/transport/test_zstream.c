#include <string.h>

#include "tests/unit/unit.h"
#include "transport/zstream.h"

static void what_goes_in_comes_out_packet_by_packet(void)
{
    for (int small = 0; small < 2; small++) {
        struct zstream *in = zstream_deflate_new(small), *out = zstream_inflate_new();
        struct growbuf plain = {NULL, 0};
        static uint8_t text[40000], packed[50000];
        for (size_t n = 1; n < sizeof text; n = n * 2 + 1) {
            for (size_t i = 0; i < n; i++)
                text[i] = (uint8_t)(i * i % 251);
            size_t n_packed = 0, n_plain = 0;
            CU_ASSERT(zstream_deflate_bound(in, n) <= sizeof packed);
            CU_ASSERT_EQUAL(zstream_deflate(in, (struct bytes){text, n}, packed,
                                zstream_deflate_bound(in, n), &n_packed),
                ERR_OK);
            CU_ASSERT_EQUAL(zstream_inflate(out, (struct bytes){packed, n_packed}, &plain,
                                sizeof text, &n_plain),
                ERR_OK);
            CU_ASSERT_EQUAL_FATAL(n_plain, n);
            CU_ASSERT_EQUAL(memcmp(plain.p, text, n), 0);
        }
        zstream_free(in);
        zstream_free(out);
        growbuf_free(&plain);
    }
}

static void inflating_stops_at_the_limit_and_takes_no_more_memory(void)
{
    struct zstream *in = zstream_deflate_new(false), *out = zstream_inflate_new();
    struct growbuf plain = {NULL, 0};
    static uint8_t zeros[1000000], packed[10000];
    size_t n = 0, n_plain = 0;
    CU_ASSERT_EQUAL(
        zstream_deflate(in, (struct bytes){zeros, sizeof zeros}, packed, sizeof packed, &n),
        ERR_OK);
    CU_ASSERT_EQUAL(
        zstream_inflate(out, (struct bytes){packed, n}, &plain, 35000, &n_plain), ERR_LIMIT);
    CU_ASSERT_EQUAL(plain.cap, 35000);
    zstream_free(in);
    zstream_free(out);
    growbuf_free(&plain);
}

static void too_little_room_to_deflate_to_is_an_error(void)
{
    struct zstream *in = zstream_deflate_new(false);
    uint8_t packed[4];
    size_t n = 0;
    CU_ASSERT_EQUAL(
        zstream_deflate(in, BYTES_LIT("abcdefgh"), packed, sizeof packed, &n), ERR_COMPRESSION);
    zstream_free(in);
    zstream_free(NULL);
}

static void a_stream_that_ends_or_lies_is_an_error(void)
{
    static const uint8_t ended[] = {0x78, 0x9c, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01};
    static const uint8_t bad[] = {0x78, 0x9c, 0xff, 0xff};
    struct growbuf plain = {NULL, 0};
    struct zstream *out = zstream_inflate_new();
    size_t n;
    CU_ASSERT_EQUAL(zstream_inflate(out, (struct bytes){ended, sizeof ended}, &plain, 100, &n),
        ERR_COMPRESSION);
    zstream_free(out);
    out = zstream_inflate_new();
    CU_ASSERT_EQUAL(
        zstream_inflate(out, (struct bytes){bad, sizeof bad}, &plain, 100, &n), ERR_COMPRESSION);
    zstream_free(out);
    growbuf_free(&plain);
}

static const struct unit_test tests[] = {
    UNIT(what_goes_in_comes_out_packet_by_packet),
    UNIT(inflating_stops_at_the_limit_and_takes_no_more_memory),
    UNIT(too_little_room_to_deflate_to_is_an_error),
    UNIT(a_stream_that_ends_or_lies_is_an_error),
};
UNIT_MAIN("zstream", tests)
