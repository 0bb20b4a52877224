/* What the two halves of user authentication share; included by transport/auth*.c alone.
 *
 * auth.c holds what both roles need: copies, events, slots, the bytes a signature covers, and the
 * look-up of a message's handler. auth_client.c and auth_server.c each hold one state machine. */
#ifndef TRANSPORT_AUTH_INTERNAL_H
#define TRANSPORT_AUTH_INTERNAL_H

#include "transport/auth.h"

enum {
    AUTH_MESSAGE_MAX = 32768, /* what every peer can take: RFC 4253 section 6.1 */
    AUTH_FIXED_ROOM = 128,    /* a message's numbers, lengths, service and method name */
    AUTH_USER_MAX = 1024,
    AUTH_ALGORITHM_MAX = 64, /* RFC 4251 section 6: names are at most 64 characters */
    AUTH_METHODS_MAX = 4096, /* FAILURE's name-list, which is kept */
    AUTH_TRIES_DEFAULT = 6,  /* sshd's MaxAuthTries */
    AUTH_PARTIALS_MAX = 20,  /* factors of one login */
    AUTH_BANNERS_MAX = 32,
    AUTH_ROUNDS_MAX = 64,   /* prompts for the same request, one after another */
    AUTH_PROMPTS_MAX = 100, /* in one of them; sshd's own bound on answers */
    AUTH_QUOTE_MAX = 64,    /* peer text in a fault, escaped */
};

#define AUTH_SERVICE      "ssh-userauth"
#define AUTH_NEXT_SERVICE "ssh-connection"
#define AUTH_PUBLICKEY    "publickey"
#define AUTH_HOSTBOUND    "publickey-hostbound-v00@openssh.com"

/* Bytes of ours. */
struct auth_copy {
    uint8_t *p;
    size_t n;
};

enum auth_client_state {
    AC_START,        /* before auth_begin() */
    AC_SERVICE,      /* SERVICE_REQUEST is out */
    AC_IDLE,         /* our caller's turn: READY or FAILURE was given */
    AC_NONE,         /* none is out */
    AC_QUERY,        /* publickey without signature is out: PK_OK or FAILURE */
    AC_SIGNING,      /* our caller's turn: AUTH_SIGN was given */
    AC_SIGNED,       /* publickey with signature is out */
    AC_PASSWORD,     /* password, or its change, is out */
    AC_NEW_PASSWORD, /* our caller's turn: AUTH_PASSWORD_CHANGE was given */
    AC_INTERACTIVE,  /* keyboard-interactive, or answers, are out */
    AC_ANSWERING,    /* our caller's turn: AUTH_PROMPTS was given */
    AC_DONE,         /* SUCCESS came */
};

struct auth_client {
    enum auth_client_state state;
    struct auth_copy signing; /* SIGNING: what to sign; the request to send is its tail */
    struct auth_copy methods; /* of the last FAILURE */
    uint32_t n_prompts;       /* ANSWERING: answers wanted */
    unsigned n_rounds;        /* since the last request */
    unsigned n_partials;
    unsigned n_banners;
};

enum auth_server_state {
    AS_START,    /* no service asked for yet */
    AS_IDLE,     /* requests may come */
    AS_DECIDING, /* AUTH_KEY was given: auth_decide() is owed */
    AS_DONE,     /* SUCCESS was sent */
};

struct auth_server {
    enum auth_server_state state;
    bool verified;             /* DECIDING: about a good signature, not about a query */
    struct key_sk_facts facts; /* of that signature */
    unsigned max_tries;
    unsigned n_tries;
    unsigned n_services;
    struct auth_copy banner; /* until it is sent */
};

struct auth {
    enum role role;
    struct packet_sink sink;
    struct fault *fault;
    bool has_begun;
    bool hostbound;
    struct auth_copy session_id, host_key;
    struct auth_copy user;           /* who logs in; server: whom the last request named */
    struct auth_copy algorithm, key; /* asked about (client), to be decided about (server) */
    bool has_event;
    struct transport_event event;
    union {
        struct auth_client client;
        struct auth_server server;
    };
};

/* One row a message that a role accepts; a table ends with a NULL run. r stands behind the number.
 */
struct auth_handler {
    uint8_t number;
    enum err (*run)(struct auth *a, struct wire_reader *r);
};
extern const struct auth_handler auth_client_handlers[];
extern const struct auth_handler auth_server_handlers[];

void auth_client_begin(struct auth *a);

/* Replaces *dst by a copy of b; no memory: the fault is put in force. */
enum err auth_keep(struct auth *a, struct auth_copy *dst, struct bytes b) MUST_USE;
void auth_drop(struct auth_copy *c);
struct bytes auth_bytes(const struct auth_copy *c);

/* The one event; the caller's slices must live as auth_next() promises. */
enum err auth_emit(struct auth *a, struct transport_event event);

/* A writer into a control slot with room for a message whose strings have n_strings bytes; false,
 * and the fault in force, when the message is too long or there is no slot. */
bool auth_open(struct auth *a, size_t n_strings, struct wire_writer *w) MUST_USE;
/* Sends what was written; the slot is wiped if that is not to be. */
enum err auth_send(struct auth *a, struct wire_writer *w);

/* RFC 4252 section 7: what a signature over the user, algorithm and key at hand covers. The request
 * to send, up to the signature, is all of it behind the session id. */
enum err auth_signing_data(struct auth *a, bool hostbound, struct auth_copy *out) MUST_USE;

/* No control characters, not empty, at most AUTH_USER_MAX bytes. */
bool auth_user_is_clean(struct bytes user);
/* Peer text for a fault: escaped, cut, borrowed from out. */
const char *auth_quote(char out[AUTH_QUOTE_MAX], struct bytes text);

#endif
