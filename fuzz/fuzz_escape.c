/* An input is an escape character (a byte; 255: none), a length of pieces, a room, and keys.
 * However they are cut, and however little room there is, the same comes out of it. */
#include <string.h>

#include "cli/escape.h"
#include "fuzz/fuzz.h"

enum { MAX_BYTES = 512 };

struct typed {
    uint8_t out[MAX_BYTES];
    size_t out_n;
    uint8_t actions[MAX_BYTES];
    size_t places[MAX_BYTES]; /* out_n at each action */
    size_t n_actions;
    bool held;
};

static void type_piece(
    struct typed *t, struct escape *e, const uint8_t *keys, size_t n, size_t room)
{
    size_t used = 0;
    while (used < n) {
        enum escape_action action;
        uint8_t which = 0, *out = malloc(room); /* of just its size, for the sanitizer */
        fuzz_require(out != NULL);
        size_t out_n;
        size_t took = escape_feed(e, keys + used, n - used, out, room, &out_n, &action, &which);
        fuzz_require(took <= n - used && out_n <= room && took + out_n > 0);
        fuzz_require(t->out_n + out_n <= sizeof t->out);
        memcpy(t->out + t->out_n, out, out_n);
        free(out);
        t->out_n += out_n;
        used += took;
        if (action != ESCAPE_NONE) {
            fuzz_require(took > 0 && which == keys[used - 1] && t->n_actions < MAX_BYTES);
            t->places[t->n_actions] = t->out_n;
            t->actions[t->n_actions++] = which;
        } else {
            fuzz_require(used == n || out_n == room);
        }
    }
}

static struct typed type(int character, const uint8_t *keys, size_t n, size_t piece, size_t room)
{
    struct typed t = {.out_n = 0};
    struct escape e = escape_new(character);
    for (size_t at = 0; at < n; at += piece)
        type_piece(&t, &e, keys + at, n - at < piece ? n - at : piece, room);
    t.held = escape_finish(&e);
    fuzz_require(!escape_finish(&e));
    /* every byte came out, was held back, was half of a command or doubled */
    fuzz_require(t.out_n + t.held + 2 * t.n_actions <= n);
    return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 3 || n > MAX_BYTES)
        return 0;
    int character = data[0] == 255 ? -2 : data[0];
    size_t piece = 1 + (size_t)data[1], room = 1 + (size_t)data[2];
    struct typed whole = type(character, data + 3, n - 3, MAX_BYTES, MAX_BYTES);
    struct typed cut = type(character, data + 3, n - 3, piece, room);
    fuzz_require(whole.out_n == cut.out_n && whole.n_actions == cut.n_actions);
    fuzz_require(memcmp(whole.out, cut.out, cut.out_n) == 0 && whole.held == cut.held);
    fuzz_require(memcmp(whole.actions, cut.actions, cut.n_actions) == 0);
    fuzz_require(memcmp(whole.places, cut.places, cut.n_actions * sizeof cut.places[0]) == 0);
    if (character < 0)
        fuzz_require(whole.out_n == n - 3 && memcmp(whole.out, data + 3, n - 3) == 0);
    return 0;
}
