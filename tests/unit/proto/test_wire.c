#include "proto/wire.h"
#include "tests/unit/unit.h"

#include <string.h>

#define READER(literal) wire_reader(BYTES_LIT(literal))

static void integers_are_big_endian(void)
{
    struct wire_reader r = READER("\x7f\x01\x02\x03\x04\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8");
    CU_ASSERT_EQUAL(wire_u8(&r), 0x7f);
    CU_ASSERT_EQUAL(wire_u32(&r), 0x01020304);
    CU_ASSERT_EQUAL(wire_u64(&r), 0xf1f2f3f4f5f6f7f8);
    CU_ASSERT_TRUE(wire_done(&r));

    uint8_t be[4];
    store_be32(be, 0xfedcba98);
    CU_ASSERT_EQUAL(memcmp(be, "\xfe\xdc\xba\x98", 4), 0);
    CU_ASSERT_EQUAL(load_be32(be), 0xfedcba98);
}

static void any_non_zero_byte_is_true(void)
{
    for (unsigned v = 0; v < 256; v++) {
        uint8_t byte = (uint8_t)v;
        struct wire_reader r = wire_reader((struct bytes){&byte, 1});
        CU_ASSERT_EQUAL(wire_bool(&r), v != 0);
    }
}

static void a_failed_read_fails_every_later_one(void)
{
    struct wire_reader r = READER("\1\2\3");
    CU_ASSERT_EQUAL(wire_u32(&r), 0);
    CU_ASSERT_TRUE(r.bad);
    /* Three bytes are still there, and none of them is given out. */
    CU_ASSERT_EQUAL(wire_u8(&r), 0);
    CU_ASSERT_EQUAL(wire_u64(&r), 0);
    CU_ASSERT_FALSE(wire_bool(&r));
    CU_ASSERT_EQUAL(wire_take(&r, 0).n, 0);
    CU_ASSERT_EQUAL(wire_take(&r, 1).n, 0);
    CU_ASSERT_EQUAL(wire_string(&r).n, 0);
    CU_ASSERT_EQUAL(wire_mpint(&r).n, 0);
    CU_ASSERT_EQUAL(wire_rest(&r).n, 0);
    CU_ASSERT_FALSE(wire_done(&r));
}

static void a_reader_of_nothing_is_done_and_gives_nothing(void)
{
    struct wire_reader r = wire_reader((struct bytes){NULL, 0});
    CU_ASSERT_TRUE(wire_done(&r));
    CU_ASSERT_EQUAL(wire_rest(&r).n, 0);
    CU_ASSERT_EQUAL(wire_take(&r, 0).n, 0);
    CU_ASSERT_TRUE(wire_done(&r));
    CU_ASSERT_EQUAL(wire_u8(&r), 0);
    CU_ASSERT_FALSE(wire_done(&r));
}

static void what_is_left_over_is_not_done(void)
{
    struct wire_reader r = READER("\0\0\0\1ab");
    CU_ASSERT_TRUE(bytes_is(wire_string(&r), "a"));
    CU_ASSERT_FALSE(wire_done(&r));
    CU_ASSERT_TRUE(bytes_is(wire_rest(&r), "b"));
    CU_ASSERT_TRUE(wire_done(&r));
}

/* Every promised length against every length that is there. */
static void a_string_is_given_whole_or_not_at_all(void)
{
    for (uint32_t promised = 0; promised < 80; promised++) {
        for (size_t there = 0; there < 64; there++) {
            uint8_t in[4 + 64] = {0};
            store_be32(in, promised);
            struct wire_reader r = wire_reader((struct bytes){in, 4 + there});
            struct bytes s = wire_string(&r);
            CU_ASSERT_EQUAL(r.bad, promised > there);
            CU_ASSERT_EQUAL(s.n, promised > there ? 0 : promised);
            CU_ASSERT_EQUAL(wire_done(&r), promised == there);
        }
    }
}

static void lengths_near_two_to_the_32_do_not_wrap(void)
{
    static const uint32_t lengths[] = {0x7fffffff, 0x80000000, 0xfffffff0, 0xfffffffc, 0xffffffff};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        uint8_t in[16] = {0};
        store_be32(in, lengths[i]);
        struct wire_reader r = wire_reader((struct bytes){in, sizeof in});
        CU_ASSERT_EQUAL(wire_string(&r).n, 0);
        CU_ASSERT_TRUE(r.bad);
    }
    struct wire_reader r = READER("abc");
    CU_ASSERT_EQUAL(wire_take(&r, SIZE_MAX).n, 0);
    CU_ASSERT_TRUE(r.bad);
}

static bool mpint_reads_as(struct bytes wire, const char *magnitude)
{
    uint8_t want[32];
    size_t n = unit_hex(magnitude, want, sizeof want);
    struct wire_reader r = wire_reader(wire);
    return bytes_equal(wire_mpint(&r), (struct bytes){want, n}) && wire_done(&r);
}

static bool mpint_is_refused(struct bytes wire)
{
    struct wire_reader r = wire_reader(wire);
    return wire_mpint(&r).n == 0 && r.bad;
}

