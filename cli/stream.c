#include "cli/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The first spill; it doubles up to the window. */
enum { SPILL_FIRST_BYTES = 16 * 1024 };

static void drop_spill(struct stream *s)
{
    free(s->spill);
    s->spill = NULL;
    s->spill_at = s->spill_n = s->spill_cap = 0;
}

/* What waits is swallowed, with all that will come. */
static void fail(struct stream *s, int error)
{
    size_t waiting = s->spill_n;
    s->error = error;
    drop_spill(s);
    loop_remove(s->loop, &s->source);
    s->failed(s);
    if (waiting > 0) {
        s->left(s, waiting);
        s->empty(s);
    }
}

static bool make_room(struct stream *s, size_t n)
{
    if (s->spill_at + s->spill_n + n > s->spill_cap && s->spill_at > 0) {
        memmove(s->spill, s->spill + s->spill_at, s->spill_n);
        s->spill_at = 0;
    }
    if (s->spill_n + n <= s->spill_cap)
        return true;
    size_t cap = s->spill_cap == 0 ? SPILL_FIRST_BYTES : s->spill_cap;
    while (cap < s->spill_n + n)
        cap *= 2;
    uint8_t *grown = realloc(s->spill, cap);
    if (grown == NULL)
        return false;
    s->spill = grown;
    s->spill_cap = cap;
    return true;
}

/* Puts aside all but the first `written` bytes. */
static bool put_aside(struct stream *s, const struct iovec *iov, int n, size_t written)
{
    for (int i = 0; i < n; i++) {
        size_t done = written < iov[i].iov_len ? written : iov[i].iov_len;
        size_t rest = iov[i].iov_len - done;
        written -= done;
        if (rest == 0)
            continue;
        if (!make_room(s, rest))
            return false;
        memcpy(s->spill + s->spill_at + s->spill_n, (const uint8_t *)iov[i].iov_base + done, rest);
        s->spill_n += rest;
    }
    return true;
}

static size_t total(const struct iovec *iov, int n)
{
    size_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += iov[i].iov_len;
    return sum;
}

void stream_write(struct stream *s, const struct iovec *iov, int n)
{
    size_t all = total(iov, n), waiting = s->spill_n;
    ssize_t done = 0;
    if (s->error != 0) {
        s->left(s, all);
        return;
    }
    if (waiting == 0)
        done = descriptor_write(&s->d, iov, n);
    if (done < 0 && errno == EAGAIN)
        done = 0;
    if (done < 0 || !put_aside(s, iov, n, (size_t)done)) {
        size_t here = all - (s->spill_n - waiting); /* not counted among those that wait */
        fail(s, done < 0 ? errno : ENOMEM);
        s->left(s, here);
        return;
    }
    if (s->spill_n > 0)
        loop_resume(s->loop, &s->source);
    if (done > 0)
        s->left(s, (size_t)done);
}

void stream_push(struct stream *s)
{
    while (s->spill_n > 0) {
        struct iovec rest = {.iov_base = s->spill + s->spill_at, .iov_len = s->spill_n};
        ssize_t done = descriptor_write(&s->d, &rest, 1);
        if (done < 0 && errno == EAGAIN)
            return;
        if (done < 0) {
            fail(s, errno);
            return;
        }
        s->spill_at += (size_t)done;
        s->spill_n -= (size_t)done;
        s->left(s, (size_t)done);
        if (s->spill_n == 0) {
            drop_spill(s); /* a stream at rest holds no buffer */
            loop_pause(s->loop, &s->source);
            s->empty(s);
        }
    }
}

void stream_say(struct stream *s, struct bytes text)
{
    struct iovec iov = {.iov_base = (void *)(uintptr_t)text.p, .iov_len = text.n};
    if (s->error == 0 && s->spill_n == 0)
        (void)descriptor_write(&s->d, &iov, 1);
}

static void ready(struct loop_source *source, unsigned events)
{
    if ((events & LOOP_WRITABLE) != 0)
        stream_push(source->user);
}

/* Paused until something waits: a terminal is "ready" at each key that is typed. A file is never
 * waited for. */
bool stream_open(struct stream *s, struct loop *l, int fd)
{
    if (!descriptor_open(&s->d, fd))
        return false;
    s->loop = l;
    s->source = (struct loop_source){.fd = s->d.fd, .ready = ready, .user = s, .slot = -1};
    if (!s->d.never_waits && loop_add(l, &s->source) != ERR_OK) {
        descriptor_close(&s->d);
        return false;
    }
    loop_pause(l, &s->source);
    return true;
}

void stream_close(struct stream *s)
{
    if (s->loop == NULL)
        return;
    loop_remove(s->loop, &s->source);
    drop_spill(s);
    descriptor_close(&s->d);
    s->loop = NULL;
}

void stream_end(struct stream *s, int fd)
{
    if (s->loop == NULL)
        return;
    loop_remove(s->loop, &s->source);
    drop_spill(s);
    descriptor_end(&s->d, fd);
    s->loop = NULL;
}
