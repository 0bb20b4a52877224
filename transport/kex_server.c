/* The server's half of a key exchange: our share, and the proof that we hold the host key. */
#include "crypto/ct.h"
#include "transport/engine.h"

static enum err send_reply(struct transport *t, const struct msg_ecdh_reply *m)
{
    size_t n = 1 + 3 * 4 + m->host_key.n + m->share.n + m->signature.n;
    uint8_t *slot = tx_begin(t, n);
    if (slot == NULL)
        return t->fault.code;
    struct wire_writer w = wire_writer(slot, n);
    bool is_gex = kex_is_group_exchange(t->kex->method);
    msg_ecdh_reply_encode(&w, is_gex ? MSG_KEX_GEX_REPLY : MSG_KEX_ECDH_REPLY, m);
    tx_end(t, w.len);
    return t->fault.code;
}

/* Signs, sends the reply, and makes the keys; shown lacks nothing. */
static enum err prove(struct transport *t, const struct kex_shown *shown)
{
    const struct kex *k = t->kex;
    uint8_t hash[HASH_MAX_BYTES], signature[KEY_SIGNATURE_MAX];
    size_t signature_n = 0;
    struct bytes h = {hash, kex_hash(t, shown, hash)};
    enum err e = private_key_sign(k->host_key, k->algorithms.host_key, h, signature, &signature_n);
    if (e != ERR_OK)
        e = engine_fault(t, e, "cannot sign with the host key");
    if (e == ERR_OK)
        e = send_reply(t, &(struct msg_ecdh_reply){
                              .host_key = shown->host_key,
                              .share = shown->server_share,
                              .signature = {signature, signature_n},
                          });
    if (e == ERR_OK)
        e = kex_derive(t, shown->secret, h);
    secure_wipe(hash, sizeof hash);
    return e;
}

static enum err answer(struct transport *t, struct bytes client_share)
{
    struct kex *k = t->kex;
    uint8_t share[KEX_SHARE_MAX], secret[KEX_SECRET_MAX];
    size_t share_n = 0, secret_n = 0;
    struct rng *rng = t->config.rng;
    enum err e = kex_is_group_exchange(k->method)
                     ? dh_reply(&k->group, rng, client_share, share, &share_n, secret, &secret_n)
                     : k->method->reply(rng, client_share, share, &share_n, secret, &secret_n);
    e = e == ERR_OK ? prove(t, &(struct kex_shown){private_key_blob(k->host_key), client_share,
                                   {share, share_n}, {secret, secret_n}})
                    : engine_fault(t, e, "client's share is not good for %s", k->method->name);
    secure_wipe(secret, sizeof secret);
    return e;
}

enum err kex_server_on_init(struct transport *t, struct bytes payload)
{
    struct msg_ecdh_init m;
    struct wire_reader r = wire_reader((struct bytes){payload.p + 1, payload.n - 1});
    if (msg_ecdh_init_decode(&r, &m) != ERR_OK)
        return engine_fault(t, ERR_MALFORMED, "malformed %s", msg_name(payload.p[0]));
    if (t->kex->is_first && kex_keep_host_key(t, private_key_blob(t->kex->host_key)) != ERR_OK)
        return t->fault.code;
    if (answer(t, m.share) != ERR_OK)
        return t->fault.code;
    kex_await_newkeys(t);
    return kex_send_newkeys(t);
}
