/* listen: a listening TCP socket from an address as a user writes it. */
#include "web/listen.h"

#include "base/xalloc.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

/* Splits "[::1]:8080" at its last colon. The host is "" for ":8080". */
static bool split_address(const char *address, char **host, char **port)
{
    const char *colon = strrchr(address, ':');
    if (!colon || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
        strtoul(colon + 1, NULL, 10) > UINT16_MAX)
        return false;
    size_t length = (size_t)(colon - address);
    bool brackets = length >= 2 && address[0] == '[' && colon[-1] == ']';
    if (!brackets && memchr(address, ':', length))
        return false; /* an IPv6 address without brackets: where does the port begin? */
    *host = brackets ? xstrndup(address + 1, length - 2) : xstrndup(address, length);
    *port = xstrdup(colon + 1);
    return true;
}

static int listen_at(const struct addrinfo *at)
{
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int on = 1, off = 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (at->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* Errno tells why when this is -1. */
static int listen_host(const char *host, const char *port, const char **wrong)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *found;
    int error = getaddrinfo(host, port, &hints, &found);
    if (error) {
        *wrong = error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error);
        return -1;
    }
    int fd = -1;
    for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next)
        fd = listen_at(at);
    if (fd < 0)
        *wrong = strerror(errno);
    freeaddrinfo(found);
    return fd;
}

static int bound_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } name = {0};
    socklen_t size = sizeof(name);
    getsockname(fd, &name.any, &size);
    return ntohs(name.any.sa_family == AF_INET6 ? name.v6.sin6_port : name.v4.sin_port);
}

bool listen_is_address(const char *address)
{
    char *host, *service;

    if (!split_address(address, &host, &service))
        return false;
    free(host);
    free(service);
    return true;
}

int listen_on(const char *address, int *port, char **reason)
{
    char *host, *service;
    if (!split_address(address, &host, &service)) {
        *reason = xasprintf("cannot listen on \"%s\": not an address like \":8080\", "
                            "\"127.0.0.1:8080\" or \"[::1]:8080\"",
                            address);
        return -1;
    }
    const char *wrong = NULL;
    int fd = listen_host(*host ? host : "::", service, &wrong);
    if (fd < 0 && !*host && errno != EADDRINUSE)
        fd = listen_host("0.0.0.0", service, &wrong); /* a machine without IPv6 */
    if (fd < 0)
        *reason = xasprintf("cannot listen on %s: %s", address, wrong);
    else
        *port = bound_port(fd);
    free(host);
    free(service);
    return fd;
}
