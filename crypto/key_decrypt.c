#include "crypto/key_decrypt.h"

#include <sodium.h>

#include "crypto/aes_ctr.h"
#include "crypto/bcrypt_pbkdf.h"
#include "crypto/cbc.h"
#include "crypto/ct.h"
#include "crypto/gcm.h"

/* Every cipher that ssh-keygen -Z takes. Its default is aes256-ctr, and was aes256-cbc before
 * OpenSSH 7.6. */
enum mode { CTR, CBC, GCM, CHAPOLY };

static const struct file_cipher {
    const char *name;
    size_t key_bytes, iv_bytes, block_bytes, tag_bytes;
    enum mode mode;
} ciphers[] = {
    {"aes256-ctr", 32, 16, 16, 0, CTR},
    {"aes192-ctr", 24, 16, 16, 0, CTR},
    {"aes128-ctr", 16, 16, 16, 0, CTR},
    {"aes256-cbc", 32, 16, 16, 0, CBC},
    {"aes192-cbc", 24, 16, 16, 0, CBC},
    {"aes128-cbc", 16, 16, 16, 0, CBC},
    {"3des-cbc", 24, 8, 8, 0, CBC},
    {"aes256-gcm@openssh.com", 32, GCM_IV_BYTES, 16, GCM_TAG_BYTES, GCM},
    {"aes128-gcm@openssh.com", 16, GCM_IV_BYTES, 16, GCM_TAG_BYTES, GCM},
    {"chacha20-poly1305@openssh.com", 64, 0, 8, 16, CHAPOLY},
};

enum { KEY_IV_MAX = 64 };

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

static bool open_gcm(
    const uint8_t *key, size_t key_n, const uint8_t *iv, const uint8_t *tag, uint8_t *p, size_t n)
{
    struct gcm g;
    gcm_init(&g, key, key_n);
    bool ok = gcm_open(&g, iv, (struct bytes){NULL, 0}, p, n, tag);
    secure_wipe(&g, sizeof g);
    return ok;
}

/* As in a packet with sequence number 0, but that no length stands in front: the key's second half
 * is not used. */
static bool open_chapoly(const uint8_t *key, const uint8_t *tag, uint8_t *p, size_t n)
{
    static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
    uint8_t poly_key[crypto_onetimeauth_poly1305_KEYBYTES];
    (void)crypto_stream_chacha20(poly_key, sizeof poly_key, nonce, key);
    bool ok = crypto_onetimeauth_poly1305_verify(tag, p, n, poly_key) == 0;
    ct_public(&ok, sizeof ok);
    secure_wipe(poly_key, sizeof poly_key);
    if (ok)
        (void)crypto_stream_chacha20_xor_ic(p, p, n, nonce, 1, key);
    return ok;
}

/* False when there is a tag and it is wrong. */
static bool decrypt(
    const struct file_cipher *c, uint8_t *key_iv, const uint8_t *tag, uint8_t *p, size_t n)
{
    uint8_t *iv = key_iv + c->key_bytes;
    switch (c->mode) {
    case CTR: decrypt_ctr(key_iv, c->key_bytes, iv, p, n); return true;
    case CBC: cbc_decrypt(cbc_find_ssh(bytes_of(c->name)), key_iv, iv, p, n); return true;
    case GCM: return open_gcm(key_iv, c->key_bytes, iv, tag, p, n);
    case CHAPOLY: return open_chapoly(key_iv, tag, p, n);
    }
    return false;
}

enum key_file_status key_decrypt(struct key_job *j, struct bytes cipher, struct bytes kdf,
    struct bytes kdf_options, struct bytes section, struct bytes tag)
{
    const struct file_cipher *c = find(cipher);
    struct wire_reader r = wire_reader(kdf_options);
    struct bytes salt = wire_string(&r);
    uint32_t rounds = wire_u32(&r);
    if (c == NULL || !bytes_is(kdf, "bcrypt"))
        return key_file_say(j, KEY_FILE_UNSUPPORTED,
            "key file encrypted with something else than bcrypt and a cipher that ssh-keygen -Z "
            "takes");
    if (!wire_done(&r) || salt.n == 0 || rounds == 0 || section.n == 0 ||
        section.n % c->block_bytes != 0)
        return key_file_say(j, KEY_FILE_BAD, "damaged key file: bad encryption settings");
    if (tag.n != c->tag_bytes)
        return key_file_say(j, KEY_FILE_BAD, "damaged key file: cut short or too long");
    if (rounds > KEY_FILE_MAX_ROUNDS)
        return key_file_say(j, KEY_FILE_UNSUPPORTED,
            "key file with over 4096 bcrypt rounds: lower them with ssh-keygen -p -a 24 -f FILE");
    if (j->passphrase.n == 0)
        return key_file_say(j, KEY_FILE_ENCRYPTED, "key file needs a passphrase");

    uint8_t key_iv[KEY_IV_MAX];
    bcrypt_pbkdf(j->passphrase, salt, rounds, key_iv, c->key_bytes + c->iv_bytes);
    bool ok = decrypt(c, key_iv, tag.p, j->raw + (section.p - j->raw), section.n);
    secure_wipe(key_iv, sizeof key_iv);
    return ok ? KEY_FILE_OK : key_file_say(j, KEY_FILE_WRONG_PASSPHRASE, "wrong passphrase");
}
