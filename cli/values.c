#include "cli/values.h"

#include <ctype.h>
#include <limits.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <arpa/inet.h>

#include "proto/known_hosts.h"
#include "proto/namelist.h"

bool value_word(const char *text, const struct value_word *table, int *out)
{
    for (; table->name != NULL; table++)
        if (strcasecmp(text, table->name) == 0) {
            *out = table->value;
            return true;
        }
    return false;
}

/* Takes decimal digits off *text; false when there are none, or too many for an int64. */
static bool take_number(const char **text, int64_t *out)
{
    const char *s = *text;
    int64_t n = 0;
    for (; *s >= '0' && *s <= '9'; s++) {
        int digit = *s - '0';
        if (n > (INT64_MAX - digit) / 10)
            return false;
        n = 10 * n + digit;
    }
    if (s == *text)
        return false;
    *text = s;
    *out = n;
    return true;
}

bool value_int(const char *text, int min, int max, int *out)
{
    int64_t n;
    if (!take_number(&text, &n) || *text != '\0' || n < min || n > max)
        return false;
    *out = (int)n;
    return true;
}

bool value_port(const char *text, int *out)
{
    if (value_int(text, 1, 65535, out))
        return true;
    if (!isalpha((unsigned char)*text)) /* a number out of range names no service */
        return false;
    const struct servent *service = getservbyname(text, "tcp");
    if (service == NULL)
        return false;
    *out = ntohs((uint16_t)service->s_port);
    return true;
}

/* DSCP classes (RFC 2474, 2597, 3246, 8622), each two bits up, and types of service (RFC 1349). */
static const struct value_word qos_words[] = {{"af11", 0x28}, {"af12", 0x30}, {"af13", 0x38},
    {"af21", 0x48}, {"af22", 0x50}, {"af23", 0x58}, {"af31", 0x68}, {"af32", 0x70}, {"af33", 0x78},
    {"af41", 0x88}, {"af42", 0x90}, {"af43", 0x98}, {"cs0", 0x00}, {"cs1", 0x20}, {"cs2", 0x40},
    {"cs3", 0x60}, {"cs4", 0x80}, {"cs5", 0xa0}, {"cs6", 0xc0}, {"cs7", 0xe0}, {"ef", 0xb8},
    {"le", 0x04}, {"lowdelay", 0x10}, {"throughput", 0x08}, {"reliability", 0x04}, {NULL, 0}};

bool value_qos(const char *text, int none, int *out)
{
    char *end;
    if (strcasecmp(text, "none") == 0) {
        *out = none;
        return true;
    }
    if (value_word(text, qos_words, out))
        return true;
    if (!isdigit((unsigned char)*text)) /* strtoul() would take blanks and a sign too */
        return false;
    unsigned long n = strtoul(text, &end, 0);
    if (*end != '\0' || n > 255)
        return false;
    *out = (int)n;
    return true;
}

const char *value_qos_name(int n)
{
    for (const struct value_word *w = qos_words; w->name != NULL; w++)
        if (w->value == n)
            return w->name;
    return NULL;
}

static int64_t unit_seconds(char unit)
{
    switch (tolower((unsigned char)unit)) {
    case 's': return 1;
    case 'm': return 60;
    case 'h': return 60 * 60;
    case 'd': return 24 * 60 * 60;
    case 'w': return 7 * 24 * 60 * 60;
    default: return 0;
    }
}

bool value_time(const char *text, int *seconds)
{
    int64_t total = 0;
    do {
        int64_t n;
        if (!take_number(&text, &n))
            return false;
        int64_t unit = *text == '\0' ? 1 : unit_seconds(*text++);
        if (unit == 0 || n > INT_MAX / unit || total > INT_MAX - n * unit)
            return false;
        total += n * unit;
    } while (*text != '\0');
    *seconds = (int)total;
    return true;
}

bool value_size(const char *text, int64_t *bytes)
{
    int64_t n;
    if (!take_number(&text, &n))
        return false;
    int shift = 0;
    switch (tolower((unsigned char)*text)) {
    case 'k': shift = 10; break;
    case 'm': shift = 20; break;
    case 'g': shift = 30; break;
    default: break;
    }
    if (shift > 0)
        text++;
    if (*text != '\0' || n > INT64_MAX >> shift)
        return false;
    *bytes = n << shift;
    return true;
}

bool value_escape(const char *text, int none, int *out)
{
    size_t n = strlen(text);
    if (strcmp(text, "none") == 0)
        *out = none;
    else if (n == 1)
        *out = (unsigned char)text[0];
    else if (n == 2 && text[0] == '^' && text[1] >= 64)
        *out = text[1] & 31;
    else
        return false;
    return true;
}

