#include "cli/revoked.h"

#include <stdio.h>
#include <string.h>

#include "cli/file.h"
#include "crypto/cert.h"
#include "crypto/hash.h"
#include "crypto/key.h"

static char reason[200];

/* The next word of a line and what parts it from the one behind it. */
static struct bytes take_word(struct bytes *line)
{
    struct bytes word = {line->p, 0};
    while (word.n < line->n && line->p[word.n] != ' ' && line->p[word.n] != '\t')
        word.n++;
    size_t used = word.n;
    while (used < line->n && (line->p[used] == ' ' || line->p[used] == '\t'))
        used++;
    line->p += used;
    line->n -= used;
    return word;
}

/* false: the line is not a public key. Empty lines and comments have none (n 0). */
static bool key_of_line(struct bytes line, uint8_t *room, struct bytes *key)
{
    size_t n;
    struct bytes lead = take_word(&line); /* empty where the line begins with blanks */
    struct bytes type = lead.n > 0 ? lead : take_word(&line);
    *key = (struct bytes){NULL, 0};
    if (type.n == 0 || type.p[0] == '#')
        return true;
    if (key_from_base64(type, take_word(&line), room, KEY_BLOB_MAX, &n) != ERR_OK)
        return false;
    *key = (struct bytes){room, n};
    return true;
}

/* A line that cannot be read may be the one that counts. */
static enum revoked_verdict check_list(struct bytes text, const struct krl_question *q)
{
    uint8_t room[KEY_BLOB_MAX], plain[KEY_BLOB_MAX];
    struct bytes line, key;
    enum revoked_verdict v = REVOKED_NO;
    for (unsigned long n = 1; file_next_line(&text, &line); n++) {
        if (!key_of_line(line, room, &key)) {
            snprintf(reason, sizeof reason, "line %lu: expected a public key", n);
            return REVOKED_UNKNOWN;
        }
        if (key.n > 0)
            key = cert_plain_blob(key, plain);
        if (key.n > 0 &&
            (bytes_equal(key, q->key) || (q->is_certificate && bytes_equal(key, q->ca_key))))
            v = REVOKED_YES;
    }
    return v;
}

static enum krl_verdict ask_krl(struct bytes file, struct krl_question q, const char **why)
{
    uint8_t sha1[HASH_MAX_BYTES], sha256[HASH_MAX_BYTES];
    hash_once(HASH_SHA1, q.key, sha1);
    hash_once(HASH_SHA256, q.key, sha256);
    q.sha1 = sha1;
    q.sha256 = sha256;
    return krl_check(file, &q, why);
}

static enum revoked_verdict check_krl(struct bytes file, const struct krl_question *q)
{
    const char *why;
    enum krl_verdict v = ask_krl(file, *q, &why);
    if (v == KRL_CLEAR && q->is_certificate) {
        struct krl_question ca = {.key = q->ca_key};
        v = ask_krl(file, ca, &why);
    }
    if (v == KRL_UNUSABLE)
        snprintf(reason, sizeof reason, "bad key revocation list: %s", why);
    return v == KRL_UNUSABLE ? REVOKED_UNKNOWN : v == KRL_REVOKED ? REVOKED_YES : REVOKED_NO;
}

enum revoked_verdict revoked_check(const char *path, const struct krl_question *q, const char **why)
{
    struct file_rules rules = {.max_bytes = REVOKED_FILE_MAX};
    struct file f;
    enum revoked_verdict v = REVOKED_UNKNOWN;
    if (file_read(&f, path, &rules) != FILE_OK) {
        snprintf(reason, sizeof reason, "%s", f.why);
    } else {
        struct bytes text = {f.data, f.n};
        v = krl_is_one(text) ? check_krl(text, q) : check_list(text, q);
    }
    file_free(&f);
    *why = v == REVOKED_UNKNOWN ? reason : NULL;
    return v;
}

enum revoked_verdict revoked_check_all(const struct text_list *paths, const struct krl_question *q,
    const char **path, const char **why)
{
    enum revoked_verdict v = REVOKED_NO;
    *path = *why = NULL;
    for (size_t i = 0; i < paths->n && v == REVOKED_NO; i++) {
        *path = paths->items[i];
        v = revoked_check(*path, q, why);
    }
    return v;
}
