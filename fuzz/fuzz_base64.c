/* An input is base64, as lines of known_hosts have it. The two decoders agree with libsodium's, and
 * what was decoded is written as it stood; as bytes the input is encoded and decoded again. */
#include <sodium.h>
#include <string.h>

#include "cli/base64.h"
#include "crypto/key.h"
#include "fuzz/fuzz.h"

enum { MAX_BYTES = 600 };

/* Bits of the last digit that stand for nothing may be set for ours, which then writes them as 0.
 */
static void decode_what_libsodium_refuses(struct bytes text)
{
    uint8_t made[MAX_BYTES];
    char again[BASE64_ROOM(MAX_BYTES)];
    for (size_t n = text.n / 4 * 3, i = 0; i < 3 && n > 0; i++, n--)
        if (base64_decode_exact(text, made, n))
            fuzz_require(base64_encode((struct bytes){made, n}, again) == text.n &&
                         memcmp(again, text.p, text.n) != 0);
}

/* libsodium takes some bytes from 0x80 on for digits. */
static bool is_ascii(struct bytes text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] >= 0x80)
            return false;
    return true;
}

static void decode(struct bytes text)
{
    uint8_t made[MAX_BYTES], known[MAX_BYTES];
    char again[BASE64_ROOM(MAX_BYTES)];
    size_t n = 0;
    if (!is_ascii(text) || sodium_base642bin(known, sizeof known, (const char *)text.p, text.n,
                               NULL, &n, NULL, sodium_base64_VARIANT_ORIGINAL) != 0) {
        decode_what_libsodium_refuses(text);
        return;
    }
    fuzz_require(base64_decode_exact(text, made, n) && (n == 0 || memcmp(made, known, n) == 0));
    fuzz_require(!base64_decode_exact(text, made, n + 3));
    fuzz_require(base64_encode((struct bytes){made, n}, again) == text.n);
    fuzz_require(text.n == 0 || memcmp(again, text.p, text.n) == 0);
}

/* The same text as a key of its own type: the type it is called must be the one inside. */
static void decode_key(struct bytes text)
{
    uint8_t blob[MAX_BYTES];
    size_t n;
    enum err e = key_from_base64(BYTES_LIT("ssh-ed25519"), text, blob, sizeof blob, &n);
    fuzz_require((e == ERR_OK) == (n > 0));
    if (e != ERR_OK)
        return;
    struct wire_reader r = wire_reader((struct bytes){blob, n});
    fuzz_require(bytes_is(wire_string(&r), "ssh-ed25519"));
    fuzz_require(key_from_base64(BYTES_LIT("ssh-rsa"), text, blob, sizeof blob, &n) != ERR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char text[BASE64_ROOM(MAX_BYTES)];
    uint8_t out[MAX_BYTES];
    if (n > MAX_BYTES)
        return 0;
    fuzz_require(crypto_init());
    struct bytes in = {data, n};
    decode(in);
    decode_key(in);
    struct bytes made = {(const uint8_t *)text, base64_encode(in, text)};
    fuzz_require(made.n == BASE64_ROOM(n) - 1 && text[made.n] == '\0');
    fuzz_require(base64_decode_exact(made, out, n) && (n == 0 || memcmp(out, data, n) == 0));
    return 0;
}
