#include "cli/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/agent_link.h"
#include "tests/unit/cli/fixture.h"

/* An agent played by the test: it listens on a socket, and says what a table has it say. */
struct stage {
    struct fixture f;
    struct loop *loop;
    struct agent *agent;
    int listener, fd;
    uint8_t heard[4096]; /* by the played agent, not yet looked at */
    size_t heard_n;

    bool done;
    bool has_keys;
    bool free_inside; /* the agent is freed inside of the call that tells */
    struct msg_agent_identities keys;
    uint8_t list[1024], signature[1024];
    size_t signature_n;
    char why[1024]; /* "" when none was given */
};

static void listen_at(struct stage *s, const char *name, int backlog)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", fixture_path(&s->f, name));
    s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CU_ASSERT_EQUAL_FATAL(bind(s->listener, (struct sockaddr *)&address, sizeof address), 0);
    CU_ASSERT_EQUAL_FATAL(listen(s->listener, backlog), 0);
}

static void stage_begin(struct stage *s, struct agent_limits limits)
{
    memset(s, 0, sizeof *s);
    s->fd = s->listener = -1;
    fixture_begin(&s->f);
    listen_at(s, "agent", 8);
    s->loop = loop_new();
    s->agent = agent_new(s->loop, fixture_path(&s->f, "agent"), &limits);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s->agent);
}

static void stage_end(struct stage *s)
{
    agent_free(s->agent);
    loop_free(s->loop);
    if (s->fd >= 0)
        close(s->fd);
    close(s->listener);
    fixture_end(&s->f);
}

/* The played agent takes what has come. */
static void hear(struct stage *s)
{
    if (s->fd < 0 && s->listener >= 0)
        s->fd = accept(s->listener, NULL, NULL);
    if (s->fd < 0)
        return;
    ssize_t n = recv(s->fd, s->heard + s->heard_n, sizeof s->heard - s->heard_n, MSG_DONTWAIT);
    s->heard_n += n > 0 ? (size_t)n : 0;
}

/* The next whole message that was heard; turns the loop until it is there. */
static struct bytes next_heard(struct stage *s)
{
    static uint8_t message[4096];
    for (int i = 0; i < 200; i++) {
        uint32_t n = s->heard_n >= 4 ? load_be32(s->heard) : UINT32_MAX;
        if (n <= s->heard_n - 4 && s->heard_n >= 4) {
            memcpy(message, s->heard + 4, n);
            s->heard_n -= 4 + n;
            memmove(s->heard, s->heard + 4 + n, s->heard_n);
            return (struct bytes){message, n};
        }
        loop_turn(s->loop, 10);
        hear(s);
    }
    return (struct bytes){NULL, 0};
}

static void say(struct stage *s, struct bytes raw)
{
    CU_ASSERT_EQUAL(send(s->fd, raw.p, raw.n, MSG_NOSIGNAL), (ssize_t)raw.n);
}

static void run_until_done(struct stage *s)
{
    for (int i = 0; i < 500 && !s->done; i++) {
        loop_turn(s->loop, 10);
        hear(s);
    }
    CU_ASSERT_TRUE(s->done);
}

static void note(struct stage *s, const char *why)
{
    CU_ASSERT_FALSE(s->done);
    s->done = true;
    snprintf(s->why, sizeof s->why, "%s", why != NULL ? why : "");
    if (s->free_inside) {
        agent_free(s->agent);
        s->agent = NULL;
    }
}

static void opened(void *user, const struct msg_agent_identities *keys, const char *why)
{
    struct stage *s = user;
    CU_ASSERT((keys == NULL) == (why != NULL));
    s->has_keys = keys != NULL;
    if (keys != NULL && keys->keys.left <= sizeof s->list) {
        s->keys = *keys;
        memcpy(s->list, keys->keys.p, keys->keys.left);
        s->keys.keys.p = s->list;
    }
    note(s, why);
}

