/*
 * bootstrap: the brokers to begin with. librdkafka passes over what it cannot read of them with a
 * line in the log, and takes a port that is no number for 0: they are judged here.
 */
#include "kafka/client.h"

#include "base/xalloc.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utstring.h>

enum { DEFAULT_PORT = 9092, LAST_PORT = 65535, ADDRESS_SIZE = 64 };

/* "SSL://[::1]:9093" in its parts, all borrowed. */
struct broker {
    size_t protocol_size; /* 0: none */
    const char *host;
    size_t host_size;
    const char *port; /* NULL: none */
    bool bare_ipv6;   /* "::1": it cannot have a port */
};

static struct broker split(const char *text)
{
    const char *behind_protocol = strstr(text, "://");
    struct broker broker = {.host = text};

    if (behind_protocol) {
        broker.protocol_size = (size_t)(behind_protocol - text);
        broker.host = behind_protocol + 3;
    }
    const char *bracket = *broker.host == '[' ? strchr(broker.host, ']') : NULL;
    const char *colon = strchr(bracket ? bracket : broker.host, ':');

    broker.bare_ipv6 = !bracket && colon && strchr(colon + 1, ':');
    if (broker.bare_ipv6)
        colon = NULL;
    broker.host_size = colon ? (size_t)(colon - broker.host) : strlen(broker.host);
    broker.port = colon ? colon + 1 : NULL;
    return broker;
}

/* ---- what is wrong with one ---- */

static bool is_protocol(const char *text, size_t size)
{
    static const char *const known[] = {"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"};

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (strlen(known[i]) == size && strncasecmp(known[i], text, size) == 0)
            return true;
    return false;
}

/* "::1", or "fe80::2%eth0" of one interface. */
static bool is_ipv6(const char *text, size_t size)
{
    char address[ADDRESS_SIZE];
    struct in6_addr parsed;

    if (size >= sizeof(address))
        return false;
    memcpy(address, text, size);
    address[size] = '\0';
    address[strcspn(address, "%")] = '\0';
    return inet_pton(AF_INET6, address, &parsed) == 1;
}

static bool is_host(const struct broker *broker)
{
    const char *host = broker->host;

    if (broker->bare_ipv6)
        return is_ipv6(host, broker->host_size);
    if (*host == '[')
        return host[broker->host_size - 1] == ']' && is_ipv6(host + 1, broker->host_size - 2);
    for (size_t i = 0; i < broker->host_size; i++)
        if (isascii(host[i]) && !isalnum((unsigned char)host[i]) && !strchr(".-_", host[i]))
            return false;
    return broker->host_size > 0;
}

static bool is_port(const char *text)
{
    int port = 0;

    for (; isdigit((unsigned char)*text) && port <= LAST_PORT; text++)
        port = port * 10 + (*text - '0');
    return *text == '\0' && port >= 1 && port <= LAST_PORT;
}

const char *kafka_broker_fault(const char *text)
{
    const struct broker broker = split(text);

    if (broker.host != text && !is_protocol(text, broker.protocol_size))
        return "has a protocol that is none of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL";
    if (!is_host(&broker))
        return "is no HOST or HOST:PORT (such as kafka:9092 or [::1]:9092)";
    if (broker.port && !is_port(broker.port))
        return "has a port that is not 1 to 65535";
    return NULL;
}

void kafka_brokers_check(const struct kafka_options *options, struct option_faults *faults)
{
    for (size_t i = 0; i < options->brokers.count; i++) {
        const char *broker = options->brokers.items[i];
        const char *reason = kafka_broker_fault(broker);

        if (reason)
            option_fault(faults, "broker_host: \"%s\" %s", broker, reason);
    }
    if (options->brokers.count == 0)
        option_fault(faults, "broker_host: it names no broker");
}

/* ---- as librdkafka reads them ---- */

static void add_broker(UT_string *text, const char *item)
{
    const struct broker broker = split(item);
    const char *separator = utstring_len(text) ? "," : "";

    if (broker.port)
        utstring_printf(text, "%s%s", separator, item);
    else if (broker.bare_ipv6)
        utstring_printf(text, "%s%.*s[%s]:%d", separator, (int)(broker.host - item), item,
                        broker.host, DEFAULT_PORT);
    else
        utstring_printf(text, "%s%s:%d", separator, item, DEFAULT_PORT);
}

char *kafka_bootstrap(const struct kafka_options *options)
{
    UT_string text;
    char *copy;

    utstring_init(&text);
    for (size_t i = 0; i < options->brokers.count; i++)
        add_broker(&text, options->brokers.items[i]);
    copy = xstrdup(utstring_body(&text));
    utstring_done(&text);
    return copy;
}
