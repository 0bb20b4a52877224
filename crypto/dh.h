/* Finite-field Diffie-Hellman in any one group: RFC 4253 section 8, RFC 4419. The fixed groups of
 * the key exchange table (kex_dh.c) and group exchange, where the server names one, share it.
 *
 * Shares are the content of the mpints that carry them, so on the wire and in the exchange hash
 * they are treated like any string. */
#ifndef CRYPTO_DH_H
#define CRYPTO_DH_H

#include "crypto/kex.h"

enum {
    DH_MIN_BITS = 2048, /* RFC 8270 section 2 */
    DH_MAX_BITS = 4096, /* where BearSSL's arithmetic ends */
    /* RFC 4419 section 6.2: twice as long as the keys that are made from the secret. In a group of
     * 4096 bits it takes an eighth of the time that a full one would. */
    DH_EXPONENT_BYTES = 64,
};

struct dh_group {
    struct bytes p, g; /* magnitudes */
};
extern const struct dh_group dh_group14, dh_group15, dh_group16; /* 2048, 3072, 4096 bits */

unsigned dh_bits(const struct dh_group *d);
/* What forbids the group, as text: "its prime is even"; NULL when nothing does. Whether p is prime
 * is left to who vouches for it: a server that signs a bad group gives away its own secrets. */
const char *dh_group_flaw(const struct dh_group *d);

/* As the functions of struct kex_method, in a group without flaw; exponent is the state. */
enum err dh_start(
    const struct dh_group *d, struct rng *rng, uint8_t *exponent, uint8_t *share, size_t *share_n);
enum err dh_reply(const struct dh_group *d, struct rng *rng, struct bytes client_share,
    uint8_t *share, size_t *share_n, uint8_t *secret, size_t *secret_n);
enum err dh_finish(const struct dh_group *d, const uint8_t *exponent, struct bytes server_share,
    uint8_t *secret, size_t *secret_n);

#endif
