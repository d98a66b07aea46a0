/* secured: see secured.h. */
#include "tests/harness/secured.h"

#include "base/xalloc.h"
#include "tests/harness/await.h"
#include "tests/harness/fail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utstring.h>

static const char make_certificates[] =
    "set -e; cd \"$1\"\n"
    "curve=\"-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes\"\n"
    "make() { # NAME ARGUMENT...\n"
    "    name=$1; shift\n"
    "    openssl req -x509 $curve -days 2 -subj \"/CN=$name\" -keyout $name.key -out $name.pem \\\n"
    "        \"$@\"\n"
    "    cat $name.key $name.pem >$name.both\n"
    "}\n"
    "here=subjectAltName=IP:127.0.0.1\n"
    "make ca\n"
    "make stranger -addext $here\n"
    "make client -CA ca.pem -CAkey ca.key\n"
    "make broker -CA ca.pem -CAkey ca.key -addext $here\n"
    "make elsewhere -CA ca.pem -CAkey ca.key -addext subjectAltName=DNS:elsewhere.example\n"
    "openssl req $curve -subj /CN=expired -keyout expired.key -out expired.csr\n"
    "echo $here >expired.ext\n"
    "openssl x509 -req -in expired.csr -CA ca.pem -CAkey ca.key -days -1 -extfile expired.ext \\\n"
    "    -out expired.pem\n"
    "cat expired.key expired.pem >expired.both\n"
    "printf '" SECURED_PASSWORD "\\n' >password\n";

/* One that nobody signed. */
static const char make_token[] =
    "cd \"$1\" && now=$(date +%s)\n"
    "url64() { base64 -w0 | tr +/ -_ | tr -d =; }\n"
    "{\n"
    "    printf '{\"alg\":\"none\"}' | url64\n"
    "    printf . && printf '{\"sub\":\"alice\",\"iat\":%s,\"exp\":%s,\"scope\":\"%s\"}' \\\n"
    "        $now $((now + $4)) \"$3\" | url64\n"
    "    echo .\n"
    "} >$2.new && mv $2.new $2\n";

/* "@" is the folder. */
static const char broker_settings[] =
    "KAFKA_SETTINGS=ssl.keystore.type=PEM\n"
    "ssl.truststore.type=PEM\n"
    "ssl.keystore.location=@/broker.both\n"
    "ssl.truststore.location=@/ca.pem\n"
    "listener.name.mutual.ssl.client.auth=required\n"
    "listener.name.expired.ssl.keystore.location=@/expired.both\n"
    "listener.name.elsewhere.ssl.keystore.location=@/elsewhere.both\n"
    "listener.name.sasl.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER\n"
    "listener.name.sasltls.sasl.enabled.mechanisms=SCRAM-SHA-512\n"
    "listener.name.sasl.plain.sasl.jaas.config="
    "org.apache.kafka.common.security.plain.PlainLoginModule required "
    "user_alice=\"" SECURED_PASSWORD "\";\n"
    "listener.name.sasl.scram-sha-256.sasl.jaas.config="
    "org.apache.kafka.common.security.scram.ScramLoginModule required;\n"
    "listener.name.sasl.scram-sha-512.sasl.jaas.config="
    "org.apache.kafka.common.security.scram.ScramLoginModule required;\n"
    "listener.name.sasltls.scram-sha-512.sasl.jaas.config="
    "org.apache.kafka.common.security.scram.ScramLoginModule required;\n"
    /* a session ends with its token */
    "listener.name.sasl.oauthbearer.connections.max.reauth.ms=3600000\n"
    "listener.name.sasl.oauthbearer.sasl.jaas.config="
    "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required "
    "unsecuredLoginStringClaim_sub=\"broker\" unsecuredValidatorRequiredScope=\"kafka\";\n";

static const char listeners[] = "KAFKA_LISTENERS=SASL:SASL_PLAINTEXT SASLTLS:SASL_SSL TLS:SSL "
                                "MUTUAL:SSL EXPIRED:SSL ELSEWHERE:SSL";
static const char users[] = "KAFKA_USERS=alice:" SECURED_PASSWORD;

static void run(struct secured *secured, const char *const *arguments)
{
    struct child *child = child_start(&secured->loop, arguments, NULL);
    int status;

    if (!child_await_end(child, SECURED_PATIENCE_MS, &status) || status)
        fail("%s %s: %s", arguments[0], arguments[1], child_output(child));
    child_free(child);
}

/* A text with the folder for each "@". Caller frees. */
static char *placed_dup(const struct secured *secured, const char *text)
{
    UT_string placed;

    utstring_init(&placed);
    for (const char *at = text; *at; at++)
        if (*at == '@')
            utstring_printf(&placed, "%s", secured->folder);
        else
            utstring_bincpy(&placed, at, 1);
    return utstring_body(&placed);
}

