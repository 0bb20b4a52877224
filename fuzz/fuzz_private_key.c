/* An input is a private key file: as text when it starts with a dash, otherwise as what the base64
 * of one holds, so that mutations reach the parser behind it. A key that is read can be written and
 * read again as the same key, and what it signs verifies or is not signed at all. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "crypto/key.h"
#include "fuzz/fuzz.h"

enum { MAX_BYTES = 8192, MAX_TEXT = 2 * MAX_BYTES };

static const struct bytes no_passphrase = {NULL, 0};

static size_t wrap(const uint8_t *data, size_t n, char *text)
{
    static const char begin[] = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
    static const char end[] = "\n-----END OPENSSH PRIVATE KEY-----\n";
    size_t b64_n = sodium_base64_ENCODED_LEN(n, sodium_base64_VARIANT_ORIGINAL) - 1;
    memcpy(text, begin, sizeof begin - 1);
    char *at = text + sizeof begin - 1;
    sodium_bin2base64(at, b64_n + 1, data, n, sodium_base64_VARIANT_ORIGINAL);
    memcpy(at + b64_n, end, sizeof end);
    return sizeof begin - 1 + b64_n + sizeof end - 1;
}

/* The public part that is told without reading the private one is its own. */
static void check_public(struct bytes file, const struct private_key *k)
{
    uint8_t blob[KEY_BLOB_MAX];
    size_t n;
    bool told = key_file_public(file, blob, sizeof blob, &n) == ERR_OK;
    fuzz_require(told == (n > 0));
    if (told && k != NULL)
        fuzz_require(bytes_equal(private_key_blob(k), (struct bytes){blob, n}));
}

static struct private_key *parse(const char *text, size_t n)
{
    struct private_key *k;
    const char *why = NULL;
    enum key_file_status s =
        private_key_parse((struct bytes){(const uint8_t *)text, n}, no_passphrase, &k, &why);
    fuzz_require((s == KEY_FILE_OK) == (k != NULL) && why != NULL);
    fuzz_require((s == KEY_FILE_OK) == (why[0] == '\0'));
    check_public((struct bytes){(const uint8_t *)text, n}, k);
    return k;
}

static void sign(const struct private_key *k)
{
    const char *names = private_key_algorithms(k);
    struct bytes alg = {(const uint8_t *)names, strcspn(names, ",")};
    struct bytes data = BYTES_LIT("some data");
    uint8_t out[KEY_SIGNATURE_MAX];
    size_t n;
    if (private_key_sign(k, alg, data, out, &n) == ERR_OK)
        fuzz_require(key_verify(private_key_blob(k), alg, (struct bytes){out, n}, data) == ERR_OK);
    else
        fuzz_require(n == 0);
}

static void write_and_read(const struct private_key *k)
{
    static char text[2 * MAX_TEXT];
    size_t n = private_key_write(k, private_key_comment(k), text, sizeof text);
    fuzz_require(n > 0);
    struct private_key *again = parse(text, n);
    fuzz_require(again != NULL && bytes_equal(private_key_blob(k), private_key_blob(again)));
    fuzz_require(strcmp(private_key_comment(k), private_key_comment(again)) == 0);
    private_key_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static char text[MAX_TEXT];
    fuzz_require(crypto_init());
    if (n > MAX_BYTES)
        return 0;
    size_t text_n = n;
    if (n > 0 && data[0] == '-')
        memcpy(text, data, n);
    else
        text_n = wrap(data, n, text);
    struct private_key *k = parse(text, text_n);
    if (k == NULL)
        return 0;
    fuzz_require(key_check(private_key_blob(k), NULL) == ERR_OK);
    sign(k);
    write_and_read(k);
    private_key_free(k);
    return 0;
}
