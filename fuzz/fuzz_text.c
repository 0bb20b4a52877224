/* An input is a size for the output and a peer's text. */
#include <string.h>

#include "fuzz/fuzz.h"
#include "proto/text.h"

enum { MAX_BYTES = 128 };

static uint8_t hex_digit(char c)
{
    fuzz_require((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* A line is escaped without loss: what was sent can be read back. */
static void reads_back(const char *line, struct bytes in)
{
    size_t n = 0;
    for (const char *c = line; *c != '\0'; c++) {
        uint8_t byte = (uint8_t)*c;
        if (*c == '\\' && c[1] == '\\') {
            c++;
        } else if (*c == '\\') {
            fuzz_require(c[1] == 'x');
            byte = (uint8_t)(hex_digit(c[2]) << 4 | hex_digit(c[3]));
            c += 3;
        }
        fuzz_require(n < in.n && in.p[n] == byte);
        n++;
    }
    fuzz_require(n == in.n);
}

/* What was escaped holds nothing that would have to be. */
static void is_harmless(const char *text, size_t n)
{
    static char again[4 * MAX_BYTES + 8];
    struct bytes in = {(const uint8_t *)text, n};
    fuzz_require(text_escape(again, sizeof again, in, TEXT_BANNER) == n);
    fuzz_require(strcmp(again, text) == 0);
}

static void is_cut_well(
    const char *whole, size_t n_whole, size_t cap, struct bytes in, enum text_mode mode)
{
    char cut[8 + 256 + 1];
    cut[cap] = '#';
    size_t n = text_escape(cut, cap, in, mode);
    fuzz_require(n < cap && cut[n] == '\0' && strlen(cut) == n && cut[cap] == '#');
    is_harmless(cut, n);
    if (n_whole < cap)
        fuzz_require(strcmp(cut, whole) == 0);
    else
        fuzz_require(memcmp(cut, whole, n - 3) == 0 && strcmp(cut + n - 3, "...") == 0);
}

/* A mask and a question after what is harmless judge as escaping does. */
static void is_masked_well(struct bytes in)
{
    char text[MAX_BYTES + 1], before[MAX_BYTES + 1];
    size_t n = 0;
    while (n < in.n && in.p[n] != '\0' && in.p[n] != '\\') /* what a line doubles is harmless */
        n++;
    in.n = n;
    memcpy(text, in.p, n);
    text[n] = '\0';
    memcpy(before, text, n + 1);
    static char escaped[4 * MAX_BYTES + 8];
    bool is_clean = text_escape(escaped, sizeof escaped, in, TEXT_LINE) == n;
    fuzz_require(text_is_harmless(in) == is_clean);
    text_mask(text);
    fuzz_require(strlen(text) == n && text_is_harmless(bytes_of(text)));
    fuzz_require((strcmp(text, before) == 0) == is_clean);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static char whole[4 * MAX_BYTES + 8];
    if (n == 0 || n > MAX_BYTES)
        return 0;
    size_t cap = 8 + (size_t)data[0];
    struct bytes in = {data + 1, n - 1};

    size_t n_whole = text_escape(whole, sizeof whole, in, TEXT_LINE);
    reads_back(whole, in);
    is_harmless(whole, n_whole);
    fuzz_require(strchr(whole, '\n') == NULL && strchr(whole, '\t') == NULL);
    is_cut_well(whole, n_whole, cap, in, TEXT_LINE);

    n_whole = text_escape(whole, sizeof whole, in, TEXT_BANNER);
    is_harmless(whole, n_whole);
    is_cut_well(whole, n_whole, cap, in, TEXT_BANNER);
    is_masked_well(in);
    return 0;
}
