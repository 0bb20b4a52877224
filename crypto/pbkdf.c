#include "crypto/pbkdf.h"

#include <bearssl.h>
#include <string.h>

#include "crypto/ct.h"
#include "crypto/hmac.h"

/* F of RFC 8018: the exclusive or of U1 = PRF(salt || count), U2 = PRF(U1), ... */
static void block(const struct hmac_key *key, size_t digest_n, struct bytes salt, uint32_t count,
    uint32_t iterations, uint8_t out[HASH_MAX_BYTES])
{
    uint8_t word[4], u[HASH_MAX_BYTES];
    struct hash h;
    store_be32(word, count);
    hmac_begin(key, &h);
    hash_update(&h, salt);
    hash_update(&h, (struct bytes){word, sizeof word});
    hmac_end(key, &h, u);
    memcpy(out, u, digest_n);
    for (uint32_t i = 1; i < iterations; i++) {
        hmac_begin(key, &h);
        hash_update(&h, (struct bytes){u, digest_n});
        hmac_end(key, &h, u);
        for (size_t j = 0; j < digest_n; j++)
            out[j] ^= u[j];
    }
    secure_wipe(u, sizeof u);
}

void pbkdf2(enum hash_id id, struct bytes passphrase, struct bytes salt, uint32_t iterations,
    uint8_t *out, size_t n)
{
    struct hmac_key key;
    uint8_t digest[HASH_MAX_BYTES];
    size_t digest_n = hash_bytes(id);
    hmac_key_init(&key, id, passphrase);
    for (uint32_t count = 1; n > 0; count++) {
        size_t take = n < digest_n ? n : digest_n;
        block(&key, digest_n, salt, count, iterations, digest);
        memcpy(out, digest, take);
        out += take;
        n -= take;
    }
    secure_wipe(&key, sizeof key);
    secure_wipe(digest, sizeof digest);
}

/* D1 = MD5(passphrase || salt), D2 = MD5(D1 || passphrase || salt), ... */
void pbkdf_md5(
    struct bytes passphrase, const uint8_t salt[PBKDF_MD5_SALT_BYTES], uint8_t *out, size_t n)
{
    uint8_t digest[br_md5_SIZE];
    br_md5_context h;
    for (size_t at = 0; at < n; at += sizeof digest) {
        br_md5_init(&h);
        if (at > 0)
            br_md5_update(&h, digest, sizeof digest);
        br_md5_update(&h, passphrase.p, passphrase.n);
        br_md5_update(&h, salt, PBKDF_MD5_SALT_BYTES);
        br_md5_out(&h, digest);
        memcpy(out + at, digest, n - at < sizeof digest ? n - at : sizeof digest);
    }
    secure_wipe(digest, sizeof digest);
    secure_wipe(&h, sizeof h);
}
