/*
 * http: requests, their way through curl, and their answers.
 *
 * A call is in one of four places, told by its state: flying (in curl), ended (its answer waits to
 * be told), told (within `answered`), idle (in the pool, with its easy handle). An easy handle's
 * options are set anew for each request, never reset: resetting costs an eighth of a request.
 */
#include "gateway/http.h"

#include "base/xalloc.h"
#include "gateway/http_header.h"
#include "gateway/http_loop.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum {
    SPARE_CONNECTIONS = 8,      /* kept beyond in_flight: for the list of functions, for retries */
    CONNECT_TIMEOUT_MS = 10000, /* a request's own timeout may be hours */
    BODY_KEPT_SIZE = 16 * 1024, /* of a body's buffer, in the pool */
};

_Static_assert(sizeof(struct http_line) == sizeof(struct curl_slist) &&
                   offsetof(struct http_line, text) == offsetof(struct curl_slist, data) &&
                   offsetof(struct http_line, next) == offsetof(struct curl_slist, next),
               "curl takes our lines for its own");

enum call_state { CALL_IDLE, CALL_FLYING, CALL_ENDED, CALL_TOLD };

struct http_call {
    struct http *http;
    enum call_state state;
    struct http_call *prev, *next; /* in http's list of its state */
    CURL *easy;
    struct http_request request;
    void *own_target; /* parsed from request.url */
    unsigned sends;   /* how often curl began to send it */
    bool has_head;    /* the answer's head is whole; curl is content with half of one */
    uint64_t started; /* uv_hrtime */
    struct http_answer answer;
    char *body;
    size_t body_room;
    bool stopped; /* by us: what follows is not wanted */
    bool has_credentials;
    char error[CURL_ERROR_SIZE];
};

struct http {
    struct http_loop *loop;
    const struct http_options *options;
    struct http_call *flying, *ended, *idle;
    size_t in_flight, waiting; /* flying and ended; ended */
    bool telling;
};

static const struct option_row rows[] = {
    {.name = "gateway_ca_file",
     .type = OPTION_PATH,
     .offset = offsetof(struct http_options, ca_file),
     .value_name = "FILE",
     .text = "Certificate authorities (PEM) that may sign the gateway's certificate, for an https "
             "gateway_url. Default: the system's."},
    {.name = "gateway_cert_file",
     .type = OPTION_PATH,
     .offset = offsetof(struct http_options, cert_file),
     .value_name = "FILE",
     .text = "Client certificate (PEM) shown to the gateway."},
    {.name = "gateway_key_file",
     .type = OPTION_PATH,
     .offset = offsetof(struct http_options, key_file),
     .value_name = "FILE",
     .text = "Private key (PEM) of gateway_cert_file."},
    {.name = "gateway_tls_insecure",
     .type = OPTION_BOOL,
     .offset = offsetof(struct http_options, insecure),
     .default_text = "false",
     .text = "Take any certificate of the gateway, whoever signed it. For trials only."},
};

const struct option_table http_option_table = {"Gateway TLS", rows, sizeof rows / sizeof *rows};

/* Targets. */

void *http_target_new(const char *url)
{
    CURLU *target = curl_url();

    if (target && curl_url_set(target, CURLUPART_URL, url, 0)) {
        curl_url_cleanup(target);
        return NULL;
    }
    return target;
}

void http_target_free(void *target)
{
    curl_url_cleanup(target);
}

/* What curl calls during a request. */

/* Before each send, the silent ones too. On a kept connection that closes without a byte curl
 * sends a request again, though it may have been carried out: a POST is refused that. */
static int on_send(void *context, char *remote, char *local, int remote_port, int local_port)
{
    struct http_call *call = context;

    (void)remote;
    (void)local;
    (void)remote_port;
    (void)local_port;
    if (call->sends++ && call->request.body)
        return CURL_PREREQFUNC_ABORT;
    return CURL_PREREQFUNC_OK;
}

static size_t on_header(char *line, size_t one, size_t size, void *context)
{
    struct http_call *call = context;
    struct http_answer *answer = &call->answer;
    char value[HTTP_VALUE_SIZE];

    (void)one;
    if (size >= 5 && !memcmp(line, "HTTP/", 5)) { /* behind a 1xx another one follows */
        answer->retry_after_ms = -1;
        answer->internal_error = false;
        call->has_head = false;
    } else if (size && (*line == '\r' || *line == '\n')) {
        call->has_head = true;
    } else if (http_header_is(line, size, "Retry-After", value)) {
        answer->retry_after_ms = http_retry_after_ms(value, time(NULL));
    } else if (http_header_is(line, size, "X-OpenFaaS-Internal", value)) {
        answer->internal_error = true;
    }
    return size;
}

