#define _XOPEN_SOURCE 700 /* posix_openpt() and its kin */
#include "tests/unit/cli/terminal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void need(bool holds)
{
    if (!holds) {
        perror("pseudo-terminal");
        abort();
    }
}

struct terminal terminal_new(void)
{
    struct terminal t = {.far = posix_openpt(O_RDWR | O_NOCTTY)};
    need(t.far >= 0 && grantpt(t.far) == 0 && unlockpt(t.far) == 0);
    need(fcntl(t.far, F_SETFD, FD_CLOEXEC) == 0);
    const char *name = ptsname(t.far);
    need(name != NULL && strlen(name) < sizeof t.name);
    strcpy(t.name, name);
    t.near = open(t.name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    need(t.near >= 0);
    return t;
}

void terminal_free(struct terminal *t)
{
    close(t->near);
    close(t->far);
}

struct termios terminal_modes(const struct terminal *t)
{
    struct termios m;
    memset(&m, 0, sizeof m);
    need(tcgetattr(t->near, &m) == 0);
    return m;
}

bool terminal_has_modes(const struct terminal *t, const struct termios *b)
{
    struct termios a = terminal_modes(t);
    return a.c_iflag == b->c_iflag && a.c_oflag == b->c_oflag && a.c_cflag == b->c_cflag &&
           a.c_lflag == b->c_lflag && memcmp(a.c_cc, b->c_cc, sizeof a.c_cc) == 0;
}
