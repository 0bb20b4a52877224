/* What the machine and its user bring along, in one struct, so that everything that reads options
 * and files can be tested in a folder of its own. */
#ifndef CLI_ENVIRONMENT_H
#define CLI_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct environment {
    char home[1024];        /* the user's home folder, no '/' at the end; "" when unknown */
    char user[256];         /* the local user's name (%u); "" when unknown */
    char host[256];         /* the local host's name (%l) */
    uid_t uid;              /* %i, and who may own private files beside root */
    char program[1024];     /* this program's own path; "" when unknown */
    char system_dir[256];   /* "/etc/ssh" */
    bool stdin_is_terminal; /* RequestTTY auto */

    const char *(*get)(const char *name); /* environment variables; never NULL */

    /* Names this program has, comma-separated, in order of preference (crypto's tables). */
    const char *ciphers;
    const char *macs;
    const char *kex;
    const char *signature_algorithms; /* without those for certificates */
    const char *host_key_algorithms;
    /* ... and with those that only who names them gets. */
    const char *all_signature_algorithms;
    const char *all_host_key_algorithms;
};

/* The real ones: the password database, the host's name, the tables of crypto. argv0 is the program
 * where the system does not tell. Never fails; what is unknown is empty. */
void environment_read(struct environment *env, const char *argv0);

#endif
