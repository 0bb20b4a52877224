/* See mux_run.h. What must hold:
 *
 * - packets: every one decodes; none after a fault; no more data than the peer gave window for; at
 *   most one answer for each question and one EOF, one CLOSE for each channel; bounded replies
 * - events: no more data than we gave window for; none that mentions a user after mux_close()
 * - the fault is never ERR_INTERNAL: no peer can make us make a mistake */
#include "fuzz/mux_run.h"

#include "fuzz/fuzz.h"
#include "fuzz/turns.h"

#include <string.h>

enum { MAX_CHANNELS = 16, MAX_USERS = 256, SLOT_BYTES = 1 << 16 };

struct user {
    bool is_over; /* may not be mentioned any more */
};

static struct run {
    struct mux *m;
    uint8_t slot[4 * SLOT_BYTES];
    size_t slot_bytes;
    size_t n_committed; /* of the slots given out last */
    bool is_congested;
    uint64_t now_ms;
    uint64_t window_in, window_out; /* bytes ever allowed, by us and by the peer */
    uint64_t data_in, data_out;
    unsigned n_opens_in, n_asked_in, n_chan_asked_in; /* of the peer's, that want an answer */
    unsigned n_opens_out, n_answers, n_replies, n_chan_replies;
    unsigned n_confirmed, n_eofs, n_closes;
    uint32_t last_ticket;
    struct user users[MAX_USERS];
    unsigned n_users;
} run;

void *mux_run_user(void)
{
    return run.n_users < MAX_USERS ? &run.users[run.n_users++] : NULL;
}

/* ---- packets out ----------------------------------------------------------------------------- */

static uint8_t *control_slot(void *engine, size_t n)
{
    (void)engine;
    fuzz_require(n > 0 && n <= sizeof run.slot);
    run.slot_bytes = n;
    run.n_committed = 0;
    return run.slot;
}

static uint8_t *data_slot(void *engine, size_t n, unsigned nth)
{
    (void)engine;
    fuzz_require(n > 9 && n <= 9 + MUX_PACKET_BYTES);
    if (run.is_congested || nth > 3)
        return NULL;
    run.slot_bytes = n;
    run.n_committed = 0;
    return run.slot + nth * SLOT_BYTES;
}

static bool congested(void *engine)
{
    (void)engine;
    return run.is_congested;
}

static void count_packet(uint8_t number, struct wire_reader *r)
{
    struct msg_channel_open open;
    struct msg_open_confirmation confirmation;
    struct msg_window_adjust adjust;
    switch (number) {
    case MSG_CHANNEL_OPEN:
        fuzz_require(msg_channel_open_decode(r, &open) == ERR_OK);
        run.n_opens_out++;
        run.window_in += open.window;
        break;
    case MSG_CHANNEL_OPEN_CONFIRMATION:
        fuzz_require(msg_open_confirmation_decode(r, &confirmation) == ERR_OK);
        run.n_answers++;
        run.n_confirmed++;
        run.window_in += confirmation.window;
        break;
    case MSG_CHANNEL_OPEN_FAILURE: run.n_answers++; break;
    case MSG_CHANNEL_WINDOW_ADJUST:
        fuzz_require(msg_window_adjust_decode(r, &adjust) == ERR_OK && adjust.add > 0);
        run.window_in += adjust.add;
        break;
    case MSG_CHANNEL_EOF: run.n_eofs++; break;
    case MSG_CHANNEL_CLOSE: run.n_closes++; break;
    case MSG_REQUEST_SUCCESS:
    case MSG_REQUEST_FAILURE: run.n_replies++; break;
    case MSG_CHANNEL_SUCCESS:
    case MSG_CHANNEL_FAILURE: run.n_chan_replies++; break;
    default: fuzz_require(number == MSG_GLOBAL_REQUEST || number == MSG_CHANNEL_REQUEST); break;
    }
}

static void commit(void *engine, size_t n)
{
    (void)engine;
    fuzz_require(n > 0 && n <= run.slot_bytes && mux_fault(run.m)->code == ERR_OK);
    struct wire_reader r = wire_reader((struct bytes){run.slot + run.n_committed * SLOT_BYTES, n});
    uint8_t number = wire_u8(&r);
    if (number == MSG_CHANNEL_DATA) {
        struct msg_channel_data data;
        fuzz_require(msg_channel_data_decode(&r, &data) == ERR_OK && data.data.n > 0);
        run.data_out += data.data.n;
        run.n_committed++;
        return;
    }
    count_packet(number, &r);
}

static void check_sums(void)
{
    fuzz_require(run.data_out <= run.window_out && run.data_in <= run.window_in);
    fuzz_require(run.n_answers <= run.n_opens_in);
    fuzz_require(run.n_replies <= run.n_asked_in && run.n_chan_replies <= run.n_chan_asked_in);
    fuzz_require(run.n_eofs <= run.n_opens_out + run.n_confirmed);
    fuzz_require(run.n_closes <= run.n_opens_out + run.n_confirmed);
    fuzz_require(mux_n_channels(run.m) <= MAX_CHANNELS);
    fuzz_require(mux_fault(run.m)->code != ERR_INTERNAL);
}

/* ---- our calls ------------------------------------------------------------------------------- */

static void close_channel(uint32_t id)
{
    struct user *u = mux_user(run.m, id);
    mux_close(run.m, id);
    if (u != NULL)
        u->is_over = true;
}

