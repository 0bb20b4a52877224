#include "cli/update_host_keys.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/host_key.h"
#include "cli/hosts_update.h"
#include "cli/prompt.h"
#include "cli/revoked.h"
#include "cli/tty.h"
#include "crypto/cert.h"
#include "crypto/fingerprint.h"
#include "crypto/key.h"
#include "proto/namelist.h"

static const char prove[] = "hostkeys-prove-00@openssh.com";
enum { SIGNED_MAX = sizeof prove + 3 * 4 + 256 + KEY_BLOB_MAX, REQUEST_MAX = 32 * 1024 };

struct update_host_keys {
    struct update_host_keys_config config;
    struct hosts_update files;
    bool was_told;
};

struct update_host_keys *update_host_keys_new(const struct update_host_keys_config *config)
{
    struct update_host_keys *u = calloc(1, sizeof *u);
    if (u == NULL)
        return NULL;
    const struct options *o = config->options;
    bool alias = o->host_key_alias != NULL;
    u->config = *config;
    u->files.host = alias ? o->host_key_alias : o->host;
    u->files.port = alias ? 22 : (uint16_t)o->port;
    u->files.address = host_key_checks_address(o, config->address) ? config->address : NULL;
    u->files.files = &o->user_known_hosts;
    u->files.hashed = o->hash_known_hosts == 1;
    return u;
}

void update_host_keys_free(struct update_host_keys *u)
{
    if (u == NULL)
        return;
    pool_free(&u->files.pool);
    free(u);
}

/* ---- which keys count --------------------------------------------------------------------------
 */

static bool is_wanted(const struct options *o, struct bytes key)
{
    const char *type, *file, *why;
    struct bytes list = bytes_of(o->host_key_algorithms), name;
    struct krl_question q = {.key = key};
    bool is_listed = false;
    if (cert_is(key) || key_check(key, &type) != ERR_OK)
        return false;
    while (namelist_next(&list, &name)) {
        const char *of = key_type_of_algorithm(name);
        is_listed = is_listed || (of != NULL && strcmp(of, type) == 0);
    }
    bool is_long = strcmp(type, "ssh-rsa") != 0 || key_bits(key) >= (unsigned)o->required_rsa_size;
    return is_listed && is_long &&
           revoked_check_all(&o->revoked_host_keys, &q, &file, &why) == REVOKED_NO;
}

static bool is_double(const struct hosts_update *f, struct bytes key)
{
    for (size_t i = 0; i < f->n_keys; i++)
        if (bytes_equal(f->keys[i], key))
            return true;
    return false;
}

/* Keeps those keys of the message that count; false: it is no good. */
static bool take_keys(struct update_host_keys *u, struct bytes body)
{
    struct wire_reader r = wire_reader(body);
    struct hosts_update *f = &u->files;
    while (r.left > 0 && !r.bad) {
        struct bytes key = wire_string(&r);
        if (r.bad || !is_wanted(u->config.options, key)) /* certificates are none to store */
            continue;
        uint8_t *copy = f->n_keys < HOSTS_UPDATE_KEYS_MAX ? pool_alloc(&f->pool, key.n) : NULL;
        if (copy == NULL || is_double(f, key)) {
            log_error("server told a host key twice, or too many of them: none is learned");
            return false;
        }
        memcpy(copy, key.p, key.n);
        f->keys[f->n_keys++] = (struct bytes){copy, key.n};
    }
    return !r.bad && f->n_keys > 0;
}

/* ---- carrying it out ---------------------------------------------------------------------------
 */

static void tell(const struct update_host_keys *u, bool asks)
{
    const struct hosts_update *f = &u->files;
    enum log_level level = asks ? LOG_LEVEL_INFO : LOG_LEVEL_VERBOSE;
    enum fingerprint_hash hash = (enum fingerprint_hash)u->config.options->fingerprint_hash;
    char print[FINGERPRINT_MAX];
    if (asks) {
        log_line(level, "The server has updated its host keys.");
        log_line(level, "These changes were verified by the server's existing trusted key.");
    }
    for (size_t i = 0; i < f->n_keys; i++) {
        fingerprint(hash, f->keys[i], print);
        if (!f->known[i])
            log_line(level, "Learned new hostkey: %s %s", key_short_name(f->keys[i]), print);
    }
    for (size_t i = 0; i < f->n_old; i++) {
        fingerprint(hash, f->old[i], print);
        log_line(level, "Deprecating obsolete hostkey: %s %s", key_short_name(f->old[i]), print);
    }
}

