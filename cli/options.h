/* Everything the client was asked for, in one struct: command line, config files, defaults.
 *
 *     options_init(&o, &env);
 *     switch (options_parse(&o, argc, argv)) ...     the command line: OPTIONS_RUN, or the end
 *     log_to_file(o.log_file), log_set_level(o.log_level)   when they are set
 *     config_load(&o)                                the files (config.h)
 *     options_finish(&o)                             tokens, defaults, the checks that need it all
 *     ...
 *     options_free(&o)
 *
 * As in ssh_config(5) the first value given for an option wins: the command line, then the user's
 * file, then the system's. Forwards, identity files and SendEnv add up.
 *
 * Until options_finish() an option not given is OPTION_UNSET (numbers) or NULL (texts, and empty
 * lists). After it, every field holds what its comment says. On any failure one line has been
 * logged that names the place, the value and what was expected; the caller ends with status 255. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdint.h>

#include "cli/environment.h"
#include "cli/expand.h"
#include "cli/log.h"
#include "cli/pool.h"
#include "forward/spec.h"

enum { OPTION_UNSET = -1 };

enum strict_host_key {
    STRICT_YES,        /* unknown and changed keys are refused */
    STRICT_ASK,        /* the default: unknown keys are asked about */
    STRICT_ACCEPT_NEW, /* unknown keys are stored without asking */
    STRICT_NO,         /* ... and changed ones are passed with a warning, forwarding nothing */
};
/* PubkeyAuthentication. HOST_BOUND does what YES does, as in ssh: a server that does not offer
 * host-bound signatures is given plain ones. */
enum pubkey_wish { PUBKEY_NO, PUBKEY_YES, PUBKEY_UNBOUND, PUBKEY_HOST_BOUND };
enum host_key_updates { UPDATE_HOST_KEYS_NO, UPDATE_HOST_KEYS_YES, UPDATE_HOST_KEYS_ASK };
enum request_tty { TTY_AUTO, TTY_NO, TTY_YES, TTY_FORCE };
enum session_type { SESSION_DEFAULT, SESSION_NONE, SESSION_SUBSYSTEM };
enum { ESCAPE_CHAR_NONE = -2 }; /* EscapeChar none */
enum add_keys { ADD_KEYS_NO, ADD_KEYS_YES, ADD_KEYS_ASK, ADD_KEYS_CONFIRM };

/* A server in parts, as on a command line. */
struct destination {
    const char *user; /* NULL: none given */
    const char *host;
    int port; /* 0: none given */
};

/* The one next to us first. */
struct jump_list {
    struct destination *items;
    size_t n;
};

struct options {
    const struct environment *env; /* borrowed */
    struct pool pool;              /* owns every text and list below */

    /* Where to, and as whom. */
    const char *host_arg;      /* as typed: what Host patterns and %n mean */
    const char *host;          /* where to connect: HostName, or host_arg */
    const char *user;          /* the remote user */
    bool user_is_literal;      /* given on the command line: no tokens are expanded in it */
    int port;                  /* 1..65535 */
    bool port_is_literal;      /* given on the command line, so no other adit will find it */
    const char *tag;           /* -P text, or Tag; NULL: none */
    int family;                /* AF_UNSPEC, AF_INET, AF_INET6 */
    const char *bind_address;  /* -b; NULL: none */
    int connect_timeout_s;     /* 0: none asked for */
    int connection_attempts;   /* at least 1 */
    int tcp_keep_alive;        /* 0, 1 */
    int ip_qos_interactive;    /* type of service, 0..255, or SOCKET_QOS_NONE: with a terminal */
    int ip_qos_bulk;           /* the same: everything else, from the login on */
    const char *proxy_command; /* ProxyCommand as written; NULL: none */
    const char *proxy_jump;    /* ProxyJump as written; NULL: none */
    struct jump_list jumps;    /* the same in parts; finished: with its tokens expanded */
    int jump_depth;         /* finished: the adits that lead to here, with us, if there are jumps */
    const char *proxy_line; /* finished: what the shell is given; NULL: connect by TCP */

    /* Forwards, in the order they were given, no two alike. */
    struct forward_spec *forwards;
    size_t n_forwards;
    size_t forwards_cap;
    int gateway_ports;                   /* 0, 1 */
    int exit_on_forward_failure;         /* 0, 1 */
    int clear_all_forwardings;           /* 0, 1; when 1, finish has emptied forwards */
    struct text_list permit_remote_open; /* for SOCKS over -R. Empty: any; or "none" alone; or
                                          * "host:port", each of them "*" or literal */

    /* -W: where stdin and stdout lead to, in place of a session; SESSION_NONE is implied. */
    struct forward_spec stdio;
    bool has_stdio;

    /* The session, or none. */
    int session_type;           /* enum session_type: SESSION_NONE is -N, SUBSYSTEM -s */
    int fork_after_auth;        /* -f: 0, 1 */
    int stdin_null;             /* -n, implied by -f: 0, 1 */
    int request_tty;            /* enum request_tty: -t YES, -tt FORCE, -T NO */
    int escape_char;            /* a byte, or ESCAPE_CHAR_NONE */
    const char *command;        /* the words behind the destination; NULL: none */
    const char *remote_command; /* finished: what to run, command or RemoteCommand; NULL: a shell */
    int permit_local_command;   /* 0, 1 */
    const char *local_command;  /* finished: for the shell here after the login; NULL: none */
    struct text_list send_env;  /* patterns of variable names; "-pattern" ones are resolved away */
    struct text_list set_env;   /* "NAME=value" */

