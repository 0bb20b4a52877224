/* A key revocation list as bytes (OpenSSH's PROTOCOL.krl, made by ssh-keygen -k): does it revoke
 * this key? Pure text of a file that an administrator wrote; nothing in it is taken on trust, and a
 * list that is damaged anywhere revokes nothing and vouches for nothing.
 *
 * Signature sections are passed over, as ssh does: a list is trusted for where it lies. An
 * extension that calls itself critical, a section or a version that is not known make the list
 * one that cannot be used. */
#ifndef PROTO_KRL_H
#define PROTO_KRL_H

#include "proto/wire.h"

enum { KRL_SHA1_BYTES = 20, KRL_SHA256_BYTES = 32 };

/* What is asked about. The hashes are the caller's to make: this folder has none. */
struct krl_question {
    struct bytes key;      /* the plain public key blob, a certificate's own key included */
    const uint8_t *sha1;   /* of key: KRL_SHA1_BYTES */
    const uint8_t *sha256; /* of key: KRL_SHA256_BYTES */

    bool is_certificate; /* then also: */
    struct bytes ca_key; /* the blob of the key that signed it */
    uint64_t serial;     /* 0: it has none */
    struct bytes key_id;
};

enum krl_verdict {
    KRL_UNUSABLE = 0, /* why says what was expected where */
    KRL_REVOKED,
    KRL_CLEAR, /* nothing in it speaks against the key */
};

/* Does the file begin like one? If not it may be a plain list of keys. */
bool krl_is_one(struct bytes file);

/* Reads the whole list, also behind a hit. A certificate's CA key is a question of its own, which
 * the caller asks too. *why is static, and NULL unless the verdict is UNUSABLE. */
enum krl_verdict krl_check(struct bytes file, const struct krl_question *q, const char **why);

#endif
