/* The server's half of user authentication against any client. The lowest bit of a turn's byte is
 * policy's answer, should the payload raise a question. */
#include "fuzz/fuzz.h"
#include "fuzz/turns.h"
#include "transport/auth.h"

static const struct bytes session_id = {(const uint8_t *)"0123456789abcdef0123456789abcdef", 32};
enum { MAX_TRIES = 20 };

struct server {
    struct auth *a;
    struct fault fault;
    uint8_t slot[40000];
    unsigned n_requests, n_replies, n_banners;
};

static uint8_t *slot(void *engine, size_t n)
{
    struct server *s = engine;
    return n <= sizeof s->slot ? s->slot : NULL;
}

static void commit(void *engine, size_t n)
{
    struct server *s = engine;
    fuzz_require(n > 0 && n <= sizeof s->slot);
    s->n_banners += s->slot[0] == MSG_USERAUTH_BANNER ? 1 : 0;
    s->n_replies += s->slot[0] == MSG_USERAUTH_BANNER ? 0 : 1;
}

static void check_user(struct bytes user)
{
    for (size_t i = 0; i < user.n; i++)
        fuzz_require(user.p[i] >= 0x20 && user.p[i] != 0x7f);
}

/* SUCCESS follows from a yes to a verified question, and from nothing else. */
static void decide(struct server *s, bool accept)
{
    struct transport_event e;
    if (!auth_next(s->a, &e))
        return;
    fuzz_require(e.type == TRANSPORT_AUTH_KEY && key_check(e.key, NULL) == ERR_OK);
    check_user(e.user);
    bool verified = e.verified;
    auth_decide(s->a, accept);
    fuzz_require(auth_done(s->a) == (accept && verified));
    if (auth_done(s->a))
        fuzz_require(auth_next(s->a, &e) && e.type == TRANSPORT_AUTH_SUCCESS && e.verified);
}

static void turn(struct server *s, bool accept, struct bytes payload)
{
    bool was_done = auth_done(s->a);
    unsigned n_replies = s->n_replies;
    enum err e = auth_packet(s->a, payload);
    fuzz_require(e == s->fault.code && e != ERR_INTERNAL);
    if (e != ERR_OK)
        return;
    decide(s, accept);
    /* Each is answered, once; none is after login. */
    fuzz_require(s->n_replies == n_replies + (was_done ? 0 : 1));
    s->n_requests += payload.p[0] == MSG_USERAUTH_REQUEST && !was_done ? 1 : 0;
    fuzz_require(s->n_requests <= MAX_TRIES && s->n_banners <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct server s;
    s.fault = (struct fault){0};
    s.n_requests = s.n_replies = s.n_banners = 0;
    struct auth_config config = {
        .role = ROLE_SERVER, .max_tries = MAX_TRIES, .banner = "hello", .fault = &s.fault};
    config.sink = (struct packet_sink){.engine = &s, .control_slot = slot, .commit = commit};
    s.a = auth_new(&config);
    if (s.a == NULL)
        return 0;
    auth_begin(s.a, session_id, BYTES_LIT("the server's own key blob"));

    struct wire_reader r = {.p = data, .left = n};
    uint8_t pick;
    struct bytes payload;
    while (s.fault.code == ERR_OK && turns_next(&r, &pick, &payload))
        turn(&s, pick & 1, payload);
    auth_free(s.a);
    return 0;
}
