/* The key exchange, as far as both roles do the same: RFC 4253 sections 7 to 9.
 *
 * t->kex lives from the first KEXINIT, ours or the peer's, to the peer's NEWKEYS, which is always
 * the last message: ours was sent before it may come. */
#include <stdlib.h>
#include <string.h>

#include "crypto/ct.h"
#include "transport/engine.h"

enum { CIPHER_KEY_MAX = 64, CIPHER_IV_MAX = 32, MAC_KEY_MAX = 64 };

void kex_free(struct transport *t)
{
    struct kex *k = t->kex;
    if (k == NULL)
        return;
    free(k->peer_init);
    packet_cipher_free(k->cipher_in);
    packet_cipher_free(k->cipher_out);
    secret_free(k, sizeof *k);
    t->kex = NULL;
}

enum err kex_start(struct transport *t)
{
    if (t->fault.code != ERR_OK || t->kex != NULL)
        return t->fault.code;
    struct kex *k = secret_alloc(sizeof *k);
    if (k == NULL)
        return engine_fault(t, ERR_NOMEM, "no memory for a key exchange");
    t->kex = k;
    k->is_first = !t->has_first_keys;
    if (kexinit_write(t, k) != ERR_OK)
        return t->fault.code;
    t->kex_first_seq = t->tx.seq;
    rekey_began(t);
    if (tx_packet(t, (struct bytes){k->my_init, k->my_init_n}) != ERR_OK)
        return t->fault.code;
    t->tx.is_holding = true;
    return ERR_OK;
}

/* ---- the peer's KEXINIT ---------------------------------------------------------------------- */

static enum err keep_peer_init(struct transport *t, struct bytes payload)
{
    struct kex *k = t->kex;
    k->peer_init = engine_dup(t, payload);
    k->peer_init_n = k->peer_init != NULL ? payload.n : 0;
    return t->fault.code;
}

enum err kex_keep_host_key(struct transport *t, struct bytes blob)
{
    t->host_key = engine_dup(t, blob);
    t->host_key_n = t->host_key != NULL ? blob.n : 0;
    return t->fault.code;
}

enum phase kex_phase(const struct transport *t, const struct kex_phases *of)
{
    if (t->kex->is_first)
        return t->is_strict ? of->strict : of->first;
    return t->is_loose && t->has_login ? of->loose : of->rekey;
}

enum err kex_on_kexinit(struct transport *t, struct bytes payload)
{
    struct msg_kexinit peer;
    if (!t->has_login && t->counts.rekeys >= LOGIN_REKEYS)
        return engine_fault(t, ERR_LIMIT, "more than %d new keys before login", LOGIN_REKEYS);
    if (kex_start(t) != ERR_OK || keep_peer_init(t, payload) != ERR_OK)
        return t->fault.code;
    struct kex *k = t->kex;
    struct wire_reader r = wire_reader((struct bytes){k->peer_init + 1, k->peer_init_n - 1});
    if (msg_kexinit_decode(&r, &peer) != ERR_OK)
        return engine_fault(t, ERR_MALFORMED, "malformed KEXINIT");
    if (kexinit_agree(t, k, &peer) != ERR_OK)
        return t->fault.code;
    static const struct kex_phases share = {PH_KEX, PH_STRICT, PH_REKEY, PH_LOOSE};
    static const struct kex_phases gex = {PH_GEX, PH_STRICT_GEX, PH_REKEY_GEX, PH_LOOSE_GEX};
    t->phase = kex_phase(t, kex_is_group_exchange(k->method) ? &gex : &share);
    return t->config.role == ROLE_CLIENT ? kex_client_begin(t) : ERR_OK;
}

void kex_await_newkeys(struct transport *t)
{
    static const struct kex_phases end = {PH_KEX_END, PH_STRICT_END, PH_REKEY_END, PH_LOOSE_END};
    t->phase = kex_phase(t, &end);
}

/* ---- hash and keys --------------------------------------------------------------------------- */

size_t kex_hash(const struct transport *t, const struct kex_shown *shown, uint8_t *out)
{
    const struct kex *k = t->kex;
    struct bytes ident[2] = {{t->my_ident, t->my_ident_n}, {t->peer_ident, t->peer_ident_n}};
    struct bytes init[2] = {{k->my_init, k->my_init_n}, {k->peer_init, k->peer_init_n}};
    int client = t->config.role == ROLE_CLIENT ? 0 : 1;
    struct hash h;
    hash_init(&h, k->method->hash);
    hash_update_string(&h, ident[client]);
    hash_update_string(&h, ident[!client]);
    hash_update_string(&h, init[client]);
    hash_update_string(&h, init[!client]);
    hash_update_string(&h, shown->host_key);
    hash_update(&h, (struct bytes){k->gex_terms, k->gex_terms_n}); /* mostly none */
    hash_update_string(&h, shown->client_share);
    hash_update_string(&h, shown->server_share);
    hash_update(&h, shown->secret); /* with its length word: see crypto/kex.h */
    hash_final(&h, out);
    return hash_bytes(k->method->hash);
}