    /* Who the server is. */
    int strict_host_key_checking;        /* enum strict_host_key */
    struct text_list user_known_hosts;   /* paths, expanded; empty means none */
    struct text_list global_known_hosts; /* the same */
    const char *host_key_alias;          /* NULL: none */
    const char *ca_signature_algorithms; /* what authorities may sign certificates with */
    int hash_known_hosts;                /* 0, 1 */
    int no_host_auth_for_localhost;      /* 0, 1 */
    int check_host_ip;                   /* 0, 1 */
    int update_host_keys;                /* enum host_key_updates */
    int visual_host_key;                 /* 0, 1 */
    int fingerprint_hash;                /* enum fingerprint_hash */
    int required_rsa_size;               /* bits, KEY_RSA_MIN_BITS or more */
    struct text_list revoked_host_keys;  /* paths, expanded; empty: none */
    const char *known_hosts_command;     /* as written; NULL: none */
    const struct expand_token *tokens;   /* for texts that are expanded when they are used */
    size_t n_tokens;

    /* Who we are. */
    struct text_list identity_files;       /* paths, expanded; empty: the defaults of identity.h */
    struct text_list certificate_files;    /* paths, expanded; empty: those beside the identities */
    int identities_only;                   /* 0, 1: no other keys of the agent's */
    const char *identity_agent;            /* IdentityAgent, expanded; NULL: none given */
    const char *agent_path;                /* finished: the agent's socket; NULL: there is none */
    int add_keys_to_agent;                 /* enum add_keys */
    int add_keys_lifetime_s;               /* 0: for ever */
    int batch_mode;                        /* 0, 1: never ask anybody anything */
    int pubkey_authentication;             /* enum pubkey_wish */
    int password_authentication;           /* 0, 1 */
    int kbd_interactive_authentication;    /* 0, 1 */
    const char *preferred_authentications; /* method names, comma-separated */
    int number_of_password_prompts;        /* 0 with batch_mode */
    const char *pubkey_algorithms;         /* PubkeyAcceptedAlgorithms: names, comma-separated */

    /* The transport. Lists hold only names this program has. */
    const char *ciphers;
    const char *macs;
    const char *kex;
    const char *host_key_algorithms;
    bool host_key_algorithms_given; /* whole, by the user: then known_hosts does not reorder them */
    int compression;                /* 0, 1 */
    int64_t rekey_bytes;            /* 0: the cipher's own limit */
    int rekey_s;                    /* 0: never by time */
    int server_alive_interval_s;    /* 0: off */
    int server_alive_count_max;

    /* Talking to people. */
    int log_level;           /* enum log_level */
    int verbose;             /* how many -v */
    const char *log_file;    /* -E; NULL: stderr */
    const char *config_file; /* -F; NULL: the usual two; "none": no file */
    bool print_config;       /* -G */
    const char *query;       /* -Q; NULL: none */

    const char *ignore_unknown; /* IgnoreUnknown: a pattern list; NULL: none */
};

void options_init(struct options *o, const struct environment *env);
void options_free(struct options *o); /* frees what o owns, forwards included; o is as new */

enum options_status {
    OPTIONS_BAD, /* a message was logged */
    OPTIONS_RUN,
    OPTIONS_HELP,    /* -h, --help: print options_usage() on stdout, end with 0 */
    OPTIONS_QUERY,   /* -Q: print query_dup() of the query on stdout, end with 0 */
    OPTIONS_VERSION, /* -V: print the version, end with 0 */
};

/* The command line, argv[0] the program's name. argv's texts are copied. */
enum options_status options_parse(struct options *o, int argc, char *const argv[]);

/* The text of --help; static, several lines. */
const char *options_usage(void);

/* After the files: expands tokens and "~", fills in defaults, checks the host and user names (once,
 * here, before anything uses them). false: a message was logged. */
bool options_finish(struct options *o);

/* -G: the effective configuration as "keyword value" lines, as `ssh -G` prints it, for the keywords
 * of struct options. NULL: no memory. The caller frees it. */
char *options_print_dup(const struct options *o);

/* ---- shared with config.c -------------------------------------------------------------------- */

/* Where a value comes from, and what is to be done with it. */
struct option_place {
    const char *file;   /* a path, or NULL */
    unsigned line;      /* in file */
    const char *option; /* without a file: "-p" */
    bool overrides;     /* replaces an earlier value, as some of ssh's single letters do */
    bool is_repeat;     /* the second reading of a file: notices were given */
    bool is_check_only; /* a block that does not apply: values are checked and not stored */
};
/* "FILE line N" or "option -p", for the start of a message. */
struct option_where {
    char text[600];
};
struct option_where option_where(const struct option_place *place);

/* One setting: a keyword in any case, and its arguments, already cut and unquoted. false: a message
 * was logged, and o is as it was. */
bool options_set(struct options *o, const struct option_place *place, const char *keyword,
    const char *const *args, size_t n_args);

/* A name that may be connected to, looked up and printed: not empty, no blanks, nothing that a
 * screen must not see (text_is_harmless), no leading dash, nothing a shell would act on
 * (CVE-2023-51385), no comma or slash. */
bool options_host_is_sane(const char *host);
/* The same for a remote user, who may hold blanks in the middle, a slash, a comma and, not at the
 * end, a backslash (DOMAIN\user). CVE-2025-61984. */
bool options_user_is_sane(const char *user);

#endif
