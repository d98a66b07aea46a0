/*
 * metrics: the registry is a list of families of instances, one a table, in the order of their
 * first instance; an instance keeps its labels as they are printed, which is also what finds it.
 */
#include "base/metrics.h"

#include "base/utf8.h"
#include "base/xalloc.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

/* Upper bounds, in seconds and as printed. */
static const struct bucket {
    double bound;
    const char *text;
} buckets[] = {
    {0.001, "0.001"}, {0.0025, "0.0025"}, {0.005, "0.005"}, {0.01, "0.01"},
    {0.025, "0.025"}, {0.05, "0.05"},     {0.1, "0.1"},     {0.25, "0.25"},
    {0.5, "0.5"},     {1, "1"},           {2.5, "2.5"},     {5, "5"},
    {10, "10"},       {30, "30"},         {60, "60"},       {INFINITY, "+Inf"},
};

enum { BUCKETS = sizeof(buckets) / sizeof(*buckets) };

struct metric_histogram {
    int64_t counts[BUCKETS]; /* of each bucket alone; summed up when printed */
    double sum;
};

struct instance {
    struct metrics_instance it; /* what the owner holds; first, so that either finds the other */
    struct family *family;
    char *labels; /* `topic="a",function="b"`, escaped; "" without labels */
    UT_hash_handle hh;
};

struct family {
    const struct metrics_table *table;
    struct instance *instances; /* hash by labels; walked in the order they were added */
    struct family *next;
};

struct metrics {
    struct family *families;
    void (*collect)(void *context);
    void *context;
};

struct metrics *metrics_new(void)
{
    return xcalloc(1, sizeof(struct metrics));
}

static void remove_instance(struct instance *instance)
{
    struct family *family = instance->family;

    HASH_DEL(family->instances, instance);
    for (size_t i = 0; i < family->table->count; i++)
        if (family->table->rows[i].kind == METRIC_HISTOGRAM)
            free(instance->it.values[i].histogram);
    free(instance->it.values);
    free(instance->labels);
    free(instance);
}

void metrics_free(struct metrics *metrics)
{
    struct family *family, *next_family;
    struct instance *instance, *next;

    if (!metrics)
        return;
    LL_FOREACH_SAFE (metrics->families, family, next_family) {
        HASH_ITER (hh, family->instances, instance, next)
            remove_instance(instance);
        free(family);
    }
    free(metrics);
}

static struct family *family_of(struct metrics *metrics, const struct metrics_table *table)
{
    struct family *family;

    LL_SEARCH_SCALAR(metrics->families, family, table, table);
    if (!family) {
        family = xcalloc(1, sizeof(*family));
        family->table = table;
        LL_APPEND(metrics->families, family);
    }
    return family;
}

static void print_label_value(const char *value, FILE *to)
{
    char *clean = utf8_mend(value, strlen(value)); /* one bad byte spoils a whole scrape */

    for (const char *at = clean; *at; at++)
        if (*at == '\n')
            fputs("\\n", to);
        else if (*at == '\\' || *at == '"')
            fprintf(to, "\\%c", *at);
        else
            fputc(*at, to);
    free(clean);
}

static size_t label_count(const struct metrics_table *table)
{
    size_t count = 0;

    while (count < METRICS_LABELS_MAX && table->labels[count])
        count++;
    return count;
}

static char *labels_dup(const struct metrics_table *table, const char *const *values)
{
    char *text;
    size_t size;
    FILE *to = xopen_memstream(&text, &size);

    for (size_t i = 0; i < label_count(table); i++) {
        fprintf(to, "%s%s=\"", i ? "," : "", table->labels[i]);
        print_label_value(values[i], to);
        fputc('"', to);
    }
    xclose_memstream(to);
    return text;
}

struct metrics_instance *metrics_add(struct metrics *metrics, const struct metrics_table *table,
                                     const char *const *label_values)
{
    struct instance *instance = xcalloc(1, sizeof(*instance)), *twin;
    struct family *family = family_of(metrics, table);

    instance->family = family;
    instance->labels = labels_dup(table, label_values);
    instance->it.values = xcalloc(table->count, sizeof(*instance->it.values));
    for (size_t i = 0; i < table->count; i++)
        if (table->rows[i].kind == METRIC_HISTOGRAM)
            instance->it.values[i].histogram = xcalloc(1, sizeof(struct metric_histogram));
    HASH_FIND_STR(family->instances, instance->labels, twin);
    assert(!twin);
    HASH_ADD_KEYPTR(hh, family->instances, instance->labels, strlen(instance->labels), instance);
    return &instance->it;
}

