/*
 * The shipped programs and a Kafka that is particular about whom it talks to: each way to
 * authenticate connects, in every mode and in the producer, or fails with one sentence that names
 * the property to look at. Users, certificates and broker are made here.
 */
#include "base/xalloc.h"
#include "tests/harness/await.h"
#include "tests/harness/broker.h"
#include "tests/harness/child.h"
#include "tests/harness/cluster.h"
#include "tests/harness/fail.h"
#include "tests/harness/secured.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the programs, one a row ---- */

static const struct program {
    const char *name;
    const char *arguments[6]; /* the program and its arguments */
    const char *good;         /* it says so when it was let in */
    bool stays;               /* it goes on whatever comes, until it is ended */
} programs[] = {
    {"check", {"kafka-connector", "check"}, "brokers: 1", false},
    {"invoke", {"kafka-connector", "invoke"}, "Response [200] from work", true},
    {"watch", {"kafka-connector", "watch"}, "Wake-up of sleeper", true},
    {"lag",
     {"kafka-connector", "lag", "--group=" SECURED_GROUP, "--timeout=10s"},
     SECURED_TOPIC "\t0",
     false},
    {"scale",
     {"kafka-connector", "scale", "--consumerGroup=" SECURED_GROUP, "--topic=" SECURED_TOPIC,
      "--grpc_listen=127.0.0.1:0"},
     "Collected 1 lag samples",
     true},
    {"producer",
     {"producer", "-topic=" SECURED_TOPIC, "-X", "message.timeout.ms=10000"},
     "1 records sent",
     false},
};

enum { PROGRAMS = sizeof(programs) / sizeof(*programs) };

/* ---- the cases ---- */

#define PASSWORD(user) "kafka_sasl_username=" user, "kafka_sasl_password=" SECURED_PASSWORD
#define WRONG          "kafka_sasl_username=alice", "kafka_sasl_password=" SECURED_CANARY
#define CA             "kafka_ssl_ca_location=@/ca.pem"
#define TOKENS         "kafka_sasl_mechanism=OAUTHBEARER"
#define PLAINLY        "kafka_security_protocol=SASL_PLAINTEXT"
#define OVER_TLS       "kafka_security_protocol=SSL"

static const struct {
    const char *name, *listener;
    const char *says; /* NULL: it is let in */
    const char *settings[7];
} cases[] = {
    {"SCRAM-SHA-512",
     "SASL",
     NULL,
     {PLAINLY, "kafka_sasl_mechanism=SCRAM-SHA-512", PASSWORD("alice")}},
    {"SCRAM-SHA-256",
     "SASL",
     NULL,
     {PLAINLY, "kafka_sasl_mechanism=SCRAM-SHA-256", PASSWORD("alice")}},
    {"PLAIN", "SASL", NULL, {PLAINLY, "kafka_sasl_mechanism=PLAIN", PASSWORD("alice")}},
    {"a password from a file",
     "SASL",
     NULL,
     {PLAINLY, "kafka_sasl_mechanism=SCRAM-SHA-512", "kafka_sasl_username=alice",
      "kafka_sasl_password_file=@/password"}},
    {"OAUTHBEARER", "SASL", NULL, {PLAINLY, TOKENS, "kafka_sasl_oauthbearer_token_file=@/token"}},
    {"SCRAM-SHA-512 over TLS",
     "SASLTLS",
     NULL,
     {"kafka_security_protocol=SASL_SSL", CA, "kafka_sasl_mechanism=SCRAM-SHA-512",
      PASSWORD("alice")}},
    {"TLS", "TLS", NULL, {OVER_TLS, CA}},
    {"TLS with a certificate of ours",
     "MUTUAL",
     NULL,
     {OVER_TLS, CA, "kafka_ssl_certificate_location=@/client.pem",
      "kafka_ssl_key_location=@/client.key"}},
    {"any certificate, on request",
     "EXPIRED",
     NULL,
     {OVER_TLS, "kafka_enable_ssl_certificate_verification=false"}},
    {"another host's name, on request",
     "ELSEWHERE",
     NULL,
     {OVER_TLS, CA, "kafka_ssl_endpoint_identification_algorithm=none"}},

    {"a wrong password by SCRAM-SHA-512",
     "SASL",
     "look at sasl.username and sasl.password",
     {PLAINLY, "kafka_sasl_mechanism=SCRAM-SHA-512", WRONG}},
    {"a wrong password by SCRAM-SHA-256",
     "SASL",
     "look at sasl.username and sasl.password",
     {PLAINLY, "kafka_sasl_mechanism=SCRAM-SHA-256", WRONG}},
    {"a wrong password by PLAIN",
     "SASL",
     "look at sasl.username and sasl.password",
     {PLAINLY, "kafka_sasl_mechanism=PLAIN", WRONG}},
    {"a user whom nobody knows",
     "SASL",
     "look at sasl.username and sasl.password",
     {PLAINLY, "kafka_sasl_mechanism=SCRAM-SHA-512", PASSWORD("mallory")}},
    {"a token without the right",
     "SASL",
     "it does not accept our token: look at sasl.oauthbearer.token.file",
     {PLAINLY, TOKENS, "kafka_sasl_oauthbearer_token_file=@/other.token"}},
    {"a mechanism that is not offered",
     "SASLTLS",
     "look at sasl.mechanism; it offers SCRAM-SHA-512",
     {"kafka_security_protocol=SASL_SSL", CA, "kafka_sasl_mechanism=PLAIN", PASSWORD("alice")}},
    {"SASL that was forgotten", "SASL", "look at security.protocol and sasl.mechanism", {NULL}},
    {"TLS that was forgotten", "TLS", "look at security.protocol", {NULL}},
    {"an authority of others",
     "TLS",
     "look at ssl.ca.location",
     {OVER_TLS, "kafka_ssl_ca_location=@/stranger.pem"}},
    {"an expired certificate",
     "EXPIRED",
     "has expired, or is not valid yet: look at the broker's ssl.keystore.location",
     {OVER_TLS, CA}},
    {"another host's certificate",
     "ELSEWHERE",
     "made out for another host name: look at broker_host",
     {OVER_TLS, CA}},
    {"no certificate of ours",
     "MUTUAL",
     "look at ssl.certificate.location and ssl.key.location",
     {OVER_TLS, CA}},
    {"a stranger's certificate of ours",
     "MUTUAL",
     "it does not accept our certificate: look at ssl.certificate.location",
     {OVER_TLS, CA, "kafka_ssl_certificate_location=@/stranger.pem",
      "kafka_ssl_key_location=@/stranger.key"}},
};