static void body_reserve(struct http_call *call, size_t size)
{
    size_t room = call->body_room ? call->body_room : 1024;

    if (size <= call->body_room)
        return;
    while (room < size)
        room *= 2;
    call->body = xrealloc(call->body, room);
    call->body_room = room;
}

/* The rest of a body over the limit is read and dropped after a POST, since the function may still
 * be at work and the connection stays good; of a GET no more is wanted. */
static size_t on_body(char *bytes, size_t one, size_t size, void *context)
{
    struct http_call *call = context;
    struct http_answer *answer = &call->answer;
    size_t room = call->request.body_limit - answer->body_size;
    size_t taken = size < room ? size : room;

    (void)one;
    if (taken) {
        body_reserve(call, answer->body_size + taken);
        memcpy(call->body + answer->body_size, bytes, taken);
        answer->body_size += taken;
    }
    answer->body_cut |= taken < size;
    call->stopped = answer->body_cut && !call->request.body;
    return call->stopped ? CURL_WRITEFUNC_ERROR : size;
}

/* Calls and their pool. */

static void set_tls(CURL *easy, const struct http_options *options)
{
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, options->insecure ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, options->insecure ? 0L : 2L);
    if (options->ca_file && *options->ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file);
    if (options->cert_file && *options->cert_file)
        curl_easy_setopt(easy, CURLOPT_SSLCERT, options->cert_file);
    if (options->key_file && *options->key_file)
        curl_easy_setopt(easy, CURLOPT_SSLKEY, options->key_file);
}

static void set_callbacks(CURL *easy, struct http_call *call)
{
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->error);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_send);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
}

static struct http_call *call_new(struct http *http)
{
    struct http_call *call = xcalloc(1, sizeof *call);
    CURL *easy = curl_easy_init();

    if (!easy)
        abort(); /* no memory, as in xalloc */
    call->http = http;
    call->easy = easy;
    http_loop_prepare(http->loop, easy);
    set_callbacks(easy, call);
    set_tls(easy, http->options);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* http_proxy is not meant for the gateway */
    return call;
}

static void call_free(struct http_call *call)
{
    curl_easy_cleanup(call->easy);
    free(call->body);
    free(call);
}

static struct http_call *call_take(struct http *http)
{
    struct http_call *call = http->idle;

    if (!call)
        return call_new(http);
    LL_DELETE(http->idle, call);
    return call;
}

static void call_release(struct http_call *call)
{
    http_target_free(call->own_target);
    call->own_target = NULL;
    if (call->body_room > BODY_KEPT_SIZE) {
        free(call->body);
        call->body = NULL;
        call->body_room = 0;
    }
    call->state = CALL_IDLE;
    LL_PREPEND(call->http->idle, call);
}

/* The only place where a call moves between flying, ended and neither. */
static void call_move(struct http_call *call, enum call_state to)
{
    struct http *http = call->http;

    if (call->state == CALL_FLYING) {
        DL_DELETE(http->flying, call);
        http->in_flight--;
    } else if (call->state == CALL_ENDED) {
        DL_DELETE(http->ended, call);
        http->in_flight--;
        http->waiting--;
    }
    call->state = to;
    if (to == CALL_FLYING) {
        DL_APPEND(http->flying, call);
        http->in_flight++;
    } else if (to == CALL_ENDED) {
        DL_APPEND(http->ended, call);
        http->in_flight++;
        http->waiting++;
    }
}

/* Answers. */

/* The same fault in the same words each time, so that who logs only changes is not fooled by
 * "after 3 ms". */
static const char *reason_of(const struct http_call *call, CURLcode code)
{
    if (call->sends > 1 && call->request.body)
        return "connection closed without an answer";
    if (code == CURLE_OPERATION_TIMEDOUT)
        return call->sends ? "no answer in time" : "no connection in time";
    if (!code)
        return "connection closed within the head of an answer";
    if (code == CURLE_COULDNT_CONNECT || !*call->error)
        return curl_easy_strerror(code);
    return call->error;
}