static void has_signed(void *user, struct bytes signature, const char *why)
{
    struct stage *s = user;
    CU_ASSERT((signature.n == 0) == (why != NULL));
    if (signature.n > 0 && signature.n <= sizeof s->signature)
        memcpy(s->signature, signature.p, s->signature_n = signature.n);
    note(s, why);
}

static void added(void *user, const char *why)
{
    note(user, why);
}

static const struct agent_session session = {
    .host_key = BYTES_LIT("host key"), .id = BYTES_LIT("id"), .signature = BYTES_LIT("proof")};

#define SUCCESS  BYTES_LIT("\0\0\0\1\6")
#define REFUSAL  BYTES_LIT("\0\0\0\1\5")
#define TWO_KEYS BYTES_LIT("\0\0\0\x21\x0c\0\0\0\2\0\0\0\3one\0\0\0\1a\0\0\0\3two\0\0\0\5b \x1b[m")
#define BIND                                                                                       \
    BYTES_LIT("\x1b\0\0\0\x18session-bind@openssh.com\0\0\0\x08host key\0\0\0\2id\0\0\0\5proof\0")

static void ask_for_keys(struct stage *s)
{
    CU_ASSERT_TRUE(agent_open(s->agent, &session, opened, s));
    CU_ASSERT_FALSE(s->done); /* never from inside */
}

/* Opened well: what is bound and listed was heard and answered. */
static void open_well(struct stage *s, struct bytes bind_answer)
{
    ask_for_keys(s);
    CU_ASSERT_TRUE(bytes_equal(next_heard(s), BIND));
    say(s, bind_answer);
    CU_ASSERT_TRUE(bytes_equal(next_heard(s), BYTES_LIT("\x0b")));
    say(s, TWO_KEYS);
    run_until_done(s);
    CU_ASSERT_TRUE(s->has_keys);
    CU_ASSERT_EQUAL(s->keys.n_keys, 2);
    s->done = false;
}

static void it_is_bound_to_the_session_and_then_tells_its_keys(void)
{
    struct bytes answers[] = {SUCCESS, REFUSAL, BYTES_LIT("\0\0\0\1\x1c")};
    for (size_t i = 0; i < 3; i++) { /* one that cannot be bound is as good */
        struct stage s;
        struct bytes key, comment;
        stage_begin(&s, (struct agent_limits){.list_ms = 0});
        open_well(&s, answers[i]);
        CU_ASSERT_TRUE(msg_agent_identities_next(&s.keys, &key, &comment));
        CU_ASSERT_TRUE(bytes_is(key, "one") && bytes_is(comment, "a"));
        stage_end(&s);
    }
}

static void an_answer_may_come_in_single_bytes(void)
{
    struct stage s;
    struct bytes list = TWO_KEYS;
    stage_begin(&s, (struct agent_limits){.list_ms = 0});
    ask_for_keys(&s);
    (void)next_heard(&s);
    say(&s, SUCCESS);
    (void)next_heard(&s);
    for (size_t i = 0; i < list.n; i++) {
        CU_ASSERT_FALSE(s.done);
        say(&s, (struct bytes){list.p + i, 1});
        loop_turn(s.loop, 10);
    }
    run_until_done(&s);
    CU_ASSERT_EQUAL(s.keys.n_keys, 2);
    stage_end(&s);
}

/* ---- signing ----------------------------------------------------------------------------------
 */

struct signing {
    const char *algorithm; /* of the publickey request */
    uint8_t flags;
    const char *signature; /* the name in the signature */
};

static void sign(struct stage *s, const char *algorithm, uint8_t *flags)
{
    CU_ASSERT_TRUE(agent_sign(
        s->agent, BYTES_LIT("key"), bytes_of(algorithm), BYTES_LIT("data"), has_signed, s));
    CU_ASSERT_FALSE(s->done);
    struct bytes m = next_heard(s);
    CU_ASSERT_EQUAL_FATAL(m.n, 20);
    CU_ASSERT_EQUAL(memcmp(m.p, "\x0d\0\0\0\3key\0\0\0\4data\0\0\0", 19), 0);
    *flags = m.p[19];
}

