/* chacha20-poly1305@openssh.com: OpenSSH PROTOCOL.chacha20poly1305.
 *
 * - The main key, the first 32 bytes, encrypts padding_length..padding from block 1 on; its block 0
 *   gives the Poly1305 key of this packet.
 * - The length key, the last 32 bytes, encrypts the length word: it says nothing until a key holder
 *   looks, and looking at it yields no keystream of the packet.
 * - The nonce is the sequence number as 8 bytes, big-endian.
 * - The tag is Poly1305 over the encrypted length word and the ciphertext. */
#include <sodium.h>
#include <string.h>

#include "crypto/ct.h"
#include "crypto/packet_format.h"

enum { TAG_BYTES = 16, KEY_BYTES = 32, NONCE_BYTES = 8 };

struct chapoly {
    struct packet_cipher base;
    uint8_t main_key[KEY_BYTES];
    uint8_t length_key[KEY_BYTES];
};

/* Poly1305 running over one packet, with that packet's nonce. */
struct chapoly_run {
    crypto_onetimeauth_poly1305_state poly;
    uint8_t nonce[NONCE_BYTES];
};

static void chapoly_init(struct packet_cipher *base, const struct packet_keys *k)
{
    struct chapoly *c = (struct chapoly *)base;
    base->block = 8;
    base->tag = TAG_BYTES;
    base->lead = 4;
    base->length_is_outside = true;
    base->rekey_bytes = (uint64_t)1 << 30; /* what OpenSSH takes for a block of 8 */
    memcpy(c->main_key, k->key.p, KEY_BYTES);
    memcpy(c->length_key, k->key.p + KEY_BYTES, KEY_BYTES);
}

static void nonce_of(uint32_t seq, uint8_t nonce[NONCE_BYTES])
{
    store_be32(nonce, 0);
    store_be32(nonce + 4, seq);
}

/* libsodium's stream and one-time calls cannot fail at these sizes; they return 0 always. */
static void crypt(const uint8_t *key, const uint8_t *nonce, uint64_t block, uint8_t *p, size_t n)
{
    (void)crypto_stream_chacha20_xor_ic(p, p, n, nonce, block, key);
}

static void run_begin(const struct chapoly *c, uint32_t seq, struct chapoly_run *r)
{
    uint8_t poly_key[KEY_BYTES];
    nonce_of(seq, r->nonce);
    (void)crypto_stream_chacha20(poly_key, sizeof poly_key, r->nonce, c->main_key);
    (void)crypto_onetimeauth_poly1305_init(&r->poly, poly_key);
    secure_wipe(poly_key, sizeof poly_key);
}

static void run_end(struct chapoly_run *r, uint8_t tag[TAG_BYTES])
{
    (void)crypto_onetimeauth_poly1305_final(&r->poly, tag);
    secure_wipe(r, sizeof *r);
}

static void authenticate(struct chapoly_run *r, const uint8_t *p, size_t n)
{
    (void)crypto_onetimeauth_poly1305_update(&r->poly, p, n);
}

static uint32_t chapoly_open_length(
    const struct packet_cipher *base, uint32_t seq, const uint8_t *p)
{
    const struct chapoly *c = (const struct chapoly *)base;
    uint8_t nonce[NONCE_BYTES];
    uint8_t word[4];
    nonce_of(seq, nonce);
    memcpy(word, p, sizeof word);
    crypt(c->length_key, nonce, 0, word, sizeof word);
    return load_be32(word);
}

static void chapoly_seal(
    struct packet_cipher *base, uint32_t seq, uint8_t *p, uint32_t packet_length)
{
    const struct chapoly *c = (const struct chapoly *)base;
    struct chapoly_run r;
    run_begin(c, seq, &r);
    crypt(c->length_key, r.nonce, 0, p, 4);
    authenticate(&r, p, 4);
    p += 4;
    uint64_t block = 1;
    for (size_t left = packet_length; left > 0;) {
        size_t n = left < PACKET_CHUNK_BYTES ? left : PACKET_CHUNK_BYTES;
        crypt(c->main_key, r.nonce, block, p, n);
        authenticate(&r, p, n);
        block += PACKET_CHUNK_BYTES / 64;
        p += n;
        left -= n;
    }
    run_end(&r, p);
}

static enum err chapoly_open(
    struct packet_cipher *base, uint32_t seq, uint8_t *p, uint32_t packet_length)
{
    const struct chapoly *c = (const struct chapoly *)base;
    uint8_t *packet = p;
    uint8_t tag[TAG_BYTES];
    struct chapoly_run r;
    run_begin(c, seq, &r);
    authenticate(&r, p, 4);
    crypt(c->length_key, r.nonce, 0, p, 4);
    p += 4;
    uint64_t block = 1;
    for (size_t left = packet_length; left > 0;) {
        size_t n = left < PACKET_CHUNK_BYTES ? left : PACKET_CHUNK_BYTES;
        authenticate(&r, p, n);
        crypt(c->main_key, r.nonce, block, p, n);
        block += PACKET_CHUNK_BYTES / 64;
        p += n;
        left -= n;
    }
    run_end(&r, tag);
    if (ct_equal(tag, p, TAG_BYTES))
        return ERR_OK;
    secure_wipe(packet, 4 + (size_t)packet_length); /* plaintext that nobody vouches for */
    return ERR_MAC;
}

const struct packet_family packet_family_chapoly = {
    .object_bytes = sizeof(struct chapoly),
    .is_aead = true,
    .init = chapoly_init,
    .open_length = chapoly_open_length,
    .open = chapoly_open,
    .seal = chapoly_seal,
};
