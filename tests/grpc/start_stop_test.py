"""How the server begins and ends."""

import os
import subprocess
import unittest

import grpc

import raw
from harness import HealthCheckRequest, PATIENCE, Server, ServerCase, await_true, ref


class Start(ServerCase):

    def failing(self, *options, environment=None):
        """What a server says that does not start."""
        ended = subprocess.run([os.environ["GRPC_SERVER"], *options], capture_output=True,
                               text=True, timeout=PATIENCE, env=environment or {})
        self.assertEqual(ended.returncode, 2, ended.stderr)
        return ended.stderr

    def test_a_port_that_is_taken_is_a_fault(self):
        said = self.failing("--grpc_listen=127.0.0.1:%d" % self.server.port)
        self.assertIn("grpc_listen: cannot listen on 127.0.0.1:%d: Address already in use" %
                      self.server.port, said)
        self.assertNotIn("WARNING: gRPC", said)

    def test_what_is_no_address_is_a_fault(self):
        for address in "localhost", "::1", ":x", ":70000":
            self.assertIn('grpc_listen: "%s" is not an address' % address,
                          self.failing("--grpc_listen=" + address))

    def test_a_port_alone_will_do_as_in_the_environment_of_persistent_kafka_lag_scaler(self):
        said = self.failing(environment={"GRPC_PORT": str(self.server.port)})
        self.assertIn("cannot listen on :%d: Address already in use" % self.server.port, said)

    def test_a_kubernetes_service_link_is_no_port(self):
        server = subprocess.Popen([os.environ["GRPC_SERVER"]], stderr=subprocess.PIPE, text=True,
                                  stdout=subprocess.DEVNULL,
                                  env={"GRPC_PORT": "tcp://10.0.0.1:4711"})
        line = server.stderr.readline()
        server.terminate()
        server.communicate()
        self.assertIn(":50051", line)  # or that it is taken


class Stop(ServerCase):

    def test_open_streams_end_and_so_does_the_server(self):
        streams = [self.client.StreamIsActive(ref(), timeout=2 * PATIENCE) for _ in range(100)]
        streams += [self.client.StreamMetricSpec(ref(), timeout=2 * PATIENCE) for _ in range(100)]
        streams.append(self.client.Watch(HealthCheckRequest(), timeout=2 * PATIENCE))
        for stream in streams:
            next(stream)
        self.assertEqual(self.server.stop(), 0, self.server.log)
        for stream in streams:
            self.assertEqual(list(stream), [])
            self.assertEqual(stream.code(), grpc.StatusCode.OK)

    def test_clients_that_say_nothing_and_read_nothing_do_not_hold_it_up(self):
        connection = raw.Connection(self.server.port, window=0)
        connection.call(1, "/externalscaler.ExternalScaler/IsActive")
        connection.call(3, "/externalscaler.ExternalScaler/StreamIsActive",
                        ref().SerializeToString())
        self.assertTrue(await_true(lambda: self.client.watchers() == 1))
        self.assertEqual(self.server.stop(), 0, self.server.log)
        connection.close()

    def test_it_ends_without_ever_having_been_called(self):
        server = Server()
        self.assertEqual(server.stop(), 0, server.log)


if __name__ == "__main__":
    unittest.main()
