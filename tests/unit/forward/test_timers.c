/* What a loop does at a time, and at the end of a turn: timers and deferred tasks. */
#include <stdlib.h>
#include <unistd.h>

#include "forward/loop.h"
#include "tests/unit/forward/drive.h"
#include "tests/unit/unit.h"

struct alarm {
    struct loop *loop;
    struct loop_timer timer;
    struct loop_timer *stops;
    int n_fired;
    uint64_t again_at; /* 0: not again */
    uint64_t *last_at; /* shared: fires must not go back in time */
};

static void alarm_fire(struct loop_timer *timer)
{
    struct alarm *a = timer->user;
    a->n_fired++;
    if (a->last_at != NULL) {
        CU_ASSERT_TRUE(timer->at_ms >= *a->last_at);
        *a->last_at = timer->at_ms;
    }
    if (a->stops != NULL)
        loop_timer_stop(a->loop, a->stops);
    if (a->again_at != 0)
        loop_timer_set(a->loop, timer, a->again_at);
}

static struct alarm alarm_at(struct loop *l)
{
    return (struct alarm){.loop = l, .timer = {.fire = alarm_fire}};
}

/* Several, since a wait that ends a moment too soon is often late enough by luck. */
static void a_timer_fires_in_time_and_without_spinning(void)
{
    struct loop *l = loop_new();
    struct alarm a = alarm_at(l);
    a.timer.user = &a;
    int n_turns = 0;
    for (int i = 1; i <= 10; i++) {
        uint64_t at = drive_clock_ms() + 5;
        loop_timer_set(l, &a.timer, at);
        while (a.n_fired < i && n_turns++ < 1000)
            loop_turn(l, 10000);
        CU_ASSERT_EQUAL(a.n_fired, i);
        CU_ASSERT_TRUE(drive_clock_ms() >= at);
        CU_ASSERT_TRUE(loop_now(l) >= at);
    }
    CU_ASSERT_TRUE(n_turns <= 20); /* a signal may interrupt some */
    loop_free(l);
}

static void many_timers_fire_in_order(void)
{
    enum { N = 2000 };
    static struct alarm alarms[N];
    struct loop *l = loop_new();
    uint64_t base = loop_now(l) - 100000, last = 0;
    srandom(7);
    for (int i = 0; i < N; i++) {
        alarms[i] = alarm_at(l);
        alarms[i].timer.user = &alarms[i];
        alarms[i].last_at = &last;
        loop_timer_set(l, &alarms[i].timer, base + (uint64_t)(random() % 50000));
    }
    for (int i = 0; i < N; i += 3) /* moved */
        loop_timer_set(l, &alarms[i].timer, base + (uint64_t)(random() % 50000));
    for (int i = 1; i < N; i += 3) /* stopped, twice */
        loop_timer_stop(l, &alarms[i].timer);
    for (int i = 1; i < N; i += 3)
        loop_timer_stop(l, &alarms[i].timer);
    loop_turn(l, 60000);
    for (int i = 0; i < N; i++)
        CU_ASSERT_EQUAL(alarms[i].n_fired, i % 3 == 1 ? 0 : 1);
    CU_ASSERT_TRUE(last > 0);
    loop_free(l);
}

static void a_timer_may_stop_another_that_is_due_too(void)
{
    struct loop *l = loop_new();
    struct alarm a = alarm_at(l), b = alarm_at(l), c = alarm_at(l);
    a.timer.user = &a;
    b.timer.user = &b;
    c.timer.user = &c;
    a.stops = &b.timer;
    loop_timer_set(l, &c.timer, 3);
    loop_timer_set(l, &b.timer, 2);
    loop_timer_set(l, &a.timer, 1);
    loop_turn(l, 0);
    CU_ASSERT_EQUAL(a.n_fired, 1);
    CU_ASSERT_EQUAL(b.n_fired, 0);
    CU_ASSERT_EQUAL(c.n_fired, 1);
    CU_ASSERT_EQUAL(b.timer.place, 0);
    loop_free(l);
}

static void a_timer_set_to_now_by_itself_fires_once_a_turn(void)
{
    struct loop *l = loop_new();
    struct alarm a = alarm_at(l);
    a.timer.user = &a;
    a.again_at = 1; /* long past */
    loop_timer_set(l, &a.timer, 1);
    for (int i = 1; i <= 3; i++) {
        loop_turn(l, 60000);
        CU_ASSERT_EQUAL(a.n_fired, i);
    }
    loop_free(l);
}

