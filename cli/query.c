#include "cli/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "cli/log.h"
#include "crypto/key.h"
#include "proto/known_hosts.h"
#include "proto/namelist.h"

enum query {
    QUERY_CIPHERS,
    QUERY_AEAD,
    QUERY_COMPRESSION,
    QUERY_KEX,
    QUERY_KEYS,       /* types of keys, certificates included */
    QUERY_KEYS_CERT,  /* types of certificates */
    QUERY_KEYS_PLAIN, /* types of plain keys */
    QUERY_KEY_SIG,    /* whatever may stand in HostKeyAlgorithms and its like */
    QUERY_MACS,
    QUERY_PROTOCOL,
    QUERY_SIG, /* the same, without certificates */
    QUERY_HELP,
};

static const struct {
    const char *name;
    enum query query;
    bool is_keyword; /* of ssh_config; not in the list of help */
} table[] = {
    {"cipher", QUERY_CIPHERS, false},
    {"cipher-auth", QUERY_AEAD, false},
    {"compression", QUERY_COMPRESSION, false},
    {"kex", QUERY_KEX, false},
    {"key", QUERY_KEYS, false},
    {"key-cert", QUERY_KEYS_CERT, false},
    {"key-plain", QUERY_KEYS_PLAIN, false},
    {"key-sig", QUERY_KEY_SIG, false},
    {"mac", QUERY_MACS, false},
    {"protocol-version", QUERY_PROTOCOL, false},
    {"sig", QUERY_SIG, false},
    {"help", QUERY_HELP, true},
    {"Ciphers", QUERY_CIPHERS, true},
    {"HostbasedAcceptedAlgorithms", QUERY_KEY_SIG, true},
    {"HostbasedAcceptedKeyTypes", QUERY_KEY_SIG, true},
    {"HostbasedKeyTypes", QUERY_KEY_SIG, true},
    {"HostKeyAlgorithms", QUERY_KEY_SIG, true},
    {"KexAlgorithms", QUERY_KEX, true},
    {"MACs", QUERY_MACS, true},
    {"PubkeyAcceptedAlgorithms", QUERY_KEY_SIG, true},
    {"PubkeyAcceptedKeyTypes", QUERY_KEY_SIG, true},
};
enum { N_QUERIES = sizeof table / sizeof table[0] };

/* Those names of list that match pattern, or those that do not. */
static void put(FILE *out, const char *list, const char *pattern, bool wants_match)
{
    struct bytes rest = bytes_of(list), name;
    while (namelist_next(&rest, &name))
        if (pattern_match(bytes_of(pattern), name) == wants_match)
            fprintf(out, "%.*s\n", (int)name.n, (const char *)name.p);
}

/* Every type of plain key once: several algorithms may be for one. */
static void put_plain_types(FILE *out, const char *algorithms)
{
    struct bytes rest = bytes_of(algorithms), name;
    const char *last = "";
    while (namelist_next(&rest, &name)) {
        const char *type = key_type_of_algorithm(name);
        if (type != NULL && !pattern_match(BYTES_LIT("*-cert-v01@*"), name) &&
            strcasecmp(type, last) != 0)
            fprintf(out, "%s\n", last = type);
    }
}

static void answer(FILE *out, const struct environment *env, enum query q)
{
    static const char certificates[] = "*-cert-v01@*", all[] = "*";
    const char *keys = env->all_host_key_algorithms;
    switch (q) {
    case QUERY_CIPHERS: put(out, env->ciphers, all, true); break;
    case QUERY_AEAD:
        put(out, env->ciphers, "chacha20-poly1305@*", true);
        put(out, env->ciphers, "*-gcm@*", true);
        break;
    case QUERY_COMPRESSION: fputs("none\nzlib@openssh.com\n", out); break;
    case QUERY_KEX: put(out, env->kex, all, true); break;
    case QUERY_KEYS:
        put_plain_types(out, keys);
        put(out, keys, certificates, true);
        break;
    case QUERY_KEYS_CERT: put(out, keys, certificates, true); break;
    case QUERY_KEYS_PLAIN: put_plain_types(out, keys); break;
    case QUERY_KEY_SIG: put(out, keys, all, true); break;
    case QUERY_MACS: put(out, env->macs, all, true); break;
    case QUERY_PROTOCOL: fputs("2\n", out); break;
    case QUERY_SIG: put(out, keys, certificates, false); break;
    case QUERY_HELP:
        for (size_t i = 0; i < N_QUERIES; i++)
            if (!table[i].is_keyword)
                fprintf(out, "%s\n", table[i].name);
        break;
    }
}

static void say_unknown(const char *name)
{
    char list[512] = "";
    size_t n = 0;
    for (size_t i = 0; i < N_QUERIES; i++)
        n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", i > 0 ? ", " : "", table[i].name);
    log_error("Unsupported query \"%s\": expected one of %s", log_escape_cstr(name).s, list);
}

char *query_dup(const struct environment *env, const char *name)
{
    char *page = NULL;
    size_t n = 0;
    for (size_t i = 0; i < N_QUERIES; i++) {
        if (strcasecmp(name, table[i].name) != 0)
            continue;
        FILE *out = open_memstream(&page, &n);
        if (out == NULL)
            return NULL;
        answer(out, env, table[i].query);
        if (fclose(out) == 0)
            return page;
        free(page);
        return NULL;
    }
    say_unknown(name);
    return NULL;
}
