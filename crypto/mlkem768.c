/* FIPS 203 with the parameters of ML-KEM-768: k = 3, eta1 = eta2 = 2, du = 10, dv = 4. Names of
 * values are the standard's; a hat, for what is transformed, is spelled out. */
#include "crypto/mlkem768.h"

#include <string.h>

#include "crypto/ct.h"
#include "crypto/mlkem_poly.h"
#include "crypto/sha3.h"

enum {
    K = 3,
    DU = 10,
    DV = 4,
    SEED = MLKEM_SEED_BYTES,
    VECTOR_BYTES = K * MLKEM_POLY_BYTES, /* t or s; rho stands behind t in ek */
    U_BYTES = MLKEM_N * DU / 8,          /* one polynomial of u */
};
_Static_assert(MLKEM768_EK_BYTES == VECTOR_BYTES + SEED, "ek is t, rho");
_Static_assert(MLKEM768_DK_BYTES == VECTOR_BYTES + MLKEM768_EK_BYTES + 2 * SEED, "dk");
_Static_assert(MLKEM768_CT_BYTES == K * U_BYTES + MLKEM_N * DV / 8, "ct is u, v");

/* Where dk's parts lie (algorithm 16): s, ek, H(ek), z. */
enum { DK_EK = VECTOR_BYTES, DK_H = DK_EK + MLKEM768_EK_BYTES, DK_Z = DK_H + SEED };

/* ---- K-PKE, section 5 ---------------------------------------------------------------------- */

/* The rows or, transposed, the columns of the matrix A times a transformed vector. A is made as it
 * is used, an element at a time. */
static void times_matrix(
    struct poly to[K], const uint8_t rho[SEED], bool transposed, const struct poly vector[K])
{
    struct poly a;
    struct poly_sum sum;
    for (uint8_t i = 0; i < K; i++) {
        memset(&sum, 0, sizeof sum);
        for (uint8_t j = 0; j < K; j++) {
            poly_sample_uniform(&a, rho, transposed ? i : j, transposed ? j : i);
            poly_sum_product(&sum, &a, &vector[j]);
        }
        poly_from_sum(&to[i], &sum);
    }
    secure_wipe(&sum, sizeof sum);
}

/* The product of two transformed vectors, transformed back. */
static void times_vector(struct poly *to, const struct poly f[K], const struct poly g[K])
{
    struct poly_sum sum = {{0}};
    for (size_t i = 0; i < K; i++)
        poly_sum_product(&sum, &f[i], &g[i]);
    poly_from_sum(to, &sum);
    poly_ntt_inverse(to);
    secure_wipe(&sum, sizeof sum);
}

static void sample_small_vector(struct poly v[K], const uint8_t seed[SEED], uint8_t first)
{
    for (uint8_t i = 0; i < K; i++)
        poly_sample_small(&v[i], seed, (uint8_t)(first + i));
}

/* Algorithm 13 behind its first line. */
static void pke_keygen(const uint8_t rho[SEED], const uint8_t sigma[SEED],
    uint8_t ek[MLKEM768_EK_BYTES], uint8_t dk[VECTOR_BYTES])
{
    struct poly s[K], e[K], t[K];
    sample_small_vector(s, sigma, 0);
    sample_small_vector(e, sigma, K);
    for (size_t i = 0; i < K; i++) {
        poly_ntt(&s[i]);
        poly_ntt(&e[i]);
    }
    times_matrix(t, rho, false, s);
    for (size_t i = 0; i < K; i++) {
        poly_add(&t[i], &e[i]);
        poly_encode(&t[i], ek + i * MLKEM_POLY_BYTES);
        poly_encode(&s[i], dk + i * MLKEM_POLY_BYTES);
    }
    memcpy(ek + VECTOR_BYTES, rho, SEED);
    secure_wipe(s, sizeof s);
    secure_wipe(e, sizeof e);
}

static bool decode_vector(struct poly v[K], const uint8_t *in)
{
    bool ok = true;
    for (size_t i = 0; i < K; i++)
        ok &= poly_decode(&v[i], in + i * MLKEM_POLY_BYTES);
    return ok;
}

/* Algorithm 14. t is ek's vector, decoded. */
static void pke_encrypt(const struct poly t[K], const uint8_t rho[SEED], const uint8_t m[SEED],
    const uint8_t r[SEED], uint8_t ct[MLKEM768_CT_BYTES])
{
    struct poly y[K], e[K], u[K], v, last;
    sample_small_vector(y, r, 0);
    sample_small_vector(e, r, K);
    for (size_t i = 0; i < K; i++)
        poly_ntt(&y[i]);
    times_matrix(u, rho, true, y);
    for (size_t i = 0; i < K; i++) {
        poly_ntt_inverse(&u[i]);
        poly_add(&u[i], &e[i]);
        poly_compress(&u[i], DU, ct + i * U_BYTES);
    }
    times_vector(&v, t, y);
    poly_sample_small(&last, r, 2 * K);
    poly_add(&v, &last);
    poly_decompress(&last, 1, m);
    poly_add(&v, &last);
    poly_compress(&v, DV, ct + K * U_BYTES);
    secure_wipe(y, sizeof y);
    secure_wipe(e, sizeof e);
    secure_wipe(u, sizeof u);
    secure_wipe(&v, sizeof v);
    secure_wipe(&last, sizeof last);
}

