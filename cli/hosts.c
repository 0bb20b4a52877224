/* Looking up: is this key the one we know this host by? */
#include "cli/hosts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/base64.h"
#include "cli/file.h"
#include "crypto/cert.h"
#include "crypto/hash.h"
#include "crypto/key.h"
#include "proto/known_hosts.h"
#include "proto/namelist.h"

enum { SHA1_BYTES = 20, SSH_PORT = 22 };

bool hosts_name(const char *host, uint16_t port, char out[HOSTS_NAME_MAX])
{
    int n = port == SSH_PORT ? snprintf(out, HOSTS_NAME_MAX, "%s", host)
                             : snprintf(out, HOSTS_NAME_MAX, "[%s]:%u", host, (unsigned)port);
    if (n < 0 || n >= HOSTS_NAME_MAX)
        return false;
    for (char *p = out; *p != '\0'; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p + ('a' - 'A'));
    return true;
}

/* ---- walking over the lines for one name ----------------------------------------------------- */

/* A line that is for the name, with its key decoded. */
struct match {
    enum known_hosts_marker marker;
    struct bytes key;
    struct bytes type;
    const char *file;
    unsigned long line;
};

/* Takes note of matches. */
struct walker {
    void (*found)(void *user, const struct match *m);
    void *user;
    bool is_quiet; /* bad lines are named in another walk over the same files */
};

/* "|1|salt|hash": the name was hashed with HMAC-SHA1 under the salt. */
static bool hashed_name_is(struct bytes hosts, struct bytes name)
{
    uint8_t salt[SHA1_BYTES], wanted[SHA1_BYTES], made[HASH_MAX_BYTES];
    const uint8_t *bar = memchr(hosts.p + 3, '|', hosts.n - 3);
    if (bar == NULL)
        return false;
    struct bytes salt_text = {hosts.p + 3, (size_t)(bar - hosts.p) - 3};
    struct bytes hash_text = {bar + 1, (size_t)(hosts.p + hosts.n - bar) - 1};
    if (!base64_decode_exact(salt_text, salt, sizeof salt) ||
        !base64_decode_exact(hash_text, wanted, sizeof wanted))
        return false;
    hmac_once(HASH_SHA1, (struct bytes){salt, sizeof salt}, name, made);
    return memcmp(made, wanted, sizeof wanted) == 0; /* a file of our own: no secret */
}

bool hosts_line_is_for(const struct known_hosts_line *l, const char *name)
{
    if (l->hosts.n > 3 && memcmp(l->hosts.p, "|1|", 3) == 0)
        return hashed_name_is(l->hosts, bytes_of(name));
    return pattern_list_match(l->hosts, bytes_of(name));
}

static void skip_line(const struct walker *w, const char *file, unsigned long line, const char *why)
{
    log_line(w->is_quiet ? LOG_LEVEL_DEBUG2 : LOG_LEVEL_INFO, "warning: %s:%lu: skipped: %s",
        log_escape_cstr(file).s, line, why);
}

static void walk_line(const struct walker *w, const char *file, unsigned long line,
    struct bytes text, const char *name)
{
    struct known_hosts_line l;
    const char *why = "line too long";
    uint8_t blob[KEY_BLOB_MAX];
    size_t blob_n;
    enum known_hosts_kind kind =
        text.n > HOSTS_LINE_MAX ? KH_BAD : known_hosts_parse(text, &l, &why);
    if (kind == KH_BAD)
        skip_line(w, file, line, why);
    if (kind != KH_LINE || !hosts_line_is_for(&l, name))
        return;
    if (key_from_base64(l.key_type, l.key_b64, blob, sizeof blob, &blob_n) != ERR_OK) {
        skip_line(w, file, line, "expected a base64 key of the type before it");
        return;
    }
    struct match m = {l.marker, {blob, blob_n}, l.key_type, file, line};
    w->found(w->user, &m);
}

static void walk_text(const struct walker *w, const char *file, struct bytes text, const char *name)
{
    struct bytes one;
    for (unsigned long line = 1; file_next_line(&text, &one); line++)
        walk_line(w, file, line, one, name);
}

