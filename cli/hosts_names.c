/* Where else is this key known? A host that has a new name or address is the usual reason why a key
 * is asked about. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/file.h"
#include "cli/hosts_scan.h"

enum { NAMES_MAX = 8 };

struct names {
    struct bytes key;
    const char *file;
    char *out;
    size_t cap, n; /* n: bytes written */
    unsigned n_seen;
};

static void put(struct names *l, const char *text)
{
    if (l->n >= l->cap)
        return;
    int n = snprintf(l->out + l->n, l->cap - l->n, "%s", text);
    l->n = n > 0 && (size_t)n < l->cap - l->n ? l->n + (size_t)n : l->cap - 1;
}

static void look(void *user, const struct hosts_scanned *s)
{
    struct names *l = user;
    char line[1200];
    if (!s->has_key || s->fields.marker != KH_NONE || s->is_host || s->is_address ||
        !bytes_equal(s->key, l->key) || l->n_seen++ >= NAMES_MAX)
        return;
    bool is_hashed = s->fields.hosts.p[0] == '|';
    if (l->n_seen == 1)
        put(l, "This host key is known by the following other names/addresses:\n");
    snprintf(line, sizeof line, "    %s:%lu: %s\n", log_escape_cstr(l->file).s, s->line,
        is_hashed ? "[hashed name]" : log_escape(s->fields.hosts).s);
    put(l, line);
}

void hosts_other_names(
    const struct hosts_query *q, const char *address, struct bytes key, char *out, size_t cap)
{
    struct names l = {.key = key, .out = out, .cap = cap};
    struct file_rules rules = {.max_bytes = HOSTS_FILE_MAX};
    char name[HOSTS_NAME_MAX], address_name[HOSTS_NAME_MAX];
    if (cap > 0)
        out[0] = '\0';
    if (!hosts_name(q->host, q->port, name) || !hosts_name(address, q->port, address_name))
        return;
    for (size_t i = 0; i < q->n_files; i++) {
        struct file f;
        l.file = q->files[i];
        if (file_read(&f, l.file, &rules) == FILE_OK)
            hosts_scan((struct bytes){f.data, f.n}, name, address_name, look, &l);
        file_free(&f);
    }
    if (l.n_seen == 0)
        put(&l, "This key is not known by any other names.\n");
    if (l.n_seen > NAMES_MAX) {
        char line[64];
        snprintf(line, sizeof line, "    (%u additional names omitted)\n", l.n_seen - NAMES_MAX);
        put(&l, line);
    }
}
