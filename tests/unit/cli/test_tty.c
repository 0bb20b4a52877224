#include "cli/tty.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/cli/terminal.h"
#include "tests/unit/unit.h"

/* ---- modes ------------------------------------------------------------------------------------
 */

/* The value that travels for an opcode; UINT32_MAX when it does not. Checks the form: opcodes below
 * 160 with a uint32 each, none twice, TTY_OP_END last. */
static uint32_t travels(const struct termios *t, uint8_t wanted)
{
    uint8_t buffer[TTY_MODES_MAX];
    bool seen[256] = {false};
    uint32_t found = UINT32_MAX;
    struct wire_writer w = wire_writer(buffer, sizeof buffer);
    tty_encode_modes(&w, t);
    CU_ASSERT_FALSE_FATAL(w.bad);
    struct wire_reader r = wire_reader(wire_written(&w));
    uint8_t opcode;
    while ((opcode = wire_u8(&r)) != 0) {
        uint32_t value = wire_u32(&r);
        CU_ASSERT_FALSE_FATAL(r.bad || opcode >= 160 || seen[opcode]);
        seen[opcode] = true;
        if (opcode == wanted)
            found = value;
    }
    CU_ASSERT(wire_done(&r));
    return found;
}

static void modes_of_a_fresh_terminal_travel(void)
{
    struct terminal t = terminal_new();
    struct termios m = terminal_modes(&t);
    CU_ASSERT_EQUAL(travels(&m, 1), 3);     /* VINTR: Ctrl-C */
    CU_ASSERT_EQUAL(travels(&m, 5), 4);     /* VEOF: Ctrl-D */
    CU_ASSERT_EQUAL(travels(&m, 3), 0x7f);  /* VERASE */
    CU_ASSERT_EQUAL(travels(&m, 10), 0x1a); /* VSUSP */
    CU_ASSERT_EQUAL(travels(&m, 36), 1);    /* ICRNL */
    CU_ASSERT_EQUAL(travels(&m, 38), 1);    /* IXON */
    CU_ASSERT_EQUAL(travels(&m, 50), 1);    /* ISIG */
    CU_ASSERT_EQUAL(travels(&m, 51), 1);    /* ICANON */
    CU_ASSERT_EQUAL(travels(&m, 53), 1);    /* ECHO */
    CU_ASSERT_EQUAL(travels(&m, 58), 0);    /* TOSTOP */
    CU_ASSERT_EQUAL(travels(&m, 70), 1);    /* OPOST */
    CU_ASSERT_EQUAL(travels(&m, 72), 1);    /* ONLCR */
    CU_ASSERT_EQUAL(travels(&m, 90), 0);    /* CS7 */
    CU_ASSERT_EQUAL(travels(&m, 91), 1);    /* CS8 */
    CU_ASSERT_EQUAL(travels(&m, 128), 38400);
    CU_ASSERT_EQUAL(travels(&m, 129), 38400);
    terminal_free(&t);
}

static void changed_modes_travel_changed(void)
{
    struct terminal t = terminal_new();
    struct termios m = terminal_modes(&t);
    m.c_cc[VINTR] = 7;
    m.c_cc[VQUIT] = _POSIX_VDISABLE;
    m.c_iflag &= ~(tcflag_t)IXON;
    m.c_iflag |= IUTF8;
    m.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
    m.c_cflag = (m.c_cflag & ~(tcflag_t)CSIZE) | CS7 | PARENB;
    cfsetospeed(&m, B115200);
    CU_ASSERT_EQUAL(travels(&m, 1), 7);
    CU_ASSERT_EQUAL(travels(&m, 2), 255); /* RFC 4254 section 8: switched off */
    CU_ASSERT_EQUAL(travels(&m, 38), 0);
    CU_ASSERT_EQUAL(travels(&m, 42), 1);
    CU_ASSERT_EQUAL(travels(&m, 53), 0);
    CU_ASSERT_EQUAL(travels(&m, 51), 0);
    CU_ASSERT_EQUAL(travels(&m, 90), 1);
    CU_ASSERT_EQUAL(travels(&m, 91), 0);
    CU_ASSERT_EQUAL(travels(&m, 92), 1);
    CU_ASSERT_EQUAL(travels(&m, 129), 115200);
    CU_ASSERT_EQUAL(travels(&m, 128), 115200);
    cfsetispeed(&m, B0); /* on Linux the only other one: the same as the output's */
    CU_ASSERT_EQUAL(travels(&m, 128), cfgetispeed(&m) == B0 ? 0 : 115200);
    CU_ASSERT_EQUAL(travels(&m, 129), 115200);
    terminal_free(&t);
}

