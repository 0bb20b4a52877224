/* An input is a line of known_hosts. Its fields, joined by single spaces, are the same line. */
#include <string.h>

#include "fuzz/fuzz.h"
#include "proto/known_hosts.h"

enum { MAX_BYTES = 2048 };

static void put_field(struct wire_writer *w, struct bytes field)
{
    wire_put_raw(w, field);
    wire_put_u8(w, ' ');
}

static struct bytes join(const struct known_hosts_line *l, uint8_t *out, size_t cap)
{
    struct wire_writer w = wire_writer(out, cap);
    if (l->marker != KH_NONE)
        put_field(&w, bytes_of(l->marker == KH_REVOKED ? "@revoked" : "@cert-authority"));
    put_field(&w, l->hosts);
    put_field(&w, l->key_type);
    put_field(&w, l->key_b64);
    wire_put_raw(&w, l->comment);
    fuzz_require(!w.bad);
    return wire_written(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n > MAX_BYTES)
        return 0;
    struct known_hosts_line one, two;
    const char *why;
    enum known_hosts_kind kind = known_hosts_parse((struct bytes){data, n}, &one, &why);
    fuzz_require((kind == KH_BAD) == (why != NULL));
    if (kind != KH_LINE)
        return 0;
    fuzz_require(one.hosts.n > 0 && one.key_type.n > 0 && one.key_b64.n > 0);

    uint8_t out[MAX_BYTES + 64];
    struct bytes joined = join(&one, out, sizeof out);
    fuzz_require(known_hosts_parse(joined, &two, &why) == KH_LINE && one.marker == two.marker);
    fuzz_require(bytes_equal(one.hosts, two.hosts) && bytes_equal(one.key_type, two.key_type));
    fuzz_require(bytes_equal(one.key_b64, two.key_b64) && bytes_equal(one.comment, two.comment));
    return 0;
}
