/* KEXINIT: what we offer, and what both sides then agree on (RFC 4253 section 7.1). */
#include <string.h>

#include "proto/namelist.h"
#include "proto/text.h"
#include "transport/engine.h"

#define EXT_INFO_C "ext-info-c" /* RFC 8308 section 2.1 */
#define EXT_INFO_S "ext-info-s"
#define STRICT_C   "kex-strict-c-v00@openssh.com" /* OpenSSH PROTOCOL section 1.10 */
#define STRICT_S   "kex-strict-s-v00@openssh.com"

/* ---- the offer ------------------------------------------------------------------------------- */

static bool signs(const struct private_key *k, struct bytes algorithm)
{
    return namelist_has(bytes_of(private_key_algorithms(k)), algorithm);
}

/* The first host key that can sign by algorithm; once one was shown, that one or none. */
static const struct private_key *host_key_for(const struct transport *t, struct bytes algorithm)
{
    if (t->signing_key != NULL)
        return signs(t->signing_key, algorithm) ? t->signing_key : NULL;
    for (size_t i = 0; i < t->config.n_host_keys; i++)
        if (signs(t->config.host_keys[i], algorithm))
            return t->config.host_keys[i];
    return NULL;
}

/* The inner name of a public key blob. */
static struct bytes key_type(struct bytes blob)
{
    struct wire_reader r = wire_reader(blob);
    return wire_string(&r);
}

/* In a rekey the server must show the same key again, so only its algorithms make sense. */
static bool suits_host_key(const struct transport *t, struct bytes algorithm)
{
    if (t->config.role == ROLE_SERVER)
        return host_key_for(t, algorithm) != NULL;
    const char *type = key_type_of_algorithm(algorithm);
    return t->host_key_n == 0 ||
           (type != NULL && bytes_is(key_type((struct bytes){t->host_key, t->host_key_n}), type));
}

static bool is_offered(const struct transport *t, enum offer which, struct bytes name)
{
    return which != OFFER_HOST_KEY || suits_host_key(t, name);
}

static const char *known_names(enum offer which)
{
    switch (which) {
    case OFFER_KEX: return kex_names();
    case OFFER_HOST_KEY: return key_algorithm_all_names();
    case OFFER_CIPHER: return packet_cipher_names();
    case OFFER_MAC: return packet_mac_names();
    default: return "none,zlib@openssh.com,zlib";
    }
}

static const char *wanted_names(const struct transport_config *c, enum offer which)
{
    switch (which) {
    case OFFER_KEX: return c->kex;
    case OFFER_HOST_KEY:
        return c->host_key_algorithms != NULL ? c->host_key_algorithms : key_algorithm_names();
    case OFFER_CIPHER: return c->ciphers;
    case OFFER_MAC: return c->macs;
    default: return c->compression != NULL ? c->compression : "none";
    }
}

/* Appends those names of `from` that may be offered, each once. */
static struct bytes put_names(
    const struct transport *t, enum offer which, struct bytes from, struct wire_writer *w)
{
    struct bytes known = bytes_of(known_names(which));
    size_t at = w->len;
    struct bytes name;
    while (namelist_next(&from, &name)) {
        struct bytes so_far = {w->base + at, w->len - at};
        if (!namelist_has(known, name) || namelist_has(so_far, name) || !is_offered(t, which, name))
            continue;
        if (so_far.n > 0)
            wire_put_u8(w, ',');
        wire_put_raw(w, name);
    }
    return (struct bytes){w->base + at, w->len - at};
}

bool kexinit_offer(struct transport *t)
{
    struct wire_writer w = wire_writer(t->offer_room, sizeof t->offer_room);
    for (enum offer i = OFFER_KEX; i < N_OFFERS; i++) {
        const char *wanted = wanted_names(&t->config, i);
        t->offers[i] = put_names(t, i, bytes_of(wanted != NULL ? wanted : known_names(i)), &w);
        if (t->offers[i].n == 0)
            return false;
    }
    return !w.bad;
}

