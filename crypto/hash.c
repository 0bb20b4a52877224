/* libsodium hashes SHA-256 and SHA-512 a little faster than BearSSL and has nothing else; MD5,
 * SHA-1 and SHA-384 are BearSSL's. One row per hash hides which. */
#include "crypto/hash.h"

#include <bearssl.h>
#include <sodium.h>
#include <string.h>

#include "crypto/ct.h"
#include "crypto/hmac.h"

struct hash_row {
    size_t bytes;
    size_t block_bytes;
    size_t state_bytes; /* what of struct hash.state is in use */
    void (*init)(void *state);
    void (*update)(void *state, const uint8_t *p, size_t n);
    void (*final)(void *state, uint8_t *out);
};

static void md5_init(void *s)
{
    br_md5_init(s);
}
static void md5_update(void *s, const uint8_t *p, size_t n)
{
    br_md5_update(s, p, n);
}
static void md5_final(void *s, uint8_t *out)
{
    br_md5_out(s, out);
}
static void sha1_init(void *s)
{
    br_sha1_init(s);
}
static void sha1_update(void *s, const uint8_t *p, size_t n)
{
    br_sha1_update(s, p, n);
}
static void sha1_final(void *s, uint8_t *out)
{
    br_sha1_out(s, out);
}
static void sha384_init(void *s)
{
    br_sha384_init(s);
}
static void sha384_update(void *s, const uint8_t *p, size_t n)
{
    br_sha384_update(s, p, n);
}
static void sha384_final(void *s, uint8_t *out)
{
    br_sha384_out(s, out);
}

/* libsodium's hash calls return 0 always: they have nothing to fail at. */
static void sha256_init(void *s)
{
    (void)crypto_hash_sha256_init(s);
}
static void sha256_update(void *s, const uint8_t *p, size_t n)
{
    (void)crypto_hash_sha256_update(s, p, n);
}
static void sha256_final(void *s, uint8_t *out)
{
    (void)crypto_hash_sha256_final(s, out);
}
static void sha512_init(void *s)
{
    (void)crypto_hash_sha512_init(s);
}
static void sha512_update(void *s, const uint8_t *p, size_t n)
{
    (void)crypto_hash_sha512_update(s, p, n);
}
static void sha512_final(void *s, uint8_t *out)
{
    (void)crypto_hash_sha512_final(s, out);
}

static const struct hash_row rows[] = {
    [HASH_MD5] = {16, 64, sizeof(br_md5_context), md5_init, md5_update, md5_final},
    [HASH_SHA1] = {20, 64, sizeof(br_sha1_context), sha1_init, sha1_update, sha1_final},
    [HASH_SHA256] = {32, 64, sizeof(crypto_hash_sha256_state), sha256_init, sha256_update,
        sha256_final},
    [HASH_SHA384] = {48, 128, sizeof(br_sha384_context), sha384_init, sha384_update, sha384_final},
    [HASH_SHA512] = {64, 128, sizeof(crypto_hash_sha512_state), sha512_init, sha512_update,
        sha512_final},
};

_Static_assert(sizeof(br_sha384_context) <= sizeof((struct hash){0}.state), "room for SHA-384");
_Static_assert(
    sizeof(crypto_hash_sha512_state) <= sizeof((struct hash){0}.state), "room for SHA-512");

size_t hash_bytes(enum hash_id id)
{
    return rows[id].bytes;
}

void hash_init(struct hash *h, enum hash_id id)
{
    h->id = id;
    rows[id].init(&h->state);
}

void hash_update(struct hash *h, struct bytes b)
{
    if (b.n > 0) /* p may be NULL then, which memcpy must not see */
        rows[h->id].update(&h->state, b.p, b.n);
}

void hash_update_string(struct hash *h, struct bytes b)
{
    uint8_t length[4];
    store_be32(length, (uint32_t)b.n);
    hash_update(h, (struct bytes){length, sizeof length});
    hash_update(h, b);
}

void hash_final(struct hash *h, uint8_t *out)
{
    rows[h->id].final(&h->state, out);
    secure_wipe(&h->state, rows[h->id].state_bytes);
}

void hash_once(enum hash_id id, struct bytes b, uint8_t *out)
{
    struct hash h;
    hash_init(&h, id);
    hash_update(&h, b);
    hash_final(&h, out);
}

/* Copies what is in use, not all 512 bytes: it happens twice a packet with hmac-sha2-*. */
static void hash_copy(struct hash *to, const struct hash *from)
{
    to->id = from->id;
    memcpy(&to->state, &from->state, rows[from->id].state_bytes);
}

/* ---- HMAC, RFC 2104 ------------------------------------------------------------------------ */

static void hash_padded_key(struct hash *h, enum hash_id id, const uint8_t *key, uint8_t pad)
{
    uint8_t block[HASH_BLOCK_MAX_BYTES];
    for (size_t i = 0; i < rows[id].block_bytes; i++)
        block[i] = key[i] ^ pad;
    hash_init(h, id);
    hash_update(h, (struct bytes){block, rows[id].block_bytes});
    secure_wipe(block, sizeof block);
}

void hmac_key_init(struct hmac_key *k, enum hash_id id, struct bytes key)
{
    uint8_t block[HASH_BLOCK_MAX_BYTES] = {0};
    if (key.n > rows[id].block_bytes)
        hash_once(id, key, block);
    else if (key.n > 0)
        memcpy(block, key.p, key.n);
    hash_padded_key(&k->inner, id, block, 0x36);
    hash_padded_key(&k->outer, id, block, 0x5c);
    secure_wipe(block, sizeof block);
}

void hmac_begin(const struct hmac_key *k, struct hash *h)
{
    hash_copy(h, &k->inner);
}

void hmac_end(const struct hmac_key *k, struct hash *h, uint8_t *out)
{
    uint8_t digest[HASH_MAX_BYTES];
    hash_final(h, digest);
    hash_copy(h, &k->outer);
    hash_update(h, (struct bytes){digest, rows[h->id].bytes});
    hash_final(h, out);
    secure_wipe(digest, sizeof digest);
}

void hmac_once(enum hash_id id, struct bytes key, struct bytes message, uint8_t *out)
{
    struct hmac_key k;
    struct hash h;
    hmac_key_init(&k, id, key);
    hmac_begin(&k, &h);
    hash_update(&h, message);
    hmac_end(&k, &h, out);
    secure_wipe(&k, sizeof k);
}

/* ---- RFC 4253 section 7.2 ------------------------------------------------------------------ */

/* K1 = HASH(K || H || letter || session_id), Kn = HASH(K || H || K1 || ... || Kn-1). */
void kdf_ssh(enum hash_id id, struct bytes k, struct bytes exchange_hash, char letter,
    struct bytes session_id, uint8_t *out, size_t n)
{
    struct hash so_far; /* K || H || K1 || ... */
    struct hash h;
    uint8_t digest[HASH_MAX_BYTES];
    size_t digest_n = rows[id].bytes;

    hash_init(&so_far, id);
    hash_update(&so_far, k);
    hash_update(&so_far, exchange_hash);
    hash_copy(&h, &so_far);
    hash_update(&h, (struct bytes){(const uint8_t *)&letter, 1});
    hash_update(&h, session_id);
    for (;;) {
        hash_final(&h, digest);
        size_t take = n < digest_n ? n : digest_n;
        memcpy(out, digest, take);
        out += take;
        n -= take;
        if (n == 0)
            break;
        hash_update(&so_far, (struct bytes){digest, digest_n});
        hash_copy(&h, &so_far);
    }
    secure_wipe(digest, sizeof digest);
    secure_wipe(&so_far, sizeof so_far);
}
