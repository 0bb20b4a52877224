/* Every line of a known_hosts file that holds a key, whoever it is for. */
#ifndef CLI_HOSTS_SCAN_H
#define CLI_HOSTS_SCAN_H

#include "cli/hosts.h"

struct hosts_scanned {
    struct bytes raw;               /* the line with its end, as it stands */
    struct known_hosts_line fields; /* all empty when has_key is false */
    struct bytes key;
    unsigned long line;
    bool has_key;    /* else a comment, a blank or a bad line */
    bool is_host;    /* it is for the name asked about */
    bool is_address; /* for the address */
};

/* Walks over a file's text. name and address as hosts_name() makes them; address may be NULL.
 * each(): everything is borrowed until it returns. */
void hosts_scan(struct bytes text, const char *name, const char *address,
    void (*each)(void *user, const struct hosts_scanned *s), void *user);

#endif
