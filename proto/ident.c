#include "proto/ident.h"

#include <string.h>

static bool starts_with(struct bytes b, struct bytes head)
{
    return b.n >= head.n && bytes_equal((struct bytes){b.p, head.n}, head);
}

/* The version line is held to RFC 4253 section 4.2. Lines before it have no limit there, so they
 * are given OpenSSH's. */
static size_t line_limit(struct bytes in)
{
    return starts_with(in, BYTES_LIT("SSH-")) ? IDENT_MAX_BYTES : IDENT_MAX_TEXT_BYTES;
}

/* Bytes above 0x7f pass: comments and text before the version may be UTF-8, and text_escape()
 * stands between them and a screen. A tab may only be in such text. */
static bool is_clean(struct bytes line)
{
    bool is_version = starts_with(line, BYTES_LIT("SSH-"));
    for (size_t i = 0; i < line.n; i++) {
        uint8_t c = line.p[i];
        bool is_control = c < ' ' || c == 0x7f;
        if (is_control && (is_version || c != '\t'))
            return false;
    }
    return true;
}

/* A carriage return belongs to the line end when it is the last byte before it; in a line that has
 * no end yet, it may still turn out to be. */
static struct bytes without_cr(struct bytes line)
{
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    return line;
}

/* RFC 4253 section 4.2: "SSH-protoversion-softwareversion SP comments"; section 5.1: a server that
 * also speaks version 1 says 1.99, which means 2.0. */
static enum ident_status parse_version(struct bytes line, struct ident *out)
{
    size_t head;
    if (starts_with(line, BYTES_LIT("SSH-2.0-")))
        head = sizeof "SSH-2.0-" - 1;
    else if (starts_with(line, BYTES_LIT("SSH-1.99-")))
        head = sizeof "SSH-1.99-" - 1;
    else
        return IDENT_BAD;
    if (line.n == head)
        return IDENT_BAD;

    struct bytes software = {line.p + head, line.n - head};
    const uint8_t *space = memchr(software.p, ' ', software.n);
    if (space != NULL)
        software.n = (size_t)(space - software.p);
    *out = (struct ident){.line = line, .software = software};
    return IDENT_FOUND;
}

/* What is wrong with a line is told as soon as its bytes are there, so that a peer that sends
 * rubbish and no line end is not waited for; and told the same however the bytes were cut. */
enum ident_status ident_parse(struct bytes in, size_t *used, struct ident *out)
{
    *used = 0;
    *out = (struct ident){.line = {NULL, 0}};
    if (in.n == 0)
        return IDENT_MORE;
    size_t limit = line_limit(in);
    size_t n_seen = in.n < limit ? in.n : limit;
    const uint8_t *lf = memchr(in.p, '\n', n_seen);
    size_t n_line = lf != NULL ? (size_t)(lf - in.p) : n_seen;

    struct bytes line = without_cr((struct bytes){in.p, n_line});
    if (!is_clean(line))
        return IDENT_BAD;
    if (lf == NULL)
        return n_seen == limit ? IDENT_BAD : IDENT_MORE;

    bool is_version = starts_with(line, BYTES_LIT("SSH-"));
    out->line = line;
    enum ident_status status = is_version ? parse_version(line, out) : IDENT_LINE;
    if (status != IDENT_BAD)
        *used = n_line + 1;
    return status;
}
