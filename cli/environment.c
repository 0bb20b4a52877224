#include "cli/environment.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/kex.h"
#include "crypto/key.h"
#include "crypto/packet_cipher.h"

static const char *get_variable(const char *name)
{
    return getenv(name);
}

/* Too long for its place is as good as unknown: half a path would be another path. */
static void copy(char *out, size_t cap, const char *text)
{
    if (text == NULL || strlen(text) >= cap)
        text = "";
    snprintf(out, cap, "%s", text);
}

/* As ssh does: the home folder is the password database's, whatever $HOME says. */
static void read_user(struct environment *env)
{
    const struct passwd *pw = getpwuid(env->uid);
    copy(env->home, sizeof env->home, pw != NULL ? pw->pw_dir : getenv("HOME"));
    copy(env->user, sizeof env->user, pw != NULL ? pw->pw_name : getenv("USER"));
    size_t n = strlen(env->home);
    while (n > 1 && env->home[n - 1] == '/')
        env->home[--n] = '\0';
}

/* A program whose file was replaced while it ran has no path any more. */
static void read_program(struct environment *env, const char *argv0)
{
    ssize_t n = readlink("/proc/self/exe", env->program, sizeof env->program);
    bool fits = n > 0 && (size_t)n < sizeof env->program;
    env->program[fits ? n : 0] = '\0';
    if (!fits || access(env->program, X_OK) != 0)
        copy(env->program, sizeof env->program, argv0);
}

void environment_read(struct environment *env, const char *argv0)
{
    *env = (struct environment){.uid = getuid(), .get = get_variable};
    read_user(env);
    read_program(env, argv0);
    if (gethostname(env->host, sizeof env->host - 1) != 0)
        env->host[0] = '\0';
    copy(env->system_dir, sizeof env->system_dir, "/etc/ssh");
    env->stdin_is_terminal = isatty(STDIN_FILENO) == 1;
    env->ciphers = packet_cipher_names();
    env->macs = packet_mac_names();
    env->kex = kex_names();
    env->host_key_algorithms = key_algorithm_names();
    env->signature_algorithms = key_signature_names();
    env->all_host_key_algorithms = key_algorithm_all_names();
    env->all_signature_algorithms = key_signature_all_names();
}
