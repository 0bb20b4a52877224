#include "tests/unit/transport/pair.h"

#include <stdlib.h>
#include <string.h>

/* One letter an event, in the order of enum transport_event_type. */
static const char letters[] = "LIKHRFSPCBYOpDX";

static void fatal_if(bool bad)
{
    if (bad)
        abort(); /* a mistake in the test itself */
}

/* ---- life ------------------------------------------------------------------------------------ */

void pair_init(struct pair *p)
{
    fatal_if(!crypto_init());
    *p = (struct pair){0};
    p->client.rng = rng_fixed(1);
    p->server.rng = rng_fixed(2);
    struct rng rng = rng_fixed(3);
    p->host = private_key_generate(&rng);
    p->user = private_key_generate(&rng);
    p->host_list[0] = p->host;
    p->client_config = (struct transport_config){
        .role = ROLE_CLIENT, .software = "test_client", .rng = &p->client.rng, .user = "ann"};
    p->server_config = (struct transport_config){
        .role = ROLE_SERVER,
        .software = "test_server",
        .rng = &p->server.rng,
        .host_keys = p->host_list,
        .n_host_keys = 1,
    };
}

void pair_open(struct pair *p)
{
    hash_init(&p->client.digest, HASH_SHA256);
    hash_init(&p->server.digest, HASH_SHA256);
    p->client.t = transport_new(&p->client_config, p->now_ms);
    p->server.t = transport_new(&p->server_config, p->now_ms);
    fatal_if(p->client.t == NULL || p->server.t == NULL);
}

void pair_login(struct pair *p)
{
    pair_open(p);
    pair_run(p);
    CU_ASSERT_STRING_EQUAL(transport_fault(p->client.t)->text, "");
    CU_ASSERT_STRING_EQUAL(transport_fault(p->server.t)->text, "");
    CU_ASSERT(pair_both_open(p));
}

void pair_close(struct pair *p)
{
    transport_free(p->client.t);
    transport_free(p->server.t);
    private_key_free(p->host);
    private_key_free(p->user);
    free(p->tape[0]);
    free(p->tape[1]);
    *p = (struct pair){0};
}

enum err pair_err(const struct side *s)
{
    return transport_fault(s->t)->code;
}

bool pair_both_open(const struct pair *p)
{
    return pair_err(&p->client) == ERR_OK && pair_err(&p->server) == ERR_OK &&
           p->client.t->has_login && p->server.t->has_login;
}

/* ---- events ---------------------------------------------------------------------------------- */

static void note(struct side *s, enum transport_event_type type)
{
    if (s->n_log + 1 < sizeof s->log)
        s->log[s->n_log++] = letters[type];
}

static void sign(struct pair *p, const struct transport_event *e)
{
    uint8_t signature[KEY_SIGNATURE_MAX];
    size_t n = 0;
    fatal_if(private_key_sign(p->user, e->algorithm, e->data, signature, &n) != ERR_OK);
    transport_auth_signature(p->client.t, (struct bytes){signature, n});
}

static void take_packet(struct side *s, struct transport_event *e)
{
    s->n_packets++;
    s->n_payload_bytes += e->payload.n;
    hash_update_string(&s->digest, e->payload);
    if (s->on_packet != NULL)
        s->on_packet(s, e);
}

static void react(struct pair *p, struct side *s, struct transport_event *e)
{
    switch (e->type) {
    case TRANSPORT_HOST_KEY:
        if (!p->holds_host_key)
            transport_host_key_decide(s->t, true);
        break;
    case TRANSPORT_AUTH_READY:
        if (!p->holds_auth)
            transport_auth_publickey(s->t, BYTES_LIT("ssh-ed25519"), private_key_blob(p->user));
        break;
    case TRANSPORT_AUTH_SIGN: sign(p, e); break;
    case TRANSPORT_AUTH_KEY:
        transport_auth_decide(s->t, bytes_equal(e->key, private_key_blob(p->user)));
        break;
    case TRANSPORT_PACKET: take_packet(s, e); break;
    case TRANSPORT_DISCONNECTED: s->is_gone = true; break;
    default: break;
    }
}

