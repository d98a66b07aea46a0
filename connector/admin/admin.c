/* admin: see admin.h. */
#include "admin/admin.h"

#include "admin/page.h"
#include "admin/token.h"
#include "base/file.h"
#include "base/version.h"
#include "base/xalloc.h"
#include "web/listen.h"
#include "web/server.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    BODY_LIMIT = 4096,
    FIXED_ROUTES = 4,
    ROUTES_MAX = FIXED_ROUTES + PAGE_FILES + ADMIN_ACTIONS_MAX + ADMIN_PAGES_MAX +
                 1, /* an empty one behind */
};

/* Of probes, scrapers and people there are a few. */
static const struct guard_limits guard_limits = {
    .connections = 128,
    .request_ms = 10 * 1000,
    .idle_ms = 75 * 1000, /* longer than scrapers pause */
};

static const struct option_row rows[] = {
    {.name = "admin_listen",
     .type = OPTION_STRING,
     .offset = offsetof(struct admin_options, listen),
     .default_text = ":8081",
     .value_name = "ADDRESS",
     .text = "Where the status page, /health, /ready, /metrics, /status and the mode's actions "
             "(POST) are served: HOST:PORT, or :PORT for all addresses; \"none\" for nowhere."},
    {.name = "admin_token_file",
     .type = OPTION_PATH,
     .offset = offsetof(struct admin_options, token_file),
     .text = "File whose first line is the token that the actions ask for (POST; Authorization: "
             "Bearer TOKEN). Without it they are refused."},
};

const struct option_table admin_option_table = {"Admin", rows, sizeof(rows) / sizeof(*rows)};

struct admin {
    struct web_server *server;
    struct metrics *metrics;
    const struct admin_subject *subject;
    struct admin_options options;        /* its texts are borrowed */
    struct web_route routes[ROUTES_MAX]; /* the fixed ones, and the actions' */
    int64_t started_ms;
    uv_loop_t *loop;
};

/* No browser guesses what it is, none keeps it. */
#define PLAIN "X-Content-Type-Options: nosniff\nCache-Control: no-store"

static void answer_json_take(struct web_request *request, int status, json *body)
{
    char *text = json_print(body, true);
    char *line = xasprintf("%s\n", text);

    web_answer(request, status, "application/json", line, strlen(line),
               status == 401 ? PLAIN "\nWWW-Authenticate: Bearer" : PLAIN);
    free(line);
    free(text);
    json_free(body);
}

static json *state_object(const char *why_not)
{
    json *body = json_object();

    json_add_text(body, "status", why_not ? "unavailable" : "ok");
    if (why_not)
        json_add_text(body, "reason", why_not);
    return body;
}

static void on_health(struct web_request *request, void *context)
{
    const struct admin *admin = context;

    const struct admin_subject *subject = admin->subject;
    const char *why_not = subject->broken(subject->context);
    json *body = state_object(why_not);

    if (!why_not && subject->health)
        subject->health(subject->context, body);
    answer_json_take(request, why_not ? 503 : 200, body);
}

static void on_ready(struct web_request *request, void *context)
{
    const struct admin *admin = context;

    const char *why_not = admin->subject->unready(admin->subject->context);

    answer_json_take(request, why_not ? 503 : 200, state_object(why_not));
}

static void on_metrics(struct web_request *request, void *context)
{
    const struct admin *admin = context;
    size_t size;
    char *text = metrics_text(admin->metrics, &size);

    web_answer(request, 200, "text/plain; version=0.0.4; charset=utf-8", text, size, PLAIN);
    free(text);
}

static void on_status(struct web_request *request, void *context)
{
    const struct admin *admin = context;
    const char *why_not = admin->subject->unready(admin->subject->context);
    json *status = json_object();

    json_add_text(status, "version", program_version);
    json_add_number(status, "time", time(NULL)); /* those below are of this clock */
    json_add_number(status, "uptime_seconds",
                    ((int64_t)uv_now(admin->loop) - admin->started_ms) / 1000);
    json_add_bool(status, "ready", !why_not);
    json_add_text(status, "unready_because", why_not);
    admin->subject->status(admin->subject->context, status);
    answer_json_take(request, 200, status);
}

/* The status page, which shows /status to a person. */
static void on_page_file(struct web_request *request, void *context)
{
    const struct page_file *file = page_find(web_path(request));

    (void)context;
    web_answer(request, 200, file->type, file->text, (size_t)(file->end - file->text),
               PAGE_HEADERS "\n" PLAIN);
}

static void on_page(struct web_request *request, void *context)
{
    const struct admin *admin = context;
    const struct admin_page *page = admin->subject->pages;
    json *answer = json_object();

    while (strcmp(page->path, web_path(request)) != 0)
        page++;
    page->fill(admin->subject->context, answer);
    answer_json_take(request, 200, answer);
}

/* ---- actions ---- */

static void refuse(struct web_request *request, int status, const char *reason)
{
    json *body = json_object();

    json_add_text(body, "status", "refused");
    json_add_text(body, "reason", reason);
    answer_json_take(request, status, body);
}

