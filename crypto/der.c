#include "crypto/der.h"

static const struct bytes nothing = {NULL, 0};

struct der_reader der_reader(struct bytes b)
{
    return (struct der_reader){.p = b.p, .left = b.n};
}

static void fail(struct der_reader *r, const char *expected)
{
    if (r->wrong == NULL)
        r->wrong = expected;
    r->left = 0;
}

bool der_next_is(const struct der_reader *r, uint8_t tag)
{
    return r->left > 0 && r->p[0] == tag;
}

/* The length behind the tag: X.690 section 8.1.3, with 10.1's demand that it be the shortest form.
 * False when it is not that, or more than what is left; *header counts the bytes in front. */
static bool read_length(const struct der_reader *r, size_t *header, size_t *n)
{
    if (r->left < 2)
        return false;
    size_t first = r->p[1];
    *header = 2;
    *n = first;
    if (first >= 0x80) {
        size_t n_bytes = first - 0x80; /* 0: the indefinite form */
        if (n_bytes == 0 || n_bytes > 4 || r->left - 2 < n_bytes || r->p[2] == 0)
            return false;
        *n = 0;
        for (size_t i = 0; i < n_bytes; i++)
            *n = *n << 8 | r->p[2 + i];
        if (*n < 0x80)
            return false;
        *header += n_bytes;
    }
    return *n <= r->left - *header;
}

struct bytes der_take(struct der_reader *r, uint8_t tag, const char *expected)
{
    size_t header, n;
    if (!der_next_is(r, tag) || !read_length(r, &header, &n)) {
        fail(r, expected);
        return nothing;
    }
    struct bytes contents = {r->p + header, n};
    r->p += header + n;
    r->left -= header + n;
    return contents;
}

struct der_reader der_enter(struct der_reader *r, uint8_t tag, const char *expected)
{
    struct der_reader inner = der_reader(der_take(r, tag, expected));
    inner.wrong = r->wrong;
    return inner;
}

void der_leave(struct der_reader *outer, const struct der_reader *inner, const char *expected)
{
    if (inner->wrong != NULL)
        fail(outer, inner->wrong);
    else if (inner->left > 0)
        fail(outer, expected);
}

/* The contents of an INTEGER that is not negative, without the zero byte of its sign; zero is
 * empty. */
static struct bytes magnitude(struct der_reader *r, const char *expected)
{
    struct bytes m = der_take(r, DER_INTEGER, expected);
    bool is_good = m.n > 0 && m.p[0] < 0x80 && (m.n == 1 || m.p[0] != 0 || m.p[1] >= 0x80);
    if (!is_good) {
        fail(r, expected);
        return nothing;
    }
    return m.p[0] == 0 ? (struct bytes){m.p + 1, m.n - 1} : m;
}

struct bytes der_positive(struct der_reader *r, const char *expected)
{
    struct bytes m = magnitude(r, expected);
    if (m.n == 0)
        fail(r, expected);
    return m;
}

uint32_t der_u32(struct der_reader *r, const char *expected)
{
    struct bytes m = magnitude(r, expected);
    uint32_t v = 0;
    if (m.n > sizeof v)
        return UINT32_MAX;
    for (size_t i = 0; i < m.n; i++)
        v = v << 8 | m.p[i];
    return v;
}

struct bytes der_bits(struct der_reader *r, uint8_t tag, const char *expected)
{
    struct bytes bits = der_take(r, tag, expected);
    if (bits.n == 0 || bits.p[0] != 0) { /* the first byte counts the unused bits of the last */
        fail(r, expected);
        return nothing;
    }
    return (struct bytes){bits.p + 1, bits.n - 1};
}
