/* options: the table of invoke mode. */
#include "invoke/options.h"

#include "base/duration.h"
#include "core/dead_topic.h"
#include "kafka/client.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#define FIELD(name) offsetof(struct invoke_options, name)

#define DEAD_LETTER_CODES "400-599"

static const struct option_row rows[] = {
    {.name = "topics",
     .type = OPTION_LIST,
     .offset = FIELD(topics),
     .text = "Topics to bind to, by name or, beginning with ^, by regular expression. Empty: the "
             "topics that the functions' annotations name."},
    {.name = "initial_offset",
     .type = OPTION_CHOICE,
     .offset = FIELD(initial_offset),
     .default_text = "latest",
     .choices = "latest/newest|earliest/oldest",
     .text = "Where a partition starts that the group has committed nothing for."},
    {.name = "order",
     .type = OPTION_CHOICE,
     .offset = FIELD(order),
     .default_text = "key",
     .choices = "key|partition|none",
     .text =
         "What waits for what, for each function: records of one key, all records of a "
         "partition, or nothing. With key, records without a key keep their partition's order."},
    {.name = "delivery",
     .type = OPTION_CHOICE,
     .offset = FIELD(delivery),
     .default_text = "at-least-once",
     .choices = "at-least-once|at-most-once",
     .text = "at-least-once: a record is committed when its functions have done it. at-most-once: "
             "it is committed before they are called, and none is called again, whatever comes of "
             "it: what is not done then is lost."},
    {.name = "partition_window",
     .type = OPTION_INT,
     .offset = FIELD(partition_window),
     .default_text = "1000",
     .min = 1,
     .max = 1000000,
     .text = "Records of a partition that may be read ahead of the lowest one not done."},
    {.name = "max_inflight",
     .type = OPTION_INT,
     .offset = FIELD(max_inflight),
     .default_text = "64",
     .min = 1,
     .max = 10000,
     .text = "Invocations at once; one function holds at most half of them while another waits."},
    {.name = "max_buffered_bytes",
     .type = OPTION_BYTES,
     .offset = FIELD(max_buffered_bytes),
     .default_text = "64MiB",
     .min = 1024 * 1024,
     .max = INT64_C(1) << 40,
     .text = "Most memory for records that are held. A partition may always hold one record."},
    {.name = "commit_interval",
     .type = OPTION_DURATION,
     .offset = FIELD(commit_interval),
     .default_text = "100ms",
     .min = 1,
     .max = 60000,
     .text = "Progress is committed this often, or when 1,024 invocations have finished."},
    {.name = "retry_attempts",
     .type = OPTION_INT,
     .offset = FIELD(retry_attempts),
     .default_text = "10",
     .min = 1,
     .max = 1000000,
     .text =
         "Attempts at an invocation that is answered with a status of retry_codes. A function's "
         "annotation com.openfaas.retry.attempts overrides it."},
    {.name = "retry_codes",
     .type = OPTION_STRING,
     .offset = FIELD(retry_codes),
     .default_text = "404,408,429,502,503,504",
     .text = "Statuses after which an invocation is tried again; any other is done. Overridden by "
             "com.openfaas.retry.codes."},
    {.name = "retry_min_wait",
     .type = OPTION_DURATION,
     .offset = FIELD(retry_min_wait),
     .default_text = "200ms",
     .min = 1,
     .max = 3600000,
     .text =
         "Wait before the second attempt; doubled for each further one, with jitter. Overridden "
         "by com.openfaas.retry.min_wait."},
    {.name = "retry_max_wait",
     .type = OPTION_DURATION,
     .offset = FIELD(retry_max_wait),
     .default_text = "30s",
     .min = 1,
     .max = 86400000,
     .text = "Longest wait between attempts. Overridden by com.openfaas.retry.max_wait."},
    {.name = "retry_on_timeout",
     .type = OPTION_INT,
     .offset = FIELD(retry_on_timeout),
     .default_text = "1",
     .min = 0,
     .max = 1000000,
     .text = "Further attempts after one that was sent and not answered (cut, upstream_timeout): "
             "the function may have run."},
    {.name = "on_exhausted",
     .type = OPTION_CHOICE,
     .offset = FIELD(on_exhausted),
     .default_text = "wait",
     .choices = "wait|drop",
     .text = "What becomes of an invocation whose attempts are used up. wait: nothing is lost; one "
             "that was refused is tried on every retry_max_wait, one that was never answered is "
             "held, and what comes behind it waits. drop: it is given up, counted and logged. "
             "With dead_letter_topic it goes there instead."},
    {.name = "dead_letter_topic",
     .type = OPTION_STRING,
     .offset = FIELD(dead_letter_topic),
     .value_name = "TOPIC",
     .text = "Topic for the records that no function took, with the reason in headers; {topic} "
             "stands for the topic that a record came from ({topic}.dead). Topics whose name "
             "matches it are never bound to. Empty: there are no dead letters."},
    {.name = "dead_letter_codes",
     .type = OPTION_STRING,
     .offset = FIELD(dead_letter_codes),
     .default_text = DEAD_LETTER_CODES,
     .text =
         "Statuses after which a record goes to dead_letter_topic at once, unless they are in "
         "retry_codes: 422, 400-499 or 5xx, from 300 to 599, in a list. Without dead_letter_topic "
         "it is done."},
    {.name = "max_record_age",
     .type = OPTION_DURATION,
     .offset = FIELD(max_record_age),
     .value_name = "DURATION",
     .max = INT64_C(10) * 365 * 86400000,
     .text = "A record that is older when a function would be called is not sent to it any more, "
             "but to dead_letter_topic; without one it is dropped and counted. 0: no limit."},
    {.name = "no_function",
     .type = OPTION_CHOICE,
     .offset = FIELD(no_function),
     .default_text = "skip",
     .choices = "skip|wait",
     .text = "Records of a topic that no function wants: skipped and counted, or kept until one "
             "wants them."},
    {.name = "empty_records",
     .type = OPTION_CHOICE,
     .offset = FIELD(empty_records),
     .default_text = "skip",
     .choices = "skip|send",
     .text = "Records whose value is empty or null: skipped and counted, or sent, with an empty "
             "body, and with X-Kafka-Tombstone: true when the value is null."},
    {.name = "drain_timeout",
     .type = OPTION_DURATION,
     .offset = FIELD(drain_timeout),
     .max = 86400000,
     .text = "Longest wait for running invocations before partitions are given up at a rebalance. "
             "0: as upstream_timeout. Never over half of max.poll.interval.ms."},
    {.name = "shutdown_timeout",
     .type = OPTION_DURATION,
     .offset = FIELD(shutdown_timeout),
     .default_text = "8s",
     .min = 1,
     .max = 3600000,
     .text = "Longest wait for running invocations after SIGTERM (Docker kills after 10s)."},
    {.name = "stall_timeout",
     .type = OPTION_DURATION,
     .offset = FIELD(stall_timeout),
     .default_text = "60s",
     .max = 86400000,
     .text = "/health is 503 when a partition stands still for so long and nothing explains it: no "
             "call within its time, no back-off, nothing paused, held or away. 0: never."},
    {.name = "log_calls",
     .type = OPTION_CHOICE,
     .offset = FIELD(log_calls),
     .default_text = "summary",
     .choices = "summary|all|none",
     .text = "Invocations in the log: the first of each function and a line every 10s, each, or "
             "none."},
    {.name = "print_response",
     .aliases = "print_response_body",
     .type = OPTION_BOOL,
     .offset = FIELD(print_response),
     .default_text = "false",
     .text = "Log each response with its body; implies log_calls=all."},
    {.name = "print_request_body",
     .type = OPTION_BOOL,
     .offset = FIELD(print_request_body),
     .default_text = "false",
     .text = "Log records' values whole; else their first 256 bytes."},
};

