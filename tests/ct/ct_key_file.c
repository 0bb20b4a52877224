/* Under valgrind's memcheck: what turns a passphrase into a key, and locked bytes into plain text,
 * with passphrase, key and bytes marked undefined, so that a branch or an address that depends on
 * them is reported, and makes valgrind fail (--error-exitcode=1). bcrypt is left out: its header
 * says why its tables do no harm. So are the readers of what comes out: the shape of a key's DER is
 * known to all, and that a passphrase was wrong is told. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "crypto/cbc.h"
#include "crypto/pbkdf.h"

#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#endif
#endif

#ifndef VALGRIND_MAKE_MEM_UNDEFINED
int main(void)
{
    puts("skip   ct_key_file: built without valgrind/memcheck.h");
    return 0;
}
#else

static uint8_t passphrase[200], key[100], data[1024];
static const uint8_t salt[16] = {1, 2, 3};

static void derive(void)
{
    for (size_t n = 1; n <= sizeof passphrase; n += 33) {
        struct bytes words = {passphrase, n};
        for (enum hash_id id = HASH_SHA1; id <= HASH_SHA512; id++)
            pbkdf2(id, words, (struct bytes){salt, sizeof salt}, 2, key, sizeof key);
        pbkdf_md5(words, salt, key, CBC_KEY_MAX);
    }
    puts("ok     ct_key_file: keys from a passphrase");
}

static void decrypt(void)
{
    static const char *const names[] = {"aes128-cbc", "aes192-cbc", "aes256-cbc", "3des-cbc"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        uint8_t iv[CBC_BLOCK_MAX] = {9};
        cbc_decrypt(cbc_find_ssh(bytes_of(names[i])), key, iv, data, sizeof data);
    }
    puts("ok     ct_key_file: CBC");
}

int main(void)
{
    if (!RUNNING_ON_VALGRIND)
        puts("note   ct_key_file: not under valgrind, so nothing is shown");
    if (sodium_init() < 0)
        return 2;
    (void)VALGRIND_MAKE_MEM_UNDEFINED(passphrase, sizeof passphrase);
    (void)VALGRIND_MAKE_MEM_UNDEFINED(data, sizeof data);
    derive();
    decrypt();
    return 0;
}
#endif
