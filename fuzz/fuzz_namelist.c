/* An input is two name-lists, parted by a newline. */
#include <string.h>

#include "fuzz/fuzz.h"
#include "proto/namelist.h"

enum { MAX_BYTES = 1024 };

/* The names of a valid list, joined by commas, are the list without its empty names. */
static void joins_again(struct bytes list)
{
    uint8_t out[MAX_BYTES], expected[MAX_BYTES];
    struct wire_writer w = wire_writer(out, sizeof out);
    struct bytes left = list, name;
    for (bool is_first = true; namelist_next(&left, &name); is_first = false) {
        fuzz_require(name.n > 0 && name.n <= 64 && namelist_has(list, name));
        if (!is_first)
            wire_put_u8(&w, ',');
        wire_put_raw(&w, name);
    }
    size_t n = 0;
    for (size_t i = 0; i < list.n; i++)
        if (list.p[i] != ',' || (n > 0 && expected[n - 1] != ','))
            expected[n++] = list.p[i];
    if (n > 0 && expected[n - 1] == ',')
        n--;
    fuzz_require(bytes_equal(wire_written(&w), (struct bytes){expected, n}));
}

static void chooses_the_first_in_common(struct bytes client, struct bytes server)
{
    struct bytes chosen = namelist_choose(client, server), name;
    fuzz_require(chosen.n == 0 || (namelist_has(client, chosen) && namelist_has(server, chosen)));
    while (namelist_next(&client, &name) && !bytes_equal(name, chosen))
        fuzz_require(!namelist_has(server, name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const uint8_t *newline = n == 0 ? NULL : memchr(data, '\n', n);
    if (newline == NULL || n > MAX_BYTES)
        return 0;
    struct bytes client = {data, (size_t)(newline - data)};
    struct bytes server = {newline + 1, n - client.n - 1};
    bool are_valid = namelist_is_valid(client) && namelist_is_valid(server);
    (void)namelist_choose(client, server); /* total, even so */
    if (!are_valid)
        return 0;
    joins_again(client);
    joins_again(server);
    chooses_the_first_in_common(client, server);
    return 0;
}
