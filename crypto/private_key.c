/* Private keys in memory: made, asked, used for signing, written. Reading them is key_file.c's. */
#include "crypto/private_key.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "crypto/cert.h"
#include "crypto/ct.h"
#include "crypto/hash.h"
#include "crypto/key_file.h"

static struct bytes keep(uint8_t **at, struct bytes b)
{
    if (b.n > 0)
        memcpy(*at, b.p, b.n);
    struct bytes kept = {*at, b.n};
    *at += b.n;
    return kept;
}

struct private_key *private_key_new(
    const struct key_type *type, struct bytes blob, struct bytes fields, struct bytes comment)
{
    size_t n = sizeof(struct private_key) + blob.n + fields.n + comment.n + 1;
    struct private_key *k = secret_alloc(n);
    if (k == NULL)
        return NULL;
    uint8_t *at = k->room;
    k->type = type;
    k->object_bytes = n;
    k->blob = keep(&at, blob);
    k->fields = keep(&at, fields);
    k->comment = (const char *)keep(&at, comment).p; /* memory was zeroed, so its NUL is there */
    return k;
}

void private_key_free(struct private_key *k)
{
    if (k != NULL)
        secret_free(k, k->object_bytes);
}

struct private_key *private_key_generate(struct rng *rng)
{
    uint8_t seed[crypto_sign_SEEDBYTES];
    uint8_t point[crypto_sign_PUBLICKEYBYTES];
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    uint8_t blob_room[64], fields_room[128];
    struct private_key *k = NULL;

    rng_bytes(rng, seed, sizeof seed);
    if (crypto_sign_seed_keypair(point, secret, seed) == 0) {
        ct_public(point, sizeof point);
        ct_public(secret + sizeof seed, sizeof point); /* the same again */
        struct wire_writer blob = wire_writer(blob_room, sizeof blob_room);
        wire_put_cstring(&blob, key_type_ed25519.name);
        wire_put_string(&blob, (struct bytes){point, sizeof point});
        struct wire_writer fields = wire_writer(fields_room, sizeof fields_room);
        wire_put_string(&fields, (struct bytes){point, sizeof point});
        wire_put_string(&fields, (struct bytes){secret, sizeof secret});
        k = private_key_new(
            &key_type_ed25519, wire_written(&blob), wire_written(&fields), (struct bytes){NULL, 0});
    }
    secure_wipe(seed, sizeof seed);
    secure_wipe(secret, sizeof secret);
    secure_wipe(fields_room, sizeof fields_room);
    return k;
}

struct bytes private_key_blob(const struct private_key *k)
{
    return k->blob;
}

const char *private_key_comment(const struct private_key *k)
{
    return k->comment;
}

const char *private_key_algorithms(const struct private_key *k)
{
    return k->type->algorithms;
}

struct private_key *private_key_certify(const struct private_key *k, struct bytes cert)
{
    struct cert c;
    uint8_t blob[KEY_BLOB_MAX];
    if (k->type->plain != NULL || cert_parse(cert, &c) != ERR_OK)
        return NULL;
    size_t n = cert_plain_key(&c, blob, sizeof blob);
    struct wire_reader r = wire_reader(cert);
    const struct key_type *type = key_type_find(wire_string(&r));
    if (!bytes_equal(k->blob, (struct bytes){blob, n}) || type == NULL)
        return NULL;
    return private_key_new(type, cert, k->fields, bytes_of(k->comment));
}

enum err private_key_sign(
    const struct private_key *k, struct bytes alg, struct bytes data, uint8_t *out, size_t *out_n)
{
    *out_n = 0;
    const struct key_type *t = k->type;
    if (!key_type_has_algorithm(t, alg))
        return ERR_UNSUPPORTED;
    if (t->plain != NULL) {
        t = t->plain;
        alg = key_signature_name(alg);
    }
    struct wire_writer w = wire_writer(out, KEY_SIGNATURE_MAX);
    wire_put_string(&w, alg);
    size_t inner = wire_open_string(&w);
    enum err e = t->sign(t, k->fields, alg, data, &w);
    wire_close_string(&w, inner);
    if (e == ERR_OK && w.bad)
        e = ERR_INTERNAL;
    if (e != ERR_OK) {
        secure_wipe(out, w.len);
        return e;
    }
    *out_n = w.len;
    return ERR_OK;
}