static void positive_mpints_of_RFC_4251_are_read(void)
{
    CU_ASSERT_TRUE(mpint_reads_as(BYTES_LIT("\0\0\0\0"), ""));
    CU_ASSERT_TRUE(mpint_reads_as(
        BYTES_LIT("\0\0\0\x08\x09\xa3\x78\xf9\xb2\xe3\x32\xa7"), "09a378f9b2e332a7"));
    CU_ASSERT_TRUE(mpint_reads_as(BYTES_LIT("\0\0\0\2\0\x80"), "80"));
    CU_ASSERT_TRUE(mpint_reads_as(BYTES_LIT("\0\0\0\1\x7f"), "7f"));
}

static void negative_and_padded_mpints_are_refused(void)
{
    CU_ASSERT_TRUE(mpint_is_refused(BYTES_LIT("\0\0\0\2\xed\xcc"))); /* -1234, RFC 4251 */
    CU_ASSERT_TRUE(mpint_is_refused(BYTES_LIT("\0\0\0\5\xff\x21\x52\x41\x11")));
    CU_ASSERT_TRUE(mpint_is_refused(BYTES_LIT("\0\0\0\1\x80")));
    CU_ASSERT_TRUE(mpint_is_refused(BYTES_LIT("\0\0\0\1\0"))); /* zero has no byte */
    CU_ASSERT_TRUE(mpint_is_refused(BYTES_LIT("\0\0\0\2\0\x7f")));
    CU_ASSERT_TRUE(mpint_is_refused(BYTES_LIT("\0\0\0\3\0\0\x80")));
    CU_ASSERT_TRUE(mpint_is_refused(BYTES_LIT("\0\0\0\2\1"))); /* one byte short */
}

static bool mpint_is_written_as(struct bytes magnitude, struct bytes wire)
{
    uint8_t out[64];
    struct wire_writer w = wire_writer(out, sizeof out);
    wire_put_mpint(&w, magnitude);
    return bytes_equal(wire_written(&w), wire);
}

static void mpints_are_written_minimal_and_positive(void)
{
    CU_ASSERT_TRUE(mpint_is_written_as(BYTES_LIT(""), BYTES_LIT("\0\0\0\0")));
    CU_ASSERT_TRUE(mpint_is_written_as((struct bytes){NULL, 0}, BYTES_LIT("\0\0\0\0")));
    CU_ASSERT_TRUE(mpint_is_written_as(BYTES_LIT("\0\0\0"), BYTES_LIT("\0\0\0\0")));
    CU_ASSERT_TRUE(mpint_is_written_as(BYTES_LIT("\0\0\x7f\0"), BYTES_LIT("\0\0\0\2\x7f\0")));
    CU_ASSERT_TRUE(mpint_is_written_as(BYTES_LIT("\0\x80"), BYTES_LIT("\0\0\0\2\0\x80")));
    CU_ASSERT_TRUE(mpint_is_written_as(BYTES_LIT("\xff\xff"), BYTES_LIT("\0\0\0\3\0\xff\xff")));
}

static void write_one_of_each(struct wire_writer *w)
{
    wire_put_u8(w, 0xab);
    wire_put_u32(w, 0x01020304);
    wire_put_u64(w, 0x1112131415161718);
    wire_put_bool(w, true);
    wire_put_string(w, BYTES_LIT("xy"));
    wire_put_cstring(w, "z");
    wire_put_mpint(w, BYTES_LIT("\x90"));
    wire_put_raw(w, BYTES_LIT("raw"));
    size_t at = wire_open_string(w);
    wire_put_cstring(w, "in");
    wire_close_string(w, at);
}

static const char each_written[] = "\xab\1\2\3\4\x11\x12\x13\x14\x15\x16\x17\x18\1\0\0\0\2xy"
                                   "\0\0\0\1z\0\0\0\2\0\x90raw\0\0\0\6\0\0\0\2in";

static void everything_is_written_in_order(void)
{
    uint8_t out[sizeof each_written - 1]; /* just enough */
    struct wire_writer w = wire_writer(out, sizeof out);
    write_one_of_each(&w);
    CU_ASSERT_FALSE(w.bad);
    CU_ASSERT_EQUAL(w.len, sizeof out);
    CU_ASSERT_EQUAL(memcmp(out, each_written, sizeof out), 0);
}

static void a_writer_without_room_is_bad_and_stays_inside(void)
{
    for (size_t cap = 0; cap < sizeof each_written - 1; cap++) {
        uint8_t out[sizeof each_written];
        memset(out, 0xa5, sizeof out);
        struct wire_writer w = wire_writer(out, cap);
        write_one_of_each(&w);
        CU_ASSERT_TRUE(w.bad);
        CU_ASSERT_EQUAL(wire_written(&w).n, 0);
        for (size_t i = cap; i < sizeof out; i++)
            CU_ASSERT_EQUAL(out[i], 0xa5);
    }
}