static void judge(struct http_call *call, CURLcode code)
{
    struct http_answer *answer = &call->answer;

    answer->elapsed_us = (int64_t)((uv_hrtime() - call->started) / 1000);
    answer->body = call->body ? call->body : "";
    if (call->has_head && (!code || call->stopped)) {
        answer->outcome = HTTP_ANSWERED;
        curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &answer->status);
        return;
    }
    answer->outcome = call->sends ? HTTP_UNKNOWN : HTTP_NOT_SENT;
    answer->timed_out = call->sends && code == CURLE_OPERATION_TIMEDOUT;
    answer->reason = reason_of(call, code);
}

static void gather(struct http *http)
{
    struct http_call *call;
    CURLcode code;
    CURL *easy;

    while ((easy = http_loop_ended(http->loop, &code))) {
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &call);
        http_loop_remove(http->loop, easy);
        judge(call, code);
        call_move(call, CALL_ENDED);
    }
}

/* All that ended leaves curl first, then it is told: so what is sent from within `answered` finds
 * their connections free. What ends meanwhile waits for the next turn. */
static void collect(void *context)
{
    struct http *http = context;
    struct http_call *call;

    gather(http);
    http->telling = true;
    for (size_t left = http->waiting; left && (call = http->ended); left--) {
        call_move(call, CALL_TOLD);
        call->request.answered(call->request.context, &call->answer);
        call_release(call);
    }
    http->telling = false;
}

/* Requests. */

static CURLcode set_credentials(struct http_call *call)
{
    const struct http_request *request = &call->request;
    CURLcode code;

    if (!request->user && !call->has_credentials)
        return CURLE_OK;
    call->has_credentials = request->user;
    code = curl_easy_setopt(call->easy, CURLOPT_USERNAME, request->user);
    return code ? code : curl_easy_setopt(call->easy, CURLOPT_PASSWORD, request->password);
}

static CURLcode set_request(struct http_call *call)
{
    struct http_request *request = &call->request;
    void *target = request->target ? request->target : call->own_target;
    CURL *easy = call->easy;

    if (!target)
        return CURLE_URL_MALFORMAT;
    curl_easy_setopt(easy, CURLOPT_CURLU, target);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, (struct curl_slist *)request->lines);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    if (request->body) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
    } else {
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    }
    return set_credentials(call);
}

static void request_take(struct http_call *call, const struct http_request *request)
{
    call->request = *request;
    if (!strcmp(request->method, "GET"))
        call->request.body = NULL;
    else if (!request->body)
        call->request.body = "";
    if (!request->target)
        call->own_target = http_target_new(request->url);
    call->sends = 0;
    call->has_head = false;
    call->started = uv_hrtime();
    call->stopped = false;
    call->error[0] = '\0';
    call->answer = (struct http_answer){.retry_after_ms = -1};
}

struct http_call *http_send(struct http *http, const struct http_request *request)
{
    struct http_call *call = call_take(http);
    CURLcode code;

    request_take(call, request);
    code = set_request(call);
    if (!code && http_loop_add(http->loop, call->easy))
        code = CURLE_FAILED_INIT;
    if (!code) {
        call_move(call, CALL_FLYING);
        return call;
    }
    judge(call, code);
    call_move(call, CALL_ENDED);
    http_loop_wake(http->loop);
    return call;
}

void http_cancel(struct http_call *call)
{
    assert(call->state == CALL_FLYING || call->state == CALL_ENDED);
    if (call->state == CALL_FLYING)
        http_loop_remove(call->http->loop, call->easy);
    call_move(call, CALL_IDLE);
    call_release(call);
}

size_t http_in_flight(const struct http *http)
{
    return http->in_flight;
}

/* The story. */

struct http *http_new(uv_loop_t *loop, const struct http_options *options, size_t in_flight,
                      const char **reason)
{
    struct http *http = xcalloc(1, sizeof *http);

    http->options = options;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) ||
        !(http->loop = http_loop_new(loop, in_flight + SPARE_CONNECTIONS, collect, http))) {
        *reason = "libcurl does not start";
        free(http);
        return NULL;
    }
    return http;
}

void http_free(struct http *http)
{
    struct http_call *call;

    if (!http)
        return;
    assert(!http->telling);
    while ((call = http->flying ? http->flying : http->ended))
        http_cancel(call);
    while ((call = http->idle)) {
        LL_DELETE(http->idle, call);
        call_free(call);
    }
    http_loop_free(http->loop);
    curl_global_cleanup();
    free(http);
}
