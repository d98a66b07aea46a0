/*
 * objects: what ten thousand scaled objects cost, and how quick answers are meanwhile.
 *
 *   objects SECONDS
 *
 * 100 groups on 100 topics of 10 partitions each, on librdkafka's mock brokers in a process of
 * their own; the scaler samples every 5 s and is asked 1,000 times a second. How long an answer
 * took is counted from when it was to be asked, so that what holds up the loop shows; on a machine
 * that is busy with other things so do those, and only the loop's own CPU time tells: turn_us, its
 * longest turn, and slow_ppm, of a million calls those that come so early in a long turn that they
 * wait for more than 5 ms. Prints "name=value" words on a line: peak memory in KiB, microseconds,
 * samples of the cluster taken meanwhile.
 */
#include "base/log.h"
#include "base/xalloc.h"
#include "kafka/mock.h"
#include "scale/scaler.h"

#include <librdkafka/rdkafka.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { GROUPS = 100, TOPICS = 100, PARTITIONS = 10, NAME_SIZE = 32, ADDRESS_SIZE = 256 };
enum { ASKED_A_SECOND = 1000, KEYS = 4, WAIT_MS = 120000, TURN_MS = 1 };
enum { QUICK_NS = 5000000 };

struct bench {
    uv_loop_t loop;
    uv_timer_t timer;
    uv_prepare_t turn;
    uint64_t turn_began_ns, turn_most_ns, slow_ns; /* of this thread's CPU time */
    struct metrics *metrics;
    struct scaler *scaler;
    uint64_t began_ns;
    size_t asked, wanted, unknown;
    uint32_t *took_us;
};

_Noreturn static void give_up(const char *what, const char *why)
{
    fprintf(stderr, "objects: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

/* ---- Kafka ---- */

static void commit_all(const char *bootstrap, int group)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(TOPICS * PARTITIONS);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char name[NAME_SIZE], reason[256];
    rd_kafka_t *client;

    snprintf(name, sizeof(name), "group-%d", group);
    rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap, NULL, 0);
    rd_kafka_conf_set(conf, "group.id", name, NULL, 0);
    client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof(reason));
    if (!client)
        give_up("no client", reason);
    for (int topic = 0; topic < TOPICS; topic++) {
        snprintf(name, sizeof(name), "topic-%d", topic);
        for (int i = 0; i < PARTITIONS; i++)
            rd_kafka_topic_partition_list_add(list, name, i)->offset = 0;
    }
    if (rd_kafka_commit(client, list, 0))
        give_up("a commit", "refused");
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(client);
}

/* The process of the brokers: says where they are when all is there, and waits to be killed. */
_Noreturn static void serve(int to)
{
    const char *reason;
    struct mock *mock = mock_new(1, &reason);
    char name[NAME_SIZE];

    if (!mock)
        give_up("mock brokers", reason);
    for (int topic = 0; topic < TOPICS; topic++) {
        snprintf(name, sizeof(name), "topic-%d", topic);
        mock_create_topic(mock, name, PARTITIONS);
    }
    for (int group = 0; group < GROUPS; group++)
        commit_all(mock_bootstrap(mock), group);
    if (write(to, mock_bootstrap(mock), strlen(mock_bootstrap(mock))) < 0)
        give_up("mock brokers", "nobody listens");
    close(to);
    for (;;)
        pause();
}

static pid_t start_brokers(char address[ADDRESS_SIZE])
{
    int ends[2];
    pid_t pid;
    ssize_t size;

    if (pipe(ends) != 0)
        give_up("mock brokers", "no pipe");
    pid = fork();
    if (pid == 0)
        serve(ends[1]);
    close(ends[1]);
    size = read(ends[0], address, ADDRESS_SIZE - 1);
    close(ends[0]);
    if (pid < 0 || size <= 0)
        give_up("mock brokers", "they are not there");
    address[size] = '\0';
    return pid;
}

/* ---- who asks ---- */

static struct scaler_answer ask(struct bench *bench, size_t number)
{
    char name[NAME_SIZE], group[NAME_SIZE], topic[NAME_SIZE];
    const struct scaler_entry metadata[KEYS] = {{"scalerAddress", "lag-scaler:50051"},
                                                {"consumerGroup", group},
                                                {"topic", topic},
                                                {"lagThreshold", "100"}};
    const struct scaler_ref ref = {"default", name, metadata, KEYS};

    snprintf(name, sizeof(name), "object-%zu", number);
    snprintf(group, sizeof(group), "group-%zu", number / TOPICS);
    snprintf(topic, sizeof(topic), "topic-%zu", number % TOPICS);
    return scaler_ask(bench->scaler, SCALER_GET_METRICS, &ref);
}

static void on_turn(uv_prepare_t *turn)
{
    struct bench *bench = turn->data;
    struct timespec now;
    uint64_t now_ns, took_ns;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    now_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    took_ns = now_ns - bench->turn_began_ns;
    if (bench->turn_began_ns && took_ns > bench->turn_most_ns)
        bench->turn_most_ns = took_ns;
    if (bench->turn_began_ns && took_ns > QUICK_NS)
        bench->slow_ns += took_ns - QUICK_NS;
    bench->turn_began_ns = now_ns;
}

