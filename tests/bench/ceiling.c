/*
 * ceiling: the same calls that the connector makes, by libcurl and libuv and nothing else: what is
 * left to win above it is not the connector's to win. No Kafka, no retries, no order but that of
 * who calls; handles keep their options from call to call.
 *
 *     gateway_url=http://HOST:PORT ceiling CALL RECORDS PARTITIONS IN_FLIGHT
 *
 * CALL is a file with the head and body of one of the connector's calls (measure --keep): path and
 * header lines are taken from it, with partition, offset and value as each record's. One of
 * IN_FLIGHT callers takes every IN_FLIGHTth record, so with as many callers as partitions each
 * partition is called in order.
 *
 * Sockets are registered lazily, the fastest way that was found: polled from their first
 * CURL_POLL on, forgotten on CURL_POLL_REMOVE without telling libuv, and stopped when an event
 * comes that nobody wants.
 */
#include "base/file.h"
#include "base/xalloc.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uv.h>

enum { CALL_LIMIT = 1024 * 1024, SOCKETS = 8192, LINES_MOST = 32, NUMBER_SIZE = 21 };

/* A call as it was kept: its lines without those that curl writes itself. */
struct model {
    char *path;
    char *lines[LINES_MOST];
    size_t count;
    char *body;
    size_t body_size;
};

struct caller {
    CURL *easy;
    size_t record; /* the next */
    struct curl_slist lines[LINES_MOST];
    char *partition, *offset; /* the digits in their lines; NULL: the model has none */
    char *body;
};

struct watch {
    uv_poll_t poll;
    curl_socket_t fd;
    int wanted, polled;
    bool open;
};

static struct {
    uv_loop_t *loop;
    uv_timer_t timer;
    uv_idle_t now;
    uv_check_t check;
    CURLM *multi;
    bool due;
    struct watch watches[SOCKETS]; /* by file descriptor */
    struct model model;
    size_t records, partitions, step, on_their_way;
} ceiling;

