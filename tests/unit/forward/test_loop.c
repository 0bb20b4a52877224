#include "forward/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/forward/drive.h"
#include "tests/unit/unit.h"

/* A source at one end of a socket pair, the test at the other. */
struct probe {
    struct loop *loop;
    struct loop_source source;
    int far;
    int n_told;
    unsigned last;
    struct probe *victim; /* removed and freed by the first of the two that is told */
    struct probe *heir;   /* added when the victim has gone */
};

static void probe_told(struct loop_source *source, unsigned events)
{
    struct probe *p = source->user;
    p->n_told++;
    p->last = events;
}

static struct probe *probe_new(struct loop *l, bool is_level)
{
    int fds[2];
    struct probe *p = calloc(1, sizeof *p);
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    p->loop = l;
    p->far = fds[1];
    p->source = (struct loop_source){.fd = fds[0], .ready = probe_told, .user = p, .slot = -1};
    CU_ASSERT_EQUAL(is_level ? loop_add_level(l, &p->source) : loop_add(l, &p->source), ERR_OK);
    return p;
}

static void probe_free(struct probe *p)
{
    loop_remove(p->loop, &p->source);
    close(p->source.fd);
    close(p->far);
    free(p);
}

static void say(int fd, const char *text)
{
    CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void swallow(int fd)
{
    char sink[64];
    while (read(fd, sink, sizeof sink) > 0)
        ;
}

static void a_source_is_told_once_of_each_change(void)
{
    struct loop *l = loop_new();
    struct probe *p = probe_new(l, false);
    loop_turn(l, 0);
    CU_ASSERT_EQUAL(p->last, LOOP_WRITABLE);
    say(p->far, "x");
    loop_turn(l, 0);
    CU_ASSERT_EQUAL(p->n_told, 2);
    CU_ASSERT_TRUE(p->last & LOOP_READABLE);
    drive_idle(l);
    CU_ASSERT_EQUAL(p->n_told, 2); /* though nobody has read */
    say(p->far, "y");
    loop_turn(l, 0);
    CU_ASSERT_EQUAL(p->n_told, 3);
    probe_free(p);
    loop_free(l);
}

static void a_level_source_is_told_until_it_has_read_or_paused(void)
{
    struct loop *l = loop_new();
    struct probe *p = probe_new(l, true);
    drive_idle(l);
    CU_ASSERT_EQUAL(p->n_told, 0); /* writable, which it did not ask for */
    say(p->far, "x");
    loop_turn(l, 0);
    loop_turn(l, 0);
    CU_ASSERT_EQUAL(p->n_told, 2);
    CU_ASSERT_EQUAL(p->last, LOOP_READABLE);
    loop_pause(l, &p->source);
    loop_pause(l, &p->source);
    drive_idle(l);
    CU_ASSERT_EQUAL(p->n_told, 2);
    loop_resume(l, &p->source);
    loop_turn(l, 0);
    CU_ASSERT_EQUAL(p->n_told, 3);
    swallow(p->source.fd);
    drive_idle(l);
    CU_ASSERT_EQUAL(p->n_told, 3);
    probe_free(p);
    loop_free(l);
}

static void an_edge_source_that_resumes_is_told_anew_what_is_ready(void)
{
    struct loop *l = loop_new();
    struct probe *p = probe_new(l, false);
    loop_turn(l, 0);
    loop_pause(l, &p->source);
    say(p->far, "x");
    drive_idle(l);
    CU_ASSERT_EQUAL(p->n_told, 1);
    loop_resume(l, &p->source);
    loop_turn(l, 0);
    CU_ASSERT_EQUAL(p->n_told, 2);
    CU_ASSERT_EQUAL(p->last, LOOP_READABLE | LOOP_WRITABLE);
    probe_free(p);
    loop_free(l);
}

/* Epoll reports a hang-up whether it was asked for or not. */
static void a_hangup_does_not_spin_a_loop_whose_source_is_paused(void)
{
    struct loop *l = loop_new();
    struct probe *p = probe_new(l, true);
    loop_pause(l, &p->source);
    close(p->far);
    p->far = -1;
    loop_turn(l, 0);
    uint64_t before = drive_clock_ms();
    loop_turn(l, 20);
    CU_ASSERT_TRUE(drive_clock_ms() - before >= 20);
    CU_ASSERT_EQUAL(p->n_told, 0);
    loop_resume(l, &p->source);
    loop_turn(l, 0);
    CU_ASSERT_EQUAL(p->last, LOOP_READABLE | LOOP_WRITABLE | LOOP_HANGUP);
    probe_free(p);
    loop_free(l);
}

static void ends_and_resets_are_told_apart(void)
{
    struct loop *l = loop_new();
    struct probe *p = probe_new(l, false);
    shutdown(p->far, SHUT_WR);
    loop_turn(l, 0);
    CU_ASSERT_EQUAL(p->last, LOOP_READABLE | LOOP_WRITABLE | LOOP_HANGUP);
    probe_free(p);

    p = probe_new(l, false);
    say(p->source.fd, "never read, so closing resets");
    close(p->far);
    p->far = -1;
    loop_turn(l, 0);
    CU_ASSERT_TRUE(p->last & LOOP_ERROR);
    CU_ASSERT_TRUE(p->last & LOOP_HANGUP);
    probe_free(p);
    loop_free(l);
}

/* Whichever of two comes first in the batch frees the other one, and puts a third, to which nothing
 * happened, into its slot. */
static void told_and_kills(struct loop_source *source, unsigned events)
{
    struct probe *p = source->user;
    probe_told(source, events);
    if (p->victim != NULL) {
        probe_free(p->victim);
        p->victim = NULL;
        p->heir = probe_new(p->loop, true);
    }
}

static void a_source_may_be_freed_with_its_event_already_fetched(void)
{
    struct loop *l = loop_new();
    struct probe *a = probe_new(l, true);
    struct probe *b = probe_new(l, true);
    a->source.ready = b->source.ready = told_and_kills;
    a->victim = b;
    b->victim = a;
    int slot_a = a->source.slot, slot_b = b->source.slot;
    say(a->far, "x");
    say(b->far, "x");
    loop_turn(l, 0);
    struct probe *left = a->heir != NULL ? a : b; /* the heir shows who was told */
    CU_ASSERT_PTR_NOT_NULL_FATAL(left->heir);
    CU_ASSERT_EQUAL(left->n_told, 1);
    CU_ASSERT_EQUAL(left->heir->n_told, 0);
    CU_ASSERT_TRUE(left->heir->source.slot == slot_a || left->heir->source.slot == slot_b);
    probe_free(left->heir);
    probe_free(left);
    loop_free(l);
}

static int n_freed;

static void told_and_frees_itself(struct loop_source *source, unsigned events)
{
    (void)events;
    probe_free(source->user);
    n_freed++;
}

static void a_source_may_free_itself(void)
{
    struct loop *l = loop_new();
    struct probe *p = probe_new(l, true);
    p->source.ready = told_and_frees_itself;
    say(p->far, "x");
    drive_idle(l);
    CU_ASSERT_EQUAL(n_freed, 1);
    loop_free(l);
}

static void a_descriptor_may_change_its_source(void)
{
    struct loop *l = loop_new();
    struct probe *p = probe_new(l, false);
    struct loop_source second = p->source;
    loop_turn(l, 0);
    loop_remove(l, &p->source);
    CU_ASSERT_EQUAL(p->source.slot, -1);
    loop_remove(l, &p->source); /* does nothing */
    second.slot = -1;
    CU_ASSERT_EQUAL(loop_add(l, &second), ERR_OK);
    say(p->far, "x");
    loop_turn(l, 0);
    CU_ASSERT_EQUAL(p->n_told, 2);
    loop_remove(l, &second);
    probe_free(p);
    loop_free(l);
}

/* A child, or another owner, may hold the descriptor on: epoll would go on telling. */
static void a_removed_source_wakes_nobody(void)
{
    struct loop *l = loop_new();
    struct probe *p = probe_new(l, true);
    loop_turn(l, 0);
    loop_remove(l, &p->source);
    say(p->far, "x");
    uint64_t before = drive_clock_ms();
    loop_turn(l, 20);
    CU_ASSERT_TRUE(drive_clock_ms() - before >= 20);
    CU_ASSERT_EQUAL(p->n_told, 0);
    probe_free(p);
    loop_free(l);
}

static void what_cannot_be_watched_is_refused(void)
{
    struct loop *l = loop_new();
    struct loop_source s = {.fd = -1, .ready = probe_told, .slot = -1};
    CU_ASSERT_EQUAL(loop_add(l, &s), ERR_IO);
    CU_ASSERT_EQUAL(s.slot, -1);
    loop_remove(l, &s);
    loop_free(l);
}

static void a_regular_file_is_ready_every_turn(void)
{
    struct loop *l = loop_new();
    struct probe p = {.loop = l};
    FILE *f = tmpfile();
    p.source = (struct loop_source){.fd = fileno(f), .ready = probe_told, .user = &p, .slot = -1};
    CU_ASSERT_EQUAL(loop_add(l, &p.source), ERR_OK);
    loop_turn(l, 60000); /* does not wait */
    loop_turn(l, 60000);
    CU_ASSERT_EQUAL(p.n_told, 2);
    CU_ASSERT_EQUAL(p.last, LOOP_READABLE | LOOP_WRITABLE);
    loop_pause(l, &p.source);
    loop_turn(l, 1);
    CU_ASSERT_EQUAL(p.n_told, 2);
    loop_resume(l, &p.source);
    loop_turn(l, 60000);
    CU_ASSERT_EQUAL(p.n_told, 3);
    loop_remove(l, &p.source);
    loop_turn(l, 1);
    CU_ASSERT_EQUAL(p.n_told, 3);
    CU_ASSERT_EQUAL(loop_add_level(l, &p.source), ERR_OK);
    loop_turn(l, 60000);
    CU_ASSERT_EQUAL(p.last, LOOP_READABLE);
    loop_remove(l, &p.source);
    fclose(f);
    loop_free(l);
}

/* ---- the whole loop */

struct stopper {
    struct loop *loop;
    struct loop_task flush;
    bool flushed;
};

static void flush_run(struct loop_task *task)
{
    ((struct stopper *)task->user)->flushed = true;
}

static void stop_now(void *arg)
{
    struct stopper *s = arg;
    loop_stop(s->loop, 7);
    loop_defer(s->loop, &s->flush);
}

static void stopping_lets_the_turn_end_and_gives_the_status(void)
{
    struct loop *l = loop_new();
    struct stopper s = {.loop = l, .flush = {.run = flush_run, .user = &s}};
    CU_ASSERT_TRUE(loop_post(l, stop_now, &s));
    CU_ASSERT_EQUAL(loop_run(l), 7);
    CU_ASSERT_TRUE(s.flushed);
    CU_ASSERT_TRUE(loop_post(l, stop_now, &s));
    CU_ASSERT_EQUAL(loop_run(l), 7);
    loop_stop(l, 3);
    CU_ASSERT_FALSE(loop_turn(l, 60000));
    CU_ASSERT_EQUAL(loop_run(l), 3);
    loop_free(l);
}

static void a_loop_may_be_freed_with_all_sorts_registered(void)
{
    struct loop *l = loop_new();
    struct probe *p = probe_new(l, false);
    struct stopper s = {.loop = l};
    struct loop_timer timer = {.user = &s};
    struct loop_task task = {.user = &s};
    loop_timer_set(l, &timer, loop_now(l) + 1000);
    loop_defer(l, &task);
    CU_ASSERT_TRUE(loop_post(l, stop_now, &s));
    loop_free(l);
    close(p->source.fd);
    close(p->far);
    free(p);
    loop_free(NULL);
}

static void a_loop_without_descriptors_is_not_made(void)
{
    struct rlimit old, none;
    getrlimit(RLIMIT_NOFILE, &old);
    int n_before = drive_n_fds();
    for (rlim_t extra = 0; extra < 2; extra++) { /* no epoll; epoll but no eventfd */
        int next = dup(0);
        close(next);
        none = (struct rlimit){.rlim_cur = (rlim_t)next + extra, .rlim_max = old.rlim_max};
        setrlimit(RLIMIT_NOFILE, &none);
        struct loop *l = loop_new();
        int why = errno;
        setrlimit(RLIMIT_NOFILE, &old);
        CU_ASSERT_PTR_NULL(l);
        CU_ASSERT_EQUAL(why, EMFILE);
    }
    CU_ASSERT_EQUAL(drive_n_fds(), n_before);
}

/* ---- torture */

/* Sources that, when told, add and free others and themselves at random, and write to each other.
 * The sanitizer sees a touch too many; what must also hold is that nobody who was written to after
 * it was added is left untold. */
enum { N_PLACES = 40, N_TOLD = 60000 };

struct crowd {
    struct loop *loop;
    struct member {
        struct crowd *crowd;
        struct loop_source source;
        int far;
        int place;
        bool is_owed;
        bool is_level;
    } * members[N_PLACES];
    int n_told;
};

static void crowd_told(struct loop_source *source, unsigned events);

static void crowd_add(struct crowd *c, int place)
{
    int fds[2];
    struct member *m = calloc(1, sizeof *m);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0)
        abort();
    m->crowd = c;
    m->far = fds[1];
    m->place = place;
    m->is_level = random() % 2;
    m->source = (struct loop_source){.fd = fds[0], .ready = crowd_told, .user = m, .slot = -1};
    enum err e = m->is_level ? loop_add_level(c->loop, &m->source) : loop_add(c->loop, &m->source);
    CU_ASSERT_EQUAL(e, ERR_OK);
    c->members[place] = m;
}