static void on_timer(uv_timer_t *timer)
{
    struct bench *bench = timer->data;
    uint64_t step_ns = 1000000000 / ASKED_A_SECOND;

    while (bench->asked < bench->wanted &&
           bench->began_ns + bench->asked * step_ns <= uv_hrtime()) {
        uint64_t due_ns = bench->began_ns + bench->asked * step_ns;

        bench->unknown +=
            ask(bench, bench->asked * 7919 % ((size_t)GROUPS * TOPICS)).status != SCALER_OK;
        bench->took_us[bench->asked++] = (uint32_t)((uv_hrtime() - due_ns) / 1000);
    }
    if (bench->asked == bench->wanted)
        uv_stop(&bench->loop);
}

static int by_size(const void *a, const void *b)
{
    uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;

    return (one > other) - (one < other);
}

/* ---- the run ---- */

/* All are made; runs until each was judged. */
static void make_objects(struct bench *bench)
{
    size_t unknown = 1;

    while (unknown) {
        unknown = 0;
        for (size_t i = 0; i < (size_t)GROUPS * TOPICS; i++)
            unknown += ask(bench, i).status != SCALER_OK;
        uv_run(&bench->loop, UV_RUN_ONCE);
    }
}

static double metric(struct bench *bench, const char *name)
{
    char *text = metrics_text(bench->metrics, NULL), *at = strstr(text, name);
    double value = at && (at = strchr(at, ' ')) ? strtod(at, NULL) : -1;

    free(text);
    return value;
}

static void measure(struct bench *bench, int seconds)
{
    const char *samples = "\nkafka_connector_cluster_samples_total{";
    double before = metric(bench, samples);
    struct rusage usage;
    size_t last;

    bench->wanted = (size_t)seconds * ASKED_A_SECOND;
    last = bench->wanted - 1;
    bench->took_us = xcalloc(bench->wanted, sizeof(*bench->took_us));
    bench->began_ns = uv_hrtime();
    uv_timer_start(&bench->timer, on_timer, TURN_MS, TURN_MS);
    uv_prepare_start(&bench->turn, on_turn);
    uv_run(&bench->loop, UV_RUN_DEFAULT);
    uv_timer_stop(&bench->timer);
    uv_prepare_stop(&bench->turn);
    qsort(bench->took_us, bench->wanted, sizeof(*bench->took_us), by_size);
    getrusage(RUSAGE_SELF, &usage);
    printf("objects=%d asked=%zu unknown=%zu samples=%.0f p50_us=%u p99_us=%u p999_us=%u "
           "most_us=%u turn_us=%lu slow_ppm=%lu "
           "peak_kib=%ld\n",
           GROUPS * TOPICS, bench->asked, bench->unknown, metric(bench, samples) - before,
           bench->took_us[last / 2], bench->took_us[last * 99 / 100],
           bench->took_us[last * 999 / 1000], bench->took_us[last],
           (unsigned long)(bench->turn_most_ns / 1000),
           (unsigned long)(bench->slow_ns / 1000 / (uint64_t)seconds), usage.ru_maxrss);
    free(bench->took_us);
}

static void run(struct bench *bench, const char *address, int seconds)
{
    struct scale_config config;
    struct option_group groups[SCALE_GROUPS];
    char flag[ADDRESS_SIZE + NAME_SIZE], *nothing = NULL;
    char *flags[] = {flag, "--samplingInterval=5"};
    const struct option_input input = {.argc = 2, .argv = flags, .environment = &nothing};
    struct option_faults faults = {0};

    snprintf(flag, sizeof(flag), "--bootstrapServers=%s", address);
    scale_config_init(&config, groups);
    option_read(groups, SCALE_GROUPS, &input, &faults);
    uv_loop_init(&bench->loop);
    uv_timer_init(&bench->loop, &bench->timer);
    uv_prepare_init(&bench->loop, &bench->turn);
    bench->timer.data = bench->turn.data = bench;
    bench->metrics = metrics_new();
    bench->scaler =
        scaler_new(&(struct scaler_setup){&bench->loop, &config, bench->metrics}, &faults);
    if (!bench->scaler)
        give_up("the scaler", faults.items[0]);
    make_objects(bench);
    measure(bench, seconds);
    uv_close((uv_handle_t *)&bench->timer, NULL);
    uv_close((uv_handle_t *)&bench->turn, NULL);
    scaler_close(bench->scaler, NULL, NULL);
    uv_run(&bench->loop, UV_RUN_DEFAULT);
    uv_loop_close(&bench->loop);
    metrics_free(bench->metrics);
    option_release(groups, SCALE_GROUPS);
}

int main(int argc, char **argv)
{
    struct bench bench = {0};
    const struct log_options quiet = {.level = LOG_LEVEL_WARNING};
    char address[ADDRESS_SIZE];
    pid_t brokers = start_brokers(address);
    int seconds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 30;

    mallopt(M_ARENA_MAX, 1); /* as the program does */
    log_configure(&quiet, stderr);
    run(&bench, address, seconds > 0 ? seconds : 1);
    kill(brokers, SIGKILL);
    waitpid(brokers, NULL, 0);
    return EXIT_SUCCESS;
}
