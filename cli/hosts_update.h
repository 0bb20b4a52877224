/* UpdateHostKeys on the side of the files: what the user's known_hosts files hold of a server's
 * keys, and bringing them up to date. ssh's rules, for whom the lines must be simple ones: where
 * patterns, markers, other names or lists by hand are involved nothing is touched. */
#ifndef CLI_HOSTS_UPDATE_H
#define CLI_HOSTS_UPDATE_H

#include "cli/hosts.h"
#include "cli/pool.h"

enum { HOSTS_UPDATE_KEYS_MAX = 64, HOSTS_UPDATE_OLD_MAX = 256 };

struct hosts_update {
    /* The question, the caller's. */
    const char *host;
    const char *address; /* CheckHostIP: the numeric one; else NULL */
    uint16_t port;
    const struct text_list *files; /* the user's; new lines go to the first */
    bool hashed;
    struct bytes keys[HOSTS_UPDATE_KEYS_MAX]; /* all that the server has, no two alike */
    size_t n_keys;

    /* Found by hosts_update_look(). */
    bool known[HOSTS_UPDATE_KEYS_MAX];      /* some line for this host has it */
    size_t n_new;                           /* keys not known */
    struct bytes old[HOSTS_UPDATE_OLD_MAX]; /* keys of lines for this host that are not the server's
                                             * any more; in pool */
    size_t n_old;
    struct pool pool; /* the caller's to free */
};

/* Compares. NULL: go on, there may be something to do (n_new, n_old). Otherwise a static phrase
 * that says why nothing may be changed. */
const char *hosts_update_look(struct hosts_update *u);

/* Adds the new keys and takes the old ones out. Each file is written anew beside the old one, which
 * stays as FILE.old, and takes its place whole, with its owner and mode; a symbolic link stays one.
 * false: a message was logged, and the file it names is as it was. */
bool hosts_update_write(struct hosts_update *u, struct rng *rng);

#endif
