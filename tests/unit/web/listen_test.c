/* web/listen: which addresses are taken. */
#include "web/listen.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const no_addresses[] = {
    "",         "8080",          ":",           "127.0.0.1", ":http", ":65536",
    "::1:8080", "127.0.0.1:80x", "1.2.3.4.5:1", "[::1]",     ":-1"};

Test(listen, refuses_what_is_no_address)
{
    for (size_t i = 0; i < sizeof(no_addresses) / sizeof(*no_addresses); i++) {
        char *reason = NULL;
        int port, fd = listen_on(no_addresses[i], &port, &reason);
        cr_expect_eq(fd, -1, "\"%s\" was taken", no_addresses[i]);
        cr_expect(reason && strstr(reason, no_addresses[i]), "%s", reason);
        free(reason);
    }
}

Test(listen, takes_every_form_of_address)
{
    static const char *const addresses[] = {":0", "127.0.0.1:0", "0.0.0.0:0"};
    for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
        char *reason = NULL;
        int port = 0, fd = listen_on(addresses[i], &port, &reason);
        cr_expect_geq(fd, 0, "%s", reason);
        cr_expect_gt(port, 0);
        close(fd);
    }
}
