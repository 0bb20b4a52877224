/* The client's half of user authentication against any server, with a caller that answers every
 * event. A turn's byte picks the caller's next call; with its high bit set the call comes later.
 * The first turn's lowest bit: the server knows host-bound signatures. */
#include <string.h>

#include "fuzz/fuzz.h"
#include "fuzz/turns.h"
#include "transport/auth.h"

static const struct bytes session_id = {(const uint8_t *)"0123456789abcdef0123456789abcdef", 32};
static const struct bytes key = {(const uint8_t *)"a public key blob", 17};
static const struct bytes algorithm = {(const uint8_t *)"ssh-ed25519", 11};

struct caller {
    struct auth *a;
    struct fault fault;
    uint8_t slot[40000];
    bool is_owed;      /* a call of ours */
    bool is_requested; /* a reply of the server's */
    enum transport_event_type last;
    size_t n_prompts;
};

static uint8_t *slot(void *engine, size_t n)
{
    struct caller *c = engine;
    return n <= sizeof c->slot ? c->slot : NULL;
}

static void commit(void *engine, size_t n)
{
    struct caller *c = engine;
    fuzz_require(n > 0 && n <= sizeof c->slot);
    c->is_requested = true;
}

static void try_a_method(struct caller *c, uint8_t pick)
{
    switch (pick % 4) {
    case 0: auth_none(c->a); break;
    case 1: auth_publickey(c->a, algorithm, key); break;
    case 2: auth_password(c->a, BYTES_LIT("secret")); break;
    default: auth_keyboard_interactive(c->a); break;
    }
}

static void answer(struct caller *c, uint8_t pick)
{
    static const struct bytes answers[256];
    c->is_owed = false;
    switch (c->last) {
    case TRANSPORT_AUTH_SIGN:
        auth_signature(c->a, pick % 4 == 0 ? answers[0] : BYTES_LIT("signature"));
        break;
    case TRANSPORT_AUTH_PASSWORD_CHANGE:
        auth_new_password(c->a, BYTES_LIT("secret"), BYTES_LIT("fresh"));
        break;
    case TRANSPORT_AUTH_PROMPTS: auth_answers(c->a, answers, c->n_prompts); break;
    default: try_a_method(c, pick); break;
    }
}

static void check_prompts(struct caller *c, struct msg_info_request prompts)
{
    struct bytes prompt;
    bool echo;
    size_t n = 0;
    c->n_prompts = prompts.n_prompts;
    while (msg_info_request_next(&prompts, &prompt, &echo))
        n++;
    fuzz_require(n == c->n_prompts && n <= 256);
}

static void take_event(struct caller *c)
{
    struct transport_event e;
    if (!auth_next(c->a, &e) || e.type == TRANSPORT_AUTH_BANNER)
        return;
    c->last = e.type;
    c->is_owed = e.type != TRANSPORT_AUTH_SUCCESS;
    /* Unasked for comes only a failure of our own: a key we cannot sign with. */
    fuzz_require(c->is_requested || e.type == TRANSPORT_AUTH_FAILURE);
    c->is_requested = false;
    if (e.type == TRANSPORT_AUTH_PROMPTS)
        check_prompts(c, e.prompts);
    if (e.type == TRANSPORT_AUTH_SIGN) {
        fuzz_require(bytes_equal(e.key, key) && bytes_equal(e.algorithm, algorithm));
        fuzz_require(e.data.n > 36 && memcmp(e.data.p + 4, session_id.p, 32) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct caller c;
    c.fault = (struct fault){0};
    c.is_owed = c.is_requested = false;
    struct auth_config config = {.role = ROLE_CLIENT, .user = "ada", .fault = &c.fault};
    config.sink = (struct packet_sink){.engine = &c, .control_slot = slot, .commit = commit};
    c.a = auth_new(&config);
    if (c.a == NULL)
        return 0;
    auth_begin(c.a, session_id, BYTES_LIT("host key"));
    auth_set_hostbound(c.a, n > 0 && data[0] % 2 == 1);

    struct wire_reader r = {.p = data, .left = n};
    uint8_t pick;
    struct bytes payload;
    while (c.fault.code == ERR_OK && turns_next(&r, &pick, &payload)) {
        if (c.is_owed && pick < 0x80)
            answer(&c, pick);
        take_event(&c);
        bool was_done = auth_done(c.a);
        enum err e = auth_packet(c.a, payload);
        fuzz_require(e == c.fault.code && e != ERR_INTERNAL);
        fuzz_require(e != ERR_OK || !was_done); /* nothing is good any more after SUCCESS */
        take_event(&c);
    }
    auth_free(c.a);
    return 0;
}
