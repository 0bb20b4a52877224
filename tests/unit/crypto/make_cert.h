/* Certificates made to order, so that each rule can be broken by itself; and signatures as a
 * security key makes them. */
#ifndef TESTS_UNIT_CRYPTO_MAKE_CERT_H
#define TESTS_UNIT_CRYPTO_MAKE_CERT_H

#include <stdlib.h>
#include <string.h>

#include "crypto/cert.h"
#include "crypto/hash.h"

struct make_cert {
    struct bytes key; /* the blob of a plain key */
    const struct private_key *ca;
    const char *ca_algorithm; /* NULL: the CA's best */
    struct bytes ca_blob;     /* shown instead of the CA's own; empty: that one */
    uint32_t kind;
    uint64_t valid_after, valid_before;
    const char *principals; /* comma-separated; NULL: none */
    const char *critical;   /* "name=data,name": in the order given */
    const char *extensions;
    struct bytes raw_principals, raw_critical; /* if not empty, in the place of those */
    size_t n_principals;                       /* if not 0, so many times "p" */
};

static inline void make_cert_principals(struct wire_writer *w, const struct make_cert *m)
{
    size_t at = wire_open_string(w);
    const char *p = m->principals;
    while (p != NULL) {
        size_t n = strcspn(p, ",");
        wire_put_string(w, (struct bytes){(const uint8_t *)p, n});
        p = p[n] == ',' ? p + n + 1 : NULL;
    }
    for (size_t i = 0; i < m->n_principals; i++)
        wire_put_cstring(w, "p");
    wire_put_raw(w, m->raw_principals);
    wire_close_string(w, at);
}

static inline void make_cert_options(struct wire_writer *w, const char *p, struct bytes raw)
{
    size_t at = wire_open_string(w);
    while (p != NULL) {
        size_t n = strcspn(p, ";"), name = strcspn(p, "=;");
        wire_put_string(w, (struct bytes){(const uint8_t *)p, name});
        size_t data = wire_open_string(w);
        if (name < n)
            wire_put_string(w, (struct bytes){(const uint8_t *)p + name + 1, n - name - 1});
        wire_close_string(w, data);
        p = p[n] == ';' ? p + n + 1 : NULL;
    }
    wire_put_raw(w, raw);
    wire_close_string(w, at);
}

/* "ssh-ed25519" -> "ssh-ed25519-cert-v01@openssh.com". */
static inline void make_cert_type(struct wire_writer *w, struct bytes type)
{
    const uint8_t *end = memchr(type.p, '@', type.n);
    size_t at = wire_open_string(w);
    wire_put_raw(w, (struct bytes){type.p, end != NULL ? (size_t)(end - type.p) : type.n});
    wire_put_raw(w, BYTES_LIT("-cert-v01@openssh.com"));
    wire_close_string(w, at);
}

/* Its length; cap must be enough. */
static inline size_t make_cert(const struct make_cert *m, uint8_t *out, size_t cap)
{
    uint8_t signature[KEY_SIGNATURE_MAX];
    size_t signature_n = 0;
    struct wire_reader key = wire_reader(m->key);
    struct wire_writer w = wire_writer(out, cap);
    const char *all = private_key_algorithms(m->ca);
    struct bytes alg = {(const uint8_t *)all, strcspn(all, ",")};
    make_cert_type(&w, wire_string(&key));
    wire_put_cstring(&w, "nonce");
    wire_put_raw(&w, wire_rest(&key));
    wire_put_u64(&w, 7);
    wire_put_u32(&w, m->kind);
    wire_put_cstring(&w, "made to order");
    make_cert_principals(&w, m);
    wire_put_u64(&w, m->valid_after);
    wire_put_u64(&w, m->valid_before);
    make_cert_options(&w, m->critical, m->raw_critical);
    make_cert_options(&w, m->extensions, (struct bytes){NULL, 0});
    wire_put_cstring(&w, "");
    wire_put_string(&w, m->ca_blob.n > 0 ? m->ca_blob : private_key_blob(m->ca));
    if (m->ca_algorithm != NULL)
        alg = bytes_of(m->ca_algorithm);
    if (private_key_sign(m->ca, alg, wire_written(&w), signature, &signature_n) != ERR_OK)
        abort();
    wire_put_string(&w, (struct bytes){signature, signature_n});
    if (w.bad)
        abort();
    return w.len;
}

/* The signature blob that a security key with k inside makes over data by alg. */
static inline size_t make_sk_signature(const struct private_key *k, const char *alg,
    const char *application, uint8_t flags, uint32_t counter, struct bytes data, uint8_t *out,
    size_t cap)
{
    uint8_t message[69], plain[KEY_SIGNATURE_MAX];
    size_t plain_n = 0;
    hash_once(HASH_SHA256, bytes_of(application), message);
    message[32] = flags;
    store_be32(message + 33, counter);
    hash_once(HASH_SHA256, data, message + 37);
    if (private_key_sign(k, bytes_of(private_key_algorithms(k)),
            (struct bytes){message, sizeof message}, plain, &plain_n) != ERR_OK)
        abort();
    struct wire_reader r = wire_reader((struct bytes){plain, plain_n});
    (void)wire_string(&r);
    struct wire_writer w = wire_writer(out, cap);
    wire_put_cstring(&w, alg);
    wire_put_string(&w, wire_string(&r));
    wire_put_u8(&w, flags);
    wire_put_u32(&w, counter);
    return w.bad ? 0 : w.len;
}

#endif
