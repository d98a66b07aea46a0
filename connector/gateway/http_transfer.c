/* http_transfer: one request's way through curl. */
#include "gateway/http_transfer.h"

#include "base/xalloc.h"
#include "gateway/http_header.h"

#include <stdlib.h>
#include <string.h>

enum {
    CONNECT_TIMEOUT_MS = 10000, /* a request's own timeout may be hours */
    BODY_KEPT_SIZE = 16 * 1024, /* of the buffer, from one request to the next */
};

_Static_assert(sizeof(struct http_line) == sizeof(struct curl_slist) &&
                   offsetof(struct http_line, text) == offsetof(struct curl_slist, data) &&
                   offsetof(struct http_line, next) == offsetof(struct curl_slist, next),
               "curl takes our lines for its own");

/* ---- targets ---- */

http_target *http_target_new(const char *url)
{
    http_target *target = curl_url();

    if (target && curl_url_set(target, CURLUPART_URL, url, 0)) {
        curl_url_cleanup(target);
        return NULL;
    }
    return target;
}

void http_target_free(http_target *target)
{
    curl_url_cleanup(target);
}

char *http_target_host(http_target *target)
{
    char *host = NULL, *port = NULL, *both;

    curl_url_get(target, CURLUPART_HOST, &host, 0);
    curl_url_get(target, CURLUPART_PORT, &port, CURLU_NO_DEFAULT_PORT);
    both = xasprintf("%s%s%s", (char *)xcheck(host), port ? ":" : "", port ? port : "");
    curl_free(host);
    curl_free(port);
    return both;
}

/* ---- what curl calls during a request ---- */

/* Before each send, the silent ones too. On a kept connection that closes without a byte curl
 * sends a request again, though it may have been carried out: a POST is refused that. */
static int on_send(void *context, char *remote, char *local, int remote_port, int local_port)
{
    struct transfer *transfer = context;

    (void)remote;
    (void)local;
    (void)remote_port;
    (void)local_port;
    if (transfer->sends++ && transfer->request.body)
        return CURL_PREREQFUNC_ABORT;
    return CURL_PREREQFUNC_OK;
}

static size_t on_header(char *line, size_t one, size_t size, void *context)
{
    struct transfer *transfer = context;
    struct http_answer *answer = &transfer->answer;
    char value[HTTP_VALUE_SIZE];

    (void)one;
    if (size >= 5 && memcmp(line, "HTTP/", 5) == 0) { /* behind a 1xx another one follows */
        answer->retry_after_ms = -1;
        answer->internal_error = false;
        transfer->has_head = false;
    } else if (size && (*line == '\r' || *line == '\n')) {
        transfer->has_head = true;
    } else if (http_header_is(line, size, "Retry-After", value)) {
        answer->retry_after_ms = http_retry_after_ms(value, time(NULL));
    } else if (http_header_is(line, size, "X-OpenFaaS-Internal", value)) {
        answer->internal_error = true;
    }
    return size;
}

static void body_reserve(struct transfer *transfer, size_t size)
{
    size_t room = transfer->body_room ? transfer->body_room : 1024;

    if (size <= transfer->body_room)
        return;
    while (room < size)
        room *= 2;
    transfer->body = xrealloc(transfer->body, room);
    transfer->body_room = room;
}

/* The rest of a body over the limit is read and dropped after a POST, since the function may still
 * be at work and the connection stays good; of a GET no more is wanted. */
static size_t on_body(char *bytes, size_t one, size_t size, void *context)
{
    struct transfer *transfer = context;
    struct http_answer *answer = &transfer->answer;
    size_t room = transfer->request.body_limit - answer->body_size;
    size_t taken = size < room ? size : room;

    (void)one;
    if (taken) {
        body_reserve(transfer, answer->body_size + taken);
        memcpy(transfer->body + answer->body_size, bytes, taken);
        answer->body_size += taken;
    }
    answer->body_cut |= taken < size;
    transfer->stopped = answer->body_cut && !transfer->request.body;
    return transfer->stopped ? CURL_WRITEFUNC_ERROR : size;
}

/* ---- setting up ---- */

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

static void set_callbacks(CURL *easy, struct transfer *transfer, void *owner)
{
    curl_easy_setopt(easy, CURLOPT_PRIVATE, owner);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_send);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
}

void transfer_init(struct transfer *transfer, struct http_loop *loop,
                   const struct http_options *options, void *owner)
{
    CURL *easy = xcheck(curl_easy_init());

    transfer->easy = easy;
    http_loop_prepare(loop, easy);
    set_callbacks(easy, transfer, owner);
    set_tls(easy, options);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*"); /* http_proxy is not meant for the gateway */
}