/* false: the file could not be read, and nothing may be concluded from its silence. */
static bool walk_file(const struct walker *w, const char *file, const char *name)
{
    struct file_rules rules = {.max_bytes = HOSTS_FILE_MAX};
    struct file f;
    enum file_status status = file_read(&f, file, &rules);
    if (status == FILE_OK) {
        walk_text(w, file, (struct bytes){f.data, f.n}, name);
    } else if (status != FILE_MISSING) {
        log_error("cannot read known hosts from %s: %s", log_escape_cstr(file).s, f.why);
    }
    file_free(&f);
    return status == FILE_OK || status == FILE_MISSING;
}

static bool walk_files(const struct walker *w, const struct hosts_query *q, uint16_t port)
{
    char name[HOSTS_NAME_MAX];
    if (!hosts_name(q->host, port, name)) {
        log_error("host name too long for known hosts");
        return false;
    }
    bool ok = true;
    for (size_t i = 0; i < q->n_files; i++)
        ok = walk_file(w, q->files[i], name) && ok;
    if (port == q->port) /* the command was run for that name alone */
        walk_text(w, q->more_name, q->more, name);
    return ok;
}

/* ---- the verdict ----------------------------------------------------------------------------- */

struct lookup {
    struct bytes key;        /* plain: the one inside, when it is about a certificate */
    const char *type;        /* of key */
    const struct cert *cert; /* NULL: about key alone */
    struct hosts_answer *answer;
};

/* How much a finding counts: a later one replaces only what counts for less. */
static int weight(enum hosts_verdict v)
{
    switch (v) {
    case HOSTS_REVOKED: return 4;
    case HOSTS_KNOWN: return 3;
    case HOSTS_CHANGED: return 2;
    case HOSTS_OTHER_TYPE: return 1;
    case HOSTS_UNKNOWN:
    case HOSTS_REFUSED: break;
    }
    return 0;
}

static void find(struct lookup *l, enum hosts_verdict verdict, const struct match *m)
{
    struct hosts_answer *a = l->answer;
    if (weight(verdict) <= weight(a->verdict))
        return;
    a->verdict = verdict;
    a->line = m->line;
    snprintf(a->file, sizeof a->file, "%s", m->file);
    fingerprint(FINGERPRINT_SHA256, m->key, a->print);
    snprintf(a->type, sizeof a->type, "%s", key_short_name(m->key));
}

/* Lines of certificate authorities say nothing about a plain key, but one of them can revoke it.
 * DSA is gone from ssh too, so a line of that age does not stand for the host any more. */
static void judge(void *user, const struct match *m)
{
    struct lookup *l = user;
    bool same = bytes_equal(m->key, l->key);
    bool is_ca = l->cert != NULL && bytes_equal(m->key, l->cert->ca);
    if (m->marker == KH_REVOKED && (same || is_ca))
        find(l, HOSTS_REVOKED, m);
    if (m->marker == KH_CERT_AUTHORITY && l->cert != NULL)
        find(l, is_ca ? HOSTS_KNOWN : HOSTS_CHANGED, m);
    if (l->cert != NULL)
        return;
    if (m->marker != KH_NONE || bytes_is(m->type, "ssh-dss"))
        return;
    if (same)
        find(l, HOSTS_KNOWN, m);
    else
        find(l, bytes_is(m->type, l->type) ? HOSTS_CHANGED : HOSTS_OTHER_TYPE, m);
}

static void lookup_port(const struct hosts_query *q, uint16_t port, struct lookup *l)
{
    *l->answer = (struct hosts_answer){.verdict = HOSTS_UNKNOWN};
    struct walker w = {.found = judge, .user = l, .is_quiet = port != q->port};
    if (!walk_files(&w, q, port))
        l->answer->verdict = HOSTS_REFUSED;
}

