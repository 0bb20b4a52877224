/* An input is a config file, behind a first line that is a command line ("-p 22 me@host ls"). What
 * was read can be finished and printed, whatever it was. Files and services of the machine are out
 * of reach: no home folder, and inputs with an Include are not looked at. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cli/config.h"
#include "forward/socket.h"
#include "fuzz/fuzz.h"

enum { MAX_BYTES = 4096, MAX_WORDS = 32 };

static void drop(void *user, const char *text, size_t n)
{
    (void)user;
    fuzz_require(n > 0 && text[n - 1] == '\n' && memchr(text, '\n', n) == text + n - 1);
}

static const char *variable(const char *name)
{
    return *name == 'V' ? "value" : NULL;
}

static bool mentions(const char *text, const char *word)
{
    for (size_t n = strlen(word); *text != '\0'; text++)
        if (strncasecmp(text, word, n) == 0)
            return true;
    return false;
}

static bool parse_words(struct options *o, char *line)
{
    char name[] = "adit", *argv[MAX_WORDS + 2] = {name}, *rest = NULL;
    int argc = 1;
    for (char *w = strtok_r(line, " ", &rest); w != NULL && argc <= MAX_WORDS;
         w = strtok_r(NULL, " ", &rest))
        argv[argc++] = w;
    argv[argc] = NULL;
    return options_parse(o, argc, argv) == OPTIONS_RUN;
}

static void check(const struct options *o)
{
    fuzz_require(options_host_is_sane(o->host) && options_user_is_sane(o->user));
    fuzz_require(o->port >= 1 && o->port <= 65535);
    fuzz_require(o->ciphers[0] != '\0' && o->macs[0] != '\0' && o->kex[0] != '\0');
    fuzz_require(o->host_key_algorithms[0] != '\0' && o->connection_attempts >= 1);
    fuzz_require(o->ip_qos_interactive >= SOCKET_QOS_NONE && o->ip_qos_interactive <= 255);
    fuzz_require(o->ip_qos_bulk >= SOCKET_QOS_NONE && o->ip_qos_bulk <= 255);
    for (size_t i = 0; i < o->jumps.n; i++) {
        const struct destination *d = &o->jumps.items[i];
        fuzz_require(options_host_is_sane(d->host));
        fuzz_require(d->user == NULL || options_user_is_sane(d->user));
    }
    fuzz_require((o->jumps.n == 0 && o->proxy_command == NULL) == (o->proxy_line == NULL));
    char *text = options_print_dup(o);
    fuzz_require(text != NULL);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct environment env = {.user = "miner",
        .host = "pit",
        .get = variable,
        .ciphers = "chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes128-ctr",
        .macs = "hmac-sha2-256-etm@openssh.com,hmac-sha2-512",
        .kex = "curve25519-sha256,curve25519-sha256@libssh.org",
        .host_key_algorithms = "ssh-ed25519,rsa-sha2-512",
        .signature_algorithms = "ssh-ed25519,rsa-sha2-512",
        .all_host_key_algorithms = "ssh-ed25519,rsa-sha2-512,ssh-rsa",
        .all_signature_algorithms = "ssh-ed25519,rsa-sha2-512,ssh-rsa"};
    char line[MAX_BYTES + 1];
    const uint8_t *end = n == 0 ? NULL : memchr(data, '\n', n);
    if (n > MAX_BYTES || end == NULL)
        return 0;
    size_t line_n = (size_t)(end - data);
    memcpy(line, data, n);
    line[n] = '\0';
    if (strlen(line) == n && (mentions(line, "include") || mentions(line, "~")))
        return 0; /* the machine's files and users */
    line[line_n] = '\0';
    if (mentions(line, "-i") || mentions(line, "~"))
        return 0;

    struct options o;
    log_set_sink(drop, NULL);
    options_init(&o, &env);
    struct bytes rest = {end + 1, n - line_n - 1};
    if (parse_words(&o, line) && config_text(&o, rest, "input") && options_finish(&o))
        check(&o);
    options_free(&o);
    return 0;
}
