#include "cli/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/cli/fixture.h"
#include "tests/unit/cli/terminal.h"

enum { MANY = 1 << 20 };

/* A stream, and what it told. */
struct rig {
    struct loop *l;
    struct stream s;
    size_t n_left;
    int n_failed, n_empty;
};

static void note_left(struct stream *s, size_t n)
{
    ((struct rig *)s->user)->n_left += n;
}

static void note_failed(struct stream *s)
{
    ((struct rig *)s->user)->n_failed++;
}

static void note_empty(struct stream *s)
{
    ((struct rig *)s->user)->n_empty++;
}

static void rig_open(struct rig *r, int fd)
{
    memset(r, 0, sizeof *r);
    r->l = loop_new();
    r->s =
        (struct stream){.left = note_left, .failed = note_failed, .empty = note_empty, .user = r};
    CU_ASSERT_FATAL(r->l != NULL && stream_open(&r->s, r->l, fd));
}

static void rig_close(struct rig *r)
{
    stream_close(&r->s);
    stream_close(&r->s); /* twice is once */
    loop_free(r->l);
}

static void put(struct rig *r, const void *p, size_t n)
{
    struct iovec iov[2] = {{.iov_base = (void *)(uintptr_t)p, .iov_len = n / 3},
        {.iov_base = (uint8_t *)(uintptr_t)p + n / 3, .iov_len = n - n / 3}};
    stream_write(&r->s, iov, 2);
}

static bool is_nonblocking(int fd)
{
    return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
}

static void pipe_new(int fds[2])
{
    CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
}

static uint8_t *pattern_new(void)
{
    uint8_t *p = malloc(MANY);
    CU_ASSERT_FATAL(p != NULL);
    for (size_t i = 0; i < MANY; i++)
        p[i] = (uint8_t)(i * 2654435761u >> 13);
    return p;
}

/* ---- streams ----------------------------------------------------------------------------------
 */

/* Reads n bytes from fd, the loop turning in between, and compares them. */
static bool arrives(struct rig *r, int fd, const uint8_t *expected, size_t n)
{
    static uint8_t got[8192];
    size_t at = 0;
    while (at < n) {
        ssize_t some = read(fd, got, sizeof got < n - at ? sizeof got : n - at);
        if (some <= 0 || memcmp(got, expected + at, (size_t)some) != 0)
            return false;
        at += (size_t)some;
        loop_turn(r->l, 0);
    }
    return true;
}

static void what_a_slow_reader_refuses_waits_in_order(void)
{
    int fds[2];
    struct rig r;
    uint8_t *sent = pattern_new(), got[32768];
    pipe_new(fds);
    rig_open(&r, fds[1]);
    put(&r, sent, MANY / 2);
    size_t at_first = r.n_left;
    CU_ASSERT(at_first > 0 && at_first < MANY / 2); /* only what the pipe took is told */
    CU_ASSERT_EQUAL(r.s.spill_n, MANY / 2 - at_first);
    CU_ASSERT_EQUAL(read(fds[0], got, sizeof got), (ssize_t)sizeof got);
    CU_ASSERT_EQUAL(memcmp(got, sent, sizeof got), 0);
    put(&r, sent + MANY / 2, MANY / 2);
    CU_ASSERT_EQUAL(r.n_left, at_first); /* behind the first, though the pipe has room now */
    CU_ASSERT(arrives(&r, fds[0], sent + sizeof got, MANY - sizeof got));
    CU_ASSERT_EQUAL(r.n_left, MANY);
    CU_ASSERT(r.n_empty == 1 && r.n_failed == 0 && r.s.spill == NULL);
    rig_close(&r);
    close(fds[0]);
    close(fds[1]);
    free(sent);
}