/* ---- tasks */

struct chore {
    struct loop *loop;
    struct loop_task task;
    struct loop_task *undefers;
    int n_run;
    bool is_repeated;
    int *order, seen; /* a counter shared, and its value when this one ran */
};

static void chore_run(struct loop_task *task)
{
    struct chore *c = task->user;
    c->n_run++;
    if (c->order != NULL)
        c->seen = ++*c->order;
    if (c->undefers != NULL)
        loop_undefer(c->loop, c->undefers);
    if (c->is_repeated)
        loop_defer(c->loop, task);
}

static void chore_init(struct chore *c, struct loop *l)
{
    *c = (struct chore){.loop = l, .task = {.run = chore_run, .user = c}};
}

static void ordered_alarm(struct loop_timer *timer)
{
    struct chore *c = timer->user;
    c->seen = ++*c->order;
}

static void told_and_defers(struct loop_source *source, unsigned events)
{
    struct chore *c = source->user;
    (void)events;
    CU_ASSERT_EQUAL(*c->order, 0); /* told first of all */
    ++*c->order;
    loop_defer(c->loop, &c->task);
    loop_defer(c->loop, &c->task);
}

static void tasks_run_once_after_sources_and_timers(void)
{
    struct loop *l = loop_new();
    int order = 0, fds[2];
    struct chore c, at_timer = {.order = &order};
    chore_init(&c, l);
    c.order = &order;
    CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
    struct loop_source source = {.fd = fds[0], .ready = told_and_defers, .user = &c, .slot = -1};
    struct loop_timer timer = {.fire = ordered_alarm, .user = &at_timer};
    CU_ASSERT_EQUAL(loop_add(l, &source), ERR_OK);
    loop_timer_set(l, &timer, 1);
    CU_ASSERT_EQUAL(write(fds[1], "x", 1), 1);
    loop_turn(l, 0);
    CU_ASSERT_EQUAL(at_timer.seen, 2);
    CU_ASSERT_EQUAL(c.seen, 3);
    CU_ASSERT_EQUAL(c.n_run, 1);
    loop_free(l);
    drive_close(fds, 2);
}

static void a_task_that_defers_itself_runs_next_turn_which_does_not_wait(void)
{
    struct loop *l = loop_new();
    struct chore c;
    chore_init(&c, l);
    c.is_repeated = true;
    loop_defer(l, &c.task);
    for (int i = 1; i <= 3; i++) {
        loop_turn(l, 60000);
        CU_ASSERT_EQUAL(c.n_run, i);
    }
    loop_undefer(l, &c.task);
    loop_undefer(l, &c.task);
    loop_turn(l, 0);
    CU_ASSERT_EQUAL(c.n_run, 3);
    loop_free(l);
}

static void tasks_run_in_order_and_may_undefer_each_other(void)
{
    struct loop *l = loop_new();
    int order = 0;
    struct chore c[3];
    for (int i = 0; i < 3; i++) {
        chore_init(&c[i], l);
        c[i].order = &order;
        loop_defer(l, &c[i].task);
    }
    c[0].undefers = &c[1].task;
    loop_turn(l, 0);
    CU_ASSERT_EQUAL(c[0].seen, 1);
    CU_ASSERT_EQUAL(c[1].n_run, 0);
    CU_ASSERT_EQUAL(c[2].seen, 2);
    loop_defer(l, &c[1].task);
    loop_defer(l, &c[2].task);
    loop_defer(l, &c[1].task); /* asked for twice, runs once */
    loop_turn(l, 0);
    CU_ASSERT_EQUAL(c[1].n_run, 1);
    CU_ASSERT_EQUAL(c[1].seen, 3);
    CU_ASSERT_EQUAL(c[2].n_run, 2);
    loop_free(l);
}

static const struct unit_test tests[] = {
    UNIT(a_timer_fires_in_time_and_without_spinning),
    UNIT(many_timers_fire_in_order),
    UNIT(a_timer_may_stop_another_that_is_due_too),
    UNIT(a_timer_set_to_now_by_itself_fires_once_a_turn),
    UNIT(tasks_run_once_after_sources_and_timers),
    UNIT(a_task_that_defers_itself_runs_next_turn_which_does_not_wait),
    UNIT(tasks_run_in_order_and_may_undefer_each_other),
};

UNIT_MAIN("timers", tests)
