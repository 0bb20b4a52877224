#define _GNU_SOURCE /* accept4 */
#include "tests/unit/forward/rig.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crypto/key.h"
#include "forward/client_internal.h"
#include "forward/socket.h"
#include "proto/text.h"
#include "transport/engine.h"

static void fatal_if(bool bad)
{
    if (bad)
        abort(); /* a mistake in the test itself */
}

/* ---- what is said ---------------------------------------------------------------------------- */

/* Escaping doubles backslashes, and may find nothing else to do. */
static bool is_clean(const char *line)
{
    static char escaped[8192];
    size_t n_backslashes = 0;
    for (const char *p = line; *p != '\0'; p++)
        n_backslashes += *p == '\\';
    size_t n = text_escape(escaped, sizeof escaped, bytes_of(line), TEXT_LINE);
    return n == strlen(line) + n_backslashes;
}

static void note(struct rig *r, const char *line)
{
    r->said_raw |= !is_clean(line);
    r->n_lines++;
    size_t n = strlen(line);
    if (r->n_said + n + 2 > sizeof r->said)
        r->n_said = 0;
    memcpy(r->said + r->n_said, line, n);
    r->n_said += n;
    memcpy(r->said + r->n_said, "\n", 2);
    r->n_said++;
}

static void client_says(void *user, enum say_level level, const char *line)
{
    (void)level;
    note(user, line);
}

static void server_says(void *user, const char *line)
{
    note(user, line);
}

bool rig_said(const struct rig *r, const char *words)
{
    return strstr(r->said, words) != NULL;
}

/* ---- logging in: the same decisions for peers and liars -------------------------------------- */

void rig_log_in(struct rig *r, struct transport *t, const struct transport_event *e)
{
    uint8_t signature[KEY_SIGNATURE_MAX];
    size_t n = 0;
    switch (e->type) {
    case TRANSPORT_HOST_KEY:
        transport_host_key_decide(t, bytes_equal(e->key, private_key_blob(r->host_key)));
        break;
    case TRANSPORT_AUTH_READY:
        transport_auth_publickey(t, BYTES_LIT("ssh-ed25519"), private_key_blob(r->user_key));
        break;
    case TRANSPORT_AUTH_SIGN:
        fatal_if(private_key_sign(r->user_key, e->algorithm, e->data, signature, &n) != ERR_OK);
        transport_auth_signature(t, (struct bytes){signature, n});
        break;
    case TRANSPORT_AUTH_KEY:
        transport_auth_decide(t, bytes_equal(e->key, private_key_blob(r->user_key)));
        break;
    default: break;
    }
}

/* ---- real ends: what the two programs do, without people ------------------------------------- */

static void settled(void *user, unsigned n_failed)
{
    struct rig *r = user;
    CU_ASSERT_FALSE(r->settled);
    r->settled = true;
    r->n_failed = n_failed;
}

static void up(struct rig_end *end)
{
    struct rig *r = end->rig;
    end->is_up = true;
    if (end->role == ROLE_SERVER) {
        struct gateway_config config = {.peer = end->peer,
            .resolver = r->resolver,
            .connect_timeout_ms = r->connect_timeout_ms,
            .say = server_says,
            .user = r};
        r->gateway = gateway_new(&config);
        fatal_if(r->gateway == NULL);
        return;
    }
    r->forwards_config.peer = end->peer;
    r->forwards_config.resolver = r->resolver;
    r->forwards_config.specs = r->specs;
    r->forwards_config.n_specs = r->n_specs;
    r->forwards_config.say = client_says;
    r->forwards_config.settled = settled;
    r->forwards_config.user = r;
    r->forwards = forwards_new(&r->forwards_config);
    fatal_if(r->forwards == NULL);
    forwards_start(r->forwards);
}

static void end_transport_event(void *user, const struct transport_event *e)
{
    struct rig_end *end = user;
    rig_log_in(end->rig, peer_transport(end->peer), e);
    if (e->type == TRANSPORT_AUTH_SUCCESS)
        up(end);
    if (e->type == TRANSPORT_DEBUG && end->rig->forwards != NULL)
        forwards_note_debug(end->rig->forwards, e->text);
}

static void end_mux_event(void *user, const struct mux_event *e)
{
    struct rig_end *end = user;
    struct mux *m = peer_mux(end->peer);
    if (end->role == ROLE_SERVER) {
        gateway_event(end->rig->gateway, e);
        return;
    }
    if (forwards_event(end->rig->forwards, e))
        return;
    if (e->type == MUX_OPEN_REQUEST)
        mux_refuse(m, e->chan, OPEN_ADMINISTRATIVELY_PROHIBITED, "not asked for");
    else if (e->type == MUX_GLOBAL_REQUEST && e->want_reply)
        mux_global_reply(m, e->ticket, false, (struct bytes){0});
    peer_kick(end->peer);
}

static void end_quiet(void *user)
{
    struct rig_end *end = user;
    end->n_quiet++;
}

