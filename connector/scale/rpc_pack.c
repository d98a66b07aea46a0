/* rpc_pack: see rpc_pack.h. */
#include "scale/rpc_pack.h"

#include "base/xalloc.h"

void *rpc_unpack(const ProtobufCMessageDescriptor *descriptor, struct rpc_bytes bytes,
                 struct rpc_reply *reply)
{
    void *message = protobuf_c_message_unpack(descriptor, NULL, bytes.size, bytes.data);

    if (!message)
        *reply =
            rpc_reply_fault(GRPC_STATUS_INVALID_ARGUMENT, "the request is no %s", descriptor->name);
    return message;
}

struct rpc_reply rpc_pack(const ProtobufCMessage *message)
{
    struct rpc_reply reply = {.status = GRPC_STATUS_OK,
                              .size = protobuf_c_message_get_packed_size(message)};

    reply.message = xmalloc(reply.size + 1); /* never NULL: all defaults are no bytes at all */
    protobuf_c_message_pack(message, reply.message);
    return reply;
}
