#include "crypto/bcrypt_pbkdf.h"

#include "crypto/blowfish.h"
#include "crypto/ct.h"
#include "crypto/hash.h"

enum { BLOCK_BYTES = 32, N_WORDS = BLOCK_BYTES / 4 };

/* bcrypt with a cost of 2^6, a longer text, and words written little-endian: the last by an
 * oversight of the original that is now the format. */
static void bcrypt_block(const uint8_t *password, const uint8_t *salt, uint8_t out[BLOCK_BYTES])
{
    static const char text[] = "OxychromaticBlowfishSwatDynamite";
    uint32_t words[N_WORDS];
    struct blowfish b = blowfish_pi;

    blowfish_expand(&b, salt, password);
    for (int i = 0; i < 64; i++) {
        blowfish_expand(&b, NULL, salt);
        blowfish_expand(&b, NULL, password);
    }
    for (size_t i = 0; i < N_WORDS; i++)
        words[i] = load_be32((const uint8_t *)text + 4 * i);
    for (int i = 0; i < 64; i++)
        for (size_t j = 0; j < N_WORDS; j += 2)
            blowfish_encrypt(&b, words + j);
    for (size_t i = 0; i < BLOCK_BYTES; i++)
        out[i] = (uint8_t)(words[i / 4] >> 8 * (i % 4));
    secure_wipe(&b, sizeof b);
    secure_wipe(words, sizeof words);
}

/* One block of PBKDF2, bcrypt being its function: the exclusive or of all rounds. */
static void pbkdf_block(const uint8_t *password, struct bytes salt, uint32_t count, uint32_t rounds,
    uint8_t out[BLOCK_BYTES])
{
    uint8_t digest[HASH_MAX_BYTES], round[BLOCK_BYTES], word[4];
    struct hash h;
    store_be32(word, count);
    hash_init(&h, HASH_SHA512);
    hash_update(&h, salt);
    hash_update(&h, (struct bytes){word, sizeof word});
    hash_final(&h, digest);
    for (size_t i = 0; i < BLOCK_BYTES; i++)
        out[i] = 0;
    for (uint32_t r = 0; r < rounds; r++) {
        if (r > 0)
            hash_once(HASH_SHA512, (struct bytes){round, sizeof round}, digest);
        bcrypt_block(password, digest, round);
        for (size_t i = 0; i < BLOCK_BYTES; i++)
            out[i] ^= round[i];
    }
    secure_wipe(digest, sizeof digest);
    secure_wipe(round, sizeof round);
}

/* Unlike PBKDF2's, the blocks are dealt out byte by byte, so that no part of the key can be had
 * without computing them all. */
void bcrypt_pbkdf(
    struct bytes passphrase, struct bytes salt, uint32_t rounds, uint8_t *out, size_t n)
{
    uint8_t password[HASH_MAX_BYTES], block[BLOCK_BYTES];
    size_t n_blocks = (n + BLOCK_BYTES - 1) / BLOCK_BYTES;
    hash_once(HASH_SHA512, passphrase, password);
    for (size_t b = 0; b < n_blocks; b++) {
        pbkdf_block(password, salt, (uint32_t)b + 1, rounds, block);
        for (size_t i = 0; i < BLOCK_BYTES && i * n_blocks + b < n; i++)
            out[i * n_blocks + b] = block[i];
    }
    secure_wipe(password, sizeof password);
    secure_wipe(block, sizeof block);
}
