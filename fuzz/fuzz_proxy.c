/* An input is what an application sends to a port that speaks SOCKS and HTTP CONNECT. Its first
 * byte decides which parser speaks; however the rest is cut, the same is made of it. */
#include <string.h>

#include "fuzz/fuzz.h"
#include "proto/proxy.h"

enum { MAX_BYTES = PROXY_MAX_BYTES + 100 };

struct dialogue {
    struct proxy proxy;
    enum proxy_status status;
    size_t n_used, n_replies;
    uint8_t replies[2 * PROXY_REPLY_MAX];
};

static void check_step(const struct proxy *p, enum proxy_status status, struct bytes in)
{
    fuzz_require(p->used <= in.n && p->reply.n <= PROXY_REPLY_MAX && p->host != NULL);
    fuzz_require(status != PROXY_MORE || (in.n < PROXY_MAX_BYTES && p->used == 0));
    fuzz_require((p->why != NULL) == (status == PROXY_REFUSE));
    fuzz_require((p->host[0] != '\0') == (status == PROXY_CONNECT));
    fuzz_require(status != PROXY_REPLY || p->reply.n > 0);
    fuzz_require(p->kind != PROXY_UNKNOWN || in.n == 0 || status == PROXY_REFUSE);
}

static void talk_in_steps(struct dialogue *d, struct bytes in, size_t step)
{
    size_t n_there = 0;
    *d = (struct dialogue){.status = PROXY_MORE};
    for (;;) {
        struct bytes there = {in.p + d->n_used, n_there - d->n_used};
        d->status = proxy_parse(&d->proxy, there);
        check_step(&d->proxy, d->status, there);
        fuzz_require(d->n_replies + d->proxy.reply.n <= sizeof d->replies);
        if (d->proxy.reply.n > 0)
            memcpy(d->replies + d->n_replies, d->proxy.reply.p, d->proxy.reply.n);
        d->n_replies += d->proxy.reply.n;
        d->n_used += d->proxy.used;
        if (d->status == PROXY_REPLY)
            continue;
        if (d->status != PROXY_MORE || n_there == in.n)
            return;
        n_there = in.n - n_there > step ? n_there + step : in.n;
    }
}

static void check_answers(const struct proxy *p)
{
    uint8_t reply[PROXY_REPLY_MAX];
    for (int outcome = SOCKS_OK; outcome <= SOCKS_FAILURE; outcome++) {
        size_t n = proxy_reply(p->kind, (enum socks_outcome)outcome, reply);
        fuzz_require(n > 0 && n <= sizeof reply);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct dialogue whole, in_parts;
    if (n == 0 || n > MAX_BYTES)
        return 0;
    struct bytes in = {data, n};
    talk_in_steps(&whole, in, n);
    talk_in_steps(&in_parts, in, 1 + data[n - 1] % 32 + n / 8);
    fuzz_require(whole.status == in_parts.status && whole.n_used == in_parts.n_used);
    fuzz_require(whole.proxy.kind == in_parts.proxy.kind && whole.proxy.why == in_parts.proxy.why);
    fuzz_require(whole.proxy.port == in_parts.proxy.port);
    fuzz_require(strcmp(whole.proxy.host, in_parts.proxy.host) == 0);
    fuzz_require(whole.n_replies == in_parts.n_replies);
    fuzz_require(memcmp(whole.replies, in_parts.replies, whole.n_replies) == 0);
    if (whole.status == PROXY_CONNECT)
        check_answers(&whole.proxy);
    return 0;
}
