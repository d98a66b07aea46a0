/* batches: see batches.h. Batches with records to send are served by an idle handle of the loop,
 * which runs only while there are such and the writer has room. */
#include "producer/batches.h"

#include "base/xalloc.h"
#include "producer/clock.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum { SLICE = 500 }; /* records of one batch before another has its turn */

struct batch {
    struct batches *batches;
    struct order order;
    int64_t unsent, unended;
    struct report report;
    void (*ended)(void *context, const struct report *report);
    void *context;
    struct batch *prev, *next; /* in batches->sending, while unsent > 0 */
};

struct batches {
    struct writer *writer;
    char *value; /* of ORDER_SIZE_MAX bytes: each record is so much of it as was asked for */
    uv_idle_t pump;
    uv_async_t wake;
    int handles; /* not closed yet */
    struct batch *sending;
    int count;
    bool stopped;
};

/* ---- the end of a batch ---- */

static void end_if_over(struct batch *batch)
{
    struct batches *batches = batch->batches;

    if (batch->unended > 0)
        return;
    batches->count--;
    batch->ended(batch->context, &batch->report);
    report_release(&batch->report);
    order_release(&batch->order);
    free(batch);
}

/* Of its records so many did not leave. */
static void refuse(struct batch *batch, int64_t count, const char *reason)
{
    for (int64_t i = 0; i < count; i++)
        report_failed(&batch->report, reason);
    batch->unended -= count;
}

static void on_end(void *context, const struct writer_end *end)
{
    struct batch *batch = end->of;

    (void)context;
    if (end->reason)
        report_failed(&batch->report, end->reason);
    else
        report_acknowledged(&batch->report, &(struct report_record){.partition = end->partition,
                                                                    .offset = end->offset,
                                                                    .size = end->size,
                                                                    .latency_us = end->latency_us});
    batch->unended--;
    end_if_over(batch);
}

/* ---- sending ---- */

/* False: the writer is full. */
static bool send_one(struct batch *batch)
{
    struct writer_record record = {.value = batch->batches->value,
                                   .size = (size_t)batch->order.size,
                                   .key = batch->order.key,
                                   .of = batch};
    const char *reason;

    switch (writer_send(batch->batches->writer, &record, &reason)) {
    case WRITER_FULL:
        return false;
    case WRITER_REFUSED:
        refuse(batch, 1, reason);
        break;
    case WRITER_TAKEN:
        break;
    }
    batch->unsent--;
    return true;
}

/* A slice of the first, which then is the last. */
static bool send_slice(struct batches *batches)
{
    struct batch *batch = batches->sending;
    bool room = true;

    for (int i = 0; i < SLICE && room && batch->unsent > 0; i++)
        room = send_one(batch);
    DL_DELETE(batches->sending, batch);
    if (batch->unsent > 0)
        DL_APPEND(batches->sending, batch);
    else
        end_if_over(batch);
    return room;
}

static void on_pump(uv_idle_t *pump)
{
    struct batches *batches = pump->data;

    if (!batches->sending || !send_slice(batches))
        uv_idle_stop(pump);
}

static void on_wake(uv_async_t *wake)
{
    struct batches *batches = wake->data;

    writer_serve(batches->writer, 0);
    if (batches->sending)
        uv_idle_start(&batches->pump, on_pump);
}

/* On a thread of librdkafka's. */
static void wake_loop(void *context)
{
    uv_async_send(context);
}

bool batches_begin(struct batches *batches, struct order *order,
                   void (*ended)(void *context, const struct report *report), void *context)
{
    struct batch *batch;

    if (batches->stopped || batches->count == BATCHES_MAX)
        return false;
    batch = xcalloc(1, sizeof(*batch));
    batch->batches = batches;
    batch->order = *order;
    batch->unsent = batch->unended = order->count;
    batch->ended = ended;
    batch->context = context;
    report_init(&batch->report, NULL, clock_us());
    *order = (struct order){0};
    DL_APPEND(batches->sending, batch);
    batches->count++;
    uv_idle_start(&batches->pump, on_pump);
    return true;
}

/* ---- its life ---- */

static char *make_value(const char *pattern)
{
    size_t length = strlen(pattern);
    char *value = xmalloc(ORDER_SIZE_MAX);

    for (size_t i = 0; i < ORDER_SIZE_MAX; i++)
        value[i] = length ? pattern[i % length] : 'x';
    return value;
}

struct batches *batches_new(uv_loop_t *loop, const struct producer_options *options,
                            struct option_faults *faults)
{
    struct batches *batches = xcalloc(1, sizeof(*batches));

    batches->writer = writer_new(options, &(struct writer_sink){on_end, batches}, faults);
    if (!batches->writer) {
        free(batches);
        return NULL;
    }
    batches->value = make_value(options->value);
    uv_idle_init(loop, &batches->pump);
    uv_async_init(loop, &batches->wake, on_wake);
    batches->pump.data = batches->wake.data = batches;
    batches->handles = 2;
    writer_on_wake(batches->writer, wake_loop, &batches->wake);
    return batches;
}

static void on_closed(uv_handle_t *handle)
{
    struct batches *batches = handle->data;

    if (--batches->handles == 0)
        free(batches);
}

void batches_free(struct batches *batches)
{
    assert(batches_idle(batches));
    writer_free(batches->writer);
    free(batches->value);
    uv_close((uv_handle_t *)&batches->pump, on_closed);
    uv_close((uv_handle_t *)&batches->wake, on_closed);
}

void batches_stop(struct batches *batches, bool now)
{
    batches->stopped = true;
    while (batches->sending) {
        struct batch *batch = batches->sending;

        DL_DELETE(batches->sending, batch);
        refuse(batch, batch->unsent, "the producer ends");
        batch->unsent = 0;
        end_if_over(batch);
    }
    if (now)
        writer_give_up(batches->writer);
}

bool batches_idle(const struct batches *batches)
{
    return batches->count == 0;
}
