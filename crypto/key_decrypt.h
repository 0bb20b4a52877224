/* Decrypts the private section of a key file with a passphrase. Internal to crypto/. */
#ifndef CRYPTO_KEY_DECRYPT_H
#define CRYPTO_KEY_DECRYPT_H

#include "crypto/key.h"

/* cipher, kdf and kdf_options as in the file; n bytes at section are decrypted in place. OK does
 * not mean that the passphrase was right: the section's check words tell. Otherwise ENCRYPTED (the
 * passphrase is empty), UNSUPPORTED or BAD, and *why. */
enum key_file_status key_decrypt(struct bytes cipher, struct bytes kdf, struct bytes kdf_options,
    struct bytes passphrase, uint8_t *section, size_t n, const char **why) MUST_USE;

#endif
