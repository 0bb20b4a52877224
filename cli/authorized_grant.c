#include "cli/authorized_grant.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cli/cidr.h"
#include "proto/namelist.h"
#include "proto/text.h"

/* Options that take away what this server does not offer, or give it back. */
static const char *const harmless[] = {"no-pty", "no-X11-forwarding", "no-agent-forwarding",
    "no-user-rc", "pty", "X11-forwarding", "agent-forwarding", "user-rc"};

/* ---- a line's options ------------------------------------------------------------------------ */

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

/* The next of a comma-separated list, quotes respected. */
static struct bytes take_option(struct bytes *options)
{
    size_t n = 0;
    bool quoted = false;
    for (; n < options->n && (quoted || options->p[n] != ','); n++)
        quoted ^= options->p[n] == '"';
    struct bytes option = {options->p, n};
    *options = (struct bytes){options->p + n, options->n - n};
    if (options->n > 0)
        *options = (struct bytes){options->p + 1, options->n - 1};
    return option;
}

/* principals="a,b": quoted, and without the quotes that an escape could bring in. */
static bool take_principals(struct bytes option, struct bytes *list)
{
    static const char name[] = "principals=\"";
    size_t n = sizeof name - 1;
    if (option.n <= n || strncasecmp((const char *)option.p, name, n) != 0 ||
        option.p[option.n - 1] != '"')
        return false;
    *list = (struct bytes){option.p + n, option.n - n - 1};
    return list->n > 0 && memchr(list->p, '"', list->n) == NULL;
}

static bool apply(struct bytes option, struct authorized_grant *g)
{
    if (option_is(option, "restrict") || option_is(option, "no-port-forwarding"))
        g->forwarding = false;
    else if (option_is(option, "port-forwarding"))
        g->forwarding = true;
    else if (option_is(option, "cert-authority"))
        g->is_authority = true;
    else if (option_is(option, "no-touch-required"))
        g->no_touch = true;
    else if (option_is(option, "touch-required"))
        g->no_touch = false;
    else if (option_is(option, "verify-required"))
        g->verify = true;
    else if (!g->has_principals && take_principals(option, &g->principals))
        g->has_principals = true;
    else
        return option_is_harmless(option);
    return true;
}

bool authorized_grant_line(
    struct bytes options, struct authorized_grant *grant, struct bytes *unknown)
{
    *grant = (struct authorized_grant){.forwarding = true};
    *unknown = (struct bytes){0};
    while (options.n > 0) {
        struct bytes option = take_option(&options);
        if (!apply(option, grant)) {
            *unknown = option;
            return false;
        }
    }
    return true;
}

/* ---- a certificate's options ----------------------------------------------------------------- */

static bool say(char why[CERT_WHY_MAX], const char *text)
{
    snprintf(why, CERT_WHY_MAX, "%s", text);
    return false;
}

/* An option whose data is one string. */
static bool read_text(struct bytes data, struct bytes *text)
{
    struct wire_reader r = wire_reader(data);
    *text = wire_string(&r);
    return wire_done(&r);
}

/* force-command is understood and changes nothing: no command is ever run here. */
static bool check_critical(const struct cert *c, const struct authorized_query *q,
    struct authorized_grant *g, char why[CERT_WHY_MAX])
{
    struct bytes data, text;
    if (cert_has_option(c->critical, "force-command", &data) && !read_text(data, &text))
        return say(why, "its option force-command is damaged");
    if (cert_has_option(c->critical, "verify-required", &data)) {
        g->verify = true;
        if (data.n != 0)
            return say(why, "its option verify-required is damaged");
    }
    if (!cert_has_option(c->critical, "source-address", &data))
        return true;
    enum cidr_match match = read_text(data, &text) ? cidr_list_match(q->address, text) : CIDR_BAD;
    if (match == CIDR_BAD)
        return say(why, "its option source-address is damaged");
    char only[100];
    text_escape(only, sizeof only, text, TEXT_LINE);
    if (match == CIDR_NO)
        snprintf(
            why, CERT_WHY_MAX, "it may not be used from %.60s, but from %s only", q->address, only);
    return match == CIDR_YES;
}

/* Extensions are empty; what one with contents would mean, nobody knows. */
static bool has_extension(const struct cert *c, const char *name)
{
    struct bytes data;
    return cert_has_option(c->extensions, name, &data) && data.n == 0;
}

static bool lists_one_of(const struct cert *c, struct bytes names)
{
    struct bytes name;
    while (namelist_next(&names, &name))
        if (cert_has_principal(c, name))
            return true;
    return false;
}

bool authorized_grant_certificate(const struct cert *c, const struct authorized_query *q,
    const struct authorized_grant *line, struct authorized_grant *grant, char why[CERT_WHY_MAX])
{
    struct cert_rules rules = {.kind = CERT_USER,
        .now_s = q->now_s,
        .critical = "force-command,source-address,verify-required",
        .any_principal = line->has_principals,
        .name = q->user};
    *grant = *line;
    if (cert_check(c, &rules, why) != ERR_OK)
        return false;
    if (line->has_principals && !lists_one_of(c, line->principals))
        return say(why, "it lists none of the line's principals");
    grant->forwarding = line->forwarding && has_extension(c, "permit-port-forwarding");
    grant->no_touch = line->no_touch && has_extension(c, "no-touch-required");
    return check_critical(c, q, grant, why);
}

/* ---- enough? --------------------------------------------------------------------------------- */

bool authorized_grant_suffices(
    const struct authorized_grant *grant, const struct authorized_query *q, char why[CERT_WHY_MAX])
{
    bool looks = q->is_signed && q->facts.is_sk;
    if (!grant->forwarding)
        return say(why, "it may not forward ports, and there is nothing else here");
    if (looks && !grant->no_touch && (q->facts.flags & KEY_SK_PRESENCE) == 0)
        return say(why, "the security key was not touched");
    if (looks && grant->verify && (q->facts.flags & KEY_SK_VERIFIED) == 0)
        return say(why, "the security key did not verify its user, as verify-required asks");
    return true;
}
