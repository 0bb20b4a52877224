/* sntrup761x25519-sha512: draft-ietf-sshm-ntruprime-ssh. sntrup761 and X25519 side by side, so that
 * the secret holds as long as one of them does. Shares are sntrup761's part, then X25519's; K is
 * the SHA-512 of both secrets in that order, as a string. */
#include <sodium.h>

#include "crypto/ct.h"
#include "crypto/kex_methods.h"
#include "crypto/sntrup761.h"

enum {
    POINT_BYTES = crypto_scalarmult_curve25519_BYTES,
    CLIENT_BYTES = SNTRUP761_PUBLIC_BYTES + POINT_BYTES,
    SERVER_BYTES = SNTRUP761_CIPHERTEXT_BYTES + POINT_BYTES,
    K_BYTES = 64,
};
_Static_assert(SNTRUP761_SECRET_BYTES + POINT_BYTES <= (int)KEX_STATE_MAX, "both private keys");
_Static_assert(CLIENT_BYTES <= (int)KEX_SHARE_MAX, "the server's share is shorter");

struct both_secrets {
    uint8_t sntrup[SNTRUP761_SHARED_BYTES], x25519[POINT_BYTES];
};

static enum err make_pair(struct rng *rng, uint8_t scalar[POINT_BYTES], uint8_t point[POINT_BYTES])
{
    rng_bytes(rng, scalar, POINT_BYTES);
    return crypto_scalarmult_curve25519_base(point, scalar) == 0 ? ERR_OK : ERR_INTERNAL;
}

/* libsodium refuses points of small order and an all-zero result, without a branch; that it did,
 * the peer may know. */
static enum err agree(struct both_secrets *s, const uint8_t *scalar, const uint8_t *point)
{
    int bad = crypto_scalarmult_curve25519(s->x25519, scalar, point);
    ct_public(&bad, sizeof bad);
    return bad == 0 ? ERR_OK : ERR_KEX;
}

static void combine(const struct both_secrets *s, uint8_t *secret, size_t *secret_n)
{
    uint8_t k[K_BYTES];
    struct wire_writer w = wire_writer(secret, KEX_SECRET_MAX);
    hash_once(HASH_SHA512, (struct bytes){(const uint8_t *)s, sizeof *s}, k);
    wire_put_string(&w, (struct bytes){k, sizeof k});
    *secret_n = w.len;
    secure_wipe(k, sizeof k);
}

enum err kex_sntrup761_start(struct rng *rng, uint8_t *state, uint8_t *share, size_t *share_n)
{
    *share_n = 0;
    sntrup761_keypair(rng, share, state);
    enum err e = make_pair(rng, state + SNTRUP761_SECRET_BYTES, share + SNTRUP761_PUBLIC_BYTES);
    if (e == ERR_OK)
        *share_n = CLIENT_BYTES;
    return e;
}

enum err kex_sntrup761_reply(struct rng *rng, struct bytes client_share, uint8_t *share,
    size_t *share_n, uint8_t *secret, size_t *secret_n)
{
    struct both_secrets s;
    uint8_t scalar[POINT_BYTES];
    *share_n = 0;
    *secret_n = 0;
    if (client_share.n != CLIENT_BYTES)
        return ERR_KEX;
    sntrup761_encapsulate(rng, client_share.p, share, s.sntrup);
    enum err e = make_pair(rng, scalar, share + SNTRUP761_CIPHERTEXT_BYTES);
    if (e == ERR_OK)
        e = agree(&s, scalar, client_share.p + SNTRUP761_PUBLIC_BYTES);
    if (e == ERR_OK) {
        *share_n = SERVER_BYTES;
        combine(&s, secret, secret_n);
    }
    secure_wipe(&s, sizeof s);
    secure_wipe(scalar, sizeof scalar);
    return e;
}

enum err kex_sntrup761_finish(
    const uint8_t *state, struct bytes server_share, uint8_t *secret, size_t *secret_n)
{
    struct both_secrets s;
    *secret_n = 0;
    if (server_share.n != SERVER_BYTES)
        return ERR_KEX;
    sntrup761_decapsulate(state, server_share.p, s.sntrup);
    enum err e =
        agree(&s, state + SNTRUP761_SECRET_BYTES, server_share.p + SNTRUP761_CIPHERTEXT_BYTES);
    if (e == ERR_OK)
        combine(&s, secret, secret_n);
    secure_wipe(&s, sizeof s);
    return e;
}
