/* aes128-gcm@openssh.com and aes256-gcm@openssh.com: RFC 5647 as OpenSSH amends it (PROTOCOL
 * section 1.6). The length word is plain and authenticated as associated data. The IV is 4 fixed
 * bytes and a 64-bit invocation counter that steps with every packet (RFC 5647 section 7.1); it
 * cannot come round, since the dispatcher ends a key's life after 2^32 packets. */
#include <string.h>

#include "crypto/gcm.h"
#include "crypto/packet_format.h"

struct gcm_cipher {
    struct packet_cipher base;
    uint8_t iv[GCM_IV_BYTES];
    struct gcm gcm;
};

static void gcm_cipher_init(struct packet_cipher *base, const struct packet_keys *k)
{
    struct gcm_cipher *c = (struct gcm_cipher *)base;
    base->block = 16;
    base->tag = GCM_TAG_BYTES;
    base->lead = 4;
    base->length_is_outside = true;
    base->rekey_bytes = (uint64_t)1 << 36; /* RFC 4344 section 3.2: 2^32 blocks of 16 bytes */
    memcpy(c->iv, k->iv.p, sizeof c->iv);
    gcm_init(&c->gcm, k->key.p, k->key.n);
}

static void step_invocation(struct gcm_cipher *c)
{
    uint64_t n = (uint64_t)load_be32(c->iv + 4) << 32 | load_be32(c->iv + 8);
    n++;
    store_be32(c->iv + 4, (uint32_t)(n >> 32));
    store_be32(c->iv + 8, (uint32_t)n);
}

static uint32_t gcm_cipher_open_length(
    const struct packet_cipher *base, uint32_t seq, const uint8_t *p)
{
    (void)base;
    (void)seq;
    return load_be32(p);
}

static void gcm_cipher_seal(
    struct packet_cipher *base, uint32_t seq, uint8_t *p, uint32_t packet_length)
{
    struct gcm_cipher *c = (struct gcm_cipher *)base;
    (void)seq;
    gcm_seal(&c->gcm, c->iv, (struct bytes){p, 4}, p + 4, packet_length, p + 4 + packet_length);
    step_invocation(c);
}

static enum err gcm_cipher_open(
    struct packet_cipher *base, uint32_t seq, uint8_t *p, uint32_t packet_length)
{
    struct gcm_cipher *c = (struct gcm_cipher *)base;
    (void)seq;
    bool ok =
        gcm_open(&c->gcm, c->iv, (struct bytes){p, 4}, p + 4, packet_length, p + 4 + packet_length);
    step_invocation(c);
    return ok ? ERR_OK : ERR_MAC;
}

const struct packet_family packet_family_gcm = {
    .object_bytes = sizeof(struct gcm_cipher),
    .is_aead = true,
    .init = gcm_cipher_init,
    .open_length = gcm_cipher_open_length,
    .open = gcm_cipher_open,
    .seal = gcm_cipher_seal,
};