/* ---- a case ---- */

static void expect(struct child *child, const char *program, size_t number)
{
    const char *wanted = cases[number].says ? cases[number].says : programs[0].good;

    for (size_t i = 0; i < PROGRAMS && !cases[number].says; i++)
        if (strcmp(programs[i].name, program) == 0)
            wanted = programs[i].good;
    cr_expect(child_await_text(child, wanted, SECURED_PATIENCE_MS), "%s, %s: not \"%s\" but\n%s",
              program, cases[number].name, wanted, child_output(child));
}

static void expect_end(struct child *child, const struct program *program, size_t number)
{
    const char *name = cases[number].name;
    bool good = !cases[number].says || program->stays;
    int status;

    if (program->stays)
        child_signal(child, SIGTERM);
    if (!child_await_end(child, SECURED_PATIENCE_MS, &status))
        fail("%s, %s: it does not end:\n%s", program->name, name, child_output(child));
    cr_expect_eq(status, good ? 0 : 1, "%s, %s: status %d\n%s", program->name, name, status,
                 child_output(child));
    /* whatever is said again a minute later */
    cr_expect_eq(child_count(child, "look at "),
                 cases[number].says ? child_count(child, cases[number].says) : 0, "%s, %s:\n%s",
                 program->name, name, child_output(child));
    cr_expect_null(strstr(child_output(child), SECURED_CANARY), "%s, %s", program->name, name);
    cr_expect_null(strstr(child_output(child), SECURED_PASSWORD), "%s, %s", program->name, name);
}

/* ---- some cases at once: most of it is waiting ---- */

struct trial {
    size_t number;
    struct child *children[PROGRAMS];
};

static void begin(struct secured *secured, struct trial *trial, size_t number)
{
    trial->number = number;
    for (size_t i = 0; i < PROGRAMS; i++)
        trial->children[i] = secured_start(secured, programs[i].arguments, cases[number].listener,
                                           cases[number].settings);
}

static void end(struct trial *trial)
{
    for (size_t i = 0; i < PROGRAMS; i++)
        expect(trial->children[i], programs[i].name, trial->number);
    for (size_t i = 0; i < PROGRAMS; i++) {
        expect_end(trial->children[i], &programs[i], trial->number);
        child_free(trial->children[i]);
    }
}

Test(security, lets_in_whom_it_should, .timeout = 900)
{
    struct secured *secured = secured_new();

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct trial trial;

        if (cases[i].says)
            continue;
        secured_write(secured); /* for invoke, which then commits it */
        begin(secured, &trial, i);
        end(&trial);
    }
    secured_free(secured);
}

Test(security, says_what_to_look_at, .timeout = 900)
{
    enum { AT_ONCE = 4 };
    struct secured *secured = secured_new();
    struct trial trials[AT_ONCE];
    size_t count = 0;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (!cases[i].says)
            continue;
        begin(secured, &trials[count++], i);
        while (count && (count == AT_ONCE || i + 1 == sizeof(cases) / sizeof(*cases)))
            for (; count; count--)
                end(&trials[count - 1]);
    }
    secured_free(secured);
}

/* ---- secrets that change ---- */