enum hosts_verdict hosts_lookup(
    const struct hosts_query *q, struct bytes key, struct hosts_answer *answer)
{
    struct lookup l = {.key = key, .answer = answer};
    struct cert cert;
    uint8_t inside[KEY_BLOB_MAX];
    *answer = (struct hosts_answer){.verdict = HOSTS_REFUSED};
    if (key_check(key, &l.type) != ERR_OK) {
        log_error("the server's host key is damaged or of a kind that adit does not have");
        return HOSTS_REFUSED;
    }
    if (cert_is(key) && cert_parse(key, &cert) == ERR_OK) {
        l.cert = &cert;
        l.type = cert.key_type;
        l.key = (struct bytes){inside, cert_plain_key(&cert, inside, sizeof inside)};
    }
    lookup_port(q, q->port, &l);
    if (answer->verdict != HOSTS_UNKNOWN || q->port == SSH_PORT)
        return answer->verdict;

    /* Only a good answer counts here, or a bad one about this very key: other keys of the plain
     * name belong to another server of that machine. */
    struct hosts_answer plain;
    l.answer = &plain;
    lookup_port(q, SSH_PORT, &l);
    if (plain.verdict == HOSTS_KNOWN || plain.verdict == HOSTS_REVOKED ||
        plain.verdict == HOSTS_REFUSED)
        *answer = plain;
    return answer->verdict;
}

enum hosts_decision hosts_decide(
    enum hosts_verdict verdict, enum strict_host_key strict, bool batch_mode)
{
    switch (verdict) {
    case HOSTS_KNOWN: return HOSTS_ACCEPT;
    case HOSTS_UNKNOWN:
        if (strict == STRICT_ACCEPT_NEW || strict == STRICT_NO)
            return HOSTS_ACCEPT_AND_ADD;
        return strict == STRICT_ASK && !batch_mode ? HOSTS_ASK : HOSTS_REFUSE;
    case HOSTS_OTHER_TYPE:
    case HOSTS_CHANGED: return strict == STRICT_NO ? HOSTS_ACCEPT_RESTRICTED : HOSTS_REFUSE;
    case HOSTS_REVOKED: /* sshd(8): must not ever be accepted */
    case HOSTS_REFUSED: break;
    }
    return HOSTS_REFUSE;
}

/* ---- which key to ask for -------------------------------------------------------------------- */

enum { TYPES_MAX = 16 };

struct types {
    char names[TYPES_MAX][64];
    size_t n;
    bool has_authority; /* a @cert-authority line */
};

static void note_type(void *user, const struct match *m)
{
    struct types *t = user;
    if (m->marker == KH_CERT_AUTHORITY)
        t->has_authority = true;
    if (m->marker != KH_NONE || t->n == TYPES_MAX || m->type.n >= sizeof t->names[0])
        return;
    memcpy(t->names[t->n], m->type.p, m->type.n);
    t->names[t->n++][m->type.n] = '\0';
}

/* For certificates it is the key inside that counts: a server whose authority is not ours is looked
 * up by that. */
static bool is_key_known(const struct types *t, struct bytes algorithm)
{
    const char *type = key_type_of_algorithm(algorithm);
    for (size_t i = 0; type != NULL && i < t->n; i++)
        if (strcmp(key_plain_type(type), t->names[i]) == 0)
            return true;
    return false;
}

static bool is_known(const struct types *t, struct bytes algorithm)
{
    return (t->has_authority && key_algorithm_is_certificate(algorithm)) ||
           is_key_known(t, algorithm);
}

/* Appends those names of list that are known, or those that are not. */
static void append(
    struct wire_writer *w, const struct types *t, struct bytes list, bool wants_known)
{
    struct bytes name;
    while (namelist_next(&list, &name)) {
        if (is_known(t, name) != wants_known)
            continue;
        if (w->len > 0)
            wire_put_u8(w, ',');
        wire_put_raw(w, name);
    }
}

bool hosts_order_algorithms(const struct hosts_query *q, const char *list, char *out, size_t cap)
{
    struct types types = {.n = 0};
    struct bytes all = bytes_of(list), rest = all, first = {NULL, 0};
    struct walker walker = {.found = note_type, .user = &types, .is_quiet = true};
    struct wire_writer w = wire_writer((uint8_t *)out, cap);
    bool ok = walk_files(&walker, q, q->port);
    namelist_next(&rest, &first);
    if (!ok ||
        is_key_known(&types, first)) { /* leave what is first alone: it tells a watcher less */
        wire_put_raw(&w, all);
    } else {
        append(&w, &types, all, true);
        append(&w, &types, all, false);
    }
    wire_put_u8(&w, '\0');
    return !w.bad;
}
