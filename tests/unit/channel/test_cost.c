/* What a packet costs, and what happens when memory runs out.
 *
 * The sources of channel/ are compiled into this test, so that it can stand in for malloc(): it
 * counts allocations, fails the n-th, and lays every struct chan on a page of its own, where idle
 * ones can be put out of reach. */
#include "tests/unit/channel/end.h"

#include <stdlib.h>
#include <sys/mman.h>

static void *test_malloc(size_t n);
static void *test_calloc(size_t k, size_t n);
static void *test_realloc(void *p, size_t n);
static void test_free(void *p);

#define malloc  test_malloc
#define calloc  test_calloc
#define realloc test_realloc
#define free    test_free
#include "channel/chan.c"
#include "channel/life.c"
#include "channel/mux.c"
#include "channel/pace.c"
#include "channel/request.c"
#include "channel/sched.c"
#include "channel/send.c"
#include "channel/table.c"
#include "channel/window.c"
#undef malloc
#undef calloc
#undef realloc
#undef free

enum { PAGE = 4096, N_PAGES = 10240, N_CHANNELS = 10000 };

static size_t n_allocs, n_live, n_bytes;
static size_t fail_at; /* the n-th allocation from now fails; 0: none */

/* Pages for channels, when has_pages; freed ones are not used again. */
static uint8_t *pages;
static size_t n_pages_used;
static bool has_pages;

static bool is_page(const void *p)
{
    return pages != NULL && (const uint8_t *)p >= pages &&
           (const uint8_t *)p < pages + (size_t)N_PAGES * PAGE;
}

static bool fails_now(void)
{
    n_allocs++;
    return fail_at > 0 && --fail_at == 0;
}

static void *test_malloc(size_t n)
{
    if (fails_now())
        return NULL;
    n_live++;
    n_bytes += n;
    if (has_pages && n == sizeof(struct chan) && n_pages_used < N_PAGES)
        return pages + n_pages_used++ * PAGE;
    return malloc(n);
}

static void *test_calloc(size_t k, size_t n)
{
    if (fails_now())
        return NULL;
    n_live++;
    n_bytes += k * n;
    return calloc(k, n);
}

/* Only the table of numbers grows by this. It lies on pages of its own once it is big. */
static void *test_realloc(void *p, size_t n)
{
    static size_t n_old;
    if (fails_now())
        return NULL;
    n_live += p == NULL;
    n_bytes += n;
    void *q = aligned_alloc(PAGE, (n + PAGE - 1) / PAGE * PAGE);
    if (q == NULL)
        abort();
    if (p != NULL)
        memcpy(q, p, n_old < n ? n_old : n);
    n_old = n;
    free(p);
    return q;
}

static void test_free(void *p)
{
    n_live -= p != NULL;
    if (!is_page(p))
        free(p);
}

/* ---- the data path --------------------------------------------------------------------------- */

/* A packet each way on channel id of e, with turn, credit and consumption. */
static void exchange(struct end *e, uint32_t id)
{
    struct mux_event event = {0};
    uint32_t turn = UINT32_MAX;
    CU_ASSERT_EQUAL(say_data(e, id, MUX_PACKET_BYTES), ERR_OK);
    CU_ASSERT_TRUE(tells(e, MUX_DATA, &event));
    mux_consumed(e->m, id, event.data.n);
    mux_want(e->m, id);
    CU_ASSERT_TRUE(mux_turn(e->m, &turn));
    CU_ASSERT_EQUAL(turn, id);
    CU_ASSERT_EQUAL(send_some(e, id, NULL, 100), 100);
    mux_rest(e->m, id);
    CU_ASSERT_EQUAL(say_adjust(e, id, 100), ERR_OK);
    e->n_out = e->taken = 0;
}

static void a_packet_costs_no_allocation(void)
{
    struct end e;
    end_init(&e);
    uint32_t a = opened_by_us(&e, 1000, 1000, NULL), b = opened_by_peer(&e, 1000, 1000, NULL);
    size_t before = n_allocs;
    for (int i = 0; i < 1000; i++)
        exchange(&e, i % 3 ? a : b);
    mux_eof(e.m, a);
    mux_close(e.m, b);
    CU_ASSERT_EQUAL(say_id(&e, MSG_CHANNEL_CLOSE, b), ERR_OK);
    CU_ASSERT_EQUAL(n_allocs, before);
    end_free(&e);
    CU_ASSERT_EQUAL(n_live, 0);
}

/* Closes the page at p to all access, or opens it again. */
static void guard(void *p, bool is_closed)
{
    if (mprotect(p, PAGE, is_closed ? PROT_NONE : PROT_READ | PROT_WRITE) != 0)
        abort();
}

/* The pages of the table that hold no slot of a live channel. */
static void guard_table(const struct table *t, const uint32_t *live, size_t n_live_ids, bool closed)
{
    size_t n = t->n_slots * sizeof *t->slots / PAGE;
    for (size_t page = 0; page < n; page++) {
        bool is_used = false;
        for (size_t i = 0; i < n_live_ids; i++)
            is_used |= live[i] * sizeof *t->slots / PAGE == page;
        if (!is_used)
            guard((uint8_t *)t->slots + page * PAGE, closed);
    }
}

