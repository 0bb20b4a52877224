#include "forward/spec_fields.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/text.h"

static const char blanks[] = " \t\n\v\f\r";

/* ---- complaints ------------------------------------------------------------------------------ */

const char *spec_quote(char out[SPEC_QUOTE_MAX], const char *text)
{
    text_escape(out, SPEC_QUOTE_MAX, bytes_of(text), TEXT_LINE);
    return out;
}

enum err spec_complain(const struct spec_parse *p, const char *format, ...)
{
    char quote[SPEC_QUOTE_MAX];
    int n = snprintf(p->why, p->why_cap, "%s %s: ", p->name, spec_quote(quote, p->text));
    if (n < 0 || (size_t)n >= p->why_cap)
        return ERR_MALFORMED;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(p->why + n, p->why_cap - (size_t)n, format, args);
    va_end(args);
    return ERR_MALFORMED;
}

/* ---- ${NAME} --------------------------------------------------------------------------------- */

struct text_out {
    char *base;
    size_t n; /* at most FORWARD_TEXT_MAX, the NUL apart */
};

static bool put(struct text_out *out, const char *text, size_t n)
{
    if (n > FORWARD_TEXT_MAX - out->n)
        return false;
    memcpy(out->base + out->n, text, n);
    out->n += n;
    out->base[out->n] = '\0';
    return true;
}

static enum err too_long(const struct spec_parse *p)
{
    return spec_complain(p, "expected at most %d bytes", FORWARD_TEXT_MAX);
}

/* *text stands at "${"; moves it behind the '}'. */
static enum err put_variable(const struct spec_parse *p, const char **text, struct text_out *out)
{
    char name[SPEC_QUOTE_MAX], quote[SPEC_QUOTE_MAX];
    const char *start = *text + 2;
    const char *end = strchr(start, '}');
    if (end == NULL)
        return spec_complain(p, "expected \"}\" after \"%s\"", spec_quote(quote, *text));
    size_t n = (size_t)(end - start);
    if (n >= sizeof name)
        return spec_complain(p, "variable \"%s\": name too long", spec_quote(quote, start));
    memcpy(name, start, n);
    name[n] = '\0';
    const char *value = n > 0 ? p->lookup->variable(p->lookup->arg, name) : NULL;
    if (value == NULL)
        return spec_complain(
            p, "variable \"%s\": expected the name of one that is set", spec_quote(quote, name));
    if (!put(out, value, strlen(value)))
        return too_long(p);
    *text = end + 1;
    return ERR_OK;
}

static enum err expand(const struct spec_parse *p, const char *text, char *buffer)
{
    struct text_out out = {.base = buffer};
    bool has_variables = p->lookup != NULL && p->lookup->variable != NULL;
    buffer[0] = '\0';
    while (*text != '\0') {
        const char *next = has_variables ? strstr(text, "${") : NULL;
        size_t n = next != NULL ? (size_t)(next - text) : strlen(text);
        if (!put(&out, text, n))
            return too_long(p);
        text += n;
        if (next != NULL) {
            enum err e = put_variable(p, &text, &out);
            if (e != ERR_OK)
                return e;
        }
    }
    return ERR_OK;
}

/* ---- by colons ------------------------------------------------------------------------------- */

/* "[::1]:rest": literal up to the first ']', whatever stands in there. */
static enum err cut_bracketed(const struct spec_parse *p, char **at, struct spec_field *f)
{
    char quote[SPEC_QUOTE_MAX];
    char *end = strchr(*at, ']');
    if (end == NULL)
        return spec_complain(p, "expected \"]\" after \"%s\"", spec_quote(quote, *at));
    if (end[1] != ':' && end[1] != '\0')
        return spec_complain(
            p, "expected \":\" or the end before \"%s\"", spec_quote(quote, end + 1));
    char *next = end[1] == ':' ? end + 2 : end + 1;
    *end = '\0';
    f->text = *at + 1;
    f->is_path = strchr(f->text, '/') != NULL;
    *at = next;
    return ERR_OK;
}

