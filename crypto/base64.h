/* Base64 with padding (RFC 4648 section 4), decoded strictly: the one way by which keys become
 * bytes. Internal to crypto/. */
#ifndef CRYPTO_BASE64_H
#define CRYPTO_BASE64_H

#include <stdbool.h>

#include "proto/wire.h"

/* What may stand between the digits. */
enum base64_gaps { BASE64_NO_GAPS, BASE64_WHITE_SPACE };

/* Decodes all of text to out; false when it is anything else or is longer than cap. Digits are not
 * told by branches or tables, as they may be secret; that it was not base64 is public. */
bool base64_decode(struct bytes text, enum base64_gaps gaps, uint8_t *out, size_t cap, size_t *n);

#endif