/* Names that some OpenSSH up to 10.x has. A user's file may hold them, whether or not adit does. */
static const char *const ssh_names[] = {
    "*-cert-v01@openssh.com",
    "3des-cbc",
    "aes128-*",
    "aes192-*",
    "aes256-*",
    "arcfour*",
    "blowfish-cbc",
    "cast128-cbc",
    "chacha20-poly1305@openssh.com",
    "curve25519-sha256*",
    "diffie-hellman-group*",
    "ecdh-sha2-*",
    "ecdsa-sha2-*",
    "gss-*",
    "hmac-*",
    "mlkem768x25519-sha256",
    "none",
    "rijndael-cbc@lysator.liu.se",
    "rsa-sha2-*",
    "sk-*",
    "sntrup*",
    "ssh-dss",
    "ssh-ed25519",
    "ssh-mldsa*",
    "ssh-rsa",
    "ssh-xmss@openssh.com",
    "umac-*",
    "webauthn-sk-*",
};

static bool ssh_has(struct bytes name)
{
    for (size_t i = 0; i < sizeof ssh_names / sizeof ssh_names[0]; i++)
        if (pattern_match(bytes_of(ssh_names[i]), name))
            return true;
    return false;
}

static bool is_pattern(struct bytes name)
{
    return memchr(name.p, '*', name.n) != NULL || memchr(name.p, '?', name.n) != NULL;
}

/* A list under construction; cap was measured to hold all that can come. */
struct builder {
    char *text;
    size_t n;
};

static void append(struct builder *b, struct bytes name)
{
    if (namelist_has((struct bytes){(const uint8_t *)b->text, b->n}, name))
        return;
    if (b->n > 0)
        b->text[b->n++] = ',';
    memcpy(b->text + b->n, name.p, name.n);
    b->n += name.n;
    b->text[b->n] = '\0';
}

/* Every name of ours that `one` (a name or a pattern) means. */
static void append_meant(struct builder *b, struct bytes ours, struct bytes one)
{
    struct bytes name;
    while (namelist_next(&ours, &name))
        if (pattern_match(one, name))
            append(b, name);
}

static bool is_meant(struct bytes list, struct bytes name)
{
    struct bytes one;
    while (namelist_next(&list, &one))
        if (pattern_match(one, name))
            return true;
    return false;
}

/* Finds names nobody has, and notes those that only ssh has. */
static enum value_list sort_out(struct pool *pool, struct bytes list, struct bytes ours,
    const char **unknown, struct text_list *skipped)
{
    struct bytes name;
    while (namelist_next(&list, &name)) {
        if (namelist_has(ours, name) || is_pattern(name))
            continue;
        char *copy = pool_strndup(pool, (const char *)name.p, name.n);
        if (copy == NULL)
            return VALUE_LIST_NOMEM;
        if (!ssh_has(name)) {
            *unknown = copy;
            return VALUE_LIST_UNKNOWN;
        }
        if (!text_list_add(pool, skipped, copy))
            return VALUE_LIST_NOMEM;
    }
    return VALUE_LIST_OK;
}

static void build(
    struct builder *b, char prefix, struct bytes list, struct bytes ours, struct bytes all)
{
    struct bytes name, rest = ours;
    if (prefix == '-') {
        while (namelist_next(&rest, &name))
            if (!is_meant(list, name))
                append(b, name);
        return;
    }
    if (prefix == '+')
        append_meant(b, ours, BYTES_LIT("*"));
    while (namelist_next(&list, &name))
        append_meant(b, all, name);
    if (prefix == '^')
        append_meant(b, ours, BYTES_LIT("*"));
}

enum value_list value_algorithms(struct pool *pool, const char *text, const char *ours,
    const char *all, const char **out, const char **unknown, struct text_list *skipped)
{
    char prefix = *text != '\0' && strchr("+-^", *text) != NULL ? *text++ : '\0';
    struct bytes list = bytes_of(text);
    *unknown = NULL;
    enum value_list status = sort_out(pool, list, bytes_of(all), unknown, skipped);
    if (status != VALUE_LIST_OK)
        return status;
    struct builder b = {.text = pool_alloc(pool, strlen(all) + 1)};
    if (b.text == NULL)
        return VALUE_LIST_NOMEM;
    build(&b, prefix, list, bytes_of(ours), bytes_of(all));
    *out = b.text;
    return b.n > 0 ? VALUE_LIST_OK : VALUE_LIST_NONE;
}
