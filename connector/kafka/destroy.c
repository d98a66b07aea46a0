/* destroy: see destroy.h. */
#include "kafka/destroy.h"

#include "base/xalloc.h"

#include <stdlib.h>

struct destruction {
    uv_work_t work; /* first: its address is the destruction's */
    rd_kafka_t *kafka;
    void (*over)(void *context);
    void *context;
};

static void destruction_work(uv_work_t *work)
{
    rd_kafka_destroy(((struct destruction *)work)->kafka);
}

static void destruction_over(uv_work_t *work, int status)
{
    struct destruction *destruction = (struct destruction *)work;

    (void)status; /* never cancelled */
    destruction->over(destruction->context);
    free(destruction);
}

void kafka_destroy_take(uv_loop_t *loop, rd_kafka_t *kafka, void (*over)(void *context),
                        void *context)
{
    struct destruction *destruction = xcalloc(1, sizeof(*destruction));

    destruction->kafka = kafka;
    destruction->over = over;
    destruction->context = context;
    uv_queue_work(loop, &destruction->work, destruction_work, destruction_over);
}
