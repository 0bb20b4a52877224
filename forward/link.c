#include "forward/link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "forward/loop.h"

enum {
    /* What may wait, in time: here, and again this much in the kernel. */
    WAIT_MS = 2,
    MEASURE_MS = 20,
    MEASURE_MOST_MS = 2000,
    /* The least: a packet that is still worth its head and tag. */
    LEAST_BYTES = 4 * 1024,
    MOST_BYTES = 256 * 1024,
    /* Beside others even a fast path keeps less: a fraction of a millisecond. */
    MOST_SHARED_BYTES = 64 * 1024,
    /* A socket that took this many bursts without being full is faster than was measured. */
    FREE_BURSTS = 16,
    RATE_MOST = 1 << 30,

    /* One wake-up for this much; windows are larger by far, else pauses would follow. */
    WAKE_BYTES = 192 * 1024,
    /* A stream: this much without a pause, and fast enough to fill WAKE_BYTES within a millisecond.
     */
    RUN_BYTES = 4 * 1024 * 1024,
    RUN_BYTES_A_MS = 256 * 1024,
    RUN_BYTES_MOST = 1 << 30,
    LONG_RUN_BYTES = 16 * RUN_BYTES, /* one that pays for the pause at its end */
    FETCH_MS = 2,
    LONG_READ_BYTES = 8 * 1024, /* of a stream, not of a dialogue */
};

#define NEVER UINT64_MAX

void link_init(struct link *l, int fd, int out_fd)
{
    *l = (struct link){.fd = fd,
        .out_fd = out_fd,
        .readable = true,
        .writable = true,
        .burst = MOST_BYTES,
        .in = {.need = RUN_BYTES, .fetch_ms = NEVER}};
}

void link_ready(struct link *l, unsigned events)
{
    if (events & (LOOP_READABLE | LOOP_HANGUP | LOOP_ERROR))
        l->readable = true;
    if ((events & (LOOP_WRITABLE | LOOP_ERROR)) != 0 && l->write_error == 0)
        l->writable = true;
    if (events & (LOOP_HANGUP | LOOP_ERROR))
        l->saw_hangup = true;
}

/* ---- in -------------------------------------------------------------------------------------- */

static void wake_for(const struct link *l, int n_bytes)
{
    (void)setsockopt(l->fd, SOL_SOCKET, SO_RCVLOWAT, &n_bytes, sizeof n_bytes);
}

static void wake_for_each(struct link *l)
{
    wake_for(l, 1);
    l->in.fetch_ms = NEVER;
    l->readable = true; /* what is there by now makes no edge any more */
}

static void note_read(struct link *l, size_t n, uint64_t now_ms)
{
    struct stream_in *in = &l->in;
    if (in->n_bytes == 0)
        in->from_ms = now_ms;
    in->n_bytes += n;
    if (in->fetch_ms != NEVER) {
        in->fetch_ms = now_ms + FETCH_MS;
    } else if (in->n_bytes >= in->need) {
        if (in->n_bytes / (now_ms - in->from_ms + 1) >= RUN_BYTES_A_MS) {
            wake_for(l, WAKE_BYTES);
            in->fetch_ms = now_ms + FETCH_MS;
        }
        in->n_bytes = 0;
    }
}

uint64_t link_deadline(const struct link *l)
{
    return l->in.fetch_ms;
}

void link_fetch(struct link *l, uint64_t now_ms)
{
    struct stream_in *in = &l->in;
    if (now_ms < in->fetch_ms)
        return;
    wake_for_each(l);
    if (in->n_bytes >= LONG_RUN_BYTES)
        in->need = RUN_BYTES;
    else if (in->need < RUN_BYTES_MOST)
        in->need *= 2;
    in->n_bytes = 0;
}

bool link_read(struct link *l, struct transport *t, uint64_t now_ms)
{
    size_t room;
    uint8_t *dst = l->readable ? transport_rx_space(t, &room) : NULL;
    if (dst == NULL)
        return false; /* nothing there, or back-pressure: a drained backlog brings us back */
    ssize_t n;
    do
        n = read(l->fd, dst, room);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        l->readable = false;
    if (n < 0) {
        if (errno != EAGAIN)
            l->read_error = errno;
        return false;
    }
    if (n == 0) {
        transport_rx_eof(t);
        return true;
    }
    /* A short read emptied it; more to come makes a new edge. But a dialogue's next packet is often
     * just arriving, and another look costs less than to sleep and be woken. */
    if ((size_t)n < room && n >= LONG_READ_BYTES && !l->saw_hangup)
        l->readable = false;
    note_read(l, (size_t)n, now_ms);
    l->owes_ack = true;
    transport_rx_commit(t, (size_t)n, now_ms);
    return true;
}

