/* What reaches a loop from outside its own turn: calls posted by other threads, and signals. */
#ifndef FORWARD_INBOX_H
#define FORWARD_INBOX_H

#include <pthread.h>
#include <signal.h>

#include "forward/loop.h"

enum { INBOX_N_SIGNALS = 65 }; /* Linux: 1 to 64 */

struct inbox_post;

struct inbox {
    pthread_mutex_t lock; /* guards the list; everything else is the loop's thread's alone */
    struct inbox_post *first, **end;
    struct loop_source wake;    /* eventfd: the list is not empty */
    struct loop_source signals; /* signalfd, once a signal is asked for; else its fd is -1 */
    sigset_t wanted;
    struct {
        void (*fn)(void *user, int signo);
        void *user;
    } handlers[INBOX_N_SIGNALS];
};

enum err inbox_open(struct inbox *box, struct loop *l) MUST_USE; /* on failure errno says why */
void inbox_close(struct inbox *box, struct loop *l);
bool inbox_post(struct inbox *box, void (*fn)(void *arg), void *arg); /* any thread */
enum err inbox_signal(struct inbox *box, struct loop *l, int signo,
    void (*fn)(void *user, int signo), void *user) MUST_USE;

#endif
