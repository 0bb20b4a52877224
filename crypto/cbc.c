/* CBC is no danger at rest: nobody can ask this program to decrypt many variants of a file and
 * watch. Nor does triple DES's short block matter for a file of a few kilobytes; `openssl genrsa
 * -des3` stood in manuals for decades, so people have such files. */
#include "crypto/cbc.h"

#include <bearssl.h>

#include "crypto/ct.h"

#define OID_AES(last)                                                                              \
    {                                                                                              \
        (const uint8_t *)"\x60\x86\x48\x01\x65\x03\x04\x01" last, 9                                \
    }

static const struct cbc_cipher ciphers[] = {
    {"aes256-cbc", "AES-256-CBC", OID_AES("\x2a"), 32, 16, false},
    {"aes192-cbc", "AES-192-CBC", OID_AES("\x16"), 24, 16, false},
    {"aes128-cbc", "AES-128-CBC", OID_AES("\x02"), 16, 16, false},
    {"3des-cbc", "DES-EDE3-CBC", {(const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x03\x07", 8}, 24, 8,
        true},
};
enum { N_CIPHERS = sizeof ciphers / sizeof ciphers[0] };

const struct cbc_cipher *cbc_find_ssh(struct bytes name)
{
    for (size_t i = 0; i < N_CIPHERS; i++)
        if (bytes_is(name, ciphers[i].ssh_name))
            return &ciphers[i];
    return NULL;
}

const struct cbc_cipher *cbc_find_pem(struct bytes name)
{
    for (size_t i = 0; i < N_CIPHERS; i++)
        if (bytes_is(name, ciphers[i].pem_name))
            return &ciphers[i];
    return NULL;
}

const struct cbc_cipher *cbc_find_oid(struct bytes oid)
{
    for (size_t i = 0; i < N_CIPHERS; i++)
        if (bytes_equal(oid, ciphers[i].oid))
            return &ciphers[i];
    return NULL;
}

void cbc_decrypt(const struct cbc_cipher *c, const uint8_t *key, uint8_t *iv, uint8_t *p, size_t n)
{
    union {
        const br_block_cbcdec_class *vtable;
        br_aes_gen_cbcdec_keys aes;
        br_des_gen_cbcdec_keys des;
    } keys;
    const br_block_cbcdec_class *hardware = br_aes_x86ni_cbcdec_get_vtable();
    const br_block_cbcdec_class *aes = hardware != NULL ? hardware : &br_aes_ct64_cbcdec_vtable;
    const br_block_cbcdec_class *class = c->is_des ? &br_des_ct_cbcdec_vtable : aes;
    class->init(&keys.vtable, key, c->key_bytes);
    class->run(&keys.vtable, iv, p, n);
    secure_wipe(&keys, sizeof keys);
}
