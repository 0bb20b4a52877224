#include "crypto/base64.h"

#include <sodium.h>

#include "crypto/ct.h"

/* libsodium's decoder takes some bytes above 127 for digits (0xcc for '/'), and looks for what it
 * may skip with strchr(), which finds NUL too. */
static bool is_ascii(struct bytes text)
{
    uint8_t high = 0;
    for (size_t i = 0; i < text.n; i++)
        high |= (uint8_t)(text.p[i] | (text.p[i] - 1)); /* bit 7: above 127, or 0 */
    bool ok = (high & 0x80) == 0;
    ct_public(&ok, sizeof ok);
    return ok;
}

bool base64_decode(struct bytes text, enum base64_gaps gaps, uint8_t *out, size_t cap, size_t *n)
{
    *n = 0;
    return is_ascii(text) && sodium_base642bin(out, cap, (const char *)text.p, text.n,
                                 gaps == BASE64_WHITE_SPACE ? " \t\r\n" : NULL, n, NULL,
                                 sodium_base64_VARIANT_ORIGINAL) == 0;
}
