/* A network in user space: what arrives at one end leaves at the other after half the round trip,
 * and no faster than the rate. The programs at both ends talk TCP with us over loopback, so their
 * own windows and buffers are what is measured, not the kernel's congestion control.
 *
 * With a rate, segments are of Ethernet's size and our receive buffer is short: the link's own
 * queue holds a few milliseconds, as a good router's does; what waits beyond that waits in the
 * program or in its kernel's send buffer. */
#include "load.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    RING_BYTES = 64 << 20, /* 1.2 GB/s at 50 ms one way; pages that are never used cost nothing */
    RECORDS = 1 << 16,
    PACKET_BYTES = 1448,
    QUEUE_NS = 1000000, /* how far ahead of the link's rate bytes are taken in */
    CALL_BYTES = 256 * 1024
};

struct record {
    uint64_t due_ns;
    size_t n;
};

/* One direction. Bytes head.. of the ring are on their way; records say in which pieces. */
struct half {
    int from, to;
    uint64_t delay_ns;
    uint64_t ns_per_mb; /* 0: no limit */
    uint64_t link_free_ns;
    uint8_t *ring;
    size_t head, held;
    struct record *records;
    size_t first, n_records;
    bool ended, passed_end;
};

static struct half half_new(struct link l)
{
    struct half h = {.delay_ns = l.round_trip_ms * UINT64_C(500000),
        .ns_per_mb = l.mbit_s > 0 ? UINT64_C(8000000000) / l.mbit_s : 0,
        .ring = malloc(RING_BYTES),
        .records = calloc(RECORDS, sizeof(struct record))};
    if (h.ring == NULL || h.records == NULL)
        die("relay");
    return h;
}

static void half_reset(struct half *h, int from, int to)
{
    h->from = from;
    h->to = to;
    h->head = h->held = h->first = h->n_records = 0;
    h->link_free_ns = 0;
    h->ended = h->passed_end = false;
}

static bool has_room(const struct half *h)
{
    return !h->ended && h->held < RING_BYTES && h->n_records < RECORDS;
}

static bool is_taking(const struct half *h, uint64_t now)
{
    return has_room(h) && h->link_free_ns <= now + QUEUE_NS;
}

static bool is_due(const struct half *h, uint64_t now)
{
    return h->n_records > 0 && h->records[h->first].due_ns <= now;
}

static bool take_in(struct half *h, uint64_t now)
{
    size_t tail = (h->head + h->held) % RING_BYTES;
    size_t to_end = RING_BYTES - tail, unused = RING_BYTES - h->held;
    size_t room = to_end < unused ? to_end : unused;
    size_t call = h->ns_per_mb > 0 ? PACKET_BYTES : CALL_BYTES;
    ssize_t n = recv(h->from, h->ring + tail, room < call ? room : call, MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN;
    if (n == 0) {
        h->ended = true;
        return true;
    }
    uint64_t start = h->link_free_ns > now ? h->link_free_ns : now;
    h->link_free_ns = start + (uint64_t)n * h->ns_per_mb / 1000000;
    h->records[(h->first + h->n_records) % RECORDS] =
        (struct record){.due_ns = h->link_free_ns + h->delay_ns, .n = (size_t)n};
    h->n_records++;
    h->held += (size_t)n;
    return true;
}

static bool let_out(struct half *h, uint64_t now)
{
    while (is_due(h, now)) {
        struct record *r = &h->records[h->first];
        size_t n = r->n < RING_BYTES - h->head ? r->n : RING_BYTES - h->head;
        ssize_t done = send(h->to, h->ring + h->head, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (done < 0)
            return errno == EAGAIN;
        h->head = (h->head + (size_t)done) % RING_BYTES;
        h->held -= (size_t)done;
        r->n -= (size_t)done;
        if (r->n > 0)
            continue;
        h->first = (h->first + 1) % RECORDS;
        h->n_records--;
    }
    if (h->ended && h->n_records == 0 && !h->passed_end) {
        h->passed_end = true;
        shutdown(h->to, SHUT_WR);
    }
    return true;
}

/* When something will become possible that no socket tells of. */
static uint64_t next_ns(const struct half *h, uint64_t now)
{
    uint64_t t = UINT64_MAX;
    if (h->n_records > 0 && h->records[h->first].due_ns > now)
        t = h->records[h->first].due_ns;
    if (has_room(h) && !is_taking(h, now) && h->link_free_ns - QUEUE_NS < t)
        t = h->link_free_ns - QUEUE_NS;
    return t;
}

static void set_timer(int timer, uint64_t at_ns)
{
    struct itimerspec t = {.it_value.tv_sec = (time_t)(at_ns / 1000000000u),
        .it_value.tv_nsec = (long)(at_ns % 1000000000u)};
    if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &t, NULL) != 0)
        die("timerfd_settime");
}

