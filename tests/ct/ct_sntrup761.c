/* sntrup761 with every set of loops that valgrind's processor has, then sntrup761x25519-sha512:
 * every random byte is secret. What is public of what comes of it is made so by ct_public() inside,
 * and here as it would go to the other side. */
#include <stdio.h>

#include "crypto/kex.h"
#include "crypto/sntrup761.h"
#include "crypto/sntrup761_parts.h"
#include "tests/ct/mark.h"

static bool run_kem(const struct sntrup_loops *loops)
{
    static uint8_t public_key[SNTRUP761_PUBLIC_BYTES], secret_key[SNTRUP761_SECRET_BYTES];
    static uint8_t ciphertext[SNTRUP761_CIPHERTEXT_BYTES], shared[SNTRUP761_SHARED_BYTES];
    sntrup_keypair(loops, &ct_rng, public_key, secret_key);
    bool ok = ct_is_secret(secret_key, sizeof secret_key);
    ct_public(public_key, sizeof public_key);
    sntrup_encapsulate(loops, &ct_rng, public_key, ciphertext, shared);
    ok &= ct_is_secret(shared, sizeof shared);
    ct_public(ciphertext, sizeof ciphertext);
    for (uint8_t wrong = 0; wrong < 2; wrong++) {
        ciphertext[7] ^= wrong; /* the second is rejected, and nothing may show it */
        sntrup_decapsulate(loops, secret_key, ciphertext, shared);
        ok &= ct_is_secret(shared, sizeof shared);
    }
    return ok;
}

static bool run_hybrid(void)
{
    static uint8_t state[KEX_STATE_MAX], client[KEX_SHARE_MAX], server[KEX_SHARE_MAX];
    static uint8_t secret[KEX_SECRET_MAX];
    const struct kex_method *m = kex_find(BYTES_LIT("sntrup761x25519-sha512"));
    size_t client_n, server_n, n;
    if (m == NULL || m->start(&ct_rng, state, client, &client_n) != ERR_OK)
        return false;
    ct_public(client, client_n);
    struct bytes share = {client, client_n};
    if (m->reply(&ct_rng, share, server, &server_n, secret, &n) != ERR_OK)
        return false;
    bool ok = ct_is_secret(secret + 4, n - 4);
    ct_public(server, server_n);
    share = (struct bytes){server, server_n};
    return m->finish(state, share, secret, &n) == ERR_OK && ok && ct_is_secret(secret + 4, n - 4);
}

int main(void)
{
    const struct sntrup_loops *loops;
    int status = 0;
    ct_start("ct_sntrup761");
    for (size_t i = 0; (loops = sntrup_loops_at(i)) != NULL; i++) {
        if (loops->is_supported())
            status |= ct_report(loops->name, run_kem(loops));
        else
            printf("skip   ct_sntrup761: %s: not on this processor\n", loops->name);
    }
    return status | ct_report("sntrup761x25519-sha512", run_hybrid());
}
