/*
 * listen: a listening TCP socket from an address as a user writes it.
 */
#ifndef WEB_LISTEN_H
#define WEB_LISTEN_H

#include <stdbool.h>

/* Listens on ":8081" (every address, IPv6 and IPv4), "127.0.0.1:8080", "[::1]:8080", or port 0 for
 * any free one. Returns the socket, non-blocking and closed on exec, with its port in *port; -1:
 * *reason (caller frees) names the address and what is wrong with it. */
int listen_on(const char *address, int *port, char **reason);

/* Whether the address is written so; listens on nothing. */
bool listen_is_address(const char *address);

#endif
