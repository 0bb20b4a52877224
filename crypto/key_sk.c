/* Security keys, verification only: sk-ssh-ed25519@openssh.com and
 * sk-ecdsa-sha2-nistp256@openssh.com, OpenSSH PROTOCOL.u2f. The private half never leaves its
 * device, so it is an agent that signs.
 *
 * A public key is one of the plain type and the application it was made for ("ssh:"). The device
 * signs a fixed-size message of its own around ours:
 *
 *   SHA-256(application), flags, counter, SHA-256(data) */
#include <string.h>

#include "crypto/hash.h"
#include "crypto/key_type.h"

enum { SHA256_BYTES = 32, SK_MESSAGE_BYTES = SHA256_BYTES + 1 + 4 + SHA256_BYTES };

static struct bytes read_application(struct wire_reader *r)
{
    struct bytes application = wire_string(r);
    if (application.n > 0 && memchr(application.p, '\0', application.n) != NULL)
        r->bad = true;
    return application;
}

static unsigned sk_check(const struct key_type *t, struct wire_reader *r)
{
    struct wire_reader base = wire_reader(key_take_fields(r, t->sk_base->n_fields));
    (void)read_application(r);
    return wire_done(r) ? t->sk_base->check(t->sk_base, &base) : 0;
}

enum err key_sk_verify(const struct key_type *t, struct wire_reader *key, struct bytes raw,
    const struct key_sk_facts *facts, struct bytes data)
{
    uint8_t message[SK_MESSAGE_BYTES];
    struct wire_reader base = wire_reader(key_take_fields(key, t->sk_base->n_fields));
    hash_once(HASH_SHA256, read_application(key), message);
    message[SHA256_BYTES] = facts->flags;
    store_be32(message + SHA256_BYTES + 1, facts->counter);
    hash_once(HASH_SHA256, data, message + SK_MESSAGE_BYTES - SHA256_BYTES);
    return t->sk_base->verify(t->sk_base, &base, bytes_of(t->sk_base->algorithms), raw,
        (struct bytes){message, sizeof message});
}

const struct key_type key_type_sk_ed25519 = {
    .name = "sk-ssh-ed25519@openssh.com",
    .short_name = "ED25519-SK",
    .algorithms = "sk-ssh-ed25519@openssh.com",
    .n_fields = 2,
    .sk_base = &key_type_ed25519,
    .check = sk_check,
};

const struct key_type key_type_sk_ecdsa = {
    .name = "sk-ecdsa-sha2-nistp256@openssh.com",
    .short_name = "ECDSA-SK",
    .algorithms = "sk-ecdsa-sha2-nistp256@openssh.com",
    .n_fields = 3,
    .sk_base = &key_type_ecdsa_p256,
    .check = sk_check,
};
