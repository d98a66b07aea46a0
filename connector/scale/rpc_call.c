/* rpc_call: see rpc_call.h. */
#include "scale/rpc_call.h"

#include "base/log.h"
#include "base/xalloc.h"
#include "scale/rpc_private.h"

#include <assert.h>
#include <grpc/byte_buffer_reader.h>
#include <stdlib.h>
#include <string.h>

#define FROM(state) (1u << RPC_##state)

static const struct {
    const char *name;
    unsigned from;
} states[] = {
    [RPC_ASKED] = {"asked", 0},
    [RPC_READING] = {"reading", FROM(ASKED) | FROM(SAYING)},
    [RPC_SAYING] = {"saying", FROM(READING)},
    [RPC_ENDING] = {"ending", FROM(READING) | FROM(SAYING)},
};

static enum rpc_kind kind_of(const struct rpc_call *call)
{
    return call->served->method ? call->served->method->kind : RPC_UNARY;
}

static void set_state(struct rpc_call *call, enum rpc_state state)
{
    assert(states[state].from & (1u << call->state));
    call->state = state;
    log_debug(NULL, "gRPC call %p: %s", (void *)call, states[state].name);
    rpc_server_step(call, state != RPC_SAYING || kind_of(call) != RPC_WATCH);
}

struct rpc_reply rpc_reply_fault(grpc_status_code status, const char *format, ...)
{
    struct rpc_reply reply = {.status = status};
    va_list arguments;

    va_start(arguments, format);
    reply.reason = xvasprintf(format, arguments);
    va_end(arguments);
    return reply;
}

/* ---- its operations ---- */

static void start(struct rpc_call *call, const grpc_op *operations, size_t count,
                  struct rpc_tag *tag)
{
    grpc_call_error error = grpc_call_start_batch(call->raw, operations, count, tag, NULL);

    assert(error == GRPC_CALL_OK);
    (void)error;
    call->pending++;
}

static grpc_byte_buffer *buffer_of(const uint8_t *bytes, size_t size)
{
    grpc_slice slice = grpc_slice_from_copied_buffer((const char *)bytes, size);
    grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);

    grpc_slice_unref(slice);
    return buffer;
}

static grpc_op message_operation(struct rpc_call *call)
{
    call->sent = buffer_of(call->next.message, call->next.size);
    call->has_message = false;
    free(call->next.message);
    call->next.message = NULL;
    return (grpc_op){.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = call->sent};
}

static grpc_op status_operation(struct rpc_call *call, grpc_slice *reason)
{
    *reason = grpc_slice_from_copied_string(call->next.reason ? call->next.reason : "");
    call->has_status = false;
    return (grpc_op){
        .op = GRPC_OP_SEND_STATUS_FROM_SERVER,
        .data.send_status_from_server = {.status = call->next.status, .status_details = reason}};
}

/* Sends what there is, all at once, when nothing else is on its way. */
static void send_next(struct rpc_call *call)
{
    grpc_op operations[3];
    grpc_slice reason = grpc_empty_slice();
    size_t count = 0;

    if (call->sending || call->dead)
        return;
    if (!call->greeted)
        operations[count++] = (grpc_op){.op = GRPC_OP_SEND_INITIAL_METADATA};
    if (call->has_message)
        operations[count++] = message_operation(call);
    if (call->has_status)
        operations[count++] = status_operation(call, &reason);
    if (count) {
        call->greeted = call->sending = true;
        start(call, operations, count, &call->on_sent);
    }
    grpc_slice_unref(reason);
}

static void put_message(struct rpc_call *call, struct rpc_reply *reply)
{
    free(call->next.message);
    call->next.message = reply->message;
    call->next.size = reply->size;
    call->has_message = true;
}

static void finish(struct rpc_call *call, struct rpc_reply reply)
{
    if (reply.status == GRPC_STATUS_OK && reply.message)
        put_message(call, &reply);
    call->next.status = reply.status;
    call->next.reason = reply.reason;
    call->has_status = true;
    set_state(call, RPC_ENDING);
    send_next(call);
}

