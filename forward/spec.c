/* What the fields of a forward mean. How many there are, and which of them are paths, picks one
 * shape (OpenSSH readconf.c parse_forward()); then each field is read as what its place asks for.
 */
#include "forward/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forward/spec_fields.h"

static const struct {
    const char *option, *keyword, *expected;
} kinds[] = {
    [FORWARD_LOCAL] = {"-L", "LocalForward",
        "[bind:]port:host:hostport, or a Unix socket path for either end"},
    [FORWARD_REMOTE] = {"-R", "RemoteForward",
        "[bind:]port:host:hostport, [bind:]port for SOCKS, or a Unix socket path for either end"},
    [FORWARD_DYNAMIC] = {"-D", "DynamicForward", "[bind:]port or a Unix socket path"},
    [FORWARD_REMOTE_DYNAMIC] = {"-R", "RemoteForward", "[bind:]port or a Unix socket path"},
    [FORWARD_STDIO] = {"-W", "-W", "host:port or a Unix socket path"},
};

const char *forward_kind_option(enum forward_kind kind)
{
    return kinds[kind].option;
}

/* ---- one field ------------------------------------------------------------------------------- */

static enum err wrong_field(
    const struct spec_parse *p, const char *field, const char *value, const char *expected)
{
    char quote[SPEC_QUOTE_MAX];
    return spec_complain(p, "%s \"%s\": expected %s", field, spec_quote(quote, value), expected);
}

static enum err take(const struct spec_parse *p, char **out, const char *text)
{
    *out = strdup(text);
    if (*out != NULL)
        return ERR_OK;
    (void)spec_complain(p, "out of memory");
    return ERR_NOMEM;
}

static bool has_control_bytes(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    return false;
}

/* The number, or -1. Only digits are one: no sign, no blanks. */
static long port_number(const char *text)
{
    long value = 0;
    if (*text == '\0')
        return -1;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return -1;
        value = value * 10 + (*text - '0');
        if (value > 65535)
            return -1;
    }
    return value;
}

static enum err read_port(
    const struct spec_parse *p, const char *field, const char *text, uint16_t least, uint16_t *out)
{
    long value = port_number(text);
    bool is_name = text[strspn(text, "0123456789")] != '\0';
    if (is_name && p->lookup != NULL && p->lookup->service != NULL && !has_control_bytes(text))
        value = p->lookup->service(p->lookup->arg, text);
    if (value < least || value > 65535)
        return wrong_field(
            p, field, text, least == 0 ? "0-65535 or a service name" : "1-65535 or a service name");
    *out = (uint16_t)value;
    return ERR_OK;
}

static enum err read_listen_port(
    const struct spec_parse *p, const char *text, struct forward_spec *out)
{
    return read_port(p, "listen port", text, 0, &out->port);
}

static enum err read_bind(const struct spec_parse *p, const char *text, struct forward_spec *out)
{
    if (strlen(text) > FORWARD_HOST_MAX || has_control_bytes(text) || strchr(text, '/') != NULL)
        return wrong_field(p, "bind address", text, "an address, a host name, \"*\" or nothing");
    out->bind_set = true;
    return take(p, &out->bind, text);
}

static enum err read_host(
    const struct spec_parse *p, const char *host, const char *port, struct forward_spec *out)
{
    size_t n = strlen(host);
    if (n == 0 || n > FORWARD_HOST_MAX || has_control_bytes(host) || strchr(host, '/') != NULL)
        return wrong_field(p, "host", host, "a host name or address");
    enum err e = read_port(p, "host port", port, 1, &out->host_port);
    return e != ERR_OK ? e : take(p, &out->host, host);
}

_Static_assert(FORWARD_PATH_MAX == 107, "the complaint below names it");

static enum err read_path(
    const struct spec_parse *p, const char *field, const char *text, char **out)
{
    if (strlen(text) > FORWARD_PATH_MAX)
        return wrong_field(p, field, text, "a path of at most 107 bytes");
    if (has_control_bytes(text))
        return wrong_field(p, field, text, "a path without control characters");
    return take(p, out, text);
}

static enum err read_listen_path(
    const struct spec_parse *p, const char *text, struct forward_spec *out)
{
    return read_path(p, "listen path", text, &out->listen_path);
}

