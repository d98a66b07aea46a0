"""What is asked of the scaler, and how it is answered."""

import unittest

import grpc

from harness import (GetMetricsRequest, HealthCheckRequest, PATIENCE, ScaledObjectRef, ServerCase,
                     await_true, message, ref)


class Calls(ServerCase):

    def test_an_object_is_active_or_not(self):
        self.assertFalse(self.client.active(object="orders"))
        self.client.set("orders", active="true")
        self.assertTrue(self.client.active(object="orders"))

    def test_the_metric_has_a_float_and_a_whole_number(self):
        self.client.set("orders", target="500", value="1234")
        spec = self.client.GetMetricSpec(ref(object="orders"), timeout=PATIENCE).metricSpecs
        value = self.client.GetMetrics(
            GetMetricsRequest(scaledObjectRef=ref(object="orders"),
                              metricName="persistent_kafka_lag"), timeout=PATIENCE).metricValues
        self.assertEqual([(s.metricName, s.targetSize, s.targetSizeFloat) for s in spec],
                         [("persistent_kafka_lag", 500, 500.0)])
        self.assertEqual([(v.metricName, v.metricValue, v.metricValueFloat) for v in value],
                         [("persistent_kafka_lag", 1234, 1234.0)])

    def test_a_request_without_an_object_is_of_the_default_one(self):
        self.assertFalse(self.client.IsActive(ScaledObjectRef(), timeout=PATIENCE).result)
        answer = self.client.GetMetrics(GetMetricsRequest(), timeout=PATIENCE)
        self.assertEqual(answer.metricValues[0].metricValue, 0)

    def test_metadata_at_fault_is_an_invalid_argument_with_the_reason(self):
        self.client.set("orders", status="invalid")
        for call in self.client.IsActive, self.client.GetMetricSpec, self.client.StreamIsActive, \
                self.client.StreamMetricSpec:
            self.assertStatus(grpc.StatusCode.INVALID_ARGUMENT, "as it was told", call,
                              ref(object="orders"))

    def test_what_is_not_known_is_unavailable_with_the_reason(self):
        self.client.set("orders", status="unavailable")
        self.assertStatus(grpc.StatusCode.UNAVAILABLE, "as it was told", self.client.IsActive,
                          ref(object="orders"))
        self.assertStatus(grpc.StatusCode.UNAVAILABLE, "as it was told", self.client.GetMetrics,
                          GetMetricsRequest(scaledObjectRef=ref(object="orders")))

    def test_too_much_metadata_is_refused(self):
        many = {"key%d" % i: "" for i in range(257)}
        self.assertStatus(grpc.StatusCode.INVALID_ARGUMENT, "more than 256 entries",
                          self.client.IsActive, ref(**many))
        self.assertStatus(grpc.StatusCode.INVALID_ARGUMENT, "65536 bytes", self.client.IsActive,
                          ref(object="x" * 65536))

    def test_what_is_no_message_is_an_invalid_argument(self):
        for path in "IsActive", "GetMetrics":
            call = self.client.channel.unary_unary("/externalscaler.ExternalScaler/" + path)
            self.assertStatus(grpc.StatusCode.INVALID_ARGUMENT, "the request is no externalscaler",
                              call, b"\xff\xff\xff")
        stream = self.client.channel.unary_stream("/externalscaler.ExternalScaler/StreamIsActive")
        self.assertStatus(grpc.StatusCode.INVALID_ARGUMENT, "the request is no externalscaler",
                          stream, b"\xff\xff\xff")

    def test_a_request_that_never_comes_is_an_invalid_argument(self):
        call = self.client.channel.stream_unary("/externalscaler.ExternalScaler/IsActive")
        self.assertStatus(grpc.StatusCode.INVALID_ARGUMENT, "there is no request", call, iter(()))

    def test_a_method_that_there_is_not_is_unimplemented(self):
        call = self.client.channel.unary_unary("/externalscaler.ExternalScaler/Other")
        self.assertStatus(grpc.StatusCode.UNIMPLEMENTED, "no such method", call, b"")

    def test_a_message_over_1_mib_is_refused(self):
        self.assertStatus(grpc.StatusCode.RESOURCE_EXHAUSTED, "larger than max",
                          self.client.IsActive, ref(object="x" * (1 << 20)))
        self.assertFalse(self.client.active(object="orders"))

    def test_a_compressed_message_is_refused(self):
        """It could be a thousand times as long as it says."""
        self.assertStatus(grpc.StatusCode.UNIMPLEMENTED, "", self.client.IsActive,
                          ref(object="x" * 10000), compression=grpc.Compression.Gzip)
        self.assertFalse(self.client.active(object="orders"))

    def test_calls_are_counted(self):
        self.client.set("orders", status="invalid")
        self.client.active(object="invoices")
        label = '{method="externalscaler.ExternalScaler/IsActive"}'
        samples = self.server.metrics()
        self.assertEqual(samples["kafka_connector_grpc_calls_total" + label], 2)
        self.assertEqual(samples["kafka_connector_grpc_faults_total" + label], 1)


