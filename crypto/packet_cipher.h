/* Packet protection, one object per direction: RFC 4253 section 6, with every format behind one
 * table.
 *
 * A packet in memory, before sealing and after opening:
 *
 *     packet_length (4, big-endian) | padding_length (1) | payload | padding | tag (tag_bytes)
 *
 * packet_length counts padding_length..padding. In the AEAD and EtM formats the length word stands
 * outside of what must be a multiple of the block (RFC 5647; OpenSSH PROTOCOL section 1.5).
 *
 *     format                              block  tag  length word
 *     none                                    8    0  plain, inside the block sum
 *     chacha20-poly1305@openssh.com           8   16  encrypted with a key of its own, outside
 *     aes128-gcm@openssh.com, aes256-         16   16  plain, authenticated, outside
 *     aesN-ctr + hmac-sha2-X-etm@openssh.com  16  32/64  plain, authenticated, outside
 *     aesN-ctr + hmac-sha2-X                  16  32/64  encrypted, inside
 *     aesN-ctr + umac-X-etm@openssh.com       16  8/16  plain, authenticated, outside
 *     aesN-ctr + umac-X@openssh.com           16  8/16  encrypted, inside
 *
 * Every call works in place and allocates nothing. Keys are wiped in packet_cipher_free(). */
#ifndef CRYPTO_PACKET_CIPHER_H
#define CRYPTO_PACKET_CIPHER_H

#include "proto/err.h"
#include "proto/wire.h"

struct packet_cipher; /* opaque */

/* What key derivation must supply for a cipher and MAC name pair, and whether the names are known.
 */
struct packet_cipher_needs {
    size_t key_bytes;
    size_t iv_bytes;
    size_t mac_key_bytes; /* 0 for AEADs, whose MAC name is ignored */
};
enum err packet_cipher_needs(
    struct bytes cipher, struct bytes mac, struct packet_cipher_needs *out) MUST_USE;
/* Is this an AEAD, so that no MAC is negotiated (the MAC list is then ignored)? */
bool packet_cipher_is_aead(struct bytes cipher);

/* Comma-separated names in order of preference, for KEXINIT and -Q. Static strings. */
const char *packet_cipher_names(void);
const char *packet_mac_names(void);

/* The cipher "none", for before the first NEWKEYS. Static, never freed. */
struct packet_cipher *packet_cipher_none(void);
/* keys have exactly the lengths of needs. Returns NULL on no memory or unknown names. The same
 * object serves sealing or opening, never both: it owns the direction's counters. */
struct packet_cipher *packet_cipher_new(
    struct bytes cipher, struct bytes mac, struct bytes key, struct bytes iv, struct bytes mac_key);
void packet_cipher_free(struct packet_cipher *c); /* accepts NULL and none */

size_t packet_cipher_block(const struct packet_cipher *c); /* 8 or 16: padding makes a multiple */
size_t packet_cipher_tag(const struct packet_cipher *c);   /* bytes behind the packet */
/* True when the 4 length bytes do not count towards the block multiple. */
bool packet_cipher_length_is_outside(const struct packet_cipher *c);
/* Bytes that must have arrived before open_length can tell the length: 4, or one block. */
size_t packet_cipher_lead(const struct packet_cipher *c);
/* RFC 4344, FORWARDING.md line 59: rekey after this many bytes under one key. */
uint64_t packet_cipher_rekey_bytes(const struct packet_cipher *c);

/* The length word of the packet at p (lead bytes there), unauthenticated. p and the object's
 * counters are left as they are, so it may be called again. */
uint32_t packet_cipher_open_length(const struct packet_cipher *c, uint32_t seq, const uint8_t *p);

/* Verifies and decrypts the packet at p in place: 4 + packet_length + tag bytes. packet_length is
 * what open_length gave and the caller has bounded and checked. On ERR_OK the plain length word,
 * padding length and payload stand at p (padding_length is not yet checked against packet_length);
 * on ERR_MAC nothing at p may be believed. */
enum err packet_cipher_open(
    struct packet_cipher *c, uint32_t seq, uint8_t *p, uint32_t packet_length) MUST_USE;

/* Encrypts and authenticates the packet at p in place; length word, padding_length, payload and
 * padding have been written by the caller. Writes tag bytes behind it. Cannot fail. */
void packet_cipher_seal(struct packet_cipher *c, uint32_t seq, uint8_t *p, uint32_t packet_length);

#endif
