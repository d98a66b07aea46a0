/*
 * call: one attempt to run a function on a record: a POST and what came of it.
 *
 * POST {gateway_url}/function/{path} (async_invocation: /async-function/{path}, where only 2xx is
 * an answer), body = the record's value byte for byte, and headers:
 *   Content-Type, User-Agent, X-Connector: kafka-connector, X-Topic, X-Kafka-Partition,
 *   X-Kafka-Offset, X-Kafka-Timestamp (ms; when there is one), X-Kafka-Tombstone: true (for a null
 *   value), X-Kafka-Key, X-Kafka-<record header>, traceparent and tracestate under their own names.
 * A value goes as it is when it is a clean header value (call_value_clean), else in base64 with a
 * second header <name>-Enc: b64 behind it. A record header whose name is no HTTP token is renamed
 * byte by byte (others than token characters become "-"); one that would pass for a header of our
 * own ("offset") goes as X-Kafka-Header-<name>. So CR, LF and NUL never reach a header line.
 * Gateways refuse more than about 1 MB of headers, so the first record headers go, up to
 * CALL_HEADERS_LIMIT, and X-Kafka-Headers-Dropped counts the rest; a key over CALL_KEY_LIMIT is
 * left out, and X-Kafka-Key-Dropped tells its size.
 */
#ifndef GATEWAY_CALL_H
#define GATEWAY_CALL_H

#include "core/record.h"
#include "gateway/gateway.h"
#include "gateway/http.h"

enum {
    CALL_HEADERS_LIMIT = 256 * 1024, /* bytes of names and values, and 32 for each header */
    CALL_KEY_LIMIT = 256 * 1024,
};

struct caller; /* what all calls share */
struct callee; /* what all calls of one function share: its URL */
struct call;   /* one on its way */

/* Options and http are borrowed. */
struct caller *caller_new(struct http *http, const struct gateway_options *options);
void caller_free(struct caller *caller); /* no call may be on its way */

/* NULL: the path makes no URL. */
struct callee *callee_new(struct caller *caller, const char *path);
void callee_free(struct callee *callee); /* no call to it may be on its way */

/* Starts an attempt; `answered` as in http_send. The record is borrowed until then. `fresh`: on a
 * connection of its own, for an attempt that follows one without an answer. A gateway that went
 * away leaves several dead connections behind, and each would use up a try that may have run. */
struct call *call_start(struct callee *callee, const struct record *record, bool fresh,
                        void (*answered)(void *context, const struct http_answer *answer),
                        void *context);
void call_cancel(struct call *call);

/* Whether bytes can stand as a header's value untouched: not empty, printable ASCII, blanks only
 * inside, at most 4096 bytes. */
bool call_value_clean(const void *bytes, size_t size);

#endif
