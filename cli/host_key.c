#include "cli/host_key.h"

#include <stdio.h>
#include <string.h>

#include "cli/host_cert.h"
#include "cli/hosts.h"
#include "cli/hosts_command.h"
#include "cli/log.h"
#include "cli/prompt.h"
#include "cli/revoked.h"
#include "crypto/fingerprint.h"
#include "crypto/key.h"

/* UserKnownHostsFile and GlobalKnownHostsFile name at most 32 each. */
enum { TEXT_MAX = 16384, FILES_MAX = 64, PORT_SSH = 22 };

/* A decision in the making: the question for known_hosts, with room for the list of files it
 * borrows, and the answers by name and, with CheckHostIP, by address. */
struct decision {
    const struct options *o;
    const char *address;
    struct bytes key;
    struct rng *rng;
    struct hosts_query query;
    const char *files[FILES_MAX];
    struct hosts_answer by_name, by_address;
    bool with_address;
    char address_name[HOSTS_NAME_MAX];
    bool confirmed; /* the person said yes */
    bool by_certificate;
    uint8_t plain[KEY_BLOB_MAX]; /* key, when it came inside a certificate */
};

static void add_files(struct decision *d, const struct text_list *list)
{
    for (size_t i = 0; i < list->n && d->query.n_files < FILES_MAX; i++)
        d->files[d->query.n_files++] = list->items[i];
}

static void begin(struct decision *d, const struct options *o)
{
    bool alias = o->host_key_alias != NULL;
    *d = (struct decision){.o = o,
        .address = "",
        .query = {.host = alias ? o->host_key_alias : o->host,
            .port = alias ? PORT_SSH : (uint16_t)o->port}};
    d->query.files = d->files;
    add_files(d, &o->user_known_hosts);
    add_files(d, &o->global_known_hosts);
}

static const char *user_file(const struct options *o)
{
    return o->user_known_hosts.n > 0 ? o->user_known_hosts.items[0] : NULL;
}

static struct hosts_style style(const struct options *o)
{
    return (struct hosts_style){
        (enum fingerprint_hash)o->fingerprint_hash, o->visual_host_key == 1};
}

/* ---- KnownHostsCommand ------------------------------------------------------------------------
 */

/* Runs it for the name q asks about, and lets q have what it prints, which lives in out. */
static bool add_command(const struct options *o, struct hosts_query *q, const char *purpose,
    struct bytes key, struct file *out)
{
    char name[HOSTS_NAME_MAX];
    *out = (struct file){.n = 0};
    if (o->known_hosts_command == NULL)
        return true;
    if (!hosts_name(q->host, q->port, name))
        return false;
    struct hosts_command c = {.purpose = purpose, .name = name, .key = key};
    if (!hosts_command_run(o, &c, out))
        return false;
    q->more = (struct bytes){out->data, out->n};
    q->more_name = strcmp(purpose, "ADDRESS") == 0 ? "KnownHostsCommand-ADDRESS"
                                                   : "KnownHostsCommand-HOSTNAME";
    return true;
}

/* A certificate is looked at first; where none of its authorities is known, its key counts by
 * itself. */
static void look_up_name(struct decision *d)
{
    struct hosts_query q = d->query;
    struct file out;
    d->by_name = (struct hosts_answer){.verdict = HOSTS_REFUSED};
    if (add_command(d->o, &q, "HOSTNAME", d->key, &out)) {
        enum host_cert v = host_cert_decide(d->o, &q, d->key, &d->by_name);
        d->by_certificate = v == HOST_CERT_TRUSTED;
        if (v == HOST_CERT_PLAIN) {
            d->key = cert_plain_blob(d->key, d->plain);
            hosts_lookup(&q, d->key, &d->by_name);
        }
    }
    d->query.more_name = q.more_name; /* for messages; the lines themselves are gone */
    file_free(&out);
}

