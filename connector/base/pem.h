/*
 * pem: whether a file that an option names can be what it is for, before a library is given it.
 */
#ifndef BASE_PEM_H
#define BASE_PEM_H

#include "base/option.h"

#define PEM_CERTIFICATE "CERTIFICATE-----" /* also X509 CERTIFICATE, TRUSTED CERTIFICATE */
#define PEM_PRIVATE_KEY "PRIVATE KEY-----" /* also EC PRIVATE KEY, ENCRYPTED PRIVATE KEY */

/* The longest that is looked at. */
enum { PEM_LIMIT = 16 * 1024 * 1024 };

/* Whether the file holds one of a kind. False: a fault was added, which ends with the advice. */
bool pem_check(const char *option, const char *path, const char *kind, const char *advice,
               struct option_faults *faults);

#endif
