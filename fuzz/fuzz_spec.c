/* An input is a kind of forward (its first byte) and a spec; from byte 8 on, a config file's two
 * arguments parted by a newline. What parses, written with every special character quoted, parses
 * to the same; what does not is complained about in one clean line. */
#include <stdio.h>
#include <string.h>

#include "forward/spec.h"
#include "fuzz/fuzz.h"

enum { MAX_BYTES = 2048, N_KINDS = 5, IS_CONFIG = 8 };

static const char *variable(void *arg, const char *name)
{
    (void)arg;
    return strcmp(name, "DEST") == 0 ? "h:80" : strcmp(name, "V") == 0 ? "${V}" : NULL;
}

static int service(void *arg, const char *name)
{
    (void)arg;
    return strcmp(name, "http") == 0 ? 80 : -1;
}

static const struct forward_lookup lookup = {.variable = variable, .service = service};

/* A field and the colon after it. A slash stays bare: it is what makes a path. */
static char *put_quoted(char *out, const char *field)
{
    for (; *field != '\0'; field++) {
        if (*field != '/')
            *out++ = '\\';
        *out++ = *field;
    }
    *out++ = ':';
    return out;
}

static char *put_port(char *out, uint16_t port)
{
    return out + sprintf(out, "%u:", port);
}

static void write_spec(const struct forward_spec *s, char *out)
{
    if (s->bind_set)
        out = put_quoted(out, s->bind);
    if (s->listen_path != NULL)
        out = put_quoted(out, s->listen_path);
    else if (s->kind != FORWARD_STDIO)
        out = put_port(out, s->port);
    if (s->host != NULL) {
        out = put_quoted(out, s->host);
        out = put_port(out, s->host_port);
    }
    if (s->connect_path != NULL)
        out = put_quoted(out, s->connect_path);
    out[-1] = '\0';
}

static void check_spec(enum forward_kind asked, const struct forward_spec *s)
{
    static char text[2 * (2 * FORWARD_HOST_MAX + 2 * FORWARD_PATH_MAX) + 64];
    char why[300];
    struct forward_spec again;
    fuzz_require(
        s->kind == asked || (asked == FORWARD_REMOTE && s->kind == FORWARD_REMOTE_DYNAMIC));
    fuzz_require(s->text != NULL && s->bind_set == (s->bind != NULL));
    fuzz_require((s->host != NULL) == (s->host_port != 0));
    fuzz_require(s->host == NULL || s->connect_path == NULL);
    bool has_destination = s->host != NULL || s->connect_path != NULL;
    bool is_socks = s->kind == FORWARD_DYNAMIC || s->kind == FORWARD_REMOTE_DYNAMIC;
    fuzz_require(has_destination == !is_socks);
    write_spec(s, text);
    fuzz_require(forward_spec_parse(asked, text, &lookup, &again, why, sizeof why) == ERR_OK);
    fuzz_require(forward_spec_equal(s, &again));
    forward_spec_free(&again);
}

static void check_complaint(const char *why, size_t cap)
{
    fuzz_require(memchr(why, '\0', cap) != NULL && strstr(why, ": ") != NULL);
    for (; *why != '\0'; why++)
        fuzz_require((unsigned char)*why >= 0x20 && *why != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char text[MAX_BYTES], why[1000];
    struct forward_spec s;
    if (n < 1 || n > sizeof text)
        return 0;
    memcpy(text, data + 1, n - 1);
    text[n - 1] = '\0';
    enum forward_kind kind = data[0] % IS_CONFIG % N_KINDS;
    enum err e;
    if (data[0] < IS_CONFIG) {
        e = forward_spec_parse(kind, text, &lookup, &s, why, sizeof why);
    } else {
        char *target = strchr(text, '\n');
        if (target != NULL)
            *target++ = '\0';
        e = forward_spec_parse_config(kind, text, target, &lookup, &s, why, sizeof why);
        if (kind == FORWARD_REMOTE && (target == NULL || *target == '\0'))
            kind = FORWARD_REMOTE_DYNAMIC;
    }
    fuzz_require(e == ERR_OK || e == ERR_MALFORMED);
    if (e == ERR_OK)
        check_spec(kind, &s);
    else
        check_complaint(why, sizeof why);
    forward_spec_free(&s);
    return 0;
}