static void look_up_address(struct decision *d)
{
    struct hosts_query q = d->query;
    struct file out;
    q.host = d->address;
    d->by_address = (struct hosts_answer){.verdict = HOSTS_REFUSED};
    if (add_command(d->o, &q, "ADDRESS", d->key, &out))
        hosts_lookup(&q, d->key, &d->by_address);
    file_free(&out);
}

bool host_key_algorithms(const struct options *o, char *out, size_t cap)
{
    struct decision d;
    struct file printed;
    begin(&d, o);
    if (o->host_key_algorithms_given) {
        snprintf(out, cap, "%s", o->host_key_algorithms);
        return true;
    }
    bool ok = add_command(o, &d.query, "ORDER", (struct bytes){0}, &printed);
    if (ok && !hosts_order_algorithms(&d.query, o->host_key_algorithms, out, cap))
        snprintf(out, cap, "%s", o->host_key_algorithms);
    file_free(&printed);
    return ok;
}

/* ---- storing -----------------------------------------------------------------------------------
 */

/* A file that cannot be written was said so; the connection goes on. */
static void add(const struct decision *d)
{
    const struct options *o = d->o;
    const struct hosts_query *q = &d->query;
    bool both = d->with_address && d->by_address.verdict == HOSTS_UNKNOWN;
    char name[HOSTS_NAME_MAX];
    if (user_file(o) == NULL || !hosts_name(q->host, q->port, name))
        return;
    if (hosts_add_with_address(user_file(o), q->host, both ? d->address : NULL, q->port, d->key,
            o->hash_known_hosts, d->rng))
        log_info("Warning: Permanently added '%s%s%s' (%s) to the list of known hosts.", name,
            both ? "," : "", both ? d->address_name : "", key_short_name(d->key));
}

/* The name is known, its address is new. */
static void add_address(const struct decision *d)
{
    const struct options *o = d->o;
    const char *type = key_short_name(d->key);
    if (user_file(o) == NULL)
        log_info(
            "%s host key for IP address '%s' not in list of known hosts.", type, d->address_name);
    else if (hosts_add(
                 user_file(o), d->address, d->query.port, d->key, o->hash_known_hosts, d->rng))
        log_info("Warning: Permanently added the %s host key for IP address '%s' to the list of "
                 "known hosts.",
            type, d->address_name);
}

/* ---- asking and telling ------------------------------------------------------------------------
 */

static bool ask_person(struct decision *d)
{
    char text[TEXT_MAX];
    char reply[128];
    struct hosts_style s = style(d->o);
    hosts_text_ask(&d->query, d->address, d->key, &d->by_name, &s, text, sizeof text);
    for (int tries = 0; tries < 10; tries++) {
        if (prompt_ask(PROMPT_CONFIRM, text, reply, sizeof reply) < 0)
            return false;
        switch (hosts_reply(reply, d->key, s.hash)) {
        case HOSTS_REPLY_YES: d->confirmed = true; return true;
        case HOSTS_REPLY_NO: return false;
        case HOSTS_REPLY_UNCLEAR: break;
        }
        snprintf(text, sizeof text, "Please type 'yes', 'no' or the fingerprint: ");
    }
    return false;
}

static void show_picture(const struct decision *d)
{
    char print[FINGERPRINT_MAX], picture[RANDOMART_MAX], text[FINGERPRINT_MAX + RANDOMART_MAX + 40];
    struct hosts_style s = style(d->o);
    fingerprint(s.hash, d->key, print);
    fingerprint_randomart(s.hash, d->key, picture);
    snprintf(text, sizeof text, "Host key fingerprint is %s\n%s\n", print, picture);
    log_block(LOG_LEVEL_INFO, text);
}

