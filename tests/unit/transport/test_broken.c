/* A recorded handshake, broken at every byte and cut at every point, played to each role alone. All
 * randomness is fixed, so an engine that is played the unbroken tape logs in. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/transport/pair.h"

/* The key exchange that is played, and every how many bytes of it are broken or cut. Those that
 * cost milliseconds are looked at between KEXINIT, which is the same for all, and NEWKEYS. */
struct method {
    const char *name;
    size_t step;
};
static const struct method methods[] = {
    {"curve25519-sha256", 1},
    {"diffie-hellman-group14-sha256", 16},
    {"diffie-hellman-group-exchange-sha256", 32},
};
enum { N_METHODS = sizeof methods / sizeof methods[0] };
static const struct method *method;

static void configure(struct pair *p)
{
    pair_init(p);
    p->client_config.kex = method->name;
    p->client_config.ciphers = "chacha20-poly1305@openssh.com";
}

/* tape[0]: from client to server. */
static void record_handshake(struct pair *p)
{
    configure(p);
    p->has_tape = true;
    pair_login(p);
    CU_ASSERT(pair_data(&p->client, 50, 'c') && pair_data(&p->server, 50, 's'));
    pair_run(p);
}

/* Plays a tape to one role; what it says itself is dropped. */
static void play(struct pair *p, struct side *s, struct bytes tape)
{
    while (tape.n > 0 && !s->is_gone) {
        size_t room = 0, n = 0;
        uint8_t *space = transport_rx_space(s->t, &room);
        if (space == NULL)
            break;
        size_t step = tape.n < room ? tape.n : room;
        memcpy(space, tape.p, step);
        transport_rx_commit(s->t, step, 0);
        pair_events(p, s);
        (void)transport_tx(s->t, &n);
        transport_tx_done(s->t, n);
        tape.p += step;
        tape.n -= step;
    }
}

/* Marks the bytes that nothing protects and nothing reads: padding before NEWKEYS. */
static uint8_t *padding_map(struct bytes tape)
{
    uint8_t *map = calloc(1, tape.n);
    const uint8_t *lf = memchr(tape.p, '\n', tape.n);
    size_t at = (size_t)(lf - tape.p) + 1;
    for (bool is_last = false; !is_last;) {
        size_t end = at + 4 + load_be32(tape.p + at);
        size_t padding = tape.p[at + 4];
        memset(map + end - padding, 1, padding);
        is_last = tape.p[at + 5] == MSG_NEWKEYS;
        at = end;
    }
    return map;
}

/* The place of the first byte behind KEXINIT, and of the first behind NEWKEYS. */
static size_t behind(struct bytes tape, uint8_t number)
{
    const uint8_t *lf = memchr(tape.p, '\n', tape.n);
    size_t at = (size_t)(lf - tape.p) + 1;
    for (;;) {
        uint8_t is = tape.p[at + 5];
        at += 4 + load_be32(tape.p + at);
        if (is == number)
            return at;
    }
}

struct span {
    size_t from, to;
};
static struct span span(struct bytes tape)
{
    if (method->step == 1)
        return (struct span){0, tape.n};
    return (struct span){behind(tape, MSG_KEXINIT), behind(tape, MSG_NEWKEYS)};
}

/* The head of each packet counts in full: its lengths and the first fields. */
static size_t next_place(struct bytes tape, size_t i)
{
    if (method->step == 1)
        return i + 1;
    size_t at = behind(tape, MSG_KEXINIT), end = at;
    while (i >= end) {
        at = end;
        end = at + 4 + load_be32(tape.p + at);
    }
    size_t next = i < at + 24 ? i + 1 : i + method->step;
    return next < end ? next : end;
}

static bool logs_in(enum role role, struct bytes tape, bool *has_ended)
{
    struct pair p;
    configure(&p);
    pair_open(&p);
    struct side *s = role == ROLE_CLIENT ? &p.client : &p.server;
    play(&p, s, tape);
    bool in = s->t->has_login && s->n_packets == 1 && pair_err(s) == ERR_OK;
    transport_rx_eof(s->t);
    pair_events(&p, s);
    *has_ended = s->is_gone;
    pair_close(&p);
    return in;
}

