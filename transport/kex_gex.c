/* Diffie-Hellman group exchange, RFC 4419: how client and server come to a group.
 *
 *     client: REQUEST (min, wanted, max bits) -> GROUP (p, g) -> INIT (share) -> REPLY
 *
 * From INIT on it is an exchange like others: kex_client.c, kex_server.c. The REQUEST of the
 * drafts, which names one size only, is not spoken; OpenSSH's server dropped it as well. */
#include <inttypes.h>

#include "transport/engine.h"

/* 3072 bits have the strength of curve25519, some 128 bits, which is preferred to all of this. */
enum { GEX_MIN = DH_MIN_BITS, GEX_WANTED = 3072, GEX_MAX = DH_MAX_BITS };

static enum err keep_terms(
    struct transport *t, const struct msg_gex_request *asked, const struct dh_group *d)
{
    struct kex *k = t->kex;
    struct wire_writer w = wire_writer(k->gex_terms, sizeof k->gex_terms);
    wire_put_u32(&w, asked->min);
    wire_put_u32(&w, asked->wanted);
    wire_put_u32(&w, asked->max);
    wire_put_mpint(&w, d->p);
    wire_put_mpint(&w, d->g);
    if (w.bad)
        return engine_fault(t, ERR_INTERNAL, "a group outgrew its room");
    k->gex_terms_n = w.len;
    struct wire_reader r = wire_reader((struct bytes){k->gex_terms + 3 * 4, w.len - 3 * 4});
    k->group.p = wire_mpint(&r);
    k->group.g = wire_mpint(&r);
    static const struct kex_phases share = {
        PH_GEX_SHARE, PH_STRICT_GEX_SHARE, PH_REKEY_GEX_SHARE, PH_LOOSE_GEX_SHARE};
    t->phase = kex_phase(t, &share);
    return ERR_OK;
}

/* ---- client ---------------------------------------------------------------------------------- */

static const struct msg_gex_request our_request = {GEX_MIN, GEX_WANTED, GEX_MAX};

enum err kex_gex_begin(struct transport *t)
{
    enum { BYTES = 1 + 3 * 4 };
    uint8_t *slot = tx_begin(t, BYTES);
    if (slot == NULL)
        return t->fault.code;
    struct wire_writer w = wire_writer(slot, BYTES);
    msg_gex_request_encode(&w, &our_request);
    tx_end(t, w.len);
    return t->fault.code;
}

/* The size is looked at before anything else: it bounds what the group can cost us. */
static enum err check_group(struct transport *t, const struct dh_group *d)
{
    unsigned bits = dh_bits(d);
    if (bits < GEX_MIN || bits > GEX_MAX)
        return engine_fault(t, ERR_KEX,
            "server's Diffie-Hellman group has %u bits; we take %d to %d", bits, GEX_MIN, GEX_MAX);
    const char *flaw = dh_group_flaw(d);
    if (flaw != NULL)
        return engine_fault(t, ERR_KEX, "server's Diffie-Hellman group is not good: %s", flaw);
    return ERR_OK;
}

enum err kex_gex_on_group(struct transport *t, struct bytes payload)
{
    struct kex *k = t->kex;
    struct msg_gex_group m;
    struct wire_reader r = wire_reader((struct bytes){payload.p + 1, payload.n - 1});
    if (msg_gex_group_decode(&r, &m) != ERR_OK)
        return engine_fault(t, ERR_MALFORMED, "malformed KEX_DH_GEX_GROUP");
    struct dh_group d = {m.p, m.g};
    if (check_group(t, &d) != ERR_OK || keep_terms(t, &our_request, &d) != ERR_OK)
        return t->fault.code;
    enum err e = dh_start(&k->group, t->config.rng, k->state, k->share, &k->share_n);
    if (e != ERR_OK)
        return engine_fault(t, e, "server's Diffie-Hellman group is not good: our share is weak");
    return kex_client_send_share(t, MSG_KEX_GEX_INIT);
}

/* ---- server ---------------------------------------------------------------------------------- */

/* The smallest that is not below what is wanted, else the largest; NULL when none is allowed. */
static const struct dh_group *choose(const struct msg_gex_request *m)
{
    static const struct dh_group *const groups[] = {&dh_group14, &dh_group15, &dh_group16};
    const struct dh_group *best = NULL;
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        unsigned bits = dh_bits(groups[i]);
        if (bits < m->min || bits > m->max)
            continue;
        best = groups[i];
        if (bits >= m->wanted)
            break;
    }
    return best;
}

static enum err send_group(struct transport *t, const struct dh_group *d)
{
    size_t n = 1 + 2 * (4 + 1) + d->p.n + d->g.n;
    uint8_t *slot = tx_begin(t, n);
    if (slot == NULL)
        return t->fault.code;
    struct wire_writer w = wire_writer(slot, n);
    msg_gex_group_encode(&w, &(struct msg_gex_group){d->p, d->g});
    tx_end(t, w.len);
    return t->fault.code;
}

enum err kex_gex_on_request(struct transport *t, struct bytes payload)
{
    struct msg_gex_request m;
    struct wire_reader r = wire_reader((struct bytes){payload.p + 1, payload.n - 1});
    if (msg_gex_request_decode(&r, &m) != ERR_OK)
        return engine_fault(t, ERR_MALFORMED, "malformed %s", msg_name(payload.p[0]));
    if (m.min > m.wanted || m.wanted > m.max)
        return engine_fault(t, ERR_KEX,
            "client asked for a Diffie-Hellman group of %" PRIu32 " bits, not under %" PRIu32
            " and not over %" PRIu32,
            m.wanted, m.min, m.max);
    const struct dh_group *d = choose(&m);
    if (d == NULL)
        return engine_fault(t, ERR_KEX,
            "client takes Diffie-Hellman groups of %" PRIu32 " to %" PRIu32
            " bits; we have 2048, 3072 and 4096",
            m.min, m.max);
    if (send_group(t, d) != ERR_OK)
        return t->fault.code;
    return keep_terms(t, &m, d);
}
