/* ssh-ed25519: RFC 8709. libsodium refuses S >= L, points of small order and encodings that are not
 * canonical. */
#include <sodium.h>
#include <string.h>

#include "crypto/ct.h"
#include "crypto/key_type.h"

static unsigned ed25519_check(const struct key_type *t, struct wire_reader *r)
{
    (void)t;
    struct bytes point = wire_string(r);
    return wire_done(r) && point.n == crypto_sign_PUBLICKEYBYTES ? 256 : 0;
}

static enum err ed25519_verify(const struct key_type *t, struct wire_reader *key, struct bytes alg,
    struct bytes raw, struct bytes data)
{
    (void)t;
    (void)alg;
    struct bytes point = wire_string(key);
    if (raw.n != crypto_sign_BYTES)
        return ERR_MALFORMED;
    return crypto_sign_verify_detached(raw.p, data.p, data.n, point.p) == 0 ? ERR_OK
                                                                            : ERR_SIGNATURE;
}

/* OpenSSH PROTOCOL.key: the public key, then the seed and the public key again. The public half is
 * recomputed: signing with one that does not belong to the seed would give the seed away. */
static bool ed25519_check_private(
    const struct key_type *t, struct wire_reader *r, struct bytes blob)
{
    struct wire_reader public = wire_reader(blob);
    (void)wire_string(&public); /* the type name, known to be ours */
    struct bytes point = wire_string(&public);
    struct bytes again = wire_string(r);
    struct bytes secret = wire_string(r);
    (void)t;
    if (r->bad || secret.n != crypto_sign_SECRETKEYBYTES || !bytes_equal(point, again))
        return false;
    uint8_t derived[crypto_sign_PUBLICKEYBYTES];
    uint8_t expanded[crypto_sign_SECRETKEYBYTES];
    (void)crypto_sign_seed_keypair(derived, expanded, secret.p); /* returns 0 always */
    ct_public(derived, sizeof derived);
    bool ok = ct_equal(expanded, secret.p, sizeof expanded) &&
              bytes_equal(point, (struct bytes){derived, sizeof derived});
    secure_wipe(expanded, sizeof expanded);
    return ok;
}

static enum err ed25519_sign(const struct key_type *t, struct bytes fields, struct bytes alg,
    struct bytes data, struct wire_writer *w)
{
    (void)t;
    (void)alg;
    struct wire_reader r = wire_reader(fields);
    (void)wire_string(&r); /* the public half */
    struct bytes secret = wire_string(&r);
    uint8_t *out = wire_reserve(w, crypto_sign_BYTES);
    if (r.bad || out == NULL || secret.n != crypto_sign_SECRETKEYBYTES ||
        crypto_sign_detached(out, NULL, data.p, data.n, secret.p) != 0)
        return ERR_INTERNAL;
    ct_public(out, crypto_sign_BYTES);
    wire_commit(w, crypto_sign_BYTES);
    return ERR_OK;
}

const struct key_type key_type_ed25519 = {
    .name = "ssh-ed25519",
    .short_name = "ED25519",
    .algorithms = "ssh-ed25519",
    .n_fields = 1,
    .check = ed25519_check,
    .verify = ed25519_verify,
    .check_private = ed25519_check_private,
    .sign = ed25519_sign,
};
