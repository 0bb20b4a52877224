#include "forward/resolver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "forward/addr.h"
#include "tests/unit/forward/drive.h"
#include "tests/unit/forward/faults.h"
#include "tests/unit/unit.h"

struct asked {
    struct resolver *resolver;
    struct resolver_query *query;
    bool is_done;
    int gai, sys_errno;
    char first[ADDR_TEXT_MAX]; /* the first two addresses, numeric */
    char second[ADDR_TEXT_MAX];
    uint16_t port;
    struct asked *cancels; /* this one's answer comes first, and takes that one's away */
    bool frees_resolver;
};

static void note_addresses(struct asked *a, const struct addrinfo *list)
{
    addr_text(a->first, list->ai_addr, list->ai_addrlen);
    a->port = addr_port(list->ai_addr);
    if (list->ai_next != NULL)
        addr_text(a->second, list->ai_next->ai_addr, list->ai_next->ai_addrlen);
}

static void answered(void *user, int gai, int sys_errno, struct addrinfo *list)
{
    struct asked *a = user;
    CU_ASSERT_FALSE(a->is_done);
    a->sys_errno = sys_errno;
    CU_ASSERT_EQUAL(gai == 0, list != NULL);
    a->is_done = true;
    a->gai = gai;
    if (list != NULL) {
        note_addresses(a, list);
        freeaddrinfo(list);
    }
    if (a->cancels != NULL)
        resolver_cancel(a->cancels->query);
    if (a->frees_resolver)
        resolver_free(a->resolver);
}

static void ask(struct asked *a, struct resolver *r, const char *host, int family)
{
    a->resolver = r;
    a->query = resolver_start(r, host, 2222, family, answered, a);
    CU_ASSERT_PTR_NOT_NULL(a->query);
    CU_ASSERT_FALSE(a->is_done); /* never from inside the call */
}

static void a_numeric_host_is_answered_without_a_thread_but_later(void)
{
    struct loop *l = loop_new();
    struct resolver *r = resolver_new(l);
    struct asked v4 = {0}, v6 = {0};
    ask(&v4, r, "127.0.0.1", AF_UNSPEC);
    ask(&v6, r, "::1", AF_UNSPEC);
    CU_ASSERT_TRUE(drive_until(l, &v6.is_done));
    CU_ASSERT_STRING_EQUAL(v4.first, "127.0.0.1");
    CU_ASSERT_STRING_EQUAL(v6.first, "::1");
    CU_ASSERT_EQUAL(v4.port, 2222);
    CU_ASSERT_EQUAL(faults_n_lookups(), 0);
    resolver_free(r);
    loop_free(l);
    faults_clear();
}

/* getaddrinfo() itself would say that there is no such name. */
static void a_lack_of_descriptors_is_told_as_such(void)
{
    struct loop *l = loop_new();
    struct resolver *r = resolver_new(l);
    struct asked a = {0};
    struct rlimit before, none;
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 3; /* all that are open stay so */
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &none), 0);
    ask(&a, r, "unknown.test", AF_UNSPEC);
    CU_ASSERT_TRUE(drive_until(l, &a.is_done));
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_NOFILE, &before), 0);
    CU_ASSERT_EQUAL(a.gai, EAI_SYSTEM);
    CU_ASSERT_EQUAL(a.sys_errno, EMFILE);
    resolver_free(r);
    loop_free(l);
    faults_clear();
}

static void a_numeric_host_of_another_family_fails_at_once(void)
{
    struct loop *l = loop_new();
    struct resolver *r = resolver_new(l);
    struct asked a = {0};
    ask(&a, r, "::1", AF_INET);
    CU_ASSERT_TRUE(drive_until(l, &a.is_done));
    CU_ASSERT_NOT_EQUAL(a.gai, 0);
    CU_ASSERT_EQUAL(faults_n_lookups(), 0);
    resolver_free(r);
    loop_free(l);
    faults_clear();
}

static void localhost_resolves(void)
{
    struct loop *l = loop_new();
    struct resolver *r = resolver_new(l);
    struct asked a = {0};
    ask(&a, r, "localhost", AF_INET);
    CU_ASSERT_TRUE(drive_until(l, &a.is_done));
    CU_ASSERT_EQUAL(a.gai, 0);
    CU_ASSERT_EQUAL(strncmp(a.first, "127.", 4), 0);
    CU_ASSERT_EQUAL(faults_n_lookups(), 1);
    resolver_free(r);
    loop_free(l);
    faults_clear();
}

