/* UpdateHostKeys with both sides in memory: the client's half with its files, the server's half
 * with its keys, and two multiplexers whose packets the test carries, and may change. */
#include "cli/update_host_keys.h"

#include <string.h>

#include "cli/base64.h"
#include "cli/hosts.h"
#include "cli/prompt.h"
#include "cli/server_host_keys.h"
#include "crypto/key.h"
#include "tests/unit/cli/fixture.h"

enum { N_KEYS = 3, PACKET_MAX = 4096, PACKETS_MAX = 8 };

/* One direction: packets as they were committed. */
struct line {
    uint8_t packets[PACKETS_MAX][PACKET_MAX];
    size_t lengths[PACKETS_MAX];
    size_t n;
};

static uint8_t *slot(void *engine, size_t n)
{
    struct line *l = engine;
    return l->n < PACKETS_MAX && n <= PACKET_MAX ? l->packets[l->n] : NULL;
}
static uint8_t *data_slot(void *engine, size_t n, unsigned nth)
{
    return nth == 0 ? slot(engine, n) : NULL;
}
static void commit(void *engine, size_t n)
{
    struct line *l = engine;
    l->lengths[l->n++] = n;
}
static bool congested(void *engine)
{
    (void)engine;
    return false;
}

static struct mux *mux_on(struct line *l, enum role role)
{
    struct mux_config c = {.sink = {l, data_slot, slot, commit, congested}, .role = role};
    return mux_new(&c);
}

/* Client and server, after a login with the first key. */
struct world {
    struct fixture f;
    struct rng rng;
    struct line to_server, to_client;
    struct mux *client, *server;
    struct private_key *keys[N_KEYS];
    struct server_host_keys theirs;
    struct update_host_keys *ours;
    bool flips_signature; /* on its way */
};

static const char *line_of(const struct world *w, const char *host, int key)
{
    static char line[200];
    char b64[128];
    base64_encode(private_key_blob(w->keys[key]), b64);
    snprintf(line, sizeof line, "%s ssh-ed25519 %s\n", host, b64);
    return line;
}

static void begin(struct world *w, const char *more_options)
{
    char command[256];
    *w = (struct world){.rng = rng_fixed(7)};
    fixture_begin(&w->f);
    for (int i = 0; i < N_KEYS; i++)
        w->keys[i] = private_key_generate(&w->rng);
    snprintf(command, sizeof command, "-o UpdateHostKeys=yes %s h", more_options);
    CU_ASSERT_EQUAL(fixture_parse(&w->f, command), OPTIONS_RUN);
    CU_ASSERT_TRUE(options_finish(&w->f.o));
    w->client = mux_on(&w->to_server, ROLE_CLIENT);
    w->server = mux_on(&w->to_client, ROLE_SERVER);
    w->theirs = (struct server_host_keys){(const struct private_key *const *)w->keys, N_KEYS,
        BYTES_LIT("session"), BYTES_LIT("ssh-ed25519")};
    struct update_host_keys_config c = {.options = &w->f.o,
        .address = "",
        .session_id = BYTES_LIT("session"),
        .mux = w->client,
        .rng = &w->rng};
    w->ours = update_host_keys_new(&c);
    fixture_write(&w->f, "home/.ssh/known_hosts", line_of(w, "h", 0));
}

static void end(struct world *w)
{
    update_host_keys_free(w->ours);
    mux_free(w->client);
    mux_free(w->server);
    for (int i = 0; i < N_KEYS; i++)
        private_key_free(w->keys[i]);
    fixture_end(&w->f);
}

static void client_event(struct world *w, const struct mux_event *e)
{
    if (e->type == MUX_GLOBAL_REQUEST) {
        CU_ASSERT_TRUE(bytes_is(e->name, "hostkeys-00@openssh.com") && !e->want_reply);
        update_host_keys_told(w->ours, e->rest);
    }
    if (e->type == MUX_GLOBAL_REPLY && e->token == UPDATE_HOST_KEYS_TOKEN)
        update_host_keys_proved(w->ours, e->ok, e->rest);
}

static void carry(struct world *w, struct line *l, struct mux *to)
{
    struct mux_event e;
    for (size_t i = 0; i < l->n; i++) {
        uint8_t *p = l->packets[i];
        if (p[0] == MSG_REQUEST_SUCCESS && w->flips_signature)
            p[l->lengths[i] - 1] ^= 1;
        CU_ASSERT_EQUAL(mux_packet(to, (struct bytes){p, l->lengths[i]}), ERR_OK);
        while (mux_next(to, &e)) {
            if (to == w->client)
                client_event(w, &e);
            else
                CU_ASSERT_TRUE(server_host_keys_request(&w->theirs, w->server, &e));
        }
    }
    l->n = 0;
}

static void exchange(struct world *w)
{
    server_host_keys_tell(&w->theirs, w->server);
    for (int i = 0; i < 3; i++) {
        carry(w, &w->to_client, w->client);
        carry(w, &w->to_server, w->server);
    }
}

static size_t n_lines(struct world *w)
{
    size_t n = 0;
    for (const char *p = fixture_read(&w->f, "home/.ssh/known_hosts"); *p != '\0'; p++)
        n += *p == '\n' ? 1 : 0;
    return n;
}

static void new_keys_are_proved_and_learned(void)
{
    struct world w;
    begin(&w, "");
    exchange(&w);
    CU_ASSERT_EQUAL(n_lines(&w), N_KEYS);
    for (int i = 0; i < N_KEYS; i++)
        CU_ASSERT(strstr(fixture_read(&w.f, "home/.ssh/known_hosts"), line_of(&w, "h", i)) != NULL);
    CU_ASSERT(fixture_logged(&w.f, "Learned new hostkey: ED25519 SHA256:"));
    end(&w);
}

