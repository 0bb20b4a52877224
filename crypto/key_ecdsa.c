/* ecdsa-sha2-nistp256, -384, -521: RFC 5656 section 3. A blob is the curve's name and a point; an
 * inner signature is the mpints r and s. */
#include <string.h>

#include "crypto/ct.h"
#include "crypto/key_type.h"

static struct bytes read_point(const struct key_type *t, struct wire_reader *r)
{
    struct bytes curve = wire_string(r);
    struct bytes point = wire_string(r);
    if (!bytes_is(curve, t->curve->name))
        r->bad = true;
    return point;
}

static unsigned ecdsa_check(const struct key_type *t, struct wire_reader *r)
{
    struct bytes point = read_point(t, r);
    return wire_done(r) && nist_point_is_good(t->curve, point) ? t->curve->bits : 0;
}

/* r and s as BearSSL's raw form wants them: equally long, side by side. Range-checked here, since
 * BearSSL's own check of r leaves zero to the arithmetic. */
static enum err read_signature(const struct nist_curve *c, struct bytes raw, uint8_t *out)
{
    struct wire_reader r = wire_reader(raw);
    struct bytes first = wire_mpint(&r);
    struct bytes second = wire_mpint(&r);
    if (!wire_done(&r))
        return ERR_MALFORMED;
    if (!nist_scalar_pad(c, first, out) || !nist_scalar_pad(c, second, out + c->bytes) ||
        !nist_scalar_is_good(c, out) || !nist_scalar_is_good(c, out + c->bytes))
        return ERR_SIGNATURE;
    return ERR_OK;
}

static enum err verify_raw(
    const struct nist_curve *c, struct bytes point, struct bytes raw, struct bytes data)
{
    uint8_t q[NIST_POINT_MAX];
    uint8_t rs[2 * NIST_SCALAR_MAX];
    uint8_t digest[HASH_MAX_BYTES];
    enum err e = read_signature(c, raw, rs);
    if (e != ERR_OK)
        return e;
    memcpy(q, point.p, point.n); /* BearSSL's struct has no const */
    br_ec_public_key key = {c->id, q, point.n};
    hash_once(c->hash, data, digest);
    bool ok = br_ecdsa_i31_vrfy_raw(
                  nist_arithmetic(), digest, hash_bytes(c->hash), &key, rs, 2 * c->bytes) == 1;
    return ok ? ERR_OK : ERR_SIGNATURE;
}

static enum err ecdsa_verify(const struct key_type *t, struct wire_reader *key, struct bytes alg,
    struct bytes raw, struct bytes data)
{
    (void)alg;
    return verify_raw(t->curve, read_point(t, key), raw, data);
}

/* OpenSSH PROTOCOL.key: curve name, point, secret scalar as an mpint. */
static bool ecdsa_check_private(const struct key_type *t, struct wire_reader *r, struct bytes blob)
{
    struct wire_reader public = wire_reader(blob);
    (void)wire_string(&public); /* the type name, known to be ours */
    struct bytes point = read_point(t, &public);
    struct bytes again = read_point(t, r);
    struct bytes d = wire_mpint(r);
    uint8_t scalar[NIST_SCALAR_MAX];
    uint8_t derived[NIST_POINT_MAX];
    bool ok = !r->bad && bytes_equal(point, again) && nist_scalar_pad(t->curve, d, scalar) &&
              nist_scalar_is_good(t->curve, scalar) &&
              bytes_equal(point, (struct bytes){derived, nist_public(t->curve, scalar, derived)});
    secure_wipe(scalar, sizeof scalar);
    return ok;
}

/* Nonces are deterministic (RFC 6979), so no bad random number can give the key away; and what was
 * made is verified, so no faulty computation can. */
static enum err ecdsa_sign(const struct key_type *t, struct bytes fields, struct bytes alg,
    struct bytes data, struct wire_writer *w)
{
    const struct nist_curve *c = t->curve;
    struct wire_reader r = wire_reader(fields);
    struct bytes point = read_point(t, &r);
    struct bytes d = wire_mpint(&r);
    uint8_t scalar[NIST_SCALAR_MAX];
    uint8_t rs[2 * NIST_SCALAR_MAX];
    uint8_t digest[HASH_MAX_BYTES];
    (void)alg;
    if (r.bad || !nist_scalar_pad(c, d, scalar))
        return ERR_INTERNAL;
    br_ec_private_key key = {c->id, scalar, c->bytes};
    hash_once(c->hash, data, digest);
    size_t n = br_ecdsa_i31_sign_raw(nist_arithmetic(), c->br_hash, digest, &key, rs);
    secure_wipe(scalar, sizeof scalar);
    if (n != 2 * c->bytes)
        return ERR_INTERNAL;
    ct_public(rs, n);
    size_t start = w->len;
    wire_put_mpint(w, (struct bytes){rs, c->bytes});
    wire_put_mpint(w, (struct bytes){rs + c->bytes, c->bytes});
    if (w->bad)
        return ERR_INTERNAL;
    struct bytes made = {w->base + start, w->len - start};
    return verify_raw(c, point, made, data) == ERR_OK ? ERR_OK : ERR_INTERNAL;
}

#define ECDSA_TYPE(size)                                                                           \
    const struct key_type key_type_ecdsa_p##size = {                                               \
        .name = "ecdsa-sha2-nistp" #size,                                                          \
        .short_name = "ECDSA",                                                                     \
        .algorithms = "ecdsa-sha2-nistp" #size,                                                    \
        .n_fields = 2,                                                                             \
        .curve = &nist_p##size,                                                                    \
        .check = ecdsa_check,                                                                      \
        .verify = ecdsa_verify,                                                                    \
        .check_private = ecdsa_check_private,                                                      \
        .sign = ecdsa_sign,                                                                        \
    }

ECDSA_TYPE(256);
ECDSA_TYPE(384);
ECDSA_TYPE(521);
