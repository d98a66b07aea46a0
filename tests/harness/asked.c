/* asked: see asked.h. */
#include "tests/harness/asked.h"

#include "base/xalloc.h"
#include "tests/harness/await.h"

static void on_answered(void *context, const struct http_answer *answer)
{
    struct asked *asked = context;

    asked->status = answer->outcome == HTTP_ANSWERED ? answer->status : -1;
    asked->body = xstrndup(answer->body ? answer->body : "", answer->body_size);
}

static bool is_answered(void *context)
{
    return ((struct asked *)context)->status != 0;
}

void asked_send(struct asked *asked, struct http *http, struct http_request request)
{
    *asked = (struct asked){0};
    request.answered = on_answered;
    request.context = asked;
    http_send(http, &request);
}

bool asked_await(struct asked *asked, uv_loop_t *loop, int64_t timeout_ms)
{
    return await(loop, is_answered, asked, timeout_ms);
}

int asked_free_port(uv_loop_t *loop)
{
    struct sockaddr_in any;
    struct sockaddr_storage bound;
    int size = sizeof(bound);
    uv_tcp_t tcp;

    uv_ip4_addr("127.0.0.1", 0, &any);
    uv_tcp_init(loop, &tcp);
    uv_tcp_bind(&tcp, (struct sockaddr *)&any, 0);
    uv_tcp_getsockname(&tcp, (struct sockaddr *)&bound, &size);
    uv_close((uv_handle_t *)&tcp, NULL);
    uv_run(loop, UV_RUN_NOWAIT);
    return ntohs(((struct sockaddr_in *)&bound)->sin_port);
}
