#include "transport/zstream.h"

#include <stdlib.h>
#include <zlib.h>

#include "crypto/ct.h"

enum {
    LEVEL = 6, /* OpenSSH's */
    SMALL_WINDOW_BITS = 12,
    SMALL_MEM_LEVEL = 5,
    FLUSH_SLACK = 64, /* deflateBound() does not count flush markers */
    INFLATE_FIRST = 4096,
};

struct zstream {
    z_stream z;
    int (*end)(z_stream *z);
};

/* zlib does not say sizes when it frees, so they stand in front of each block. */
union block {
    size_t n;
    max_align_t align;
};

static void *block_alloc(void *unused, unsigned items, unsigned size)
{
    (void)unused;
    size_t n = (size_t)items * size + sizeof(union block);
    union block *b = secret_alloc(n);
    if (b == NULL)
        return NULL;
    b->n = n;
    return b + 1;
}

static void block_free(void *unused, void *p)
{
    (void)unused;
    if (p != NULL) {
        union block *b = (union block *)p - 1;
        secret_free(b, b->n);
    }
}

static struct zstream *stream_new(int (*end)(z_stream *z))
{
    struct zstream *s = calloc(1, sizeof *s);
    if (s != NULL) {
        s->z.zalloc = block_alloc;
        s->z.zfree = block_free;
        s->end = end;
    }
    return s;
}

struct zstream *zstream_deflate_new(bool small)
{
    struct zstream *s = stream_new(deflateEnd);
    if (s == NULL)
        return NULL;
    int window = small ? SMALL_WINDOW_BITS : MAX_WBITS;
    int memory = small ? SMALL_MEM_LEVEL : 8;
    if (deflateInit2(&s->z, LEVEL, Z_DEFLATED, window, memory, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(s);
        return NULL;
    }
    return s;
}

struct zstream *zstream_inflate_new(void)
{
    struct zstream *s = stream_new(inflateEnd);
    if (s != NULL && inflateInit(&s->z) != Z_OK) {
        free(s);
        return NULL;
    }
    return s;
}

void zstream_free(struct zstream *s)
{
    if (s == NULL)
        return;
    (void)s->end(&s->z);
    free(s);
}

static void set_input(z_stream *z, struct bytes in)
{
    /* zlib's next_in is const only when it is built so; it does not write there. */
    z->next_in = (z_const Bytef *)(uintptr_t)in.p;
    z->avail_in = (uInt)in.n;
}

size_t zstream_deflate_bound(struct zstream *s, size_t n)
{
    return deflateBound(&s->z, (uLong)n) + FLUSH_SLACK;
}

/* RFC 4253 section 6.2: a partial flush, so that the packet can be inflated at once. */
enum err zstream_deflate(struct zstream *s, struct bytes in, uint8_t *out, size_t cap, size_t *n)
{
    set_input(&s->z, in);
    s->z.next_out = out;
    s->z.avail_out = (uInt)cap;
    int rc = deflate(&s->z, Z_PARTIAL_FLUSH);
    if (rc != Z_OK || s->z.avail_in != 0 || s->z.avail_out == 0)
        return ERR_COMPRESSION;
    *n = cap - s->z.avail_out;
    return ERR_OK;
}

enum err zstream_inflate(
    struct zstream *s, struct bytes in, struct growbuf *out, size_t limit, size_t *n)
{
    size_t have = 0;
    set_input(&s->z, in);
    for (;;) {
        size_t want = have < INFLATE_FIRST ? INFLATE_FIRST : have + 1;
        if (have == limit)
            return ERR_LIMIT;
        if (!growbuf_need(out, have, want, limit))
            return ERR_NOMEM;
        size_t room = (out->cap < limit ? out->cap : limit) - have;
        s->z.next_out = out->p + have;
        s->z.avail_out = (uInt)room;
        int rc = inflate(&s->z, Z_SYNC_FLUSH);
        have += room - s->z.avail_out;
        if (rc == Z_BUF_ERROR && s->z.avail_in == 0) /* nothing more to give: as it should end */
            break;
        if (rc != Z_OK)
            return ERR_COMPRESSION;
        if (s->z.avail_in == 0 && s->z.avail_out > 0)
            break;
    }
    *n = have;
    return ERR_OK;
}