/* "name:rest", with \: for a colon of its own. A quoted slash makes no path. */
static enum err cut_plain(const struct spec_parse *p, char **at, struct spec_field *f)
{
    char *in = *at, *out = *at;
    f->text = *at;
    f->is_path = false;
    for (; *in != '\0' && *in != ':'; in++) {
        if (*in == '\\') {
            in++;
            if (*in == '\0')
                return spec_complain(p, "expected a character after the \"\\\" at the end");
        } else if (*in == '/') {
            f->is_path = true;
        }
        *out++ = *in;
    }
    *at = *in == ':' ? in + 1 : in;
    *out = '\0';
    return ERR_OK;
}

static enum err cut_by_colon(const struct spec_parse *p, char *at, struct spec_fields *out)
{
    while (*at != '\0') {
        if (out->n == SPEC_FIELDS_MAX)
            return spec_complain(p, "expected at most %d fields", SPEC_FIELDS_MAX);
        struct spec_field *f = &out->f[out->n++];
        enum err e = *at == '[' ? cut_bracketed(p, &at, f) : cut_plain(p, &at, f);
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

/* ---- by slashes ------------------------------------------------------------------------------ */

static bool is_number(const char *text)
{
    return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/* Is it an IPv6 address, a scope (%eth0) apart? */
static bool is_ipv6(const char *text)
{
    char address[INET6_ADDRSTRLEN];
    unsigned char binary[16];
    size_t n = strcspn(text, "%");
    if (n >= sizeof address)
        return false;
    memcpy(address, text, n);
    address[n] = '\0';
    return inet_pton(AF_INET6, address, binary) == 1;
}

/* A host in a spelling that has no need of brackets, but may have them. Takes them off. */
static bool is_bare_host(struct spec_field *f)
{
    size_t n = strlen(f->text);
    if (n > 2 && f->text[0] == '[' && f->text[n - 1] == ']') {
        f->text[n - 1] = '\0';
        f->text++;
        return is_ipv6(f->text);
    }
    return n > 0 && (strpbrk(f->text, ":[]\\") == NULL || is_ipv6(f->text));
}

/* port/host/hostport or bind/port/host/hostport. Nothing that colons could cut into a good spec
 * passes: a host has either no colon, and then the whole could only be one path, or is an IPv6
 * address, which by colons leaves fields that are empty or too many. So taking this spelling first
 * takes nothing away. An absolute path begins with an empty field, which is neither port nor host.
 */
static bool cut_by_slash(char *text, struct spec_fields *out)
{
    for (char *at = text; at != NULL;) {
        if (out->n == SPEC_FIELDS_MAX)
            return false;
        out->f[out->n++] = (struct spec_field){.text = at};
        at = strchr(at, '/');
        if (at != NULL)
            *at++ = '\0';
    }
    if (out->n < 3)
        return false;
    struct spec_field *last = &out->f[out->n - 1];
    bool has_bind = out->n == 4;
    return is_number(last[0].text) && is_bare_host(&last[-1]) && is_number(last[-2].text) &&
           (!has_bind || is_bare_host(&last[-3]));
}

enum err spec_fields_cut(
    const struct spec_parse *p, const char *text, bool by_slash, struct spec_fields *out)
{
    char expanded[sizeof out->buffer];
    enum err e = expand(p, text, expanded);
    if (e != ERR_OK)
        return e;
    const char *start = expanded + strspn(expanded, blanks);
    size_t size = strlen(start) + 1;
    if (by_slash) {
        *out = (struct spec_fields){0};
        memcpy(out->buffer, start, size);
        if (cut_by_slash(out->buffer, out))
            return ERR_OK;
    }
    *out = (struct spec_fields){0};
    memcpy(out->buffer, start, size);
    return cut_by_colon(p, out->buffer, out);
}
