/* The first byte picks group 14, group 16 or group exchange; what follows is a peer's share: it is
 * answered, and taken as the answer to ours. For group exchange two strings come first, a prime and
 * a generator as magnitudes. Whatever it is, it is taken or refused, and what is refused gives no
 * secret. */
#include "crypto/dh.h"
#include "fuzz/fuzz.h"

static uint8_t state[KEX_STATE_MAX], share[KEX_SHARE_MAX], secret[KEX_SECRET_MAX];

static void check(enum err e, size_t share_n, size_t secret_n)
{
    fuzz_require(e == ERR_OK || e == ERR_KEX);
    fuzz_require(share_n <= KEX_SHARE_MAX && secret_n <= KEX_SECRET_MAX);
    fuzz_require((e == ERR_OK) == (secret_n > 0));
    fuzz_require(e != ERR_OK || load_be32(secret) == secret_n - 4);
}

static void run(const struct kex_method *m, struct bytes theirs)
{
    struct rng rng = rng_fixed(1);
    size_t share_n = 0, secret_n = 99;
    enum err e = m->reply(&rng, theirs, share, &share_n, secret, &secret_n);
    check(e, share_n, secret_n);
    fuzz_require(m->start(&rng, state, share, &share_n) == ERR_OK);
    secret_n = 99;
    e = m->finish(state, theirs, secret, &secret_n);
    check(e, share_n, secret_n);
}

static void run_in_group(struct bytes input)
{
    struct wire_reader r = wire_reader(input);
    struct wire_reader p = wire_reader(wire_string(&r)), g = wire_reader(wire_string(&r));
    struct dh_group d = {wire_rest(&p), wire_rest(&g)};
    bool is_minimal = (d.p.n == 0 || d.p.p[0] != 0) && (d.g.n == 0 || d.g.p[0] != 0);
    if (r.bad || !is_minimal || dh_group_flaw(&d) != NULL)
        return;
    fuzz_require(dh_bits(&d) >= DH_MIN_BITS && dh_bits(&d) <= DH_MAX_BITS);
    struct bytes theirs = wire_rest(&r);
    struct rng rng = rng_fixed(1);
    size_t share_n = 0, secret_n = 99;
    enum err e = dh_reply(&d, &rng, theirs, share, &share_n, secret, &secret_n);
    check(e, share_n, secret_n);
    e = dh_start(&d, &rng, state, share, &share_n);
    fuzz_require(e == ERR_OK || e == ERR_KEX);
    fuzz_require((e == ERR_OK) == (share_n > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const methods[] = {"diffie-hellman-group14-sha256",
        "diffie-hellman-group16-sha512", "diffie-hellman-group-exchange-sha256"};
    if (n == 0)
        return 0;
    fuzz_require(crypto_init());
    const struct kex_method *m =
        kex_find(bytes_of(methods[data[0] % (sizeof methods / sizeof methods[0])]));
    struct bytes rest = {data + 1, n - 1};
    if (kex_is_group_exchange(m))
        run_in_group(rest);
    else
        run(m, rest);
    return 0;
}