/* False: it was answered that the token is not there, not set or not to be read. */
static bool is_allowed(const struct admin *admin, struct web_request *request)
{
    const char *path = admin->options.token_file, *reason;
    char *token, *text;
    bool shown;

    if (!path || !*path) {
        refuse(request, 403, "nobody may do this: admin_token_file is not set");
        return false;
    }
    token = file_read_secret(path, &reason);
    if (!token) {
        text = xasprintf("cannot read the token of admin_token_file: %s", reason);
        refuse(request, 503, text);
        free(text);
        return false;
    }
    shown = token_shown(web_header(request, "Authorization"), token);
    xfree_secret(token);
    if (!shown)
        refuse(request, 401,
               "this takes the header Authorization: Bearer TOKEN, with the token "
               "of admin_token_file");
    return shown;
}

/* What stands for the star of an action's path; NULL: it has none, or is another's. */
static const char *star_of(const struct admin_action *action, const char *path)
{
    size_t size = strlen(action->path) - 1;

    return action->path[size] == '*' && strncmp(action->path, path, size) == 0 ? path + size : NULL;
}

static const struct admin_action *action_of(const struct admin *admin, const char *path)
{
    const struct admin_action *action = admin->subject->actions;

    while (!star_of(action, path) && strcmp(action->path, path) != 0)
        action++;
    return action;
}

/* The values of an action's parameters, as they are found. */
struct query {
    const struct admin_action *action;
    size_t starred; /* 1: the first parameter stands in the path */
    const char *values[ADMIN_PARAMETERS_MAX];
    char *fault; /* the first one */
};

static void take_parameter(void *context, const char *name, const char *value)
{
    struct query *query = context;

    for (size_t i = query->starred; i < ADMIN_PARAMETERS_MAX && query->action->parameters[i]; i++) {
        if (strcmp(query->action->parameters[i], name) != 0)
            continue;
        if (!query->fault && (!value || !*value))
            query->fault = xasprintf("%s is empty", name);
        else if (!query->fault && query->values[i])
            query->fault = xasprintf("%s is given twice", name);
        query->values[i] = value;
        return;
    }
    if (!query->fault) /* left out by mistake it would mean more than was meant */
        query->fault = xasprintf("\"%s\" is no parameter of this", name);
}

static void on_action(struct web_request *request, void *context)
{
    const struct admin *admin = context;
    struct query query = {.action = action_of(admin, web_path(request))};
    json *answer;
    int status;

    if (!is_allowed(admin, request))
        return;
    query.values[0] = star_of(query.action, web_path(request));
    query.starred = query.values[0] != NULL;
    if (query.starred && !*query.values[0])
        query.fault = xasprintf("%s is empty", query.action->parameters[0]);
    web_each_query(request, take_parameter, &query);
    if (query.fault) {
        refuse(request, 400, query.fault);
        free(query.fault);
        return;
    }
    answer = json_object();
    status = query.action->act(admin->subject->context, query.values, answer);
    json_add_text(answer, "status", status / 100 == 2 ? "ok" : "refused");
    answer_json_take(request, status, answer);
}

/* ---- life ---- */

void admin_options_check(const struct admin_options *options, struct option_faults *faults)
{
    const char *path = options->token_file, *reason;
    char *token;

    if (strcmp(options->listen, "none") != 0 && !listen_is_address(options->listen))
        option_fault(faults,
                     "admin_listen: \"%s\" is neither \"none\" nor an address like \":8081\", "
                     "\"127.0.0.1:8081\" or \"[::1]:8081\"",
                     options->listen);
    if (!path || !*path)
        return;
    token = file_read_secret(path, &reason);
    if (!token)
        option_fault(faults, "admin_token_file: cannot use %s: %s", path, reason);
    free(token);
}

static const struct web_route fixed_routes[FIXED_ROUTES] = {
    {"GET", "/health", on_health},
    {"GET", "/ready", on_ready},
    {"GET", "/metrics", on_metrics},
    {"GET", "/status", on_status},
};

static void fill_routes(struct admin *admin)
{
    const struct admin_action *action = admin->subject->actions;
    const struct admin_page *page = admin->subject->pages;
    struct web_route *next = admin->routes + FIXED_ROUTES;

    memcpy(admin->routes, fixed_routes, sizeof(fixed_routes));
    for (size_t i = 0; i < PAGE_FILES; i++)
        *next++ = (struct web_route){"GET", page_files[i].path, on_page_file};
    for (; action && action->path; action++) {
        assert(next < admin->routes + FIXED_ROUTES + PAGE_FILES + ADMIN_ACTIONS_MAX);
        *next++ = (struct web_route){"POST", action->path, on_action};
    }
    for (; page && page->path; page++) {
        assert(next < admin->routes + ROUTES_MAX - 1);
        *next++ = (struct web_route){"GET", page->path, on_page};
    }
}

struct admin *admin_new(uv_loop_t *loop, const struct admin_options *options,
                        struct metrics *metrics, const struct admin_subject *subject,
                        struct option_faults *faults)
{
    struct admin *admin = xcalloc(1, sizeof(*admin));
    char *reason = NULL;

    *admin =
        (struct admin){.metrics = metrics, .subject = subject, .options = *options, .loop = loop};
    fill_routes(admin);
    admin->started_ms = (int64_t)uv_now(loop);
    if (strcmp(options->listen, "none") == 0)
        return admin;
    admin->server =
        web_server_new(loop, options->listen, BODY_LIMIT, admin->routes, admin, &reason);
    if (admin->server) {
        web_server_guard(admin->server, &guard_limits);
        return admin;
    }
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