static void fill_lists(const struct transport *t, struct msg_kexinit *m)
{
    m->lists[KEXINIT_KEX] = t->offers[OFFER_KEX];
    m->lists[KEXINIT_HOST_KEY] = t->offers[OFFER_HOST_KEY];
    m->lists[KEXINIT_CIPHER_C2S] = m->lists[KEXINIT_CIPHER_S2C] = t->offers[OFFER_CIPHER];
    m->lists[KEXINIT_MAC_C2S] = m->lists[KEXINIT_MAC_S2C] = t->offers[OFFER_MAC];
    m->lists[KEXINIT_COMP_C2S] = m->lists[KEXINIT_COMP_S2C] = t->offers[OFFER_COMP];
}

/* The pseudo-names go into the first KEXINIT only, behind everything that could be chosen. */
enum err kexinit_write(struct transport *t, struct kex *k)
{
    uint8_t names_room[1024], host_key_room[1024];
    struct msg_kexinit m = {.first_kex_packet_follows = false};
    fill_lists(t, &m);
    rng_bytes(t->config.rng, m.cookie, sizeof m.cookie);

    struct wire_writer names = wire_writer(names_room, sizeof names_room);
    wire_put_raw(&names, t->offers[OFFER_KEX]);
    if (k->is_first)
        wire_put_raw(&names, t->config.role == ROLE_CLIENT ? BYTES_LIT("," EXT_INFO_C "," STRICT_C)
                                                           : BYTES_LIT("," STRICT_S));
    m.lists[KEXINIT_KEX] = wire_written(&names);
    struct wire_writer host = wire_writer(host_key_room, sizeof host_key_room);
    m.lists[KEXINIT_HOST_KEY] = put_names(t, OFFER_HOST_KEY, t->offers[OFFER_HOST_KEY], &host);

    struct wire_writer w = wire_writer(k->my_init, sizeof k->my_init);
    msg_kexinit_encode(&w, &m);
    if (w.bad || names.bad || host.bad)
        return engine_fault(t, ERR_INTERNAL, "KEXINIT outgrew its room");
    k->my_init_n = w.len;
    return ERR_OK;
}

/* ---- the agreement --------------------------------------------------------------------------- */

/* Lists that are compared, ours without pseudo-names. */
struct row {
    enum kexinit_list list;
    enum offer offer;
    const char *what;
};
static const struct row rows[] = {
    {KEXINIT_KEX, OFFER_KEX, "key exchange method"},
    {KEXINIT_HOST_KEY, OFFER_HOST_KEY, "host key algorithm"},
    {KEXINIT_CIPHER_C2S, OFFER_CIPHER, "cipher from client to server"},
    {KEXINIT_CIPHER_S2C, OFFER_CIPHER, "cipher from server to client"},
    {KEXINIT_MAC_C2S, OFFER_MAC, "MAC from client to server"},
    {KEXINIT_MAC_S2C, OFFER_MAC, "MAC from server to client"},
    {KEXINIT_COMP_C2S, OFFER_COMP, "compression from client to server"},
    {KEXINIT_COMP_S2C, OFFER_COMP, "compression from server to client"},
};

static struct bytes *place_of(
    const struct transport *t, struct transport_algorithms *a, enum kexinit_list list)
{
    bool is_client = t->config.role == ROLE_CLIENT;
    switch (list) {
    case KEXINIT_KEX: return &a->kex;
    case KEXINIT_HOST_KEY: return &a->host_key;
    case KEXINIT_CIPHER_C2S: return is_client ? &a->cipher_out : &a->cipher_in;
    case KEXINIT_CIPHER_S2C: return is_client ? &a->cipher_in : &a->cipher_out;
    case KEXINIT_MAC_C2S: return is_client ? &a->mac_out : &a->mac_in;
    case KEXINIT_MAC_S2C: return is_client ? &a->mac_in : &a->mac_out;
    case KEXINIT_COMP_C2S: return is_client ? &a->comp_out : &a->comp_in;
    default: return is_client ? &a->comp_in : &a->comp_out;
    }
}

/* name as it stands in list, which is static and so outlives the exchange. */
static struct bytes same_in(struct bytes list, struct bytes name)
{
    struct bytes each;
    while (namelist_next(&list, &each))
        if (bytes_equal(each, name))
            return each;
    return (struct bytes){NULL, 0};
}

/* What would help is told where there is something: a name of theirs that we have and do not offer.
 */
