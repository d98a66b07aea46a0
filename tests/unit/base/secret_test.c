/* base/secret: which settings are secrets, and what is left of them in the lists. */
#include "base/secret.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(secret, is_told_by_its_name)
{
    static const char *const secrets[] = {"sasl.password",  "kafka_ssl_key_password",
                                          "ssl.key.pem",    "sasl.oauthbearer.client.secret",
                                          "KAFKA_PASSWORD", "sasl.oauthbearer.config"};
    static const char *const others[] = {"sasl.username", "topics", "ssl.ca.location", ""};

    for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++)
        cr_expect(secret_is_name(secrets[i], strlen(secrets[i])), "%s", secrets[i]);
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        cr_expect_not(secret_is_name(others[i], strlen(others[i])), "%s", others[i]);
    cr_expect_not(secret_is_name("topics=password", 6), "a value is no name");
}

Test(secret, is_cleared_where_it_stood_and_read_where_it_is)
{
    static char variable[] = "kafka_sasl_password=canary", flag[] = "-X=sasl.password=canary",
                other[] = "topics=password", empty[] = "kafka_sasl_password=";
    char *list[] = {variable, flag, other, empty, NULL};

    secret_hide(list);
    cr_expect_str_eq(list[0], "kafka_sasl_password=canary");
    cr_expect_str_eq(list[1], "-X=sasl.password=canary");
    cr_expect_str_eq(variable, "kafka_sasl_password=");
    cr_expect_str_eq(flag, "-X=sasl.password=");
    for (size_t i = 0; i < sizeof(variable); i++)
        cr_expect(variable[i] != 'y' && (i < 20 || !variable[i]));
    cr_expect_eq(list[2], other);
    cr_expect_str_eq(other, "topics=password");
    cr_expect_eq(list[3], empty);
    free(list[0]); /* a program's live as long as it does */
    free(list[1]);
}
