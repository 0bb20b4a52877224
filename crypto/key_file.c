/* Reads OpenSSH private key files: OpenSSH PROTOCOL.key.
 *
 *   text    BEGIN marker, base64 lines, END marker
 *   file    magic, cipher, kdf, kdf options, number of keys (1), public blob, private section
 *   section check word twice, type, fields, comment, padding 1 2 3 ...
 *
 * A step that fails returns its status and sets *why; whatever was decoded is wiped on every path.
 */
#include "crypto/key_file.h"

#include <sodium.h>
#include <string.h>

#include "crypto/ct.h"
#include "crypto/key_decrypt.h"
#include "crypto/private_key.h"

struct file {
    bool is_encrypted;
    struct bytes cipher;
    struct bytes kdf;
    struct bytes kdf_options;
    struct bytes blob;
    struct bytes section;
};

static bool starts_with(struct bytes text, const char *prefix)
{
    size_t n = strlen(prefix);
    return text.n >= n && memcmp(text.p, prefix, n) == 0;
}

static enum key_file_status say(const char **why, const char *text, enum key_file_status status)
{
    *why = text;
    return status;
}

/* Formats people have that are not this one get told what to do. */
static enum key_file_status other_format(struct bytes text, const char **why)
{
    if (starts_with(text, "PuTTY-User-Key-File-"))
        return say(
            why, "PuTTY key: export it in OpenSSH format with puttygen", KEY_FILE_UNSUPPORTED);
    if (starts_with(text, "-----BEGIN ") || starts_with(text, "---- BEGIN "))
        return say(why, "PEM key: convert it to OpenSSH format with ssh-keygen -p -f FILE",
            KEY_FILE_UNSUPPORTED);
    return say(why, "not a private key: expected \"" KEY_FILE_BEGIN "\"", KEY_FILE_BAD);
}

/* The END marker's place at or behind from, or text.n. */
static size_t find_end(struct bytes text, size_t from)
{
    static const char mark[] = KEY_FILE_END;
    size_t n = sizeof mark - 1;
    for (size_t at = from; at + n <= text.n; at++)
        if (text.p[at] == '-' && memcmp(text.p + at, mark, n) == 0)
            return at;
    return text.n;
}

static enum key_file_status split(struct bytes raw, struct file *f, const char **why)
{
    struct wire_reader r = wire_reader(raw);
    struct bytes magic = wire_take(&r, sizeof KEY_FILE_MAGIC);
    if (r.bad || memcmp(magic.p, KEY_FILE_MAGIC, sizeof KEY_FILE_MAGIC) != 0)
        return say(why, "damaged key file: no openssh-key-v1 inside", KEY_FILE_BAD);
    f->cipher = wire_string(&r);
    f->kdf = wire_string(&r);
    f->kdf_options = wire_string(&r);
    f->is_encrypted = !bytes_is(f->cipher, "none") || !bytes_is(f->kdf, "none");
    uint32_t n_keys = wire_u32(&r);
    f->blob = wire_string(&r);
    if (!r.bad && n_keys != 1)
        return say(why, "key file with more than one key, or none", KEY_FILE_UNSUPPORTED);
    f->section = wire_string(&r);
    if (!wire_done(&r))
        return say(why, "damaged key file: cut short or too long", KEY_FILE_BAD);
    return KEY_FILE_OK;
}

static enum key_file_status check_blob(
    struct bytes blob, const struct key_type **type, const char **why)
{
    struct wire_reader r = wire_reader(blob);
    *type = key_type_find(wire_string(&r));
    if (!r.bad && *type != NULL && (*type)->sk_base != NULL)
        return say(why, "a security key signs through an agent only", KEY_FILE_UNSUPPORTED);
    if (!r.bad && (*type == NULL || (*type)->check_private == NULL))
        return say(
            why, "key type not supported (Ed25519, ECDSA and RSA are)", KEY_FILE_UNSUPPORTED);
    if (key_check(blob, NULL) == ERR_OK)
        return KEY_FILE_OK;
    if (*type == &key_type_rsa)
        return say(
            why, "RSA key that is damaged or not of 2048 to 4096 bits", KEY_FILE_UNSUPPORTED);
    return say(why, "damaged key file: bad public key", KEY_FILE_BAD);
}

