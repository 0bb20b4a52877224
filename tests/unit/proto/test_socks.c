#include "proto/socks.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

/* One application's dialogue, as a listener would lead it. */
struct dialogue {
    struct socks socks;
    enum socks_status status;
    uint8_t replies[3 * SOCKS_REPLY_MAX]; /* all that was sent back before the end */
    size_t n_replies;
    size_t used; /* bytes of the dialogue that the parser took */
};

static void take_outputs(struct dialogue *d)
{
    const struct socks *s = &d->socks;
    memcpy(d->replies + d->n_replies, s->reply, s->reply_n);
    d->n_replies += s->reply_n;
    d->used += s->used;
}

/* Parses what is there until more is wanted; the copy is of just that size, so that a sanitizer
 * sees every byte read too far. */
static void parse_all(struct dialogue *d, struct bytes there)
{
    do {
        size_t n = there.n - d->used;
        uint8_t *copy = malloc(n == 0 ? 1 : n);
        if (copy == NULL)
            abort();
        memcpy(copy, there.p + d->used, n);
        d->status = socks_parse(&d->socks, (struct bytes){copy, n});
        free(copy);
        take_outputs(d);
    } while (d->status == SOCKS_REPLY);
}

/* in comes in two parts, cut at `cut`, and then byte by byte from there if so wished. */
static struct dialogue talk(struct bytes in, size_t cut, size_t step)
{
    struct dialogue d = {.status = SOCKS_MORE};
    for (size_t n = cut; d.status == SOCKS_MORE; n = n + step < in.n ? n + step : in.n) {
        parse_all(&d, (struct bytes){in.p, n});
        if (n == in.n)
            break;
    }
    return d;
}

static bool is_same(const struct dialogue *a, const struct dialogue *b)
{
    return a->status == b->status && a->used == b->used && a->n_replies == b->n_replies &&
           memcmp(a->replies, b->replies, a->n_replies) == 0 && a->socks.port == b->socks.port &&
           a->socks.version == b->socks.version && strcmp(a->socks.host, b->socks.host) == 0 &&
           a->socks.why == b->socks.why;
}

/* The dialogue of in whole; asserts that every way to cut it leads to the very same. */
static struct dialogue talk_any_way(struct bytes in)
{
    struct dialogue whole = talk(in, in.n, 1);
    for (size_t cut = 0; cut <= in.n; cut++) {
        struct dialogue in_two = talk(in, cut, in.n);
        CU_ASSERT_TRUE(is_same(&in_two, &whole));
    }
    struct dialogue in_bytes = talk(in, 0, 1);
    CU_ASSERT_TRUE(is_same(&in_bytes, &whole));
    return whole;
}

static bool connects_to(struct bytes in, const char *host, uint16_t port, size_t n_early)
{
    struct dialogue d = talk_any_way(in);
    return d.status == SOCKS_CONNECT && strcmp(d.socks.host, host) == 0 && d.socks.port == port &&
           d.used == in.n - n_early && d.socks.why == NULL;
}

static bool is_refused_with(struct bytes in, struct bytes replies)
{
    struct dialogue d = talk_any_way(in);
    return d.status == SOCKS_REFUSE && d.socks.why != NULL && d.socks.host[0] == '\0' &&
           bytes_equal((struct bytes){d.replies, d.n_replies}, replies);
}

static bool is_bad(struct bytes in)
{
    struct dialogue d = talk_any_way(in);
    return d.status == SOCKS_BAD && d.socks.why != NULL && d.socks.used == 0 &&
           d.socks.reply_n == 0;
}

#define GREETING    "\5\1\0"
#define NO_AUTH     "\5\0"
#define USER_METHOD "\5\2"
#define USER        "\1\2me\6secret"
#define USER_OK     "\1\0"
#define REFUSED4    "\0\x5b\0\0\0\0\0\0"
#define REFUSED5(c) NO_AUTH "\5" c "\0\1\0\0\0\0\0\0"
#define NAME_REQUEST                                                                               \
    "\5\1\0\3\x0b"                                                                                 \
    "example.com"                                                                                  \
    "\x01\xbb"

