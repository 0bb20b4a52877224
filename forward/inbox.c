#include "forward/inbox.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct inbox_post {
    struct inbox_post *next;
    void (*fn)(void *arg);
    void *arg;
};

static struct inbox_post *take_posts(struct inbox *box)
{
    pthread_mutex_lock(&box->lock);
    struct inbox_post *first = box->first;
    box->first = NULL;
    box->end = &box->first;
    pthread_mutex_unlock(&box->lock);
    return first;
}

/* The counter is cleared before the list is taken: a post that comes in between is run now and
 * wakes the loop once for nothing; the other way round it would be lost. */
static void on_wake(struct loop_source *source, unsigned events)
{
    (void)events;
    uint64_t n;
    if (read(source->fd, &n, sizeof n) != (ssize_t)sizeof n)
        return;
    struct inbox_post *post = take_posts(source->user);
    while (post != NULL) {
        struct inbox_post *next = post->next;
        post->fn(post->arg);
        free(post);
        post = next;
    }
}

bool inbox_post(struct inbox *box, void (*fn)(void *arg), void *arg)
{
    struct inbox_post *post = malloc(sizeof *post);
    if (post == NULL)
        return false;
    *post = (struct inbox_post){.fn = fn, .arg = arg};
    pthread_mutex_lock(&box->lock);
    bool was_empty = box->first == NULL;
    *box->end = post;
    box->end = &post->next;
    /* Under the lock, so that the loop cannot be freed between the two. The counter would have to
     * reach 2^64 - 1 to refuse one more. */
    ssize_t n = was_empty ? write(box->wake.fd, &(uint64_t){1}, sizeof(uint64_t)) : 0;
    (void)n;
    pthread_mutex_unlock(&box->lock);
    return true;
}

/* As many as one read gives; the source is level-triggered, so the others follow next turn. */
static void on_signals(struct loop_source *source, unsigned events)
{
    (void)events;
    struct inbox *box = source->user;
    struct signalfd_siginfo info[8];
    ssize_t got = read(source->fd, info, sizeof info);
    size_t n = got > 0 ? (size_t)got / sizeof info[0] : 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t signo = info[i].ssi_signo;
        if (signo < INBOX_N_SIGNALS && box->handlers[signo].fn != NULL)
            box->handlers[signo].fn(box->handlers[signo].user, (int)signo);
    }
}

static enum err open_signals(struct inbox *box, struct loop *l, int fd)
{
    box->signals = (struct loop_source){.fd = fd, .ready = on_signals, .user = box, .slot = -1};
    enum err e = loop_add_level(l, &box->signals);
    if (e != ERR_OK) {
        close(fd);
        box->signals.fd = -1;
    }
    return e;
}

/* Blocked before it is asked for: between the two it must not strike as an ordinary signal. */
enum err inbox_signal(
    struct inbox *box, struct loop *l, int signo, void (*fn)(void *user, int signo), void *user)
{
    sigset_t wanted = box->wanted;
    if (signo >= INBOX_N_SIGNALS || sigaddset(&wanted, signo) != 0)
        return ERR_INTERNAL;
    if (pthread_sigmask(SIG_BLOCK, &wanted, NULL) != 0)
        return ERR_IO;
    int fd = signalfd(box->signals.fd, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0)
        return ERR_IO;
    enum err e = box->signals.fd < 0 ? open_signals(box, l, fd) : ERR_OK;
    if (e != ERR_OK)
        return e;
    box->wanted = wanted;
    box->handlers[signo].fn = fn;
    box->handlers[signo].user = user;
    return ERR_OK;
}

enum err inbox_open(struct inbox *box, struct loop *l)
{
    box->first = NULL;
    box->end = &box->first;
    box->signals.fd = -1;
    sigemptyset(&box->wanted);
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0)
        return ERR_IO;
    box->wake = (struct loop_source){.fd = fd, .ready = on_wake, .user = box, .slot = -1};
    enum err e = loop_add_level(l, &box->wake);
    if (e != ERR_OK) {
        int why = errno;
        close(fd);
        errno = why;
        return e;
    }
    pthread_mutex_init(&box->lock, NULL);
    return ERR_OK;
}

void inbox_close(struct inbox *box, struct loop *l)
{
    struct inbox_post *post = take_posts(box);
    while (post != NULL) {
        struct inbox_post *next = post->next;
        free(post);
        post = next;
    }
    loop_remove(l, &box->wake);
    close(box->wake.fd);
    if (box->signals.fd >= 0) {
        loop_remove(l, &box->signals);
        close(box->signals.fd);
    }
    pthread_mutex_destroy(&box->lock);
}