static void answer_signed_by(struct stage *s, const char *name)
{
    uint8_t room[256];
    struct wire_writer w = wire_writer(room, sizeof room);
    size_t whole = wire_open_string(&w);
    wire_put_u8(&w, AGENT_SIGN_RESPONSE);
    size_t signature = wire_open_string(&w);
    wire_put_cstring(&w, name);
    wire_put_cstring(&w, "signature");
    wire_close_string(&w, signature);
    wire_close_string(&w, whole);
    say(s, wire_written(&w));
    run_until_done(s);
    s->done = false;
}

static void every_algorithm_is_asked_for_and_answered_by_its_name(void)
{
    static const struct signing cases[] = {
        {"ssh-ed25519", 0, "ssh-ed25519"},
        {"rsa-sha2-512", 4, "rsa-sha2-512"},
        {"rsa-sha2-256", 2, "rsa-sha2-256"},
        {"ecdsa-sha2-nistp256", 0, "ecdsa-sha2-nistp256"},
        {"sk-ssh-ed25519@openssh.com", 0, "sk-ssh-ed25519@openssh.com"},
        {"rsa-sha2-512-cert-v01@openssh.com", 4, "rsa-sha2-512"},
        {"ssh-ed25519-cert-v01@openssh.com", 0, "ssh-ed25519"},
        {"sk-ssh-ed25519-cert-v01@openssh.com", 0, "sk-ssh-ed25519@openssh.com"},
        {"sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", 0, "sk-ecdsa-sha2-nistp256@openssh.com"},
    };
    struct stage s;
    stage_begin(&s, (struct agent_limits){.list_ms = 0});
    open_well(&s, SUCCESS);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t flags;
        s.signature_n = 0;
        sign(&s, cases[i].algorithm, &flags);
        CU_ASSERT_EQUAL(flags, cases[i].flags);
        answer_signed_by(&s, cases[i].signature);
        CU_ASSERT_STRING_EQUAL(s.why, "");
        struct wire_reader r = wire_reader((struct bytes){s.signature, s.signature_n});
        CU_ASSERT_TRUE(bytes_is(wire_string(&r), cases[i].signature));
    }
    stage_end(&s);
}

static void a_signature_by_another_algorithm_is_none(void)
{
    struct stage s;
    uint8_t flags;
    stage_begin(&s, (struct agent_limits){.list_ms = 0});
    open_well(&s, SUCCESS);
    sign(&s, "rsa-sha2-512", &flags);
    answer_signed_by(&s, "ssh-rsa");
    CU_ASSERT_STRING_EQUAL(s.why, "agent signed by ssh-rsa when asked for rsa-sha2-512");
    sign(&s, "ssh-ed25519", &flags);
    say(&s, BYTES_LIT("\0\0\0\5\x0e\0\0\0\0"));
    run_until_done(&s);
    CU_ASSERT_STRING_EQUAL(s.why, "agent sent a malformed signature");
    s.done = false;
    sign(&s, "ssh-ed25519", &flags);
    say(&s, REFUSAL); /* and says no to one thing only */
    run_until_done(&s);
    CU_ASSERT_STRING_EQUAL(s.why, "agent refused operation");
    s.done = false;
    sign(&s, "ssh-ed25519", &flags);
    answer_signed_by(&s, "ssh-ed25519");
    CU_ASSERT_STRING_EQUAL(s.why, "");
    stage_end(&s);
}