/* Each flag by itself moves its own opcode and no other. */
static void each_flag_has_its_own_opcode(void)
{
    static const struct {
        uint8_t opcode;
        tcflag_t iflag, oflag, lflag, cflag;
    } cases[] = {{30, .iflag = IGNPAR}, {31, .iflag = PARMRK}, {32, .iflag = INPCK},
        {33, .iflag = ISTRIP}, {34, .iflag = INLCR}, {35, .iflag = IGNCR}, {36, .iflag = ICRNL},
        {37, .iflag = IUCLC}, {38, .iflag = IXON}, {39, .iflag = IXANY}, {40, .iflag = IXOFF},
        {41, .iflag = IMAXBEL}, {42, .iflag = IUTF8}, {50, .lflag = ISIG}, {51, .lflag = ICANON},
        {52, .lflag = XCASE}, {53, .lflag = ECHO}, {54, .lflag = ECHOE}, {55, .lflag = ECHOK},
        {56, .lflag = ECHONL}, {57, .lflag = NOFLSH}, {58, .lflag = TOSTOP}, {59, .lflag = IEXTEN},
        {60, .lflag = ECHOCTL}, {61, .lflag = ECHOKE}, {62, .lflag = PENDIN}, {70, .oflag = OPOST},
        {71, .oflag = OLCUC}, {72, .oflag = ONLCR}, {73, .oflag = OCRNL}, {74, .oflag = ONOCR},
        {75, .oflag = ONLRET}, {92, .cflag = PARENB}, {93, .cflag = PARODD}};
    enum { N = sizeof cases / sizeof cases[0] };
    for (size_t i = 0; i < N; i++) {
        struct termios m;
        memset(&m, 0, sizeof m);
        m.c_iflag = cases[i].iflag;
        m.c_oflag = cases[i].oflag;
        m.c_lflag = cases[i].lflag;
        m.c_cflag = cases[i].cflag;
        for (size_t j = 0; j < N; j++)
            CU_ASSERT_EQUAL(travels(&m, cases[j].opcode), i == j);
    }
}

static void without_a_terminal_only_the_end_travels(void)
{
    uint8_t buffer[8] = {99};
    struct wire_writer w = wire_writer(buffer, sizeof buffer);
    tty_encode_modes(&w, NULL);
    CU_ASSERT(w.len == 1 && buffer[0] == 0 && !w.bad);
}

/* ---- raw mode ---------------------------------------------------------------------------------
 */

static void raw_mode_passes_every_key(void)
{
    struct terminal t = terminal_new();
    static const char keys[] = "\x03\x04\x1a\x11\x13\r\n\x7f\x16";
    char got[sizeof keys] = "";
    CU_ASSERT(tty_raw(t.near) && tty_is_raw());
    CU_ASSERT_EQUAL(write(t.far, keys, sizeof keys - 1), (ssize_t)sizeof keys - 1);
    CU_ASSERT_EQUAL(read(t.near, got, sizeof got), (ssize_t)sizeof keys - 1);
    CU_ASSERT_STRING_EQUAL(got, keys);
    CU_ASSERT_EQUAL(write(t.near, "a\n", 2), 2); /* and output as it is; the keys had no echo */
    CU_ASSERT_EQUAL(read(t.far, got, sizeof got), 2);
    CU_ASSERT_EQUAL(memcmp(got, "a\n", 2), 0);
    tty_restore();
    terminal_free(&t);
}

static void restoring_brings_the_very_modes_back(void)
{
    struct terminal t = terminal_new();
    struct termios before = terminal_modes(&t);
    before.c_cc[VINTR] = 7;
    before.c_lflag &= ~(tcflag_t)ECHOE;
    CU_ASSERT_EQUAL(tcsetattr(t.near, TCSANOW, &before), 0);
    before = terminal_modes(&t);
    for (int i = 0; i < 2; i++) { /* again after a suspension */
        CU_ASSERT(tty_raw(t.near));
        CU_ASSERT_FALSE(terminal_has_modes(&t, &before));
        CU_ASSERT(tty_raw(t.near)); /* twice does not take raw modes for those of before */
        tty_restore();
        CU_ASSERT(terminal_has_modes(&t, &before));
        CU_ASSERT_FALSE(tty_is_raw());
    }
    terminal_free(&t);
}

static void exiting_restores(void)
{
    struct terminal t = terminal_new();
    struct termios before = terminal_modes(&t);
    pid_t child = fork();
    if (child == 0) {
        bool good = tty_raw(t.near);
        fclose(stdout); /* what the parent has buffered is not the child's to print */
        exit(good ? 7 : 1);
    }
    int status = 0;
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_EQUAL(status, 7 << 8);
    CU_ASSERT(terminal_has_modes(&t, &before));
    terminal_free(&t);
}

static void what_is_no_terminal_is_not_made_raw(void)
{
    int fds[2];
    CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
    CU_ASSERT_FALSE(tty_raw(fds[0]));
    CU_ASSERT_FALSE(tty_is_raw());
    tty_restore();
    struct msg_window_change size = tty_size(fds[0]);
    CU_ASSERT(size.columns == 0 && size.rows == 0 && size.width_px == 0 && size.height_px == 0);
    close(fds[0]);
    close(fds[1]);
}

static void the_size_is_columns_by_rows(void)
{
    struct terminal t = terminal_new();
    struct winsize set = {.ws_row = 37, .ws_col = 113, .ws_xpixel = 900, .ws_ypixel = 600};
    CU_ASSERT_EQUAL(ioctl(t.far, TIOCSWINSZ, &set), 0);
    struct msg_window_change size = tty_size(t.near);
    CU_ASSERT(size.columns == 113 && size.rows == 37);
    CU_ASSERT(size.width_px == 900 && size.height_px == 600);
    terminal_free(&t);
}

int main(void)
{
    static const struct unit_test tests[] = {
        UNIT(modes_of_a_fresh_terminal_travel),
        UNIT(changed_modes_travel_changed),
        UNIT(each_flag_has_its_own_opcode),
        UNIT(without_a_terminal_only_the_end_travels),
        UNIT(raw_mode_passes_every_key),
        UNIT(restoring_brings_the_very_modes_back),
        UNIT(exiting_restores),
        UNIT(what_is_no_terminal_is_not_made_raw),
        UNIT(the_size_is_columns_by_rows),
    };
    return unit_main("cli/tty", tests, sizeof tests / sizeof tests[0]);
}
