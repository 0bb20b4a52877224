/* Under valgrind's memcheck: randomness, keys and what follows from them are marked undefined, so
 * that a branch or an address that depends on them is reported, and makes valgrind fail
 * (--error-exitcode=1). Runs with every set of loops that valgrind's processor has. Public, and so
 * marked defined: whether a g was invertible, and the public key once it is made. */
#include <stdio.h>
#include <string.h>

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

static uint8_t public_key[SNTRUP761_PUBLIC_BYTES], secret_key[SNTRUP761_SECRET_BYTES];
static uint8_t ciphertext[SNTRUP761_CIPHERTEXT_BYTES], shared[SNTRUP761_SHARED_BYTES];

/* Bytes of a fixed stream, undefined. */
static struct rng stream;
static void fill(struct rng *r, uint8_t *out, size_t n)
{
    (void)r;
    rng_bytes(&stream, out, n);
    (void)VALGRIND_MAKE_MEM_UNDEFINED(out, n);
}

static void make_keys(const struct sntrup_loops *loops, struct rng *rng)
{
    struct sntrup_small f, g, ginv;
    sntrup_random_small(rng, &g);
    bool is_invertible = sntrup_r3_reciprocal(loops, &g, &ginv);
    (void)VALGRIND_MAKE_MEM_DEFINED(&is_invertible, sizeof is_invertible);
    if (!is_invertible)
        puts("note   ct_sntrup761: no reciprocal");
    sntrup_random_short(rng, &f);
    sntrup_key_from(loops, rng, &f, &g, &ginv, public_key, secret_key);
    (void)VALGRIND_MAKE_MEM_DEFINED(public_key, sizeof public_key);
}

/* Decapsulation sees the ciphertext that was made, and one that was not. */
static void run(const struct sntrup_loops *loops)
{
    struct rng rng = {.fill = fill};
    stream = rng_fixed(1);
    make_keys(loops, &rng);
    sntrup_encapsulate(loops, &rng, public_key, ciphertext, shared);
    sntrup_decapsulate(loops, secret_key, ciphertext, shared);
    ciphertext[0] ^= 1;
    sntrup_decapsulate(loops, secret_key, ciphertext, shared);
}

int main(void)
{
    const struct sntrup_loops *loops;
    if (!RUNNING_ON_VALGRIND)
        puts("note   ct_sntrup761: not under valgrind, so nothing is shown");
    if (!crypto_init())
        return 1;
    for (size_t i = 0; (loops = sntrup_loops_at(i)) != NULL; i++) {
        if (!loops->is_supported()) {
            printf("skip   ct_sntrup761: %s: not on this processor\n", loops->name);
            continue;
        }
        run(loops);
        printf("ok     ct_sntrup761: %s\n", loops->name);
    }
    return 0;
}
#endif
