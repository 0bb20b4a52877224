#include "crypto/fingerprint.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "crypto/cert.h"
#include "crypto/hash.h"
#include "crypto/key.h"

struct row {
    enum hash_id id;
    const char *name;
};
static const struct row rows[] = {
    [FINGERPRINT_SHA256] = {HASH_SHA256, "SHA256"},
    [FINGERPRINT_MD5] = {HASH_MD5, "MD5"},
};

/* A certificate goes by the key inside. */
static void digest_of(enum fingerprint_hash hash, struct bytes blob, uint8_t *digest)
{
    uint8_t room[KEY_BLOB_MAX];
    hash_once(rows[hash].id, cert_plain_blob(blob, room), digest);
}

void fingerprint(enum fingerprint_hash hash, struct bytes blob, char out[FINGERPRINT_MAX])
{
    uint8_t digest[HASH_MAX_BYTES];
    size_t n_bytes = hash_bytes(rows[hash].id);
    digest_of(hash, blob, digest);
    int n = snprintf(out, FINGERPRINT_MAX, "%s:", rows[hash].name);
    char *at = out + n;
    if (hash == FINGERPRINT_SHA256) {
        (void)sodium_bin2base64(at, FINGERPRINT_MAX - (size_t)n, digest, n_bytes,
            sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
        return;
    }
    for (size_t i = 0; i < n_bytes; i++)
        at += sprintf(at, "%s%02x", i > 0 ? ":" : "", digest[i]);
}

/* ---- the picture: a bishop walks over a board, two bits of the digest a step -------------------
 */

enum { WIDTH = 17, HEIGHT = 9 };

struct board {
    uint8_t visits[HEIGHT][WIDTH];
};

static const char marks[] = " .o+=*BOX@%&#/^SE"; /* by number of visits; the last two: start, end */
enum { END = sizeof marks - 2, START = END - 1, VISITS_MAX = START - 1 };

/* One step to a side, or along the wall. */
static int step(int at, bool forward, int size)
{
    int next = at + (forward ? 1 : -1);
    return next < 0 ? 0 : next >= size ? size - 1 : next;
}

static void walk(struct board *b, const uint8_t *digest, size_t n)
{
    int x = WIDTH / 2, y = HEIGHT / 2;
    *b = (struct board){0};
    for (size_t i = 0; i < 4 * n; i++) {
        unsigned bits = (unsigned)digest[i / 4] >> (2 * (i % 4));
        x = step(x, (bits & 1) != 0, WIDTH);
        y = step(y, (bits & 2) != 0, HEIGHT);
        if (b->visits[y][x] < VISITS_MAX)
            b->visits[y][x]++;
    }
    b->visits[HEIGHT / 2][WIDTH / 2] = START;
    b->visits[y][x] = END;
}

/* "+---[title]----+": a longer left rest goes to the right. */
static char *border(char *out, const char *title)
{
    size_t n = strlen(title), left = (WIDTH - n) / 2;
    *out++ = '+';
    memset(out, '-', WIDTH);
    memcpy(out + left, title, n);
    out += WIDTH;
    *out++ = '+';
    return out;
}

void fingerprint_randomart(enum fingerprint_hash hash, struct bytes blob, char out[RANDOMART_MAX])
{
    uint8_t digest[HASH_MAX_BYTES];
    struct board b;
    char title[64];
    digest_of(hash, blob, digest);
    walk(&b, digest, hash_bytes(rows[hash].id));

    int n = snprintf(title, sizeof title, "[%s %u]", key_short_name(blob), key_bits(blob));
    if (n > WIDTH)
        n = snprintf(title, sizeof title, "[%s]", key_short_name(blob));
    if (n > WIDTH)
        title[0] = '\0';
    out = border(out, title);
    for (size_t y = 0; y < HEIGHT; y++) {
        *out++ = '\n';
        *out++ = '|';
        for (size_t x = 0; x < WIDTH; x++)
            *out++ = marks[b.visits[y][x]];
        *out++ = '|';
    }
    *out++ = '\n';
    snprintf(title, sizeof title, "[%s]", rows[hash].name);
    *border(out, title) = '\0';
}
