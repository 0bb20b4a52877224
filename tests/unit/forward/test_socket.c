/* Options of sockets, read back from the kernel. */
#include "forward/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "forward/addr.h"
#include "tests/unit/forward/drive.h"
#include "tests/unit/unit.h"

static int option_of(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof value;
    getsockopt(fd, level, name, &value, &len);
    return value;
}

/* A connection to that port, made. */
static int connected(int family, uint16_t port)
{
    struct pollfd p = {.fd = drive_connect(family, port), .events = POLLOUT};
    CU_ASSERT_EQUAL_FATAL(poll(&p, 1, 5000), 1);
    return p.fd;
}

/* ---- congestion control -----------------------------------------------------------------------
 */

struct congestion {
    char name[16];
};

static struct congestion congestion_of(int fd)
{
    struct congestion c = {""};
    socklen_t len = sizeof c.name;
    getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, c.name, &len);
    return c;
}

static bool set_bbr(int fd)
{
    return setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "bbr", strlen("bbr")) == 0;
}

static void peer_of(int fd, struct sockaddr_storage *a)
{
    socklen_t len = sizeof *a;
    CU_ASSERT_EQUAL(getpeername(fd, (struct sockaddr *)a, &len), 0);
}

static struct sockaddr_storage v4(uint32_t address)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    struct sockaddr_storage a = {0};
    memcpy(&a, &in, sizeof in);
    return a;
}

static struct sockaddr_storage v6(const struct in6_addr *address)
{
    struct sockaddr_in6 in = {.sin6_family = AF_INET6, .sin6_addr = *address};
    struct sockaddr_storage a = {0};
    memcpy(&a, &in, sizeof in);
    return a;
}

static void loopback_is_127_and_1_and_127_within_ipv6(void)
{
    static const struct {
        struct in6_addr address;
        bool is_loopback;
    } cases[] = {
        {IN6ADDR_LOOPBACK_INIT, true},
        {IN6ADDR_ANY_INIT, false},
        {{{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 3, 2, 1}}}, true},
        {{{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 3, 2, 1}}}, false},
        {{{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 127, 3, 2, 1}}}, false},
        {{{{0xfe, 0x80, [15] = 1}}}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sockaddr_storage a = v6(&cases[i].address);
        CU_ASSERT_EQUAL(addr_is_loopback((struct sockaddr *)&a), cases[i].is_loopback);
    }
    static const struct {
        uint32_t address;
        bool is_loopback;
    } cases4[] = {{0x7f000001, true}, {0x7fffffff, true}, {0x7effffff, false}, {0x80000000, false},
        {0x0a00007f, false}};
    for (size_t i = 0; i < sizeof cases4 / sizeof cases4[0]; i++) {
        struct sockaddr_storage a = v4(cases4[i].address);
        CU_ASSERT_EQUAL(addr_is_loopback((struct sockaddr *)&a), cases4[i].is_loopback);
    }
    struct sockaddr_storage unix_socket = {.ss_family = AF_UNIX};
    CU_ASSERT_FALSE(addr_is_loopback((struct sockaddr *)&unix_socket));
}

/* The first socket that is asked tells the machine's way: here one that was told bbr. */
static void a_loopback_socket_is_taken_off_bbr_and_others_are_not(void)
{
    uint16_t port = 0;
    int listen_fd = drive_listen(AF_INET, &port, 4), fd = connected(AF_INET, port);
    struct sockaddr_storage here, elsewhere = v4(0x0a000001);
    peer_of(fd, &here);
    if (!set_bbr(fd)) {
        printf("       skipped: this kernel gives no bbr: %s\n", strerror(errno));
    } else {
        socket_unpaced(fd, (struct sockaddr *)&elsewhere);
        CU_ASSERT_STRING_EQUAL(congestion_of(fd).name, "bbr");
        socket_unpaced(fd, (struct sockaddr *)&here);
        struct congestion now = congestion_of(fd);
        CU_ASSERT(strcmp(now.name, "cubic") == 0 || strcmp(now.name, "reno") == 0);
    }
    close(fd);
    close(listen_fd);
}

/* ---- type of service --------------------------------------------------------------------------
 */

static void type_of_service_is_set_by_the_peers_family(void)
{
    uint16_t port = 0;
    int listen_fd = drive_listen(AF_INET, &port, 4), fd = connected(AF_INET, port);
    socket_qos(fd, SOCKET_QOS_NONE);
    CU_ASSERT_EQUAL(option_of(fd, IPPROTO_IP, IP_TOS), 0);
    socket_qos(fd, 0x10);
    CU_ASSERT_EQUAL(option_of(fd, IPPROTO_IP, IP_TOS), 0x10);
    socket_qos(fd, SOCKET_QOS_NONE);
    CU_ASSERT_EQUAL(option_of(fd, IPPROTO_IP, IP_TOS), 0x10);
    close(fd);
    close(listen_fd);
    if (!drive_has_ipv6())
        return;
    port = 0;
    listen_fd = drive_listen(AF_INET6, &port, 4), fd = connected(AF_INET6, port);
    socket_qos(fd, 0xb8);
    CU_ASSERT_EQUAL(option_of(fd, IPPROTO_IPV6, IPV6_TCLASS), 0xb8);
    close(fd);
    close(listen_fd);
}

static void a_socket_without_type_of_service_is_left_alone(void)
{
    int fds[2];
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    socket_qos(fds[0], 0x10);
    CU_ASSERT_EQUAL(write(fds[0], "x", 1), 1);
    close(fds[0]);
    close(fds[1]);
}

static const struct unit_test tests[] = {
    UNIT(loopback_is_127_and_1_and_127_within_ipv6),
    UNIT(a_loopback_socket_is_taken_off_bbr_and_others_are_not),
    UNIT(type_of_service_is_set_by_the_peers_family),
    UNIT(a_socket_without_type_of_service_is_left_alone),
};
UNIT_MAIN("forward/socket", tests)
