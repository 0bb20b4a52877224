/* Patterns of ssh_config(5), PATTERNS, as known_hosts lines and configurations use them. */
#include <string.h>

#include "proto/known_hosts.h"

/* Not tolower(): that would follow the locale. */
static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

/* On a mismatch only the last star is asked to take one byte more: what an earlier star took can
 * stay, as the later one can take anything it would have given back. So there is no recursion, and
 * the work is bounded by the product of the lengths. */
bool pattern_match(struct bytes pattern, struct bytes name)
{
    size_t p = 0, n = 0;
    bool star_seen = false;
    size_t after_star = 0; /* in pattern, where to resume */
    size_t star_end = 0;   /* in name, up to where the last star reaches */

    while (n < name.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star_seen = true;
            after_star = ++p;
            star_end = n;
        } else if (p < pattern.n &&
                   (pattern.p[p] == '?' || lower(pattern.p[p]) == lower(name.p[n]))) {
            p++;
            n++;
        } else if (star_seen) {
            p = after_star;
            n = ++star_end;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}

static struct bytes take_to_comma(struct bytes *list)
{
    const uint8_t *comma = memchr(list->p, ',', list->n);
    size_t n = comma == NULL ? list->n : (size_t)(comma - list->p);
    size_t taken = comma == NULL ? n : n + 1;
    struct bytes one = {list->p, n};
    list->p += taken;
    list->n -= taken;
    return one;
}

bool pattern_list_match(struct bytes patterns, struct bytes name)
{
    bool matched = false;
    while (patterns.n > 0) {
        struct bytes one = take_to_comma(&patterns);
        bool is_negated = one.n > 0 && one.p[0] == '!';
        if (is_negated)
            one = (struct bytes){one.p + 1, one.n - 1};
        if (one.n == 0 || !pattern_match(one, name))
            continue;
        if (is_negated)
            return false;
        matched = true;
    }
    return matched;
}
