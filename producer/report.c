/* report: see report.h. */
#include "producer/report.h"

#include "base/xalloc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SHOW_EVERY_US = 1000 * 1000 };

void report_init(struct report *report, FILE *out, int64_t now_us)
{
    *report = (struct report){.out = out, .started_us = now_us, .shown_us = now_us};
}

void report_release(struct report *report)
{
    for (size_t i = 0; i < REPORT_REASONS; i++)
        free(report->reasons[i].text);
}

void report_acknowledged(struct report *report, const struct report_record *record)
{
    latency_add(&report->latency, record->latency_us);
    report->bytes += record->size;
    if (report->each)
        fprintf(report->out, "Msg: topic(%s)/partition(%" PRId32 ")/offset(%" PRId64 ")\n",
                record->topic, record->partition, record->offset);
}

void report_failed(struct report *report, const char *reason)
{
    size_t i = 0;

    while (i < REPORT_REASONS - 1 && report->reasons[i].text &&
           strcmp(report->reasons[i].text, reason) != 0)
        i++;
    if (!report->reasons[i].text)
        report->reasons[i].text = xstrdup(i < REPORT_REASONS - 1 ? reason : "other reasons");
    report->reasons[i].count++;
    report->failed++;
}

static double ms(int64_t us)
{
    return (double)us / 1000;
}

/* "N records sent, X records/sec (Y MB/sec), A ms avg latency, B ms max latency" */
static void print_totals(const struct report *report, FILE *to, int64_t now_us)
{
    int64_t elapsed_us = now_us > report->started_us ? now_us - report->started_us : 1;
    double seconds = (double)elapsed_us / 1e6;

    fprintf(to,
            "%" PRIu64 " records sent, %f records/sec (%.2f MB/sec), "
            "%.2f ms avg latency, %.2f ms max latency",
            report->latency.count, (double)report->latency.count / seconds,
            (double)report->bytes / seconds / (1024 * 1024),
            latency_average_us(&report->latency) / 1000, ms(report->latency.max_us));
}

void report_progress(struct report *report, int64_t now_us)
{
    if (!report->progress || now_us - report->shown_us < SHOW_EVERY_US)
        return;
    report->shown_us = now_us;
    fputc('\r', report->progress);
    print_totals(report, report->progress, now_us);
    fputs("\033[K", report->progress); /* what a longer line before left */
    fflush(report->progress);
}

static void print_reasons(const struct report *report)
{
    fprintf(report->out, "%" PRIu64 " records failed: ", report->failed);
    for (size_t i = 0; i < REPORT_REASONS && report->reasons[i].text; i++)
        fprintf(report->out, "%s%s (%" PRIu64 ")", i ? ", " : "", report->reasons[i].text,
                report->reasons[i].count);
    fputc('\n', report->out);
}

void report_close(struct report *report, int64_t now_us)
{
    static const struct {
        double share;
        const char *name;
    } percentiles[] = {{0.5, "50th"}, {0.95, "95th"}, {0.99, "99th"}, {0.999, "99.9th"}};

    if (report->progress && report->shown_us != report->started_us)
        fputs("\r\033[K", report->progress);
    print_totals(report, report->out, now_us);
    for (size_t i = 0; i < sizeof(percentiles) / sizeof(*percentiles); i++)
        fprintf(report->out, ", %.0f ms %s",
                ms(latency_percentile_us(&report->latency, percentiles[i].share)),
                percentiles[i].name);
    fputs(".\n", report->out);
    if (report->failed)
        print_reasons(report);
}
