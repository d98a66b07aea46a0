/* kafka/security and kafka/credentials: what is judged before anybody connects, secrets from files,
 * and that those are taken up when they change. */
#include "kafka/client.h"
#include "kafka/credentials.h"
#include "kafka/security.h"

#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROPERTIES_MAX = 8 };

static struct kafka_options options_of(const char *const *properties)
{
    static char *brokers[] = {"127.0.0.1:1"};
    struct kafka_options options = {.client_id = "tested", .brokers = {brokers, 1}};

    options.properties.items = (char **)properties;
    while (options.properties.count < PROPERTIES_MAX && properties[options.properties.count])
        options.properties.count++;
    return options;
}

#define SASL "security.protocol=SASL_SSL"
#define USER "sasl.username=alice"

Test(security, says_what_is_missing_before_anybody_connects)
{
    static const struct {
        const char *sentence;
        const char *properties[PROPERTIES_MAX];
        const char *says; /* NULL: it is good */
    } cases[] = {
        {"nothing is asked of a plain connection", {NULL}, NULL},
        {"SASL needs a mechanism", {SASL, USER}, "sasl.mechanism: security.protocol=sasl_ssl"},
        {"SCRAM is one",
         {SASL, "sasl.mechanism=SCRAM-SHA-512", USER, "sasl.password=canary"},
         NULL},
        {"so is it by its other name",
         {SASL, "sasl.mechanisms=PLAIN", USER, "sasl.password=canary"},
         NULL},
        {"it needs a user",
         {SASL, "sasl.mechanism=PLAIN", "sasl.password=canary"},
         "sasl.username: sasl.mechanism=PLAIN needs it, or sasl.username.file"},
        {"and a password",
         {SASL, "sasl.mechanism=SCRAM-SHA-256", USER},
         "sasl.password: sasl.mechanism=SCRAM-SHA-256 needs it, or sasl.password.file"},
        {"tokens need a source",
         {SASL, "sasl.mechanism=OAUTHBEARER", "sasl.oauthbearer.config=principal=canary"},
         "OAUTHBEARER needs a source of tokens"},
        {"which is not librdkafka's own",
         {SASL, "sasl.mechanism=OAUTHBEARER", "enable.sasl.oauthbearer.unsecure.jwt=true"},
         "put a token into a file"},
        {"nor a file without one",
         {SASL, "sasl.mechanism=OAUTHBEARER", "sasl.oauthbearer.token.file=/proc/version"},
         "sasl.oauthbearer.token.file: cannot use /proc/version: it is no JWT"},
        {"an authority that is not there",
         {"ssl.ca.location=/nowhere/ca.pem"},
         "ssl.ca.location: /nowhere/ca.pem cannot be read: No such file"},
        {"a key that is not there",
         {"ssl.key.location=/nowhere/key.pem"},
         "ssl.key.location: /nowhere/key.pem cannot be read"},
        {"authorities that librdkafka looks for", {"ssl.ca.location=probe"}, NULL},
        {"a secret's file that is not there",
         {"sasl.password.file=/nowhere/password"},
         "sasl.password.file: cannot use /nowhere/password: No such file"},
        {"a file of nothing that we know",
         {"sasl.pasword.file=/proc/version"},
         "unknown Kafka property sasl.pasword; did you mean sasl.password?"},
        {"what an option sets is not set by a file either",
         {"client.id.file=/proc/version"},
         "client.id is set by the option client_id"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct kafka_options options = options_of(cases[i].properties);
        struct option_faults faults = {0};
        rd_kafka_conf_t *conf = kafka_conf_new(&options, NULL, NULL, &faults);

        cr_expect_eq(faults.count, cases[i].says != NULL, "%s: %zu", cases[i].sentence,
                     faults.count);
        if (cases[i].says && faults.count) {
            cr_expect_not_null(strstr(faults.items[0], cases[i].says), "%s: %s", cases[i].sentence,
                               faults.items[0]);
            cr_expect_null(strstr(faults.items[0], "canary"), "%s", faults.items[0]);
        }
        if (conf)
            rd_kafka_conf_destroy(conf);
        option_faults_release(&faults);
    }
}

/* ---- secrets from files ---- */

static void write_file(const char *path, const char *text)
{
    FILE *to = fopen(path, "w");

    cr_assert_not_null(to);
    fputs(text, to);
    fclose(to);
}

static char *password_of(rd_kafka_t *kafka)
{
    return kafka_conf_value_dup(rd_kafka_conf(kafka), "sasl.password");
}

#define EXPECT_PASSWORD(kafka, wanted)                                                             \
    do {                                                                                           \
        char *found = password_of(kafka);                                                          \
        cr_expect_str_eq(found, wanted);                                                           \
        free(found);                                                                               \
    } while (0)

Test(security, takes_a_password_from_a_file_and_takes_up_another)
{
    char path[] = "/tmp/security_test.XXXXXX", property[64], reason[256];
    const char *const properties[] = {SASL, "sasl.mechanism=PLAIN", USER, property, NULL};
    struct credentials credentials;
    struct option_faults faults = {0};
    struct kafka_options options;
    rd_kafka_conf_t *conf, *kept;
    rd_kafka_t *kafka;

    close(mkstemp(path));
    snprintf(property, sizeof(property), "sasl.password.file=%s", path);
    write_file(path, "first\nnot this\n");
    options = options_of(properties);
    conf = kafka_conf_new(&options, NULL, NULL, &faults);
    cr_assert_not_null(conf);
    rd_kafka_conf_set(conf, "log_level", "0", reason, sizeof(reason));
    kept = rd_kafka_conf_dup(conf);
    kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
    cr_assert_not_null(kafka, "%s", reason);
    credentials_init(&credentials, &options);
    EXPECT_PASSWORD(kafka, "first");

    write_file(path, "second\r\n");
    credentials_look(&credentials, 1000, kafka, kept);
    EXPECT_PASSWORD(kafka, "second");
    char *of_later = kafka_conf_value_dup(kept, "sasl.password");
    cr_expect_str_eq(of_later, "second", "a client made later has it too");
    free(of_later);

    write_file(path, "third");
    credentials_look(&credentials, 1000 + CREDENTIALS_LOOK_MS - 1, kafka, kept);
    EXPECT_PASSWORD(kafka, "second"); /* it is not looked at so often */
    credentials_look(&credentials, 1000 + CREDENTIALS_LOOK_MS, kafka, kept);
    EXPECT_PASSWORD(kafka, "third");

    unlink(path);
    credentials_look(&credentials, 1000 + 2 * CREDENTIALS_LOOK_MS, kafka, kept);
    EXPECT_PASSWORD(kafka, "third"); /* the old one stays */
    credentials_release(&credentials);
    rd_kafka_conf_destroy(kept);
    rd_kafka_destroy(kafka);
}

/* The file's value was used from the first look on. */
Test(security, a_value_from_a_stronger_source_is_not_replaced_by_an_earlier_file_s)
{
    static const struct {
        const char *properties[PROPERTIES_MAX];
        const char *user_file, *password_file;
    } cases[] = {
        {{"sasl.username.file=/user", "sasl.password.file=/password"}, "/user", "/password"},
        {{"sasl.password.file=/password", "sasl.password=canary"}, NULL, NULL},
        {{"sasl.password=canary", "sasl.password.file=/password", USER}, NULL, "/password"},
        {{"sasl.password.file=/weak", "sasl.password.file=/strong"}, NULL, "/strong"},
        {{USER, "sasl.password=canary"}, NULL, NULL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct kafka_options options = options_of(cases[i].properties);
        struct credentials credentials;

        credentials_init(&credentials, &options);
        cr_expect_str_eq(credentials.user_file ? credentials.user_file : "",
                         cases[i].user_file ? cases[i].user_file : "", "%zu", i);
        cr_expect_str_eq(credentials.password_file ? credentials.password_file : "",
                         cases[i].password_file ? cases[i].password_file : "", "%zu", i);
        credentials_release(&credentials);
    }
}
