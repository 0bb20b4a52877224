/* An input is what an application sends to a SOCKS port. However it is cut, the same is made of it,
 * and the same is sent back. */
#include <string.h>

#include "fuzz/fuzz.h"
#include "proto/socks.h"

enum { MAX_BYTES = SOCKS_MAX_BYTES + 100 };

struct dialogue {
    struct socks socks;
    enum socks_status status;
    size_t n_used;
    uint8_t replies[3 * SOCKS_REPLY_MAX]; /* at most the greeting's, the password's and a refusal */
    size_t n_replies;
};

static void check_step(const struct socks *s, enum socks_status status, size_t n)
{
    fuzz_require(s->used <= n && s->reply_n <= SOCKS_REPLY_MAX);
    fuzz_require(status != SOCKS_MORE || (n < SOCKS_MAX_BYTES && s->used == 0));
    fuzz_require((s->why != NULL) == (status == SOCKS_BAD || status == SOCKS_REFUSE));
    fuzz_require((s->reply_n > 0) == (status == SOCKS_REPLY || status == SOCKS_REFUSE));
    fuzz_require(s->greeted || !s->wants_user);
    fuzz_require((s->host[0] != '\0') == (status == SOCKS_CONNECT));
    fuzz_require(memchr(s->host, 0, sizeof s->host) != NULL);
    for (const char *c = s->host; *c != '\0'; c++)
        fuzz_require((unsigned char)*c >= ' ' && *c != 0x7f);
}

static struct dialogue talk_in_steps(struct bytes in, size_t step)
{
    struct dialogue d = {.status = SOCKS_MORE};
    size_t n_there = 0;
    for (;;) {
        struct bytes there = {in.p + d.n_used, n_there - d.n_used};
        d.status = socks_parse(&d.socks, there);
        check_step(&d.socks, d.status, there.n);
        fuzz_require(d.n_replies + d.socks.reply_n <= sizeof d.replies);
        memcpy(d.replies + d.n_replies, d.socks.reply, d.socks.reply_n);
        d.n_replies += d.socks.reply_n;
        d.n_used += d.socks.used;
        if (d.status == SOCKS_REPLY)
            continue;
        if (d.status != SOCKS_MORE || n_there == in.n)
            return d;
        n_there = in.n - n_there > step ? n_there + step : in.n;
    }
}

static void is_the_same(const struct dialogue *a, const struct dialogue *b)
{
    fuzz_require(a->status == b->status && a->n_used == b->n_used);
    fuzz_require(a->n_replies == b->n_replies);
    fuzz_require(memcmp(a->replies, b->replies, a->n_replies) == 0);
    fuzz_require(a->socks.version == b->socks.version && a->socks.greeted == b->socks.greeted);
    fuzz_require(a->socks.wants_user == b->socks.wants_user);
    fuzz_require(a->socks.port == b->socks.port && a->socks.why == b->socks.why);
    fuzz_require(strcmp(a->socks.host, b->socks.host) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0 || n > MAX_BYTES)
        return 0;
    struct bytes in = {data, n};
    struct dialogue whole = talk_in_steps(in, n);
    struct dialogue in_parts = talk_in_steps(in, 1 + data[n - 1] % 32);
    is_the_same(&in_parts, &whole);
    return 0;
}
