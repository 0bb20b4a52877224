#include "cli/base64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encode(struct bytes b, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < b.n; i += 3) {
        uint32_t left = b.n - i < 3 ? (uint32_t)(b.n - i) : 3;
        uint32_t group = (uint32_t)b.p[i] << 16;
        if (left > 1)
            group |= (uint32_t)b.p[i + 1] << 8;
        if (left > 2)
            group |= b.p[i + 2];
        out[n++] = alphabet[group >> 18];
        out[n++] = alphabet[group >> 12 & 63];
        out[n++] = left > 1 ? alphabet[group >> 6 & 63] : '=';
        out[n++] = left > 2 ? alphabet[group & 63] : '=';
    }
    out[n] = '\0';
    return n;
}

static bool digit(uint8_t c, uint32_t *value)
{
    const char *at = c == '\0' ? NULL : strchr(alphabet, c);
    if (at == NULL)
        return false;
    *value = (uint32_t)(at - alphabet);
    return true;
}

bool base64_decode_exact(struct bytes text, uint8_t *out, size_t n)
{
    if (text.n != BASE64_ROOM(n) - 1)
        return false;
    size_t pad = (3 - n % 3) % 3;
    uint32_t group = 0, value = 0;
    for (size_t i = 0, made = 0; i < text.n; i++) {
        bool is_pad = i >= text.n - pad;
        if (is_pad ? text.p[i] != '=' : !digit(text.p[i], &value))
            return false;
        group = group << 6 | (is_pad ? 0 : value);
        for (int shift = 16; i % 4 == 3 && shift >= 0 && made < n; shift -= 8)
            out[made++] = (uint8_t)(group >> shift);
        if (i % 4 == 3)
            group = 0;
    }
    return true;
}
