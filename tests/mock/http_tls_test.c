/*
 * http by TLS: whom the gateway must be, who we say we are, and what comes of it when either does
 * not please. The gateway is openssl's s_server, its certificates are made for each test.
 */
#include "base/xalloc.h"
#include "tests/harness/child.h"
#include "tests/harness/fail.h"
#include "tests/harness/http_bench.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 10 * 1000 };

static char folder[] = "/tmp/http_tls_test.XXXXXX";

/* gateway, elsewhere and client are signed by ca, stranger by itself; both.pem is certificate and
 * key of client in one file. */
static const char make_certificates[] =
    "set -e; cd \"$1\"\n"
    "make() { # NAME ARGUMENT...\n"
    "    name=$1; shift\n"
    "    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \\\n"
    "        -subj \"/CN=$name\" -keyout $name.key -out $name.pem \"$@\"\n"
    "}\n"
    "make ca\n"
    "make stranger\n"
    "make client -CA ca.pem -CAkey ca.key\n"
    "make gateway -CA ca.pem -CAkey ca.key -addext subjectAltName=IP:127.0.0.1,DNS:localhost\n"
    "make elsewhere -CA ca.pem -CAkey ca.key -addext subjectAltName=DNS:elsewhere.example\n"
    "cat client.pem client.key >both.pem\n"
    "echo 'not a certificate' >junk.pem\n";

static void run(const char *const *arguments)
{
    struct child *child = child_start(&bench.loop, arguments, NULL);
    int status;

    if (!child_await_end(child, PATIENCE_MS, &status) || status)
        fail("%s %s: %s", arguments[0], arguments[1], child_output(child));
    child_free(child);
}

static void open_folder(void)
{
    bench_open();
    cr_assert(mkdtemp(folder));
    run((const char *[]){"sh", "-c", make_certificates, "sh", folder, NULL});
}

static void close_folder(void)
{
    run((const char *[]){"rm", "-r", folder, NULL});
    bench_close();
}

TestSuite(http_tls, .init = open_folder, .fini = close_folder, .timeout = 30);

/* ---- the gateway ---- */

struct gateway {
    const char *certificate; /* NULL: "gateway" */
    const char *protocol;    /* NULL: any */
    bool wants_certificate;  /* of the client, signed by ca */
};

static const struct gateway plain = {0};
static const struct gateway elsewhere = {.certificate = "elsewhere"};
static const struct gateway wanting = {.wants_certificate = true};
static const struct gateway wanting_1_2 = {.wants_certificate = true, .protocol = "-tls1_2"};

/* Answers any GET with 200. Sets bench.url. */
static struct child *start_gateway(const struct gateway *gateway, const char *host)
{
    static const char script[] = "cd \"$1\" && exec openssl s_server -accept 127.0.0.1:0 -www "
                                 "-cert $2.pem -key $2.key $3 $4";
    const char *ready = "ACCEPT 127.0.0.1:";
    const char *arguments[] = {
        "sh",
        "-c",
        script,
        "sh",
        folder,
        gateway->certificate ? gateway->certificate : "gateway",
        gateway->protocol ? gateway->protocol : "",
        gateway->wants_certificate ? "-Verify 1 -verify_return_error -CAfile ca.pem" : "",
        NULL,
    };
    struct child *child = child_start(&bench.loop, arguments, NULL);

    if (!child_await_text(child, ready, PATIENCE_MS))
        fail("openssl s_server: %s", child_output(child));
    snprintf(bench.url, sizeof(bench.url), "https://%s:%d/", host,
             (int)strtol(strstr(child_output(child), ready) + strlen(ready), NULL, 10));
    return child;
}

/* ---- the requests: files are named as in the folder; NULL: not given ---- */

struct trust {
    const char *ca, *cert, *key;
    bool insecure;
};

static char *path_of(const char *name)
{
    return name ? xasprintf("%s/%s", folder, name) : NULL;
}

static void set_trust(const struct trust *trust)
{
    const char *reason;

    http_free(bench.http);
    bench.options = (struct http_options){
        .ca_file = path_of(trust->ca),
        .cert_file = path_of(trust->cert),
        .key_file = path_of(trust->key),
        .insecure = trust->insecure,
    };
    bench.http = http_new(&bench.loop, &bench.options, 1, &reason);
    cr_assert(bench.http, "%s", reason);
}

