#include "cli/hosts_scan.h"

#include <string.h>

/* The next line with its end, which file_next_line() would take off. */
static bool next_raw(struct bytes *text, struct bytes *raw)
{
    if (text->n == 0)
        return false;
    const uint8_t *end = memchr(text->p, '\n', text->n);
    raw->p = text->p;
    raw->n = end == NULL ? text->n : (size_t)(end - text->p) + 1;
    text->p += raw->n;
    text->n -= raw->n;
    return true;
}

void hosts_scan(struct bytes text, const char *name, const char *address,
    void (*each)(void *user, const struct hosts_scanned *s), void *user)
{
    uint8_t blob[KEY_BLOB_MAX];
    struct hosts_scanned s = {.line = 0};
    while (next_raw(&text, &s.raw)) {
        const char *why;
        size_t n;
        struct bytes line = s.raw;
        if (line.p[line.n - 1] == '\n')
            line.n--;
        s.line++;
        s.has_key =
            line.n <= HOSTS_LINE_MAX && known_hosts_parse(line, &s.fields, &why) == KH_LINE &&
            key_from_base64(s.fields.key_type, s.fields.key_b64, blob, sizeof blob, &n) == ERR_OK;
        if (!s.has_key)
            s.fields = (struct known_hosts_line){.marker = KH_NONE};
        s.key = (struct bytes){s.has_key ? blob : NULL, s.has_key ? n : 0};
        s.is_host = s.has_key && hosts_line_is_for(&s.fields, name);
        s.is_address = s.has_key && address != NULL && hosts_line_is_for(&s.fields, address);
        each(user, &s);
    }
}
