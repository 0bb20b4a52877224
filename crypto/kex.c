/* The table of key exchange methods. */
#include "crypto/kex.h"

#include "crypto/kex_methods.h"

static const struct kex_method methods[] = {
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
    return "curve25519-sha256,curve25519-sha256@libssh.org,"
           "ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
           "diffie-hellman-group-exchange-sha256,"
           "diffie-hellman-group16-sha512,diffie-hellman-group14-sha256";
}

bool kex_is_group_exchange(const struct kex_method *m)
{
    return m->start == NULL;
}

size_t kex_secret_mpint(struct bytes magnitude, uint8_t *secret)
{
    struct wire_writer w = wire_writer(secret, KEX_SECRET_MAX);
    wire_put_mpint(&w, magnitude);
    return wire_written(&w).n;
}
