/* kafka/refusal: librdkafka's texts, as it writes them, and what is made of them. */
#include "kafka/refusal.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define VERIFY                                                                                     \
    "ssl://kafka:9093/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate "  \
    "verify failed: broker certificate could not be verified, verify that ssl.ca.location is "     \
    "correctly configured or root CA certificates are installed (install ca-certificates "         \
    "package) (after 5ms in state SSL_HANDSHAKE)"

Test(refusal, names_the_property_to_look_at)
{
    static const struct {
        const char *text;
        int certificate;
        const char *begins, *names; /* NULL: it is no refusal */
    } cases[] = {
        {"sasl_plaintext://kafka:9092/bootstrap: SASL authentication error: Authentication failed "
         "during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-512 "
         "(after 316ms in state AUTH_REQ)",
         0, "broker kafka:9092: it does not accept the user", "sasl.username and sasl.password"},
        {"sasl_ssl://[::1]:9092/3: SASL authentication error: Authentication failed: Invalid "
         "username or password (after 3ms in state AUTH_REQ, 4 identical error(s) suppressed)",
         0, "broker [::1]:9092: it does not accept", "sasl.password"},
        {"sasl_plaintext://kafka:9092/1: SASL authentication error: {\"status\":\"invalid_token\"} "
         "(after 3ms in state AUTH_REQ)",
         0, "broker kafka:9092: it does not accept our token", "sasl.oauthbearer.token.file"},
        {"Failed to acquire SASL OAUTHBEARER token: Unrecognized sasl.oauthbearer.config "
         "beginning at: canary",
         0, "no token for", "sasl.oauthbearer.token.file"},
        {"sasl_ssl://kafka:9092/bootstrap: SASL PLAIN mechanism handshake failed: Broker: "
         "Unsupported SASL mechanism: broker's supported mechanisms: SCRAM-SHA-512,PLAIN (after "
         "302ms in state AUTH_HANDSHAKE)",
         0, "broker kafka:9092: it does not offer", "it offers SCRAM-SHA-512,PLAIN"},
        {VERIFY, 0, "broker kafka:9093: its certificate is not signed", "ssl.ca.location"},
        {VERIFY, 18, "broker kafka:9093: its certificate is not signed", "ssl.ca.location"},
        {VERIFY, 10, "broker kafka:9093: its certificate has expired", "ssl.keystore.location"},
        {VERIFY, 62, "broker kafka:9093: its certificate is made out", "broker_host"},
        {VERIFY, 64, "broker kafka:9093: its certificate is made out", "advertised.listeners"},
        {"ssl://kafka:9093/bootstrap: Receive failed: error:0A000412:SSL routines::sslv3 alert bad "
         "certificate: SSL alert number 42 (after 0ms in state APIVERSION_QUERY)",
         0, "broker kafka:9093: it wants a certificate of us", "ssl.certificate.location"},
        {"kafka:9093/bootstrap: Disconnected while requesting ApiVersion: might be caused by "
         "incorrect security.protocol configuration (connecting to a SSL listener?) or broker "
         "version is < 0.10 (see api.version.request) (after 2ms in state APIVERSION_QUERY)",
         0, "broker kafka:9093: it hangs up at once", "security.protocol"},
        {"ssl://kafka:9092/bootstrap: Disconnected (after 3ms in state SSL_HANDSHAKE)", 0,
         "broker kafka:9092: it hangs up as TLS begins", "security.protocol"},
        {"ssl://kafka:9092/1: Disconnected (after 3ms in state UP)", 0, NULL, NULL},
        {"kafka:9092/bootstrap: Connect to ipv4#127.0.0.1:9092 failed: Connection refused (after "
         "0ms in state CONNECT)",
         0, NULL, NULL},
        {"unexpected eof", 0, NULL, NULL},
        {"", 0, NULL, NULL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *refusal = refusal_of(cases[i].text, cases[i].certificate);

        cr_expect_eq(refusal != NULL, cases[i].begins != NULL, "%s", cases[i].text);
        if (refusal && cases[i].begins) {
            cr_expect_eq(strncmp(refusal, cases[i].begins, strlen(cases[i].begins)), 0, "%s",
                         refusal);
            cr_expect_not_null(strstr(refusal, cases[i].names), "%s", refusal);
            cr_expect_null(strstr(refusal, "canary"), "%s", refusal);
            cr_expect_neq(refusal[strlen(refusal) - 1], ' ');
        }
        free(refusal);
    }
}

Test(refusal, tells_what_it_does_not_know_as_it_is_but_on_one_line)
{
    char *text = refusal_or_text_dup("kafka:9092/1: odd\nthing");

    cr_expect_str_eq(text, "kafka:9092/1: odd\\nthing");
    free(text);
}
