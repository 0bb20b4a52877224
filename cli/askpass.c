#include "cli/askpass.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/log.h"
#include "cli/process.h"
#include "crypto/ct.h"

static const char default_program[] = "/usr/bin/ssh-askpass"; /* Debian's alternatives */

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && *value != '\0';
}

enum askpass_use askpass_use(void)
{
    bool has_display = is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
    const char *require = getenv("SSH_ASKPASS_REQUIRE");
    if (require != NULL && strcasecmp(require, "force") == 0)
        return ASKPASS_FIRST;
    if (require != NULL && strcasecmp(require, "prefer") == 0 && has_display)
        return ASKPASS_FIRST;
    if (require != NULL && strcasecmp(require, "never") == 0)
        return ASKPASS_NEVER;
    return has_display ? ASKPASS_INSTEAD : ASKPASS_NEVER;
}

/* Only what is safe between fork() and exec() in a program with threads, but for setenv(): its lock
 * is never held by another thread of ours, none of which touches the environment. */
static _Noreturn void become(
    const char *program, const char *prompt, const char *hint, int answer_fd)
{
    process_after_fork();
    if (dup2(answer_fd, STDOUT_FILENO) < 0)
        _exit(127);
    if (answer_fd == STDOUT_FILENO)
        (void)fcntl(answer_fd, F_SETFD, 0);
    if (hint != NULL && setenv("SSH_ASKPASS_PROMPT", hint, 1) != 0)
        _exit(127);
    execlp(program, program, prompt, (char *)NULL);
    _exit(127);
}

/* All that comes until the end, as far as it fits; the rest is read and dropped, so that the
 * program does not wait for us. Returns the number of bytes, or cap when it was more than fits. */
static size_t read_all(int fd, char *out, size_t cap)
{
    char rest[64];
    size_t n = 0;
    ssize_t got;
    do {
        bool fits = n < cap;
        got = fits ? read(fd, out + n, cap - n) : read(fd, rest, sizeof rest);
        if (got > 0 && fits)
            n += (size_t)got;
    } while (got > 0 || (got < 0 && errno == EINTR));
    secure_wipe(rest, sizeof rest);
    return n;
}

static bool said_yes(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        log_verbose("the askpass program could not be run");
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

long askpass_run(const char *prompt, const char *hint, char *out, size_t cap)
{
    const char *named = getenv("SSH_ASKPASS");
    const char *program = named != NULL ? named : default_program;
    int fds[2];
    if (pipe(fds) != 0)
        return -1;
    for (int i = 0; i < 2; i++)
        (void)fcntl(fds[i], F_SETFD, FD_CLOEXEC);
    pid_t child = fork();
    if (child == 0)
        become(program, prompt, hint, fds[1]);
    close(fds[1]);
    size_t n = child < 0 ? 0 : read_all(fds[0], out, cap);
    close(fds[0]);
    bool good = child > 0 && said_yes(child);
    size_t line_n = 0;
    while (line_n < n && out[line_n] != '\n' && out[line_n] != '\r')
        line_n++;
    if (!good || line_n >= cap) {
        secure_wipe(out, cap);
        return -1;
    }
    secure_wipe(out + line_n, cap - line_n);
    return (long)line_n;
}