static void after_an_overflow_what_would_fit_is_not_written(void)
{
    uint8_t out[4] = {0};
    struct wire_writer w = wire_writer(out, sizeof out);
    wire_put_u64(&w, 1);
    CU_ASSERT_TRUE(w.bad);
    wire_put_u8(&w, 0xff);
    CU_ASSERT_EQUAL(w.len, 0);
    CU_ASSERT_EQUAL(out[0], 0);
    CU_ASSERT_PTR_NULL(wire_reserve(&w, 1));
    wire_commit(&w, 1);
    CU_ASSERT_EQUAL(w.len, 0);
}

static void reserved_room_counts_once_it_is_committed(void)
{
    uint8_t out[8];
    struct wire_writer w = wire_writer(out, sizeof out);
    uint8_t *room = wire_reserve(&w, 8);
    CU_ASSERT_PTR_EQUAL_FATAL(room, out);
    memcpy(room, "abc", 3);
    CU_ASSERT_EQUAL(w.len, 0);
    wire_commit(&w, 3);
    CU_ASSERT_TRUE(bytes_is(wire_written(&w), "abc"));
    CU_ASSERT_PTR_EQUAL(wire_reserve(&w, 5), out + 3);
    CU_ASSERT_PTR_NULL(wire_reserve(&w, 6));
    CU_ASSERT_TRUE(w.bad);
}

static void reserving_more_than_memory_has_is_refused(void)
{
    uint8_t out[8];
    struct wire_writer w = wire_writer(out, sizeof out);
    wire_put_u8(&w, 1);
    CU_ASSERT_PTR_NULL(wire_reserve(&w, SIZE_MAX));
    struct wire_writer nothing = wire_writer(NULL, 0);
    wire_put_raw(&nothing, (struct bytes){NULL, 0});
    CU_ASSERT_FALSE(nothing.bad);
    CU_ASSERT_PTR_NULL(wire_reserve(&nothing, 0));
}

static void nested_strings_get_their_lengths(void)
{
    uint8_t out[32];
    struct wire_writer w = wire_writer(out, sizeof out);
    size_t outer = wire_open_string(&w);
    size_t empty = wire_open_string(&w);
    wire_close_string(&w, empty);
    size_t inner = wire_open_string(&w);
    wire_put_u8(&w, 'q');
    wire_close_string(&w, inner);
    wire_close_string(&w, outer);
    CU_ASSERT_TRUE(bytes_equal(wire_written(&w), BYTES_LIT("\0\0\0\x09\0\0\0\0\0\0\0\1q")));
}

#if SIZE_MAX > UINT32_MAX
/* The length is looked at before the bytes are, so no place of that size is needed. */
static void a_string_that_its_length_cannot_tell_is_refused(void)
{
    uint8_t out[8] = {0};
    struct wire_writer w = wire_writer(out, sizeof out);
    wire_put_string(&w, (struct bytes){out, (size_t)UINT32_MAX + 1});
    CU_ASSERT_TRUE(w.bad);
    CU_ASSERT_EQUAL(w.len, 0);
}
#endif

static void bytes_are_compared_by_length_and_contents(void)
{
    CU_ASSERT_TRUE(bytes_equal(BYTES_LIT("ab"), bytes_of("ab")));
    CU_ASSERT_FALSE(bytes_equal(BYTES_LIT("ab"), BYTES_LIT("abc")));
    CU_ASSERT_FALSE(bytes_equal(BYTES_LIT("ab"), BYTES_LIT("aB")));
    CU_ASSERT_TRUE(bytes_equal((struct bytes){NULL, 0}, BYTES_LIT("")));
    CU_ASSERT_TRUE(bytes_is((struct bytes){NULL, 0}, ""));
    CU_ASSERT_FALSE(bytes_is(BYTES_LIT("ab\0"), "ab"));
}

static const struct unit_test tests[] = {
    UNIT(integers_are_big_endian),
    UNIT(any_non_zero_byte_is_true),
    UNIT(a_failed_read_fails_every_later_one),
    UNIT(a_reader_of_nothing_is_done_and_gives_nothing),
    UNIT(what_is_left_over_is_not_done),
    UNIT(a_string_is_given_whole_or_not_at_all),
    UNIT(lengths_near_two_to_the_32_do_not_wrap),
    UNIT(positive_mpints_of_RFC_4251_are_read),
    UNIT(negative_and_padded_mpints_are_refused),
    UNIT(mpints_are_written_minimal_and_positive),
    UNIT(everything_is_written_in_order),
    UNIT(a_writer_without_room_is_bad_and_stays_inside),
    UNIT(after_an_overflow_what_would_fit_is_not_written),
    UNIT(reserved_room_counts_once_it_is_committed),
    UNIT(reserving_more_than_memory_has_is_refused),
    UNIT(nested_strings_get_their_lengths),
#if SIZE_MAX > UINT32_MAX
    UNIT(a_string_that_its_length_cannot_tell_is_refused),
#endif
    UNIT(bytes_are_compared_by_length_and_contents),
};

UNIT_MAIN("wire", tests)
