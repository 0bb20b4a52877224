/* An input is the name of a key exchange method, a newline, and a share: it comes to a server that
 * answers it, and to a client whose own share is always the same. Group exchange, which has no such
 * shares, is in fuzz_dh.c. */
#include <string.h>

#include "crypto/kex.h"
#include "fuzz/fuzz.h"

enum { CLIENT_SEED = 1, SERVER_SEED = 2, UNTOUCHED = 0x55 };

static uint8_t state[KEX_STATE_MAX], mine[KEX_SHARE_MAX], answer[KEX_SHARE_MAX];
static uint8_t secret[KEX_SECRET_MAX], secret_of_client[KEX_SECRET_MAX];

/* Either a string or an mpint, whole; or an error that leaves nothing behind. */
static void is_whole_or_nothing(enum err e, const uint8_t *k, size_t n)
{
    fuzz_require(e == ERR_OK || e == ERR_KEX);
    if (e == ERR_OK)
        fuzz_require(n > 4 && n <= KEX_SECRET_MAX && load_be32(k) == n - 4);
    else
        fuzz_require(n == 0);
    for (size_t i = n; i < KEX_SECRET_MAX; i++)
        fuzz_require(k[i] == UNTOUCHED);
}

/* To its own share the client must be answered so that both hold the same. */
static void agrees(const struct kex_method *m, size_t answer_n, size_t n)
{
    size_t n_of_client;
    fuzz_require(m->finish(state, (struct bytes){answer, answer_n}, secret_of_client,
                     &n_of_client) == ERR_OK);
    fuzz_require(n == n_of_client && memcmp(secret, secret_of_client, n) == 0);
}

static void try(const struct kex_method *m, struct bytes share)
{
    struct rng client = rng_fixed(CLIENT_SEED), server = rng_fixed(SERVER_SEED);
    size_t mine_n, answer_n, n;
    fuzz_require(m->start(&client, state, mine, &mine_n) == ERR_OK && mine_n <= KEX_SHARE_MAX);

    memset(secret, UNTOUCHED, sizeof secret);
    enum err e = m->finish(state, share, secret, &n);
    is_whole_or_nothing(e, secret, n);

    memset(secret, UNTOUCHED, sizeof secret);
    e = m->reply(&server, share, answer, &answer_n, secret, &n);
    is_whole_or_nothing(e, secret, n);
    if (e == ERR_OK)
        fuzz_require(answer_n > 0 && answer_n <= KEX_SHARE_MAX);
    if (bytes_equal(share, (struct bytes){mine, mine_n})) {
        fuzz_require(e == ERR_OK);
        agrees(m, answer_n, n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const uint8_t *newline = n == 0 ? NULL : memchr(data, '\n', n);
    fuzz_require(crypto_init());
    if (newline == NULL)
        return 0;
    struct bytes name = {data, (size_t)(newline - data)};
    const struct kex_method *m = kex_find(name);
    if (m != NULL && !kex_is_group_exchange(m))
        try(m, (struct bytes){newline + 1, n - name.n - 1});
    return 0;
}