static void a_reader_that_left_fails_the_stream_once_and_bytes_are_swallowed(void)
{
    int fds[2];
    struct rig r;
    pipe_new(fds);
    rig_open(&r, fds[1]);
    put(&r, "abc", 3);
    close(fds[0]);
    put(&r, "defg", 4);
    CU_ASSERT(r.n_failed == 1 && r.s.error == EPIPE);
    put(&r, "hi", 2);
    CU_ASSERT(r.n_failed == 1 && r.n_left == 9 && r.s.spill_n == 0);
    rig_close(&r);
    close(fds[1]);
}

static void a_reader_that_leaves_frees_what_waits(void)
{
    int fds[2];
    struct rig r;
    uint8_t *sent = pattern_new();
    pipe_new(fds);
    rig_open(&r, fds[1]);
    put(&r, sent, MANY);
    CU_ASSERT(r.s.spill_n > 0);
    close(fds[0]);
    loop_turn(r.l, 1000);
    CU_ASSERT(r.n_failed == 1 && r.n_empty == 1 && r.n_left == MANY && r.s.spill == NULL);
    rig_close(&r);
    close(fds[1]);
    free(sent);
}

static void a_full_disk_fails_the_stream(void)
{
    struct rig r;
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    CU_ASSERT_FATAL(fd >= 0);
    rig_open(&r, fd);
    put(&r, "abc", 3);
    CU_ASSERT(r.n_failed == 1 && r.s.error == ENOSPC && r.n_left == 3);
    rig_close(&r);
    CU_ASSERT_FALSE(is_nonblocking(fd));
    close(fd);
}

static void without_memory_the_stream_fails_and_nothing_is_counted_twice(void)
{
    uint8_t *sent = pattern_new();
    for (size_t waiting = 0; waiting <= 3000; waiting += 3000) {
        int fds[2];
        struct rig r;
        pipe_new(fds);
        rig_open(&r, fds[1]);
        while (r.s.spill_n < waiting)
            put(&r, sent, 3000);
        size_t before = r.n_left + r.s.spill_n;
        if (fixture_fail_allocation(0)) {
            put(&r, sent, waiting == 0 ? MANY : 20000); /* a third finds room in what there is */
            fixture_fail_allocation(-1);
            CU_ASSERT(r.n_failed == 1 && r.s.error == ENOMEM);
            CU_ASSERT_EQUAL(r.n_left, before + (waiting == 0 ? MANY : 20000));
        }
        rig_close(&r);
        close(fds[0]);
        close(fds[1]);
    }
    free(sent);
}

/* Two streams into one file, as with 2>&1: they share its place in the file. */
static void files_are_written_where_they_stand(void)
{
    struct fixture f;
    struct rig out, err;
    fixture_begin(&f);
    fixture_write(&f, "log", "before\n");
    int fd = open(fixture_path(&f, "log"), O_WRONLY | O_APPEND | O_CLOEXEC);
    CU_ASSERT_FATAL(fd >= 0);
    rig_open(&out, fd);
    rig_open(&err, fd);
    put(&out, "one\n", 4);
    put(&err, "two\n", 4);
    put(&out, "three\n", 6);
    CU_ASSERT_STRING_EQUAL(fixture_read(&f, "log"), "before\none\ntwo\nthree\n");
    CU_ASSERT(out.n_left == 10 && out.n_empty == 0);
    rig_close(&out);
    rig_close(&err);
    close(fd);
    fixture_end(&f);
}

static void words_of_our_own_are_not_counted_and_do_not_wait(void)
{
    int fds[2];
    char got[8192] = "";
    struct rig r;
    uint8_t *sent = pattern_new();
    pipe_new(fds);
    rig_open(&r, fds[1]);
    stream_say(&r.s, BYTES_LIT("word"));
    CU_ASSERT_EQUAL(read(fds[0], got, sizeof got), 4);
    CU_ASSERT(strcmp(got, "word") == 0 && r.n_left == 0);
    put(&r, sent, MANY);
    CU_ASSERT_EQUAL(read(fds[0], got, sizeof got), (ssize_t)sizeof got);
    stream_say(&r.s, BYTES_LIT("word")); /* nothing may come between */
    CU_ASSERT(arrives(&r, fds[0], sent + sizeof got, MANY - sizeof got));
    rig_close(&r);
    close(fds[0]);
    close(fds[1]);
    free(sent);
}

