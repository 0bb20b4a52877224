/* An input is an address and a list of networks, parted by a newline. A list is as good as its
 * worst entry, and holds what one of its entries holds. */
#include <string.h>

#include "cli/cidr.h"
#include "fuzz/fuzz.h"

enum { MAX_BYTES = 256 };

static enum cidr_match one_by_one(const char *address, struct bytes list)
{
    enum cidr_match answer = CIDR_NO;
    for (size_t at = 0; at <= list.n;) {
        const uint8_t *comma = at < list.n ? memchr(list.p + at, ',', list.n - at) : NULL;
        size_t n = comma != NULL ? (size_t)(comma - list.p) - at : list.n - at;
        enum cidr_match m = cidr_list_match(address, (struct bytes){list.p + at, n});
        if (m == CIDR_BAD)
            return CIDR_BAD;
        answer = m == CIDR_YES ? m : answer;
        at += n + 1;
    }
    return answer;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char address[MAX_BYTES];
    const uint8_t *newline = n == 0 ? NULL : memchr(data, '\n', n);
    if (newline == NULL || n > MAX_BYTES)
        return 0;
    size_t address_n = (size_t)(newline - data);
    memcpy(address, data, address_n);
    address[address_n] = '\0';
    struct bytes list = {newline + 1, n - address_n - 1};
    enum cidr_match m = cidr_list_match(address, list);
    fuzz_require(m == one_by_one(address, list));
    enum cidr_match everywhere = cidr_list_match(address, BYTES_LIT("0.0.0.0/0,::/0"));
    fuzz_require(everywhere != CIDR_NO && (m == CIDR_BAD || everywhere == CIDR_YES));
    return 0;
}
