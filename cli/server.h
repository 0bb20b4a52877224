/* aditd's run: listen, and for every connection a transport, a login by key, a gateway. Forwarding
 * only: there is no code here that could start a program for a client. */
#ifndef CLI_SERVER_H
#define CLI_SERVER_H

#include "crypto/key.h"

struct server_options {
    const char *listen_address;                 /* NULL: loopback, both families */
    int port;                                   /* 0: the kernel picks */
    const char *authorized_keys;                /* NULL: none, and then there are */
    const char *authorities;                    /* a file of trusted user CA keys; NULL: none */
    const struct private_key *const *host_keys; /* those with certificates before those without */
    size_t n_host_keys;
    bool foreground;
};

/* Serves until SIGTERM or SIGINT; returns the exit status. Prints "listening on ADDRESS port N"
 * when ready. */
int server_run(const struct server_options *options);

#endif