struct material {
    enum hash_id id;
    struct bytes secret, hash, session_id;
};

/* RFC 4253 section 7.2: letters for IV, cipher key and MAC key of one direction. */
static struct packet_cipher *make_cipher(
    const struct material *m, const char letters[3], struct bytes cipher, struct bytes mac)
{
    uint8_t iv[CIPHER_IV_MAX], key[CIPHER_KEY_MAX], mac_key[MAC_KEY_MAX];
    struct packet_cipher_needs n;
    if (packet_cipher_needs(cipher, mac, &n) != ERR_OK || n.iv_bytes > sizeof iv ||
        n.key_bytes > sizeof key || n.mac_key_bytes > sizeof mac_key)
        return NULL;
    kdf_ssh(m->id, m->secret, m->hash, letters[0], m->session_id, iv, n.iv_bytes);
    kdf_ssh(m->id, m->secret, m->hash, letters[1], m->session_id, key, n.key_bytes);
    kdf_ssh(m->id, m->secret, m->hash, letters[2], m->session_id, mac_key, n.mac_key_bytes);
    struct packet_cipher *c = packet_cipher_new(cipher, mac, (struct bytes){key, n.key_bytes},
        (struct bytes){iv, n.iv_bytes}, (struct bytes){mac_key, n.mac_key_bytes});
    secure_wipe(iv, sizeof iv);
    secure_wipe(key, sizeof key);
    secure_wipe(mac_key, sizeof mac_key);
    return c;
}

enum err kex_derive(struct transport *t, struct bytes secret, struct bytes hash)
{
    struct kex *k = t->kex;
    const struct transport_algorithms *a = &k->algorithms;
    if (t->session_id_n == 0) { /* that of the first exchange, for ever */
        memcpy(t->session_id, hash.p, hash.n);
        t->session_id_n = hash.n;
    }
    struct material m = {k->method->hash, secret, hash, {t->session_id, t->session_id_n}};
    bool is_client = t->config.role == ROLE_CLIENT;
    k->cipher_out = make_cipher(&m, is_client ? "ACE" : "BDF", a->cipher_out, a->mac_out);
    k->cipher_in = make_cipher(&m, is_client ? "BDF" : "ACE", a->cipher_in, a->mac_in);
    if (k->cipher_out == NULL || k->cipher_in == NULL)
        return engine_fault(t, ERR_NOMEM, "no memory for new keys");
    return ERR_OK;
}

/* ---- NEWKEYS --------------------------------------------------------------------------------- */

/* EXT_INFO goes straight behind our first NEWKEYS; what the exchange held back, behind any. */
enum err kex_send_newkeys(struct transport *t)
{
    static const uint8_t newkeys[] = {MSG_NEWKEYS};
    struct kex *k = t->kex;
    if (tx_packet(t, (struct bytes){newkeys, sizeof newkeys}) != ERR_OK)
        return t->fault.code;
    tx_set_cipher(t, k->cipher_out);
    k->cipher_out = NULL;
    t->algorithms.comp_out = k->algorithms.comp_out;
    if (engine_compress_out(t) != ERR_OK)
        return t->fault.code;
    if (k->is_first && t->peer_wants_ext_info && ext_info_send(t) != ERR_OK)
        return t->fault.code;
    return tx_release(t);
}

/* Both directions have new keys now. */
static enum err complete(struct transport *t)
{
    bool is_first = t->kex->is_first;
    t->algorithms = t->kex->algorithms;
    if (t->config.role == ROLE_SERVER)
        t->signing_key = t->kex->host_key;
    kex_free(t);
    rekey_done(t);
    t->has_first_keys = true;
    t->counts.rekeys += is_first ? 0 : 1;
    if (is_first)
        t->phase = PH_KEYED;
    else
        t->phase = t->has_login ? PH_OPEN : PH_AUTH;
    engine_emit(t, (struct transport_event){.type = TRANSPORT_KEXED, .first = is_first});
    if (is_first)
        auth_begin(t->auth, (struct bytes){t->session_id, t->session_id_n},
            (struct bytes){t->host_key, t->host_key_n});
    return t->fault.code;
}

enum err kex_on_newkeys(struct transport *t, struct bytes payload)
{
    if (payload.n != 1)
        return engine_fault(t, ERR_MALFORMED, "malformed NEWKEYS");
    rx_set_cipher(t, t->kex->cipher_in);
    t->kex->cipher_in = NULL;
    t->algorithms.comp_in = t->kex->algorithms.comp_in;
    if (engine_compress_in(t) != ERR_OK)
        return t->fault.code;
    return complete(t);
}
