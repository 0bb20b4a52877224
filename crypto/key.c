/* Public keys and signatures: the table of types, and what is the same for all of them. */
#include "crypto/key.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "crypto/base64.h"
#include "crypto/cert.h"
#include "crypto/hash.h"
#include "crypto/key_type.h"
#include "proto/namelist.h"

static const struct key_type *const types[] = {
    &key_type_ed25519,
    &key_type_ecdsa_p256,
    &key_type_ecdsa_p384,
    &key_type_ecdsa_p521,
    &key_type_rsa,
    &key_type_sk_ed25519,
    &key_type_sk_ecdsa,
    &key_type_ed25519_cert,
    &key_type_ecdsa_p256_cert,
    &key_type_ecdsa_p384_cert,
    &key_type_ecdsa_p521_cert,
    &key_type_rsa_cert,
    &key_type_sk_ed25519_cert,
    &key_type_sk_ecdsa_cert,
};
enum { N_TYPES = sizeof types / sizeof types[0] };

#define CERT "-cert-v01@openssh.com"
#define CERTIFICATES                                                                               \
    "ssh-ed25519" CERT ",ecdsa-sha2-nistp256" CERT ",ecdsa-sha2-nistp384" CERT                     \
    ",ecdsa-sha2-nistp521" CERT ",sk-ssh-ed25519" CERT ",sk-ecdsa-sha2-nistp256" CERT              \
    ",rsa-sha2-512" CERT ",rsa-sha2-256" CERT
#define PLAIN                                                                                      \
    "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,"                     \
    "sk-ssh-ed25519@openssh.com,sk-ecdsa-sha2-nistp256@openssh.com,rsa-sha2-512,rsa-sha2-256"
#define BY_NAME "ssh-rsa"

const char *key_algorithm_names(void)
{
    return CERTIFICATES "," PLAIN;
}

const char *key_signature_names(void)
{
    return PLAIN;
}

const char *key_algorithm_all_names(void)
{
    return CERTIFICATES "," BY_NAME CERT "," PLAIN "," BY_NAME;
}

const char *key_signature_all_names(void)
{
    return PLAIN "," BY_NAME;
}

const struct key_type *key_type_find(struct bytes name)
{
    for (size_t i = 0; i < N_TYPES; i++)
        if (bytes_is(name, types[i]->name))
            return types[i];
    return NULL;
}

static bool is_by_name(const struct key_type *t, struct bytes alg)
{
    return t->by_name != NULL && bytes_is(alg, t->by_name);
}

bool key_type_has_algorithm(const struct key_type *t, struct bytes alg)
{
    return namelist_has(bytes_of(t->algorithms), alg) || is_by_name(t, alg);
}

static const struct key_type *type_by_algorithm(struct bytes alg)
{
    for (size_t i = 0; i < N_TYPES; i++)
        if (key_type_has_algorithm(types[i], alg))
            return types[i];
    return NULL;
}

const char *key_type_of_algorithm(struct bytes alg)
{
    const struct key_type *t = type_by_algorithm(alg);
    return t != NULL ? t->name : NULL;
}

bool key_algorithm_is_certificate(struct bytes alg)
{
    const struct key_type *t = type_by_algorithm(alg);
    return t != NULL && t->plain != NULL;
}

const char *key_plain_type(const char *name)
{
    const struct key_type *t = key_type_find(bytes_of(name));
    return t != NULL && t->plain != NULL ? t->plain->name : name;
}

/* A certificate type lists its algorithms in the plain type's order. */
struct bytes key_signature_name(struct bytes alg)
{
    const struct key_type *t = type_by_algorithm(alg);
    struct bytes name = {NULL, 0}, plain_name = {NULL, 0};
    if (t == NULL)
        return name;
    if (is_by_name(t, alg))
        return bytes_of(t->plain != NULL ? t->plain->by_name : t->by_name);
    struct bytes names = bytes_of(t->algorithms);
    struct bytes plain = bytes_of(t->plain != NULL ? t->plain->algorithms : t->algorithms);
    while (namelist_next(&names, &name) && namelist_next(&plain, &plain_name))
        if (bytes_equal(name, alg))
            return plain_name;
    return (struct bytes){NULL, 0};
}

struct bytes key_take_fields(struct wire_reader *r, unsigned n)
{
    const uint8_t *start = r->p;
    for (unsigned i = 0; i < n; i++)
        (void)wire_string(r);
    return r->bad ? (struct bytes){NULL, 0} : (struct bytes){start, (size_t)(r->p - start)};
}

