/* mlkem768x25519-sha256: draft-ietf-sshm-mlkem-hybrid-kex. ML-KEM-768 and X25519 side by side, so
 * that the secret holds as long as one of them does. Shares are ML-KEM's part, then X25519's; K is
 * the hash of both secrets in that order, as a string. */
#include <sodium.h>
#include <string.h>

#include "crypto/ct.h"
#include "crypto/kex_methods.h"
#include "crypto/mlkem768.h"

enum {
    POINT_BYTES = crypto_scalarmult_curve25519_BYTES,
    CLIENT_BYTES = MLKEM768_EK_BYTES + POINT_BYTES,
    SERVER_BYTES = MLKEM768_CT_BYTES + POINT_BYTES,
    K_BYTES = 32,
};
_Static_assert(MLKEM768_DK_BYTES + POINT_BYTES <= (int)KEX_STATE_MAX, "state is dk and a scalar");
_Static_assert(CLIENT_BYTES <= (int)KEX_SHARE_MAX, "the server's share is shorter");

static enum err make_pair(struct rng *rng, uint8_t scalar[POINT_BYTES], uint8_t point[POINT_BYTES])
{
    rng_bytes(rng, scalar, POINT_BYTES);
    return crypto_scalarmult_curve25519_base(point, scalar) == 0 ? ERR_OK : ERR_INTERNAL;
}

/* Both secrets, one behind the other: the second is made here, the first is there already. That
 * X25519's is zero, which libsodium finds without a branch, the peer may know. */
static enum err combine(uint8_t both[MLKEM768_SECRET_BYTES + POINT_BYTES],
    const uint8_t scalar[POINT_BYTES], const uint8_t point[POINT_BYTES], uint8_t *secret,
    size_t *secret_n)
{
    uint8_t k[K_BYTES];
    int bad = crypto_scalarmult_curve25519(both + MLKEM768_SECRET_BYTES, scalar, point);
    ct_public(&bad, sizeof bad);
    if (bad != 0)
        return ERR_KEX;
    struct wire_writer w = wire_writer(secret, KEX_SECRET_MAX);
    hash_once(HASH_SHA256, (struct bytes){both, MLKEM768_SECRET_BYTES + POINT_BYTES}, k);
    wire_put_string(&w, (struct bytes){k, sizeof k});
    *secret_n = w.len;
    secure_wipe(k, sizeof k);
    return ERR_OK;
}

enum err kex_mlkem768_start(struct rng *rng, uint8_t *state, uint8_t *share, size_t *share_n)
{
    *share_n = 0;
    mlkem768_keygen(rng, share, state);
    enum err e = make_pair(rng, state + MLKEM768_DK_BYTES, share + MLKEM768_EK_BYTES);
    if (e == ERR_OK)
        *share_n = CLIENT_BYTES;
    return e;
}

enum err kex_mlkem768_reply(struct rng *rng, struct bytes client_share, uint8_t *share,
    size_t *share_n, uint8_t *secret, size_t *secret_n)
{
    uint8_t both[MLKEM768_SECRET_BYTES + POINT_BYTES], scalar[POINT_BYTES];
    *share_n = 0;
    *secret_n = 0;
    if (client_share.n != CLIENT_BYTES)
        return ERR_KEX;
    struct bytes ek = {client_share.p, MLKEM768_EK_BYTES};
    enum err e = mlkem768_encaps(rng, ek, share, both);
    if (e == ERR_OK)
        e = make_pair(rng, scalar, share + MLKEM768_CT_BYTES);
    if (e == ERR_OK)
        e = combine(both, scalar, client_share.p + MLKEM768_EK_BYTES, secret, secret_n);
    if (e == ERR_OK)
        *share_n = SERVER_BYTES;
    secure_wipe(both, sizeof both);
    secure_wipe(scalar, sizeof scalar);
    return e;
}

enum err kex_mlkem768_finish(
    const uint8_t *state, struct bytes server_share, uint8_t *secret, size_t *secret_n)
{
    uint8_t both[MLKEM768_SECRET_BYTES + POINT_BYTES];
    *secret_n = 0;
    if (server_share.n != SERVER_BYTES)
        return ERR_KEX;
    struct bytes dk = {state, MLKEM768_DK_BYTES}, ct = {server_share.p, MLKEM768_CT_BYTES};
    enum err e = mlkem768_decaps(dk, ct, both);
    if (e == ERR_OK)
        e = combine(
            both, state + MLKEM768_DK_BYTES, server_share.p + MLKEM768_CT_BYTES, secret, secret_n);
    secure_wipe(both, sizeof both);
    return e;
}
