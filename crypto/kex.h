/* Key exchange methods behind one table, shaped as a KEM: the client sends a share, the server
 * answers with a share and both hold a secret. It fits X25519, ECDH, the post-quantum hybrids and
 * fixed-group Diffie-Hellman; messages KEX_ECDH_INIT and KEX_ECDH_REPLY carry the shares for all of
 * them. A share is the content of the string, or of the mpint, that it travels as: the two look the
 * same, and the method knows which it is.
 *
 * diffie-hellman-group-exchange-sha256 does not fit: there the server names the group first. Its
 * row has no functions; the transport runs it with those of crypto/dh.h. */
#ifndef CRYPTO_KEX_H
#define CRYPTO_KEX_H

#include "crypto/hash.h"
#include "crypto/rng.h"
#include "proto/err.h"

enum {
    KEX_SHARE_MAX = 2048,  /* sntrup761x25519: 1158 + 32 (client); DH group 16: 513 */
    KEX_SECRET_MAX = 1030, /* the encoded secret: an mpint; DH in 4096 bits takes 517 */
    KEX_STATE_MAX = 4096,  /* the client's private state between share and finish */
};

struct kex_method {
    const char *name;
    enum hash_id hash;
    /* Client: makes a key pair; writes its share, returns its length. state is secret. */
    enum err (*start)(struct rng *rng, uint8_t *state, uint8_t *share, size_t *share_n);
    /* Server: answers the client's share. secret is K as it is hashed, length word included. */
    enum err (*reply)(struct rng *rng, struct bytes client_share, uint8_t *share, size_t *share_n,
        uint8_t *secret, size_t *secret_n);
    /* Client: the server's share to the secret. */
    enum err (*finish)(
        const uint8_t *state, struct bytes server_share, uint8_t *secret, size_t *secret_n);
};
/* All three refuse (ERR_KEX) shares of wrong length and weak values such as an all-zero X25519
 * result; then secret holds nothing. */

/* Is it a row without functions? */
bool kex_is_group_exchange(const struct kex_method *m);

/* By name; NULL when unknown. Static. */
const struct kex_method *kex_find(struct bytes name);
/* Names in order of preference, comma-separated, without the pseudo-names (ext-info, strict). */
const char *kex_names(void);

#endif