static void SOCKS4_connects_to_an_address(void)
{
    CU_ASSERT_TRUE(connects_to(BYTES_LIT("\4\1\0\x50\x0a\0\0\x05me\0"), "10.0.0.5", 80, 0));
    CU_ASSERT_TRUE(
        connects_to(BYTES_LIT("\4\1\xff\xff\xff\xff\xff\xff\0"), "255.255.255.255", 65535, 0));
    CU_ASSERT_TRUE(connects_to(BYTES_LIT("\4\1\0\x16\0\0\0\0\0"), "0.0.0.0", 22, 0));
    CU_ASSERT_TRUE(connects_to(BYTES_LIT("\4\1\0\x16\0\0\1\1\0"), "0.0.1.1", 22, 0));
}

static void SOCKS4a_connects_to_a_name(void)
{
    CU_ASSERT_TRUE(connects_to(BYTES_LIT("\4\1\0\x50\0\0\0\1me\0h.example\0"), "h.example", 80, 0));
    CU_ASSERT_TRUE(connects_to(BYTES_LIT("\4\1\0\x50\0\0\0\xff\0h\0"), "h", 80, 0));
}

static void SOCKS5_connects_to_each_kind_of_address(void)
{
    CU_ASSERT_TRUE(
        connects_to(BYTES_LIT(GREETING "\5\1\0\1\x7f\0\0\1\x1f\x90"), "127.0.0.1", 8080, 0));
    CU_ASSERT_TRUE(connects_to(BYTES_LIT(GREETING NAME_REQUEST), "example.com", 443, 0));
    CU_ASSERT_TRUE(
        connects_to(BYTES_LIT(GREETING "\5\1\0\4\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\x16"),
            "2001:db8::1", 22, 0));
}

static void bytes_behind_the_request_are_left_for_the_far_end(void)
{
    CU_ASSERT_TRUE(connects_to(BYTES_LIT("\4\1\0\x50\x0a\0\0\5\0GET /"), "10.0.0.5", 80, 5));
    CU_ASSERT_TRUE(connects_to(BYTES_LIT("\4\1\0\x50\0\0\0\1\0h\0\5\1\0"), "h", 80, 3));
    CU_ASSERT_TRUE(connects_to(BYTES_LIT(GREETING NAME_REQUEST "\0early"), "example.com", 443, 6));
}

static void the_greeting_is_answered_once_with_no_authentication(void)
{
    struct dialogue d = talk_any_way(BYTES_LIT(GREETING NAME_REQUEST));
    CU_ASSERT_TRUE(bytes_equal((struct bytes){d.replies, d.n_replies}, BYTES_LIT(NO_AUTH)));
    CU_ASSERT_TRUE(d.socks.greeted);
    CU_ASSERT_TRUE(connects_to(
        BYTES_LIT("\5\3\2\1\0" NAME_REQUEST), "example.com", 443, 0)); /* it may be offered last */
}

static void a_greeting_without_an_acceptable_method_gets_FF(void)
{
    CU_ASSERT_TRUE(is_refused_with(BYTES_LIT("\5\1\1"), BYTES_LIT("\5\xff")));
    CU_ASSERT_TRUE(is_refused_with(BYTES_LIT("\5\2\1\3" NAME_REQUEST), BYTES_LIT("\5\xff")));
    CU_ASSERT_TRUE(is_refused_with(BYTES_LIT("\5\0"), BYTES_LIT("\5\xff")));
    /* What stands behind the methods is not one of them. */
    CU_ASSERT_TRUE(is_refused_with(BYTES_LIT("\5\1\1\0"), BYTES_LIT("\5\xff")));
    CU_ASSERT_TRUE(is_refused_with(BYTES_LIT("\5\1\1\2"), BYTES_LIT("\5\xff")));
    for (unsigned method = 0; method < 256; method++) {
        uint8_t in[] = {5, 1, (uint8_t)method};
        struct dialogue d = talk((struct bytes){in, sizeof in}, sizeof in, 1);
        CU_ASSERT_EQUAL(
            d.status == SOCKS_REFUSE && d.replies[1] == 0xff, method != 0 && method != 2);
    }
}

static bool replies_are(struct bytes in, struct bytes replies)
{
    struct dialogue d = talk_any_way(in);
    return bytes_equal((struct bytes){d.replies, d.n_replies}, replies);
}

