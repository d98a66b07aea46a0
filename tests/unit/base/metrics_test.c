/* metrics: the text is read back by a strict little parser of the exposition format 0.0.4. */
#include "base/metrics.h"

#include "base/utf8.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SERIES_MAX = 200, SERIES_SIZE = 256 };

enum { T_CALLS, T_OPEN, T_RATIO, T_SECONDS, T_COUNT };
static const struct metric_row target_rows[] = {
    [T_CALLS] = {METRIC_COUNTER, "t_calls_total", "Calls made."},
    [T_OPEN] = {METRIC_GAUGE, "t_open", "Calls open."},
    [T_RATIO] = {METRIC_REAL, "t_ratio", "A part."},
    [T_SECONDS] = {METRIC_HISTOGRAM, "t_seconds", "How long they took."},
};
static const struct metrics_table targets = {{"topic", "function"}, target_rows, T_COUNT};

static const struct metric_row process_rows[] = {
    {METRIC_COUNTER, "p_commits_total", "Commits."},
    {METRIC_HISTOGRAM, "p_seconds", "How long they took."},
};
static const struct metrics_table process = {{NULL}, process_rows, 2};

/* What the parser has read: each series as `name{labels}` and its value. */
static struct {
    char name[SERIES_MAX][SERIES_SIZE];
    double value[SERIES_MAX];
    size_t count;
    char family[SERIES_MAX][SERIES_SIZE];
    size_t families;
    bool histogram; /* the last family */
} read_back;

static const char *name_end(const char *at)
{
    cr_assert(isalpha((unsigned char)*at) || *at == '_', "a name begins here: %.40s", at);
    while (isalnum((unsigned char)*at) || *at == '_' || *at == ':')
        at++;
    return at;
}

static const char *skip(const char *at, const char *expected)
{
    cr_assert_eq(strncmp(at, expected, strlen(expected)), 0, "`%s` expected: %.60s", expected, at);
    return at + strlen(expected);
}

static const char *quoted_end(const char *at)
{
    at = skip(at, "\"");
    while (*at != '"') {
        cr_assert(*at && *at != '\n', "an open quote");
        if (*at == '\\') {
            cr_assert(at[1] && strchr("\\\"n", at[1]), "no such escape: %.10s", at);
            at++;
        }
        at++;
    }
    return at + 1;
}

static const char *labels_end(const char *at)
{
    if (*at != '{')
        return at;
    do {
        at = name_end(at + 1);
        at = quoted_end(skip(at, "="));
    } while (*at == ',');
    return skip(at, "}");
}

/* "# HELP name text\n# TYPE name kind\n": together, once a family. */
static const char *read_family(const char *at)
{
    char *family = read_back.family[read_back.families];
    const char *name = skip(at, "# HELP "), *end = name_end(name);

    snprintf(family, SERIES_SIZE, "%.*s", (int)(end - name), name);
    for (size_t i = 0; i < read_back.families; i++)
        cr_assert_str_neq(read_back.family[i], family, "a family stands once");
    read_back.families++;
    at = strchr(skip(end, " "), '\n');
    at = skip(skip(skip(at, "\n# TYPE "), family), " ");
    read_back.histogram = strncmp(at, "histogram\n", 10) == 0;
    end = strchr(at, '\n');
    cr_assert(read_back.histogram || strncmp(at, "gauge\n", 6) == 0 ||
                  strncmp(at, "counter\n", 8) == 0,
              "a kind: %.20s", at);
    return end + 1;
}

/* Whether a series' name (which `end` ends) belongs to the last family. */
static bool in_family(const char *name, const char *end)
{
    static const char *const suffixes[] = {"_bucket", "_sum", "_count"};
    const char *family = read_back.family[read_back.families - 1];
    size_t length = strlen(family);

    if (strncmp(name, family, length) != 0)
        return false;
    if (!read_back.histogram)
        return name + length == end;
    for (size_t i = 0; i < 3; i++)
        if ((size_t)(end - name) == length + strlen(suffixes[i]) &&
            strncmp(name + length, suffixes[i], strlen(suffixes[i])) == 0)
            return true;
    return false;
}

static const char *read_sample(const char *at)
{
    const char *name = at, *end = name_end(at);
    char *series = read_back.name[read_back.count], *number_end;

    cr_assert_gt(read_back.families, 0);
    cr_assert(in_family(name, end), "in the family: %.60s", name);
    end = labels_end(end);
    snprintf(series, SERIES_SIZE, "%.*s", (int)(end - name), name);
    for (size_t i = 0; i < read_back.count; i++)
        cr_assert_str_neq(read_back.name[i], series, "a series stands once");
    end = skip(end, " ");
    read_back.value[read_back.count++] = strtod(end, &number_end);
    cr_assert_neq(end, number_end, "a number: %.20s", end);
    return skip(number_end, "\n");
}

