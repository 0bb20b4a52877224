/* A private key of the samples, read. */
#ifndef TESTS_UNIT_CRYPTO_READ_KEY_H
#define TESTS_UNIT_CRYPTO_READ_KEY_H

#include "crypto/key_file.h"
#include "tests/unit/unit.h"

/* file: the text of one without a passphrase. To be freed with private_key_free(). */
static inline struct private_key *read_key(const char *file)
{
    struct private_key *k;
    const char *why;
    CU_ASSERT_EQUAL_FATAL(
        private_key_parse(bytes_of(file), (struct bytes){NULL, 0}, &k, &why), KEY_FILE_OK);
    return k;
}

#endif
