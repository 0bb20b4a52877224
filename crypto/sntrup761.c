/* The key encapsulation out of its parts.
 *
 *     public key     h = g / (3 f), encoded
 *     secret key     f, 1 / g in R/3, the public key, rho, a hash of the public key
 *     ciphertext     h r, each coefficient rounded to a multiple of 3; a hash that confirms r
 *
 * where f and r are short, g is small and rho random bytes. Whoever has f gets 3 f h r = g r back
 * out of the rounded product, in which rounding was an error of -1, 0 or 1 a coefficient: few
 * enough that nothing wraps mod q, and gone mod 3. */
#include "crypto/sntrup761.h"

#include <string.h>

#include "crypto/ct.h"
#include "crypto/hash.h"
#include "crypto/sntrup761_parts.h"

enum {
    P = SNTRUP_P,
    W = SNTRUP_W,
    HASH = 32, /* SHA-512's first half */

    AT_GINV = SNTRUP_SMALL_BYTES, /* in the secret key */
    AT_PUBLIC = AT_GINV + SNTRUP_SMALL_BYTES,
    AT_RHO = AT_PUBLIC + SNTRUP761_PUBLIC_BYTES,
    AT_HASH = AT_RHO + SNTRUP_SMALL_BYTES,

    AT_CONFIRM = SNTRUP_ROUNDED_BYTES, /* in the ciphertext */
};
_Static_assert(AT_HASH + HASH == SNTRUP761_SECRET_BYTES, "secret key");
_Static_assert(AT_CONFIRM + HASH == SNTRUP761_CIPHERTEXT_BYTES, "ciphertext");
_Static_assert((int)SNTRUP_RQ_BYTES == (int)SNTRUP761_PUBLIC_BYTES, "public key");

/* The first byte keeps the hashes apart. REJECTED is one less than SHARED. */
enum { REJECTED = 0, SHARED = 1, CONFIRM = 2, INPUT = 3, PUBLIC = 4 };

static void hash_two(uint8_t prefix, struct bytes a, struct bytes b, uint8_t out[HASH])
{
    struct hash h;
    uint8_t whole[HASH_MAX_BYTES];
    hash_init(&h, HASH_SHA512);
    hash_update(&h, (struct bytes){&prefix, 1});
    hash_update(&h, a);
    hash_update(&h, b);
    hash_final(&h, whole);
    memcpy(out, whole, HASH);
    secure_wipe(whole, sizeof whole);
}

static void hash_one(uint8_t prefix, const uint8_t *p, size_t n, uint8_t out[HASH])
{
    hash_two(prefix, (struct bytes){p, n}, (struct bytes){NULL, 0}, out);
}

/* r encoded, to the secret that both will share. */
static void hash_session(uint8_t prefix, const uint8_t *r, const uint8_t *ciphertext, uint8_t *out)
{
    uint8_t r_hash[HASH];
    hash_one(INPUT, r, SNTRUP_SMALL_BYTES, r_hash);
    hash_two(prefix, (struct bytes){r_hash, HASH},
        (struct bytes){ciphertext, SNTRUP761_CIPHERTEXT_BYTES}, out);
    secure_wipe(r_hash, sizeof r_hash);
}

/* What encapsulation and the check of it share: r's encoding and the ciphertext it gives. */
static void encrypt(const struct sntrup_loops *loops, const struct sntrup_small *r,
    const uint8_t *public_key, const uint8_t *public_hash, uint8_t *r_bytes, uint8_t *ciphertext)
{
    struct sntrup_rq h;
    uint8_t r_hash[HASH];
    sntrup_rq_decode(public_key, &h);
    sntrup_rq_multiply(loops, &h, r, &h);
    sntrup_rq_round(&h);
    sntrup_rounded_encode(&h, ciphertext);
    sntrup_small_encode(r, r_bytes);
    hash_one(INPUT, r_bytes, SNTRUP_SMALL_BYTES, r_hash);
    hash_two(CONFIRM, (struct bytes){r_hash, HASH}, (struct bytes){public_hash, HASH},
        ciphertext + AT_CONFIRM);
    secure_wipe(&h, sizeof h); /* before rounding it says more than the ciphertext does */
    secure_wipe(r_hash, sizeof r_hash);
}

/* All bits where a has exactly w coefficients that are not 0. */
static uint32_t has_weight_w(const struct sntrup_small *a)
{
    uint32_t weight = 0;
    for (size_t i = 0; i < P; i++)
        weight += (uint32_t)a->c[i] & 1;
    return 0 - (((weight ^ W) - 1) >> 31);
}

/* The r in a ciphertext; one that is as good as any other, w ones first, where there is none. */
static void decrypt(const struct sntrup_loops *loops, const uint8_t *secret_key,
    const uint8_t *ciphertext, struct sntrup_small *r)
{
    struct {
        struct sntrup_rq c;
        struct sntrup_small f, e, ginv;
    } w;
    sntrup_small_decode(secret_key, &w.f);
    sntrup_small_decode(secret_key + AT_GINV, &w.ginv);
    sntrup_rounded_decode(ciphertext, &w.c);
    sntrup_rq_multiply(loops, &w.c, &w.f, &w.c);
    sntrup_rq_triple_mod_3(&w.c, &w.e);
    sntrup_r3_multiply(loops, &w.e, &w.ginv, r);
    uint32_t is_short = has_weight_w(r);
    for (size_t i = 0; i < P; i++) {
        uint32_t other = i < W, c = (uint32_t)r->c[i];
        r->c[i] = (int8_t)(other ^ (is_short & (other ^ c)));
    }
    secure_wipe(&w, sizeof w);
}