#define CONNECTOR                                                                                  \
    (const char *const[])                                                                          \
    {                                                                                              \
        "kafka-connector", "invoke", NULL                                                          \
    }

static void set_password(struct secured *secured, const char *user, const char *password)
{
    char *config = xasprintf("SCRAM-SHA-512=[password=%s]", password);

    secured_tool(secured, "kafka.admin.ConfigCommand",
                 (const char *const[]){"--alter", "--add-config", config, "--entity-type", "users",
                                       "--entity-name", user, NULL});
    free(config);
}

static void put(const struct secured *secured, const char *name, const char *text)
{
    char *path = xasprintf("%s/%s", secured->folder, name);
    FILE *to = fopen(path, "w");

    cr_assert_not_null(to, "%s", path);
    fputs(text, to);
    fclose(to);
    free(path);
}

static void expect_responses(struct child *connector, size_t count)
{
    cr_assert(child_await_count(connector, "Response [200] from work", count, SECURED_PATIENCE_MS),
              "%zu:\n%s", count, child_output(connector));
}

Test(security, takes_up_a_password_that_changes, .timeout = 300)
{
    struct secured *secured = secured_new();
    struct child *connector =
        secured_start(secured, CONNECTOR, "SASL",
                      (const char *const[]){PLAINLY, "kafka_sasl_mechanism=SCRAM-SHA-512",
                                            "kafka_sasl_username=alice",
                                            "kafka_sasl_password_file=@/password", NULL});
    int status;

    expect_responses(connector, 1);
    set_password(secured, "alice", "another-secret");
    put(secured, "password", "another-secret\n");
    cr_assert(child_await_text(connector, "has changed in its file", SECURED_PATIENCE_MS), "%s",
              child_output(connector));
    broker_stop(secured->broker, SIGKILL); /* every connection is made anew */
    broker_restart(secured->broker);
    secured_write(secured);
    expect_responses(connector, 2);
    cr_expect_eq(child_count(connector, "look at sasl"), 0, "%s", child_output(connector));
    cr_expect_null(strstr(child_output(connector), "another-secret"));
    child_signal(connector, SIGTERM);
    cr_assert(child_await_end(connector, SECURED_PATIENCE_MS, &status));
    cr_expect_eq(status, 0);
    child_free(connector);
    secured_free(secured);
}

/* librdkafka's own renewal ended the program (kafka/oauth.h). */
Test(security, renews_a_token, .timeout = 300)
{
    enum { LIFE_S = 6 };
    struct secured *secured = secured_new();
    struct child *connector;

    secured_put_token(secured, "token", "kafka", LIFE_S);
    connector = secured_start(
        secured, CONNECTOR, "SASL",
        (const char *const[]){PLAINLY, TOKENS, "kafka_sasl_oauthbearer_token_file=@/token", NULL});
    child_await_text(connector, "Response [200] from work", LIFE_S * 1000);
    secured_put_token(secured, "token", "kafka", 3600);
    expect_responses(connector, 1);
    await_time(&secured->loop, 2 * LIFE_S * 1000); /* the session ends with the first token */
    secured_write(secured);
    expect_responses(connector, 2);
    cr_expect(child_runs(connector));
    cr_expect_eq(child_count(connector, "look at"), 0, "%s", child_output(connector));
    child_free(connector);
    secured_free(secured);
}

/* ---- the walk of Red Hat's demo of KEDA: a user of SCRAM-SHA-512, 200 records at 5/s ---- */

Test(security, walks_through_the_demo_of_scram, .timeout = 300)
{
    static const char *const settings[] = {PLAINLY, "kafka_sasl_mechanism=SCRAM-SHA-512",
                                           "kafka_sasl_username=admin",
                                           "kafka_sasl_password=demo-secret", NULL};
    static const char *const load[] = {"producer",      "-topic=" SECURED_TOPIC, "-messages=200",
                                       "-throughput=5", "-record-size=100",      NULL};
    static const char *const lag[] = {"kafka-connector", "lag", "--group=" SECURED_GROUP, NULL};
    struct secured *secured = secured_new();
    struct child *child;
    int status;

    set_password(secured, "admin", "demo-secret");
    child = secured_start(secured, load, "SASL", settings);
    cr_assert(child_await_end(child, SECURED_PATIENCE_MS, &status));
    cr_expect_eq(status, 0);
    cr_expect_eq(child_count(child, "200 records sent"), 1, "%s", child_output(child));
    child_free(child);
    child = secured_start(secured, lag, "SASL", settings);
    cr_assert(child_await_end(child, SECURED_PATIENCE_MS, &status));
    cr_expect_eq(status, 0);
    /* of the record that was there, none is committed */
    cr_expect_eq(child_count(child, SECURED_TOPIC "\t0\t0\t201\t201\t"), 1, "%s",
                 child_output(child));
    child_free(child);
    secured_free(secured);
}