/* ---- descriptors ------------------------------------------------------------------------------
 */

static ssize_t read_some(const struct descriptor *d)
{
    char got[16];
    struct iovec iov = {.iov_base = got, .iov_len = sizeof got};
    return descriptor_read(d, &iov, 1);
}

/* Neither waits at either end of fds, whose own O_NONBLOCK does not change. */
static void does_not_wait(int reader, int writer)
{
    struct descriptor in, out;
    bool read_before = is_nonblocking(reader), write_before = is_nonblocking(writer);
    CU_ASSERT_FATAL(descriptor_open(&in, reader) && descriptor_open(&out, writer));
    CU_ASSERT(read_some(&in) == -1 && errno == EAGAIN);
    struct iovec iov = {.iov_base = (void *)(uintptr_t) "abc", .iov_len = 3};
    CU_ASSERT_EQUAL(descriptor_write(&out, &iov, 1), 3);
    CU_ASSERT_EQUAL(read_some(&in), 3);
    while (descriptor_write(&out, &iov, 1) > 0)
        ;
    CU_ASSERT_EQUAL(errno, EAGAIN);
    CU_ASSERT_EQUAL(is_nonblocking(reader), read_before);
    CU_ASSERT_EQUAL(is_nonblocking(writer), write_before);
    CU_ASSERT((fcntl(in.fd, F_GETFD) & FD_CLOEXEC) && (fcntl(out.fd, F_GETFD) & FD_CLOEXEC));
    descriptor_close(&in);
    descriptor_close(&out);
    descriptor_close(&out);
}

static void pipes_do_not_wait_and_are_not_switched(void)
{
    int fds[2];
    pipe_new(fds);
    does_not_wait(fds[0], fds[1]);
    close(fds[0]);
    close(fds[1]);
}

static void sockets_do_not_wait_and_are_not_switched(void)
{
    int fds[2];
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    does_not_wait(fds[0], fds[1]);
    does_not_wait(fds[1], fds[0]);
    close(fds[0]);
    close(fds[1]);
}

static void terminals_do_not_wait_and_are_not_switched(void)
{
    struct terminal t = terminal_new();
    struct descriptor in, out;
    CU_ASSERT_FATAL(descriptor_open(&in, t.near) && descriptor_open(&out, t.near));
    CU_ASSERT(read_some(&in) == -1 && errno == EAGAIN);
    CU_ASSERT_EQUAL(write(t.far, "key\n", 4), 4);
    CU_ASSERT_EQUAL(read_some(&in), 4);
    CU_ASSERT_FALSE(is_nonblocking(t.near));
    descriptor_close(&in);
    descriptor_close(&out);
    terminal_free(&t);
}

/* The end of a pipe is seen also when the writer left before us, with bytes still in it. */
static void the_end_of_a_pipe_is_seen(void)
{
    int fds[2];
    struct descriptor in;
    pipe_new(fds);
    CU_ASSERT_EQUAL(write(fds[1], "abc", 3), 3);
    close(fds[1]);
    CU_ASSERT_FATAL(descriptor_open(&in, fds[0]));
    CU_ASSERT_EQUAL(read_some(&in), 3);
    CU_ASSERT_EQUAL(read_some(&in), 0);
    descriptor_close(&in);
    close(fds[0]);
}

/* What cannot be opened again, here a terminal's far side, is switched: for all, and all are
 * switched back when the last is closed. */
static void what_must_be_switched_is_switched_back_at_the_end(void)
{
    struct terminal t = terminal_new();
    struct descriptor in, out;
    CU_ASSERT_FATAL(descriptor_open(&in, t.far) && descriptor_open(&out, t.far));
    CU_ASSERT(is_nonblocking(t.far));
    CU_ASSERT(read_some(&in) == -1 && errno == EAGAIN);
    descriptors_restore(); /* suspended */
    CU_ASSERT_FALSE(is_nonblocking(t.far));
    descriptors_again();
    CU_ASSERT(is_nonblocking(t.far));
    descriptor_close(&in);
    CU_ASSERT(is_nonblocking(t.far));
    descriptor_close(&out);
    CU_ASSERT_FALSE(is_nonblocking(t.far));
    terminal_free(&t);
}