void link_acknowledge(struct link *l)
{
    int yes = 1;
    if (!l->owes_ack || l->in.fetch_ms != NEVER)
        return; /* of a stream the kernel acknowledges every second packet, and the end is fetched
                 */
    l->owes_ack = false;
    (void)setsockopt(l->fd, IPPROTO_TCP, TCP_QUICKACK, &yes, sizeof yes);
}

/* ---- out ------------------------------------------------------------------------------------- */

static void note_written(struct link *l, size_t n, bool is_full, uint64_t now_ms)
{
    struct drain *d = &l->drain;
    d->n_free += n;
    if (d->is_full) {
        d->n_bytes += n;
        uint64_t took_ms = now_ms - d->from_ms;
        /* Room may come in lumps: the time between two of them belongs to the second. */
        if (took_ms >= (d->n_bytes >= l->burst ? MEASURE_MS : MEASURE_MOST_MS)) {
            uint64_t rate = d->n_bytes / took_ms;
            d->rate = d->rate == 0 ? rate + 1 : (d->rate + rate) / 2 + 1;
            d->from_ms = now_ms;
            d->n_bytes = 0;
        }
    } else if (is_full) {
        d->is_full = true;
        d->from_ms = now_ms;
        d->n_bytes = 0;
    }
    if (is_full)
        d->n_free = 0;
}

/* Nothing was there to write although the socket would take it: the path is not what limits us. */
static void note_idle(struct link *l)
{
    struct drain *d = &l->drain;
    d->is_full = false;
    if (d->n_free >= FREE_BURSTS * l->burst && d->rate < RATE_MOST) {
        d->rate *= 2;
        d->n_free = 0;
    }
}

/* Nobody takes it any more; were it kept, reading would stop over it. */
static void drop_output(struct transport *t)
{
    size_t n;
    while (transport_tx(t, &n) != NULL)
        transport_tx_done(t, n);
}

bool link_write(struct link *l, struct transport *t, uint64_t now_ms)
{
    bool moved = false;
    size_t n;
    const uint8_t *bytes = NULL;
    while (l->writable && (bytes = transport_tx(t, &n)) != NULL) {
        ssize_t done = write(l->out_fd, bytes, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0 && errno != EAGAIN) {
            l->write_error = errno;
            l->writable = false;
            l->saw_hangup = l->readable = moved = true; /* to be found out: no edge may come */
            break;
        }
        size_t taken = done < 0 ? 0 : (size_t)done;
        transport_tx_done(t, taken);
        if (taken > 0) {
            moved = true;
            l->owes_ack = false; /* it goes along */
        }
        if (taken < n)
            l->writable = false; /* full: the next edge says when there is room */
        note_written(l, taken, !l->writable, now_ms);
    }
    if (l->writable && !moved)
        note_idle(l);
    if (l->write_error != 0)
        drop_output(t);
    return moved;
}

/* Powers of two, so that a setting changes only when the rate does. */
static size_t bytes_for(uint64_t rate, size_t most)
{
    size_t bytes = LEAST_BYTES;
    while (bytes < most && 2 * bytes <= rate * WAIT_MS)
        bytes *= 2;
    return bytes;
}

size_t link_burst(struct link *l, struct transport *t, bool is_shared)
{
    size_t most = is_shared ? MOST_SHARED_BYTES : MOST_BYTES;
    if (is_shared && l->in.fetch_ms != NEVER)
        wake_for_each(l);
    if (is_shared)
        l->in.n_bytes = 0;
    l->burst = l->drain.rate == 0 ? most : bytes_for(l->drain.rate, most);
    int notsent = (int)l->burst;
    if (notsent != l->notsent_bytes) {
        l->notsent_bytes = notsent;
        (void)setsockopt(l->out_fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &notsent, sizeof notsent);
        transport_set_backlog(t, 2 * l->burst);
    }
    return l->burst;
}
