/* PEM's two ways to encrypt a key with a passphrase.
 *
 *   PKCS #8   SEQUENCE { { PBES2, { { PBKDF2, { salt, iterations, key length, PRF } },
 *                                   { cipher, iv } } }, OCTET STRING }
 *   of old    two headers inside the block, "Proc-Type: 4,ENCRYPTED" and "DEK-Info: CIPHER,IV",
 *             and a key that one pass of MD5 made: all an attacker's guess costs is that
 *
 * Neither has a tag. That the passphrase was wrong shows in the padding, or when what comes out is
 * no key. */
#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "crypto/cbc.h"
#include "crypto/ct.h"
#include "crypto/der.h"
#include "crypto/key_file.h"
#include "crypto/pbkdf.h"

#define DAMAGED "damaged key file: expected "
#define WANTED  " (AES-CBC or 3DES with PBKDF2 is)"

/* Decrypts n bytes at p and tells *plain_n, which the padding of RFC 8018 section 6.1.1 takes off.
 * That it is right is no secret: it tells the person whether the passphrase was. */
static bool decrypt(const struct cbc_cipher *c, const uint8_t *key, uint8_t *iv, uint8_t *p,
    size_t n, size_t *plain_n)
{
    cbc_decrypt(c, key, iv, p, n);
    size_t pad = p[n - 1];
    if (pad == 0 || pad > c->block_bytes)
        return false;
    for (size_t i = n - pad; i < n; i++)
        if (p[i] != pad)
            return false;
    *plain_n = n - pad;
    return true;
}

static bool is_whole_blocks(const struct cbc_cipher *c, size_t n)
{
    return n > 0 && n % c->block_bytes == 0;
}

/* ---- PKCS #8 --------------------------------------------------------------------------------- */