static void what_was_non_blocking_before_stays_so(void)
{
    struct terminal t = terminal_new();
    struct descriptor d;
    CU_ASSERT_EQUAL(fcntl(t.far, F_SETFL, O_RDWR | O_NONBLOCK), 0);
    CU_ASSERT_FATAL(descriptor_open(&d, t.far));
    descriptor_close(&d);
    CU_ASSERT(is_nonblocking(t.far));
    terminal_free(&t);
}

static int n_ready;

static void count_ready(struct loop_source *source, unsigned events)
{
    (void)source;
    (void)events;
    n_ready++;
}

static void a_named_pipe_ends_also_when_its_writer_left_first(void)
{
    struct fixture f;
    struct descriptor in;
    fixture_begin(&f);
    CU_ASSERT_EQUAL_FATAL(mkfifo(fixture_path(&f, "fifo"), 0600), 0);
    int both = open(fixture_path(&f, "fifo"), O_RDWR | O_CLOEXEC);
    int reader = open(fixture_path(&f, "fifo"), O_RDONLY | O_CLOEXEC);
    CU_ASSERT_EQUAL(write(both, "abc", 3), 3);
    close(both);
    CU_ASSERT_FATAL(descriptor_open(&in, reader));
    CU_ASSERT_EQUAL(read_some(&in), 3);
    n_ready = 0;
    struct loop *l = loop_new();
    struct loop_source source = {.fd = in.fd, .ready = count_ready, .slot = -1};
    CU_ASSERT_FATAL(l != NULL && loop_add_level(l, &source) == ERR_OK);
    loop_turn(l, 0);
    CU_ASSERT_EQUAL(n_ready, 1); /* the loop tells of the end: it is no silence for ever */
    CU_ASSERT_EQUAL(read_some(&in), 0);
    loop_remove(l, &source);
    loop_free(l);
    descriptor_close(&in);
    CU_ASSERT_FALSE(is_nonblocking(reader));
    close(reader);
    fixture_end(&f);
}

static void a_closed_descriptor_cannot_be_opened(void)
{
    struct descriptor d;
    int fds[2];
    pipe_new(fds);
    close(fds[0]);
    close(fds[1]);
    CU_ASSERT_FALSE(descriptor_open(&d, fds[0]));
    CU_ASSERT_EQUAL(d.fd, -1);
}

int main(void)
{
    static const struct unit_test tests[] = {
        UNIT(what_a_slow_reader_refuses_waits_in_order),
        UNIT(a_reader_that_left_fails_the_stream_once_and_bytes_are_swallowed),
        UNIT(a_reader_that_leaves_frees_what_waits),
        UNIT(a_full_disk_fails_the_stream),
        UNIT(without_memory_the_stream_fails_and_nothing_is_counted_twice),
        UNIT(files_are_written_where_they_stand),
        UNIT(words_of_our_own_are_not_counted_and_do_not_wait),
        UNIT(pipes_do_not_wait_and_are_not_switched),
        UNIT(sockets_do_not_wait_and_are_not_switched),
        UNIT(terminals_do_not_wait_and_are_not_switched),
        UNIT(the_end_of_a_pipe_is_seen),
        UNIT(what_must_be_switched_is_switched_back_at_the_end),
        UNIT(what_was_non_blocking_before_stays_so),
        UNIT(a_named_pipe_ends_also_when_its_writer_left_first),
        UNIT(a_closed_descriptor_cannot_be_opened),
    };
    signal(SIGPIPE, SIG_IGN); /* as in the program */
    return unit_main("cli/stream", tests, sizeof tests / sizeof tests[0]);
}
