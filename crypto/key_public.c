/* The public key in front of an OpenSSH private key file's private section, OpenSSH PROTOCOL.key.
 * It is there in plain text also where the private section is encrypted. */
#include <sodium.h>
#include <string.h>

#include "crypto/ct.h"
#include "crypto/key.h"
#include "crypto/key_file.h"

/* The base64 text between the markers; empty where they are not. */
static struct bytes between_markers(struct bytes file)
{
    static const char begin[] = KEY_FILE_BEGIN, end[] = KEY_FILE_END;
    size_t n_begin = sizeof begin - 1, n_end = sizeof end - 1;
    if (file.n < n_begin || memcmp(file.p, begin, n_begin) != 0)
        return (struct bytes){NULL, 0};
    for (size_t at = n_begin; at + n_end <= file.n; at++)
        if (file.p[at] == '-' && memcmp(file.p + at, end, n_end) == 0)
            return (struct bytes){file.p + n_begin, at - n_begin};
    return (struct bytes){NULL, 0};
}

static enum err take_blob(struct bytes raw, uint8_t *blob, size_t cap, size_t *blob_n)
{
    struct wire_reader r = wire_reader(raw);
    struct bytes magic = wire_take(&r, sizeof KEY_FILE_MAGIC);
    if (r.bad || memcmp(magic.p, KEY_FILE_MAGIC, sizeof KEY_FILE_MAGIC) != 0)
        return ERR_MALFORMED;
    (void)wire_string(&r); /* cipher, key derivation and its options */
    (void)wire_string(&r);
    (void)wire_string(&r);
    uint32_t n_keys = wire_u32(&r);
    struct bytes b = wire_string(&r);
    if (r.bad || n_keys != 1 || b.n == 0 || b.n > cap)
        return ERR_MALFORMED;
    memcpy(blob, b.p, b.n);
    *blob_n = b.n;
    return ERR_OK;
}

enum err key_file_public(struct bytes file, uint8_t *blob, size_t cap, size_t *blob_n)
{
    *blob_n = 0;
    struct bytes text = between_markers(file);
    if (text.n == 0 || file.n > KEY_FILE_MAX_BYTES)
        return ERR_UNSUPPORTED;
    uint8_t *raw = secret_alloc(text.n); /* the private half may be in it in plain text */
    size_t raw_n;
    if (raw == NULL)
        return ERR_NOMEM;
    enum err e = ERR_MALFORMED;
    if (sodium_base642bin(raw, text.n, (const char *)text.p, text.n, " \t\r\n", &raw_n, NULL,
            sodium_base64_VARIANT_ORIGINAL) == 0)
        e = take_blob((struct bytes){raw, raw_n}, blob, cap, blob_n);
    secret_free(raw, text.n);
    return e;
}
