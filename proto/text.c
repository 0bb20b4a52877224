#include "proto/text.h"

#include <assert.h>
#include <string.h>

/* How many bytes a UTF-8 character takes that starts with c; 0 for a byte that starts none. */
static size_t utf8_length(uint8_t c)
{
    if (c < 0x80)
        return 1;
    if ((c & 0xe0) == 0xc0)
        return 2;
    if ((c & 0xf0) == 0xe0)
        return 3;
    return (c & 0xf8) == 0xf0 ? 4 : 0;
}

/* RFC 3629: how many bytes the character at in takes, or 0 when they are not UTF-8 (too short,
 * overlong, a surrogate, above U+10FFFF). */
static size_t utf8_decode(struct bytes in, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t c = in.p[0];
    size_t n = utf8_length(c);
    if (n == 0 || n > in.n)
        return 0;
    *code = n == 1 ? c : c & (0xffU >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((in.p[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (in.p[i] & 0x3f);
    }
    bool is_surrogate = *code >= 0xd800 && *code <= 0xdfff;
    return *code < least[n] || is_surrogate || *code > 0x10ffff ? 0 : n;
}

/* What moves the cursor, ends a line, or makes text read in another order than it is written. */
static bool is_dangerous(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x061c || code == 0x200e ||
           code == 0x200f || code == 0x2028 || code == 0x2029 ||
           (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/* The bytes of the character that in starts with; 0 for one that is not to be shown as it is. */
static size_t harmless_bytes(struct bytes in)
{
    uint32_t code = 0;
    size_t n = utf8_decode(in, &code);
    return is_dangerous(code) ? 0 : n;
}

bool text_is_harmless(struct bytes text)
{
    while (text.n > 0) {
        size_t n = harmless_bytes(text);
        if (n == 0)
            return false;
        text.p += n;
        text.n -= n;
    }
    return true;
}

void text_mask(char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        size_t n = harmless_bytes((struct bytes){(const uint8_t *)text, left});
        if (n == 0) {
            uint32_t code = 0;
            n = utf8_decode((struct bytes){(const uint8_t *)text, left}, &code);
            n = n == 0 ? 1 : n;
            memset(text, '?', n);
        }
        text += n;
        left -= n;
    }
}

/* What one character of the input becomes: at most four escaped bytes. */
struct piece {
    size_t taken; /* bytes of input */
    size_t n;
    char text[4 * 4];
};

static void piece_escape(struct piece *piece, struct bytes in)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < piece->taken; i++) {
        char *at = piece->text + piece->n;
        at[0] = '\\';
        at[1] = 'x';
        at[2] = digits[in.p[i] >> 4];
        at[3] = digits[in.p[i] & 15];
        piece->n += 4;
    }
}

static void piece_copy(struct piece *piece, struct bytes in)
{
    memcpy(piece->text, in.p, piece->taken);
    piece->n = piece->taken;
}

/* Backslashes are doubled in a line, so that nobody can write an escape that was none; a banner is
 * kept as its author drew it. */
static struct piece next_piece(struct bytes in, enum text_mode mode)
{
    if (mode == TEXT_BANNER && in.n >= 2 && in.p[0] == '\r' && in.p[1] == '\n')
        return (struct piece){.taken = 2, .n = 1, .text = "\n"};
    if (mode == TEXT_LINE && in.p[0] == '\\')
        return (struct piece){.taken = 1, .n = 2, .text = "\\\\"};

    uint32_t code = 0;
    size_t n = utf8_decode(in, &code);
    bool is_kept = mode == TEXT_BANNER && (code == '\n' || code == '\t');
    struct piece piece = {.taken = n == 0 ? 1 : n};
    if (n == 0 || (is_dangerous(code) && !is_kept))
        piece_escape(&piece, in);
    else
        piece_copy(&piece, in);
    return piece;
}

size_t text_escape(char *out, size_t cap, struct bytes in, enum text_mode mode)
{
    assert(cap >= 8);
    size_t n = 0;
    size_t cut = 0; /* the last piece's end that leaves room for the dots */
    while (in.n > 0) {
        struct piece piece = next_piece(in, mode);
        if (piece.n >= cap - n) { /* the NUL needs its place too */
            memcpy(out + cut, "...", sizeof "...");
            return cut + 3;
        }
        memcpy(out + n, piece.text, piece.n);
        n += piece.n;
        if (n + sizeof "..." <= cap)
            cut = n;
        in.p += piece.taken;
        in.n -= piece.taken;
    }
    out[n] = '\0';
    return n;
}
