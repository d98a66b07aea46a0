/*
 * secret: which settings are secrets, by their names, and how their values are taken out of what
 * other processes see of us.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the first `size` bytes of a text name a secret: "sasl.password", "kafka_ssl_key_pem". */
bool secret_is_name(const char *text, size_t size);

/* Of a list of texts, NULL-ended (argv, environ), has each "NAME=VALUE" whose name is a secret's
 * point to a copy and clears the value where it stood: /proc/PID/environ, /proc/PID/cmdline and the
 * environment in a core dump show it no more. To be called first of all; the copies stay. */
void secret_hide(char **list);

#endif
