/* An input is the destination of a command line, and a ProxyJump. What is taken has hosts and users
 * that can go into a command, and ports; what it means does not hang on being written as ssh:// or
 * not. */
#include <stdio.h>
#include <string.h>

#include "cli/jump.h"
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

static bool same_place(const struct destination *a, const struct destination *b)
{
    return same(a->host, b->host) && same(a->user, b->user) && a->port == b->port;
}

/* What is printed of a list is that list. */
static void check_jumps(const char *text)
{
    struct pool pool = {NULL};
    struct jump_list list, again;
    const char *bad;
    if (jump_parse(&pool, text, &list, &bad) == ERR_OK) {
        fuzz_require(list.n >= 1 && list.n <= JUMPS_MAX);
        const char *printed = jump_text(&pool, text, &list);
        fuzz_require(printed != NULL && jump_parse(&pool, printed, &again, &bad) == ERR_OK);
        fuzz_require(again.n == list.n);
        for (size_t i = 0; i < list.n; i++) {
            const struct destination *d = &list.items[i];
            fuzz_require(options_host_is_sane(d->host) && d->port >= 0 && d->port <= 65535);
            fuzz_require(d->user == NULL || options_user_is_sane(d->user));
            fuzz_require(same_place(d, &again.items[i]));
        }
    }
    pool_free(&pool);
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
    check_jumps(word);
    return 0;
}
