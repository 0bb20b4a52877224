/* An input is a byte that says which side reads, and a share of sntrup761x25519. Any share of the
 * right length is good but for a point of small order; and what decodes encodes to something that
 * decodes to the same. */
#include <string.h>

#include "crypto/kex.h"
#include "crypto/sntrup761.h"
#include "crypto/sntrup761_parts.h"
#include "fuzz/fuzz.h"

enum { POINT = 32, SECRET = 4 + 64 };

static uint8_t state[KEX_STATE_MAX], client[KEX_SHARE_MAX], server[KEX_SHARE_MAX];
static uint8_t secret[KEX_SECRET_MAX];
static size_t client_n, server_n, secret_n;

static const struct kex_method *method(void)
{
    const struct kex_method *m = kex_find(BYTES_LIT("sntrup761x25519-sha512"));
    fuzz_require(m != NULL);
    return m;
}

/* The client's key pair is the same every time, so that a seed may hold a share made for it. */
static void start_once(void)
{
    struct rng rng = rng_fixed(1);
    if (client_n == 0)
        fuzz_require(crypto_init() && method()->start(&rng, state, client, &client_n) == ERR_OK);
}

static void check_outcome(enum err e, bool has_the_length)
{
    fuzz_require(
        e == ERR_OK ? has_the_length && secret_n == SECRET : e == ERR_KEX && secret_n == 0);
}

static void reads_as_server(struct bytes share)
{
    struct rng rng = rng_fixed(2);
    struct sntrup_rq a, b;
    uint8_t again[SNTRUP_RQ_BYTES];
    enum err e = method()->reply(&rng, share, server, &server_n, secret, &secret_n);
    check_outcome(e, share.n == SNTRUP761_PUBLIC_BYTES + POINT);
    if (share.n < SNTRUP_RQ_BYTES)
        return;
    sntrup_rq_decode(share.p, &a);
    sntrup_rq_encode(&a, again);
    sntrup_rq_decode(again, &b);
    fuzz_require(memcmp(&a, &b, sizeof a) == 0);
}

static void reads_as_client(struct bytes share)
{
    struct sntrup_rq a, b;
    uint8_t again[SNTRUP_ROUNDED_BYTES];
    enum err e = method()->finish(state, share, secret, &secret_n);
    check_outcome(e, share.n == SNTRUP761_CIPHERTEXT_BYTES + POINT);
    if (share.n < SNTRUP_ROUNDED_BYTES)
        return;
    sntrup_rounded_decode(share.p, &a);
    sntrup_rounded_encode(&a, again);
    sntrup_rounded_decode(again, &b);
    fuzz_require(memcmp(&a, &b, sizeof a) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    start_once();
    if (n < 1 || n > KEX_SHARE_MAX)
        return 0;
    if (data[0] & 1)
        reads_as_client((struct bytes){data + 1, n - 1});
    else
        reads_as_server((struct bytes){data + 1, n - 1});
    return 0;
}
