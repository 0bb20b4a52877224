#include "proto/err.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* RFC 4253 section 11.1. */
enum {
    REASON_PROTOCOL_ERROR = 2,
    REASON_KEY_EXCHANGE_FAILED = 3,
    REASON_MAC_ERROR = 5,
    REASON_COMPRESSION_ERROR = 6,
    REASON_HOST_KEY_NOT_VERIFIABLE = 9,
    REASON_CONNECTION_LOST = 10,
    REASON_BY_APPLICATION = 11,
    REASON_NO_MORE_AUTH_METHODS_AVAILABLE = 14,
};

/* A bound of ours that was passed counts as the peer's protocol error, as with OpenSSH's "Too many
 * authentication failures"; what is our own trouble is told as no more than BY_APPLICATION. */
static const struct {
    const char *text;
    unsigned reason;
} kinds[] = {
    [ERR_OK] = {"no error", REASON_BY_APPLICATION},
    [ERR_MALFORMED] = {"malformed message", REASON_PROTOCOL_ERROR},
    [ERR_PROTOCOL] = {"protocol error", REASON_PROTOCOL_ERROR},
    [ERR_MAC] = {"corrupted packet", REASON_MAC_ERROR},
    [ERR_KEX] = {"key exchange failed", REASON_KEY_EXCHANGE_FAILED},
    [ERR_SIGNATURE] = {"signature does not verify", REASON_KEY_EXCHANGE_FAILED},
    [ERR_HOST_KEY] = {"host key not accepted", REASON_HOST_KEY_NOT_VERIFIABLE},
    [ERR_AUTH] = {"authentication failed", REASON_NO_MORE_AUTH_METHODS_AVAILABLE},
    [ERR_LIMIT] = {"limit exceeded", REASON_PROTOCOL_ERROR},
    [ERR_NOMEM] = {"out of memory", REASON_BY_APPLICATION},
    [ERR_UNSUPPORTED] = {"not supported", REASON_KEY_EXCHANGE_FAILED},
    [ERR_COMPRESSION] = {"damaged compressed data", REASON_COMPRESSION_ERROR},
    [ERR_IO] = {"input/output error", REASON_CONNECTION_LOST},
    [ERR_TIMEOUT] = {"timed out", REASON_CONNECTION_LOST},
    [ERR_CLOSED] = {"connection closed", REASON_CONNECTION_LOST},
    [ERR_INTERNAL] = {"internal error", REASON_BY_APPLICATION},
};

static bool is_known(enum err e)
{
    return (unsigned)e < sizeof kinds / sizeof kinds[0];
}

const char *err_text(enum err e)
{
    return is_known(e) ? kinds[e].text : "unknown error";
}

unsigned err_disconnect_reason(enum err e)
{
    return is_known(e) ? kinds[e].reason : REASON_BY_APPLICATION;
}

/* Marks a text that did not fit, without leaving half of a UTF-8 character before the mark. */
static void end_in_dots(char *text, size_t cap)
{
    size_t at = cap - sizeof "...";
    while (at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80)
        at--;
    memcpy(text + at, "...", sizeof "...");
}

enum err fault_set(struct fault *f, enum err code, const char *format, ...)
{
    if (f->code != ERR_OK || code == ERR_OK)
        return f->code;
    f->code = code;

    va_list args;
    va_start(args, format);
    int n = vsnprintf(f->text, sizeof f->text, format, args);
    va_end(args);
    if (n < 0)
        snprintf(f->text, sizeof f->text, "%s", err_text(code));
    else if ((size_t)n >= sizeof f->text)
        end_in_dots(f->text, sizeof f->text);
    return f->code;
}
