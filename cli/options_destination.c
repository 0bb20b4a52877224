/* Where to, as typed: [user@]host, or ssh://[user@]host[:port]. */
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

/* What stands behind "ssh://": [user[;parameters]@]host[:port][/]. Changes uri. */
static bool parse_uri(struct options *o, char *uri, char **host)
{
    char *slash = strchr(uri, '/');
    if (slash != NULL && slash[1] != '\0')
        return false;
    if (slash != NULL)
        *slash = '\0';
    char *at = strrchr(uri, '@');
    *host = at == NULL ? uri : at + 1;
    char *port;
    int number;
    if (!cut_port(*host, &port) || (port != NULL && !value_port(port, &number)))
        return false;
    if (port != NULL && o->port == OPTION_UNSET)
        o->port = number;
    if (at == NULL)
        return true;
    *at = '\0';
    uri[strcspn(uri, ";")] = '\0';
    return percent_decode(uri) && options_set_login(o, uri);
}

static bool parse_user_at_host(struct options *o, char *text, char **host)
{
    char *at = strrchr(text, '@');
    *host = at == NULL ? text : at + 1;
    if (at == NULL)
        return true;
    *at = '\0';
    return at != text && options_set_login(o, text);
}

bool options_set_destination(struct options *o, const char *word)
{
    static const char scheme[] = "ssh://";
    char *text = pool_strdup(&o->pool, word), *host = NULL;
    if (text == NULL) {
        log_error("out of memory");
        return false;
    }
    bool is_uri = strncmp(word, scheme, sizeof scheme - 1) == 0;
    bool ok =
        is_uri ? parse_uri(o, text + sizeof scheme - 1, &host) : parse_user_at_host(o, text, &host);
    size_t n = ok ? strlen(host) : 0;
    if (ok && n > 2 && host[0] == '[' && host[n - 1] == ']') { /* [::1] */
        host[n - 1] = '\0';
        host++;
    }
    if (!ok || !options_host_is_sane(host)) {
        log_error("bad destination \"%s\": expected [user@]host or ssh://[user@]host[:port]",
            log_escape_cstr(word).s);
        return false;
    }
    o->host_arg = host;
    return true;
}