void transfer_release(struct transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    free(transfer->body);
}

void *transfer_owner(CURL *easy)
{
    char *owner = NULL;

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &owner);
    return owner;
}

static CURLcode set_credentials(struct transfer *transfer)
{
    const struct http_request *request = &transfer->request;
    CURLcode code;

    if (!request->user && !transfer->has_credentials)
        return CURLE_OK;
    transfer->has_credentials = request->user;
    code = curl_easy_setopt(transfer->easy, CURLOPT_USERNAME, request->user);
    return code ? code : curl_easy_setopt(transfer->easy, CURLOPT_PASSWORD, request->password);
}

static CURLcode set_request(struct transfer *transfer)
{
    struct http_request *request = &transfer->request;
    http_target *target = request->target ? request->target : transfer->own_target;
    CURL *easy = transfer->easy;

    if (!target)
        return CURLE_URL_MALFORMAT;
    curl_easy_setopt(easy, CURLOPT_CURLU, target);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, (struct curl_slist *)request->lines);
    if (request->body) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
    } else {
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    }
    if (request->fresh != transfer->fresh)
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request->fresh ? 1L : 0L);
    transfer->fresh = request->fresh;
    return set_credentials(transfer);
}

CURLcode transfer_begin(struct transfer *transfer, const struct http_request *request)
{
    transfer->request = *request;
    if (strcmp(request->method, "GET") == 0)
        transfer->request.body = NULL;
    else if (!request->body)
        transfer->request.body = "";
    if (!request->target)
        transfer->own_target = http_target_new(request->url);
    transfer->sends = 0;
    transfer->has_head = false;
    transfer->stopped = false;
    transfer->started = uv_hrtime();
    transfer->error[0] = '\0';
    transfer->answer = (struct http_answer){.retry_after_ms = -1};
    return set_request(transfer);
}

/* ---- the end ---- */

/* The same fault in the same words each time, so that who logs only changes is not fooled by
 * "after 3 ms". */
static const char *reason_of(const struct transfer *transfer, CURLcode code)
{
    if (transfer->sends > 1 && transfer->request.body)
        return "connection closed without an answer";
    if (code == CURLE_OPERATION_TIMEDOUT)
        return transfer->sends ? "no answer in time" : "no connection in time";
    if (!code)
        return "connection closed within the head of an answer";
    if (code == CURLE_COULDNT_CONNECT) /* curl's words change from version to version */
        return "cannot connect to the server";
    if (!*transfer->error)
        return curl_easy_strerror(code);
    return transfer->error;
}

/* By TLS 1.3 a client certificate is judged after the request went out. Refusing it is an alert in
 * place of an answer, on a new connection: the request was not looked at. libcurl tells an alert
 * only in OpenSSL's words; were they others, the outcome would be unknown, which errs safely. */
static bool certificate_refused(const struct transfer *transfer)
{
    static const char *const alerts[] = {
        "alert certificate required",    "alert unknown ca",          "alert bad certificate",
        "alert certificate expired",     "alert certificate revoked", "alert certificate unknown",
        "alert unsupported certificate",
    };
    long connects = 0, head_size = 0;

    curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &connects);
    curl_easy_getinfo(transfer->easy, CURLINFO_HEADER_SIZE, &head_size);
    if (transfer->sends != 1 || !connects || head_size)
        return false;
    for (size_t i = 0; i < sizeof(alerts) / sizeof(*alerts); i++)
        if (strstr(transfer->error, alerts[i]))
            return true;
    return false;
}

void transfer_judge(struct transfer *transfer, CURLcode code)
{
    struct http_answer *answer = &transfer->answer;
    bool sent;

    answer->elapsed_us = (int64_t)((uv_hrtime() - transfer->started) / 1000);
    answer->body = transfer->body ? transfer->body : "";
    if (transfer->has_head && (!code || transfer->stopped)) {
        answer->outcome = HTTP_ANSWERED;
        curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &answer->status);
        return;
    }
    sent = transfer->sends && !certificate_refused(transfer);
    answer->outcome = sent ? HTTP_UNKNOWN : HTTP_NOT_SENT;
    answer->timed_out = sent && code == CURLE_OPERATION_TIMEDOUT;
    answer->reason = reason_of(transfer, code);
}

void transfer_clear(struct transfer *transfer)
{
    http_target_free(transfer->own_target);
    transfer->own_target = NULL;
    if (transfer->body_room <= BODY_KEPT_SIZE)
        return;
    free(transfer->body);
    transfer->body = NULL;
    transfer->body_room = 0;
}
