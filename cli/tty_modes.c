/* Terminal modes as RFC 4254 section 8 encodes them: an opcode byte and a uint32 each. The far side
 * takes what it knows; what this system's termios has no name for is not sent. */
#include "cli/tty.h"

#include <stddef.h>
#include <unistd.h>

enum { TTY_OP_END = 0, TTY_OP_ISPEED = 128, TTY_OP_OSPEED = 129, DISABLED = 255 };

/* Special characters; a switched-off one travels as 255. */
static const struct {
    uint8_t opcode;
    uint8_t index; /* in c_cc */
} characters[] = {
    {1, VINTR},
    {2, VQUIT},
    {3, VERASE},
    {4, VKILL},
    {5, VEOF},
    {6, VEOL},
    {7, VEOL2},
    {8, VSTART},
    {9, VSTOP},
    {10, VSUSP},
#ifdef VDSUSP
    {11, VDSUSP},
#endif
    {12, VREPRINT},
    {13, VWERASE},
    {14, VLNEXT},
#ifdef VFLUSH
    {15, VFLUSH},
#endif
#ifdef VSWTCH
    {16, VSWTCH},
#elif defined(VSWTC)
    {16, VSWTC},
#endif
#ifdef VSTATUS
    {17, VSTATUS},
#endif
    {18, VDISCARD},
};

#define FIELD(name) offsetof(struct termios, name)

/* Flags: 1 when all bits of the mask are as in `value`, or 0. */
static const struct {
    uint8_t opcode;
    uint8_t field;
    tcflag_t mask;
    tcflag_t value;
} flags[] = {
    {30, FIELD(c_iflag), IGNPAR, IGNPAR},
    {31, FIELD(c_iflag), PARMRK, PARMRK},
    {32, FIELD(c_iflag), INPCK, INPCK},
    {33, FIELD(c_iflag), ISTRIP, ISTRIP},
    {34, FIELD(c_iflag), INLCR, INLCR},
    {35, FIELD(c_iflag), IGNCR, IGNCR},
    {36, FIELD(c_iflag), ICRNL, ICRNL},
#ifdef IUCLC
    {37, FIELD(c_iflag), IUCLC, IUCLC},
#endif
    {38, FIELD(c_iflag), IXON, IXON},
    {39, FIELD(c_iflag), IXANY, IXANY},
    {40, FIELD(c_iflag), IXOFF, IXOFF},
    {41, FIELD(c_iflag), IMAXBEL, IMAXBEL},
#ifdef IUTF8
    {42, FIELD(c_iflag), IUTF8, IUTF8}, /* RFC 8160 */
#endif
    {50, FIELD(c_lflag), ISIG, ISIG},
    {51, FIELD(c_lflag), ICANON, ICANON},
#ifdef XCASE
    {52, FIELD(c_lflag), XCASE, XCASE},
#endif
    {53, FIELD(c_lflag), ECHO, ECHO},
    {54, FIELD(c_lflag), ECHOE, ECHOE},
    {55, FIELD(c_lflag), ECHOK, ECHOK},
    {56, FIELD(c_lflag), ECHONL, ECHONL},
    {57, FIELD(c_lflag), NOFLSH, NOFLSH},
    {58, FIELD(c_lflag), TOSTOP, TOSTOP},
    {59, FIELD(c_lflag), IEXTEN, IEXTEN},
    {60, FIELD(c_lflag), ECHOCTL, ECHOCTL},
    {61, FIELD(c_lflag), ECHOKE, ECHOKE},
#ifdef PENDIN
    {62, FIELD(c_lflag), PENDIN, PENDIN},
#endif
    {70, FIELD(c_oflag), OPOST, OPOST},
#ifdef OLCUC
    {71, FIELD(c_oflag), OLCUC, OLCUC},
#endif
    {72, FIELD(c_oflag), ONLCR, ONLCR},
    {73, FIELD(c_oflag), OCRNL, OCRNL},
    {74, FIELD(c_oflag), ONOCR, ONOCR},
    {75, FIELD(c_oflag), ONLRET, ONLRET},
    {90, FIELD(c_cflag), CSIZE, CS7},
    {91, FIELD(c_cflag), CSIZE, CS8},
    {92, FIELD(c_cflag), PARENB, PARENB},
    {93, FIELD(c_cflag), PARODD, PARODD},
};

static const struct {
    speed_t code;
    uint32_t baud;
} speeds[] = {
    {B0, 0},
    {B50, 50},
    {B75, 75},
    {B110, 110},
    {B134, 134},
    {B150, 150},
    {B200, 200},
    {B300, 300},
    {B600, 600},
    {B1200, 1200},
    {B1800, 1800},
    {B2400, 2400},
    {B4800, 4800},
    {B9600, 9600},
    {B19200, 19200},
    {B38400, 38400},
    {B57600, 57600},
    {B115200, 115200},
    {B230400, 230400},
#ifdef B460800
    {B460800, 460800},
    {B921600, 921600},
#endif
};

static uint32_t baud_of(speed_t code)
{
    for (size_t i = 0; i < sizeof speeds / sizeof speeds[0]; i++)
        if (speeds[i].code == code)
            return speeds[i].baud;
    return 9600; /* as ssh says for one it does not know */
}

static void put(struct wire_writer *w, uint8_t opcode, uint32_t value)
{
    wire_put_u8(w, opcode);
    wire_put_u32(w, value);
}

void tty_encode_modes(struct wire_writer *w, const struct termios *t)
{
    if (t != NULL) {
        put(w, TTY_OP_OSPEED, baud_of(cfgetospeed(t)));
        put(w, TTY_OP_ISPEED, baud_of(cfgetispeed(t)));
        for (size_t i = 0; i < sizeof characters / sizeof characters[0]; i++) {
            cc_t c = t->c_cc[characters[i].index];
            put(w, characters[i].opcode, c == _POSIX_VDISABLE ? DISABLED : c);
        }
        for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
            const char *at = (const char *)t + flags[i].field;
            tcflag_t now = *(const tcflag_t *)(const void *)at;
            put(w, flags[i].opcode, (now & flags[i].mask) == flags[i].value);
        }
    }
    wire_put_u8(w, TTY_OP_END);
}
