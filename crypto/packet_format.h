/* What stands behind the table of packet_cipher.c: one family a file. Internal to crypto/ and its
 * tests.
 *
 * A family's object begins with struct packet_cipher and is allocated, counted and wiped by the
 * dispatcher; the family only fills it (init) and does the work. */
#ifndef CRYPTO_PACKET_FORMAT_H
#define CRYPTO_PACKET_FORMAT_H

#include "crypto/hash.h"
#include "crypto/packet_cipher.h"

/* Under one key at most 2^32 packets: sequence numbers, which are chacha20-poly1305's nonces,
 * repeat after that (RFC 4344 section 3.1). The transport rekeys at half of it, so this is the edge
 * that must never be passed, whatever else goes wrong. */
#define PACKET_CIPHER_MAX_PACKETS ((uint64_t)UINT32_MAX + 1)

/* Bytes encrypted, then authenticated (or the reverse), before going on: small enough that the
 * second pass finds them in the first-level cache. */
enum { PACKET_CHUNK_BYTES = 8192 };

struct packet_mac {
    const char *name;
    enum hash_id hash; /* HMAC's; the key has hash_bytes() bytes too (RFC 6668) */
    bool is_etm;       /* encrypt-then-MAC */
    size_t umac_bytes; /* of UMAC's tag; 0: it is an HMAC */
};

struct packet_keys {
    struct bytes key;
    struct bytes iv;
    struct bytes mac_key;
    const struct packet_mac *mac; /* AEADs ignore it */
};

struct packet_family {
    size_t object_bytes;
    bool is_aead;
    void (*init)(struct packet_cipher *c, const struct packet_keys *k);
    uint32_t (*open_length)(const struct packet_cipher *c, uint32_t seq, const uint8_t *p);
    enum err (*open)(struct packet_cipher *c, uint32_t seq, uint8_t *p, uint32_t packet_length);
    void (*seal)(struct packet_cipher *c, uint32_t seq, uint8_t *p, uint32_t packet_length);
};

struct packet_cipher {
    const struct packet_family *family;
    size_t block, tag, lead;
    bool length_is_outside;
    uint64_t rekey_bytes;
    uint64_t n_packets; /* sealed, or opened, under this key */
};

extern const struct packet_family packet_family_chapoly;
extern const struct packet_family packet_family_gcm;
extern const struct packet_family packet_family_ctr_mac;

#endif
