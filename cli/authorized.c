#include "cli/authorized.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/file.h"
#include "cli/log.h"
#include "crypto/key.h"

/* Options that take away what this server does not offer, or give it back. */
static const char *const harmless[] = {"no-pty", "no-X11-forwarding", "no-agent-forwarding",
    "no-user-rc", "pty", "X11-forwarding", "agent-forwarding", "user-rc", "port-forwarding",
    "no-touch-required"};

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

static bool option_is(struct bytes option, const char *name)
{
    return option.n == strlen(name) && strncasecmp((const char *)option.p, name, option.n) == 0;
}

static bool option_is_harmless(struct bytes option)
{
    for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++)
        if (option_is(option, harmless[i]))
            return true;
    return false;
}

/* May a key with these options forward ports here? *unknown is the first option not understood. */
static bool options_allow(struct bytes options, struct bytes *unknown)
{
    bool forwarding = true;
    *unknown = (struct bytes){0};
    while (options.n > 0) {
        size_t n = 0;
        bool quoted = false;
        for (; n < options.n && (quoted || options.p[n] != ','); n++)
            quoted ^= options.p[n] == '"';
        struct bytes option = {options.p, n};
        options = (struct bytes){options.p + n, options.n - n};
        if (options.n > 0)
            options = (struct bytes){options.p + 1, options.n - 1};
        if (option_is(option, "restrict") || option_is(option, "no-port-forwarding"))
            forwarding = false;
        else if (option_is(option, "port-forwarding"))
            forwarding = true;
        else if (!option_is_harmless(option)) {
            *unknown = option;
            return false;
        }
    }
    return forwarding;
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

static enum authorized check_line(struct bytes line, struct bytes key, const struct place *at)
{
    struct bytes options = {0}, type, b64, rest, unknown;
    uint8_t blob[KEY_BLOB_MAX];
    size_t blob_n;
    bool good = next_word(line, &type, &rest);
    if (good && !is_key_type(type)) {
        options = type;
        good = next_word(rest, &type, &rest);
    }
    if (!good || !next_word(rest, &b64, &rest) ||
        key_from_base64(type, b64, blob, sizeof blob, &blob_n) != ERR_OK) {
        log_error(
            "%s line %lu: not a public key: expected [options] type base64 [comment]; the line "
            "is skipped",
            at->file, at->line);
        return AUTHORIZED_NO;
    }
    if (!bytes_equal(key, (struct bytes){blob, blob_n}))
        return AUTHORIZED_NO;
    if (options_allow(options, &unknown))
        return AUTHORIZED_YES;
    if (unknown.n > 0)
        log_error("%s line %lu: option %s is not supported here: the key is not accepted", at->file,
            at->line, log_escape(unknown).s);
    else
        log_info("%s line %lu: the key may not forward ports", at->file, at->line);
    return AUTHORIZED_NO;
}

enum authorized authorized_check_text(struct bytes text, const char *name, struct bytes key)
{
    struct place at = {.file = name};
    struct bytes line;
    while (file_next_line(&text, &line)) {
        at.line++;
        struct bytes body = skip_blanks(line);
        if (body.n == 0 || *body.p == '#')
            continue;
        if (body.n > AUTHORIZED_LINE_MAX)
            log_error("%s line %lu: longer than %d bytes; the line is skipped", name, at.line,
                AUTHORIZED_LINE_MAX);
        else if (check_line(body, key, &at) == AUTHORIZED_YES)
            return AUTHORIZED_YES;
    }
    return AUTHORIZED_NO;
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

enum authorized authorized_check(const char *path, struct bytes key)
{
    struct file f;
    enum authorized answer = AUTHORIZED_NO;
    if (read_keys(path, &f))
        answer = authorized_check_text((struct bytes){f.data, f.n}, path, key);
    file_free(&f);
    return answer;
}
