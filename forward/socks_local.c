#include "forward/socks_local.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "forward/outbound.h"
#include "forward/socket.h"

/* An application gets this long to finish its request; idle crowds then make room. */
enum { REQUEST_MS = 30000 };
/* Half requests at one time; each holds a socket and its buffer. */
enum { ASKING_MAX = 1024 };
/* The longest request, and what an eager application may send behind it at once. */
enum { BUFFER_BYTES = PROXY_MAX_BYTES + 2048 };

static const struct bytes no_reply = {NULL, 0};

struct socks_local {
    struct socks_local_set *set;
    struct socks_local *next, **at;
    struct peer *peer;
    struct loop_source source;
    struct loop_timer timer;
    struct socks_local_owner owner;
    struct proxy parser;
    char from_host[64];
    uint16_t from_port;
    size_t n;
    uint8_t buf[BUFFER_BYTES];
};

/* What is needed after the request, until the far end answers. */
struct asked {
    struct socks_local_owner owner;
    enum proxy_kind kind;
    uint16_t port;
    char host[]; /* NUL-terminated */
};

static void leave_set(struct socks_local *s)
{
    loop_remove(peer_loop(s->peer), &s->source);
    loop_timer_stop(peer_loop(s->peer), &s->timer);
    *s->at = s->next;
    if (s->next != NULL)
        s->next->at = s->at;
    s->set->n--;
}

/* A few bytes to a socket that has hardly been written to: they fit in its buffer, or it is dead.
 */
static void answer(int fd, struct bytes reply)
{
    ssize_t done;
    do
        done = reply.n > 0 ? write(fd, reply.p, reply.n) : 0;
    while (done < 0 && errno == EINTR);
}

/* why is NULL where nobody is to be told. */
static void refuse(struct socks_local *s, const char *why, struct bytes reply)
{
    if (why != NULL)
        s->owner.failed(s->owner.user, "", 0, NULL, why);
    leave_set(s);
    answer(s->source.fd, reply);
    socket_linger(peer_loop(s->peer), s->source.fd);
    free(s);
}

static bool says(struct bytes text, const char *words)
{
    size_t n = strlen(words);
    for (size_t i = 0; i + n <= text.n; i++)
        if (memcmp(text.p + i, words, n) == 0)
            return true;
    return false;
}

/* "Connection refused" and its like are the only place where OpenSSH and others say more than
 * "connect failed"; the words are strerror()'s and gai_strerror()'s. */
enum socks_outcome socks_outcome_of(uint32_t reason, struct bytes text)
{
    static const struct {
        const char *words;
        enum socks_outcome outcome;
    } table[] = {
        {"refused", SOCKS_REFUSED},
        {"timed out", SOCKS_TIMED_OUT},
        {"Network is unreachable", SOCKS_NET_UNREACHABLE},
        {"No route to host", SOCKS_HOST_UNREACHABLE},
        {"Host is unreachable", SOCKS_HOST_UNREACHABLE},
        {"Name or service not known", SOCKS_HOST_UNREACHABLE},
        {"not resolve", SOCKS_HOST_UNREACHABLE},
        {"name resolution", SOCKS_HOST_UNREACHABLE},
        {"No address associated", SOCKS_HOST_UNREACHABLE},
    };
    if (reason == OPEN_ADMINISTRATIVELY_PROHIBITED)
        return SOCKS_NOT_ALLOWED;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (says(text, table[i].words))
            return table[i].outcome;
    return reason == OPEN_CONNECT_FAILED ? SOCKS_HOST_UNREACHABLE : SOCKS_FAILURE;
}

static void outcome(void *user, int fd, const struct mux_event *e)
{
    struct asked *q = user;
    uint8_t reply[PROXY_REPLY_MAX];
    if (e != NULL) {
        enum socks_outcome code =
            e->type == MUX_OPENED ? SOCKS_OK : socks_outcome_of(e->reason, e->text);
        answer(fd, (struct bytes){reply, proxy_reply(q->kind, code, reply)});
        if (e->type == MUX_OPEN_FAILED)
            q->owner.failed(q->owner.user, q->host, q->port, e, NULL);
    }
    free(q);
}

