/* Every message of RFC 4253, 4252 and 4254 that adit speaks: one struct, one _decode, one _encode.
 *
 * _decode reads the payload after its message number, demands its exact length, and fills *m with
 * slices borrowed from the payload. _encode writes the message number and the body. Neither holds
 * policy. _decode gives ERR_MALFORMED and leaves *m unspecified on any byte missing or too many. */
#ifndef PROTO_MSG_H
#define PROTO_MSG_H

#include "proto/err.h"
#include "proto/wire.h"

enum {
    /* RFC 4253 */
    MSG_DISCONNECT = 1,
    MSG_IGNORE = 2,
    MSG_UNIMPLEMENTED = 3,
    MSG_DEBUG = 4,
    MSG_SERVICE_REQUEST = 5,
    MSG_SERVICE_ACCEPT = 6,
    MSG_EXT_INFO = 7, /* RFC 8308 */
    MSG_KEXINIT = 20,
    MSG_NEWKEYS = 21,
    /* 30 to 49 mean what the key exchange method says (RFC 4253 section 12). */
    MSG_KEX_ECDH_INIT = 30, /* RFC 5656, RFC 4253 section 8; curve25519 and the hybrids too */
    MSG_KEX_ECDH_REPLY = 31,
    MSG_KEX_GEX_GROUP = 31, /* RFC 4419 */
    MSG_KEX_GEX_INIT = 32,
    MSG_KEX_GEX_REPLY = 33,
    MSG_KEX_GEX_REQUEST = 34,
    /* RFC 4252 */
    MSG_USERAUTH_REQUEST = 50,
    MSG_USERAUTH_FAILURE = 51,
    MSG_USERAUTH_SUCCESS = 52,
    MSG_USERAUTH_BANNER = 53,
    MSG_USERAUTH_60 = 60, /* PK_OK, PASSWD_CHANGEREQ or INFO_REQUEST, by the method in progress */
    MSG_USERAUTH_INFO_RESPONSE = 61,
    /* RFC 4254 */
    MSG_GLOBAL_REQUEST = 80,
    MSG_REQUEST_SUCCESS = 81,
    MSG_REQUEST_FAILURE = 82,
    MSG_CHANNEL_OPEN = 90,
    MSG_CHANNEL_OPEN_CONFIRMATION = 91,
    MSG_CHANNEL_OPEN_FAILURE = 92,
    MSG_CHANNEL_WINDOW_ADJUST = 93,
    MSG_CHANNEL_DATA = 94,
    MSG_CHANNEL_EXTENDED_DATA = 95,
    MSG_CHANNEL_EOF = 96,
    MSG_CHANNEL_CLOSE = 97,
    MSG_CHANNEL_REQUEST = 98,
    MSG_CHANNEL_SUCCESS = 99,
    MSG_CHANNEL_FAILURE = 100,
    /* OpenSSH PROTOCOL section 1.9 */
    MSG_PING = 192,
    MSG_PONG = 193,
};

/* A message's number as text: "CHANNEL_DATA", or "message 77" for one without a name. Static. */
const char *msg_name(uint8_t number);

/* ---- RFC 4253 ---------------------------------------------------------------------------- */

struct msg_disconnect {
    uint32_t reason;
    struct bytes description; /* language tag is read and dropped, and written empty */
};
struct msg_ignore {
    struct bytes data;
};
struct msg_debug {
    bool always_display;
    struct bytes message;
};
struct msg_unimplemented {
    uint32_t sequence;
};
struct msg_service { /* SERVICE_REQUEST and SERVICE_ACCEPT */
    struct bytes name;
};

/* The ten name-lists of KEXINIT by their place. */
enum kexinit_list {
    KEXINIT_KEX,
    KEXINIT_HOST_KEY,
    KEXINIT_CIPHER_C2S,
    KEXINIT_CIPHER_S2C,
    KEXINIT_MAC_C2S,
    KEXINIT_MAC_S2C,
    KEXINIT_COMP_C2S,
    KEXINIT_COMP_S2C,
    KEXINIT_LANG_C2S,
    KEXINIT_LANG_S2C,
    KEXINIT_N_LISTS,
};
struct msg_kexinit {
    uint8_t cookie[16];
    struct bytes lists[KEXINIT_N_LISTS]; /* each a valid name-list, or decode fails */
    bool first_kex_packet_follows;
};
struct msg_ecdh_init { /* and GEX_INIT: an mpint looks like a string */
    struct bytes share;
};
struct msg_ecdh_reply { /* and GEX_REPLY */
    struct bytes host_key;
    struct bytes share;
    struct bytes signature;
};

