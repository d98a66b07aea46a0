/*
 * wake: a wake-up is one request to SlimFaas, and one or two to OpenFaaS. See wake.h.
 */
#define _GNU_SOURCE /* strcasestr */
#include "gateway/wake.h"

#include "base/json.h"
#include "base/xalloc.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utstring.h>

#define FIELD(name)   offsetof(struct wake_options, name)
#define FUNCTION_HOLE "{functionName}"

enum { BODY_LIMIT = 64 * 1024, REASON_SIZE = 256 };

static const struct option_row rows[] = {
    {.name = "wake_target",
     .type = OPTION_CHOICE,
     .offset = FIELD(target),
     .default_text = "slimfaas",
     .choices = "slimfaas|openfaas",
     .text = "Who wakes the functions: a SlimFaas server, or an OpenFaaS gateway (its functions "
             "are scaled from 0 to 1)."},
    {.name = "SlimFaas__BaseUrl",
     .aliases = "gateway_url",
     .type = OPTION_URL,
     .offset = FIELD(url),
     .default_text = "http://slimfaas:5000",
     .text = "The SlimFaas server, or with wake_target=openfaas the gateway."},
    {.name = "SlimFaas__WakeUpPathTemplate",
     .type = OPTION_STRING,
     .offset = FIELD(path_template),
     .default_text = "/wake-function/" FUNCTION_HOLE,
     .value_name = "PATH",
     .text = "Path of SlimFaas' wake-up; " FUNCTION_HOLE " stands for the function's name."},
    {.name = "SlimFaas__HttpTimeoutSeconds",
     .type = OPTION_DURATION,
     .offset = FIELD(timeout),
     .default_text = "10s",
     .min = 1,
     .max = 3600000,
     .text = "How long a wake-up may take to be accepted."},
    {.name = "basic_auth",
     .type = OPTION_BOOL,
     .offset = FIELD(basic_auth),
     .default_text = "false",
     .text = "With wake_target=openfaas: show the user and password in secret_mount_path."},
    {.name = "secret_mount_path",
     .type = OPTION_STRING,
     .offset = FIELD(secret_mount_path),
     .value_name = "FOLDER",
     .text = "Folder with the files basic-auth-user and basic-auth-password."},
};

const struct option_table wake_option_table = {"Wake-up", rows, sizeof(rows) / sizeof(*rows)};

struct wake {
    struct http *http;
    const struct wake_options *options;
    const char *function;
    struct http_call *call;
    struct gateway_credentials credentials; /* none: nobody is asked for them */
    char *body;
    void (*answered)(void *context, const struct wake_answer *answer);
    void *context;
};

static char user_agent[] = GATEWAY_USER_AGENT, json_type[] = "Content-Type: application/json";
static struct http_line type_line = {json_type, NULL};
static const struct http_line plain_lines = {user_agent, NULL},
                              json_lines = {user_agent, &type_line};

/* ---- options ---- */

static const char *find_hole(const char *template)
{
    return strcasestr(template, FUNCTION_HOLE);
}

static struct gateway_options credential_options(const struct wake_options *options)
{
    return (struct gateway_options){
        .basic_auth = options->basic_auth && options->target == WAKE_OPENFAAS,
        .secret_mount_path = options->secret_mount_path,
    };
}

void wake_options_check(const struct wake_options *options, struct option_faults *faults)
{
    const struct gateway_options gateway = credential_options(options);
    const char *template = options->path_template;
    struct gateway_credentials credentials;

    if (template && !find_hole(template))
        option_fault(faults, "SlimFaas__WakeUpPathTemplate: \"%s\" has no " FUNCTION_HOLE,
                     template);
    else if (template && template[strcspn(template, " \t\r\n")])
        option_fault(faults, "SlimFaas__WakeUpPathTemplate: \"%s\" holds a blank", template);
    if (gateway_credentials_read(&gateway, &credentials, faults))
        gateway_credentials_release(&credentials);
}

/* ---- URLs ---- */

/* As a part of a path: RFC 3986's unreserved letters as they are. */
static void add_encoded(UT_string *url, const char *name, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char letter = (unsigned char)name[i];

        if (isascii(letter) && (isalnum(letter) || strchr("-._~", letter)))
            utstring_printf(url, "%c", letter);
        else
            utstring_printf(url, "%%%02X", letter);
    }
}

/* The text, and the string's end. */
static char *text_take(UT_string *url)
{
    char *text = xstrdup(utstring_body(url));

    utstring_done(url);
    return text;
}

char *wake_slimfaas_url(const struct wake_options *options, const char *function)
{
    const char *at = options->path_template, *hole;
    UT_string url;

    utstring_init(&url);
    utstring_printf(&url, "%s%s", options->url, *at == '/' ? "" : "/");
    for (; (hole = find_hole(at)); at = hole + sizeof(FUNCTION_HOLE) - 1) {
        utstring_bincpy(&url, at, (size_t)(hole - at));
        add_encoded(&url, function, strlen(function));
    }
    utstring_printf(&url, "%s", at);
    return text_take(&url);
}