void pair_events(struct pair *p, struct side *s)
{
    struct transport_event e;
    while (transport_next(s->t, &e)) {
        fatal_if(s->is_gone);
        if (e.type != TRANSPORT_PACKET)
            note(s, e.type);
        react(p, s, &e);
    }
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static size_t piece(struct pair *p, size_t n)
{
    if (p->cuts == 0)
        return n;
    if (p->cuts == 1)
        return 1;
    p->cuts = p->cuts * UINT64_C(6364136223846793005) + 1;
    size_t want = 1 + (size_t)(p->cuts >> 33) % 997;
    return want < n ? want : n;
}

static void record(struct pair *p, int direction, const uint8_t *bytes, size_t n)
{
    if (!p->has_tape)
        return;
    p->tape[direction] = realloc(p->tape[direction], p->n_tape[direction] + n);
    fatal_if(p->tape[direction] == NULL);
    memcpy(p->tape[direction] + p->n_tape[direction], bytes, n);
    p->n_tape[direction] += n;
}

size_t pair_move(struct pair *p, struct side *from, struct side *to, size_t max)
{
    size_t n = 0, room = 0;
    const uint8_t *bytes = transport_tx(from->t, &n);
    uint8_t *space = n > 0 && !to->refuses_reading ? transport_rx_space(to->t, &room) : NULL;
    if (space == NULL) {
        pair_events(p, to);
        return 0;
    }
    n = n < max ? n : max;
    n = n < room ? n : room;
    n = piece(p, n);
    memcpy(space, bytes, n);
    record(p, from == &p->server, bytes, n);
    transport_tx_done(from->t, n);
    transport_rx_commit(to->t, n, p->now_ms);
    pair_events(p, to);
    return n;
}

void pair_run(struct pair *p)
{
    size_t moved;
    do {
        moved = pair_move(p, &p->client, &p->server, SIZE_MAX);
        moved += pair_move(p, &p->server, &p->client, SIZE_MAX);
    } while (moved > 0);
}

void pair_feed(struct pair *p, struct side *to, struct bytes b)
{
    while (b.n > 0) {
        size_t room = 0;
        uint8_t *space = transport_rx_space(to->t, &room);
        if (space == NULL)
            break;
        size_t n = b.n < room ? b.n : room;
        memcpy(space, b.p, n);
        transport_rx_commit(to->t, n, p->now_ms);
        pair_events(p, to);
        b.p += n;
        b.n -= n;
    }
    pair_events(p, to);
}

bool pair_data(struct side *s, size_t n, uint8_t fill)
{
    struct packet_sink sink = transport_sink(s->t);
    uint8_t *slot = sink.data_slot(s->t, n, 0);
    if (slot == NULL)
        return false;
    memset(slot, fill, n);
    slot[0] = MSG_CHANNEL_DATA;
    sink.commit(s->t, n);
    return true;
}

void pair_rogue(struct side *s, struct bytes payload)
{
    tx_packet(s->t, payload);
}

/* ---- tampering ------------------------------------------------------------------------------- */

void pair_patch_kexinit(struct side *s, size_t offset, const void *bytes, size_t n)
{
    struct kex *k = s->t->kex;
    size_t at = s->t->my_ident_n + 2 + TX_HEAD + offset;
    fatal_if(offset + n > k->my_init_n || at + n > s->t->tx.tail);
    memcpy(k->my_init + offset, bytes, n);
    memcpy(s->t->tx.buf.p + at, bytes, n);
}

void pair_patch_list(struct side *s, enum kexinit_list list, const char *names)
{
    struct kex *k = s->t->kex;
    struct msg_kexinit m;
    struct wire_reader r = wire_reader((struct bytes){k->my_init + 1, k->my_init_n - 1});
    fatal_if(msg_kexinit_decode(&r, &m) != ERR_OK || m.lists[list].n != strlen(names));
    pair_patch_kexinit(s, (size_t)(m.lists[list].p - k->my_init), names, strlen(names));
}

void pair_drop_strict(struct side *s)
{
    struct kex *k = s->t->kex;
    for (size_t i = 0; i + 10 < k->my_init_n; i++)
        if (memcmp(k->my_init + i, "kex-strict", 10) == 0)
            pair_patch_kexinit(s, i, "not-strict", 10);
}
