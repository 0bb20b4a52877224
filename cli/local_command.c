#include "cli/local_command.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/process.h"

void local_command_run(const struct options *o)
{
    if (o->local_command == NULL)
        return;
    const char *shell = process_shell(o->env);
    log_debug("Executing command: '%s'", log_escape_cstr(o->local_command).s);
    pid_t child = fork();
    if (child == 0) {
        process_after_fork();
        process_become_shell(shell, o->local_command);
    }
    if (child < 0) {
        log_error("LocalCommand: fork: %s", strerror(errno));
        return;
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
        log_verbose("LocalCommand ended with status %d", WEXITSTATUS(status));
}
