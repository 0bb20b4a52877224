/* aesN-ctr (RFC 4344) with hmac-sha2-* (RFC 6668) or umac-* (RFC 4418), in two orders:
 *
 *   encrypt-then-MAC (OpenSSH PROTOCOL section 1.5): the length word is plain, and the MAC covers
 *     length word and ciphertext
 *   encrypt-and-MAC (RFC 4253 section 6.4): everything is encrypted, and the MAC covers the
 *     plaintext
 *
 * The sequence number is HMAC's first bytes and UMAC's nonce. With HMAC both passes go over a
 * packet together, a chunk at a time; UMAC is quick enough for one after the other. */
#include <string.h>

#include "crypto/aes_ctr.h"
#include "crypto/ct.h"
#include "crypto/hmac.h"
#include "crypto/packet_format.h"
#include "crypto/umac.h"

struct ctr_mac {
    struct packet_cipher base;
    bool is_etm;
    struct aes_ctr aes;
    bool is_umac;
    union {
        struct hmac_key hmac;
        struct umac umac;
    } mac;
};

static void ctr_mac_init(struct packet_cipher *base, const struct packet_keys *k)
{
    struct ctr_mac *c = (struct ctr_mac *)base;
    c->is_etm = k->mac->is_etm;
    base->block = 16;
    c->is_umac = k->mac->umac_bytes > 0;
    base->tag = c->is_umac ? k->mac->umac_bytes : hash_bytes(k->mac->hash);
    base->lead = c->is_etm ? 4 : 16;
    base->length_is_outside = c->is_etm;
    base->rekey_bytes = (uint64_t)1 << 36; /* RFC 4344 section 3.2: 2^32 blocks of 16 bytes */
    aes_ctr_init(&c->aes, k->key.p, k->key.n, k->iv.p);
    if (c->is_umac)
        umac_init(&c->mac.umac, base->tag, k->mac_key.p);
    else
        hmac_key_init(&c->mac.hmac, k->mac->hash, k->mac_key);
}

/* Which of the two passes sees the bytes first. */
enum order { CRYPT_FIRST, MAC_FIRST };

static void both_passes(struct ctr_mac *c, struct hash *h, enum order order, uint8_t *p, size_t n)
{
    while (n > 0) {
        size_t chunk = n < PACKET_CHUNK_BYTES ? n : PACKET_CHUNK_BYTES;
        if (order == CRYPT_FIRST)
            aes_ctr_run(&c->aes, p, chunk);
        hash_update(h, (struct bytes){p, chunk});
        if (order == MAC_FIRST)
            aes_ctr_run(&c->aes, p, chunk);
        p += chunk;
        n -= chunk;
    }
}

/* outside: bytes in front of p that the MAC covers and the cipher does not. */
static void with_hmac(struct ctr_mac *c, uint32_t seq, enum order order, uint8_t *p, size_t n,
    size_t outside, uint8_t *tag)
{
    uint8_t word[4];
    struct hash h;
    store_be32(word, seq);
    hmac_begin(&c->mac.hmac, &h);
    hash_update(&h, (struct bytes){word, sizeof word});
    hash_update(&h, (struct bytes){p - outside, outside});
    both_passes(c, &h, order, p, n);
    hmac_end(&c->mac.hmac, &h, tag);
}

static void with_umac(struct ctr_mac *c, uint32_t seq, enum order order, uint8_t *p, size_t n,
    size_t outside, uint8_t *tag)
{
    uint8_t nonce[UMAC_NONCE_BYTES] = {0};
    store_be32(nonce + 4, seq);
    if (order == CRYPT_FIRST)
        aes_ctr_run(&c->aes, p, n);
    umac_tag(&c->mac.umac, nonce, (struct bytes){p - outside, outside + n}, tag);
    if (order == MAC_FIRST)
        aes_ctr_run(&c->aes, p, n);
}

/* Runs over the packet at p; tag gets what its MAC is. The MAC sees ciphertext with EtM and
 * plaintext otherwise, so the order follows from that and the direction. */
static void process(struct ctr_mac *c, uint32_t seq, enum order order, uint8_t *p,
    uint32_t packet_length, uint8_t *tag)
{
    size_t outside = c->is_etm ? 4 : 0;
    size_t n = 4 + (size_t)packet_length - outside;
    if (c->is_umac)
        with_umac(c, seq, order, p + outside, n, outside, tag);
    else
        with_hmac(c, seq, order, p + outside, n, outside, tag);
}

static uint32_t ctr_mac_open_length(
    const struct packet_cipher *base, uint32_t seq, const uint8_t *p)
{
    const struct ctr_mac *c = (const struct ctr_mac *)base;
    (void)seq;
    if (c->is_etm)
        return load_be32(p);
    uint8_t block[16];
    aes_ctr_peek(&c->aes, p, block);
    uint32_t packet_length = load_be32(block);
    secure_wipe(block, sizeof block);
    return packet_length;
}

static void ctr_mac_seal(
    struct packet_cipher *base, uint32_t seq, uint8_t *p, uint32_t packet_length)
{
    struct ctr_mac *c = (struct ctr_mac *)base;
    process(c, seq, c->is_etm ? CRYPT_FIRST : MAC_FIRST, p, packet_length,
        p + 4 + (size_t)packet_length);
}

static enum err ctr_mac_open(
    struct packet_cipher *base, uint32_t seq, uint8_t *p, uint32_t packet_length)
{
    struct ctr_mac *c = (struct ctr_mac *)base;
    uint8_t expected[HASH_MAX_BYTES];
    process(c, seq, c->is_etm ? MAC_FIRST : CRYPT_FIRST, p, packet_length, expected);
    bool ok = ct_equal(expected, p + 4 + (size_t)packet_length, base->tag);
    secure_wipe(expected, sizeof expected);
    if (ok)
        return ERR_OK;
    secure_wipe(p, 4 + (size_t)packet_length); /* plaintext that nobody vouches for */
    return ERR_MAC;
}

const struct packet_family packet_family_ctr_mac = {
    .object_bytes = sizeof(struct ctr_mac),
    .init = ctr_mac_init,
    .open_length = ctr_mac_open_length,
    .open = ctr_mac_open,
    .seal = ctr_mac_seal,
};
