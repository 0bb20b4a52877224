/* The SSH wire types of RFC 4251 section 5: a sticky reader and a writer of fixed capacity.
 *
 * The reader borrows its bytes. After the first failed read, `bad` is set, every later getter gives
 * 0 or empty, and nothing partial escapes; so a message is parsed straight through and checked once
 * with wire_done(). The writer never writes past cap: after the first overflow `bad` is set and
 * nothing more is written. Neither allocates. */
#ifndef PROTO_WIRE_H
#define PROTO_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes, always: whoever hands one out says how long it lives. p may be NULL when n is 0.
 */
struct bytes {
    const uint8_t *p;
    size_t n;
};

/* A string literal without its NUL, or a C string, as bytes. */
#define BYTES_LIT(s) ((struct bytes){(const uint8_t *)("" s), sizeof(s) - 1})
struct bytes bytes_of(const char *s);
/* Lengths and contents equal; for public values only (see crypto/ct.h for secrets). */
bool bytes_equal(struct bytes a, struct bytes b);
/* The same, against a C string. */
bool bytes_is(struct bytes a, const char *s);

struct wire_reader {
    const uint8_t *p;
    size_t left;
    bool bad;
};

struct wire_reader wire_reader(struct bytes b);
uint8_t wire_u8(struct wire_reader *r);
uint32_t wire_u32(struct wire_reader *r);
uint64_t wire_u64(struct wire_reader *r);
/* Any non-zero byte is TRUE (RFC 4251 section 5). */
bool wire_bool(struct wire_reader *r);
/* A uint32 length and that many bytes, borrowed. */
struct bytes wire_string(struct wire_reader *r);
/* An mpint that must be positive or zero and minimal: its magnitude, big-endian, without the
 * leading zero byte; zero is empty. Negative or padded numbers set bad. */
struct bytes wire_mpint(struct wire_reader *r);
/* The same for an mpint's content, without its length: false when it breaks the rule. */
bool mpint_magnitude(struct bytes content, struct bytes *magnitude);
/* n bytes without a length. */
struct bytes wire_take(struct wire_reader *r, size_t n);
/* What is left, taken. */
struct bytes wire_rest(struct wire_reader *r);
/* True when nothing failed and nothing is left over. */
bool wire_done(const struct wire_reader *r);

struct wire_writer {
    uint8_t *base;
    size_t cap;
    size_t len; /* bytes written so far */
    bool bad;
};

struct wire_writer wire_writer(uint8_t *base, size_t cap);
void wire_put_u8(struct wire_writer *w, uint8_t v);
void wire_put_u32(struct wire_writer *w, uint32_t v);
void wire_put_u64(struct wire_writer *w, uint64_t v);
void wire_put_bool(struct wire_writer *w, bool v);
void wire_put_string(struct wire_writer *w, struct bytes s);
void wire_put_cstring(struct wire_writer *w, const char *s);
/* A big-endian magnitude of any number of leading zeros, written as a minimal positive mpint. Its
 * running time depends on the number of leading zeros only. */
void wire_put_mpint(struct wire_writer *w, struct bytes magnitude);
/* Bytes without a length. */
void wire_put_raw(struct wire_writer *w, struct bytes b);
/* Room for n bytes at the end, or NULL (and bad); wire_commit() keeps the first n of them. */
uint8_t *wire_reserve(struct wire_writer *w, size_t n);
void wire_commit(struct wire_writer *w, size_t n);
/* Opens a nested string: returns the place of its length, to hand to wire_close_string(). */
size_t wire_open_string(struct wire_writer *w);
void wire_close_string(struct wire_writer *w, size_t at);
/* What was written, borrowed from base. Empty when bad. */
struct bytes wire_written(const struct wire_writer *w);

/* Big-endian words in plain memory. */
uint32_t load_be32(const uint8_t *p);
void store_be32(uint8_t *p, uint32_t v);

#endif
