#define _GNU_SOURCE /* memfd_create(), memmem() */
/* An input is a file of RevokedHostKeys, a list of keys or a key revocation list, asked about a key
 * and about one that a certificate authority signed. A list names the keys that it revokes, and a
 * file that cannot be used never says that a key is fine. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/revoked.h"
#include "crypto/key.h"
#include "fuzz/fuzz.h"
#include "tests/unit/crypto/sample_keys.h"

enum { MAX_BYTES = 1 << 16 };

static bool stands_in(const uint8_t *data, size_t n, const char *part)
{
    return n > 0 && memmem(data, n, part, strlen(part)) != NULL;
}

static void check_why(enum revoked_verdict v, const char *why)
{
    fuzz_require((v == REVOKED_UNKNOWN) == (why != NULL));
    for (; why != NULL && *why != '\0'; why++)
        fuzz_require((unsigned char)*why >= ' ' && *why != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t key[256], ca[256];
    size_t key_n, ca_n;
    char path[64];
    const char *why;
    if (n > MAX_BYTES)
        return 0;
    fuzz_require(key_from_base64(BYTES_LIT("ssh-ed25519"), bytes_of(sample_ed25519_public), key,
                     sizeof key, &key_n) == ERR_OK);
    fuzz_require(key_from_base64(BYTES_LIT("ecdsa-sha2-nistp256"), bytes_of(sample_p256_public), ca,
                     sizeof ca, &ca_n) == ERR_OK);
    int fd = memfd_create("revoked", MFD_CLOEXEC);
    fuzz_require(fd >= 0 && write(fd, data, n) == (ssize_t)n);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);

    struct krl_question q = {.key = {key, key_n}};
    enum revoked_verdict plain = revoked_check(path, &q, &why);
    check_why(plain, why);
    q.is_certificate = true;
    q.ca_key = (struct bytes){ca, ca_n};
    q.serial = 7;
    q.key_id = BYTES_LIT("host");
    enum revoked_verdict certified = revoked_check(path, &q, &why);
    check_why(certified, why);
    fuzz_require((plain == REVOKED_UNKNOWN) == (certified == REVOKED_UNKNOWN));
    fuzz_require(plain != REVOKED_YES || certified == REVOKED_YES);
    if (plain == REVOKED_YES && !krl_is_one((struct bytes){data, n}))
        fuzz_require(stands_in(data, n, sample_ed25519_public) ||
                     stands_in(data, n, "-cert-v01@openssh.com")); /* the key is in there */
    close(fd);
    return 0;
}
