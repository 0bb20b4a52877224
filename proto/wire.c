#include "proto/wire.h"

#include <assert.h>
#include <string.h>

/* Pointers are moved by n only when n > 0: a reader or writer of nothing may hold NULL, and adding
 * even zero to NULL is undefined, as is handing NULL to memcpy and memcmp. */

struct bytes bytes_of(const char *s)
{
    return (struct bytes){(const uint8_t *)s, strlen(s)};
}

bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool bytes_is(struct bytes a, const char *s)
{
    return bytes_equal(a, bytes_of(s));
}

uint32_t load_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

void store_be32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

/* ---- The reader -------------------------------------------------------------------------- */

struct wire_reader wire_reader(struct bytes b)
{
    return (struct wire_reader){.p = b.p, .left = b.n};
}

/* Every other getter goes through here, so this is the one length check there is. */
struct bytes wire_take(struct wire_reader *r, size_t n)
{
    if (r->bad || n > r->left) {
        r->bad = true;
        return (struct bytes){NULL, 0};
    }
    struct bytes taken = {r->p, n};
    if (n > 0)
        r->p += n;
    r->left -= n;
    return taken;
}

struct bytes wire_rest(struct wire_reader *r)
{
    return wire_take(r, r->left);
}

bool wire_done(const struct wire_reader *r)
{
    return !r->bad && r->left == 0;
}

uint8_t wire_u8(struct wire_reader *r)
{
    struct bytes b = wire_take(r, 1);
    return b.n == 1 ? b.p[0] : 0;
}

uint32_t wire_u32(struct wire_reader *r)
{
    struct bytes b = wire_take(r, 4);
    return b.n == 4 ? load_be32(b.p) : 0;
}

uint64_t wire_u64(struct wire_reader *r)
{
    struct bytes b = wire_take(r, 8);
    return b.n == 8 ? (uint64_t)load_be32(b.p) << 32 | load_be32(b.p + 4) : 0;
}

bool wire_bool(struct wire_reader *r)
{
    return wire_u8(r) != 0;
}

struct bytes wire_string(struct wire_reader *r)
{
    uint32_t n = wire_u32(r);
    return wire_take(r, n);
}

/* RFC 4251 section 5: two's complement, most significant byte first, no unnecessary leading byte.
 * So a positive number starts with a zero byte exactly when its next bit is set. */
bool mpint_magnitude(struct bytes content, struct bytes *magnitude)
{
    struct bytes b = content;
    *magnitude = (struct bytes){NULL, 0};
    if (b.n == 0)
        return true;
    bool is_negative = (b.p[0] & 0x80) != 0;
    bool is_padded = b.p[0] == 0 && (b.n == 1 || (b.p[1] & 0x80) == 0);
    if (is_negative || is_padded)
        return false;
    *magnitude = b.p[0] == 0 ? (struct bytes){b.p + 1, b.n - 1} : b;
    return true;
}

struct bytes wire_mpint(struct wire_reader *r)
{
    struct bytes magnitude;
    if (!mpint_magnitude(wire_string(r), &magnitude))
        r->bad = true;
    return magnitude;
}

/* ---- The writer -------------------------------------------------------------------------- */

struct wire_writer wire_writer(uint8_t *base, size_t cap)
{
    return (struct wire_writer){.base = base, .cap = cap};
}

uint8_t *wire_reserve(struct wire_writer *w, size_t n)
{
    if (w->bad || w->base == NULL || n > w->cap - w->len) {
        w->bad = true;
        return NULL;
    }
    return w->base + w->len;
}

void wire_commit(struct wire_writer *w, size_t n)
{
    if (w->bad)
        return;
    assert(n <= w->cap - w->len);
    w->len += n;
}

void wire_put_raw(struct wire_writer *w, struct bytes b)
{
    if (b.n == 0)
        return;
    uint8_t *at = wire_reserve(w, b.n);
    if (at == NULL)
        return;
    memcpy(at, b.p, b.n);
    wire_commit(w, b.n);
}

void wire_put_u8(struct wire_writer *w, uint8_t v)
{
    wire_put_raw(w, (struct bytes){&v, 1});
}

void wire_put_u32(struct wire_writer *w, uint32_t v)
{
    uint8_t be[4];
    store_be32(be, v);
    wire_put_raw(w, (struct bytes){be, sizeof be});
}

void wire_put_u64(struct wire_writer *w, uint64_t v)
{
    uint8_t be[8];
    store_be32(be, (uint32_t)(v >> 32));
    store_be32(be + 4, (uint32_t)v);
    wire_put_raw(w, (struct bytes){be, sizeof be});
}

void wire_put_bool(struct wire_writer *w, bool v)
{
    wire_put_u8(w, v ? 1 : 0);
}

/* The length is a cast of what was checked; a string that its length cannot tell sets bad. */
static void put_length(struct wire_writer *w, size_t n)
{
    if (n > UINT32_MAX)
        w->bad = true;
    else
        wire_put_u32(w, (uint32_t)n);
}

void wire_put_string(struct wire_writer *w, struct bytes s)
{
    put_length(w, s.n);
    wire_put_raw(w, s);
}

void wire_put_cstring(struct wire_writer *w, const char *s)
{
    wire_put_string(w, bytes_of(s));
}

/* The magnitude may be a shared secret (RFC 4253 section 8), so nothing past its first non-zero
 * byte steers a branch but that byte's top bit, which the length on the wire tells anyway. */
void wire_put_mpint(struct wire_writer *w, struct bytes magnitude)
{
    while (magnitude.n > 0 && magnitude.p[0] == 0) {
        magnitude.p++;
        magnitude.n--;
    }
    bool needs_zero = magnitude.n > 0 && (magnitude.p[0] & 0x80) != 0;
    put_length(w, magnitude.n + (needs_zero ? 1 : 0));
    if (needs_zero)
        wire_put_u8(w, 0);
    wire_put_raw(w, magnitude);
}

size_t wire_open_string(struct wire_writer *w)
{
    size_t at = w->len;
    wire_put_u32(w, 0);
    return at;
}

void wire_close_string(struct wire_writer *w, size_t at)
{
    if (w->bad)
        return;
    assert(at <= w->len && w->len - at >= 4);
    size_t n = w->len - at - 4;
    if (n > UINT32_MAX)
        w->bad = true;
    else
        store_be32(w->base + at, (uint32_t)n);
}

struct bytes wire_written(const struct wire_writer *w)
{
    return w->bad ? (struct bytes){NULL, 0} : (struct bytes){w->base, w->len};
}
