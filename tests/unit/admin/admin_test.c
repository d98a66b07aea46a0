/* admin: what operators and orchestrators are answered, over a real socket. */
#include "admin/admin.h"

#include "gateway/http.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uv_loop_t loop;
static struct metrics *metrics;
static struct admin *admin;
static struct http *http;
static const char *why_broken, *why_unready;
static long status;
static char body[4096];

static const char *broken(void *context)
{
    (void)context;
    return why_broken;
}

static const char *unready(void *context)
{
    (void)context;
    return why_unready;
}

static void add_status(void *context, json *to)
{
    (void)context;
    json_add_text(to, "mode", "a test");
}

static const struct admin_subject subject = {broken, unready, add_status, NULL};

/* A port that was free a moment ago. */
static int free_port(void)
{
    struct sockaddr_in any;
    struct sockaddr_storage bound;
    int size = sizeof(bound);
    uv_tcp_t tcp;

    uv_ip4_addr("127.0.0.1", 0, &any);
    uv_tcp_init(&loop, &tcp);
    uv_tcp_bind(&tcp, (struct sockaddr *)&any, 0);
    uv_tcp_getsockname(&tcp, (struct sockaddr *)&bound, &size);
    uv_close((uv_handle_t *)&tcp, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    return ntohs(((struct sockaddr_in *)&bound)->sin_port);
}

static char base_url[64];

static void set_up(void)
{
    static const struct http_options none;
    struct option_faults faults = {0};
    char listen[32];
    const char *reason;
    int port;

    uv_loop_init(&loop);
    port = free_port();
    snprintf(listen, sizeof(listen), "127.0.0.1:%d", port);
    snprintf(base_url, sizeof(base_url), "http://127.0.0.1:%d", port);
    metrics = metrics_new();
    admin = admin_new(&loop, &(struct admin_options){listen}, metrics, &subject, &faults);
    cr_assert(admin);
    http = http_new(&loop, &none, 1, &reason);
    cr_assert(http);
}

static void tear_down(void)
{
    http_free(http);
    admin_free(admin);
    metrics_free(metrics);
    uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect_eq(uv_loop_close(&loop), 0);
}

static void on_answered(void *context, const struct http_answer *answer)
{
    (void)context;
    status = answer->outcome == HTTP_ANSWERED ? answer->status : 0;
    snprintf(body, sizeof(body), "%.*s", (int)answer->body_size, answer->body);
    uv_stop(&loop);
}

static void get(const char *path)
{
    char url[128];

    snprintf(url, sizeof(url), "%s%s", base_url, path);
    http_send(http, &(struct http_request){.method = "GET",
                                           .url = url,
                                           .body_limit = sizeof(body) - 1,
                                           .timeout_ms = 5000,
                                           .answered = on_answered});
    uv_run(&loop, UV_RUN_DEFAULT);
}

TestSuite(admin, .init = set_up, .fini = tear_down, .timeout = 20);

Test(admin, tells_what_it_is_asked)
{
    static const struct {
        const char *sentence, *path, *broken, *unready, *contains;
        long status;
    } cases[] = {
        {"all is well", "/health", NULL, NULL, "\"ok\"", 200},
        {"not ready is no reason for a restart", "/health", NULL, "joining", "\"ok\"", 200},
        {"broken is", "/health", "fenced", "fenced", "fenced", 503},
        {"ready", "/ready", NULL, NULL, "\"ok\"", 200},
        {"not ready, and why", "/ready", NULL, "joining", "joining", 503},
        {"what the mode adds", "/status", NULL, NULL, "a test", 200},
        {"why it is not ready", "/status", NULL, "joining", "joining", 200},
        {"metrics, though there are none", "/metrics", NULL, NULL, "", 200},
        {"what is not there", "/", NULL, NULL, "", 404},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        why_broken = cases[i].broken;
        why_unready = cases[i].unready;
        get(cases[i].path);
        cr_expect_eq(status, cases[i].status, "%s: %ld", cases[i].sentence, status);
        cr_expect(strstr(body, cases[i].contains), "%s: %s", cases[i].sentence, body);
    }
}

Test(admin, an_address_in_use_is_a_fault_that_names_the_option)
{
    struct option_faults faults = {0};
    struct admin_options same = {base_url + strlen("http://")};

    cr_expect_null(admin_new(&loop, &same, metrics, &subject, &faults));
    cr_assert_eq(faults.count, 1);
    cr_expect(strstr(faults.items[0], "admin_listen"), "%s", faults.items[0]);
    option_faults_release(&faults);
}

Test(admin, none_listens_nowhere)
{
    struct option_faults faults = {0};
    struct admin *deaf =
        admin_new(&loop, &(struct admin_options){"none"}, metrics, &subject, &faults);

    cr_expect_eq(faults.count, 0);
    admin_free(deaf);
}