static bool padding_is_good(struct bytes padding)
{
    for (size_t i = 0; i < padding.n; i++)
        if (padding.p[i] != (uint8_t)(i + 1))
            return false;
    return padding.n < 256;
}

/* The private section in plain text. */
static enum key_file_status read_section(
    const struct file *f, const struct key_type *type, struct private_key **out, const char **why)
{
    struct wire_reader r = wire_reader(f->section);
    uint32_t check = wire_u32(&r);
    uint32_t again = wire_u32(&r);
    if (r.bad || check != again)
        return f->is_encrypted ? say(why, "wrong passphrase", KEY_FILE_WRONG_PASSPHRASE)
                               : say(why, "damaged key file: check words differ", KEY_FILE_BAD);
    struct bytes name = wire_string(&r);
    const uint8_t *fields_at = r.p;
    if (r.bad || !bytes_is(name, type->name) || !type->check_private(type, &r, f->blob))
        return say(
            why, "damaged key file: private key does not belong to the public one", KEY_FILE_BAD);
    struct bytes fields = {fields_at, (size_t)(r.p - fields_at)};
    struct bytes comment = wire_string(&r);
    struct bytes padding = wire_rest(&r);
    if (r.bad || !padding_is_good(padding))
        return say(why, "damaged key file: bad comment or padding", KEY_FILE_BAD);
    *out = private_key_new(type, f->blob, fields, comment);
    return *out != NULL ? KEY_FILE_OK : say(why, "out of memory", KEY_FILE_BAD);
}

static enum key_file_status parse_raw(
    uint8_t *raw, size_t n, struct bytes passphrase, struct private_key **out, const char **why)
{
    struct file f;
    const struct key_type *type = NULL;
    enum key_file_status s = split((struct bytes){raw, n}, &f, why);
    if (s == KEY_FILE_OK)
        s = check_blob(f.blob, &type, why);
    if (s == KEY_FILE_OK && f.is_encrypted)
        s = key_decrypt(f.cipher, f.kdf, f.kdf_options, passphrase, raw + (f.section.p - raw),
            f.section.n, why);
    return s == KEY_FILE_OK ? read_section(&f, type, out, why) : s;
}

enum key_file_status private_key_parse(
    struct bytes file, struct bytes passphrase, struct private_key **out, const char **why)
{
    *out = NULL;
    *why = "";
    if (file.n > KEY_FILE_MAX_BYTES)
        return say(why, "key file over 1 MiB", KEY_FILE_BAD);
    if (!starts_with(file, KEY_FILE_BEGIN))
        return other_format(file, why);
    size_t begin = sizeof KEY_FILE_BEGIN - 1;
    size_t end = find_end(file, begin);
    if (end == file.n)
        return say(why, "key file cut short: no \"" KEY_FILE_END "\"", KEY_FILE_BAD);

    size_t cap = end - begin; /* base64 shrinks */
    uint8_t *raw = secret_alloc(cap + 1);
    size_t raw_n;
    enum key_file_status s;
    if (raw == NULL)
        return say(why, "out of memory", KEY_FILE_BAD);
    if (sodium_base642bin(raw, cap, (const char *)file.p + begin, cap, " \t\r\n", &raw_n, NULL,
            sodium_base64_VARIANT_ORIGINAL) != 0)
        s = say(why, "damaged key file: not base64", KEY_FILE_BAD);
    else
        s = parse_raw(raw, raw_n, passphrase, out, why);
    secret_free(raw, cap + 1);
    return s;
}
