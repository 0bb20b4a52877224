#include "cli/prompt.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/cli/fixture.h"
#include "tests/unit/cli/terminal.h"

enum { PATIENCE_MS = 10000, ANSWER_CAP = 32, ASKED_TWICE = 1, NO_TERMINAL = 2 };

/* One question, asked by a process in a session of its own. That session's leader plays the shell:
 * it starts the asker in the foreground and tells what becomes of it. */
struct asker {
    struct terminal t;
    struct termios before;
    pid_t shell;
    int reports; /* from the shell: struct report */
    char seen[2048];
    size_t seen_n;
};

struct report {
    enum { ANSWERED, STOPPED, ENDED } what;
    pid_t pid;
    int status; /* ENDED: as wait() has it */
    long n;     /* ANSWERED: prompt_ask()'s */
    char answer[ANSWER_CAP];
};

static void tell(int fd, const struct report *r)
{
    if (write(fd, r, sizeof *r) != (ssize_t)sizeof *r)
        _exit(99);
}

static _Noreturn void ask_and_tell(enum prompt_kind kind, int n_times, int fd)
{
    for (int i = 0; i < n_times; i++) {
        struct report r = {.what = ANSWERED, .pid = getpid()};
        memset(r.answer, '?', sizeof r.answer);
        r.n = prompt_ask(kind, "Say something: ", r.answer, sizeof r.answer);
        tell(fd, &r);
    }
    _exit(0);
}

static _Noreturn void play_shell(int fd, const char *terminal, enum prompt_kind kind, int how)
{
    setsid();
    int tty = terminal != NULL ? open(terminal, O_RDWR | O_CLOEXEC) : -1; /* it becomes ours */
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);
        signal(SIGTTOU, SIG_IGN);
        if (tty >= 0)
            tcsetpgrp(tty, getpid());
        signal(SIGTTOU, SIG_DFL);
        ask_and_tell(kind, how == ASKED_TWICE ? 2 : 1, fd);
    }
    struct report r = {.pid = child};
    do {
        if (waitpid(child, &r.status, WUNTRACED) != child)
            _exit(98);
        r.what = WIFSTOPPED(r.status) ? STOPPED : ENDED;
        tell(fd, &r);
    } while (r.what == STOPPED);
    _exit(0);
}

static struct asker asker_start(enum prompt_kind kind, int how)
{
    struct asker a = {.t = terminal_new()};
    int fds[2];
    a.before = terminal_modes(&a.t);
    CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
    fflush(stdout);
    a.shell = fork();
    CU_ASSERT_FATAL(a.shell >= 0);
    if (a.shell == 0)
        play_shell(fds[1], how == NO_TERMINAL ? NULL : a.t.name, kind, how);
    close(fds[1]);
    a.reports = fds[0];
    return a;
}

static bool readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, PATIENCE_MS) == 1;
}

static struct report next_report(struct asker *a)
{
    struct report r = {.what = ENDED, .status = -1};
    CU_ASSERT_FATAL(readable(a->reports));
    CU_ASSERT_EQUAL_FATAL(read(a->reports, &r, sizeof r), (ssize_t)sizeof r);
    return r;
}

/* Reads the terminal until text is there. */
static void wait_for(struct asker *a, const char *text)
{
    while (strstr(a->seen, text) == NULL) {
        CU_ASSERT_FATAL(readable(a->t.far));
        ssize_t n = read(a->t.far, a->seen + a->seen_n, sizeof a->seen - 1 - a->seen_n);
        CU_ASSERT_FATAL(n > 0);
        a->seen_n += (size_t)n;
        a->seen[a->seen_n] = '\0';
    }
}

static void type(struct asker *a, const char *keys)
{
    CU_ASSERT_EQUAL(write(a->t.far, keys, strlen(keys)), (ssize_t)strlen(keys));
}

static void asker_end(struct asker *a, int expected_status)
{
    struct report r = next_report(a);
    int status;
    CU_ASSERT_EQUAL(r.what, ENDED);
    CU_ASSERT_EQUAL(r.status, expected_status);
    CU_ASSERT(terminal_has_modes(&a->t, &a->before));
    CU_ASSERT_EQUAL(waitpid(a->shell, &status, 0), a->shell);
    close(a->reports);
    terminal_free(&a->t);
}

static void expect_answer(struct asker *a, const char *answer)
{
    struct report r = next_report(a);
    CU_ASSERT_EQUAL_FATAL(r.what, ANSWERED);
    CU_ASSERT_EQUAL(r.n, (long)strlen(answer));
    CU_ASSERT_STRING_EQUAL(r.answer, answer);
}

static void expect_none(struct asker *a)
{
    static const char nothing[ANSWER_CAP] = {0};
    struct report r = next_report(a);
    CU_ASSERT_EQUAL_FATAL(r.what, ANSWERED);
    CU_ASSERT_EQUAL(r.n, -1);
    CU_ASSERT_EQUAL(memcmp(r.answer, nothing, sizeof nothing), 0); /* wiped */
}

