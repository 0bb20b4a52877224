/* SOCKS4 and SOCKS4a (the memos "SOCKS: A protocol for TCP proxy across firewalls" and "SOCKS 4A"),
 * SOCKS5 (RFC 1928) and its user and password (RFC 1929).
 *
 * Every step first asks for all the bytes of its request and judges them then: so the answer does
 * not depend on where the bytes were cut, and a refused application has sent all it had to say and
 * gets to read why. Only what can never become a request ends it at once. */
#include "proto/socks.h"

#include <arpa/inet.h> /* inet_ntop: addresses in the one form that others compare with */
#include <assert.h>
#include <string.h>
#include <sys/socket.h>

enum {
    COMMAND_CONNECT = 1,

    SOCKS4_HEAD = 8, /* version, command, port, address */
    SOCKS4_MAX_STRING = 1024,
    SOCKS4_GRANTED = 90,
    SOCKS4_REJECTED = 91,

    SOCKS5_METHOD_NONE = 0,
    SOCKS5_METHOD_USER = 2,
    SOCKS5_NO_METHOD = 0xff,
    SOCKS5_HEAD = 4, /* version, command, reserved, address type */
    SOCKS5_IPV4 = 1,
    SOCKS5_NAME = 3,
    SOCKS5_IPV6 = 4,
    SOCKS5_BAD_COMMAND = 7,
    SOCKS5_BAD_ADDRESS_TYPE = 8,

    USER_VERSION = 1, /* of RFC 1929's negotiation, not of SOCKS */
    USER_ACCEPTED = 0,
};

static uint16_t load_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static struct bytes skip(struct bytes in, size_t n)
{
    return (struct bytes){in.p + n, in.n - n};
}

static enum socks_status bad(struct socks *s, const char *why)
{
    s->why = why;
    return SOCKS_BAD;
}

/* code is the version's own. */
static size_t put_reply(uint8_t version, uint8_t code, uint8_t *reply)
{
    memset(reply, 0, SOCKS_REPLY_MAX);
    if (version == 4) { /* 0, code, port, address */
        reply[1] = code;
        return 8;
    }
    reply[0] = 5; /* version, code, reserved, address type, address, port */
    reply[1] = code;
    reply[3] = SOCKS5_IPV4;
    return 10;
}

static enum socks_status refuse(struct socks *s, uint8_t code, const char *why)
{
    s->why = why;
    s->host[0] = '\0';
    s->port = 0;
    s->reply_n = put_reply(s->version, code, s->reply);
    return SOCKS_REFUSE;
}

/* The name goes to resolvers, logs and the far end, as a C string here: a NUL would make it another
 * name than the one that was checked. False also when it is empty. */
static bool set_name(struct socks *s, struct bytes name)
{
    assert(name.n < sizeof s->host);
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] < ' ' || name.p[i] == 0x7f)
            return false;
    if (name.n > 0)
        memcpy(s->host, name.p, name.n);
    s->host[name.n] = '\0';
    return name.n > 0;
}

static void set_address(struct socks *s, int family, const uint8_t *address)
{
    const char *text = inet_ntop(family, address, s->host, sizeof s->host);
    assert(text != NULL); /* both families are known and the room is ample */
    (void)text;
}

/* ---- SOCKS4 ------------------------------------------------------------------------------ */

/* A string up to its NUL, from at most SOCKS4_MAX_STRING bytes and that NUL. */
static enum socks_status take_cstring(struct bytes *in, struct bytes *string)
{
    size_t limit = SOCKS4_MAX_STRING + 1;
    size_t n_seen = in->n < limit ? in->n : limit;
    const uint8_t *nul = n_seen == 0 ? NULL : memchr(in->p, 0, n_seen);
    if (nul == NULL)
        return n_seen == limit ? SOCKS_BAD : SOCKS_MORE;
    *string = (struct bytes){in->p, (size_t)(nul - in->p)};
    *in = skip(*in, string->n + 1);
    return SOCKS_CONNECT;
}

/* SOCKS4A: an address of 0.0.0.x, x not 0, means that a name follows the user id. */
static bool names_host(const uint8_t *address)
{
    return load_be32(address) <= 0xff && address[3] != 0;
}

static enum socks_status parse_socks4(struct socks *s, struct bytes in)
{
    if (in.n < SOCKS4_HEAD)
        return SOCKS_MORE;
    uint8_t command = in.p[1];
    uint16_t port = load_be16(in.p + 2);
    const uint8_t *address = in.p + 4;
    struct bytes left = skip(in, SOCKS4_HEAD);

    struct bytes user, name = {NULL, 0}; /* the user id says nothing that could be relied on */
    enum socks_status status = take_cstring(&left, &user);
    if (status == SOCKS_CONNECT && names_host(address))
        status = take_cstring(&left, &name);
    if (status == SOCKS_BAD)
        return bad(s, "SOCKS4 user id or host name of more than 1024 bytes");
    if (status == SOCKS_MORE)
        return SOCKS_MORE;

    s->used = in.n - left.n;
    s->port = port;
    if (command != COMMAND_CONNECT)
        return refuse(s, SOCKS4_REJECTED, "SOCKS4 command other than CONNECT");
    if (!names_host(address))
        set_address(s, AF_INET, address);
    else if (!set_name(s, name))
        return refuse(s, SOCKS4_REJECTED, "SOCKS4a host name empty or with control characters");
    return SOCKS_CONNECT;
}

