/* ssh-rsa keys with rsa-sha2-256 and rsa-sha2-512 signatures: RFC 8332, RSASSA-PKCS1-v1_5 of
 * RFC 8017 section 8.2. SHA-1 signatures are not offered and not accepted.
 *
 * Verifying builds the one encoding that is right and compares all of it, so there is no padding
 * parser to fool (Bleichenbacher 2006). A signature is verified before it is given out: one made
 * with a fault in one of the Chinese remainders would give the factors away (Boneh, DeMillo, Lipton
 * 1997). */
#include <bearssl.h>
#include <string.h>

#include "crypto/ct.h"
#include "crypto/hash.h"
#include "crypto/key_type.h"
#include "crypto/rsa_private.h"

enum { RSA_MAX_BYTES = KEY_RSA_MAX_BITS / 8 };

/* The DER in front of the digest, RFC 8017 section 9.2 note 1. */
static const uint8_t sha256_prefix[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
    0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
static const uint8_t sha512_prefix[] = {0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
    0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40};

static bool is_odd(struct bytes magnitude)
{
    return magnitude.n > 0 && (magnitude.p[magnitude.n - 1] & 1) != 0;
}

/* Magnitudes are minimal, so the longer one is the larger one. Public values only. */
static bool is_below(struct bytes a, struct bytes b)
{
    return a.n < b.n || (a.n == b.n && memcmp(a.p, b.p, a.n) < 0);
}

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
    unsigned bits = rsa_bits(n);
    bool ok = bits >= KEY_RSA_MIN_BITS && bits <= KEY_RSA_MAX_BITS && is_odd(n) && is_odd(e) &&
              rsa_bits(e) >= 2 && rsa_bits(e) <= EXPONENT_MAX_BITS && is_below(e, n);
    return ok ? bits : 0;
}

/* EMSA-PKCS1-v1_5, RFC 8017 section 9.2: 00 01 FF ... FF 00 DigestInfo, em_n bytes. */
static void encode(struct bytes alg, struct bytes data, uint8_t *em, size_t em_n)
{
    bool is_512 = bytes_is(alg, "rsa-sha2-512");
    enum hash_id hash = is_512 ? HASH_SHA512 : HASH_SHA256;
    const uint8_t *prefix = is_512 ? sha512_prefix : sha256_prefix;
    size_t digest_at = em_n - hash_bytes(hash);
    size_t prefix_at = digest_at - sizeof sha256_prefix; /* both prefixes are 19 bytes */
    memset(em, 0xff, em_n);
    em[0] = 0x00;
    em[1] = 0x01;
    em[prefix_at - 1] = 0x00;
    memcpy(em + prefix_at, prefix, sizeof sha256_prefix);
    hash_once(hash, data, em + digest_at);
}

/* x = x^e mod n in place, x being n.n bytes; false when x >= n. */
static bool public_power(uint8_t *x, struct bytes e, struct bytes n)
{
    uint8_t n_copy[RSA_MAX_BYTES]; /* BearSSL's struct has no const */
    uint8_t e_copy[RSA_MAX_BYTES];
    if (n.n > sizeof n_copy || e.n > sizeof e_copy)
        return false;
    memcpy(n_copy, n.p, n.n);
    memcpy(e_copy, e.p, e.n);
    br_rsa_public_key key = {n_copy, n.n, e_copy, e.n};
    br_rsa_public fast = br_rsa_i62_public_get(); /* NULL without 128-bit products */
    return (fast != NULL ? fast : br_rsa_i31_public)(x, n.n, &key) == 1;
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
    if (!public_power(x, e, n))
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
           rsa_private_is_plausible(&f.secret, rsa_bits(n));
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
    if (!rsa_private_power(&f.secret, rsa_bits(f.n), x) ||
        verify_raw(f.e, f.n, alg, (struct bytes){x, f.n.n}, data) != ERR_OK) {
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
    .n_fields = 2,
    .check = rsa_check,
    .verify = rsa_verify,
    .check_private = rsa_check_private,
    .sign = rsa_sign,
};
