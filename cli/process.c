#include "cli/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/log.h"
#include "crypto/rng.h"

static bool open_standard_files(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= 2);
    if (fd > 2)
        close(fd);
    return fd >= 0;
}

static void raise_open_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

bool process_begin(void)
{
    struct rlimit no_core = {0, 0};
    if (!open_standard_files()) {
        log_fatal("cannot open /dev/null: %s", strerror(errno));
        return false;
    }
    signal(SIGPIPE, SIG_IGN);
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)prctl(PR_SET_DUMPABLE, 0);
    raise_open_files();
    if (!crypto_init()) {
        log_fatal("the system gives no randomness");
        return false;
    }
    return true;
}

void process_after_fork(void)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL); /* the loop's signals are blocked here */
    signal(SIGPIPE, SIG_DFL);
}

const char *process_shell(const struct environment *env)
{
    const char *shell = env->get("SHELL");
    return shell == NULL || *shell == '\0' ? "/bin/sh" : shell;
}

void process_become_shell(const char *shell, const char *line)
{
    execl(shell, shell, "-c", line, (char *)NULL);
    _exit(127);
}