/* ---- SOCKS5 ------------------------------------------------------------------------------ */

static enum socks_status answer(struct socks *s, uint8_t version, uint8_t code)
{
    s->reply[0] = version;
    s->reply[1] = code;
    s->reply_n = 2;
    return SOCKS_REPLY;
}

/* RFC 1928 section 3: version, number of methods, methods. */
static enum socks_status parse_greeting(struct socks *s, struct bytes in)
{
    if (in.n < 2 || in.n - 2 < in.p[1])
        return SOCKS_MORE;
    size_t n_methods = in.p[1];
    bool offers_none = n_methods > 0 && memchr(in.p + 2, SOCKS5_METHOD_NONE, n_methods) != NULL;
    bool offers_user = n_methods > 0 && memchr(in.p + 2, SOCKS5_METHOD_USER, n_methods) != NULL;

    s->used = 2 + n_methods;
    s->greeted = offers_none || offers_user;
    s->wants_user = !offers_none && offers_user;
    if (s->greeted)
        return answer(s, 5, s->wants_user ? SOCKS5_METHOD_USER : SOCKS5_METHOD_NONE);
    answer(s, 5, SOCKS5_NO_METHOD);
    s->why = "SOCKS5 with neither the method \"no authentication\" nor \"user and password\"";
    return SOCKS_REFUSE;
}

/* RFC 1929 section 2: version, user's length, user, password's length, password. Whoever they name
 * is welcome, as is who names nobody: see the header. */
static enum socks_status parse_user(struct socks *s, struct bytes in)
{
    if (in.p[0] != USER_VERSION)
        return bad(s, "SOCKS5 greeting followed by something other than user and password");
    if (in.n < 2 || in.n - 2 <= in.p[1])
        return SOCKS_MORE;
    size_t n_user = in.p[1];
    size_t n_password = in.p[2 + n_user];
    size_t n = 2 + n_user + 1 + n_password;
    if (in.n < n)
        return SOCKS_MORE;
    s->used = n;
    s->wants_user = false;
    return answer(s, USER_VERSION, USER_ACCEPTED);
}

/* RFC 1928 section 5: how many bytes the address at in takes, a name's length byte included; 0
 * while that byte has not come. type is one of the three. */
static size_t address_length(uint8_t type, struct bytes in)
{
    switch (type) {
    case SOCKS5_IPV4: return 4;
    case SOCKS5_IPV6: return 16;
    case SOCKS5_NAME: return in.n == 0 ? 0 : (size_t)in.p[0] + 1;
    default: return 0;
    }
}

static bool is_address_type(uint8_t type)
{
    return type == SOCKS5_IPV4 || type == SOCKS5_NAME || type == SOCKS5_IPV6;
}

/* RFC 1928 section 4: version, command, reserved, address type, address, port. An unknown address
 * type is answered at once, as the length of the request is not to be known. */
static enum socks_status parse_request(struct socks *s, struct bytes in)
{
    if (in.p[0] != 5)
        return bad(s, "SOCKS5 greeting followed by something other than a SOCKS5 request");
    if (in.n < SOCKS5_HEAD)
        return SOCKS_MORE;
    uint8_t command = in.p[1];
    uint8_t type = in.p[3];
    struct bytes left = skip(in, SOCKS5_HEAD);
    if (!is_address_type(type)) {
        s->used = SOCKS5_HEAD;
        return refuse(s, SOCKS5_BAD_ADDRESS_TYPE, "SOCKS5 address type unknown");
    }
    size_t n = address_length(type, left);
    if (n == 0 || left.n < n + 2)
        return SOCKS_MORE;

    s->used = SOCKS5_HEAD + n + 2;
    s->port = load_be16(left.p + n);
    if (command != COMMAND_CONNECT)
        return refuse(s, SOCKS5_BAD_COMMAND, "SOCKS5 command other than CONNECT");
    if (type == SOCKS5_NAME && !set_name(s, (struct bytes){left.p + 1, n - 1}))
        return refuse(s, SOCKS_FAILURE, "SOCKS5 host name empty or with control characters");
    if (type != SOCKS5_NAME)
        set_address(s, type == SOCKS5_IPV4 ? AF_INET : AF_INET6, left.p);
    return SOCKS_CONNECT;
}

/* ---- Both -------------------------------------------------------------------------------- */

enum socks_status socks_parse(struct socks *s, struct bytes in)
{
    s->used = 0;
    s->host[0] = '\0';
    s->port = 0;
    s->reply_n = 0;
    s->why = NULL;
    if (in.n == 0)
        return SOCKS_MORE;
    if (s->wants_user)
        return parse_user(s, in);
    if (s->greeted)
        return parse_request(s, in);
    if (in.p[0] != 4 && in.p[0] != 5)
        return bad(s, "not SOCKS version 4 or 5");
    s->version = in.p[0];
    return s->version == 4 ? parse_socks4(s, in) : parse_greeting(s, in);
}

size_t socks_reply(uint8_t version, enum socks_outcome outcome, uint8_t *reply)
{
    if (version == 4)
        return put_reply(4, outcome == SOCKS_OK ? SOCKS4_GRANTED : SOCKS4_REJECTED, reply);
    return put_reply(5, (uint8_t)outcome, reply);
}
