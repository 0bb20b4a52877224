/* The time a byte takes there and back, or a request and its answer. */
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WARM_UP = 20 };

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static bool byte_and_back(int fd, size_t unused)
{
    uint8_t byte = 'x';
    (void)unused;
    return send_all(fd, &byte, 1) && receive_all(fd, &byte, 1);
}

static bool ask(int fd, size_t n_bytes)
{
    return send_request(fd, REQUEST_DOWN, n_bytes) && receive_all(fd, shared_chunk(), n_bytes);
}

static void round_trips(
    int fd, bool (*one)(int, size_t), size_t n_bytes, unsigned n, unsigned seconds)
{
    uint64_t *took_ns = calloc((size_t)n + 1, sizeof *took_ns);
    unsigned got = 0;
    if (took_ns == NULL)
        die("echo");
    uint64_t start_ns = now_ns(), end_ns = start_ns + seconds * UINT64_C(1000000000);
    uint64_t warm_ns = start_ns + seconds * UINT64_C(100000000); /* a tenth of the time, at most */
    for (unsigned i = 0; got < n && now_ns() < end_ns; i++) {
        uint64_t begin_ns = now_ns();
        if (!one(fd, n_bytes)) {
            if (errno == EAGAIN)
                break; /* the time is over; what came back counts */
            die("echo: cut short");
        }
        if (i >= WARM_UP || begin_ns >= warm_ns)
            took_ns[got++] = now_ns() - begin_ns;
    }
    if (got == 0) {
        errno = ETIMEDOUT;
        die("echo: nothing came back");
    }
    qsort(took_ns, got, sizeof *took_ns, by_size);
    printf("%u %.1f %.1f %.1f\n", got, (double)took_ns[got / 2] / 1e3,
        (double)took_ns[(size_t)got * 99 / 100] / 1e3, (double)took_ns[got - 1] / 1e3);
    close(fd);
    free(took_ns);
}

void echo(struct route r, unsigned n, unsigned seconds)
{
    int fd = dial_route(r, seconds);
    if (fd < 0 || !send_request(fd, REQUEST_ECHO, 0))
        die("echo: connect");
    round_trips(fd, byte_and_back, 1, n, seconds);
}

void answers(struct route r, size_t n_bytes, unsigned n, unsigned seconds)
{
    int fd = dial_route(r, seconds);
    if (fd < 0)
        die("answers: connect");
    round_trips(fd, ask, n_bytes, n, seconds);
}
