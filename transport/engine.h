/* What the files of the transport engine share; included by transport/ (and its tests) alone.
 *
 * Bytes come in through rx.c and go out through tx.c; what lies between is one payload at a time:
 *
 *     rx.c -> packet.c (may it come now? phase.c) -> kex*.c, auth.h, or an event
 *     kex*.c, auth.h, the multiplexer -> tx.c
 *
 * Receive and send phases are separate: t->phase says what the peer may send, t->tx.is_holding that
 * our KEXINIT is out and our NEWKEYS is not, so that what layers above send is held back. */
#ifndef TRANSPORT_ENGINE_H
#define TRANSPORT_ENGINE_H

#include "crypto/dh.h"
#include "crypto/kex.h"
#include "crypto/packet_cipher.h"
#include "proto/ident.h"
#include "transport/auth.h"
#include "transport/growbuf.h"
#include "transport/phase.h"
#include "transport/transport.h"
#include "transport/zstream.h"

enum {
    /* RFC 4253 section 6.1 wants 35000 bytes whole; after login it is what OpenSSH takes. Before
     * login everything stays small: all in, a stranger may hold 256 KiB of ours. */
    RX_PACKET_LOGIN = 35000,
    RX_PACKET_OPEN = 256 * 1024,
    RX_CAP_FIRST = 8 * 1024,
    RX_CAP_LOGIN = 40 * 1024,  /* a packet of 35000 with its tag */
    RX_CAP_OPEN = 512 * 1024,  /* room for reads of 256 KiB behind half a packet */
    LOGIN_BYTES = 1024 * 1024, /* what a peer may send before login */
    LOGIN_PACKETS = 1000,
    LOGIN_REKEYS = 4, /* each may cost us 35 ms: group exchange with 4096 bits */

    TX_CAP_FIRST = 4 * 1024,
    TX_DATA_SLACK = 36 * 1024,       /* a packet of usual size: bulk data waits when less is left */
    TX_STOP_READING = 1024 * 1024,   /* the peer does not take what it made us owe: stop */
    TX_OWED_LIMIT = 8 * 1024 * 1024, /* ... and past this, end */
    TX_HELD_LIMIT = 4 * 1024 * 1024, /* held back in one key exchange */
    TX_PAYLOAD_MAX = RX_PACKET_OPEN - 512, /* so that a peer like us takes it */
    TX_HEAD = 5,                           /* packet_length and padding_length */
    TX_LOGIN_STEP = 128, /* a multiple of every cipher's block, and with 4 below 256 */
    TX_PADDING_MAX = 4 + TX_LOGIN_STEP,
    TX_TAG_MAX = 64,
    TX_PACKET_EXTRA = 256, /* more than a packet is longer than its data */
    TX_POOL = 512,         /* random bytes for the padding of some 50 packets */

    KEXINIT_MAX = 4096, /* ours */
    GEX_TERMS_MAX = 3 * 4 + 2 * (4 + 1 + DH_MAX_BITS / 8),
    DISCONNECT_TEXT_MAX = 1024,
    SIG_ALGS_MAX = 4096, /* of server-sig-algs */
};

/* RFC 4253 section 9 wants new keys well before 2^32 packets; RFC 4344 says 2^31. */
#define REKEY_PACKETS (UINT64_C(1) << 31)
/* Here a sequence number, which is a nonce, would come back under the same key. */
#define LAST_PACKET (UINT64_C(1) << 32)

#define NEVER UINT64_MAX

/* start..end arrived and are not taken yet; packets before start were opened in place, and their
 * payloads may still be looked at by the caller, until transport_rx_space() moves things. */
struct rx {
    struct growbuf buf;
    size_t start, end;
    size_t room;            /* what transport_rx_space() gave last */
    bool is_filled;         /* ... and the read took all of it: there is more, so grow */
    uint32_t packet_length; /* of the packet at start, once known and within bounds; else 0 */
    uint32_t seq;
    struct packet_cipher *cipher;
    uint64_t key_bytes, key_packets; /* under this key */
    struct zstream *inflate;         /* NULL: not compressed */
    struct growbuf plain;            /* what was inflated */
};

/* Where the slot given last lies; a slot is dropped by asking for another. */
enum slot_kind { SLOT_NONE, SLOT_PACKET, SLOT_SCRATCH, SLOT_HELD };

/* head..tail is sealed and not written yet; behind tail is where packets are built. */
struct tx {
    struct growbuf buf;
    size_t head, tail;
    size_t data_limit; /* bulk data waits when this much is unwritten */
    uint32_t seq;
    struct packet_cipher *cipher;
    uint64_t key_bytes, key_packets;
    struct zstream *deflate;
    struct growbuf scratch; /* payloads before they are deflated */

    bool is_holding;
    size_t wanted;       /* room that a data slot was refused for: made when things may move */
    struct growbuf held; /* while is_holding: (native size_t length, payload) one after another */
    size_t n_held;
    enum slot_kind slot;
    size_t slot_bytes; /* payload room of that slot */
    unsigned n_slots;  /* slots of that size granted and not committed */

    uint8_t pool[TX_POOL];
    size_t n_pool; /* random bytes left in it */
};

