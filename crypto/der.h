/* A strict reader of DER, ITU-T X.690 section 10, for key files. Internal to crypto/ and its tests.
 *
 * Definite lengths in their shortest form only, tags of one byte only, nothing left over. It is
 * sticky as the wire reader is: after the first failure every getter gives 0 or empty, and `wrong`
 * is what that getter's caller said he expected, so a structure is read straight through and judged
 * once. Bytes are borrowed. Nothing is allocated, and nothing recurses. */
#ifndef CRYPTO_DER_H
#define CRYPTO_DER_H

#include "proto/wire.h"

enum {
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_SEQUENCE = 0x30,
    DER_CONTEXT = 0x80,             /* plus the number: implicitly tagged, primitive */
    DER_CONTEXT_CONSTRUCTED = 0xa0, /* plus the number: explicitly tagged */
};

struct der_reader {
    const uint8_t *p;
    size_t left;
    const char *wrong; /* NULL until something fails; then a static phrase: what was expected */
};

struct der_reader der_reader(struct bytes b);
/* Is there a next element, with this tag? For what is optional; false after a failure. */
bool der_next_is(const struct der_reader *r, uint8_t tag);
/* The contents of the next element, which must have this tag. */
struct bytes der_take(struct der_reader *r, uint8_t tag, const char *expected);
/* The same as a reader over the contents; it has failed already where r has. */
struct der_reader der_enter(struct der_reader *r, uint8_t tag, const char *expected);
/* Ends what der_enter began: inner must be used up. Its failure becomes outer's. */
void der_leave(struct der_reader *outer, const struct der_reader *inner, const char *expected);
/* The magnitude of an INTEGER above zero, big-endian and minimal. */
struct bytes der_positive(struct der_reader *r, const char *expected);
/* An INTEGER that is not negative; UINT32_MAX for any that does not fit. */
uint32_t der_u32(struct der_reader *r, const char *expected);
/* A BIT STRING of whole bytes. */
struct bytes der_bits(struct der_reader *r, uint8_t tag, const char *expected);

#endif
