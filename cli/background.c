#include "cli/background.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int ready_pipe = -1;             /* child: its end; -1: nothing to tell */
static volatile sig_atomic_t child_pid; /* parent: where signals go on to */

static void hand_on(int signo)
{
    int saved = errno;
    if (child_pid > 0)
        kill((pid_t)child_pid, signo);
    errno = saved;
}

static void hand_on_signals(void)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    struct sigaction action = {.sa_handler = hand_on};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaction(signals[i], &action, NULL);
}

/* The child's end of the story: ready, or its exit status. */
static void wait_for(pid_t child, int pipe_fd)
{
    char byte;
    ssize_t n;
    do
        n = read(pipe_fd, &byte, 1);
    while (n < 0 && errno == EINTR);
    if (n == 1)
        _exit(0);
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            _exit(255);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 255);
}

bool background_begin(void)
{
    int fds[2];
    if (pipe(fds) != 0)
        return false;
    pid_t parent = getpid();
    pid_t child = fork();
    if (child < 0) {
        close(fds[0]);
        close(fds[1]);
        return false;
    }
    if (child > 0) {
        close(fds[1]);
        child_pid = child;
        hand_on_signals();
        wait_for(child, fds[0]);
    }
    close(fds[0]);
    ready_pipe = fds[1];
    fcntl(ready_pipe, F_SETFD, FD_CLOEXEC);
    /* A parent that is killed takes an unready child with it, as one process would end. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(255);
    return true;
}

void background_ready(bool keep_stderr)
{
    if (ready_pipe < 0)
        return;
    prctl(PR_SET_PDEATHSIG, 0);
    (void)setsid();
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; null >= 0 && fd <= (keep_stderr ? 1 : 2); fd++)
        dup2(null, fd);
    if (null > 2)
        close(null);
    ssize_t n;
    do
        n = write(ready_pipe, "", 1);
    while (n < 0 && errno == EINTR);
    close(ready_pipe);
    ready_pipe = -1;
}
