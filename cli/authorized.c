#include "cli/authorized.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/authorized_grant.h"
#include "cli/file.h"
#include "cli/log.h"

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static struct bytes skip_blanks(struct bytes s)
{
    while (s.n > 0 && is_blank(*s.p)) {
        s.p++;
        s.n--;
    }
    return s;
}

/* The next word, quotes respected (options hold blanks inside them); *rest is what follows. false
 * on an open quote. */
static bool next_word(struct bytes s, struct bytes *word, struct bytes *rest)
{
    bool quoted = false;
    size_t n = 0;
    s = skip_blanks(s);
    for (; n < s.n && (quoted || !is_blank(s.p[n])); n++) {
        if (quoted && s.p[n] == '\\' && n + 1 < s.n && s.p[n + 1] == '"')
            n++;
        else if (s.p[n] == '"')
            quoted = !quoted;
    }
    *word = (struct bytes){s.p, n};
    *rest = (struct bytes){s.p + n, s.n - n};
    return !quoted;
}

/* Types are told from options by being known to crypto. */
static bool is_key_type(struct bytes word)
{
    return bytes_is(word, "ssh-rsa") || key_type_of_algorithm(word) != NULL;
}

struct place {
    const char *file;
    unsigned long line;
};

/* A line taken apart: its options may be empty. */
struct entry {
    struct bytes options;
    struct bytes blob;
    uint8_t room[KEY_BLOB_MAX];
};

static bool read_entry(struct bytes line, struct entry *e)
{
    struct bytes type, b64, rest;
    size_t n;
    e->options = (struct bytes){0};
    bool good = next_word(line, &type, &rest);
    if (good && !is_key_type(type)) {
        e->options = type;
        good = next_word(rest, &type, &rest);
    }
    if (!good || !next_word(rest, &b64, &rest) ||
        key_from_base64(type, b64, e->room, sizeof e->room, &n) != ERR_OK)
        return false;
    e->blob = (struct bytes){e->room, n};
    return true;
}

/* The question, with the certificate in it taken apart. */
struct asked {
    const struct authorized_query *q;
    bool is_cert;
    struct cert cert;
};

static enum authorized settle(const struct authorized_grant *grant, const struct asked *a,
    const struct place *at, const char *what, bool good, char why[CERT_WHY_MAX])
{
    if (good && authorized_grant_suffices(grant, a->q, why))
        return AUTHORIZED_YES;
    log_info("%s line %lu: %s is not accepted: %s", at->file, at->line, what, why);
    return AUTHORIZED_NO;
}

/* The line's key is the one that was shown, or the authority of the certificate that was. */
static enum authorized check_match(
    const struct authorized_grant *line, const struct asked *a, const struct place *at)
{
    char why[CERT_WHY_MAX] = "", what[sizeof(struct log_escaped) + 32];
    struct authorized_grant grant = *line;
    if (!a->is_cert)
        return settle(line, a, at, "the key", true, why);
    snprintf(what, sizeof what, "certificate \"%s\"", log_escape(a->cert.key_id).s);
    bool good = authorized_grant_certificate(&a->cert, a->q, line, &grant, why);
    return settle(&grant, a, at, what, good, why);
}

/* A plain key is never taken from a line of an authority, nor a certificate from any other. */
static enum authorized check_line(struct bytes line, const struct asked *a, const struct place *at)
{
    struct entry e;
    struct authorized_grant grant;
    struct bytes unknown;
    if (!read_entry(line, &e)) {
        log_error(
            "%s line %lu: not a public key: expected [options] type base64 [comment]; the line "
            "is skipped",
            at->file, at->line);
        return AUTHORIZED_NO;
    }
    if (!bytes_equal(e.blob, a->is_cert ? a->cert.ca : a->q->key))
        return AUTHORIZED_NO;
    if (!authorized_grant_line(e.options, &grant, &unknown)) {
        log_error("%s line %lu: option %s is not supported here: the key is not accepted", at->file,
            at->line, log_escape(unknown).s);
        return AUTHORIZED_NO;
    }
    return grant.is_authority == a->is_cert ? check_match(&grant, a, at) : AUTHORIZED_NO;
}

/* Every line of a file of authorities is one, and has no options. */
static enum authorized check_authority(
    struct bytes line, const struct asked *a, const struct place *at)
{
    static const struct authorized_grant everything = {.forwarding = true, .no_touch = true};
    struct entry e;
    if (!read_entry(line, &e) || e.options.n > 0) {
        log_error(
            "%s line %lu: not an authority's key: expected type base64 [comment]; the line is "
            "skipped",
            at->file, at->line);
        return AUTHORIZED_NO;
    }
    bool same = a->is_cert && bytes_equal(e.blob, a->cert.ca);
    return same ? check_match(&everything, a, at) : AUTHORIZED_NO;
}

static enum authorized check_text(struct bytes text, const char *name,
    const struct authorized_query *q,
    enum authorized (*check)(struct bytes line, const struct asked *a, const struct place *at))
{
    struct place at = {.file = name};
    struct asked a = {.q = q, .is_cert = cert_is(q->key)};
    struct bytes line;
    if (a.is_cert && cert_parse(q->key, &a.cert) != ERR_OK)
        return AUTHORIZED_NO;
    while (file_next_line(&text, &line)) {
        at.line++;
        struct bytes body = skip_blanks(line);
        if (body.n == 0 || *body.p == '#')
            continue;
        if (body.n > AUTHORIZED_LINE_MAX)
            log_error("%s line %lu: longer than %d bytes; the line is skipped", name, at.line,
                AUTHORIZED_LINE_MAX);
        else if (check(body, &a, &at) == AUTHORIZED_YES)
            return AUTHORIZED_YES;
    }
    return AUTHORIZED_NO;
}

enum authorized authorized_check_text(
    struct bytes text, const char *name, const struct authorized_query *q)
{
    return check_text(text, name, q, check_line);
}

enum authorized authorized_check_authorities_text(
    struct bytes text, const char *name, const struct authorized_query *q)
{
    return check_text(text, name, q, check_authority);
}

/* Reads path into f; file_free(f) whatever comes of it. */
static bool read_keys(const char *path, struct file *f)
{
    struct file_rules rules = {
        .max_bytes = AUTHORIZED_FILE_MAX, .check = FILE_OWNED, .uid = geteuid()};
    enum file_status status = file_read(f, path, &rules);
    if (status == FILE_OK)
        return true;
    if (status == FILE_BAD_OWNER)
        log_error("%s: others than its owner can write to it: no key in it is accepted", path);
    else
        log_error("%s: %s", path, status == FILE_MISSING ? "no such file" : f->why);
    return false;
}

bool authorized_is_usable(const char *path)
{
    struct file f;
    bool good = read_keys(path, &f);
    file_free(&f);
    return good;
}

enum authorized authorized_check(const char *path, const struct authorized_query *q)
{
    struct file f;
    enum authorized answer = AUTHORIZED_NO;
    if (read_keys(path, &f))
        answer = authorized_check_text((struct bytes){f.data, f.n}, path, q);
    file_free(&f);
    return answer;
}

enum authorized authorized_check_authorities(const char *path, const struct authorized_query *q)
{
    struct file f;
    enum authorized answer = AUTHORIZED_NO;
    if (read_keys(path, &f))
        answer = authorized_check_authorities_text((struct bytes){f.data, f.n}, path, q);
    file_free(&f);
    return answer;
}
