/* Public keys and signatures: the table of types, and what is the same for all of them. */
#include "crypto/key.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "crypto/hash.h"
#include "crypto/key_type.h"
#include "proto/namelist.h"

static const struct key_type *const types[] = {
    &key_type_ed25519,
    &key_type_ecdsa_p256,
    &key_type_ecdsa_p384,
    &key_type_ecdsa_p521,
    &key_type_rsa,
};
enum { N_TYPES = sizeof types / sizeof types[0] };

const char *key_algorithm_names(void)
{
    return "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,"
           "rsa-sha2-512,rsa-sha2-256";
}

const struct key_type *key_type_find(struct bytes name)
{
    for (size_t i = 0; i < N_TYPES; i++)
        if (bytes_is(name, types[i]->name))
            return types[i];
    return NULL;
}

bool key_type_has_algorithm(const struct key_type *t, struct bytes alg)
{
    return namelist_has(bytes_of(t->algorithms), alg);
}

const char *key_type_of_algorithm(struct bytes alg)
{
    for (size_t i = 0; i < N_TYPES; i++)
        if (key_type_has_algorithm(types[i], alg))
            return types[i]->name;
    return NULL;
}

/* A blob taken apart: its type, and a reader that stands behind the type name. */
static enum err open_blob(
    struct bytes blob, const struct key_type **t, struct wire_reader *fields, unsigned *bits)
{
    if (blob.n > KEY_BLOB_MAX)
        return ERR_LIMIT;
    struct wire_reader r = wire_reader(blob);
    struct bytes name = wire_string(&r);
    if (r.bad)
        return ERR_MALFORMED;
    *t = key_type_find(name);
    if (*t == NULL)
        return ERR_UNSUPPORTED;
    *fields = r;
    *bits = (*t)->check(*t, &r);
    return *bits != 0 ? ERR_OK : ERR_MALFORMED;
}

enum err key_check(struct bytes blob, const char **type)
{
    const struct key_type *t;
    struct wire_reader fields;
    unsigned bits;
    enum err e = open_blob(blob, &t, &fields, &bits);
    if (type != NULL)
        *type = e == ERR_OK ? t->name : NULL;
    return e;
}

unsigned key_bits(struct bytes blob)
{
    const struct key_type *t;
    struct wire_reader fields;
    unsigned bits;
    return open_blob(blob, &t, &fields, &bits) == ERR_OK ? bits : 0;
}

const char *key_short_name(struct bytes blob)
{
    struct wire_reader r = wire_reader(blob);
    const struct key_type *t = key_type_find(wire_string(&r));
    return t != NULL ? t->short_name : "unknown";
}

void key_fingerprint_sha256(struct bytes blob, char out[KEY_FINGERPRINT_MAX])
{
    static const char prefix[] = "SHA256:";
    uint8_t digest[32];
    hash_once(HASH_SHA256, blob, digest);
    memcpy(out, prefix, sizeof prefix);
    (void)sodium_bin2base64(out + sizeof prefix - 1, KEY_FINGERPRINT_MAX - (sizeof prefix - 1),
        digest, sizeof digest, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
}

enum err key_verify(struct bytes blob, struct bytes alg, struct bytes signature, struct bytes data)
{
    const struct key_type *t;
    struct wire_reader fields;
    unsigned bits;
    enum err e = open_blob(blob, &t, &fields, &bits);
    if (e != ERR_OK)
        return e;
    if (!key_type_has_algorithm(t, alg))
        return ERR_SIGNATURE;
    if (signature.n > KEY_SIGNATURE_MAX)
        return ERR_LIMIT;
    struct wire_reader r = wire_reader(signature);
    struct bytes name = wire_string(&r);
    struct bytes raw = wire_string(&r);
    if (!wire_done(&r))
        return ERR_MALFORMED;
    if (!bytes_equal(name, alg))
        return ERR_SIGNATURE;
    return t->verify(t, &fields, alg, raw, data);
}

enum err key_from_base64(
    struct bytes type, struct bytes b64, uint8_t *blob, size_t cap, size_t *blob_n)
{
    *blob_n = 0;
    size_t n;
    if (b64.n == 0 || sodium_base642bin(blob, cap, (const char *)b64.p, b64.n, NULL, &n, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return ERR_MALFORMED;
    struct wire_reader r = wire_reader((struct bytes){blob, n});
    if (!bytes_equal(wire_string(&r), type) || r.bad)
        return ERR_MALFORMED;
    *blob_n = n;
    return ERR_OK;
}
