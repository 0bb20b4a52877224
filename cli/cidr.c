#include "cli/cidr.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "cli/values.h"

struct network {
    uint8_t address[16];
    int bits, max_bits;
};

/* "::ffff:192.0.2.1" is 192.0.2.1. */
static void unmap(struct network *n)
{
    static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (n->max_bits != 128 || memcmp(n->address, prefix, sizeof prefix) != 0)
        return;
    memmove(n->address, n->address + 12, 4);
    n->bits = n->max_bits = 32;
}

static bool parse_address(const char *text, struct network *n)
{
    *n = (struct network){.bits = 0};
    if (inet_pton(AF_INET, text, n->address) == 1)
        n->bits = n->max_bits = 32;
    else if (inet_pton(AF_INET6, text, n->address) == 1)
        n->bits = n->max_bits = 128;
    return n->max_bits != 0;
}

static bool bit(const uint8_t *address, int i)
{
    return (address[i / 8] >> (7 - i % 8) & 1) != 0;
}

static bool parse_network(struct bytes entry, struct network *n)
{
    char text[INET6_ADDRSTRLEN + 4];
    if (entry.n == 0 || entry.n >= sizeof text || memchr(entry.p, '\0', entry.n) != NULL)
        return false;
    memcpy(text, entry.p, entry.n);
    text[entry.n] = '\0';
    char *slash = strchr(text, '/');
    if (slash != NULL)
        *slash = '\0';
    if (!parse_address(text, n) ||
        (slash != NULL && !value_int(slash + 1, 0, n->max_bits, &n->bits)))
        return false;
    for (int i = n->bits; i < n->max_bits; i++)
        if (bit(n->address, i))
            return false;
    return true;
}

static bool contains(const struct network *n, const struct network *one)
{
    if (n->max_bits != one->max_bits)
        return false;
    for (int i = 0; i < n->bits; i++)
        if (bit(n->address, i) != bit(one->address, i))
            return false;
    return true;
}

enum cidr_match cidr_list_match(const char *address, struct bytes list)
{
    struct network one, n;
    char plain[INET6_ADDRSTRLEN + 1];
    enum cidr_match answer = CIDR_NO;
    size_t length = strcspn(address, "%"); /* a scope: "fe80::1%eth0" */
    if (length >= sizeof plain)
        return CIDR_BAD;
    memcpy(plain, address, length);
    plain[length] = '\0';
    if (!parse_address(plain, &one))
        return CIDR_BAD;
    unmap(&one);
    for (bool more = true; more;) {
        const uint8_t *comma = list.n > 0 ? memchr(list.p, ',', list.n) : NULL;
        struct bytes entry = {list.p, comma != NULL ? (size_t)(comma - list.p) : list.n};
        more = comma != NULL;
        if (!parse_network(entry, &n))
            return CIDR_BAD;
        if (more)
            list = (struct bytes){comma + 1, list.n - entry.n - 1};
        if (contains(&n, &one))
            answer = CIDR_YES;
    }
    return answer;
}