static void end_free(struct rig_end *end)
{
    struct rig *r = end->rig;
    if (end->role == ROLE_CLIENT) {
        forwards_free(r->forwards);
        r->forwards = NULL;
        peer_free(end->peer);
    } else {
        peer_free(end->peer);
        gateway_free(r->gateway);
        r->gateway = NULL;
    }
    end->peer = NULL;
}

static void end_ended(void *user, const struct fault *why)
{
    struct rig_end *end = user;
    end->has_ended = true;
    end->n_ended++;
    end->why = *why;
    end_free(end);
}

static void end_start(struct rig_end *end, int fd)
{
    end->config.loop = end->rig->loop;
    end->config.fd = fd;
    end->config.owner = (struct peer_owner){.user = end,
        .transport_event = end_transport_event,
        .mux_event = end_mux_event,
        .quiet = end_quiet,
        .ended = end_ended};
    end->peer = peer_new(&end->config);
    fatal_if(end->peer == NULL);
}

/* ---- sockets --------------------------------------------------------------------------------- */

void rig_tcp_pair(int fds[2])
{
    uint16_t port = 0;
    int listen_fd = drive_listen(AF_INET, &port, 4);
    fds[0] = drive_connect(AF_INET, port);
    fds[1] = -1;
    for (int i = 0; i < 1000000 && fds[1] < 0; i++)
        fds[1] = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    fatal_if(fds[1] < 0);
    socket_nodelay(fds[0]);
    socket_nodelay(fds[1]);
    close(listen_fd);
}

/* The descriptor whose own address is the one fd is connected to. */
static int other_end_of(int fd)
{
    enum { FDS_MAX = 4096 };
    struct sockaddr_in far, own;
    socklen_t n = sizeof far;
    fatal_if(getpeername(fd, (struct sockaddr *)&far, &n) != 0);
    for (int other = 0; other < FDS_MAX; other++) {
        n = sizeof own;
        if (other != fd && getsockname(other, (struct sockaddr *)&own, &n) == 0 &&
            own.sin_family == AF_INET && own.sin_port == far.sin_port &&
            getpeername(other, (struct sockaddr *)&own, &n) == 0)
            return other;
    }
    return -1;
}

static void set_buffer(int fd, int which, int n_bytes)
{
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, which, &n_bytes, sizeof n_bytes);
}

enum { NARROW_BYTES = 8 * 1024, WIDE_BYTES = 256 * 1024 };

void rig_narrow_listener(int listen_fd)
{
    set_buffer(listen_fd, SO_RCVBUF, NARROW_BYTES);
}

void rig_narrow(int fd)
{
    set_buffer(other_end_of(fd), SO_SNDBUF, NARROW_BYTES);
}

void rig_widen(int fd)
{
    set_buffer(fd, SO_RCVBUF, WIDE_BYTES);
    set_buffer(other_end_of(fd), SO_SNDBUF, WIDE_BYTES);
}

int rig_accept(struct rig *r, int listen_fd)
{
    uint64_t limit = drive_clock_ms() + RIG_PATIENCE_MS;
    for (;;) {
        int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0 || drive_clock_ms() >= limit)
            return fd;
        rig_turn(r);
    }
}

bool rig_read(struct rig *r, int fd, uint8_t *out, size_t n)
{
    uint64_t limit = drive_clock_ms() + RIG_PATIENCE_MS;
    while (n > 0 && drive_clock_ms() < limit) {
        ssize_t got = read(fd, out, n);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            return false;
        if (got > 0) {
            out += got;
            n -= (size_t)got;
            continue;
        }
        rig_turn(r);
    }
    return n == 0;
}

int rig_socks(struct rig *r, uint16_t socks_port, const char *host, uint16_t port, uint8_t *code)
{
    uint8_t request[300] = {5, 1, 0, 5, 1, 0, 3}; /* greeting and request in one */
    uint8_t reply[12] = {0, 0xff, 0, 0xff};
    size_t n = strlen(host);
    request[7] = (uint8_t)n;
    memcpy(request + 8, host, n);
    request[8 + n] = (uint8_t)(port >> 8);
    request[9 + n] = (uint8_t)port;
    int fd = drive_connect(AF_INET, socks_port);
    rig_turn(r);
    fatal_if(write(fd, request, 10 + n) != (ssize_t)(10 + n));
    CU_ASSERT(rig_read(r, fd, reply, sizeof reply));
    *code = reply[3];
    return fd;
}

void rig_cut(struct rig *r)
{
    if (r->client.peer != NULL)
        shutdown(peer_fd(r->client.peer), SHUT_RDWR);
    else if (r->server.peer != NULL)
        shutdown(peer_fd(r->server.peer), SHUT_RDWR);
}

/* ---- life ------------------------------------------------------------------------------------ */

