/* The table of ciphers and MACs, and the dispatch to their families. */
#include "crypto/packet_cipher.h"

#include "crypto/aes_ctr.h"
#include "crypto/ct.h"
#include "crypto/packet_format.h"
#include "crypto/umac.h"

struct cipher_row {
    const char *name;
    size_t key_bytes;
    size_t iv_bytes;
    const struct packet_family *family;
};

static const struct cipher_row ciphers[] = {
    {"chacha20-poly1305@openssh.com", 64, 0, &packet_family_chapoly},
    {"aes128-gcm@openssh.com", 16, 12, &packet_family_gcm},
    {"aes256-gcm@openssh.com", 32, 12, &packet_family_gcm},
    {"aes128-ctr", 16, 16, &packet_family_ctr_mac},
    {"aes192-ctr", 24, 16, &packet_family_ctr_mac},
    {"aes256-ctr", 32, 16, &packet_family_ctr_mac},
};

static const struct packet_mac macs[] = {
    {"hmac-sha2-256-etm@openssh.com", HASH_SHA256, true, 0},
    {"hmac-sha2-512-etm@openssh.com", HASH_SHA512, true, 0},
    {"hmac-sha2-256", HASH_SHA256, false, 0},
    {"hmac-sha2-512", HASH_SHA512, false, 0},
    {.name = "umac-128-etm@openssh.com", .is_etm = true, .umac_bytes = 16},
    {.name = "umac-64-etm@openssh.com", .is_etm = true, .umac_bytes = 8},
    {.name = "umac-128@openssh.com", .umac_bytes = 16},
    {.name = "umac-64@openssh.com", .umac_bytes = 8},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct cipher_row *cipher_find(struct bytes name)
{
    for (size_t i = 0; i < COUNT(ciphers); i++)
        if (bytes_is(name, ciphers[i].name))
            return &ciphers[i];
    return NULL;
}

static const struct packet_mac *mac_find(struct bytes name)
{
    for (size_t i = 0; i < COUNT(macs); i++)
        if (bytes_is(name, macs[i].name))
            return &macs[i];
    return NULL;
}

/* Without AES instructions bit-sliced AES is some twenty times slower than ChaCha20. Preferring AES
 * where they exist also serves a peer that lacks them: it lists chacha20 first if it is the client,
 * whose order decides (RFC 4253 section 7.1). */
const char *packet_cipher_names(void)
{
    if (aes_has_hardware())
        return "aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,"
               "aes128-ctr,aes192-ctr,aes256-ctr";
    return "chacha20-poly1305@openssh.com,aes128-gcm@openssh.com,aes256-gcm@openssh.com,"
           "aes128-ctr,aes192-ctr,aes256-ctr";
}

/* UMAC of 128 bits takes a fraction of the time of HMAC; in portable C on 64 bits SHA-512 hashes
 * half as fast again as SHA-256. A forgery against 64 bits is likelier than need be, so those go
 * last of their kind. */
const char *packet_mac_names(void)
{
    return "umac-128-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256-etm@openssh.com,"
           "umac-64-etm@openssh.com,umac-128@openssh.com,hmac-sha2-512,hmac-sha2-256,"
           "umac-64@openssh.com";
}

bool packet_cipher_is_aead(struct bytes cipher)
{
    const struct cipher_row *row = cipher_find(cipher);
    return row != NULL && row->family->is_aead;
}

enum err packet_cipher_needs(struct bytes cipher, struct bytes mac, struct packet_cipher_needs *out)
{
    const struct cipher_row *row = cipher_find(cipher);
    const struct packet_mac *m = mac_find(mac);
    *out = (struct packet_cipher_needs){0};
    if (row == NULL || (!row->family->is_aead && m == NULL))
        return ERR_UNSUPPORTED;
    out->key_bytes = row->key_bytes;
    out->iv_bytes = row->iv_bytes;
    if (!row->family->is_aead)
        out->mac_key_bytes = m->umac_bytes > 0 ? (size_t)UMAC_KEY_BYTES : hash_bytes(m->hash);
    return ERR_OK;
}

struct packet_cipher *packet_cipher_new(
    struct bytes cipher, struct bytes mac, struct bytes key, struct bytes iv, struct bytes mac_key)
{
    struct packet_cipher_needs needs;
    if (packet_cipher_needs(cipher, mac, &needs) != ERR_OK || key.n != needs.key_bytes ||
        iv.n != needs.iv_bytes || mac_key.n != needs.mac_key_bytes)
        return NULL;
    const struct packet_family *family = cipher_find(cipher)->family;
    struct packet_cipher *c = secret_alloc(family->object_bytes);
    if (c == NULL)
        return NULL;
    c->family = family;
    family->init(c, &(struct packet_keys){key, iv, mac_key, mac_find(mac)});
    return c;
}

void packet_cipher_free(struct packet_cipher *c)
{
    if (c != NULL && c != packet_cipher_none())
        secret_free(c, c->family->object_bytes);
}

/* ---- none ---------------------------------------------------------------------------------- */

static uint32_t none_open_length(const struct packet_cipher *c, uint32_t seq, const uint8_t *p)
{
    (void)c;
    (void)seq;
    return load_be32(p);
}

static enum err none_open(struct packet_cipher *c, uint32_t seq, uint8_t *p, uint32_t n)
{
    (void)c;
    (void)seq;
    (void)p;
    (void)n;
    return ERR_OK;
}

static void none_seal(struct packet_cipher *c, uint32_t seq, uint8_t *p, uint32_t n)
{
    (void)c;
    (void)seq;
    (void)p;
    (void)n;
}

static const struct packet_family family_none = {
    .open_length = none_open_length,
    .open = none_open,
    .seal = none_seal,
};

/* Shared by all connections, so nothing may write to it: see may_go_on(). */
static struct packet_cipher none = {
    .family = &family_none,
    .block = 8,
    .lead = 4,
    .rekey_bytes = UINT64_MAX,
};

struct packet_cipher *packet_cipher_none(void)
{
    return &none;
}

/* ---- dispatch ------------------------------------------------------------------------------ */

size_t packet_cipher_block(const struct packet_cipher *c)
{
    return c->block;
}

size_t packet_cipher_tag(const struct packet_cipher *c)
{
    return c->tag;
}

bool packet_cipher_length_is_outside(const struct packet_cipher *c)
{
    return c->length_is_outside;
}

size_t packet_cipher_lead(const struct packet_cipher *c)
{
    return c->lead;
}

uint64_t packet_cipher_rekey_bytes(const struct packet_cipher *c)
{
    return c->rekey_bytes;
}

static bool may_go_on(struct packet_cipher *c)
{
    if (c == &none)
        return true;
    if (c->n_packets >= PACKET_CIPHER_MAX_PACKETS)
        return false;
    c->n_packets++;
    return true;
}

uint32_t packet_cipher_open_length(const struct packet_cipher *c, uint32_t seq, const uint8_t *p)
{
    return c->family->open_length(c, seq, p);
}

enum err packet_cipher_open(
    struct packet_cipher *c, uint32_t seq, uint8_t *p, uint32_t packet_length)
{
    return may_go_on(c) ? c->family->open(c, seq, p, packet_length) : ERR_MAC;
}

/* Past the edge the packet becomes zeros: the peer ends the connection, and no nonce was used
 * twice. It cannot happen unless the transport forgets to rekey. */
void packet_cipher_seal(struct packet_cipher *c, uint32_t seq, uint8_t *p, uint32_t packet_length)
{
    if (may_go_on(c))
        c->family->seal(c, seq, p, packet_length);
    else
        secure_wipe(p, 4 + (size_t)packet_length + c->tag);
}