void metrics_remove(struct metrics *metrics, struct metrics_instance *instance)
{
    (void)metrics; /* whose it is the instance knows */
    remove_instance((struct instance *)instance);
}

void metric_observe(union metric_value *value, double seconds)
{
    struct metric_histogram *histogram = value->histogram;
    size_t i = 0;

    while (i < BUCKETS - 1 && !(seconds <= buckets[i].bound))
        i++;
    histogram->counts[i]++;
    histogram->sum += seconds;
}

void metrics_on_collect(struct metrics *metrics, void (*collect)(void *context), void *context)
{
    metrics->collect = collect;
    metrics->context = context;
}

/* In Go's words for what is no number, which are those of the format. */
static void print_real(double number, FILE *to)
{
    if (isnan(number))
        fputs("NaN", to);
    else if (isinf(number))
        fputs(number > 0 ? "+Inf" : "-Inf", to);
    else
        fprintf(to, "%.15g", number);
}

/* `name_suffix{labels} `, what stands before a value. */
static void print_sample_name(const char *name, const char *suffix, const char *labels, FILE *to)
{
    if (*labels)
        fprintf(to, "%s%s{%s} ", name, suffix, labels);
    else
        fprintf(to, "%s%s ", name, suffix);
}

static void print_histogram(const char *name, const struct instance *instance,
                            const struct metric_histogram *histogram, FILE *to)
{
    const char *labels = instance->labels;
    int64_t count = 0;

    for (size_t i = 0; i < BUCKETS; i++) {
        count += histogram->counts[i];
        fprintf(to, "%s_bucket{%s%sle=\"%s\"} %" PRId64 "\n", name, labels, *labels ? "," : "",
                buckets[i].text, count);
    }
    print_sample_name(name, "_sum", labels, to);
    print_real(histogram->sum, to);
    fputc('\n', to);
    print_sample_name(name, "_count", labels, to);
    fprintf(to, "%" PRId64 "\n", count);
}

static void print_samples(const struct metric_row *row, const struct instance *instance,
                          const union metric_value *value, FILE *to)
{
    if (row->kind == METRIC_HISTOGRAM) {
        print_histogram(row->name, instance, value->histogram, to);
        return;
    }
    print_sample_name(row->name, "", instance->labels, to);
    if (row->kind == METRIC_REAL)
        print_real(value->real, to);
    else
        fprintf(to, "%" PRId64, value->number);
    fputc('\n', to);
}

static const char *kind_name(enum metric_kind kind)
{
    static const char *const names[] = {
        [METRIC_COUNTER] = "counter",
        [METRIC_GAUGE] = "gauge",
        [METRIC_REAL] = "gauge",
        [METRIC_HISTOGRAM] = "histogram",
    };

    return names[kind];
}

static void print_family(const struct family *family, FILE *to)
{
    struct instance *instance, *next;

    if (!family->instances)
        return;
    for (size_t i = 0; i < family->table->count; i++) {
        const struct metric_row *row = &family->table->rows[i];

        fprintf(to, "# HELP %s %s\n", row->name, row->help);
        fprintf(to, "# TYPE %s %s\n", row->name, kind_name(row->kind));
        HASH_ITER (hh, family->instances, instance, next)
            print_samples(row, instance, &instance->it.values[i], to);
    }
}

char *metrics_text(struct metrics *metrics, size_t *size)
{
    const struct family *family;
    char *text;
    size_t own_size;
    FILE *to;

    if (metrics->collect)
        metrics->collect(metrics->context);
    to = xopen_memstream(&text, size ? size : &own_size);
    LL_FOREACH (metrics->families, family)
        print_family(family, to);
    xclose_memstream(to);
    return text;
}

void metrics_print_markdown(const struct metrics_table *table, FILE *to)
{
    fputs("| metric | kind | labels | text |\n|---|---|---|---|\n", to);
    for (size_t i = 0; i < table->count; i++) {
        const struct metric_row *row = &table->rows[i];

        fprintf(to, "| `%s` | %s | ", row->name, kind_name(row->kind));
        for (size_t k = 0; k < label_count(table); k++)
            fprintf(to, "%s`%s`", k ? ", " : "", table->labels[k]);
        fprintf(to, " | %s |\n", row->help);
    }
}
