/* The small frame around CUnit: each tests/unit/<folder>/test_<module>.c is a program whose main()
 * hands its table of tests to unit_main(), which runs them, prints one line a test (its name, read
 * as a sentence) and gives the process's exit status: 0 when every assertion held. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <CUnit/Basic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct unit_test {
    const char *name; /* a sentence about behaviour, as it is printed */
    void (*run)(void);
};

/* Runs n tests of module; returns main()'s exit status. An argument on the command line would
 * change nothing, so main takes none. */
int unit_main(const char *module, const struct unit_test *tests, size_t n);

/* Names a test by its function: underscores are printed as spaces. */
#define UNIT(fn)                                                                                   \
    {                                                                                              \
#fn, fn                                                                                    \
    }
#define UNIT_MAIN(module, tests)                                                                   \
    int main(void)                                                                                 \
    {                                                                                              \
        return unit_main(module, tests, sizeof(tests) / sizeof((tests)[0]));                       \
    }

/* Decodes lower- or upper-case hex, spaces ignored, into out; returns the byte count. Aborts the
 * program on bad hex or a lack of room: that is a mistake in the test. */
size_t unit_hex(const char *hex, uint8_t *out, size_t cap);

#endif
