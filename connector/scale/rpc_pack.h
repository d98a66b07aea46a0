/*
 * rpc_pack: protobuf's messages to replies, and back.
 */
#ifndef SCALE_RPC_PACK_H
#define SCALE_RPC_PACK_H

#include "scale/rpc_call.h"

#include <protobuf-c/protobuf-c.h>

/* The message that the bytes are; free it by protobuf_c_message_free_unpacked(message, NULL).
 * NULL: they are none, *reply says so. */
void *rpc_unpack(const ProtobufCMessageDescriptor *descriptor, struct rpc_bytes bytes,
                 struct rpc_reply *reply);

/* The message may be freed. */
struct rpc_reply rpc_pack(const ProtobufCMessage *message);

#endif
