/* aditd's command line: which files it names, and where to listen. No file is read here. */
#ifndef CLI_ADITD_ARGV_H
#define CLI_ADITD_ARGV_H

#include "cli/server.h"

enum { ADITD_KEYS_MAX = 8 };

/* All texts are borrowed from argv. */
struct aditd_argv {
    struct server_options server; /* without host keys: those are to be read */
    const char *key_paths[ADITD_KEYS_MAX];
    size_t n_keys;
    const char *cert_paths[ADITD_KEYS_MAX];
    size_t n_certs;
};

enum aditd_verdict {
    ADITD_RUN,     /* there is a host key, and a file that says who may log in */
    ADITD_VERSION, /* -V was met */
    ADITD_USAGE,   /* an unknown option, which has been named */
    ADITD_BAD,     /* anything else, and why has been said */
};

/* Fills *a, sets the log's level (-q, -v), and has the log go to the file of -E from there on. */
enum aditd_verdict aditd_argv_parse(struct aditd_argv *a, int argc, char *argv[]);

#endif
