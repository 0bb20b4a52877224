/* Under valgrind's memcheck: every random byte is marked undefined, and so is what follows from it,
 * so that a branch or an address that depends on it is reported, and makes valgrind fail
 * (--error-exitcode=1). sntrup761 with every set of loops that valgrind's processor has, then
 * sntrup761x25519-sha512. What is public of it is marked defined again: by ct_public() inside, and
 * here as it would go to the other side. */
#include <stdio.h>
#include <string.h>

#include "crypto/ct.h"
#include "crypto/kex.h"
#include "crypto/sntrup761.h"
#include "crypto/sntrup761_parts.h"

#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif
#endif

#ifndef VALGRIND_MAKE_MEM_UNDEFINED
int main(void)
{
    puts("skip   ct_sntrup761: built without valgrind/memcheck.h");
    return 0;
}
#else

/* In place of the one in libcrypto, which does nothing. */
void ct_public(const void *p, size_t n)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(p, n);
}

static struct rng stream;
static void fill_marked(struct rng *r, uint8_t *out, size_t n)
{
    (void)r;
    rng_bytes(&stream, out, n);
    (void)VALGRIND_MAKE_MEM_UNDEFINED(out, n);
}
static struct rng rng = {.fill = fill_marked};

/* A secret that is not undefined would mean that this program shows nothing. */
static bool is_marked(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t undefined_bits = 0xff;
        (void)VALGRIND_GET_VBITS(p + i, &undefined_bits, 1);
        if (undefined_bits == 0)
            return false;
    }
    return true;
}

static bool run_kem(const struct sntrup_loops *loops)
{
    static uint8_t public_key[SNTRUP761_PUBLIC_BYTES], secret_key[SNTRUP761_SECRET_BYTES];
    static uint8_t ciphertext[SNTRUP761_CIPHERTEXT_BYTES], shared[SNTRUP761_SHARED_BYTES];
    sntrup_keypair(loops, &rng, public_key, secret_key);
    bool ok = is_marked(secret_key, sizeof secret_key);
    ct_public(public_key, sizeof public_key);
    sntrup_encapsulate(loops, &rng, public_key, ciphertext, shared);
    ok &= is_marked(shared, sizeof shared);
    ct_public(ciphertext, sizeof ciphertext);
    for (uint8_t wrong = 0; wrong < 2; wrong++) {
        ciphertext[7] ^= wrong; /* the second is rejected, and nothing may show it */
        sntrup_decapsulate(loops, secret_key, ciphertext, shared);
        ok &= is_marked(shared, sizeof shared);
    }
    return ok;
}

static bool run_hybrid(void)
{
    static uint8_t state[KEX_STATE_MAX], client[KEX_SHARE_MAX], server[KEX_SHARE_MAX];
    static uint8_t secret[KEX_SECRET_MAX];
    const struct kex_method *m = kex_find(BYTES_LIT("sntrup761x25519-sha512"));
    size_t client_n, server_n, n;
    if (m == NULL || m->start(&rng, state, client, &client_n) != ERR_OK)
        return false;
    ct_public(client, client_n);
    struct bytes share = {client, client_n};
    if (m->reply(&rng, share, server, &server_n, secret, &n) != ERR_OK)
        return false;
    bool ok = is_marked(secret + 4, n - 4);
    ct_public(server, server_n);
    share = (struct bytes){server, server_n};
    return m->finish(state, share, secret, &n) == ERR_OK && ok && is_marked(secret + 4, n - 4);
}

static int report(const char *name, bool ok)
{
    printf("%s ct_sntrup761: %s\n", ok ? "ok    " : "FAILED", name);
    return ok ? 0 : 1;
}

int main(void)
{
    const struct sntrup_loops *loops;
    int status = 0;
    if (!crypto_init())
        return 2;
    if (!RUNNING_ON_VALGRIND) {
        puts("skip   ct_sntrup761: not under valgrind, so nothing would be shown");
        return 0;
    }
    stream = rng_fixed(1);
    for (size_t i = 0; (loops = sntrup_loops_at(i)) != NULL; i++) {
        if (loops->is_supported())
            status |= report(loops->name, run_kem(loops));
        else
            printf("skip   ct_sntrup761: %s: not on this processor\n", loops->name);
    }
    return status | report("sntrup761x25519-sha512", run_hybrid());
}
#endif