/* RFC 4419 section 3: sizes of the group in bits. */
struct msg_gex_request {
    uint32_t min, wanted, max;
};
struct msg_gex_group {
    struct bytes p, g; /* magnitudes: negative or padded mpints do not decode */
};

/* RFC 8308: walks the pairs. decode checks them all; next takes one pair off. */
struct msg_ext_info {
    uint32_t n_left;
    struct wire_reader pairs;
};
bool msg_ext_info_next(struct msg_ext_info *m, struct bytes *name, struct bytes *value);

/* PING and PONG carry one string. */
struct msg_ping {
    struct bytes data;
};

/* ---- RFC 4252, RFC 4256 ------------------------------------------------------------------ */

/* The fixed head of USERAUTH_REQUEST; the rest depends on the method. */
struct msg_userauth_request {
    struct bytes user;
    struct bytes service;
    struct bytes method;
    struct bytes rest; /* undecoded method fields */
};
/* Method fields of "publickey" (and of publickey-hostbound-v00@openssh.com with host_key set). */
struct msg_auth_publickey {
    bool has_signature;
    struct bytes algorithm;
    struct bytes key;
    struct bytes host_key;  /* hostbound form only; empty otherwise */
    struct bytes signature; /* when has_signature */
};
struct msg_auth_password {
    bool is_change;
    struct bytes password;     /* the old one in a change */
    struct bytes new_password; /* when is_change */
};
struct msg_userauth_failure {
    struct bytes methods; /* a valid name-list */
    bool partial_success;
};
struct msg_userauth_banner {
    struct bytes message;
};
struct msg_userauth_pk_ok {
    struct bytes algorithm;
    struct bytes key;
};
struct msg_passwd_changereq {
    struct bytes prompt;
};
/* INFO_REQUEST: decode checks all prompts; next takes one off. n_prompts is bounded by the bytes.
 */
struct msg_info_request {
    struct bytes name;
    struct bytes instruction;
    uint32_t n_prompts;
    struct wire_reader prompts;
};
bool msg_info_request_next(struct msg_info_request *m, struct bytes *prompt, bool *echo);

/* ---- RFC 4254 ---------------------------------------------------------------------------- */

struct msg_global_request {
    struct bytes name;
    bool want_reply;
    struct bytes rest;
};
struct msg_channel_open {
    struct bytes type;
    uint32_t sender;
    uint32_t window;
    uint32_t max_packet;
    struct bytes rest;
};
struct msg_open_confirmation {
    uint32_t recipient;
    uint32_t sender;
    uint32_t window;
    uint32_t max_packet;
    struct bytes rest;
};
enum { /* RFC 4254 section 5.1 */
    OPEN_ADMINISTRATIVELY_PROHIBITED = 1,
    OPEN_CONNECT_FAILED = 2,
    OPEN_UNKNOWN_CHANNEL_TYPE = 3,
    OPEN_RESOURCE_SHORTAGE = 4,
};
struct msg_open_failure {
    uint32_t recipient;
    uint32_t reason;
    struct bytes description;
};
struct msg_window_adjust {
    uint32_t recipient;
    uint32_t add;
};
struct msg_channel_data {
    uint32_t recipient;
    struct bytes data;
};
struct msg_extended_data {
    uint32_t recipient;
    uint32_t code; /* 1 is stderr */
    struct bytes data;
};
struct msg_channel_id { /* EOF, CLOSE, SUCCESS, FAILURE: the number comes from the caller */
    uint32_t recipient;
};
struct msg_channel_request {
    uint32_t recipient;
    struct bytes name;
    bool want_reply;
    struct bytes rest;
};
/* The type-specific part of direct-tcpip and forwarded-tcpip opens: RFC 4254 section 7.2. Ports
 * travel as uint32; above 65535 they name nothing, so decode refuses them. */