/* A blob taken apart: its type, and a reader over the key's own fields. */
static enum err open_blob(
    struct bytes blob, const struct key_type **t, struct wire_reader *fields, unsigned *bits)
{
    struct cert cert;
    if (blob.n > KEY_BLOB_MAX)
        return ERR_LIMIT;
    struct wire_reader r = wire_reader(blob);
    struct bytes name = wire_string(&r);
    if (r.bad)
        return ERR_MALFORMED;
    *t = key_type_find(name);
    if (*t == NULL)
        return ERR_UNSUPPORTED;
    if ((*t)->plain != NULL) {
        enum err e = cert_parse(blob, &cert);
        *fields = wire_reader(cert.fields);
        *bits = cert.bits;
        return e;
    }
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
    uint8_t digest[32], room[KEY_BLOB_MAX];
    hash_once(HASH_SHA256, cert_plain_blob(blob, room), digest);
    memcpy(out, prefix, sizeof prefix);
    (void)sodium_bin2base64(out + sizeof prefix - 1, KEY_FINGERPRINT_MAX - (sizeof prefix - 1),
        digest, sizeof digest, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
}

/* PROTOCOL.u2f: behind the inner signature a security key's blob has its flags and counter. */
static enum err read_signature(const struct key_type *t, struct bytes signature, struct bytes *name,
    struct bytes *raw, struct key_sk_facts *facts)
{
    struct wire_reader r = wire_reader(signature);
    *name = wire_string(&r);
    *raw = wire_string(&r);
    if (t->sk_base != NULL) {
        facts->is_sk = true;
        facts->flags = wire_u8(&r);
        facts->counter = wire_u32(&r);
    }
    return wire_done(&r) ? ERR_OK : ERR_MALFORMED;
}

bool key_algorithm_is_by_name(struct bytes alg)
{
    const struct key_type *t = type_by_algorithm(alg);
    return t != NULL && is_by_name(t, alg);
}

enum err key_verify_facts(struct bytes blob, struct bytes alg, struct bytes signature,
    struct bytes data, struct key_sk_facts *facts)
{
    if (!key_algorithm_is_by_name(alg))
        return key_verify_named(blob, alg, signature, data, facts);
    *facts = (struct key_sk_facts){.is_sk = false};
    return ERR_SIGNATURE;
}

enum err key_verify_named(struct bytes blob, struct bytes alg, struct bytes signature,
    struct bytes data, struct key_sk_facts *facts)
{
    const struct key_type *t;
    struct wire_reader fields;
    struct bytes name, raw;
    unsigned bits;
    *facts = (struct key_sk_facts){.is_sk = false};
    enum err e = open_blob(blob, &t, &fields, &bits);
    if (e != ERR_OK)
        return e;
    if (!key_type_has_algorithm(t, alg))
        return ERR_SIGNATURE;
    if (signature.n > KEY_SIGNATURE_MAX)
        return ERR_LIMIT;
    if (t->plain != NULL)
        t = t->plain;
    e = read_signature(t, signature, &name, &raw, facts);
    if (e == ERR_OK && !bytes_equal(name, key_signature_name(alg)))
        e = ERR_SIGNATURE;
    if (e == ERR_OK)
        e = t->sk_base != NULL ? key_sk_verify(t, &fields, raw, facts, data)
                               : t->verify(t, &fields, name, raw, data);
    if (e != ERR_OK)
        *facts = (struct key_sk_facts){.is_sk = false};
    return e;
}

enum err key_verify(struct bytes blob, struct bytes alg, struct bytes signature, struct bytes data)
{
    struct key_sk_facts facts;
    enum err e = key_verify_facts(blob, alg, signature, data, &facts);
    if (e == ERR_OK && facts.is_sk && (facts.flags & KEY_SK_PRESENCE) == 0)
        return ERR_SIGNATURE;
    return e;
}

enum err key_from_base64(
    struct bytes type, struct bytes b64, uint8_t *blob, size_t cap, size_t *blob_n)
{
    *blob_n = 0;
    size_t n;
    if (b64.n == 0 || !base64_decode(b64, BASE64_NO_GAPS, blob, cap, &n))
        return ERR_MALFORMED;
    struct wire_reader r = wire_reader((struct bytes){blob, n});
    if (!bytes_equal(wire_string(&r), type) || r.bad)
        return ERR_MALFORMED;
    *blob_n = n;
    return ERR_OK;
}