_Noreturn static void die(const char *what, const char *why)
{
    fprintf(stderr, "ceiling: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

/* ---- the model ---- */

static bool is_line(const char *line, const char *name)
{
    return strncasecmp(line, name, strlen(name)) == 0;
}

static void add_line(struct model *model, const char *line)
{
    if (model->count == LINES_MOST)
        die(line, "one header line too many");
    model->lines[model->count++] = xstrdup(line);
}

/* What curl writes by itself unless it is told of the name alone. */
static void suppress(struct model *model, const char *name)
{
    for (size_t i = 0; i < model->count; i++)
        if (is_line(model->lines[i], name))
            return;
    add_line(model, name);
}

static void read_model(struct model *model, const char *path)
{
    const char *reason;
    size_t size;
    char *text = file_read(path, CALL_LIMIT, &size, &reason), *head_end, *line, *next;

    if (!text)
        die(path, reason);
    head_end = strstr(text, "\r\n\r\n");
    if (!head_end || !is_line(text, "POST "))
        die(path, "is no call");
    head_end[2] = '\0';
    model->body = head_end + 4;
    model->body_size = size - (size_t)(model->body - text);
    model->path = xstrndup(text + 5, strcspn(text + 5, " "));
    for (line = strstr(text, "\r\n") + 2; *line; line = next) {
        next = strstr(line, "\r\n");
        *next = '\0';
        next += 2;
        if (!is_line(line, "Host:") && !is_line(line, "Content-Length:"))
            add_line(model, line);
    }
    suppress(model, "Accept:");
    suppress(model, "Content-Type:");
}

/* ---- sockets and time ---- */

static void on_socket(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    int wanted = events & watch->wanted, running;

    if (status < 0)
        die("gateway", uv_strerror(status));
    if (!wanted) {
        watch->polled = watch->wanted;
        if (watch->polled)
            uv_poll_start(poll, watch->polled, on_socket);
        else
            uv_poll_stop(poll);
        return;
    }
    curl_multi_socket_action(ceiling.multi, watch->fd,
                             (wanted & UV_READABLE ? CURL_CSELECT_IN : 0) |
                                 (wanted & UV_WRITABLE ? CURL_CSELECT_OUT : 0),
                             &running);
}

static int want(CURL *easy, curl_socket_t fd, int what, void *context, void *unused)
{
    struct watch *watch = &ceiling.watches[fd];

    (void)easy;
    (void)context;
    (void)unused;
    if (fd >= SOCKETS)
        die("gateway", "too many sockets");
    watch->wanted = what == CURL_POLL_REMOVE ? 0
                                             : (what & CURL_POLL_IN ? UV_READABLE : 0) |
                                                   (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    if (!(watch->wanted & ~watch->polled))
        return 0;
    if (!watch->open && uv_poll_init_socket(ceiling.loop, &watch->poll, fd))
        die("gateway", "cannot be polled");
    watch->open = true;
    watch->fd = fd;
    watch->poll.data = watch;
    watch->polled = watch->wanted;
    uv_poll_start(&watch->poll, watch->polled, on_socket);
    return 0;
}

static void on_now(uv_idle_t *now)
{
    (void)now; /* that it runs keeps the loop from waiting */
}

static void due_now(void)
{
    ceiling.due = true;
    uv_idle_start(&ceiling.now, on_now);
}

static void on_timer(uv_timer_t *timer)
{
    (void)timer;
    due_now();
}

static int set_timer(CURLM *multi, long timeout_ms, void *context)
{
    (void)multi;
    (void)context;
    uv_timer_stop(&ceiling.timer);
    ceiling.due = false;
    if (timeout_ms == 0)
        due_now();
    else if (timeout_ms > 0)
        uv_timer_start(&ceiling.timer, on_timer, (uint64_t)timeout_ms, 0);
    return 0;
}

/* ---- calls ---- */

static char *put_number(char *at, size_t number)
{
    char digits[NUMBER_SIZE], *first = digits + sizeof(digits);
    size_t size;

    do
        *--first = (char)('0' + number % 10);
    while (number /= 10);
    size = (size_t)(digits + sizeof(digits) - first);
    memcpy(at, first, size);
    return at + size;
}

static void put_text_number(char *at, size_t number)
{
    if (at)
        *put_number(at, number) = '\0';
}

/* "PARTITION:NUMBER:" at the beginning of what was another record's value. */
static void put_value_head(struct caller *caller, size_t partition, size_t number)
{
    char head[2 * NUMBER_SIZE + 2], *at = head;

    at = put_number(at, partition);
    *at++ = ':';
    at = put_number(at, number);
    *at++ = ':';
    memset(caller->body, 'x', sizeof(head) < ceiling.model.body_size ? sizeof(head) : 0);
    memcpy(caller->body, head, (size_t)(at - head));
}

static void call_next(struct caller *caller)
{
    size_t partition = caller->record % ceiling.partitions;
    size_t number = caller->record / ceiling.partitions;

    if (caller->record >= ceiling.records)
        return;
    put_text_number(caller->partition, partition);
    put_text_number(caller->offset, number);
    put_value_head(caller, partition, number);
    caller->record += ceiling.step;
    ceiling.on_their_way++;
    curl_multi_add_handle(ceiling.multi, caller->easy);
}

/* All that ended leave curl before any is called again, so that their connections are free. */
static void collect(void)
{
    static CURL *ended[SOCKETS];
    struct caller *caller;
    size_t count = 0;
    CURLMsg *told;
    int left;

    while ((told = curl_multi_info_read(ceiling.multi, &left))) {
        if (told->data.result)
            die("a call", curl_easy_strerror(told->data.result));
        ended[count++] = told->easy_handle;
        curl_multi_remove_handle(ceiling.multi, told->easy_handle);
        ceiling.on_their_way--;
    }
    for (size_t i = 0; i < count; i++) {
        curl_easy_getinfo(ended[i], CURLINFO_PRIVATE, &caller);
        call_next(caller);
    }
}

/* What is called in a turn goes out in it. */
static void on_check(uv_check_t *check)
{
    int running;

    collect();
    while (ceiling.due) {
        ceiling.due = false;
        curl_multi_socket_action(ceiling.multi, CURL_SOCKET_TIMEOUT, 0, &running);
        collect();
    }
    uv_idle_stop(&ceiling.now);
    if (!ceiling.on_their_way)
        uv_stop(check->loop);
}

static size_t drop_bytes(char *bytes, size_t one, size_t size, void *unused)
{
    (void)bytes;
    (void)one;
    (void)unused;
    return size;
}

/* ---- the story ---- */

/* The digits in the line of a number, in room for any. NULL: it is another line. */
static char *number_line(struct curl_slist *line, const char *name)
{
    size_t size = strlen(name);

    if (!is_line(line->data, name))
        return NULL;
    line->data = xmalloc(size + NUMBER_SIZE + 1);
    memcpy(line->data, name, size);
    return line->data + size;
}

static void copy_model(struct caller *caller, const struct model *model)
{
    for (size_t i = 0; i < model->count; i++) {
        struct curl_slist *line = &caller->lines[i];
        char *digits;

        line->data = model->lines[i];
        line->next = i + 1 < model->count ? line + 1 : NULL;
        if ((digits = number_line(line, "X-Kafka-Partition: ")))
            caller->partition = digits;
        else if ((digits = number_line(line, "X-Kafka-Offset: ")))
            caller->offset = digits;
    }
    caller->body = xmalloc(model->body_size + 1);
    memcpy(caller->body, model->body, model->body_size);
}

static void start_caller(size_t number, CURLU *url)
{
    struct caller *caller = xcalloc(1, sizeof(*caller));
    CURL *easy = xcheck(curl_easy_init());

    caller->easy = easy;
    caller->record = number;
    copy_model(caller, &ceiling.model);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, caller);
    curl_easy_setopt(easy, CURLOPT_CURLU, url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, caller->lines);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, caller->body);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)ceiling.model.body_size);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop_bytes);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    call_next(caller);
}

