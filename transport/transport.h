/* An SSH transport with user authentication: RFC 4253, 4252, 4256, 8308, strict key exchange; both
 * roles, one engine. Sans-I/O: bytes in, bytes out, events out, the time handed in.
 *
 *     space = transport_rx_space(t, &room)         read() straight into it
 *     transport_rx_commit(t, n, now_ms)
 *     while (transport_next(t, &event)) ...        decisions go back in as calls
 *     bytes = transport_tx(t, &n)                  write() straight from it
 *     transport_tx_done(t, n)
 *     transport_deadline(t) / transport_tick(t, now_ms)
 *
 * The engine never blocks and is never re-entered. A decision (host key, signature, password, may
 * this key log in) comes out as an event and goes back in as a call, as late as it likes; until
 * then the engine gives no further events of its own accord that depend on it.
 *
 * Failure: the first fault wins, a DISCONNECT is queued once (see transport_tx), transport_next
 * gives TRANSPORT_DISCONNECTED once, and every later call does nothing. */
#ifndef TRANSPORT_TRANSPORT_H
#define TRANSPORT_TRANSPORT_H

#include "crypto/key.h"
#include "crypto/rng.h"
#include "proto/err.h"
#include "proto/msg.h"
#include "proto/wire.h"
#include "transport/packet_sink.h"

enum role { ROLE_CLIENT, ROLE_SERVER };

struct transport; /* opaque */

struct transport_config {
    enum role role;
    const char *software; /* the version line after "SSH-2.0-": "adit_0.1" */
    /* Name-lists in order of preference; NULL means every name this program has. Borrowed for the
     * engine's life. Pseudo-names (ext-info-c, kex-strict-...) are added by the engine. */
    const char *kex;
    const char *host_key_algorithms;
    const char *ciphers;
    const char *macs;
    const char *compression; /* "none" by default; e.g. "zlib@openssh.com,zlib,none" */
    uint64_t rekey_bytes;    /* in one direction; 0: only the cipher's own limit */
    uint64_t rekey_ms;       /* 0: never by time */
    uint64_t login_ms;       /* from the start to SUCCESS; 0: no limit */
    uint64_t kex_ms;         /* for one exchange, the first and every rekey; 0: no limit */
    struct rng *rng;         /* borrowed for the engine's life */

    /* Server: the host keys, borrowed for the engine's life; tries, queries included, before the
     * connection ends (0: 6); an optional banner, shown at the first auth request. */
    const struct private_key *const *host_keys;
    size_t n_host_keys;
    unsigned max_auth_tries;
    const char *banner;

    /* Client: who logs in. Checked at the door: ERR from the first exchange on control characters.
     */
    const char *user;
    /* ... and never by publickey-hostbound-v00@openssh.com, though the server offers it. */
    bool signs_unbound;
};

/* NULL when there is no memory or a name-list holds nothing known. Text of the version line is
 * queued at once. */
struct transport *transport_new(const struct transport_config *config, uint64_t now_ms);
void transport_free(struct transport *t); /* wipes all keys; accepts NULL */

/* ---- bytes ----------------------------------------------------------------------------------- */

/* Where to read(2) the peer's bytes to, and how many at most. NULL when reading must wait: events
 * not pulled yet, or the peer does not take what we owe it. Ends the life of all PACKET payloads.
 */
uint8_t *transport_rx_space(struct transport *t, size_t *room);
void transport_rx_commit(struct transport *t, size_t n, uint64_t now_ms);
void transport_rx_eof(struct transport *t);

/* What to write(2): all packets sealed so far, one behind another; NULL and 0 when there is
 * nothing. */
const uint8_t *transport_tx(struct transport *t, size_t *n);
void transport_tx_done(struct transport *t, size_t n);

/* Monotonic milliseconds of the next tick wanted, UINT64_MAX when none. */
uint64_t transport_deadline(const struct transport *t);
void transport_tick(struct transport *t, uint64_t now_ms);

/* ---- events ---------------------------------------------------------------------------------- */

enum transport_event_type {
    TRANSPORT_LINE,     /* client: a line the server sent before its version line (text) */
    TRANSPORT_IDENT,    /* the peer's version line is known (text: whole line) */
    TRANSPORT_KEXED,    /* keys are in use in both directions: see transport_algorithms() */
    TRANSPORT_HOST_KEY, /* client, first exchange only: its signature is good; is the key trusted?
                         */

    /* Client: authentication. A method is asked for by a transport_auth_...() call. */
    TRANSPORT_AUTH_READY,   /* the service was accepted: try a method */
    TRANSPORT_AUTH_FAILURE, /* text: methods that can continue; partial: that one did succeed */
    TRANSPORT_AUTH_SIGN,    /* sign `data` with `key` by `algorithm`: transport_auth_signature() */
    TRANSPORT_AUTH_PROMPTS, /* keyboard-interactive round: prompts; transport_auth_answers() */
    TRANSPORT_AUTH_PASSWORD_CHANGE, /* text: prompt; transport_auth_new_password() */
    TRANSPORT_AUTH_BANNER,          /* text */

    /* Server: authentication. */
    TRANSPORT_AUTH_KEY, /* may user log in with key? verified: the signature is good (else a query).
                         * A certificate is well-formed, and no more: see crypto/cert.h */

