#include "cli/host_cert.h"

#include <inttypes.h>
#include <time.h>

static void say_certificate(struct bytes key, const struct cert *c)
{
    char of_key[KEY_FINGERPRINT_MAX], of_ca[KEY_FINGERPRINT_MAX], valid[CERT_VALIDITY_MAX];
    key_fingerprint_sha256(key, of_key);
    key_fingerprint_sha256(c->ca, of_ca);
    cert_validity_text(c, valid);
    log_debug("Server host certificate: %s %s, serial %" PRIu64 " ID \"%s\" CA %s %s valid %s",
        key_short_name(key), of_key, c->serial, log_escape(c->key_id).s, key_short_name(c->ca),
        of_ca, valid);
}

/* A bad one of an authority that is trusted is worth more than a line at -v: it may be all there is
 * between a person and the login. */
static bool is_good(const struct options *o, const struct hosts_query *q, const struct cert *c)
{
    char why[CERT_WHY_MAX];
    struct cert_rules rules = {.kind = CERT_HOST,
        .now_s = (uint64_t)time(NULL),
        .ca_algorithms = o->ca_signature_algorithms,
        .name = bytes_of(q->host),
        .has_patterns = true};
    if (cert_check(c, &rules, why) == ERR_OK)
        return true;
    log_error(
        "Host certificate \"%s\" of %s is not accepted: %s", log_escape(c->key_id).s, q->host, why);
    return false;
}

enum host_cert host_cert_decide(const struct options *o, const struct hosts_query *q,
    struct bytes key, struct hosts_answer *answer)
{
    struct cert c;
    if (!cert_is(key) || cert_parse(key, &c) != ERR_OK)
        return HOST_CERT_PLAIN;
    say_certificate(key, &c);
    switch (hosts_lookup(q, key, answer)) {
    case HOSTS_KNOWN:
        log_debug("Found CA key in %s:%lu", log_escape_cstr(answer->file).s, answer->line);
        if (is_good(o, q, &c))
            return HOST_CERT_TRUSTED;
        break;
    case HOSTS_CHANGED:
        log_debug("Host certificate authority does not match @cert-authority in %s:%lu",
            log_escape_cstr(answer->file).s, answer->line);
        break;
    case HOSTS_UNKNOWN:
    case HOSTS_OTHER_TYPE: break;
    case HOSTS_REVOKED:
    case HOSTS_REFUSED: return HOST_CERT_REFUSED;
    }
    log_debug("No matching CA found. Retry with plain key");
    return HOST_CERT_PLAIN;
}
