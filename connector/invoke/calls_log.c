/* calls_log: see calls_log.h. */
#include "invoke/calls_log.h"

#include "base/line.h"
#include "base/log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <utstring.h>

enum { VALUE_SHOWN = 256 };

static bool all(const struct invoke_options *options)
{
    return options->log_calls == LOG_CALLS_ALL || options->print_response;
}

static struct log_subject subject_of(const struct record *record, const char *function)
{
    return (struct log_subject){record->topic, record->partition, record->offset, function};
}

bool calls_log_begin(const struct invoke_options *options, struct calls_count *count)
{
    bool first = !count->begun;

    count->begun = true;
    return all(options) || (options->log_calls == LOG_CALLS_SUMMARY && first);
}

void calls_log_received(const struct invoke_options *options, const struct record *record,
                        int64_t number)
{
    struct log_subject subject = subject_of(record, NULL);
    bool cut = record->value_size > VALUE_SHOWN && !options->print_request_body;
    char *value = line_escape_dup(record->value, cut ? VALUE_SHOWN : record->value_size);

    log_plain(&subject, "[#%" PRId64 "] Received on [%s,%" PRId32 "]: '%s%s'", number,
              record->topic, record->partition, value, cut ? "..." : "");
    free(value);
}

void calls_log_invoke(const struct record *record, const char *function)
{
    struct log_subject subject = subject_of(record, function);

    log_plain(&subject, "Invoke function: %s", function);
}

void calls_log_answer(const struct invoke_options *options, const struct record *record,
                      const char *function, const struct http_answer *answer)
{
    struct log_subject subject = subject_of(record, function);

    if (answer->outcome != HTTP_ANSWERED)
        log_plain(&subject, "No response from %s: %s", function, answer->reason);
    else if (options->print_response)
        log_plain_body(&subject, answer->body, answer->body_size, "Response [%ld] from %s",
                       answer->status, function);
    else
        log_plain(&subject, "Response [%ld] from %s", answer->status, function);
}

void calls_count_add(struct calls_count *count, const struct http_answer *answer)
{
    count->total++;
    if (answer->outcome == HTTP_NOT_SENT)
        count->unsent++;
    else if (answer->outcome == HTTP_UNKNOWN)
        count->unanswered++;
    else if (answer->status >= 0 && answer->status <= RETRY_STATUS_MAX)
        count->by_status[answer->status]++;
}

static void add_part(UT_string *text, const char *name, int64_t count)
{
    if (count)
        utstring_printf(text, "%s%s: %" PRId64, utstring_len(text) ? ", " : "", name, count);
}

static void log_summary(const char *function, const struct calls_count *count)
{
    struct log_subject subject = LOG_SUBJECT_NONE;
    UT_string parts;
    char status[16];

    subject.function = function;
    utstring_init(&parts);
    for (int i = 0; i <= RETRY_STATUS_MAX; i++) {
        snprintf(status, sizeof(status), "%d", i);
        add_part(&parts, status, count->by_status[i]);
    }
    add_part(&parts, "no answer", count->unanswered);
    add_part(&parts, "no connection", count->unsent);
    log_plain(&subject, "Invoked %s %" PRId64 " (%s)", function, count->total,
              utstring_body(&parts));
    utstring_done(&parts);
}

void calls_log_summary(const struct invoke_options *options, const char *function,
                       struct calls_count *count)
{
    if (!count->total)
        return;
    if (options->log_calls == LOG_CALLS_SUMMARY && !all(options))
        log_summary(function, count);
    *count = (struct calls_count){.begun = true};
}
