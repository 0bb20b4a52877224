/* Decrypts the private section of an OpenSSH key file with a passphrase. Internal to crypto/. */
#ifndef CRYPTO_KEY_DECRYPT_H
#define CRYPTO_KEY_DECRYPT_H

#include "crypto/key_file.h"

/* cipher, kdf and kdf_options as in the file. section, a part of j->raw, is decrypted in place; tag
 * is what stands behind it. OK does not mean that the passphrase was right: the section's check
 * words tell. Otherwise WRONG_PASSPHRASE (of the ciphers with a tag), ENCRYPTED (the passphrase is
 * empty), UNSUPPORTED or BAD. */
enum key_file_status key_decrypt(struct key_job *j, struct bytes cipher, struct bytes kdf,
    struct bytes kdf_options, struct bytes section, struct bytes tag) MUST_USE;

#endif