static void requests_wait_for_their_turn(void)
{
    struct stage s;
    struct msg_agent_add m = {
        .key = BYTES_LIT("secret"), .comment = BYTES_LIT("me"), .confirm = true};
    stage_begin(&s, (struct agent_limits){.list_ms = 0});
    open_well(&s, SUCCESS);
    CU_ASSERT_TRUE(agent_add(s.agent, &m, added, &s));
    CU_ASSERT_TRUE(agent_sign(
        s.agent, BYTES_LIT("key"), BYTES_LIT("ssh-ed25519"), BYTES_LIT("data"), has_signed, &s));
    CU_ASSERT_TRUE(bytes_equal(next_heard(&s), BYTES_LIT("\x19secret\0\0\0\2me\2")));
    for (int i = 0; i < 5; i++) {
        loop_turn(s.loop, 0);
        hear(&s);
    }
    CU_ASSERT_EQUAL(s.heard_n, 0);
    say(&s, SUCCESS);
    run_until_done(&s);
    CU_ASSERT_STRING_EQUAL(s.why, "");
    s.done = false;
    CU_ASSERT_EQUAL(next_heard(&s).n, 20);
    answer_signed_by(&s, "ssh-ed25519");
    stage_end(&s);
}

/* More than the kernel takes at once. */
static void a_long_request_goes_out_in_pieces(void)
{
    static uint8_t data[250000], heard[sizeof data + 64];
    const size_t whole = 4 + 1 + 4 + 3 + 4 + sizeof data + 4;
    struct stage s;
    stage_begin(&s, (struct agent_limits){.list_ms = 0});
    open_well(&s, SUCCESS);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + i / 251);
    CU_ASSERT_TRUE(agent_sign(s.agent, BYTES_LIT("key"), BYTES_LIT("ssh-ed25519"),
        (struct bytes){data, sizeof data}, has_signed, &s));
    size_t n = 0;
    for (int i = 0; i < 10000 && n < whole; i++) {
        ssize_t got = recv(s.fd, heard + n, sizeof heard - n, MSG_DONTWAIT);
        n += got > 0 ? (size_t)got : 0;
        loop_turn(s.loop, 0);
    }
    CU_ASSERT_EQUAL(n, whole);
    CU_ASSERT_EQUAL(load_be32(heard), whole - 4);
    CU_ASSERT_EQUAL(memcmp(heard + 16, data, sizeof data), 0);
    answer_signed_by(&s, "ssh-ed25519");
    stage_end(&s);
}

/* ---- agents that lie, leave or are not there --------------------------------------------------
 */

static void what_is_no_answer_is_named_and_ends_it(void)
{
    static const struct {
        struct bytes raw;
        bool closes;
        const char *why;
    } lies[] = {
        {BYTES_LIT("\xff\xff\xff\xff\x0c"), false,
            "announced an answer of 4294967295 bytes, expected 1 to 262144"},
        {BYTES_LIT("\0\4\0\1"), false, "announced an answer of 262145 bytes, expected 1 to 262144"},
        {BYTES_LIT("\0\0\0\0"), false, "announced an answer of 0 bytes, expected 1 to 262144"},
        {BYTES_LIT("\0\0\0\5\x0c\xff\xff\xff\xff"), false, "sent a list of keys that is malformed"},
        {BYTES_LIT("\0\0\0\x0e\x0c\0\0\0\2\0\0\0\1k\0\0\0\0"), false,
            "sent a list of keys that is malformed"},
        {BYTES_LIT("\0\0\0\1\6"), false,
            "answered with message 6 (SUCCESS), expected IDENTITIES_ANSWER"},
        {BYTES_LIT("HTTP/1.1 400 Bad Request\r\n"), false,
            "announced an answer of 1213486160 bytes, expected 1 to 262144"},
        {BYTES_LIT(""), true, "closed the connection without an answer"},
        {BYTES_LIT("\0\0"), true, "closed the connection in the middle of an answer"},
        {BYTES_LIT("\0\0\0\x0e\x0c\0\0"), true, "closed the connection in the middle of an answer"},
        {BYTES_LIT("\0\0\0\1\5"), false, "does not tell its keys: agent refused operation"},
    };
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        struct stage s;
        stage_begin(&s, (struct agent_limits){.list_ms = 0});
        s.free_inside = i % 2 == 1;
        ask_for_keys(&s);
        (void)next_heard(&s);
        say(&s, SUCCESS);
        (void)next_heard(&s);
        say(&s, lies[i].raw);
        if (lies[i].closes)
            shutdown(s.fd, SHUT_RDWR);
        run_until_done(&s);
        CU_ASSERT_FALSE(s.has_keys);
        char wanted[512];
        snprintf(
            wanted, sizeof wanted, "the agent at %s %s", fixture_path(&s.f, "agent"), lies[i].why);
        CU_ASSERT_STRING_EQUAL(s.why, wanted);
        stage_end(&s);
    }
}

