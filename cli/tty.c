#include "cli/tty.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

static int raw_fd = -1; /* the terminal that is raw now */
static struct termios before;

static void restore_at_exit(void)
{
    tty_restore();
}

/* What ssh sets, so that programs which look at the local terminal meanwhile see the same. */
static void make_raw(struct termios *t)
{
    t->c_iflag |= IGNPAR;
    t->c_iflag &= ~(tcflag_t)(ISTRIP | INLCR | IGNCR | ICRNL | IXON | IXANY | IXOFF | IUCLC);
    t->c_lflag &= ~(tcflag_t)(ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHONL | IEXTEN);
    t->c_oflag &= ~(tcflag_t)OPOST;
    t->c_cc[VMIN] = 1;
    t->c_cc[VTIME] = 0;
}

static bool set_modes(int fd, const struct termios *modes)
{
    while (tcsetattr(fd, TCSADRAIN, modes) != 0)
        if (errno != EINTR)
            return false;
    return true;
}

bool tty_raw(int fd)
{
    static bool is_registered;
    if (raw_fd >= 0)
        return true;
    if (tcgetattr(fd, &before) != 0)
        return false;
    if (!is_registered)
        is_registered = atexit(restore_at_exit) == 0;
    struct termios raw = before;
    make_raw(&raw);
    raw_fd = fd; /* before the change: a signal in between must find it */
    if (set_modes(fd, &raw))
        return true;
    raw_fd = -1;
    return false;
}

/* TCSANOW: a terminal whose output is stopped (Ctrl-S) must not keep us here. */
void tty_restore(void)
{
    int saved = errno;
    if (raw_fd >= 0) {
        while (tcsetattr(raw_fd, TCSANOW, &before) != 0 && errno == EINTR)
            ;
        raw_fd = -1;
    }
    errno = saved;
}

bool tty_is_raw(void)
{
    return raw_fd >= 0;
}

struct msg_window_change tty_size(int fd)
{
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) != 0)
        return (struct msg_window_change){.columns = 0};
    return (struct msg_window_change){.columns = size.ws_col,
        .rows = size.ws_row,
        .width_px = size.ws_xpixel,
        .height_px = size.ws_ypixel};
}
