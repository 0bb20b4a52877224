/* Reads the DER inside PEM's private keys and turns it into what an SSH key file holds, so that one
 * check per key type serves all formats. These files have no comment.
 *
 *   PKCS #1   RSAPrivateKey   SEQUENCE { 0, n, e, d, p, q, d mod p-1, d mod q-1, 1/q mod p }
 *   SEC 1     ECPrivateKey    SEQUENCE { 1, scalar, [0] curve, [1] point }
 *   PKCS #8   PrivateKeyInfo  SEQUENCE { 0 or 1, { algorithm, parameters }, OCTET STRING with one
 *                             of the above or an Ed25519 seed, [0] attributes, [1] public key }
 */
#include <sodium.h>
#include <string.h>

#include "crypto/ct.h"
#include "crypto/der.h"
#include "crypto/key_file.h"
#include "crypto/private_key.h"

enum { FIELDS_MAX = 4096 }; /* RSA of 4096 bits needs 1900 bytes */

#define DAMAGED "damaged key file: expected "

/* The two halves as SSH encodes them. */
struct halves {
    uint8_t blob_room[KEY_BLOB_MAX];
    uint8_t fields_room[FIELDS_MAX];
    struct wire_writer blob, fields;
};

static void begin(struct halves *h, const struct key_type *type)
{
    h->blob = wire_writer(h->blob_room, sizeof h->blob_room);
    h->fields = wire_writer(h->fields_room, sizeof h->fields_room);
    wire_put_cstring(&h->blob, type->name);
}

/* Checks the halves, makes the key of them, and wipes them. */
static enum key_file_status finish(struct key_job *j, struct halves *h)
{
    struct bytes blob = wire_written(&h->blob);
    struct wire_reader fields = wire_reader(wire_written(&h->fields));
    const struct key_type *type;
    enum key_file_status s = key_file_check_blob(j, blob, &type);
    if (s == KEY_FILE_OK &&
        (h->fields.bad || !type->check_private(type, &fields, blob) || !wire_done(&fields)))
        s = key_file_say(j, KEY_FILE_BAD, "damaged key file: its numbers do not fit together");
    if (s == KEY_FILE_OK) {
        j->key = private_key_new(type, blob, wire_written(&h->fields), (struct bytes){NULL, 0});
        if (j->key == NULL)
            s = key_file_say(j, KEY_FILE_BAD, "out of memory");
    }
    secure_wipe(h->fields_room, sizeof h->fields_room);
    return s;
}

/* Nothing may have gone wrong in r, and nothing may be left over. */
static bool is_done(struct key_job *j, const struct der_reader *r)
{
    j->why = r->wrong != NULL ? r->wrong : DAMAGED "nothing behind the key";
    return r->wrong == NULL && r->left == 0;
}

/* ---- RSA ------------------------------------------------------------------------------------- */

#define NUMBER(name) DAMAGED "RSA's " name " as a positive INTEGER"

static enum key_file_status read_rsa(struct key_job *j, struct bytes der)
{
    struct der_reader outer = der_reader(der);
    struct der_reader r = der_enter(&outer, DER_SEQUENCE, DAMAGED "an RSA key as a SEQUENCE");
    uint32_t version = der_u32(&r, DAMAGED "the RSA key's version");
    if (r.wrong == NULL && version != 0)
        return key_file_say(
            j, KEY_FILE_UNSUPPORTED, "RSA key of another version than 0 (with two primes)");
    struct bytes n = der_positive(&r, NUMBER("modulus"));
    struct bytes e = der_positive(&r, NUMBER("public exponent"));
    struct bytes d = der_positive(&r, NUMBER("private exponent"));
    struct bytes p = der_positive(&r, NUMBER("first prime"));
    struct bytes q = der_positive(&r, NUMBER("second prime"));
    (void)der_positive(&r, NUMBER("first remainder")); /* computed anew for every signature */
    (void)der_positive(&r, NUMBER("second remainder"));
    struct bytes iqmp = der_positive(&r, NUMBER("coefficient"));
    der_leave(&outer, &r, DAMAGED "nine numbers of an RSA key, no more");
    if (!is_done(j, &outer))
        return KEY_FILE_BAD;
    if (n.n > KEY_RSA_MAX_BITS / 8)
        return key_file_say(j, KEY_FILE_UNSUPPORTED, "RSA key of more than 4096 bits");

