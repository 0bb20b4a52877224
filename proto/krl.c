#include "proto/krl.h"

#include <string.h>

static const uint8_t magic[] = {'S', 'S', 'H', 'K', 'R', 'L', '\n', 0};
enum { FORMAT_VERSION = 1 };

enum section {
    SECTION_CERTIFICATES = 1,
    SECTION_EXPLICIT_KEY = 2,
    SECTION_FINGERPRINT_SHA1 = 3,
    SECTION_SIGNATURE = 4,
    SECTION_FINGERPRINT_SHA256 = 5,
    SECTION_EXTENSION = 255,
};
enum certificate_section {
    CERT_SERIAL_LIST = 0x20,
    CERT_SERIAL_RANGE = 0x21,
    CERT_SERIAL_BITMAP = 0x22,
    CERT_KEY_ID = 0x23,
    CERT_EXTENSION = 0x39,
};

/* One walk over a list. The first thing wrong stays. */
struct walk {
    const struct krl_question *q;
    bool revoked;
    const char *why;
};

static void wrong(struct walk *w, const char *why)
{
    if (w->why == NULL)
        w->why = why;
}

static void expect_done(struct walk *w, const struct wire_reader *r, const char *why)
{
    if (!wire_done(r))
        wrong(w, why);
}

/* ---- certificates ------------------------------------------------------------------------------
 */

static void revoke_serials(struct walk *w, uint64_t low, uint64_t high)
{
    if (low > high)
        wrong(w, "expected a range of serial numbers to end behind its start");
    else if (w->q->serial != 0 && low <= w->q->serial && w->q->serial <= high)
        w->revoked = true;
}

static void serial_list(struct walk *w, struct wire_reader *r)
{
    while (r->left > 0 && !r->bad) {
        uint64_t serial = wire_u64(r);
        if (!r->bad)
            revoke_serials(w, serial, serial);
    }
    expect_done(w, r, "expected serial numbers of eight bytes each");
}

static void serial_range(struct walk *w, struct wire_reader *r)
{
    uint64_t low = wire_u64(r);
    uint64_t high = wire_u64(r);
    expect_done(w, r, "expected two serial numbers of eight bytes each");
    if (w->why == NULL)
        revoke_serials(w, low, high);
}

/* Bit i of the number, counted from its lowest, stands for serial first + i. */
static void serial_bitmap(struct walk *w, struct wire_reader *r)
{
    uint64_t first = wire_u64(r), serial = w->q->serial;
    struct bytes bits = wire_mpint(r);
    expect_done(w, r, "expected a serial number and a bitmap");
    if (w->why != NULL || serial == 0 || serial < first)
        return;
    uint64_t at = serial - first;
    if (at / 8 < bits.n && ((unsigned)bits.p[bits.n - 1 - at / 8] >> (at % 8) & 1) != 0)
        w->revoked = true;
}

static void key_ids(struct walk *w, struct wire_reader *r)
{
    while (r->left > 0 && !r->bad) {
        struct bytes id = wire_string(r);
        if (!r->bad && w->q->is_certificate && bytes_equal(id, w->q->key_id))
            w->revoked = true;
    }
    expect_done(w, r, "expected key ids");
}

static void extension(struct walk *w, struct wire_reader *r)
{
    wire_string(r); /* its name */
    bool is_critical = wire_bool(r);
    wire_string(r); /* its contents */
    expect_done(w, r, "expected an extension: name, critical or not, contents");
    if (is_critical)
        wrong(w, "it holds a critical extension that adit does not have");
}

static void certificate_section(struct walk *w, unsigned type, struct bytes body)
{
    struct wire_reader r = wire_reader(body);
    switch (type) {
    case CERT_SERIAL_LIST: serial_list(w, &r); break;
    case CERT_SERIAL_RANGE: serial_range(w, &r); break;
    case CERT_SERIAL_BITMAP: serial_bitmap(w, &r); break;
    case CERT_KEY_ID: key_ids(w, &r); break;
    case CERT_EXTENSION: extension(w, &r); break;
    default: wrong(w, "it holds a section about certificates that adit does not have"); break;
    }
}

