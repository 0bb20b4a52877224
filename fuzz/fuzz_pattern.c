/* An input is a list of patterns and a name, parted by a newline. The matcher is held against one
 * that is slow and plain: a table of which head of the pattern matches which head of the name. */
#include <string.h>

#include "fuzz/fuzz.h"
#include "proto/known_hosts.h"

enum { MAX_BYTES = 96 };

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static bool plain_match(struct bytes pattern, struct bytes name)
{
    bool row[MAX_BYTES + 1] = {true}; /* row[n]: the pattern so far matches n bytes of name */
    for (size_t p = 0; p < pattern.n; p++) {
        bool diagonal = row[0];
        row[0] = row[0] && pattern.p[p] == '*';
        for (size_t n = 1; n <= name.n; n++) {
            bool above = row[n];
            if (pattern.p[p] == '*')
                row[n] = above || row[n - 1];
            else
                row[n] = diagonal &&
                         (pattern.p[p] == '?' || lower(pattern.p[p]) == lower(name.p[n - 1]));
            diagonal = above;
        }
    }
    return row[name.n];
}

static bool plain_list_match(struct bytes list, struct bytes name)
{
    bool matched = false;
    for (size_t at = 0, end; at < list.n; at = end + 1) {
        for (end = at; end < list.n && list.p[end] != ','; end++)
            ;
        bool is_negated = end > at && list.p[at] == '!';
        size_t start = at + (is_negated ? 1 : 0);
        bool hit = end > start && plain_match((struct bytes){list.p + start, end - start}, name);
        if (hit && is_negated)
            return false;
        matched = matched || hit;
    }
    return matched;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const uint8_t *newline = n == 0 ? NULL : memchr(data, '\n', n);
    if (newline == NULL || n > MAX_BYTES)
        return 0;
    struct bytes patterns = {data, (size_t)(newline - data)};
    struct bytes name = {newline + 1, n - patterns.n - 1};
    fuzz_require(pattern_match(patterns, name) == plain_match(patterns, name));
    fuzz_require(pattern_list_match(patterns, name) == plain_list_match(patterns, name));
    return 0;
}