static void a_key_that_is_no_longer_told_is_forgotten(void)
{
    struct world w;
    char text[400];
    begin(&w, "");
    snprintf(text, sizeof text, "%s", line_of(&w, "h", 0));
    strcat(text, line_of(&w, "h", 2));
    fixture_write(&w.f, "home/.ssh/known_hosts", text);
    w.theirs.n = 1; /* nothing new: no proof is asked for */
    exchange(&w);
    CU_ASSERT_STRING_EQUAL(fixture_read(&w.f, "home/.ssh/known_hosts"), line_of(&w, "h", 0));
    CU_ASSERT(fixture_logged(&w.f, "Deprecating obsolete hostkey: ED25519 SHA256:"));
    end(&w);
}

/* Nothing at all is learned when one signature is bad, even if others are good. */
static void a_bad_proof_changes_nothing(void)
{
    struct world w;
    for (int kind = 0; kind < 3; kind++) {
        begin(&w, "");
        w.flips_signature = kind == 0;
        if (kind == 1) /* signed for another connection */
            w.theirs.session_id = BYTES_LIT("sessiom");
        if (kind == 2) /* told, but not its own: it refuses */
            w.theirs.n = N_KEYS - 1;
        if (kind == 2) {
            uint8_t body[256];
            struct wire_writer b = wire_writer(body, sizeof body);
            wire_put_string(&b, private_key_blob(w.keys[0]));
            wire_put_string(&b, private_key_blob(w.keys[2]));
            update_host_keys_told(w.ours, wire_written(&b));
            carry(&w, &w.to_server, w.server);
            carry(&w, &w.to_client, w.client);
        } else {
            exchange(&w);
        }
        CU_ASSERT_STRING_EQUAL(fixture_read(&w.f, "home/.ssh/known_hosts"), line_of(&w, "h", 0));
        CU_ASSERT(
            fixture_logged(&w.f, kind == 2 ? "failed to confirm ownership" : "bad signature"));
        end(&w);
    }
}

static void bodies_that_are_no_good_change_nothing(void)
{
    struct world w;
    uint8_t body[512];
    for (int kind = 0; kind < 4; kind++) {
        begin(&w, "");
        struct wire_writer b = wire_writer(body, sizeof body);
        wire_put_string(&b, private_key_blob(w.keys[1]));
        if (kind == 0) /* twice the same */
            wire_put_string(&b, private_key_blob(w.keys[1]));
        if (kind == 1) /* cut */
            b.len--;
        if (kind == 2)
            b.len = 0;
        if (kind == 3) { /* of a kind that nobody has */
            b.len = 0;
            wire_put_cstring(&b, "nonsense");
        }
        update_host_keys_told(w.ours, (struct bytes){body, b.len});
        CU_ASSERT_EQUAL(w.to_server.n, 0);
        CU_ASSERT_EQUAL(n_lines(&w), 1);
        end(&w);
    }
}

static void only_the_first_telling_counts(void)
{
    struct world w;
    begin(&w, "");
    update_host_keys_told(w.ours, (struct bytes){0});
    exchange(&w);
    CU_ASSERT_EQUAL(n_lines(&w), 1);
    end(&w);
}

static void keys_that_are_not_wanted_are_not_learned(void)
{
    struct world w;
    begin(&w, "-o HostKeyAlgorithms=rsa-sha2-512");
    exchange(&w);
    CU_ASSERT_EQUAL(n_lines(&w), 1);
    end(&w);

    begin(&w, "-o RevokedHostKeys=~/revoked");
    char text[400];
    snprintf(text, sizeof text, "%s", line_of(&w, "", 1) + 1); /* without the name */
    fixture_write(&w.f, "home/revoked", text);
    exchange(&w);
    CU_ASSERT_EQUAL(n_lines(&w), 2);
    CU_ASSERT(strstr(fixture_read(&w.f, "home/.ssh/known_hosts"), line_of(&w, "h", 1)) == NULL);
    end(&w);
}

/* Without a terminal there is nobody to ask. */
static void ask_without_anybody_there_is_no(void)
{
    struct world w;
    begin(&w, "");
    w.f.o.update_host_keys = UPDATE_HOST_KEYS_ASK;
    prompt_forbid();
    exchange(&w);
    CU_ASSERT(fixture_logged(&w.f, "The server has updated its host keys."));
    CU_ASSERT_EQUAL(n_lines(&w), 1);
    end(&w);
}

static void a_server_signs_for_each_of_its_keys_once(void)
{
    struct world w;
    uint8_t body[512];
    begin(&w, "");
    struct wire_writer b = wire_writer(body, sizeof body);
    for (int i = 0; i < N_KEYS + 1; i++)
        wire_put_string(&b, private_key_blob(w.keys[0]));
    CU_ASSERT_EQUAL(mux_global_request(w.client, BYTES_LIT("hostkeys-prove-00@openssh.com"), true,
                        wire_written(&b), 1),
        ERR_OK);
    carry(&w, &w.to_server, w.server);
    CU_ASSERT_EQUAL(w.to_client.packets[0][0], MSG_REQUEST_FAILURE);
    end(&w);
}

static const struct unit_test tests[] = {
    UNIT(new_keys_are_proved_and_learned),
    UNIT(a_key_that_is_no_longer_told_is_forgotten),
    UNIT(a_bad_proof_changes_nothing),
    UNIT(bodies_that_are_no_good_change_nothing),
    UNIT(only_the_first_telling_counts),
    UNIT(keys_that_are_not_wanted_are_not_learned),
    UNIT(ask_without_anybody_there_is_no),
    UNIT(a_server_signs_for_each_of_its_keys_once),
};
UNIT_MAIN("update_host_keys", tests)