static void say_refused(const struct decision *d)
{
    char text[TEXT_MAX], name[HOSTS_NAME_MAX] = "";
    const struct options *o = d->o;
    const char *file = user_file(o) != NULL ? user_file(o) : "known_hosts";
    const struct hosts_answer *by = &d->by_name;
    (void)hosts_name(d->query.host, d->query.port, name);
    if (by->verdict == HOSTS_UNKNOWN) {
        log_error("No %s host key is known for %s and you have requested strict checking.",
            key_short_name(d->key), name);
        return;
    }
    bool changed = by->verdict == HOSTS_CHANGED || by->verdict == HOSTS_OTHER_TYPE;
    if (changed && d->with_address && strcmp(d->by_address.print, by->print) != 0) {
        hosts_text_spoofed(&d->query, d->key, d->address_name, &d->by_address, text, sizeof text);
        log_block(LOG_LEVEL_ERROR, text);
    }
    hosts_text_changed(&d->query, d->key, by, file, style(o).hash, text, sizeof text);
    log_block(LOG_LEVEL_ERROR, text);
    if (o->strict_host_key_checking == STRICT_NO)
        return;
    if (changed)
        log_error("Host key for %s has changed and you have requested strict checking.", name);
    else if (by->verdict == HOSTS_REVOKED)
        log_error("%s host key for %s was revoked and you have requested strict checking.",
            key_short_name(d->key), name);
}

/* ---- the address -------------------------------------------------------------------------------
 */

static bool is_localhost(const char *address)
{
    return strcmp(address, "::1") == 0 || strncmp(address, "127.", 4) == 0;
}

bool host_key_checks_address(const struct options *o, const char *address)
{
    return o->check_host_ip == 1 && o->host_key_alias == NULL && *address != '\0' &&
           !is_localhost(address) && strcmp(address, o->host) != 0;
}

/* The name's key is fine; is the address known by another? */
static bool address_agrees(struct decision *d)
{
    char text[TEXT_MAX], reply[16];
    enum hosts_verdict v = d->by_address.verdict;
    if (!d->with_address || (v != HOSTS_CHANGED && v != HOSTS_OTHER_TYPE))
        return true;
    hosts_text_address_differs(
        &d->query, d->key, d->address_name, &d->by_address, &d->by_name, text, sizeof text);
    if (d->o->strict_host_key_checking == STRICT_ASK) {
        size_t n = strlen(text);
        snprintf(
            text + n, sizeof text - n, "Are you sure you want to continue connecting (yes/no)? ");
        return prompt_ask(PROMPT_CONFIRM, text, reply, sizeof reply) >= 0 &&
               hosts_reply(reply, (struct bytes){0}, FINGERPRINT_SHA256) == HOSTS_REPLY_YES;
    }
    log_block(LOG_LEVEL_INFO, text);
    if (d->o->strict_host_key_checking == STRICT_NO)
        return true;
    log_error("Exiting, you have requested strict checking.");
    return false;
}

/* ---- the decision ------------------------------------------------------------------------------
 */

/* What known_hosts is not asked about. */
static bool is_acceptable(const struct options *o, struct bytes key)
{
    const char *why, *type;
    char print[FINGERPRINT_MAX];
    uint8_t room[KEY_BLOB_MAX];
    struct cert c;
    struct krl_question q = {.key = cert_plain_blob(key, room)};
    fingerprint((enum fingerprint_hash)o->fingerprint_hash, key, print);
    if (key_check(q.key, &type) == ERR_OK && strcmp(type, "ssh-rsa") == 0 &&
        key_bits(q.key) < (unsigned)o->required_rsa_size) {
        log_error("Bad server host key: an RSA key of %u bits, and RequiredRSASize is %d",
            key_bits(q.key), o->required_rsa_size);
        return false;
    }
    q.is_certificate = cert_is(key) && cert_parse(key, &c) == ERR_OK;
    if (q.is_certificate) {
        q.ca_key = c.ca;
        q.serial = c.serial;
        q.key_id = c.key_id;
    }
    const char *file;
    switch (revoked_check_all(&o->revoked_host_keys, &q, &file, &why)) {
    case REVOKED_NO: return true;
    case REVOKED_YES:
        log_error("Host key %s %s revoked by file %s", key_short_name(key), print,
            log_escape_cstr(file).s);
        break;
    case REVOKED_UNKNOWN:
        log_error("Error checking host key %s %s in revoked keys file %s: %s", key_short_name(key),
            print, log_escape_cstr(file).s, why);
        break;
    }
    return false;
}