struct msg_tcpip_open {
    struct bytes host; /* to connect to, or that was connected to */
    uint32_t port;
    struct bytes from_host;
    uint32_t from_port;
};
/* The type-specific part of tcpip-forward and cancel-tcpip-forward: RFC 4254 section 7.1. */
struct msg_tcpip_forward {
    struct bytes address;
    uint32_t port;
};
/* pty-req, window-change, exec, exit-signal: RFC 4254 section 6. */
struct msg_pty_req {
    struct bytes term;
    uint32_t columns, rows, width_px, height_px;
    struct bytes modes;
};
struct msg_window_change {
    uint32_t columns, rows, width_px, height_px;
};
struct msg_exit_signal {
    struct bytes signal; /* without "SIG" */
    bool core_dumped;
    struct bytes message;
};

/* _decode(r, m): r stands behind the message number (or, for the type-specific parts tcpip_open,
 * tcpip_forward, auth_publickey, auth_password, pty_req, window_change, exit_signal, at the start
 * of `rest`). _encode(w, m): writes the number and the body (for the type-specific parts: the
 * body). */
#define MSG_CODEC(name)                                                                            \
    enum err msg_##name##_decode(struct wire_reader *r, struct msg_##name *m) MUST_USE;            \
    void msg_##name##_encode(struct wire_writer *w, const struct msg_##name *m)

MSG_CODEC(disconnect);
MSG_CODEC(ignore);
MSG_CODEC(debug);
MSG_CODEC(unimplemented);
MSG_CODEC(kexinit);
MSG_CODEC(gex_request);
MSG_CODEC(gex_group);
MSG_CODEC(userauth_request);
MSG_CODEC(auth_password);
MSG_CODEC(userauth_failure);
MSG_CODEC(userauth_banner);
MSG_CODEC(userauth_pk_ok);
MSG_CODEC(global_request);
MSG_CODEC(channel_open);
MSG_CODEC(open_confirmation);
MSG_CODEC(open_failure);
MSG_CODEC(window_adjust);
MSG_CODEC(channel_data);
MSG_CODEC(extended_data);
MSG_CODEC(channel_request);
MSG_CODEC(tcpip_open);
MSG_CODEC(tcpip_forward);
MSG_CODEC(pty_req);
MSG_CODEC(window_change);
MSG_CODEC(exit_signal);
enum err msg_passwd_changereq_decode(
    struct wire_reader *r, struct msg_passwd_changereq *m) MUST_USE;
enum err msg_ext_info_decode(struct wire_reader *r, struct msg_ext_info *m) MUST_USE;
enum err msg_info_request_decode(struct wire_reader *r, struct msg_info_request *m) MUST_USE;
/* hostbound: the fields of publickey-hostbound-v00@openssh.com. */
enum err msg_auth_publickey_decode(
    struct wire_reader *r, bool hostbound, struct msg_auth_publickey *m) MUST_USE;
void msg_auth_publickey_encode(
    struct wire_writer *w, bool hostbound, const struct msg_auth_publickey *m);
/* Messages that share a shape take their number. */
enum err msg_ecdh_init_decode(struct wire_reader *r, struct msg_ecdh_init *m) MUST_USE;
void msg_ecdh_init_encode(struct wire_writer *w, uint8_t number, const struct msg_ecdh_init *m);
enum err msg_ecdh_reply_decode(struct wire_reader *r, struct msg_ecdh_reply *m) MUST_USE;
void msg_ecdh_reply_encode(struct wire_writer *w, uint8_t number, const struct msg_ecdh_reply *m);
enum err msg_service_decode(struct wire_reader *r, struct msg_service *m) MUST_USE;
void msg_service_encode(struct wire_writer *w, uint8_t number, const struct msg_service *m);
enum err msg_channel_id_decode(struct wire_reader *r, struct msg_channel_id *m) MUST_USE;
void msg_channel_id_encode(struct wire_writer *w, uint8_t number, const struct msg_channel_id *m);
enum err msg_ping_decode(struct wire_reader *r, struct msg_ping *m) MUST_USE;
void msg_ping_encode(struct wire_writer *w, uint8_t number, const struct msg_ping *m);

#endif
