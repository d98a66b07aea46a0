/*
 * metrics: counters, gauges and histograms as tables, and their Prometheus text.
 *
 * A table is a set of metrics with the same labels. An instance is one set of label values with
 * a value for each row: `metrics_add` makes it, the owner keeps the pointer and counts in its
 * `values` directly, `metrics_remove` ends it. Rows name the metric, its kind and its help; the
 * enum of a table's rows indexes `values`.
 *
 *     enum { F_CALLS, F_SECONDS };
 *     static const struct metric_row rows[] = {
 *         [F_CALLS] = {METRIC_COUNTER, "kafka_connector_calls_total", "Calls made."},
 *         [F_SECONDS] = {METRIC_HISTOGRAM, "kafka_connector_call_seconds", "How long they took."},
 *     };
 *     const struct metrics_table function_metrics = {{"function"}, rows, 2};
 *
 * Exposition: text format 0.0.4; a family's HELP and TYPE once, all its samples behind them,
 * label values escaped. Nothing here is thread-safe.
 */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* METRIC_REAL is a gauge that is not a whole number (seconds, ratios). */
enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_REAL, METRIC_HISTOGRAM };
enum { METRICS_LABELS_MAX = 5 };

struct metric_row {
    enum metric_kind kind;
    const char *name;
    const char *help; /* one line, without backslashes */
};

struct metrics_table {
    const char *labels[METRICS_LABELS_MAX]; /* NULL-terminated when fewer */
    const struct metric_row *rows;
    size_t count;
};

struct metric_histogram; /* buckets in seconds: 1 ms .. 60 s, see metrics.c */

union metric_value {
    int64_t number; /* METRIC_COUNTER, METRIC_GAUGE */
    double real;    /* METRIC_REAL */
    struct metric_histogram *histogram;
};

struct metrics; /* the registry */

struct metrics_instance {
    union metric_value *values; /* indexed by the table's rows */
};

struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics);

/* A new instance with all values 0. As many label values as the table has labels, copied. The
 * table is borrowed for good. Adding label values twice is our own fault (assert). */
struct metrics_instance *metrics_add(struct metrics *metrics, const struct metrics_table *table,
                                     const char *const *label_values);
void metrics_remove(struct metrics *metrics, struct metrics_instance *instance);

void metric_observe(union metric_value *value, double seconds);

/* Called before each exposition, for gauges that are read rather than kept. One; NULL: none. */
void metrics_on_collect(struct metrics *metrics, void (*collect)(void *context), void *context);

/* The whole text; caller frees. `size` may be NULL. */
char *metrics_text(struct metrics *metrics, size_t *size);

/* The rows as a Markdown table | metric | kind | labels | text |. */
void metrics_print_markdown(const struct metrics_table *table, FILE *to);

#endif
