/* options: see options.h. */
#include "producer/options.h"

#include <stddef.h>

enum { READABLE = 20 }; /* so many lines of acknowledged records fit a terminal */

#define FIELD(name) offsetof(struct producer_options, name)

static const struct option_row rows[] = {
    {.name = "broker",
     .aliases = "broker_host broker_hosts",
     .type = OPTION_LIST,
     .offset = FIELD(kafka.brokers),
     .default_text = "kafka",
     .value_name = "HOST[:PORT],...",
     .text = "Brokers to begin with; port 9092 is added where none is given."},
    {.name = "topic",
     .type = OPTION_STRING,
     .offset = FIELD(topic),
     .default_text = "faas-request",
     .text = "Topic to send to.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "messages",
     .type = OPTION_INT,
     .offset = FIELD(messages),
     .min = 1,
     .max = INT64_MAX,
     .text = "How many records to send. Without it: 1, or with -file every line.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "value",
     .type = OPTION_STRING,
     .offset = FIELD(value),
     .default_text = "Test the function.",
     .text = "The value of each record.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "record_size",
     .type = OPTION_BYTES,
     .offset = FIELD(record_size),
     .min = 1,
     .max = 1000000000, /* of librdkafka's message.max.bytes */
     .text = "Repeat or cut the value to this size.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "file",
     .type = OPTION_STRING, /* not OPTION_PATH: "-" */
     .offset = FIELD(file),
     .value_name = "PATH",
     .text = "Send the lines of this file instead of -value, a record a line; - is stdin.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "throughput",
     .type = OPTION_INT,
     .offset = FIELD(throughput),
     .default_text = "-1",
     .min = -1,
     .max = 1000000000,
     .text = "Records a second; -1 is no limit.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "key",
     .type = OPTION_STRING,
     .offset = FIELD(key),
     .text = "The key of each record. Without -key and -keys records have none.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "keys",
     .type = OPTION_INT,
     .offset = FIELD(keys),
     .min = 1,
     .max = INT64_MAX,
     .text = "Use so many keys in turn: 0, 1, 2 and so on.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "header",
     .type = OPTION_PROPERTIES,
     .offset = FIELD(headers),
     .value_name = "NAME=VALUE",
     .text = "A header of each record. May be given several times.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "listen",
     .type = OPTION_STRING,
     .offset = FIELD(listen),
     .value_name = "[ADDRESS]:PORT",
     .text =
         "Send nothing now, but serve POST /produce {\"count\": 5000, \"messageSize\": 64} here, "
         "until a signal: it answers when all were acknowledged. Whoever reaches it can write "
         "to the topic.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "client_id",
     .type = OPTION_STRING,
     .offset = FIELD(kafka.client_id),
     .default_text = "producer",
     .text = "How the brokers' logs and quotas name this client.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "X",
     .type = OPTION_PROPERTIES,
     .offset = FIELD(kafka.properties),
     .value_name = "PROPERTY=VALUE",
     .text = "Any property of librdkafka (acks=1, linger.ms=50, security.protocol=SASL_SSL); also "
             "as environment kafka_linger_ms=50. May be given several times."},
    {.name = "verbose",
     .type = OPTION_BOOL,
     .offset = FIELD(verbose),
     .text = "Print a line for each acknowledged record, however many there are. Without it lines "
             "are printed when -messages is at most 20.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "version",
     .type = OPTION_BOOL,
     .offset = FIELD(version),
     .text = "Print the version and end.",
     .flags = OPTION_FLAG_ONLY},
    {.name = "help",
     .aliases = "h",
     .type = OPTION_BOOL,
     .offset = FIELD(help),
     .text = "Print this and end.",
     .flags = OPTION_FLAG_ONLY},
};

const struct option_table producer_option_table = {"Options", rows, sizeof(rows) / sizeof(*rows)};

/* What a request says, or what there is no one to be told. */
static void check_listen(const struct producer_options *options, struct option_faults *faults)
{
    const struct {
        const char *name;
        bool given;
    } others[] = {{"messages", options->messages != 0},
                  {"file", options->file != NULL},
                  {"record_size", options->record_size != 0},
                  {"throughput", options->throughput != -1},
                  {"verbose", options->verbose}};

    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (others[i].given)
            option_fault(faults, "%s: cannot be given together with listen", others[i].name);
}

void producer_options_check(const struct producer_options *options, struct option_faults *faults)
{
    if (!kafka_topic_name_valid(options->topic))
        option_fault(faults,
                     "topic: \"%s\" is no topic's name; it must be 1 to 249 letters, digits, "
                     "\".\", \"_\" and \"-\", and not \".\" or \"..\"",
                     options->topic);
    if (options->throughput == 0)
        option_fault(faults, "throughput: \"0\" would send nothing; -1 is no limit");
    if (options->key && options->keys)
        option_fault(faults, "keys: cannot be given together with key");
    if (options->file && options->record_size)
        option_fault(faults, "record_size: cannot be given together with file");
    if (options->listen)
        check_listen(options, faults);
}

int64_t producer_limit(const struct producer_options *options)
{
    if (options->messages)
        return options->messages;
    return options->file ? INT64_MAX : 1;
}

bool producer_tells_each(const struct producer_options *options)
{
    return options->verbose || producer_limit(options) <= READABLE;
}
