/* An input is DER, of any structure. What the reader takes, written again with the shortest length,
 * is the very same bytes; a number comes without zeros in front. */
#include <string.h>

#include "crypto/der.h"
#include "fuzz/fuzz.h"

enum { MAX_BYTES = 4096, MAX_DEPTH = 8 };

static size_t header_bytes(size_t n)
{
    size_t header = 2;
    for (size_t left = n; n >= 0x80 && left > 0; left >>= 8)
        header++;
    return header;
}

static void check_number(struct bytes element)
{
    struct der_reader r = der_reader(element), again = r;
    struct bytes m = der_positive(&r, "a number");
    uint32_t v = der_u32(&again, "a number");
    fuzz_require((r.wrong == NULL) == (m.n > 0) && (m.n == 0 || m.p[0] != 0));
    fuzz_require(r.wrong != NULL || again.wrong == NULL);
    fuzz_require(m.n == 0 || m.n > 4 || v >> 8 * (m.n - 1) == m.p[0]);
}

static void check_bits(struct bytes element)
{
    struct der_reader r = der_reader(element);
    struct bytes bits = der_bits(&r, DER_BIT_STRING, "bits");
    fuzz_require(r.wrong != NULL || bits.p + bits.n == element.p + element.n);
}

static void walk(struct der_reader *r, int depth)
{
    while (r->wrong == NULL && r->left > 0) {
        uint8_t tag = r->p[0];
        const uint8_t *start = r->p;
        size_t left = r->left;
        bool is_constructed = (tag & 0x20) != 0 && depth < MAX_DEPTH;
        struct der_reader copy = *r, inner = der_enter(r, tag, "an element");
        struct bytes contents = der_take(&copy, tag, "an element");
        fuzz_require(copy.wrong == r->wrong && copy.left == r->left);
        if (r->wrong != NULL) {
            fuzz_require(contents.n == 0 && inner.wrong == r->wrong && r->left == 0);
            return;
        }
        fuzz_require(contents.p == start + header_bytes(contents.n));
        fuzz_require(r->p == contents.p + contents.n && r->left == left - (size_t)(r->p - start));
        struct bytes element = {start, (size_t)(r->p - start)};
        if (tag == DER_INTEGER)
            check_number(element);
        if (tag == DER_BIT_STRING)
            check_bits(element);
        if (is_constructed) {
            walk(&inner, depth + 1);
            der_leave(r, &inner, "the end");
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n > MAX_BYTES)
        return 0;
    struct der_reader r = der_reader((struct bytes){data, n});
    walk(&r, 0);
    fuzz_require(r.left == 0);
    return 0;
}
