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

void hosts_text_ask(const char *host, uint16_t port, const char *address, struct bytes key,
    const struct hosts_answer *answer, char *out, size_t cap)
{
    struct page p = page(out, cap);
    char fingerprint[KEY_FINGERPRINT_MAX];
    key_fingerprint_sha256(key, fingerprint);
    say(&p, "The authenticity of host '%s%s%s%s' can't be established", shown(host, port).text,
        *address != '\0' ? " (" : "", address, *address != '\0' ? ")" : "");
    if (answer->verdict == HOSTS_OTHER_TYPE)
        say(&p, "\nbut keys of different type are already known for this host.\n");
    else
        say(&p, ".\n");
    say(&p, "%s key fingerprint is: %s\n", key_short_name(key), fingerprint);
    say(&p, "Are you sure you want to continue connecting (yes/no/[fingerprint])? ");
}

enum hosts_reply hosts_reply(const char *reply, struct bytes key)
{
    char word[128], fingerprint[KEY_FINGERPRINT_MAX];
    reply += strspn(reply, " \t\r\n");
    size_t n = strcspn(reply, " \t\r\n");
    if (n == 0)
        return HOSTS_REPLY_NO;
    if (n >= sizeof word || reply[n + strspn(reply + n, " \t\r\n")] != '\0')
        return HOSTS_REPLY_UNCLEAR;
    memcpy(word, reply, n);
    word[n] = '\0';
    key_fingerprint_sha256(key, fingerprint);
    if (strcasecmp(word, "yes") == 0 || strcmp(word, fingerprint) == 0)
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

static void say_changed(struct page *p, const char *fingerprint, struct bytes key)
{
    say(p, "%s@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n%s", rule, rule);
    say(p, "IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\n");
    say(p, "Someone could be eavesdropping on you right now (man-in-the-middle attack)!\n");
    say(p, "It is also possible that a host key has just been changed.\n");
    say(p, "The fingerprint for the %s key sent by the remote host is\n%s.\n", key_short_name(key),
        fingerprint);
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
    say(p, "  remove with:\n  ssh-keygen -f '%s' -R '%s'\n", file.s, shown(q->host, q->port).text);
}

void hosts_text_changed(const struct hosts_query *q, struct bytes key,
    const struct hosts_answer *answer, const char *user_file, char *out, size_t cap)
{
    struct page p = page(out, cap);
    char fingerprint[KEY_FINGERPRINT_MAX];
    switch (answer->verdict) {
    case HOSTS_REVOKED:
        say_revoked(&p, q, key);
        say(&p, "Revoked in %s:%lu\n", log_escape_cstr(answer->file).s, answer->line);
        break;
    case HOSTS_CHANGED:
    case HOSTS_OTHER_TYPE:
        key_fingerprint_sha256(key, fingerprint);
        say_changed(&p, fingerprint, key);
        say_remedy(&p, q, answer, user_file);
        break;
    case HOSTS_REFUSED:
    case HOSTS_KNOWN:
    case HOSTS_UNKNOWN:
        say(&p, "The host key of %s could not be checked.\n", shown(q->host, q->port).text);
        break;
    }
}