static enum host_key_trust decide(struct decision *d)
{
    const struct options *o = d->o;
    enum strict_host_key strict = (enum strict_host_key)o->strict_host_key_checking;
    look_up_name(d);
    if (d->by_certificate)
        return HOST_KEY_TRUSTED;
    enum hosts_verdict verdict = d->by_name.verdict;
    d->with_address = host_key_checks_address(o, d->address) &&
                      hosts_name(d->address, d->query.port, d->address_name);
    if (d->with_address) {
        look_up_address(d);
        enum hosts_verdict v = d->by_address.verdict;
        if (v == HOSTS_REFUSED || v == HOSTS_REVOKED) {
            verdict = v;
            d->by_name = d->by_address;
        }
    }
    switch (hosts_decide(verdict, strict, o->batch_mode)) {
    case HOSTS_ACCEPT:
        log_debug("Host '%s' is known and matches the %s host key.", d->query.host,
            key_short_name(d->key));
        log_debug("Found key in %s:%lu", log_escape_cstr(d->by_name.file).s, d->by_name.line);
        if (d->with_address && d->by_address.verdict == HOSTS_UNKNOWN)
            add_address(d);
        else if (o->visual_host_key)
            show_picture(d);
        return address_agrees(d) ? HOST_KEY_TRUSTED : HOST_KEY_REFUSED;
    case HOSTS_ASK:
        if (!ask_person(d))
            break;
        add(d);
        return address_agrees(d) ? HOST_KEY_TRUSTED : HOST_KEY_REFUSED;
    case HOSTS_ACCEPT_AND_ADD:
        if (!address_agrees(d))
            break;
        add(d);
        return HOST_KEY_TRUSTED;
    case HOSTS_ACCEPT_RESTRICTED:
        say_refused(d);
        log_error("Password and keyboard-interactive authentication and all forwards are disabled "
                  "to avoid man-in-the-middle attacks.");
        if (o->exit_on_forward_failure && o->n_forwards > 0) {
            log_error("Error: forwarding disabled due to host key check failure");
            break;
        }
        return HOST_KEY_RESTRICTED;
    case HOSTS_REFUSE: say_refused(d); break;
    }
    return HOST_KEY_REFUSED;
}

/* Is the file one of the user's own? Others are kept by somebody else. */
static bool is_users(const struct options *o, const char *file)
{
    return text_list_has(&o->user_known_hosts, file);
}

static bool may_update(const struct decision *d)
{
    bool known = d->by_name.verdict == HOSTS_KNOWN && is_users(d->o, d->by_name.file);
    bool elsewhere = d->with_address && d->by_address.verdict == HOSTS_KNOWN &&
                     !is_users(d->o, d->by_address.file);
    return (known && !elsewhere) || d->confirmed;
}

struct host_key_outcome host_key_decide(
    const struct options *o, const char *address, struct bytes key, struct rng *rng)
{
    struct decision d;
    struct host_key_outcome out = {.trust = HOST_KEY_REFUSED};
    char print[FINGERPRINT_MAX];
    begin(&d, o);
    d.address = address;
    d.key = key;
    d.rng = rng;
    fingerprint((enum fingerprint_hash)o->fingerprint_hash, key, print);
    log_debug("Server host key: %s %s", key_short_name(key), print);
    if (!is_acceptable(o, key))
        return out;
    if (o->no_host_auth_for_localhost && o->host_key_alias == NULL && is_localhost(address)) {
        log_debug("Forcing accepting of host key for loopback/localhost.");
        out.trust = HOST_KEY_TRUSTED;
        return out;
    }
    out.trust = decide(&d);
    out.may_update = out.trust == HOST_KEY_TRUSTED && may_update(&d);
    return out;
}
