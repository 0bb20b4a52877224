/* Reads what is inside an OpenSSH private key file: OpenSSH PROTOCOL.key.
 *
 *   file    magic, cipher, kdf, kdf options, number of keys (1), public blob, private section,
 *           and the section's tag where the cipher makes one
 *   section check word twice, type, fields, comment, padding 1 2 3 ...
 */
#include <string.h>

#include "crypto/key_decrypt.h"
#include "crypto/key_file.h"
#include "crypto/private_key.h"

struct file {
    bool is_encrypted;
    struct bytes cipher;
    struct bytes kdf;
    struct bytes kdf_options;
    struct bytes blob;
    struct bytes section;
    struct bytes tag;
};

static enum key_file_status split(struct key_job *j, struct bytes raw, struct file *f)
{
    struct wire_reader r = wire_reader(raw);
    struct bytes magic = wire_take(&r, sizeof KEY_FILE_MAGIC);
    if (r.bad || memcmp(magic.p, KEY_FILE_MAGIC, sizeof KEY_FILE_MAGIC) != 0)
        return key_file_say(j, KEY_FILE_BAD, "damaged key file: no openssh-key-v1 inside");
    f->cipher = wire_string(&r);
    f->kdf = wire_string(&r);
    f->kdf_options = wire_string(&r);
    f->is_encrypted = !bytes_is(f->cipher, "none") || !bytes_is(f->kdf, "none");
    uint32_t n_keys = wire_u32(&r);
    f->blob = wire_string(&r);
    if (!r.bad && n_keys != 1)
        return key_file_say(j, KEY_FILE_UNSUPPORTED, "key file with more than one key, or none");
    f->section = wire_string(&r);
    f->tag = wire_rest(&r);
    if (r.bad || (!f->is_encrypted && f->tag.n > 0))
        return key_file_say(j, KEY_FILE_BAD, "damaged key file: cut short or too long");
    return KEY_FILE_OK;
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
    struct key_job *j, const struct file *f, const struct key_type *type)
{
    struct wire_reader r = wire_reader(f->section);
    uint32_t check = wire_u32(&r);
    uint32_t again = wire_u32(&r);
    if (r.bad || check != again)
        return f->is_encrypted
                   ? key_file_say(j, KEY_FILE_WRONG_PASSPHRASE, "wrong passphrase")
                   : key_file_say(j, KEY_FILE_BAD, "damaged key file: check words differ");
    struct bytes name = wire_string(&r);
    const uint8_t *fields_at = r.p;
    if (r.bad || !bytes_is(name, type->name) || !type->check_private(type, &r, f->blob))
        return key_file_say(
            j, KEY_FILE_BAD, "damaged key file: private key does not belong to the public one");
    struct bytes fields = {fields_at, (size_t)(r.p - fields_at)};
    struct bytes comment = wire_string(&r);
    struct bytes padding = wire_rest(&r);
    if (r.bad || !padding_is_good(padding))
        return key_file_say(j, KEY_FILE_BAD, "damaged key file: bad comment or padding");
    j->key = private_key_new(type, f->blob, fields, comment);
    return j->key != NULL ? KEY_FILE_OK : key_file_say(j, KEY_FILE_BAD, "out of memory");
}

enum key_file_status key_openssh_read(struct key_job *j)
{
    struct file f = {.is_encrypted = false};
    const struct key_type *type = NULL;
    enum key_file_status s = split(j, (struct bytes){j->raw, j->n}, &f);
    if (s == KEY_FILE_OK)
        s = key_file_check_blob(j, f.blob, &type);
    if (s == KEY_FILE_OK && f.is_encrypted)
        s = key_decrypt(j, f.cipher, f.kdf, f.kdf_options, f.section, f.tag);
    return s == KEY_FILE_OK ? read_section(j, &f, type) : s;
}

bool key_openssh_public(struct bytes raw, struct bytes *blob)
{
    struct key_job j = {.why = ""};
    struct file f = {.is_encrypted = false};
    if (split(&j, raw, &f) != KEY_FILE_OK || key_check(f.blob, NULL) != ERR_OK)
        return false;
    *blob = f.blob;
    return true;
}
