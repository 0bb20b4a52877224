/* Two ends of an SSH connection on one loop. An end is a real peer (a client with its forwards, or
 * a server with its gateway) or a liar: a transport engine in the test's own hands, logged in with
 * real keys, which sends any payload and sees every payload it gets.
 *
 *     rig_init, rig_forward ..., rig_login, the test, rig_close
 */
#ifndef TESTS_FORWARD_RIG_H
#define TESTS_FORWARD_RIG_H

#include "forward/client.h"
#include "forward/gateway.h"
#include "forward/peer.h"
#include "tests/unit/forward/app.h"
#include "tests/unit/forward/drive.h"
#include "tests/unit/forward/liar.h"
#include "tests/unit/unit.h"

enum rig_cast { RIG_TWO_PEERS, RIG_LYING_SERVER, RIG_LYING_CLIENT };

enum {
    RIG_MAX_FORWARDS = 16,
    RIG_PATIENCE_MS = 5000, /* how long anything may take */
    RIG_TURN_MS = 10,
};

struct rig_end {
    struct rig *rig;
    enum role role;
    struct rng rng;
    struct peer_config config; /* loop, fd and owner are the rig's */
    struct peer *peer;         /* NULL when not there (any more) */
    bool is_up;
    bool has_ended;
    unsigned n_ended, n_quiet;
    struct fault why; /* it ended */
};

struct rig {
    struct loop *loop;
    struct resolver *resolver;
    struct private_key *host_key, *user_key;
    const struct private_key *host_keys[1];
    struct rig_end client, server;
    struct liar liar;
    struct forwards *forwards;
    struct gateway *gateway;
    struct forward_spec specs[RIG_MAX_FORWARDS];
    size_t n_specs;
    struct forwards_config forwards_config; /* permit_remote_open and the like, for the test */
    bool settled;
    unsigned n_failed;
    uint64_t connect_timeout_ms; /* of the gateway's dials; 0: the dialer's own */
    bool uses_tcp;               /* the SSH connection itself, else a socket pair */
    bool uses_pipes;             /* ... or two pipes */
    char said[64 * 1024];
    size_t n_said;
    unsigned n_lines;
    bool said_raw; /* what people would see had something in it that must be escaped */
    unsigned n_turns;
    int n_fds_before;
};

void rig_init(struct rig *r);
/* A forward of the client's, as written on the command line. */
void rig_forward(struct rig *r, enum forward_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Makes both ends. */
void rig_start(struct rig *r, enum rig_cast cast);
/* rig_start(), and on until both have logged in and (with a real server) all forwards are settled.
 */
void rig_login(struct rig *r, enum rig_cast cast);
/* Ends all that is left, and asserts that no descriptor is. Apps must have been closed. */
void rig_close(struct rig *r);

void rig_turn(struct rig *r); /* waits at most RIG_TURN_MS */
/* Turns until nothing has moved for some turns. */
void rig_settle(struct rig *r);
/* Turns until the condition holds, which is asserted. */
#define RIG_UNTIL(r, condition)                                                                    \
    do {                                                                                           \
        uint64_t rig_limit = drive_clock_ms() + RIG_PATIENCE_MS;                                   \
        while (!(condition) && drive_clock_ms() < rig_limit)                                       \
            rig_turn(r);                                                                           \
        CU_ASSERT(condition);                                                                      \
    } while (0)

/* Asserts that the loop sleeps: few turns in a tenth of a second. */
void rig_assert_asleep(struct rig *r);

uint16_t rig_port(const struct rig *r, size_t i); /* of forward i, in force */
bool rig_said(const struct rig *r, const char *words);
/* Waits for a connection to a listening socket, and takes it; -1 after RIG_PATIENCE_MS. */
int rig_accept(struct rig *r, int listen_fd);
/* Reads exactly n bytes from a socket; false when they do not come. */
bool rig_read(struct rig *r, int fd, uint8_t *out, size_t n);
/* Connects to a SOCKS5 port and has it connect to host:port; the reply's code in *code. */
int rig_socks(struct rig *r, uint16_t socks_port, const char *host, uint16_t port, uint8_t *code);
/* The decisions that both kinds of end make to log in. */
void rig_log_in(struct rig *r, struct transport *t, const struct transport_event *e);
/* Cuts the connection between the ends without a word. */
void rig_cut(struct rig *r);
/* Makes the way to fd's reader through the kernel narrow, so that what waits for it waits in the
 * forward. Its listening socket must have been made so before; the other end is of this process. */
void rig_narrow_listener(int listen_fd);
void rig_narrow(int fd);
/* ... and wide again, since a narrow one is slow. */
void rig_widen(int fd);
/* A TCP connection over loopback. */
void rig_tcp_pair(int fds[2]);

#endif
