/* mlkem768x25519-sha256: draft-ietf-sshm-mlkem-hybrid-kex. ML-KEM-768 and X25519 side by side, so
 * that the secret holds as long as one of them does. Shares are ML-KEM's part, then X25519's; K is
 * the hash of both secrets in that order, as a string. */
#include "crypto/ct.h"
#include "crypto/kex_methods.h"
#include "crypto/mlkem768.h"
#include "crypto/x25519.h"

enum {
    CLIENT_BYTES = MLKEM768_EK_BYTES + X25519_BYTES,
    SERVER_BYTES = MLKEM768_CT_BYTES + X25519_BYTES,
};
_Static_assert(MLKEM768_DK_BYTES + X25519_BYTES <= (int)KEX_STATE_MAX, "state is dk and a scalar");
_Static_assert(CLIENT_BYTES <= (int)KEX_SHARE_MAX, "the server's share is shorter");

struct both_secrets {
    uint8_t mlkem[MLKEM768_SECRET_BYTES], x25519[X25519_BYTES];
};

static size_t combine(const struct both_secrets *s, uint8_t *secret)
{
    return kex_secret_hashed(HASH_SHA256, (struct bytes){(const uint8_t *)s, sizeof *s}, secret);
}

enum err kex_mlkem768_start(struct rng *rng, uint8_t *state, uint8_t *share, size_t *share_n)
{
    *share_n = 0;
    mlkem768_keygen(rng, share, state);
    enum err e = x25519_pair(rng, state + MLKEM768_DK_BYTES, share + MLKEM768_EK_BYTES);
    if (e == ERR_OK)
        *share_n = CLIENT_BYTES;
    return e;
}

enum err kex_mlkem768_reply(struct rng *rng, struct bytes client_share, uint8_t *share,
    size_t *share_n, uint8_t *secret, size_t *secret_n)
{
    struct both_secrets s;
    uint8_t scalar[X25519_BYTES];
    *share_n = 0;
    *secret_n = 0;
    if (client_share.n != CLIENT_BYTES)
        return ERR_KEX;
    struct bytes ek = {client_share.p, MLKEM768_EK_BYTES};
    enum err e = mlkem768_encaps(rng, ek, share, s.mlkem);
    if (e == ERR_OK)
        e = x25519_pair(rng, scalar, share + MLKEM768_CT_BYTES);
    if (e == ERR_OK)
        e = x25519_agree(scalar, client_share.p + MLKEM768_EK_BYTES, s.x25519);
    if (e == ERR_OK) {
        *share_n = SERVER_BYTES;
        *secret_n = combine(&s, secret);
    }
    secure_wipe(&s, sizeof s);
    secure_wipe(scalar, sizeof scalar);
    return e;
}

enum err kex_mlkem768_finish(
    const uint8_t *state, struct bytes server_share, uint8_t *secret, size_t *secret_n)
{
    struct both_secrets s;
    *secret_n = 0;
    if (server_share.n != SERVER_BYTES)
        return ERR_KEX;
    struct bytes dk = {state, MLKEM768_DK_BYTES}, ct = {server_share.p, MLKEM768_CT_BYTES};
    enum err e = mlkem768_decaps(dk, ct, s.mlkem);
    if (e == ERR_OK)
        e = x25519_agree(state + MLKEM768_DK_BYTES, server_share.p + MLKEM768_CT_BYTES, s.x25519);
    if (e == ERR_OK)
        *secret_n = combine(&s, secret);
    secure_wipe(&s, sizeof s);
    return e;
}