const struct option_table invoke_option_table = {"Invoke", rows, sizeof(rows) / sizeof(*rows)};

/* librdkafka has regcomp judge it in the same way, but not before it subscribes. */
static void check_pattern(const char *pattern, struct option_faults *faults)
{
    enum { REASON_SIZE = 128 };
    char reason[REASON_SIZE];
    regex_t compiled;
    int error = regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB);

    if (error) {
        regerror(error, &compiled, reason, sizeof(reason));
        option_fault(faults, "topics: \"%s\" is not a regular expression: %s", pattern, reason);
    } else {
        regfree(&compiled);
    }
}

bool invoke_has_dead_letters(const struct invoke_options *options)
{
    return options->dead_letter_topic && *options->dead_letter_topic;
}

static void check_topic(const struct invoke_options *options, const char *topic,
                        struct option_faults *faults)
{
    if (topic[0] == '^')
        check_pattern(topic, faults);
    else if (!kafka_topic_name_valid(topic))
        option_fault(faults,
                     "topics: \"%s\" is not a topic's name: 1 to 249 letters, digits, dots, "
                     "dashes or underscores (a regular expression begins with ^)",
                     topic);
    else if (dead_topic_is(options->dead_letter_topic, topic))
        option_fault(faults, "topics: \"%s\" is a topic for dead letters (dead_letter_topic=%s)",
                     topic, options->dead_letter_topic);
}