static void read_request(struct rpc_call *call)
{
    const grpc_op operation = {.op = GRPC_OP_RECV_MESSAGE,
                               .data.recv_message.recv_message = &call->received};

    start(call, &operation, 1, &call->on_read);
}

/* ---- what the method is told, and says ---- */

static void forget_watch(struct rpc_call *call)
{
    void *watch = call->watch;

    call->watch = NULL;
    if (watch)
        call->served->method->ended(watch);
}

static void answer(struct rpc_call *call, struct rpc_bytes request)
{
    const struct rpc_served *served = call->served;
    struct rpc_reply reply = served->method->answer(served->context, request);

    if (kind_of(call) == RPC_UNARY || reply.status != GRPC_STATUS_OK) {
        finish(call, reply);
        return;
    }
    put_message(call, &reply);
    set_state(call, RPC_SAYING);
    send_next(call);
}

static void begin(struct rpc_call *call, struct rpc_bytes request)
{
    const struct rpc_served *served = call->served;

    set_state(call, RPC_SAYING);
    call->watch = served->method->begin(served->context, request, call);
    assert(call->state == RPC_SAYING || !call->watch);
    send_next(call); /* the initial metadata, when there is nothing to be said yet */
}

void rpc_call_say(struct rpc_call *call, struct rpc_reply reply)
{
    assert(call->state == RPC_SAYING && kind_of(call) == RPC_WATCH);
    put_message(call, &reply);
    send_next(call);
}

void rpc_call_end(struct rpc_call *call, struct rpc_reply reply)
{
    assert(call->state == RPC_SAYING && kind_of(call) == RPC_WATCH);
    call->watch = NULL;
    finish(call, reply);
}

/* Not by an error: KEDA takes an end for what it is and comes again in 2 s; an error makes it wait
 * longer each time, up to a minute. */
void rpc_call_stop(struct rpc_call *call)
{
    if (call->state == RPC_ENDING || kind_of(call) == RPC_UNARY)
        return;
    forget_watch(call);
    finish(call, (struct rpc_reply){.status = GRPC_STATUS_OK});
}

/* ---- what gRPC tells ---- */

static void free_call(struct rpc_call *call)
{
    free(call->next.message);
    free(call->next.reason);
    grpc_byte_buffer_destroy(call->received);
    grpc_byte_buffer_destroy(call->sent);
    grpc_metadata_array_destroy(&call->metadata);
    grpc_call_details_destroy(&call->details);
    if (call->raw)
        grpc_call_unref(call->raw);
    free(call);
}

static void operation_ended(struct rpc_call *call)
{
    assert(call->pending);
    call->pending--;
}

static void free_if_over(struct rpc_call *call)
{
    if (call->state != RPC_ENDING || call->pending)
        return;
    rpc_server_leave(call);
    free_call(call);
}

/* Its end, of whatever kind. Cancelled is also whose client is gone. */
static void on_gone(void *owner, bool ok)
{
    struct rpc_call *call = owner;

    (void)ok;
    operation_ended(call);
    call->dead = true;
    if (!call->cancelled && call->next.status != GRPC_STATUS_OK)
        call->served->counts->values[RPC_FAULTS].number++;
    forget_watch(call);
    if (call->state != RPC_ENDING)
        set_state(call, RPC_ENDING);
    free_if_over(call);
}

static void on_sent(void *owner, bool ok)
{
    struct rpc_call *call = owner;

    operation_ended(call);
    call->sending = false;
    call->dead |= !ok;
    grpc_byte_buffer_destroy(call->sent);
    call->sent = NULL;
    send_next(call);
    if (!call->dead && call->state == RPC_SAYING && kind_of(call) == RPC_TALK) {
        set_state(call, RPC_READING);
        read_request(call);
    }
    free_if_over(call);
}