static void connect_to(struct socks_local *s)
{
    size_t host_n = strlen(s->parser.host);
    struct asked *q = malloc(sizeof *q + host_n + 1);
    if (q == NULL) {
        uint8_t reply[PROXY_REPLY_MAX];
        size_t n = proxy_reply(s->parser.kind, SOCKS_FAILURE, reply);
        refuse(s, "no memory", (struct bytes){reply, n});
        return;
    }
    *q = (struct asked){.owner = s->owner, .kind = s->parser.kind, .port = s->parser.port};
    memcpy(q->host, s->parser.host, host_n + 1);
    struct outbound_request request = {.type = BYTES_LIT("direct-tcpip"),
        .where = {.host = bytes_of(s->parser.host),
            .port = s->parser.port,
            .from_host = bytes_of(s->from_host),
            .from_port = s->from_port},
        .first = {s->buf, s->n},
        .outcome = outcome,
        .user = q};
    leave_set(s);
    if (outbound_open(s->peer, s->source.fd, &request) != ERR_OK) {
        q->owner.failed(q->owner.user, q->host, q->port, NULL, "no channel left");
        free(q);
    }
    free(s);
}

static void drop_used(struct socks_local *s)
{
    s->n -= s->parser.used;
    memmove(s->buf, s->buf + s->parser.used, s->n);
}

/* Parses what has come; false when s is gone. */
static bool parse(struct socks_local *s)
{
    for (;;) {
        switch (proxy_parse(&s->parser, (struct bytes){s->buf, s->n})) {
        case PROXY_MORE: return true;
        case PROXY_REPLY:
            answer(s->source.fd, s->parser.reply);
            drop_used(s);
            break;
        case PROXY_CONNECT:
            drop_used(s);
            connect_to(s);
            return false;
        case PROXY_REFUSE: refuse(s, s->parser.why, s->parser.reply); return false;
        }
    }
}

static void asking_ready(struct loop_source *source, unsigned events)
{
    struct socks_local *s = source->user;
    if ((events & (LOOP_READABLE | LOOP_HANGUP | LOOP_ERROR)) == 0)
        return;
    while (s->n < sizeof s->buf) {
        ssize_t n = read(source->fd, s->buf + s->n, sizeof s->buf - s->n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            refuse(s, NULL, no_reply); /* it left before it had asked: nobody's fault */
            return;
        }
        s->n += (size_t)n;
        if (!parse(s))
            return;
    }
    refuse(s, "request too long", no_reply);
}

static void asking_over(struct loop_timer *timer)
{
    struct socks_local *s = timer->user;
    refuse(s, "no complete request within 30 s", no_reply);
}

void socks_local_start(struct socks_local_set *set, struct peer *p, int fd, const char *from_host,
    uint16_t from_port, const struct socks_local_owner *owner)
{
    struct socks_local *s = set->n < ASKING_MAX ? calloc(1, sizeof *s) : NULL;
    if (s == NULL) {
        owner->failed(owner->user, "", 0, NULL, "too many unfinished requests");
        close(fd);
        return;
    }
    s->set = set;
    s->peer = p;
    s->owner = *owner;
    s->source = (struct loop_source){.fd = fd, .ready = asking_ready, .user = s, .slot = -1};
    s->timer = (struct loop_timer){.fire = asking_over, .user = s};
    strncpy(s->from_host, from_host, sizeof s->from_host - 1);
    s->from_port = from_port;
    if (loop_add(peer_loop(p), &s->source) != ERR_OK) {
        close(fd);
        free(s);
        return;
    }
    s->next = set->head;
    if (s->next != NULL)
        s->next->at = &s->next;
    s->at = &set->head;
    set->head = s;
    set->n++;
    loop_timer_set(peer_loop(p), &s->timer, loop_now(peer_loop(p)) + REQUEST_MS);
}

void socks_local_end(struct socks_local_set *set)
{
    struct socks_local *next;
    for (struct socks_local *s = set->head; s != NULL; s = next) {
        next = s->next;
        leave_set(s);
        close(s->source.fd);
        free(s);
    }
}