static CURLU *function_url(void)
{
    const char *gateway = getenv("gateway_url");
    char *text = xasprintf("%s%s", gateway ? gateway : "", ceiling.model.path);
    CURLU *url = curl_url();

    if (curl_url_set(url, CURLUPART_URL, text, 0))
        die(text, "is no URL");
    free(text);
    return url;
}

static void start_loop(void)
{
    ceiling.loop = uv_default_loop();
    uv_timer_init(ceiling.loop, &ceiling.timer);
    uv_idle_init(ceiling.loop, &ceiling.now);
    uv_check_init(ceiling.loop, &ceiling.check);
    uv_check_start(&ceiling.check, on_check);
}

int main(int argc, char **argv)
{
    size_t in_flight = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;
    CURLU *url;

    if (!in_flight || in_flight > SOCKETS / 2)
        die("usage", "ceiling CALL RECORDS PARTITIONS IN_FLIGHT");
    signal(SIGTERM, SIG_IGN); /* it ends by itself */
    read_model(&ceiling.model, argv[1]);
    ceiling.records = strtoul(argv[2], NULL, 10);
    ceiling.partitions = strtoul(argv[3], NULL, 10);
    ceiling.step = in_flight;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    ceiling.multi = xcheck(curl_multi_init());
    curl_multi_setopt(ceiling.multi, CURLMOPT_SOCKETFUNCTION, want);
    curl_multi_setopt(ceiling.multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(ceiling.multi, CURLMOPT_MAXCONNECTS, (long)in_flight);
    start_loop();
    url = function_url();
    for (size_t i = 0; i < in_flight; i++)
        start_caller(i, url);
    uv_run(ceiling.loop, UV_RUN_DEFAULT);
    return EXIT_SUCCESS;
}