/* The name that a topic's dead letters would go to. */
static bool fits(const char *template, const char *topic)
{
    char *name = dead_topic_name(template, topic);
    bool valid = kafka_topic_name_valid(name);

    free(name);
    return valid;
}

static void check_dead_letters(const struct invoke_options *options, struct option_faults *faults)
{
    const char *template = options->dead_letter_topic;

    if (!fits(template, "t")) {
        option_fault(faults,
                     "dead_letter_topic: \"%s\" is not a topic's name: 1 to 249 letters, digits, "
                     "dots, dashes or underscores, and %s at most once",
                     template, DEAD_TOPIC_HOLE);
        return;
    }
    if (dead_topic_is_any(template))
        option_fault(faults, "dead_letter_topic: \"%s\" would send a record to its own topic",
                     template);
    for (size_t i = 0; i < options->topics.count; i++) {
        const char *topic = options->topics.items[i];

        if (topic[0] != '^' && kafka_topic_name_valid(topic) && !fits(template, topic))
            option_fault(faults,
                         "dead_letter_topic: \"%s\" makes a name of topic \"%s\" that is too long",
                         template, topic);
    }
}

static void check_codes(const struct invoke_options *options, struct option_faults *faults)
{
    struct retry_rules rules;

    if (options->retry_codes && !retry_codes_parse(options->retry_codes, &rules))
        option_fault(faults, "retry_codes: \"%s\" is not a list of statuses (such as 404,429,503)",
                     options->retry_codes);
    if (options->dead_letter_codes && !retry_dead_codes_parse(options->dead_letter_codes, &rules))
        option_fault(faults,
                     "dead_letter_codes: \"%s\" is not a list of statuses from %d to %d (such as "
                     "422,500-599,4xx)",
                     options->dead_letter_codes, RETRY_DEAD_LEAST, RETRY_STATUS_MAX);
}

void invoke_options_check(const struct invoke_options *options, struct option_faults *faults)
{
    for (size_t i = 0; i < options->topics.count; i++)
        check_topic(options, options->topics.items[i], faults);
    if (invoke_has_dead_letters(options))
        check_dead_letters(options, faults);
    check_codes(options, faults);
    if (options->retry_min_wait > options->retry_max_wait)
        option_fault(faults, "retry_min_wait: it is longer than retry_max_wait");
}

void invoke_options_hints(const struct invoke_options *options, struct option_faults *hints)
{
    char age[DURATION_TEXT_SIZE];

    if (invoke_has_dead_letters(options))
        return;
    if (options->max_record_age)
        option_fault(hints,
                     "max_record_age=%s without dead_letter_topic: records that are older are "
                     "dropped",
                     duration_format(options->max_record_age, age));
    if (options->dead_letter_codes && strcmp(options->dead_letter_codes, DEAD_LETTER_CODES) != 0)
        option_fault(hints,
                     "dead_letter_codes=%s without dead_letter_topic: it says nothing, such "
                     "records are done",
                     options->dead_letter_codes);
}

struct retry_rules invoke_retry_rules(const struct invoke_options *options, bool async)
{
    struct retry_rules rules = {
        .attempts = options->retry_attempts,
        .timeouts = options->retry_on_timeout,
        .min_wait_ms = options->retry_min_wait,
        .max_wait_ms = options->retry_max_wait,
        .only_2xx_done = async,
        .only_once = options->delivery == DELIVERY_AT_MOST_ONCE,
    };

    if (options->retry_codes)
        retry_codes_parse(options->retry_codes, &rules);
    if (options->dead_letter_codes && invoke_has_dead_letters(options))
        retry_dead_codes_parse(options->dead_letter_codes, &rules);
    return rules;
}
