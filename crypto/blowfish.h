/* Blowfish as bcrypt keys it ("eksblowfish": Provos and Mazieres, "A Future-Adaptable Password
 * Scheme", section 3). Internal to crypto/: only bcrypt_pbkdf.c uses it.
 *
 * Its table look-ups depend on the secret, which is the nature of bcrypt: it is run over a
 * passphrase on its owner's machine, once, and never with a peer's data. */
#ifndef CRYPTO_BLOWFISH_H
#define CRYPTO_BLOWFISH_H

#include <stddef.h>
#include <stdint.h>

struct blowfish {
    uint32_t p[18];
    uint32_t s[4 * 256];
};

enum { BLOWFISH_KEY_BYTES = 64 }; /* of key and salt both: SHA-512 digests */

/* The fractional hex digits of pi: p, then s. */
extern const struct blowfish blowfish_pi;

/* ExpandKey(state, salt, key); a NULL salt is all zeros. */
void blowfish_expand(struct blowfish *b, const uint8_t *salt, const uint8_t *key);
/* Encrypts one block, two big-endian words, in place. */
void blowfish_encrypt(const struct blowfish *b, uint32_t block[2]);

#endif