static void any_user_and_password_are_accepted_where_they_are_insisted_on(void)
{
    static const struct bytes dialogues[] = {
        BYTES_LIT("\5\1\2" USER NAME_REQUEST),
        BYTES_LIT("\5\2\1\2" USER NAME_REQUEST),
        BYTES_LIT("\5\1\2\1\1x\1y" NAME_REQUEST),
        BYTES_LIT("\5\1\2\1\0\0" NAME_REQUEST), /* RFC 1929 wants a byte of each, and who cares */
        BYTES_LIT("\5\1\2\1\3\0\5\1\1\0" NAME_REQUEST),
    };
    for (size_t i = 0; i < sizeof dialogues / sizeof dialogues[0]; i++) {
        CU_ASSERT_TRUE(connects_to(dialogues[i], "example.com", 443, 0));
        CU_ASSERT_TRUE(replies_are(dialogues[i], BYTES_LIT(USER_METHOD USER_OK)));
    }
    CU_ASSERT_TRUE(
        connects_to(BYTES_LIT("\5\1\2" USER NAME_REQUEST "early"), "example.com", 443, 5));
}

static void no_authentication_is_preferred_to_user_and_password(void)
{
    CU_ASSERT_TRUE(connects_to(BYTES_LIT("\5\2\2\0" NAME_REQUEST), "example.com", 443, 0));
    CU_ASSERT_TRUE(replies_are(BYTES_LIT("\5\2\2\0" NAME_REQUEST), BYTES_LIT(NO_AUTH)));
    CU_ASSERT_TRUE(replies_are(BYTES_LIT("\5\3\0\1\2" NAME_REQUEST), BYTES_LIT(NO_AUTH)));
}

static void user_and_password_may_have_255_bytes_each(void)
{
    uint8_t in[3 + 2 + 255 + 1 + 255 + 11] = {5, 1, 2, 1, 255};
    memset(in + 5, 'u', 255);
    in[5 + 255] = 255;
    memset(in + 5 + 256, 'p', 255);
    memcpy(in + sizeof in - 11, "\5\1\0\3\4host\0\x50", 11);
    CU_ASSERT_TRUE(connects_to((struct bytes){in, sizeof in}, "host", 80, 0));
}

static void a_password_that_was_promised_must_come(void)
{
    for (unsigned version = 0; version < 256; version++) {
        uint8_t in[] = {5, 1, 2, (uint8_t)version, 1, 'u', 1, 'p'};
        struct dialogue d = talk((struct bytes){in, sizeof in}, 0, 1);
        CU_ASSERT_EQUAL(d.status, version == 1 ? SOCKS_MORE : SOCKS_BAD);
    }
    /* A request in its place opens nothing. */
    CU_ASSERT_EQUAL(talk_any_way(BYTES_LIT("\5\1\2" NAME_REQUEST)).status, SOCKS_BAD);
    /* Nor does one more behind it pass for a request, nor one that nobody asked for. */
    CU_ASSERT_EQUAL(talk_any_way(BYTES_LIT("\5\1\2" USER USER)).status, SOCKS_BAD);
    CU_ASSERT_EQUAL(talk_any_way(BYTES_LIT(GREETING USER)).status, SOCKS_BAD);
}

static void BIND_and_UDP_are_refused_with_their_code(void)
{
    CU_ASSERT_TRUE(is_refused_with(BYTES_LIT("\4\2\0\x50\x0a\0\0\5\0"), BYTES_LIT(REFUSED4)));
    CU_ASSERT_TRUE(is_refused_with(BYTES_LIT("\4\0\0\x50\0\0\0\5\0h\0"), BYTES_LIT(REFUSED4)));
    CU_ASSERT_TRUE(
        is_refused_with(BYTES_LIT(GREETING "\5\2\0\1\x7f\0\0\1\0\x50"), BYTES_LIT(REFUSED5("\7"))));
    CU_ASSERT_TRUE(
        is_refused_with(BYTES_LIT(GREETING "\5\3\0\1\0\0\0\0\0\0"), BYTES_LIT(REFUSED5("\7"))));
    CU_ASSERT_TRUE(is_refused_with(
        BYTES_LIT(GREETING "\5\xf0\0\3\1h\0\x50"), BYTES_LIT(REFUSED5("\7")))); /* Tor's RESOLVE */
}

