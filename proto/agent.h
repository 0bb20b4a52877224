/* The messages between an SSH client and an agent, draft-ietf-sshm-ssh-agent: one struct, one
 * _decode, one _encode, as in msg.h. On the socket each message travels as a string: a length, and
 * then what stands here, its number first. Requests are answered in order, one answer each. */
#ifndef PROTO_AGENT_H
#define PROTO_AGENT_H

#include "proto/err.h"
#include "proto/wire.h"

enum {
    AGENT_FAILURE = 5,
    AGENT_SUCCESS = 6,
    AGENT_REQUEST_IDENTITIES = 11,
    AGENT_IDENTITIES_ANSWER = 12,
    AGENT_SIGN_REQUEST = 13,
    AGENT_SIGN_RESPONSE = 14,
    AGENT_ADD_IDENTITY = 17,
    AGENT_ADD_ID_CONSTRAINED = 25,
    AGENT_EXTENSION = 27,
    AGENT_EXTENSION_FAILURE = 28,
};

enum { /* flags of a SIGN_REQUEST by an RSA key; without them old agents sign with SHA-1 */
    AGENT_RSA_SHA2_256 = 2,
    AGENT_RSA_SHA2_512 = 4,
};

/* A message's number as text: "SIGN_RESPONSE", or "an unknown message". Static. */
const char *agent_msg_name(uint8_t number);

/* IDENTITIES_ANSWER. Decoding demands that the count be exactly that of the keys which follow;
 * msg_agent_identities_next() walks a copy of them. */
struct msg_agent_identities {
    uint32_t n_keys;
    struct wire_reader keys; /* key blob, comment, ... */
};
enum err msg_agent_identities_decode(
    struct wire_reader *r, struct msg_agent_identities *m) MUST_USE;
void msg_agent_identities_encode(struct wire_writer *w, const struct msg_agent_identities *m);
bool msg_agent_identities_next(
    struct msg_agent_identities *m, struct bytes *key, struct bytes *comment);

struct msg_agent_sign_request {
    struct bytes key;
    struct bytes data;
    uint32_t flags;
};
enum err msg_agent_sign_request_decode(
    struct wire_reader *r, struct msg_agent_sign_request *m) MUST_USE;
void msg_agent_sign_request_encode(struct wire_writer *w, const struct msg_agent_sign_request *m);

struct msg_agent_sign_response {
    struct bytes signature;
};
enum err msg_agent_sign_response_decode(
    struct wire_reader *r, struct msg_agent_sign_response *m) MUST_USE;
void msg_agent_sign_response_encode(struct wire_writer *w, const struct msg_agent_sign_response *m);

/* EXTENSION: any, by its name. */
struct msg_agent_extension {
    struct bytes name;
    struct bytes rest;
};
enum err msg_agent_extension_decode(struct wire_reader *r, struct msg_agent_extension *m) MUST_USE;
void msg_agent_extension_encode(struct wire_writer *w, const struct msg_agent_extension *m);

/* What follows the name of "session-bind@openssh.com" (OpenSSH PROTOCOL.agent section 1): signature
 * is the server's over the exchange hash, which for the first exchange is the session id. */
#define AGENT_SESSION_BIND "session-bind@openssh.com"
struct msg_agent_session_bind {
    struct bytes host_key;
    struct bytes session_id;
    struct bytes signature;
    bool is_forwarding;
};
enum err msg_agent_session_bind_decode(
    struct wire_reader *r, struct msg_agent_session_bind *m) MUST_USE;
void msg_agent_session_bind_encode(struct wire_writer *w, const struct msg_agent_session_bind *m);

/* ADD_IDENTITY, or ADD_ID_CONSTRAINED where there is a constraint. Only written: where the fields
 * of a key end only its type knows. */
struct msg_agent_add {
    struct bytes key; /* secret: type name and private fields, as in OpenSSH's key files */
    struct bytes comment;
    uint32_t lifetime_s; /* 0: for ever */
    bool confirm;        /* every signature is confirmed by the person */
};
void msg_agent_add_encode(struct wire_writer *w, const struct msg_agent_add *m);

#endif
