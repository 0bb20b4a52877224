#include "cli/proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cli/jump.h"
#include "cli/process.h"

enum { EXIT_NOT_RUN = 127 };

static void close_both(const int fds[2])
{
    int saved = errno;
    close(fds[0]);
    close(fds[1]);
    errno = saved;
}

static bool fail(const char *keyword, const char *what)
{
    log_error("%s: %s: %s", keyword, what, strerror(errno));
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

/* A jump is ours alone. One that asks for a password or waits for a server reads nothing from us,
 * so the kernel tells it when we are gone, however we went; SIGHUP may be ignored (nohup). */
static void end_with_parent(pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)
        _exit(EXIT_NOT_RUN);
}

static bool count_jumps(const struct options *o)
{
    char depth[16];
    snprintf(depth, sizeof depth, "%d", o->jump_depth);
    return o->jumps.n == 0 || setenv(JUMP_DEPTH_VARIABLE, depth, 1) == 0;
}

/* Only what is safe between fork() and exec() in a program with threads. */
static _Noreturn void become(
    const struct options *o, const char *shell, pid_t parent, int in, int out)
{
    process_after_fork();
    if (o->jumps.n > 0)
        end_with_parent(parent);
    if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
        _exit(EXIT_NOT_RUN);
    process_become_shell(shell, o->proxy_line);
}

bool proxy_start(const struct options *o, struct proxy *proxy)
{
    const char *shell = process_shell(o->env);
    const char *keyword = o->jumps.n > 0 ? "ProxyJump" : "ProxyCommand";
    int to[2], from[2]; /* read, write */
    if (access(shell, X_OK) != 0)
        return fail(keyword, log_escape_cstr(shell).s);
    if (!make_pipe(to, 1))
        return fail(keyword, "pipe");
    if (!make_pipe(from, 0)) {
        close_both(to);
        return fail(keyword, "pipe");
    }
    log_debug("Executing proxy command: %s", log_escape_cstr(o->proxy_line).s);
    pid_t parent = getpid(), child = count_jumps(o) ? fork() : -1;
    if (child == 0)
        become(o, shell, parent, to[0], from[1]);
    if (child < 0) {
        close_both(to);
        close_both(from);
        return fail(keyword, "fork");
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
