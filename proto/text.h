/* The one way text from a peer reaches a screen or a log. */
#ifndef PROTO_TEXT_H
#define PROTO_TEXT_H

#include "proto/wire.h"

enum text_mode {
    TEXT_LINE,   /* one line: newline and tab are escaped too */
    TEXT_BANNER, /* newline and tab kept, CR LF becomes newline */
};

/* Copies in to out, NUL-terminated, with C0, C1, DEL, bidirectional controls (U+061C, U+200E,
 * U+200F, U+202A-E, U+2066-9), line separators and invalid UTF-8 escaped as \xNN (bytes) and a
 * backslash doubled as \\ in TEXT_LINE only. Never splits an escape or a character: what does not
 * fit in cap is cut and the text then ends in "...". Returns the length of out. cap must be at
 * least 8. */
size_t text_escape(char *out, size_t cap, struct bytes in, enum text_mode mode);

/* True for text of which a TEXT_LINE would escape nothing but backslashes: what names that we are
 * given must be, since they are shown in many places. */
bool text_is_harmless(struct bytes text);
/* Puts a '?' in the place of each byte that would be escaped, backslashes excepted: for a line that
 * is ready to be shown, and should have nothing of that left. */
void text_mask(char *text);

#endif
