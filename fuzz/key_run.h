/* What must hold of a private key that a fuzz target got out of some bytes. */
#ifndef FUZZ_KEY_RUN_H
#define FUZZ_KEY_RUN_H

#include "crypto/key.h"

enum { KEY_RUN_MAX_BYTES = 8192, KEY_RUN_MAX_TEXT = 2 * KEY_RUN_MAX_BYTES };

/* Wraps n bytes up as a key file's base64 under label; returns the text's length. */
size_t key_run_wrap(const char *label, const uint8_t *data, size_t n, char text[KEY_RUN_MAX_TEXT]);

/* Reads text. A key that comes of it has a good public half, what it signs verifies or is not
 * signed at all, and it can be written and read again as the same key. */
void key_run(const char *text, size_t n, struct bytes passphrase);

#endif
