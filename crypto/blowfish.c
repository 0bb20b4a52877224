#include "crypto/blowfish.h"

#include "proto/wire.h"

static uint32_t f(const struct blowfish *b, uint32_t x)
{
    uint32_t sum = b->s[x >> 24] + b->s[256 + (x >> 16 & 0xff)];
    return (sum ^ b->s[512 + (x >> 8 & 0xff)]) + b->s[768 + (x & 0xff)];
}

void blowfish_encrypt(const struct blowfish *b, uint32_t block[2])
{
    uint32_t left = block[0], right = block[1];
    for (size_t i = 0; i < 16; i += 2) { /* two rounds, so that the halves need no swapping */
        left ^= b->p[i];
        right ^= f(b, left) ^ b->p[i + 1];
        left ^= f(b, right);
    }
    block[0] = right ^ b->p[17];
    block[1] = left ^ b->p[16];
}

/* Replaces words by what the cipher makes of a running block; the salt goes into that block word by
 * word, around and around. */
struct filling {
    uint32_t block[2];
    const uint8_t *salt;
    size_t at; /* in salt */
};

static void fill(struct blowfish *b, struct filling *x, uint32_t *words, size_t n)
{
    for (size_t i = 0; i < n; i += 2) {
        for (size_t half = 0; x->salt != NULL && half < 2; half++) {
            x->block[half] ^= load_be32(x->salt + x->at);
            x->at = (x->at + 4) % BLOWFISH_KEY_BYTES;
        }
        blowfish_encrypt(b, x->block);
        words[i] = x->block[0];
        words[i + 1] = x->block[1];
    }
}

void blowfish_expand(struct blowfish *b, const uint8_t *salt, const uint8_t *key)
{
    struct filling x = {.salt = salt};
    for (size_t i = 0; i < 18; i++)
        b->p[i] ^= load_be32(key + i * 4 % BLOWFISH_KEY_BYTES);
    fill(b, &x, b->p, 18);
    fill(b, &x, b->s, sizeof b->s / sizeof b->s[0]);
}
