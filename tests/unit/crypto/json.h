/* A reader for Wycheproof's JSON files, just as much as they need: it walks the text without
 * building anything. It trusts its input, which is fixed and ours; a mistake ends the program.
 * Functions are static because a test program is one file and the frame. */
#ifndef TESTS_UNIT_CRYPTO_JSON_H
#define TESTS_UNIT_CRYPTO_JSON_H

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A value is where it starts in the text; NULL means "not there". */

static inline const char *json_space(const char *p)
{
    while (isspace((unsigned char)*p))
        p++;
    return p;
}

/* Behind the closing quote of the string at p. */
static inline const char *json_skip_string(const char *p)
{
    for (p++; *p != '"'; p++) {
        if (*p == '\\')
            p++;
        if (*p == '\0')
            abort();
    }
    return p + 1;
}

/* Behind the value at p; brackets are only counted, which is enough for well-formed text. */
static inline const char *json_skip(const char *p)
{
    int depth = 0;
    do {
        p = json_space(p);
        if (*p == '\0')
            abort();
        if (*p == '"') {
            p = json_skip_string(p);
            continue;
        }
        if (*p == '{' || *p == '[')
            depth++;
        if (*p == '}' || *p == ']')
            depth--;
        p++;
        while (depth == 0 && (isalnum((unsigned char)*p) || *p == '.' || *p == '-'))
            p++; /* the rest of a number or word */
    } while (depth > 0);
    return p;
}

/* The first element of an array, or the first key of an object. */
static inline const char *json_first(const char *container)
{
    const char *p = json_space(container + 1);
    return *p == ']' || *p == '}' ? NULL : p;
}

static inline const char *json_next(const char *element)
{
    const char *p = json_space(json_skip(element));
    return *p == ',' ? json_space(p + 1) : NULL;
}

/* Does the string value equal s? */
static inline bool json_is(const char *string, const char *s)
{
    size_t n = strlen(s);
    return string != NULL && strncmp(string + 1, s, n) == 0 && string[1 + n] == '"';
}

/* The member of an object by name. */
static inline const char *json_get(const char *object, const char *name)
{
    for (const char *key = json_first(object); key != NULL;) {
        const char *value = json_space(json_space(json_skip_string(key)) + 1); /* past ':' */
        if (json_is(key, name))
            return value;
        key = json_next(value);
    }
    return NULL;
}

static inline int json_hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    if (at == NULL)
        abort();
    return (int)(at - digits);
}

/* A string of hex digits as bytes; returns their count. */
static inline size_t json_hex(const char *string, uint8_t *out, size_t cap)
{
    size_t n = 0;
    if (string == NULL || *string != '"')
        abort();
    for (const char *p = string + 1; *p != '"'; p += 2) {
        if (n == cap)
            abort();
        out[n++] = (uint8_t)(json_hex_digit(p[0]) << 4 | json_hex_digit(p[1]));
    }
    return n;
}

/* A file whole, NUL-terminated, for the caller to free; NULL when it cannot be opened. */
static inline char *json_load(const char *folder, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return NULL;
    size_t n = 0, cap = (size_t)4 << 20;
    char *text = malloc(cap);
    if (text == NULL)
        abort();
    n = fread(text, 1, cap - 1, f);
    text[n] = '\0';
    fclose(f);
    return text;
}

#endif
