/* The key exchanges without a file of their own here, both sides of each: X25519, ECDH on the NIST
 * curves, and Diffie-Hellman in the fixed groups and, as group exchange does it, in any. Every
 * random byte is secret; a share is public from where it would go to the other side. */
#include "crypto/dh.h"
#include "crypto/kex.h"
#include "tests/ct/mark.h"

static uint8_t state[KEX_STATE_MAX], client[KEX_SHARE_MAX], server[KEX_SHARE_MAX];
static uint8_t secret[KEX_SECRET_MAX];

/* All but its length word, and the zero byte of a sign. */
static bool is_marked(size_t n)
{
    return n > 4 + 16 && ct_is_secret(secret + 5, n - 5);
}

static int run(const char *name)
{
    const struct kex_method *m = kex_find(bytes_of(name));
    size_t client_n, server_n, n;
    bool ok = m->start(&ct_rng, state, client, &client_n) == ERR_OK;
    ct_public(client, client_n);
    struct bytes share = {client, client_n};
    ok = ok && m->reply(&ct_rng, share, server, &server_n, secret, &n) == ERR_OK && is_marked(n);
    ct_public(server, server_n);
    share = (struct bytes){server, server_n};
    return ct_report(name, ok && m->finish(state, share, secret, &n) == ERR_OK && is_marked(n));
}

static int run_group(const struct dh_group *d)
{
    size_t client_n, server_n, n;
    bool ok = dh_start(d, &ct_rng, state, client, &client_n) == ERR_OK;
    ct_public(client, client_n);
    struct bytes share = {client, client_n};
    ok = ok && dh_reply(d, &ct_rng, share, server, &server_n, secret, &n) == ERR_OK && is_marked(n);
    ct_public(server, server_n);
    share = (struct bytes){server, server_n};
    return ct_report("a group of 3072 bits",
        ok && dh_finish(d, state, share, secret, &n) == ERR_OK && is_marked(n));
}

int main(void)
{
    static const char *const names[] = {"curve25519-sha256", "ecdh-sha2-nistp256",
        "ecdh-sha2-nistp384", "ecdh-sha2-nistp521", "diffie-hellman-group14-sha256",
        "diffie-hellman-group16-sha512"};
    int status = 0;
    ct_start("ct_kex");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        status |= run(names[i]);
    return status | run_group(&dh_group15);
}