static void break_each_byte(enum role role)
{
    struct pair p;
    record_handshake(&p);
    int from = role == ROLE_CLIENT ? 1 : 0;
    uint8_t *tape = p.tape[from];
    size_t n = p.n_tape[from];
    uint8_t *map = padding_map((struct bytes){tape, n});
    bool has_ended;
    CU_ASSERT(logs_in(role, (struct bytes){tape, n}, &has_ended));
    struct span s = span((struct bytes){tape, n});
    for (size_t i = s.from; i < s.to; i = next_place((struct bytes){tape, n}, i)) {
        uint8_t bit = (uint8_t)(1u << (i % 8));
        tape[i] ^= bit;
        bool in = logs_in(role, (struct bytes){tape, n}, &has_ended);
        tape[i] ^= bit;
        CU_ASSERT(has_ended);
        CU_ASSERT_EQUAL(in, map[i] != 0);
    }
    free(map);
    pair_close(&p);
}

static void a_server_never_logs_in_a_broken_handshake(void)
{
    for (method = methods; method < methods + N_METHODS; method++)
        break_each_byte(ROLE_SERVER);
}

static void a_client_never_logs_in_to_a_broken_handshake(void)
{
    for (method = methods; method < methods + N_METHODS; method++)
        break_each_byte(ROLE_CLIENT);
}

static void cut_everywhere(enum role role)
{
    struct pair p;
    record_handshake(&p);
    int from = role == ROLE_CLIENT ? 1 : 0;
    struct bytes tape = {p.tape[from], p.n_tape[from]};
    struct span s = span(tape);
    for (size_t n = s.from; n < s.to; n = next_place(tape, n)) {
        bool has_ended;
        CU_ASSERT(!logs_in(role, (struct bytes){tape.p, n}, &has_ended));
        CU_ASSERT(has_ended);
    }
    pair_close(&p);
}

static void every_cut_point_is_a_clean_end_for_a_server(void)
{
    for (method = methods; method < methods + N_METHODS; method++)
        cut_everywhere(ROLE_SERVER);
}

static void every_cut_point_is_a_clean_end_for_a_client(void)
{
    for (method = methods; method < methods + N_METHODS; method++)
        cut_everywhere(ROLE_CLIENT);
}

/* Its own words played back: a client must not take itself for a server, nor the other way. */
static void a_mirror_is_no_peer(void)
{
    for (int i = 0; i < 2 * N_METHODS; i++) {
        enum role role = i % 2 ? ROLE_SERVER : ROLE_CLIENT;
        struct pair p;
        method = &methods[i / 2];
        configure(&p);
        pair_open(&p);
        struct side *s = role == ROLE_CLIENT ? &p.client : &p.server;
        for (int turn = 0; turn < 20; turn++) {
            uint8_t said[8192];
            size_t n;
            const uint8_t *bytes = transport_tx(s->t, &n);
            n = n < sizeof said ? n : sizeof said;
            if (n > 0)
                memcpy(said, bytes, n);
            transport_tx_done(s->t, n);
            pair_feed(&p, s, (struct bytes){said, n});
        }
        CU_ASSERT(!s->t->has_first_keys);
        CU_ASSERT(role == ROLE_SERVER || s->is_gone);
        pair_close(&p);
    }
}

static const struct unit_test tests[] = {
    UNIT(a_server_never_logs_in_a_broken_handshake),
    UNIT(a_client_never_logs_in_to_a_broken_handshake),
    UNIT(every_cut_point_is_a_clean_end_for_a_server),
    UNIT(every_cut_point_is_a_clean_end_for_a_client),
    UNIT(a_mirror_is_no_peer),
};
UNIT_MAIN("broken", tests)