static void no_askpass(void)
{
    unsetenv("SSH_ASKPASS");
    unsetenv("SSH_ASKPASS_REQUIRE");
    unsetenv("DISPLAY");
    unsetenv("WAYLAND_DISPLAY");
}

/* ---- on the terminal --------------------------------------------------------------------------
 */

static void a_secret_is_read_without_echo(void)
{
    no_askpass();
    struct asker a = asker_start(PROMPT_SECRET, 0);
    wait_for(&a, "Say something: ");
    CU_ASSERT_FALSE(terminal_modes(&a.t).c_lflag & ECHO);
    type(&a, "secret words\n");
    expect_answer(&a, "secret words");
    wait_for(&a, "\n"); /* the newline that was not echoed either */
    CU_ASSERT_PTR_NULL(strstr(a.seen, "secret words"));
    asker_end(&a, 0);
}

static void an_answer_that_may_be_seen_is(void)
{
    no_askpass();
    struct asker a = asker_start(PROMPT_CONFIRM, 0);
    wait_for(&a, "Say something: ");
    type(&a, "yes\n");
    wait_for(&a, "yes\r\n");
    expect_answer(&a, "yes");
    asker_end(&a, 0);
}

static void an_empty_answer_is_one(void)
{
    no_askpass();
    struct asker a = asker_start(PROMPT_SECRET, 0);
    wait_for(&a, "Say something: ");
    type(&a, "\n");
    expect_answer(&a, "");
    asker_end(&a, 0);
}

static void the_end_of_the_terminal_is_no_answer(void)
{
    no_askpass();
    struct asker a = asker_start(PROMPT_SECRET, 0);
    wait_for(&a, "Say something: ");
    type(&a, "half\x04\x04");
    expect_none(&a);
    asker_end(&a, 0);
}

/* 31 bytes fit; one more is refused whole, and none of it answers the next question. */
static void a_line_that_does_not_fit_is_refused(void)
{
    no_askpass();
    struct asker a = asker_start(PROMPT_SECRET, ASKED_TWICE);
    wait_for(&a, "Say something: ");
    type(&a, "0123456789012345678901234567890+\n");
    expect_none(&a);
    wait_for(&a, "\n\rSay something: ");
    type(&a, "0123456789012345678901234567890\n");
    expect_answer(&a, "0123456789012345678901234567890");
    asker_end(&a, 0);
}

static void a_signal_ends_the_program_with_the_terminal_restored(void)
{
    no_askpass();
    struct asker a = asker_start(PROMPT_SECRET, 0);
    wait_for(&a, "Say something: ");
    type(&a, "half\x03");
    asker_end(&a, SIGINT);
}

static void a_stop_restores_the_terminal_and_asks_again_afterwards(void)
{
    no_askpass();
    struct asker a = asker_start(PROMPT_SECRET, 0);
    wait_for(&a, "Say something: ");
    type(&a, "half\x1a");
    struct report r = next_report(&a);
    CU_ASSERT_EQUAL_FATAL(r.what, STOPPED);
    CU_ASSERT(terminal_has_modes(&a.t, &a.before));
    a.seen_n = 0;
    a.seen[0] = '\0';
    kill(r.pid, SIGCONT);
    wait_for(&a, "Say something: ");
    CU_ASSERT_FALSE(terminal_modes(&a.t).c_lflag & ECHO);
    type(&a, "whole\n");
    expect_answer(&a, "whole");
    asker_end(&a, 0);
}

/* ---- through a program ------------------------------------------------------------------------
 */

/* Puts a script at SSH_ASKPASS. */
static void use_script(struct fixture *f, const char *script)
{
    no_askpass();
    fixture_write(f, "askpass", script);
    const char *path = fixture_path(f, "askpass");
    CU_ASSERT_EQUAL(chmod(path, 0700), 0);
    setenv("SSH_ASKPASS", path, 1);
    setenv("DISPLAY", ":0", 1);
}

static struct asker ask_script(struct fixture *f, const char *script, enum prompt_kind kind)
{
    use_script(f, script);
    return asker_start(kind, NO_TERMINAL);
}

static void without_a_terminal_the_program_is_asked(void)
{
    struct fixture f;
    fixture_begin(&f);
    struct asker a =
        ask_script(&f, "#!/bin/sh\necho \"<$1>$SSH_ASKPASS_PROMPT\"\necho more\n", PROMPT_SECRET);
    expect_answer(&a, "<Say something: >");
    asker_end(&a, 0);
    a = ask_script(&f, "#!/bin/sh\nprintf 'no newline'\n", PROMPT_SECRET);
    expect_answer(&a, "no newline");
    asker_end(&a, 0);
    fixture_end(&f);
}