/* Everything of a key pair after the choice of f and g. ginv is 1 / g in R/3. */
static void key_from(const struct sntrup_loops *loops, struct rng *rng,
    const struct sntrup_small *f, const struct sntrup_small *g, const struct sntrup_small *ginv,
    uint8_t *public_key, uint8_t *secret_key)
{
    struct sntrup_rq h;
    sntrup_rq_reciprocal_of_3(loops, f, &h);
    sntrup_rq_multiply(loops, &h, g, &h);
    sntrup_rq_encode(&h, public_key);
    sntrup_small_encode(f, secret_key);
    sntrup_small_encode(ginv, secret_key + AT_GINV);
    memcpy(secret_key + AT_PUBLIC, public_key, SNTRUP761_PUBLIC_BYTES);
    rng_bytes(rng, secret_key + AT_RHO, SNTRUP_SMALL_BYTES);
    hash_one(PUBLIC, public_key, SNTRUP761_PUBLIC_BYTES, secret_key + AT_HASH);
    secure_wipe(&h, sizeof h);
}

void sntrup_keypair(
    const struct sntrup_loops *loops, struct rng *rng, uint8_t *public_key, uint8_t *secret_key)
{
    struct {
        struct sntrup_small f, g, ginv;
    } w;
    bool is_invertible;
    do {
        sntrup_random_small(rng, &w.g);
        is_invertible = sntrup_r3_reciprocal(loops, &w.g, &w.ginv);
        ct_public(&is_invertible, sizeof is_invertible); /* a g that is dropped is no secret */
    } while (!is_invertible);
    sntrup_random_short(rng, &w.f);
    key_from(loops, rng, &w.f, &w.g, &w.ginv, public_key, secret_key);
    secure_wipe(&w, sizeof w);
}

void sntrup_encapsulate(const struct sntrup_loops *loops, struct rng *rng,
    const uint8_t *public_key, uint8_t *ciphertext, uint8_t *shared)
{
    struct {
        struct sntrup_small r;
        uint8_t r_bytes[SNTRUP_SMALL_BYTES];
    } w;
    uint8_t public_hash[HASH];
    hash_one(PUBLIC, public_key, SNTRUP761_PUBLIC_BYTES, public_hash);
    sntrup_random_short(rng, &w.r);
    encrypt(loops, &w.r, public_key, public_hash, w.r_bytes, ciphertext);
    hash_session(SHARED, w.r_bytes, ciphertext, shared);
    secure_wipe(&w, sizeof w);
}

/* All bits where the two differ. */
static uint32_t differ(const uint8_t *a, const uint8_t *b, size_t n)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < n; i++)
        bits |= a[i] ^ b[i];
    return 0 - ((0 - bits) >> 31);
}

void sntrup_decapsulate(const struct sntrup_loops *loops, const uint8_t *secret_key,
    const uint8_t *ciphertext, uint8_t *shared)
{
    struct {
        struct sntrup_small r;
        uint8_t r_bytes[SNTRUP_SMALL_BYTES], again[SNTRUP761_CIPHERTEXT_BYTES];
    } w;
    const uint8_t *rho = secret_key + AT_RHO;
    decrypt(loops, secret_key, ciphertext, &w.r);
    encrypt(loops, &w.r, secret_key + AT_PUBLIC, secret_key + AT_HASH, w.r_bytes, w.again);
    uint32_t rejected = differ(ciphertext, w.again, sizeof w.again);
    for (size_t i = 0; i < SNTRUP_SMALL_BYTES; i++)
        w.r_bytes[i] = (uint8_t)(w.r_bytes[i] ^ (rejected & (w.r_bytes[i] ^ rho[i])));
    hash_session((uint8_t)(SHARED + rejected), w.r_bytes, ciphertext, shared);
    secure_wipe(&w, sizeof w);
}

void sntrup761_keypair(struct rng *rng, uint8_t public_key[SNTRUP761_PUBLIC_BYTES],
    uint8_t secret_key[SNTRUP761_SECRET_BYTES])
{
    sntrup_keypair(sntrup_loops_best(), rng, public_key, secret_key);
}

void sntrup761_encapsulate(struct rng *rng, const uint8_t public_key[SNTRUP761_PUBLIC_BYTES],
    uint8_t ciphertext[SNTRUP761_CIPHERTEXT_BYTES], uint8_t shared[SNTRUP761_SHARED_BYTES])
{
    sntrup_encapsulate(sntrup_loops_best(), rng, public_key, ciphertext, shared);
}

void sntrup761_decapsulate(const uint8_t secret_key[SNTRUP761_SECRET_BYTES],
    const uint8_t ciphertext[SNTRUP761_CIPHERTEXT_BYTES], uint8_t shared[SNTRUP761_SHARED_BYTES])
{
    sntrup_decapsulate(sntrup_loops_best(), secret_key, ciphertext, shared);
}
