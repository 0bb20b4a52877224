/* The local terminal of a session: raw while the remote one does the work, its modes and its size
 * as RFC 4254 has them, and back as it was on every way out.
 *
 * A process has one such terminal, so the state is static. */
#ifndef CLI_TTY_H
#define CLI_TTY_H

#include <stdbool.h>
#include <termios.h>

#include "proto/msg.h"
#include "proto/wire.h"

/* Raw mode on fd, which stays the caller's and open until tty_restore(). The first call also sees
 * to it that exit() restores the terminal. False: fd is no terminal, errno. */
bool tty_raw(int fd);
/* As before tty_raw(); at once, and safe in a signal handler. Nothing happens when it is not raw.
 * tty_raw() may be called again afterwards. */
void tty_restore(void);
bool tty_is_raw(void);

/* The size of fd's terminal; zeros when it has none. */
struct msg_window_change tty_size(int fd);

enum { TTY_MODES_MAX = 512 };

/* The encoded terminal modes of RFC 4254 section 8: speeds, characters, flags, TTY_OP_END. modes
 * NULL (stdin is no terminal): TTY_OP_END alone. */
void tty_encode_modes(struct wire_writer *w, const struct termios *modes);

#endif
