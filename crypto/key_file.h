/* Constants of OpenSSH's private key file format, OpenSSH PROTOCOL.key. Internal to crypto/. */
#ifndef CRYPTO_KEY_FILE_H
#define CRYPTO_KEY_FILE_H

#define KEY_FILE_BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----"
#define KEY_FILE_END   "-----END OPENSSH PRIVATE KEY-----"
#define KEY_FILE_MAGIC "openssh-key-v1" /* with its NUL */

enum {
    KEY_FILE_MAX_BYTES = 1024 * 1024,
    KEY_FILE_MAX_ROUNDS = 4096, /* of bcrypt: some 40 s; ssh-keygen's default is 24 */
};

#endif
