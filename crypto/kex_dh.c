/* diffie-hellman-group14-sha256 and diffie-hellman-group16-sha512: RFC 8268. Their like with group
 * 18 has 8192 bits, twice what the arithmetic takes. */
#include "crypto/dh.h"
#include "crypto/kex_methods.h"

/* The table's functions carry no context, so each group gets three of its own. */
#define GROUP(number)                                                                              \
    enum err kex_dh##number##_start(                                                               \
        struct rng *rng, uint8_t *state, uint8_t *share, size_t *share_n)                          \
    {                                                                                              \
        return dh_start(&dh_group##number, rng, state, share, share_n);                            \
    }                                                                                              \
    enum err kex_dh##number##_reply(struct rng *rng, struct bytes client_share, uint8_t *share,    \
        size_t *share_n, uint8_t *secret, size_t *secret_n)                                        \
    {                                                                                              \
        return dh_reply(&dh_group##number, rng, client_share, share, share_n, secret, secret_n);   \
    }                                                                                              \
    enum err kex_dh##number##_finish(                                                              \
        const uint8_t *state, struct bytes server_share, uint8_t *secret, size_t *secret_n)        \
    {                                                                                              \
        return dh_finish(&dh_group##number, state, server_share, secret, secret_n);                \
    }

GROUP(14)
GROUP(16)
