#include "cli/keywords.h"

#include <stddef.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>

#include "cli/settings.h"
#include "crypto/fingerprint.h"

static const struct value_word yes_no[] = {
    {"yes", 1}, {"no", 0}, {"true", 1}, {"false", 0}, {NULL, 0}};
static const struct value_word pubkey_words[] = {{"yes", PUBKEY_YES}, {"no", PUBKEY_NO},
    {"true", PUBKEY_YES}, {"false", PUBKEY_NO}, {"unbound", PUBKEY_UNBOUND},
    {"host-bound", PUBKEY_HOST_BOUND}, {NULL, 0}};
static const struct value_word families[] = {
    {"any", AF_UNSPEC}, {"inet", AF_INET}, {"inet6", AF_INET6}, {NULL, 0}};
static const struct value_word tty_words[] = {{"auto", TTY_AUTO}, {"no", TTY_NO}, {"yes", TTY_YES},
    {"force", TTY_FORCE}, {"true", TTY_YES}, {"false", TTY_NO}, {NULL, 0}};
static const struct value_word session_words[] = {{"none", SESSION_NONE},
    {"subsystem", SESSION_SUBSYSTEM}, {"default", SESSION_DEFAULT}, {NULL, 0}};
static const struct value_word strict_words[] = {{"ask", STRICT_ASK},
    {"accept-new", STRICT_ACCEPT_NEW}, {"yes", STRICT_YES}, {"no", STRICT_NO}, {"off", STRICT_NO},
    {"true", STRICT_YES}, {"false", STRICT_NO}, {NULL, 0}};
static const struct value_word add_keys_words[] = {{"yes", ADD_KEYS_YES}, {"no", ADD_KEYS_NO},
    {"true", ADD_KEYS_YES}, {"false", ADD_KEYS_NO}, {"ask", ADD_KEYS_ASK},
    {"confirm", ADD_KEYS_CONFIRM}, {NULL, 0}};

static const struct value_word update_words[] = {{"yes", UPDATE_HOST_KEYS_YES},
    {"no", UPDATE_HOST_KEYS_NO}, {"ask", UPDATE_HOST_KEYS_ASK}, {"true", UPDATE_HOST_KEYS_YES},
    {"false", UPDATE_HOST_KEYS_NO}, {NULL, 0}};
static const struct value_word fingerprint_words[] = {
    {"sha256", FINGERPRINT_SHA256}, {"md5", FINGERPRINT_MD5}, {NULL, 0}};

static const struct setting_range counts = {0, 1000000}, from_one = {1, 1000000},
                                  rsa_bits = {1024, 65536};

#define OURS(list)                                                                                 \
    {                                                                                              \
        offsetof(struct environment, list), offsetof(struct environment, list)                     \
    }
#define OURS_OF(all, list)                                                                         \
    {                                                                                              \
        offsetof(struct environment, list), offsetof(struct environment, all)                      \
    }
static const struct setting_algorithms ciphers = OURS(ciphers), macs = OURS(macs),
                                       kexes = OURS(kex),
                                       keys = OURS_OF(all_host_key_algorithms, host_key_algorithms),
                                       signatures =
                                           OURS_OF(all_signature_algorithms, signature_algorithms);

static const enum forward_kind local = FORWARD_LOCAL, remote = FORWARD_REMOTE,
                               dynamic = FORWARD_DYNAMIC;

#define AT(f)          .kind = KEYWORD_SET, .field = offsetof(struct options, f)
#define YES_NO(f)      AT(f), .set = set_word, .detail = yes_no, .wanted = "yes or no"
#define TEXT(f, what)  AT(f), .set = set_text, .wanted = what
#define TIME(f)        AT(f), .set = set_time, .wanted = "a time such as 30 or 1m30s, or \"none\""
#define NAMES(f, ours) AT(f), .set = set_algorithms, .detail = &ours, .wanted = "known algorithms"
#define PATHS(f)                                                                                   \
    AT(f), .set = set_paths, .max_args = KEYWORD_ARGS_MANY, .wanted = "paths, or \"none\""