static void a_name_gives_all_its_addresses_in_order(void)
{
    struct loop *l = loop_new();
    struct resolver *r = resolver_new(l);
    struct asked both = {0}, four = {0};
    faults_name("both.test", "::1,127.0.0.1");
    ask(&both, r, "both.test", AF_UNSPEC);
    ask(&four, r, "both.test", AF_INET);
    CU_ASSERT_TRUE(drive_until(l, &both.is_done));
    CU_ASSERT_TRUE(drive_until(l, &four.is_done));
    CU_ASSERT_STRING_EQUAL(both.first, "::1");
    CU_ASSERT_STRING_EQUAL(both.second, "127.0.0.1");
    CU_ASSERT_STRING_EQUAL(four.first, "127.0.0.1");
    CU_ASSERT_STRING_EQUAL(four.second, "");
    resolver_free(r);
    loop_free(l);
    faults_clear();
}

static void an_unknown_name_fails(void)
{
    struct loop *l = loop_new();
    struct resolver *r = resolver_new(l);
    struct asked a = {0};
    ask(&a, r, "nobody.test", AF_UNSPEC);
    CU_ASSERT_TRUE(drive_until(l, &a.is_done));
    CU_ASSERT_EQUAL(a.gai, EAI_NONAME);
    resolver_free(r);
    loop_free(l);
    faults_clear();
}

static void an_empty_or_endless_name_fails_and_nobody_is_asked(void)
{
    static char endless[5000];
    struct loop *l = loop_new();
    struct resolver *r = resolver_new(l);
    struct asked a = {0}, b = {0};
    memset(endless, 'a', sizeof endless - 1);
    ask(&a, r, "", AF_UNSPEC);
    ask(&b, r, endless, AF_UNSPEC);
    CU_ASSERT_TRUE(drive_until(l, &b.is_done));
    CU_ASSERT_EQUAL(a.gai, EAI_NONAME);
    CU_ASSERT_EQUAL(b.gai, EAI_NONAME);
    CU_ASSERT_EQUAL(faults_n_lookups(), 0);
    resolver_free(r);
    loop_free(l);
    faults_clear();
}

static void a_stuck_name_does_not_hold_up_others(void)
{
    struct loop *l = loop_new();
    struct resolver *r = resolver_new(l);
    struct asked stuck[4] = {0}, fifth = {0}, quick = {0};
    faults_name("quick.test", "127.0.0.1");
    for (int i = 0; i < 3; i++)
        ask(&stuck[i], r, "a.stuck", AF_UNSPEC);
    faults_wait_for_stuck(3);
    ask(&quick, r, "quick.test", AF_UNSPEC);
    CU_ASSERT_TRUE(drive_until(l, &quick.is_done));
    ask(&stuck[3], r, "b.stuck", AF_UNSPEC);
    faults_wait_for_stuck(4);
    ask(&fifth, r, "quick.test", AF_UNSPEC); /* waits: there are four threads */
    drive_idle(l);
    CU_ASSERT_FALSE(fifth.is_done);
    CU_ASSERT_TRUE(faults.n_threads <= 5); /* the quick one's had ended, or not */
    faults_release();
    CU_ASSERT_TRUE(drive_until(l, &fifth.is_done));
    for (int i = 0; i < 4; i++)
        CU_ASSERT_TRUE(drive_until(l, &stuck[i].is_done));
    resolver_free(r);
    loop_free(l);
    faults_clear();
}

static void helper_threads_take_no_signals(void)
{
    struct loop *l = loop_new();
    struct resolver *r = resolver_new(l);
    struct asked a = {0};
    sigset_t mask;
    ask(&a, r, "nobody.test", AF_UNSPEC);
    CU_ASSERT_TRUE(drive_until(l, &a.is_done));
    faults_lookup_mask(&mask);
    CU_ASSERT_EQUAL(sigismember(&mask, SIGTERM), 1);
    CU_ASSERT_EQUAL(sigismember(&mask, SIGINT), 1);
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    CU_ASSERT_EQUAL(sigismember(&mask, SIGTERM), 0); /* and this thread still does */
    resolver_free(r);
    loop_free(l);
    faults_clear();
}

static void a_query_may_be_cancelled_whoever_has_it(void)
{
    struct loop *l = loop_new();
    struct resolver *r = resolver_new(l);
    struct asked running[4] = {0}, waiting = {0}, at_once = {0};
    for (int i = 0; i < 4; i++)
        ask(&running[i], r, "a.stuck", AF_UNSPEC);
    faults_wait_for_stuck(4);
    ask(&waiting, r, "b.stuck", AF_UNSPEC);
    ask(&at_once, r, "127.0.0.1", AF_UNSPEC);
    resolver_cancel(waiting.query);
    resolver_cancel(at_once.query);
    for (int i = 0; i < 3; i++)
        resolver_cancel(running[i].query);
    faults_release();
    CU_ASSERT_TRUE(drive_until(l, &running[3].is_done));
    drive_idle(l);
    for (int i = 0; i < 3; i++)
        CU_ASSERT_FALSE(running[i].is_done);
    CU_ASSERT_FALSE(waiting.is_done || at_once.is_done);
    resolver_free(r);
    loop_free(l);
    faults_clear();
}