static void release_trust(void)
{
    free(bench.options.ca_file);
    free(bench.options.cert_file);
    free(bench.options.key_file);
    bench.options = (struct http_options){0};
}

static const struct seen *request(const char *method)
{
    bench_send((struct http_request){.method = method, .timeout_ms = PATIENCE_MS});
    return bench_await_next();
}

static void expect_answered(const struct seen *seen, const char *what)
{
    cr_expect_eq(seen->answer.outcome, HTTP_ANSWERED, "%s: %s", what, seen->answer.reason);
    cr_expect_eq(seen->answer.status, 200, "%s", what);
}

/* For a reason that names the fault. */
static void expect_not_sent(const struct seen *seen, const char *reason, const char *what)
{
    cr_expect_eq(seen->answer.outcome, HTTP_NOT_SENT, "%s: %s", what, seen->answer.reason);
    cr_assert(seen->answer.reason, "%s", what);
    cr_expect(strstr(seen->answer.reason, reason), "%s: %s", what, seen->answer.reason);
}

static const struct {
    const char *what;
    const struct gateway *gateway;
    struct trust trust;
    const char *host; /* NULL: 127.0.0.1 */
} good[] = {
    {"the gateway's authority", &plain, {.ca = "ca.pem"}, NULL},
    {"the gateway by name", &plain, {.ca = "ca.pem"}, "localhost"},
    {"no authority, insecure", &plain, {.insecure = true}, NULL},
    {"another host's certificate, insecure", &elsewhere, {.insecure = true}, NULL},
    {"a client certificate and its key",
     &wanting,
     {"ca.pem", "client.pem", "client.key", false},
     NULL},
    {"a client certificate and its key in one file",
     &wanting,
     {"ca.pem", "both.pem", NULL, false},
     NULL},
    {"a client certificate nobody asks for",
     &plain,
     {"ca.pem", "client.pem", "client.key", false},
     NULL},
};

Test(http_tls, gateways_that_are_trusted_answer)
{
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        struct child *gateway =
            start_gateway(good[i].gateway, good[i].host ? good[i].host : "127.0.0.1");

        set_trust(&good[i].trust);
        expect_answered(request("GET"), good[i].what);
        release_trust();
        child_free(gateway);
    }
}

/* By TLS 1.3 a client certificate is refused only after the request went out. It was not looked at:
 * a POST is as little unknown as a GET. */
static const struct {
    const char *what;
    const struct gateway *gateway;
    struct trust trust;
    const char *reason; /* a part of it */
} bad[] = {
    {"no authority that signed it", &plain, {0}, "certificate"},
    {"another authority", &plain, {.ca = "stranger.pem"}, "certificate"},
    {"another host's certificate", &elsewhere, {.ca = "ca.pem"}, "certificate"},
    {"no client certificate", &wanting, {.ca = "ca.pem"}, "alert certificate required"},
    {"no client certificate by TLS 1.2", &wanting_1_2, {.ca = "ca.pem"}, "alert handshake failure"},
    {"a client certificate of another authority",
     &wanting,
     {"ca.pem", "stranger.pem", "stranger.key", false},
     "alert unknown ca"},
    {"authorities that are not PEM", &plain, {.ca = "junk.pem"}, "/junk.pem"},
    {"authorities that are gone", &plain, {.ca = "gone.pem"}, "/gone.pem"},
    {"a client certificate that is not PEM",
     &wanting,
     {"ca.pem", "junk.pem", "client.key", false},
     "/junk.pem"},
    {"a key that is not PEM", &wanting, {"ca.pem", "client.pem", "junk.pem", false}, "/junk.pem"},
    {"a client certificate without its key",
     &wanting,
     {"ca.pem", "client.pem", NULL, false},
     "/client.pem"},
    {"the key of another certificate",
     &wanting,
     {"ca.pem", "client.pem", "stranger.key", false},
     "key"},
};

Test(http_tls, what_ends_in_the_handshake_is_not_sent)
{
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct child *gateway = start_gateway(bad[i].gateway, "127.0.0.1");

        set_trust(&bad[i].trust);
        expect_not_sent(request("GET"), bad[i].reason, bad[i].what);
        expect_not_sent(request("POST"), bad[i].reason, bad[i].what);
        release_trust();
        child_free(gateway);
    }
}