static void crowd_remove(struct crowd *c, int place)
{
    struct member *m = c->members[place];
    loop_remove(c->loop, &m->source);
    close(m->source.fd);
    close(m->far);
    c->members[place] = NULL;
    memset(m, 0xdd, sizeof *m); /* for builds without a sanitizer */
    free(m);
}

static void crowd_act(struct crowd *c)
{
    int place = (int)(random() % N_PLACES);
    struct member *m = c->members[place];
    if (m == NULL)
        crowd_add(c, place);
    else if (random() % 4 == 0)
        crowd_remove(c, place);
    else
        m->is_owed = write(m->far, "x", 1) == 1;
}

static void crowd_told(struct loop_source *source, unsigned events)
{
    struct member *m = source->user;
    struct crowd *c = m->crowd;
    CU_ASSERT_EQUAL(c->members[m->place], m);
    CU_ASSERT_NOT_EQUAL(events, 0);
    if (events & LOOP_READABLE) {
        swallow(source->fd);
        m->is_owed = false;
    }
    c->n_told++;
    for (int i = 0; i < 3 && c->n_told < N_TOLD; i++)
        crowd_act(c);
}

static void sources_survive_being_added_and_freed_at_random(void)
{
    struct crowd c = {.loop = loop_new()};
    srandom(11);
    for (int i = 0; c.n_told < N_TOLD && i < N_TOLD; i++) {
        for (int j = 0; j < 4; j++)
            crowd_act(&c);
        loop_turn(c.loop, 0);
    }
    CU_ASSERT_TRUE(c.n_told >= N_TOLD);
    drive_idle(c.loop);
    for (int i = 0; i < N_PLACES; i++) {
        if (c.members[i] == NULL)
            continue;
        CU_ASSERT_FALSE(c.members[i]->is_owed);
        crowd_remove(&c, i);
    }
    loop_free(c.loop);
}

static const struct unit_test tests[] = {
    UNIT(a_source_is_told_once_of_each_change),
    UNIT(a_level_source_is_told_until_it_has_read_or_paused),
    UNIT(an_edge_source_that_resumes_is_told_anew_what_is_ready),
    UNIT(a_hangup_does_not_spin_a_loop_whose_source_is_paused),
    UNIT(ends_and_resets_are_told_apart),
    UNIT(a_source_may_be_freed_with_its_event_already_fetched),
    UNIT(a_source_may_free_itself),
    UNIT(a_descriptor_may_change_its_source),
    UNIT(a_removed_source_wakes_nobody),
    UNIT(what_cannot_be_watched_is_refused),
    UNIT(a_regular_file_is_ready_every_turn),
    UNIT(stopping_lets_the_turn_end_and_gives_the_status),
    UNIT(a_loop_may_be_freed_with_all_sorts_registered),
    UNIT(a_loop_without_descriptors_is_not_made),
    UNIT(sources_survive_being_added_and_freed_at_random),
};

UNIT_MAIN("loop", tests)