/* Reads the registry's text into read_back; fails the test if it is not of the format. */
static void read_text(struct metrics *metrics)
{
    size_t size;
    char *text = metrics_text(metrics, &size);

    memset(&read_back, 0, sizeof(read_back));
    cr_assert_eq(size, strlen(text));
    for (size_t i = 0, step; i < size; i += step) {
        step = utf8_step(text + i, size - i);
        cr_assert_gt(step, 0, "UTF-8");
    }
    for (const char *at = text; *at;)
        at = *at == '#' ? read_family(at) : read_sample(at);
    free(text);
}

static bool has(const char *series)
{
    for (size_t i = 0; i < read_back.count; i++)
        if (strcmp(read_back.name[i], series) == 0)
            return true;
    return false;
}

static double value_of(const char *series)
{
    for (size_t i = 0; i < read_back.count; i++)
        if (strcmp(read_back.name[i], series) == 0)
            return read_back.value[i];
    cr_assert_fail("no series %s", series);
    return NAN;
}

static struct metrics_instance *add(struct metrics *metrics, const char *topic,
                                    const char *function)
{
    return metrics_add(metrics, &targets, (const char *const[]){topic, function});
}

Test(metrics, an_empty_registry_has_no_text)
{
    struct metrics *metrics = metrics_new();
    char *text = metrics_text(metrics, NULL);

    cr_expect_str_empty(text);
    free(text);
    metrics_free(metrics);
    metrics_free(NULL);
}

Test(metrics, values_start_at_0_and_are_the_owners)
{
    struct metrics *metrics = metrics_new();
    struct metrics_instance *a = add(metrics, "orders", "figlet");
    struct metrics_instance *p = metrics_add(metrics, &process, NULL);

    read_text(metrics);
    cr_expect_eq(value_of("t_calls_total{topic=\"orders\",function=\"figlet\"}"), 0);
    cr_expect_eq(value_of("t_ratio{topic=\"orders\",function=\"figlet\"}"), 0);
    cr_expect_eq(value_of("p_seconds_count"), 0);
    cr_expect_eq(value_of("p_seconds_bucket{le=\"+Inf\"}"), 0);

    a->values[T_CALLS].number = 9007199254740991;
    a->values[T_OPEN].number = -3;
    a->values[T_RATIO].real = 0.25;
    p->values[0].number++;
    read_text(metrics);
    cr_expect_eq(value_of("t_calls_total{topic=\"orders\",function=\"figlet\"}"), 9007199254740991);
    cr_expect_eq(value_of("t_open{topic=\"orders\",function=\"figlet\"}"), -3);
    cr_expect_eq(value_of("t_ratio{topic=\"orders\",function=\"figlet\"}"), 0.25);
    cr_expect_eq(value_of("p_commits_total"), 1);
    metrics_free(metrics);
}

Test(metrics, a_family_stands_together_and_ends_with_its_last_instance)
{
    struct metrics *metrics = metrics_new();
    struct metrics_instance *a = add(metrics, "a", "f"), *p, *b;

    p = metrics_add(metrics, &process, NULL);
    b = add(metrics, "b", "f"); /* behind another table's instance, yet in its own family */
    read_text(metrics);
    cr_expect_eq(read_back.families, 6);
    cr_expect(has("t_open{topic=\"a\",function=\"f\"}"));
    cr_expect(has("t_open{topic=\"b\",function=\"f\"}"));

    metrics_remove(metrics, a);
    read_text(metrics);
    cr_expect_not(has("t_open{topic=\"a\",function=\"f\"}"));
    cr_expect(has("t_open{topic=\"b\",function=\"f\"}"));

    metrics_remove(metrics, b);
    read_text(metrics);
    cr_expect_eq(read_back.families, 2);

    add(metrics, "a", "f")->values[T_CALLS].number = 1; /* the labels are free again */
    metrics_remove(metrics, p);
    read_text(metrics);
    cr_expect_eq(read_back.families, 4);
    metrics_free(metrics);
}

