/* Where to, as typed: [user@]host, or ssh://[user@]host[:port]; and the same for what lies on the
 * way. */
#include "cli/options_destination.h"

#include <ctype.h>
#include <string.h>

#include "cli/values.h"

bool options_set_login(struct options *o, const char *user)
{
    if (!options_user_is_sane(user))
        return false;
    if (o->user != NULL)
        return true;
    o->user_is_literal = true;
    o->user = pool_strdup(&o->pool, user);
    return o->user != NULL;
}

static int hex_value(char c)
{
    if (isdigit((unsigned char)c))
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %41 -> A in place; false for a bad escape or a NUL. */
static bool percent_decode(char *s)
{
    char *out = s;
    for (; *s != '\0'; s++) {
        int high, low;
        if (*s != '%') {
            *out++ = *s;
            continue;
        }
        if ((high = hex_value(s[1])) < 0 || (low = hex_value(s[2])) < 0 || high + low == 0)
            return false;
        *out++ = (char)(high << 4 | low);
        s += 2;
    }
    *out = '\0';
    return true;
}

/* Cuts a port off "host:port" or "[host]:port"; *port is NULL where there is none. false: a bracket
 * is not closed, or something else follows it. */
static bool cut_port(char *host, char **port)
{
    char *close = *host == '[' ? strchr(host, ']') : NULL;
    char *colon = close != NULL ? close + 1 : strchr(host, ':');
    if (*host == '[' && (close == NULL || (*colon != ':' && *colon != '\0')))
        return false;
    *port = NULL;
    if (colon != NULL && *colon == ':') {
        *colon = '\0';
        *port = colon + 1;
    }
    return true;
}

/* [user[;parameters]@], parameters only in a URI. */
static bool parse_user(char *text, bool is_uri, struct destination *d)
{
    if (is_uri) {
        text[strcspn(text, ";")] = '\0';
        if (!percent_decode(text))
            return false;
    }
    d->user = text;
    return options_user_is_sane(text);
}

static bool parse_host(char *text, bool has_port, struct destination *d)
{
    char *port = NULL;
    if (has_port && (!cut_port(text, &port) || (port != NULL && !value_port(port, &d->port))))
        return false;
    size_t n = strlen(text);
    if (n > 2 && text[0] == '[' && text[n - 1] == ']') { /* [::1] */
        text[n - 1] = '\0';
        text++;
    }
    d->host = text;
    return options_host_is_sane(text);
}

/* One '/' may end a URI. */
static bool cut_slash(char *uri)
{
    char *slash = strchr(uri, '/');
    if (slash == NULL)
        return true;
    *slash = '\0';
    return slash[1] == '\0';
}

enum err destination_parse(
    struct pool *pool, const char *word, enum destination_form form, struct destination *d)
{
    static const char scheme[] = "ssh://";
    bool is_uri = strncmp(word, scheme, sizeof scheme - 1) == 0;
    char *text = pool_strdup(pool, is_uri ? word + sizeof scheme - 1 : word);
    *d = (struct destination){.user = NULL};
    if (text == NULL)
        return ERR_NOMEM;
    if (is_uri && !cut_slash(text))
        return ERR_MALFORMED;
    char *at = strrchr(text, '@');
    if (at != NULL)
        *at = '\0';
    bool ok = parse_host(at == NULL ? text : at + 1, is_uri || form == DESTINATION_WITH_PORT, d) &&
              (at == NULL || parse_user(text, is_uri, d));
    return ok ? ERR_OK : ERR_MALFORMED;
}

bool options_set_destination(struct options *o, const char *word)
{
    struct destination d;
    enum err e = destination_parse(&o->pool, word, DESTINATION_PLAIN, &d);
    if (e == ERR_NOMEM) {
        log_error("out of memory");
        return false;
    }
    if (e != ERR_OK) {
        log_error("bad destination \"%s\": expected [user@]host or ssh://[user@]host[:port]",
            log_escape_cstr(word).s);
        return false;
    }
    o->host_arg = d.host;
    if (d.port != 0 && o->port == OPTION_UNSET)
        o->port = d.port;
    if (d.user != NULL && o->user == NULL) {
        o->user_is_literal = true;
        o->user = d.user;
    }
    return true;
}
