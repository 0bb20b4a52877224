/* The inside of struct private_key. Internal to crypto/. */
#ifndef CRYPTO_PRIVATE_KEY_H
#define CRYPTO_PRIVATE_KEY_H

#include "crypto/key_type.h"

/* One block of secret memory; the slices and the comment point into its own room. */
struct private_key {
    const struct key_type *type;
    size_t object_bytes;
    struct bytes blob;   /* public */
    struct bytes fields; /* secret: as in a key file, after the type name, up to the comment */
    const char *comment;
    uint8_t room[];
};

/* Copies all three into a new key; NULL on no memory. check_private must have accepted them. */
struct private_key *private_key_new(
    const struct key_type *type, struct bytes blob, struct bytes fields, struct bytes comment);

#endif
