/* Certificates: form first (cert_parse), worth second (cert_check). The form is
 *
 *   type, nonce, the key's fields, serial, kind, key id, principals, valid after, valid before,
 *   critical options, extensions, reserved, authority's key, signature over all before it */
#include "crypto/cert.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "crypto/key_type.h"
#include "proto/known_hosts.h"
#include "proto/namelist.h"
#include "proto/text.h"

#define CERT_TYPE(symbol, of, type_name, people, algs)                                             \
    const struct key_type symbol = {                                                               \
        .name = type_name, .short_name = people, .algorithms = algs, .plain = &of}

CERT_TYPE(key_type_ed25519_cert, key_type_ed25519, "ssh-ed25519-cert-v01@openssh.com",
    "ED25519-CERT", "ssh-ed25519-cert-v01@openssh.com");
CERT_TYPE(key_type_ecdsa_p256_cert, key_type_ecdsa_p256, "ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "ECDSA-CERT", "ecdsa-sha2-nistp256-cert-v01@openssh.com");
CERT_TYPE(key_type_ecdsa_p384_cert, key_type_ecdsa_p384, "ecdsa-sha2-nistp384-cert-v01@openssh.com",
    "ECDSA-CERT", "ecdsa-sha2-nistp384-cert-v01@openssh.com");
CERT_TYPE(key_type_ecdsa_p521_cert, key_type_ecdsa_p521, "ecdsa-sha2-nistp521-cert-v01@openssh.com",
    "ECDSA-CERT", "ecdsa-sha2-nistp521-cert-v01@openssh.com");
const struct key_type key_type_rsa_cert = {.name = "ssh-rsa-cert-v01@openssh.com",
    .short_name = "RSA-CERT",
    .algorithms = "rsa-sha2-512-cert-v01@openssh.com,rsa-sha2-256-cert-v01@openssh.com",
    .by_name = "ssh-rsa-cert-v01@openssh.com",
    .plain = &key_type_rsa};
CERT_TYPE(key_type_sk_ed25519_cert, key_type_sk_ed25519, "sk-ssh-ed25519-cert-v01@openssh.com",
    "ED25519-SK-CERT", "sk-ssh-ed25519-cert-v01@openssh.com");
CERT_TYPE(key_type_sk_ecdsa_cert, key_type_sk_ecdsa, "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "ECDSA-SK-CERT", "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com");

/* ---- form ------------------------------------------------------------------------------------ */

static const struct key_type *type_of(struct bytes blob)
{
    struct wire_reader r = wire_reader(blob);
    struct bytes name = wire_string(&r);
    return r.bad ? NULL : key_type_find(name);
}

bool cert_is(struct bytes blob)
{
    const struct key_type *t = type_of(blob);
    return t != NULL && t->plain != NULL;
}

bool cert_next_principal(struct bytes *list, struct bytes *name)
{
    struct wire_reader r = wire_reader(*list);
    if (list->n == 0)
        return false;
    *name = wire_string(&r);
    *list = wire_rest(&r);
    return !r.bad;
}

bool cert_next_option(struct bytes *list, struct bytes *name, struct bytes *data)
{
    struct wire_reader r = wire_reader(*list);
    if (list->n == 0)
        return false;
    *name = wire_string(&r);
    *data = wire_string(&r);
    *list = wire_rest(&r);
    return !r.bad;
}

static bool principals_are_good(struct bytes packed)
{
    struct wire_reader r = wire_reader(packed);
    for (unsigned n = 0; r.left > 0; n++) {
        struct bytes name = wire_string(&r);
        if (r.bad || n == CERT_PRINCIPALS_MAX ||
            (name.n > 0 && memchr(name.p, '\0', name.n) != NULL))
            return false;
    }
    return true;
}

static bool is_above(struct bytes a, struct bytes b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n > 0 ? memcmp(a.p, b.p, n) : 0;
    return order > 0 || (order == 0 && a.n > b.n);
}

/* PROTOCOL.certkeys: in lexical order, each name once. */
static bool options_are_good(struct bytes packed)
{
    struct wire_reader r = wire_reader(packed);
    struct bytes last = {NULL, 0};
    while (r.left > 0) {
        struct bytes name = wire_string(&r);
        (void)wire_string(&r);
        if (r.bad || !is_above(name, last))
            return false;
        last = name;
    }
    return true;
}

/* Chains do not exist: an authority is a plain key. Looked at before key_check(), so that nothing
 * here calls itself. */
static bool authority_is_good(struct bytes ca)
{
    const struct key_type *t = type_of(ca);
    return t != NULL && t->plain == NULL && key_check(ca, NULL) == ERR_OK;
}

static enum err parse(struct bytes blob, struct cert *c)
{
    struct wire_reader r = wire_reader(blob);
    const struct key_type *t = key_type_find(wire_string(&r));
    if (t == NULL || t->plain == NULL)
        return ERR_UNSUPPORTED;
    (void)wire_string(&r); /* a nonce, so that what is signed cannot be foreseen */
    c->key_type = t->plain->name;
    c->fields = key_take_fields(&r, t->plain->n_fields);
    c->serial = wire_u64(&r);
    uint32_t kind = wire_u32(&r);
    c->key_id = wire_string(&r);
    c->principals = wire_string(&r);
    c->valid_after = wire_u64(&r);
    c->valid_before = wire_u64(&r);
    c->critical = wire_string(&r);
    c->extensions = wire_string(&r);
    (void)wire_string(&r); /* reserved */
    c->ca = wire_string(&r);
    c->signed_part = (struct bytes){blob.p, blob.n - r.left};
    c->signature = wire_string(&r);
    if (!wire_done(&r) || (kind != CERT_USER && kind != CERT_HOST))
        return ERR_MALFORMED;
    c->kind = (enum cert_kind)kind;
    struct wire_reader key = wire_reader(c->fields);
    c->bits = t->plain->check(t->plain, &key);
    bool ok = c->bits != 0 && principals_are_good(c->principals) && options_are_good(c->critical) &&
              options_are_good(c->extensions) && authority_is_good(c->ca);
    return ok ? ERR_OK : ERR_MALFORMED;
}

enum err cert_parse(struct bytes blob, struct cert *c)
{
    *c = (struct cert){.key_type = NULL};
    enum err e = blob.n > KEY_BLOB_MAX ? ERR_LIMIT : parse(blob, c);
    if (e != ERR_OK)
        *c = (struct cert){.key_type = NULL};
    return e;
}

bool cert_has_option(struct bytes list, const char *name, struct bytes *data)
{
    struct bytes one, content;
    while (cert_next_option(&list, &one, &content))
        if (bytes_is(one, name)) {
            if (data != NULL)
                *data = content;
            return true;
        }
    return false;
}

bool cert_has_principal(const struct cert *c, struct bytes name)
{
    struct bytes list = c->principals, one;
    while (cert_next_principal(&list, &one))
        if (bytes_equal(one, name))
            return true;
    return false;
}

size_t cert_plain_key(const struct cert *c, uint8_t *out, size_t cap)
{
    struct wire_writer w = wire_writer(out, cap);
    wire_put_cstring(&w, c->key_type);
    wire_put_raw(&w, c->fields);
    return w.bad ? 0 : w.len;
}

struct bytes cert_plain_blob(struct bytes blob, uint8_t room[KEY_BLOB_MAX])
{
    struct cert c;
    if (!cert_is(blob) || cert_parse(blob, &c) != ERR_OK)
        return blob;
    return (struct bytes){room, cert_plain_key(&c, room, KEY_BLOB_MAX)};
}

/* ---- time as text ---------------------------------------------------------------------------- */

struct time_text {
    char s[32];
};

/* UTC. Days since 1970 to a date by counting 400-year eras from 1 March of year 0. */
static struct time_text utc(uint64_t seconds)
{
    static const uint64_t last = 253402300799U; /* the end of year 9999 */
    struct time_text text;
    if (seconds > last)
        seconds = last;
    unsigned days = (unsigned)(seconds / 86400) + 719468, rest = (unsigned)(seconds % 86400);
    unsigned era = days / 146097, day = days % 146097;
    unsigned year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    unsigned yday = day - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * yday + 2) / 153; /* 0 is March */
    snprintf(text.s, sizeof text.s, "%04u-%02u-%02uT%02u:%02u:%02uZ",
        (era * 400 + year + (month >= 10)) % 10000, (month < 10 ? month + 3 : month - 9) % 100,
        (yday - (153 * month + 2) / 5 + 1) % 100, rest / 3600 % 100, rest / 60 % 60, rest % 60);
    return text;
}

void cert_validity_text(const struct cert *c, char out[CERT_VALIDITY_MAX])
{
    bool begins = c->valid_after != 0, ends = c->valid_before != CERT_FOREVER;
    struct time_text from = utc(c->valid_after), to = utc(c->valid_before);
    if (begins && ends)
        snprintf(out, CERT_VALIDITY_MAX, "from %s to %s", from.s, to.s);
    else if (begins || ends)
        snprintf(
            out, CERT_VALIDITY_MAX, "%s %s", begins ? "after" : "before", begins ? from.s : to.s);
    else
        snprintf(out, CERT_VALIDITY_MAX, "forever");
}

/* ---- worth ----------------------------------------------------------------------------------- */

static enum err say(char why[CERT_WHY_MAX], const char *text)
{
    snprintf(why, CERT_WHY_MAX, "%s", text);
    return ERR_SIGNATURE;
}

static enum err say_name(
    char why[CERT_WHY_MAX], const char *before, struct bytes name, const char *after)
{
    char shown[100];
    text_escape(shown, sizeof shown, name, TEXT_LINE);
    snprintf(why, CERT_WHY_MAX, "%s%s%s", before, shown, after);
    return ERR_SIGNATURE;
}

/* A security key that is an authority need not be touched for each signature: whether it is, was
 * decided when it was made. */
static enum err check_signature(
    const struct cert *c, const struct cert_rules *rules, char why[CERT_WHY_MAX])
{
    const char *allowed =
        rules->ca_algorithms != NULL ? rules->ca_algorithms : key_signature_names();
    struct key_sk_facts facts;
    struct wire_reader r = wire_reader(c->signature);
    struct bytes alg = wire_string(&r);
    if (!namelist_has(bytes_of(allowed), alg))
        return say_name(
            why, "its authority signed with ", alg, ", which CASignatureAlgorithms does not allow");
    if (key_algorithm_is_certificate(alg) ||
        key_verify_named(c->ca, alg, c->signature, c->signed_part, &facts) != ERR_OK)
        return say(why, "its authority's signature does not verify");
    return ERR_OK;
}

static enum err check_time(
    const struct cert *c, const struct cert_rules *rules, char why[CERT_WHY_MAX])
{
    if (rules->now_s < c->valid_after)
        snprintf(why, CERT_WHY_MAX, "not valid until %s", utc(c->valid_after).s);
    else if (rules->now_s >= c->valid_before)
        snprintf(why, CERT_WHY_MAX, "expired since %s", utc(c->valid_before).s);
    else
        return ERR_OK;
    return ERR_SIGNATURE;
}

static enum err check_principals(
    const struct cert *c, const struct cert_rules *rules, char why[CERT_WHY_MAX])
{
    struct bytes list = c->principals, one;
    if (list.n == 0)
        return say(why, "it lists no principals");
    if (rules->any_principal)
        return ERR_OK;
    while (cert_next_principal(&list, &one))
        if (rules->has_patterns ? pattern_match(one, rules->name) : bytes_equal(one, rules->name))
            return ERR_OK;
    return say_name(why, "principal '", rules->name, "' is not listed");
}

static enum err check_critical(
    const struct cert *c, const struct cert_rules *rules, char why[CERT_WHY_MAX])
{
    struct bytes known = bytes_of(rules->critical != NULL ? rules->critical : "");
    struct bytes list = c->critical, name, data;
    while (cert_next_option(&list, &name, &data))
        if (!namelist_has(known, name))
            return say_name(why, "critical option '", name, "' is not known");
    return ERR_OK;
}

enum err cert_check(const struct cert *c, const struct cert_rules *rules, char why[CERT_WHY_MAX])
{
    why[0] = '\0';
    if (c->kind != rules->kind)
        return say(why, rules->kind == CERT_HOST
                            ? "it is a user certificate, not a host certificate"
                            : "it is a host certificate, not a user certificate");
    enum err e = check_signature(c, rules, why);
    if (e == ERR_OK)
        e = check_time(c, rules, why);
    if (e == ERR_OK)
        e = check_principals(c, rules, why);
    if (e == ERR_OK)
        e = check_critical(c, rules, why);
    return e;
}
