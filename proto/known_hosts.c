#include "proto/known_hosts.h"

#include <string.h>

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static void skip_spaces(struct bytes *line)
{
    while (line->n > 0 && is_space(line->p[0])) {
        line->p++;
        line->n--;
    }
}

/* Takes the next word and the space behind it; empty at the end of the line. */
static struct bytes take_word(struct bytes *line)
{
    struct bytes word = {line->p, 0};
    while (line->n > 0 && !is_space(line->p[0])) {
        line->p++;
        line->n--;
        word.n++;
    }
    skip_spaces(line);
    return word;
}

static struct bytes trim(struct bytes line)
{
    skip_spaces(&line);
    while (line.n > 0 && is_space(line.p[line.n - 1]))
        line.n--;
    return line;
}

static bool has_control(struct bytes line)
{
    for (size_t i = 0; i < line.n; i++)
        if ((line.p[i] < ' ' && line.p[i] != '\t') || line.p[i] == 0x7f)
            return true;
    return false;
}

static bool is_base64_char(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/' || c == '=';
}

/* The alphabet only; whether it decodes to a key of its type is for those who know keys. */
static bool is_base64(struct bytes b)
{
    for (size_t i = 0; i < b.n; i++)
        if (!is_base64_char(b.p[i]))
            return false;
    return b.n > 0;
}

static bool is_number(struct bytes b)
{
    for (size_t i = 0; i < b.n; i++)
        if (b.p[i] < '0' || b.p[i] > '9')
            return false;
    return b.n > 0;
}

/* "|1|salt|hash", sshd(8): one name a line, so no comma (which base64 has none of anyway). */
static bool is_hashed_name(struct bytes hosts)
{
    if (hosts.n < 3 || memcmp(hosts.p, "|1|", 3) != 0)
        return false;
    struct bytes salt = {hosts.p + 3, hosts.n - 3};
    const uint8_t *bar = memchr(salt.p, '|', salt.n);
    if (bar == NULL)
        return false;
    struct bytes hash = {bar + 1, (size_t)(salt.p + salt.n - (bar + 1))};
    salt.n = (size_t)(bar - salt.p);
    return is_base64(salt) && is_base64(hash);
}

static bool take_marker(struct bytes *line, enum known_hosts_marker *marker)
{
    *marker = KH_NONE;
    if (line->p[0] != '@')
        return true;
    struct bytes word = take_word(line);
    if (bytes_is(word, "@cert-authority"))
        *marker = KH_CERT_AUTHORITY;
    else if (bytes_is(word, "@revoked"))
        *marker = KH_REVOKED;
    return *marker != KH_NONE;
}

/* NULL when the fields are good, or what was expected of the first that is not. */
static const char *check_fields(const struct known_hosts_line *l)
{
    if (l->hosts.n > 0 && l->hosts.p[0] == '@')
        return "expected at most one marker before the host names";
    if (l->hosts.n > 0 && l->hosts.p[0] == '|' && !is_hashed_name(l->hosts))
        return "expected a hashed host name of the form |1|salt|hash";
    if (l->key_type.n == 0)
        return "expected a key type after the host names";
    if (is_number(l->key_type))
        return "expected a key type, found an SSH protocol 1 key";
    if (!is_base64(l->key_b64))
        return "expected a base64 key after the key type";
    return NULL;
}

enum known_hosts_kind known_hosts_parse(
    struct bytes line, struct known_hosts_line *out, const char **why)
{
    *out = (struct known_hosts_line){.marker = KH_NONE};
    *why = NULL;
    if (line.n > 0 && line.p[line.n - 1] == '\r') /* a file from a system of CR LF lines */
        line.n--;
    line = trim(line);
    if (line.n == 0 || line.p[0] == '#')
        return KH_BLANK;

    if (has_control(line)) {
        *why = "expected text without control characters";
        return KH_BAD;
    }
    if (!take_marker(&line, &out->marker)) {
        *why = "expected @cert-authority or @revoked as the marker";
        return KH_BAD;
    }
    out->hosts = take_word(&line);
    out->key_type = take_word(&line);
    out->key_b64 = take_word(&line);
    out->comment = line;
    *why = check_fields(out);
    return *why == NULL ? KH_LINE : KH_BAD;
}
