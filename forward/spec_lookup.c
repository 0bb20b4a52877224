/* The system's side of struct forward_lookup. */
#include "forward/spec.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>

static const char *variable(void *arg, const char *name)
{
    (void)arg;
    return getenv(name);
}

static int service(void *arg, const char *name)
{
    (void)arg;
    const struct servent *s = getservbyname(name, "tcp");
    return s != NULL ? ntohs((uint16_t)s->s_port) : -1;
}

struct forward_lookup forward_lookup_system(void)
{
    return (struct forward_lookup){.variable = variable, .service = service};
}