static void unknown_address_types_are_refused_with_their_code(void)
{
    for (unsigned type = 0; type < 256; type++) {
        uint8_t in[] = {5, 1, 0, 5, 1, 0, (uint8_t)type, 0, 0, 0, 0, 0, 0};
        bool is_known = type == 1 || type == 3 || type == 4;
        struct dialogue d = talk((struct bytes){in, sizeof in}, sizeof in, 1);
        CU_ASSERT_EQUAL(d.status == SOCKS_REFUSE && d.replies[3] == 8, !is_known);
    }
    CU_ASSERT_TRUE(
        is_refused_with(BYTES_LIT(GREETING "\5\1\0\2abcdef"), BYTES_LIT(REFUSED5("\x08"))));
}

static void names_with_NUL_or_control_characters_are_refused(void)
{
    for (unsigned c = 0; c < 256; c++) {
        bool is_control = c < ' ' || c == 0x7f;
        uint8_t five[] = {5, 1, 0, 5, 1, 0, 3, 3, 'a', (uint8_t)c, 'b', 0, 80};
        struct dialogue d = talk((struct bytes){five, sizeof five}, sizeof five, 1);
        CU_ASSERT_EQUAL(d.status, is_control ? SOCKS_REFUSE : SOCKS_CONNECT);
        CU_ASSERT_EQUAL(d.n_replies, is_control ? 12 : 2);

        uint8_t four[] = {4, 1, 0, 80, 0, 0, 0, 1, 0, 'a', (uint8_t)c, 'b', 0};
        d = talk((struct bytes){four, sizeof four}, sizeof four, 1);
        if (c != 0) /* which ends a name here */
            CU_ASSERT_EQUAL(d.status, is_control ? SOCKS_REFUSE : SOCKS_CONNECT);
    }
}

static void empty_names_are_refused(void)
{
    CU_ASSERT_TRUE(
        is_refused_with(BYTES_LIT(GREETING "\5\1\0\3\0\0\x50"), BYTES_LIT(REFUSED5("\1"))));
    CU_ASSERT_TRUE(is_refused_with(BYTES_LIT("\4\1\0\x50\0\0\0\1me\0\0"), BYTES_LIT(REFUSED4)));
}

static void a_SOCKS5_name_may_have_255_bytes(void)
{
    uint8_t in[3 + 5 + SOCKS_MAX_NAME + 2] = {5, 1, 0, 5, 1, 0, 3, SOCKS_MAX_NAME};
    memset(in + 8, 'n', SOCKS_MAX_NAME);
    struct dialogue d = talk((struct bytes){in, sizeof in}, 0, 1);
    CU_ASSERT_EQUAL(d.status, SOCKS_CONNECT);
    CU_ASSERT_EQUAL(strlen(d.socks.host), SOCKS_MAX_NAME);
}

/* A SOCKS4a request with a user id and a name of these lengths, each with its NUL. */
static struct bytes long_request(size_t n_user, size_t n_name)
{
    static uint8_t in[4096];
    memset(in, 'x', sizeof in);
    memcpy(in, "\4\1\0\x50\0\0\0\1", 8);
    in[8 + n_user] = '\0';
    in[8 + n_user + 1 + n_name] = '\0';
    return (struct bytes){in, 8 + n_user + 1 + n_name + 1};
}

static void SOCKS4_strings_of_1024_bytes_are_the_longest(void)
{
    struct bytes in = long_request(1024, 1024);
    CU_ASSERT_TRUE(in.n <= SOCKS_MAX_BYTES);
    struct dialogue d = talk(in, 0, 1);
    CU_ASSERT_EQUAL(d.status, SOCKS_CONNECT);
    CU_ASSERT_EQUAL(strlen(d.socks.host), 1024);
    in = long_request(1025, 1);
    CU_ASSERT_EQUAL(talk(in, 0, 1).status, SOCKS_BAD);
    CU_ASSERT_EQUAL(talk(in, in.n, 1).status, SOCKS_BAD);
    in = long_request(1, 1025);
    CU_ASSERT_EQUAL(talk(in, 0, 1).status, SOCKS_BAD);
    CU_ASSERT_EQUAL(talk(in, in.n, 1).status, SOCKS_BAD);
}

