/* The client's half of a key exchange: our share, then the server's proof of who it is. */
#include <string.h>

#include "crypto/ct.h"
#include "transport/engine.h"

enum err kex_client_begin(struct transport *t)
{
    struct kex *k = t->kex;
    if (kex_is_group_exchange(k->method))
        return kex_gex_begin(t);
    enum err e = k->method->start(t->config.rng, k->state, k->share, &k->share_n);
    if (e != ERR_OK)
        return engine_fault(t, e, "cannot begin key exchange %s", k->method->name);
    return kex_client_send_share(t, MSG_KEX_ECDH_INIT);
}

enum err kex_client_send_share(struct transport *t, uint8_t number)
{
    const struct kex *k = t->kex;
    size_t n = 1 + 4 + k->share_n;
    uint8_t *slot = tx_begin(t, n);
    if (slot == NULL)
        return t->fault.code;
    struct wire_writer w = wire_writer(slot, n);
    msg_ecdh_init_encode(&w, number, &(struct msg_ecdh_init){.share = {k->share, k->share_n}});
    tx_end(t, w.len);
    return t->fault.code;
}

/* In a rekey the very same blob; so what was trusted once needs no second question. */
static enum err take_host_key(struct transport *t, struct bytes blob)
{
    if (t->kex->is_first)
        return kex_keep_host_key(t, blob);
    if (bytes_equal(blob, (struct bytes){t->host_key, t->host_key_n}))
        return ERR_OK;
    return engine_fault(
        t, ERR_HOST_KEY, "server showed another host key in a renewed key exchange");
}

static enum err check_host_key(struct transport *t, struct bytes blob)
{
    struct bytes algorithm = t->kex->algorithms.host_key;
    const char *wanted = key_type_of_algorithm(algorithm), *type = NULL;
    if (blob.n > KEY_BLOB_MAX || key_check(blob, &type) != ERR_OK)
        return engine_fault(t, ERR_HOST_KEY,
            "server's host key is damaged or of a kind that is "
            "not accepted");
    if (wanted == NULL || strcmp(wanted, type) != 0)
        return engine_fault(t, ERR_HOST_KEY, "server's host key is %s, which is not for %.*s", type,
            (int)algorithm.n, (const char *)algorithm.p);
    return take_host_key(t, blob);
}

static enum err keep_signature(struct transport *t, struct bytes signature)
{
    t->host_signature = engine_dup(t, signature);
    t->host_signature_n = t->host_signature != NULL ? signature.n : 0;
    return t->fault.code;
}

/* The signature over the exchange hash shows that the server holds its key, and that both of us saw
 * the same messages. Nobody is asked about a key before that. */
static enum err check_proof(
    struct transport *t, const struct msg_ecdh_reply *m, struct bytes secret)
{
    const struct kex *k = t->kex;
    uint8_t hash[HASH_MAX_BYTES];
    struct kex_shown shown = {m->host_key, {k->share, k->share_n}, m->share, secret};
    struct bytes h = {hash, kex_hash(t, &shown, hash)};
    struct key_sk_facts facts; /* a machine's security key is touched by nobody */
    enum err e = key_verify_named(m->host_key, k->algorithms.host_key, m->signature, h, &facts);
    e = e == ERR_OK ? kex_derive(t, secret, h)
                    : engine_fault(t, ERR_SIGNATURE,
                          "server's signature over the key exchange does "
                          "not verify");
    if (e == ERR_OK && k->is_first)
        e = keep_signature(t, m->signature);
    secure_wipe(hash, sizeof hash);
    return e;
}

static enum err finish(struct transport *t, const struct msg_ecdh_reply *m)
{
    struct kex *k = t->kex;
    uint8_t secret[KEX_SECRET_MAX];
    size_t n = 0;
    enum err e = kex_is_group_exchange(k->method)
                     ? dh_finish(&k->group, k->state, m->share, secret, &n)
                     : k->method->finish(k->state, m->share, secret, &n);
    e = e == ERR_OK ? check_proof(t, m, (struct bytes){secret, n})
                    : engine_fault(t, e, "server's share is not good for %s", k->method->name);
    secure_wipe(secret, sizeof secret);
    secure_wipe(k->state, sizeof k->state);
    return e;
}

static void ask_about_host_key(struct transport *t)
{
    t->awaits_host_key = true;
    t->is_kex_clock_due = false; /* a person may take as long as it takes */
    t->kex_deadline = NEVER;
    engine_emit(t, (struct transport_event){
                       .type = TRANSPORT_HOST_KEY,
                       .key = {t->host_key, t->host_key_n},
                       .algorithm = t->kex->algorithms.host_key,
                   });
}

enum err kex_client_on_reply(struct transport *t, struct bytes payload)
{
    struct msg_ecdh_reply m;
    struct wire_reader r = wire_reader((struct bytes){payload.p + 1, payload.n - 1});
    if (msg_ecdh_reply_decode(&r, &m) != ERR_OK)
        return engine_fault(t, ERR_MALFORMED, "malformed %s", msg_name(payload.p[0]));
    if (check_host_key(t, m.host_key) != ERR_OK || finish(t, &m) != ERR_OK)
        return t->fault.code;
    kex_await_newkeys(t);
    if (!t->kex->is_first)
        return kex_send_newkeys(t);
    ask_about_host_key(t); /* our NEWKEYS waits for the answer */
    return ERR_OK;
}

void transport_host_key_decide(struct transport *t, bool trusted)
{
    if (t->fault.code != ERR_OK)
        return;
    if (!t->awaits_host_key) {
        (void)engine_fault(t, ERR_INTERNAL, "a host key was decided about when none was shown");
        return;
    }
    t->awaits_host_key = false;
    if (!trusted) {
        (void)engine_fault(t, ERR_HOST_KEY, "the server's host key was not accepted");
        return;
    }
    t->is_kex_clock_due = true;
    (void)kex_send_newkeys(t);
}