    TRANSPORT_AUTH_SUCCESS, /* both roles: channels may be used now */

    TRANSPORT_PACKET,       /* a payload for the layer above: numbers 80..127 */
    TRANSPORT_DEBUG,        /* text; always_display */
    TRANSPORT_DISCONNECTED, /* last event: see transport_fault(); by_peer: text is its own words */
};

struct transport_event {
    enum transport_event_type type;
    struct bytes text;               /* the peer's, raw: escape before showing it */
    struct bytes payload;            /* PACKET: message number first */
    struct bytes key;                /* HOST_KEY, AUTH_SIGN, AUTH_KEY: public key blob */
    struct bytes algorithm;          /* the same: signature algorithm */
    struct bytes data;               /* AUTH_SIGN: what to sign */
    struct bytes user;               /* AUTH_KEY */
    struct msg_info_request prompts; /* AUTH_PROMPTS */
    bool partial;
    bool verified;
    struct key_sk_facts facts; /* AUTH_KEY, verified: of a security key, and not checked yet */
    bool always_display;
    bool by_peer;
    bool first;   /* KEXED: the first exchange, not a rekey */
    bool lasting; /* PACKET: payload lives until transport_rx_space(); otherwise, like everything
                   * else in an event, until the next call on the engine */
};

/* The next event; false when more bytes (or a decision) are needed. */
bool transport_next(struct transport *t, struct transport_event *event);

/* ---- decisions ------------------------------------------------------------------------------- */

/* Client: after HOST_KEY. Refusing ends the connection (ERR_HOST_KEY). */
void transport_host_key_decide(struct transport *t, bool trusted);

/* Client: one method at a time, after READY or FAILURE. */
void transport_auth_none(struct transport *t);
/* Asks whether key would do (the query step); if so AUTH_SIGN follows, else AUTH_FAILURE. */
void transport_auth_publickey(struct transport *t, struct bytes algorithm, struct bytes key);
/* The answer to AUTH_SIGN; an empty signature means there is none (AUTH_FAILURE follows, from us).
 */
void transport_auth_signature(struct transport *t, struct bytes signature);
void transport_auth_password(struct transport *t, struct bytes password);
void transport_auth_new_password(struct transport *t, struct bytes old, struct bytes new_password);
void transport_auth_keyboard_interactive(struct transport *t);
/* As many answers as there were prompts; anything else is our own mistake. */
void transport_auth_answers(struct transport *t, const struct bytes *answers, size_t n);

/* Server: after AUTH_KEY. For a query, true is PK_OK; for a verified signature, SUCCESS. */
void transport_auth_decide(struct transport *t, bool accept);

/* ---- sending --------------------------------------------------------------------------------- */

/* The sink the multiplexer writes to; usable after AUTH_SUCCESS. */
struct packet_sink transport_sink(struct transport *t);

/* Bytes sealed and not yet written. */
size_t transport_backlog(const struct transport *t);
/* How many of them make bulk data wait: from TX_BACKLOG_LEAST to TX_BACKLOG_MOST bytes, the most at
 * first. One payload of half of it always finds room when nothing is waiting. */
enum { TX_BACKLOG_LEAST = 8 * 1024, TX_BACKLOG_MOST = 512 * 1024 };
void transport_set_backlog(struct transport *t, size_t bytes);
/* True from our KEXINIT until both directions have new keys. */
bool transport_in_kex(const struct transport *t);

/* Starts a rekey now (after login; otherwise, or when one is under way, nothing happens). */
void transport_rekey(struct transport *t);
void transport_send_ignore(struct transport *t, size_t n_bytes);

/* Ends the connection of our own will: queues DISCONNECT with an RFC 4253 section 11.1 reason; the
 * fault becomes code. Write out transport_tx() before closing the socket. */
void transport_disconnect(struct transport *t, enum err code, unsigned reason, const char *text);
/* Puts a fault found by a layer above in force, as if the transport had found it. */
void transport_fail(struct transport *t, const struct fault *fault);

/* ---- facts ----------------------------------------------------------------------------------- */

const struct fault *transport_fault(const struct transport *t);

struct transport_algorithms { /* names in force, borrowed until the next exchange */
    struct bytes kex, host_key, cipher_in, cipher_out, mac_in, mac_out, comp_in, comp_out;
    bool strict;
};
struct transport_algorithms transport_algorithms(const struct transport *t);
/* The peer's version line, the first session id, the server's server-sig-algs list (empty when it
 * sent none): borrowed for the engine's life. */
struct bytes transport_peer_ident(const struct transport *t);
struct bytes transport_session_id(const struct transport *t);
struct bytes transport_server_sig_algs(const struct transport *t);
/* The server's public key, and (client) its signature over the first exchange hash, which is the
 * session id: what an agent is shown to prove which host a signature is for. Empty before HOST_KEY.
 */
struct bytes transport_host_key(const struct transport *t);
struct bytes transport_host_signature(const struct transport *t);
/* Packets and bytes since the start, for ~# and -v at the end. */
struct transport_counts {
    uint64_t bytes_in, bytes_out, packets_in, packets_out, rekeys;
};
struct transport_counts transport_counts(const struct transport *t);

#endif