static void guard_channels(
    const struct table *t, const uint32_t *live, size_t n_live_ids, bool closed)
{
    for (size_t page = 0; page < n_pages_used; page++) {
        bool is_used = false;
        for (size_t i = 0; i < n_live_ids; i++)
            is_used |= (const uint8_t *)t->slots[live[i]].chan == pages + page * PAGE;
        if (!is_used)
            guard(pages + page * PAGE, closed);
    }
}

/* Ten thousand idle channels lie in memory that may not be touched (a signal would end the test)
 * while packets come and go on three others. So no packet's cost can depend on them. */
static void ten_thousand_idle_channels_are_not_touched(void)
{
    struct end e;
    pages = mmap(
        NULL, (size_t)N_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_NOT_EQUAL_FATAL((void *)pages, MAP_FAILED);
    has_pages = true;
    n_bytes = 0;
    end_init(&e);
    for (int i = 0; i < N_CHANNELS; i++)
        opened_by_us(&e, 1000, 1000, NULL);
    /* each its struct, its slot, and what the table's growing left behind */
    CU_ASSERT_TRUE(n_bytes / N_CHANNELS <= 160 + 64);
    const uint32_t live[] = {0, N_CHANNELS / 2, N_CHANNELS - 1};
    guard_channels(&e.m->table, live, 3, true);
    guard_table(&e.m->table, live, 3, true);
    size_t before = n_allocs;
    for (int i = 0; i < 3000; i++)
        exchange(&e, live[i % 3]);
    mux_eof(e.m, live[0]);
    CU_ASSERT_EQUAL(n_allocs, before);
    guard_table(&e.m->table, live, 3, false);
    guard_channels(&e.m->table, live, 3, false);
    end_free(&e);
    CU_ASSERT_EQUAL(n_live, 0);
    has_pages = false;
    munmap(pages, (size_t)N_PAGES * PAGE);
    pages = NULL;
}

/* ---- no memory ------------------------------------------------------------------------------- */

static void open_both_ways(struct end *e)
{
    struct mux_event event;
    uint32_t id;
    for (int i = 0; i < 60; i++) { /* enough that the table grows on the way */
        enum err got = mux_open(e->m, BYTES_LIT("x"), BYTES_LIT(""), NULL, &id);
        CU_ASSERT_TRUE(got == ERR_OK || got == ERR_NOMEM);
        if (got == ERR_OK) {
            CU_ASSERT_EQUAL(hear(e).number, MSG_CHANNEL_OPEN);
            CU_ASSERT_EQUAL(say_confirm(e, id, PEER_ID, 10, 10), ERR_OK);
            CU_ASSERT_TRUE(tells(e, MUX_OPENED, &event));
        }
        CU_ASSERT_EQUAL(say_open(e, PEER_ID, 10, 10), ERR_OK);
        if (!mux_next(e->m, &event)) {
            struct heard h = hear(e);
            CU_ASSERT_EQUAL(h.number, MSG_CHANNEL_OPEN_FAILURE);
            CU_ASSERT_EQUAL(h.b, OPEN_RESOURCE_SHORTAGE);
            continue;
        }
        CU_ASSERT_EQUAL(mux_confirm(e->m, event.chan, NULL), ERR_OK);
        CU_ASSERT_EQUAL(hear(e).number, MSG_CHANNEL_OPEN_CONFIRMATION);
        CU_ASSERT_EQUAL(say_data(e, event.chan, 1), ERR_OK);
        CU_ASSERT_TRUE(mux_next(e->m, &event));
        mux_consumed(e->m, event.chan, 1);
    }
}

static void ask_both_ways(struct end *e)
{
    struct mux_event event;
    for (uint32_t i = 0; i < 20; i++) {
        enum err got = mux_global_request(e->m, BYTES_LIT("r"), true, BYTES_LIT(""), i);
        CU_ASSERT_TRUE(got == ERR_OK || got == ERR_NOMEM);
        got = say_global(e, true);
        CU_ASSERT_TRUE(got == ERR_OK || got == ERR_NOMEM);
        if (mux_next(e->m, &event) && i > 0)
            mux_global_reply(e->m, event.ticket, true, BYTES_LIT("kept"));
    }
    mux_global_reply(e->m, 0, true, BYTES_LIT("first"));
}

static void when_any_allocation_fails_the_error_is_clean_and_nothing_leaks(void)
{
    bool has_failed = true;
    for (size_t n = 1; has_failed; n++) {
        struct end e;
        fail_at = n;
        end_init(&e);
        if (e.m != NULL) {
            open_both_ways(&e);
            ask_both_ways(&e);
            enum err code = mux_fault(e.m)->code;
            CU_ASSERT_TRUE(code == ERR_OK || code == ERR_NOMEM);
        }
        has_failed = fail_at == 0;
        fail_at = 0;
        end_free(&e);
        CU_ASSERT_EQUAL(n_live, 0);
    }
}

static const struct unit_test tests[] = {
    UNIT(a_packet_costs_no_allocation),
    UNIT(ten_thousand_idle_channels_are_not_touched),
    UNIT(when_any_allocation_fails_the_error_is_clean_and_nothing_leaks),
};
UNIT_MAIN("channel/cost", tests)
