/* What people are told about host keys, in the words they know from ssh. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cli/hosts.h"
#include "crypto/key.h"

/* A text that grows, and is cut at its end. */
struct page {
    char *out;
    size_t cap, n;
};

static void say(struct page *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct page *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(p->out + p->n, p->cap - p->n, format, args);
    va_end(args);
    if (n > 0)
        p->n += (size_t)n < p->cap - p->n ? (size_t)n : p->cap - p->n - 1;
}

static struct page page(char *out, size_t cap)
{
    if (cap > 0)
        out[0] = '\0';
    return (struct page){out, cap, 0};
}

/* The name as known_hosts has it, safe to show. */
struct shown_name {
    char text[HOSTS_NAME_MAX];
};
static struct shown_name shown(const char *host, uint16_t port)
{
    struct shown_name s;
    if (!hosts_name(host, port, s.text))
        snprintf(s.text, sizeof s.text, "%s", "?");
    struct log_escaped e = log_escape_cstr(s.text);
    snprintf(s.text, sizeof s.text, "%s", e.s);
    return s;
}

void hosts_text_ask(const struct hosts_query *q, const char *address, struct bytes key,
    const struct hosts_answer *answer, const struct hosts_style *style, char *out, size_t cap)
{
    struct page p = page(out, cap);
    char print[FINGERPRINT_MAX], picture[RANDOMART_MAX];
    fingerprint(style->hash, key, print);
    fingerprint_randomart(style->hash, key, picture);
    say(&p, "The authenticity of host '%s%s%s%s' can't be established",
        shown(q->host, q->port).text, *address != '\0' ? " (" : "", address,
        *address != '\0' ? ")" : "");
    if (answer->verdict == HOSTS_OTHER_TYPE)
        say(&p, "\nbut keys of different type are already known for this host.\n");
    else
        say(&p, ".\n");
    say(&p, "%s key fingerprint is %s.\n", key_short_name(key), print);
    if (style->picture)
        say(&p, "%s\n", picture);
    hosts_other_names(q, address, key, p.out + p.n, p.cap - p.n);
    p.n += strlen(p.out + p.n);
    say(&p, "Are you sure you want to continue connecting (yes/no/[fingerprint])? ");
}

enum hosts_reply hosts_reply(const char *reply, struct bytes key, enum fingerprint_hash hash)
{
    char word[128], print[FINGERPRINT_MAX];
    reply += strspn(reply, " \t\r\n");
    size_t n = strcspn(reply, " \t\r\n");
    if (n == 0)
        return HOSTS_REPLY_NO;
    if (n >= sizeof word || reply[n + strspn(reply + n, " \t\r\n")] != '\0')
        return HOSTS_REPLY_UNCLEAR;
    memcpy(word, reply, n);
    word[n] = '\0';
    fingerprint(hash, key, print);
    if (strcasecmp(word, "yes") == 0 || strcmp(word, print) == 0)
        return HOSTS_REPLY_YES;
    return strcasecmp(word, "no") == 0 ? HOSTS_REPLY_NO : HOSTS_REPLY_UNCLEAR;
}

static const char rule[] = "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\n";

static void say_revoked(struct page *p, const struct hosts_query *q, struct bytes key)
{
    say(p, "%s@       WARNING: REVOKED HOST KEY DETECTED!               @\n%s", rule, rule);
    say(p, "The %s host key for %s is marked as revoked.\n", key_short_name(key),
        shown(q->host, q->port).text);
    say(p, "This could mean that a stolen key is being used to\nimpersonate this host.\n");
}

static void say_changed(struct page *p, const char *print, struct bytes key)
{
    say(p, "%s@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n%s", rule, rule);
    say(p, "IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\n");
    say(p, "Someone could be eavesdropping on you right now (man-in-the-middle attack)!\n");
    say(p, "It is also possible that a host key has just been changed.\n");
    say(p, "The fingerprint for the %s key sent by the remote host is\n%s.\n", key_short_name(key),
        print);
    say(p, "Please contact your system administrator.\n");
}

/* Where the line is, and how to be rid of it. */
static void say_remedy(struct page *p, const struct hosts_query *q,
    const struct hosts_answer *answer, const char *user_file)
{
    struct log_escaped file = log_escape_cstr(answer->file);
    if (user_file != NULL)
        say(p, "Add correct host key in %s to get rid of this message.\n",
            log_escape_cstr(user_file).s);
    say(p, "Offending %s key in %s:%lu\n", answer->type, file.s, answer->line);
    if (q->more_name != NULL && strcmp(answer->file, q->more_name) == 0)
        return; /* a program said so: there is no line to remove */
    say(p, "  remove with:\n  ssh-keygen -f '%s' -R '%s'\n", file.s, shown(q->host, q->port).text);
}

void hosts_text_changed(const struct hosts_query *q, struct bytes key,
    const struct hosts_answer *answer, const char *user_file, enum fingerprint_hash hash, char *out,
    size_t cap)
{
    struct page p = page(out, cap);
    char print[FINGERPRINT_MAX];
    switch (answer->verdict) {
    case HOSTS_REVOKED:
        say_revoked(&p, q, key);
        say(&p, "Revoked in %s:%lu\n", log_escape_cstr(answer->file).s, answer->line);
        break;
    case HOSTS_CHANGED:
    case HOSTS_OTHER_TYPE:
        fingerprint(hash, key, print);
        say_changed(&p, print, key);
        say_remedy(&p, q, answer, user_file);
        break;
    case HOSTS_REFUSED:
    case HOSTS_KNOWN:
    case HOSTS_UNKNOWN:
        say(&p, "The host key of %s could not be checked.\n", shown(q->host, q->port).text);
        break;
    }
}

void hosts_text_spoofed(const struct hosts_query *q, struct bytes key, const char *address_name,
    const struct hosts_answer *by_address, char *out, size_t cap)
{
    struct page p = page(out, cap);
    const char *what = by_address->verdict == HOSTS_UNKNOWN ? "is unknown"
                       : by_address->verdict == HOSTS_KNOWN ? "is unchanged"
                                                            : "has a different value";
    say(&p, "%s@       WARNING: POSSIBLE DNS SPOOFING DETECTED!          @\n%s", rule, rule);
    say(&p, "The %s host key for %s has changed,\n", key_short_name(key),
        shown(q->host, q->port).text);
    say(&p, "and the key for the corresponding IP address %s\n%s. ", address_name, what);
    say(&p, "This could either mean that\n");
    say(&p, "DNS SPOOFING is happening or the IP address for the host\n");
    say(&p, "and its host key have changed at the same time.\n");
    if (by_address->verdict != HOSTS_UNKNOWN)
        say(&p, "Offending key for IP in %s:%lu\n", log_escape_cstr(by_address->file).s,
            by_address->line);
}

void hosts_text_address_differs(const struct hosts_query *q, struct bytes key,
    const char *address_name, const struct hosts_answer *by_address,
    const struct hosts_answer *by_name, char *out, size_t cap)
{
    struct page p = page(out, cap);
    say(&p, "Warning: the %s host key for '%s' differs from the key for the IP address '%s'\n",
        key_short_name(key), shown(q->host, q->port).text, address_name);
    say(&p, "Offending key for IP in %s:%lu\n", log_escape_cstr(by_address->file).s,
        by_address->line);
    if (by_name->verdict == HOSTS_KNOWN)
        say(&p, "Matching host key in %s:%lu\n", log_escape_cstr(by_name->file).s, by_name->line);
}