    struct halves h;
    begin(&h, &key_type_rsa);
    wire_put_mpint(&h.blob, e);
    wire_put_mpint(&h.blob, n);
    const struct bytes in_order[] = {n, e, d, iqmp, p, q};
    for (size_t i = 0; i < sizeof in_order / sizeof in_order[0]; i++)
        wire_put_mpint(&h.fields, in_order[i]);
    return finish(j, &h);
}

/* ---- NIST curves ----------------------------------------------------------------------------- */

static const struct named_curve {
    struct bytes oid; /* RFC 5480 section 2.1.1.1 */
    const struct key_type *type;
} named_curves[] = {
    {{(const uint8_t *)"\x2a\x86\x48\xce\x3d\x03\x01\x07", 8}, &key_type_ecdsa_p256},
    {{(const uint8_t *)"\x2b\x81\x04\x00\x22", 5}, &key_type_ecdsa_p384},
    {{(const uint8_t *)"\x2b\x81\x04\x00\x23", 5}, &key_type_ecdsa_p521},
};

static const struct key_type *find_curve(struct bytes oid)
{
    for (size_t i = 0; i < sizeof named_curves / sizeof named_curves[0]; i++)
        if (bytes_equal(oid, named_curves[i].oid))
            return named_curves[i].type;
    return NULL;
}

/* Is point, as a file has it, the one that belongs to the scalar? It may be compressed: SEC 1
 * section 2.3.3. */
static bool is_same_point(const struct nist_curve *c, struct bytes point, const uint8_t *derived)
{
    uint8_t compressed[1 + NIST_SCALAR_MAX];
    memcpy(compressed, derived, 1 + c->bytes);
    compressed[0] = (uint8_t)(0x02 | (derived[2 * c->bytes] & 1));
    return bytes_equal(point, (struct bytes){derived, 1 + 2 * c->bytes}) ||
           bytes_equal(point, (struct bytes){compressed, 1 + c->bytes});
}

/* point is empty where the file has none. */
static enum key_file_status make_ecdsa(
    struct key_job *j, const struct key_type *type, struct bytes secret, struct bytes point)
{
    const struct nist_curve *c = type->curve;
    uint8_t scalar[NIST_SCALAR_MAX], derived[NIST_POINT_MAX];
    enum key_file_status s;
    struct halves h;
    if (!nist_scalar_pad(c, secret, scalar) || !nist_scalar_is_good(c, scalar))
        s = key_file_say(j, KEY_FILE_BAD, DAMAGED "a secret number of the curve's size");
    else if (nist_public(c, scalar, derived) != 1 + 2 * c->bytes ||
             (point.n > 0 && !is_same_point(c, point, derived)))
        s = key_file_say(
            j, KEY_FILE_BAD, "damaged key file: private key does not belong to the public one");
    else {
        begin(&h, type);
        for (int i = 0; i < 2; i++) {
            wire_put_cstring(i == 0 ? &h.blob : &h.fields, c->name);
            wire_put_string(
                i == 0 ? &h.blob : &h.fields, (struct bytes){derived, 1 + 2 * c->bytes});
        }
        wire_put_mpint(&h.fields, (struct bytes){scalar, c->bytes});
        s = finish(j, &h);
    }
    secure_wipe(scalar, sizeof scalar);
    return s;
}

/* The curve, where it is told by name: parameters in full (RFC 3279) are refused, since somebody
 * would have to prove them harmless. */
static enum key_file_status read_curve(
    struct key_job *j, struct der_reader *r, const struct key_type **type)
{
    struct bytes oid = der_take(r, DER_OID, DAMAGED "the name of a curve");
    *type = find_curve(oid);
    if (r->wrong == NULL && *type == NULL)
        return key_file_say(j, KEY_FILE_UNSUPPORTED,
            "EC key on a curve that SSH does not use (P-256, P-384 and P-521 are supported)");
    return KEY_FILE_OK;
}

