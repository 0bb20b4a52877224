#include "cli/hosts_command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/base64.h"
#include "cli/config.h"
#include "cli/hosts.h"
#include "cli/process.h"
#include "crypto/fingerprint.h"
#include "crypto/key.h"

enum { ARGS_MAX = 64, TOKENS_MAX = 32, EXIT_NOT_RUN = 127 };

static bool fail(const char *problem)
{
    log_error("KnownHostsCommand: %s", problem);
    return false;
}

/* What the tokens of this run stand for, beside those that every option has. */
struct facts {
    struct expand_token tokens[TOKENS_MAX];
    size_t n_tokens;
    char fingerprint[FINGERPRINT_MAX];
    char base64[BASE64_ROOM(KEY_BLOB_MAX)];
};

static void add(struct facts *f, char letter, const char *value)
{
    if (f->n_tokens < TOKENS_MAX)
        f->tokens[f->n_tokens++] = (struct expand_token){letter, value};
}

static void gather(struct facts *f, const struct options *o, const struct hosts_command *c)
{
    const char *type = "NONE";
    f->n_tokens = 0;
    for (size_t i = 0; i < o->n_tokens; i++)
        add(f, o->tokens[i].letter, o->tokens[i].value);
    snprintf(f->fingerprint, sizeof f->fingerprint, "NONE");
    snprintf(f->base64, sizeof f->base64, "NONE");
    if (c->key.n > 0 && key_check(c->key, &type) == ERR_OK) {
        fingerprint((enum fingerprint_hash)o->fingerprint_hash, c->key, f->fingerprint);
        base64_encode(c->key, f->base64);
    }
    add(f, 'I', c->purpose);
    add(f, 'H', c->name);
    add(f, 't', type);
    add(f, 'f', f->fingerprint);
    add(f, 'K', f->base64);
}

/* The option's words into args, NULL behind the last. Words are cut first and expanded then, so
 * that a value with blanks in it stays one word. */
static bool make_args(const struct options *o, const struct hosts_command *c, struct pool *pool,
    const char *args[ARGS_MAX + 1])
{
    static struct facts facts; /* a key in base64 is large */
    size_t n;
    char *line = pool_strdup(pool, o->known_hosts_command);
    const char *why = line == NULL ? "out of memory" : config_split(line, args, ARGS_MAX, &n);
    if (why != NULL)
        return fail(why);
    if (n == 0)
        return fail("expected a command");
    gather(&facts, o, c);
    struct expand e = {
        .env = o->env, .tokens = facts.tokens, .n_tokens = facts.n_tokens, .variables = true};
    for (size_t i = 1; i < n; i++) {
        const char *word = expand(pool, &e, args[i], &why);
        if (word == NULL) {
            log_error(
                "KnownHostsCommand: cannot expand \"%s\": %s", log_escape_cstr(args[i]).s, why);
            return false;
        }
        args[i] = word;
    }
    args[n] = NULL;
    if (args[0][0] == '/' && access(args[0], X_OK) == 0)
        return true;
    log_error("KnownHostsCommand: cannot run \"%s\": %s", log_escape_cstr(args[0]).s,
        args[0][0] != '/' ? "expected the whole path of a program" : strerror(errno));
    return false;
}

/* Only what is safe between fork() and exec() in a program with threads. */
static _Noreturn void become(const char *const *args, int output)
{
    union { /* execv() does not write to the words, but says it might */
        const char *const *given;
        char *const *wanted;
    } words = {.given = args};
    process_after_fork();
    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0)
        _exit(EXIT_NOT_RUN);
    execv(args[0], words.wanted);
    _exit(EXIT_NOT_RUN);
}

/* All that comes until the end. */
static bool read_output(int fd, struct file *f)
{
    for (;;) {
        if (f->n == f->cap) {
            size_t cap = f->cap == 0 ? 4096 : 2 * f->cap;
            uint8_t *data = cap <= HOSTS_FILE_MAX ? realloc(f->data, cap) : NULL;
            if (data == NULL)
                return fail("it prints too much");
            f->data = data;
            f->cap = cap;
        }
        ssize_t n = read(fd, f->data + f->n, f->cap - f->n);
        if (n == 0)
            return true;
        if (n < 0 && errno != EINTR)
            return fail(strerror(errno));
        f->n += n > 0 ? (size_t)n : 0;
    }
}

static bool ended_well(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return fail(strerror(errno));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (WIFEXITED(status))
        log_error("KnownHostsCommand failed: exit status %d", WEXITSTATUS(status));
    else
        log_error("KnownHostsCommand failed: killed by signal %d", WTERMSIG(status));
    return false;
}

static bool run(const char *const *args, struct file *f)
{
    int fds[2];
    if (pipe(fds) != 0)
        return fail(strerror(errno));
    for (int i = 0; i < 2; i++)
        (void)fcntl(fds[i], F_SETFD, FD_CLOEXEC);
    pid_t child = fork();
    if (child == 0)
        become(args, fds[1]);
    int saved = errno;
    close(fds[1]);
    bool ok = child > 0 ? read_output(fds[0], f) : fail(strerror(saved));
    close(fds[0]); /* one that prints on gets SIGPIPE */
    return (child > 0 && ended_well(child)) && ok;
}

bool hosts_command_run(const struct options *o, const struct hosts_command *c, struct file *f)
{
    const char *args[ARGS_MAX + 1];
    struct pool pool = {.blocks = NULL};
    *f = (struct file){.n = 0};
    bool ok = make_args(o, c, &pool, args);
    if (ok) {
        log_debug("KnownHostsCommand-%s: running %s for %s", c->purpose, log_escape_cstr(args[0]).s,
            log_escape_cstr(c->name).s);
        ok = run(args, f);
    }
    pool_free(&pool);
    return ok;
}