struct named_hash {
    struct bytes oid;
    enum hash_id id;
};
static const struct named_hash prfs[] = {
    {{(const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x02\x07", 8}, HASH_SHA1},
    {{(const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x02\x09", 8}, HASH_SHA256},
    {{(const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x02\x0a", 8}, HASH_SHA384},
    {{(const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x02\x0b", 8}, HASH_SHA512},
};

static const struct bytes oid_pbes2 = {(const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d", 9};
static const struct bytes oid_pbkdf2 = {(const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c", 9};

/* What others write and this does not read, so that it can be called by its name. A name may be
 * the start of a family's. */
static const struct refused {
    struct bytes oid;
    const char *why;
} refused[] = {
    {{(const uint8_t *)"\x2b\x06\x01\x04\x01\xda\x47\x04\x0b", 9},
        "key encrypted with scrypt, which is not supported" WANTED},
    {{(const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x01\x05", 8},
        "key encrypted with PBES1 (DES or RC2), which is not supported" WANTED},
    {{(const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01", 9},
        "key encrypted as PKCS #12 does it, which is not supported" WANTED},
    {{(const uint8_t *)"\x2b\x0e\x03\x02\x07", 5},
        "key encrypted with single DES, which is not supported" WANTED},
    {{(const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x03\x02", 8},
        "key encrypted with RC2, which is not supported" WANTED},
    {{(const uint8_t *)"\x60\x86\x48\x01\x65\x03\x04\x01", 8},
        "key encrypted with AES in another mode than CBC, which is not supported" WANTED},
    {{(const uint8_t *)"\x2a\x83\x08\x8c\x9a\x4b\x3d\x01\x01\x01", 10},
        "key encrypted with Camellia, which is not supported" WANTED},
    {{(const uint8_t *)"\x2a\x83\x1a\x8c\x9a\x44\x01", 7},
        "key encrypted with SEED, which is not supported" WANTED},
    {{(const uint8_t *)"\x2a\x83\x1a\x8c\x9a\x6e\x01\x01", 8},
        "key encrypted with ARIA, which is not supported" WANTED},
    {{(const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x02\x08", 8},
        "key encrypted with PBKDF2 over SHA-224, which is not supported" WANTED},
    {{(const uint8_t *)"\x2a\x81\x1c\xcf\x55\x01", 6},
        "key encrypted with SM3 or SM4, which are not supported" WANTED},
};

static enum key_file_status refuse(struct key_job *j, struct bytes oid)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (oid.n >= refused[i].oid.n && memcmp(oid.p, refused[i].oid.p, refused[i].oid.n) == 0)
            return key_file_say(j, KEY_FILE_UNSUPPORTED, refused[i].why);
    return key_file_say(
        j, KEY_FILE_UNSUPPORTED, "key encrypted in a way that is not known here" WANTED);
}

struct pbes2 {
    struct bytes salt;
    uint32_t iterations;
    uint32_t key_bytes; /* 0: not told */
    enum hash_id prf;
    const struct cbc_cipher *cipher;
    struct bytes iv;
    struct bytes secret;
};

/* PBKDF2-params, RFC 8018 appendix A.2. *unknown becomes the name of a PRF that is not here. */
static void read_pbkdf2(struct der_reader *outer, struct pbes2 *p, struct bytes *unknown)
{
    struct der_reader r = der_enter(outer, DER_SEQUENCE, DAMAGED "PBKDF2's parameters");
    p->salt = der_take(&r, DER_OCTET_STRING, DAMAGED "PBKDF2's salt");
    p->iterations = der_u32(&r, DAMAGED "PBKDF2's iteration count");
    if (der_next_is(&r, DER_INTEGER))
        p->key_bytes = der_u32(&r, DAMAGED "PBKDF2's key length");
    p->prf = HASH_SHA1;
    if (der_next_is(&r, DER_SEQUENCE)) {
        struct der_reader inner = der_enter(&r, DER_SEQUENCE, DAMAGED "PBKDF2's hash");
        struct bytes oid = der_take(&inner, DER_OID, DAMAGED "the name of PBKDF2's hash");
        if (der_next_is(&inner, DER_NULL))
            (void)der_take(&inner, DER_NULL, DAMAGED "NULL");
        der_leave(&r, &inner, DAMAGED "nothing more about PBKDF2's hash");
        *unknown = oid;
        for (size_t i = 0; i < sizeof prfs / sizeof prfs[0]; i++)
            if (bytes_equal(oid, prfs[i].oid)) {
                p->prf = prfs[i].id;
                unknown->n = 0;
            }
    }
    der_leave(outer, &r, DAMAGED "the end of PBKDF2's parameters");
}

/* One AlgorithmIdentifier: its name, and a reader at its parameters. */
static struct der_reader enter_algorithm(struct der_reader *outer, struct bytes *oid)
{
    struct der_reader r = der_enter(outer, DER_SEQUENCE, DAMAGED "an algorithm as a SEQUENCE");
    *oid = der_take(&r, DER_OID, DAMAGED "the name of an algorithm");
    return r;
}

static enum key_file_status read_pbes2(struct key_job *j, struct pbes2 *p)
{
    struct bytes oid, unknown = {NULL, 0};
    struct der_reader outer = der_reader((struct bytes){j->raw, j->n});
    struct der_reader r = der_enter(&outer, DER_SEQUENCE, DAMAGED "an encrypted PKCS #8 key");
    struct der_reader scheme = enter_algorithm(&r, &oid);
    if (scheme.wrong == NULL && !bytes_equal(oid, oid_pbes2))
        return refuse(j, oid);
    struct der_reader both = der_enter(&scheme, DER_SEQUENCE, DAMAGED "PBES2's parameters");
    struct der_reader kdf = enter_algorithm(&both, &oid);
    if (kdf.wrong == NULL && !bytes_equal(oid, oid_pbkdf2))
        return refuse(j, oid);
    read_pbkdf2(&kdf, p, &unknown);
    der_leave(&both, &kdf, DAMAGED "nothing more about PBKDF2");
    if (both.wrong == NULL && unknown.n > 0)
        return refuse(j, unknown);
    struct der_reader cipher = enter_algorithm(&both, &oid);
    p->cipher = cbc_find_oid(oid);
    if (cipher.wrong == NULL && p->cipher == NULL)
        return refuse(j, oid);
    p->iv = der_take(&cipher, DER_OCTET_STRING, DAMAGED "the cipher's initial vector");
    der_leave(&both, &cipher, DAMAGED "nothing more about the cipher");
    der_leave(&scheme, &both, DAMAGED "the end of PBES2's parameters");
    der_leave(&r, &scheme, DAMAGED "nothing more about PBES2");
    p->secret = der_take(&r, DER_OCTET_STRING, DAMAGED "the encrypted key as an OCTET STRING");
    der_leave(&outer, &r, DAMAGED "the end of the encrypted key");
    if (outer.wrong != NULL || outer.left > 0)
        return key_file_say(j, KEY_FILE_BAD,
            outer.wrong != NULL ? outer.wrong : DAMAGED "nothing behind the encrypted key");
    return KEY_FILE_OK;
}

static enum key_file_status check_pbes2(struct key_job *j, const struct pbes2 *p)
{
    if (p->iterations == 0)
        return key_file_say(j, KEY_FILE_BAD, DAMAGED "an iteration count from 1 to 10000000");
    if (p->iterations > KEY_FILE_MAX_ITERATIONS)
        return key_file_say(j, KEY_FILE_UNSUPPORTED,
            "key encrypted with more than 10000000 iterations of PBKDF2: lower them with "
            "openssl pkcs8 -topk8 -iter 600000");
    if (p->key_bytes != 0 && p->key_bytes != p->cipher->key_bytes)
        return key_file_say(j, KEY_FILE_BAD, DAMAGED "a key length that is the cipher's");
    if (p->iv.n != p->cipher->block_bytes)
        return key_file_say(j, KEY_FILE_BAD, DAMAGED "an initial vector of one block");
    if (!is_whole_blocks(p->cipher, p->secret.n))
        return key_file_say(j, KEY_FILE_BAD, DAMAGED "whole blocks of the encrypted key");
    if (j->passphrase.n == 0)
        return key_file_say(j, KEY_FILE_ENCRYPTED, "key file needs a passphrase");
    return KEY_FILE_OK;
}

enum key_file_status key_pbes2_read(struct key_job *j)
{
    struct pbes2 p = {.key_bytes = 0};
    enum key_file_status s = read_pbes2(j, &p);
    if (s == KEY_FILE_OK)
        s = check_pbes2(j, &p);
    if (s != KEY_FILE_OK)
        return s;
    assert(p.cipher != NULL && p.iv.p != NULL); /* both were read */
    uint8_t key[CBC_KEY_MAX], iv[CBC_BLOCK_MAX];
    uint8_t *secret = j->raw + (p.secret.p - j->raw);
    memcpy(iv, p.iv.p, p.iv.n);
    pbkdf2(p.prf, j->passphrase, p.salt, p.iterations, key, p.cipher->key_bytes);
    bool ok = decrypt(p.cipher, key, iv, secret, p.secret.n, &j->n);
    secure_wipe(key, sizeof key);
    j->raw = secret;
    s = ok ? key_pkcs8_read(j) : KEY_FILE_BAD;
    return s == KEY_FILE_BAD ? key_file_say(j, KEY_FILE_WRONG_PASSPHRASE, "wrong passphrase") : s;
}

/* ---- of old ---------------------------------------------------------------------------------- */

static bool take_text(struct bytes *b, const char *prefix)
{
    size_t n = strlen(prefix);
    if (b->n < n || memcmp(b->p, prefix, n) != 0)
        return false;
    *b = (struct bytes){b->p + n, b->n - n};
    return true;
}

static bool ends_word(uint8_t c)
{
    return c == ',' || c == '\r' || c == '\n';
}

/* Up to a comma or a line's end, and past it. */
static struct bytes take_word(struct bytes *b)
{
    size_t n = 0;
    while (n < b->n && !ends_word(b->p[n]))
        n++;
    struct bytes word = {b->p, n};
    while (n < b->n && ends_word(b->p[n]))
        n++;
    *b = (struct bytes){b->p + n, b->n - n};
    return word;
}

enum key_file_status key_dek_decrypt(struct key_job *j, struct bytes headers)
{
    uint8_t key[CBC_KEY_MAX], iv[CBC_BLOCK_MAX];
    size_t iv_n = 0;
    if (!take_text(&headers, "Proc-Type: 4,ENCRYPTED") || take_word(&headers).n > 0 ||
        !take_text(&headers, "DEK-Info: "))
        return key_file_say(
            j, KEY_FILE_BAD, DAMAGED "\"Proc-Type: 4,ENCRYPTED\" and then \"DEK-Info: \"");
    const struct cbc_cipher *c = cbc_find_pem(take_word(&headers));
    if (c == NULL)
        return key_file_say(j, KEY_FILE_UNSUPPORTED,
            "key encrypted with a cipher that DEK-Info names and that is not supported "
            "(AES-256-CBC, AES-192-CBC, AES-128-CBC and DES-EDE3-CBC are)");
    struct bytes hex = take_word(&headers);
    if (sodium_hex2bin(iv, sizeof iv, (const char *)hex.p, hex.n, NULL, &iv_n, NULL) != 0 ||
        iv_n != c->block_bytes)
        return key_file_say(
            j, KEY_FILE_BAD, DAMAGED "DEK-Info's initial vector as hexadecimal digits");
    if (!is_whole_blocks(c, j->n))
        return key_file_say(j, KEY_FILE_BAD, DAMAGED "whole blocks of the encrypted key");
    if (j->passphrase.n == 0)
        return key_file_say(j, KEY_FILE_ENCRYPTED, "key file needs a passphrase");
    pbkdf_md5(j->passphrase, iv, key, c->key_bytes);
    bool ok = decrypt(c, key, iv, j->raw, j->n, &j->n);
    secure_wipe(key, sizeof key);
    return ok ? KEY_FILE_OK : key_file_say(j, KEY_FILE_WRONG_PASSPHRASE, "wrong passphrase");
}
