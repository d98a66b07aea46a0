/*
 * consumer_fetch: keeps records coming while little is kept ahead.
 *
 * For each record that waits in a partition's queue librdkafka holds 400 bytes beside the record,
 * so the queues are short: a partition with more than a few records waiting is fetched again when
 * its queue is empty, and the sink's window bridges the time that takes. With fewer it stays in the
 * fetch that waits at the broker, of which there is one a broker: a partition left out of it waits
 * for its end (fetch.wait.max.ms), so one that is at its log's end must not be left out. The
 * broker's thread looks at the queues only when something else wakes it, at the latest after a
 * second; that a queue ran empty does not, whether or not the log is known to go on. From
 * librdkafka 2.2 on fetch.queue.backoff.ms says how long a partition rests. Of older ones one
 * public call wakes the brokers' threads and does nothing else: to set the SASL credentials that
 * are set already (rd_kafka_all_brokers_wakeup in 2.0.2's rdkafka_sasl.c). Without it a partition
 * got one fetch a second. That takes the lock of the credentials, which with Kerberos is held while
 * a ticket server is asked: there it is left alone.
 */
#include "kafka/consumer_private.h"

#include "base/xalloc.h"

#include <stdlib.h>

enum { SINCE_BACKOFF = 0x020200ff }; /* librdkafka 2.2.0 */

bool consumer_has_fetch_backoff(void)
{
    return rd_kafka_version() >= SINCE_BACKOFF;
}

bool consumer_may_wake_fetchers(rd_kafka_t *kafka)
{
    return !consumer_has_fetch_backoff() && !kafka_uses_kerberos(rd_kafka_conf(kafka));
}

void consumer_want_fetch(struct consumer *consumer, struct source_partition *partition)
{
    if (!consumer->wakes_fetchers || !partition->unasked)
        return;
    partition->unasked = false;
    consumer->wants_fetch = true;
    consumer_soon(consumer);
}

void consumer_wake_fetchers(struct consumer *consumer)
{
    rd_kafka_error_t *error;
    char *user, *password;

    if (!consumer->wants_fetch || !consumer->kafka)
        return;
    consumer->wants_fetch = false;
    user = kafka_conf_value_dup(rd_kafka_conf(consumer->kafka), "sasl.username");
    password = kafka_conf_value_dup(rd_kafka_conf(consumer->kafka), "sasl.password");
    error = rd_kafka_sasl_set_credentials(consumer->kafka, user, password);
    if (error)
        rd_kafka_error_destroy(error);
    free(user);
    xfree_secret(password);
}