#define FORWARD(which, n)  .kind = KEYWORD_SET, .set = set_forward, .detail = &which, .max_args = n
#define LATER              .kind = KEYWORD_LATER, .max_args = KEYWORD_ARGS_MANY
#define OLD                .kind = KEYWORD_OLD, .max_args = KEYWORD_ARGS_MANY
#define WARN_UNLESS(value) .kind = KEYWORD_WARN, .max_args = KEYWORD_ARGS_MANY, .off = value
#define BLOCK              .kind = KEYWORD_BLOCK, .max_args = KEYWORD_ARGS_MANY

/* In alphabetical order. Names on one line with another are the older spellings of it. */
static const struct keyword table[] = {
    {"AddKeysToAgent", AT(add_keys_to_agent), .set = set_add_keys, .detail = add_keys_words,
        .max_args = 2, .wanted = "yes, no, ask, confirm, or a time such as 1h"},
    {"AddressFamily", AT(family), .set = set_word, .detail = families,
        .wanted = "any, inet or inet6"},
    {"AFSTokenPassing", OLD},
    {"BatchMode", YES_NO(batch_mode)},
    {"BindAddress", TEXT(bind_address, "an address of this machine")},
    {"BindInterface", WARN_UNLESS("none")},
    {"CanonicalDomains", LATER},
    {"CanonicalizeFallbackLocal", LATER},
    {"CanonicalizeHostname", WARN_UNLESS("no")},
    {"CanonicalizeMaxDots", LATER},
    {"CanonicalizePermittedCNAMEs", LATER},
    {"CASignatureAlgorithms", NAMES(ca_signature_algorithms, signatures)},
    {"CertificateFile", AT(certificate_files), .set = set_certificate_file, .wanted = "a path"},
    {"ChallengeResponseAuthentication", YES_NO(kbd_interactive_authentication)},
    {"ChannelTimeout", LATER},
    {"CheckHostIP", YES_NO(check_host_ip)},
    {"Cipher", OLD},
    {"Ciphers", NAMES(ciphers, ciphers)},
    {"ClearAllForwardings", YES_NO(clear_all_forwardings)},
    {"Compression", YES_NO(compression)},
    {"CompressionLevel", OLD},
    {"ConnectionAttempts", AT(connection_attempts), .set = set_int, .detail = &from_one,
        .wanted = "a number, 1 or more"},
    {"ConnectTimeout", TIME(connect_timeout_s)},
    {"ControlMaster", LATER},
    {"ControlPath", LATER},
    {"ControlPersist", LATER},
    {"DSAAuthentication", AT(pubkey_authentication), .set = set_word, .detail = pubkey_words,
        .wanted = "yes or no"},
    {"DynamicForward", FORWARD(dynamic, 1)},
    {"EnableEscapeCommandline", LATER},
    {"EnableSSHKeysign", LATER},
    {"EscapeChar", AT(escape_char), .set = set_escape_char,
        .wanted = "one character, ^ and a letter, or \"none\""},
    {"ExitOnForwardFailure", YES_NO(exit_on_forward_failure)},
    {"FallBackToRsh", OLD},
    {"FingerprintHash", AT(fingerprint_hash), .set = set_word, .detail = fingerprint_words,
        .wanted = "sha256 or md5"},
    {"ForkAfterAuthentication", YES_NO(fork_after_auth)},
    {"ForwardAgent", LATER},
    {"ForwardX11", LATER},
    {"ForwardX11Timeout", LATER},
    {"ForwardX11Trusted", LATER},
    {"GatewayPorts", YES_NO(gateway_ports)},
    {"GlobalKnownHostsFile", PATHS(global_known_hosts)},
    {"GlobalKnownHostsFile2", OLD},
    {"GSSAPIAuthentication", LATER},
    {"GSSAPIClientIdentity", LATER}, /* this and its kin below: patched into many systems' ssh */
    {"GSSAPIDelegateCredentials", LATER},
    {"GSSAPIKexAlgorithms", LATER},
    {"GSSAPIKeyExchange", LATER},
    {"GSSAPIRenewalForcesRekey", LATER},
    {"GSSAPIServerIdentity", LATER},
    {"GSSAPITrustDns", LATER},
    {"HashKnownHosts", YES_NO(hash_known_hosts)},
    {"Host", BLOCK},
    {"HostbasedAcceptedAlgorithms", LATER},
    {"HostbasedAuthentication", LATER},
    {"HostbasedKeyTypes", LATER},
    {"HostKeyAlgorithms", AT(host_key_algorithms), .set = set_host_key_algorithms, .detail = &keys,
        .wanted = "known algorithms"},
    {"HostKeyAlias", TEXT(host_key_alias, "a name")},
    {"Hostname", TEXT(host, "a name or address")},
    {"IdentitiesOnly", YES_NO(identities_only)},
    {"IdentityAgent", AT(identity_agent), .set = set_identity_agent,
        .wanted = "a path, $VARIABLE, SSH_AUTH_SOCK or \"none\""},
    {"IdentityFile", AT(identity_files), .set = set_identity_file, .wanted = "a path"},
    {"IdentityFile2", AT(identity_files), .set = set_identity_file, .wanted = "a path"},
    {"IgnoreUnknown", TEXT(ignore_unknown, "patterns of keywords")},
    {"Include", BLOCK},
    {"IPQoS", .kind = KEYWORD_SET, .set = set_ip_qos, .max_args = 2,
        .wanted = "a class such as af21 or cs1, lowdelay, throughput, 0 to 255, or \"none\""},
    {"KbdInteractiveAuthentication", YES_NO(kbd_interactive_authentication)},
    {"KbdInteractiveDevices", LATER},
    {"KeepAlive", YES_NO(tcp_keep_alive)},
    {"KerberosAuthentication", OLD},
    {"KerberosTGTPassing", OLD},
    {"KexAlgorithms", NAMES(kex, kexes)},
    {"KnownHostsCommand", TEXT(known_hosts_command, "a command with its whole path, or \"none\""),
        .is_raw = true},
    {"LocalCommand", TEXT(local_command, "a command, or \"none\""), .is_raw = true},
    {"LocalForward", FORWARD(local, 2)},
    {"LogFacility", OLD},
    {"LogLevel", AT(log_level), .set = set_log_level,
        .wanted = "QUIET, FATAL, ERROR, INFO, VERBOSE, DEBUG, DEBUG1, DEBUG2 or DEBUG3"},
    {"LogVerbose", LATER},
    {"MACs", NAMES(macs, macs)},
    {"Match", BLOCK},
    {"NoHostAuthenticationForLocalhost", YES_NO(no_host_auth_for_localhost)},
    {"NumberOfPasswordPrompts", AT(number_of_password_prompts), .set = set_int, .detail = &counts,
        .wanted = "a number"},
    {"ObscureKeystrokeTiming", LATER},
    {"PasswordAuthentication", YES_NO(password_authentication)},
    {"PermitLocalCommand", YES_NO(permit_local_command)},
    {"PermitRemoteOpen", AT(permit_remote_open), .set = set_permit_remote_open,
        .max_args = KEYWORD_ARGS_MANY, .wanted = "HOST:PORT, or \"any\" or \"none\" alone"},
    {"PKCS11Provider", LATER},
    {"Port", AT(port), .set = set_port, .wanted = "a port, 1 to 65535"},
    {"PreferredAuthentications", TEXT(preferred_authentications, "names of methods")},
    {"Protocol", OLD},
    {"ProxyCommand", AT(proxy_command), .set = set_proxy_command,
        .wanted = "a command, or \"none\"", .is_raw = true},
    {"ProxyJump", AT(proxy_jump), .set = set_proxy_jump,
        .wanted = "[user@]host[:port] or ssh://[user@]host[:port], with commas between, or "
                  "\"none\""},
    {"ProxyUseFdpass", WARN_UNLESS("no")},
    {"PubkeyAcceptedAlgorithms", NAMES(pubkey_algorithms, keys)},
    {"PubkeyAcceptedKeyTypes", NAMES(pubkey_algorithms, keys)},
    {"PubkeyAuthentication", AT(pubkey_authentication), .set = set_word, .detail = pubkey_words,
        .wanted = "yes, no, unbound or host-bound"},
    {"RefuseConnection", .kind = KEYWORD_SET, .set = set_refuse_connection, .wanted = "a message"},
    {"RekeyLimit", .kind = KEYWORD_SET, .set = set_rekey_limit, .max_args = 2},
    {"RemoteCommand", TEXT(remote_command, "a command"), .is_raw = true},
    {"RemoteForward", FORWARD(remote, 2)},
    {"RequestTTY", AT(request_tty), .set = set_word, .detail = tty_words,
        .wanted = "auto, no, yes or force"},
    {"RequiredRSASize", AT(required_rsa_size), .set = set_int, .detail = &rsa_bits,
        .wanted = "a number of bits, 1024 or more"},
    {"RevokedHostKeys", PATHS(revoked_host_keys)},
    {"RhostsAuthentication", OLD},
    {"RhostsRSAAuthentication", OLD},
    {"RSAAuthentication", OLD},
    {"SecurityKeyProvider", LATER},
    {"SendEnv", .kind = KEYWORD_SET, .set = set_send_env, .max_args = KEYWORD_ARGS_MANY,
        .wanted = "names of variables"},
    {"ServerAliveCountMax", AT(server_alive_count_max), .set = set_int, .detail = &counts,
        .wanted = "a number"},
    {"ServerAliveInterval", TIME(server_alive_interval_s)},
    {"SessionType", AT(session_type), .set = set_word, .detail = session_words,
        .wanted = "none, subsystem or default"},
    {"SetEnv", AT(set_env), .set = set_set_env, .max_args = KEYWORD_ARGS_MANY,
        .wanted = "NAME=VALUE"},
    {"SKeyAuthentication", YES_NO(kbd_interactive_authentication)},
    {"SmartcardDevice", LATER},
    {"StdinNull", YES_NO(stdin_null)},
    {"StreamLocalBindMask", LATER},
    {"StreamLocalBindUnlink", LATER},
    {"StrictHostKeyChecking", AT(strict_host_key_checking), .set = set_word, .detail = strict_words,
        .wanted = "ask, accept-new, yes or no"},
    {"SyslogFacility", LATER},
    {"Tag", TEXT(tag, "a word")},
    {"TCPKeepAlive", YES_NO(tcp_keep_alive)},
    {"TISAuthentication", YES_NO(kbd_interactive_authentication)},
    {"Tunnel", LATER},
    {"TunnelDevice", LATER},
    {"UpdateHostkeys", AT(update_host_keys), .set = set_word, .detail = update_words,
        .wanted = "yes, no or ask"},
    {"UsePrivilegedPort", OLD},
    {"User", TEXT(user, "a user name")},
    {"UserKnownHostsFile", PATHS(user_known_hosts)},
    {"UserKnownHostsFile2", OLD},
    {"UseRoaming", OLD},
    {"UseRsh", OLD},
    {"VerifyHostKeyDNS", LATER},
    {"VersionAddendum", LATER, .is_raw = true},
    {"VisualHostKey", YES_NO(visual_host_key)},
    {"WarnWeakCrypto", LATER},
    {"XAuthLocation", LATER},
};
enum { N_KEYWORDS = sizeof table / sizeof table[0] };

const struct keyword *keyword_find(const char *name)
{
    for (size_t i = 0; i < N_KEYWORDS; i++)
        if (strcasecmp(name, table[i].name) == 0)
            return &table[i];
    return NULL;
}

const struct keyword *keyword_table(size_t *n)
{
    *n = N_KEYWORDS;
    return table;
}

/* What stands before the colon of a message: the letter options speak for themselves. */
struct heading {
    char text[700];
};
static struct heading heading(const struct keyword_call *call)
{
    struct heading h;
    struct option_where where = option_where(call->place);
    bool is_letter = call->place->file == NULL && strcasecmp(call->place->option, "-o") != 0;
    snprintf(h.text, sizeof h.text, "%s%s%s", where.text, is_letter ? "" : ": ",
        is_letter ? "" : call->keyword->name);
    return h;
}

bool keyword_bad(const struct keyword_call *call, const char *value, const char *wanted)
{
    log_error("%s: bad value \"%s\": expected %s", heading(call).text, log_escape_cstr(value).s,
        wanted != NULL ? wanted : call->keyword->wanted);
    return false;
}

bool keyword_problem(const struct keyword_call *call, const char *problem)
{
    log_error("%s: %s", heading(call).text, problem);
    return false;
}