static void more_keys_than_anybody_has_are_none(void)
{
    static uint8_t list[9 + 8 * (AGENT_KEYS_MAX + 1)] = {0};
    for (uint32_t extra = 0; extra < 2; extra++) {
        struct stage s;
        uint32_t n_keys = AGENT_KEYS_MAX + extra;
        stage_begin(&s, (struct agent_limits){.list_ms = 0});
        ask_for_keys(&s);
        (void)next_heard(&s);
        say(&s, SUCCESS);
        (void)next_heard(&s);
        store_be32(list, 5 + 8 * n_keys);
        list[4] = AGENT_IDENTITIES_ANSWER;
        store_be32(list + 5, n_keys);
        say(&s, (struct bytes){list, 9 + 8 * n_keys});
        run_until_done(&s);
        CU_ASSERT_EQUAL(s.has_keys, extra == 0);
        stage_end(&s);
    }
}

static void a_failure_is_told_to_all_that_follows(void)
{
    struct stage s;
    uint8_t flags;
    stage_begin(&s, (struct agent_limits){.list_ms = 0});
    open_well(&s, SUCCESS);
    sign(&s, "ssh-ed25519", &flags);
    close(s.fd);
    s.fd = -1;
    close(s.listener);
    s.listener = -1;
    run_until_done(&s);
    CU_ASSERT_PTR_NOT_NULL(strstr(s.why, "closed the connection without an answer"));
    for (int i = 0; i < 2; i++) {
        s.done = false;
        s.why[0] = '\0';
        CU_ASSERT_TRUE(agent_sign(s.agent, BYTES_LIT("key"), BYTES_LIT("ssh-ed25519"),
            BYTES_LIT("data"), has_signed, &s));
        run_until_done(&s);
        CU_ASSERT_PTR_NOT_NULL(strstr(s.why, "closed the connection without an answer"));
    }
    stage_end(&s);
}

static void silence_has_an_end(void)
{
    struct stage s;
    uint8_t flags;
    stage_begin(&s, (struct agent_limits){.list_ms = 20});
    ask_for_keys(&s);
    run_until_done(&s);
    CU_ASSERT_PTR_NOT_NULL(strstr(s.why, "gave no answer within 1 s"));
    stage_end(&s);
    stage_begin(&s, (struct agent_limits){.sign_ms = 20});
    open_well(&s, SUCCESS);
    sign(&s, "ssh-ed25519", &flags);
    run_until_done(&s);
    CU_ASSERT_PTR_NOT_NULL(strstr(s.why, "gave no answer within 1 s"));
    stage_end(&s);
}