static void its_no_is_no_answer(void)
{
    struct fixture f;
    fixture_begin(&f);
    struct asker a = ask_script(&f, "#!/bin/sh\necho hidden\nexit 1\n", PROMPT_SECRET);
    expect_none(&a);
    asker_end(&a, 0);
    a = ask_script(&f, "#!/bin/sh\nkill -9 $$\n", PROMPT_SECRET);
    expect_none(&a);
    asker_end(&a, 0);
    setenv("SSH_ASKPASS", "/nonexistent/askpass", 1);
    a = asker_start(PROMPT_SECRET, NO_TERMINAL);
    expect_none(&a);
    asker_end(&a, 0);
    fixture_end(&f);
}

static void what_does_not_fit_is_refused_and_read_to_its_end(void)
{
    struct fixture f;
    fixture_begin(&f);
    struct asker a =
        ask_script(&f, "#!/bin/sh\nhead -c 300000 /dev/zero | tr '\\0' x\n", PROMPT_SECRET);
    expect_none(&a);
    asker_end(&a, 0);
    a = ask_script(&f, "#!/bin/sh\necho short\nhead -c 300000 /dev/zero\n", PROMPT_SECRET);
    expect_answer(&a, "short");
    asker_end(&a, 0);
    a = ask_script(&f, "#!/bin/sh\necho 0123456789012345678901234567890\n", PROMPT_SECRET);
    expect_answer(&a, "0123456789012345678901234567890");
    asker_end(&a, 0);
    fixture_end(&f);
}

static void a_confirmation_is_its_status(void)
{
    struct fixture f;
    fixture_begin(&f);
    static const char hinted[] = "#!/bin/sh\ntest \"$SSH_ASKPASS_PROMPT\" = confirm\n";
    struct asker a = ask_script(&f, hinted, PROMPT_CONFIRM);
    expect_answer(&a, "yes");
    asker_end(&a, 0);
    a = ask_script(&f, "#!/bin/sh\nexit 1\n", PROMPT_CONFIRM);
    expect_none(&a);
    asker_end(&a, 0);
    a = ask_script(&f, "#!/bin/sh\necho no\n", PROMPT_CONFIRM);
    expect_answer(&a, "no");
    asker_end(&a, 0);
    fixture_end(&f);
}

static void its_use_can_be_forced_preferred_and_forbidden(void)
{
    struct fixture f;
    fixture_begin(&f);
    use_script(&f, "#!/bin/sh\necho program\n");
    setenv("SSH_ASKPASS_REQUIRE", "force", 1);
    unsetenv("DISPLAY");
    struct asker a = asker_start(PROMPT_SECRET, 0);
    expect_answer(&a, "program");
    asker_end(&a, 0);

    setenv("SSH_ASKPASS_REQUIRE", "prefer", 1); /* no display: the terminal */
    a = asker_start(PROMPT_SECRET, 0);
    wait_for(&a, "Say something: ");
    type(&a, "terminal\n");
    expect_answer(&a, "terminal");
    asker_end(&a, 0);

    setenv("WAYLAND_DISPLAY", "wayland-0", 1);
    a = asker_start(PROMPT_SECRET, 0);
    expect_answer(&a, "program");
    asker_end(&a, 0);

    setenv("SSH_ASKPASS_REQUIRE", "never", 1);
    a = asker_start(PROMPT_SECRET, NO_TERMINAL);
    struct report r = next_report(&a);
    CU_ASSERT(r.what == ANSWERED && r.n == -1);
    asker_end(&a, 0);
    fixture_end(&f);
}

static void with_nobody_to_ask_there_is_no_answer(void)
{
    char out[8] = "before";
    no_askpass();
    struct asker a = asker_start(PROMPT_SECRET, NO_TERMINAL);
    struct report r = next_report(&a);
    CU_ASSERT(r.what == ANSWERED && r.n == -1);
    asker_end(&a, 0);
    prompt_forbid(); /* from here on nothing is asked: the last test */
    setenv("SSH_ASKPASS_REQUIRE", "force", 1);
    setenv("SSH_ASKPASS", "/bin/echo", 1);
    CU_ASSERT_EQUAL(prompt_ask(PROMPT_SECRET, "x", out, sizeof out), -1);
}

int main(void)
{
    static const struct unit_test tests[] = {
        UNIT(a_secret_is_read_without_echo),
        UNIT(an_answer_that_may_be_seen_is),
        UNIT(an_empty_answer_is_one),
        UNIT(the_end_of_the_terminal_is_no_answer),
        UNIT(a_line_that_does_not_fit_is_refused),
        UNIT(a_signal_ends_the_program_with_the_terminal_restored),
        UNIT(a_stop_restores_the_terminal_and_asks_again_afterwards),
        UNIT(without_a_terminal_the_program_is_asked),
        UNIT(its_no_is_no_answer),
        UNIT(what_does_not_fit_is_refused_and_read_to_its_end),
        UNIT(a_confirmation_is_its_status),
        UNIT(its_use_can_be_forced_preferred_and_forbidden),
        UNIT(with_nobody_to_ask_there_is_no_answer),
    };
    return unit_main("cli/prompt", tests, sizeof tests / sizeof tests[0]);
}