class Health(ServerCase):
    SERVING, NOT_SERVING, SERVICE_UNKNOWN = 1, 2, 3

    def check(self, service=""):
        return self.client.Check(HealthCheckRequest(service=service), timeout=PATIENCE).status

    def test_the_server_serves_and_the_scaler_when_it_is_ready(self):
        self.assertEqual(self.check(), self.SERVING)
        self.assertEqual(self.check("externalscaler.ExternalScaler"), self.SERVING)
        self.client.set("ready", active="false")
        self.assertEqual(self.check(), self.SERVING)
        self.assertEqual(self.check("externalscaler.ExternalScaler"), self.NOT_SERVING)

    def test_another_service_is_not_found(self):
        self.assertStatus(grpc.StatusCode.NOT_FOUND, 'no service "other"', self.client.Check,
                          HealthCheckRequest(service="other"))

    def test_who_watches_is_told_at_once_and_when_it_changes(self):
        stream = self.client.Watch(HealthCheckRequest(service="externalscaler.ExternalScaler"),
                                   timeout=PATIENCE)
        self.assertEqual(next(stream).status, self.SERVING)
        self.client.set("ready", active="false")
        self.assertEqual(next(stream).status, self.NOT_SERVING)
        self.client.set("ready", active="true")
        self.assertEqual(next(stream).status, self.SERVING)
        unknown = self.client.Watch(HealthCheckRequest(service="other"), timeout=PATIENCE)
        self.assertEqual(next(unknown).status, self.SERVICE_UNKNOWN)
        stream.cancel()
        unknown.cancel()


class Reflection(ServerCase):
    """What grpcurl asks before it can call anything."""

    def ask(self, *requests, version="v1"):
        kind = message("grpc.reflection.v1.ServerReflectionRequest")
        call = self.client.channel.stream_stream(
            "/grpc.reflection.%s.ServerReflection/ServerReflectionInfo" % version,
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=message("grpc.reflection.v1.ServerReflectionResponse").FromString)
        return list(call(iter([kind(**request) for request in requests]), timeout=PATIENCE))

    def test_the_services_are_listed(self):
        for version in "v1", "v1alpha":
            answer, = self.ask({"list_services": ""}, version=version)
            self.assertEqual([s.name for s in answer.list_services_response.service],
                             ["externalscaler.ExternalScaler", "grpc.health.v1.Health",
                              "grpc.reflection.v1.ServerReflection"])

    def test_each_question_of_a_stream_is_answered(self):
        from google.protobuf import descriptor_pb2
        by_symbol, by_name, unknown = self.ask(
            {"file_containing_symbol": "externalscaler.ExternalScaler"},
            {"file_by_filename": "scale/health.proto"},
            {"file_containing_symbol": "no.such.Symbol"})
        for answer, service in (by_symbol, "ExternalScaler"), (by_name, "Health"):
            file, = answer.file_descriptor_response.file_descriptor_proto
            described = descriptor_pb2.FileDescriptorProto.FromString(file)
            self.assertEqual(described.service[0].name, service)
        self.assertEqual(unknown.error_response.error_code, grpc.StatusCode.NOT_FOUND.value[0])


class Streams(ServerCase):

    def test_who_watches_is_told_at_once_and_when_it_changes(self):
        stream = self.client.StreamIsActive(ref(object="orders"), timeout=PATIENCE)
        self.assertFalse(next(stream).result)
        self.client.set("orders", active="true")
        self.assertTrue(next(stream).result)
        self.client.set("orders", value="17")  # the same again: nothing is said
        self.client.set("orders", active="false")
        self.assertFalse(next(stream).result)
        stream.cancel()

    def test_nothing_is_said_of_what_is_not_known(self):
        self.client.set("orders", status="unavailable")
        stream = self.client.StreamIsActive(ref(object="orders"), timeout=PATIENCE)
        self.assertTrue(await_true(lambda: self.client.watchers() == 1))
        self.client.set("orders", status="ok", active="true")
        self.assertTrue(next(stream).result)
        self.client.set("orders", status="unavailable", active="false")
        self.client.set("orders", status="ok", active="true")
        self.client.set("orders", active="false")
        self.assertFalse(next(stream).result)
        stream.cancel()

    def test_metadata_that_becomes_a_fault_ends_the_stream(self):
        stream = self.client.StreamIsActive(ref(object="orders"), timeout=PATIENCE)
        self.assertFalse(next(stream).result)
        self.client.set("orders", status="invalid")
        self.assertStatus(grpc.StatusCode.INVALID_ARGUMENT, "as it was told",
                          lambda timeout: next(stream))

    def test_a_metric_is_specified_at_once(self):
        self.client.set("orders", target="7")
        stream = self.client.StreamMetricSpec(ref(object="orders"), timeout=PATIENCE)
        self.assertEqual(next(stream).metricSpecs[0].targetSizeFloat, 7.0)
        stream.cancel()

    def test_a_cancelled_stream_is_forgotten(self):
        streams = [self.client.StreamIsActive(ref(object="orders")) for _ in range(50)]
        for stream in streams:
            next(stream)
        self.assertEqual(self.client.watchers(), 50)
        for stream in streams:
            stream.cancel()
        self.assertTrue(await_true(lambda: self.client.watchers() == 0))
        self.client.set("orders", active="true")  # nobody is told

    def test_a_stream_whose_client_is_gone_is_forgotten(self):
        other = self.connect()
        self.assertFalse(next(other.StreamIsActive(ref(object="orders"))).result)
        other.close()
        self.assertTrue(await_true(lambda: self.client.watchers() == 0))

    def test_a_thousand_streams(self):
        streams = [self.client.StreamIsActive(ref(object="orders")) for _ in range(1000)]
        self.assertEqual([next(stream).result for stream in streams], [False] * 1000)
        self.client.set("orders", active="true")
        self.assertEqual([next(stream).result for stream in streams], [True] * 1000)
        for stream in streams:
            stream.cancel()
        self.assertTrue(await_true(lambda: self.client.watchers() == 0))


if __name__ == "__main__":
    unittest.main()
