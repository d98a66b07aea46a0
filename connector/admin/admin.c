/* admin: see admin.h. */
#include "admin/admin.h"

#include "base/version.h"
#include "base/xalloc.h"
#include "web/server.h"

#include <stdlib.h>
#include <string.h>

enum { BODY_LIMIT = 4096 };

static const struct option_row rows[] = {
    {.name = "admin_listen",
     .type = OPTION_STRING,
     .offset = offsetof(struct admin_options, listen),
     .default_text = ":8081",
     .value_name = "ADDRESS",
     .text = "Where /health, /ready, /metrics and /status are served: HOST:PORT, or :PORT for all "
             "addresses; \"none\" for nowhere."},
};

const struct option_table admin_option_table = {"Admin", rows, sizeof(rows) / sizeof(*rows)};

struct admin {
    struct web_server *server;
    struct metrics *metrics;
    const struct admin_subject *subject;
    int64_t started_ms;
    uv_loop_t *loop;
};

static void answer_json_take(struct web_request *request, int status, json *body)
{
    char *text = json_print(body, true);
    char *line = xasprintf("%s\n", text);

    web_answer(request, status, "application/json", line, strlen(line), NULL);
    free(line);
    free(text);
    json_free(body);
}

static void answer_state(struct web_request *request, const char *why_not)
{
    json *body = json_object();

    json_add_text(body, "status", why_not ? "unavailable" : "ok");
    if (why_not)
        json_add_text(body, "reason", why_not);
    answer_json_take(request, why_not ? 503 : 200, body);
}

static void on_health(struct web_request *request, void *context)
{
    const struct admin *admin = context;

    answer_state(request, admin->subject->broken(admin->subject->context));
}

static void on_ready(struct web_request *request, void *context)
{
    const struct admin *admin = context;

    answer_state(request, admin->subject->unready(admin->subject->context));
}

static void on_metrics(struct web_request *request, void *context)
{
    const struct admin *admin = context;
    size_t size;
    char *text = metrics_text(admin->metrics, &size);

    web_answer(request, 200, "text/plain; version=0.0.4; charset=utf-8", text, size, NULL);
    free(text);
}

static void on_status(struct web_request *request, void *context)
{
    const struct admin *admin = context;
    const char *why_not = admin->subject->unready(admin->subject->context);
    json *status = json_object();

    json_add_text(status, "version", program_version);
    json_add_number(status, "uptime_seconds",
                    ((int64_t)uv_now(admin->loop) - admin->started_ms) / 1000);
    json_add_bool(status, "ready", !why_not);
    json_add_text(status, "unready_because", why_not);
    admin->subject->status(admin->subject->context, status);
    answer_json_take(request, 200, status);
}

static const struct web_route routes[] = {
    {"GET", "/health", on_health}, {"GET", "/ready", on_ready}, {"GET", "/metrics", on_metrics},
    {"GET", "/status", on_status}, {NULL, NULL, NULL},
};

struct admin *admin_new(uv_loop_t *loop, const struct admin_options *options,
                        struct metrics *metrics, const struct admin_subject *subject,
                        struct option_faults *faults)
{
    struct admin *admin = xcalloc(1, sizeof(*admin));
    char *reason = NULL;

    *admin = (struct admin){.metrics = metrics, .subject = subject, .loop = loop};
    admin->started_ms = (int64_t)uv_now(loop);
    if (strcmp(options->listen, "none") == 0)
        return admin;
    admin->server = web_server_new(loop, options->listen, BODY_LIMIT, routes, admin, &reason);
    if (admin->server)
        return admin;
    option_fault(faults, "admin_listen: \"%s\": %s", options->listen, reason);
    free(reason);
    free(admin);
    return NULL;
}

void admin_free(struct admin *admin)
{
    if (!admin)
        return;
    web_server_free(admin->server);
    free(admin);
}