static void send_turns(void)
{
    struct mux_span spans[4];
    uint32_t id;
    for (unsigned i = 0; i < 8 && mux_turn(run.m, &id); i++) {
        size_t n = 0, n_spans = mux_data_slots(run.m, id, spans, 4);
        for (size_t k = 0; k < n_spans; k++) {
            memset(spans[k].base, 'd', spans[k].n);
            n += spans[k].n;
        }
        mux_data_commit(run.m, id, i % 2 ? n : (n + 1) / 2);
        if (i % 4 == 3)
            mux_rest(run.m, id);
    }
}

static void confirm(uint32_t id)
{
    struct user *u = mux_run_user();
    if (mux_confirm(run.m, id, u) != ERR_OK && u != NULL)
        u->is_over = true;
}

static void open_channel(void)
{
    uint32_t id;
    struct user *u = mux_run_user();
    enum err e = mux_open(run.m, BYTES_LIT("direct-tcpip"), BYTES_LIT(""), u, &id);
    fuzz_require(e == ERR_OK || e == ERR_LIMIT || e == mux_fault(run.m)->code);
    if (e != ERR_OK && u != NULL)
        u->is_over = true;
}

static void request(uint32_t id)
{
    enum err e = mux_request(run.m, id, BYTES_LIT("shell"), true, BYTES_LIT(""), id);
    fuzz_require(e != ERR_NOMEM);
    e = mux_global_request(run.m, BYTES_LIT("tcpip-forward"), id % 2, BYTES_LIT(""), id);
    fuzz_require(e != ERR_INTERNAL);
}

static void call(uint8_t pick)
{
    struct mux *m = run.m;
    uint32_t id = pick >> 4;
    switch (pick & 15) {
    case 0: break;
    case 1: open_channel(); break;
    case 2: confirm(id); break;
    case 3: mux_refuse(m, id, OPEN_CONNECT_FAILED, "Connection refused"); break;
    case 4: mux_eof(m, id); break;
    case 5: close_channel(id); break;
    case 6: mux_detach(m, id); break;
    case 7: mux_consumed(m, id, SIZE_MAX); break;
    case 8: mux_consumed(m, id, 1000); break;
    case 9: mux_want(m, id); break;
    case 10: mux_rest(m, id); break;
    case 11: send_turns(); break;
    case 12: request(id); break;
    case 13: mux_reply(m, id, id % 2); break;
    case 14: mux_global_reply(m, run.last_ticket - id, id % 2, BYTES_LIT("body")); break;
    case 15:
        run.is_congested = id % 2;
        mux_set_burst(m, (size_t)4096 << id % 8);
        mux_probe_begin(m, run.now_ms);
        run.now_ms += id % 64;
        mux_probe_end(m, run.now_ms);
        break;
    }
}

/* ---- packets in, events out ------------------------------------------------------------------ */

/* What the peer allows and asks, as far as its payload is one that could be taken. */
static void count_payload(struct bytes payload)
{
    struct wire_reader r = wire_reader(payload);
    struct msg_open_confirmation confirmation;
    struct msg_channel_open open;
    struct msg_window_adjust adjust;
    switch (wire_u8(&r)) {
    case MSG_CHANNEL_OPEN:
        if (msg_channel_open_decode(&r, &open) == ERR_OK)
            run.window_out += open.window;
        run.n_opens_in++;
        break;
    case MSG_CHANNEL_OPEN_CONFIRMATION:
        if (msg_open_confirmation_decode(&r, &confirmation) == ERR_OK)
            run.window_out += confirmation.window;
        break;
    case MSG_CHANNEL_WINDOW_ADJUST:
        if (msg_window_adjust_decode(&r, &adjust) == ERR_OK)
            run.window_out += adjust.add;
        break;
    }
}

static void take_event(const struct mux_event *event, mux_run_policy *policy)
{
    const struct user *u = event->user;
    fuzz_require(u == NULL || !u->is_over);
    run.n_chan_asked_in += event->type == MUX_REQUEST && event->want_reply;
    if (event->type == MUX_GLOBAL_REQUEST && event->want_reply) {
        run.n_asked_in++;
        run.last_ticket = event->ticket;
    }
    if (event->type == MUX_DATA || event->type == MUX_EXTENDED) {
        fuzz_require(event->data.n > 0);
        run.data_in += event->data.n;
    }
    if (event->type == MUX_OPEN_FAILED && u != NULL)
        run.users[u - run.users].is_over = true;
    policy(run.m, event);
}

static void turn(uint8_t pick, struct bytes payload, mux_run_policy *policy)
{
    struct mux_event event;
    call(pick);
    check_sums();
    if (payload.n == 0)
        return;
    count_payload(payload);
    enum err e = mux_packet(run.m, payload);
    fuzz_require(e == mux_fault(run.m)->code);
    unsigned n_events = 0;
    while (mux_next(run.m, &event)) {
        fuzz_require(e == ERR_OK && ++n_events == 1);
        take_event(&event, policy);
    }
    check_sums();
}

int mux_run(enum role role, mux_run_policy *policy, struct bytes input)
{
    memset((uint8_t *)&run + offsetof(struct run, slot_bytes), 0,
        sizeof run - offsetof(struct run, slot_bytes));
    struct mux_config config = {
        .role = role,
        .max_channels = MAX_CHANNELS,
        .receive_budget = 4 << 20,
        .sink = {&run, data_slot, control_slot, commit, congested},
    };
    run.m = mux_new(&config);
    if (run.m == NULL)
        return 0;
    struct wire_reader r = wire_reader(input);
    uint8_t pick;
    struct bytes payload;
    while (turns_next(&r, &pick, &payload))
        turn(pick, payload, policy);
    mux_free(run.m);
    return 0;
}
