/* A signal that comes while echo is off must find the terminal restored before it acts. So the
 * signals that end or stop a program are caught for as long as the question stands: the handler
 * only writes the signal's number into a pipe that is waited for beside the terminal. The question
 * is then taken back, the old handlers return, the signal is raised again; and whoever was only
 * stopped by it is asked anew. */
#include "cli/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/askpass.h"
#include "cli/log.h"
#include "crypto/ct.h"

static const int signals[] = {
    SIGALRM, SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU};
enum { N_SIGNALS = sizeof signals / sizeof signals[0] };

static bool is_forbidden;
static volatile sig_atomic_t signal_fd = -1; /* the handler's end of the pipe */

struct question {
    int tty;
    int signal_pipe[2];
    struct sigaction actions[N_SIGNALS];
    struct termios modes;
    bool has_modes; /* modes are to be put back */
    int signo;      /* that cut the answer short; 0: none did */
};

void prompt_forbid(void)
{
    is_forbidden = true;
}

/* ---- signals ----------------------------------------------------------------------------------
 */

static void note_signal(int signo)
{
    int saved = errno;
    uint8_t byte = (uint8_t)signo;
    if (write((int)signal_fd, &byte, 1) < 0) {
        /* the pipe holds others already: the first of them is enough */
    }
    errno = saved;
}

static bool catch_signals(struct question *q)
{
    struct sigaction catching = {.sa_handler = note_signal};
    if (pipe(q->signal_pipe) != 0)
        return false;
    for (int i = 0; i < 2; i++) {
        (void)fcntl(q->signal_pipe[i], F_SETFD, FD_CLOEXEC);
        (void)fcntl(q->signal_pipe[i], F_SETFL, O_NONBLOCK);
    }
    signal_fd = q->signal_pipe[1];
    for (size_t i = 0; i < N_SIGNALS; i++) {
        sigaction(signals[i], NULL, &q->actions[i]);
        if (q->actions[i].sa_handler != SIG_IGN) /* nohup stays nohup */
            sigaction(signals[i], &catching, NULL);
    }
    return true;
}

static void release_signals(struct question *q)
{
    for (size_t i = 0; i < N_SIGNALS; i++)
        sigaction(signals[i], &q->actions[i], NULL);
    signal_fd = -1;
    close(q->signal_pipe[0]);
    close(q->signal_pipe[1]);
}

/* ---- the terminal -----------------------------------------------------------------------------
 */

static void set_modes(int tty, const struct termios *modes)
{
    while (tcsetattr(tty, TCSAFLUSH, modes) != 0 && errno == EINTR)
        ;
}

static void echo_off(struct question *q)
{
    struct termios quiet;
    q->has_modes = tcgetattr(q->tty, &q->modes) == 0;
    if (!q->has_modes)
        return;
    quiet = q->modes;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    set_modes(q->tty, &quiet);
}

static void show(int tty, const char *text)
{
    if (write(tty, text, strlen(text)) < 0) {
        /* an answer is still possible */
    }
}

/* One byte of the answer. False at the end of the terminal, or when a signal came: q->signo. */
static bool next_byte(struct question *q, char *c)
{
    struct pollfd fds[] = {
        {.fd = q->tty, .events = POLLIN}, {.fd = q->signal_pipe[0], .events = POLLIN}};
    for (;;) {
        int n = poll(fds, 2, -1);
        uint8_t signo;
        if (read(q->signal_pipe[0], &signo, 1) == 1) {
            q->signo = signo;
            return false;
        }
        if (n > 0 && fds[0].revents != 0) {
            ssize_t got = read(q->tty, c, 1);
            if (got >= 0 || errno != EINTR)
                return got == 1;
        } else if (n < 0 && errno != EINTR) {
            return false;
        }
    }
}

/* The answer up to its newline; -1 when it was cut short or does not fit. A longer one is read to
 * its end, or what is left of it would answer the next question. */
static long read_answer(struct question *q, char *out, size_t cap)
{
    size_t n = 0;
    bool fits = true;
    char c = 0;
    while (next_byte(q, &c) && c != '\n' && c != '\r') {
        if (n + 1 < cap)
            out[n++] = c;
        else
            fits = false;
    }
    bool whole = fits && (c == '\n' || c == '\r') && q->signo == 0;
    c = 0;
    if (!whole) {
        secure_wipe(out, cap);
        return -1;
    }
    out[n] = '\0';
    return (long)n;
}

/* Asks once. */
static long ask(struct question *q, bool is_secret, const char *prompt, char *out, size_t cap)
{
    q->signo = 0;
    q->has_modes = false;
    if (!catch_signals(q))
        return -1;
    if (is_secret)
        echo_off(q);
    show(q->tty, "\r"); /* whatever was half-printed before */
    show(q->tty, prompt);
    long n = read_answer(q, out, cap);
    if (is_secret)
        show(q->tty, "\n"); /* the person's own was not echoed */
    if (q->has_modes)
        set_modes(q->tty, &q->modes);
    release_signals(q);
    return n;
}

static bool only_stopped(int signo)
{
    return signo == SIGTSTP || signo == SIGTTIN || signo == SIGTTOU;
}

static long ask_terminal(int tty, bool is_secret, const char *prompt, char *out, size_t cap)
{
    struct question q = {.tty = tty};
    for (;;) {
        long n = ask(&q, is_secret, prompt, out, cap);
        if (q.signo == 0)
            return n;
        kill(getpid(), q.signo);
        if (!only_stopped(q.signo))
            return -1;
    }
}

/* With "confirm" the program has two buttons and prints nothing: its status is the answer. */
static long ask_program(enum prompt_kind kind, const char *prompt, char *out, size_t cap)
{
    const char *hint = kind == PROMPT_CONFIRM ? "confirm" : NULL;
    long n = askpass_run(prompt, hint, out, cap);
    if (kind == PROMPT_CONFIRM && n == 0 && cap > 3) {
        memcpy(out, "yes", 4);
        n = 3;
    }
    return n;
}

long prompt_ask(enum prompt_kind kind, const char *prompt, char *out, size_t cap)
{
    if (is_forbidden)
        return -1;
    enum askpass_use use = askpass_use();
    if (use == ASKPASS_FIRST)
        return ask_program(kind, prompt, out, cap);
    int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (tty < 0) {
        log_debug("no terminal to ask on: %s", strerror(errno));
        return use == ASKPASS_NEVER ? -1 : ask_program(kind, prompt, out, cap);
    }
    long n = ask_terminal(tty, kind == PROMPT_SECRET, prompt, out, cap);
    close(tty);
    return n;
}