/* Of one CA, or of every one when none is named. */
static void certificates(struct walk *w, struct wire_reader *r)
{
    struct bytes ca = wire_string(r);
    wire_string(r); /* reserved */
    bool is_theirs = w->q->is_certificate && (ca.n == 0 || bytes_equal(ca, w->q->ca_key));
    struct walk inner = {.q = w->q};
    while (r->left > 0 && !r->bad && inner.why == NULL) {
        unsigned type = wire_u8(r);
        struct bytes body = wire_string(r);
        if (!r->bad)
            certificate_section(&inner, type, body);
    }
    expect_done(w, r, "expected sections about certificates");
    if (inner.why != NULL)
        wrong(w, inner.why);
    if (is_theirs && inner.revoked)
        w->revoked = true;
}

/* ---- keys and their hashes
 * ----------------------------------------------------------------------- */

static void explicit_keys(struct walk *w, struct wire_reader *r)
{
    while (r->left > 0 && !r->bad) {
        struct bytes key = wire_string(r);
        if (!r->bad && bytes_equal(key, w->q->key))
            w->revoked = true;
    }
    expect_done(w, r, "expected public keys");
}

static void fingerprints(struct walk *w, struct wire_reader *r, const uint8_t *digest, size_t n)
{
    while (r->left > 0 && !r->bad && w->why == NULL) {
        struct bytes one = wire_string(r);
        if (!r->bad && one.n != n)
            wrong(w, "expected fingerprints of the length of their hash");
        if (bytes_equal(one, (struct bytes){digest, n}))
            w->revoked = true;
    }
    expect_done(w, r, "expected fingerprints");
}

static void section(struct walk *w, unsigned type, struct bytes body)
{
    struct wire_reader r = wire_reader(body);
    switch (type) {
    case SECTION_CERTIFICATES: certificates(w, &r); break;
    case SECTION_EXPLICIT_KEY: explicit_keys(w, &r); break;
    case SECTION_FINGERPRINT_SHA1: fingerprints(w, &r, w->q->sha1, KRL_SHA1_BYTES); break;
    case SECTION_FINGERPRINT_SHA256: fingerprints(w, &r, w->q->sha256, KRL_SHA256_BYTES); break;
    case SECTION_EXTENSION: extension(w, &r); break;
    default: wrong(w, "it holds a section that adit does not have"); break;
    }
}

/* ---- the file
 * ------------------------------------------------------------------------------------ */

bool krl_is_one(struct bytes file)
{
    return file.n >= sizeof magic && memcmp(file.p, magic, sizeof magic) == 0;
}

static void header(struct walk *w, struct wire_reader *r)
{
    struct bytes mark = wire_take(r, sizeof magic);
    uint32_t version = wire_u32(r);
    wire_u64(r);    /* the list's own version */
    wire_u64(r);    /* when it was made */
    wire_u64(r);    /* flags: none are defined */
    wire_string(r); /* reserved */
    wire_string(r); /* comment */
    if (r->bad || !krl_is_one(mark))
        wrong(w, "expected the head of a key revocation list");
    else if (version != FORMAT_VERSION)
        wrong(w, "expected format version 1 of key revocation lists");
}

enum krl_verdict krl_check(struct bytes file, const struct krl_question *q, const char **why)
{
    struct walk w = {.q = q};
    struct wire_reader r = wire_reader(file);
    header(&w, &r);
    while (w.why == NULL && r.left > 0 && !r.bad) {
        unsigned type = wire_u8(&r);
        struct bytes body = wire_string(&r); /* SIGNATURE: the key; the signature comes behind it */
        if (type == SECTION_SIGNATURE)
            wire_string(&r);
        else if (!r.bad)
            section(&w, type, body);
    }
    if (w.why == NULL)
        expect_done(&w, &r, "expected a section: it ends too early");
    *why = w.why;
    if (w.why != NULL)
        return KRL_UNUSABLE;
    return w.revoked ? KRL_REVOKED : KRL_CLEAR;
}