void rig_init(struct rig *r)
{
    fatal_if(!crypto_init());
    signal(SIGPIPE, SIG_IGN);
    int n_fds = drive_n_fds();
    memset(r, 0, sizeof *r);
    r->n_fds_before = n_fds;
    r->loop = loop_new();
    r->resolver = r->loop != NULL ? resolver_new(r->loop) : NULL;
    fatal_if(r->resolver == NULL);
    struct rng rng = rng_fixed(3);
    r->host_key = private_key_generate(&rng);
    r->user_key = private_key_generate(&rng);
    r->host_keys[0] = r->host_key;
    r->client.rng = rng_fixed(1);
    r->server.rng = rng_fixed(2);
    r->client.rig = r->server.rig = r->liar.rig = r;
    r->server.role = ROLE_SERVER;
    struct transport_config both = {.software = "adit_test",
        .kex = "curve25519-sha256", /* quick: what it is does not matter here */
        .ciphers = "aes128-gcm@openssh.com"};
    r->client.config.transport = r->server.config.transport = both;
    r->client.config.name = "server of the test";
    r->server.config.name = "client of the test";
    r->client.config.transport.rng = &r->client.rng;
    r->client.config.transport.user = "ann";
    r->server.config.transport.role = ROLE_SERVER;
    r->server.config.transport.rng = &r->server.rng;
    r->server.config.transport.host_keys = r->host_keys;
    r->server.config.transport.n_host_keys = 1;
}

void rig_forward(struct rig *r, enum forward_kind kind, const char *format, ...)
{
    char text[4096], why[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct forward_lookup none = {.variable = NULL};
    fatal_if(
        r->n_specs == RIG_MAX_FORWARDS ||
        forward_spec_parse(kind, text, &none, &r->specs[r->n_specs], why, sizeof why) != ERR_OK);
    r->n_specs++;
}

static void two_pipes(struct rig *r, int fds[2])
{
    int up[2], down[2];
    fatal_if(pipe2(up, O_NONBLOCK | O_CLOEXEC) != 0 || pipe2(down, O_NONBLOCK | O_CLOEXEC) != 0);
    fds[0] = down[0];
    r->client.config.out_fd = up[1];
    fds[1] = up[0];
    r->server.config.out_fd = down[1];
}

void rig_start(struct rig *r, enum rig_cast cast)
{
    int fds[2];
    if (r->uses_pipes)
        two_pipes(r, fds);
    else if (r->uses_tcp)
        rig_tcp_pair(fds);
    else
        fatal_if(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0);
    if (cast == RIG_LYING_CLIENT)
        liar_start(&r->liar, &r->client.config.transport, fds[0]);
    else
        end_start(&r->client, fds[0]);
    if (cast == RIG_LYING_SERVER)
        liar_start(&r->liar, &r->server.config.transport, fds[1]);
    else
        end_start(&r->server, fds[1]);
}

void rig_login(struct rig *r, enum rig_cast cast)
{
    rig_start(r, cast);
    RIG_UNTIL(r, (cast == RIG_LYING_CLIENT || r->client.is_up) &&
                     (cast == RIG_LYING_SERVER || r->server.is_up) &&
                     (cast == RIG_TWO_PEERS || r->liar.is_up) &&
                     (cast != RIG_TWO_PEERS || r->settled));
    fatal_if(cast != RIG_LYING_SERVER && r->server.peer == NULL);
    fatal_if(cast != RIG_LYING_CLIENT && r->client.peer == NULL);
}

void rig_close(struct rig *r)
{
    end_free(&r->client);
    end_free(&r->server);
    liar_free(&r->liar);
    resolver_free(r->resolver);
    socket_linger_end(r->loop);
    loop_free(r->loop);
    private_key_free(r->host_key);
    private_key_free(r->user_key);
    for (size_t i = 0; i < r->n_specs; i++)
        forward_spec_free(&r->specs[i]);
    CU_ASSERT(r->client.n_ended <= 1 && r->server.n_ended <= 1);
    CU_ASSERT_FALSE(r->said_raw);
    CU_ASSERT_EQUAL(drive_n_fds(), r->n_fds_before);
}

void rig_turn(struct rig *r)
{
    r->n_turns++;
    loop_turn(r->loop, RIG_TURN_MS);
}

void rig_settle(struct rig *r)
{
    enum { QUIET_TURNS = 3 };
    uint64_t limit = drive_clock_ms() + RIG_PATIENCE_MS;
    for (int quiet = 0; quiet < QUIET_TURNS && drive_clock_ms() < limit;) {
        uint64_t before = drive_clock_ms();
        rig_turn(r);
        quiet = drive_clock_ms() - before >= RIG_TURN_MS - 1 ? quiet + 1 : 0;
    }
}

void rig_assert_asleep(struct rig *r)
{
    enum { WATCH_MS = 100, TURNS_MAX = 40 };
    unsigned before = r->n_turns;
    uint64_t limit = drive_clock_ms() + WATCH_MS;
    while (drive_clock_ms() < limit && r->n_turns - before < 10000)
        rig_turn(r);
    CU_ASSERT(r->n_turns - before <= TURNS_MAX);
}

uint16_t rig_port(const struct rig *r, size_t i)
{
    return r->forwards->list[i].port;
}
