/* An input is the destination of a command line. What is taken has a host and a user that can go
 * into a command, and a port; what it means does not hang on being written as ssh:// or not. */
#include <stdio.h>
#include <string.h>

#include "cli/options_destination.h"
#include "fuzz/fuzz.h"

enum { MAX_BYTES = 512 };

static void drop(void *user, const char *text, size_t n)
{
    (void)user;
    fuzz_require(n > 0 && text[n - 1] == '\n' && memchr(text, '\n', n) == text + n - 1);
}

static const char *no_variable(const char *name)
{
    (void)name;
    return NULL;
}

static bool same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* user@host without anything that an address of the other kind would cut at. */
static void check_other_form(const struct options *o, const struct environment *env)
{
    char uri[MAX_BYTES + 64];
    struct options other;
    if (strpbrk(o->host_arg, "/@:[]") != NULL || (o->user != NULL && strpbrk(o->user, "%;/@:")))
        return;
    snprintf(uri, sizeof uri, "ssh://%s%s%s:1234/", o->user != NULL ? o->user : "",
        o->user != NULL ? "@" : "", o->host_arg);
    options_init(&other, env);
    fuzz_require(options_set_destination(&other, uri) && other.port == 1234);
    fuzz_require(same(other.host_arg, o->host_arg) && same(other.user, o->user));
    options_free(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct environment env = {.user = "miner", .host = "pit", .get = no_variable};
    char word[MAX_BYTES + 1];
    struct options o;
    if (n > MAX_BYTES)
        return 0;
    memcpy(word, data, n);
    word[n] = '\0';
    log_set_sink(drop, NULL);
    options_init(&o, &env);
    if (options_set_destination(&o, word)) {
        fuzz_require(options_host_is_sane(o.host_arg));
        fuzz_require(o.user == NULL || options_user_is_sane(o.user));
        fuzz_require(o.port == OPTION_UNSET || (o.port >= 1 && o.port <= 65535));
        check_other_form(&o, &env);
    }
    options_free(&o);
    return 0;
}