static enum err read_connect_path(
    const struct spec_parse *p, const char *text, struct forward_spec *out)
{
    return read_path(p, "destination path", text, &out->connect_path);
}

/* ---- shapes ---------------------------------------------------------------------------------- */

static enum err wrong_shape(const struct spec_parse *p, const char *what)
{
    return spec_complain(p, "%s: expected %s", what, kinds[p->kind].expected);
}

/* port or path; bind:port. */
static enum err read_dynamic(
    const struct spec_parse *p, const struct spec_field *f, size_t n, struct forward_spec *out)
{
    if (n == 1)
        return f[0].is_path ? read_listen_path(p, f[0].text, out)
                            : read_listen_port(p, f[0].text, out);
    if (n > 2 || f[1].is_path)
        return wrong_shape(p, "no destination has a place here");
    enum err e = read_bind(p, f[0].text, out);
    return e != ERR_OK ? e : read_listen_port(p, f[1].text, out);
}

/* path:path, port:path. */
static enum err read_two(
    const struct spec_parse *p, const struct spec_field *f, struct forward_spec *out)
{
    if (!f[1].is_path)
        return wrong_shape(p, "the destination is missing or has no port");
    enum err e =
        f[0].is_path ? read_listen_path(p, f[0].text, out) : read_listen_port(p, f[0].text, out);
    return e != ERR_OK ? e : read_connect_path(p, f[1].text, out);
}

/* path:host:hostport, bind:port:path, port:host:hostport. */
static enum err read_three(
    const struct spec_parse *p, const struct spec_field *f, struct forward_spec *out)
{
    enum err e;
    if (!f[0].is_path && f[2].is_path) {
        e = read_bind(p, f[0].text, out);
        if (e == ERR_OK)
            e = read_listen_port(p, f[1].text, out);
        return e != ERR_OK ? e : read_connect_path(p, f[2].text, out);
    }
    e = f[0].is_path ? read_listen_path(p, f[0].text, out) : read_listen_port(p, f[0].text, out);
    return e != ERR_OK ? e : read_host(p, f[1].text, f[2].text, out);
}

/* bind:port:host:hostport. */
static enum err read_four(
    const struct spec_parse *p, const struct spec_field *f, struct forward_spec *out)
{
    enum err e = read_bind(p, f[0].text, out);
    if (e == ERR_OK)
        e = read_listen_port(p, f[1].text, out);
    return e != ERR_OK ? e : read_host(p, f[2].text, f[3].text, out);
}

/* path, host:port. */
static enum err read_stdio(
    const struct spec_parse *p, const struct spec_field *f, size_t n, struct forward_spec *out)
{
    if (n == 1 && f[0].is_path)
        return read_connect_path(p, f[0].text, out);
    if (n != 2)
        return wrong_shape(p, n == 1 ? "the port is missing" : "too many fields");
    return read_host(p, f[0].text, f[1].text, out);
}

/* A -R that leaves its destination away is SOCKS at the far end. */
static bool is_dynamic(enum forward_kind kind, const struct spec_field *f, size_t n)
{
    if (kind == FORWARD_REMOTE)
        return n == 1 || (n == 2 && !f[0].is_path && !f[1].is_path);
    return kind == FORWARD_DYNAMIC || kind == FORWARD_REMOTE_DYNAMIC;
}

static enum err read_fields(
    const struct spec_parse *p, const struct spec_fields *fields, struct forward_spec *out)
{
    const struct spec_field *f = fields->f;
    size_t n = fields->n;
    if (n == 0)
        return wrong_shape(p, "nothing there");
    if (p->kind == FORWARD_STDIO)
        return read_stdio(p, f, n, out);
    if (is_dynamic(p->kind, f, n)) {
        out->kind = p->kind == FORWARD_REMOTE ? FORWARD_REMOTE_DYNAMIC : p->kind;
        return read_dynamic(p, f, n, out);
    }
    switch (n) {
    case 1: return wrong_shape(p, "the destination is missing");
    case 2: return read_two(p, f, out);
    case 3: return read_three(p, f, out);
    default: return read_four(p, f, out);
    }
}

