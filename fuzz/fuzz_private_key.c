/* An input is an OpenSSH private key file: as text when it starts with a dash, otherwise as what
 * the base64 of one holds, so that mutations reach the parser behind it. */
#include <string.h>

#include "fuzz/fuzz.h"
#include "fuzz/key_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static char text[KEY_RUN_MAX_TEXT];
    fuzz_require(crypto_init());
    if (n > KEY_RUN_MAX_BYTES)
        return 0;
    size_t text_n = n;
    if (n > 0 && data[0] == '-')
        memcpy(text, data, n);
    else
        text_n = key_run_wrap("OPENSSH PRIVATE KEY", data, n, text);
    key_run(text, text_n, (struct bytes){NULL, 0});
    return 0;
}
