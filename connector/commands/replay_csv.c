/* replay_csv: a trace from a file of offsets; see trace_read. */
#include "commands/replay_trace.h"

#include "base/file.h"
#include "base/xalloc.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_LIMIT = 1 << 30, COLUMNS = 4 };

/* So that a sum over all partitions fits. */
static const int64_t offset_most = INT64_C(1) << 48;

static const char *const column_names[COLUMNS] = {"time", "partition", "committed", "end"};

struct row {
    size_t line;
    double time;
    int32_t partition;
    int64_t committed; /* -1: nothing */
    int64_t end;
};

struct reading {
    const char *path;
    size_t line;
    char *fields[COLUMNS];
    struct row *rows;
    size_t count, room;
    struct option_faults *faults;
};

/* ---- a line ---- */

/* Tells what is wrong with a column of the line. Always false. */
static bool refuse(const struct reading *it, int column, const char *what)
{
    option_fault(it->faults, "file %s: line %zu, column %d (%s): \"%s\" %s", it->path, it->line,
                 column + 1, column_names[column], it->fields[column], what);
    return false;
}

static char *trim(char *text)
{
    size_t size;

    text += strspn(text, " \t");
    size = strlen(text);
    while (size && strchr(" \t\r", text[size - 1]))
        text[--size] = '\0';
    return text;
}

/* Cuts the line at its commas. False: it has not as many columns as it must. */
static bool split(struct reading *it, char *line)
{
    int columns = 0;

    for (char *field; (field = strsep(&line, ",")); columns++)
        if (columns < COLUMNS)
            it->fields[columns] = trim(field);
    if (columns == COLUMNS)
        return true;
    option_fault(it->faults,
                 "file %s: line %zu: has %d columns, not %d (time, partition, committed, end)",
                 it->path, it->line, columns, COLUMNS);
    return false;
}

static bool read_whole(const struct reading *it, int column, int64_t most, int64_t *number)
{
    const char *text = it->fields[column];
    char *end;

    errno = 0;
    *number = strtoll(text, &end, 10);
    if (!isdigit((unsigned char)*text) || *end)
        return refuse(it, column, "is not a whole number");
    return (errno == 0 && *number <= most) || refuse(it, column, "is too large");
}

static bool read_time(const struct reading *it, double *time)
{
    char *end;

    *time = strtod(it->fields[0], &end);
    return (end != it->fields[0] && !*end && isfinite(*time) && fabs(*time) < 1e12) ||
           refuse(it, 0, "is not a number of seconds");
}

static bool read_committed(const struct reading *it, int64_t *committed)
{
    *committed = -1;
    return !*it->fields[2] || strcmp(it->fields[2], "-1") == 0 ||
           read_whole(it, 2, offset_most, committed);
}

static void take_row(struct reading *it, const struct row *row)
{
    if (it->count == it->room) {
        it->room = it->room ? it->room * 2 : 1024;
        it->rows = xrealloc(it->rows, it->room * sizeof(*it->rows));
    }
    it->rows[it->count++] = *row;
}

static bool read_row(struct reading *it)
{
    struct row row = {.line = it->line};
    int64_t partition;

    if (!read_time(it, &row.time) || !read_whole(it, 1, INT32_MAX, &partition) ||
        !read_committed(it, &row.committed) || !read_whole(it, 3, offset_most, &row.end))
        return false;
    if (row.committed > row.end)
        return refuse(it, 2, "is beyond the end");
    row.partition = (int32_t)partition;
    take_row(it, &row);
    return true;
}

static bool is_heading(const struct reading *it)
{
    return it->line == 1 && strcasecmp(it->fields[0], column_names[0]) == 0;
}

/* ---- all lines ---- */

static bool read_lines(struct reading *it, char *text)
{
    for (char *line; (line = strsep(&text, "\n"));) {
        it->line++;
        if (!*trim(line))
            continue;
        if (!split(it, line) || (!is_heading(it) && !read_row(it)))
            return false;
    }
    if (it->count == 0)
        option_fault(it->faults, "file %s: has no line of offsets", it->path);
    return it->count > 0;
}

