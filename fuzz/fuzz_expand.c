/* An input is a byte of switches and a text with tokens, variables and a tilde. What they stand for
 * is not looked at again, and what holds none of them comes out as it is. */
#include <string.h>

#include "cli/expand.h"
#include "fuzz/fuzz.h"

enum { MAX_BYTES = 1024, TOKENS = 1, VARIABLES = 2, TILDE = 4 };

static const char *variable(const char *name)
{
    return *name == 'V' ? "%h${V}~" : *name == 'E' ? "" : NULL;
}

/* Plain text that is between what is replaced: it must stand in the result in this order. */
static void check_rest(const char *text, const char *result)
{
    for (; *text != '\0'; text++) {
        if (strchr("%${}~", *text) != NULL || (unsigned char)*text >= 'A')
            continue; /* may be a part of something */
        result = strchr(result, *text);
        fuzz_require(result != NULL);
        result++;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct expand_token tokens[] = {{'h', "%p"}, {'p', "22"}, {'e', ""}};
    struct environment env = {.home = "/home/${V}", .get = variable};
    char text[MAX_BYTES + 1];
    if (n < 1 || n - 1 > MAX_BYTES)
        return 0;
    memcpy(text, data + 1, n - 1);
    text[n - 1] = '\0';
    struct expand e = {.env = &env,
        .tokens = tokens,
        .n_tokens = data[0] & TOKENS ? sizeof tokens / sizeof tokens[0] : 0,
        .variables = (data[0] & VARIABLES) != 0,
        .tilde = (data[0] & TILDE) != 0};
    if (e.tilde && text[0] == '~' && text[1] != '/' && text[1] != '\0')
        return 0; /* the machine's users */
    struct pool pool = {NULL};
    const char *why = NULL, *result = expand(&pool, &e, text, &why);
    fuzz_require((result == NULL) == (why != NULL));
    fuzz_require(result == NULL || strlen(result) < EXPAND_MAX);
    if (strpbrk(text, "%$~") == NULL)
        fuzz_require(result != NULL && strcmp(result, text) == 0);
    if (result != NULL && !e.variables)
        check_rest(text, result);
    pool_free(&pool);
    return 0;
}
