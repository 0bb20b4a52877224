#include "tests/unit/unit.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_name(const char *module, const char *name, bool ok)
{
    char line[160];
    snprintf(line, sizeof line, "%s", name);
    for (char *p = line; *p != '\0'; p++)
        if (*p == '_')
            *p = ' ';
    printf("%s %s: %s\n", ok ? "ok    " : "FAILED", module, line);
    fflush(stdout);
}

int unit_main(const char *module, const struct unit_test *tests, size_t n)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    CU_pSuite suite = CU_add_suite(module, NULL, NULL);
    unsigned n_failed = 0;
    for (size_t i = 0; i < n; i++) {
        CU_pTest test = CU_add_test(suite, tests[i].name, tests[i].run);
        if (test == NULL) {
            fprintf(stderr, "%s: cannot add test %s\n", module, tests[i].name);
            return 2;
        }
        CU_run_test(suite, test);
        bool ok = CU_get_number_of_failures() == 0;
        print_name(module, tests[i].name, ok);
        for (CU_pFailureRecord f = CU_get_failure_list(); f != NULL; f = f->pNext)
            printf("    %s:%u: %s\n", f->strFileName, f->uiLineNumber, f->strCondition);
        n_failed += ok ? 0 : 1;
    }
    CU_cleanup_registry();
    return n_failed == 0 ? 0 : 1;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t unit_hex(const char *hex, uint8_t *out, size_t cap)
{
    size_t n = 0;
    while (*hex != '\0') {
        if (isspace((unsigned char)*hex)) {
            hex++;
            continue;
        }
        int hi = hex_digit(hex[0]);
        int lo = hi < 0 ? -1 : hex_digit(hex[1]);
        if (lo < 0 || n == cap) {
            fprintf(stderr, "unit_hex: bad hex or no room at \"%.16s\"\n", hex);
            abort();
        }
        out[n++] = (uint8_t)(hi << 4 | lo);
        hex += 2;
    }
    return n;
}
