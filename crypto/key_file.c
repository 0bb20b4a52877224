/* Reads private key files: finds the block of text (RFC 7468), undoes its base64, and hands what
 * was inside to the format's reader. Whatever was decoded is wiped on every path.
 *
 * What stands in front of the block is passed over, as `openssl ecparam -genkey` and `openssl
 * pkcs12` write something there. */
#include "crypto/key_file.h"

#include <string.h>

#include "crypto/base64.h"
#include "crypto/ct.h"
#include "crypto/magnitude.h"
#include "crypto/private_key.h"
#include "crypto/rsa_private.h"

enum key_file_status key_file_say(struct key_job *j, enum key_file_status status, const char *why)
{
    j->why = why;
    return status;
}

/* ---- text ------------------------------------------------------------------------------------ */

static const struct format {
    const char *label;
    enum key_file_status (*read)(struct key_job *j);
    bool has_headers; /* may be encrypted as OpenSSL did of old */
} formats[] = {
    {"OPENSSH PRIVATE KEY", key_openssh_read, false},
    {"RSA PRIVATE KEY", key_pkcs1_read, true},
    {"EC PRIVATE KEY", key_sec1_read, true},
    {"PRIVATE KEY", key_pkcs8_read, false},
    {"ENCRYPTED PRIVATE KEY", key_pbes2_read, false},
};
enum { N_FORMATS = sizeof formats / sizeof formats[0] };

struct block {
    const struct format *format;
    struct bytes body; /* between the BEGIN line and the END line */
};

