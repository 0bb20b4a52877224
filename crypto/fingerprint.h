/* What people compare keys by: the fingerprint, and the picture that OpenSSH draws of it. */
#ifndef CRYPTO_FINGERPRINT_H
#define CRYPTO_FINGERPRINT_H

#include "proto/wire.h"

enum fingerprint_hash { FINGERPRINT_SHA256, FINGERPRINT_MD5 };

enum {
    FINGERPRINT_MAX = 64,    /* "SHA256:..." or "MD5:xx:xx:..." and its NUL */
    RANDOMART_MAX = 11 * 20, /* eleven lines of nineteen, with newlines but for the last; NUL */
};

/* "SHA256:" and unpadded base64, or "MD5:" and pairs of hex digits; NUL-terminated. */
void fingerprint(enum fingerprint_hash hash, struct bytes blob, char out[FINGERPRINT_MAX]);

/* The picture, lines parted by '\n', NUL-terminated; to the letter what ssh-keygen -lv draws. */
void fingerprint_randomart(enum fingerprint_hash hash, struct bytes blob, char out[RANDOMART_MAX]);

#endif
