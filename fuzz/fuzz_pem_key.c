/* An input is a private key file in PEM: as text when it starts with a dash, otherwise as the DER
 * inside, which is then read under each label. A passphrase is given to the old way of encrypting
 * only: the other two would derive keys for as many rounds as the input says. */
#define _GNU_SOURCE
#include <string.h>

#include "fuzz/fuzz.h"
#include "fuzz/key_run.h"

static const struct bytes no_passphrase = {NULL, 0};

static bool has(const uint8_t *data, size_t n, const char *words)
{
    return memmem(data, n, words, strlen(words)) != NULL;
}

static void run_text(const uint8_t *data, size_t n)
{
    bool is_slow = has(data, n, "OPENSSH") || has(data, n, "BEGIN ENCRYPTED");
    key_run((const char *)data, n, is_slow ? no_passphrase : BYTES_LIT("pw"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const labels[] = {
        "RSA PRIVATE KEY", "EC PRIVATE KEY", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY"};
    static char text[KEY_RUN_MAX_TEXT];
    fuzz_require(crypto_init());
    if (n > KEY_RUN_MAX_BYTES)
        return 0;
    if (n > 0 && data[0] == '-') {
        run_text(data, n);
        return 0;
    }
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
        key_run(text, key_run_wrap(labels[i], data, n, text), no_passphrase);
    return 0;
}
