/* sntrup761x25519-sha512: draft-ietf-sshm-ntruprime-ssh. sntrup761 and X25519 side by side, so that
 * the secret holds as long as one of them does. Shares are sntrup761's part, then X25519's; K is
 * the SHA-512 of both secrets in that order, as a string. */
#include "crypto/ct.h"
#include "crypto/kex_methods.h"
#include "crypto/sntrup761.h"
#include "crypto/x25519.h"

enum {
    CLIENT_BYTES = SNTRUP761_PUBLIC_BYTES + X25519_BYTES,
    SERVER_BYTES = SNTRUP761_CIPHERTEXT_BYTES + X25519_BYTES,
};
_Static_assert(SNTRUP761_SECRET_BYTES + X25519_BYTES <= (int)KEX_STATE_MAX, "both private keys");
_Static_assert(CLIENT_BYTES <= (int)KEX_SHARE_MAX, "the server's share is shorter");

struct both_secrets {
    uint8_t sntrup[SNTRUP761_SHARED_BYTES], x25519[X25519_BYTES];
};

static size_t combine(const struct both_secrets *s, uint8_t *secret)
{
    return kex_secret_hashed(HASH_SHA512, (struct bytes){(const uint8_t *)s, sizeof *s}, secret);
}

enum err kex_sntrup761_start(struct rng *rng, uint8_t *state, uint8_t *share, size_t *share_n)
{
    *share_n = 0;
    sntrup761_keypair(rng, share, state);
    enum err e = x25519_pair(rng, state + SNTRUP761_SECRET_BYTES, share + SNTRUP761_PUBLIC_BYTES);
    if (e == ERR_OK)
        *share_n = CLIENT_BYTES;
    return e;
}

enum err kex_sntrup761_reply(struct rng *rng, struct bytes client_share, uint8_t *share,
    size_t *share_n, uint8_t *secret, size_t *secret_n)
{
    struct both_secrets s;
    uint8_t scalar[X25519_BYTES];
    *share_n = 0;
    *secret_n = 0;
    if (client_share.n != CLIENT_BYTES)
        return ERR_KEX;
    sntrup761_encapsulate(rng, client_share.p, share, s.sntrup);
    enum err e = x25519_pair(rng, scalar, share + SNTRUP761_CIPHERTEXT_BYTES);
    if (e == ERR_OK)
        e = x25519_agree(scalar, client_share.p + SNTRUP761_PUBLIC_BYTES, s.x25519);
    if (e == ERR_OK) {
        *share_n = SERVER_BYTES;
        *secret_n = combine(&s, secret);
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
    enum err e = x25519_agree(
        state + SNTRUP761_SECRET_BYTES, server_share.p + SNTRUP761_CIPHERTEXT_BYTES, s.x25519);
    if (e == ERR_OK)
        *secret_n = combine(&s, secret);
    secure_wipe(&s, sizeof s);
    return e;
}
