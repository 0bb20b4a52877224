/* See transport_run.h. What must hold, whatever the peer says:
 *
 * - PACKET events: after login only, numbers 80..127 only; nothing after DISCONNECTED, which comes
 *   once; transport_next() comes to an end
 * - room to read is there unless something waits; what we owe and hold stays within its bounds
 * - a fault is never ERR_INTERNAL, unless a call of ours was out of turn on purpose (none is)
 * - no login without a signature that policy was shown as verified */
#include "fuzz/transport_run.h"

#include "fuzz/fuzz.h"
#include "fuzz/turns.h"
#include "transport/engine.h"

#include <string.h>

enum { PACKET_MAX = 300 * 1024, MAX_TURNS = 400 };

static struct run {
    struct transport *t;
    enum role role;
    const char *kex;
    uint8_t answers; /* of policy: a bit each */
    bool is_verified;
    bool is_over;
    bool reads_nothing; /* the peer takes nothing from us */
    uint64_t now_ms;
    struct rng rng, peer_rng;
} run;

/* Made once: the same that the tapes among the seeds were recorded with. */
static struct private_key *host_key, *user_key;

/* ---- policy ---------------------------------------------------------------------------------- */

static void next_method(struct transport *t)
{
    switch (run.answers & 3) {
    case 0:
        transport_auth_publickey(t, BYTES_LIT("ssh-ed25519"), private_key_blob(user_key));
        break;
    case 1: transport_auth_password(t, BYTES_LIT("secret")); break;
    case 2: transport_auth_keyboard_interactive(t); break;
    default: transport_auth_none(t); break;
    }
    run.answers++;
}

static void sign(struct transport *t, const struct transport_event *e)
{
    uint8_t signature[KEY_SIGNATURE_MAX];
    size_t n = 0;
    if (private_key_sign(user_key, e->algorithm, e->data, signature, &n) != ERR_OK)
        n = 0;
    transport_auth_signature(t, (struct bytes){signature, n});
}

static void answer_prompts(struct transport *t, const struct transport_event *e)
{
    struct bytes answers[100];
    fuzz_require(e->prompts.n_prompts <= 100);
    for (size_t i = 0; i < e->prompts.n_prompts; i++)
        answers[i] = BYTES_LIT("x");
    transport_auth_answers(t, answers, e->prompts.n_prompts);
}

static void send(size_t n, bool is_bulk)
{
    struct packet_sink sink = transport_sink(run.t);
    uint8_t *slot = is_bulk ? sink.data_slot(sink.engine, n, 0) : sink.control_slot(sink.engine, n);
    if (slot == NULL)
        return;
    memset(slot, MSG_CHANNEL_DATA, n);
    sink.commit(sink.engine, n);
}

static void on_packet(const struct transport_event *e)
{
    fuzz_require(run.t->has_login && e->payload.n > 0 && e->payload.n <= RX_PACKET_OPEN);
    fuzz_require(e->payload.p[0] >= 80 && e->payload.p[0] < 128);
    volatile uint8_t last = e->payload.p[e->payload.n - 1];
    (void)last;
    if (e->payload.p[0] == MSG_GLOBAL_REQUEST)
        send(1, false);
}

static void react(const struct transport_event *e)
{
    switch (e->type) {
    case TRANSPORT_HOST_KEY: transport_host_key_decide(run.t, (run.answers & 0x80) == 0); break;
    case TRANSPORT_AUTH_READY:
    case TRANSPORT_AUTH_FAILURE: next_method(run.t); break;
    case TRANSPORT_AUTH_SIGN: sign(run.t, e); break;
    case TRANSPORT_AUTH_PROMPTS: answer_prompts(run.t, e); break;
    case TRANSPORT_AUTH_PASSWORD_CHANGE:
        transport_auth_new_password(run.t, BYTES_LIT("a"), BYTES_LIT("b"));
        break;
    case TRANSPORT_AUTH_KEY:
        run.is_verified = e->verified;
        transport_auth_decide(run.t, (run.answers & 0x40) == 0);
        break;
    case TRANSPORT_AUTH_SUCCESS: fuzz_require(run.role == ROLE_CLIENT || run.is_verified); break;
    case TRANSPORT_PACKET: on_packet(e); break;
    case TRANSPORT_DISCONNECTED: run.is_over = true; break;
    default: break;
    }
}

