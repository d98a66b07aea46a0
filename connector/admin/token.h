/*
 * token: the bearer token that whoever changes something by the admin server must show.
 */
#ifndef ADMIN_TOKEN_H
#define ADMIN_TOKEN_H

#include <stdbool.h>

/* Whether the value of an Authorization header (NULL: none) is "Bearer TOKEN". How long it takes
 * says nothing of the token, but for its length. */
bool token_shown(const char *authorization, const char *token);

#endif
