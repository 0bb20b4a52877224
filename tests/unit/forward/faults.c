#define _GNU_SOURCE /* RTLD_NEXT, accept4 */
#include "tests/unit/forward/faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forward/addr.h"

struct faults faults;

static struct {
    char name[64];
    char addresses[512];
} names[8];
static size_t n_names;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int n_stuck;
static bool is_released;
static int n_lookups;
static sigset_t lookup_mask;

/* The C library's own function; POSIX gives no other way from an object pointer to a function. */
static void find_real(const char *name, void *function)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL)
        abort();
    memcpy(function, &found, sizeof found);
}

void faults_clear(void)
{
    memset(&faults, 0, sizeof faults);
    pthread_mutex_lock(&lock);
    n_names = 0;
    n_lookups = 0;
    is_released = false;
    pthread_mutex_unlock(&lock);
}

/* ---- names */

void faults_name(const char *name, const char *addresses)
{
    pthread_mutex_lock(&lock);
    snprintf(names[n_names].name, sizeof names[n_names].name, "%s", name);
    snprintf(names[n_names].addresses, sizeof names[n_names].addresses, "%s", addresses);
    n_names++;
    pthread_mutex_unlock(&lock);
}

static bool find_name(const char *host, char addresses[512])
{
    bool found = false;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < n_names && !found; i++) {
        found = strcmp(names[i].name, host) == 0;
        if (found)
            memcpy(addresses, names[i].addresses, sizeof names[i].addresses);
    }
    pthread_mutex_unlock(&lock);
    return found;
}

void faults_wait_for_stuck(int n)
{
    pthread_mutex_lock(&lock);
    while (n_stuck < n)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

void faults_release(void)
{
    pthread_mutex_lock(&lock);
    is_released = true;
    pthread_cond_broadcast(&changed);
    while (n_stuck > 0)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

int faults_n_lookups(void)
{
    pthread_mutex_lock(&lock);
    int n = n_lookups;
    pthread_mutex_unlock(&lock);
    return n;
}

void faults_lookup_mask(sigset_t *out)
{
    pthread_mutex_lock(&lock);
    *out = lookup_mask;
    pthread_mutex_unlock(&lock);
}

static bool ends_in(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static void note_lookup(const char *host)
{
    pthread_mutex_lock(&lock);
    n_lookups++;
    pthread_sigmask(SIG_BLOCK, NULL, &lookup_mask);
    if (ends_in(host, ".stuck")) {
        n_stuck++;
        pthread_cond_broadcast(&changed);
        while (!is_released)
            pthread_cond_wait(&changed, &lock);
        n_stuck--;
        pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&lock);
}

typedef int getaddrinfo_fn(
    const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list);

/* The C library frees a list node by node, so lists can be joined. */
static int join_addresses(getaddrinfo_fn *real, char *text, const char *service,
    const struct addrinfo *hints, struct addrinfo **list)
{
    char *rest = NULL;
    struct addrinfo numeric = *hints;
    numeric.ai_flags |= AI_NUMERICHOST;
    *list = NULL;
    for (char *one = strtok_r(text, ",", &rest); one != NULL; one = strtok_r(NULL, ",", &rest)) {
        while (*list != NULL)
            list = &(*list)->ai_next;
        if (real(one, service, &numeric, list) != 0)
            *list = NULL; /* not of the family that was asked for */
    }
    return 0;
}

int getaddrinfo(
    const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
    getaddrinfo_fn *real;
    find_real("getaddrinfo", &real);
    if (host == NULL || hints == NULL || hints->ai_flags & AI_NUMERICHOST)
        return real(host, service, hints, list);
    char addresses[512];
    note_lookup(host);
    if (find_name(host, addresses))
        return join_addresses(real, addresses, service, hints, list);
    if (ends_in(host, ".stuck") || ends_in(host, ".test"))
        return EAI_NONAME;
    return real(host, service, hints, list);
}

/* ---- sockets and threads */

int socket(int domain, int type, int protocol)
{
    int (*real)(int, int, int);
    find_real("socket", &real);
    if (faults.missing_family != 0 && domain == faults.missing_family) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    return real(domain, type, protocol);
}

typedef int address_fn(int fd, const struct sockaddr *a, socklen_t len);

int bind(int fd, const struct sockaddr *a, socklen_t len)
{
    address_fn *real;
    find_real("bind", &real);
    if (faults.bind_error != 0) {
        errno = faults.bind_error;
        return -1;
    }
    if (a->sa_family == AF_INET6 && faults.first_v6_port_is_taken) {
        if (faults.taken_port == 0)
            faults.taken_port = addr_port(a);
        if (faults.taken_port == addr_port(a)) {
            errno = EADDRINUSE;
            return -1;
        }
    }
    if (a->sa_family == AF_INET6 && faults.n_v6_bind_errors > 0) {
        faults.n_v6_bind_errors--;
        errno = faults.v6_bind_error;
        return -1;
    }
    return real(fd, a, len);
}

int connect(int fd, const struct sockaddr *a, socklen_t len)
{
    address_fn *real;
    find_real("connect", &real);
    if (faults.n_connects < 32)
        memcpy(&faults.connected_to[faults.n_connects++], a, len);
    if (faults.meet_self && bind(fd, a, len) != 0)
        return -1;
    return real(fd, a, len);
}

int accept4(int fd, struct sockaddr *restrict a, socklen_t *restrict len, int flags)
{
    int (*real)(int, struct sockaddr *, socklen_t *, int);
    find_real("accept4", &real);
    faults.n_accepts++;
    int error = faults.accept_errors[0];
    if (error != 0) {
        memmove(faults.accept_errors, faults.accept_errors + 1,
            sizeof faults.accept_errors - sizeof faults.accept_errors[0]);
        errno = error;
        return -1;
    }
    return real(fd, a, len, flags);
}

int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attr,
    void *(*start)(void *), void *restrict arg)
{
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    find_real("pthread_create", &real);
    if (faults.no_threads)
        return EAGAIN;
    faults.n_threads++;
    return real(thread, attr, start, arg);
}