/* type is the curve that the algorithm's parameters named, or NULL. */
static enum key_file_status read_ec(
    struct key_job *j, struct bytes der, const struct key_type *type)
{
    struct der_reader outer = der_reader(der);
    struct der_reader r = der_enter(&outer, DER_SEQUENCE, DAMAGED "an EC key as a SEQUENCE");
    struct bytes point = {NULL, 0};
    uint32_t version = der_u32(&r, DAMAGED "version 1 of an EC key");
    struct bytes secret = der_take(&r, DER_OCTET_STRING, DAMAGED "the EC key's secret number");
    if (r.wrong == NULL && version != 1)
        return key_file_say(j, KEY_FILE_BAD, DAMAGED "version 1 of an EC key");
    if (der_next_is(&r, DER_CONTEXT_CONSTRUCTED | 0)) {
        const struct key_type *named;
        struct der_reader inner = der_enter(&r, DER_CONTEXT_CONSTRUCTED | 0, DAMAGED "a curve");
        if (der_next_is(&inner, DER_SEQUENCE))
            return key_file_say(j, KEY_FILE_UNSUPPORTED,
                "EC key with its curve spelled out: P-256, P-384 or P-521 by name is expected");
        enum key_file_status s = read_curve(j, &inner, &named);
        if (s != KEY_FILE_OK)
            return s;
        der_leave(&r, &inner, DAMAGED "one name of a curve");
        if (r.wrong == NULL && type != NULL && type != named)
            return key_file_say(j, KEY_FILE_BAD, DAMAGED "one curve, not two");
        type = named;
    }
    if (der_next_is(&r, DER_CONTEXT_CONSTRUCTED | 1)) {
        struct der_reader inner = der_enter(&r, DER_CONTEXT_CONSTRUCTED | 1, DAMAGED "a point");
        point = der_bits(&inner, DER_BIT_STRING, DAMAGED "a point as a BIT STRING");
        der_leave(&r, &inner, DAMAGED "one point");
    }
    der_leave(&outer, &r, DAMAGED "the end of the EC key");
    if (!is_done(j, &outer))
        return KEY_FILE_BAD;
    if (type == NULL)
        return key_file_say(j, KEY_FILE_BAD, DAMAGED "the name of the EC key's curve");
    return make_ecdsa(j, type, secret, point);
}

/* ---- Ed25519 --------------------------------------------------------------------------------- */

/* RFC 8410 section 7: the seed as an OCTET STRING. point is empty where the file has none. */
static enum key_file_status read_ed25519(struct key_job *j, struct bytes der, struct bytes point)
{
    struct der_reader r = der_reader(der);
    struct bytes seed = der_take(&r, DER_OCTET_STRING, DAMAGED "an Ed25519 seed");
    if (!is_done(j, &r))
        return KEY_FILE_BAD;
    if (seed.n != crypto_sign_SEEDBYTES)
        return key_file_say(j, KEY_FILE_BAD, DAMAGED "an Ed25519 seed of 32 bytes");