static void an_answer_may_cancel_the_next_one(void)
{
    struct loop *l = loop_new();
    struct resolver *r = resolver_new(l);
    struct asked a = {0}, b = {0}, c = {0};
    ask(&a, r, "127.0.0.1", AF_UNSPEC);
    ask(&b, r, "127.0.0.2", AF_UNSPEC);
    ask(&c, r, "127.0.0.3", AF_UNSPEC);
    a.cancels = &b;
    CU_ASSERT_TRUE(drive_until(l, &c.is_done));
    CU_ASSERT_TRUE(a.is_done);
    CU_ASSERT_FALSE(b.is_done);
    resolver_free(r);
    loop_free(l);
    faults_clear();
}

static void an_answer_may_free_the_resolver(void)
{
    struct loop *l = loop_new();
    struct resolver *r = resolver_new(l);
    struct asked a = {.frees_resolver = true}, b = {0};
    ask(&a, r, "127.0.0.1", AF_UNSPEC);
    ask(&b, r, "127.0.0.2", AF_UNSPEC);
    CU_ASSERT_TRUE(drive_until(l, &a.is_done));
    drive_idle(l);
    CU_ASSERT_FALSE(b.is_done);
    loop_free(l);
    faults_clear();
}

static void a_resolver_is_freed_at_once_with_everything_under_way(void)
{
    struct loop *l = loop_new();
    struct resolver *r = resolver_new(l);
    struct asked a[8] = {0}, at_once = {0};
    int n_before = drive_n_fds();
    for (int i = 0; i < 8; i++)
        ask(&a[i], r, "a.stuck", AF_UNSPEC);
    faults_wait_for_stuck(4);
    ask(&at_once, r, "127.0.0.1", AF_UNSPEC);
    resolver_free(r); /* does not wait for the threads, which are stuck */
    CU_ASSERT_EQUAL(drive_n_fds(), n_before - 1);
    drive_idle(l);
    loop_free(l);
    faults_release();
    for (int i = 0; i < 8; i++)
        CU_ASSERT_FALSE(a[i].is_done);
    CU_ASSERT_FALSE(at_once.is_done);
    faults_clear();
    resolver_free(NULL);
}

static void there_is_a_limit_to_the_questions_asked(void)
{
    enum { LIMIT = 4096 };
    static struct asked a[LIMIT];
    struct loop *l = loop_new();
    struct resolver *r = resolver_new(l);
    for (int i = 0; i < LIMIT; i++)
        ask(&a[i], r, "a.stuck", AF_UNSPEC);
    struct asked more = {0};
    CU_ASSERT_PTR_NULL(resolver_start(r, "b.stuck", 1, AF_UNSPEC, answered, &more));
    CU_ASSERT_PTR_NULL(resolver_start(r, "127.0.0.1", 1, AF_UNSPEC, answered, &more));
    resolver_cancel(a[LIMIT - 1].query);
    ask(&more, r, "127.0.0.1", AF_UNSPEC);
    CU_ASSERT_TRUE(drive_until(l, &more.is_done));
    resolver_free(r);
    faults_release();
    loop_free(l);
    faults_clear();
}

static void without_any_thread_a_question_is_refused(void)
{
    struct loop *l = loop_new();
    struct resolver *r = resolver_new(l);
    struct asked a = {0}, stuck = {0};
    faults.no_threads = true;
    CU_ASSERT_PTR_NULL(resolver_start(r, "a.stuck", 1, AF_UNSPEC, answered, &a));
    faults.no_threads = false;
    ask(&stuck, r, "a.stuck", AF_UNSPEC);
    faults_wait_for_stuck(1);
    faults.no_threads = true;
    ask(&a, r, "nobody.test", AF_UNSPEC); /* the one thread will come to it */
    faults_release();
    CU_ASSERT_TRUE(drive_until(l, &a.is_done));
    resolver_free(r);
    loop_free(l);
    faults_clear();
}

static const struct unit_test tests[] = {
    UNIT(a_numeric_host_is_answered_without_a_thread_but_later),
    UNIT(a_lack_of_descriptors_is_told_as_such),
    UNIT(a_numeric_host_of_another_family_fails_at_once),
    UNIT(localhost_resolves),
    UNIT(a_name_gives_all_its_addresses_in_order),
    UNIT(an_unknown_name_fails),
    UNIT(an_empty_or_endless_name_fails_and_nobody_is_asked),
    UNIT(a_stuck_name_does_not_hold_up_others),
    UNIT(helper_threads_take_no_signals),
    UNIT(a_query_may_be_cancelled_whoever_has_it),
    UNIT(an_answer_may_cancel_the_next_one),
    UNIT(an_answer_may_free_the_resolver),
    UNIT(a_resolver_is_freed_at_once_with_everything_under_way),
    UNIT(there_is_a_limit_to_the_questions_asked),
    UNIT(without_any_thread_a_question_is_refused),
};

UNIT_MAIN("resolver", tests)
