/* rpc_reflection: see rpc_reflection.h. */
#include "scale/rpc_reflection.h"

#include "base/xalloc.h"
#include "scale/proto_files.h" /* made of the .proto files by the Makefile */
#include "scale/reflection.pb-c.h"
#include "scale/rpc_pack.h"

#include <stdlib.h>
#include <string.h>

typedef Grpc__Reflection__V1__ServerReflectionRequest Request;
typedef Grpc__Reflection__V1__ServerReflectionResponse Response;

#define ASKED(kind) GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##kind
#define SAID(kind)  GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_##kind

/* What is described: its file as protoc writes it, and what begins the names in it. */
static const struct {
    const char *name, *package, *service;
    const uint8_t *bytes;
    size_t size;
} files[] = {
    {"scale/externalscaler.proto", "externalscaler.", "externalscaler.ExternalScaler",
     externalscaler_proto, sizeof(externalscaler_proto)},
    {"scale/health.proto", "grpc.health.v1.", "grpc.health.v1.Health", health_proto,
     sizeof(health_proto)},
    {"scale/reflection.proto", "grpc.reflection.v1.", "grpc.reflection.v1.ServerReflection",
     reflection_proto, sizeof(reflection_proto)},
};

enum { FILES = sizeof(files) / sizeof(*files) };

static int file_named(const char *name)
{
    for (int i = 0; i < FILES; i++)
        if (strcmp(files[i].name, name) == 0)
            return i;
    return -1;
}

static int file_with(const char *symbol)
{
    for (int i = 0; i < FILES; i++)
        if (strncmp(symbol, files[i].package, strlen(files[i].package)) == 0)
            return i;
    return -1;
}

static struct rpc_reply say_fault(Response *response, int32_t code, char *text)
{
    Grpc__Reflection__V1__ErrorResponse error = GRPC__REFLECTION__V1__ERROR_RESPONSE__INIT;

    error.error_code = code;
    error.error_message = text;
    response->error_response = &error;
    response->message_response_case = SAID(ERROR_RESPONSE);
    return rpc_pack(&response->base);
}

static struct rpc_reply say_file(Response *response, int file)
{
    Grpc__Reflection__V1__FileDescriptorResponse said =
        GRPC__REFLECTION__V1__FILE_DESCRIPTOR_RESPONSE__INIT;
    ProtobufCBinaryData data;

    if (file < 0)
        return say_fault(response, GRPC_STATUS_NOT_FOUND, "there is no such file or symbol");
    data = (ProtobufCBinaryData){files[file].size, (uint8_t *)files[file].bytes};
    said.file_descriptor_proto = &data;
    said.n_file_descriptor_proto = 1;
    response->file_descriptor_response = &said;
    response->message_response_case = SAID(FILE_DESCRIPTOR_RESPONSE);
    return rpc_pack(&response->base);
}

static struct rpc_reply say_services(Response *response)
{
    Grpc__Reflection__V1__ListServiceResponse said =
        GRPC__REFLECTION__V1__LIST_SERVICE_RESPONSE__INIT;
    Grpc__Reflection__V1__ServiceResponse services[FILES], *list[FILES];

    for (int i = 0; i < FILES; i++) {
        grpc__reflection__v1__service_response__init(&services[i]);
        services[i].name = (char *)files[i].service;
        list[i] = &services[i];
    }
    said.service = list;
    said.n_service = FILES;
    response->list_services_response = &said;
    response->message_response_case = SAID(LIST_SERVICES_RESPONSE);
    return rpc_pack(&response->base);
}

static struct rpc_reply reply_to(Request *request)
{
    Response response = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;

    response.valid_host = request->host;
    response.original_request = request;
    switch (request->message_request_case) {
    case ASKED(FILE_BY_FILENAME):
        return say_file(&response, file_named(request->file_by_filename));
    case ASKED(FILE_CONTAINING_SYMBOL):
        return say_file(&response, file_with(request->file_containing_symbol));
    case ASKED(LIST_SERVICES):
        return say_services(&response);
    default:
        return say_fault(&response, GRPC_STATUS_UNIMPLEMENTED, "there are no extensions");
    }
}

static struct rpc_reply info(void *context, struct rpc_bytes bytes)
{
    struct rpc_reply reply;
    Request *request =
        rpc_unpack(&grpc__reflection__v1__server_reflection_request__descriptor, bytes, &reply);

    (void)context;
    if (request)
        reply = reply_to(request);
    grpc__reflection__v1__server_reflection_request__free_unpacked(request, NULL);
    return reply;
}

static const struct rpc_method methods[] = {
    {"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", RPC_TALK, .answer = info},
    {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", RPC_TALK, .answer = info},
};

struct rpc_service rpc_reflection_service(void)
{
    return (struct rpc_service){methods, sizeof(methods) / sizeof(*methods), NULL};
}