char *wake_openfaas_url(const struct wake_options *options, const char *what, const char *function)
{
    const char *dot = strrchr(function, '.');
    size_t size = dot ? (size_t)(dot - function) : strlen(function);
    UT_string url;

    utstring_init(&url);
    utstring_printf(&url, "%s/system/%s/", options->url, what);
    add_encoded(&url, function, size);
    if (dot) {
        utstring_printf(&url, "?namespace=");
        add_encoded(&url, dot + 1, strlen(dot + 1));
    }
    return text_take(&url);
}

/* ---- how it ends ---- */

static void release(struct wake *wake)
{
    gateway_credentials_release(&wake->credentials);
    free(wake->body);
    free(wake);
}

static void end(struct wake *wake, const struct wake_answer *answer)
{
    wake->answered(wake->context, answer);
    release(wake);
}

static void end_failed(struct wake *wake, const char *reason)
{
    end(wake, &(struct wake_answer){.outcome = WAKE_FAILED, .reason = reason});
}

/* Of an answer that is no 2xx, or none. */
static void end_refused(struct wake *wake, const struct http_answer *answer)
{
    char reason[REASON_SIZE];

    if (answer->outcome != HTTP_ANSWERED) {
        end_failed(wake, answer->reason);
    } else if (answer->status == 404) {
        end(wake, &(struct wake_answer){.outcome = WAKE_UNKNOWN,
                                        .reason = "status 404: no such function, or another path "
                                                  "wakes it"});
    } else {
        snprintf(reason, sizeof(reason), "status %ld%s", answer->status,
                 answer->status == 401 ? " (basic_auth, secret_mount_path)" : "");
        end_failed(wake, reason);
    }
}

static bool is_good(const struct http_answer *answer)
{
    return answer->outcome == HTTP_ANSWERED && answer->status >= 200 && answer->status < 300;
}

/* ---- the requests ---- */

static void send_take(struct wake *wake, const char *method, char *url,
                      void (*answered)(void *context, const struct http_answer *answer))
{
    wake->call = http_send(wake->http, &(struct http_request){
                                           .method = method,
                                           .url = url,
                                           .lines = wake->body ? &json_lines : &plain_lines,
                                           .user = wake->credentials.user,
                                           .password = wake->credentials.password,
                                           .body = wake->body,
                                           .body_size = wake->body ? strlen(wake->body) : 0,
                                           .body_limit = BODY_LIMIT,
                                           .timeout_ms = wake->options->timeout,
                                           .answered = answered,
                                           .context = wake,
                                       });
    free(url);
}

static void on_woken(void *context, const struct http_answer *answer)
{
    struct wake *wake = context;

    wake->call = NULL;
    if (is_good(answer))
        end(wake, &(struct wake_answer){.outcome = WAKE_ACCEPTED});
    else
        end_refused(wake, answer);
}

static void scale(struct wake *wake)
{
    wake->body = xstrdup("{\"replicas\":1}");
    send_take(wake, "POST", wake_openfaas_url(wake->options, "scale-function", wake->function),
              on_woken);
}

/* Whether the gateway's answer says that the function has replicas. */
static bool has_replicas(const struct http_answer *answer)
{
    const char *reason;
    json *function = json_parse(answer->body, answer->body_size, &reason);
    char *replicas = json_scalar_dup(json_member(function, "replicas"));
    bool awake = replicas && strcmp(replicas, "0") != 0;

    free(replicas);
    json_free(function);
    return awake;
}

static void on_function(void *context, const struct http_answer *answer)
{
    struct wake *wake = context;

    wake->call = NULL;
    if (!is_good(answer))
        end_refused(wake, answer);
    else if (has_replicas(answer))
        end(wake, &(struct wake_answer){.outcome = WAKE_ACCEPTED, .was_awake = true});
    else
        scale(wake);
}

/* Credentials that cannot be read leave the server to refuse: it is told like any other refusal,
 * and not from within wake_start. */
static void read_credentials(struct wake *wake)
{
    const struct gateway_options gateway = credential_options(wake->options);
    struct option_faults faults = {0};

    gateway_credentials_read(&gateway, &wake->credentials, &faults);
    option_faults_release(&faults);
}

struct wake *wake_start(struct http *http, const struct wake_options *options, const char *function,
                        void (*answered)(void *context, const struct wake_answer *answer),
                        void *context)
{
    struct wake *wake = xcalloc(1, sizeof(*wake));

    wake->http = http;
    wake->options = options;
    wake->function = function;
    wake->answered = answered;
    wake->context = context;
    if (options->target == WAKE_OPENFAAS) {
        read_credentials(wake);
        send_take(wake, "GET", wake_openfaas_url(options, "function", function), on_function);
    } else {
        send_take(wake, "POST", wake_slimfaas_url(options, function), on_woken);
    }
    return wake;
}

void wake_cancel(struct wake *wake)
{
    http_cancel(wake->call);
    release(wake);
}