static void endless_strings_are_not_waited_for(void)
{
    static uint8_t in[SOCKS_MAX_BYTES];
    memset(in, 'x', sizeof in);
    memcpy(in, "\4\1\0\x50\0\0\0\1", 8);
    CU_ASSERT_EQUAL(talk((struct bytes){in, sizeof in}, 0, 1).status, SOCKS_BAD);
    in[8 + 1024] = '\0'; /* the longest user id, and then a name without an end */
    struct dialogue d = talk((struct bytes){in, sizeof in}, 0, 1);
    CU_ASSERT_EQUAL(d.status, SOCKS_BAD);
}

static void unknown_versions_are_bad(void)
{
    for (unsigned version = 0; version < 256; version++) {
        uint8_t in[] = {(uint8_t)version, 1, 0};
        if (version != 4 && version != 5)
            CU_ASSERT_TRUE(is_bad((struct bytes){in, sizeof in}));
    }
    /* The request says its version once more. */
    struct dialogue d = talk_any_way(BYTES_LIT(GREETING "\4\1\0\1\x7f\0\0\1\0\x50"));
    CU_ASSERT_EQUAL(d.status, SOCKS_BAD);
}

static void half_a_request_asks_for_more(void)
{
    static const struct bytes requests[] = {
        BYTES_LIT("\4\1\0\x50\0\0\0\1me\0h.example\0"),
        BYTES_LIT(GREETING NAME_REQUEST),
        BYTES_LIT("\5\1\2" USER NAME_REQUEST),
    };
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        for (size_t n = 0; n < requests[i].n; n++)
            CU_ASSERT_EQUAL(talk((struct bytes){requests[i].p, n}, n, 1).status, SOCKS_MORE);
}

static void outcomes_are_told_in_each_versions_words(void)
{
    uint8_t reply[SOCKS_REPLY_MAX];
    for (int outcome = SOCKS_OK; outcome <= SOCKS_TIMED_OUT; outcome++) {
        uint8_t want5[] = {5, (uint8_t)outcome, 0, 1, 0, 0, 0, 0, 0, 0};
        uint8_t want4[] = {0, outcome == SOCKS_OK ? 90 : 91, 0, 0, 0, 0, 0, 0};
        CU_ASSERT_EQUAL(socks_reply(5, (enum socks_outcome)outcome, reply), sizeof want5);
        CU_ASSERT_EQUAL(memcmp(reply, want5, sizeof want5), 0);
        CU_ASSERT_EQUAL(socks_reply(4, (enum socks_outcome)outcome, reply), sizeof want4);
        CU_ASSERT_EQUAL(memcmp(reply, want4, sizeof want4), 0);
    }
}

static const struct unit_test tests[] = {
    UNIT(SOCKS4_connects_to_an_address),
    UNIT(SOCKS4a_connects_to_a_name),
    UNIT(SOCKS5_connects_to_each_kind_of_address),
    UNIT(bytes_behind_the_request_are_left_for_the_far_end),
    UNIT(the_greeting_is_answered_once_with_no_authentication),
    UNIT(a_greeting_without_an_acceptable_method_gets_FF),
    UNIT(any_user_and_password_are_accepted_where_they_are_insisted_on),
    UNIT(no_authentication_is_preferred_to_user_and_password),
    UNIT(user_and_password_may_have_255_bytes_each),
    UNIT(a_password_that_was_promised_must_come),
    UNIT(BIND_and_UDP_are_refused_with_their_code),
    UNIT(unknown_address_types_are_refused_with_their_code),
    UNIT(names_with_NUL_or_control_characters_are_refused),
    UNIT(empty_names_are_refused),
    UNIT(a_SOCKS5_name_may_have_255_bytes),
    UNIT(SOCKS4_strings_of_1024_bytes_are_the_longest),
    UNIT(endless_strings_are_not_waited_for),
    UNIT(unknown_versions_are_bad),
    UNIT(half_a_request_asks_for_more),
    UNIT(outcomes_are_told_in_each_versions_words),
};

UNIT_MAIN("socks", tests)