static bool starts_with(struct bytes text, const char *prefix)
{
    size_t n = strlen(prefix);
    return text.n >= n && memcmp(text.p, prefix, n) == 0;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Takes a line off *text, without what is blank at its end. */
static bool next_line(struct bytes *text, struct bytes *line)
{
    if (text->n == 0)
        return false;
    const uint8_t *end = memchr(text->p, '\n', text->n);
    size_t n = end == NULL ? text->n : (size_t)(end - text->p);
    size_t taken = end == NULL ? n : n + 1;
    *line = (struct bytes){text->p, n};
    *text = (struct bytes){text->p + taken, text->n - taken};
    while (line->n > 0 && is_blank(line->p[line->n - 1]))
        line->n--;
    return true;
}

/* Is line "-----BEGIN LABEL-----", with the given words for BEGIN? */
static bool is_mark(struct bytes line, const char *words, const char *label)
{
    size_t words_n = strlen(words), label_n = strlen(label);
    return line.n == words_n + label_n + 5 && starts_with(line, words) &&
           memcmp(line.p + words_n, label, label_n) == 0 &&
           memcmp(line.p + words_n + label_n, "-----", 5) == 0;
}

static const struct format *begins(struct bytes line)
{
    for (size_t i = 0; i < N_FORMATS; i++)
        if (is_mark(line, "-----BEGIN ", formats[i].label))
            return &formats[i];
    return NULL;
}

/* The first block that could be a private key. format is NULL when there is none, body.p when it
 * has no end. */
static struct block find_block(struct bytes text)
{
    struct block b = {NULL, {NULL, 0}};
    struct bytes line;
    while (b.format == NULL && next_line(&text, &line))
        b.format = begins(line);
    const uint8_t *start = text.p;
    while (b.format != NULL && next_line(&text, &line)) {
        if (is_mark(line, "-----END ", b.format->label)) {
            b.body = (struct bytes){start, (size_t)(line.p - start)};
            break;
        }
    }
    return b;
}

/* Takes the headers of RFC 1421 section 4.6 off *body: lines with a colon, then an empty one. */
static struct bytes take_headers(struct bytes *body)
{
    struct bytes rest = *body, line, headers = {body->p, 0};
    while (next_line(&rest, &line) && memchr(line.p, ':', line.n) != NULL) {
        headers.n = (size_t)(rest.p - headers.p);
        *body = rest;
    }
    return headers;
}

/* ---- what is no private key ------------------------------------------------------------------ */

#define NOT_PRIVATE "this is a public key: the private one is expected, often the name without .pub"

/* By how a line starts; the file's first line that fits counts. */
static const struct other {
    const char *start;
    bool is_key; /* a private one, of a kind that is not read */
    const char *why;
} others[] = {
    {"PuTTY-User-Key-File-", true,
        "PuTTY key: convert it with: puttygen FILE -O private-openssh -o NEWFILE"},
    {"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----", true,
        "ssh.com key: convert it with: puttygen FILE -O private-openssh -o NEWFILE"},
    {"SSH PRIVATE KEY FILE FORMAT 1.1", true,
        "key for SSH protocol 1, which no server speaks any more"},
    {"-----BEGIN DSA PRIVATE KEY-----", true,
        "DSA key: no longer in use (Ed25519, ECDSA and RSA are supported)"},
    {"-----BEGIN PUBLIC KEY-----", false, NOT_PRIVATE},
    {"-----BEGIN RSA PUBLIC KEY-----", false, NOT_PRIVATE},
    {"---- BEGIN SSH2 PUBLIC KEY ----", false, NOT_PRIVATE},
    {"ssh-ed25519", false, NOT_PRIVATE},
    {"ssh-rsa", false, NOT_PRIVATE},
    {"ssh-dss", false, NOT_PRIVATE},
    {"ecdsa-sha2-nistp", false, NOT_PRIVATE},
    {"sk-ssh-ed25519", false, NOT_PRIVATE},
    {"sk-ecdsa-sha2-nistp", false, NOT_PRIVATE},
};

static enum key_file_status other_format(struct key_job *j, struct bytes text)
{
    struct bytes line;
    if (text.n == 0)
        return key_file_say(j, KEY_FILE_BAD, "not a private key: the file is empty");
    if (text.p[0] == 0x30) /* an ASN.1 SEQUENCE */
        return key_file_say(j, KEY_FILE_UNSUPPORTED,
            "key in binary (DER): convert it with: openssl pkey -inform DER -in FILE -out NEWFILE");
    while (next_line(&text, &line))
        for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
            if (starts_with(line, others[i].start))
                return key_file_say(
                    j, others[i].is_key ? KEY_FILE_UNSUPPORTED : KEY_FILE_BAD, others[i].why);
    return key_file_say(j, KEY_FILE_BAD,
        "not a private key: expected \"" KEY_FILE_BEGIN "\" or a PEM key's BEGIN line");
}

/* ---- public halves --------------------------------------------------------------------------- */

static enum key_file_status check_rsa_size(struct key_job *j, struct bytes blob)
{
    struct wire_reader r = wire_reader(blob);
    (void)wire_string(&r); /* the type name */
    (void)wire_mpint(&r);  /* e */
    unsigned bits = magnitude_bits(wire_mpint(&r));
    if (!r.bad && bits < KEY_RSA_MIN_BITS)
        return key_file_say(j, KEY_FILE_UNSUPPORTED,
            "RSA key of fewer than 2048 bits, which is too short: make one with ssh-keygen");
    if (!r.bad && bits > KEY_RSA_MAX_BITS)
        return key_file_say(j, KEY_FILE_UNSUPPORTED, "RSA key of more than 4096 bits");
    return KEY_FILE_OK;
}

enum key_file_status key_file_check_blob(
    struct key_job *j, struct bytes blob, const struct key_type **type)
{
    struct wire_reader r = wire_reader(blob);
    struct bytes name = wire_string(&r);
    *type = key_type_find(name);
    if (!r.bad && starts_with(name, "sk-"))
        return key_file_say(j, KEY_FILE_UNSUPPORTED, "a security key signs through an agent only");
    if (!r.bad && (*type == NULL || (*type)->check_private == NULL))
        return key_file_say(
            j, KEY_FILE_UNSUPPORTED, "key type not supported (Ed25519, ECDSA and RSA are)");
    if (key_check(blob, NULL) == ERR_OK)
        return KEY_FILE_OK;
    if (*type == &key_type_rsa && check_rsa_size(j, blob) != KEY_FILE_OK)
        return KEY_FILE_UNSUPPORTED;
    return key_file_say(j, KEY_FILE_BAD, "damaged key file: bad public key");
}

/* ---- the whole file -------------------------------------------------------------------------- */

/* What is encrypted without a tag and does not make sense was decrypted with the wrong key. */
static enum key_file_status read_with_headers(
    struct key_job *j, const struct format *format, struct bytes headers)
{
    if (!format->has_headers)
        return key_file_say(j, KEY_FILE_BAD, "damaged key file: headers that do not belong there");
    enum key_file_status s = key_dek_decrypt(j, headers);
    if (s != KEY_FILE_OK)
        return s;
    s = format->read(j);
    return s == KEY_FILE_BAD ? key_file_say(j, KEY_FILE_WRONG_PASSPHRASE, "wrong passphrase") : s;
}

/* Decodes body into j->raw, which has room for body.n bytes. */
static bool decode(struct key_job *j, struct bytes body)
{
    return base64_decode(body, BASE64_WHITE_SPACE, j->raw, body.n, &j->n);
}

static enum key_file_status find(struct key_job *j, struct bytes file, struct block *b)
{
    *b = (struct block){NULL, {NULL, 0}};
    if (file.n > KEY_FILE_MAX_BYTES)
        return key_file_say(j, KEY_FILE_BAD, "key file over 1 MiB");
    *b = find_block(file);
    if (b->format == NULL)
        return other_format(j, file);
    if (b->body.p == NULL)
        return key_file_say(j, KEY_FILE_BAD, "key file cut short: no END line for its BEGIN line");
    return KEY_FILE_OK;
}

enum key_file_status private_key_parse(
    struct bytes file, struct bytes passphrase, struct private_key **out, const char **why)
{
    struct key_job j = {.passphrase = passphrase, .why = ""};
    struct block b;
    enum key_file_status s = find(&j, file, &b);
    if (s == KEY_FILE_OK) {
        struct bytes headers = take_headers(&b.body);
        size_t cap = b.body.n + 1; /* base64 shrinks */
        uint8_t *raw = j.raw = secret_alloc(cap);
        if (raw == NULL)
            s = key_file_say(&j, KEY_FILE_BAD, "out of memory");
        else if (!decode(&j, b.body))
            s = key_file_say(&j, KEY_FILE_BAD, "damaged key file: not base64");
        else
            s = headers.n > 0 ? read_with_headers(&j, b.format, headers) : b.format->read(&j);
        secret_free(raw, cap);
    }
    *out = s == KEY_FILE_OK ? j.key : NULL;
    *why = s == KEY_FILE_OK ? "" : j.why;
    return s;
}

enum err key_file_public(struct bytes file, uint8_t *blob, size_t cap, size_t *blob_n)
{
    struct key_job j = {.why = ""};
    struct block b;
    struct bytes found;
    enum err e = ERR_MALFORMED;
    *blob_n = 0;
    if (find(&j, file, &b) != KEY_FILE_OK || b.format == NULL)
        return b.format == NULL ? ERR_UNSUPPORTED : ERR_MALFORMED;
    if (b.format->read != key_openssh_read)
        return ERR_UNSUPPORTED;
    size_t raw_cap = b.body.n + 1;
    uint8_t *raw = j.raw = secret_alloc(raw_cap); /* the private half may be in clear text */
    if (raw == NULL)
        return ERR_NOMEM;
    if (decode(&j, b.body) && key_openssh_public((struct bytes){raw, j.n}, &found) &&
        found.n <= cap) {
        memcpy(blob, found.p, found.n);
        *blob_n = found.n;
        e = ERR_OK;
    }
    secret_free(raw, raw_cap);
    return e;
}
