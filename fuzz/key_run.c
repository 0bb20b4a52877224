#include "fuzz/key_run.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "fuzz/fuzz.h"

static const struct bytes no_passphrase = {NULL, 0};

size_t key_run_wrap(const char *label, const uint8_t *data, size_t n, char text[KEY_RUN_MAX_TEXT])
{
    size_t at = (size_t)snprintf(text, KEY_RUN_MAX_TEXT, "-----BEGIN %s-----\n", label);
    sodium_bin2base64(text + at, KEY_RUN_MAX_TEXT - at, data, n, sodium_base64_VARIANT_ORIGINAL);
    at += strlen(text + at);
    return at + (size_t)snprintf(text + at, KEY_RUN_MAX_TEXT - at, "\n-----END %s-----\n", label);
}

static struct private_key *parse(const char *text, size_t n, struct bytes passphrase)
{
    struct private_key *k;
    const char *why = NULL;
    enum key_file_status s =
        private_key_parse((struct bytes){(const uint8_t *)text, n}, passphrase, &k, &why);
    fuzz_require((s == KEY_FILE_OK) == (k != NULL) && why != NULL);
    fuzz_require((s == KEY_FILE_OK) == (why[0] == '\0'));
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
    static char text[2 * KEY_RUN_MAX_TEXT];
    size_t n = private_key_write(k, private_key_comment(k), text, sizeof text);
    fuzz_require(n > 0);
    struct private_key *again = parse(text, n, no_passphrase);
    fuzz_require(again != NULL && bytes_equal(private_key_blob(k), private_key_blob(again)));
    fuzz_require(strcmp(private_key_comment(k), private_key_comment(again)) == 0);
    private_key_free(again);
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

void key_run(const char *text, size_t n, struct bytes passphrase)
{
    struct private_key *k = parse(text, n, passphrase);
    check_public((struct bytes){(const uint8_t *)text, n}, k);
    if (k == NULL)
        return;
    fuzz_require(key_check(private_key_blob(k), NULL) == ERR_OK);
    sign(k);
    write_and_read(k);
    private_key_free(k);
}
