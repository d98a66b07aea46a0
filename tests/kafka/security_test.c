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
#define TOKENS         "kafka_sasl_mechanism=OAUTHBEARER", "kafka_enable_sasl_oauthbearer_unsecure_jwt=true"
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
    {"OAUTHBEARER",
     "SASL",
     NULL,
     {PLAINLY, TOKENS, "kafka_sasl_oauthbearer_config=principal=alice scope=kafka"}},
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
     "it does not accept our token: look at sasl.oauthbearer.config",
     {PLAINLY, TOKENS, "kafka_sasl_oauthbearer_config=principal=alice scope=" SECURED_CANARY}},
    {"a token that cannot be made",
     "SASL",
     "could be made: look at sasl.oauthbearer.config",
     {PLAINLY, TOKENS, "kafka_sasl_oauthbearer_config=" SECURED_CANARY}},
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
    cr_expect_eq(child_count(child, "look at "), cases[number].says ? 1 : 0, "%s, %s:\n%s",
                 program->name, name, child_output(child));
    cr_expect_null(strstr(child_output(child), SECURED_CANARY), "%s, %s", program->name, name);
    cr_expect_null(strstr(child_output(child), SECURED_PASSWORD), "%s, %s", program->name, name);
}

/* All programs at once: most of it is waiting. */
static void try_case(struct secured *secured, size_t number)
{
    struct child *children[PROGRAMS];

    secured_write(secured);
    for (size_t i = 0; i < PROGRAMS; i++)
        children[i] = secured_start(secured, programs[i].arguments, cases[number].listener,
                                    cases[number].settings);
    for (size_t i = 0; i < PROGRAMS; i++)
        expect(children[i], programs[i].name, number);
    for (size_t i = 0; i < PROGRAMS; i++) {
        expect_end(children[i], &programs[i], number);
        child_free(children[i]);
    }
}

Test(security, lets_in_or_says_what_to_look_at, .timeout = 900)
{
    struct secured *secured = secured_new();

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        try_case(secured, i);
    secured_free(secured);
}
