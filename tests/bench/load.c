/* The load generator: both ends of a tunnel, and the network in between. Every command is on
 * 127.0.0.1 only, takes SECONDS as its last argument, and ends after that at the latest.
 *
 * serve          the far end: source, sink, echo; prints "port N"
 * up | down ROUTE BYTES
 *                one transfer; prints its seconds
 * streams up|down ROUTE N WARM_MS WINDOW_MS SERVER_PORT
 *                N endless ones at once; prints "begun" when the window opens, then MB/s and Jain's
 *                fairness within the window
 * echo ROUTE N   N round trips of a byte; prints how many there were, then p50, p99 and the longest
 *                in microseconds
 * answers ROUTE BYTES N
 *                the same for N requests on one connection, each answered with so many bytes
 * open ROUTE N AT_ONCE
 *                opens and closes N; prints how many were usable, how many failed, and seconds
 * hold ROUTE N AT_ONCE
 *                opens N, prints the same, keeps them until its standard input ends
 * relay PORT ROUND_TRIP_MS MBIT_S
 *                a slow link to PORT; prints "port N"
 * bare PORT CALL_BYTES
 *                recv and send, nothing else; prints "port N", then CPU seconds per GB and bytes a
 *                call of the one transfer that went through it
 *
 * A ROUTE is PORT, or PORT/TARGET through the SOCKS proxy at PORT. */
#include "load.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_SECONDS = 3600, MAX_CONNECTIONS = 60000, MAX_ROUND_TRIPS = 10000000 };

static unsigned count(const char *text)
{
    return (unsigned)parse_number(text, MAX_CONNECTIONS);
}

static _Noreturn void usage(void)
{
    fprintf(stderr,
        "usage: load serve | up | down | streams | echo | answers | open | hold | relay | bare\n"
        "       (load.c says what each takes)\n");
    exit(2);
}

static enum request direction(const char *text)
{
    if (strcmp(text, "up") == 0)
        return REQUEST_UP;
    if (strcmp(text, "down") == 0)
        return REQUEST_DOWN;
    usage();
}

int main(int argc, char *argv[])
{
    if (argc < 3)
        usage();
    const char *command = argv[1];
    char **a = argv + 2; /* the command's own arguments, SECONDS the last */
    int n = argc - 2;
    unsigned seconds = (unsigned)parse_number(a[n - 1], MAX_SECONDS);

    signal(SIGPIPE, SIG_IGN);
    raise_file_limit();
    (void)shared_chunk();
    alarm(seconds + 5); /* whatever a command waits for, it does not outlive its time by much */
    if (strcmp(command, "serve") == 0 && n == 1)
        serve(seconds);
    else if ((strcmp(command, "up") == 0 || strcmp(command, "down") == 0) && n == 3)
        move(direction(command), parse_route(a[0]), parse_number(a[1], UINT64_MAX), seconds);
    else if (strcmp(command, "streams") == 0 && n == 7)
        streams((struct streams){.direction = direction(a[0]),
                    .route = parse_route(a[1]),
                    .n = count(a[2]),
                    .warm_ms = count(a[3]),
                    .window_ms = count(a[4]),
                    .server_port = parse_route(a[5]).port},
            seconds);
    else if (strcmp(command, "echo") == 0 && n == 3)
        echo(parse_route(a[0]), (unsigned)parse_number(a[1], MAX_ROUND_TRIPS), seconds);
    else if (strcmp(command, "answers") == 0 && n == 4)
        answers(parse_route(a[0]), (size_t)parse_number(a[1], CHUNK_BYTES),
            (unsigned)parse_number(a[2], MAX_ROUND_TRIPS), seconds);
    else if (strcmp(command, "open") == 0 && n == 4)
        open_and_close(parse_route(a[0]), count(a[1]), count(a[2]), seconds);
    else if (strcmp(command, "hold") == 0 && n == 4)
        hold(parse_route(a[0]), count(a[1]), count(a[2]), seconds);
    else if (strcmp(command, "relay") == 0 && n == 4)
        relay((struct link){.target = parse_route(a[0]).port,
                  .round_trip_ms = count(a[1]),
                  .mbit_s = count(a[2])},
            seconds);
    else if (strcmp(command, "bare") == 0 && n == 3)
        bare(parse_route(a[0]).port, (size_t)parse_number(a[1], 1 << 24), seconds);
    else
        usage();
    return 0;
}
