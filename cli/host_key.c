#include "cli/host_key.h"

#include <stdio.h>
#include <string.h>

#include "cli/host_cert.h"
#include "cli/hosts.h"
#include "cli/log.h"
#include "cli/prompt.h"
#include "crypto/key.h"

/* UserKnownHostsFile and GlobalKnownHostsFile name at most 32 each. */
enum { TEXT_MAX = 8192, FILES_MAX = 64 };

/* The question for known_hosts, with room for the list of files it borrows. */
struct asked {
    struct hosts_query query;
    const char *files[FILES_MAX];
};

static void add_files(struct asked *a, const struct text_list *list)
{
    for (size_t i = 0; i < list->n && a->query.n_files < FILES_MAX; i++)
        a->files[a->query.n_files++] = list->items[i];
}

static void ask_for(struct asked *a, const struct options *o)
{
    bool alias = o->host_key_alias != NULL;
    *a = (struct asked){.query = {.host = alias ? o->host_key_alias : o->host,
                            .port = alias ? 22 : (uint16_t)o->port}};
    a->query.files = a->files;
    add_files(a, &o->user_known_hosts);
    add_files(a, &o->global_known_hosts);
}

static const char *user_file(const struct options *o)
{
    return o->user_known_hosts.n > 0 ? o->user_known_hosts.items[0] : NULL;
}

static void add(
    const struct options *o, const struct hosts_query *q, struct bytes key, struct rng *rng)
{
    char name[HOSTS_NAME_MAX];
    if (user_file(o) == NULL || !hosts_name(q->host, q->port, name))
        return;
    if (hosts_add(user_file(o), q->host, q->port, key, o->hash_known_hosts, rng))
        log_info("Warning: Permanently added '%s' (%s) to the list of known hosts.", name,
            key_short_name(key));
}

static bool ask_person(const struct hosts_query *q, const char *address, struct bytes key,
    const struct hosts_answer *answer)
{
    char text[TEXT_MAX];
    char reply[128];
    hosts_text_ask(q->host, q->port, address, key, answer, text, sizeof text);
    for (int tries = 0; tries < 10; tries++) {
        if (prompt_ask(PROMPT_CONFIRM, text, reply, sizeof reply) < 0)
            return false;
        switch (hosts_reply(reply, key)) {
        case HOSTS_REPLY_YES: return true;
        case HOSTS_REPLY_NO: return false;
        case HOSTS_REPLY_UNCLEAR: break;
        }
        snprintf(text, sizeof text, "Please type 'yes', 'no' or the fingerprint: ");
    }
    return false;
}

static void say_refused(const struct options *o, const struct hosts_query *q, struct bytes key,
    const struct hosts_answer *answer)
{
    char text[TEXT_MAX];
    const char *file = user_file(o) != NULL ? user_file(o) : "known_hosts";
    if (answer->verdict == HOSTS_UNKNOWN) {
        log_error("No %s host key is known for %s and you have requested strict checking.",
            key_short_name(key), q->host);
        return;
    }
    hosts_text_changed(q, key, answer, file, text, sizeof text);
    log_block(LOG_LEVEL_ERROR, text);
}

static bool is_localhost(const char *address)
{
    return strcmp(address, "::1") == 0 || strncmp(address, "127.", 4) == 0;
}

enum host_key_trust host_key_decide(
    const struct options *o, const char *address, struct bytes key, struct rng *rng)
{
    struct asked a;
    struct hosts_answer answer;
    ask_for(&a, o);
    char fp[KEY_FINGERPRINT_MAX];
    key_fingerprint_sha256(key, fp);
    log_debug("Server host key: %s %s", key_short_name(key), fp);
    if (o->no_host_auth_for_localhost && is_localhost(address))
        return HOST_KEY_TRUSTED;
    uint8_t plain[KEY_BLOB_MAX];
    switch (host_cert_decide(o, &a.query, key, &answer)) {
    case HOST_CERT_TRUSTED: return HOST_KEY_TRUSTED;
    case HOST_CERT_REFUSED: say_refused(o, &a.query, key, &answer); return HOST_KEY_REFUSED;
    case HOST_CERT_PLAIN: key = cert_plain_blob(key, plain); break;
    }
    enum hosts_verdict verdict = hosts_lookup(&a.query, key, &answer);
    enum strict_host_key strict = (enum strict_host_key)o->strict_host_key_checking;
    switch (hosts_decide(verdict, strict, o->batch_mode)) {
    case HOSTS_ACCEPT: return HOST_KEY_TRUSTED;
    case HOSTS_ACCEPT_AND_ADD: add(o, &a.query, key, rng); return HOST_KEY_TRUSTED;
    case HOSTS_ASK:
        if (!ask_person(&a.query, address, key, &answer))
            break;
        add(o, &a.query, key, rng);
        return HOST_KEY_TRUSTED;
    case HOSTS_ACCEPT_RESTRICTED:
        say_refused(o, &a.query, key, &answer);
        log_error("Password and keyboard-interactive authentication and all forwards are disabled "
                  "to avoid man-in-the-middle attacks.");
        return HOST_KEY_RESTRICTED;
    case HOSTS_REFUSE: say_refused(o, &a.query, key, &answer); break;
    }
    return HOST_KEY_REFUSED;
}

void host_key_algorithms(const struct options *o, char *out, size_t cap)
{
    struct asked a;
    ask_for(&a, o);
    if (o->host_key_algorithms_given ||
        !hosts_order_algorithms(&a.query, o->host_key_algorithms, out, cap))
        snprintf(out, cap, "%s", o->host_key_algorithms);
}