static void take_events(void)
{
    struct transport_event e;
    while (transport_next(run.t, &e)) {
        fuzz_require(!run.is_over);
        react(&e);
    }
    fuzz_require(run.is_over == (transport_fault(run.t)->code != ERR_OK));
    fuzz_require(transport_fault(run.t)->code != ERR_INTERNAL);
    fuzz_require(run.t->tx.n_held <= TX_HELD_LIMIT);
    fuzz_require(run.t->rx.buf.cap <= RX_CAP_OPEN);
}

/* ---- the peer -------------------------------------------------------------------------------- */

static void take_output(void)
{
    size_t n;
    const uint8_t *bytes = transport_tx(run.t, &n);
    fuzz_require((bytes == NULL) == (n == 0));
    fuzz_require(n <= TX_OWED_LIMIT + TX_HELD_LIMIT + PACKET_MAX);
    if (!run.reads_nothing)
        transport_tx_done(run.t, n);
}

/* False when the engine takes no more. */
static bool feed(struct bytes b, size_t step)
{
    while (b.n > 0 && !run.is_over) {
        size_t room;
        uint8_t *space = transport_rx_space(run.t, &room);
        if (space == NULL) {
            fuzz_require(transport_backlog(run.t) > TX_STOP_READING || run.t->is_eof);
            return false;
        }
        size_t n = b.n < room ? b.n : room;
        n = n < step ? n : step;
        memcpy(space, b.p, n);
        transport_rx_commit(run.t, n, run.now_ms);
        take_events();
        take_output();
        b.p += n;
        b.n -= n;
    }
    return !run.is_over;
}

/* The payload as a packet under the cipher "none"; under a real one it is but noise. */
static bool feed_payload(struct bytes payload)
{
    static uint8_t packet[PACKET_MAX];
    size_t padding = 8 - (5 + payload.n) % 8;
    padding += padding < 4 ? 8 : 0;
    memset(packet, 0, 5);
    store_be32(packet, (uint32_t)(1 + payload.n + padding));
    packet[4] = (uint8_t)padding;
    if (payload.n > 0)
        memcpy(packet + 5, payload.p, payload.n);
    memset(packet + 5 + payload.n, 0, padding);
    return feed((struct bytes){packet, 5 + payload.n + padding}, SIZE_MAX);
}

static void our_turn(uint8_t pick)
{
    switch (pick & 15) {
    case 1: transport_rekey(run.t); break;
    case 2: send(1 + pick * 100u, true); break;
    case 3: send(1 + pick, false); break;
    case 4: run.reads_nothing = !run.reads_nothing; break;
    case 5: transport_tick(run.t, run.now_ms += 1000u * pick); break;
    case 6: transport_send_ignore(run.t, pick); break;
    case 7: transport_rx_eof(run.t); break;
    case 8: run.answers = pick; break;
    case 9: send(100000, false); break;
    default: break;
    }
    take_events();
    take_output();
}

/* ---- where the engine stands ----------------------------------------------------------------- */

/* Every list is named, also those that have a good default: a tape holds what was signed over them,
 * and gets no further than the first exchange once one has grown. */
static struct transport *new_engine(bool has_zlib)
{
    static const struct private_key *keys[1];
    keys[0] = host_key;
    struct transport_config c = {
        .role = run.role,
        .software = run.role == ROLE_CLIENT ? "test_client" : "test_server",
        .rng = &run.rng,
        .user = "ann",
        .host_keys = keys,
        .n_host_keys = 1,
        .kex = run.kex,
        .ciphers = "chacha20-poly1305@openssh.com,aes128-ctr",
        .macs = "hmac-sha2-256-etm@openssh.com,umac-128@openssh.com,hmac-sha2-512,hmac-sha2-256",
        .host_key_algorithms = "ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256",
        .compression = has_zlib ? "zlib,none" : "none",
        .max_auth_tries = 50,
        .login_ms = 600000,
        .kex_ms = 600000,
        .rekey_ms = 3600000,
    };
    return transport_new(&c, 0);
}

