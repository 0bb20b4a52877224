/* -G: the options as a config file that would give them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "cli/identity.h"
#include "cli/options.h"
#include "cli/values.h"
#include "crypto/fingerprint.h"
#include "forward/socket.h"

static void yes_no(FILE *out, const char *keyword, int value)
{
    fprintf(out, "%s %s\n", keyword, value ? "yes" : "no");
}

static void text(FILE *out, const char *keyword, const char *value)
{
    if (value != NULL)
        fprintf(out, "%s %s\n", keyword, value);
}

/* A line each, or all on one. */
static void each(FILE *out, const char *keyword, const struct text_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        fprintf(out, "%s %s\n", keyword, list->items[i]);
}

static void all(FILE *out, const char *keyword, const struct text_list *list, const char *none)
{
    fprintf(out, "%s", keyword);
    for (size_t i = 0; i < list->n; i++)
        fprintf(out, " %s", list->items[i]);
    fprintf(out, "%s%s\n", list->n == 0 ? " " : "", list->n == 0 ? none : "");
}

static const char *word(int value, const char *const *words)
{
    return words[value];
}

static void print_forward(FILE *out, const struct forward_spec *f)
{
    static const char *const keywords[] = {[FORWARD_LOCAL] = "localforward",
        [FORWARD_REMOTE] = "remoteforward",
        [FORWARD_DYNAMIC] = "dynamicforward",
        [FORWARD_REMOTE_DYNAMIC] = "remoteforward",
        [FORWARD_STDIO] = "stdioforward"};
    fprintf(out, "%s ", keywords[f->kind]);
    if (f->listen_path != NULL)
        fprintf(out, "%s", f->listen_path);
    else if (f->bind_set)
        fprintf(out, "[%s]:%u", f->bind, (unsigned)f->port);
    else
        fprintf(out, "%u", (unsigned)f->port);
    if (f->connect_path != NULL)
        fprintf(out, " %s", f->connect_path);
    else if (f->host != NULL)
        fprintf(out, " [%s]:%u", f->host, (unsigned)f->host_port);
    fprintf(out, "\n");
}

static void print_escape(FILE *out, int escape)
{
    if (escape == ESCAPE_CHAR_NONE)
        fprintf(out, "escapechar none\n");
    else if (escape < ' ')
        fprintf(out, "escapechar ^%c\n", escape + 64);
    else
        fprintf(out, "escapechar %c\n", escape);
}

static void print_qos(FILE *out, int tos)
{
    const char *name = tos == SOCKET_QOS_NONE ? "none" : value_qos_name(tos);
    if (name != NULL)
        fprintf(out, " %s", name);
    else
        fprintf(out, " 0x%02x", (unsigned)tos);
}

static void print_connection(FILE *out, const struct options *o)
{
    text(out, "host", o->host_arg);
    text(out, "user", o->user);
    text(out, "hostname", o->host);
    fprintf(out, "port %d\n", o->port);
    text(out, "tag", o->tag);
    fprintf(out, "addressfamily %s\n",
        o->family == AF_INET    ? "inet"
        : o->family == AF_INET6 ? "inet6"
                                : "any");
    text(out, "bindaddress", o->bind_address);
    text(out, "proxycommand", o->proxy_command);
    text(out, "proxyjump", o->proxy_jump);
    if (o->connect_timeout_s > 0)
        fprintf(out, "connecttimeout %d\n", o->connect_timeout_s);
    else
        fprintf(out, "connecttimeout none\n");
    fprintf(out, "connectionattempts %d\n", o->connection_attempts);
    yes_no(out, "tcpkeepalive", o->tcp_keep_alive);
    fprintf(out, "ipqos");
    print_qos(out, o->ip_qos_interactive);
    print_qos(out, o->ip_qos_bulk);
    fprintf(out, "\n");
    yes_no(out, "compression", o->compression);
    fprintf(out, "rekeylimit %" PRId64 " %d\n", o->rekey_bytes, o->rekey_s);
    fprintf(out, "serveraliveinterval %d\n", o->server_alive_interval_s);
    fprintf(out, "serveralivecountmax %d\n", o->server_alive_count_max);
    text(out, "ciphers", o->ciphers);
    text(out, "macs", o->macs);
    text(out, "kexalgorithms", o->kex);
    text(out, "hostkeyalgorithms", o->host_key_algorithms);
    text(out, "pubkeyacceptedalgorithms", o->pubkey_algorithms);
    text(out, "casignaturealgorithms", o->ca_signature_algorithms);
}

