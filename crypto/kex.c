/* The table of key exchange methods. */
#include "crypto/kex.h"

#include "crypto/ct.h"
#include "crypto/kex_methods.h"

static const struct kex_method methods[] = {
    {"mlkem768x25519-sha256", HASH_SHA256, kex_mlkem768_start, kex_mlkem768_reply,
        kex_mlkem768_finish},
    {"sntrup761x25519-sha512", HASH_SHA512, kex_sntrup761_start, kex_sntrup761_reply,
        kex_sntrup761_finish},
    /* By the name it had before its draft was taken up by the IETF. */
    {"sntrup761x25519-sha512@openssh.com", HASH_SHA512, kex_sntrup761_start, kex_sntrup761_reply,
        kex_sntrup761_finish},
    {"curve25519-sha256", HASH_SHA256, kex_x25519_start, kex_x25519_reply, kex_x25519_finish},
    /* The same method by the name it had before RFC 8731. */
    {"curve25519-sha256@libssh.org", HASH_SHA256, kex_x25519_start, kex_x25519_reply,
        kex_x25519_finish},
    {"ecdh-sha2-nistp256", HASH_SHA256, kex_nistp256_start, kex_nistp256_reply,
        kex_nistp256_finish},
    {"ecdh-sha2-nistp384", HASH_SHA384, kex_nistp384_start, kex_nistp384_reply,
        kex_nistp384_finish},
    {"ecdh-sha2-nistp521", HASH_SHA512, kex_nistp521_start, kex_nistp521_reply,
        kex_nistp521_finish},
    {"diffie-hellman-group-exchange-sha256", HASH_SHA256, NULL, NULL, NULL},
    {"diffie-hellman-group16-sha512", HASH_SHA512, kex_dh16_start, kex_dh16_reply, kex_dh16_finish},
    {"diffie-hellman-group14-sha256", HASH_SHA256, kex_dh14_start, kex_dh14_reply, kex_dh14_finish},
};

const struct kex_method *kex_find(struct bytes name)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (bytes_is(name, methods[i].name))
            return &methods[i];
    return NULL;
}

const char *kex_names(void)
{
    return "mlkem768x25519-sha256,"
           "sntrup761x25519-sha512,sntrup761x25519-sha512@openssh.com,"
           "curve25519-sha256,curve25519-sha256@libssh.org,"
           "ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
           "diffie-hellman-group-exchange-sha256,"
           "diffie-hellman-group16-sha512,diffie-hellman-group14-sha256";
}

bool kex_is_group_exchange(const struct kex_method *m)
{
    return m->start == NULL;
}

/* As wire_put_mpint(), but only the length of what is written shows. That cannot be hidden: it is
 * hashed at that length. It tells how many bytes at the top of K are zero, of a K that is made of
 * fresh shares and used once, so nobody can gather such hints (as "Raccoon" did, 2020). */
size_t kex_secret_mpint(struct bytes magnitude, uint8_t *secret)
{
    struct wire_writer w = wire_writer(secret, KEX_SECRET_MAX);
    uint32_t first = 0, n_zeros = 0; /* the first byte that is not zero; how many stand before */
    for (size_t i = 0; i < magnitude.n; i++) {
        uint32_t is_zero = (first - 1) >> 31; /* so far */
        first |= magnitude.p[i] & (0 - is_zero);
        n_zeros += (first - 1) >> 31;
    }
    uint32_t sign_n = first >> 7; /* bytes */
    ct_public(&n_zeros, sizeof n_zeros);
    ct_public(&sign_n, sizeof sign_n);
    wire_put_u32(&w, (uint32_t)magnitude.n - n_zeros + sign_n);
    if (sign_n > 0)
        wire_put_u8(&w, 0);
    wire_put_raw(&w, (struct bytes){magnitude.p + n_zeros, magnitude.n - n_zeros});
    return wire_written(&w).n;
}

size_t kex_secret_hashed(enum hash_id hash, struct bytes both, uint8_t *secret)
{
    uint8_t k[HASH_MAX_BYTES];
    struct wire_writer w = wire_writer(secret, KEX_SECRET_MAX);
    hash_once(hash, both, k);
    wire_put_string(&w, (struct bytes){k, hash_bytes(hash)});
    secure_wipe(k, sizeof k);
    return w.len;
}
