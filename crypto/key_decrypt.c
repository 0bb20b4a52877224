#include "crypto/key_decrypt.h"

#include <bearssl.h>

#include "crypto/aes_ctr.h"
#include "crypto/bcrypt_pbkdf.h"
#include "crypto/ct.h"
#include "crypto/key_file.h"

/* ssh-keygen's default is aes256-ctr, and was aes256-cbc before OpenSSH 7.6. CBC is no danger at
 * rest: nobody can ask this program to decrypt many variants of a file and watch. */
static const struct file_cipher {
    const char *name;
    size_t key_bytes;
    bool is_cbc;
} ciphers[] = {
    {"aes256-ctr", 32, false},
    {"aes192-ctr", 24, false},
    {"aes128-ctr", 16, false},
    {"aes256-cbc", 32, true},
    {"aes192-cbc", 24, true},
    {"aes128-cbc", 16, true},
};

enum { AES_BLOCK = 16, KEY_MAX = 32 };

static const struct file_cipher *find(struct bytes name)
{
    for (size_t i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++)
        if (bytes_is(name, ciphers[i].name))
            return &ciphers[i];
    return NULL;
}

static void decrypt_ctr(const uint8_t *key, size_t key_n, uint8_t *iv, uint8_t *p, size_t n)
{
    struct aes_ctr a;
    aes_ctr_init(&a, key, key_n, iv);
    aes_ctr_run(&a, p, n);
    secure_wipe(&a, sizeof a);
}

static void decrypt_cbc(const uint8_t *key, size_t key_n, uint8_t *iv, uint8_t *p, size_t n)
{
    br_aes_gen_cbcdec_keys keys;
    const br_block_cbcdec_class *hardware = br_aes_x86ni_cbcdec_get_vtable();
    const br_block_cbcdec_class *aes = hardware != NULL ? hardware : &br_aes_ct64_cbcdec_vtable;
    aes->init(&keys.vtable, key, key_n);
    aes->run(&keys.vtable, iv, p, n);
    secure_wipe(&keys, sizeof keys);
}

enum key_file_status key_decrypt(struct bytes cipher, struct bytes kdf, struct bytes kdf_options,
    struct bytes passphrase, uint8_t *section, size_t n, const char **why)
{
    const struct file_cipher *c = find(cipher);
    struct wire_reader r = wire_reader(kdf_options);
    struct bytes salt = wire_string(&r);
    uint32_t rounds = wire_u32(&r);
    if (c == NULL || !bytes_is(kdf, "bcrypt")) {
        *why = "key file encrypted with a cipher that is not supported (aes256-ctr is)";
        return KEY_FILE_UNSUPPORTED;
    }
    if (!wire_done(&r) || salt.n == 0 || rounds == 0 || n == 0 || n % AES_BLOCK != 0) {
        *why = "damaged key file: bad encryption settings";
        return KEY_FILE_BAD;
    }
    if (rounds > KEY_FILE_MAX_ROUNDS) {
        *why = "key file with over 4096 bcrypt rounds: lower them with ssh-keygen -p -a 24 -f FILE";
        return KEY_FILE_UNSUPPORTED;
    }
    if (passphrase.n == 0) {
        *why = "key file needs a passphrase";
        return KEY_FILE_ENCRYPTED;
    }
    uint8_t key_iv[KEY_MAX + AES_BLOCK];
    bcrypt_pbkdf(passphrase, salt, rounds, key_iv, c->key_bytes + AES_BLOCK);
    (c->is_cbc ? decrypt_cbc : decrypt_ctr)(
        key_iv, c->key_bytes, key_iv + c->key_bytes, section, n);
    secure_wipe(key_iv, sizeof key_iv);
    return KEY_FILE_OK;
}