    uint8_t derived[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
    enum key_file_status s;
    (void)crypto_sign_seed_keypair(derived, secret, seed.p); /* returns 0 always */
    if (point.n > 0 && !bytes_equal(point, (struct bytes){derived, sizeof derived})) {
        s = key_file_say(
            j, KEY_FILE_BAD, "damaged key file: private key does not belong to the public one");
    } else {
        struct halves h;
        begin(&h, &key_type_ed25519);
        wire_put_string(&h.blob, (struct bytes){derived, sizeof derived});
        wire_put_string(&h.fields, (struct bytes){derived, sizeof derived});
        wire_put_string(&h.fields, (struct bytes){secret, sizeof secret});
        s = finish(j, &h);
    }
    secure_wipe(secret, sizeof secret);
    return s;
}

/* ---- PKCS #8 --------------------------------------------------------------------------------- */

enum algorithm { RSA, EC, ED25519, NO_USE };

static const struct key_algorithm {
    struct bytes oid;
    enum algorithm id;
    const char *why; /* NO_USE */
} key_algorithms[] = {
    {{(const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", 9}, RSA, NULL},
    {{(const uint8_t *)"\x2a\x86\x48\xce\x3d\x02\x01", 7}, EC, NULL},
    {{(const uint8_t *)"\x2b\x65\x70", 3}, ED25519, NULL},
    {{(const uint8_t *)"\x2b\x65\x71", 3}, NO_USE, "Ed448 key, which is not supported"},
    {{(const uint8_t *)"\x2b\x65\x6e", 3}, NO_USE, "X25519 key, which cannot sign"},
    {{(const uint8_t *)"\x2b\x65\x6f", 3}, NO_USE, "X448 key, which cannot sign"},
    {{(const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", 9}, NO_USE,
        "RSA key for PSS signatures only, which SSH does not have"},
    {{(const uint8_t *)"\x2a\x86\x48\xce\x38\x04\x01", 7}, NO_USE,
        "DSA key: no longer in use (Ed25519, ECDSA and RSA are supported)"},
};

static const struct key_algorithm *find_algorithm(struct bytes oid)
{
    for (size_t i = 0; i < sizeof key_algorithms / sizeof key_algorithms[0]; i++)
        if (bytes_equal(oid, key_algorithms[i].oid))
            return &key_algorithms[i];
    return NULL;
}

/* AlgorithmIdentifier: *curve is set where it names one. */
static enum key_file_status read_algorithm(
    struct key_job *j, struct der_reader *outer, enum algorithm *id, const struct key_type **curve)
{
    struct der_reader r = der_enter(outer, DER_SEQUENCE, DAMAGED "the key's algorithm");
    struct bytes oid = der_take(&r, DER_OID, DAMAGED "the name of the key's algorithm");
    const struct key_algorithm *a = find_algorithm(oid);
    enum key_file_status s = KEY_FILE_OK;
    if (r.wrong == NULL && (a == NULL || a->id == NO_USE))
        return key_file_say(j, KEY_FILE_UNSUPPORTED,
            a != NULL ? a->why : "key type not supported (Ed25519, ECDSA and RSA are)");
    *id = a != NULL ? a->id : NO_USE;
    if (*id == RSA && der_next_is(&r, DER_NULL))
        (void)der_take(&r, DER_NULL, DAMAGED "NULL");
    else if (*id == EC && der_next_is(&r, DER_SEQUENCE))
        s = key_file_say(j, KEY_FILE_UNSUPPORTED,
            "EC key with its curve spelled out: P-256, P-384 or P-521 by name is expected");
    else if (*id == EC)
        s = read_curve(j, &r, curve);
    if (s == KEY_FILE_OK)
        der_leave(outer, &r, DAMAGED "nothing more about the key's algorithm");
    return s;
}

enum key_file_status key_pkcs8_read(struct key_job *j)
{
    struct der_reader outer = der_reader((struct bytes){j->raw, j->n});
    struct der_reader r = der_enter(&outer, DER_SEQUENCE, DAMAGED "a PKCS #8 key as a SEQUENCE");
    const struct key_type *curve = NULL;
    enum algorithm id = NO_USE;
    struct bytes public = {NULL, 0};
    uint32_t version = der_u32(&r, DAMAGED "version 0 or 1 of PKCS #8");
    if (r.wrong == NULL && version > 1)
        return key_file_say(j, KEY_FILE_BAD, DAMAGED "version 0 or 1 of PKCS #8");
    enum key_file_status s = read_algorithm(j, &r, &id, &curve);
    if (s != KEY_FILE_OK)
        return s;
    struct bytes key = der_take(&r, DER_OCTET_STRING, DAMAGED "a key as an OCTET STRING");
    if (der_next_is(&r, DER_CONTEXT_CONSTRUCTED | 0)) /* attributes say nothing of use here */
        (void)der_take(&r, DER_CONTEXT_CONSTRUCTED | 0, DAMAGED "attributes");
    if (version == 1 && der_next_is(&r, DER_CONTEXT | 1))
    public = der_bits(&r, DER_CONTEXT | 1, DAMAGED "a public key as a BIT STRING");
    der_leave(&outer, &r, DAMAGED "the end of the PKCS #8 key");
    if (!is_done(j, &outer))
        return KEY_FILE_BAD;
    switch (id) {
    case RSA: return read_rsa(j, key);
    case EC: return read_ec(j, key, curve);
    case ED25519: return read_ed25519(j, key, public);
    case NO_USE: break;
    }
    return key_file_say(j, KEY_FILE_BAD, DAMAGED "the name of the key's algorithm");
}

enum key_file_status key_pkcs1_read(struct key_job *j)
{
    return read_rsa(j, (struct bytes){j->raw, j->n});
}

enum key_file_status key_sec1_read(struct key_job *j)
{
    return read_ec(j, (struct bytes){j->raw, j->n}, NULL);
}
