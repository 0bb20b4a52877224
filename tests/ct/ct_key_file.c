/* What turns a passphrase into a key, and locked bytes into plain text: passphrase, key and text
 * are secret. bcrypt is left out: its header says why its tables do no harm. So are the readers of
 * what comes out: the shape of a key's DER is known to all, and that a passphrase was wrong is
 * told. */
#include <stdio.h>
#include <string.h>

#include "crypto/bcrypt_pbkdf.h"
#include "crypto/cbc.h"
#include "crypto/key_decrypt.h"
#include "crypto/pbkdf.h"
#include "tests/ct/mark.h"

static uint8_t passphrase[200], key[100], data[1024];
static const uint8_t salt[16] = {1, 2, 3};

/* In place of the one in libcrypto: a key that did not go through bcrypt. */
void bcrypt_pbkdf(struct bytes words, struct bytes s, uint32_t rounds, uint8_t *out, size_t n)
{
    (void)words;
    (void)s;
    (void)rounds;
    rng_bytes(&ct_rng, out, n);
}

static int derive(void)
{
    bool ok = true;
    for (size_t n = 1; n <= sizeof passphrase; n += 33) {
        struct bytes words = {passphrase, n};
        for (enum hash_id id = HASH_SHA1; id <= HASH_SHA512; id++) {
            pbkdf2(id, words, (struct bytes){salt, sizeof salt}, 2, key, sizeof key);
            ok = ok && ct_is_secret(key, sizeof key);
        }
        pbkdf_md5(words, salt, key, CBC_KEY_MAX);
        ok = ok && ct_is_secret(key, CBC_KEY_MAX);
    }
    return ct_report("keys from a passphrase", ok);
}

static int decrypt_pem(void)
{
    static const char *const names[] = {
        "AES-128-CBC", "AES-192-CBC", "AES-256-CBC", "DES-EDE3-CBC"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        uint8_t iv[CBC_BLOCK_MAX] = {9};
        cbc_decrypt(cbc_find_pem(bytes_of(names[i])), key, iv, data, sizeof data);
    }
    return ct_report("PEM's ciphers", ct_is_secret(data, sizeof data));
}

/* With a tag it is the wrong one, which is told. */
static int decrypt_openssh(const char *cipher, size_t tag_n)
{
    static const uint8_t options[] = {0, 0, 0, 4, 1, 2, 3, 4, 0, 0, 0, 16}; /* salt, rounds */
    static const uint8_t tag[16];
    struct key_job j = {.raw = data, .n = sizeof data, .passphrase = {passphrase, 10}};
    enum key_file_status s = key_decrypt(&j, bytes_of(cipher), BYTES_LIT("bcrypt"),
        (struct bytes){options, sizeof options}, (struct bytes){data, sizeof data},
        (struct bytes){tag, tag_n});
    if (tag_n > 0)
        ct_secret(data, sizeof data); /* some wipe what they did not open */
    return ct_report(cipher, s == (tag_n > 0 ? KEY_FILE_WRONG_PASSPHRASE : KEY_FILE_OK) &&
                                 ct_is_secret(data, sizeof data));
}

int main(void)
{
    static const char *const plain[] = {"aes128-ctr", "aes192-ctr", "aes256-ctr", "aes128-cbc",
        "aes192-cbc", "aes256-cbc", "3des-cbc"};
    static const char *const tagged[] = {
        "aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com"};
    ct_start("ct_key_file");
    ct_secret(passphrase, sizeof passphrase);
    ct_secret(data, sizeof data);
    int status = derive() | decrypt_pem();
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        status |= decrypt_openssh(plain[i], 0);
    for (size_t i = 0; i < sizeof tagged / sizeof tagged[0]; i++)
        status |= decrypt_openssh(tagged[i], 16);
    return status;
}