/* A session may have its terminal raw by now. */
static bool says_yes(void)
{
    char reply[16];
    bool was_raw = tty_is_raw(), yes = false, done = false;
    if (was_raw)
        tty_restore();
    for (int tries = 0; tries < 3 && !done; tries++) {
        if (prompt_ask(PROMPT_ECHO, "Accept updated hostkeys? (yes/no): ", reply, sizeof reply) < 0)
            break;
        yes = strcasecmp(reply, "yes") == 0;
        done = yes || strcasecmp(reply, "no") == 0;
        if (!done)
            log_info("Please enter \"yes\" or \"no\"");
    }
    if (was_raw)
        tty_raw(STDIN_FILENO);
    return yes;
}

static void carry_out(struct update_host_keys *u)
{
    bool asks = u->config.options->update_host_keys == UPDATE_HOST_KEYS_ASK;
    tell(u, asks);
    if (!asks || says_yes())
        (void)hosts_update_write(&u->files, u->config.rng); /* it said what went wrong */
}

/* ---- the exchange ------------------------------------------------------------------------------
 */

static void ask_for_proof(struct update_host_keys *u)
{
    static uint8_t body[REQUEST_MAX];
    const struct hosts_update *f = &u->files;
    struct wire_writer w = wire_writer(body, sizeof body);
    for (size_t i = 0; i < f->n_keys; i++)
        if (!f->known[i])
            wire_put_string(&w, f->keys[i]);
    if (w.bad || mux_global_request(u->config.mux, bytes_of(prove), true, wire_written(&w),
                     UPDATE_HOST_KEYS_TOKEN) != ERR_OK)
        log_debug("cannot ask the server to prove its new host keys");
}

void update_host_keys_told(struct update_host_keys *u, struct bytes body)
{
    if (u->was_told) {
        log_debug("server tells its host keys again: ignored");
        return;
    }
    u->was_told = true;
    if (!take_keys(u, body)) {
        log_debug("no host key to learn from the server");
        return;
    }
    const char *why = hosts_update_look(&u->files);
    if (why == NULL && u->files.n_new == 0 && u->files.n_old == 0)
        why = "no new or deprecated keys from server";
    if (why != NULL)
        log_debug("UpdateHostKeys: %s", why);
    else if (u->files.n_new > 0)
        ask_for_proof(u);
    else
        carry_out(u);
}

/* The server signs a text that nobody could mistake for a login or an exchange. */
static bool is_proof(const struct update_host_keys *u, struct bytes key, struct bytes signature)
{
    static uint8_t signed_text[SIGNED_MAX];
    struct wire_writer w = wire_writer(signed_text, sizeof signed_text);
    struct wire_reader r = wire_reader(signature);
    struct bytes algorithm = wire_string(&r);
    struct key_sk_facts facts;
    wire_put_cstring(&w, prove);
    wire_put_string(&w, u->config.session_id);
    wire_put_string(&w, key);
    if (w.bad || r.bad)
        return false;
    bool is_named = namelist_has(bytes_of(u->config.options->host_key_algorithms), algorithm);
    return (is_named ? key_verify_named(key, algorithm, signature, wire_written(&w), &facts)
                     : key_verify(key, algorithm, signature, wire_written(&w))) == ERR_OK;
}

void update_host_keys_proved(struct update_host_keys *u, bool ok, struct bytes body)
{
    struct wire_reader r = wire_reader(body);
    struct hosts_update *f = &u->files;
    if (!ok) {
        log_error("Server failed to confirm ownership of private host keys");
        return;
    }
    for (size_t i = 0; i < f->n_keys; i++) {
        if (f->known[i])
            continue;
        if (!is_proof(u, f->keys[i], wire_string(&r))) {
            log_error("server gave bad signature for %s host key: no host key is learned",
                key_short_name(f->keys[i]));
            return;
        }
    }
    if (wire_done(&r))
        carry_out(u);
    else
        log_error("server gave more signatures than were asked for: no host key is learned");
}