static void print_session(FILE *out, const struct options *o)
{
    static const char *const session_types[] = {
        [SESSION_DEFAULT] = "default", [SESSION_NONE] = "none", [SESSION_SUBSYSTEM] = "subsystem"};
    static const char *const tty[] = {
        [TTY_AUTO] = "auto", [TTY_NO] = "false", [TTY_YES] = "true", [TTY_FORCE] = "force"};
    yes_no(out, "clearallforwardings", o->clear_all_forwardings);
    yes_no(out, "exitonforwardfailure", o->exit_on_forward_failure);
    yes_no(out, "gatewayports", o->gateway_ports);
    for (size_t i = 0; i < o->n_forwards; i++)
        print_forward(out, &o->forwards[i]);
    all(out, "permitremoteopen", &o->permit_remote_open, "any");
    fprintf(out, "requesttty %s\n", word(o->request_tty, tty));
    fprintf(out, "sessiontype %s\n", session_types[o->session_type]);
    yes_no(out, "stdinnull", o->stdin_null);
    yes_no(out, "forkafterauthentication", o->fork_after_auth);
    print_escape(out, o->escape_char);
    if (o->command == NULL)
        text(out, "remotecommand", o->remote_command);
    yes_no(out, "permitlocalcommand", o->permit_local_command);
    text(out, "localcommand", o->local_command);
    each(out, "sendenv", &o->send_env);
    each(out, "setenv", &o->set_env);
    fprintf(out, "loglevel %s\n", log_level_name((enum log_level)o->log_level));
}

static void print_identity(FILE *out, const struct options *o)
{
    static const char *const strict[] = {[STRICT_YES] = "true",
        [STRICT_ASK] = "ask",
        [STRICT_ACCEPT_NEW] = "accept-new",
        [STRICT_NO] = "false"};
    static const char *const add_keys[] = {[ADD_KEYS_NO] = "false",
        [ADD_KEYS_YES] = "true",
        [ADD_KEYS_ASK] = "ask",
        [ADD_KEYS_CONFIRM] = "confirm"};
    static const char *const update[] = {[UPDATE_HOST_KEYS_YES] = "true",
        [UPDATE_HOST_KEYS_NO] = "false",
        [UPDATE_HOST_KEYS_ASK] = "ask"};
    static const char *const pubkey[] = {[PUBKEY_NO] = "false",
        [PUBKEY_YES] = "true",
        [PUBKEY_UNBOUND] = "unbound",
        [PUBKEY_HOST_BOUND] = "host-bound"};
    fprintf(out, "stricthostkeychecking %s\n", word(o->strict_host_key_checking, strict));
    all(out, "userknownhostsfile", &o->user_known_hosts, "none");
    all(out, "globalknownhostsfile", &o->global_known_hosts, "none");
    text(out, "hostkeyalias", o->host_key_alias);
    yes_no(out, "hashknownhosts", o->hash_known_hosts);
    yes_no(out, "nohostauthenticationforlocalhost", o->no_host_auth_for_localhost);
    yes_no(out, "checkhostip", o->check_host_ip);
    fprintf(out, "updatehostkeys %s\n", word(o->update_host_keys, update));
    yes_no(out, "visualhostkey", o->visual_host_key);
    fprintf(out, "fingerprinthash %s\n", o->fingerprint_hash == FINGERPRINT_MD5 ? "MD5" : "SHA256");
    fprintf(out, "requiredrsasize %d\n", o->required_rsa_size);
    if (o->revoked_host_keys.n > 0)
        all(out, "revokedhostkeys", &o->revoked_host_keys, "none");
    text(out, "knownhostscommand", o->known_hosts_command);
    each(out, "identityfile", &o->identity_files);
    for (size_t i = 0; o->identity_files.n == 0 && identity_defaults[i] != NULL; i++)
        fprintf(out, "identityfile ~/.ssh/%s\n", identity_defaults[i]);
    each(out, "certificatefile", &o->certificate_files);
    yes_no(out, "identitiesonly", o->identities_only);
    text(out, "identityagent", o->identity_agent);
    if (o->add_keys_lifetime_s > 0)
        fprintf(out, "addkeystoagent %s%d\n",
            o->add_keys_to_agent == ADD_KEYS_CONFIRM ? "confirm " : "", o->add_keys_lifetime_s);
    else
        fprintf(out, "addkeystoagent %s\n", word(o->add_keys_to_agent, add_keys));
    yes_no(out, "batchmode", o->batch_mode);
    fprintf(out, "pubkeyauthentication %s\n", word(o->pubkey_authentication, pubkey));
    yes_no(out, "passwordauthentication", o->password_authentication);
    yes_no(out, "kbdinteractiveauthentication", o->kbd_interactive_authentication);
    text(out, "preferredauthentications", o->preferred_authentications);
    fprintf(out, "numberofpasswordprompts %d\n", o->number_of_password_prompts);
}

char *options_print_dup(const struct options *o)
{
    char *page = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&page, &n);
    if (out == NULL)
        return NULL;
    print_connection(out, o);
    print_session(out, o);
    print_identity(out, o);
    bool ok = ferror(out) == 0;
    if (fclose(out) != 0 || !ok) {
        free(page);
        return NULL;
    }
    return page;
}