/* Algorithm 15. */
static void pke_decrypt(
    const uint8_t dk[VECTOR_BYTES], const uint8_t ct[MLKEM768_CT_BYTES], uint8_t m[SEED])
{
    struct poly s[K], u[K], v, w;
    for (size_t i = 0; i < K; i++) {
        poly_decompress(&u[i], DU, ct + i * U_BYTES);
        poly_ntt(&u[i]);
    }
    poly_decompress(&v, DV, ct + K * U_BYTES);
    (void)decode_vector(s, dk);
    times_vector(&w, s, u);
    poly_subtract(&v, &w);
    poly_compress(&v, 1, m);
    secure_wipe(s, sizeof s);
    secure_wipe(&v, sizeof v);
    secure_wipe(&w, sizeof w);
}

/* ---- ML-KEM, sections 6 and 7 -------------------------------------------------------------- */

/* G of section 4.1: two values from one or two strings. */
static void hash_to_two(struct bytes a, struct bytes b, uint8_t out[2 * SEED])
{
    struct sha3 s;
    sha3_init(&s, SHA3_512);
    sha3_absorb(&s, a);
    sha3_absorb(&s, b);
    sha3_squeeze(&s, out, 2 * SEED);
    secure_wipe(&s, sizeof s);
}

void mlkem768_keygen(struct rng *rng, uint8_t ek[MLKEM768_EK_BYTES], uint8_t dk[MLKEM768_DK_BYTES])
{
    static const uint8_t k = K;
    uint8_t d[SEED], seeds[2 * SEED];
    rng_bytes(rng, d, sizeof d);
    rng_bytes(rng, dk + DK_Z, SEED);
    hash_to_two((struct bytes){d, sizeof d}, (struct bytes){&k, 1}, seeds);
    ct_public(seeds, SEED); /* rho, a part of ek */
    pke_keygen(seeds, seeds + SEED, ek, dk);
    ct_public(ek, MLKEM768_EK_BYTES);
    memcpy(dk + DK_EK, ek, MLKEM768_EK_BYTES);
    sha3_once(SHA3_256, (struct bytes){ek, MLKEM768_EK_BYTES}, dk + DK_H, SEED);
    secure_wipe(d, sizeof d);
    secure_wipe(seeds, sizeof seeds);
}

enum err mlkem768_encaps(struct rng *rng, struct bytes ek, uint8_t ct[MLKEM768_CT_BYTES],
    uint8_t secret[MLKEM768_SECRET_BYTES])
{
    struct poly t[K];
    uint8_t h[SEED], m[SEED], k_r[2 * SEED];
    if (ek.n != MLKEM768_EK_BYTES || !decode_vector(t, ek.p))
        return ERR_KEX;
    rng_bytes(rng, m, sizeof m);
    sha3_once(SHA3_256, ek, h, sizeof h);
    hash_to_two((struct bytes){m, sizeof m}, (struct bytes){h, sizeof h}, k_r);
    pke_encrypt(t, ek.p + VECTOR_BYTES, m, k_r + SEED, ct);
    memcpy(secret, k_r, MLKEM768_SECRET_BYTES);
    secure_wipe(m, sizeof m);
    secure_wipe(k_r, sizeof k_r);
    return ERR_OK;
}

/* What is secret for a ciphertext that was not made by encaps: J(z || ct). */
static void reject(const uint8_t z[SEED], struct bytes ct, uint8_t secret[MLKEM768_SECRET_BYTES])
{
    struct sha3 s;
    sha3_init(&s, SHAKE256);
    sha3_absorb(&s, (struct bytes){z, SEED});
    sha3_absorb(&s, ct);
    sha3_squeeze(&s, secret, MLKEM768_SECRET_BYTES);
    secure_wipe(&s, sizeof s);
}

static bool dk_is_whole(struct bytes dk, struct poly t[K])
{
    uint8_t h[SEED];
    if (dk.n != MLKEM768_DK_BYTES || !decode_vector(t, dk.p + DK_EK))
        return false;
    sha3_once(SHA3_256, (struct bytes){dk.p + DK_EK, MLKEM768_EK_BYTES}, h, sizeof h);
    return memcmp(h, dk.p + DK_H, SEED) == 0; /* neither is secret */
}

/* Algorithm 18. Both secrets are made whatever comes, and one is taken byte by byte. */
enum err mlkem768_decaps(struct bytes dk, struct bytes ct, uint8_t secret[MLKEM768_SECRET_BYTES])
{
    struct poly t[K];
    uint8_t m[SEED], k_r[2 * SEED], again[MLKEM768_CT_BYTES];
    if (ct.n != MLKEM768_CT_BYTES || !dk_is_whole(dk, t))
        return ERR_KEX;
    pke_decrypt(dk.p, ct.p, m);
    hash_to_two((struct bytes){m, sizeof m}, (struct bytes){dk.p + DK_H, SEED}, k_r);
    pke_encrypt(t, dk.p + DK_EK + VECTOR_BYTES, m, k_r + SEED, again);
    reject(dk.p + DK_Z, ct, secret);
    uint8_t keep = ct_equal_mask(ct.p, again, sizeof again);
    for (size_t i = 0; i < MLKEM768_SECRET_BYTES; i++)
        secret[i] = (uint8_t)((k_r[i] & keep) | (secret[i] & ~keep));
    secure_wipe(m, sizeof m);
    secure_wipe(k_r, sizeof k_r);
    secure_wipe(again, sizeof again);
    return ERR_OK;
}
