/* Under valgrind's memcheck, as ct_gcm.c: SHA-3, ML-KEM-768 and mlkem768x25519-sha256 with every
 * random byte marked undefined. What is public of what comes of them is marked defined again: by
 * ct_public() inside, and here as it would go to the other side. */
#include <stdio.h>
#include <string.h>

#include "crypto/ct.h"
#include "crypto/kex.h"
#include "crypto/mlkem768.h"
#include "crypto/sha3.h"

#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif
#endif

#ifndef VALGRIND_MAKE_MEM_UNDEFINED
int main(void)
{
    puts("skip   ct_mlkem: built without valgrind/memcheck.h");
    return 0;
}
#else

/* In place of the one in libcrypto, which does nothing. */
void ct_public(const void *p, size_t n)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(p, n);
}

static struct rng source;
static void secret_fill(struct rng *r, uint8_t *out, size_t n)
{
    (void)r;
    rng_bytes(&source, out, n);
    (void)VALGRIND_MAKE_MEM_UNDEFINED(out, n);
}
static struct rng secret_rng = {.fill = secret_fill};

/* A secret that is not undefined would mean that this program shows nothing. */
static bool is_marked(const uint8_t *p, size_t n)
{
    size_t n_marked = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t undefined_bits = 0xff;
        (void)VALGRIND_GET_VBITS(p + i, &undefined_bits, 1);
        n_marked += undefined_bits != 0;
    }
    return n_marked == n;
}

static bool run_sha3(void)
{
    static const enum sha3_id ids[] = {SHA3_256, SHA3_512, SHAKE128, SHAKE256};
    uint8_t in[300], out[32];
    rng_bytes(&secret_rng, in, sizeof in);
    for (size_t i = 0; i < 4; i++)
        sha3_once(ids[i], (struct bytes){in, sizeof in}, out, sizeof out);
    return true;
}

static bool run_mlkem(void)
{
    static uint8_t ek[MLKEM768_EK_BYTES], dk[MLKEM768_DK_BYTES], ct[MLKEM768_CT_BYTES];
    uint8_t secret[MLKEM768_SECRET_BYTES];
    struct bytes ct_bytes = {ct, sizeof ct};
    mlkem768_keygen(&secret_rng, ek, dk);
    bool ok = is_marked(dk, 1152) && is_marked(dk + sizeof dk - 32, 32);
    ok &= mlkem768_encaps(&secret_rng, (struct bytes){ek, sizeof ek}, ct, secret) == ERR_OK;
    ok &= is_marked(secret, sizeof secret) && is_marked(ct, sizeof ct);
    ct_public(ct, sizeof ct);
    for (int wrong = 0; wrong < 2; wrong++) {
        ct[7] ^= (uint8_t)wrong; /* the second is rejected, and nothing may show it */
        ok &= mlkem768_decaps((struct bytes){dk, sizeof dk}, ct_bytes, secret) == ERR_OK;
        ok &= is_marked(secret, sizeof secret);
    }
    return ok;
}

static bool run_hybrid(void)
{
    static uint8_t state[KEX_STATE_MAX], client[KEX_SHARE_MAX], server[KEX_SHARE_MAX];
    static uint8_t secret[KEX_SECRET_MAX];
    const struct kex_method *m = kex_find(BYTES_LIT("mlkem768x25519-sha256"));
    size_t client_n, server_n, n;
    if (m->start(&secret_rng, state, client, &client_n) != ERR_OK)
        return false;
    ct_public(client, client_n);
    if (m->reply(&secret_rng, (struct bytes){client, client_n}, server, &server_n, secret, &n) !=
        ERR_OK)
        return false;
    bool ok = is_marked(secret + 4, n - 4);
    ct_public(server, server_n);
    if (m->finish(state, (struct bytes){server, server_n}, secret, &n) != ERR_OK)
        return false;
    return ok && is_marked(secret + 4, n - 4);
}

static int report(const char *name, bool ok)
{
    printf("%s ct_mlkem: %s\n", ok ? "ok    " : "FAILED", name);
    return ok ? 0 : 1;
}

int main(void)
{
    if (!crypto_init())
        return 2;
    if (!RUNNING_ON_VALGRIND)
        puts("note   ct_mlkem: not under valgrind, so nothing is shown");
    source = rng_fixed(1);
    return report("SHA-3", run_sha3()) | report("ML-KEM-768", run_mlkem()) |
           report("mlkem768x25519-sha256", run_hybrid());
}
#endif
