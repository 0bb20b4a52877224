/* State: `first` is the request under way, those behind it wait for their turn. Of the first, out
 * is written up to out_at, and then its answer is gathered in head and in. `why` is empty until the
 * connection has failed for good; from then on requests are only told so, by the task. */
#include "cli/agent_link.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/log.h"
#include "crypto/ct.h"
#include "proto/agent.h"

enum {
    BUSY_RETRY_MS = 50, /* an agent whose queue of connections is full */
    NOTICE_MS = 5000,   /* a person should know what is being waited for */
};

struct request {
    struct request *next;
    struct agent_request r;
    uint8_t *out; /* secret memory: length and message; NULL once it was written */
    size_t out_n, out_at;
};

struct agent_link {
    struct loop *loop;
    struct loop_source source; /* fd -1: not connected */
    struct loop_timer limit, retry;
    struct loop_task task;
    struct request *first;
    uint64_t deadline_ms; /* of the first */
    bool is_noticed;
    uint8_t head[4];
    uint8_t *in; /* NULL until head is whole */
    size_t in_at, in_n;
    char why[300];
    char path[]; /* as it is connected to */
};

static void request_free(struct request *q)
{
    if (q == NULL)
        return;
    secret_free(q->out, q->out_n);
    free(q);
}

/* ---- the end of a request ---------------------------------------------------------------------
 */

/* Tells the first one; a may be gone afterwards. */
static void finish(struct agent_link *a, const struct agent_reply *reply)
{
    struct request *q = a->first;
    struct agent_reply told = *reply;
    uint8_t *in = a->in;
    a->first = q->next;
    a->in = NULL;
    a->in_at = 0;
    loop_timer_stop(a->loop, &a->limit);
    loop_timer_stop(a->loop, &a->retry);
    if (a->first != NULL)
        loop_defer(a->loop, &a->task);
    q->r.done(q->r.user, &told);
    request_free(q);
    free(in);
}

static void disconnect(struct agent_link *a)
{
    if (a->source.fd < 0)
        return;
    loop_remove(a->loop, &a->source);
    close(a->source.fd);
    a->source.fd = -1;
}

void agent_link_fail(struct agent_link *a, const char *format, ...)
{
    va_list args;
    if (a->why[0] != '\0')
        return;
    va_start(args, format);
    vsnprintf(a->why, sizeof a->why, format, args);
    va_end(args);
    disconnect(a);
    loop_timer_stop(a->loop, &a->limit);
    loop_timer_stop(a->loop, &a->retry);
    if (a->first != NULL)
        loop_defer(a->loop, &a->task);
}

const char *agent_link_fault(const struct agent_link *a)
{
    return a->why[0] != '\0' ? a->why : NULL;
}

/* ---- bytes ------------------------------------------------------------------------------------
 */

static void push(struct agent_link *a)
{
    struct request *q = a->first;
    while (q != NULL && q->out != NULL && a->why[0] == '\0') {
        ssize_t n = send(a->source.fd, q->out + q->out_at, q->out_n - q->out_at, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0) {
            agent_link_fail(a, "cannot be written to: %s", strerror(errno));
            return;
        }
        q->out_at += (size_t)n;
        if (q->out_at == q->out_n) {
            secret_free(q->out, q->out_n);
            q->out = NULL;
        }
    }
}

/* Reads up to where the next piece of the answer ends. False when there is nothing to do now. */
static bool fill(struct agent_link *a, uint8_t *to, size_t want)
{
    ssize_t n = recv(a->source.fd, to + a->in_at, want - a->in_at, 0);
    if (n < 0 && errno == EINTR)
        return true;
    if (n > 0) {
        a->in_at += (size_t)n;
        if (a->first != NULL && a->first->out == NULL)
            return true;
        agent_link_fail(a, "sent an answer to no question");
    } else if (n == 0) {
        agent_link_fail(a, "closed the connection%s",
            a->in_at > 0       ? " in the middle of an answer"
            : a->first == NULL ? ""
                               : " without an answer");
    } else if (errno != EAGAIN) {
        agent_link_fail(a, "cannot be read from: %s", strerror(errno));
    }
    return false;
}

static void open_answer(struct agent_link *a)
{
    uint32_t n = load_be32(a->head);
    if (n == 0 || n > AGENT_REPLY_MAX) {
        agent_link_fail(
            a, "announced an answer of %u bytes, expected 1 to %d", (unsigned)n, AGENT_REPLY_MAX);
        return;
    }
    a->in = malloc(n);
    if (a->in == NULL)
        agent_link_fail(a, "could not be heard: out of memory");
    a->in_at = 0;
    a->in_n = n;
}

/* A whole answer is there; a may be gone afterwards. */
static void judge(struct agent_link *a)
{
    uint8_t number = a->in[0];
    if (number == a->first->r.answer)
        finish(a, &(struct agent_reply){
                      .status = AGENT_ANSWERED, .body = {a->in + 1, a->in_n - 1}, .why = ""});
    else if (number == AGENT_FAILURE || number == AGENT_EXTENSION_FAILURE)
        finish(a, &(struct agent_reply){.status = AGENT_REFUSED, .why = "refused"});
    else
        agent_link_fail(a, "answered with message %u (%s), expected %s", number,
            agent_msg_name(number), agent_msg_name(a->first->r.answer));
}