/* One exchange, from the first KEXINIT of either side to the peer's NEWKEYS. Secret memory. */
struct kex {
    bool is_first;
    bool skips_guess; /* the peer guessed wrong: its next packet is not for us */
    uint8_t my_init[KEXINIT_MAX];
    size_t my_init_n;
    uint8_t *peer_init; /* NULL until it came */
    size_t peer_init_n;
    const struct kex_method *method;
    struct transport_algorithms algorithms;
    const struct private_key *host_key; /* server: the one to sign with */
    size_t share_n;
    uint8_t share[KEX_SHARE_MAX]; /* the client's, as both need it for the exchange hash */
    uint8_t state[KEX_STATE_MAX]; /* client: the private half */
    /* Group exchange: min, wanted, max, p and g as the exchange hash has them, and the group, which
     * lies in there. */
    uint8_t gex_terms[GEX_TERMS_MAX];
    size_t gex_terms_n;
    struct dh_group group;
    struct packet_cipher *cipher_in, *cipher_out; /* made together, put in use at NEWKEYS */
};

/* What we offer, each list filtered to what this program has: text in t->offer_room. */
enum offer { OFFER_KEX, OFFER_HOST_KEY, OFFER_CIPHER, OFFER_MAC, OFFER_COMP, N_OFFERS };

struct transport {
    struct transport_config config;
    struct fault fault;
    unsigned disconnect_reason; /* 0: the fault's */
    bool has_ended;             /* the fault was acted on: DISCONNECT queued, secrets wiped */
    bool has_told;              /* TRANSPORT_DISCONNECTED was given */
    bool by_peer;
    bool is_eof;
    struct bytes last_words; /* the peer's, in rx.buf or rx.plain */

    struct rx rx;
    struct tx tx;
    enum phase phase;
    bool has_login;
    bool has_first_keys;  /* the first exchange is over */
    bool awaits_host_key; /* transport_host_key_decide() is owed */
    bool has_event;
    struct transport_event event;
    struct auth *auth; /* NULL once its last event was given */

    uint8_t my_ident[IDENT_MAX_BYTES], peer_ident[IDENT_MAX_BYTES];
    size_t my_ident_n, peer_ident_n;
    unsigned n_lines;
    unsigned n_login_packets;

    struct kex *kex; /* NULL when no exchange is under way */
    bool is_strict;
    bool is_loose; /* the peer talks on in a rekey: quirks.c */
    bool peer_wants_ext_info;
    bool may_hear_in_auth; /* client: it said that it takes one EXT_INFO in mid login */
    struct bytes offers[N_OFFERS];
    uint8_t offer_room[2048];
    struct transport_algorithms algorithms; /* in force */
    uint8_t session_id[HASH_MAX_BYTES];
    size_t session_id_n;
    uint8_t *host_key; /* the server's public key blob, both roles */
    size_t host_key_n;
    uint8_t *host_signature; /* client: the server's, over the first exchange hash */
    size_t host_signature_n;
    const struct private_key *signing_key; /* server: what host_key belongs to */
    uint8_t *sig_algs;
    size_t sig_algs_n;

    uint64_t now_ms;
    uint64_t login_deadline;
    uint64_t kex_deadline;  /* NEVER when there is none */
    bool is_kex_clock_due;  /* it starts with the next time we are told */
    uint64_t rekey_at;      /* by time */
    bool is_rekey_due;      /* by bytes or packets: at the next safe place */
    bool is_used;           /* a packet moved since the last exchange */
    uint32_t kex_first_seq; /* of our KEXINIT: what UNIMPLEMENTED may name */
    struct transport_counts counts;
};

/* ---- rx.c ------------------------------------------------------------------------------------ */

enum rx_status { RX_MORE, RX_PACKET, RX_FAULT };

/* Opens the packet at rx.start in place and takes it. The payload has at least one byte. */
enum rx_status rx_packet(struct transport *t, struct bytes *payload);
/* Puts the next keys in use; strict key exchange restarts the sequence. */
void rx_set_cipher(struct transport *t, struct packet_cipher *c);
void rx_free(struct rx *rx);

/* ---- tx.c ------------------------------------------------------------------------------------ */

/* The transport's own packets, which a key exchange does not hold back. tx_begin gives NULL after a
 * fault (which it may put in force); tx_end seals the first n bytes. */
uint8_t *tx_begin(struct transport *t, size_t payload_bytes) MUST_USE;
void tx_end(struct transport *t, size_t payload_bytes);
/* The same for a payload that is there already. */
enum err tx_packet(struct transport *t, struct bytes payload);
/* DISCONNECT: goes out although a fault is in force, if it can. */
void tx_last_packet(struct transport *t, struct bytes payload);
/* Bytes that are no packet: the version line. */
enum err tx_raw(struct transport *t, struct bytes b) MUST_USE;
void tx_set_cipher(struct transport *t, struct packet_cipher *c);
/* Sends what was held back; to be called behind our NEWKEYS. */
enum err tx_release(struct transport *t) MUST_USE;
void tx_free(struct tx *tx);

