#include "cli/proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli/process.h"

enum { EXIT_NOT_RUN = 127 };

static void close_both(const int fds[2])
{
    int saved = errno;
    close(fds[0]);
    close(fds[1]);
    errno = saved;
}

static bool fail(const char *what)
{
    log_error("ProxyCommand: %s: %s", what, strerror(errno));
    return false;
}

/* The end with index ours does not block; the program's does, as it expects. */
static bool make_pipe(int fds[2], int ours)
{
    if (pipe(fds) != 0)
        return false;
    for (int i = 0; i < 2; i++)
        (void)fcntl(fds[i], F_SETFD, FD_CLOEXEC);
    (void)fcntl(fds[ours], F_SETFL, O_NONBLOCK);
    return true;
}

/* Only what is safe between fork() and exec() in a program with threads. */
static _Noreturn void become(const char *shell, const char *line, int in, int out)
{
    process_after_fork();
    if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
        _exit(EXIT_NOT_RUN);
    process_become_shell(shell, line);
}

bool proxy_start(const struct options *o, struct proxy *proxy)
{
    const char *shell = process_shell(o->env);
    int to[2], from[2]; /* read, write */
    if (access(shell, X_OK) != 0)
        return fail(log_escape_cstr(shell).s);
    if (!make_pipe(to, 1))
        return fail("pipe");
    if (!make_pipe(from, 0)) {
        close_both(to);
        return fail("pipe");
    }
    log_debug("Executing proxy command: %s", log_escape_cstr(o->proxy_line).s);
    pid_t child = fork();
    if (child == 0)
        become(shell, o->proxy_line, to[0], from[1]);
    if (child < 0) {
        close_both(to);
        close_both(from);
        return fail("fork");
    }
    close(to[0]);
    close(from[1]);
    *proxy = (struct proxy){.child = child, .in_fd = from[0], .out_fd = to[1]};
    return true;
}

void proxy_stop(pid_t child)
{
    if (child > 0)
        (void)kill(child, SIGHUP);
}