/* One answer at most: what lies behind it was not asked for, and is found out with the next. */
static void pull(struct agent_link *a)
{
    while (a->why[0] == '\0') {
        bool has_head = a->in != NULL;
        size_t want = has_head ? a->in_n : sizeof a->head;
        if (!fill(a, has_head ? a->in : a->head, want))
            return;
        if (a->in_at < want)
            continue;
        if (has_head) {
            judge(a);
            return;
        }
        open_answer(a);
    }
}

static void ready(struct loop_source *source, unsigned events)
{
    struct agent_link *a = source->user;
    if ((events & LOOP_WRITABLE) != 0)
        push(a);
    if ((events & (LOOP_READABLE | LOOP_HANGUP | LOOP_ERROR)) != 0 && a->why[0] == '\0')
        pull(a);
}

/* ---- connecting -------------------------------------------------------------------------------
 */

static bool address_of(const struct agent_link *a, struct sockaddr_un *address)
{
    size_t n = strlen(a->path);
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (n >= sizeof address->sun_path)
        return false;
    memcpy(address->sun_path, a->path, n);
    return true;
}

/* A Unix socket is connected at once or not at all; EAGAIN: the agent is behind with accepting. */
static void dial(struct agent_link *a)
{
    struct sockaddr_un address;
    if (!address_of(a, &address)) {
        agent_link_fail(
            a, "cannot be reached: the path is longer than %zu bytes", sizeof address.sun_path - 1);
        return;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0) {
        a->source.fd = fd;
        if (loop_add(a->loop, &a->source) == ERR_OK)
            return;
        a->source.fd = -1;
    }
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (error == EAGAIN)
        loop_timer_set(a->loop, &a->retry, loop_now(a->loop) + BUSY_RETRY_MS);
    else
        agent_link_fail(a, "cannot be reached: %s", strerror(error));
}

static void retry_fired(struct loop_timer *timer)
{
    dial(timer->user);
}

/* ---- time -------------------------------------------------------------------------------------
 */

static void set_limit(struct agent_link *a)
{
    uint64_t notice = loop_now(a->loop) + NOTICE_MS;
    bool is_short = a->is_noticed || a->deadline_ms <= notice;
    loop_timer_set(a->loop, &a->limit, is_short ? a->deadline_ms : notice);
}

static void limit_fired(struct loop_timer *timer)
{
    struct agent_link *a = timer->user;
    if (loop_now(a->loop) >= a->deadline_ms) {
        agent_link_fail(a, "gave no answer within %llu s",
            (unsigned long long)(a->first->r.limit_ms + 999) / 1000);
        return;
    }
    a->is_noticed = true;
    log_info("waiting for the agent at %s (a key to be touched, or a question to be answered?)",
        log_escape_cstr(a->path).s);
    set_limit(a);
}

/* ---- requests ---------------------------------------------------------------------------------
 */

/* The first one's turn. */
static void begin(struct agent_link *a)
{
    if (a->first == NULL)
        return; /* its answer came first */
    if (a->why[0] != '\0') {
        finish(a, &(struct agent_reply){.status = AGENT_FAILED, .why = a->why});
        return;
    }
    a->is_noticed = false;
    a->deadline_ms = loop_now(a->loop) + a->first->r.limit_ms;
    set_limit(a);
    if (a->source.fd < 0)
        dial(a); /* its source is told WRITABLE at once */
    else
        push(a);
}

static void task_run(struct loop_task *task)
{
    begin(task->user);
}

bool agent_link_ask(struct agent_link *a, const struct agent_request *request)
{
    struct bytes m = request->message;
    struct request *q = m.n <= AGENT_REQUEST_MAX ? calloc(1, sizeof *q) : NULL;
    if (q == NULL)
        return false;
    q->r = *request;
    q->r.message = (struct bytes){NULL, 0};
    q->out_n = 4 + m.n;
    q->out = secret_alloc(q->out_n);
    if (q->out == NULL) {
        request_free(q);
        return false;
    }
    store_be32(q->out, (uint32_t)m.n);
    if (m.n > 0)
        memcpy(q->out + 4, m.p, m.n);

    struct request **at = &a->first;
    while (*at != NULL)
        at = &(*at)->next;
    *at = q;
    if (a->first == q && a->why[0] == '\0')
        begin(
            a); /* at once: the caller may be gone before this turn ends, and a key is to be kept */
    else if (a->first == q)
        loop_defer(a->loop, &a->task);
    return true;
}

struct agent_link *agent_link_new(struct loop *l, const char *path)
{
    size_t n = strlen(path) + 1;
    struct agent_link *a = calloc(1, sizeof *a + n);
    if (a == NULL)
        return NULL;
    a->loop = l;
    a->source = (struct loop_source){.fd = -1, .ready = ready, .user = a, .slot = -1};
    a->limit = (struct loop_timer){.fire = limit_fired, .user = a};
    a->retry = (struct loop_timer){.fire = retry_fired, .user = a};
    a->task = (struct loop_task){.run = task_run, .user = a};
    memcpy(a->path, path, n);
    return a;
}

void agent_link_free(struct agent_link *a)
{
    if (a == NULL)
        return;
    disconnect(a);
    loop_timer_stop(a->loop, &a->limit);
    loop_timer_stop(a->loop, &a->retry);
    loop_undefer(a->loop, &a->task);
    for (struct request *q = a->first, *next; q != NULL; q = next) {
        next = q->next;
        request_free(q);
    }
    free(a->in);
    free(a);
}