static void take_request(struct rpc_call *call)
{
    grpc_byte_buffer_reader reader;
    grpc_slice slice;
    struct rpc_bytes request;

    if (call->received->data.raw.compression != GRPC_COMPRESS_NONE ||
        !grpc_byte_buffer_reader_init(&reader, call->received)) {
        finish(call,
               rpc_reply_fault(GRPC_STATUS_UNIMPLEMENTED, "compressed messages are not read"));
        return;
    }
    slice = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    request = (struct rpc_bytes){GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice)};
    if (kind_of(call) == RPC_WATCH)
        begin(call, request);
    else
        answer(call, request);
    grpc_slice_unref(slice);
}

/* Without a message: the client has none (more), or the call is over, which on_gone tells. */
static void on_read(void *owner, bool ok)
{
    struct rpc_call *call = owner;

    (void)ok;
    operation_ended(call);
    if (call->state != RPC_READING)
        ; /* it was ended meanwhile */
    else if (call->received)
        take_request(call);
    else if (kind_of(call) == RPC_TALK)
        finish(call, (struct rpc_reply){.status = GRPC_STATUS_OK});
    else
        finish(call, rpc_reply_fault(GRPC_STATUS_INVALID_ARGUMENT, "there is no request"));
    grpc_byte_buffer_destroy(call->received);
    call->received = NULL;
    free_if_over(call);
}

/* ---- how it begins ---- */

static const struct rpc_served *served_by(const struct rpc_server *server, const grpc_slice *path)
{
    size_t i = 0;

    for (; i + 1 < server->served_count; i++)
        if (grpc_slice_str_cmp(*path, server->served[i].method->path) == 0)
            break;
    return &server->served[i];
}

static void await_end(struct rpc_call *call)
{
    const grpc_op operation = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER,
                               .data.recv_close_on_server.cancelled = &call->cancelled};

    start(call, &operation, 1, &call->on_gone);
}

static void receive(struct rpc_call *call)
{
    if (call->server->shutting)
        finish(call, rpc_reply_fault(GRPC_STATUS_UNAVAILABLE, "the scaler is stopping"));
    else if (!call->served->method)
        finish(call, rpc_reply_fault(GRPC_STATUS_UNIMPLEMENTED, "there is no such method"));
    else if (!rpc_server_admit(call))
        finish(call,
               rpc_reply_fault(GRPC_STATUS_RESOURCE_EXHAUSTED, "there are as many %s as may be",
                               kind_of(call) == RPC_WATCH ? "streams" : "calls"));
    else
        read_request(call);
}

/* Not ok: none came, the server ends. */
static void on_arrived(void *owner, bool ok)
{
    struct rpc_call *call = owner;
    struct rpc_server *server = call->server;

    server->asked--;
    if (!ok) {
        free_call(call);
        return;
    }
    call->served = served_by(server, &call->details.method);
    rpc_server_enter(call);
    set_state(call, RPC_READING);
    await_end(call);
    receive(call);
    rpc_server_ask(server);
}

void rpc_call_ask(struct rpc_server *server)
{
    struct rpc_call *call = xcalloc(1, sizeof(*call));
    grpc_completion_queue *queue = rpc_queue_raw(server->queue);
    grpc_call_error error;

    call->server = server;
    call->on_arrived = (struct rpc_tag){on_arrived, call};
    call->on_read = (struct rpc_tag){on_read, call};
    call->on_sent = (struct rpc_tag){on_sent, call};
    call->on_gone = (struct rpc_tag){on_gone, call};
    grpc_call_details_init(&call->details);
    grpc_metadata_array_init(&call->metadata);
    error = grpc_server_request_call(server->raw, &call->raw, &call->details, &call->metadata,
                                     queue, queue, &call->on_arrived);
    assert(error == GRPC_CALL_OK);
    (void)error;
    server->asked++;
}