Test(metrics, histogram_buckets_are_cumulative)
{
    static const struct {
        const char *le;
        double count;
    } cases[] = {
        {"0.001", 2}, {"0.0025", 3}, {"0.005", 3}, {"0.01", 3}, {"0.025", 3}, {"0.05", 3},
        {"0.1", 4},   {"0.25", 4},   {"0.5", 4},   {"1", 4},    {"2.5", 4},   {"5", 4},
        {"10", 4},    {"30", 4},     {"60", 5},    {"+Inf", 6},
    };
    static const double observed[] = {0, 0.001, 0.0011, 0.1, 60, 60.5};
    struct metrics *metrics = metrics_new();
    struct metrics_instance *p = metrics_add(metrics, &process, NULL);
    struct metrics_instance *a = add(metrics, "a", "f");
    char series[SERIES_SIZE];

    for (size_t i = 0; i < sizeof(observed) / sizeof(*observed); i++) {
        metric_observe(&p->values[1], observed[i]);
        metric_observe(&a->values[T_SECONDS], observed[i]);
    }
    read_text(metrics);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        snprintf(series, sizeof(series), "p_seconds_bucket{le=\"%s\"}", cases[i].le);
        cr_expect_eq(value_of(series), cases[i].count, "%s", series);
        snprintf(series, sizeof(series), "t_seconds_bucket{topic=\"a\",function=\"f\",le=\"%s\"}",
                 cases[i].le);
        cr_expect_eq(value_of(series), cases[i].count, "%s", series);
    }
    cr_expect_eq(value_of("p_seconds_count"), 6);
    cr_expect_float_eq(value_of("p_seconds_sum"), 120.6021, 1e-9);
    cr_expect_eq(value_of("t_seconds_count{topic=\"a\",function=\"f\"}"), 6);
    metrics_free(metrics);
}

Test(metrics, label_values_are_escaped)
{
    static const struct {
        const char *why, *value, *escaped;
    } cases[] = {
        {"a quote", "a\"} 1", "a\\\"} 1"},
        {"a backslash", "a\\", "a\\\\"},
        {"a line break", "a\nt_open 1", "a\\nt_open 1"},
        {"nothing", "", ""},
        {"UTF-8", "\xC3\xA9", "\xC3\xA9"},
        {"bad UTF-8", "a\xFF", "a\xEF\xBF\xBD"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct metrics *metrics = metrics_new();
        char series[SERIES_SIZE];

        add(metrics, cases[i].value, "f")->values[T_OPEN].number = 7;
        read_text(metrics);
        snprintf(series, sizeof(series), "t_open{topic=\"%s\",function=\"f\"}", cases[i].escaped);
        cr_expect_eq(value_of(series), 7, "%s", cases[i].why);
        metrics_free(metrics);
    }
}

Test(metrics, reals_that_are_no_numbers)
{
    static const struct {
        double value;
        const char *line;
    } cases[] = {
        {NAN, "t_ratio{topic=\"a\",function=\"f\"} NaN\n"},
        {-NAN, "t_ratio{topic=\"a\",function=\"f\"} NaN\n"},
        {INFINITY, "t_ratio{topic=\"a\",function=\"f\"} +Inf\n"},
        {-INFINITY, "t_ratio{topic=\"a\",function=\"f\"} -Inf\n"},
        {1795280681.123, "t_ratio{topic=\"a\",function=\"f\"} 1795280681.123\n"},
    };
    struct metrics *metrics = metrics_new();
    struct metrics_instance *a = add(metrics, "a", "f");

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *text;

        a->values[T_RATIO].real = cases[i].value;
        text = metrics_text(metrics, NULL);
        cr_expect(strstr(text, cases[i].line), "%s", cases[i].line);
        free(text);
    }
    metrics_free(metrics);
}

static void count_up(void *context)
{
    ((struct metrics_instance *)context)->values[T_OPEN].number++;
}

Test(metrics, collect_comes_before_each_text)
{
    struct metrics *metrics = metrics_new();

    metrics_on_collect(metrics, count_up, add(metrics, "a", "f"));
    read_text(metrics);
    read_text(metrics);
    cr_expect_eq(value_of("t_open{topic=\"a\",function=\"f\"}"), 2);
    metrics_on_collect(metrics, NULL, NULL);
    read_text(metrics);
    cr_expect_eq(value_of("t_open{topic=\"a\",function=\"f\"}"), 2);
    metrics_free(metrics);
}

static char *markdown(const struct metrics_table *table)
{
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    metrics_print_markdown(table, to);
    fclose(to);
    return text;
}

Test(metrics, markdown)
{
    char *with = markdown(&targets), *without = markdown(&process);

    cr_expect_str_eq(with, "| metric | kind | labels | text |\n"
                           "|---|---|---|---|\n"
                           "| `t_calls_total` | counter | `topic`, `function` | Calls made. |\n"
                           "| `t_open` | gauge | `topic`, `function` | Calls open. |\n"
                           "| `t_ratio` | gauge | `topic`, `function` | A part. |\n"
                           "| `t_seconds` | histogram | `topic`, `function` "
                           "| How long they took. |\n");
    cr_expect(strstr(without, "| `p_commits_total` | counter |  | Commits. |\n"), "%s", without);
    free(with);
    free(without);
}
