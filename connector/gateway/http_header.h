/*
 * http_header: what the connector reads in an answer's header lines. Pure; private to http.
 */
#ifndef GATEWAY_HTTP_HEADER_H
#define GATEWAY_HTTP_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { HTTP_RETRY_AFTER_LIMIT_S = 7 * 24 * 3600 };

/* Whether a line, with its line break, is the header `name` in any case. *value gets a copy of
 * what is behind the colon, without blanks around it, cut to fit. */
enum { HTTP_VALUE_SIZE = 64 };
bool http_header_is(const char *line, size_t size, const char *name, char value[HTTP_VALUE_SIZE]);

/* A Retry-After in seconds or as a date, from `now` on, in ms: 0 for a date gone by, at most
 * HTTP_RETRY_AFTER_LIMIT_S. -1: neither. */
int64_t http_retry_after_ms(const char *value, time_t now);

#endif