static void start_broker(struct secured *secured)
{
    secured->environment[0] = placed_dup(secured, broker_settings);
    secured->environment[1] = listeners;
    secured->environment[2] = users;
    secured->broker = broker_new_with(&secured->loop, secured->environment);
}

static void start_gateway(struct secured *secured)
{
    char *reason;

    secured->gateway = faas_gateway_new(&secured->loop, "127.0.0.1:0", &reason);
    if (!secured->gateway)
        fail("the gateway: %s", reason);
    secured->work = faas_deploy(secured->gateway, "work", NULL, SECURED_TOPIC);
    faas_set_replicas(faas_deploy(secured->gateway, "sleeper", NULL, NULL), 0);
}

struct secured *secured_new(void)
{
    struct secured *secured = xcalloc(1, sizeof(*secured));

    uv_loop_init(&secured->loop);
    snprintf(secured->folder, sizeof(secured->folder), "/tmp/secured_test.XXXXXX");
    if (!mkdtemp(secured->folder))
        fail("no temporary folder %s", secured->folder);
    run(secured, (const char *[]){"sh", "-c", make_certificates, "sh", secured->folder, NULL});
    secured_put_token(secured, "token", "kafka", 3600);
    secured_put_token(secured, "other.token", SECURED_CANARY, 3600);
    start_broker(secured);
    start_gateway(secured);
    secured->cluster = cluster_new(broker_bootstrap(secured->broker), SECURED_GROUP);
    cluster_create(secured->cluster, SECURED_TOPIC, 1);
    cluster_write(secured->cluster, SECURED_TOPIC, 0, 1);
    cluster_commit(secured->cluster, SECURED_TOPIC, 0, 0);
    return secured;
}

void secured_free(struct secured *secured)
{
    cluster_free(secured->cluster);
    faas_gateway_free(secured->gateway);
    broker_free(secured->broker);
    free((char *)secured->environment[0]);
    run(secured, (const char *[]){"rm", "-r", secured->folder, NULL});
    if (!await_close(&secured->loop))
        fail("something is left on the loop");
    free(secured);
}

void secured_put_token(struct secured *secured, const char *name, const char *scope, int seconds)
{
    char *life = xasprintf("%d", seconds);

    run(secured,
        (const char *[]){"sh", "-c", make_token, "sh", secured->folder, name, scope, life, NULL});
    free(life);
}

void secured_write(struct secured *secured)
{
    cluster_write(secured->cluster, SECURED_TOPIC, 0, 1);
}

/* What all programs are told; each passes over what is others'. */
static struct child *start(struct secured *secured, const char *const *arguments, int port,
                           const char *const *settings)
{
    const char *url = faas_gateway_url(secured->gateway);
    char *broker = xasprintf("broker_host=127.0.0.1:%d", port);
    char *gateway = xasprintf("gateway_url=%s", url);
    char *slimfaas = xasprintf("SlimFaas__BaseUrl=%s", url);
    const char *own[] = {broker,
                         gateway,
                         slimfaas,
                         "group=" SECURED_GROUP,
                         "admin_listen=127.0.0.1:0",
                         "print_response=true",
                         "SlimFaasKafka__Bindings__0__Topic=" SECURED_TOPIC,
                         "SlimFaasKafka__Bindings__0__ConsumerGroupId=nobody",
                         "SlimFaasKafka__Bindings__0__FunctionName=sleeper",
                         NULL};
    const char *all[CHILD_LIST_MAX];
    struct child *child;

    child_list_merge(all, own, settings);
    child = child_start(&secured->loop, arguments, all);
    free(slimfaas);
    free(gateway);
    free(broker);
    return child;
}

struct child *secured_start(struct secured *secured, const char *const *arguments,
                            const char *listener, const char *const *settings)
{
    int port = listener ? broker_listener_port(secured->broker, listener) : 0;
    const char *placed[CHILD_LIST_MAX] = {NULL}, *command[CHILD_LIST_MAX] = {NULL};
    char *program = child_program(arguments[0]);
    struct child *child;

    command[0] = program;
    for (size_t i = 1; arguments[i]; i++)
        command[i] = arguments[i];
    for (size_t i = 0; settings[i]; i++)
        placed[i] = placed_dup(secured, settings[i]);
    child = start(secured, command, port, placed);
    for (size_t i = 0; placed[i]; i++)
        free((char *)placed[i]);
    free(program);
    return child;
}

void secured_tool(struct secured *secured, const char *class_name, const char *const *arguments)
{
    const char *command[CHILD_LIST_MAX] = {"tests/kafka/kafka.sh",
                                           "tool",
                                           class_name,
                                           "--bootstrap-server",
                                           broker_bootstrap(secured->broker),
                                           NULL};

    for (size_t i = 0; arguments[i]; i++) {
        command[5 + i] = arguments[i];
        command[6 + i] = NULL;
    }
    run(secured, command);
}
