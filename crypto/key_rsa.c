/* ssh-rsa keys with rsa-sha2-256 and rsa-sha2-512 signatures: RFC 8332, RSASSA-PKCS1-v1_5 of
 * RFC 8017 section 8.2. Those with SHA-1, whose name is the type's (RFC 4253 section 6.6), are for
 * who names them: old network gear has no other, and collisions of SHA-1 are to be had.
 *
 * Verifying builds the one encoding that is right and compares all of it, so there is no padding
 * parser to fool (Bleichenbacher 2006). A signature is verified before it is given out: one made
 * with a fault in one of the Chinese remainders would give the factors away (Boneh, DeMillo, Lipton
 * 1997). */
#include <string.h>

#include "crypto/ct.h"
#include "crypto/hash.h"
#include "crypto/key_type.h"
#include "crypto/magnitude.h"
#include "crypto/rsa_private.h"

enum { RSA_MAX_BYTES = KEY_RSA_MAX_BITS / 8 };

/* The DER in front of the digest, RFC 8017 section 9.2 note 1. */
static const uint8_t sha1_prefix[] = {
    0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14};
static const uint8_t sha256_prefix[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
    0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
static const uint8_t sha512_prefix[] = {0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
    0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40};

static const struct digest_info {
    const char *algorithm;
    enum hash_id hash;
    struct bytes prefix;
} digest_infos[] = {
    {"rsa-sha2-512", HASH_SHA512, {sha512_prefix, sizeof sha512_prefix}},
    {"rsa-sha2-256", HASH_SHA256, {sha256_prefix, sizeof sha256_prefix}},
    {"ssh-rsa", HASH_SHA1, {sha1_prefix, sizeof sha1_prefix}}, /* the last: what is left */
};
enum { N_DIGEST_INFOS = sizeof digest_infos / sizeof digest_infos[0] };

/* A public exponent that anyone makes is short (3, 17, 65537). A long one makes one verification
 * cost a stranger's key 130 ms of our time; 64 bits is where other libraries stop too. */
enum { EXPONENT_MAX_BITS = 64 };

/* The order on the wire is e, then n: RFC 4253 section 6.6. */
static unsigned rsa_check(const struct key_type *t, struct wire_reader *r)
{
    (void)t;
    struct bytes e = wire_mpint(r);
    struct bytes n = wire_mpint(r);
    if (!wire_done(r))
        return 0;
    unsigned bits = magnitude_bits(n);
    bool ok = bits >= KEY_RSA_MIN_BITS && bits <= KEY_RSA_MAX_BITS && magnitude_is_odd(n) &&
              magnitude_is_odd(e) && magnitude_bits(e) >= 2 &&
              magnitude_bits(e) <= EXPONENT_MAX_BITS && magnitude_is_below(e, n);
    return ok ? bits : 0;
}

/* EMSA-PKCS1-v1_5, RFC 8017 section 9.2: 00 01 FF ... FF 00 DigestInfo, em_n bytes. */
static void encode(struct bytes alg, struct bytes data, uint8_t *em, size_t em_n)
{
    const struct digest_info *info = digest_infos;
    while (info < digest_infos + N_DIGEST_INFOS - 1 && !bytes_is(alg, info->algorithm))
        info++;
    size_t digest_at = em_n - hash_bytes(info->hash);
    size_t prefix_at = digest_at - info->prefix.n;
    memset(em, 0xff, em_n);
    em[0] = 0x00;
    em[1] = 0x01;
    em[prefix_at - 1] = 0x00;
    memcpy(em + prefix_at, info->prefix.p, info->prefix.n);
    hash_once(info->hash, data, em + digest_at);
}

static enum err verify_raw(
    struct bytes e, struct bytes n, struct bytes alg, struct bytes raw, struct bytes data)
{
    uint8_t x[RSA_MAX_BYTES];
    uint8_t em[RSA_MAX_BYTES];
    if (raw.n == 0 || raw.n > n.n)
        return ERR_SIGNATURE;
    /* RFC 8332 section 3: signers exist that drop leading zeros, and a verifier may accept it. */
    memset(x, 0, n.n - raw.n);
    memcpy(x + n.n - raw.n, raw.p, raw.n);
    if (!magnitude_power(x, e, n))
        return ERR_SIGNATURE;
    encode(alg, data, em, n.n);
    return ct_equal(x, em, n.n) ? ERR_OK : ERR_SIGNATURE;
}

static enum err rsa_verify(const struct key_type *t, struct wire_reader *key, struct bytes alg,
    struct bytes raw, struct bytes data)
{
    (void)t;
    struct bytes e = wire_mpint(key);
    struct bytes n = wire_mpint(key);
    return verify_raw(e, n, alg, raw, data);
}

struct rsa_fields {
    struct bytes n, e;
    struct rsa_private secret;
};

/* OpenSSH PROTOCOL.key: n, e, d, iqmp, p, q. */
static struct rsa_fields read_fields(struct wire_reader *r)
{
    struct rsa_fields f;
    f.n = wire_mpint(r);
    f.e = wire_mpint(r);
    f.secret.d = wire_mpint(r);
    f.secret.iqmp = wire_mpint(r);
    f.secret.p = wire_mpint(r);
    f.secret.q = wire_mpint(r);
    return f;
}

/* That the secret numbers belong to n and e is left to the verification of each signature: checking
 * it here would cost as much as signing. */
static bool rsa_check_private(const struct key_type *t, struct wire_reader *r, struct bytes blob)
{
    struct wire_reader public = wire_reader(blob);
    (void)t;
    (void)wire_string(&public); /* the type name, known to be ours */
    struct bytes e = wire_mpint(&public);
    struct bytes n = wire_mpint(&public);
    struct rsa_fields f = read_fields(r);
    return !r->bad && bytes_equal(e, f.e) && bytes_equal(n, f.n) &&
           rsa_private_is_plausible(&f.secret, magnitude_bits(n));
}

static enum err rsa_sign(const struct key_type *t, struct bytes fields, struct bytes alg,
    struct bytes data, struct wire_writer *w)
{
    (void)t;
    struct wire_reader r = wire_reader(fields);
    struct rsa_fields f = read_fields(&r);
    uint8_t *x = r.bad ? NULL : wire_reserve(w, f.n.n);
    if (x == NULL)
        return ERR_INTERNAL;
    encode(alg, data, x, f.n.n);
    bool ok = rsa_private_power(&f.secret, magnitude_bits(f.n), x);
    ct_public(x, f.n.n); /* what is given away here; a wrong one does not leave this function */
    if (!ok || verify_raw(f.e, f.n, alg, (struct bytes){x, f.n.n}, data) != ERR_OK) {
        secure_wipe(x, f.n.n);
        return ERR_INTERNAL;
    }
    wire_commit(w, f.n.n);
    return ERR_OK;
}

const struct key_type key_type_rsa = {
    .name = "ssh-rsa",
    .short_name = "RSA",
    .algorithms = "rsa-sha2-512,rsa-sha2-256",
    .by_name = "ssh-rsa",
    .n_fields = 2,
    .check = rsa_check,
    .verify = rsa_verify,
    .check_private = rsa_check_private,
    .sign = rsa_sign,
};