static void skip_first_exchange(struct transport *t, bool is_loose)
{
    memcpy(t->peer_ident, "SSH-2.0-x", 9);
    t->peer_ident_n = 9;
    t->is_loose = is_loose;
    memset(t->session_id, 's', 32);
    t->session_id_n = 32;
    struct bytes blob = private_key_blob(host_key);
    fuzz_require(kex_keep_host_key(t, blob) == ERR_OK);
    t->signing_key = run.role == ROLE_SERVER ? host_key : NULL;
    kex_free(t);
    t->tx.is_holding = false;
    t->has_first_keys = true;
    t->is_kex_clock_due = false;
    t->kex_deadline = NEVER;
    t->phase = PH_KEYED;
    auth_begin(t->auth, (struct bytes){t->session_id, 32}, blob);
}

static void skip_login(struct transport *t, bool has_zlib)
{
    if (has_zlib)
        t->algorithms.comp_in = t->algorithms.comp_out = BYTES_LIT("zlib");
    auth_free(t->auth);
    t->auth = NULL;
    fuzz_require(engine_login(t) == ERR_OK);
}

/* The peer's KEXINIT as an engine of ours would send it. */
static void meet_kexinit(void)
{
    struct transport *t = run.t;
    fuzz_require(kex_start(t) == ERR_OK);
    uint8_t copy[KEXINIT_MAX];
    size_t n = t->kex->my_init_n;
    memcpy(copy, t->kex->my_init, n);
    (void)feed_payload((struct bytes){copy, n});
}

static void stand(unsigned where, bool is_loose)
{
    bool has_zlib = where >= 6;
    run.t = new_engine(has_zlib);
    fuzz_require(run.t != NULL);
    if (where == 0)
        return;
    skip_first_exchange(run.t, is_loose);
    if (where == 2)
        run.t->phase = PH_AUTH;
    if (where >= 3)
        skip_login(run.t, has_zlib);
    if (where == 4 || where == 7)
        transport_rekey(run.t);
    if (where == 5)
        meet_kexinit();
}

static void run_turns(struct bytes input)
{
    struct wire_reader r = wire_reader(input);
    uint8_t pick;
    struct bytes payload;
    for (int i = 0; i < MAX_TURNS && r.left > 0 && turns_next(&r, &pick, &payload); i++) {
        our_turn(pick);
        if (payload.n > 0)
            (void)feed_payload(payload);
    }
}

int transport_run(enum role role, struct bytes input)
{
    static const char *const methods[] = {"curve25519-sha256", "diffie-hellman-group14-sha256",
        "diffie-hellman-group-exchange-sha256", "diffie-hellman-group16-sha512"};
    if (input.n < 2)
        return 0;
    if (host_key == NULL) {
        fuzz_require(crypto_init());
        struct rng rng = rng_fixed(3);
        host_key = private_key_generate(&rng);
        user_key = private_key_generate(&rng);
        fuzz_require(host_key != NULL && user_key != NULL);
    }
    uint8_t mode = input.p[0], second = input.p[1];
    run = (struct run){.role = role, .rng = rng_fixed(role == ROLE_CLIENT ? 1 : 2)};
    run.kex = methods[mode >> 4 & 3];
    run.answers = mode & 8 ? second : 0;
    stand(mode & 7, mode & 64);
    struct bytes rest = {input.p + 2, input.n - 2};
    if (mode & 8)
        run_turns(rest);
    else
        (void)feed(rest, second == 0 ? SIZE_MAX : second);
    transport_rx_eof(run.t);
    take_events();
    take_output();
    fuzz_require(run.is_over);
    transport_free(run.t);
    return 0;
}
