/* log_line: see log_line.h. */
#include "kafka/log_line.h"

#include "base/log.h"

#include <string.h>
#include <syslog.h>

/* A connection that fails (FAIL, SSLCERTVRFY) comes as an error too. AUTOCREATE is about brokers
 * before 0.11, and about mock brokers, at each question for metadata. The user's properties are
 * given to every client, and each warns of those that are for another kind. */
static enum log_level level_of(const char *facility, const char *text, int syslog_level)
{
    if (strcmp(facility, "FAIL") == 0 || strcmp(facility, "SSLCERTVRFY") == 0 ||
        strcmp(facility, "AUTOCREATE") == 0 || strstr(text, "property and will be ignored by this"))
        return LOG_LEVEL_DEBUG;
    if (syslog_level <= LOG_CRIT)
        return LOG_LEVEL_ERROR;
    if (syslog_level <= LOG_WARNING)
        return LOG_LEVEL_WARNING;
    return syslog_level <= LOG_INFO ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;
}

void kafka_log_line(rd_kafka_event_t *event)
{
    const char *facility, *text;
    int level;

    if (rd_kafka_event_log(event, &facility, &text, &level) == 0)
        log_write(level_of(facility, text, level), NULL, "librdkafka: %s: %s", facility, text);
}
