/* The time a byte takes there and back. */
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

void echo(struct route r, unsigned n, unsigned seconds)
{
    uint64_t *took_ns = calloc((size_t)n + 1, sizeof *took_ns);
    int fd = dial_route(r, seconds);
    unsigned got = 0;
    uint8_t byte = 'x';
    if (took_ns == NULL || fd < 0 || !send_request(fd, REQUEST_ECHO, 0))
        die("echo: connect");
    uint64_t start_ns = now_ns(), end_ns = start_ns + seconds * UINT64_C(1000000000);
    uint64_t warm_ns = start_ns + seconds * UINT64_C(100000000); /* a tenth of the time, at most */
    for (unsigned i = 0; got < n && now_ns() < end_ns; i++) {
        uint64_t begin_ns = now_ns();
        if (!send_all(fd, &byte, 1) || !receive_all(fd, &byte, 1)) {
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