static void carry(struct half h[2], int timer, uint64_t end_ns)
{
    struct pollfd fds[3] = {{.fd = h[0].from}, {.fd = h[1].from}, {.fd = timer, .events = POLLIN}};
    for (uint64_t now; (now = now_ns()) < end_ns && !(h[0].passed_end && h[1].passed_end);) {
        uint64_t wake_ns = end_ns;
        fds[0].events = fds[1].events = 0;
        for (int i = 0; i < 2; i++) {
            if (is_taking(&h[i], now))
                fds[i].events |= POLLIN;
            if (is_due(&h[i], now))
                fds[1 - i].events |= POLLOUT;
            uint64_t t = next_ns(&h[i], now);
            wake_ns = t < wake_ns ? t : wake_ns;
        }
        set_timer(timer, wake_ns);
        if (poll(fds, 3, 1000) < 0 && errno != EINTR)
            die("poll");
        now = now_ns();
        for (int i = 0; i < 2; i++)
            if ((is_taking(&h[i], now) && !take_in(&h[i], now)) || !let_out(&h[i], now))
                return;
        if (((fds[0].revents | fds[1].revents) & (POLLERR | POLLNVAL)) != 0)
            return;
    }
}

void relay(struct link l, unsigned seconds)
{
    uint64_t end_ns = now_ns() + seconds * UINT64_C(1000000000);
    struct half h[2] = {half_new(l), half_new(l)};
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    if (timer < 0)
        die("timerfd_create");
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    int listener = listen_here(l.mbit_s > 0);
    while (now_ns() < end_ns) {
        int here = accept(listener, NULL, NULL);
        int there = here < 0 ? -1 : dial_port(l.target, l.mbit_s > 0);
        if (there < 0)
            die("relay: connect");
        tune(here);
        half_reset(&h[0], here, there);
        half_reset(&h[1], there, here);
        carry(h, timer, end_ns);
        close(here);
        close(there);
    }
}

/* ---- the floor */

static uint64_t pass_on(int from, int to, uint64_t n, uint8_t *buffer, size_t call_bytes)
{
    uint64_t calls = 0;
    while (n > 0) {
        ssize_t got = recv(from, buffer, n < call_bytes ? (size_t)n : call_bytes, 0);
        if (got <= 0 || !send_all(to, buffer, (size_t)got))
            die("bare: cut short");
        n -= (uint64_t)got;
        calls++;
    }
    return calls;
}

void bare(uint16_t target, size_t call_bytes, unsigned seconds)
{
    (void)seconds; /* main's alarm is enough: one transfer, then the end */
    uint8_t *buffer = malloc(call_bytes + 1);
    int listener = listen_here(false);
    int here = accept(listener, NULL, NULL);
    int there = here < 0 ? -1 : dial_port(target, false);
    uint8_t request[REQUEST_BYTES];
    uint64_t n = 0;
    if (buffer == NULL || there < 0 || !receive_all(here, request, sizeof request) ||
        !send_all(there, request, sizeof request))
        die("bare");
    tune(here);
    for (int i = 1; i < REQUEST_BYTES; i++)
        n = n << 8 | request[i];
    bool is_up = request[0] == REQUEST_UP;
    double before_s = cpu_s();
    uint64_t calls = pass_on(is_up ? here : there, is_up ? there : here, n, buffer, call_bytes);
    double used_s = cpu_s() - before_s;
    if (is_up)
        pass_on(there, here, 1, buffer, 1);
    printf("%.4f %.0f\n", used_s / ((double)n / 1e9), (double)n / (double)(calls > 0 ? calls : 1));
    free(buffer);
}