/* ---- hello.c, packet.c ----------------------------------------------------------------------- */

enum err hello_send(struct transport *t) MUST_USE;
/* True when a line was taken (or a fault found): there may be more to do. */
bool hello_read(struct transport *t);

/* Everything a payload may be but 80..127 after login, which stay with the caller. */
enum err packet_take(struct transport *t, struct bytes payload);

/* ---- quirks.c -------------------------------------------------------------------------------- */

/* True for software (as in struct ident) that sends messages of the connection protocol between its
 * KEXINIT and its NEWKEYS in a rekey. */
bool quirk_talks_in_rekey(struct bytes software);

/* ---- kexinit.c ------------------------------------------------------------------------------- */

/* Fills t->offers; false when a list of the config has nothing that this program knows. */
bool kexinit_offer(struct transport *t);
/* Writes our KEXINIT into k->my_init. */
enum err kexinit_write(struct transport *t, struct kex *k) MUST_USE;
/* Settles k->method, algorithms, host_key and skips_guess from both messages. */
enum err kexinit_agree(struct transport *t, struct kex *k, const struct msg_kexinit *peer) MUST_USE;

/* ---- kex.c, kex_client.c, kex_server.c, kex_gex.c -------------------------------------------- */

/* Sends our KEXINIT, unless an exchange is under way. */
enum err kex_start(struct transport *t);
enum err kex_on_kexinit(struct transport *t, struct bytes payload) MUST_USE;
enum err kex_on_newkeys(struct transport *t, struct bytes payload) MUST_USE;
void kex_free(struct transport *t);

/* The client's share and the server's answer to it. */
struct kex_shown {
    struct bytes host_key, client_share, server_share, secret;
};
/* RFC 5656 section 4, RFC 4419 section 3: the exchange hash; returns its length. */
size_t kex_hash(const struct transport *t, const struct kex_shown *shown, uint8_t *out);
/* Keeps the session id (first exchange) and makes both next ciphers, or neither. */
enum err kex_derive(struct transport *t, struct bytes secret, struct bytes hash) MUST_USE;
/* Our NEWKEYS, and what was waiting behind it. */
enum err kex_send_newkeys(struct transport *t);

/* The server's blob, for the first exchange's end and all later ones. */
enum err kex_keep_host_key(struct transport *t, struct bytes blob) MUST_USE;
/* A phase's four forms, and which of them this exchange has. */
struct kex_phases {
    enum phase first, strict, rekey, loose;
};
enum phase kex_phase(const struct transport *t, const struct kex_phases *of);
/* The share was taken: the peer's NEWKEYS is next. */
void kex_await_newkeys(struct transport *t);

enum err kex_client_begin(struct transport *t) MUST_USE;
/* Sends k->share as the message of this number. */
enum err kex_client_send_share(struct transport *t, uint8_t number) MUST_USE;
enum err kex_client_on_reply(struct transport *t, struct bytes payload) MUST_USE;
enum err kex_server_on_init(struct transport *t, struct bytes payload) MUST_USE;

/* The client's REQUEST; then the server's GROUP, which settles the group and sends our share. */
enum err kex_gex_begin(struct transport *t) MUST_USE;
enum err kex_gex_on_group(struct transport *t, struct bytes payload) MUST_USE;
/* The server's answer to a REQUEST. */
enum err kex_gex_on_request(struct transport *t, struct bytes payload) MUST_USE;

/* ---- ext_info.c ------------------------------------------------------------------------------ */

enum err ext_info_send(struct transport *t) MUST_USE;
enum err ext_info_take(struct transport *t, struct bytes payload, bool is_straight) MUST_USE;

/* ---- rekey.c --------------------------------------------------------------------------------- */

/* Notes what has gone through a key; called for each packet. */
void rekey_count(
    struct transport *t, const struct packet_cipher *c, uint64_t bytes, uint64_t packets);
/* Starts a rekey that is due. Slots given out are dropped by it. */
void rekey_if_due(struct transport *t);
/* An exchange began, resp. is over. */
void rekey_began(struct transport *t);
void rekey_done(struct transport *t);

/* ---- transport.c ----------------------------------------------------------------------------- */

/* The first failure, put in force; its code. */
#define engine_fault(t, ...) fault_set(&(t)->fault, __VA_ARGS__)

/* A copy of b, which is not empty, for the caller to free; NULL and a fault when there is no
 * memory.
 */
uint8_t *engine_dup(struct transport *t, struct bytes b);
/* Acts on a fault, once: DISCONNECT is queued, secrets are wiped. */
void engine_end(struct transport *t);

/* One event waits at most: each payload makes one or none, and is taken when none waits. */
void engine_emit(struct transport *t, struct transport_event event);
/* After SUCCESS was sent or received: limits grow, delayed compression starts. */
enum err engine_login(struct transport *t);
/* Starts compression of a direction where the algorithms in force want it by now: behind NEWKEYS
 * (RFC 4253 section 6.2: anew each time), and for zlib@openssh.com behind SUCCESS. */
enum err engine_compress_in(struct transport *t) MUST_USE;
enum err engine_compress_out(struct transport *t) MUST_USE;

#endif
