/* The version exchange. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/transport/pair.h"

/* A client or server alone, whose peer is the test. */
static struct side *alone(struct pair *p, enum role role)
{
    pair_init(p);
    pair_open(p);
    return role == ROLE_CLIENT ? &p->client : &p->server;
}

static void say(struct pair *p, struct side *s, const char *text)
{
    pair_feed(p, s, bytes_of(text));
}

static void our_version_line_goes_first_and_kexinit_right_behind(void)
{
    struct pair p;
    struct side *s = alone(&p, ROLE_SERVER);
    size_t n;
    const uint8_t *bytes = transport_tx(s->t, &n);
    static const char line[] = "SSH-2.0-test_server\r\n";
    CU_ASSERT_FATAL(n > sizeof line + 5);
    CU_ASSERT_EQUAL(memcmp(bytes, line, sizeof line - 1), 0);
    CU_ASSERT_EQUAL(bytes[sizeof line - 1 + 5], MSG_KEXINIT);
    pair_close(&p);
}

static void a_client_shows_lines_before_the_version(void)
{
    struct pair p;
    struct side *s = alone(&p, ROLE_CLIENT);
    say(&p, s, "hello\r\nthere\nSSH-2.0-x y\r\n");
    CU_ASSERT_STRING_EQUAL(s->log, "LLI");
    CU_ASSERT(bytes_is(transport_peer_ident(s->t), "SSH-2.0-x y"));
    CU_ASSERT_EQUAL(pair_err(s), ERR_OK);
    pair_close(&p);
}

static void a_client_has_patience_for_1024_lines(void)
{
    for (int too_many = 0; too_many < 2; too_many++) {
        struct pair p;
        struct side *s = alone(&p, ROLE_CLIENT);
        for (int i = 0; i < IDENT_MAX_LINES + too_many; i++)
            say(&p, s, "x\n");
        say(&p, s, "SSH-2.0-x\r\n");
        CU_ASSERT_EQUAL(pair_err(s), too_many ? ERR_LIMIT : ERR_OK);
        pair_close(&p);
    }
}

static void a_server_tolerates_no_other_line(void)
{
    struct pair p;
    struct side *s = alone(&p, ROLE_SERVER);
    say(&p, s, "GET / HTTP/1.1\r\nHost: \x1b[2J\r\n\r\n");
    CU_ASSERT_EQUAL(pair_err(s), ERR_PROTOCOL);
    CU_ASSERT_STRING_EQUAL(transport_fault(s->t)->text,
        "client does not speak SSH: its first line is \"GET / HTTP/1.1\"");
    size_t n; /* and is told nothing it could not read */
    (void)transport_tx(s->t, &n);
    CU_ASSERT_EQUAL(transport_counts(s->t).packets_out, 1);
    pair_close(&p);
}

static void what_is_no_version_line_ends_either(void)
{
    static const char *const lines[] = {"SSH-1.5-old\r\n", "SSH-2.0-\r\n", "SSH-2.0-a\x01z\r\n",
        "\x16\x03\x01\x02", "SSH-3.0-x\r\n"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        for (enum role role = ROLE_CLIENT; role <= ROLE_SERVER; role++) {
            struct pair p;
            struct side *s = alone(&p, role);
            say(&p, s, lines[i]);
            CU_ASSERT_EQUAL(pair_err(s), ERR_PROTOCOL);
            CU_ASSERT_STRING_EQUAL(s->log, "X");
            pair_close(&p);
        }
}

static void text_without_end_is_not_waited_for(void)
{
    for (enum role role = ROLE_CLIENT; role <= ROLE_SERVER; role++) {
        struct pair p;
        struct side *s = alone(&p, role);
        static char text[20000];
        memset(text, 'a', sizeof text - 1);
        say(&p, s, text);
        CU_ASSERT_EQUAL(pair_err(s), ERR_PROTOCOL);
        pair_close(&p);
    }
}

static void a_version_line_of_ours_that_is_too_long_makes_no_engine(void)
{
    struct pair p;
    pair_init(&p);
    static char software[300];
    memset(software, 'a', sizeof software - 1);
    p.client_config.software = software;
    CU_ASSERT_PTR_NULL(transport_new(&p.client_config, 0));
    software[240] = '\0';
    p.client_config.software = software;
    pair_login(&p);
    pair_close(&p);
}

static void before_any_byte_there_are_no_events(void)
{
    struct pair p;
    struct side *s = alone(&p, ROLE_CLIENT);
    struct transport_event e;
    CU_ASSERT(!transport_next(s->t, &e));
    transport_tick(s->t, 5);
    CU_ASSERT(!transport_next(s->t, &e));
    CU_ASSERT_EQUAL(pair_err(s), ERR_OK);
    pair_close(&p);
}

static void the_end_before_a_version_line_is_named(void)
{
    struct pair p;
    struct side *s = alone(&p, ROLE_CLIENT);
    say(&p, s, "SSH-2.");
    transport_rx_eof(s->t);
    pair_events(&p, s);
    CU_ASSERT_STRING_EQUAL(
        transport_fault(s->t)->text, "connection closed by peer before its version line");
    CU_ASSERT_EQUAL(pair_err(s), ERR_CLOSED);
    pair_close(&p);
}

static const struct unit_test tests[] = {
    UNIT(our_version_line_goes_first_and_kexinit_right_behind),
    UNIT(a_client_shows_lines_before_the_version),
    UNIT(a_client_has_patience_for_1024_lines),
    UNIT(a_server_tolerates_no_other_line),
    UNIT(what_is_no_version_line_ends_either),
    UNIT(text_without_end_is_not_waited_for),
    UNIT(a_version_line_of_ours_that_is_too_long_makes_no_engine),
    UNIT(before_any_byte_there_are_no_events),
    UNIT(the_end_before_a_version_line_is_named),
};
UNIT_MAIN("hello", tests)
