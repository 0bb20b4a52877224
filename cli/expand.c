#include "cli/expand.h"

#include <pwd.h>
#include <string.h>

struct output {
    char text[EXPAND_MAX];
    size_t n;
    const char *why; /* the first thing that went wrong */
};

static void put(struct output *out, const char *s, size_t n)
{
    if (out->why != NULL)
        return;
    if (n >= sizeof out->text - out->n) {
        out->why = "too long when expanded";
        return;
    }
    memcpy(out->text + out->n, s, n);
    out->n += n;
}

static const char *token_value(const struct expand *e, char letter)
{
    if (letter == '%')
        return "%";
    for (size_t i = 0; i < e->n_tokens; i++)
        if (e->tokens[i].letter == letter)
            return e->tokens[i].value;
    return NULL;
}

/* s stands on '%'; returns how much was used. */
static size_t put_token(struct output *out, const struct expand *e, const char *s)
{
    const char *value = s[1] == '\0' ? NULL : token_value(e, s[1]);
    if (value == NULL) {
        out->why = "unknown %-token";
        return 1;
    }
    put(out, value, strlen(value));
    return 2;
}

/* s stands on "${". */
static size_t put_variable(struct output *out, const struct expand *e, const char *s)
{
    char name[256];
    const char *end = strchr(s, '}');
    size_t n = end == NULL ? 0 : (size_t)(end - s) - 2;
    if (n == 0 || n >= sizeof name) {
        out->why = "bad ${VARIABLE}";
        return 2;
    }
    memcpy(name, s + 2, n);
    name[n] = '\0';
    const char *value = e->env->get(name);
    if (value == NULL)
        out->why = "a ${VARIABLE} that is not set";
    else
        put(out, value, strlen(value));
    return n + 3;
}

/* s stands on '~'. */
static size_t put_home(struct output *out, const struct expand *e, const char *s)
{
    char name[256];
    size_t n = strcspn(s + 1, "/");
    if (n >= sizeof name) {
        out->why = "user name after ~ too long";
        return 1;
    }
    memcpy(name, s + 1, n);
    name[n] = '\0';
    const char *home = e->env->home;
    if (n > 0) {
        const struct passwd *pw = getpwnam(name);
        home = pw == NULL ? "" : pw->pw_dir;
    }
    if (*home == '\0')
        out->why = n > 0 ? "no such user after ~" : "no home folder is known";
    put(out, home, strlen(home));
    return n + 1;
}

const char *expand(struct pool *pool, const struct expand *e, const char *text, const char **why)
{
    struct output out = {.n = 0};
    const char *s = text;
    if (e->tilde && *s == '~')
        s += put_home(&out, e, s);
    while (*s != '\0' && out.why == NULL) {
        if (*s == '%' && e->n_tokens > 0)
            s += put_token(&out, e, s);
        else if (e->variables && s[0] == '$' && s[1] == '{')
            s += put_variable(&out, e, s);
        else
            put(&out, s++, 1);
    }
    *why = out.why;
    if (out.why != NULL)
        return NULL;
    char *copy = pool_strndup(pool, out.text, out.n);
    if (copy == NULL)
        *why = "out of memory";
    return copy;
}
