/* Allocations counted, measured and failed: this program stands in front of the C library's malloc.
 * Under a sanitizer, which does the same, only the failing runs are left out. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/transport/pair.h"

static uint64_t n_calls, fail_at;
static size_t n_live, n_peak; /* bytes */

#if defined(__SANITIZE_ADDRESS__)
#define IS_COUNTING 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_COUNTING 0
#endif
#endif
#ifndef IS_COUNTING
#define IS_COUNTING 1
#endif

#if IS_COUNTING
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void __libc_free(void *p);

static bool is_refused(void)
{
    return ++n_calls == fail_at;
}

static void *counted(void *p)
{
    n_live += p != NULL ? malloc_usable_size(p) : 0;
    n_peak = n_live > n_peak ? n_live : n_peak;
    return p;
}

void *malloc(size_t n)
{
    return is_refused() ? NULL : counted(__libc_malloc(n));
}

void *calloc(size_t n, size_t size)
{
    return is_refused() ? NULL : counted(__libc_calloc(n, size));
}

void *realloc(void *p, size_t n)
{
    size_t old = p != NULL ? malloc_usable_size(p) : 0;
    if (is_refused())
        return NULL;
    n_live -= old;
    return counted(__libc_realloc(p, n));
}

void free(void *p)
{
    n_live -= p != NULL ? malloc_usable_size(p) : 0;
    __libc_free(p);
}
#endif

/* ---- the data path --------------------------------------------------------------------------- */

/* Fills what the sink gives, as a pump does: several slots, then their commits. */
static size_t send_batch(struct side *s, size_t each)
{
    struct packet_sink sink = transport_sink(s->t);
    unsigned n = 0;
    for (uint8_t *slot; n < 8 && (slot = sink.data_slot(s->t, each, n)) != NULL; n++)
        memset(slot, MSG_CHANNEL_DATA, each);
    for (unsigned i = 0; i < n; i++)
        sink.commit(s->t, each);
    return n * each;
}

static uint64_t calls_of_traffic(struct pair *p, unsigned n_rounds)
{
    uint64_t before = n_calls;
    for (unsigned i = 0; i < n_rounds; i++) {
        (void)send_batch(&p->client, 16384);
        (void)send_batch(&p->server, 1 + i % 3000);
        pair_move(p, &p->client, &p->server, 60000);
        pair_move(p, &p->server, &p->client, 60000);
    }
    pair_run(p);
    return n_calls - before;
}

static void data_costs_no_allocation_once_buffers_have_grown(void)
{
    static const char *const compressions[] = {"none", "zlib@openssh.com"};
    for (int i = 0; i < 2; i++) {
        struct pair p;
        pair_init(&p);
        p.client_config.compression = p.server_config.compression = compressions[i];
        pair_login(&p);
        (void)calls_of_traffic(&p, 300);
        CU_ASSERT_EQUAL(calls_of_traffic(&p, 300), 0);
        CU_ASSERT(p.server.n_payload_bytes > 5 * 1000 * 1000);
        pair_close(&p);
    }
}

/* ---- memory before login --------------------------------------------------------------------- */

static struct {
    size_t live, peak, before; /* bytes of the server alone */
} server_memory;

static void enter_server(void)
{
    server_memory.before = n_peak = n_live;
}

static void leave_server(void)
{
    size_t peak = server_memory.live + n_peak - server_memory.before;
    server_memory.peak = peak > server_memory.peak ? peak : server_memory.peak;
    server_memory.live += n_live - server_memory.before;
}

/* One turn of both, noting what the server takes. */
static void measured_turn(struct pair *p)
{
    size_t n, room = 0;
    const uint8_t *bytes = transport_tx(p->client.t, &n);
    enter_server();
    uint8_t *space = transport_rx_space(p->server.t, &room);
    n = n < room ? n : room;
    if (space != NULL && n > 0)
        memcpy(space, bytes, n);
    transport_rx_commit(p->server.t, n, 0);
    pair_events(p, &p->server);
    (void)transport_tx(p->server.t, &room);
    leave_server();
    transport_tx_done(p->client.t, n);
    pair_move(p, &p->server, &p->client, SIZE_MAX);
}