static enum err nothing_common(
    struct transport *t, const struct row *row, struct bytes ours, struct bytes theirs)
{
    char we[56], they[56];
    struct bytes help = namelist_choose(theirs, bytes_of(known_names(row->offer)));
    text_escape(we, sizeof we, ours, TEXT_LINE);
    text_escape(they, sizeof they, theirs, TEXT_LINE);
    return engine_fault(t, ERR_KEX, "no common %s: we offer %s; they offer %s%s%.*s%s", row->what,
        we, theirs.n > 0 ? they : "nothing", help.n > 0 ? " (naming " : "", (int)help.n,
        (const char *)help.p, help.n > 0 ? " would help)" : "");
}

/* The client's order decides. */
static enum err agree_on(struct transport *t, struct kex *k, const struct row *row,
    struct bytes ours, struct bytes theirs)
{
    bool is_client = t->config.role == ROLE_CLIENT;
    struct bytes name = is_client ? namelist_choose(ours, theirs) : namelist_choose(theirs, ours);
    if (name.n == 0)
        return nothing_common(t, row, ours, theirs);
    *place_of(t, &k->algorithms, row->list) = same_in(bytes_of(known_names(row->offer)), name);
    return ERR_OK;
}

/* An AEAD brings its own tag, so no MAC is negotiated (RFC 5647; OpenSSH PROTOCOL section 1.6). */
static bool is_settled(const struct transport *t, struct kex *k, enum kexinit_list list)
{
    struct transport_algorithms *a = &k->algorithms;
    if (list == KEXINIT_MAC_C2S)
        return packet_cipher_is_aead(*place_of(t, a, KEXINIT_CIPHER_C2S));
    if (list == KEXINIT_MAC_S2C)
        return packet_cipher_is_aead(*place_of(t, a, KEXINIT_CIPHER_S2C));
    return false;
}

static struct bytes first_name(struct bytes list)
{
    struct bytes name = {NULL, 0};
    (void)namelist_next(&list, &name);
    return name;
}

/* RFC 4253 section 7.1: a guess is right when both sides prefer the same method and host key. */
static bool guessed_right(const struct msg_kexinit *a, const struct msg_kexinit *b)
{
    return bytes_equal(first_name(a->lists[KEXINIT_KEX]), first_name(b->lists[KEXINIT_KEX])) &&
           bytes_equal(
               first_name(a->lists[KEXINIT_HOST_KEY]), first_name(b->lists[KEXINIT_HOST_KEY]));
}

/* In the first KEXINIT alone; a strict exchange must have begun with it. */
static enum err take_pseudo_names(struct transport *t, const struct msg_kexinit *peer)
{
    bool is_client = t->config.role == ROLE_CLIENT;
    struct bytes names = peer->lists[KEXINIT_KEX];
    t->is_strict = namelist_has_cstr(names, is_client ? STRICT_S : STRICT_C);
    t->peer_wants_ext_info = namelist_has_cstr(names, is_client ? EXT_INFO_S : EXT_INFO_C);
    if (t->is_strict && t->rx.seq != 1) /* it has been counted */
        return engine_fault(t, ERR_PROTOCOL, "KEXINIT was not the first packet (strict)");
    return ERR_OK;
}

enum err kexinit_agree(struct transport *t, struct kex *k, const struct msg_kexinit *peer)
{
    struct msg_kexinit mine;
    struct wire_reader r = wire_reader((struct bytes){k->my_init + 1, k->my_init_n - 1});
    if (msg_kexinit_decode(&r, &mine) != ERR_OK)
        return engine_fault(t, ERR_INTERNAL, "our own KEXINIT does not decode");
    if (k->is_first && take_pseudo_names(t, peer) != ERR_OK)
        return t->fault.code;
    k->skips_guess = peer->first_kex_packet_follows && !guessed_right(&mine, peer);

    mine.lists[KEXINIT_KEX] = t->offers[OFFER_KEX];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum kexinit_list list = rows[i].list;
        if (is_settled(t, k, list))
            continue;
        if (agree_on(t, k, &rows[i], mine.lists[list], peer->lists[list]) != ERR_OK)
            return t->fault.code;
    }
    k->algorithms.strict = t->is_strict;
    k->method = kex_find(k->algorithms.kex);
    k->host_key = host_key_for(t, k->algorithms.host_key);
    if (k->method == NULL || (t->config.role == ROLE_SERVER && k->host_key == NULL))
        return engine_fault(t, ERR_INTERNAL, "an agreed algorithm is not there");
    return ERR_OK;
}
