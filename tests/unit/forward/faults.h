/* Faults to order: the test programs' own versions of a few calls of the C library, which do what
 * these say, and else call the real one. All zero: nothing is different. */
#ifndef TESTS_FORWARD_FAULTS_H
#define TESTS_FORWARD_FAULTS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct faults {
    int missing_family;          /* socket() knows no such family */
    int v6_bind_error;           /* errno of bind() to an IPv6 address, ... */
    int n_v6_bind_errors;        /* ... this many times */
    int bind_error;              /* errno of every bind() */
    bool first_v6_port_is_taken; /* bind() to IPv6 refuses the first port it is asked for, always */
    uint16_t taken_port;
    int accept_errors[8]; /* errnos of the next accept4() calls; 0 ends the list */
    bool no_threads;      /* pthread_create() fails */
    bool meet_self;       /* connect() first binds to the port it goes to */

    int n_accepts; /* calls so far */
    struct sockaddr_storage connected_to[32];
    int n_connects;
    int n_threads;
};
extern struct faults faults;

/* Everything back to normal, calls forgotten; a test that orders faults ends with it. */
void faults_clear(void);

/* From now on name resolves to the numeric addresses, in that order: "::1,127.0.0.1". Any other
 * name that ends in ".test" is unknown (EAI_NONAME). */
void faults_name(const char *name, const char *addresses);

/* Names that end in ".stuck" hold their thread up until faults_release(), then are unknown. */
void faults_wait_for_stuck(int n); /* until n look-ups are held up */
void faults_release(void);         /* lets all go, and waits until they have gone */

int faults_n_lookups(void);             /* that were not AI_NUMERICHOST */
void faults_lookup_mask(sigset_t *out); /* signal mask of the last such look-up's thread */

#endif
