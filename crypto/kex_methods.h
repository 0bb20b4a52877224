/* The rows of kex.c's table, one file a family. Internal to crypto/. */
#ifndef CRYPTO_KEX_METHODS_H
#define CRYPTO_KEX_METHODS_H

#include "crypto/kex.h"

enum err kex_mlkem768_start(struct rng *rng, uint8_t *state, uint8_t *share, size_t *share_n);
enum err kex_mlkem768_reply(struct rng *rng, struct bytes client_share, uint8_t *share,
    size_t *share_n, uint8_t *secret, size_t *secret_n);
enum err kex_mlkem768_finish(
    const uint8_t *state, struct bytes server_share, uint8_t *secret, size_t *secret_n);

enum err kex_sntrup761_start(struct rng *rng, uint8_t *state, uint8_t *share, size_t *share_n);
enum err kex_sntrup761_reply(struct rng *rng, struct bytes client_share, uint8_t *share,
    size_t *share_n, uint8_t *secret, size_t *secret_n);
enum err kex_sntrup761_finish(
    const uint8_t *state, struct bytes server_share, uint8_t *secret, size_t *secret_n);

enum err kex_x25519_start(struct rng *rng, uint8_t *state, uint8_t *share, size_t *share_n);
enum err kex_x25519_reply(struct rng *rng, struct bytes client_share, uint8_t *share,
    size_t *share_n, uint8_t *secret, size_t *secret_n);
enum err kex_x25519_finish(
    const uint8_t *state, struct bytes server_share, uint8_t *secret, size_t *secret_n);

/* The three functions of one NIST curve. */
#define KEX_NISTP(size)                                                                            \
    enum err kex_nistp##size##_start(                                                              \
        struct rng *rng, uint8_t *state, uint8_t *share, size_t *share_n);                         \
    enum err kex_nistp##size##_reply(struct rng *rng, struct bytes client_share, uint8_t *share,   \
        size_t *share_n, uint8_t *secret, size_t *secret_n);                                       \
    enum err kex_nistp##size##_finish(                                                             \
        const uint8_t *state, struct bytes server_share, uint8_t *secret, size_t *secret_n)
KEX_NISTP(256);
KEX_NISTP(384);
KEX_NISTP(521);

/* The three functions of one Diffie-Hellman group. */
#define KEX_DH(number)                                                                             \
    enum err kex_dh##number##_start(                                                               \
        struct rng *rng, uint8_t *state, uint8_t *share, size_t *share_n);                         \
    enum err kex_dh##number##_reply(struct rng *rng, struct bytes client_share, uint8_t *share,    \
        size_t *share_n, uint8_t *secret, size_t *secret_n);                                       \
    enum err kex_dh##number##_finish(                                                              \
        const uint8_t *state, struct bytes server_share, uint8_t *secret, size_t *secret_n)
KEX_DH(14);
KEX_DH(16);

/* Writes magnitude as the mpint that K is hashed as (RFC 4253 section 8); the length of it. */
size_t kex_secret_mpint(struct bytes magnitude, uint8_t *secret);
/* What a hybrid's K is hashed as: the hash of both secrets, one behind the other, as a string. */
size_t kex_secret_hashed(enum hash_id hash, struct bytes both, uint8_t *secret);

#endif
