/* What reaches a loop from outside: signals, and posts of other threads. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "forward/loop.h"
#include "tests/unit/forward/drive.h"
#include "tests/unit/unit.h"

static int n_usr1, n_usr2;

static void on_signal(void *user, int signo)
{
    CU_ASSERT_PTR_EQUAL(user, &n_usr1);
    if (signo == SIGUSR1)
        n_usr1++;
    if (signo == SIGUSR2)
        n_usr2++;
}

static void signals_arrive_as_calls(void)
{
    struct loop *l = loop_new();
    sigset_t before;
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    CU_ASSERT_EQUAL(loop_signal(l, SIGUSR1, on_signal, &n_usr1), ERR_OK);
    CU_ASSERT_EQUAL(loop_signal(l, SIGUSR2, on_signal, &n_usr1), ERR_OK);
    CU_ASSERT_NOT_EQUAL(loop_signal(l, 0, on_signal, NULL), ERR_OK);
    CU_ASSERT_NOT_EQUAL(loop_signal(l, 1000, on_signal, NULL), ERR_OK);
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR2);
    drive_idle(l);
    CU_ASSERT_EQUAL(n_usr1, 1);
    CU_ASSERT_EQUAL(n_usr2, 1);
    kill(getpid(), SIGUSR1);
    loop_turn(l, 10000);
    CU_ASSERT_EQUAL(n_usr1, 2);
    loop_free(l);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

enum { N_POSTERS = 4, N_POSTS = 500 };

struct poster {
    struct loop *loop;
    int next; /* posts come in the order in which one thread made them */
    int *n_left;
    struct letter {
        struct poster *from;
        int number;
    } letters[N_POSTS];
};

static void letter_arrives(void *arg)
{
    struct letter *letter = arg;
    CU_ASSERT_EQUAL(letter->number, letter->from->next);
    letter->from->next++;
    --*letter->from->n_left;
}

static void *post_letters(void *arg)
{
    struct poster *p = arg;
    for (int i = 0; i < N_POSTS; i++) {
        p->letters[i] = (struct letter){.from = p, .number = i};
        if (!loop_post(p->loop, letter_arrives, &p->letters[i]))
            abort();
    }
    return NULL;
}

static void count(void *arg)
{
    ++*(int *)arg;
}

static void posts_may_come_turn_after_turn(void)
{
    struct loop *l = loop_new();
    int n = 0;
    for (int i = 1; i <= 6; i++) {
        CU_ASSERT_TRUE(loop_post(l, count, &n));
        if (i % 2 == 0)
            loop_turn(l, 10000);
        CU_ASSERT_EQUAL(n, i - i % 2);
    }
    loop_free(l);
}

static void posts_of_other_threads_all_run_in_their_order(void)
{
    static struct poster posters[N_POSTERS];
    pthread_t threads[N_POSTERS];
    struct loop *l = loop_new();
    int n_left = N_POSTERS * N_POSTS;
    for (int i = 0; i < N_POSTERS; i++) {
        posters[i] = (struct poster){.loop = l, .n_left = &n_left};
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, post_letters, &posters[i]), 0);
    }
    for (uint64_t limit = drive_clock_ms() + 10000; n_left > 0 && drive_clock_ms() < limit;)
        loop_turn(l, 1000);
    CU_ASSERT_EQUAL(n_left, 0);
    for (int i = 0; i < N_POSTERS; i++)
        pthread_join(threads[i], NULL);
    loop_free(l);
}

static const struct unit_test tests[] = {
    UNIT(signals_arrive_as_calls),
    UNIT(posts_may_come_turn_after_turn),
    UNIT(posts_of_other_threads_all_run_in_their_order),
};

UNIT_MAIN("inbox", tests)