static int by_partition_and_time(const void *left, const void *right)
{
    const struct row *a = left, *b = right;

    if (a->partition != b->partition)
        return a->partition < b->partition ? -1 : 1;
    return a->line < b->line ? -1 : 1;
}

/* Within each partition times grow and ends do not fall. */
static bool check_rows(const struct reading *it)
{
    for (size_t i = 1; i < it->count; i++) {
        const struct row *before = &it->rows[i - 1], *row = &it->rows[i];

        if (row->partition != before->partition)
            continue;
        if (row->time <= before->time || row->end < before->end) {
            option_fault(it->faults,
                         "file %s: line %zu, column %s than on line %zu, of the same partition",
                         it->path, row->line,
                         row->end < before->end ? "4 (end): is lower" : "1 (time): is not later",
                         before->line);
            return false;
        }
    }
    return true;
}

/* ---- the trace ---- */

static size_t count_partitions(const struct reading *it)
{
    size_t count = 1;

    for (size_t i = 1; i < it->count; i++)
        count += it->rows[i].partition != it->rows[i - 1].partition;
    return count;
}

static void find_times(const struct reading *it, double *first, double *last)
{
    *first = *last = it->rows[0].time;
    for (size_t i = 1; i < it->count; i++) {
        *first = fmin(*first, it->rows[i].time);
        *last = fmax(*last, it->rows[i].time);
    }
}

/* The ends of a partition between its rows `from` and `until`, by the second. */
static void fill_partition(struct trace *trace, size_t partition, const struct row *from,
                           const struct row *until, double first)
{
    int64_t *ends = &trace->ends[partition * (size_t)(trace->seconds + 1)];
    const struct row *row = from;

    trace->numbers[partition] = from->partition;
    trace->committed[partition] = from->committed < 0 ? from->end : from->committed;
    for (int64_t s = 0; s <= trace->seconds; s++) {
        double now = first + (double)s;

        while (row + 1 < until && row[1].time <= now)
            row++;
        ends[s] = row->end;
        if (row + 1 < until && now > row->time)
            ends[s] += (int64_t)((double)(row[1].end - row->end) * (now - row->time) /
                                 (row[1].time - row->time));
    }
}

static bool check_size(const struct reading *it, size_t partitions, double seconds)
{
    if (seconds < 1) {
        option_fault(it->faults, "file %s: all lines are of one time", it->path);
        return false;
    }
    if (seconds > TRACE_SECONDS_MOST || partitions > TRACE_PARTITIONS_MOST ||
        (double)partitions * (seconds + 1) > TRACE_CELLS_MOST) {
        option_fault(
            it->faults,
            "file %s: has %zu partitions over %.0f seconds; a trace has at most %d over 31 "
            "days, and %d of partitions times seconds",
            it->path, partitions, seconds, TRACE_PARTITIONS_MOST, TRACE_CELLS_MOST);
        return false;
    }
    return true;
}

static bool fill_trace(const struct reading *it, struct trace *trace)
{
    size_t partitions = count_partitions(it), begin = 0, partition = 0;
    double first, last, seconds;

    find_times(it, &first, &last);
    seconds = ceil(last - first);
    if (!check_size(it, partitions, seconds))
        return false;
    trace_init(trace, it->path, partitions, (int64_t)seconds);
    for (size_t i = 1; i <= it->count; i++)
        if (i == it->count || it->rows[i].partition != it->rows[begin].partition) {
            fill_partition(trace, partition++, &it->rows[begin], &it->rows[i], first);
            begin = i;
        }
    return true;
}

bool trace_read(const char *path, struct trace *trace, struct option_faults *faults)
{
    struct reading it = {.path = path, .faults = faults};
    const char *reason;
    size_t size;
    char *text = file_read(path, FILE_LIMIT, &size, &reason);
    bool good = false;

    if (!text) {
        option_fault(faults, "file %s: cannot be read: %s", path, reason);
        return false;
    }
    if (strlen(text) != size)
        option_fault(faults, "file %s: holds a NUL, so it is no text", path);
    else if (read_lines(&it, text)) {
        qsort(it.rows, it.count, sizeof(*it.rows), by_partition_and_time);
        good = check_rows(&it) && fill_trace(&it, trace);
    }
    free(it.rows);
    free(text);
    return good;
}