static void fill_up(struct pair *p)
{
    static uint8_t junk[30000] = {MSG_IGNORE};
    rng_bytes(&p->client.rng, junk + 5, sizeof junk - 5); /* does not deflate */
    store_be32(junk + 1, sizeof junk - 5);
    for (int i = 0; i < 10; i++)
        pair_rogue(&p->client, (struct bytes){junk, sizeof junk});
}

static void an_unauthenticated_connection_stays_under_256_kib(void)
{
    static const char *const compressions[] = {"none", "zlib"};
    for (int i = 0; i < 2 && IS_COUNTING; i++) {
        struct pair p;
        pair_init(&p);
        p.client_config.compression = p.server_config.compression = compressions[i];
        p.holds_auth = true;
        pair_open(&p);
        transport_free(p.server.t);
        memset(&server_memory, 0, sizeof server_memory);
        enter_server();
        p.server.t = transport_new(&p.server_config, 0);
        leave_server();
        for (int turn = 0; turn < 40; turn++) {
            if (turn == 20)
                fill_up(&p);
            measured_turn(&p);
        }
        CU_ASSERT_EQUAL(pair_err(&p.server), ERR_OK);
        CU_ASSERT_EQUAL(p.server.t->phase, PH_AUTH);
        CU_ASSERT(p.server.t->rx.buf.cap == RX_CAP_LOGIN);
        CU_ASSERT(server_memory.peak < 256 * 1024);
        pair_close(&p);
    }
}

static void after_login_buffers_grow_with_what_arrives(void)
{
    struct pair p;
    pair_init(&p);
    pair_login(&p);
    CU_ASSERT(p.server.t->rx.buf.cap <= RX_CAP_LOGIN);
    (void)calls_of_traffic(&p, 300);
    for (int i = 0; i < 40; i++) {
        while (send_batch(&p.client, 32768) > 0)
            ;
        pair_run(&p);
    }
    CU_ASSERT_EQUAL(p.server.t->rx.buf.cap, RX_CAP_OPEN);
    size_t room = 0;
    CU_ASSERT_PTR_NOT_NULL(transport_rx_space(p.server.t, &room));
    CU_ASSERT(room >= 256 * 1024);
    CU_ASSERT(p.client.t->tx.buf.cap <= 4 * TX_BACKLOG_MOST);
    pair_close(&p);
}

/* ---- failed allocations ---------------------------------------------------------------------- */

/* A session with one of everything. False when an engine could not even be made. */
static bool session(struct pair *p)
{
    p->client.t = transport_new(&p->client_config, 0);
    p->server.t = p->client.t != NULL ? transport_new(&p->server_config, 0) : NULL;
    if (p->server.t == NULL)
        return false;
    hash_init(&p->client.digest, HASH_SHA256);
    hash_init(&p->server.digest, HASH_SHA256);
    pair_run(p);
    (void)send_batch(&p->client, 20000);
    transport_rekey(p->client.t);
    pair_run(p);
    (void)send_batch(&p->server, 20000);
    pair_run(p);
    return true;
}

static bool survives(uint64_t nth, const char *compression, bool *was_reached)
{
    struct pair p;
    pair_init(&p);
    p.client_config.compression = p.server_config.compression = compression;
    n_calls = 0;
    fail_at = nth;
    bool is_made = session(&p);
    *was_reached = n_calls >= nth;
    fail_at = 0;
    bool ok = true;
    if (is_made && *was_reached && !(pair_both_open(&p) && p.client.n_payload_bytes > 0))
        ok = p.client.is_gone || p.server.is_gone;
    pair_close(&p);
    return ok;
}

static void every_single_allocation_may_fail(void)
{
    static const char *const compressions[] = {"none", "zlib@openssh.com", "zlib"};
    for (int i = 0; i < 3 && IS_COUNTING; i++) {
        bool was_reached = true;
        uint64_t n = 1;
        for (; n < 2000 && was_reached; n++)
            CU_ASSERT(survives(n, compressions[i], &was_reached));
        CU_ASSERT(n > 40 && n < 2000);
    }
}

static const struct unit_test tests[] = {
    UNIT(data_costs_no_allocation_once_buffers_have_grown),
    UNIT(an_unauthenticated_connection_stays_under_256_kib),
    UNIT(after_login_buffers_grow_with_what_arrives),
    UNIT(every_single_allocation_may_fail),
};
UNIT_MAIN("alloc", tests)
