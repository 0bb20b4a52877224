/* An input is a kind of value (its first byte) and the text of one, as a config file has it. What
 * is refused leaves the output alone; what is accepted is in its range, and written plainly it is
 * accepted as the same. Ports by name are left out: the machine's file of services says them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/values.h"
#include "fuzz/fuzz.h"
#include "proto/namelist.h"

enum { MAX_BYTES = 256, NONE = -7, UNTOUCHED = -99, N_KINDS = 7 };

static const char ours[] = "one,two,three@x", all[] = "one,two,three@x,ssh-rsa";

static void check_int(const char *text)
{
    int v = UNTOUCHED, again = UNTOUCHED;
    char plain[32];
    bool ok = value_int(text, 3, 70000, &v);
    fuzz_require(ok ? v >= 3 && v <= 70000 : v == UNTOUCHED);
    snprintf(plain, sizeof plain, "%d", v);
    fuzz_require(!ok || (value_int(plain, 3, 70000, &again) && again == v));
}

static void check_port(const char *text)
{
    int v = UNTOUCHED;
    if (*text < '0' || *text > '9')
        return;
    bool ok = value_port(text, &v);
    fuzz_require(ok ? v >= 1 && v <= 65535 : v == UNTOUCHED);
}

static void check_time(const char *text)
{
    int v = UNTOUCHED, again = UNTOUCHED;
    char plain[MAX_BYTES + 32];
    bool ok = value_time(text, &v);
    fuzz_require(ok ? v >= 0 : v == UNTOUCHED);
    snprintf(plain, sizeof plain, "%ds", v);
    fuzz_require(!ok || (value_time(plain, &again) && again == v));
    snprintf(plain, sizeof plain, "0w%s", text);
    if (*text != '\0') /* nothing is no time */
        fuzz_require(value_time(plain, &again) == ok && (!ok || again == v));
}

static void check_size(const char *text)
{
    int64_t v = UNTOUCHED, again = UNTOUCHED;
    char plain[32];
    bool ok = value_size(text, &v);
    fuzz_require(ok ? v >= 0 : v == UNTOUCHED);
    snprintf(plain, sizeof plain, "%" PRId64, v);
    fuzz_require(!ok || (value_size(plain, &again) && again == v));
}

static void check_qos(const char *text)
{
    int v = UNTOUCHED, again = UNTOUCHED;
    bool ok = value_qos(text, NONE, &v);
    fuzz_require(ok ? v == NONE || (v >= 0 && v <= 255) : v == UNTOUCHED);
    const char *name = ok && v != NONE ? value_qos_name(v) : NULL;
    fuzz_require(name == NULL || (value_qos(name, NONE, &again) && again == v));
}

static void check_escape(const char *text)
{
    int v = UNTOUCHED;
    bool ok = value_escape(text, NONE, &v);
    fuzz_require(ok ? v == NONE || (v >= 0 && v <= 255) : v == UNTOUCHED);
}

/* The result holds names of ours, each once. */
static void check_names(const char *list)
{
    struct bytes left = bytes_of(list), name;
    while (namelist_next(&left, &name))
        fuzz_require(namelist_has(bytes_of(all), name) && !namelist_has(left, name));
}

static void check_algorithms(const char *text)
{
    struct pool pool = {NULL};
    struct text_list skipped = {NULL, 0, 0};
    const char *out = NULL, *unknown = NULL;
    enum value_list e = value_algorithms(&pool, text, ours, all, &out, &unknown, &skipped);
    fuzz_require((e == VALUE_LIST_UNKNOWN) == (unknown != NULL));
    fuzz_require(e != VALUE_LIST_NOMEM && (e != VALUE_LIST_OK || *out != '\0'));
    if (e == VALUE_LIST_OK)
        check_names(out);
    pool_free(&pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static void (*const checks[N_KINDS])(const char *text) = {
        check_int, check_port, check_time, check_size, check_qos, check_escape, check_algorithms};
    char text[MAX_BYTES + 1];
    if (n < 1 || n - 1 > MAX_BYTES)
        return 0;
    memcpy(text, data + 1, n - 1);
    text[n - 1] = '\0';
    checks[data[0] % N_KINDS](text);
    return 0;
}
