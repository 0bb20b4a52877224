/* CBC decryption for key files at rest; no packet is ever in CBC. One table names a cipher as each
 * of the three file formats does. Internal to crypto/ and its tests. */
#ifndef CRYPTO_CBC_H
#define CRYPTO_CBC_H

#include "proto/wire.h"

enum { CBC_KEY_MAX = 32, CBC_BLOCK_MAX = 16 };

struct cbc_cipher {
    const char *ssh_name; /* OpenSSH's files: "aes256-cbc" */
    const char *pem_name; /* DEK-Info's: "AES-256-CBC" */
    struct bytes oid;     /* PBES2's, its contents */
    size_t key_bytes, block_bytes;
    bool is_des;
};

/* NULL when there is no such cipher. */
const struct cbc_cipher *cbc_find_ssh(struct bytes name);
const struct cbc_cipher *cbc_find_pem(struct bytes name);
const struct cbc_cipher *cbc_find_oid(struct bytes oid);

/* Decrypts n bytes, whole blocks, in place. iv is used up. Constant time. */
void cbc_decrypt(const struct cbc_cipher *c, const uint8_t *key, uint8_t *iv, uint8_t *p, size_t n);

#endif
