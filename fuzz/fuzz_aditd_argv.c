/* An input is aditd's command line, a word a line. No file of the machine is touched: the parser
 * opens but that of -E, and inputs with an E among their options are not looked at. */
#include <string.h>
#include <unistd.h>

#include "cli/aditd_argv.h"
#include "cli/log.h"
#include "fuzz/fuzz.h"

enum { MAX_BYTES = 4096, MAX_WORDS = 64 };

static unsigned n_said;

static void hear(void *user, const char *text, size_t n)
{
    (void)user;
    fuzz_require(n > 0 && memchr(text, '\n', n) == text + n - 1);
    n_said++;
}

static bool may_open_a_log(const char *word)
{
    return word[0] == '-' && strchr(word, 'E') != NULL;
}

static void check(const struct aditd_argv *a, enum aditd_verdict verdict)
{
    fuzz_require(n_said == (verdict == ADITD_USAGE || verdict == ADITD_BAD ? 1 : 0));
    fuzz_require(a->n_keys <= ADITD_KEYS_MAX && a->n_certs <= ADITD_KEYS_MAX);
    fuzz_require(a->server.port >= 0 && a->server.port <= 65535);
    if (verdict != ADITD_RUN)
        return;
    fuzz_require(a->n_keys >= 1);
    fuzz_require(a->server.authorized_keys != NULL || a->server.authorities != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char text[MAX_BYTES + 1], name[] = "aditd", *argv[MAX_WORDS + 2] = {name}, *rest = NULL;
    int argc = 1;
    if (n > MAX_BYTES)
        return 0;
    if (n > 0)
        memcpy(text, data, n);
    text[n] = '\0';
    for (char *w = strtok_r(text, "\n", &rest); w != NULL && argc <= MAX_WORDS;
         w = strtok_r(NULL, "\n", &rest)) {
        if (may_open_a_log(w))
            return 0;
        argv[argc++] = w;
    }

    struct aditd_argv a;
    log_set_sink(hear, NULL);
    log_set_level(LOG_LEVEL_INFO);
    n_said = 0;
    optind = 0; /* glibc's getopt forgets what it was at */
    enum aditd_verdict verdict = aditd_argv_parse(&a, argc, argv);
    check(&a, verdict);
    return 0;
}