/* Connections wait in the agent's queue; when that is full, connect() fails with EAGAIN. */
static void an_agent_that_is_slow_to_accept_is_waited_for(void)
{
    struct stage s;
    int extra[8];
    stage_begin(&s, (struct agent_limits){.list_ms = 0});
    close(s.listener);
    unlink(fixture_path(&s.f, "agent"));
    listen_at(&s, "agent", 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", fixture_path(&s.f, "agent"));
    int n = 0, error = 0;
    while (n < 8 && error == 0) {
        extra[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        error = connect(extra[n++], (struct sockaddr *)&address, sizeof address) != 0 ? errno : 0;
    }
    CU_ASSERT_EQUAL(error, EAGAIN);
    ask_for_keys(&s);
    for (int i = 0; i < 3; i++)
        loop_turn(s.loop, 0);
    CU_ASSERT_FALSE(s.done);
    for (int i = 0; i < n; i++)
        close(extra[i]);
    int fd;
    while ((fd = accept(s.listener, NULL, NULL)) >= 0)
        close(fd);
    CU_ASSERT_TRUE(bytes_equal(next_heard(&s), BIND));
    stage_end(&s);
}

static void one_that_is_not_there_says_where_it_was_looked_for(void)
{
    struct stage s;
    char path[256];
    struct {
        const char *name, *why;
    } cases[] = {
        {"nowhere", "cannot be reached: No such file or directory"},
        {"home", "cannot be reached: Connection refused"},
        {"a_name_so_long_that_no_socket_can_have_it_since_the_kernel_keeps_a_hundred_bytes_and_"
         "some_more_for_one_and_not_many",
            "cannot be reached: the path is longer than 107 bytes"},
    };
    for (size_t i = 0; i < 3; i++) {
        stage_begin(&s, (struct agent_limits){.list_ms = 0});
        agent_free(s.agent);
        snprintf(path, sizeof path, "%s", fixture_path(&s.f, cases[i].name));
        struct agent_limits limits = {.list_ms = 0};
        s.agent = agent_new(s.loop, path, &limits);
        ask_for_keys(&s);
        run_until_done(&s);
        CU_ASSERT_PTR_NOT_NULL(strstr(s.why, cases[i].why));
        CU_ASSERT_PTR_NOT_NULL(strstr(s.why, path));
        stage_end(&s);
    }
}

static void what_was_not_asked_for_ends_it(void)
{
    struct stage s;
    stage_begin(&s, (struct agent_limits){.list_ms = 0});
    open_well(&s, SUCCESS);
    say(&s, SUCCESS);
    for (int i = 0; i < 5; i++)
        loop_turn(s.loop, 10);
    CU_ASSERT_TRUE(agent_sign(
        s.agent, BYTES_LIT("key"), BYTES_LIT("ssh-ed25519"), BYTES_LIT("data"), has_signed, &s));
    run_until_done(&s);
    CU_ASSERT_PTR_NOT_NULL(strstr(s.why, "sent an answer to no question"));
    stage_end(&s);
}

static void a_request_that_is_too_long_is_not_made(void)
{
    static const uint8_t much[AGENT_REQUEST_MAX];
    struct stage s;
    stage_begin(&s, (struct agent_limits){.list_ms = 0});
    CU_ASSERT_FALSE(agent_sign(s.agent, BYTES_LIT("key"), BYTES_LIT("ssh-ed25519"),
        (struct bytes){much, sizeof much}, has_signed, &s));
    CU_ASSERT_FALSE(
        agent_sign(s.agent, BYTES_LIT("key"), BYTES_LIT(""), BYTES_LIT("data"), has_signed, &s));
    stage_end(&s);
}

static const struct unit_test tests[] = {
    UNIT(it_is_bound_to_the_session_and_then_tells_its_keys),
    UNIT(an_answer_may_come_in_single_bytes),
    UNIT(every_algorithm_is_asked_for_and_answered_by_its_name),
    UNIT(a_signature_by_another_algorithm_is_none),
    UNIT(requests_wait_for_their_turn),
    UNIT(a_long_request_goes_out_in_pieces),
    UNIT(what_is_no_answer_is_named_and_ends_it),
    UNIT(more_keys_than_anybody_has_are_none),
    UNIT(a_failure_is_told_to_all_that_follows),
    UNIT(silence_has_an_end),
    UNIT(an_agent_that_is_slow_to_accept_is_waited_for),
    UNIT(one_that_is_not_there_says_where_it_was_looked_for),
    UNIT(what_was_not_asked_for_ends_it),
    UNIT(a_request_that_is_too_long_is_not_made),
};

UNIT_MAIN("cli/agent", tests)
