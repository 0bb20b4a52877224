#include "tests/unit/forward/app.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "forward/socket.h"

enum { PIECE = 64 * 1024 };

uint8_t app_byte(uint8_t id, uint64_t i)
{
    uint32_t mixed = (uint32_t)(i + id) * 0x9e3779b1u;
    return i == 0 ? id : (uint8_t)(mixed >> 24 ^ mixed >> 11 ^ i >> 16);
}

void app_fill(uint8_t id, uint64_t at, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = app_byte(id, at + i);
}

static void check(struct app *a, const uint8_t *p, size_t n)
{
    if (a->n_got == 0)
        a->from = p[0];
    for (size_t i = 0; i < n; i++)
        if (p[i] != app_byte(a->from, a->n_got + i))
            a->is_wrong = true;
    a->n_got += n;
}

static void read_all(struct app *a)
{
    static uint8_t buf[PIECE];
    while (!a->holds_reading && !app_is_over(a)) {
        ssize_t n = read(a->source.fd, buf, sizeof buf);
        if (n > 0)
            check(a, buf, (size_t)n);
        else if (n == 0)
            a->saw_end = true;
        else if (errno == EAGAIN)
            return;
        else if (errno != EINTR)
            a->saw_reset = true;
    }
}

static void write_all(struct app *a)
{
    static uint8_t buf[PIECE];
    while (a->n_sent < a->n_to_send && !a->saw_reset) {
        uint64_t left = a->n_to_send - a->n_sent;
        size_t n = left < sizeof buf ? (size_t)left : sizeof buf;
        app_fill(a->id, a->n_sent, buf, n);
        ssize_t done = write(a->source.fd, buf, n);
        if (done > 0)
            a->n_sent += (uint64_t)done;
        else if (errno == EAGAIN)
            return;
        else if (errno == EPIPE)
            a->n_to_send = a->n_sent; /* reading will tell */
        else if (errno != EINTR)
            a->saw_reset = true;
    }
    if (a->ends_sending && !a->has_shut && a->n_sent == a->n_to_send)
        a->has_shut = shutdown(a->source.fd, SHUT_WR) == 0;
}

static void app_ready(struct loop_source *source, unsigned events)
{
    struct app *a = source->user;
    if (events & (LOOP_READABLE | LOOP_HANGUP | LOOP_ERROR))
        read_all(a);
    if ((events & LOOP_WRITABLE) != 0)
        write_all(a);
}

void app_start(struct app *a, struct loop *l, int fd, uint8_t id)
{
    *a = (struct app){.loop = l, .id = id};
    a->source = (struct loop_source){.fd = fd, .ready = app_ready, .user = a, .slot = -1};
    if (fd < 0 || loop_add(l, &a->source) != ERR_OK)
        abort(); /* a mistake in the test */
}

void app_send(struct app *a, uint64_t n, bool then_end)
{
    if (a->source.fd < 0 || a->has_shut)
        return;
    a->n_to_send += n;
    a->ends_sending |= then_end;
    write_all(a);
}

void app_hold(struct app *a)
{
    a->holds_reading = true;
}

void app_resume(struct app *a)
{
    a->holds_reading = false;
    if (a->source.fd >= 0)
        read_all(a);
}

static int let_go(struct app *a)
{
    int fd = a->source.fd;
    loop_remove(a->loop, &a->source);
    a->source.fd = -1;
    return fd;
}

void app_close(struct app *a)
{
    if (a->loop != NULL && a->source.fd >= 0)
        close(let_go(a));
}

void app_reset(struct app *a)
{
    if (a->loop != NULL && a->source.fd >= 0)
        socket_reset(let_go(a));
}

bool app_is_over(const struct app *a)
{
    return a->saw_end || a->saw_reset;
}