void private_key_put(const struct private_key *k, struct wire_writer *w)
{
    wire_put_cstring(w, k->type->name);
    wire_put_raw(w, k->fields);
}

/* ---- writing ------------------------------------------------------------------------------- */

/* The private section: check words, the key, its comment, padding 1 2 3 ... to a multiple of 8. In
 * a file that is not encrypted the check words guard nothing, so any two equal ones do. */
static void put_private_section(
    struct wire_writer *w, const struct private_key *k, const char *comment)
{
    uint8_t digest[32];
    hash_once(HASH_SHA256, k->blob, digest);
    size_t section = wire_open_string(w);
    size_t start = w->len;
    wire_put_raw(w, (struct bytes){digest, 4});
    wire_put_raw(w, (struct bytes){digest, 4});
    private_key_put(k, w);
    wire_put_cstring(w, comment);
    for (uint8_t pad = 1; (w->len - start) % 8 != 0 && !w->bad; pad++)
        wire_put_u8(w, pad);
    wire_close_string(w, section);
}

static void put_file(struct wire_writer *w, const struct private_key *k, const char *comment)
{
    wire_put_raw(w, (struct bytes){(const uint8_t *)KEY_FILE_MAGIC, sizeof KEY_FILE_MAGIC});
    wire_put_cstring(w, "none"); /* cipher */
    wire_put_cstring(w, "none"); /* key derivation */
    wire_put_cstring(w, "");     /* its options */
    wire_put_u32(w, 1);          /* keys */
    wire_put_string(w, k->blob);
    put_private_section(w, k, comment);
}

enum { LINE_CHARS = 70 }; /* as ssh-keygen writes them */

/* The base64 text b64, in lines, between the markers; 0 when cap is too small. */
static size_t put_lines(const char *b64, char *out, size_t cap)
{
    size_t b64_n = strlen(b64);
    size_t n_lines = (b64_n + LINE_CHARS - 1) / LINE_CHARS;
    size_t n = sizeof KEY_FILE_BEGIN + b64_n + n_lines + sizeof KEY_FILE_END; /* NULs as LFs */
    if (n >= cap)
        return 0;
    char *at = out + snprintf(out, cap, "%s\n", KEY_FILE_BEGIN);
    for (size_t i = 0; i < b64_n; i += LINE_CHARS)
        at += snprintf(at, cap - (size_t)(at - out), "%.*s\n", (int)LINE_CHARS, b64 + i);
    snprintf(at, cap - (size_t)(at - out), "%s\n", KEY_FILE_END);
    return n;
}

size_t private_key_write(const struct private_key *k, const char *comment, char *out, size_t cap)
{
    size_t raw_cap = k->object_bytes + strlen(comment) + k->blob.n + 256;
    size_t text_cap = sodium_base64_ENCODED_LEN(raw_cap, sodium_base64_VARIANT_ORIGINAL);
    uint8_t *raw = secret_alloc(raw_cap);
    char *text = secret_alloc(text_cap);
    size_t n = 0;
    if (raw != NULL && text != NULL && k->type->plain == NULL) {
        struct wire_writer w = wire_writer(raw, raw_cap);
        put_file(&w, k, comment);
        if (!w.bad) {
            (void)sodium_bin2base64(text, text_cap, raw, w.len, sodium_base64_VARIANT_ORIGINAL);
            n = put_lines(text, out, cap);
        }
    }
    secret_free(raw, raw_cap);
    secret_free(text, text_cap);
    return n;
}
