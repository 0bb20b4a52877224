#include "cli/session_internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/log.h"
#include "cli/tty.h"

/* Packets that one readv() fills. */
enum { SLOTS_A_READ = 8 };

/* Keys read at once: a paste comes in several. */
enum { KEYS_A_READ = 1024 };

void session_input_stop(struct session *s)
{
    struct session_input *in = &s->in;
    if (in->at_end && !in->eof_due)
        return;
    in->at_end = true;
    in->eof_due = false;
    loop_remove(s->loop, &in->source);
    if (s->attached) {
        mux_eof(session_mux(s), s->id);
        peer_kick(s->config.peer);
    }
    if (s->is_stdio)
        loop_defer(s->loop, &s->settle); /* it may have been the last direction */
}

/* stdin ended, or failed, which is an end with a word about why. A terminal that goes away takes
 * the session with it, and one in the background cannot be read: both are EIO. */
static void stdin_ended(struct session *s, int error)
{
    struct session_input *in = &s->in;
    if (error != 0 && error != EIO)
        log_error("cannot read stdin: %s", strerror(error));
    if (tty_is_raw()) {
        session_input_stop(s);
        session_hang_up(s);
        return;
    }
    if (in->is_typed && escape_finish(&in->escape))
        in->typed[in->typed_n++] = (uint8_t)in->escape.character;
    if (in->typed_n == 0) {
        session_input_stop(s);
        return;
    }
    in->at_end = in->eof_due = true;
    loop_remove(s->loop, &in->source);
}

/* ---- without a terminal -----------------------------------------------------------------------
 */

static size_t total(const struct mux_span *spans, size_t n)
{
    size_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += spans[i].n;
    return sum;
}

/* Waits for stdin to have more. */
static void rest(struct session *s)
{
    mux_rest(session_mux(s), s->id);
    loop_resume(s->loop, &s->in.source);
}

static void read_into_packets(struct session *s, const struct mux_span *spans, size_t n_spans)
{
    _Static_assert(sizeof(struct mux_span) == sizeof(struct iovec), "readv() takes our spans");
    ssize_t n = descriptor_read(&s->in.d, (const struct iovec *)(const void *)spans, (int)n_spans);
    if (n > 0) {
        bool is_short = (size_t)n < total(spans, n_spans);
        mux_data_commit(session_mux(s), s->id, (size_t)n);
        if (is_short)
            rest(s);
    } else if (n < 0 && errno == EAGAIN) {
        rest(s);
    } else {
        int error = n < 0 ? errno : 0;
        mux_rest(session_mux(s), s->id);
        stdin_ended(s, error);
    }
}

/* ---- with one ---------------------------------------------------------------------------------
 */

static void filter_keys(struct session *s, const uint8_t *keys, size_t n)
{
    struct session_input *in = &s->in;
    size_t used = 0;
    while (used < n && !in->at_end) {
        enum escape_action action;
        uint8_t byte = 0;
        size_t out_n;
        used += escape_feed(&in->escape, keys + used, n - used, in->typed + in->typed_n,
            sizeof in->typed - in->typed_n, &out_n, &action, &byte);
        in->typed_n += out_n;
        if (action != ESCAPE_NONE)
            session_escape(s, action, byte);
    }
}

/* One byte more may come out than goes in, an escape character that was held back; and one more at
 * the end. */
static void read_keys(struct session *s)
{
    struct session_input *in = &s->in;
    uint8_t keys[KEYS_A_READ];
    size_t room = sizeof in->typed - in->typed_n;
    if (room < 3) {
        loop_pause(s->loop, &in->source); /* until a turn has taken some */
        return;
    }
    struct iovec iov = {
        .iov_base = keys, .iov_len = room - 2 < sizeof keys ? room - 2 : sizeof keys};
    ssize_t n = descriptor_read(&in->d, &iov, 1);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        stdin_ended(s, n < 0 ? errno : 0);
        n = 0;
    }
    filter_keys(s, keys, (size_t)n);
    if (in->typed_n > 0 && s->attached) {
        mux_want(session_mux(s), s->id);
        peer_kick(s->config.peer);
    }
}

static void send_typed(struct session *s, const struct mux_span *span)
{
    struct session_input *in = &s->in;
    size_t n = in->typed_n < span->n ? in->typed_n : span->n;
    memcpy(span->base, in->typed, n);
    mux_data_commit(session_mux(s), s->id, n);
    in->typed_n -= n;
    memmove(in->typed, in->typed + n, in->typed_n);
    loop_resume(s->loop, &in->source);
    if (in->typed_n > 0)
        return;
    mux_rest(session_mux(s), s->id);
    if (in->eof_due)
        session_input_stop(s);
}

/* ---- both -------------------------------------------------------------------------------------
 */

void session_input_turn(struct session *s)
{
    struct session_input *in = &s->in;
    struct mux *m = session_mux(s);
    struct mux_span spans[SLOTS_A_READ];
    bool has_some = in->is_typed ? in->typed_n > 0 : !in->at_end;
    size_t n = has_some ? mux_data_slots(m, s->id, spans, SLOTS_A_READ) : 0;
    if (n == 0 && has_some && mux_congested(m))
        return; /* a key exchange has just begun: the turn comes again */
    if (n == 0)
        rest(s);
    else if (in->is_typed)
        send_typed(s, &spans[0]);
    else
        read_into_packets(s, spans, n);
}

static void ready(struct loop_source *source, unsigned events)
{
    struct session *s = source->user;
    if ((events & (LOOP_READABLE | LOOP_HANGUP)) == 0)
        return;
    if (s->in.is_typed) {
        read_keys(s);
    } else {
        loop_pause(s->loop, source); /* until the turn finds nothing more to read */
        mux_want(session_mux(s), s->id);
        peer_kick(s->config.peer);
    }
}

bool session_input_open(struct session *s)
{
    struct session_input *in = &s->in;
    in->d.fd = -1;
    in->source = (struct loop_source){.ready = ready, .user = s, .slot = -1};
    in->escape = escape_new(s->config.options->escape_char);
    in->is_typed = s->wants_tty;
    return s->config.options->stdin_null || descriptor_open(&in->d, STDIN_FILENO);
}

void session_input_start(struct session *s)
{
    struct session_input *in = &s->in;
    in->source.fd = in->d.fd;
    if (in->at_end)
        return;
    if (in->d.fd < 0 || loop_add_level(s->loop, &in->source) != ERR_OK)
        session_input_stop(s);
}

void session_input_close(struct session *s)
{
    loop_remove(s->loop, &s->in.source);
    descriptor_close(&s->in.d);
}