/* ---- the whole ------------------------------------------------------------------------------- */

static enum err parse(
    const struct spec_parse *p, const char *joined, bool by_slash, struct forward_spec *out)
{
    struct spec_fields fields;
    *out = (struct forward_spec){.kind = p->kind};
    enum err e = spec_fields_cut(p, joined, by_slash, &fields);
    if (e == ERR_OK)
        e = read_fields(p, &fields, out);
    if (e == ERR_OK)
        e = take(p, &out->text, p->text);
    if (e != ERR_OK)
        forward_spec_free(out);
    else if (p->why_cap > 0)
        p->why[0] = '\0';
    return e;
}

enum err forward_spec_parse(enum forward_kind kind, const char *text,
    const struct forward_lookup *lookup, struct forward_spec *out, char *why, size_t why_cap)
{
    struct spec_parse p = {kind, kinds[kind].option, text, lookup, why, why_cap};
    return parse(&p, text, kind == FORWARD_LOCAL || kind == FORWARD_REMOTE, out);
}

/* "listen:target", as ssh joins them; and "listen target" for people. */
static enum err join(const char *listen, char between, const char *target, char **out)
{
    size_t size = strlen(listen) + strlen(target) + 2;
    *out = malloc(size);
    if (*out == NULL)
        return ERR_NOMEM;
    (void)snprintf(*out, size, "%s%c%s", listen, between, target);
    return ERR_OK;
}

enum err forward_spec_parse_config(enum forward_kind kind, const char *listen, const char *target,
    const struct forward_lookup *lookup, struct forward_spec *out, char *why, size_t why_cap)
{
    bool has_target = target != NULL && target[0] != '\0';
    if (kind == FORWARD_REMOTE && !has_target)
        kind = FORWARD_REMOTE_DYNAMIC;
    struct spec_parse p = {kind, kinds[kind].keyword, listen, lookup, why, why_cap};
    *out = (struct forward_spec){0};
    bool wants_target = kind == FORWARD_LOCAL || kind == FORWARD_REMOTE;
    if (wants_target && !has_target)
        return spec_complain(&p, "the destination is missing: expected host:hostport or a path");
    if (!has_target)
        return parse(&p, listen, false, out);
    if (!wants_target)
        return wrong_shape(&p, "no destination has a place here");

    char *joined = NULL, *shown = NULL;
    enum err e = join(listen, ':', target, &joined);
    if (e == ERR_OK)
        e = join(listen, ' ', target, &shown);
    if (e == ERR_OK) {
        p.text = shown;
        e = parse(&p, joined, false, out);
    } else {
        (void)spec_complain(&p, "out of memory");
    }
    free(joined);
    free(shown);
    return e;
}

void forward_spec_free(struct forward_spec *s)
{
    if (s == NULL)
        return;
    free(s->bind);
    free(s->listen_path);
    free(s->host);
    free(s->connect_path);
    free(s->text);
    *s = (struct forward_spec){0};
}

/* ---- values ---------------------------------------------------------------------------------- */

static bool is_same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool forward_spec_equal(const struct forward_spec *a, const struct forward_spec *b)
{
    return a->kind == b->kind && is_same(a->bind, b->bind) && a->port == b->port &&
           is_same(a->listen_path, b->listen_path) && is_same(a->host, b->host) &&
           a->host_port == b->host_port && is_same(a->connect_path, b->connect_path);
}

static bool is_wildcard(const struct forward_spec *s)
{
    return s->bind_set && (s->bind[0] == '\0' || strcmp(s->bind, "*") == 0);
}

enum forward_bind forward_bind_kind(const struct forward_spec *s, bool gateway_ports)
{
    if (!s->bind_set)
        return gateway_ports ? FORWARD_BIND_WILDCARD : FORWARD_BIND_LOOPBACK;
    if (is_wildcard(s))
        return FORWARD_BIND_WILDCARD;
    return strcmp(s->bind, "localhost") == 0 ? FORWARD_BIND_LOOPBACK : FORWARD_BIND_ADDRESS;
}

const char *forward_bind_wire(const struct forward_spec *s)
{
    if (!s->bind_set)
        return "localhost";
    return is_wildcard(s) ? "" : s->bind;
}
