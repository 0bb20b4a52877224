/* The lower half of spec.h: a spec's text cut into fields, with no meaning given to them yet. */
#ifndef FORWARD_SPEC_FIELDS_H
#define FORWARD_SPEC_FIELDS_H

#include "forward/spec.h"

enum { SPEC_FIELDS_MAX = 4, SPEC_QUOTE_MAX = 160 };

struct spec_field {
    char *text;   /* unquoted, NUL-terminated, borrowed from struct spec_fields */
    bool is_path; /* holds a '/' that was not quoted by a backslash */
};

struct spec_fields {
    struct spec_field f[SPEC_FIELDS_MAX];
    size_t n;
    char buffer[FORWARD_TEXT_MAX + 1];
};

/* What one parse is about, and where it complains to. */
struct spec_parse {
    enum forward_kind kind;
    const char *name; /* "-L", "LocalForward" */
    const char *text; /* as the user wrote it */
    const struct forward_lookup *lookup;
    char *why;
    size_t why_cap;
};

/* "NAME TEXT: " and the message into why; always ERR_MALFORMED. Arguments are escaped already. */
enum err spec_complain(const struct spec_parse *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The user's text, escaped and cut, for a complaint; borrowed from out. */
const char *spec_quote(char out[SPEC_QUOTE_MAX], const char *text);

/* Expands ${}, skips leading blanks, and cuts text at its colons, or (by_slash) at its slashes
 * where it is an old spelling such as 333/::1/222 and nothing else. */
enum err spec_fields_cut(
    const struct spec_parse *p, const char *text, bool by_slash, struct spec_fields *out) MUST_USE;

#endif
